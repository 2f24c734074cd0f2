//! Where a value stands in a text, by the rules of the pack format said plainly: one value, one text, every place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use ipnet::IpNet;
use regex::bytes::Regex;

use crate::observable::{Certificate, Observable, UrlPattern};
use crate::record::readable;

type Places = Vec<Range<usize>>;

/// Returns where a value stands. A user agent and the parts of a certificate but its thumbprint have no shape of their own.
pub(super) fn of(value: &Observable, text: &[u8]) -> Places {
    match value {
        Observable::Ip(range) => addresses(text, &|address| is_in(range.network(), address)),
        Observable::Domain(name) => match name.strip_prefix("*.") {
            Some(parent) => names(text, &|name| is_under(name, parent)),
            None => names(text, &|other| other == name || is_under(other, name)),
        },
        Observable::Url(url) => urls(text, url),
        Observable::Email(address) => address.rsplit_once('@').map_or_else(Vec::new, |(l, h)| emails(text, l, h)),
        Observable::Hash(_, digits) | Observable::Certificate(Certificate::Thumbprint(digits)) => digests(text, digits),
        Observable::Certificate(_) | Observable::UserAgent(_) => Vec::new(),
    }
}

/// Returns every match of an expression, also those that overlap.
pub(super) fn each_match(regex: &Regex, text: &[u8]) -> Places {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|_| regex.find_at(text, from)) {
        places.push(found.range());
        from = found.start() + 1;
    }
    places
}

/// Every character with where it stands; a byte that is no UTF-8 is what it is in windows-1252.
fn chars(text: &[u8]) -> Vec<(usize, char)> {
    let mut out = Vec::new();
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        out.extend(chunk.valid().char_indices().map(|(offset, c)| (at + offset, c)));
        at += chunk.valid().len();
        let is_cut_off = chunk.invalid().len() > 1;
        for &byte in chunk.invalid() {
            let read = readable(&[byte]).chars().next().unwrap_or('\u{fffd}');
            out.push((at, if is_cut_off { '\u{fffd}' } else { read }));
            at += 1;
        }
    }
    out
}

/// Returns the stretches of characters that belong to something.
fn stretches(text: &[u8], belongs: &dyn Fn(char) -> bool) -> Places {
    let mut places: Places = Vec::new();
    let mut start = None;
    for (at, c) in chars(text) {
        match (belongs(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                places.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    places.extend(start.map(|from| from..text.len()));
    places
}

fn slice<'t>(text: &'t [u8], range: &Range<usize>) -> &'t [u8] {
    text.get(range.clone()).unwrap_or_default()
}

/// Takes bytes off both ends.
fn trimmed(text: &[u8], range: &Range<usize>, is_edge: &dyn Fn(u8) -> bool) -> Range<usize> {
    let inside = slice(text, range);
    let start = range.start + inside.iter().take_while(|byte| is_edge(**byte)).count();
    let end = range.end - inside.iter().rev().take_while(|byte| is_edge(**byte)).count();
    start..end.max(start)
}

/// Digits of other scripts, with which a number goes on.
fn is_other_digit(c: char) -> bool {
    matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}' | '\u{ff10}'..='\u{ff19}')
}

fn ties(c: char) -> bool {
    c.is_ascii_alphanumeric() || is_other_digit(c)
}

fn is_tied_before(text: &[u8], at: usize) -> bool {
    chars(text.get(..at).unwrap_or_default()).last().is_some_and(|(_, c)| ties(*c))
}

fn is_tied_behind(text: &[u8], at: usize) -> bool {
    chars(text.get(at..).unwrap_or_default()).first().is_some_and(|(_, c)| ties(*c))
}

/// Tells whether a letter or digit adjoins: of ASCII, or one that a name goes on with.
pub(super) fn is_in_word(text: &[u8], at: &Range<usize>) -> bool {
    let joins = |c: char| is_of_name(c) && !matches!(c, '.' | '-' | '_');
    let before = chars(text.get(..at.start).unwrap_or_default()).last().is_some_and(|(_, c)| joins(*c));
    before || chars(text.get(at.end..).unwrap_or_default()).first().is_some_and(|(_, c)| joins(*c))
}

// Addresses.

