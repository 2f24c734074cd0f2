//! Findings by severity, each with its worst sightings; and what is only quoted, apart from them.

use std::io;

use super::found::{Finding, Found, Kept};
use super::page::{Page, WIDTH, counted, grouped};
use crate::finding::{Sighting, TimeZone};
use crate::pack::Severity;
use crate::text::cut_around;

/// Bytes of the record that are shown around what matched.
const EXCERPT_BYTES: usize = WIDTH - 16;
/// Bytes of a value or field that are shown.
const VALUE_BYTES: usize = 80;

/// Fields that say who a record is about, the likeliest owner of a mailbox first.
const WHO: &[&str] = &[
    "MailboxOwnerUPN",
    "UserId",
    "UserPrincipalName",
    "user.email",
    "user.name",
    "cs-username",
    "AuthenticatedUser",
    "Username",
    "User",
    "From",
    "SenderAddress",
];

/// Writes everything that was found.
pub(super) fn write(found: &Found, page: &mut Page<'_>) -> io::Result<()> {
    for severity in Severity::ALL.into_iter().rev() {
        let mut findings = found.findings.iter().filter(|finding| finding.worst() == Some(severity)).peekable();
        if findings.peek().is_none() {
            continue;
        }
        let number = found.findings.iter().filter(|finding| finding.worst() == Some(severity)).count() as u64;
        page.severity_heading(severity, &counted(number, "finding"))?;
        for finding in findings {
            write_finding(finding, page)?;
        }
    }
    write_quotes(found, page)
}

fn write_finding(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    page.gap()?;
    write_title(finding, page)?;
    let mut counts = counts(&finding.seen, "sighting");
    if finding.quoted.count > 0 {
        counts.push_str(&format!("; {} further down", counted(finding.quoted.count, "mention")));
    }
    page.line(4, &counts)?;
    write_sightings(&finding.seen, page)
}

fn write_title(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    page.line(2, &format!("{}: {}", finding.indicator, finding.name))?;
    let advisory = finding.advisory.as_deref().unwrap_or("no advisory");
    page.line(4, &format!("{advisory}, pack {}, confidence {}", finding.pack, finding.confidence))
}

/// Writes `3 sightings (1 high, 2 low)`.
fn counts(kept: &Kept, noun: &str) -> String {
    let grades: Vec<String> =
        kept.by_severity.iter().rev().map(|(severity, count)| format!("{} {severity}", grouped(*count))).collect();
    format!("{} ({})", counted(kept.count, noun), grades.join(", "))
}

fn write_quotes(found: &Found, page: &mut Page<'_>) -> io::Result<()> {
    let mut findings = found.findings.iter().filter(|finding| finding.quoted.count > 0).peekable();
    if findings.peek().is_none() {
        return Ok(());
    }
    page.heading("QUOTED, NOT SEEN  defanged, or inside a list of indicators: someone wrote about it")?;
    for finding in findings {
        page.gap()?;
        write_title(finding, page)?;
        page.line(4, &counted(finding.quoted.count, "mention"))?;
        write_sightings(&finding.quoted, page)?;
    }
    Ok(())
}

fn write_sightings(kept: &Kept, page: &mut Page<'_>) -> io::Result<()> {
    for sighting in &kept.shown {
        write_sighting(sighting, page)?;
    }
    match kept.left_out() {
        0 => Ok(()),
        more => page.line(4, &format!("… and {} more (all of them: --format jsonl)", grouped(more))),
    }
}

fn write_sighting(sighting: &Sighting, page: &mut Page<'_>) -> io::Result<()> {
    let mut head = vec![when(sighting)];
    head.extend(who(sighting).map(shorten));
    let (matched, said) = in_parts(sighting);
    head.push(shorten(matched));
    page.severity(4, sighting.severity, &head.join("  "))?;
    if let Some(listed) = listed(sighting) {
        page.line(8, &format!("listed as {} {}", sighting.observable.kind, shorten(listed)))?;
    }
    page.packed(8, &said)?;
    page.line(8, &format!("in {}", sighting.artifact))?;
    page.packed(8, &whereabouts(sighting))?;
    page.packed(8, &context(sighting))?;
    if !sighting.excerpt.is_empty() {
        page.line(8, &format!("| {}", excerpt(sighting)))?;
    }
    Ok(())
}

