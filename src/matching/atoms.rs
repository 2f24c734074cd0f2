//! The look-up of atoms: one hash table a kind, a prefix tree for address ranges.

use std::net::IpAddr;
use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;

use crate::observable::tokens::{Shapes, Token};
use crate::observable::{Certificate, HashKind, Observable};
use crate::pack::Seen;
use crate::record::readable;

/// One atom, and the test that it is part of.
#[derive(Clone, Debug)]
pub(super) struct AtomEntry {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test that lists it.
    pub leaf: u32,
    /// The value.
    pub observable: Observable,
    /// The days on which the source saw it.
    pub seen: Option<Seen>,
}

/// What an atom is looked up by.
#[derive(Clone, Copy, Debug)]
pub(super) enum AtomKey<'a> {
    V4(u32),
    V4Range(Ipv4Net),
    V6(u128),
    V6Range(Ipv6Net),
    Name(&'a str),
    Email(&'a str),
    Hash(&'a str),
    UrlHost(&'a str),
}

/// Ends a chain of atoms with the same key.
const NONE: u32 = u32::MAX;

/// Every atom of a ruleset, by its value. Atoms with equal keys form a chain through `next`.
#[derive(Debug, Default)]
pub(super) struct AtomTable {
    pub entries: Vec<AtomEntry>,
    next: Vec<u32>,
    v4: HashMap<u32, u32, RandomState>,
    v6: HashMap<u128, u32, RandomState>,
    v4_ranges: PrefixMap<Ipv4Net, u32>,
    v6_ranges: PrefixMap<Ipv6Net, u32>,
    names: HashMap<Box<str>, u32, RandomState>,
    emails: HashMap<Box<str>, u32, RandomState>,
    hashes: HashMap<Box<str>, u32, RandomState>,
    url_hosts: HashMap<Box<str>, u32, RandomState>,
}

fn chain<K: Eq + std::hash::Hash>(map: &mut HashMap<K, u32, RandomState>, key: K, id: u32) -> u32 {
    map.insert(key, id).unwrap_or(NONE)
}

impl AtomTable {
    /// Adds an atom.
    pub fn add(&mut self, entry: AtomEntry) {
        let id = u32::try_from(self.entries.len()).unwrap_or(NONE);
        let before = match &entry.observable {
            Observable::Ip(range) => match (range.address(), range.network()) {
                (Some(IpAddr::V4(address)), _) => chain(&mut self.v4, u32::from(address), id),
                (Some(IpAddr::V6(address)), _) => chain(&mut self.v6, u128::from(address), id),
                (None, IpNet::V4(range)) => self.v4_ranges.insert(range, id).unwrap_or(NONE),
                (None, IpNet::V6(range)) => self.v6_ranges.insert(range, id).unwrap_or(NONE),
            },
            Observable::Domain(name) => chain(&mut self.names, name.strip_prefix("*.").unwrap_or(name).into(), id),
            Observable::Email(address) => chain(&mut self.emails, address.as_str().into(), id),
            Observable::Hash(_, digits) => chain(&mut self.hashes, digits.as_str().into(), id),
            Observable::Certificate(Certificate::Thumbprint(digits)) => {
                chain(&mut self.hashes, digits.as_str().into(), id)
            }
            // Found by their spellings, among the patterns.
            Observable::Certificate(_) | Observable::UserAgent(_) => NONE,
            Observable::Url(url) => chain(&mut self.url_hosts, url.host.as_str().into(), id),
        };
        self.entries.push(entry);
        self.next.push(before);
    }

    /// Calls `each` with the key of every atom.
    pub fn each_key(&self, each: &mut dyn FnMut(AtomKey<'_>)) {
        for entry in &self.entries {
            each(match &entry.observable {
                Observable::Ip(range) => match (range.address(), range.network()) {
                    (Some(IpAddr::V4(address)), _) => AtomKey::V4(u32::from(address)),
                    (Some(IpAddr::V6(address)), _) => AtomKey::V6(u128::from(address)),
                    (None, IpNet::V4(range)) => AtomKey::V4Range(range),
                    (None, IpNet::V6(range)) => AtomKey::V6Range(range),
                },
                Observable::Domain(name) => AtomKey::Name(name.strip_prefix("*.").unwrap_or(name)),
                Observable::Email(address) => AtomKey::Email(address),
                Observable::Hash(_, digits) | Observable::Certificate(Certificate::Thumbprint(digits)) => {
                    AtomKey::Hash(digits)
                }
                Observable::Url(url) => AtomKey::UrlHost(&url.host),
                Observable::Certificate(_) | Observable::UserAgent(_) => continue,
            });
        }
    }

    /// Returns the shapes that some atom has.
    pub fn shapes(&self) -> Shapes {
        let urls = !self.url_hosts.is_empty();
        Shapes {
            v4: urls || !self.v4.is_empty() || !self.v4_ranges.is_empty(),
            v6: urls || !self.v6.is_empty() || !self.v6_ranges.is_empty(),
            name: urls || !self.names.is_empty(),
            email: !self.emails.is_empty(),
            hex: !self.hashes.is_empty(),
        }
    }

    fn each_of(&self, head: Option<u32>, each: &mut dyn FnMut(u32)) {
        let mut id = head.unwrap_or(NONE);
        while id != NONE {
            each(id);
            id = usize::try_from(id).ok().and_then(|index| self.next.get(index)).copied().unwrap_or(NONE);
        }
    }

    /// Calls `each` with every atom that a token of `text` is, and the range that it covers.
    pub fn look_up(
        &self,
        text: &[u8],
        token: &Token<'_>,
        range: Range<usize>,
        each: &mut dyn FnMut(u32, Range<usize>),
    ) {
        match token {
            Token::Address(address) => self.look_up_address(text, *address, range, each),
            Token::Name(name) => self.look_up_name(text, name, range, each),
            Token::Email(local, host) => {
                let mut address = lower(local);
                address.push('@');
                address.push_str(&lower_name(host));
                self.each_of(self.emails.get(address.as_str()).copied(), &mut |id| each(id, range.clone()));
            }
            Token::Hex(digits) => {
                let mut digits = lower(digits);
                digits.retain(|c| c.is_ascii_hexdigit());
                self.each_of(self.hashes.get(digits.as_str()).copied(), &mut |id| each(id, range.clone()));
            }
        }
    }

    fn look_up_address(
        &self,
        text: &[u8],
        address: IpAddr,
        range: Range<usize>,
        each: &mut dyn FnMut(u32, Range<usize>),
    ) {
        let mut one = |id: u32| each(id, range.clone());
        match address {
            IpAddr::V4(v4) => {
                self.each_of(self.v4.get(&u32::from(v4)).copied(), &mut one);
                if !self.v4_ranges.is_empty() {
                    for (_, id) in self.v4_ranges.cover(&Ipv4Net::from(v4)) {
                        self.each_of(Some(*id), &mut one);
                    }
                }
            }
            IpAddr::V6(v6) => {
                self.each_of(self.v6.get(&u128::from(v6)).copied(), &mut one);
                if !self.v6_ranges.is_empty() {
                    for (_, id) in self.v6_ranges.cover(&Ipv6Net::from(v6)) {
                        self.each_of(Some(*id), &mut one);
                    }
                }
            }
        }
        if !self.url_hosts.is_empty() {
            self.look_up_url(text, &address.to_string(), range, each);
        }
    }

    fn look_up_name(&self, text: &[u8], name: &[u8], range: Range<usize>, each: &mut dyn FnMut(u32, Range<usize>)) {
        let name = lower_name(name);
        if !self.names.is_empty() {
            let mut suffix = name.as_str();
            loop {
                let is_apex = suffix.len() == name.len();
                let head = if suffix.len() <= NAME_BYTES { self.names.get(suffix).copied() } else { None };
                self.each_of(head, &mut |id| {
                    if !(is_apex && self.is_wildcard(id)) {
                        each(id, range.clone());
                    }
                });
                match suffix.split_once('.') {
                    Some((_, parent)) => suffix = parent,
                    None => break,
                }
            }
        }
        if !self.url_hosts.is_empty() {
            self.look_up_url(text, &name, range, each);
        }
    }

    /// Tells whether an atom stands for sub-domains alone.
    fn is_wildcard(&self, id: u32) -> bool {
        matches!(self.entry(id).map(|e| &e.observable), Some(Observable::Domain(name)) if name.starts_with("*."))
    }

    fn look_up_url(&self, text: &[u8], host: &str, range: Range<usize>, each: &mut dyn FnMut(u32, Range<usize>)) {
        let Some(&head) = self.url_hosts.get(host) else { return };
        // The longest path that is worth comparing; URLs beyond this are not in use.
        let rest = text.get(range.end..text.len().min(range.end + 8192)).unwrap_or_default();
        // `[fe80::1%25eth0]:8080`: the zone belongs to the host. Source: RFC 6874, section 2.
        let zone = rest.iter().take(ZONE_BYTES).position(|&byte| byte == b']').filter(|_| rest.starts_with(b"%"));
        let lead = zone.map_or(usize::from(rest.starts_with(b"]")), |zone| zone + 1);
        let rest = String::from_utf8_lossy(rest.get(lead..).unwrap_or_default());
        self.each_of(Some(head), &mut |id| {
            if let Some(Observable::Url(url)) = self.entry(id).map(|entry| &entry.observable)
                && let Some(length) = url.match_behind_host(&rest)
            {
                each(id, range.start..(range.end + if length > 0 { lead + length } else { 0 }).min(text.len()));
            }
        });
    }

    /// Tells whether some URL has this host, whatever its path: escapes may hide the path from a screen.
    pub fn is_url_host(&self, token: &Token<'_>) -> bool {
        !self.url_hosts.is_empty()
            && match token {
                Token::Name(name) => self.url_hosts.contains_key(lower_name(name).as_str()),
                Token::Address(address) => self.url_hosts.contains_key(address.to_string().as_str()),
                Token::Email(..) | Token::Hex(_) => false,
            }
    }

    /// Calls `each` with every atom that is this digest of a file. Thumbprints are not digests of files.
    pub fn look_up_digest(&self, kind: HashKind, digits: &str, each: &mut dyn FnMut(u32)) {
        self.each_of(self.hashes.get(digits).copied(), &mut |id| {
            if matches!(self.entry(id).map(|e| &e.observable), Some(Observable::Hash(of, _)) if *of == kind) {
                each(id);
            }
        });
    }

    /// Returns an atom by its id.
    pub fn entry(&self, id: u32) -> Option<&AtomEntry> {
        usize::try_from(id).ok().and_then(|index| self.entries.get(index))
    }

    /// Tells whether some atom is a digest of this kind.
    pub fn has_hash(&self, kind: HashKind) -> bool {
        self.entries.iter().any(|entry| matches!(&entry.observable, Observable::Hash(of, _) if *of == kind))
    }
}

/// How far behind an address its zone may end.
const ZONE_BYTES: usize = 32;

/// The most bytes of a name. Source: RFC 1035, section 2.3.4.
const NAME_BYTES: usize = 253;

fn lower_name(bytes: &[u8]) -> String {
    if bytes.is_ascii() { lower(bytes) } else { Observable::comparable_name(&readable(bytes)) }
}

fn lower(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if text.is_ascii() {
        text.make_ascii_lowercase();
        text
    } else {
        text.to_lowercase()
    }
}
