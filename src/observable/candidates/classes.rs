//! What three bytes in a row may be: the beginning of an escape, a part of an address, a name, a digest, an encoding.
//!
//! Each table gives for a byte the bits of the patterns that it may be the first, second or third byte of; a pattern stands
//! where all three agree. Each way of computing [`Grams`] gives the same.

/// The bytes that are looked at together.
pub(super) const LANES: usize = 64;
/// The bytes before them that the first ones are looked at with.
pub(super) const BEFORE: usize = 2;
/// Both.
pub(super) const WINDOW: usize = BEFORE + LANES;
/// How many windows are looked at before what they hold is: what is written stays in the nearest cache.
pub(super) const BATCH: usize = 32;

/// For each of 64 bytes, the lowest bit the first, what it is, or what three bytes are that end with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grams {
    /// The first three bytes of an escape or of defanging, or of what looks like it.
    pub escape: u64,
    /// Three of four characters of base64 that encode text in ASCII.
    pub quad: u64,
    /// A dot between digits.
    pub octet: u64,
    /// A letter behind a dot.
    pub name: u64,
    /// Two colons.
    pub colons: u64,
    /// A colon between hexadecimal digits.
    pub group: u64,
    /// Two hexadecimal digits and a space or hyphen.
    pub pair: u64,
    /// Two hexadecimal digits of a printable character.
    pub printable: u64,
    /// The same and what may stand between groups of them.
    pub printable_pair: u64,
    pub hex: u64,
    pub zero: u64,
    /// `A`
    pub base64_a: u64,
    /// `A`, `Q`, `g`, `w`: the second of four characters of base64 where a zero byte follows.
    pub base64_zero: u64,
    /// The first of four characters of base64 that encode text in ASCII.
    pub base64_first: u64,
    pub ampersand: u64,
    pub semicolon: u64,
    /// A letter or digit.
    pub word: u64,
    /// A hyphen or underscore.
    pub joint: u64,
    /// Not ASCII.
    pub high: u64,
}

/// A table of one byte of three: bits for each ASCII byte, and bits for every byte.
pub(super) struct Table {
    pub bits: [u8; 128],
    pub always: u8,
}

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdefABCDEF";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const TWO_TO_SEVEN: &[u8] = b"234567";

impl Table {
    const fn new(always: u8) -> Self {
        Self { bits: [0; 128], always }
    }

    #[expect(clippy::indexing_slicing, reason = "run by the compiler, on ASCII")]
    const fn with(mut self, bit: u8, bytes: &[u8]) -> Self {
        let mut at = 0;
        while at < bytes.len() {
            self.bits[bytes[at] as usize] |= 1 << bit;
            at += 1;
        }
        self
    }

    /// Adds the base64 characters whose value, as far as `mask` goes, is one of a set.
    #[expect(clippy::indexing_slicing, reason = "run by the compiler, with values below 64")]
    const fn with_base64(mut self, bit: u8, mask: usize, set: u32) -> Self {
        let mut value = 0;
        while value < 64 {
            if mask & value < 32 && set >> (value & mask) & 1 == 1 {
                self.bits[BASE64[value] as usize] |= 1 << bit;
                // The other alphabet. Source: RFC 4648, section 5.
                if value >= 62 {
                    self.bits[if value == 62 { b'-' } else { b'_' } as usize] |= 1 << bit;
                }
            }
            value += 1;
        }
        self
    }
}

/// The first nibble of tab and line ends and of printable ASCII: 0, 2 to 7.
const TEXT_NIBBLES: u32 = 0b1111_1101;
/// The six highest bits of tab (9), line feed (10) and carriage return (13) and of printable ASCII.
const TEXT_HIGH: u32 = !0b1111_0011;

