//! Characters that look like ASCII or like nothing: zero-width characters, curly quotes, fullwidth and mathematical letters.

use crate::text::is_invisible;

/// Takes out what has no shape, and writes what looks like ASCII as ASCII. Source: Unicode 16, UTS 46 (mapping of names).
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut found = false;
    for chunk in text.utf8_chunks() {
        let mut plain = chunk.valid();
        while let Some(at) = plain.bytes().position(|byte| !byte.is_ascii()) {
            let (ascii, rest) = plain.split_at_checked(at).unwrap_or((plain, ""));
            out.extend_from_slice(ascii.as_bytes());
            let mut characters = rest.chars();
            if let Some(c) = characters.next() {
                if is_invisible(c) {
                    found = true;
                } else if let Some(byte) = ascii_of(c) {
                    out.push(byte);
                    found = true;
                } else {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            plain = characters.as_str();
        }
        out.extend_from_slice(plain.as_bytes());
        out.extend_from_slice(chunk.invalid());
    }
    found
}

/// Tells whether a text begins with a character that is taken out or written otherwise, or that steers a terminal.
pub(super) fn is_at(text: &[u8]) -> bool {
    let bytes = match text.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return false,
    };
    let first = text.get(..bytes).and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|c| c.chars().next());
    first.is_some_and(|c| c == '\u{9b}' || is_invisible(c) || ascii_of(c).is_some())
}

/// Returns the ASCII that a character looks like.
fn ascii_of(c: char) -> Option<u8> {
    let code = u32::from(c);
    let offset = |first: u32, ascii: u8| u8::try_from(code - first).ok().map(|steps| ascii + steps);
    let letter = |place: u32| {
        let base = if place < 26 { b'A' } else { b'a' };
        u8::try_from(place % 26).ok().map(|steps| base + steps)
    };
    match code {
        0x2018..=0x201b => Some(b'\''),
        0x201c..=0x201f => Some(b'"'),
        // Fullwidth forms, in the order of ASCII.
        0xff01..=0xff5e => offset(0xff01, b'!'),
        // Full stops of other scripts that browsers take for the dot of a name, and one dot leaders.
        0x3002 | 0xff61 | 0x2024 | 0xfe52 => Some(b'.'),
        0x2010..=0x2015 | 0x2212 | 0xfe58 | 0xfe63 => Some(b'-'),
        0x2044 | 0x2215 | 0x29f8 => Some(b'/'),
        0xfe55 => Some(b':'),
        0xfe6b => Some(b'@'),
        0x24b6..=0x24e9 => letter(code - 0x24b6),
        // Thirteen mathematical alphabets, and five rows of digits.
        0x1d400..=0x1d6a3 => letter((code - 0x1d400) % 52),
        0x1d7ce..=0x1d7ff => u8::try_from((code - 0x1d7ce) % 10).ok().map(|digit| b'0' + digit),
        _ => None,
    }
}
