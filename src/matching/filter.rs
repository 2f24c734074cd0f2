//! What atoms leave behind in a few bits each: most values that are none are told apart without looking at the table.
//!
//! A filter may say yes wrongly, never no wrongly.

mod keys;

use std::io;
use std::net::IpAddr;
use std::ops::Range;

use self::keys::{digest_key, dotted, first_bytes, first_digits, key, text_key};
use super::atoms::{AtomKey, AtomTable};
use crate::observable::table::{StoredReader, StoredWriter};

/// Bits for one key: four of them are set, so about one of 1,000 values that are none passes.
const BITS_PER_KEY: usize = 24;
/// The smallest filter; it stays in the nearest cache.
const LEAST_WORDS: usize = 1 << 9;

/// A bit for each beginning of an address, two bytes long.
const RANGE_WORDS: usize = (1 << 16) / 64;
/// About how many atoms are looked up in filters that are read.
const SAMPLE: usize = 256;

/// A set of keys, each four bits of one word. Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom
/// Filters", section 3.
#[derive(Debug)]
struct Bits {
    words: Vec<u64>,
    mask: u64,
}

fn pattern(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

impl Bits {
    fn for_keys(count: usize) -> Self {
        let words = (count * BITS_PER_KEY / 64).next_power_of_two().max(LEAST_WORDS);
        Self { words: vec![0; words], mask: words as u64 - 1 }
    }

    fn read_stored(from: &mut StoredReader<'_>) -> io::Result<Self> {
        let words = from.numbers()?;
        if words.len() < LEAST_WORDS || !words.len().is_power_of_two() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mask = words.len() as u64 - 1;
        Ok(Self { words, mask })
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        usize::try_from(hash >> 24 & self.mask).unwrap_or_default()
    }

    fn insert(&mut self, hash: u64) {
        let index = self.index(hash);
        if let Some(word) = self.words.get_mut(index) {
            *word |= pattern(hash);
        }
    }

    #[inline]
    fn has(&self, hash: u64) -> bool {
        let pattern = pattern(hash);
        self.words.get(self.index(hash)).is_some_and(|word| word & pattern == pattern)
    }
}

/// Keys on their way into a set.
///
/// A large set lies in no near cache. The words of several keys are waited for together, and not one after the other.
struct Filling {
    bits: Bits,
    hashes: Vec<u64>,
}

/// How many keys are worth the wait.
const ENOUGH: usize = 64;

impl Filling {
    fn for_keys(count: usize) -> Self {
        Self { bits: Bits::for_keys(count), hashes: Vec::with_capacity(ENOUGH) }
    }

    #[inline]
    fn insert(&mut self, hash: u64) {
        self.hashes.push(hash);
        if self.hashes.len() >= ENOUGH {
            self.hashes.drain(..).for_each(|hash| self.bits.insert(hash));
        }
    }

    fn finish(mut self) -> Bits {
        self.hashes.drain(..).for_each(|hash| self.bits.insert(hash));
        self.bits
    }
}

/// The filters of every kind of atom.
#[derive(Debug)]
pub(super) struct Filter {
    /// IPv4 addresses, as they are written.
    v4: Bits,
    /// Of addresses, the first two bytes of those in some range.
    v4_ranges: Vec<u64>,
    /// Whether there is some range.
    pub has_v4_ranges: bool,
    tops: Bits,
    bases: Bits,
    names: Bits,
    hex: Bits,
    /// Whether some name ends in a label that the sweep does not see, so that every name must be looked up.
    pub has_odd_names: bool,
    /// Whether some name is a last label alone: `*.onion`.
    pub has_lone_tops: bool,
}

/// A filter that is being made.
struct Building {
    v4: Filling,
    v4_ranges: Vec<u64>,
    has_v4_ranges: bool,
    tops: Filling,
    bases: Filling,
    names: Filling,
    hex: Filling,
    has_odd_names: bool,
    has_lone_tops: bool,
}

impl Building {
    fn finish(self) -> Filter {
        Filter {
            v4: self.v4.finish(),
            v4_ranges: self.v4_ranges,
            has_v4_ranges: self.has_v4_ranges,
            tops: self.tops.finish(),
            bases: self.bases.finish(),
            names: self.names.finish(),
            hex: self.hex.finish(),
            has_odd_names: self.has_odd_names,
            has_lone_tops: self.has_lone_tops,
        }
    }

    fn add(&mut self, atom: AtomKey<'_>) {
        match atom {
            AtomKey::V4(address) => self.add_v4(address),
            AtomKey::V4Range(range) => {
                self.has_v4_ranges = true;
                let (first, last) = (u32::from(range.network()) >> 16, u32::from(range.broadcast()) >> 16);
                for top in first..=last {
                    if let Some(word) = usize::try_from(top / 64).ok().and_then(|index| self.v4_ranges.get_mut(index)) {
                        *word |= 1 << (top % 64);
                    }
                }
            }
            AtomKey::Name(name) => self.add_name(name),
            AtomKey::Email(address) => self.add_name(address.rsplit_once('@').map_or(address, |(_, host)| host)),
            AtomKey::UrlHost(host) => match host.parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) => self.add_v4(u32::from(address)),
                Ok(IpAddr::V6(_)) => {}
                Err(_) => self.add_name(host),
            },
            AtomKey::Hash(digest) => self.hex.insert(digest_key(first_bytes(digest), digest.len())),
            AtomKey::V6(_) | AtomKey::V6Range(_) => {}
        }
    }

    fn add_v4(&mut self, address: u32) {
        self.v4.insert(text_key(dotted(address)));
    }

    fn add_name(&mut self, name: &str) {
        let name = name.as_bytes();
        let (base, top) = ends(name);
        self.has_lone_tops |= top.len() == name.len();
        self.has_odd_names |= !top.first().is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
        self.tops.insert(key(name, name.len() - top.len()..name.len()));
        self.bases.insert(key(name, name.len() - base.len()..name.len()));
        self.names.insert(key(name, 0..name.len()));
    }
}