/// Escapes: `\`, `%`, `&#`, `=2E`, `=?`, brackets, `#033`, and what stands alone. Source: `decoding/`.
pub(super) static ESCAPES: [Table; 3] = [
    Table::new(0)
        .with(0, b"\\")
        .with(1, b"%")
        .with(2, b"&#")
        .with(3, b"=")
        .with(4, b"=")
        .with(5, b"([{")
        .with(6, b"=")
        .with(7, b"\0\x1b^"),
    Table::new(1 << 7)
        .with(0, b"uxXeE0123")
        .with(1, HEX)
        .with(1, b"uU")
        .with(2, b"#01")
        .with(3, b"2345")
        .with(4, b"?\\\r\n")
        .with(5, b" .:@dDaA")
        .with(6, b"CDE"),
    Table::new(1 << 7 | 1 << 4)
        .with(0, HEX)
        .with(0, b"[")
        .with(1, HEX)
        .with(2, DIGITS)
        .with(2, b"xX")
        .with(3, b"0ABDEF")
        .with(5, b")]}/ oOtT.:@dDaA")
        .with(6, b"0123456789ABCDEF"),
];

/// Three bytes that are a part of something.
pub(super) static SHAPES: [Table; 3] = [
    Table::new(1 << 2 | 1 << 3 | 1 << 6)
        .with_base64(0, 63, TEXT_HIGH)
        .with(1, DIGITS)
        .with(4, HEX)
        .with(5, HEX)
        .with(7, TWO_TO_SEVEN),
    Table::new(0)
        .with_base64(0, 15, TEXT_NIBBLES)
        .with(1, b".")
        .with(2, b".")
        .with(3, b":")
        .with(4, b":")
        .with(5, HEX)
        .with(6, TWO_TO_SEVEN)
        .with(7, HEX),
    Table::new(0)
        .with_base64(0, 3, 0b11)
        .with(1, DIGITS)
        .with(2, LETTERS)
        .with(3, b":")
        .with(4, HEX)
        .with(5, b" -")
        .with(6, HEX)
        .with(7, b" ,:;"),
];

/// What a byte is by itself.
pub(super) static SINGLES: Table = Table::new(0)
    .with(0, HEX)
    .with(1, b"0")
    .with(2, b"A")
    .with(3, b"AQgw")
    .with_base64(4, 63, TEXT_HIGH)
    .with(5, b"&")
    .with(6, b";")
    .with(7, DIGITS)
    .with(7, LETTERS);

/// Those of [`Grams`] that no bit of a table tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odd {
    pub escape: u64,
    pub high: u64,
    pub joint: u64,
}

/// What is in some windows: for each of [`Grams`], a word a window.
#[derive(Clone, Debug)]
pub(super) struct Planes {
    pub escape: [u64; BATCH],
    pub high: [u64; BATCH],
    pub joint: [u64; BATCH],
    /// By the bits of [`SHAPES`].
    pub shapes: [[u64; BATCH]; 8],
    /// By the bits of [`SINGLES`].
    pub singles: [[u64; BATCH]; 8],
}

impl Planes {
    pub const EMPTY: Self = Self {
        escape: [0; BATCH],
        high: [0; BATCH],
        joint: [0; BATCH],
        shapes: [[0; BATCH]; 8],
        singles: [[0; BATCH]; 8],
    };

    /// Notes what is in one window.
    #[inline(always)]
    pub fn set(&mut self, at: usize, odd: Odd, shapes: [u64; 8], singles: [u64; 8]) {
        self.note(at, odd);
        for (plane, word) in self.shapes.iter_mut().zip(shapes).chain(self.singles.iter_mut().zip(singles)) {
            set(plane, at, word);
        }
    }

    /// Notes of one window what is in no table of bits.
    #[inline(always)]
    pub fn note(&mut self, at: usize, odd: Odd) {
        set(&mut self.escape, at, odd.escape);
        set(&mut self.high, at, odd.high);
        set(&mut self.joint, at, odd.joint);
    }

