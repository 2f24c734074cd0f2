//! A short way to the commonest spellings of list values: dotted addresses, plain names, e-mail addresses and digests.
//!
//! Whatever is not quite plain is left to [`Observable::parse`] and [`Observable::guess`], which are the authority: what
//! is read here is what they read.
//!
//! [`Observable::parse`]: super::Observable::parse
//! [`Observable::guess`]: super::Observable::guess

use super::table::{DigestBytes, ObservableRef, from_hex};
use super::{AtomKind, HashKind};

/// Reads plain values; it holds what is written anew, such as lower case.
#[derive(Debug)]
pub struct PlainReader {
    lower: String,
    digest: DigestBytes,
}

impl Default for PlainReader {
    fn default() -> Self {
        Self { lower: String::new(), digest: [0; size_of::<DigestBytes>()] }
    }
}

impl PlainReader {
    /// Reads a value of a known kind, or, for none, of the kind that its shape tells; none where it is not plain.
    pub fn read<'v>(&'v mut self, kind: Option<AtomKind>, text: &'v str) -> Option<ObservableRef<'v>> {
        let bytes = text.as_bytes();
        match kind {
            Some(AtomKind::Ip) => v4(bytes),
            Some(AtomKind::Domain) => self.domain(text),
            Some(AtomKind::Email) => self.email(text),
            Some(AtomKind::Hash) => self.digest(None, bytes),
            Some(AtomKind::HashOf(kind)) => self.digest(Some(kind), bytes),
            Some(_) => None,
            None if bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') => v4(bytes),
            None if HashKind::of_digits(bytes.len()).is_some() && memchr::memchr(b'.', bytes).is_none() => {
                self.digest(None, bytes)
            }
            None => match plain_name(bytes) {
                Some(case) => Some(ObservableRef::Domain(self.in_lower_case(text, case))),
                None => self.email(text),
            },
        }
    }

    fn domain<'v>(&'v mut self, text: &'v str) -> Option<ObservableRef<'v>> {
        let case = plain_name(text.as_bytes())?;
        Some(ObservableRef::Domain(self.in_lower_case(text, case)))
    }

    fn email<'v>(&'v mut self, text: &'v str) -> Option<ObservableRef<'v>> {
        let (local, host) = text.split_once('@')?;
        let case =
            if plain_local(local.as_bytes())? == Case::Lower { plain_name(host.as_bytes())? } else { Case::Mixed };
        if case == Case::Mixed {
            plain_name(host.as_bytes())?;
        }
        Some(ObservableRef::Email(self.in_lower_case(text, case)))
    }

    fn digest(&mut self, kind: Option<HashKind>, digits: &[u8]) -> Option<ObservableRef<'_>> {
        let kind = kind.or_else(|| HashKind::of_digits(digits.len()))?;
        if kind.digits() != digits.len() {
            return None;
        }
        // Fewer bytes had something between the digits.
        let bytes = from_hex(digits, &mut self.digest).filter(|bytes| bytes.len() * 2 == digits.len())?;
        Some(ObservableRef::Hash(kind, bytes))
    }

    fn in_lower_case<'v>(&'v mut self, text: &'v str, case: Case) -> &'v str {
        if case == Case::Lower {
            return text;
        }
        self.lower.clear();
        self.lower.push_str(text);
        self.lower.make_ascii_lowercase();
        &self.lower
    }
}

/// Whether a text is in lower case already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Lower,
    Mixed,
}

/// The most bytes of an address.
const ADDRESS_BYTES: usize = 15;

fn v4(text: &[u8]) -> Option<ObservableRef<'static>> {
    let mut padded = [0; ADDRESS_BYTES + 1];
    padded.get_mut(..text.len().min(ADDRESS_BYTES))?.copy_from_slice(text.get(..text.len().min(ADDRESS_BYTES))?);
    plain_v4(padded).filter(|(_, length)| *length == text.len()).map(|(address, _)| ObservableRef::V4(address))
}

/// Reads a plain IPv4 address at the beginning of a text, behind which the line ends, and returns how many bytes the line
/// has with its end. It finds none where the text is too short to look at all of an address at once.
#[inline]
pub fn v4_line(text: &[u8]) -> Option<(u32, usize)> {
    let (address, end) = plain_v4(*text.first_chunk()?)?;
    match text.get(end..)? {
        [b'\n', ..] => Some((address, end + 1)),
        [b'\r', b'\n', ..] => Some((address, end + 2)),
        _ => None,
    }
}

