//! Classes of bytes: what each of 64 bytes is, as one bit a class.
//!
//! A class is a union of rectangles, sets of low nibbles times sets of high ones, since that is what a byte shuffle looks
//! up. Each way of computing the masks gives the same bits.

/// The bytes that are looked at together.
pub(super) const LANES: usize = 64;

/// For each class, which of 64 bytes belong to it; the first byte is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub digit: u64,
    pub hex: u64,
    pub letter: u64,
    /// `2` to `7`: the first digit of an escaped printable character.
    pub two_to_seven: u64,
    /// NUL, ESC, and two control characters that share a rectangle with them.
    pub control: u64,
    /// `u` and `x`
    pub escape_letter: u64,
    /// A space, `,` or `-`, which part pairs of hexadecimal digits.
    pub gap: u64,
    /// What the first of four base64 characters is where they encode text in ASCII.
    pub base64_first: u64,
    /// The second.
    pub base64_second: u64,
    /// The third.
    pub base64_third: u64,
    /// `A`, `Q`, `g`, `w`: the second of four where a zero byte follows.
    pub base64_zero: u64,
    /// `A`
    pub base64_a: u64,
    /// `(`, `[`, `{`
    pub open: u64,
    /// `@`, and the first letters of `at` and `dot`.
    pub mark_letter: u64,
    pub hash: u64,
    pub question: u64,
    pub dot: u64,
    pub colon: u64,
    pub backslash: u64,
    pub percent: u64,
    pub ampersand: u64,
    pub semicolon: u64,
    pub equals: u64,
    pub caret: u64,
    pub newline: u64,
    pub space: u64,
    /// Not ASCII.
    pub high: u64,
}

/// One rectangle: which high nibbles, and which low ones, as bit sets.
type Rectangle = (u16, u16);

const fn nibbles(from: u32, to: u32) -> u16 {
    let mut set = 0;
    let mut nibble = from;
    while nibble <= to {
        set |= 1 << nibble;
        nibble += 1;
    }
    set
}

const fn of(a: u32) -> u16 {
    1 << a
}

/// Low nibbles of the upper-case letters whose base64 value leaves 0 or 1 when it is divided by four.
const THIRD_UPPER: u16 = of(1) | of(2) | of(5) | of(6) | of(9) | of(10) | of(13) | of(14);
/// The same of lower-case letters.
const THIRD_LOWER: u16 = of(0) | of(3) | of(4) | of(7) | of(8) | of(11) | of(12) | of(15);

/// Three tables of eight rectangles; the index of a rectangle is its bit.
pub(super) const TABLES: [[Rectangle; 8]; 3] = [
    [
        (of(3), nibbles(0, 9)),
        (of(4) | of(6), nibbles(1, 6)),
        (of(4) | of(6), nibbles(1, 15)),
        (of(5) | of(7), nibbles(0, 10)),
        (of(3), nibbles(2, 7)),
        (of(0) | of(1), of(0) | of(11)),
        (of(7), of(5) | of(8)),
        (of(2), of(0) | of(12) | of(13)),
    ],
    [
        // And `C`, `D`, where they encode a tab or a line's end.
        (of(4), nibbles(9, 15) | of(3) | of(4)),
        (of(5), nibbles(0, 10)),
        (of(6), nibbles(1, 6)),
        (of(4) | of(5), nibbles(3, 8)),
        (of(6) | of(7), nibbles(9, 14)),
        (of(3), nibbles(0, 3)),
        (of(4) | of(5), of(1)),
        (of(6) | of(7), of(7)),
    ],
    [
        (of(4) | of(5), THIRD_UPPER),
        (of(6) | of(7), THIRD_LOWER),
        (of(3), of(0) | of(1) | of(4) | of(5) | of(8) | of(9)),
        (of(2), of(8)),
        (of(5) | of(7), of(11)),
        (of(2), of(3)),
        (of(3), of(15)),
        (of(4) | of(6), of(0) | of(1) | of(4)),
    ],
];

