//! One artifact: decoded, its blocks searched, its digests compared, its outcome entered into the ledger.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::artifact_path::ArtifactPath;
use crate::budget::{Budget, exceeded};
use crate::decode::{Child, DecodeError, Decoder, Input, decoder_for};
use crate::finding::{SightingKind, grade};
use crate::matching::{Hit, LimitMet};
use crate::observable::HashKind;
use crate::problem::{Outcome, Problem, Reason};
use crate::record::Block;
use crate::report::EvidenceLine;

use super::collector::Place;
use super::parts::PartHits;
use super::sink::ArtifactSink;
use super::tee::{Digester, Tee, copy_of};
use super::worker::{Job, Worker};
use super::{Digest, Shared};

/// How much of an artifact YARA rules of packs look at as a whole.
const WHOLE_BYTES: usize = 64 << 20;

/// How long the key of an evidence file is: its place in the order of the evidence.
const EVIDENCE_KEY_BYTES: usize = 4;

/// What is known of an artifact while blocks of it may still be searched elsewhere.
pub(super) struct ArtifactState {
    pub path: ArtifactPath,
    /// Orders artifacts as the evidence has them: one step a container, comparable as bytes.
    key: Vec<u8>,
    /// The decoder, and whatever still works on it: the last one to let go closes it.
    working: AtomicUsize,
    decoder: Mutex<&'static str>,
    failed: Mutex<Option<Reason>>,
    sequence: AtomicU32,
    records: AtomicU64,
    mentions_only: AtomicBool,
    /// What was found in parts of records.
    part_hits: Mutex<PartHits>,
    /// Rules that matched the artifact as a whole, reported unless a record shows where.
    whole_hits: Mutex<Vec<Hit>>,
    record_rules: Mutex<BTreeSet<(usize, String)>>,
    /// Each limit that was met, with the first record in which it was and the number of times.
    limits: Mutex<BTreeMap<String, (Option<u64>, u64)>>,
}

impl ArtifactState {
    /// Makes the state of an evidence file.
    pub fn evidence(path: ArtifactPath, index: usize) -> Self {
        Self::new(path, u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes().to_vec())
    }

    /// Makes the state of a member.
    pub fn member(&self, name: &str, index: u32) -> Self {
        let mut key = self.key.clone();
        key.push(1);
        key.extend_from_slice(&index.to_be_bytes());
        Self::new(self.path.member(name), key)
    }

    fn new(path: ArtifactPath, key: Vec<u8>) -> Self {
        Self {
            path,
            key,
            working: AtomicUsize::new(1),
            decoder: Mutex::new("-"),
            failed: Mutex::new(None),
            sequence: AtomicU32::new(0),
            records: AtomicU64::new(0),
            mentions_only: AtomicBool::new(false),
            part_hits: Mutex::new(PartHits::default()),
            whole_hits: Mutex::new(Vec::new()),
            record_rules: Mutex::new(BTreeSet::new()),
            limits: Mutex::new(BTreeMap::new()),
        }
    }

    /// Says that hits in this artifact are quotes.
    pub fn mentions_only(&self) {
        self.mentions_only.store(true, Ordering::Relaxed);
    }

