//! The escapes of JSON strings, wherever they stand. Source: RFC 8259, section 7.

use super::{hex_number, push_code};

/// How far back the beginning of a path is looked for.
const PATH_BYTES: usize = 260;

/// Undoes escapes in text that may hold JSON, except in a Windows path: `C:\new` has none, in JSON it were `C:\\new`.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_where(text, out, |at| !is_in_path(text, at))
}

/// Undoes escapes in text that is JSON.
pub(super) fn undo_all(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_where(text, out, |_| true)
}

fn undo_where(text: &[u8], out: &mut Vec<u8>, is_escape: impl Fn(usize) -> bool) -> bool {
    let mut from = 0;
    let mut found = false;
    while let Some(skipped) = text.get(from..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let at = from + skipped;
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        let control = match text.get(at + 1) {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'b') => 8,
            Some(b'f') => 12,
            _ => 0,
        };
        let used = match text.get(at + 1) {
            Some(&byte @ (b'"' | b'\\' | b'/')) => {
                out.push(byte);
                2
            }
            Some(b'u') => unicode_escape(text.get(at..).unwrap_or_default(), out),
            _ if control != 0 && is_escape(at) => {
                out.push(control);
                2
            }
            _ => 0,
        };
        if used == 0 {
            out.push(b'\\');
        }
        found |= used > 0;
        from = at + used.max(1);
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
}

/// Reads `\uXXXX` or a surrogate pair `\uXXXX\uXXXX`, and returns how many bytes it took.
fn unicode_escape(text: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(high) = hex_number(text.get(2..6)) else { return 0 };
    if (0xd800..=0xdbff).contains(&high)
        && text.get(6..8) == Some(b"\\u")
        && let Some(low @ 0xdc00..=0xdfff) = hex_number(text.get(8..12))
    {
        push_code(out, 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        return 12;
    }
    push_code(out, high);
    6
}

/// Tells whether the word that holds the backslash at `at` is a path that begins with a drive.
fn is_in_path(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(PATH_BYTES)..at).unwrap_or_default();
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>|=,;([{".contains(byte);
    let length = before.iter().rev().take_while(|byte| !is_end(byte)).count();
    let word = text.get(at - length..).unwrap_or_default();
    matches!(word, [drive, b':', b'\\', next, ..] if drive.is_ascii_alphabetic() && *next != b'\\')
}
