//! Artifacts that quote indicators rather than show them, told only by what their own format says they are.
//!
//! A CSV, a plain text or a mail is never one, whatever it holds: an intruder's note looks the same.

use memchr::memmem;

use super::Head;
use super::text_encoding::TextHead;

/// The first words of this program's text report.
const REPORT_TITLE: &[u8] = b"Stormglass report";

/// Tells whether the artifact is a pack, a STIX bundle, an OpenIOC file, a MISP event or a report of this program.
pub fn is_indicator_list(head: &Head<'_>) -> bool {
    let Some(head) = TextHead::of(head) else { return false };
    let text = head.text.trim_ascii_start();
    match text.first() {
        Some(b'{') => is_stix(text) || is_misp(text) || is_report_line(text),
        Some(b'[') => is_misp(text.get(1..).unwrap_or_default().trim_ascii_start()),
        Some(b'<') => is_open_ioc(text),
        _ => text.starts_with(REPORT_TITLE) || is_pack(&head),
    }
}

/// A pack says `format: stormglass/1` at the margin, above all but comments and document markers.
fn is_pack(head: &TextHead<'_>) -> bool {
    let mut lines = head.text.split(|&b| b == b'\n').filter(|line| {
        let line = line.trim_ascii();
        !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"---") && !line.starts_with(b"%YAML")
    });
    let Some(value) = lines.next().and_then(|line| line.strip_prefix(b"format:")) else { return false };
    let value = value.split(|&b| b == b'#').next().unwrap_or_default().trim_ascii();
    matches!(value, b"stormglass/1" | b"\"stormglass/1\"" | b"'stormglass/1'")
}

/// Source: STIX 2.1, sections 4.7 and 8: a bundle holds objects; an indicator has a pattern.
fn is_stix(text: &[u8]) -> bool {
    first_member(text, b"type", b"\"bundle\"") && memmem::find(text, b"\"pattern\"").is_some()
}

/// Source: MISP core format, section 2.2.
fn is_misp(text: &[u8]) -> bool {
    text.strip_prefix(b"{")
        .and_then(|rest| rest.trim_ascii_start().strip_prefix(b"\"Event\""))
        .and_then(|rest| rest.trim_ascii_start().strip_prefix(b":"))
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
        && (memmem::find(text, b"\"Attribute\"").is_some() || memmem::find(text, b"\"EventReport\"").is_some())
}

/// Source: this program's report format; every line of it says its type first.
fn is_report_line(text: &[u8]) -> bool {
    let line = text.split(|&b| b == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| memmem::find(line, key).is_some();
    [b"\"sighting\"".as_slice(), b"\"problem\"", b"\"note\"", b"\"indicator\"", b"\"coverage\"", b"\"summary\""]
        .iter()
        .any(|kind| leads_with(line, b"type", kind))
        && ((has(b"\"advisory\"") && has(b"\"indicator\"") && has(b"\"observable\""))
            || (has(b"\"artifact\"") && has(b"\"reason\"") && has(b"\"detail\""))
            || (has(b"\"ledger\"") && has(b"\"sightings\"")))
}

/// Source: OpenIOC 1.0 (`ioc`) and 1.1 (`OpenIOC`).
fn is_open_ioc(text: &[u8]) -> bool {
    let mut rest = text;
    // The root element comes behind the declaration and comments.
    loop {
        rest = rest.trim_ascii_start();
        let end: &[u8] = match rest {
            _ if rest.starts_with(b"<?") => b"?>",
            _ if rest.starts_with(b"<!--") => b"-->",
            _ => break,
        };
        let Some(at) = memmem::find(rest, end) else { return false };
        rest = rest.get(at + end.len()..).unwrap_or_default();
    }
    [b"<ioc".as_slice(), b"<OpenIOC"].iter().any(|root| {
        rest.strip_prefix(*root).is_some_and(|b| matches!(b.first(), Some(b' ' | b'>' | b'\r' | b'\n' | b'\t')))
    })
}

/// Tells whether an object has `key` with `value` among its members that come before any container.
fn first_member(text: &[u8], key: &[u8], value: &[u8]) -> bool {
    let scalars = text.get(1..).unwrap_or_default();
    let end = scalars.iter().position(|b| matches!(b, b'{' | b'[')).unwrap_or(scalars.len());
    let needle = [b"\"".as_slice(), key, b"\""].concat();
    let head = scalars.get(..end).unwrap_or_default();
    memmem::find_iter(head, &needle).any(|at| {
        let rest = head.get(at + needle.len()..).unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|rest| rest.trim_ascii_start().starts_with(value))
    })
}

/// Tells whether an object begins with this member.
fn leads_with(text: &[u8], key: &[u8], value: &[u8]) -> bool {
    text.strip_prefix(b"{")
        .and_then(|rest| rest.trim_ascii_start().strip_prefix(b"\""))
        .and_then(|rest| rest.strip_prefix(key))
        .and_then(|rest| rest.strip_prefix(b"\""))
        .and_then(|rest| rest.trim_ascii_start().strip_prefix(b":"))
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_list(text: &str) -> bool {
        is_indicator_list(&Head { bytes: text.as_bytes(), is_whole: true })
    }

    #[test]
    fn formats_that_say_what_they_are_hold_mentions() {
        assert!(is_list("# a pack\n---\nformat: stormglass/1\nadvisory:\n  id: X\n"));
        assert!(is_list(r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","pattern":"[a]"}]}"#));
        assert!(is_list(r#"{"id":"bundle--1","type": "bundle","objects":[{"pattern":"[a]"}]}"#));
        assert!(is_list(r#"{"Event":{"info":"x","Attribute":[{"type":"ip-dst","value":"192.0.2.1"}]}}"#));
        assert!(is_list("<?xml version=\"1.0\"?>\n<!-- x -->\n<ioc xmlns=\"a\"><definition/></ioc>"));
        assert!(is_list("Stormglass report\n\n1 finding\n"));
        assert!(is_list(
            r#"{"type":"sighting","advisory":null,"pack":"p","indicator":"i","observable":{"type":"ip","value":"192.0.2.1"}}"#
        ));
    }

    #[test]
    fn what_only_looks_similar_does_not() {
        assert!(!is_list("notes:\n  format: stormglass/1\n"));
        assert!(!is_list("From: a@b.example\n\nformat: stormglass/1\n"));
        assert!(!is_list("type,value\nip,192.0.2.1\n"));
        assert!(!is_list(r#"{"Operation":"Send","Item":{"type":"bundle","pattern":"x"}}"#));
        assert!(!is_list(r#"{"type":"bundle","objects":[{"type":"malware"}]}"#));
        assert!(!is_list(r#"{"Event":{"System":{"EventID":4624}}}"#));
        assert!(!is_list("<iocs><a/></iocs>"));
        assert!(!is_list("My Stormglass report\n"));
        assert!(!is_list(r#"{"type":"indicator","name":"led"}"#));
    }
}
