//! Finds what has the shape of an observable in text, in one pass: addresses, names, e-mail addresses, long hexadecimal.
//!
//! A token ends where its kind ends, so a longer number, name or digest is another token: borders are exact.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::{borders, colons, email, idna, pairs};

/// What has the shape of an observable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// A whole address.
    Address(IpAddr),
    /// A dotted name, without dots, hyphens and underscores at its ends. Letter case is as in the text.
    Name(&'t [u8]),
    /// An e-mail address: its local part up to one possible border, and its host.
    Email(&'t [u8], &'t [u8]),
    /// A run of 32, 40, 64 or 128 hexadecimal digits between characters that are not letters or digits; or as many in
    /// pairs between colons, hyphens or single spaces, as thumbprints are printed. `0x` may stand before a run.
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
        table[code] = class;
        code += 1;
    }
    table
}

/// Tells whether tokens are made of this byte: letters, digits, `.`, `-`, `_`, and what is not ASCII.
#[inline]
pub fn is_token(byte: u8) -> bool {
    is(byte, TOKEN)
}

#[inline]
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
            let mut search = Search { text, shapes, reading, each: &mut *each };
            search.run(run, start);
            if search.is_escaped(start) {
                search.run(run.get(1..).unwrap_or_default(), start + 1);
            }
        }
        at = start + length;
    }
    if shapes.v6 || shapes.v4 || shapes.hex {
        colons::runs(text, shapes, reading, each);
    }
    if shapes.hex {
        pairs::runs(text, reading, each);
    }
}

/// Calls `each` with the tokens of a text that hold colons, and no others.
pub fn colon_tokens<'t>(
    text: &'t [u8],
    shapes: Shapes,
    reading: Reading,
    each: &mut dyn FnMut(Token<'t>, Range<usize>),
) {
    colons::runs(text, shapes, reading, each);
}

/// What every step of a search needs.
struct Search<'t, 'e> {
    text: &'t [u8],
    shapes: Shapes,
    reading: Reading,
    each: &'e mut dyn FnMut(Token<'t>, Range<usize>),
}

impl<'t> Search<'t, '_> {
    /// Tells whether a backslash before `at` may make the byte there a part of an escape.
    fn is_escaped(&self, at: usize) -> bool {
        self.reading == Reading::Escaped && at.checked_sub(1).and_then(|i| self.text.get(i)) == Some(&b'\\')
    }

    /// Searches a run of bytes that tokens are made of, cut at what is a border in other scripts than ASCII.
    fn run(&mut self, run: &'t [u8], start: usize) {
        if run.is_ascii() {
            self.numbers(run, start);
            return self.names(run, start);
        }
        if run.len() < 32 && !has_dot(run) {
            // Neither a number nor a name is here, and where its parts would end is costly to tell.
            return;
        }
        borders::numbers(run, &mut |range| {
            self.numbers(run.get(range.clone()).unwrap_or_default(), start + range.start);
        });
        borders::pieces(run, &mut |range| {
            self.names(run.get(range.clone()).unwrap_or_default(), start + range.start);
        });
    }

    fn numbers(&mut self, run: &'t [u8], start: usize) {
        if self.shapes.hex && run.len() >= 32 {
            hex_pieces(run, start, self.each);
        }
        if self.shapes.v4
            && run.len() >= 7
            && let Some(first_dot) = memchr::memchr(b'.', run)
        {
            v4_pieces(run, start, first_dot, self.each);
        }
    }

    fn names(&mut self, run: &'t [u8], start: usize) {
        let shapes = self.shapes;
        // The host of an address may be a single label; the pack's e-mail indicators never are.
        if !(shapes.name || shapes.email) || !has_dot(run) {
            return;
        }
        let is_edge = |byte: &u8| matches!(byte, b'.' | b'-' | b'_');
        let lead = run.iter().take_while(|byte| is_edge(byte)).count();
        let trail = run.iter().rev().take_while(|byte| is_edge(byte)).count();
        let Some(name) = run.get(lead..run.len().saturating_sub(trail)).filter(|name| has_dot(name)) else { return };
        let name_start = start + lead;
        let name_end = name_start + name.len();
        if shapes.name {
            // `_dmarc.evil.example` may be a name or be set in underscores.
            let scores = run.get(..lead).unwrap_or_default().iter().rev().take_while(|&&byte| byte == b'_').count();
            if scores > 0
                && let Some(name) = run.get(lead - scores..lead + name.len())
            {
                (self.each)(Token::Name(name), name_start - scores..name_end);
            }
            (self.each)(Token::Name(name), name_start..name_end);
        }
        if shapes.email && lead == 0 && start > 1 && self.text.get(start - 1) == Some(&b'@') {
            self.local_parts(start - 1, name, name_end);
        }
    }

    /// Emits each plausible local part before the `@` at `at`: the whole run, and what stands behind its soft borders.
    fn local_parts(&mut self, at: usize, host: &'t [u8], end: usize) {
        let before = self.text.get(at.saturating_sub(LOCAL_BYTES)..at).unwrap_or_default();
        if before.last() == Some(&b'"') {
            return self.quoted_local_part(before, host, end);
        }
        let whole = before.iter().rev().take_while(|&&byte| email::is_local(byte)).count();
        self.local_parts_from(at - whole, at, host, end);
        if whole > 1 && self.is_escaped(at - whole) {
            self.local_parts_from(at - whole + 1, at, host, end);
        }
    }

    /// Emits the local part between quotes, which CSV doubles and JSON writes behind backslashes.
    fn quoted_local_part(&mut self, before: &'t [u8], host: &'t [u8], end: usize) {
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\\');
        let quotes = before.iter().rev().take_while(|byte| is_quote(byte)).count();
        let inside = before.get(..before.len() - quotes).unwrap_or_default();
        if let Some(quote) = memchr::memrchr(b'"', inside)
            && let Some(local) = inside.get(quote + 1..).filter(|local| !local.is_empty())
        {
            (self.each)(Token::Email(local, host), end - host.len() - 1 - quotes - local.len()..end);
        }
    }

    fn local_parts_from(&mut self, mut from: usize, at: usize, host: &'t [u8], end: usize) {
        loop {
            let local = self.text.get(from..at).unwrap_or_default();
            let local = local.get(local.iter().take_while(|&&byte| byte == b'.').count()..).unwrap_or_default();
            if local.is_empty() {
                return;
            }
            (self.each)(Token::Email(local, host), at - local.len()..end);
            match borders::behind_first(local, |byte| !email::is_firm_local(byte)) {
                Some(behind) => from = at - local.len() + behind,
                None => return,
            }
        }
    }
}

