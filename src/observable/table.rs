//! Many observables in little memory, each once: an address takes eight bytes, a name its letters and eight more.
//!
//! What is found in evidence is looked up here as it stands: letter case is ignored without a copy of the text.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::{FixedState, RandomState};

use super::HashKind;

mod batch;
mod borrowed;
mod index;
mod stored;
mod values;

pub use batch::Batch;
pub use borrowed::{DigestBytes, ObservableRef, UrlRef, ValueKey, from_hex};

pub use stored::{StoredReader, StoredWriter};

use index::Index;
use values::Values;

/// A set of observables, numbered from 0 in the order in which they were added.
#[derive(Clone, Debug)]
pub struct ObservableTable {
    values: Values,
    v4: Index,
    v6: Index,
    ranges: Index,
    domains: Index,
    emails: Index,
    hashes: Index,
    urls: Index,
    others: Index,
    /// The first URL of each host; the others of a host follow it in a chain.
    url_hosts: Index,
    hasher: ValueHasher,
}

/// How many values of each shape a table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// IPv4 addresses.
    pub v4: usize,
    /// IPv6 addresses.
    pub v6: usize,
    /// Ranges of addresses.
    pub ranges: usize,
    /// Domains.
    pub domains: usize,
    /// E-mail addresses.
    pub emails: usize,
    /// Digests.
    pub hashes: usize,
    /// URLs.
    pub urls: usize,
    /// Everything else.
    pub others: usize,
}

/// Says that a table holds all that it can number: 2^32 values, or 4 GiB of their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

/// The number of a value in its table, and whether it was added just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The number.
    pub id: u32,
    /// Whether the table did not hold it before.
    pub is_new: bool,
}

impl Default for ObservableTable {
    fn default() -> Self {
        // Lists come from anywhere: the seed keeps them from being made to collide.
        Self::with_seed(RandomState::default().hash_one(0_u64))
    }
}

impl ObservableTable {
    fn with_seed(seed: u64) -> Self {
        Self {
            values: Values::default(),
            v4: Index::default(),
            v6: Index::default(),
            ranges: Index::default(),
            domains: Index::default(),
            emails: Index::default(),
            hashes: Index::default(),
            urls: Index::default(),
            others: Index::default(),
            url_hosts: Index::default(),
            hasher: ValueHasher { seed },
        }
    }

    /// Returns the indexes in the order of their numbers, and last that of hosts.
    fn indexes(&self) -> [&Index; 9] {
        let Self { v4, v6, ranges, domains, emails, hashes, urls, others, url_hosts, .. } = self;
        [v4, v6, ranges, domains, emails, hashes, urls, others, url_hosts]
    }

    fn indexes_mut(&mut self) -> [&mut Index; 9] {
        let Self { v4, v6, ranges, domains, emails, hashes, urls, others, url_hosts, .. } = self;
        [v4, v6, ranges, domains, emails, hashes, urls, others, url_hosts]
    }

    /// Adds a value unless it is there.
    ///
    /// # Errors
    /// Fails where the table is full.
    pub fn add(&mut self, value: ObservableRef<'_>) -> Result<Added, TableFull> {
        self.add_hashed(value, self.hasher.of(value))
    }

    fn index_of(&self, value: ObservableRef<'_>) -> &Index {
        match value {
            ObservableRef::V4(_) => &self.v4,
            ObservableRef::V6(_) => &self.v6,
            ObservableRef::Range(_) => &self.ranges,
            ObservableRef::Domain(_) => &self.domains,
            ObservableRef::Email(_) => &self.emails,
            ObservableRef::Hash(..) => &self.hashes,
            ObservableRef::Url(_) => &self.urls,
            ObservableRef::Other(_) => &self.others,
        }
    }

    #[inline]
    fn add_hashed(&mut self, value: ObservableRef<'_>, hash: u64) -> Result<Added, TableFull> {
        let values = &mut self.values;
        let index = match value {
            ObservableRef::V4(_) => &mut self.v4,
            ObservableRef::V6(_) => &mut self.v6,
            ObservableRef::Range(_) => &mut self.ranges,
            ObservableRef::Domain(_) => &mut self.domains,
            ObservableRef::Email(_) => &mut self.emails,
            ObservableRef::Hash(..) => &mut self.hashes,
            ObservableRef::Url(_) => &mut self.urls,
            ObservableRef::Other(_) => &mut self.others,
        };
        index.make_room();
        let free = match index.search(hash, |id| values.get(id) == Some(value)) {
            Ok(id) => return Ok(Added { id, is_new: false }),
            Err(free) => free,
        };
        let id = values.push(value).ok_or(TableFull)?;
        index.add(free, hash, id);
        if let ObservableRef::Url(url) = value {
            self.link_url(id, url);
        }
        Ok(Added { id, is_new: true })
    }

    fn link_url(&mut self, id: u32, url: UrlRef<'_>) {
        let Self { values, hasher, .. } = self;
        let hash = hasher.text(url.host.as_bytes());
        let has_host = |id| values.url(id).is_some_and(|known| known.host == url.host);
        self.url_hosts.make_room();
        match self.url_hosts.search(hash, has_host) {
            Ok(first) => values.link_url(first, id),
            Err(free) => self.url_hosts.add(free, hash, id),
        }
    }

    /// Makes room for more values like those that are there: `all` for each `known`, and some more than that.
    pub fn expect(&mut self, known: usize, all: usize) {
        for index in self.indexes_mut() {
            if index.len() > 0 {
                let count = index.len().saturating_mul(all) / known.max(1);
                index.expect(count + count / 8);
            }
        }
    }

