//! The report's first sentence: the answer, in plain words, and whether it may be relied on.

use super::found::{Found, Places};
use super::page::{Grade, counted, grouped};
use crate::problem::Reason;
use crate::report::{CoverageStatus, Report};

/// Origins of findings that are named before they are only counted.
const NAMED_ORIGINS: usize = 3;

/// The answer.
pub(super) struct Verdict {
    pub(super) grade: Grade,
    pub(super) first_word: &'static str,
    pub(super) rest: String,
}

/// Says what was found and whether all of it was looked at.
pub(super) fn verdict(report: &Report, found: &Found) -> Verdict {
    let seen = found.findings.iter().filter(|finding| finding.seen.count > 0).count() as u64;
    let quoted = found.findings.iter().filter(|finding| finding.quoted.count > 0).count() as u64;
    let gaps = gaps(report, seen + quoted > 0);
    let mut rest = String::new();
    let interrupted = report.summary.interrupted;
    let (grade, word) = if seen > 0 {
        rest.push_str(&format!(": {}.", whereabouts(found, seen, &found.seen, IndicatorsAre::Seen)));
        let only_quoted = found.findings.iter().filter(|finding| finding.worst().is_none()).count() as u64;
        if only_quoted > 0 {
            rest.push_str(&format!(" {} more only quoted.", are(only_quoted)));
        }
        (Grade::Found, "FOUND")
    } else if quoted > 0 {
        let quotes = whereabouts(found, quoted, &found.quoted, IndicatorsAre::Quoted);
        rest.push_str(&format!(": {quotes}; none was seen."));
        (Grade::Doubtful, "QUOTED ONLY")
    } else if gaps.is_some() || interrupted {
        (Grade::Doubtful, "Nothing found")
    } else {
        (Grade::Clean, "Nothing found")
    };
    let is_silent = seen + quoted == 0;
    match (gaps, is_silent) {
        (Some(gap), true) => rest.push_str(&format!(", but {gap}: this is NOT a clean result.")),
        (Some(gap), false) => rest.push_str(&format!(" {gap}: the scan is incomplete.")),
        (None, true) => rest.push_str(&format!(", and everything was examined{}.", left_out(report))),
        (None, false) => rest.push_str(&format!(" Everything was examined{}.", left_out(report))),
    }
    rest.push_str(&not_evaluable(report));
    if interrupted {
        return Verdict {
            grade,
            first_word: "INTERRUPTED",
            rest: format!(": the scan was stopped before it was done; this is what it had by then. {word}{rest}"),
        };
    }
    Verdict { grade, first_word: word, rest }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IndicatorsAre {
    Seen,
    Quoted,
}

/// Writes `7 indicators of AA23-193A and 1 of list in 12 records and 1 artifact`.
fn whereabouts(found: &Found, indicators: u64, places: &Places, state: IndicatorsAre) -> String {
    let mut origins: Vec<(&str, u64)> = Vec::new();
    for finding in &found.findings {
        let counts = match state {
            IndicatorsAre::Seen => finding.seen.count > 0,
            IndicatorsAre::Quoted => finding.quoted.count > 0,
        };
        if !counts {
            continue;
        }
        if let Some(origin) = origins.iter_mut().find(|origin| origin.0 == finding.origin()) {
            origin.1 += 1;
        } else if origins.len() <= NAMED_ORIGINS {
            origins.push((finding.origin(), 1));
        }
    }
    let what = match origins.as_slice() {
        [(name, _)] => format!("{} of {name}", counted(indicators, "indicator")),
        [(name, first), rest @ ..] if origins.len() <= NAMED_ORIGINS => {
            let mut what = format!("{} of {name}", counted(*first, "indicator"));
            for (place, (name, number)) in rest.iter().enumerate() {
                let joint = if place + 1 == rest.len() { " and" } else { "," };
                what.push_str(&format!("{joint} {} of {name}", grouped(*number)));
            }
            what
        }
        _ => format!("{} of more than {NAMED_ORIGINS} advisories", counted(indicators, "indicator")),
    };
    let mut parts = Vec::new();
    if places.records > 0 {
        parts.push(counted(places.records, "record"));
    }
    if places.artifacts > 0 {
        parts.push(counted(places.artifacts, "artifact"));
    }
    let place = parts.join(" and ");
    match state {
        IndicatorsAre::Seen => format!("{what} in {place}"),
        IndicatorsAre::Quoted => {
            let verb = if indicators == 1 { "is" } else { "are" };
            format!("{what} {verb} quoted in {place}")
        }
    }
}

/// Says what was not looked at, as the end of `Nothing found, but …` or as a sentence of its own.
fn gaps(report: &Report, found_anything: bool) -> Option<String> {
    let total = report.ledger.total;
    if report.packs.iter().all(|pack| pack.indicators == 0) {
        return Some(first_letter("no indicator was searched for", found_anything));
    }
    if total.examined == 0 && total.failed == 0 {
        return Some(first_letter("nothing was examined", found_anything));
    }
    let by_rule: u64 = report
        .ledger
        .by_reason
        .iter()
        .filter(|(reason, _)| reason.is_skip() && !is_left_out(**reason))
        .map(|(_, count)| count)
        .sum();
    let missed = total.failed + by_rule;
    if missed > 0 {
        let verb = if missed == 1 { "was" } else { "were" };
        return Some(format!("{} {verb} not fully examined", counted(missed, "artifact")));
    }
    (!report.summary.complete || report.summary.interrupted)
        .then(|| first_letter("not everything was examined", found_anything))
}

/// Tells whether a scan counts as complete although artifacts were left out for this reason.
fn is_left_out(reason: Reason) -> bool {
    matches!(reason, Reason::Symlink | Reason::Excluded)
}

fn left_out(report: &Report) -> String {
    let by_reason = report.ledger.by_reason.iter().filter(|(reason, _)| is_left_out(**reason));
    let words: Vec<String> =
        by_reason.map(|(reason, count)| format!("{} left out: {reason}", counted(*count, "artifact"))).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn not_evaluable(report: &Report) -> String {
    let blind = report.coverage.iter().filter(|line| line.status == CoverageStatus::NotEvaluable).count() as u64;
    match blind {
        0 => String::new(),
        _ => format!(" {} could not be evaluated.", counted(blind, "indicator")),
    }
}

fn are(number: u64) -> String {
    format!("{} {}", grouped(number), if number == 1 { "is" } else { "are" })
}

fn first_letter(sentence: &str, begins_a_sentence: bool) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) if begins_a_sentence => first.to_uppercase().chain(letters).collect(),
        _ => sentence.to_owned(),
    }
}
