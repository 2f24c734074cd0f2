//! The parts of a message: a walk that gives every byte of it a place, whatever is wrong with its boundaries.
//! Source: RFC 2046.
//!
//! `mail-parser` decodes headers and words, but its own walk is not used: it nests messages by recursion, so a message
//! of some megabytes could exhaust the stack, and it drops text that stands outside parts.

use std::ops::Range;

use mail_parser::parsers::MessageStream;

use super::header_field::{HeaderField, fields, line};
use super::transfer::Transfer;

/// Multiparts inside multiparts that are taken apart; mail programs nest five deep at most.
const NESTED_MULTIPARTS: usize = 50;
/// Headers and parts of one message that are taken apart. Some hundred are many.
pub(super) const PIECES: usize = 200_000;

/// A stretch of a message. Together the pieces are the whole message but for boundaries and empty lines.
#[derive(Debug)]
pub(super) enum Piece {
    /// Headers, and a body that is not a multipart's.
    Part(Part),
    /// Text between parts: before the first, after the last, or beyond what is taken apart.
    Between(&'static str, Range<usize>),
}

/// One part: its headers, and its body where it holds no further parts.
#[derive(Debug)]
pub(super) struct Part {
    pub fields: Vec<HeaderField>,
    pub body: Option<Range<usize>>,
    /// The type, lower case, as `text/plain`.
    pub media_type: String,
    pub charset: Option<String>,
    pub file_name: Option<String>,
    pub is_attachment: bool,
    pub transfer: Transfer,
}

/// The parts of a message.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub pieces: Vec<Piece>,
    /// Set when the message ends inside a multipart.
    pub is_open: bool,
    /// From where on the message was not taken apart, as it holds more than [`PIECES`].
    pub cut_at: Option<usize>,
}

/// One multipart that is open.
struct Open {
    boundary: Vec<u8>,
    is_digest: bool,
}

/// Where a boundary line stands.
struct Delimiter {
    /// The end of what stands before it.
    end: usize,
    /// What stands after it.
    next: usize,
    depth: usize,
    is_close: bool,
}

/// Takes a message apart, from the first header on.
pub(super) fn parts(raw: &[u8], start: usize) -> Parts {
    let mut parts = Parts::default();
    let mut open: Vec<Open> = Vec::new();
    let mut count = 0;
    let mut at = start;
    loop {
        let header_end = headers_end(raw, at, &open);
        let (fields, body) = fields(raw, at, header_end);
        count += fields.len() + 1;
        if count > PIECES {
            parts.cut_at = Some(at);
            parts.pieces.push(Piece::Between("raw", at..raw.len()));
            return parts;
        }
        let is_digest = open.last().is_some_and(|open| open.is_digest);
        let (mut part, boundary) = part(raw, fields, is_digest);
        let mut between = None;
        match boundary.filter(|_| open.len() < NESTED_MULTIPARTS) {
            Some(boundary) => {
                open.push(Open { boundary, is_digest: part.media_type == "multipart/digest" });
                between = Some("preamble");
            }
            None => part.body = Some(body..body),
        }
        // The body of a leaf, or what stands before the first part.
        let mut delimiter = delimiter(raw, body, &open);
        let end = delimiter.as_ref().map_or(raw.len(), |delimiter| delimiter.end).max(body);
        if let Some(range) = &mut part.body {
            range.end = end;
        }
        parts.pieces.push(Piece::Part(part));
        if let Some(name) = between {
            parts.push_between(name, body..end);
        }
        // After a multipart's end comes text that belongs to no part, up to the next boundary of one around it.
        while let Some(found) = &delimiter
            && found.is_close
        {
            open.truncate(found.depth);
            let from = found.next;
            count += 1;
            if open.is_empty() {
                parts.push_between("epilogue", from..raw.len());
                return parts;
            }
            delimiter = self::delimiter(raw, from, &open);
            let end = delimiter.as_ref().map_or(raw.len(), |delimiter| delimiter.end).max(from);
            parts.push_between("epilogue", from..end);
        }
        let Some(found) = delimiter else {
            parts.is_open = !open.is_empty();
            return parts;
        };
        open.truncate(found.depth + 1);
        at = found.next;
    }
}

