//! Where in raw bytes an encoding begins that a reading may reveal something behind. For prefilters, which have seen its sign.

use super::{entities, hex_digit, look_alikes, percent, quoted_printable};

pub use super::base64::{goes_on_to_text, may_hold_text as is_base64_text};
pub use super::entities::ENTITY_BYTES;
pub use super::hex::may_hold_text as is_hex_text;
pub use super::signs::is_grouped;

/// Tells whether something that a step or a guess undoes begins at a sign: a backslash, `%`, `&`, `=`, `#` or `^`.
pub fn begins_at(bytes: &[u8], at: usize) -> bool {
    let octal = |byte: &u8| (b'0'..=b'7').contains(byte);
    let hex = |byte: &u8| hex_digit(Some(byte)).is_some();
    match bytes.get(at..).unwrap_or_default() {
        [b'\\', b'x' | b'X', a, b, ..] => hex(a) && hex(b),
        [b'\\', b'u', a, b, c, d, ..] => hex(a) && hex(b) && hex(c) && hex(d),
        [b'\\', b'e' | b'E', b'[', ..] => true,
        [b'\\', a @ b'0'..=b'3', b, c, ..] => octal(a) && octal(b) && octal(c),
        [b'%', ..] => percent::is_at(bytes, at),
        [b'&', rest @ ..] => entities::is_at(rest),
        [b'=', b'?', ..] => true,
        [b'=', b'\\', b'r' | b'n', ..] => true,
        [b'=', ..] => quoted_printable::is_sure_at(bytes, at),
        [b'#', b'0', a, b, ..] => octal(a) && octal(b),
        [b'#', b'1', b'7', b'7', ..] => true,
        [b'^', b'[', b'[' | b'(' | b']', ..] | [b'^', b'I' | b'J' | b'M', ..] => true,
        _ => false,
    }
}

/// Tells whether what stands in brackets at the beginning of a text is a dot, a colon, an at sign, or a word for one.
pub fn is_defanging(text: &[u8]) -> bool {
    let inner = text.get(1..text.len().min(12)).unwrap_or_default();
    let Some(end) = inner.iter().position(|byte| matches!(byte, b')' | b']' | b'}')) else { return false };
    let word = inner.get(..end).unwrap_or_default().trim_ascii();
    [&b"."[..], b":", b"@", b"://", b"dot", b"at"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Tells whether a character that is read as another one, or as none, begins at `at`.
pub fn is_look_alike_at(bytes: &[u8], at: usize) -> bool {
    look_alikes::is_at(bytes.get(at..).unwrap_or_default())
}