    /// Returns the key of the next problem or note of this artifact.
    pub fn next_key(&self) -> Vec<u8> {
        let mut key = self.key.clone();
        key.push(0);
        key.extend_from_slice(&self.sequence.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        key
    }

    /// Lists a problem, and counts the artifact as failed for the first of them.
    pub fn fail(&self, shared: &Shared<'_>, reason: Reason, detail: &str, bytes: Option<u64>) {
        shared.collector.problem(&self.next_key(), &Problem::new(&self.path, reason, detail, bytes));
        lock(&self.failed).get_or_insert(reason);
    }

    /// Tells whether the artifact is an evidence file or stands inside one.
    pub fn place(&self) -> Place {
        if self.key.len() == EVIDENCE_KEY_BYTES { Place::Evidence } else { Place::Inside }
    }

    /// Notes limits that cut a search short; they are told in one line each, once all of the artifact has been searched.
    fn note_limits(&self, met: Vec<LimitMet>) {
        let mut limits = lock(&self.limits);
        for LimitMet { what, record } in met {
            let (first, count) = limits.entry(what).or_insert((record, 0));
            *first = (*first).min(record);
            *count += 1;
        }
    }

    fn hold(&self) {
        self.working.fetch_add(1, Ordering::AcqRel);
    }

    /// Lets go of the artifact; the last to do so enters it into the ledger.
    pub fn release(&self, shared: &Shared<'_>) {
        if self.working.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let shown = std::mem::take(&mut *lock(&self.record_rules));
        let whole = std::mem::take(&mut *lock(&self.whole_hits));
        self.report(shared, std::mem::take(&mut *lock(&self.part_hits)).into_hits());
        self.report(
            shared,
            whole.into_iter().filter(|hit| !shown.contains(&(hit.indicator, hit.observable.value.clone()))),
        );
        for (what, (first, count)) in std::mem::take(&mut *lock(&self.limits)) {
            let place = match (first, count) {
                (None, _) => "in the artifact as a whole".to_owned(),
                (Some(first), 1) => format!("in record {first}"),
                (Some(first), count) => format!("in {count} records, first in record {first}"),
            };
            self.fail(shared, Reason::Limit, &format!("{what} ({place})"), None);
        }
        let outcome = lock(&self.failed).map_or(Outcome::Examined, Outcome::Failed);
        let decoder = *lock(&self.decoder);
        shared.collector.close(self.place(), decoder, outcome, self.records.load(Ordering::Relaxed));
    }

    fn report(&self, shared: &Shared<'_>, hits: impl Iterator<Item = Hit>) {
        for (sequence, mut hit) in hits.enumerate() {
            if self.mentions_only.load(Ordering::Relaxed) {
                hit.kind = SightingKind::Mention;
            }
            let mut key = self.key.clone();
            key.push(0);
            for part in [hit.record.unwrap_or(0), hit.offset.unwrap_or(0)] {
                key.extend_from_slice(&part.to_be_bytes());
            }
            key.extend_from_slice(&u64::try_from(hit.indicator).unwrap_or(u64::MAX).to_be_bytes());
            key.extend_from_slice(hit.observable.value.as_bytes());
            key.extend_from_slice(&sequence.to_be_bytes());
            let indicator = hit.indicator;
            if let Some(sighting) = grade(hit, shared.ruleset, &self.path) {
                shared.collector.sighting(key, indicator, &sighting);
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of an artifact, and what is known of them beforehand.
pub(super) struct Content<'c> {
    reader: &'c mut dyn Read,
    /// A second handle, where the artifact is an evidence file.
    pub file: Option<File>,
    /// The decoder, where the container leaves no choice.
    decoder: Option<&'static dyn Decoder>,
}

impl<'c> Content<'c> {
    /// Takes bytes of which nothing is known.
    pub fn of(reader: &'c mut dyn Read) -> Self {
        Self { reader, file: None, decoder: None }
    }
}

impl<'c> From<Child<'c>> for Content<'c> {
    fn from(child: Child<'c>) -> Self {
        Self { reader: child.content, file: None, decoder: child.decoder }
    }
}

/// Decodes and searches one artifact, members and all. Returns the error that ended the read of its bytes, if one did.
///
/// The caller releases `state`.
pub(super) fn run(
    worker: &Worker<'_>,
    state: &Arc<ArtifactState>,
    content: Content<'_>,
    budget: &Arc<Budget>,
    depth: u64,
) -> Option<io::Error> {
    let shared = worker.shared;
    let is_evidence = depth == 0;
    let kinds = digest_kinds(shared, is_evidence);
    let keep = if shared.ruleset.looks_at_whole() { WHOLE_BYTES } else { 0 };
    let progress = is_evidence.then(|| Arc::clone(&shared.watch.bytes_done));
    let mut tee = Tee::new(content.reader, Digester::new(&kinds), keep, progress);
    let decoded = {
        let mut input = match content.file {
            Some(file) => Input::of_file(&mut tee, file),
            None => Input::new(&mut tee),
        };
        let decoder = content.decoder.unwrap_or_else(|| decoder_for(&input.head()));
        *lock(&state.decoder) = decoder.name();
        let mut sink = ArtifactSink::new(worker, Arc::clone(state), Arc::clone(budget), depth);
        catch_unwind(AssertUnwindSafe(|| decoder.decode(&mut input, &mut sink)))
    };
    let is_cancelled = shared.is_cancelled();
    if !is_cancelled {
        tee.drain();
    }
    let learnt = tee.finish(!is_cancelled);
    match (decoded, &learnt.error) {
        (Err(panic), _) => {
            state.fail(shared, Reason::Panic, &format!("its decoder failed: {}", panic_text(panic.as_ref())), None)
        }
        (Ok(Err(DecodeError::Damaged { reason, detail })), _) => state.fail(shared, reason, &detail, None),
        (Ok(Err(DecodeError::Read(error))), None) => state.fail(shared, reason_of(&error), &error.to_string(), None),
        (Ok(_), _) => {}
    }
    if let Some(error) = &learnt.error {
        let reason = if is_evidence { Reason::Unreadable } else { reason_of(error) };
        state.fail(shared, reason, &format!("{error}; the {} bytes before it were searched", learnt.bytes), None);
    }
    if is_cancelled {
        state.fail(shared, Reason::Interrupted, "the scan was stopped while it was read", None);
    }
    if learnt.bytes > 0 || !is_cancelled && learnt.error.is_none() {
        shared.evaluated.artifacts.store(true, Ordering::Relaxed);
    }
    if let Some(digests) = &learnt.digests {
        if kinds.iter().any(|kind| shared.needed.contains(kind)) {
            shared.evaluated.digests.store(true, Ordering::Relaxed);
        }
        state.report(shared, shared.ruleset.digest_hits(digests).into_iter());
    }
    if is_evidence && let Some(index) = state.key.first_chunk::<EVIDENCE_KEY_BYTES>() {
        let sha256 = learnt.digests.as_ref().and_then(|d| d.0.iter().find(|(kind, _)| *kind == HashKind::Sha256));
        let line = EvidenceLine {
            path: state.path.as_str().to_owned(),
            bytes: learnt.bytes,
            sha256: sha256.map(|(_, digits)| digits.clone()),
        };
        shared.collector.evidence(usize::try_from(u32::from_be_bytes(*index)).unwrap_or(usize::MAX), line);
    }
    if let Some(whole) = &learnt.whole {
        search_whole(worker, state, whole, learnt.is_cut);
    }
    learnt.error.as_ref().map(copy_of)
}

fn digest_kinds(shared: &Shared<'_>, is_evidence: bool) -> Vec<HashKind> {
    match (is_evidence, shared.digest) {
        (true, Digest::Off) => Vec::new(),
        (true, Digest::Computed) if !shared.needed.contains(&HashKind::Sha256) => {
            shared.needed.iter().copied().chain([HashKind::Sha256]).collect()
        }
        _ => shared.needed.clone(),
    }
}

/// Tells what an error in reading a container's member means.
pub(super) fn reason_of(error: &io::Error) -> Reason {
    if exceeded(error).is_some() {
        Reason::Limit
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        Reason::Truncated
    } else {
        Reason::Corrupt
    }
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message").to_owned()
}

/// Hands a block to whichever worker is free, or searches it here.
pub(super) fn submit(worker: &Worker<'_>, state: &Arc<ArtifactState>, block: Box<dyn Block>) {
    state.records.fetch_add(block.records(), Ordering::Relaxed);
    state.hold();
    if let Some(job) = worker.shared.queue.offer(Job { state: Arc::clone(state), block }) {
        search(worker, &job);
    }
}

/// Searches a block and lets go of its artifact.
pub(super) fn search(worker: &Worker<'_>, job: &Job) {
    let Job { state, block } = job;
    match worker.with_matcher(|matcher| matcher.search(block.as_ref())) {
        Ok(searched) => {
            let hits = searched.hits;
            state.note_limits(searched.limits);
            let rules = hits.iter().filter(|hit| matches!(hit.observable.kind.as_str(), "yara" | "hex"));
            lock(&state.record_rules).extend(rules.map(|hit| (hit.indicator, hit.observable.value.clone())));
            let parts = searched.parts;
            let (of_parts, whole) =
                hits.into_iter().partition::<Vec<_>, _>(|hit| hit.record.is_some_and(|record| parts.contains(&record)));
            if !of_parts.is_empty() {
                let mut known = lock(&state.part_hits);
                of_parts.into_iter().for_each(|hit| known.add(hit));
            }
            state.report(worker.shared, whole.into_iter());
        }
        Err(error) => {
            let bytes = u64::try_from(block.bytes().len()).ok();
            let detail = format!(
                "searching the {} records from byte {} failed: {error}",
                block.records(),
                block.source_offset(0)
            );
            state.fail(worker.shared, Reason::Panic, &detail, bytes);
        }
    }
    state.release(worker.shared);
}

fn search_whole(worker: &Worker<'_>, state: &Arc<ArtifactState>, whole: &[u8], is_cut: bool) {
    let shared = worker.shared;
    match worker.with_matcher(|matcher| matcher.search_whole(whole)) {
        Ok(searched) => {
            state.note_limits(searched.limits);
            lock(&state.whole_hits).extend(searched.hits);
        }
        Err(error) => state.fail(
            shared,
            Reason::Panic,
            &format!("YARA rules and hex strings failed on the whole of it: {error}"),
            None,
        ),
    }
    if is_cut {
        let detail = format!(
            "YARA rules and hex strings looked at each record, and as a whole only at the first {WHOLE_BYTES} bytes"
        );
        state.fail(shared, Reason::Limit, &detail, None);
    }
}
