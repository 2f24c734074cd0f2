//! Finds what has the shape of an observable in text, in one pass: addresses, names, e-mail addresses, long hexadecimal.
//!
//! A token ends where its kind ends, so a longer number, name or digest is another token: borders are exact.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::{email, ip};

/// What has the shape of an observable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// A whole address.
    Address(IpAddr),
    /// A dotted name, without dots, hyphens and underscores at its ends. Letter case is as in the text.
    Name(&'t [u8]),
    /// An e-mail address: its local part up to one possible border, and its host.
    Email(&'t [u8], &'t [u8]),
    /// A run of 32, 40, 64 or 128 hexadecimal digits between characters that are not letters or digits.
    Hex(&'t [u8]),
}

/// Which shapes are looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shapes {
    /// IPv4, also where it ends an IPv6 address.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
    /// Dotted names.
    pub name: bool,
    /// E-mail addresses.
    pub email: bool,
    /// Long hexadecimal.
    pub hex: bool,
}

/// How the beginning of a token is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The text is what it says.
    Exact,
    /// The text may hold escapes: in `\nevil.example` a name may begin behind the `n`. For prefilters only.
    Escaped,
}

const TOKEN: u8 = 1;
const DIGIT_OR_DOT: u8 = 2;
const COLON_RUN: u8 = 4;

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
        let mut class = 0;
        let byte = code as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || byte >= 0x80 {
            class |= TOKEN;
        }
        if byte.is_ascii_digit() || byte == b'.' {
            class |= DIGIT_OR_DOT;
        }
        if byte.is_ascii_hexdigit() || byte == b':' || byte == b'.' {
            class |= COLON_RUN;
        }
        table[code] = class;
        code += 1;
    }
    table
}

fn is(byte: u8, class: u8) -> bool {
    CLASS.get(usize::from(byte)).is_some_and(|have| have & class != 0)
}

/// Calls `each` with every token of `text` and where it stands, from left to right within a shape.
pub fn tokens<'t>(text: &'t [u8], shapes: Shapes, reading: Reading, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    let mut at = 0;
    while let Some(skipped) = text.get(at..).and_then(|rest| rest.iter().position(|&byte| is(byte, TOKEN))) {
        let start = at + skipped;
        let run = text.get(start..).unwrap_or_default();
        let length = run.iter().position(|&byte| !is(byte, TOKEN)).unwrap_or(run.len());
        let run = run.get(..length).unwrap_or_default();
        // The shortest token of any shape has four bytes (`a.bc`).
        if length >= 4 {
            one_run(text, run, start, shapes, each);
            if reading == Reading::Escaped && start > 0 && text.get(start - 1) == Some(&b'\\') {
                one_run(text, run.get(1..).unwrap_or_default(), start + 1, shapes, each);
            }
        }
        at = start + length;
    }
    if shapes.v6 || shapes.v4 {
        colon_runs(text, shapes, reading, each);
    }
}

fn one_run<'t>(
    text: &'t [u8],
    run: &'t [u8],
    start: usize,
    shapes: Shapes,
    each: &mut dyn FnMut(Token<'t>, Range<usize>),
) {
    if shapes.hex && run.len() >= 32 {
        hex_pieces(run, start, each);
    }
    let Some(first_dot) = memchr::memchr(b'.', run) else {
        // The host of an address may be a single label; the pack's e-mail indicators never are.
        return;
    };
    if shapes.v4 && run.len() >= 7 {
        v4_pieces(run, start, first_dot, each);
    }
    if !(shapes.name || shapes.email) {
        return;
    }
    let is_edge = |byte: &u8| matches!(byte, b'.' | b'-' | b'_');
    let lead = run.iter().take_while(|byte| is_edge(byte)).count();
    let trail = run.iter().rev().take_while(|byte| is_edge(byte)).count();
    let Some(name) = run.get(lead..run.len().saturating_sub(trail)).filter(|name| memchr::memchr(b'.', name).is_some())
    else {
        return;
    };
    let name_start = start + lead;
    let name_end = name_start + name.len();
    if shapes.name {
        each(Token::Name(name), name_start..name_end);
    }
    if shapes.email && lead == 0 && start > 1 && text.get(start - 1) == Some(&b'@') {
        local_parts(text, start - 1, name, name_end, each);
    }
}