fn is_in(network: IpNet, address: IpAddr) -> bool {
    match (network, address) {
        (IpNet::V4(net), IpAddr::V4(v4)) => u32::from(v4) & u32::from(net.netmask()) == u32::from(net.network()),
        (IpNet::V6(net), IpAddr::V6(v6)) => u128::from(v6) & u128::from(net.netmask()) == u128::from(net.network()),
        _ => false,
    }
}

fn addresses(text: &[u8], is_wanted: &dyn Fn(IpAddr) -> bool) -> Places {
    let mut places = v4_addresses(text);
    places.extend(v6_addresses(text));
    places.into_iter().filter(|(address, _)| is_wanted(*address)).map(|(_, range)| range).collect()
}

/// Four numbers up to 255 between dots, to which no letter, digit or further number belongs.
fn v4_addresses(text: &[u8]) -> Vec<(IpAddr, Range<usize>)> {
    let whole = stretches(text, &|c| ties(c) || c == '.').into_iter();
    let read = |range: Range<usize>| {
        let range = trimmed(text, &range, &|byte| byte == b'.');
        let written = std::str::from_utf8(slice(text, &range)).ok()?;
        let octet = |part: &str| {
            let fits = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u8>().ok().filter(|_| fits)
        };
        let octets: Vec<Option<u8>> = written.split('.').map(octet).collect();
        let &[Some(a), Some(b), Some(c), Some(d)] = octets.as_slice() else { return None };
        Some((IpAddr::V4(Ipv4Addr::new(a, b, c, d)), range))
    };
    whole.filter_map(read).collect()
}

/// IPv6 in any spelling, between borders, behind `key:` and before a port. What is mapped is the IPv4 address.
fn v6_addresses(text: &[u8]) -> Vec<(IpAddr, Range<usize>)> {
    let mut found = Vec::new();
    for run in stretches(text, &|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.')) {
        let behind = text.get(run.end..).unwrap_or_default();
        let port = behind.strip_prefix(b"p").map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        let is_port = (1..=5).contains(&port) && !is_tied_behind(text, run.end + 1 + port);
        let Some(colon) = slice(text, &run).iter().position(|&byte| byte == b':').map(|at| run.start + at) else {
            continue;
        };
        if is_tied_behind(text, run.end) && !is_port {
            continue;
        }
        let whole = (!is_tied_before(text, run.start)).then_some(run.start);
        // A word names what follows, `source:` or `ipv6:`, but not one with digits, which is a group.
        let word: Vec<u8> =
            text.get(..colon).unwrap_or_default().iter().rev().copied().take_while(u8::is_ascii_alphanumeric).collect();
        let letters = word.strip_prefix(b"6").filter(|rest| !rest.is_empty()).unwrap_or(&word);
        let is_word = !letters.is_empty() && letters.iter().all(u8::is_ascii_alphabetic);
        // Of three colons, the first is the separator.
        let behind = text.get(colon + 1..).unwrap_or_default();
        let is_separator = !behind.starts_with(b":") || behind.starts_with(b"::");
        let named = (is_word && is_separator).then_some(colon + 1);
        for start in whole.into_iter().chain(named) {
            found.extend(v6_at(text, start..run.end));
        }
    }
    found
}

fn v6_at(text: &[u8], run: Range<usize>) -> Option<(IpAddr, Range<usize>)> {
    let dots = slice(text, &run).iter().take_while(|&&byte| byte == b'.').count();
    let mut start = run.start + dots;
    let rest = text.get(start..run.end)?;
    start += usize::from(rest.starts_with(b":") && !rest.starts_with(b"::"));
    let written = std::str::from_utf8(text.get(start..run.end)?).ok()?;
    let colons = written.matches(':').count();
    if !(2..=9).contains(&colons) || written.len() > 64 {
        return None;
    }
    let bare = written.trim_end_matches('.');
    // What may follow: nothing, a colon, a port behind eight groups or an IPv4 address, a port behind a dot.
    let follows = |tail: &str| {
        let has_port = bare.contains('.') || colons == 8;
        tail.is_empty()
            || tail == ":"
            || tail.strip_prefix(':').is_some_and(|port| has_port && !port.contains(':'))
            || tail.strip_prefix('.').is_some_and(|port| !port.contains('.'))
    };
    let length = (2..=bare.len()).rev().find(|&length| {
        let (address, tail) = bare.split_at_checked(length).unwrap_or_default();
        follows(tail) && address.parse::<Ipv6Addr>().is_ok()
    })?;
    let address: Ipv6Addr = bare.get(..length)?.parse().ok()?;
    let is_dotted = bare.get(..length)?.contains('.');
    match address.to_ipv4_mapped() {
        // Its IPv4 part has been found for itself.
        Some(_) if is_dotted => None,
        Some(v4) => Some((IpAddr::V4(v4), start..start + length)),
        None => Some((IpAddr::V6(address), start..start + length)),
    }
}

