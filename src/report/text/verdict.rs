//! The report's first sentence: the answer, in plain words, and whether it may be relied on.

use super::found::{Found, Places};
use super::page::{Grade, counted, grouped};
use super::problems::is_left_out;
use crate::report::{CoverageStatus, Report};

/// Origins of findings that are named before they are only counted.
const NAMED_ORIGINS: usize = 3;

/// The answer.
pub(super) struct Verdict {
    pub(super) grade: Grade,
    pub(super) first_word: &'static str,
    /// What follows the first word, sentence by sentence.
    pub(super) sentences: Vec<String>,
}

/// Says what was found and whether all of it was looked at.
pub(super) fn verdict(report: &Report, found: &Found) -> Verdict {
    let seen = found.findings.iter().filter(|finding| finding.seen.count > 0).count() as u64;
    let quoted = found.findings.iter().filter(|finding| finding.quoted.count > 0).count() as u64;
    let only_quoted = found.findings.iter().filter(|finding| finding.worst().is_none()).count() as u64;
    let is_silent = seen + quoted == 0;
    let gap = gap(report, if is_silent { Place::Within } else { Place::Start });
    let (grade, word) = match (seen, quoted, &gap) {
        (1.., _, _) => (Grade::Found, "FOUND"),
        (0, 1.., _) => (Grade::Doubtful, "QUOTED ONLY"),
        (0, 0, Some(_)) => (Grade::Doubtful, "Nothing found"),
        (0, 0, None) => (Grade::Clean, "Nothing found"),
    };
    let mut sentences = vec![match (seen, quoted, &gap) {
        (1.., _, _) => format!(": {}.", whereabouts(found, seen, &found.seen, IndicatorsAre::Seen)),
        (0, 1.., _) => {
            format!(": {}; none was seen.", whereabouts(found, quoted, &found.quoted, IndicatorsAre::Quoted))
        }
        (0, 0, Some(gap)) => format!(", but {gap}: this is NOT a clean result."),
        (0, 0, None) => format!(", and everything was examined{}.", left_out(report)),
    }];
    if seen > 0 && only_quoted > 0 {
        sentences.push(format!("{} more {} only quoted.", grouped(only_quoted), be(only_quoted)));
    }
    match gap {
        _ if is_silent => {}
        Some(gap) => sentences.push(format!("{gap}: the scan is incomplete.")),
        None => sentences.push(format!("Everything was examined{}.", left_out(report))),
    }
    sentences.extend(not_evaluable(report));
    if !report.summary.interrupted {
        return Verdict { grade, first_word: word, sentences };
    }
    if let Some(first) = sentences.first_mut() {
        first.insert_str(0, word);
    }
    sentences.insert(0, ": the scan was stopped before it was done; this is what it had by then.".to_owned());
    Verdict { grade, first_word: "INTERRUPTED", sentences }
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
            format!("{what} {} quoted in {place}", be(indicators))
        }
    }
}

/// Where in a sentence words stand.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Within,
}

/// Says what was not looked at; none where all was.
fn gap(report: &Report, place: Place) -> Option<String> {
    let total = report.ledger.total;
    if report.packs.iter().all(|pack| pack.indicators == 0) {
        return Some(placed("no indicator was searched for", place));
    }
    if total.examined == 0 && total.failed == 0 {
        return Some(placed("nothing was examined", place));
    }
    let skipped = report.ledger.by_reason.iter().filter(|(reason, _)| reason.is_skip() && !is_left_out(**reason));
    let missed = total.failed + skipped.map(|(_, count)| count).sum::<u64>();
    if missed > 0 {
        let verb = if missed == 1 { "was" } else { "were" };
        return Some(format!("{} {verb} not fully examined", counted(missed, "artifact")));
    }
    let is_whole = report.summary.complete && !report.summary.interrupted;
    (!is_whole).then(|| placed("not everything was examined", place))
}

fn left_out(report: &Report) -> String {
    let by_reason = report.ledger.by_reason.iter().filter(|(reason, _)| is_left_out(**reason));
    let words: Vec<String> =
        by_reason.map(|(reason, count)| format!("{} left out: {reason}", counted(*count, "artifact"))).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn not_evaluable(report: &Report) -> Option<String> {
    let mut blind = 0;
    report
        .coverage
        .each(&mut |line| blind += if line.status == CoverageStatus::NotEvaluable { line.count() } else { 0 });
    (blind > 0).then(|| format!("{} could not be evaluated.", counted(blind, "indicator")))
}

fn be(number: u64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn placed(words: &str, place: Place) -> String {
    let mut letters = words.chars();
    match (place, letters.next()) {
        (Place::Start, Some(first)) => first.to_uppercase().chain(letters).collect(),
        _ => words.to_owned(),
    }
}