// Which rectangles of its table make a class.
pub(super) const DIGIT: u8 = 1;
pub(super) const HEX: u8 = 1 | 2;
pub(super) const LETTER: u8 = 4 | 8;
pub(super) const TWO_TO_SEVEN: u8 = 16;
pub(super) const CONTROL: u8 = 32;
pub(super) const ESCAPE_LETTER: u8 = 64;
pub(super) const GAP: u8 = 128;
pub(super) const BASE64_FIRST: u8 = 1 | 2 | 4;
pub(super) const BASE64_SECOND: u8 = 8 | 16 | 32 | 64 | 128;
pub(super) const BASE64_ZERO: u8 = 64 | 128;
pub(super) const BASE64_THIRD: u8 = 1 | 2 | 4;
pub(super) const OPEN: u8 = 8 | 16;
pub(super) const HASH: u8 = 32;
pub(super) const QUESTION: u8 = 64;
pub(super) const MARK_LETTER: u8 = 128;

/// For each byte, the rectangles of a table that it lies in; none for bytes beyond ASCII.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with indexes below 256"
)]
pub(super) const fn lookup(table: &[Rectangle; 8]) -> [u8; 256] {
    let mut out = [0; 256];
    let mut byte = 0_usize;
    while byte < 128 {
        let mut bit = 0;
        while bit < 8 {
            let (high, low) = table[bit];
            if high & of(byte as u32 >> 4) != 0 && low & of(byte as u32 & 15) != 0 {
                out[byte] |= 1 << bit;
            }
            bit += 1;
        }
        byte += 1;
    }
    out
}

const SINGLES: [u8; 8] = [b'.', b':', b'\\', b'%', b'&', b';', b'=', b'A'];
const MORE_SINGLES: [u8; 8] = [b'^', b'\n', b' ', b'^', b'^', b'^', b'^', b'^'];

#[expect(clippy::indexing_slicing, reason = "run by the compiler, with indexes below 256")]
const fn single_lookup(singles: &[u8; 8]) -> [u8; 256] {
    let mut out = [0; 256];
    let mut bit = 0;
    while bit < 8 {
        out[singles[bit] as usize] |= 1 << bit;
        bit += 1;
    }
    out
}

static LOOKUPS: [[u8; 256]; 5] =
    [lookup(&TABLES[0]), lookup(&TABLES[1]), lookup(&TABLES[2]), single_lookup(&SINGLES), single_lookup(&MORE_SINGLES)];

/// Turns eight bytes into eight bytes of which the n-th holds the n-th bits. Source: Warren, "Hacker's Delight", 7-3.
fn transposed(bytes: u64) -> u64 {
    let mut x = bytes;
    let t = (x ^ (x >> 7)) & 0x00aa_00aa_00aa_00aa;
    x ^= t ^ (t << 7);
    let t = (x ^ (x >> 14)) & 0x0000_cccc_0000_cccc;
    x ^= t ^ (t << 14);
    let t = (x ^ (x >> 28)) & 0x0000_0000_f0f0_f0f0;
    x ^ t ^ (t << 28)
}