impl Parts {
    fn push_between(&mut self, name: &'static str, range: Range<usize>) {
        if range.start < range.end {
            self.pieces.push(Piece::Between(name, range));
        }
    }
}

/// Headers end at the next boundary, even without an empty line before it.
fn headers_end(raw: &[u8], at: usize, open: &[Open]) -> usize {
    if open.is_empty() {
        return raw.len();
    }
    let mut from = at;
    while let Some((text, next)) = line(raw, from) {
        if text.is_empty() || text.starts_with(b"--") && matches(raw, from, open).is_some() {
            return if text.is_empty() { next } else { from };
        }
        from = next;
    }
    raw.len()
}

/// Finds the next boundary line of an open multipart, at `from` or after it.
fn delimiter(raw: &[u8], from: usize, open: &[Open]) -> Option<Delimiter> {
    if open.is_empty() {
        return None;
    }
    let mut at = from;
    loop {
        let rest = raw.get(at..)?;
        if rest.starts_with(b"--")
            && let Some((depth, is_close, next)) = matches(raw, at, open)
        {
            let before = raw.get(from..at).unwrap_or_default();
            let before = before.strip_suffix(b"\n").unwrap_or(before);
            let before = before.strip_suffix(b"\r").unwrap_or(before);
            return Some(Delimiter { end: from + before.len(), next, depth, is_close });
        }
        at += memchr::memmem::find(rest, b"\n--")? + 1;
    }
}

/// Tells which open multipart's boundary a line is, the innermost first, whether it ends it, and what follows it.
fn matches(raw: &[u8], at: usize, open: &[Open]) -> Option<(usize, bool, usize)> {
    let (text, next) = line(raw, at)?;
    let text = text.strip_prefix(b"--")?;
    open.iter().enumerate().rev().find_map(|(depth, open)| {
        let rest = text.strip_prefix(open.boundary.as_slice())?;
        match rest {
            // What stands behind the end's two hyphens is no longer part of the line.
            [b'-', b'-', tail @ ..] if tail.trim_ascii().is_empty() => Some((depth, true, next)),
            [b'-', b'-', ..] => Some((depth, true, at + 4 + open.boundary.len())),
            rest => rest.trim_ascii().is_empty().then_some((depth, false, next)),
        }
    })
}

