//! Quoted-printable inside text, as logs of mail gateways hold it. Source: RFC 2045, section 6.7.

use super::{hex_digit, mend};

/// Undoes `=2E` and soft line breaks, in a text that looks encoded: `id=20` in a query string is a parameter.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    if !looks_encoded(text) {
        return false;
    }
    let mut from = 0;
    let mut run_start = None;
    while let Some(skipped) = text.get(from..).and_then(|rest| memchr::memchr(b'=', rest)) {
        let at = from + skipped;
        if skipped > 0 {
            mend(out, &mut run_start);
        }
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        from = match (soft_break(text, at), pair(text, at)) {
            (Some(end), _) => end,
            (None, Some(byte)) => {
                run_start.get_or_insert(out.len());
                out.push(byte);
                at + 3
            }
            (None, None) => {
                mend(out, &mut run_start);
                out.push(b'=');
                at + 1
            }
        };
    }
    mend(out, &mut run_start);
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    true
}

/// Tells whether some sign cannot well be a parameter: see [`is_sure_at`].
fn looks_encoded(text: &[u8]) -> bool {
    memchr::memchr_iter(b'=', text).any(|at| is_sure_at(text, at))
}

/// How far behind an encoded `@` the first dot of its host is looked for: one label. Source: RFC 1035, section 2.3.4.
const HOST_BYTES: usize = 64;

/// Tells whether the equals sign at `at` cannot well belong to a parameter: a soft break inside a word, an encoded letter
/// beyond ASCII, or an encoded mark inside a name or address. Its digits are in upper case; in lower case they begin a number.
pub(super) fn is_sure_at(text: &[u8], at: usize) -> bool {
    let is_word = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') || *b >= 0x80)
    };
    if let Some(end) = soft_break(text, at) {
        return is_word(at.checked_sub(1)) && is_word(Some(end));
    }
    if pair(text, at).is_none() {
        return false;
    }
    let is_mark = match text.get(at + 1..at + 3) {
        // A number may go on with letters; a host has a dot.
        Some(b"40") => {
            let host = text.get(at + 3..text.len().min(at + 3 + HOST_BYTES)).unwrap_or_default();
            let label = host.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
            label > 0 && host.first().is_some_and(u8::is_ascii_alphabetic) && host.get(label) == Some(&b'.')
        }
        Some(b"2E" | b"3A" | b"2F" | b"5F" | b"2D" | b"3D" | b"5B" | b"5D") => {
            is_word(Some(at + 3)) || pair(text, at + 3).is_some()
        }
        // The first byte of a letter beyond ASCII in UTF-8.
        Some([b'C'..=b'E', _]) => pair(text, at + 3).is_some_and(|byte| byte >= 0x80),
        _ => false,
    };
    is_mark && is_word(at.checked_sub(1))
}

/// Returns where the text goes on behind a soft line break.
fn soft_break(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at + 1..)? {
        [b'\r', b'\n', ..] => Some(at + 3),
        [b'\n', ..] => Some(at + 2),
        _ => None,
    }
}

/// Returns the byte that stands encoded at `at`, unless it is a control character that no text needs.
fn pair(text: &[u8], at: usize) -> Option<u8> {
    if text.get(at) != Some(&b'=') {
        return None;
    }
    let byte = hex_digit(text.get(at + 1))? << 4 | hex_digit(text.get(at + 2))?;
    (byte >= b' ' && byte != 0x7f || matches!(byte, b'\t' | b'\r' | b'\n')).then_some(byte)
}
