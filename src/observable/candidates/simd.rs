//! The masks of 64 bytes by AVX-512 and AVX2, chosen when the program runs. The only file with `unsafe`.
//!
//! Proof: `unsafe` does two things here. A function that is compiled for instructions beyond the baseline is called only
//! where [`Level::detect`] has found these instructions on this machine, which is the one condition of calling it; a
//! [`Level`] can be had in no other way. And 32 or 64 bytes are loaded from a reference to an array of 64, at offsets 0
//! and 32, with loads that need no alignment. Nothing is stored through a pointer.
#![expect(unsafe_code, reason = "calls of functions for instructions that were found, and loads of whole arrays")]

use super::classes::{self, LANES};
use super::{Candidates, Carry};

/// Which instructions this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Needs no instructions beyond the baseline.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// Finds the best that this machine has, or the one that the environment variable `STORMGLASS_SIMD` names (`off`,
    /// `avx2`, `avx512`), if this machine has it.
    pub fn detect() -> Self {
        let all = Self::all();
        let wanted = std::env::var("STORMGLASS_SIMD").ok();
        let named = wanted.and_then(|name| all.iter().find(|level| level.name() == name));
        named.or(all.last()).copied().unwrap_or(Self::PORTABLE)
    }

    /// Returns the word for it: `off`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "off",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Returns every level that this machine has, the slowest first.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("popcnt")
            {
                all.push(Self(Kind::Avx2));
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vbmi")
                {
                    all.push(Self(Kind::Avx512));
                }
            }
        }
        all
    }

    /// Finds the candidates of whole blocks; `out` holds one for each.
    pub(super) fn sweep(self, blocks: &[[u8; LANES]], carry: &mut Carry, out: &mut [Candidates]) {
        match self.0 {
            Kind::Portable => {
                for (block, out) in blocks.iter().zip(out) {
                    *out = carry.derive(&classes::masks(block));
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` has found the instructions.
            Kind::Avx2 => unsafe { x86::sweep_avx2(blocks, carry, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` has found the instructions.
            Kind::Avx512 => unsafe { x86::sweep_avx512(blocks, carry, out) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::classes::{
        self, BASE64_FIRST, BASE64_SECOND, BASE64_THIRD, BASE64_ZERO, CONTROL, DIGIT, ESCAPE_LETTER, GAP, HASH, HEX,
        LANES, LETTER, MARK_LETTER, Masks, OPEN, QUESTION, TABLES, TWO_TO_SEVEN,
    };
    use super::super::{Candidates, Carry};

    /// For each nibble, the rectangles of a table that it is a high or low nibble of.
    #[expect(clippy::indexing_slicing, reason = "run by the compiler, with indexes below 32")]
    const fn nibble_tables(table: usize) -> ([u8; 32], [u8; 32]) {
        let (mut high, mut low) = ([0; 32], [0; 32]);
        let mut nibble = 0;
        while nibble < 32 {
            let mut bit = 0;
            while bit < 8 {
                let (highs, lows) = TABLES[table][bit];
                high[nibble] |= ((highs >> (nibble & 15) & 1) as u8) << bit;
                low[nibble] |= ((lows >> (nibble & 15) & 1) as u8) << bit;
                bit += 1;
            }
            nibble += 1;
        }
        (high, low)
    }

    const NIBBLES: [([u8; 32], [u8; 32]); 3] = [nibble_tables(0), nibble_tables(1), nibble_tables(2)];

    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: the reference is to 32 bytes, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub(super) fn sweep_avx2(blocks: &[[u8; LANES]], carry: &mut Carry, out: &mut [Candidates]) {
        let nibble = _mm256_set1_epi8(15);
        let zero = _mm256_setzero_si256();
        let tables = NIBBLES.map(|(high, low)| (load(&high), load(&low)));
        for (block, out) in blocks.iter().zip(out) {
            let (halves, _) = block.as_chunks::<32>();
            let [first, second] = halves else { continue };
            let text = [load(first), load(second)];
            let low = text.map(|v| _mm256_and_si256(v, nibble));
            let high = text.map(|v| _mm256_and_si256(_mm256_srli_epi16::<4>(v), nibble));
            let join = |a: i32, b: i32| u64::from(a.cast_unsigned()) | u64::from(b.cast_unsigned()) << 32;
            let looked_up = tables.map(|(highs, lows)| {
                let of = |low, high| _mm256_and_si256(_mm256_shuffle_epi8(lows, low), _mm256_shuffle_epi8(highs, high));
                [of(low[0], high[0]), of(low[1], high[1])]
            });
            let class = |table: [__m256i; 2], bits: u8| {
                let bits = _mm256_set1_epi8(bits.cast_signed());
                let none = table.map(|v| _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(v, bits), zero)));
                !join(none[0], none[1])
            };
            let single = |byte: u8| {
                let byte = _mm256_set1_epi8(byte.cast_signed());
                let is = text.map(|v| _mm256_movemask_epi8(_mm256_cmpeq_epi8(v, byte)));
                join(is[0], is[1])
            };
            let [a, b, c] = looked_up;
            let masks = Masks {
                digit: class(a, DIGIT),
                hex: class(a, HEX),
                letter: class(a, LETTER),
                two_to_seven: class(a, TWO_TO_SEVEN),
                control: class(a, CONTROL),
                escape_letter: class(a, ESCAPE_LETTER),
                gap: class(a, GAP),
                base64_first: class(b, BASE64_FIRST),
                base64_second: class(b, BASE64_SECOND),
                base64_third: class(c, BASE64_THIRD),
                base64_zero: class(b, BASE64_ZERO),
                base64_a: single(b'A'),
                open: class(c, OPEN),
                mark_letter: class(c, MARK_LETTER),
                hash: class(c, HASH),
                question: class(c, QUESTION),
                dot: single(b'.'),
                colon: single(b':'),
                backslash: single(b'\\'),
                percent: single(b'%'),
                ampersand: single(b'&'),
                semicolon: single(b';'),
                equals: single(b'='),
                caret: single(b'^'),
                newline: single(b'\n'),
                space: single(b' '),
                high: join(_mm256_movemask_epi8(text[0]), _mm256_movemask_epi8(text[1])),
            };
            *out = carry.derive(&masks);
        }
    }

    const LOOKUPS: [[u8; 256]; 3] =
        [classes::lookup(&TABLES[0]), classes::lookup(&TABLES[1]), classes::lookup(&TABLES[2])];

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn load_64(bytes: &[u8; 64]) -> __m512i {
        // SAFETY: the reference is to 64 bytes, and the load needs no alignment.
        unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vbmi")]
    pub(super) fn sweep_avx512(blocks: &[[u8; LANES]], carry: &mut Carry, out: &mut [Candidates]) {
        let tables = LOOKUPS.map(|lookup| {
            let (parts, _) = lookup.as_chunks::<64>();
            let part = |index: usize| load_64(parts.get(index).unwrap_or(&[0; 64]));
            [part(0), part(1)]
        });
        for (block, out) in blocks.iter().zip(out) {
            let text = load_64(block);
            let high = _mm512_movepi8_mask(text);
            let [a, b, c] = tables.map(|[low, up]| _mm512_maskz_permutex2var_epi8(!high, low, text, up));
            let class = |table, bits: u8| _mm512_test_epi8_mask(table, _mm512_set1_epi8(bits.cast_signed()));
            let single = |byte: u8| _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(byte.cast_signed()));
            let masks = Masks {
                digit: class(a, DIGIT),
                hex: class(a, HEX),
                letter: class(a, LETTER),
                two_to_seven: class(a, TWO_TO_SEVEN),
                control: class(a, CONTROL),
                escape_letter: class(a, ESCAPE_LETTER),
                gap: class(a, GAP),
                base64_first: class(b, BASE64_FIRST),
                base64_second: class(b, BASE64_SECOND),
                base64_third: class(c, BASE64_THIRD),
                base64_zero: class(b, BASE64_ZERO),
                base64_a: single(b'A'),
                open: class(c, OPEN),
                mark_letter: class(c, MARK_LETTER),
                hash: class(c, HASH),
                question: class(c, QUESTION),
                dot: single(b'.'),
                colon: single(b':'),
                backslash: single(b'\\'),
                percent: single(b'%'),
                ampersand: single(b'&'),
                semicolon: single(b';'),
                equals: single(b'='),
                caret: single(b'^'),
                newline: single(b'\n'),
                space: single(b' '),
                high,
            };
            *out = carry.derive(&masks);
        }
    }
}
