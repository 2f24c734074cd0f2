//! Artifacts that quote indicators rather than show them, told only by what their own format says they are.
//!
//! A CSV, a plain text or a mail is never one, whatever it holds: an intruder's note looks the same.

use memchr::memmem;

use super::Head;
use super::text_encoding::TextHead;
use crate::record::{JsonError, Layer, flatten_json};

/// The first line of this program's text report.
const REPORT_TITLE: &[u8] = b"Stormglass report";

/// What its second line begins with: the answer.
const REPORT_ANSWERS: [&[u8]; 5] = [
    b"FOUND: ",
    b"QUOTED ONLY: ",
    b"Nothing found, but ",
    b"Nothing found, and everything was examined",
    b"INTERRUPTED: the scan was stopped before it was done",
];

/// The members of each line of this program's report for machines, in their order.
const REPORT_LINES: [(&[u8], &[&[u8]]); 6] = [
    (b"sighting", &[b"advisory", b"pack", b"indicator", b"name", b"severity", b"confidence", b"kind", b"observable"]),
    (b"problem", &[b"artifact", b"reason", b"detail", b"bytes"]),
    (b"note", &[b"code", b"artifact", b"detail", b"bytes", b"sha256"]),
    (b"indicator", &[b"id", b"status", b"records"]),
    (b"coverage", &[b"pack", b"kind", b"indicators", b"status"]),
    (b"summary", &[b"evidence", b"artifacts", b"records", b"bytes"]),
];

/// Tells whether the artifact is a pack, a STIX bundle, an OpenIOC file, a MISP event or a report of this program.
pub fn is_indicator_list(head: &Head<'_>) -> bool {
    let Some(head) = TextHead::of(head) else { return false };
    let text = head.text.trim_ascii_start();
    match text.first() {
        Some(b'{') => (is_stix(text) || is_misp(text)) && is_one_value(&head, text) || is_report_line(text),
        Some(b'[') => is_misp(text.get(1..).unwrap_or_default().trim_ascii_start()) && is_one_value(&head, text),
        Some(b'<') => is_open_ioc(text),
        _ => is_report(text) || is_pack(&head),
    }
}

/// Tells whether a text is one JSON value. In JSON Lines a first line proves nothing of those behind it.
fn is_one_value(head: &TextHead<'_>, text: &[u8]) -> bool {
    match flatten_json(&Layer::record(text), "", &mut Vec::new()) {
        Ok(()) => head.is_whole || !text.ends_with(b"\n"),
        Err(JsonError::Ends { .. }) => true,
        Err(JsonError::Unexpected { .. } | JsonError::TooLarge) => false,
    }
}

/// Source: this program's text report.
fn is_report(text: &[u8]) -> bool {
    let mut lines = text.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.next() == Some(REPORT_TITLE)
        && lines.next().is_some_and(|line| REPORT_ANSWERS.iter().any(|answer| line.starts_with(answer)))
}

/// A pack says `format: stormglass/1` at the margin, above all but comments and document markers, and `indicators:`.
fn is_pack(head: &TextHead<'_>) -> bool {
    let mut lines = head.text.split(|&b| b == b'\n').filter(|line| {
        let line = line.trim_ascii();
        !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"---") && !line.starts_with(b"%YAML")
    });
    let Some(value) = lines.next().and_then(|line| line.strip_prefix(b"format:")) else { return false };
    let value = value.split(|&b| b == b'#').next().unwrap_or_default().trim_ascii();
    matches!(value, b"stormglass/1" | b"\"stormglass/1\"" | b"'stormglass/1'")
        && lines.any(|line| {
            line.strip_prefix(b"indicators:").is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
        })
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

/// Source: this program's report format: the first line has the members of one of its kinds, in their order.
fn is_report_line(text: &[u8]) -> bool {
    let line = text.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii_end();
    REPORT_LINES.iter().any(|(kind, keys)| {
        let start = [b"{\"type\":\"".as_slice(), kind, b"\""].concat();
        line.strip_prefix(start.as_slice()).is_some_and(|rest| has_members(rest, keys))
    }) && flatten_json(&Layer::record(line), "", &mut Vec::new()).is_ok()
}

/// Tells whether what follows in an object are the members `keys`, which hold no object but the last.
fn has_members(mut rest: &[u8], keys: &[&[u8]]) -> bool {
    keys.iter().all(|key| {
        let name = [b",\"".as_slice(), key, b"\":"].concat();
        let Some(value) = rest.strip_prefix(name.as_slice()) else { return false };
        rest = behind_scalar(value);
        true
    })
}

