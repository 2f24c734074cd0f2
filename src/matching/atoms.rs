//! The look-up of atoms: a table of their values, a prefix tree for address ranges.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;

use crate::observable::table::{
    Added, Counts, DigestBytes, ObservableRef, ObservableTable, TableFull, ValueKey, from_hex,
};
use crate::observable::tokens::{Shapes, Token};
use crate::observable::{Certificate, HashKind, Observable, UrlPattern, WILDCARD};
use crate::pack::Seen;
use crate::record::readable;

/// One atom, and the test that it is part of.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtomEntry {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test that lists it.
    pub leaf: u32,
    /// The days on which the source saw it.
    pub seen: Option<Seen>,
}

/// What a token must be for some atom to be found: what a prefilter is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtomKey<'a> {
    /// An IPv4 address.
    V4(u32),
    /// Any of these IPv4 addresses.
    V4Range(Ipv4Net),
    /// An IPv6 address.
    V6(u128),
    /// Any of these IPv6 addresses.
    V6Range(Ipv6Net),
    /// This name or one below it, in lower case; of a wildcard, what follows `*.`.
    Name(&'a str),
    /// An e-mail address, in lower case.
    Email(&'a str),
    /// A digest, as its bytes.
    Hash(&'a [u8]),
    /// The host of a URL: a name in lower case, or an address. URLs of one host repeat it.
    UrlHost(&'a str),
}

impl<'a> AtomKey<'a> {
    #[inline]
    fn of(value: ObservableRef<'a>) -> Option<Self> {
        Some(match value {
            ObservableRef::V4(address) => Self::V4(address),
            ObservableRef::V6(address) => Self::V6(address),
            ObservableRef::Range(IpNet::V4(range)) => Self::V4Range(range),
            ObservableRef::Range(IpNet::V6(range)) => Self::V6Range(range),
            ObservableRef::Domain(name) => Self::Name(name.strip_prefix(WILDCARD).unwrap_or(name)),
            ObservableRef::Email(address) => Self::Email(address),
            ObservableRef::Hash(_, digest) => Self::Hash(digest),
            ObservableRef::Url(url) => Self::UrlHost(url.host),
            // Found by their spellings, among the patterns.
            ObservableRef::Other(_) => return None,
        })
    }
}

/// Ends a chain of atoms with the same value.
const NONE: u32 = u32::MAX;

/// Every atom of a ruleset, by its value.
///
/// The values of the largest list come first and are atoms as a whole: a million of them is one range, of which nothing is
/// written down. Of the other atoms, those with equal values form a chain.
#[derive(Debug, Default)]
pub(super) struct AtomTable {
    values: ObservableTable,
    whole: WholeList,
    /// The last atom of each value that is not of the largest list.
    last: Vec<u32>,
    /// The last atom of each value of the largest list that has another than that of the list.
    last_besides: BTreeMap<u32, u32>,
    /// Every atom but those of the largest list, in order.
    atoms: Vec<Atom>,
    seen: BTreeMap<u32, Seen>,
    /// The numbers of the values that are ranges.
    v4_ranges: PrefixMap<Ipv4Net, u32>,
    v6_ranges: PrefixMap<Ipv6Net, u32>,
    /// The numbers of the values that are certificates told by a digest, by its bytes.
    thumbprints: BTreeMap<Box<[u8]>, u32>,
}

/// A list whose values are the first of the table, each an atom of an indicator and a leaf of its own.
#[derive(Clone, Debug, Default)]
struct WholeList {
    /// How many values it has.
    count: u32,
    /// Its atoms; none before they are added.
    atoms: Range<u32>,
    /// The first indicator and the first leaf; the others follow one by one.
    indicator: u32,
    leaf: u32,
}

impl WholeList {
    /// Returns the atom of a value, if it has one.
    fn atom(&self, value: u32) -> Option<u32> {
        Some(self.atoms.start).and_then(|first| first.checked_add(value)).filter(|atom| self.atoms.contains(atom))
    }
}

#[derive(Clone, Copy, Debug)]
struct Atom {
    indicator: u32,
    leaf: u32,
    value: u32,
    /// The atom with the same value that was added before.
    before: u32,
}

fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

impl AtomTable {
    /// Starts with values that are to become atoms, so that the largest list is hashed only once.
    pub fn starting_from(values: ObservableTable) -> Self {
        let count = u32::try_from(values.len()).unwrap_or(NONE);
        let mut table = Self { values, whole: WholeList { count, ..WholeList::default() }, ..Self::default() };
        let counts = table.values.counts();
        if counts.ranges + counts.others > 0 {
            (0..count).for_each(|value| table.note(value));
        }
        table
    }

    /// Makes atoms of the values that it was started from, and returns their numbers.
    pub fn add_whole(&mut self, indicator: u32, leaf: u32) -> Result<Range<u32>, TableFull> {
        let first = self.number()?;
        let count = self.whole.count;
        let fits = |first: u32| first.checked_add(count).filter(|end| *end != NONE);
        let end = fits(first).filter(|_| fits(indicator).and(fits(leaf)).is_some()).ok_or(TableFull)?;
        self.whole = WholeList { count, atoms: first..end, indicator, leaf };
        Ok(first..end)
    }

    /// Returns the number of the next atom.
    fn number(&self) -> Result<u32, TableFull> {
        u32::try_from(self.len()).ok().filter(|id| *id != NONE).ok_or(TableFull)
    }

    /// Adds an atom, and returns its number.
    pub fn add(
        &mut self,
        indicator: u32,
        leaf: u32,
        observable: &Observable,
        seen: Option<Seen>,
    ) -> Result<u32, TableFull> {
        let mut digest = [0; size_of::<DigestBytes>()];
        let id = self.add_value(indicator, leaf, ObservableRef::new(observable, &mut digest))?;
        if let Some(seen) = seen {
            self.seen.insert(id, seen);
        }
        Ok(id)
    }

    /// Adds an atom without a window, and returns its number.
    pub fn add_value(&mut self, indicator: u32, leaf: u32, value: ObservableRef<'_>) -> Result<u32, TableFull> {
        let id = self.number()?;
        let Added { id: value, is_new } = self.values.add(value)?;
        let before = match value.checked_sub(self.whole.count) {
            None => self.last_besides.insert(value, id).unwrap_or(NONE),
            Some(_) if is_new => {
                self.last.push(id);
                NONE
            }
            Some(at) => std::mem::replace(self.last.get_mut(index(at)).ok_or(TableFull)?, id),
        };
        self.atoms.push(Atom { indicator, leaf, value, before });
        if is_new {
            self.note(value);
        }
        Ok(id)
    }

    /// Notes a new value that is looked up by something else than the table of values.
    fn note(&mut self, value: u32) {
        match self.values.get(value) {
            Some(ObservableRef::Range(IpNet::V4(range))) => drop(self.v4_ranges.insert(range, value)),
            Some(ObservableRef::Range(IpNet::V6(range))) => drop(self.v6_ranges.insert(range, value)),
            Some(ObservableRef::Other(Observable::Certificate(Certificate::Thumbprint(digits)))) => {
                let mut digest = [0; size_of::<DigestBytes>()];
                if let Some(digest) = from_hex(digits.as_bytes(), &mut digest) {
                    self.thumbprints.insert(Box::from(digest), value);
                }
            }
            _ => {}
        }
    }

    /// Returns how many atoms there are.
    pub fn len(&self) -> usize {
        self.whole.atoms.len() + self.atoms.len()
    }

    /// Returns the shapes that some atom has.
    pub fn shapes(&self) -> Shapes {
        let counts = self.values.counts();
        let urls = counts.urls > 0;
        Shapes {
            v4: urls || counts.v4 > 0 || !self.v4_ranges.is_empty(),
            v6: urls || counts.v6 > 0 || !self.v6_ranges.is_empty(),
            name: urls || counts.domains > 0,
            email: counts.emails > 0,
            hex: counts.hashes > 0 || !self.thumbprints.is_empty(),
        }
    }

    /// Returns how many values of each shape there are.
    pub fn counts(&self) -> Counts {
        self.values.counts()
    }

    /// Returns how many certificates are told by a digest.
    pub fn thumbprint_count(&self) -> usize {
        self.thumbprints.len()
    }

    /// Returns the values that are found by their spellings, among these atoms.
    pub fn spelled(&self, atoms: Range<u32>) -> impl Iterator<Item = (u32, &Observable)> {
        let none = if self.counts().others == 0 { atoms.len() } else { 0 };
        atoms.skip(none).filter_map(|atom| match self.value(atom)? {
            ObservableRef::Other(observable) => Some((atom, observable)),
            _ => None,
        })
    }

    /// Calls `each` with what a token must be, for each value of an atom.
    pub fn each_key(&self, each: &mut dyn FnMut(AtomKey<'_>)) {
        self.values.iter().filter_map(AtomKey::of).for_each(&mut *each);
        self.thumbprints.keys().for_each(|digest| each(AtomKey::Hash(digest)));
    }

    /// Returns what a token must be for about so many of the values.
    pub fn some_keys(&self, count: usize) -> impl Iterator<Item = AtomKey<'_>> {
        let all = 0..u32::try_from(self.values.len()).unwrap_or(NONE);
        let step = all.len() / count.max(1) + 1;
        all.step_by(step).filter_map(|value| self.values.get(value)).filter_map(AtomKey::of)
    }

    /// Tells whether an IPv4 address is listed, by itself, in a range or as the host of a URL.
    pub fn has_v4(&self, address: u32) -> bool {
        let ip = Ipv4Addr::from(address);
        self.values.find_v4(address).is_some()
            || !self.v4_ranges.is_empty() && self.v4_ranges.cover(&Ipv4Net::from(ip)).next().is_some()
            || self.values.counts().urls > 0 && self.values.has_url_host(ip.to_string().as_bytes())
    }

    /// Tells whether a name in ASCII is listed as it is or behind a wildcard, as a domain or as the host of a URL.
    pub fn has_name(&self, name: &[u8]) -> bool {
        self.values.find_domain(name).is_some()
            || self.values.has_wildcards() && name.len() <= NAME_BYTES && self.find_wildcard(name).is_some()
            || self.values.counts().urls > 0 && self.values.has_url_host(name)
    }

    /// Calls `each` with every atom of a value, the last one first.
    fn each_of(&self, value: Option<u32>, each: &mut dyn FnMut(u32)) {
        let Some(value) = value else { return };
        let last = match value.checked_sub(self.whole.count) {
            None => self.last_besides.get(&value),
            Some(at) => self.last.get(index(at)),
        };
        let mut listed = self.whole.atom(value);
        let mut id = last.copied().unwrap_or(NONE);
        while id != NONE {
            if let Some(listed) = listed.take_if(|listed| *listed > id) {
                each(listed);
            }
            each(id);
            id = self.atom(id).map_or(NONE, |atom| atom.before);
        }
        if let Some(listed) = listed {
            each(listed);
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
                let length = local.len() + 1 + host.len();
                let found = match text.get(range.clone()) {
                    Some(address) if address.len() == length && address.is_ascii() => self.values.find_email(address),
                    _ => {
                        let local = String::from_utf8_lossy(local).to_lowercase();
                        self.values.find_email(&[local.as_bytes(), b"@", &comparable(host)].concat())
                    }
                };
                self.each_of(found, &mut |id| each(id, range.clone()));
            }
            Token::Hex(digits) => {
                let mut digest = [0; size_of::<DigestBytes>()];
                let Some(digest) = from_hex(digits, &mut digest) else { return };
                for kind in self.values.hash_kinds().iter().filter(|kind| kind.digits() == digest.len() * 2) {
                    self.each_of(self.values.find_digest(*kind, digest), &mut |id| each(id, range.clone()));
                }
                self.each_of(self.thumbprints.get(digest).copied(), &mut |id| each(id, range.clone()));
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
                self.each_of(self.values.find_v4(u32::from(v4)), &mut one);
                if !self.v4_ranges.is_empty() {
                    for (_, value) in self.v4_ranges.cover(&Ipv4Net::from(v4)) {
                        self.each_of(Some(*value), &mut one);
                    }
                }
            }
            IpAddr::V6(v6) => {
                self.each_of(self.values.find_v6(u128::from(v6)), &mut one);
                if !self.v6_ranges.is_empty() {
                    for (_, value) in self.v6_ranges.cover(&Ipv6Net::from(v6)) {
                        self.each_of(Some(*value), &mut one);
                    }
                }
            }
        }
        if self.values.counts().urls > 0 {
            self.look_up_url(text, address.to_string().as_bytes(), range, each);
        }
    }

    fn look_up_name(&self, text: &[u8], name: &[u8], range: Range<usize>, each: &mut dyn FnMut(u32, Range<usize>)) {
        let name = comparable(name);
        if self.values.counts().domains > 0 {
            let mut suffix = name.as_ref();
            loop {
                // Nothing longer is listed, and the work would grow with the square of its length.
                if suffix.len() <= NAME_BYTES {
                    self.each_of(self.values.find_domain(suffix), &mut |id| each(id, range.clone()));
                    // A wildcard stands for what is below it alone.
                    if self.values.has_wildcards() && suffix.len() < name.len() {
                        self.each_of(self.find_wildcard(suffix), &mut |id| each(id, range.clone()));
                    }
                }
                match memchr::memchr(b'.', suffix).and_then(|dot| suffix.get(dot + 1..)) {
                    Some(parent) => suffix = parent,
                    None => break,
                }
            }
        }
        if self.values.counts().urls > 0 {
            self.look_up_url(text, &name, range, each);
        }
    }

    fn find_wildcard(&self, suffix: &[u8]) -> Option<u32> {
        let mut name = [0; WILDCARD.len() + NAME_BYTES];
        let length = WILDCARD.len() + suffix.len();
        name.iter_mut().zip(WILDCARD.bytes().chain(suffix.iter().copied())).for_each(|(to, from)| *to = from);
        self.values.find_domain(name.get(..length)?)
    }

    fn look_up_url(&self, text: &[u8], host: &[u8], range: Range<usize>, each: &mut dyn FnMut(u32, Range<usize>)) {
        if !self.values.has_url_host(host) {
            return;
        }
        // The longest path that is worth comparing; URLs beyond this are not in use.
        let rest = text.get(range.end..text.len().min(range.end + 8192)).unwrap_or_default();
        // `[fe80::1%25eth0]:8080`: the zone belongs to the host. Source: RFC 6874, section 2.
        let zone = rest.iter().take(ZONE_BYTES).position(|&byte| byte == b']').filter(|_| rest.starts_with(b"%"));
        let lead = zone.map_or(usize::from(rest.starts_with(b"]")), |zone| zone + 1);
        let rest = String::from_utf8_lossy(rest.get(lead..).unwrap_or_default());
        // One host may have very many URLs: they take turns in one pattern.
        let mut pattern = UrlPattern { host: String::new(), port: None, path: String::new() };
        self.values.urls_of(host, &mut |value, url| {
            url.write_to(&mut pattern);
            if let Some(length) = pattern.match_behind_host(&rest) {
                let end = range.end + if length > 0 { lead + length } else { 0 };
                self.each_of(Some(value), &mut |id| each(id, range.start..end.min(text.len())));
            }
        });
    }

    /// Tells whether some URL has this host, whatever its path: escapes may hide the path from a screen.
    pub fn is_url_host(&self, token: &Token<'_>) -> bool {
        self.values.counts().urls > 0
            && match token {
                Token::Name(name) => self.values.has_url_host(&comparable(name)),
                Token::Address(address) => self.values.has_url_host(address.to_string().as_bytes()),
                Token::Email(..) | Token::Hex(_) => false,
            }
    }

    /// Calls `each` with every atom that is this digest of a file. Thumbprints are not digests of files.
    pub fn look_up_digest(&self, kind: HashKind, digits: &str, each: &mut dyn FnMut(u32)) {
        let mut digest = [0; size_of::<DigestBytes>()];
        if let Some(digest) = from_hex(digits.as_bytes(), &mut digest) {
            self.each_of(self.values.find_digest(kind, digest), each);
        }
    }

    /// Returns an atom by its number; those of the largest list are made up.
    fn atom(&self, id: u32) -> Option<Atom> {
        let WholeList { atoms, indicator, leaf, .. } = &self.whole;
        if id < atoms.start {
            return self.atoms.get(index(id)).copied();
        }
        let at = id - atoms.start;
        if id < atoms.end {
            return Some(Atom { indicator: indicator + at, leaf: leaf + at, value: at, before: NONE });
        }
        self.atoms.get(index(id).checked_sub(atoms.len())?).copied()
    }

    /// Returns an atom by its number.
    pub fn entry(&self, id: u32) -> Option<AtomEntry> {
        let Atom { indicator, leaf, .. } = self.atom(id)?;
        Some(AtomEntry { indicator, leaf, seen: self.seen.get(&id).copied() })
    }

    /// Returns the value of an atom by the atom's number.
    pub fn value(&self, id: u32) -> Option<ObservableRef<'_>> {
        self.values.get(self.atom(id)?.value)
    }

    /// Returns the key of an atom's value by the atom's number.
    pub fn key(&self, id: u32) -> Option<ValueKey> {
        self.values.key(self.atom(id)?.value)
    }

    /// Returns every atom with its value, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (AtomEntry, ObservableRef<'_>)> {
        let ids = 0..u32::try_from(self.len()).unwrap_or(NONE);
        ids.filter_map(|id| self.entry(id).zip(self.value(id)))
    }

    /// Tells whether some atom is a digest of this kind.
    pub fn has_hash(&self, kind: HashKind) -> bool {
        self.values.hash_kinds().contains(&kind)
    }
}

/// How far behind an address its zone may end.
const ZONE_BYTES: usize = 32;

/// The most bytes of a name. Source: RFC 1035, section 2.3.4.
const NAME_BYTES: usize = 253;

/// Returns a name as it is listed, but for the case of ASCII letters.
fn comparable(name: &[u8]) -> Cow<'_, [u8]> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    Cow::Owned(Observable::comparable_name(&readable(name)).into_bytes())
}

#[cfg(test)]
mod tests;
