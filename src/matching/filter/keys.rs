//! The keys of what filters hold, hashed as it stands in raw bytes.

use std::ops::Range;

/// Any odd number with well mixed bits does; this one is 2^64 divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ MIX) * u128::from(b ^ 0xa076_1d64_78bd_642f);
    (product >> 64) as u64 ^ low(product)
}

/// Returns the lower half of a number.
#[inline]
fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}

/// Makes letters lower case, sixteen bytes at once. Other bytes change too, the same in values and in text.
const LOWER: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;
/// How many bytes of a text are hashed at once.
const PIECE: usize = 16;

/// The bits of the last bytes of a piece, by how many these are.
static LAST: [u128; PIECE + 1] = last();

#[expect(clippy::indexing_slicing, reason = "run by the compiler")]
const fn last() -> [u128; PIECE + 1] {
    let mut all = [0; PIECE + 1];
    let mut count = 1;
    while count <= PIECE {
        all[count] = u128::MAX << ((PIECE - count) * 8);
        count += 1;
    }
    all
}

/// Hashes a part of a text without regard to the case of ASCII letters.
#[inline]
pub(super) fn key(text: &[u8], part: Range<usize>) -> u64 {
    let length = part.end.saturating_sub(part.start);
    let mut hash = length as u64;
    let mut end = part.end;
    let mut left = length;
    while left > PIECE {
        hash = piece_key(hash, piece(text, end) | LOWER);
        end -= PIECE;
        left -= PIECE;
    }
    let rest = (piece(text, end) | LOWER) & LAST.get(left).copied().unwrap_or_default();
    piece_key(hash, rest)
}

/// Reads the sixteen bytes before `end`, the last one highest; where there are less, zeros stand for the others.
#[inline]
fn piece(text: &[u8], end: usize) -> u128 {
    let before = text.get(..end).unwrap_or_default();
    match before.last_chunk() {
        Some(piece) => u128::from_le_bytes(*piece),
        None => before.iter().rev().zip(1_u32..).fold(0, |all, (byte, at)| all | u128::from(*byte) << (128 - at * 8)),
    }
}

#[inline]
fn piece_key(hash: u64, piece: u128) -> u64 {
    mixed(hash ^ low(piece), (piece >> 64) as u64 ^ hash.rotate_left(32))
}

#[inline]
pub(super) fn number_key(high: u64, low: u64) -> u64 {
    mixed(high.rotate_left(32) ^ low, low)
}

/// The bits before the last octet, where an address is compared as text: twelve characters at most.
const BEFORE_LAST: u32 = 12 * 8;

/// Writes an address so that the third dot is the twelfth of sixteen bytes, the first byte lowest, with zero bytes around it.
pub(super) fn dotted(address: u32) -> u128 {
    let octets = address.to_be_bytes().map(|octet| OCTETS.get(usize::from(octet)).copied().unwrap_or_default());
    let bits = |octet: u32| u32::BITS - (octet.leading_zeros() & !7);
    let [first, second, third, last] = octets;
    // Behind the last octet stands no dot.
    let mut text = u128::from(last ^ u32::from(b'.') << (bits(last) - 8)) << BEFORE_LAST;
    let mut at = BEFORE_LAST;
    for octet in [third, second, first] {
        at -= bits(octet);
        text |= u128::from(octet) << at;
    }
    text
}

/// Each octet as it is written, with a dot behind it; the first character is the lowest byte.
const OCTETS: [u32; 256] = octets();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with numbers below 256"
)]
const fn octets() -> [u32; 256] {
    let mut table = [0; 256];
    let mut octet = 0_usize;
    while octet < 256 {
        let mut rest = octet as u32;
        table[octet] = b'.' as u32;
        loop {
            table[octet] = (table[octet] << 8) | (b'0' as u32 + rest % 10);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        octet += 1;
    }
    table
}

#[inline]
pub(super) fn text_key(text: u128) -> u64 {
    number_key((text >> 64) as u64, low(text))
}

/// Digests are random, so their first bytes tell enough.
#[inline]
pub(super) fn digest_key(first: u64, length: usize) -> u64 {
    number_key(length as u64, first)
}

/// Returns the first eight bytes of a digest, none of which is shorter.
pub(super) fn first_bytes(digest: &[u8]) -> u64 {
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// Reads sixteen hexadecimal digits of either case, all at once; what is no digit gives any number.
#[inline]
pub(super) fn first_digits(digits: [u8; 16]) -> u64 {
    const ONES: u128 = u128::MAX / 0xff;
    let digits = u128::from_be_bytes(digits);
    // A letter has bit 6, and its low bits count from 1.
    let halves = (digits & (ONES * 0x0f)) + (digits >> 6 & ONES) * 9;
    // Each step halves the space between digits.
    let halves = (halves | halves >> 4) & 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff;
    let halves = (halves | halves >> 8) & 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff;
    let halves = (halves | halves >> 16) & 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff;
    low(halves >> 32 | halves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_letter_case_and_nothing_else_of_names() {
        for name in ["a.bc", "evil.example", "EVIL.Example", "a-very-long-name-of-many-labels.sub.example.com"] {
            let key = |text: &str| key(text.as_bytes(), 0..text.len());
            assert_eq!(key(name), key(&name.to_ascii_uppercase()), "{name}");
            assert_ne!(key(name), key(&format!("{name}x")), "{name}");
            for before in ["", ".", "x.", "0123456789.", "0123456789abcdef.", "0123456789abcdef0123456789."] {
                let text = format!("{before}{name} ");
                assert_eq!(super::key(text.as_bytes(), before.len()..before.len() + name.len()), key(name), "{text}");
            }
        }
    }

    #[test]
    fn digests_have_one_key_as_bytes_and_as_digits() {
        for digits in ["0123456789abcdef", "FEDCBA9876543210", "d4B4cccDa9228624", "ffffffffffffffff"] {
            let bytes = u64::from_str_radix(digits, 16).unwrap();
            assert_eq!(first_digits(*digits.as_bytes().first_chunk().unwrap()), bytes, "{digits}");
            assert_eq!(first_bytes(&bytes.to_be_bytes()), bytes, "{digits}");
        }
    }

    #[test]
    fn addresses_are_written_as_text() {
        for address in [0, 0x0102_0304, 0x0a0b_0c0d, 0x6364_6500, u32::MAX] {
            let text = std::net::Ipv4Addr::from(address).to_string();
            let third_dot = text.rfind('.').unwrap();
            let bytes = dotted(address).to_le_bytes();
            let (before, behind) = (11 - third_dot, 11 - third_dot + text.len());
            assert_eq!(bytes[before..behind], *text.as_bytes());
            assert!(bytes[..before].iter().chain(&bytes[behind..]).all(|byte| *byte == 0));
        }
    }
}
