//! The escapes of JSON strings. Source: RFC 8259, section 7.

use super::layer::Jump;

/// Undoes the escapes of a JSON string that stands at `outer` in its text.
///
/// An escape that is none stays as it is; half of a surrogate pair becomes U+FFFD.
pub fn unescape(raw: &[u8], outer: usize) -> (Vec<u8>, Vec<Jump>) {
    let mut out = Vec::with_capacity(raw.len());
    let mut jumps = vec![Jump { at: 0, outer }];
    let mut at = 0;
    while let Some(n) = memchr::memchr(b'\\', raw.get(at..).unwrap_or_default()) {
        out.extend_from_slice(raw.get(at..at + n).unwrap_or_default());
        at += n;
        let (character, length) = escape(raw.get(at..).unwrap_or_default());
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        at += length;
        jumps.push(Jump { at: out.len(), outer: outer + at });
    }
    out.extend_from_slice(raw.get(at..).unwrap_or_default());
    (out, jumps)
}

/// Reads one escape; returns its character and its length. A lone backslash is itself.
fn escape(text: &[u8]) -> (char, usize) {
    let simple = match text.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'"') => '"',
        Some(b'/') => '/',
        Some(b'\\') => '\\',
        Some(b'u') => return unicode_escape(text),
        _ => return ('\\', 1),
    };
    (simple, 2)
}

fn unicode_escape(text: &[u8]) -> (char, usize) {
    let Some(high) = hex4(text.get(2..6)) else { return ('\\', 1) };
    if let Some(c) = char::from_u32(high) {
        return (c, 6);
    }
    if (0xd800..0xdc00).contains(&high)
        && text.get(6..8) == Some(b"\\u")
        && let Some(low @ 0xdc00..=0xdfff) = hex4(text.get(8..12))
        && let Some(c) = char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    {
        return (c, 12);
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

fn hex4(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str) -> String {
        String::from_utf8(unescape(text.as_bytes(), 0).0).unwrap()
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        assert_eq!(undone(r#"a\u0040b \ud83d\ude00 \n\/\""#), "a@b \u{1f600} \n/\"");
        assert_eq!(undone(r"\ud83d x \q \u00g0 \"), "\u{fffd} x \\q \\u00g0 \\");
    }

    #[test]
    fn the_place_behind_each_escape_is_known() {
        let (text, jumps) = unescape(br"a\u0040b\n", 10);
        assert_eq!(text, b"a@b\n");
        assert_eq!(jumps, [(0, 10), (2, 17), (4, 20)].map(|(at, outer)| Jump { at, outer }));
    }
}
