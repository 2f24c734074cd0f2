//! Where in raw bytes something may begin, end or hide that has the shape of an observable: a sweep over every byte, 64 at a
//! time, as fast as memory allows.
//!
//! It may only over-approximate: `tokens.rs` says what a token is, `decoding/` what an encoding is.

mod classes;
mod simd;

use classes::{LANES, Masks};
pub use simd::Level;

/// Places in 64 bytes, one bit each, the first byte lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The digit behind the third of dots between digits, none more than three digits apart.
    pub v4: u64,
    /// The letter behind a dot.
    pub name: u64,
    /// The second of two colons, or the digit behind the last of six colons between digits in 128 bytes.
    pub colon: u64,
    /// The 32nd hexadecimal digit in a row.
    pub hex: u64,
    /// What is behind the fourth of pairs of hexadecimal digits between spaces or hyphens.
    pub pairs: u64,
    /// The end of hexadecimal digits that encode printable text, in bytes or in UTF-16, in a row or in groups.
    pub hex_text: u64,
    /// The end of what may be twelve characters of base64 that encode printable text, or eight that encode UTF-16.
    pub base64: u64,
    /// The end of the beginning of an escape or of visible defanging.
    pub escape: u64,
    /// What is not ASCII.
    pub high: u64,
}

impl Candidates {
    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.v4 | self.name | self.colon | self.hex | self.pairs | self.hex_text | self.base64 | self.escape | self.high
            == 0
    }
}

/// What the bytes before a block were, as far as a candidate may begin there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carry {
    dot: u64,
    digit: u64,
    octet: u64,
    octet_2: u64,
    hex: u64,
    hex_2: u64,
    hex_4: u64,
    hex_8: u64,
    hex_16: u64,
    hex_32: u64,
    printable: u64,
    printable_2: u64,
    printable_4: u64,
    wide: u64,
    wide_2: u64,
    texts: u64,
    texts_by_pair: [u64; 2],
    texts_by_four: u64,
    texts_by_eight: u64,
    prefixed: u64,
    escape_letter: u64,
    colon: u64,
    pairs: u64,
    gapped: u64,
    first: u64,
    second: u64,
    zero: u64,
    a: u64,
    quads: u64,
    quads_3: u64,
    backslash: u64,
    percent: u64,
    ampersand: u64,
    equals: u64,
    two_to_seven: u64,
    open: u64,
    hash: u64,
    /// How many colons between digits were in the block before.
    colons: u32,
    /// Whether letters and digits that began behind `&` go on.
    entity: bool,
}

/// Moves places on by `by` bytes; those at the end of the block before come in.
#[inline(always)]
const fn behind(here: u64, before: u64, by: u32) -> u64 {
    here << by | before >> (64 - by)
}