impl Filter {
    /// Prepares the filters of a table.
    pub fn new(atoms: &AtomTable) -> Self {
        let counts = atoms.counts();
        let names = counts.domains + counts.emails + counts.urls;
        let mut building = Building {
            v4: Filling::for_keys(counts.v4),
            v4_ranges: vec![0; RANGE_WORDS],
            has_v4_ranges: false,
            tops: Filling::for_keys(0),
            bases: Filling::for_keys(names),
            names: Filling::for_keys(names),
            hex: Filling::for_keys(counts.hashes + atoms.thumbprint_count()),
            has_odd_names: false,
            has_lone_tops: false,
        };
        atoms.each_key(&mut |key| building.add(key));
        building.finish()
    }

    /// Writes the filters.
    ///
    /// # Errors
    /// What the writer fails with.
    pub fn store(&self, to: &mut StoredWriter<'_>) -> io::Result<()> {
        let Self { v4, v4_ranges, has_v4_ranges, tops, bases, names, hex, has_odd_names, has_lone_tops } = self;
        for flag in [*has_v4_ranges, *has_odd_names, *has_lone_tops] {
            to.number(u64::from(flag))?;
        }
        to.numbers(v4_ranges)?;
        [v4, tops, bases, names, hex].into_iter().try_for_each(|bits| to.numbers(&bits.words))
    }