/// Reads a plain IPv4 address at the beginning of a text, all bytes at once, and returns how many it has. Behind it stands
/// no digit.
#[inline]
fn plain_v4(text: [u8; ADDRESS_BYTES + 1]) -> Option<(u32, usize)> {
    const ONES: u128 = u128::MAX / 0xff;
    let text = u128::from_le_bytes(text);
    // A byte is 0 to 9, or zero, if and only if this addition leaves its highest bit alone.
    let (digits, dots) = (text ^ (ONES * 0x30), text ^ (ONES * 0x2e));
    let (low, high) = (ONES * 0x7f, ONES * 0x80);
    let no_digits = high_bits((((digits & low) + ONES * 0x76) | digits) & high);
    let no_dots = high_bits((((dots & low) + low) | dots) & high);
    let (mut ends, mut start, mut fits, mut address) = (no_digits, 0, true, 0_u32);
    for place in 0..4 {
        let end = ends.trailing_zeros();
        let length = end.wrapping_sub(start);
        fits &= (1..=3).contains(&length) && (place == 3 || no_dots >> (end & 31) & 1 == 0);
        // The digits of an octet to the upper end of four bytes, the last one highest.
        let octet = u32::try_from(text >> ((8 * start) & 127) & 0xffff_ffff).unwrap_or_default();
        let octet = octet.wrapping_shl(32_u32.wrapping_sub(length.wrapping_mul(8))) & 0x0f0f_0f0f;
        let (hundreds, tens, ones) = (octet >> 8 & 15, octet >> 16 & 15, octet >> 24);
        let value = hundreds * 100 + tens * 10 + ones;
        // An octet that begins with a zero may be octal.
        fits &= value <= 255 && (length < 2 || value >= if length == 2 { 10 } else { 100 });
        address = address << 8 | value;
        start = end.wrapping_add(1);
        ends &= ends.wrapping_sub(1);
    }
    let end = usize::try_from(start).ok()?.checked_sub(1)?;
    fits.then_some((address, end))
}

/// Gathers the highest bits of sixteen bytes; the first byte's becomes the lowest.
#[inline]
fn high_bits(bytes: u128) -> u32 {
    // The factor moves the bits of eight bytes next to each other, and none of them over another.
    let of_half = |half: u128| {
        let half = u64::try_from(half & u128::from(u64::MAX)).unwrap_or_default();
        u32::try_from(half.wrapping_mul(0x0002_0408_1020_4081) >> 56).unwrap_or_default()
    };
    of_half(bytes) | of_half(bytes >> 64) << 8
}

/// Reads a name of two or more labels in ASCII, the last one beginning with a letter; none where anything is out of the
/// ordinary: an international label, defanging, a dot at the end.
fn plain_name(name: &[u8]) -> Option<Case> {
    let mut case = Case::Lower;
    let (mut label, mut begins, mut before, mut has_dot) = (0_usize, b'.', b'.', false);
    for &byte in name {
        match byte {
            b'.' if label == 0 || before == b'-' => return None,
            b'.' => {
                label = 0;
                has_dot = true;
                before = byte;
                continue;
            }
            b'-' if label == 0 || before == b'-' => return None,
            b'x' | b'X' if matches!(before, b'x' | b'X') => return None,
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => {}
            b'A'..=b'Z' => case = Case::Mixed,
            _ => return None,
        }
        if label == 0 {
            begins = byte;
        }
        label += 1;
        if label > 63 {
            return None;
        }
        before = byte;
    }
    let fits = has_dot && label >= 2 && before != b'-' && begins.is_ascii_alphabetic() && name.len() <= 253;
    fits.then_some(case)
}