impl Carry {
    /// Finds the candidates of one block, and carries what the next one needs.
    #[inline(always)]
    fn derive(&mut self, m: &Masks) -> Candidates {
        let before = *self;
        let dot_1 = behind(m.dot, before.dot, 1);
        let digit_2 = behind(m.digit, before.digit, 2);
        // Two to four bytes on: an octet has one to three digits.
        let near = |here, before| behind(here, before, 2) | behind(here, before, 3) | behind(here, before, 4);
        let octet = m.digit & dot_1 & digit_2;
        let octet_2 = octet & near(octet, before.octet);
        let octet_3 = octet_2 & near(octet_2, before.octet_2);
        let hex_1 = behind(m.hex, before.hex, 1);
        let hex_2_back = behind(m.hex, before.hex, 2);
        let colon_1 = behind(m.colon, before.colon, 1);
        // Runs of hexadecimal digits, by doubling: two, four, eight, sixteen in a row.
        let hex_2 = m.hex & hex_1;
        let hex_4 = hex_2 & behind(hex_2, before.hex_2, 2);
        let hex_8 = hex_4 & behind(hex_4, before.hex_4, 4);
        let hex_16 = hex_8 & behind(hex_8, before.hex_8, 8);
        let hex_32 = hex_16 & behind(hex_16, before.hex_16, 16);
        let last = hex_32 & !behind(hex_32, before.hex_32, 1);
        // `6576696c` is text: the first digit of each pair is one of 2 to 7. In UTF-16, `00` follows.
        let printable = m.hex & behind(m.two_to_seven, before.two_to_seven, 1);
        let printable_2 = printable & behind(printable, before.printable, 2);
        let printable_4 = printable_2 & behind(printable_2, before.printable_2, 4);
        let printable_8 = printable_4 & behind(printable_4, before.printable_4, 8);
        let zeros = m.digit & behind(m.digit, before.digit, 1);
        let wide = zeros & behind(printable, before.printable, 2);
        let wide_2 = wide & behind(wide, before.wide, 4);
        let wide_4 = wide_2 & behind(wide_2, before.wide_2, 8);
        // In groups: `65 76`, `65,76`; `6576 696c`; `6576696c 2e657861`; `0x65, 0x76`.
        let any_gap = m.gap | m.colon | m.semicolon;
        let by_pair = behind(printable, before.printable, 1) & any_gap;
        let by_pair_2 = by_pair & behind(by_pair, before.texts_by_pair[0], 3);
        let by_pair_4 = by_pair_2 & behind(by_pair_2, before.texts_by_pair[1], 6);
        let by_four = behind(printable_2, before.printable_2, 1) & m.space;
        let by_four_3 = by_four & behind(by_four, before.texts_by_four, 5) & behind(by_four, before.texts_by_four, 10);
        let by_eight = behind(printable_4, before.printable_4, 1) & m.space;
        let by_eight_2 = by_eight & behind(by_eight, before.texts_by_eight, 9);
        let prefixed = by_pair & behind(m.escape_letter, before.escape_letter, 3);
        let prefixed_2 = prefixed & (behind(prefixed, before.prefixed, 5) | behind(prefixed, before.prefixed, 6));
        let texts = printable_8 | wide_4 | by_pair_4 | by_four_3 | by_eight_2 | prefixed_2;
        // `48 65 6c 6c `: two digits and a gap, four times.
        let gapped = hex_2_back & hex_1 & m.gap;
        let pairs = gapped & behind(gapped, before.gapped, 3);
        let fourth_pair = pairs & behind(pairs, before.pairs, 6);
        let between = m.hex & colon_1 & hex_2_back;
        let colons = between.count_ones();
        let many = if colons + before.colons >= 6 { between } else { 0 };
        // Three of four characters of base64 tell whether they encode printable ASCII.
        let quads =
            m.base64_third & behind(m.base64_second, before.second, 1) & behind(m.base64_first, before.first, 2);
        let quads_2 = quads & behind(quads, before.quads, 4);
        let quads_3 = quads_2 & behind(quads, before.quads, 8);
        let third_quad = quads_3 & !behind(quads_3, before.quads_3, 4);
        // `xAxxAxxA` as UTF-16 in base64 has its zero bytes.
        let wide_quads = m.base64_a
            & behind(m.base64_a, before.a, 3)
            & behind(m.base64_zero, before.zero, 6)
            & behind(m.base64_first, before.first, 7);
        let backslash_1 = behind(m.backslash, before.backslash, 1);
        let ampersand_1 = behind(m.ampersand, before.ampersand, 1);
        let equals_1 = behind(m.equals, before.equals, 1);
        // Adding a bit at the first character of a run of letters and digits carries it behind the run.
        let word = m.letter | m.digit;
        let (sum, goes_on) = word.overflowing_add(ampersand_1 & word | u64::from(before.entity));
        let entity = sum & !word & m.semicolon;
        let escape = backslash_1 & (m.escape_letter | m.digit)
            | behind(m.percent, before.percent, 2) & hex_1 & m.hex
            | behind(m.percent, before.percent, 1) & m.escape_letter
            | ampersand_1 & m.hash
            | entity
            | equals_1 & (m.question | m.backslash | m.newline)
            | behind(m.equals, before.equals, 2) & m.newline
            | behind(m.backslash, before.backslash, 2) & m.open
            | m.caret
            | behind(m.equals, before.equals, 2) & behind(m.two_to_seven, before.two_to_seven, 1) & m.hex
            | behind(m.open, before.open, 1) & (m.gap | m.dot | m.colon | m.mark_letter)
            | behind(m.hash, before.hash, 1) & m.digit
            | m.control;
        *self = Self {
            dot: m.dot,
            digit: m.digit,
            octet,
            octet_2,
            hex: m.hex,
            hex_2,
            hex_4,
            hex_8,
            hex_16,
            hex_32,
            printable,
            printable_2,
            printable_4,
            wide,
            wide_2,
            texts,
            texts_by_pair: [by_pair, by_pair_2],
            texts_by_four: by_four,
            texts_by_eight: by_eight,
            prefixed,
            escape_letter: m.escape_letter,
            colon: m.colon,
            pairs,
            gapped,
            first: m.base64_first,
            second: m.base64_second,
            zero: m.base64_zero,
            a: m.base64_a,
            quads,
            quads_3,
            backslash: m.backslash,
            percent: m.percent,
            ampersand: m.ampersand,
            equals: m.equals,
            two_to_seven: m.two_to_seven,
            open: m.open,
            hash: m.hash,
            colons,
            entity: goes_on,
        };
        Candidates {
            v4: octet_3,
            name: m.letter & dot_1,
            colon: m.colon & colon_1 | many,
            hex: last,
            pairs: fourth_pair,
            hex_text: texts & !behind(texts, before.texts, 2),
            base64: third_quad | wide_quads,
            escape,
            high: m.high,
        }
    }
}

/// How many blocks are swept before their candidates are looked at: what is written stays in the nearest cache.
const BATCH: usize = 32;