fn when(sighting: &Sighting) -> String {
    match (&sighting.time, sighting.time_zone) {
        (None, _) => "time unknown".to_owned(),
        (Some(time), TimeZone::Known) => time.clone(),
        (Some(time), TimeZone::Unknown) => format!("{} (zone unknown)", time.replacen('T', " ", 1)),
    }
}

fn who(sighting: &Sighting) -> Option<&str> {
    WHO.iter().find_map(|wanted| {
        let is_wanted = |name: &str| {
            let last = name.rsplit('.').next().unwrap_or(name);
            name.eq_ignore_ascii_case(wanted) || last.eq_ignore_ascii_case(wanted)
        };
        let mut fields = sighting.fields.iter();
        fields.find(|(name, value)| is_wanted(name) && !value.is_empty()).map(|(_, value)| value.as_str())
    })
}

/// The fields that a reader acts on, of those that the machine format carries.
const CONTEXT: &[&str] = &[
    "Operation",
    "operationName",
    "MailboxOwnerUPN",
    "AppId",
    "ClientAppId",
    "SessionId",
    "InternetMessageId",
    "Message-ID",
    "Subject",
    "From",
    "To",
    "Id",
    "correlationId",
    "cs-method",
    "cs-uri-stem",
];

/// Returns the fields worth reading beside the value, without those that repeat what stands above them.
fn context(sighting: &Sighting) -> Vec<String> {
    let user = who(sighting);
    let is_news = |value: &str| Some(value) != user && value != sighting.matched;
    let find = |wanted: &&str| {
        let field = sighting.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        field.filter(|(_, value)| is_news(value)).map(|(name, value)| format!("{name}={}", shorten(value)))
    };
    CONTEXT.iter().filter_map(find).collect()
}

/// Returns what matched for the head of a sighting, and what else it tells: a token is told by many claims.
fn in_parts(sighting: &Sighting) -> (&str, Vec<String>) {
    match sighting.matched.split_once(' ') {
        Some((first, rest)) if sighting.observable.kind == "token" => (first, rest.split(' ').map(shorten).collect()),
        _ => (&sighting.matched, Vec::new()),
    }
}

/// Returns what the indicator lists where that says more than what stood in the evidence.
fn listed(sighting: &Sighting) -> Option<&str> {
    let value = sighting.observable.value.as_str();
    (value != sighting.matched && value != sighting.indicator).then_some(value)
}

/// Says where in the artifact; numbers are written plainly, to be copied into other tools.
fn whereabouts(sighting: &Sighting) -> Vec<String> {
    let mut parts = Vec::new();
    match sighting.record {
        Some(record) => parts.push(format!("record {record}")),
        None => parts.push("the artifact as a whole".to_owned()),
    }
    parts.extend(sighting.line.map(|line| format!("line {line}")));
    parts.extend(sighting.offset.map(|offset| format!("byte {offset}")));
    parts.extend(sighting.field.as_ref().map(|field| format!("field {}", shorten(field))));
    if !sighting.decode.is_empty() {
        parts.push(format!("via {}", sighting.decode.join(" → ")));
    }
    match sighting.window.as_deref() {
        Some("inside") => parts.push("inside the advisory's window".to_owned()),
        Some("outside") => parts.push("OUTSIDE the advisory's window".to_owned()),
        Some("time unknown") => parts.push("the advisory's window cannot be judged".to_owned()),
        Some(other) => parts.push(format!("the advisory's window: {other}")),
        None => {}
    }
    if sighting.occurrences > 1 {
        parts.push(format!("{} times in the record", grouped(sighting.occurrences)));
    }
    parts
}

fn excerpt(sighting: &Sighting) -> String {
    let at = sighting.excerpt.find(&sighting.matched).unwrap_or_default();
    cut_around(&sighting.excerpt, at, EXCERPT_BYTES)
}

fn shorten(text: &str) -> String {
    cut_around(text, 0, VALUE_BYTES)
}
