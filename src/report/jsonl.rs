//! The machine format: one JSON object a line, written as it is met. Its contract is `docs/report-formats.md`.
//!
//! No line holds a clock, a duration, a thread count, a host's name or the program's path, so that the same evidence
//! and packs give the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::not_found::{NotFound, NotFoundGroups};
use super::{CoverageDetail, CoverageList, CoverageStatus, Renderer, Report, Style};
use crate::finding::{ObservableValue, Sighting, SightingKind, TimeZone};
use crate::pack::Severity;
use crate::problem::{Reason, Tally};
use crate::text::is_invisible;

/// JSON Lines, for machines.
pub(super) struct Jsonl;

impl Renderer for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn describes(&self) -> &'static str {
        "for machines: one JSON object a line, everything that is known"
    }

    fn render(&self, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
        for sighting in report.sightings.iter() {
            write_line(out, &SightingLine::new(&sighting?))?;
        }
        for problem in report.problems.iter() {
            let problem = problem?;
            write_line(
                out,
                &ProblemLine {
                    line: "problem",
                    artifact: &problem.artifact,
                    reason: problem.reason,
                    detail: &problem.detail,
                    bytes: problem.bytes,
                },
            )?;
        }
        write_notes(report, out)?;
        write_coverage(report.coverage.as_ref(), style.coverage, out)?;
        write_line(out, &SummaryLine::new(report))
    }
}

#[derive(Serialize)]
struct SightingLine<'a> {
    #[serde(rename = "type")]
    line: &'static str,
    advisory: Option<&'a str>,
    pack: &'a str,
    indicator: &'a str,
    name: &'a str,
    severity: Severity,
    confidence: u8,
    kind: SightingKind,
    observable: &'a ObservableValue,
    matched: &'a str,
    occurrences: u64,
    artifact: &'a str,
    record: Option<u64>,
    // A line that says where in the artifact, not the kind of this object.
    #[serde(rename = "line")]
    source_line: Option<u64>,
    offset: Option<u64>,
    field: Option<&'a str>,
    decode: &'a [String],
    time: Option<&'a str>,
    time_zone: TimeZone,
    fields: &'a BTreeMap<String, String>,
}

impl<'a> SightingLine<'a> {
    fn new(sighting: &'a Sighting) -> Self {
        Self {
            line: "sighting",
            advisory: sighting.advisory.as_deref(),
            pack: &sighting.pack,
            indicator: &sighting.indicator,
            name: &sighting.name,
            severity: sighting.severity,
            confidence: sighting.confidence,
            kind: sighting.kind,
            observable: &sighting.observable,
            matched: &sighting.matched,
            occurrences: sighting.occurrences,
            artifact: &sighting.artifact,
            record: sighting.record,
            source_line: sighting.line,
            offset: sighting.offset,
            field: sighting.field.as_deref(),
            decode: &sighting.decode,
            time: sighting.time.as_deref(),
            time_zone: sighting.time_zone,
            fields: &sighting.fields,
        }
    }
}

#[derive(Serialize)]
struct ProblemLine<'a> {
    #[serde(rename = "type")]
    line: &'static str,
    artifact: &'a str,
    reason: Reason,
    detail: &'a str,
    bytes: Option<u64>,
}

#[derive(Serialize)]
struct NoteLine<'a> {
    #[serde(rename = "type")]
    line: &'static str,
    code: &'a str,
    artifact: Option<&'a str>,
    detail: &'a str,
    bytes: Option<u64>,
    sha256: Option<&'a str>,
}

fn write_notes(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for evidence in &report.evidence {
        let detail = match evidence.sha256 {
            Some(_) => "identity of this evidence file: its size and SHA-256",
            None => "identity of this evidence file: its size; no digest was computed",
        };
        write_line(
            out,
            &NoteLine {
                line: "note",
                code: "evidence",
                artifact: Some(&evidence.path),
                detail,
                bytes: Some(evidence.bytes),
                sha256: evidence.sha256.as_deref(),
            },
        )?;
    }
    for note in &report.notes {
        write_line(
            out,
            &NoteLine {
                line: "note",
                code: &note.code,
                artifact: note.artifact.as_deref(),
                detail: &note.detail,
                bytes: None,
                sha256: None,
            },
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct IndicatorLine<'a> {
    #[serde(rename = "type")]
    line: &'static str,
    id: &'a str,
    status: &'static str,
    records: u64,
}

#[derive(Serialize)]
struct CoverageLine<'a> {
    #[serde(rename = "type")]
    line: &'static str,
    pack: &'a str,
    kind: &'a str,
    indicators: u64,
    status: &'static str,
    records: u64,
}

fn write_coverage(coverage: &dyn CoverageList, detail: CoverageDetail, out: &mut dyn Write) -> io::Result<()> {
    let mut groups = NotFoundGroups::default();
    for indicator in coverage.from(0) {
        if detail == CoverageDetail::All || indicator.status != CoverageStatus::NotFound {
            let (id, status, records) = (&coverage.id(indicator.index), indicator.status.as_str(), indicator.records);
            write_line(out, &IndicatorLine { line: "indicator", id, status, records })?;
        } else {
            groups.add(&indicator);
        }
    }
    for group in groups.finish() {
        let NotFound { pack, kind, indicators, records } = group;
        let status = CoverageStatus::NotFound.as_str();
        write_line(out, &CoverageLine { line: "coverage", pack, kind, indicators, status, records })?;
    }
    Ok(())
}

#[derive(Serialize)]
struct SummaryLine {
    #[serde(rename = "type")]
    line: &'static str,
    evidence: u64,
    artifacts: u64,
    records: u64,
    bytes: u64,
    ledger: Tally,
    sightings: u64,
    mentions: u64,
    findings: u64,
    complete: bool,
}

impl SummaryLine {
    fn new(report: &Report) -> Self {
        let summary = report.summary;
        Self {
            line: "summary",
            evidence: summary.evidence,
            artifacts: summary.artifacts,
            records: summary.records,
            bytes: summary.bytes,
            ledger: report.ledger.total,
            sightings: summary.sightings,
            mentions: summary.mentions,
            findings: summary.findings,
            complete: summary.complete,
        }
    }
}

fn write_line(out: &mut dyn Write, line: &impl Serialize) -> io::Result<()> {
    line.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Escaping))?;
    out.write_all(b"\n")
}

/// Writes what a terminal obeys, and what hides or turns text round, as `\u` escapes: the strings stay the same, and
/// looking at a report does no harm.
struct Escaping;

impl serde_json::ser::Formatter for Escaping {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Most text holds nothing to escape, and most of it is printable ASCII.
        let is_plain = fragment.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~'));
        if is_plain || !fragment.chars().any(is_escaped) {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            if is_escaped(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                write!(writer, "{c}")?;
            }
        }
        Ok(())
    }
}

fn is_escaped(c: char) -> bool {
    c.is_control() || is_invisible(c)
}