/// Emits each plausible local part before the `@` at `at`: the whole run, and what stands behind its soft borders.
fn local_parts<'t>(
    text: &'t [u8],
    at: usize,
    host: &'t [u8],
    end: usize,
    each: &mut dyn FnMut(Token<'t>, Range<usize>),
) {
    let before = text.get(at.saturating_sub(64)..at).unwrap_or_default();
    let whole = before.iter().rev().take_while(|&&byte| email::is_local(byte)).count();
    let mut from = at - whole;
    loop {
        let local = text.get(from..at).unwrap_or_default();
        let local = local.get(local.iter().take_while(|&&byte| byte == b'.').count()..).unwrap_or_default();
        if local.is_empty() {
            return;
        }
        each(Token::Email(local, host), at - local.len()..end);
        match local.iter().position(|&byte| !email::is_firm_local(byte)) {
            Some(soft) => from = at - local.len() + soft + 1,
            None => return,
        }
    }
}

fn hex_pieces<'t>(run: &'t [u8], start: usize, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    let mut at = start;
    for piece in run.split(|byte| !byte.is_ascii_alphanumeric()) {
        if matches!(piece.len(), 32 | 40 | 64 | 128) && piece.iter().all(u8::is_ascii_hexdigit) {
            each(Token::Hex(piece), at..at + piece.len());
        }
        at += piece.len() + 1;
    }
}

/// Emits the whole IPv4 addresses of a run: between ends, hyphens and underscores, never beside a letter or more dots.
fn v4_pieces<'t>(run: &'t [u8], start: usize, first_dot: usize, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    // The first octet stands in the three bytes before some dot; without digits there, there is no address.
    if first_dot > 3 && run.iter().all(|byte| !matches!(byte, b'-' | b'_')) && !run.starts_with(b".") {
        return;
    }
    let mut at = start;
    for piece in run.split(|byte| matches!(byte, b'-' | b'_')) {
        let lead = piece.iter().take_while(|&&byte| byte == b'.').count();
        let trail = piece.iter().rev().take_while(|&&byte| byte == b'.').count();
        if let Some(digits) = piece.get(lead..piece.len().saturating_sub(trail))
            && digits.iter().all(|&byte| is(byte, DIGIT_OR_DOT))
            && let Some(address) = ip::parse_v4(digits)
        {
            each(Token::Address(IpAddr::V4(Ipv4Addr::from(address))), at + lead..at + lead + digits.len());
        }
        at += piece.len() + 1;
    }
}

/// Emits IPv6 addresses, and IPv4 addresses written as the last 32 bits of a mapped one in hexadecimal.
fn colon_runs<'t>(text: &'t [u8], shapes: Shapes, reading: Reading, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    let mut done = 0;
    for colon in memchr::memchr_iter(b':', text) {
        if colon < done {
            continue;
        }
        let before = text.get(done..colon).unwrap_or_default();
        let mut start = colon - before.iter().rev().take_while(|&&byte| is(byte, COLON_RUN)).count();
        let after = text.get(colon..).unwrap_or_default();
        let end = colon + after.iter().take_while(|&&byte| is(byte, COLON_RUN)).count();
        done = end;
        if end - start < 3 {
            continue;
        }
        let byte_at = |index: Option<usize>| index.and_then(|i| text.get(i)).copied().unwrap_or(b' ');
        let is_escape = |index: Option<usize>| reading == Reading::Escaped && byte_at(index) == b'\\';
        if is_escape(start.checked_sub(1)) {
            start += 1;
        } else if byte_at(start.checked_sub(1)).is_ascii_alphanumeric() && !is_escape(start.checked_sub(2)) {
            continue;
        }
        if byte_at(Some(end)).is_ascii_alphanumeric() {
            continue;
        }
        let run = text.get(start..end).unwrap_or_default();
        // `:` before an address is a separator, as in `ip:2001:db8::1`, whose key ends at the run's border.
        let lead = usize::from(run.starts_with(b":") && !run.starts_with(b"::"));
        // A mapped address in dotted form has been found as the IPv4 address that it ends with.
        if let Some((address, length)) = ip::parse_v6(run.get(lead..).unwrap_or_default()) {
            let is_dotted = memchr::memchr(b'.', run.get(lead..lead + length).unwrap_or_default()).is_some();
            if !(is_dotted && address.to_ipv4_mapped().is_some()) {
                emit_v6(address, start + lead..start + lead + length, shapes, each);
            }
        }
    }
}