/// Reads what the headers say of a part. The second value is its boundary, where it is a multipart.
fn part(raw: &[u8], fields: Vec<HeaderField>, is_in_digest: bool) -> (Part, Option<Vec<u8>>) {
    let value = |name: &[u8]| {
        let field =
            fields.iter().find(|field| raw.get(field.name.clone()).is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        raw.get(field.value.clone())
    };
    let content_type = value(b"content-type").and_then(parameters);
    let disposition = value(b"content-disposition").and_then(parameters);
    let transfer = value(b"content-transfer-encoding")
        .map_or(Transfer::Identity, |value| Transfer::named(&String::from_utf8_lossy(value)));
    let default_type = if is_in_digest { "message/rfc822" } else { "text/plain" };
    let media_type = content_type.as_ref().map_or(default_type.to_owned(), |(media_type, _)| media_type.clone());
    let parameter = |of: &Option<Parameters>, name: &str| {
        let (_, parameters) = of.as_ref()?;
        parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    };
    let boundary = if media_type.starts_with("multipart/") { parameter(&content_type, "boundary") } else { None };
    let file_name = parameter(&disposition, "filename").or_else(|| parameter(&content_type, "name"));
    let part = Part {
        body: None,
        charset: parameter(&content_type, "charset"),
        file_name: file_name.filter(|name| !name.is_empty()),
        is_attachment: disposition.as_ref().is_some_and(|(kind, _)| kind == "attachment"),
        media_type,
        transfer,
        fields,
    };
    (part, boundary.map(|boundary| boundary.trim_end().as_bytes().to_vec()))
}

/// A header's value in lower case, and its parameters, decoded.
type Parameters = (String, Vec<(String, String)>);

/// Reads a structured header (RFC 2045, 2183, 2231).
fn parameters(value: &[u8]) -> Option<Parameters> {
    // The parser wants the line's end.
    let mut line = value.to_vec();
    line.push(b'\n');
    let parsed = MessageStream::new(&line).parse_content_type();
    let content_type = parsed.as_content_type()?;
    let mut media_type = content_type.ctype().to_ascii_lowercase();
    if let Some(subtype) = content_type.subtype() {
        media_type.push('/');
        media_type.push_str(&subtype.to_ascii_lowercase());
    }
    let attributes = content_type.attributes().unwrap_or_default();
    let parameters = attributes.iter().map(|a| (a.name.to_ascii_lowercase(), a.value.to_string())).collect();
    Some((media_type, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the pieces as `type or name: text` lines.
    fn shape(raw: &str) -> Vec<String> {
        let text = |range: &Range<usize>| raw[range.clone()].replace("\r\n", "\n");
        let pieces = parts(raw.as_bytes(), 0).pieces;
        let shape = pieces.iter().map(|piece| match piece {
            Piece::Part(Part { body: Some(body), media_type, .. }) => format!("{media_type}: {}", text(body)),
            Piece::Part(part) => part.media_type.clone(),
            Piece::Between(name, range) => format!("{name}: {}", text(range)),
        });
        shape.collect()
    }

    const NESTED: &str = "Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\nbefore\r\n--a b\r\n\r\none\r\n\r\n--a b\r\n\
        Content-Type: multipart/alternative; boundary=\"a b c\"\r\n\r\n--a b c\r\nContent-Type: Text/HTML\r\n\r\ntwo\r\n\
        --a b c--\r\nbetween\r\n--a b--trailing\r\nafter";

    #[test]
    fn every_stretch_of_a_message_has_a_place() {
        let expected = [
            "multipart/mixed",
            "preamble: before",
            "text/plain: one\n",
            "multipart/alternative",
            "text/html: two",
            "epilogue: between",
            "epilogue: trailing\nafter",
        ];
        assert_eq!(shape(NESTED), expected);
        assert_eq!(shape(&NESTED.replace("\r\n", "\n")), expected);
    }

    #[test]
    fn broken_boundaries_lose_nothing() {
        let parts = parts(&NESTED.as_bytes()[..NESTED.len() - 30], 0);
        assert!(parts.is_open);
        assert_eq!(shape("Content-Type: multipart/mixed; boundary=x\n\nno boundary")[1], "preamble: no boundary");
        assert_eq!(shape("Content-Type: multipart/mixed\n\ntext")[0], "multipart/mixed: text");
        assert_eq!(shape("A: b"), ["text/plain: "]);
        let no_blank = shape("Content-Type: multipart/mixed; boundary=x\n\n--x\nA: b\n--x\n\nsecond\n--x--\n");
        assert_eq!(no_blank[1..], ["text/plain: ", "text/plain: second"]);
        assert_eq!(
            shape("Content-Type: multipart/mixed; boundary=x\n\n--xy\n--x\n\n1\n--x-\n")[1..],
            ["preamble: --xy", "text/plain: 1\n--x-\n"]
        );
    }

    #[test]
    fn deep_nesting_is_read_as_text_and_not_by_recursion() {
        let mut raw = String::new();
        for n in 0..100_000 {
            raw.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"));
        }
        raw.push_str("\nevil.example");
        let parts = parts(raw.as_bytes(), 0);
        let Some(Piece::Part(last)) = parts.pieces.last() else { panic!("a part") };
        assert!(raw[last.body.clone().unwrap()].ends_with("evil.example"));
        assert!(parts.is_open);
    }

    #[test]
    fn parameters_are_decoded() {
        let raw = b"Content-Type: application/zip; name=\"x.zip\"\nContent-Disposition: attachment;\n filename*=utf-8''%C3%A9.zip\nContent-Transfer-Encoding: BASE64 (x)\n\n";
        let parts = parts(raw, 0);
        let Some(Piece::Part(part)) = parts.pieces.first() else { panic!("a part") };
        assert_eq!(part.file_name.as_deref(), Some("é.zip"));
        assert!(part.is_attachment);
        assert_eq!(part.transfer, Transfer::Base64);
    }
}
