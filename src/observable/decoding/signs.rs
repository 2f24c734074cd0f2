//! One look at a text that tells which encodings it may hold, so that a clean text costs one pass.

/// Bytes that begin an encoding.
pub(super) const PERCENT: u16 = 1;
pub(super) const AMPERSAND: u16 = 1 << 1;
pub(super) const BACKSLASH: u16 = 1 << 2;
pub(super) const ZERO: u16 = 1 << 3;
pub(super) const ESCAPE: u16 = 1 << 4;
pub(super) const HIGH: u16 = 1 << 5;
pub(super) const EQUALS: u16 = 1 << 6;
pub(super) const HASH: u16 = 1 << 7;
pub(super) const CARET: u16 = 1 << 8;
pub(super) const PLUS: u16 = 1 << 9;
/// Set where a run is long enough to be base64.
pub(super) const BASE64: u16 = 1 << 10;
/// Set where digits in a row, or in groups, are enough to be hexadecimal text.
pub(super) const HEX: u16 = 1 << 11;
/// A byte of base64, and a byte of hexadecimal in groups.
const ALPHABET: u16 = 1 << 12;
const GROUPED: u16 = 1 << 13;
const DIGIT: u16 = 1 << 14;

/// The fewest characters of base64 that are looked at.
pub(super) const LEAST_BASE64: u32 = 12;
/// The fewest hexadecimal digits that are looked at.
pub(super) const LEAST_HEX: u32 = 16;

const CLASS: [u16; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with codes below 256"
)]
const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut code = 0_usize;
    while code < 256 {
        let byte = code as u8;
        let mut class = match byte {
            b'%' => PERCENT,
            b'&' => AMPERSAND,
            b'\\' => BACKSLASH,
            0 => ZERO,
            0x1b => ESCAPE,
            b'=' => EQUALS,
            b'#' => HASH,
            b'^' => CARET,
            b'+' => PLUS,
            0x80.. => HIGH,
            _ => 0,
        };
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_') {
            class |= ALPHABET;
        }
        if byte.is_ascii_hexdigit() || matches!(byte, b' ' | b',' | b':' | b';' | b'-' | b'x' | b'X') {
            class |= GROUPED;
        }
        if byte.is_ascii_hexdigit() {
            class |= DIGIT;
        }
        table[code] = class;
        code += 1;
    }
    table
}

/// Tells whether a byte may belong to hexadecimal in groups.
pub fn is_grouped(byte: u8) -> bool {
    CLASS.get(usize::from(byte)).is_some_and(|class| class & GROUPED != 0)
}

/// Returns what a text may hold.
pub(super) fn signs(text: &[u8]) -> u16 {
    let mut all = 0;
    let (mut run, mut longest_run) = (0_u32, 0_u32);
    let (mut grouped, mut longest_grouped) = (0_u32, 0_u32);
    for &byte in text {
        let class = CLASS.get(usize::from(byte)).copied().unwrap_or_default();
        all |= class;
        run = if class & ALPHABET == 0 { 0 } else { run + 1 };
        grouped = if class & GROUPED == 0 { 0 } else { grouped + u32::from(class & DIGIT != 0) };
        longest_run = longest_run.max(run);
        longest_grouped = longest_grouped.max(grouped);
    }
    all &= !(ALPHABET | GROUPED | DIGIT);
    if longest_run >= LEAST_BASE64 {
        all |= BASE64;
    }
    if longest_grouped >= LEAST_HEX {
        all |= HEX;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_clean_until_something_may_be_encoded() {
        assert_eq!(signs(b"Update, 10.11.12.13 (evil.example)"), 0);
        assert_eq!(signs(b"abcdefghijk lmnopqrstuv"), 0);
        assert_eq!(signs(b"abcdefghijkl"), BASE64);
        assert_eq!(signs(b"48 65 6c 6c 6f 20 77 6"), 0);
        assert_eq!(signs(b"48 65 6c 6c 6f 20 77 6f"), HEX);
        assert_eq!(signs(b"a%b&c\\d\0e\x1bf=g#h^i+j\xc3"), (1 << 10) - 1);
    }
}
