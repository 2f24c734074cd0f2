//! The account: the ledger, what became of each indicator, and the identity of the evidence.

use std::collections::BTreeMap;
use std::io;

use super::page::{Page, counted, grouped};
use crate::problem::Tally;
use crate::report::not_found::not_found;
use crate::report::{Coverage, CoverageDetail, CoverageStatus, Report};

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
    let mut rest = report.coverage.as_slice();
    while let Some(first) = rest.first() {
        let length = rest.iter().take_while(|line| line.pack == first.pack).count();
        let (pack, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = others;
        page.line(2, &first.pack)?;
        match detail {
            CoverageDetail::All => {
                for line in pack {
                    page.line(4, &format!("{} ({}): {}", line.id, line.kind, fate(line)))?;
                }
            }
            CoverageDetail::Summary => write_pack(pack, page)?,
        }
    }
    Ok(())
}

fn fate(line: &Coverage) -> String {
    match line.status {
        CoverageStatus::Found => format!("found; looked for in {}", searched(&line.kind, line.records)),
        CoverageStatus::NotFound => format!("not found in {}", searched(&line.kind, line.records)),
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

fn why(line: &Coverage) -> &str {
    line.why.as_deref().unwrap_or("the evidence held nothing that it could have been found in")
}

fn write_pack(pack: &[Coverage], page: &mut Page<'_>) -> io::Result<()> {
    let found = pack.iter().filter(|line| line.status == CoverageStatus::Found).count() as u64;
    if found > 0 {
        page.line(4, &format!("{}: found", counted(found, "indicator")))?;
    }
    for group in not_found(pack) {
        let indicators = counted(group.indicators, &format!("{} indicator", group.kind));
        page.line(4, &format!("{indicators}: not found in {}", searched(group.kind, group.records)))?;
    }
    write_blind(pack, page)
}

fn write_blind(pack: &[Coverage], page: &mut Page<'_>) -> io::Result<()> {
    let blind = || pack.iter().filter(|line| line.status == CoverageStatus::NotEvaluable);
    let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in blind() {
        *alike.entry((line.kind.as_str(), why(line))).or_default() += 1;
    }
    for line in blind() {
        // A group too long to list is written where its first indicator stands, and then no more.
        match alike.get_mut(&(line.kind.as_str(), why(line))) {
            Some(0) => {}
            Some(count) if *count > ALIKE => {
                let indicators = counted(*count as u64, &format!("{} indicator", line.kind));
                page.line(4, &format!("{indicators}: could not be evaluated: {}", why(line)))?;
                page.line(6, "each by name: --coverage all")?;
                *count = 0;
            }
            _ => page.line(4, &format!("{}: could not be evaluated: {}", line.id, why(line)))?,
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
