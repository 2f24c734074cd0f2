//! One observable of a table, borrowed from it.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::observable::{HashKind, IpRange, Observable, UrlPattern};

/// One value of a table. It is the same value as an [`Observable`], without its own memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservableRef<'a> {
    /// One IPv4 address.
    V4(u32),
    /// One IPv6 address.
    V6(u128),
    /// A range of more than one address.
    Range(IpNet),
    /// A domain.
    Domain(&'a str),
    /// An e-mail address.
    Email(&'a str),
    /// A digest, as bytes.
    Hash(HashKind, &'a [u8]),
    /// A URL.
    Url(UrlRef<'a>),
    /// A kind that has no shorter form.
    Other(&'a Observable),
}

/// The parts of a [`UrlPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlRef<'a> {
    /// The host: a name in lower case or an address.
    pub host: &'a str,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
    /// Path and query with percent-encoding undone.
    pub path: &'a str,
}

/// The most bytes of a digest.
pub(in crate::observable) const MOST_DIGEST_BYTES: usize = 64;

/// Room for the bytes of one digest.
pub type DigestBytes = [u8; MOST_DIGEST_BYTES];

impl<'a> ObservableRef<'a> {
    /// Borrows an observable. A digest's bytes are written to `digest`.
    pub fn new(observable: &'a Observable, digest: &'a mut DigestBytes) -> Self {
        match observable {
            Observable::Ip(range) => match range.network() {
                IpNet::V4(net) if net.prefix_len() == 32 => Self::V4(u32::from(net.addr())),
                IpNet::V6(net) if net.prefix_len() == 128 => Self::V6(u128::from(net.addr())),
                net => Self::Range(net),
            },
            Observable::Domain(name) => Self::Domain(name),
            Observable::Email(address) => Self::Email(address),
            Observable::Hash(kind, digits) => match from_hex(digits.as_bytes(), digest) {
                Some(bytes) => Self::Hash(*kind, bytes),
                None => Self::Other(observable),
            },
            Observable::Url(url) => Self::Url(UrlRef { host: &url.host, port: url.port, path: &url.path }),
            Observable::Certificate(_) | Observable::UserAgent(_) => Self::Other(observable),
        }
    }

    /// Returns the value with memory of its own.
    pub fn to_observable(self) -> Observable {
        match self {
            Self::V4(address) => Observable::Ip(IpRange::new(IpNet::V4(Ipv4Net::from(Ipv4Addr::from(address))))),
            Self::V6(address) => Observable::Ip(IpRange::new(IpNet::V6(Ipv6Net::from(Ipv6Addr::from(address))))),
            Self::Range(net) => Observable::Ip(IpRange::new(net)),
            Self::Domain(name) => Observable::Domain(name.to_owned()),
            Self::Email(address) => Observable::Email(address.to_owned()),
            Self::Hash(kind, digest) => Observable::Hash(kind, to_hex(digest)),
            Self::Url(url) => Observable::Url(url.to_pattern()),
            Self::Other(observable) => observable.clone(),
        }
    }

    /// Returns the `type` of reports, as [`Observable::kind`] does.
    pub fn kind(self) -> &'static str {
        match self {
            Self::V4(_) | Self::V6(_) | Self::Range(_) => "ip",
            Self::Domain(_) => "domain",
            Self::Email(_) => "email",
            Self::Hash(kind, _) => kind.as_str(),
            Self::Url(_) => "url",
            Self::Other(observable) => observable.kind(),
        }
    }

    /// Returns the key of `match` under which packs list such values.
    pub fn key(self) -> ValueKey {
        match self {
            Self::V4(_) | Self::V6(_) | Self::Range(_) => ValueKey::Ip,
            Self::Domain(_) => ValueKey::Domain,
            Self::Email(_) => ValueKey::Email,
            Self::Hash(kind, _) => ValueKey::Hash(kind),
            Self::Url(_) => ValueKey::Url,
            Self::Other(observable) => ValueKey::of(observable),
        }
    }

    /// Returns the normal form as text.
    pub fn value(self) -> String {
        let mut text = String::new();
        self.write_value(&mut text);
        text
    }

    /// Appends the normal form as text.
    pub fn write_value(self, to: &mut String) {
        match self {
            Self::V4(address) => to.push_str(&Ipv4Addr::from(address).to_string()),
            Self::V6(address) => to.push_str(&Ipv6Addr::from(address).to_string()),
            Self::Range(net) => to.push_str(&net.to_string()),
            Self::Domain(text) | Self::Email(text) => to.push_str(text),
            Self::Hash(_, digest) => push_hex(digest, to),
            Self::Url(url) => to.push_str(&url.to_pattern().value()),
            Self::Other(observable) => to.push_str(&observable.value()),
        }
    }
}

/// The keys of `match` under which packs list values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKey {
    /// `ip`
    Ip,
    /// `domain`
    Domain,
    /// `url`
    Url,
    /// `email`
    Email,
    /// `hash`
    Hash(HashKind),
    /// `certificate`
    Certificate,
    /// `user_agent`
    UserAgent,
}

impl ValueKey {
    /// Returns the key of an observable.
    pub fn of(observable: &Observable) -> Self {
        match observable {
            Observable::Ip(_) => Self::Ip,
            Observable::Domain(_) => Self::Domain,
            Observable::Url(_) => Self::Url,
            Observable::Email(_) => Self::Email,
            Observable::Hash(kind, _) => Self::Hash(*kind),
            Observable::Certificate(_) => Self::Certificate,
            Observable::UserAgent(_) => Self::UserAgent,
        }
    }

    /// Returns the word of packs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Email => "email",
            Self::Hash(_) => "hash",
            Self::Certificate => "certificate",
            Self::UserAgent => "user_agent",
        }
    }

    /// Tells whether values are digests of files, so that artifacts are compared with them as a whole.
    pub fn is_digest(self) -> bool {
        matches!(self, Self::Hash(kind) if kind != HashKind::Thumbprint)
    }
}

