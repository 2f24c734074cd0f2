//! What atoms leave behind in a few bits each: most values that are none are told apart without looking at the table.
//!
//! A filter may say yes wrongly, never no wrongly.

use std::net::IpAddr;

use super::atoms::{AtomKey, AtomTable};

/// Bits for one key: four of them are set, so about one of 1,000 values that are none passes.
const BITS_PER_KEY: usize = 24;
/// The smallest filter; it stays in the nearest cache.
const LEAST_WORDS: usize = 1 << 9;

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

/// Any odd number with well mixed bits does; this one is 2^64 divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ MIX) * u128::from(b ^ 0xa076_1d64_78bd_642f);
    (product >> 64) as u64 ^ product as u64
}

/// Makes letters lower case, eight bytes at once. Other bytes change too, the same in values and in text.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// Hashes a text without regard to the case of ASCII letters.
#[inline]
fn key(text: &[u8]) -> u64 {
    let mut hash = text.len() as u64;
    let mut rest = text;
    while let Some((before, word)) = rest.split_last_chunk::<8>() {
        hash = mixed(hash, u64::from_le_bytes(*word) | LOWER);
        rest = before;
    }
    let tail = match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
        _ => rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    mixed(hash, tail | LOWER)
}

#[inline]
fn number_key(high: u64, low: u64) -> u64 {
    mixed(high.rotate_left(32) ^ low, low)
}

/// The filters of every kind of atom.
#[derive(Debug)]
pub(super) struct Filter {
    v4: Bits,
    /// Of addresses, the first two bytes of those in some range.
    v4_ranges: Vec<u64>,
    tops: Bits,
    /// Single labels, under which every name is listed.
    lone_tops: Bits,
    bases: Bits,
    names: Bits,
    hex: Bits,
    /// Whether some name ends in a label that the sweep does not see, so that every name must be looked up.
    pub has_odd_names: bool,
}

impl Filter {
    /// Prepares the filters of a table.
    pub fn new(atoms: &AtomTable) -> Self {
        let (mut v4, mut names, mut hex) = (0, 0, 0);
        atoms.each_key(&mut |key| match key {
            AtomKey::V4(_) => v4 += 1,
            AtomKey::Name(_) | AtomKey::Email(_) | AtomKey::UrlHost(_) => names += 1,
            AtomKey::Hash(_) => hex += 1,
            AtomKey::V6(_) | AtomKey::V4Range(_) | AtomKey::V6Range(_) => {}
        });
        let mut filter = Self {
            v4: Bits::for_keys(v4),
            v4_ranges: vec![0; (1 << 16) / 64],
            tops: Bits::for_keys(0),
            lone_tops: Bits::for_keys(0),
            bases: Bits::for_keys(names),
            names: Bits::for_keys(names),
            hex: Bits::for_keys(hex),
            has_odd_names: false,
        };
        atoms.each_key(&mut |key| filter.add(key));
        filter
    }

    fn add(&mut self, atom: AtomKey<'_>) {
        match atom {
            AtomKey::V4(address) => self.add_v4(address),
            AtomKey::V4Range(range) => {
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
            AtomKey::Hash(digits) => self.hex.insert(hex_key(digits.as_bytes())),
            AtomKey::V6(_) | AtomKey::V6Range(_) => {}
        }
    }

    fn add_v4(&mut self, address: u32) {
        self.v4.insert(number_key(0, u64::from(address)));
    }

    fn add_name(&mut self, name: &str) {
        let top = name.rsplit_once('.').map_or(name, |(_, top)| top);
        self.has_odd_names |= !top.starts_with(|c: char| c.is_ascii_alphabetic() || !c.is_ascii());
        let Some((rest, top)) = name.rsplit_once('.') else {
            self.tops.insert(key(top.as_bytes()));
            return self.lone_tops.insert(key(top.as_bytes()));
        };
        let base = rest.rfind('.').map_or(name, |at| name.get(at + 1..).unwrap_or(name));
        self.tops.insert(key(top.as_bytes()));
        self.bases.insert(key(base.as_bytes()));
        self.names.insert(key(name.as_bytes()));
    }

    /// Tells whether an address may be listed.
    #[inline]
    pub fn has_v4(&self, address: u32) -> bool {
        let top = address >> 16;
        self.v4.has(number_key(0, u64::from(address)))
            || usize::try_from(top / 64)
                .ok()
                .and_then(|index| self.v4_ranges.get(index))
                .is_some_and(|word| word >> (top % 64) & 1 == 1)
    }

    /// Tells whether the last label of some name may be this.
    #[inline]
    pub fn has_top(&self, label: &[u8]) -> bool {
        self.tops.has(key(label))
    }

    /// Tells whether every name that ends in this label may be listed.
    #[inline]
    pub fn has_lone_top(&self, label: &[u8]) -> bool {
        self.lone_tops.has(key(label))
    }

    /// Tells whether the last two labels of some name may be these.
    #[inline]
    pub fn has_base(&self, labels: &[u8]) -> bool {
        self.bases.has(key(labels))
    }

    /// Tells whether a name may be listed as it is.
    #[inline]
    pub fn has_name(&self, name: &[u8]) -> bool {
        self.names.has(key(name))
    }

    /// Tells whether a run of hexadecimal digits may be listed.
    #[inline]
    pub fn has_hex(&self, digits: &[u8]) -> bool {
        self.hex.has(hex_key(digits))
    }
}

/// Digests are random, so their first bytes tell enough.
#[inline]
fn hex_key(digits: &[u8]) -> u64 {
    key(digits.get(..16).unwrap_or(digits)) ^ digits.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_letter_case_and_nothing_else_of_names() {
        for name in ["a.bc", "evil.example", "EVIL.Example", "a-very-long-name-of-many-labels.sub.example.com"] {
            assert_eq!(key(name.as_bytes()), key(name.to_ascii_uppercase().as_bytes()), "{name}");
            assert_ne!(key(name.as_bytes()), key(format!("{name}x").as_bytes()), "{name}");
        }
    }

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
}
