//! What is in a window by AVX-512 and AVX2, chosen when the program runs. The only file with `unsafe`.
//!
//! Proof: `unsafe` does three things here. A function that is compiled for instructions beyond the baseline is called only
//! through a [`Level`] that [`Level::all`] has made, which is where these instructions were found on this machine; there is
//! no other way to have one. And 16, 32 or 64 bytes are loaded from references to arrays: whole arrays of that length, or
//! from offsets 0, 1 and 2 (and, 32 bytes at a time, 32 more) of an array of 66. Once, 64 bytes are stored in an array of 64.
//! Neither needs alignment.
#![expect(unsafe_code, reason = "calls of functions for instructions that were found, loads and stores inside arrays")]

use super::classes::{self, BATCH, Planes};
use super::{Carry, Found, windows};

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
                    && is_x86_feature_detected!("avx512vbmi2")
                    && is_x86_feature_detected!("avx512vpopcntdq")
                    && is_x86_feature_detected!("gfni")
                {
                    all.push(Self(Kind::Avx512));
                }
            }
        }
        all
    }

    /// Finds the candidates of the blocks of a text, which begins with two bytes before the first of them, and returns how
    /// many blocks these are: no more than a batch.
    pub(super) fn sweep(self, text: &[u8], carry: &mut Carry, planes: &mut Planes, found: &mut Found) -> usize {
        match self.0 {
            Kind::Portable => {
                let mut count = 0;
                for window in windows(text).take(BATCH) {
                    classes::look(window, count, planes);
                    count += 1;
                }
                carry.derive(planes, count, found);
                count
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: such a level is made only where the instructions were found.
            Kind::Avx2 => unsafe { x86::sweep_avx2(text, carry, planes, found) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: such a level is made only where the instructions were found.
            Kind::Avx512 => unsafe { x86::sweep_avx512(text, carry, planes, found) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::classes::{BATCH, ESCAPES, Odd, Planes, SHAPES, SINGLES, Table, WINDOW};
    use super::super::{Carry, Found, windows};

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

    /// Turns a byte for each of 64 places into a word for each of its eight bits.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
    fn planes_of(bytes: __m512i) -> __m512i {
        let single_bits = _mm512_set1_epi64(SINGLE_BITS);
        // In each eight bytes, the n-th bits of all come into the n-th byte; those of the last byte are lowest at first.
        let turned = _mm512_gf2p8affine_epi64_epi8::<0>(single_bits, bytes);
        let ordered = _mm512_gf2p8affine_epi64_epi8::<0>(turned, single_bits);
        _mm512_permutexvar_epi8(wide_of(&BY_EIGHT), ordered)
    }

    /// Eight bytes of which the n-th has the n-th bit. As a matrix it turns the order of bits round.
    const SINGLE_BITS: i64 = i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128]);
    /// The first of each eight bytes, the second of each, and so on.
    static BY_EIGHT: [u8; 64] = by_eight();

    #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "run by the compiler")]
    const fn by_eight() -> [u8; 64] {
        let mut order = [0; 64];
        let mut at = 0;
        while at < 64 {
            order[at] = (at % 8 * 8 + at / 8) as u8;
            at += 1;
        }
        order
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    fn wide_of(bytes: &[u8; 64]) -> __m512i {
        // SAFETY: the reference is to 64 bytes.
        unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) }
    }

    /// Turns eight rows of eight words into eight columns.
    #[target_feature(enable = "avx512f")]
    fn columns(rows: [__m512i; 8]) -> [[u64; 8]; 8] {
        let [a, b, c, d, e, f, g, h] = rows;
        // Pairs of rows, then fours of words, then halves.
        let pairs = [(a, b), (c, d), (e, f), (g, h)]
            .map(|(one, two)| (_mm512_unpacklo_epi64(one, two), _mm512_unpackhi_epi64(one, two)));
        let [(ab_0, ab_1), (cd_0, cd_1), (ef_0, ef_1), (gh_0, gh_1)] = pairs;
        let low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
        let high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
        let four = |one, two| (_mm512_permutex2var_epi64(one, low, two), _mm512_permutex2var_epi64(one, high, two));
        let [(abcd_0, abcd_2), (abcd_1, abcd_3)] = [four(ab_0, cd_0), four(ab_1, cd_1)];
        let [(efgh_0, efgh_2), (efgh_1, efgh_3)] = [four(ef_0, gh_0), four(ef_1, gh_1)];
        let lower = |one, two| _mm512_shuffle_i64x2::<0b01_00_01_00>(one, two);
        let upper = |one, two| _mm512_shuffle_i64x2::<0b11_10_11_10>(one, two);
        [
            lower(abcd_0, efgh_0),
            lower(abcd_1, efgh_1),
            lower(abcd_2, efgh_2),
            lower(abcd_3, efgh_3),
            upper(abcd_0, efgh_0),
            upper(abcd_1, efgh_1),
            upper(abcd_2, efgh_2),
            upper(abcd_3, efgh_3),
        ]
        .map(|column| words(column))
    }

    #[target_feature(enable = "avx512f")]
    fn words(eight: __m512i) -> [u64; 8] {
        let mut words = [0; 8];
        // SAFETY: 64 bytes are stored in an array of 64.
        unsafe { _mm512_storeu_epi64(words.as_mut_ptr().cast(), eight) };
        words
    }

    #[target_feature(
        enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,gfni"
    )]
    pub(super) fn sweep_avx512(text: &[u8], carry: &mut Carry, planes: &mut Planes, found: &mut Found) -> usize {
        let [escapes, shapes] = [&ESCAPES, &SHAPES].map(|tables| {
            let [first, second, third] = tables;
            [wide(first), wide(second), wide(third)]
        });
        let singles = wide(&SINGLES);
        let count = windows(text).take(BATCH).count();
        let mut windows = windows(text);
        for first in (0..count).step_by(8) {
            let mut rows = [[_mm512_setzero_si512(); 8]; 2];
            let [shape_rows, single_rows] = &mut rows;
            let rows_of = shape_rows.iter_mut().zip(single_rows);
            for (((shape_row, single_row), at), window) in rows_of.zip(first..count).zip(&mut windows) {
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
                let escape = three(escapes);
                let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes[2], _mm512_set1_epi8(byte.cast_signed()));
                let joint = is(b'-') | is(b'_');
                planes.note(at, Odd { escape: _mm512_test_epi8_mask(escape, escape), high: high[2], joint });
                *shape_row = planes_of(three(shapes));
                *single_row = planes_of(look_up(singles, 2));
            }
            let [shape_rows, single_rows] = rows;
            for (planes, rows) in [(&mut planes.shapes, shape_rows), (&mut planes.singles, single_rows)] {
                for (plane, words) in planes.iter_mut().zip(columns(rows)) {
                    if let Some(eight) = plane.get_mut(first..).and_then(|rest| rest.first_chunk_mut()) {
                        *eight = words;
                    }
                }
            }
        }
        carry.derive(planes, count, found);
        count
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
    pub(super) fn sweep_avx2(text: &[u8], carry: &mut Carry, planes: &mut Planes, found: &mut Found) -> usize {
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
            let is = |byte: u8| _mm256_cmpeq_epi8(third, _mm256_set1_epi8(byte.cast_signed()));
            let joint = _mm256_movemask_epi8(_mm256_or_si256(is(b'-'), is(b'_')));
            ([escape, _mm256_movemask_epi8(third), joint], three(&shapes), look_up(&singles, &at[2]))
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
        let mut count = 0;
        for window in windows(text).take(BATCH) {
            let (low, up) = (half(window, 0), half(window, 32));
            let ([escape, high, joint], [escape_up, high_up, joint_up]) = (low.0, up.0);
            let odd = Odd { escape: join(escape, escape_up), high: join(high, high_up), joint: join(joint, joint_up) };
            planes.set(count, odd, spread(low.1, up.1), spread(low.2, up.2));
            count += 1;
        }
        carry.derive(planes, count, found);
        count
    }
}
