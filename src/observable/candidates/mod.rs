//! Where in raw bytes something may begin, end or hide that has the shape of an observable: a sweep over every byte, 64 at a
//! time, as fast as memory allows.
//!
//! It may only over-approximate: `tokens.rs` says what a token is, `decoding/` what an encoding is.

mod classes;
mod simd;

use classes::{BATCH, BEFORE, Grams, LANES, Planes, WINDOW};
pub use simd::Level;

/// What a place is a candidate of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The digit behind the third of dots between digits, none more than three digits apart.
    V4,
    /// The second byte behind labels of which the last one begins with a letter.
    Name,
    /// The second of two colons, or the digits behind colons where six of these stand in 128 bytes.
    Colon,
    /// The 32nd hexadecimal digit in a row.
    Hex,
    /// What is behind the fourth of pairs of hexadecimal digits between spaces or hyphens.
    Pairs,
    /// The end of hexadecimal digits that may encode printable text, in bytes or in UTF-16, in a row or in groups.
    HexText,
    /// The end of what may be twelve characters of base64 that encode text, or eight that encode UTF-16.
    Base64,
    /// The third byte of what may be an escape or visible defanging, or the semicolon of an entity.
    Escape,
    /// What is not ASCII.
    High,
}

/// How many kinds there are.
const KINDS: usize = 9;

/// The candidates of some blocks of 64 bytes in a row: places, one bit each, the first byte of a block lowest.
#[derive(Debug)]
struct Found {
    places: [[u64; BATCH]; KINDS],
    /// Letters, digits, hyphens and underscores; first those of the block before.
    labels: [u64; BATCH + 1],
}

/// Some kilobytes of a text, swept.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'f> {
    found: &'f Found,
    start: usize,
    count: usize,
}

impl Batch<'_> {
    /// Calls `each` with every place of a kind, the first one first. It may be up to two bytes behind the end of the text.
    #[inline]
    pub fn places(&self, kind: Kind, mut each: impl FnMut(usize)) {
        self.blocks(kind, |_, start, places| bits(places, start, &mut each));
    }

    /// Calls `each` with every place of [`Kind::Name`], and what is a label up to the byte before it.
    #[inline]
    pub fn names(&self, mut each: impl FnMut(usize, Labels)) {
        self.blocks(Kind::Name, |at, start, places| {
            let [before, here] = [at, at + 1].map(|at| self.found.labels.get(at).copied().unwrap_or_default());
            let mut places = places;
            while places != 0 {
                let bit = places.trailing_zeros();
                places &= places - 1;
                // What ends before the byte before the place comes highest.
                let labels = match bit.checked_sub(1) {
                    Some(ended) => {
                        before.checked_shr(ended).unwrap_or_default() | here.checked_shl(64 - ended).unwrap_or_default()
                    }
                    None => before << 1,
                };
                each(start + bit as usize, Labels(labels));
            }
        });
    }

    /// Calls `each` with the number of every block that has places of a kind, where it begins, and these places.
    #[inline]
    fn blocks(&self, kind: Kind, mut each: impl FnMut(usize, usize, u64)) {
        let Some(plane) = self.found.places.get(kind as usize) else { return };
        // Most kinds are rare: all blocks at once are soon asked.
        if plane.iter().fold(0, |all, places| all | places) == 0 {
            return;
        }
        for (at, places) in plane.iter().enumerate().take(self.count) {
            if *places != 0 {
                each(at, self.start + at * LANES, *places);
            }
        }
    }
}

/// Which of 64 bytes in a row are letters, digits, hyphens and underscores, the last byte highest.
#[derive(Clone, Copy, Debug)]
pub struct Labels(u64);

impl Labels {
    /// Returns how long the last label is; none where it may be longer than can be seen.
    #[inline]
    pub fn last(self) -> Option<usize> {
        let length = self.0.leading_ones();
        (length < u64::BITS).then(|| usize::try_from(length).unwrap_or_default())
    }

    /// Returns how long the label before the last one is, a byte before it; none where it may be longer than can be seen.
    #[inline]
    pub fn before_last(self) -> Option<usize> {
        let last = self.0.leading_ones() + 1;
        let length = self.0.checked_shl(last)?.leading_ones();
        (last + length < u64::BITS).then(|| usize::try_from(length).unwrap_or_default())
    }
}