impl UrlRef<'_> {
    /// Writes the URL over another one, whose memory is used again.
    pub fn write_to(self, pattern: &mut UrlPattern) {
        for (to, from) in [(&mut pattern.host, self.host), (&mut pattern.path, self.path)] {
            to.clear();
            to.push_str(from);
        }
        pattern.port = self.port;
    }

    /// Returns the URL with memory of its own.
    pub fn to_pattern(self) -> UrlPattern {
        UrlPattern { host: self.host.to_owned(), port: self.port, path: self.path.to_owned() }
    }
}

/// Reads hexadecimal digits of either case, with or without `:`, `-` or spaces between them; none where they are no bytes.
pub fn from_hex<'d>(digits: &[u8], to: &'d mut DigestBytes) -> Option<&'d [u8]> {
    let (pairs, odd) = digits.as_chunks::<2>();
    let value = |byte: u8| DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
    let mut all = 0;
    for (to, [high, low]) in to.iter_mut().zip(pairs) {
        let (high, low) = (value(*high), value(*low));
        all |= high | low;
        *to = high << 4 | low & 15;
    }
    if all < 16 && odd.is_empty() && pairs.len() <= to.len() {
        return to.get(..pairs.len());
    }
    let mut length = 0;
    let mut high = None;
    for &byte in digits {
        let digit = value(byte);
        if digit == NO_DIGIT {
            if matches!(byte, b':' | b'-' | b' ') {
                continue;
            }
            return None;
        }
        match high.take() {
            None => high = Some(digit),
            Some(high) => {
                *to.get_mut(length)? = high << 4 | digit;
                length += 1;
            }
        }
    }
    if high.is_some() { None } else { to.get(..length) }
}

/// Stands for a byte that is no hexadecimal digit.
const NO_DIGIT: u8 = 0xff;

/// The value of each byte as a hexadecimal digit.
const DIGITS: [u8; 256] = digits();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with codes below 256"
)]
const fn digits() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut code = 0_usize;
    while code < 256 {
        table[code] = match code as u8 {
            byte @ b'0'..=b'9' => byte - b'0',
            byte @ b'a'..=b'f' => byte - b'a' + 10,
            byte @ b'A'..=b'F' => byte - b'A' + 10,
            _ => NO_DIGIT,
        };
        code += 1;
    }
    table
}

fn to_hex(bytes: &[u8]) -> String {
    let mut digits = String::new();
    push_hex(bytes, &mut digits);
    digits
}

/// Appends bytes as lower-case hexadecimal digits, as many at a time as the longest digest has.
fn push_hex(bytes: &[u8], to: &mut String) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' - 10 + value };
    for part in bytes.chunks(MOST_DIGEST_BYTES) {
        let mut digits = [0; 2 * MOST_DIGEST_BYTES];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(part) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        to.push_str(digits.get(..2 * part.len()).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default());
    }
}
