//! Where in raw bytes a run of text may begin that is long enough: most of an attachment is passed over by this alone.

use super::{RUN_CHARACTERS, is_text};

/// What a byte may be in a run.
const OTHER: u8 = 0;
const TEXT: u8 = 1;
/// Goes on with a character of several bytes.
const INNER: u8 = 2;
/// Begins a character of two bytes; those behind it begin longer ones.
const PAIR: u8 = 3;
const TRIPLE: u8 = 4;
const QUADRUPLE: u8 = 5;
/// May be the high byte of a wide character, and belongs to no other run.
const LOW: u8 = 6;

const CLASS: [u8; 256] = classes();

/// The next state by state and class: how many characters stand in a row, and how many bytes the last one still lacks.
const NEXT: [u8; 16 * 8] = transitions();

/// The state in which a run is long enough.
const LONG: u8 = 16;

/// In every second place of eight bytes a low one.
const WIDE: u8 = 0b0101_0101;

/// Near the end of what is held, every place is looked at, as what follows is not known yet.
const NEAR_END: usize = 64;

/// How far before its last byte a run of four characters, or four wide ones, may begin.
const BACK_BYTES: usize = 16;

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with codes below 256"
)]
const fn classes() -> [u8; 256] {
    let mut table = [OTHER; 256];
    let mut code = 0_usize;
    while code < 256 {
        let byte = code as u8;
        table[code] = match byte {
            0..=6 => LOW,
            0x80..=0xbf => INNER,
            0xc2..=0xdf => PAIR,
            0xe0..=0xef => TRIPLE,
            0xf0..=0xf4 => QUADRUPLE,
            _ if is_text(byte) => TEXT,
            _ => OTHER,
        };
        code += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "run by the compiler, with states below 16")]
const fn transitions() -> [u8; 16 * 8] {
    let mut table = [0; 16 * 8];
    let mut state = 0_u8;
    while state < 16 {
        let mut class = 0_u8;
        while class < 8 {
            let (characters, lacks) = (state / 4, state % 4);
            // A character that is cut off by another ends its run, and the other begins one.
            let before = if lacks == 0 { characters } else { 0 };
            table[(state * 8 + class) as usize] = match class {
                TEXT => (before + 1) * 4,
                PAIR | TRIPLE | QUADRUPLE => before * 4 + class - INNER,
                INNER if lacks == 1 => (characters + 1) * 4,
                INNER if lacks > 1 => state - 1,
                _ => 0,
            };
            class += 1;
        }
        state += 1;
    }
    table
}

/// Returns a place behind `at` before which, and at which, no run begins that is long enough; none where one may begin at `at`
/// or soon behind it.
pub(super) fn next(bytes: &[u8], at: usize) -> Option<usize> {
    let searched = bytes.get(at..bytes.len().saturating_sub(NEAR_END))?;
    let (mut state, mut lows) = (0_u8, 0_u8);
    let found = searched.iter().position(|&byte| {
        let class = CLASS.get(usize::from(byte)).copied().unwrap_or_default();
        lows = lows << 1 | u8::from(class == LOW);
        state = NEXT.get(usize::from(state) * 8 + usize::from(class)).copied().unwrap_or_default();
        state >= LONG || lows & WIDE == WIDE
    });
    let found = found.unwrap_or(searched.len());
    let back = if state >= LONG && lows & WIDE != WIDE {
        let behind = searched.get(found.saturating_sub(BACK_BYTES)..=found).unwrap_or_default();
        let is_first = |byte: &&u8| **byte & 0xc0 != 0x80;
        behind
            .iter()
            .rev()
            .scan(0, |firsts, byte| (*firsts < RUN_CHARACTERS).then(|| *firsts += usize::from(is_first(&byte))))
            .count()
    } else {
        BACK_BYTES + 1
    };
    // `back` bytes up to the found one are the run; one before it is where none begins.
    (found + 1).checked_sub(back + 1).filter(|before| *before > 0).map(|before| at + before)
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn no_run_is_passed_over() {
        let behind = vec![0xff; 100];
        let wide: Vec<u8> = "abcd".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{430}bcd".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for run in ["abcd".as_bytes(), "äbcd".as_bytes(), "日本日本".as_bytes(), "ab\u{1f600}c".as_bytes(), &wide, &big]
        {
            for before in
                [&b"\xff"[..], b"abc\xff", b"\xe6\x97", b"a\xc3", b"\x00", b"\x90\x91", b"ab\xe6", b"\x07\x00\x07"]
            {
                for count in [0, 1, 2, 7, 30] {
                    let bytes = [&before.repeat(count), run, &behind].concat();
                    let start = before.len() * count;
                    let mut at = 0;
                    while at < start {
                        let passed = next(&bytes, at);
                        assert!(
                            passed.is_none_or(|passed| passed > at && passed < start),
                            "{passed:?} {start} {bytes:?}"
                        );
                        at = passed.map_or(at, |passed| passed) + 1;
                    }
                }
            }
        }
    }

    #[test]
    fn what_holds_no_run_is_passed_over() {
        assert!(next(&b"abc\xff".repeat(1000), 0).is_some_and(|at| at > 3_900));
        assert_eq!(next(&b"abc\xff".repeat(4), 0), None);
        let far = [&[0xff; 100][..], b"abcd", &[0xff; 100]].concat();
        assert_eq!(next(&far, 0), Some(99));
        assert_eq!(next(&far, 100), None);
    }
}