    /// Returns what is in one window.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "`at` is below `BATCH`; a check would keep several from being computed at once"
    )]
    pub fn grams(&self, at: usize) -> Grams {
        let [quad, octet, name, colons, group, pair, printable, printable_pair] = &self.shapes;
        let [hex, zero, base64_a, base64_zero, base64_first, ampersand, semicolon, word] = &self.singles;
        Grams {
            escape: self.escape[at],
            quad: quad[at],
            octet: octet[at],
            name: name[at],
            colons: colons[at],
            group: group[at],
            pair: pair[at],
            printable: printable[at],
            printable_pair: printable_pair[at],
            hex: hex[at],
            zero: zero[at],
            base64_a: base64_a[at],
            base64_zero: base64_zero[at],
            base64_first: base64_first[at],
            ampersand: ampersand[at],
            semicolon: semicolon[at],
            word: word[at],
            joint: self.joint[at],
            high: self.high[at],
        }
    }
}

#[inline(always)]
fn set(plane: &mut [u64; BATCH], at: usize, word: u64) {
    if let Some(to) = plane.get_mut(at) {
        *to = word;
    }
}

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

fn bits(table: &Table, byte: u8) -> u8 {
    table.always | table.bits.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Computes what is in the window with this number, on any machine.
pub(super) fn look(window: &[u8; WINDOW], at: usize, planes: &mut Planes) {
    let mut odd = Odd { escape: 0, high: 0, joint: 0 };
    let (mut shapes, mut singles) = ([0_u64; 8], [0_u64; 8]);
    for group in 0..LANES / 8 {
        let shift = group * 8;
        let Some(bytes) = window.get(shift..).and_then(|rest| rest.first_chunk::<10>()) else { continue };
        let three = |tables: &[Table; 3]| {
            let [first, second, third] = tables;
            let mut out = [0; 8];
            for (out, three) in out.iter_mut().zip(bytes.windows(3)) {
                if let [a, b, c] = three {
                    *out = bits(first, *a) & bits(second, *b) & bits(third, *c);
                }
            }
            out
        };
        let [_, _, own @ ..] = bytes;
        let spread = |planes: &mut [u64; 8], bytes: [u8; 8]| {
            for (plane, bits) in planes.iter_mut().zip(transposed(u64::from_le_bytes(bytes)).to_le_bytes()) {
                *plane |= u64::from(bits) << shift;
            }
        };
        spread(&mut shapes, three(&SHAPES));
        spread(&mut singles, own.map(|byte| bits(&SINGLES, byte)));
        let some = |bytes: [u8; 8]| transposed(u64::from_le_bytes(bytes.map(|byte| u8::from(byte != 0)))) & 0xff;
        odd.escape |= some(three(&ESCAPES)) << shift;
        odd.high |= some(own.map(|byte| byte & 0x80)) << shift;
        odd.joint |= some(own.map(|byte| u8::from(matches!(byte, b'-' | b'_')))) << shift;
    }
    planes.set(at, odd, shapes, singles);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_text_is_told_by_three_of_four_characters() {
        let all = |bytes: &[u8; 3]| {
            let values = [bytes[0] >> 2, (bytes[0] & 3) << 4 | bytes[1] >> 4, (bytes[1] & 15) << 2 | bytes[2] >> 6];
            let stands = |table: usize| SHAPES[table].bits[usize::from(BASE64[usize::from(values[table])])] & 1 == 1;
            stands(0) && stands(1) && stands(2)
        };
        let text: Vec<u8> = (b' '..=b'~').chain(*b"\t\r\n").collect();
        for &a in &text {
            for &b in &text {
                assert!(all(&[a, b, b'e']) && all(&[b'e', a, b]), "{a} {b}");
            }
        }
        assert!(!all(b"\0ab") && !all(b"ab\xff") && !all(b"a\x80b") && !all(b"\xe4ab"));
    }

    #[test]
    fn bytes_beyond_ascii_are_nothing_but_high() {
        let mut planes = Planes::EMPTY;
        look(&[0xe9; WINDOW], 3, &mut planes);
        assert_eq!(planes.grams(3), Grams { high: u64::MAX, ..Grams::default() });
        assert_eq!(planes.grams(2), Grams::default());
    }
}