/// Calls `each` with the candidates of every 64 bytes of `text` that have some, and where these bytes begin.
pub fn candidates(text: &[u8], level: Level, mut each: impl FnMut(usize, &Candidates)) {
    let mut carry = Carry::default();
    let mut found = [Candidates::default(); BATCH];
    let (blocks, rest) = text.as_chunks::<LANES>();
    let mut start = 0;
    for batch in blocks.chunks(BATCH) {
        level.sweep(batch, &mut carry, &mut found);
        for one in found.iter().take(batch.len()) {
            if !one.is_empty() {
                each(start, one);
            }
            start += LANES;
        }
    }
    // A line's end adjoins nothing, so it may stand behind the last byte.
    let mut last = [b'\n'; LANES];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    level.sweep(&[last], &mut carry, &mut found);
    if let Some(one) = found.first().filter(|one| !one.is_empty()) {
        each(start, one);
    }
}

/// Calls `each` with the place of every bit, the lowest first.
pub fn places(mut mask: u64, start: usize, mut each: impl FnMut(usize)) {
    while mask != 0 {
        each(start + mask.trailing_zeros() as usize);
        mask &= mask - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every candidate of a text: what it is, and where.
    fn found(text: &[u8], level: Level) -> Vec<(&'static str, usize)> {
        let mut out = Vec::new();
        candidates(text, level, |start, one| {
            for (name, mask) in [
                ("v4", one.v4),
                ("name", one.name),
                ("colon", one.colon),
                ("hex", one.hex),
                ("pairs", one.pairs),
                ("hex text", one.hex_text),
                ("base64", one.base64),
                ("escape", one.escape),
                ("high", one.high),
            ] {
                places(mask, start, |at| out.push((name, at)));
            }
        });
        out.sort_unstable_by_key(|(_, at)| *at);
        out
    }

    #[test]
    fn every_shape_is_named_wherever_it_stands_and_near_misses_are_not() {
        let rows: &[(&str, &[&str], &[&str])] = &[
            ("v4", &["10.11.12.13", "1.2.3.4"], &["10.11.12", "10.11.1234.5", "1..2.3", "5.0.x.1"]),
            ("name", &["evil.example", "a.bc"], &["evil example", "evil.", "1.2"]),
            ("colon", &["::1", "fe80::1", "1:2:3:4:5:6:7:8", "d4:b4:cc:cd:a9:22:86"], &["12:34:56", "\"a\":\"b\""]),
            (
                "hex",
                &["d4b4cccda9228624656bff33d8110955"],
                &["d4b4cccda9228624656bff33d811095", "d4b4cccda9228624-656bff33d8110955"],
            ),
            ("pairs", &["d4 b4 cc cd a9", "d4-b4-cc-cd-a9"], &["d4 b4 cc", "d4b4 cccd a922 8624"]),
            (
                "hex text",
                &[
                    "6576696c2e657861",
                    "6500760069006c00",
                    "65 76 69 6c ",
                    "65,76,69,6c,",
                    "6576 696c 2e65 ",
                    "6576696c 2e657861 ",
                    "0x65, 0x76,",
                ],
                &["6576696c2e6578", "6586696c2e657861", "65 86 69 6c "],
            ),
            (
                "base64",
                &["ZXZpbC5leGFt", "xZXZpbC5leGFt", "ZQB2AGkAbAA"],
                &["ZXZpbC5l", "AAAAAAAAAAAA", "////////////"],
            ),
            (
                "escape",
                &[
                    r"\u002e", r"\x2e", r"\056", "%2e", "%u002e", "&#46;", "&period;", "=?utf-8", "=2E", "[.]",
                    "( dot )", "{@}", "#033", "\0",
                ],
                &[r"\n", "%zz", "& ", "&a=b", "= x", "=1E", "[x]", "a;"],
            ),
            ("high", &["é"], &["e"]),
        ];
        for (name, yes, no) in rows {
            for lead in 0..130 {
                let text = |value: &str| format!("{} {value} ", "|".repeat(lead)).into_bytes();
                for value in *yes {
                    let found = found(&text(value), Level::PORTABLE);
                    assert!(found.iter().any(|(have, _)| have == name), "{name} {value} behind {lead}: {found:?}");
                }
                for value in *no {
                    let found = found(&text(value), Level::PORTABLE);
                    assert!(found.iter().all(|(have, _)| have != name), "{name} {value} behind {lead}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn every_level_finds_the_same() {
        let mut text = Vec::new();
        let mut state = 0x0558_u64;
        let pieces: &[&[u8]] = &[
            b"10.11.12.13",
            b"evil.example",
            b"::ffff:",
            b"d4b4cccda9228624656bff33d811095577963",
            b"d4 b4 ",
            b"%2e",
            b"&amp",
            b";",
            b"ZXZpbC5leGFt",
            b"\\u00",
            b"[.]",
            b"=?",
            b"=2E",
            b"\xc3\xa9",
            b"\n",
            b"\"",
            b" ",
            b"6576696c2e",
            b"AAB",
            b"\0",
        ];
        while text.len() < 100_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match usize::try_from(state >> 40).unwrap() {
                random if random % 4 == 0 => text.push(u8::try_from(random >> 8 & 255).unwrap()),
                random => text.extend_from_slice(pieces[random % pieces.len()]),
            }
        }
        let portable = found(&text, Level::PORTABLE);
        assert!(portable.len() > 10_000);
        for level in Level::all() {
            assert_eq!(found(&text, level), portable, "{}", level.name());
        }
    }
}