/// What the bytes before a block were, as far as a candidate may begin there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carry {
    octet: u64,
    octet_2: u64,
    hex: [u64; 6],
    pair: u64,
    pair_2: u64,
    printable: [u64; 3],
    zero: u64,
    wide: u64,
    wide_2: u64,
    texts: u64,
    quad: u64,
    quad_3: u64,
    word: u64,
    base64_a: u64,
    base64_zero: u64,
    base64_first: u64,
    ampersand: u64,
    /// How many colons between digits were in the block before.
    groups: u32,
    printable_pairs: [u64; 5],
    /// Whether letters and digits that began behind `&` go on.
    entity: bool,
    /// Whether a label that began with a letter behind a dot goes on.
    name: bool,
    /// What is behind such labels.
    name_end: u64,
    label: u64,
}

/// Moves places on by `by` bytes; those at the end of the block before come in.
#[inline(always)]
const fn behind(here: u64, before: u64, by: u32) -> u64 {
    here << by | before >> (64 - by)
}

impl Found {
    const NONE: Self = Self { places: [[0; BATCH]; KINDS], labels: [0; BATCH + 1] };

    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "`at` is below `BATCH`; a check would keep several from being set at once"
    )]
    fn set(&mut self, at: usize, places: [u64; KINDS], labels: u64) {
        for (plane, places) in self.places.iter_mut().zip(places) {
            plane[at] = places;
        }
        self.labels[at + 1] = labels;
    }
}

impl Carry {
    /// Finds the candidates of the first blocks of some, and carries what the next ones need.
    ///
    /// Each step says of one block what it takes from the one before, and nothing else goes from block to block, so that a
    /// compiler makes several steps at once where the machine can.
    #[inline(always)]
    fn derive(&mut self, planes: &Planes, count: usize, found: &mut Found) {
        let mut carry = *self;
        found.labels[0] = carry.label;
        for at in 0..count.min(BATCH) {
            let g = planes.grams(at);
            found.set(at, carry.step(&g), g.word | g.joint);
        }
        *self = carry;
        self.runs(planes, count, found);
    }

    /// Finds the ends of entities and names, which may go through several blocks.
    #[inline(always)]
    fn runs(&mut self, planes: &Planes, count: usize, found: &mut Found) {
        let [_, names, .., escapes, _] = &mut found.places;
        for (at, (name, escape)) in names.iter_mut().zip(escapes).enumerate().take(count) {
            let g = planes.grams(at);
            // Adding a bit at the first character of a run carries it behind the run.
            let label = g.word | g.joint;
            let (sum, carries) = label.overflowing_add(g.name);
            let (sum, carries_on) = sum.overflowing_add(u64::from(self.name));
            let end = sum & !label;
            // A label that follows goes on with the name.
            *name = behind(end, self.name_end, 1) & !g.name;
            (self.name, self.name_end, self.label) = (carries | carries_on, end, label);
            let begins = behind(g.ampersand, self.ampersand, 1) & g.word | u64::from(self.entity);
            self.ampersand = g.ampersand;
            if begins != 0 {
                let (sum, goes_on) = g.word.overflowing_add(begins);
                self.entity = goes_on;
                *escape |= sum & !g.word & g.semicolon;
            }
        }
    }

