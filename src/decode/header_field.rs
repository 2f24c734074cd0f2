//! Header lines of messages: their names, and which names tell that something is a message. Source: RFC 5322.

use std::ops::Range;

/// The longest name that is taken for one. RFC 5322 sets no limit below that of a line; real names stay far below.
const NAME_BYTES: usize = 100;

/// Names that stand in messages and hardly anywhere else.
const MAIL_NAMES: &[&str] = &[
    "apparently-to",
    "arc-authentication-results",
    "arc-message-signature",
    "arc-seal",
    "authentication-results",
    "bcc",
    "cc",
    "delivered-to",
    "disposition-notification-to",
    "dkim-signature",
    "domainkey-signature",
    "envelope-to",
    "errors-to",
    "from",
    "in-reply-to",
    "list-id",
    "list-unsubscribe",
    "message-id",
    "mime-version",
    "newsgroups",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "resent-from",
    "resent-to",
    "return-path",
    "sender",
    "subject",
    "to",
    "x-mailer",
    "x-originating-ip",
    "x-received",
];

/// Names that stand in messages, and elsewhere too (HTTP, say).
const SHARED_NAMES: &[&str] = &[
    "comments",
    "content-disposition",
    "content-length",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivery-date",
    "importance",
    "keywords",
    "lines",
    "mailing-list",
    "organization",
    "precedence",
    "priority",
    "sensitivity",
    "status",
    "thread-index",
    "thread-topic",
    "user-agent",
];

/// How much a header's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    /// Nothing.
    No,
    /// It stands in messages and elsewhere.
    Shared,
    /// It stands in messages.
    Mail,
}

/// Tells what a header's name says of what it stands in.
pub(super) fn known(name: &[u8]) -> Known {
    let is = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    if MAIL_NAMES.iter().any(is) || name.get(..5).is_some_and(|x| x.eq_ignore_ascii_case(b"x-ms-")) {
        Known::Mail
    } else if SHARED_NAMES.iter().any(is) || name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case(b"x-")) {
        Known::Shared
    } else {
        Known::No
    }
}

/// Returns the name of a header line; none if the line is none.
pub(super) fn name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line.get(..line.len().min(NAME_BYTES))?)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    is_name.then_some(name)
}

/// Tells whether a line goes on with the header before it.
pub(super) fn is_continuation(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t', ..]) && !line.trim_ascii().is_empty()
}

/// Tells whether a line is empty, without its end.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.is_empty()
}

/// Returns the line at `at`, without its end, and where the next one begins.
pub(super) fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let (line, next) = match memchr::memchr(b'\n', rest) {
        Some(end) => (rest.get(..end)?, at + end + 1),
        None => (rest, bytes.len()),
    };
    Some((line.strip_suffix(b"\r").unwrap_or(line), next))
}

/// One header, or a line among the headers that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderField {
    /// Empty where the line is no header.
    pub name: Range<usize>,
    /// The value with its continuation lines, as it stands.
    pub value: Range<usize>,
}

/// Reads headers from `at` to the empty line after them. Returns them, and where the body begins.
pub(super) fn fields(bytes: &[u8], mut at: usize, end: usize) -> (Vec<HeaderField>, usize) {
    let mut fields: Vec<HeaderField> = Vec::new();
    while at < end
        && let Some((text, next)) = line(bytes, at)
    {
        if is_blank(text) {
            return (fields, next);
        }
        match (fields.last_mut(), name(text)) {
            (Some(last), _) if is_continuation(text) => last.value.end = next,
            (_, Some(name)) => {
                let colon = memchr::memchr(b':', text).unwrap_or(0);
                fields.push(HeaderField { name: at..at + name.len(), value: at + colon + 1..next });
            }
            _ => fields.push(HeaderField { name: at..at, value: at..next }),
        }
        at = next;
    }
    (fields, at.min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_spaces_and_end_in_a_colon() {
        assert_eq!(name(b"Subject: x"), Some(&b"Subject"[..]));
        assert_eq!(name(b"Subject : x"), Some(&b"Subject"[..]));
        for line in [&b"no name"[..], b": x", b"two words: x", b"", b"na\xefme: x"] {
            assert_eq!(name(line), None);
        }
        assert_eq!(known(b"MESSAGE-ID"), Known::Mail);
        assert_eq!(known(b"Content-Type"), Known::Shared);
        assert_eq!(known(b"version"), Known::No);
    }

    #[test]
    fn folded_headers_and_lines_that_are_none_are_kept() {
        let raw = b"A: 1\r\n 2\r\nbroken line\nB:3\n\nbody: no header\n";
        let (fields, body) = fields(raw, 0, raw.len());
        let texts: Vec<_> = fields.iter().map(|f| (&raw[f.name.clone()], &raw[f.value.clone()])).collect();
        assert_eq!(texts, [(&b"A"[..], &b" 1\r\n 2\r\n"[..]), (b"", b"broken line\n"), (b"B", b"3\n")]);
        assert!(raw[body..].starts_with(b"body"));
    }
}
