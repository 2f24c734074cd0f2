//! What holds colons: IPv6 addresses, IPv4 addresses mapped into them in hexadecimal, and digests in pairs of digits.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use super::borders::{is_tied_before, is_tied_behind};
use super::ip;
use super::tokens::{Reading, Shapes, Token};

type Each<'e, 't> = &'e mut dyn FnMut(Token<'t>, Range<usize>);

fn is_run(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

/// Calls `each` with every token that holds colons, from left to right.
pub(super) fn runs<'t>(text: &'t [u8], shapes: Shapes, reading: Reading, each: Each<'_, 't>) {
    let mut done = 0;
    for colon in memchr::memchr_iter(b':', text) {
        if colon < done {
            continue;
        }
        let before = text.get(done..colon).unwrap_or_default();
        let start = colon - before.iter().rev().take_while(|&&byte| is_run(byte)).count();
        let after = text.get(colon..).unwrap_or_default();
        let end = colon + after.iter().take_while(|&&byte| is_run(byte)).count();
        done = end;
        let is_tied = is_tied_behind(text, end);
        if shapes.hex && end - start >= LEAST_DIGEST {
            digests(text, start..end, is_tied, reading, each);
        }
        if end - start < 3 || is_tied && !is_port(text.get(end..).unwrap_or_default()) {
            continue;
        }
        if shapes.v4 || shapes.v6 {
            one_run(text, start..end, shapes, reading, each);
        }
    }
}

/// Tells whether a port follows as in `2001:db8::1p443`. Source: RFC 5952, section 6.
fn is_port(behind: &[u8]) -> bool {
    let digits = behind.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    behind.first() == Some(&b'p') && (1..=5).contains(&digits) && !is_tied_behind(behind, 1 + digits)
}

fn one_run<'t>(text: &'t [u8], run: Range<usize>, shapes: Shapes, reading: Reading, each: Each<'_, 't>) {
    let byte_at = |index: Option<usize>| index.and_then(|i| text.get(i)).copied().unwrap_or(b' ');
    let is_escape = |index: Option<usize>| reading == Reading::Escaped && byte_at(index) == b'\\';
    let start = run.start;
    if is_escape(start.checked_sub(1)) {
        // The first digit may be the letter of an escape.
        address(text, start + 1..run.end, shapes, each);
    }
    if !is_tied_before(text, start) || is_escape(start.checked_sub(2)) {
        address(text, start..run.end, shapes, each);
    }
    // `source:2001:db8::1`, `ip:2001:db8::1`: the word before the first colon names what follows, unless digits make it a
    // group. Of three colons, the first is the separator.
    let bytes = text.get(start..run.end).unwrap_or_default();
    let Some(colon) = memchr::memchr(b':', bytes) else { return };
    let before = text.get(..start + colon).unwrap_or_default();
    // `IPv6:` and `ip6:` name the version of what follows.
    let before = before.strip_suffix(b"6").filter(|b| b.last().is_some_and(u8::is_ascii_alphabetic)).unwrap_or(before);
    let word = before.iter().rev().take_while(|b| b.is_ascii_alphanumeric());
    let is_name = word.clone().next().is_some() && word.clone().all(u8::is_ascii_alphabetic);
    let behind = bytes.get(colon + 1..).unwrap_or_default();
    if is_name && (!behind.starts_with(b":") || behind.starts_with(b"::")) {
        address(text, start + colon + 1..run.end, shapes, each);
    }
}

fn address<'t>(text: &'t [u8], range: Range<usize>, shapes: Shapes, each: Each<'_, 't>) {
    let run = text.get(range.clone()).unwrap_or_default();
    let dots = run.iter().take_while(|&&byte| byte == b'.').count();
    // `:` before an address is a separator, as in `ip:2001:db8::1`, whose key ends at the run's border.
    let run = run.get(dots..).unwrap_or_default();
    let lead = usize::from(run.starts_with(b":") && !run.starts_with(b"::"));
    let Some((address, length)) = ip::parse_v6(run.get(lead..).unwrap_or_default()) else { return };
    // A mapped address in dotted form has been found as the IPv4 address that it ends with.
    let is_dotted = memchr::memchr(b'.', run.get(lead..lead + length).unwrap_or_default()).is_some();
    if !(is_dotted && address.to_ipv4_mapped().is_some()) {
        let start = range.start + dots + lead;
        emit(address, start..start + length, shapes, each);
    }
}

fn emit<'t>(address: Ipv6Addr, range: Range<usize>, shapes: Shapes, each: Each<'_, 't>) {
    match ip::unmapped(IpAddr::V6(address)) {
        v4 @ IpAddr::V4(_) if shapes.v4 => each(Token::Address(v4), range),
        v6 @ IpAddr::V6(_) if shapes.v6 => each(Token::Address(v6), range),
        _ => {}
    }
}

/// The fewest bytes of a digest in pairs: MD5.
const LEAST_DIGEST: usize = 16 * 3 - 1;

/// Emits the digests in pairs of digits of a run. A full stop is a border of one, and so is a colon that no pair follows.
fn digests<'t>(text: &'t [u8], run: Range<usize>, is_tied: bool, reading: Reading, each: Each<'_, 't>) {
    let end = run.end;
    let mut start = run.start;
    for part in text.get(run).unwrap_or_default().split(|&byte| byte == b'.') {
        let is_last = start + part.len() == end;
        // What a word goes on with is of the word: `…:AA:added`.
        let word = part.iter().rev().take_while(|&&byte| byte != b':').count();
        let part_end = start + part.len() - if is_last && is_tied { word } else { 0 };
        let colons = text.get(start..part_end).unwrap_or_default().iter().rev().take_while(|&&byte| byte == b':');
        digest(text, start..part_end - colons.count(), reading, each);
        start += part.len() + 1;
    }
}

/// Emits the digest that a stretch of digits and colons is or ends with: `D4:B4:…`, `SHA1:D4:B4:…`.
fn digest<'t>(text: &'t [u8], range: Range<usize>, reading: Reading, each: Each<'_, 't>) {
    let run = text.get(range.clone()).unwrap_or_default();
    for pairs in [64_usize, 32, 20, 16] {
        let Some(lead) = run.len().checked_sub(pairs * 3 - 1) else { continue };
        let digest = run.get(lead..).unwrap_or_default();
        let is_digest = digest.chunks(3).all(|pair| match pair {
            [high, low, rest @ ..] => {
                high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && matches!(rest, [] | [b':'])
            }
            _ => false,
        });
        if !is_digest {
            continue;
        }
        let begins = range.start + lead;
        let before = text.get(..begins).unwrap_or_default();
        let is_border = match before.last() {
            // A pair before it would make it the end of a longer digest; `fp:` and `SHA1:` are none.
            Some(b':') => !ends_with_pair(before.get(..before.len() - 1).unwrap_or_default()),
            _ => !is_tied_before(text, begins),
        };
        let is_escaped =
            reading == Reading::Escaped && begins.checked_sub(2).and_then(|at| text.get(at)) == Some(&b'\\');
        if is_border || is_escaped {
            each(Token::Hex(digest), begins..range.end);
        }
        return;
    }
}

/// Tells whether a text ends with two hexadecimal digits that are a word.
fn ends_with_pair(text: &[u8]) -> bool {
    let word = text.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    word == 2 && text.iter().rev().take(2).all(u8::is_ascii_hexdigit)
}
