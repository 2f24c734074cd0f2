//! Hexadecimal text: digits in a row, or in groups between spaces, commas, colons and hyphens, with `0x` or without.

use super::signs::LEAST_HEX;
use super::text_runs::collect;

/// The fewest bytes of text that a run decodes to.
const LEAST_BYTES: usize = 8;

/// How many of them are printable: of eight bytes of UTF-16, every other one.
const LEAST_PRINTABLE: usize = 4;

const NONE: u8 = 0xff;
const VALUE: [u8; 256] = values();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with codes below 256"
)]
const fn values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut code = 0_usize;
    while code < 256 {
        let byte = code as u8;
        table[code] = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => NONE,
        };
        code += 1;
    }
    table
}

fn value(byte: u8) -> u8 {
    VALUE.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// Appends the texts of all runs to the buffers of their charsets, and returns how many there are.
pub(super) fn collect_texts(text: &[u8], decoded: &mut Vec<u8>, texts: &mut [Vec<u8>; 3]) -> usize {
    let least = usize::try_from(LEAST_HEX).unwrap_or(usize::MAX);
    let mut count = 0;
    let mut at = 0;
    while at < text.len() {
        let digits = group(text, at);
        if digits == 0 {
            at += 1;
            continue;
        }
        // A number is not glued to letters; `x` is the end of its prefix.
        let before = at.checked_sub(1).and_then(|i| text.get(i));
        let is_glued = before.is_some_and(|b| b.is_ascii_alphabetic() && !matches!(b, b'x' | b'X'))
            || text.get(at + digits).is_some_and(u8::is_ascii_alphabetic);
        if digits >= least && !is_glued {
            let run = text.get(at..at + digits).unwrap_or_default();
            for alignment in 0..2 {
                decoded.clear();
                decode(run.get(alignment..).unwrap_or_default(), decoded);
                count += collect(decoded, LEAST_BYTES, texts);
            }
        }
        let (end, groups) = grouped(text, at, decoded);
        if groups > 1 && decoded.len() >= LEAST_BYTES {
            count += collect(decoded, LEAST_BYTES, texts);
        }
        at = if groups > 1 { end } else { at + digits.max(1) };
    }
    count
}

/// Tells whether a run of digits and gaps may hold text.
pub fn may_hold_text(run: &[u8]) -> bool {
    if !(0..2).any(|skipped| has_printable_pairs(run, skipped)) {
        return false;
    }
    let mut texts = [Vec::new(), Vec::new(), Vec::new()];
    collect_texts(run, &mut Vec::new(), &mut texts) > 0
}

/// Tells whether enough pairs in a row are printable characters, with zeros or tabs and line ends between them. Of each
/// group of digits, the first `skipped` are left out. It costs less than to decode them.
fn has_printable_pairs(run: &[u8], skipped: usize) -> bool {
    let mut printable = 0;
    run.split(|byte| !byte.is_ascii_hexdigit()).filter(|group| group.len() >= 2).any(|group| {
        group.get(skipped..).unwrap_or_default().as_chunks::<2>().0.iter().any(|pair| {
            match pair {
                [b'2'..=b'7', _] => printable += 1,
                [b'0', b'0' | b'9' | b'a' | b'A' | b'd' | b'D'] => {}
                _ => printable = 0,
            }
            printable >= LEAST_PRINTABLE
        })
    })
}

/// Returns how many digits stand at `at`.
fn group(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| value(**byte) != NONE).count()
}

/// Decodes whole pairs of digits.
fn decode(digits: &[u8], decoded: &mut Vec<u8>) {
    decoded.extend(digits.as_chunks::<2>().0.iter().map(|[high, low]| value(*high) << 4 | value(*low)));
}

/// Decodes groups of an even number of digits each, and returns where they end and how many there are.
fn grouped(text: &[u8], start: usize, decoded: &mut Vec<u8>) -> (usize, usize) {
    decoded.clear();
    let least = usize::try_from(LEAST_HEX).unwrap_or(usize::MAX);
    let mut at = start;
    let mut count = 0;
    loop {
        // A prefix belongs to the group that it stands before.
        let first = match text.get(at..) {
            Some([b'0', b'x' | b'X', ..]) => at + 2,
            _ => at,
        };
        let digits = group(text, first);
        // More digits are a row of their own.
        if digits == 0 || digits % 2 == 1 || digits >= least {
            break;
        }
        decode(text.get(first..first + digits).unwrap_or_default(), decoded);
        at = first + digits;
        count += 1;
        let is_gap = |byte: &&u8| matches!(**byte, b' ' | b',' | b':' | b';' | b'-');
        let gap = text.get(at..).unwrap_or_default().iter().take(2).take_while(is_gap).count();
        if gap == 0 {
            break;
        }
        at += gap;
    }
    (at, count)
}
