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

/// Tells whether some sign cannot well be a parameter: a soft break, a digit that is a letter, an `@`, two in a row.
fn looks_encoded(text: &[u8]) -> bool {
    memchr::memchr_iter(b'=', text).any(|at| is_sure_at(text, at))
}

/// Tells whether the equals sign at `at` cannot well belong to a parameter.
pub(super) fn is_sure_at(text: &[u8], at: usize) -> bool {
    let is_letter = |at: usize| text.get(at).is_some_and(|byte| (b'A'..=b'F').contains(byte));
    let is_sure = |byte| byte == b'@' || is_letter(at + 1) || is_letter(at + 2) || pair(text, at + 3).is_some();
    soft_break(text, at).is_some() || pair(text, at).is_some_and(is_sure)
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
