//! The account: the ledger, what became of each indicator, and the identity of the evidence.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

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
    match detail {
        CoverageDetail::All => write_each(coverage, page),
        CoverageDetail::Summary => write_sums(coverage, page),
    }
}

/// Writes every indicator.
fn write_each<'c>(coverage: &'c dyn CoverageList, page: &mut Page<'_>) -> io::Result<()> {
    let mut pack = None;
    let mut write = |line: Coverage<'c>| {
        if pack != Some(line.pack) {
            page.line(2, line.pack)?;
            pack = Some(line.pack);
        }
        for index in line.indexes.clone() {
            page.line(4, &format!("{} ({}): {}", coverage.id(index), line.kind, fate(&line)))?;
        }
        Ok(())
    };
    let mut written = Ok(());
    coverage.each(&mut |line| {
        if written.is_ok() {
            written = write(line);
        }
    });
    written
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

/// Writes the sums of every pack.
fn write_sums(coverage: &dyn CoverageList, page: &mut Page<'_>) -> io::Result<()> {
    let mut packs: Vec<PackSums<'_>> = Vec::new();
    coverage.each(&mut |line| match packs.last_mut().filter(|pack| pack.name == line.pack) {
        Some(pack) => pack.add(line),
        None => {
            let mut pack = PackSums { name: line.pack, ..PackSums::default() };
            pack.add(line);
            packs.push(pack);
        }
    });
    packs.into_iter().try_for_each(|pack| pack.write(coverage, page))
}

/// The indicators of a pack, summed up.
#[derive(Default)]
struct PackSums<'a> {
    name: &'a str,
    found: u64,
    not_found: NotFoundGroups<'a>,
    alike: BTreeMap<(&'a str, Cow<'a, str>), Alike>,
}

impl<'a> PackSums<'a> {
    fn add(&mut self, line: Coverage<'a>) {
        match line.status {
            CoverageStatus::Found => self.found += line.count(),
            CoverageStatus::NotFound => self.not_found.add(&line),
            CoverageStatus::NotEvaluable => {
                let why = line.why.unwrap_or(Cow::Borrowed(NO_REASON));
                self.alike.entry((line.kind, why)).or_default().add(line.indexes);
            }
        }
    }

    fn write(self, coverage: &dyn CoverageList, page: &mut Page<'_>) -> io::Result<()> {
        page.line(2, self.name)?;
        if self.found > 0 {
            page.line(4, &format!("{}: found", counted(self.found, "indicator")))?;
        }
        for group in self.not_found.finish() {
            let indicators = counted(group.indicators, &format!("{} indicator", group.kind));
            page.line(4, &format!("{indicators}: not found in {}", searched(group.kind, group.records)))?;
        }
        write_blind(coverage, self.alike, page)
    }
}

/// Indicators that could not be evaluated for the same reason: how many, and the first of them.
#[derive(Default)]
struct Alike {
    count: usize,
    first: Vec<usize>,
}

impl Alike {
    fn add(&mut self, indexes: Range<usize>) {
        self.count += indexes.len();
        self.first.extend(indexes.take(ALIKE - self.first.len()));
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
