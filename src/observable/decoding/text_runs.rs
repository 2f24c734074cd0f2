//! What of decoded bytes is text: runs of printable UTF-8, or of UTF-16, which is told by the zero bytes of its ASCII.

use std::ops::Range;

const PRINTABLE: u8 = 1;
const LEAD: u8 = 2;
const TRAIL: u8 = 4;

const CLASS: [u8; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with codes below 256"
)]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut code = 0_usize;
    while code < 256 {
        table[code] = match code as u8 {
            b' '..=b'~' | b'\t' | b'\n' | b'\r' => PRINTABLE,
            0xc2..=0xf4 => LEAD,
            0x80..=0xbf => TRAIL,
            _ => 0,
        };
        code += 1;
    }
    table
}

fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Tells whether a byte is ASCII that text consists of.
pub(super) fn is_printable(byte: u8) -> bool {
    class(byte) == PRINTABLE
}

/// Tells whether UTF-8 may have these two bytes side by side.
pub(super) fn may_follow(first: u8, second: u8) -> bool {
    let next = match class(first) {
        PRINTABLE => PRINTABLE | LEAD,
        LEAD => TRAIL,
        TRAIL => PRINTABLE | LEAD | TRAIL,
        _ => 0,
    };
    class(second) & next != 0
}

/// Tells whether so many bytes in a row may be UTF-8, or UTF-16 with ASCII in it. It costs less than to look for them.
fn may_hold_text(decoded: &[u8], least: usize) -> bool {
    let (mut plain, mut wide) = (1, 1);
    let pairs = decoded.iter().zip(decoded.get(1..).unwrap_or_default());
    decoded.len() >= least
        && pairs.into_iter().any(|(&first, &second)| {
            plain = if may_follow(first, second) { plain + 1 } else { 1 };
            let is_wide = first == 0 && is_printable(second) || second == 0 && is_printable(first);
            wide = if is_wide { wide + 1 } else { 1 };
            plain >= least || wide + 1 >= least
        })
}

/// Appends each run of at least `least` bytes of text to the buffer of its charset (UTF-8, UTF-16LE, UTF-16BE), with a line end behind it, and
/// returns how many there are.
pub(super) fn collect(decoded: &[u8], least: usize, texts: &mut [Vec<u8>; 3]) -> usize {
    if !may_hold_text(decoded, least) {
        return 0;
    }
    let [utf8, little, big] = texts;
    let mut count = 0;
    for chunk in decoded.utf8_chunks() {
        for text in chunk.valid().split(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            if text.len() >= least {
                utf8.extend_from_slice(text.as_bytes());
                utf8.push(b'\n');
                count += 1;
            }
        }
    }
    if memchr::memchr(0, decoded).is_none() {
        return count;
    }
    let mut done = [false; 4];
    let mut at = 0;
    while let Some(run) = next_alternating(decoded, at, least - 1) {
        at = run.end;
        let begins_with_zero = decoded.get(run.start) == Some(&0);
        // The high byte of a letter such as `é` is a zero, too, and stands before the text of little-endian bytes.
        let is_little = !begins_with_zero || run.start % 2 == 1;
        let start = if is_little && begins_with_zero { run.start - 1 } else { run.start } % 2;
        if run.start > start && !(is_little && begins_with_zero) {
            // What stands before it need not be text of the same kind.
            let text = if is_little { &mut *little } else { &mut *big };
            text.extend(decoded.get(run.clone()).unwrap_or_default().iter().filter(|byte| **byte != 0));
            text.push(b'\n');
        }
        if is_little && !begins_with_zero && run.start > 0 {
            // The first byte may be the lower half of a letter before big-endian text.
            big.extend(decoded.get(run.start + 1..run.end).unwrap_or_default().iter().filter(|byte| **byte != 0));
            big.push(b'\n');
        }
        let Some(is_done) = done.get_mut(start * 2 + usize::from(is_little)) else { continue };
        if !std::mem::replace(is_done, true) {
            let text = if is_little { &mut *little } else { &mut *big };
            push_utf16(decoded.get(start..).unwrap_or_default(), is_little, text);
            text.push(b'\n');
            count += 1;
        }
    }
    count
}

/// Returns the next run of at least `least` bytes in which every other one is zero and the ones between are printable.
fn next_alternating(bytes: &[u8], from: usize, least: usize) -> Option<Range<usize>> {
    let mut start = from;
    for at in from..bytes.len() {
        let byte = bytes.get(at).copied()?;
        let before = at.checked_sub(1).filter(|before| *before >= start).and_then(|before| bytes.get(before)).copied();
        let goes_on = match before {
            Some(0) => is_printable(byte),
            Some(_) => byte == 0,
            None => byte == 0 || is_printable(byte),
        };
        if !goes_on {
            if at - start >= least {
                return Some(start..at);
            }
            // What broke the run may begin the next one.
            start = if byte == 0 || is_printable(byte) { at } else { at + 1 };
        }
    }
    (bytes.len() - start.min(bytes.len()) >= least).then_some(start..bytes.len())
}

/// Appends UTF-16 as UTF-8; a lone half is U+FFFD, and a last odd byte is taken for the half of ASCII that it is.
pub(super) fn push_utf16(bytes: &[u8], is_little: bool, out: &mut Vec<u8>) {
    let unit = |pair: &[u8]| match pair {
        [first, second] if is_little => u16::from_le_bytes([*first, *second]),
        [first, second] => u16::from_be_bytes([*first, *second]),
        [last] if is_printable(*last) => u16::from(*last),
        _ => 0xfffd,
    };
    for c in char::decode_utf16(bytes.chunks(2).map(unit)) {
        let c = c.unwrap_or('\u{fffd}');
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
