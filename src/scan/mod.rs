//! The scan: evidence walked, decoded, searched, graded and summed up into a report. The only room that sees all others.

mod artifact;
mod collector;
mod coverage;
mod examples;
mod parts;
mod sink;
mod tee;
#[cfg(test)]
mod tests;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use crate::evidence::{Item, Source};
pub use crate::matching::{CacheError, CacheWriter, FileDigest, Ruleset, RulesetCache, StoredRuleset};
pub use examples::{ExampleFailure, test_examples};

use crate::budget::Limits;
use crate::evidence::{PathError, walk};
use crate::matching::Evaluated;
use crate::observable::HashKind;
use crate::report::{Note, PackLine, Report, Summary};

use collector::{Collected, Collector};
use coverage::ScanCoverage;
use worker::{Queue, Worker};

/// What to scan, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Files and folders, as the user wrote them.
    pub paths: Vec<PathBuf>,
    /// The limits of each evidence file.
    pub limits: Limits,
    /// How many threads; none for one a core.
    pub threads: Option<usize>,
    /// Whether evidence files are digested.
    pub digest: Digest,
}

/// Whether evidence files are digested, for identity and for matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// Each file's SHA-256, and what else indicators need.
    Computed,
    /// None of evidence files; members of containers still are, where indicators need it.
    Off,
}

/// What a running scan shares with whoever watches it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set it to stop the scan soon.
    pub cancelled: AtomicBool,
    /// Bytes of evidence read so far.
    pub bytes_done: Arc<AtomicU64>,
    /// Evidence files done so far.
    pub files_done: Arc<AtomicU64>,
}

/// Why a scan could not be done at all.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A named path cannot be walked.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The thread pool cannot be made.
    #[error("cannot start {threads} threads: {source}; ask for fewer with --threads")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },
    /// What was found cannot be kept.
    #[error("cannot keep what was found in a temporary file: {0}; make room where TMPDIR points")]
    Spool(std::io::Error),
}

/// The name of every worker's thread.
pub const WORKER_NAME: &str = "stormglass-worker";

/// The stack of each worker: decoders of nested containers call each other, to the depth limit.
const STACK_BYTES: usize = 32 << 20;

/// Lists what a plan's paths hold, and how many bytes that is.
///
/// # Errors
/// A named path that does not exist.
pub fn evidence_of(plan: &Plan) -> Result<(Vec<Item>, u64), ScanError> {
    let items = walk(&plan.paths)?;
    let bytes = items.iter().map(|item| if let Source::File { bytes, .. } = item.source { bytes } else { 0 }).sum();
    Ok((items, bytes))
}

/// Scans evidence and sums it up.
///
/// # Errors
/// See [`ScanError`]. Whatever is wrong with single pieces of evidence is in the report instead.
pub fn scan<'r>(plan: &Plan, items: Vec<Item>, ruleset: &'r Ruleset, watch: &Watch) -> Result<Report<'r>, ScanError> {
    let threads = plan.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .thread_name(|_| WORKER_NAME.to_owned())
        .build()
        .map_err(|source| ScanError::Threads { threads, source })?;
    let evaluated = ruleset.evaluated();
    let shared = Shared {
        ruleset,
        evaluated: &evaluated,
        watch,
        limits: plan.limits.clone(),
        digest: plan.digest,
        needed: ruleset.digest_kinds(),
        collector: Collector::new(ruleset.len()),
        // Enough that no thread waits for work, few enough that blocks in memory stay few.
        queue: Queue::new(items.len(), if threads == 1 { 0 } else { threads * 2 }),
    };
    pool.broadcast(|_| Worker::new(&shared).work(&items));
    let interrupted = watch.cancelled.load(Ordering::Relaxed);
    let collected = shared.collector.finish().map_err(ScanError::Spool)?;
    Ok(sum_up(plan, ruleset, evaluated, collected, interrupted))
}

/// What all workers of a scan share.
struct Shared<'r> {
    ruleset: &'r Ruleset,
    evaluated: &'r Evaluated,
    watch: &'r Watch,
    limits: Limits,
    digest: Digest,
    needed: Vec<HashKind>,
    collector: Collector,
    queue: Queue,
}

impl Shared<'_> {
    fn is_cancelled(&self) -> bool {
        self.watch.cancelled.load(Ordering::Relaxed)
    }
}

fn sum_up<'r>(
    plan: &Plan,
    ruleset: &'r Ruleset,
    evaluated: Evaluated,
    collected: Collected,
    interrupted: bool,
) -> Report<'r> {
    let mut notes = Vec::new();
    if plan.digest == Digest::Off {
        notes.push(Note {
            code: "no-digest".to_owned(),
            artifact: None,
            detail: "no digest of any evidence file was computed (--no-digest): evidence is identified by name and size only, \
                     and hashes of whole evidence files could not match"
                .to_owned(),
        });
    }
    let packs = ruleset.packs.iter().map(|pack| PackLine {
        name: pack.name.clone(),
        advisory: pack.advisory.as_ref().map(|advisory| (advisory.id.clone(), advisory.title.clone())),
        indicators: u64::try_from(pack.indicators.len()).unwrap_or(u64::MAX),
    });
    let summary = Summary {
        evidence: collected.evidence_met,
        artifacts: collected.ledger.total.met,
        records: collected.records,
        bytes: collected.evidence.iter().map(|line| line.bytes).sum(),
        sightings: collected.sighting_count,
        mentions: collected.mention_count,
        findings: u64::try_from(collected.found.iter().filter(|found| **found).count()).unwrap_or(u64::MAX),
        worst: collected.worst,
        complete: collected.ledger.is_complete() && !interrupted,
        interrupted,
    };
    let coverage = ScanCoverage { ruleset, evaluated, found: collected.found, records: collected.records };
    Report {
        packs: packs.collect(),
        evidence: collected.evidence,
        sightings: collected.sightings,
        problems: collected.problems,
        notes,
        coverage: Box::new(coverage),
        ledger: collected.ledger,
        summary,
    }
}