/// Computes the masks on any machine.
pub(super) fn masks(block: &[u8; LANES]) -> Masks {
    let mut planes = [[0_u64; 8]; 5];
    let mut high = 0;
    for (group, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        let shift = group * 8;
        let word = u64::from_le_bytes(*bytes);
        high |= (transposed(word) >> 56) << shift;
        for (lookup, planes) in LOOKUPS.iter().zip(&mut planes) {
            let classes = bytes.map(|byte| lookup.get(usize::from(byte)).copied().unwrap_or_default());
            let bits = transposed(u64::from_le_bytes(classes)).to_le_bytes();
            for (plane, bits) in planes.iter_mut().zip(bits) {
                *plane |= u64::from(bits) << shift;
            }
        }
    }
    let union = |planes: &[u64; 8], bits: u8| {
        planes.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).fold(0, |all, (_, plane)| all | plane)
    };
    let [first, second, third, singles, [caret, newline, space, ..]] = &planes;
    let [dot, colon, backslash, percent, ampersand, semicolon, equals, base64_a] = singles;
    Masks {
        digit: union(first, DIGIT),
        hex: union(first, HEX),
        letter: union(first, LETTER),
        two_to_seven: union(first, TWO_TO_SEVEN),
        control: union(first, CONTROL),
        escape_letter: union(first, ESCAPE_LETTER),
        gap: union(first, GAP),
        base64_first: union(second, BASE64_FIRST),
        base64_second: union(second, BASE64_SECOND),
        base64_third: union(third, BASE64_THIRD),
        base64_zero: union(second, BASE64_ZERO),
        base64_a: *base64_a,
        open: union(third, OPEN),
        mark_letter: union(third, MARK_LETTER),
        hash: union(third, HASH),
        question: union(third, QUESTION),
        dot: *dot,
        colon: *colon,
        backslash: *backslash,
        percent: *percent,
        ampersand: *ampersand,
        semicolon: *semicolon,
        equals: *equals,
        caret: *caret,
        newline: *newline,
        space: *space,
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The masks said plainly, byte by byte.
    fn plain(block: &[u8; LANES]) -> Masks {
        let of = |is: &dyn Fn(u8) -> bool| {
            block.iter().enumerate().fold(0_u64, |all, (at, &byte)| all | u64::from(is(byte)) << at)
        };
        let value = |byte: u8| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".iter().position(|&b| b == byte)
        };
        let encodes = |byte: u8, is: &dyn Fn(usize) -> bool| value(byte).is_some_and(is);
        Masks {
            digit: of(&|b| b.is_ascii_digit()),
            hex: of(&|b| b.is_ascii_hexdigit()),
            letter: of(&|b| b.is_ascii_alphabetic()),
            two_to_seven: of(&|b| (b'2'..=b'7').contains(&b)),
            control: of(&|b| matches!(b, 0 | 0x0b | 0x10 | 0x1b)),
            escape_letter: of(&|b| matches!(b, b'u' | b'x')),
            gap: of(&|b| matches!(b, b' ' | b',' | b'-')),
            base64_first: of(&|b| encodes(b, &|v| (8..32).contains(&v) || v == 2 || v == 3)),
            base64_second: of(&|b| {
                encodes(b, &|v| (2..8).contains(&(v & 15)) || v & 15 == 0) || matches!(b, b'{' | b'|' | b'}' | b'~')
            }),
            base64_third: of(&|b| {
                encodes(b, &|v| v & 3 < 2) || matches!(b, b'`' | b'[' | b'\x7f' | b'{' | b'|' | b']' | b'^' | b'@')
            }),
            base64_zero: of(&|b| matches!(b, b'A' | b'Q' | b'g' | b'w')),
            base64_a: of(&|b| b == b'A'),
            open: of(&|b| matches!(b, b'(' | b'[' | b'{')),
            mark_letter: of(&|b| matches!(b, b'@' | b'`' | b'A' | b'a' | b'D' | b'd')),
            hash: of(&|b| b == b'#'),
            question: of(&|b| b == b'?'),
            dot: of(&|b| b == b'.'),
            colon: of(&|b| b == b':'),
            backslash: of(&|b| b == b'\\'),
            percent: of(&|b| b == b'%'),
            ampersand: of(&|b| b == b'&'),
            semicolon: of(&|b| b == b';'),
            equals: of(&|b| b == b'='),
            caret: of(&|b| b == b'^'),
            newline: of(&|b| b == b'\n'),
            space: of(&|b| b == b' '),
            high: of(&|b| b >= 0x80),
        }
    }

    #[test]
    fn every_byte_has_its_classes() {
        for first in (0..=255_u8).step_by(64) {
            let mut block = [0; LANES];
            for (at, byte) in block.iter_mut().enumerate() {
                *byte = first + u8::try_from(at).unwrap();
            }
            let (have, want) = (masks(&block), plain(&block));
            // What is no base64 may be taken for it; what is one must be.
            let loose = Masks { base64_second: 0, base64_third: 0, ..have };
            assert_eq!(loose, Masks { base64_second: 0, base64_third: 0, ..want }, "{first}");
            for (at, byte) in block.iter().enumerate().filter(|(_, b)| b.is_ascii_alphanumeric()) {
                let bit = 1 << at;
                assert_eq!(have.base64_second & bit, want.base64_second & bit, "{byte}");
                assert_eq!(have.base64_third & bit, want.base64_third & bit, "{byte}");
            }
        }
    }
}