fn emit_v6<'t>(address: Ipv6Addr, range: Range<usize>, shapes: Shapes, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    match ip::unmapped(IpAddr::V6(address)) {
        v4 @ IpAddr::V4(_) if shapes.v4 => each(Token::Address(v4), range),
        v6 @ IpAddr::V6(_) if shapes.v6 => each(Token::Address(v6), range),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Shapes = Shapes { v4: true, v6: true, name: true, email: true, hex: true };

    fn found(text: &str, reading: Reading) -> Vec<String> {
        let mut out = Vec::new();
        tokens(text.as_bytes(), ALL, reading, &mut |token, range| {
            let what = match token {
                Token::Address(address) => format!("ip {address}"),
                Token::Name(name) => format!("name {}", String::from_utf8_lossy(name)),
                Token::Email(local, host) => {
                    format!("email {}@{}", String::from_utf8_lossy(local), String::from_utf8_lossy(host))
                }
                Token::Hex(digits) => format!("hex {}", digits.len()),
            };
            assert!(range.end <= text.len());
            out.push(what);
        });
        out
    }

    fn addresses(text: &str) -> Vec<String> {
        found(text, Reading::Exact).into_iter().filter_map(|t| t.strip_prefix("ip ").map(str::to_owned)).collect()
    }

    #[test]
    fn an_address_is_whole_or_not_at_all() {
        for yes in [
            "5.2.69.14",
            "[5.2.69.14]:443",
            "5.2.69.14:443",
            "(5.2.69.14)",
            "x=5.2.69.14,",
            "at 5.2.69.14.",
            "5.2.69.14/24",
            "::ffff:5.2.69.14",
            "[::ffff:5.2.69.14]:1",
            "::ffff:502:450e",
            "5.2.69.14-x",
            "a@5.2.69.14",
            "\"5.2.69.14\"",
        ] {
            assert!(addresses(yes).contains(&"5.2.69.14".to_owned()), "{yes}: {:?}", addresses(yes));
        }
        for no in [
            "15.2.69.145",
            "5.2.69.145",
            "15.2.69.14",
            "5.2.69.14.7",
            "1.5.2.69.14",
            "v5.2.69.14",
            "5.2.69.14a",
            "5.2.69",
        ] {
            assert!(!addresses(no).contains(&"5.2.69.14".to_owned()), "{no}: {:?}", addresses(no));
        }
    }

    #[test]
    fn v6_is_found_in_every_setting() {
        for yes in [
            "2001:db8::abcd",
            "[2001:DB8::ABCD]:443",
            "ip=2001:db8:0:0::abcd,",
            "2001:db8::abcd%9",
            "\"2001:db8::abcd\"",
        ] {
            assert_eq!(addresses(yes), ["2001:db8::abcd"], "{yes}");
        }
        for no in ["12:34:56", "a::b::c", "x2001:db8::abcd", "2001:db8::abcdx"] {
            assert!(addresses(no).is_empty(), "{no}: {:?}", addresses(no));
        }
    }

    #[test]
    fn names_addresses_and_digests_keep_their_borders() {
        assert_eq!(found("https://a.Evil.Example./x", Reading::Exact), ["name a.Evil.Example"]);
        let mail = found("from=<Bob+x@evil.example>;", Reading::Exact);
        assert!(mail.contains(&"email Bob+x@evil.example".to_owned()), "{mail:?}");
        let keyed = found("from=bob@evil.example", Reading::Exact);
        assert!(keyed.contains(&"email bob@evil.example".to_owned()), "{keyed:?}");
        assert_eq!(found(&"ab".repeat(20), Reading::Exact), ["hex 40"]);
        assert!(found(&"ab".repeat(21), Reading::Exact).is_empty());
        assert!(found(&format!("{}g", "ab".repeat(20)), Reading::Exact).is_empty());
    }

    #[test]
    fn an_escape_before_a_name_hides_it_from_the_exact_reading_only() {
        assert_eq!(found(r"\nevil.example", Reading::Exact), ["name nevil.example"]);
        assert!(found(r"\nevil.example", Reading::Escaped).contains(&"name evil.example".to_owned()));
        assert!(found(r"\n5.2.69.14", Reading::Escaped).contains(&"ip 5.2.69.14".to_owned()));
        assert!(found(r"\n2001:db8::1", Reading::Exact).is_empty());
        for escape in ["n", "f"] {
            let text = format!("\\{escape}2001:db8::1");
            assert!(found(&text, Reading::Escaped).contains(&"ip 2001:db8::1".to_owned()), "{text}");
        }
    }
}
