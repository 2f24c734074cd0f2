//! The account: the ledger, what became of each indicator, and the identity of the evidence.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use super::page::{Page, counted, grouped};
use crate::problem::Tally;
use crate::report::not_found::NotFoundGroups;
use crate::report::{Coverage, CoverageDetail, CoverageList, CoverageStatus, Report};

/// Indicators alike that could not be evaluated and are still listed one by one.
const ALIKE: usize = 20;

/// Writes the ledger, in all and by decoder.
pub(super) fn write_ledger(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("LEDGER  every artifact met was examined, skipped or failed")?;
    page.line(2, &format!("{:<16}{:>14}{:>14}{:>14}{:>14}", "decoder", "met", "examined", "skipped", "failed"))?;
    for (decoder, tally) in &report.ledger.by_decoder {
        page.line(2, &row(if *decoder == "-" { "none" } else { decoder }, tally))?;
    }
    let total = report.ledger.total;
    page.line(2, &row("total", &total))?;
    if total.met != total.examined + total.skipped + total.failed {
        page.line(2, "THE LEDGER DOES NOT ADD UP: do not rely on this report")?;
    }
    let reasons: Vec<String> =
        report.ledger.by_reason.iter().map(|(reason, count)| format!("{reason} {}", grouped(*count))).collect();
    if !reasons.is_empty() {
        page.line(2, &format!("skipped or failed for: {}", reasons.join(", ")))?;
    }
    let summary = report.summary;
    let files = counted(summary.evidence, "evidence file");
    page.line(
        2,
        &format!("{files}, {} read, {} searched", counted(summary.bytes, "byte"), counted(summary.records, "record")),
    )
}

fn row(name: &str, tally: &Tally) -> String {
    let [met, examined, skipped, failed] = [tally.met, tally.examined, tally.skipped, tally.failed].map(grouped);
    format!("{name:<16}{met:>14}{examined:>14}{skipped:>14}{failed:>14}")
}

/// Writes what became of the indicators, pack by pack.
pub(super) fn write_coverage(report: &Report, detail: CoverageDetail, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("COVERAGE  what was looked for")?;
    let coverage = report.coverage.as_ref();
    let mut start = 0;
    while let Some(first) = coverage.get(start) {
        page.line(2, first.pack)?;
        let pack = coverage.from(start).take_while(|line| line.pack == first.pack);
        start += match detail {
            CoverageDetail::All => write_each(coverage, pack, page)?,
            CoverageDetail::Summary => write_pack(coverage, pack, page)?,
        };
    }
    Ok(())
}

/// Writes every indicator of a pack, and returns how many there are.
fn write_each<'a>(
    coverage: &dyn CoverageList,
    pack: impl Iterator<Item = Coverage<'a>>,
    page: &mut Page<'_>,
) -> io::Result<usize> {
    let mut count = 0;
    for line in pack {
        page.line(4, &format!("{} ({}): {}", coverage.id(line.index), line.kind, fate(&line)))?;
        count += 1;
    }
    Ok(count)
}

fn fate(line: &Coverage<'_>) -> String {
    match line.status {
        CoverageStatus::Found => format!("found; looked for in {}", searched(line.kind, line.records)),
        CoverageStatus::NotFound => format!("not found in {}", searched(line.kind, line.records)),
        CoverageStatus::NotEvaluable => format!("could not be evaluated: {}", why(line)),
    }
}

/// Says what an indicator was looked for in: a listed hash is also compared with digests of whole artifacts.
fn searched(kind: &str, records: u64) -> String {
    match kind {
        "hash" => format!("{} or artifacts", counted(records, "record")),
        _ => counted(records, "record"),
    }
}

/// Why an indicator could not be evaluated, where nothing more is known.
const NO_REASON: &str = "the evidence held nothing that it could have been found in";

fn why<'l>(line: &'l Coverage<'_>) -> &'l str {
    line.why.as_deref().unwrap_or(NO_REASON)
}

/// Sums up the indicators of a pack, and returns how many there are.
fn write_pack<'a>(
    coverage: &dyn CoverageList,
    pack: impl Iterator<Item = Coverage<'a>>,
    page: &mut Page<'_>,
) -> io::Result<usize> {
    let (mut count, mut found) = (0, 0_u64);
    let mut groups = NotFoundGroups::default();
    let mut alike: BTreeMap<(&str, Cow<'_, str>), Alike> = BTreeMap::new();
    for line in pack {
        count += 1;
        match line.status {
            CoverageStatus::Found => found += 1,
            CoverageStatus::NotFound => groups.add(&line),
            CoverageStatus::NotEvaluable => {
                let why = line.why.unwrap_or(Cow::Borrowed(NO_REASON));
                alike.entry((line.kind, why)).or_default().add(line.index);
            }
        }
    }
    if found > 0 {
        page.line(4, &format!("{}: found", counted(found, "indicator")))?;
    }
    for group in groups.finish() {
        let indicators = counted(group.indicators, &format!("{} indicator", group.kind));
        page.line(4, &format!("{indicators}: not found in {}", searched(group.kind, group.records)))?;
    }
    write_blind(coverage, alike, page)?;
    Ok(count)
}

/// Indicators that could not be evaluated for the same reason: how many, and the first of them.
#[derive(Default)]
struct Alike {
    count: usize,
    first: Vec<usize>,
}

impl Alike {
    fn add(&mut self, index: usize) {
        self.count += 1;
        if self.first.len() < ALIKE {
            self.first.push(index);
        }
    }
}

/// Writes what could not be evaluated in the order of the pack. A group too long to list is written where its first
/// indicator stands, and then no more.
fn write_blind(
    coverage: &dyn CoverageList,
    alike: BTreeMap<(&str, Cow<'_, str>), Alike>,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let mut lines = BTreeMap::new();
    for ((kind, why), Alike { count, first }) in &alike {
        let listed = if *count > ALIKE { first.get(..1) } else { Some(first.as_slice()) };
        lines.extend(listed.into_iter().flatten().map(|index| (*index, (*kind, why, *count))));
    }
    for (index, (kind, why, count)) in lines {
        if count > ALIKE {
            let indicators = counted(count as u64, &format!("{kind} indicator"));
            page.line(4, &format!("{indicators}: could not be evaluated: {why}"))?;
            page.line(6, "each by name: --coverage all")?;
        } else {
            page.line(4, &format!("{}: could not be evaluated: {why}", coverage.id(index)))?;
        }
    }
    Ok(())
}

/// Writes the size and digest of each evidence file, in the order of `sha256sum`.
pub(super) fn write_evidence(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("EVIDENCE  SHA-256, bytes, path")?;
    if report.evidence.is_empty() {
        page.line(2, "none")?;
    }
    for file in &report.evidence {
        let digest = file.sha256.as_deref().unwrap_or("no digest");
        page.line(2, &format!("{digest:<64}  {:>15}  {}", grouped(file.bytes), file.path))?;
    }
    Ok(())
}