    /// Reads filters.
    ///
    /// # Errors
    /// What the reader fails with, or that it holds what none writes.
    pub fn read_stored(from: &mut StoredReader<'_>) -> io::Result<Self> {
        let mut flag = || from.number().map(|flag| flag != 0);
        let [has_v4_ranges, has_odd_names, has_lone_tops] = [flag()?, flag()?, flag()?];
        let v4_ranges = from.numbers()?;
        if v4_ranges.len() != RANGE_WORDS {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bits = || Bits::read_stored(from);
        let [v4, tops, bases, names, hex] = [bits()?, bits()?, bits()?, bits()?, bits()?];
        Ok(Self { v4, v4_ranges, has_v4_ranges, tops, bases, names, hex, has_odd_names, has_lone_tops })
    }

    /// Tells whether some of the atoms pass: filters that another program wrote may hash otherwise.
    pub fn passes_sample(&self, atoms: &AtomTable) -> bool {
        let passes_name = |name: &[u8]| {
            let (base, top) = ends(name);
            let end = name.len();
            self.has_name(name, 0..end)
                && self.has_base(name, end - base.len()..end)
                && self.has_top(name, end - top.len()..end)
        };
        atoms.some_keys(SAMPLE).all(|key| match key {
            AtomKey::V4(address) => self.has_v4_text(dotted(address)),
            AtomKey::Name(name) => passes_name(name.as_bytes()),
            AtomKey::Hash(digest) => self.hex.has(digest_key(first_bytes(digest), digest.len())),
            AtomKey::Email(_) | AtomKey::UrlHost(_) => true,
            AtomKey::V6(_) | AtomKey::V4Range(_) | AtomKey::V6Range(_) => true,
        })
    }

    /// Tells whether an address may be listed.
    #[inline]
    pub fn has_v4(&self, address: u32) -> bool {
        let top = address >> 16;
        self.v4.has(text_key(dotted(address)))
            || usize::try_from(top / 64)
                .ok()
                .and_then(|index| self.v4_ranges.get(index))
                .is_some_and(|word| word >> (top % 64) & 1 == 1)
    }

    /// Tells whether an address may be listed that is written like this, with zero bytes behind it.
    #[inline]
    pub fn has_v4_text(&self, text: u128) -> bool {
        self.v4.has(text_key(text))
    }

    /// Tells whether the last label of some name may be this.
    #[inline]
    pub fn has_top(&self, text: &[u8], label: Range<usize>) -> bool {
        self.tops.has(key(text, label))
    }

    /// Tells whether every name may be listed that ends in this label.
    #[inline]
    pub fn has_lone_top(&self, text: &[u8], label: Range<usize>) -> bool {
        self.has_lone_tops && self.names.has(key(text, label))
    }

    /// Tells whether the last two labels of some name may be these.
    #[inline]
    pub fn has_base(&self, text: &[u8], labels: Range<usize>) -> bool {
        self.bases.has(key(text, labels))
    }

    /// Tells whether a name may be listed as it is.
    #[inline]
    pub fn has_name(&self, text: &[u8], name: Range<usize>) -> bool {
        self.names.has(key(text, name))
    }

    /// Tells whether a run of hexadecimal digits may be listed.
    #[inline]
    pub fn has_hex(&self, digits: &[u8]) -> bool {
        digits.first_chunk().is_some_and(|first| self.hex.has(digest_key(first_digits(*first), digits.len() / 2)))
    }
}

/// Returns the last two labels of a name, and the last one alone.
fn ends(name: &[u8]) -> (&[u8], &[u8]) {
    let mut labels = name.rsplitn(3, |byte| *byte == b'.');
    let top = labels.next().unwrap_or(name);
    let base = labels.next().map_or(top.len(), |label| label.len() + 1 + top.len());
    (name.get(name.len() - base..).unwrap_or(name), top)
}

#[cfg(test)]
mod tests {
    use super::keys::number_key;
    use super::*;
    use crate::observable::Observable;

    #[test]
    fn what_was_inserted_is_there_and_little_else() {
        let mut bits = Bits::for_keys(10_000);
        for number in 0..10_000 {
            bits.insert(number_key(0, number));
        }
        assert!((0..10_000).all(|number| bits.has(number_key(0, number))));
        let wrong = (10_000..110_000).filter(|&number| bits.has(number_key(0, number))).count();
        assert!(wrong < 2_000, "{wrong} of 100,000");
    }

    #[test]
    fn filters_are_read_as_they_were_written_and_those_of_others_are_known() {
        let table = |names: &[&str]| {
            let mut table = AtomTable::default();
            for (leaf, name) in (0..).zip(names) {
                let observable = Observable::guess(name).unwrap();
                table.add(0, leaf, &observable, None).unwrap();
            }
            table
        };
        let atoms =
            table(&["192.0.2.1", "evil.example", "d4b4cccda9228624656bff33d8110955", "198.51.100.0/24", "*.onion"]);
        let mut bytes = Vec::new();
        Filter::new(&atoms).store(&mut StoredWriter::new(&mut bytes)).unwrap();
        let length = bytes.len();
        let filter = Filter::read_stored(&mut StoredReader::new(&mut bytes.as_slice(), length as u64)).unwrap();
        assert!(filter.passes_sample(&atoms));
        assert!(filter.has_v4(0xc000_0201) && filter.has_v4(0xc633_6407) && !filter.has_v4(0xc000_0202));
        let name = |text: &[u8]| filter.has_name(text, 0..text.len());
        assert!(name(b"Evil.Example") && filter.has_lone_top(b"onion", 0..5) && !name(b"evil.exampl"));
        assert!(filter.has_hex(b"D4B4cccda9228624656bff33d8110955"));
        for other in ["192.0.2.2", "other.example", "00b4cccda9228624656bff33d8110955"] {
            assert!(!filter.passes_sample(&table(&[other])), "{other}");
        }
        for end in [0, 8, length / 2, length - 1] {
            let read = Filter::read_stored(&mut StoredReader::new(&mut &bytes[..end], end as u64));
            assert!(read.is_err(), "{end} bytes");
        }
    }
}