/// How far before an `@` its local part may begin. Source: RFC 5321, section 4.5.3.1.1, and room for quotes.
const LOCAL_BYTES: usize = 70;

/// Tells whether a run holds a full stop of any script.
fn has_dot(run: &[u8]) -> bool {
    let is_dot = |c: &char| memchr::memmem::find(run, c.encode_utf8(&mut [0; 4]).as_bytes()).is_some();
    memchr::memchr(b'.', run).is_some() || !run.is_ascii() && idna::DOTS.iter().any(is_dot)
}

fn hex_pieces<'t>(run: &'t [u8], start: usize, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    let mut at = start;
    // Letters beyond ASCII belong to the piece, which is then no digest.
    for piece in run.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()) {
        let digits = piece.strip_prefix(b"0x").or_else(|| piece.strip_prefix(b"0X")).unwrap_or(piece);
        if matches!(digits.len(), 32 | 40 | 64 | 128) && digits.iter().all(u8::is_ascii_hexdigit) {
            let end = at + piece.len();
            each(Token::Hex(digits), end - digits.len()..end);
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
            && let Some(address) = super::ip::parse_v4(digits)
        {
            each(Token::Address(IpAddr::V4(Ipv4Addr::from(address))), at + lead..at + lead + digits.len());
        }
        at += piece.len() + 1;
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
            "source:2001:db8::abcd",
            "..2001:db8::abcd.",
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
        for prefix in ["0x", "0X", "=0x", "é0x"] {
            assert_eq!(found(&format!("{prefix}{}", "ab".repeat(16)), Reading::Exact), ["hex 32"], "{prefix}");
        }
        for prefix in ["x", "10x", "a0x", "0x0x", "0x0"] {
            assert!(found(&format!("{prefix}{}", "ab".repeat(16)), Reading::Exact).is_empty(), "{prefix}");
        }
        let pairs = ["ab"; 20].join(":");
        for yes in [pairs.clone(), format!("SHA1:{pairs}"), format!("Fingerprint={pairs}")] {
            assert_eq!(found(&yes, Reading::Exact), ["hex 59"], "{yes}");
        }
        for no in [format!("cd:{pairs}"), format!("{pairs}:cd"), format!("x{pairs}")] {
            assert!(found(&no, Reading::Exact).is_empty(), "{no}");
        }
        assert_eq!(found("见evil。example", Reading::Exact), ["name evil。example", "name 见evil。example"]);
        for quoted in ["\"a b\"@evil.example", "\"\"a b\"\"@evil.example", "\\\"a b\\\"@evil.example"] {
            assert!(found(quoted, Reading::Exact).contains(&"email a b@evil.example".to_owned()), "{quoted}");
        }
    }

    #[test]
    fn an_escape_before_a_name_hides_it_from_the_exact_reading_only() {
        assert_eq!(found(r"\nevil.example", Reading::Exact), ["name nevil.example"]);
        assert!(found(r"\nevil.example", Reading::Escaped).contains(&"name evil.example".to_owned()));
        assert!(found(r"\n5.2.69.14", Reading::Escaped).contains(&"ip 5.2.69.14".to_owned()));
        assert!(found(r"\n2001:db8::1", Reading::Exact).is_empty());
        assert!(found(r"\nbob@evil.example", Reading::Escaped).contains(&"email bob@evil.example".to_owned()));
        for escape in ["n", "f"] {
            let text = format!("\\{escape}2001:db8::1");
            assert!(found(&text, Reading::Escaped).contains(&"ip 2001:db8::1".to_owned()), "{text}");
        }
    }
}
