//! What is in a window by AVX-512 and AVX2, chosen when the program runs. The only file with `unsafe`.
//!
//! Proof: `unsafe` does two things here. A function that is compiled for instructions beyond the baseline is called only
//! through a [`Level`] that [`Level::all`] has made, which is where these instructions were found on this machine; there is
//! no other way to have one. And 16, 32 or 64 bytes are loaded from references to arrays: whole arrays of that length, or
//! from offsets 0, 1 and 2 (and, 32 bytes at a time, 32 more) of an array of 66. The loads need no alignment, and nothing is
//! stored through a pointer.
#![expect(unsafe_code, reason = "calls of functions for instructions that were found, and loads inside arrays")]

use super::classes::{self, WINDOW};
use super::{Candidates, Carry, windows};

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

    /// Finds the candidates of the blocks of a text, which begins with two bytes before the first of them.
    pub(super) fn sweep(self, text: &[u8], carry: &mut Carry, out: &mut [Candidates]) {
        match self.0 {
            Kind::Portable => {
                for (window, out) in windows(text).zip(out) {
                    *out = carry.derive(&classes::grams(window));
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: such a level is made only where the instructions were found.
            Kind::Avx2 => unsafe { x86::sweep_avx2(text, carry, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: such a level is made only where the instructions were found.
            Kind::Avx512 => unsafe { x86::sweep_avx512(text, carry, out) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::classes::{ESCAPES, Grams, SHAPES, SINGLES, Table};
    use super::super::{Candidates, Carry, windows};
    use super::WINDOW;

    /// A table in registers: bytes 0 to 63, bytes 64 to 127, and what holds for every byte.
    type Wide = [__m512i; 3];

    #[target_feature(enable = "avx512f,avx512bw")]
    fn wide(table: &Table) -> Wide {
        let half = |index: usize| {
            let part = table.bits.as_chunks::<64>().0.get(index).unwrap_or(&[0; 64]);
            // SAFETY: the reference is to 64 bytes.
            unsafe { _mm512_loadu_epi8(part.as_ptr().cast()) }
        };
        [half(0), half(1), _mm512_set1_epi8(table.always.cast_signed())]
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vbmi")]
    pub(super) fn sweep_avx512(text: &[u8], carry: &mut Carry, out: &mut [Candidates]) {
        let [escapes, shapes] = [&ESCAPES, &SHAPES].map(|tables| {
            let [first, second, third] = tables;
            [wide(first), wide(second), wide(third)]
        });
        let singles = wide(&SINGLES);
        for (window, out) in windows(text).zip(out) {
            // SAFETY: 64 bytes from offsets 0, 1 and 2 lie within the 66 of a window.
            let bytes = [0, 1, 2].map(|at| unsafe { _mm512_loadu_epi8(window.as_ptr().add(at).cast()) });
            let high = bytes.map(|bytes| _mm512_movepi8_mask(bytes));
            let look_up = |[low, up, always]: Wide, at: usize| {
                let (bytes, high) = match at {
                    0 => (bytes[0], high[0]),
                    1 => (bytes[1], high[1]),
                    _ => (bytes[2], high[2]),
                };
                _mm512_or_si512(_mm512_maskz_permutex2var_epi8(!high, low, bytes, up), always)
            };
            let three = |[first, second, third]: [Wide; 3]| {
                _mm512_and_si512(look_up(first, 0), _mm512_and_si512(look_up(second, 1), look_up(third, 2)))
            };
            let spread = |bits: __m512i| {
                [1, 2, 4, 8, 16, 32, 64, -128].map(|bit| _mm512_test_epi8_mask(bits, _mm512_set1_epi8(bit)))
            };
            let escape = three(escapes);
            let escape = _mm512_test_epi8_mask(escape, escape);
            let grams = Grams::of(escape, high[2], spread(three(shapes)), spread(look_up(singles, 2)));
            *out = carry.derive(&grams);
        }
    }

    /// A table in registers: for each high nibble, the bits by low nibble; and what holds for every byte.
    type Rows = ([__m256i; 8], __m256i);

    #[target_feature(enable = "avx2")]
    fn rows(table: &Table) -> Rows {
        let row = |index: usize| {
            let part = table.bits.as_chunks::<16>().0.get(index).unwrap_or(&[0; 16]);
            // SAFETY: the reference is to 16 bytes.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(part.as_ptr().cast()) })
        };
        ([row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)], _mm256_set1_epi8(table.always.cast_signed()))
    }

    /// The low nibbles of the bytes of each row, with the highest bit set where a byte belongs to another one.
    #[target_feature(enable = "avx2")]
    fn indexes(bytes: __m256i) -> [__m256i; 8] {
        let seventy = _mm256_set1_epi8(0x70);
        [0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70]
            .map(|row| _mm256_adds_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(row)), seventy))
    }

    #[target_feature(enable = "avx2")]
    fn look_up((rows, always): &Rows, indexes: &[__m256i; 8]) -> __m256i {
        let mut bits = *always;
        for (row, index) in rows.iter().zip(indexes) {
            bits = _mm256_or_si256(bits, _mm256_shuffle_epi8(*row, *index));
        }
        bits
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub(super) fn sweep_avx2(text: &[u8], carry: &mut Carry, out: &mut [Candidates]) {
        let [escapes, shapes] = [&ESCAPES, &SHAPES].map(|tables| {
            let [first, second, third] = tables;
            [rows(first), rows(second), rows(third)]
        });
        let singles = rows(&SINGLES);
        let half = |window: &[u8; WINDOW], offset: usize| {
            let bytes = |at: usize| {
                // SAFETY: 32 bytes from offsets 0, 1, 2 and 32, 33, 34 lie within the 66 of a window.
                unsafe { _mm256_loadu_si256(window.as_ptr().add((offset + at).min(WINDOW - 32)).cast()) }
            };
            let third = bytes(2);
            let at = [indexes(bytes(0)), indexes(bytes(1)), indexes(third)];
            let three = |[a, b, c]: &[Rows; 3]| {
                let two = _mm256_and_si256(look_up(a, &at[0]), look_up(b, &at[1]));
                _mm256_and_si256(two, look_up(c, &at[2]))
            };
            let none = _mm256_cmpeq_epi8(three(&escapes), _mm256_setzero_si256());
            let escape = !_mm256_movemask_epi8(none);
            (escape, _mm256_movemask_epi8(third), three(&shapes), look_up(&singles, &at[2]))
        };
        let join = |a: i32, b: i32| u64::from(a.cast_unsigned()) | u64::from(b.cast_unsigned()) << 32;
        // The bit is moved to the top of its byte; what comes in from the neighbour stays below it.
        let spread = |a: __m256i, b: __m256i| {
            [
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<7>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<7>(b))),
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<6>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<6>(b))),
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<5>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<5>(b))),
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<4>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<4>(b))),
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<3>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<3>(b))),
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<2>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<2>(b))),
                join(_mm256_movemask_epi8(_mm256_slli_epi16::<1>(a)), _mm256_movemask_epi8(_mm256_slli_epi16::<1>(b))),
                join(_mm256_movemask_epi8(a), _mm256_movemask_epi8(b)),
            ]
        };
        for (window, out) in windows(text).zip(out) {
            let (low, up) = (half(window, 0), half(window, 32));
            let grams = Grams::of(join(low.0, up.0), join(low.1, up.1), spread(low.2, up.2), spread(low.3, up.3));
            *out = carry.derive(&grams);
        }
    }
}