    /// Returns how many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the kinds of the digests, in the order in which they came.
    pub fn hash_kinds(&self) -> &[HashKind] {
        &self.values.noted.hash_kinds
    }

    /// Tells whether some domain begins with `*.`.
    pub fn has_wildcards(&self) -> bool {
        self.values.noted.has_wildcards
    }

    /// Returns how many values of each shape there are.
    pub fn counts(&self) -> Counts {
        Counts {
            v4: self.v4.len(),
            v6: self.v6.len(),
            ranges: self.ranges.len(),
            domains: self.domains.len(),
            emails: self.emails.len(),
            hashes: self.hashes.len(),
            urls: self.urls.len(),
            others: self.others.len(),
        }
    }

    /// Returns a value by its number.
    pub fn get(&self, id: u32) -> Option<ObservableRef<'_>> {
        self.values.get(id)
    }

    /// Returns the key of a value by the value's number.
    pub fn key(&self, id: u32) -> Option<ValueKey> {
        self.values.key(id)
    }

    /// Returns every value in order.
    pub fn iter(&self) -> impl Iterator<Item = ObservableRef<'_>> {
        self.values.iter()
    }

    /// Finds an IPv4 address.
    pub fn find_v4(&self, address: u32) -> Option<u32> {
        let value = ObservableRef::V4(address);
        self.v4.find(self.hasher.of(value), |id| self.values.get(id) == Some(value))
    }

    /// Finds an IPv6 address.
    pub fn find_v6(&self, address: u128) -> Option<u32> {
        let value = ObservableRef::V6(address);
        self.v6.find(self.hasher.of(value), |id| self.values.get(id) == Some(value))
    }

    /// Finds a domain, whatever the case of its ASCII letters.
    pub fn find_domain(&self, name: &[u8]) -> Option<u32> {
        self.find_text(&self.domains, name, |id| match self.values.get(id) {
            Some(ObservableRef::Domain(known)) => Some(known),
            _ => None,
        })
    }

    /// Finds an e-mail address, whatever the case of its ASCII letters.
    pub fn find_email(&self, address: &[u8]) -> Option<u32> {
        self.find_text(&self.emails, address, |id| match self.values.get(id) {
            Some(ObservableRef::Email(known)) => Some(known),
            _ => None,
        })
    }

    /// Calls `each` with every URL of a host, whatever the case of its ASCII letters.
    pub fn urls_of(&self, host: &[u8], each: &mut dyn FnMut(u32, UrlRef<'_>)) {
        let first = self.find_text(&self.url_hosts, host, |id| self.values.url(id).map(|url| url.host));
        self.values.each_url_from(first, each);
    }

    /// Tells whether some URL has this host, whatever the case of its ASCII letters.
    pub fn has_url_host(&self, host: &[u8]) -> bool {
        self.find_text(&self.url_hosts, host, |id| self.values.url(id).map(|url| url.host)).is_some()
    }

    /// Finds a digest of this kind by its bytes.
    pub fn find_digest(&self, kind: HashKind, digest: &[u8]) -> Option<u32> {
        let value = ObservableRef::Hash(kind, digest);
        self.hashes.find(self.hasher.of(value), |id| self.values.get(id) == Some(value))
    }

    fn find_text<'t>(&'t self, index: &Index, text: &[u8], known: impl Fn(u32) -> Option<&'t str>) -> Option<u32> {
        let is_it = |id| known(id).is_some_and(|known| known.as_bytes().eq_ignore_ascii_case(text));
        index.find(self.hasher.text(text), is_it)
    }
}

impl PartialEq for ObservableTable {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ObservableTable {}

/// Hashes values. Text is hashed without regard to the case of ASCII letters.
#[derive(Clone, Copy, Debug)]
struct ValueHasher {
    seed: u64,
}

/// Makes letters of both cases alike; other bytes of names are changed to something that no name holds.
const CASE_BITS: u64 = 0x2020_2020_2020_2020;

impl ValueHasher {
    fn of(self, value: ObservableRef<'_>) -> u64 {
        let mut state = self.start();
        match value {
            ObservableRef::V4(address) => state.write_u32(address),
            ObservableRef::V6(address) => state.write_u128(address),
            ObservableRef::Range(range) => range.hash(&mut state),
            ObservableRef::Domain(text) | ObservableRef::Email(text) => return self.text(text.as_bytes()),
            // The kind is left out: digests of one length and different kinds are compared.
            ObservableRef::Hash(_, digest) => words(digest, 0, &mut state),
            ObservableRef::Url(url) => {
                words(url.host.as_bytes(), 0, &mut state);
                url.port.hash(&mut state);
                words(url.path.as_bytes(), 0, &mut state);
            }
            ObservableRef::Other(observable) => observable.hash(&mut state),
        }
        state.finish()
    }

    fn text(self, text: &[u8]) -> u64 {
        let mut state = self.start();
        words(text, CASE_BITS, &mut state);
        state.finish()
    }

    fn start(self) -> impl Hasher {
        FixedState::with_seed(self.seed).build_hasher()
    }
}

#[inline]
fn words(bytes: &[u8], bits: u64, state: &mut impl Hasher) {
    let (whole, rest) = bytes.as_chunks::<8>();
    for word in whole {
        state.write_u64(u64::from_le_bytes(*word) | bits);
    }
    if !rest.is_empty() {
        // The last word may take in some bytes again, which is faster than to take few.
        let few = || rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        state.write_u64(bytes.last_chunk().map_or_else(few, |word| u64::from_le_bytes(*word)) | bits);
    }
    state.write_usize(bytes.len());
}

#[cfg(test)]
mod tests;