/// Reads the local part of an address of letters, digits and `+-_.`, not defanged.
fn plain_local(local: &[u8]) -> Option<Case> {
    let mut case = Case::Lower;
    let mut before = b'.';
    for &byte in local {
        match byte {
            b'x' | b'X' if matches!(before, b'x' | b'X') => return None,
            b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'_' | b'.' => {}
            b'A'..=b'Z' => case = Case::Mixed,
            _ => return None,
        }
        before = byte;
    }
    (1..=64).contains(&local.len()).then_some(case)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observable::{CertificatePart, Observable, ip};

    fn read(kind: Option<AtomKind>, text: &str) -> Option<Observable> {
        PlainReader::default().read(kind, text).map(ObservableRef::to_observable)
    }

    #[test]
    fn the_common_spellings_are_read_here() {
        let sha = "Ab".repeat(32);
        for plain in ["192.0.2.7", "evil.example", "A-b_c.Evil.Example", "Bob+x@evil.example", sha.as_str()] {
            assert_eq!(read(None, plain), Observable::guess(plain), "{plain}");
            assert!(read(None, plain).is_some(), "{plain}");
        }
    }

    #[test]
    fn the_odd_ones_are_left_to_the_parser() {
        for odd in [
            "192.0.02.7",
            "192.0.2.7/24",
            "evil.example.",
            "*.evil.example",
            "xn--a.example",
            "hxxp.example",
            "evil[.]example",
            "münchen.example",
            "word",
            "",
        ] {
            assert_eq!(read(None, odd), None, "{odd}");
        }
    }

    #[test]
    fn digits_with_gaps_are_not_counted_as_digits() {
        // 40 characters, as a SHA-1 has; 32 with gaps that make them so many as a MD5 has.
        for odd in ["ab:".repeat(13) + "a", "ab-".repeat(10) + "ab", "ab ".repeat(10) + "ab"] {
            for kind in [None, Some(AtomKind::Hash), Some(AtomKind::HashOf(HashKind::Md5))] {
                assert_eq!(read(kind, &odd), None, "{odd}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_is_an_address_where_all_of_it_is_one(
            line in "[0-9.]{0,16}|[0-9]{1,3}(\\.[0-9]{1,3}){2,4}|[12]?[0-9]?[0-9](\\.[12]?[0-9]?[0-9]){3}[ #é\\x00:/]?",
            end in "\r?\n|\r|",
            rest in "[0-9.\n]{0,16}",
        ) {
            let text = format!("{line}{end}{rest}");
            let whole = text.split_once('\n').map(|(line, _)| line.strip_suffix('\r').unwrap_or(line));
            // An octet that begins with a zero may be octal.
            let is_plain = |line: &&str| line.split('.').all(|octet| octet == "0" || !octet.starts_with('0'));
            let slow = |line: &str| ip::parse_v4(Some(line).filter(is_plain)?.as_bytes()).map(ObservableRef::V4);
            let expected = whole.and_then(slow);
            prop_assert_eq!(v4(line.as_bytes()), slow(&line));
            let read = v4_line(text.as_bytes());
            if let Some((address, length)) = read {
                prop_assert_eq!(Some(ObservableRef::V4(address)), expected);
                prop_assert_eq!(Some(length), text.find('\n').map(|at| at + 1));
            } else if text.len() >= 16 && whole.is_some_and(|line| line.len() < 16) {
                prop_assert_eq!(None, expected);
            }
        }

        #[test]
        fn what_is_read_here_is_what_the_parser_reads(
            text in "[a-cxX0-9.@:/*+_ -]{0,24}|[0-9.]{7,16}|[0-3]{1,3}(\\.[0-9]{1,3}){3}|[a-fA-F0-9:-]{30,66}\
                     |([a-zA-ZxX0-9_-]{1,6}\\.){1,3}[a-zA-Z0-9-]{1,4}\\.?|[a-zA-Z.x+'%]{1,6}@([a-zxé-]{1,4}\\.){1,2}[a-z]{1,3}\
                     |([0-9a-f]{2}[:-]){13}[0-9a-f]|(\\*\\.)?[a-z]{1,3}(\\.[a-z]{2})?|[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|(xn--|XN--|hxxp)?[a-z0-9]{1,63}\\.[a-z]{2,63}",
        ) {
            if let Some(plain) = read(None, &text) {
                prop_assert_eq!(Some(plain), Observable::guess(&text));
            }
            let hashes = [HashKind::Md5, HashKind::Sha1, HashKind::Sha256, HashKind::Sha512, HashKind::Thumbprint];
            let kinds = [AtomKind::Ip, AtomKind::Domain, AtomKind::Url, AtomKind::Email, AtomKind::Hash];
            let parts = [CertificatePart::Thumbprint, CertificatePart::Serial, CertificatePart::Subject];
            let others = parts.map(AtomKind::Certificate).into_iter().chain([AtomKind::UserAgent]);
            for kind in kinds.into_iter().chain(hashes.map(AtomKind::HashOf)).chain(others) {
                if let Some(plain) = read(Some(kind), &text) {
                    prop_assert_eq!(Ok(plain), Observable::parse(kind, &text));
                }
            }
        }
    }
}