/// Returns what stands behind a string, a number or a word.
fn behind_scalar(value: &[u8]) -> &[u8] {
    let (mut in_string, mut is_escaped) = (false, false);
    let end = value.iter().position(|&byte| {
        let is_end = !in_string && matches!(byte, b',' | b'}');
        in_string ^= byte == b'"' && !is_escaped;
        is_escaped = in_string && byte == b'\\' && !is_escaped;
        is_end
    });
    value.get(end.unwrap_or(value.len())..).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_list(text: &str) -> bool {
        is_indicator_list(&Head { bytes: text.as_bytes(), is_whole: true })
    }

    #[test]
    fn formats_that_say_what_they_are_hold_mentions() {
        assert!(is_list("# a pack\n---\nformat: stormglass/1\nadvisory:\n  id: X\nindicators:\n- id: Y\n"));
        assert!(is_list(r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","pattern":"[a]"}]}"#));
        assert!(is_list(r#"{"id":"bundle--1","type": "bundle","objects":[{"pattern":"[a]"}]}"#));
        assert!(is_list(r#"{"Event":{"info":"x","Attribute":[{"type":"ip-dst","value":"192.0.2.1"}]}}"#));
        assert!(is_list("<?xml version=\"1.0\"?>\n<!-- x -->\n<ioc xmlns=\"a\"><definition/></ioc>"));
        assert!(is_list("Stormglass report\nFOUND: 1 indicator of X in 1 record.\n"));
        assert!(is_list("Stormglass report\r\nNothing found, but 1 artifact was not examined: x\r\n"));
        assert!(is_list(SIGHTING));
        assert!(is_list(&format!("{SIGHTING}\n{SIGHTING}\n")));
        assert!(is_list(r#"{"type":"problem","artifact":"a \" , {b","reason":"corrupt","detail":"x","bytes":null}"#));
        assert!(is_list("[\n{\"Event\":{\"Attribute\":[{\"value\":\"192.0.2.1\"}]}}\n]\n"));
    }

    const SIGHTING: &str = r#"{"type":"sighting","advisory":null,"pack":"p","indicator":"i","name":"n","severity":"high","confidence":1,"kind":"seen","observable":{"type":"ip","value":"192.0.2.1"},"matched":"192.0.2.1"}"#;

    #[test]
    fn a_first_line_says_nothing_of_the_lines_behind_it() {
        for first in [
            r#"{"type":"bundle","objects":[{"pattern":"[a]"}]}"#,
            r#"{"Event":{"Attribute":[{"value":"192.0.2.1"}]}}"#,
            r#"[{"Event":{"Attribute":[{"value":"192.0.2.1"}]}}]"#,
        ] {
            assert!(is_list(first));
            assert!(is_list(&format!("{first}\n\n")));
            assert!(!is_list(&format!("{first}\n{{\"ClientIP\":\"192.0.2.1\"}}\n")));
            assert!(!is_list(&format!("{first}\n192.0.2.1 GET /\n")));
            let cut = format!("{first}\n");
            assert!(!is_indicator_list(&Head { bytes: cut.as_bytes(), is_whole: false }));
            let cut = &first[..first.len() - 1];
            assert!(is_indicator_list(&Head { bytes: cut.as_bytes(), is_whole: false }));
        }
    }

    #[test]
    fn the_answers_of_the_report_are_those_that_it_writes() {
        let source = include_str!("../report/text/verdict.rs");
        for words in ["\"FOUND\"", "\"QUOTED ONLY\"", "\"Nothing found\"", "\"INTERRUPTED\"", "\", and everything was"]
        {
            assert!(source.contains(words), "{words}");
        }
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
        assert!(!is_list("My Stormglass report\nFOUND: 1"));
        assert!(!is_list("Stormglass report\n192.0.2.1 GET /\n"));
        assert!(!is_list("Stormglass reports\nFOUND: 1 indicator\n"));
        assert!(!is_list("format: stormglass/1\nJun  7 host sshd: from 192.0.2.1\n"));
        assert!(!is_list("format: stormglass/1\nx:\n  indicators: []\n"));
        assert!(!is_list(
            r#"{"type":"sighting","pack":"p","advisory":null,"indicator":"i","observable":{"value":"192.0.2.1"}}"#
        ));
        assert!(!is_list(r#"{"type":"problem","artifact":"a","reason":"r","note":1,"detail":"192.0.2.1","bytes":1}"#));
        assert!(!is_list(r#"{"type":"indicator","name":"led"}"#));
    }
}
