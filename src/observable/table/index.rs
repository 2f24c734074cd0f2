//! A hash table of numbers, whose keys are kept elsewhere: open addressing, four bytes a place.

use std::io;

use super::stored::{StoredReader, StoredWriter};

/// Marks a free place.
const FREE: u8 = 0;

/// The least number of places.
const LEAST: usize = 16;

/// Numbers by the hash of what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// A part of the hash at each taken place: most of what is not looked for is told by it, close together in memory.
    tags: Vec<u8>,
    /// As many places as a power of two, of which at least a quarter are free.
    places: Vec<u32>,
    len: usize,
}

impl Index {
    /// Returns how many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Finds the number with this hash for which `is_it` holds.
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.tags.len().checked_sub(1)?;
        let mut at = start(hash, mask);
        let tag = tag(hash);
        // A table from a file may have no free place.
        for _ in 0..=mask {
            match self.tags.get(at).copied()? {
                FREE => return None,
                taken if taken == tag => {
                    let id = self.places.get(at).copied()?;
                    if is_it(id) {
                        return Some(id);
                    }
                }
                _ => {}
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Adds a number that is not there. `rehash` returns the hash of any number that is.
    pub fn insert(&mut self, hash: u64, id: u32, rehash: impl Fn(u32) -> u64) {
        if (self.len + 1) * 4 > self.places.len() * 3 {
            let places = (self.places.len() * 2).max(LEAST);
            let tags = std::mem::replace(&mut self.tags, vec![FREE; places]);
            let before = std::mem::replace(&mut self.places, vec![0; places]);
            for (id, _) in before.into_iter().zip(tags).filter(|(_, tag)| *tag != FREE) {
                self.place(rehash(id), id);
            }
        }
        self.place(hash, id);
        self.len += 1;
    }

    /// Writes the table.
    pub fn store(&self, to: &mut StoredWriter<'_>) -> io::Result<()> {
        to.bytes(&self.tags)?;
        to.all(&self.places, u32::to_le_bytes)
    }

    /// Reads a table of numbers below `end`.
    pub fn read_stored(from: &mut StoredReader<'_>, end: u32) -> io::Result<Self> {
        let tags = from.bytes()?;
        let places = from.all(|bytes| Some(u32::from_le_bytes(bytes)).filter(|id| *id < end.max(1)))?;
        let len = tags.iter().filter(|tag| **tag != FREE).count();
        let fits = tags.len() == places.len() && len * 4 <= tags.len() * 3;
        if !fits || !(tags.is_empty() || tags.len().is_power_of_two()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds a table that none writes"));
        }
        Ok(Self { tags, places, len })
    }

    fn place(&mut self, hash: u64, id: u32) {
        let mask = self.tags.len().saturating_sub(1);
        let mut at = start(hash, mask);
        while let (Some(taken), Some(place)) = (self.tags.get_mut(at), self.places.get_mut(at)) {
            if *taken == FREE {
                *taken = tag(hash);
                *place = id;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

fn start(hash: u64, mask: usize) -> usize {
    let bits = u64::try_from(mask).unwrap_or(u64::MAX);
    usize::try_from(hash & bits).unwrap_or_default()
}

/// Returns a part of the hash that the place does not depend on.
fn tag(hash: u64) -> u8 {
    u8::try_from(hash >> 57).unwrap_or_default() | 0x80
}