    /// Finds the candidates of one block, but for names and entities.
    #[inline(always)]
    fn step(&mut self, g: &Grams) -> [u64; KINDS] {
        // Two to four bytes on: an octet has one to three digits.
        let near = |here, before| behind(here, before, 2) | behind(here, before, 3) | behind(here, before, 4);
        let octet_2 = g.octet & near(g.octet, self.octet);
        let octet_3 = octet_2 & near(octet_2, self.octet_2);
        (self.octet, self.octet_2) = (g.octet, octet_2);

        // Runs of hexadecimal digits, by doubling: two, four, eight, sixteen, 32 in a row.
        let mut run = g.hex;
        for (by, before) in [1, 2, 4, 8, 16].into_iter().zip(&mut self.hex) {
            let longer = run & behind(run, *before, by);
            *before = run;
            run = longer;
        }
        let [.., before_run] = &mut self.hex;
        let last = run & !behind(run, *before_run, 1);
        *before_run = run;

        // `48 65 6c 6c `: two digits and a gap, four times.
        let pair_2 = g.pair & behind(g.pair, self.pair, 3);
        let pair_4 = pair_2 & behind(pair_2, self.pair_2, 6);
        (self.pair, self.pair_2) = (g.pair, pair_2);

        let groups = g.group.count_ones();
        let many_groups = if groups + self.groups >= 6 { g.group } else { 0 };
        self.groups = groups;

        // `6576696c2e657861` is text: the first digit of each pair is one of 2 to 7. In UTF-16, `00` follows.
        let [one, two, four] = self.printable;
        let printable_2 = g.printable & behind(g.printable, one, 2);
        let printable_4 = printable_2 & behind(printable_2, two, 4);
        let printable_8 = printable_4 & behind(printable_4, four, 8);
        let wide = g.zero & behind(g.zero, self.zero, 1) & behind(g.printable, one, 2);
        let wide_2 = wide & behind(wide, self.wide, 4);
        let wide_4 = wide_2 & behind(wide_2, self.wide_2, 8);
        self.printable = [g.printable, printable_2, printable_4];
        (self.zero, self.wide, self.wide_2) = (g.zero, wide, wide_2);
        // In groups: `65 76 69 6c `; `6576 696c 2e65 `, `0x65, 0x76, 0x69, `, `6576696c 2e657861 6d706c65 `.
        let [pair_1, pair_2, pair_3, far_1, far_2] = self.printable_pairs;
        let near = |here, before| behind(here, before, 3) | behind(here, before, 4);
        // The last three are those of UTF-16, `65, 00, `, `0x65,0x00,` and `0x65, 0x00, `; `65 00 ` is as far as `0x65, `.
        let far = |here, before| {
            behind(here, before, 5)
                | behind(here, before, 6)
                | behind(here, before, 9)
                | behind(here, before, 8)
                | behind(here, before, 10)
                | behind(here, before, 12)
        };
        let by_pair_2 = g.printable_pair & near(g.printable_pair, pair_1);
        let by_pair_3 = by_pair_2 & near(by_pair_2, pair_2);
        let by_pair_4 = by_pair_3 & near(by_pair_3, pair_3);
        let by_group_2 = g.printable_pair & far(g.printable_pair, far_1);
        let by_group_3 = by_group_2 & far(by_group_2, far_2);
        self.printable_pairs = [g.printable_pair, by_pair_2, by_pair_3, g.printable_pair, by_group_2];
        // Two groups of eight are enough, whatever follows.
        let [_, _, _, hex_8, ..] = self.hex;
        let by_eight_2 = g.printable & hex_8 & behind(g.printable_pair, far_1, 8);
        let by_group = by_pair_4 | by_group_3 | by_eight_2;
        let texts = printable_8 | wide_4;
        let hex_text = texts & !behind(texts, self.texts, 2) | by_group;
        self.texts = texts;

        let quad_3 = g.quad & behind(g.quad, self.quad, 4) & behind(g.quad, self.quad, 8);
        // One is enough of a run. Groups may go on behind it, but not with a letter or digit between two of them.
        let goes_on_4 = behind(quad_3, self.quad_3, 4) & behind(g.word, self.word, 3);
        let third_quad = quad_3 & !goes_on_4;
        (self.quad, self.quad_3, self.word) = (g.quad, quad_3, g.word);
        // `xAxxAxxA`, as UTF-16 in base64 has its zero bytes.
        let wide_quads = g.base64_a
            & behind(g.base64_a, self.base64_a, 3)
            & behind(g.base64_zero, self.base64_zero, 6)
            & behind(g.base64_first, self.base64_first, 7);
        (self.base64_a, self.base64_zero, self.base64_first) = (g.base64_a, g.base64_zero, g.base64_first);

        let (colon, base64) = (g.colons | many_groups, third_quad | wide_quads);
        [octet_3, 0, colon, last, pair_4, hex_text, base64, g.escape, g.high]
    }
}

/// Returns the windows of a text that begins with two bytes before its first block.
#[inline(always)]
fn windows(text: &[u8]) -> impl Iterator<Item = &[u8; WINDOW]> {
    (0..).step_by(LANES).map_while(|start| text.get(start..).and_then(|rest| rest.first_chunk()))
}

