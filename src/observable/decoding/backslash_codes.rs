//! Codes of bytes behind a backslash, as programs and scripts print them: `\x2e`, `\056`.

use super::{hex_digit, mend};

/// Undoes `\x2e`.
pub(super) fn undo_hex(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_each(text, out, |code| match code {
        [b'x' | b'X', high, low, ..] => Some((hex_digit(Some(high))? << 4 | hex_digit(Some(low))?, 3)),
        _ => None,
    })
}

/// Undoes `\056`: three digits, of which the first is at most 3.
pub(super) fn undo_octal(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_each(text, out, |code| match code {
        [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', ..] => {
            Some(((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'), 3))
        }
        _ => None,
    })
}

fn undo_each(text: &[u8], out: &mut Vec<u8>, decoded: impl Fn(&[u8]) -> Option<(u8, usize)>) -> bool {
    let mut from = 0;
    let mut found = false;
    let mut run_start = None;
    while let Some(skipped) = text.get(from..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let at = from + skipped;
        if skipped > 0 {
            mend(out, &mut run_start);
        }
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        from = match text.get(at + 1..).and_then(&decoded) {
            Some((byte, used)) => {
                run_start.get_or_insert(out.len());
                out.push(byte);
                found = true;
                at + 1 + used
            }
            None => {
                mend(out, &mut run_start);
                out.push(b'\\');
                at + 1
            }
        };
    }
    mend(out, &mut run_start);
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
}
