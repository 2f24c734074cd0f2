//! A hash table of numbers, whose keys are kept elsewhere: open addressing, eight bytes a place.

use std::io;

use super::stored::{StoredReader, StoredWriter};

/// Marks a free place. It is not zero: a fresh table would then be memory that the system has yet to give, which it does
/// twice where a place is first looked at and then written to.
const FREE: u64 = u64::MAX;

/// The least number of places.
const LEAST: usize = 16;

/// Numbers by the hash of what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// At each taken place the upper half of a hash, and below it the number. The hash tells most of what is not
    /// looked for, and the place in a larger table, without a look at the key.
    ///
    /// There are as many places as a power of two, of which at least a quarter are free.
    places: Vec<u64>,
    len: usize,
}

impl Index {
    /// Returns how many numbers there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Finds the number with this hash for which `is_it` holds.
    #[inline]
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.search(hash, is_it).ok()
    }

    /// Makes sure that there is room for one more.
    #[inline]
    pub fn make_room(&mut self) {
        if (self.len + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
    }

    /// Returns what stands at the first place for a hash.
    #[inline]
    pub fn peek(&self, hash: u64) -> u64 {
        self.places.get(start(hash, self.places.len())).copied().unwrap_or(FREE)
    }

    /// Finds the number with this hash for which `is_it` holds, or else the free place where it belongs.
    #[inline]
    pub fn search(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mut at = start(hash, self.places.len());
        // A table from a file may have no free place.
        for _ in 0..self.places.len() {
            let Some(taken) = self.places.get(at).copied().filter(|taken| *taken != FREE) else { break };
            if check(taken) == check(hash) && is_it(number(taken)) {
                return Ok(number(taken));
            }
            at = (at + 1) & (self.places.len() - 1);
        }
        Err(at)
    }

    /// Adds a number that was not found to the free place that was found instead.
    #[inline]
    pub fn add(&mut self, free: usize, hash: u64, id: u32) {
        if let Some(place) = self.places.get_mut(free) {
            *place = check(hash) | u64::from(id);
            self.len += 1;
        }
    }

    /// Doubles the places. What is taken keeps its order, so that memory is gone through from one end to the other.
    #[cold]
    fn grow(&mut self) {
        let count = (self.places.len() * 2).max(LEAST);
        let before = std::mem::replace(&mut self.places, vec![FREE; count]);
        for taken in before.into_iter().filter(|taken| *taken != FREE) {
            let mut at = start(taken, count);
            while let Some(place) = self.places.get_mut(at) {
                if *place == FREE {
                    *place = taken;
                    break;
                }
                at = (at + 1) & (count - 1);
            }
        }
    }

    /// Writes the table.
    pub fn store(&self, to: &mut StoredWriter<'_>) -> io::Result<()> {
        to.numbers(&self.places)
    }

    /// Reads a table of numbers below `end`.
    pub fn read_stored(from: &mut StoredReader<'_>, end: u32) -> io::Result<Self> {
        let places = from.numbers()?;
        let (mut len, mut fits) = (0, places.is_empty() || places.len().is_power_of_two());
        for &place in &places {
            len += usize::from(place != FREE);
            fits &= place == FREE || number(place) < end;
        }
        if !fits || len * 4 > places.len() * 3 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds a table that none writes"));
        }
        Ok(Self { places, len })
    }
}

/// The half of a place that belongs to the hash.
const CHECK: u64 = 0xffff_ffff << 32;

fn check(hash: u64) -> u64 {
    hash & CHECK
}

fn number(taken: u64) -> u32 {
    u32::try_from(taken & !CHECK).unwrap_or_default()
}

/// Returns the first place for a hash, of which only the upper half counts: among the places as it is among all hashes.
fn start(hash: u64, places: usize) -> usize {
    usize::try_from((u128::from(check(hash)) * places as u128) >> 64).unwrap_or_default()
}
