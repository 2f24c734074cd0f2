//! Base64 inside text: both alphabets, with padding or without, at any alignment. Source: RFC 4648, sections 4 and 5.
//!
//! Words, paths and identifiers are made of the same letters, so what counts is what a run decodes to. Where a run begins
//! and ends within longer text need not be known: a joint before it (`/`, `_`, `-`, `+`) decodes to a border, and so does
//! one behind it.

use std::ops::Range;

use super::signs::LEAST_BASE64;
use super::text_runs::{collect, is_printable};

/// The fewest bytes of text that a run decodes to.
const LEAST_BYTES: usize = 9;
/// The fewest groups of ASCII in a row.
const LEAST_GROUPS: usize = 3;
/// So many in a row are no chance.
const SURE_GROUPS: usize = 8;
/// From this length on, a line that is a multiple of four goes on behind its line end. Source: PEM has lines of 64.
const FOLDED_LINE: usize = 48;

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
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => NONE,
        };
        code += 1;
    }
    table
}

fn value(byte: u8) -> u8 {
    VALUE.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// Appends what a text decodes to; what is not of the alphabet is passed over.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) {
    let mut bits = 0_u32;
    let mut count = 0;
    for &byte in text {
        let value = value(byte);
        if value == NONE {
            continue;
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            let [_, bytes @ ..] = bits.to_be_bytes();
            out.extend_from_slice(&bytes);
            (bits, count) = (0, 0);
        }
    }
    let [_, first, second, _] = (bits << (6 * (4 - count.max(1)))).to_be_bytes();
    match count {
        2 => out.push(first),
        3 => out.extend_from_slice(&[first, second]),
        _ => {}
    }
}

/// Appends the texts of all runs to the buffers of their charsets, and returns how many there are.
pub(super) fn collect_texts(text: &[u8], decoded: &mut Vec<u8>, texts: &mut [Vec<u8>; 3]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while let Some(range) = next_run(text, at) {
        at = range.end;
        let run = text.get(range).unwrap_or_default();
        for alignment in 0..4 {
            let aligned = run.get(alignment..).unwrap_or_default();
            if may_be_text(aligned) {
                decoded.clear();
                decode(aligned, decoded);
                count += collect(decoded, LEAST_BYTES, texts);
            }
        }
    }
    count
}

/// Tells whether a run may hold text, at some alignment.
pub fn may_hold_text(run: &[u8]) -> bool {
    (0..4).any(|alignment| may_be_text(run.get(alignment..).unwrap_or_default()))
}

/// Tells whether groups of four that may be text, as far as three characters of each tell, go on to three of text in a row.
/// `third` is where the third character of the third of them stands.
pub fn goes_on_to_text(text: &[u8], third: usize) -> bool {
    let Some(groups) = third.checked_sub(10).and_then(|from| text.get(from..)) else { return true };
    let mut ascii = 0;
    for (at, group) in groups.as_chunks::<4>().0.iter().enumerate() {
        if !is_below_128(group) {
            return false;
        }
        ascii = if kind(group) == Kind::Ascii { ascii + 1 } else { 0 };
        // JSON may write the fourth character as `\/`.
        let is_escaped = group.ends_with(b"\\") && groups.get(at * 4 + 4) == Some(&b'/');
        if ascii >= LEAST_GROUPS || is_escaped {
            return true;
        }
        // Behind a fourth character that is no letter or digit, the sweep names the next groups for themselves.
        if at + 1 >= LEAST_GROUPS && !group.last().is_some_and(u8::is_ascii_alphanumeric) {
            return false;
        }
    }
    // The last group may lack its end.
    true
}

/// Returns the next run that is long enough. Lines of one folded run are one.
fn next_run(text: &[u8], from: usize) -> Option<Range<usize>> {
    let least = usize::try_from(LEAST_BASE64).unwrap_or(usize::MAX);
    let length_at = |at: usize| text.get(at..).unwrap_or_default().iter().take_while(|&&b| value(b) != NONE).count();
    let mut at = from;
    while at < text.len() {
        let length = length_at(at);
        let start = at;
        at += length;
        if length >= least {
            let mut line = length;
            while line >= FOLDED_LINE && line % 4 == 0 {
                let gap =
                    text.get(at..).unwrap_or_default().iter().take(8).take_while(|b| b.is_ascii_whitespace()).count();
                if !text.get(at..at + gap).unwrap_or_default().contains(&b'\n') {
                    break;
                }
                line = length_at(at + gap);
                if line == 0 {
                    break;
                }
                at += gap + line;
            }
            return Some(start..at);
        }
        at += 1;
    }
    None
}

/// Tells whether groups of four in a row decode to what text consists of: two of UTF-16, or of ASCII so many that chance
/// does not make them, or three where all between two joints may be text. A prefilter sees the same in raw bytes.
fn may_be_text(aligned: &[u8]) -> bool {
    if memchr::memchr2(b'\n', b'\r', aligned).is_some() {
        return true;
    }
    let (mut ascii, mut last) = (0, Kind::Other);
    aligned.as_chunks::<4>().0.iter().enumerate().any(|(at, group)| {
        let kind = if is_below_128(group) { kind(group) } else { Kind::Other };
        ascii = if kind == Kind::Ascii { ascii + 1 } else { 0 };
        let is_wide = last == Kind::WideEnds && kind == Kind::WideMiddle;
        last = kind;
        is_wide || ascii >= SURE_GROUPS || ascii == LEAST_GROUPS && is_text_between_joints(aligned, at)
    })
}

/// Tells whether no group around this one, up to a joint, decodes to control characters.
fn is_text_between_joints(aligned: &[u8], group: usize) -> bool {
    let groups = aligned.as_chunks::<4>().0;
    let is_joined = |group: &&[u8; 4]| group.iter().all(u8::is_ascii_alphanumeric);
    let (before, behind) = groups.split_at_checked(group).unwrap_or((groups, &[]));
    // The groups of ASCII themselves may hold what elsewhere is a joint.
    let before = before.iter().rev().skip(LEAST_GROUPS - 1).take_while(is_joined);
    let behind = behind.iter().skip(1).take_while(is_joined);
    before.chain(behind).all(|group| decoded(group).iter().all(|byte| *byte >= 0x80 || is_printable(*byte)))
}

/// Tells whether a group decodes to bytes below 128, from the bits that decide it.
fn is_below_128(group: &[u8; 4]) -> bool {
    let [a, b, c, _] = group;
    value(*a) & 0x20 == 0 && value(*b) & 0x08 == 0 && value(*c) & 0x02 == 0
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ascii,
    /// The first and the last byte are characters in UTF-16.
    WideEnds,
    /// The middle one is.
    WideMiddle,
    Other,
}

#[inline]
fn decoded(group: &[u8; 4]) -> [u8; 3] {
    let [a, b, c, d] = group.map(value);
    [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
}

#[inline]
fn kind(group: &[u8; 4]) -> Kind {
    match decoded(group) {
        [0, middle, 0] if is_printable(middle) => Kind::WideMiddle,
        [first, 0, last] if is_printable(first) && is_printable(last) => Kind::WideEnds,
        bytes if bytes.iter().all(|byte| is_printable(*byte)) => Kind::Ascii,
        _ => Kind::Other,
    }
}
