//! Hexadecimal text: digits in a row, or in groups between spaces, commas, colons and hyphens, with `0x` or without.

use super::hex_digit;
use super::signs::LEAST_HEX;
use super::text_runs::collect;

/// The fewest bytes of text that a run decodes to.
const LEAST_BYTES: usize = 8;

/// Appends the texts of all runs to the buffers of their charsets, and returns how many there are.
pub(super) fn collect_texts(text: &[u8], decoded: &mut Vec<u8>, texts: &mut [Vec<u8>; 3]) -> usize {
    let least = usize::try_from(LEAST_HEX).unwrap_or(usize::MAX);
    let mut count = 0;
    let mut at = 0;
    while at < text.len() {
        let digits = group(text, at);
        if digits >= least {
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

/// Returns how many digits stand at `at`.
fn group(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_hexdigit()).count()
}

/// Decodes whole pairs of digits.
fn decode(digits: &[u8], decoded: &mut Vec<u8>) {
    let pairs = digits.chunks_exact(2).map(|pair| hex_digit(pair.first()).zip(hex_digit(pair.get(1))));
    decoded.extend(pairs.map(|pair| pair.map_or(0, |(high, low)| high << 4 | low)));
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