/// Calls `each` with all of `text`, some kilobytes at a time.
pub fn candidates(text: &[u8], level: Level, mut each: impl FnMut(&Batch<'_>)) {
    let mut carry = Carry::default();
    let (mut planes, mut found) = (Planes::EMPTY, Found::NONE);
    let mut start = 0;
    let mut give = |window: &[u8], start: &mut usize| {
        let count = level.sweep(window, &mut carry, &mut planes, &mut found);
        each(&Batch { found: &found, start: *start, count });
        *start += count * LANES;
    };
    // A line's end adjoins nothing, so it may stand before the first byte and behind the last one.
    let mut edge = [b'\n'; WINDOW];
    let begin = text.get(..LANES).unwrap_or_default();
    if !begin.is_empty() {
        copy(begin, &mut edge, BEFORE);
        give(&edge, &mut start);
    }
    while let Some(window) = text.get(start.wrapping_sub(BEFORE)..)
        && window.len() >= WINDOW
    {
        let blocks = ((window.len() - BEFORE) / LANES).min(BATCH);
        give(window.get(..BEFORE + blocks * LANES).unwrap_or_default(), &mut start);
    }
    let rest = text.get(start.saturating_sub(BEFORE)..).unwrap_or_default();
    edge = [b'\n'; WINDOW];
    copy(rest, &mut edge, BEFORE - start.min(BEFORE));
    give(&edge, &mut start);
    // A name that ends with the text is told two bytes on, which may be of another block.
    if text.len() % LANES == LANES - 1 {
        give(&[b'\n'; WINDOW], &mut start);
    }
}

fn copy(from: &[u8], to: &mut [u8], offset: usize) {
    for (to, from) in to.iter_mut().skip(offset).zip(from) {
        *to = *from;
    }
}

/// Calls `each` with the place of every bit, the lowest first.
#[inline]
fn bits(mut mask: u64, start: usize, mut each: impl FnMut(usize)) {
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
        candidates(text, level, |batch| {
            for (name, kind) in [
                ("v4", Kind::V4),
                ("name", Kind::Name),
                ("colon", Kind::Colon),
                ("hex", Kind::Hex),
                ("pairs", Kind::Pairs),
                ("hex text", Kind::HexText),
                ("base64", Kind::Base64),
                ("escape", Kind::Escape),
                ("high", Kind::High),
            ] {
                batch.places(kind, |at| out.push((name, at)));
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
            ("colon", &["::1", "fe80::1", "1:2:3:4:5:6:7:8", "d4:b4:cc:cd:a9:22:86"], &["12:34:56", r#""a":"b""#]),
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
                    "6576 696c 2e65 7861 ",
                    "0x65, 0x76, 0x69,",
                ],
                &["6576696c2e6578", "6586696c2e657861", "65 86 69 "],
            ),
            (
                "base64",
                &["ZXZpbC5leGFt", "xZXZpbC5leGFt", "ZQB2AGkAbAA", "ZXZpbApleGFt"],
                &["ZXZpbC5l", "AAAAAAAAAAAA", "////////////"],
            ),
            (
                "escape",
                &[
                    r"\u002e", r"\x2e", r"\056", r"\e[1m", "%2e", "%u002e", "&#46;", "&period;", "=?utf-8", "=2E",
                    "[.]", "( dot )", "{@}", "#033", "\0", "^[[", "=\nx",
                ],
                &[r"\n", "%zz", "& ", "&a=b", "= x", "=1E", "=2e", "[x]", "a;"],
            ),
            ("high", &["é"], &["e"]),
        ];
        for (name, yes, no) in rows {
            for lead in 0..130 {
                let text = |value: &str| format!("{} {value} ", "|".repeat(lead)).into_bytes();
                for value in *yes {
                    let found = found(&text(value), Level::PORTABLE);
                    assert!(found.iter().any(|(have, _)| have == name), "{name} {value} behind {lead}: {found:?}");
                    if *name == "name" && value.ends_with(|c: char| c.is_alphanumeric()) {
                        let last = self::found(text(value).trim_ascii_end(), Level::PORTABLE);
                        assert!(last.iter().any(|(have, _)| have == name), "{name} {value} at the end behind {lead}");
                    }
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