// Names.

fn is_under(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|child| child.len() > 1 && child.ends_with('.'))
}

fn is_wide_dot(c: char) -> bool {
    matches!(c, '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Letters that a name is made of where words are parted by spaces.
fn is_of_name(c: char) -> bool {
    match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'),
        '\u{0300}'..='\u{036f}' => true,
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => true,
        c => !is_wide_dot(c) && c.is_alphanumeric() && c < '\u{0e00}',
    }
}

/// Letters of scripts without spaces, which may be of a name or stand beside it.
fn is_unspaced(c: char) -> bool {
    !is_of_name(c) && !is_wide_dot(c) && c.is_alphanumeric() && !c.is_ascii()
}

/// What may be a name: letters alone, with full stops of other scripts, with letters of scripts without spaces.
fn stretches_of_names(text: &[u8]) -> Places {
    let mut places = stretches(text, &is_of_name);
    let without_wide_dots = |range: Range<usize>| {
        let inside = chars(slice(text, &range));
        let kept = || inside.iter().filter(|(_, c)| !is_wide_dot(*c));
        let (first, last) = (kept().next()?, kept().next_back()?);
        Some(range.start + first.0..range.start + last.0 + last.1.len_utf8().min(range.end - range.start - last.0))
    };
    let middle = stretches(text, &|c| is_of_name(c) || is_wide_dot(c));
    let wide = stretches(text, &|c| is_of_name(c) || is_wide_dot(c) || is_unspaced(c));
    places.extend(middle.into_iter().chain(wide).filter_map(without_wide_dots));
    places
}

fn is_edge(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

fn names(text: &[u8], is_wanted: &dyn Fn(&str) -> bool) -> Places {
    let mut places = Vec::new();
    for stretch in stretches_of_names(text) {
        let bare = trimmed(text, &stretch, &is_edge);
        // Underscores before a name may be of it.
        let before = text.get(stretch.start..bare.start).unwrap_or_default();
        let scores = before.iter().rev().take_while(|&&byte| byte == b'_').count();
        for range in [bare.clone(), bare.start - scores..bare.end] {
            let name = Observable::comparable_name(&readable(slice(text, &range)));
            if name.contains('.') && is_wanted(&name) {
                places.push(range);
            }
        }
    }
    places
}

fn emails(text: &[u8], local: &str, host: &str) -> Places {
    let mut places = Vec::new();
    for stretch in stretches_of_names(text) {
        let range = trimmed(text, &stretch, &is_edge);
        let is_host = range.start == stretch.start
            && range.start > 1
            && text.get(range.start - 1) == Some(&b'@')
            && Observable::comparable_name(&readable(slice(text, &range))) == host;
        if is_host {
            let before = text.get(..range.start - 1).unwrap_or_default();
            places.extend(local_part(before, local).map(|start| start..range.end));
        }
    }
    places
}

/// Returns where a text ends with this local part as a whole.
fn local_part(before: &[u8], local: &str) -> Option<usize> {
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte) || byte >= 0x80;
    let is_same = |part: &[u8]| String::from_utf8_lossy(part).to_lowercase() == local;
    if before.ends_with(b"\"") {
        let inside = trimmed(before, &(0..before.len()), &|byte| matches!(byte, b'"' | b'\\')).end;
        let start = before.get(..inside)?.iter().rposition(|&byte| byte == b'"')? + 1;
        return is_same(before.get(start..inside)?).then_some(start);
    }
    chars(before).into_iter().map(|(at, _)| at).find(|&start| {
        let part = before.get(start..).unwrap_or_default();
        let outside = before.get(..start).unwrap_or_default();
        let dots = outside.iter().rev().take_while(|&&byte| byte == b'.').count();
        let last = chars(outside.get(..outside.len() - dots).unwrap_or_default()).last().map(|(_, c)| *c);
        // What may be a border in ordinary text: `from=a@b`.
        let is_border = last.is_none_or(|c| !(is_of_name(c) || c == '+'));
        part.iter().all(|&byte| is_local(byte)) && is_border && is_same(part)
    })
}

// URLs.

/// A host as a whole, and behind it the port and path up to a border.
fn urls(text: &[u8], url: &UrlPattern) -> Places {
    let mut hosts = names(text, &|name| name == url.host);
    hosts.extend(addresses(text, &|address| address.to_string() == url.host));
    let read = |host: Range<usize>| {
        let rest = text.get(host.end..).unwrap_or_default();
        let zone = rest.iter().take(32).position(|&byte| byte == b']').filter(|_| rest.starts_with(b"%"));
        let lead = zone.map_or(usize::from(rest.starts_with(b"]")), |zone| zone + 1);
        let behind = String::from_utf8_lossy(rest.get(lead..).unwrap_or_default()).into_owned();
        let length = url.match_behind_host(&behind)?;
        let end = host.end + if length > 0 { lead + length } else { 0 };
        Some(host.start..end.min(text.len()))
    };
    hosts.into_iter().filter_map(read).collect()
}

// Digests.

fn digests(text: &[u8], digits: &str) -> Places {
    let bare = |range: Range<usize>| {
        let has_prefix = slice(text, &range).get(..2).is_some_and(|lead| lead.eq_ignore_ascii_case(b"0x"));
        if has_prefix { range.start + 2..range.end } else { range }
    };
    let mut places: Places = stretches(text, &ties).into_iter().map(bare).collect();
    places.retain(|range| slice(text, range).eq_ignore_ascii_case(digits.as_bytes()));
    let pairs: Vec<String> =
        digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
    let lower = text.to_ascii_lowercase();
    for separator in [":", "-", " "] {
        let written = pairs.join(separator);
        let starts = memchr::memmem::find_iter(&lower, &written).collect::<Vec<_>>();
        let ranges = starts.into_iter().map(|start| start..start + written.len());
        places.extend(ranges.filter(|range| is_whole_digest(text, range, separator)));
    }
    places
}

/// Tells whether no further pair belongs to a digest in pairs. Between spaces a word of two letters may adjoin, or the
/// end of a word, of a date, of an amount.
fn is_whole_digest(text: &[u8], range: &Range<usize>, separator: &str) -> bool {
    // From the digest outwards, on either side.
    let mut before = text.get(..range.start).unwrap_or_default().to_vec();
    let (tied_before, tied_behind) = (is_tied_before(text, range.start), is_tied_behind(text, range.end));
    before.reverse();
    let behind = text.get(range.end..).unwrap_or_default();
    let mark = separator.as_bytes();
    [(before.as_slice(), tied_before), (behind, tied_behind)].into_iter().all(|(outside, is_tied)| {
        let further = |outside: &[u8]| outside.starts_with(mark) && is_pair(outside.get(1..3).unwrap_or_default());
        let ends_at = |outside: &[u8]| !outside.first().is_some_and(u8::is_ascii_alphanumeric);
        match separator {
            _ if !further(outside) => !is_tied,
            // A word that is no pair: `SHA1:`.
            ":" => !ends_at(outside.get(3..).unwrap_or_default()),
            " " => {
                let (pair, rest) = (outside.get(1..3).unwrap_or_default(), outside.get(3..).unwrap_or_default());
                let is_word = pair.iter().all(u8::is_ascii_alphabetic);
                let is_joint = rest.first().is_some_and(|&byte| {
                    !(byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`()[]{}<>\\;|".contains(&byte))
                });
                let torn = further(rest) && !ends_at(rest.get(3..).unwrap_or_default());
                !ends_at(rest) || (is_word && (!further(rest) || torn)) || is_joint && !further(rest)
            }
            _ => false,
        }
    })
}

fn is_pair(bytes: &[u8]) -> bool {
    bytes.len() == 2 && bytes.iter().all(u8::is_ascii_hexdigit)
}
