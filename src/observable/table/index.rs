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
    /// At least a quarter of the places are free.
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
            at = after(at, self.places.len());
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

    /// Makes room for this many in all, so that the table need not grow.
    pub fn expect(&mut self, count: usize) {
        let places = places_for(count);
        if places > self.places.len() {
            self.places = self.laid_out(places);
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.places = self.laid_out((self.places.len() * 2).max(LEAST));
    }

    /// Returns as many places with the same numbers. What is taken keeps its order, so that memory is gone through from one
    /// end to the other.
    fn laid_out(&self, count: usize) -> Vec<u64> {
        let mut places = vec![FREE; count];
        for &taken in self.places.iter().filter(|taken| **taken != FREE) {
            let mut at = start(taken, count);
            while let Some(place) = places.get_mut(at) {
                if *place == FREE {
                    *place = taken;
                    break;
                }
                at = after(at, count);
            }
        }
        places
    }

    /// Writes the table, with no more places than it needs.
    pub fn store(&self, to: &mut StoredWriter<'_>) -> io::Result<()> {
        let count = if self.len == 0 { 0 } else { places_for(self.len) };
        to.numbers(&self.laid_out(count))
    }

    /// Reads a table of numbers below `end`.
    pub fn read_stored(from: &mut StoredReader<'_>, end: u32) -> io::Result<Self> {
        let places = from.numbers()?;
        let (mut len, mut fits) = (0, true);
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

/// Returns how many places so many numbers need.
fn places_for(count: usize) -> usize {
    (count + 1).saturating_mul(4) / 3 + LEAST
}

/// Returns the place behind another one; behind the last comes the first.
#[inline]
fn after(at: usize, places: usize) -> usize {
    if at + 1 < places { at + 1 } else { 0 }
}

/// Returns the first place for a hash, of which only the upper half counts: among the places as it is among all hashes.
fn start(hash: u64, places: usize) -> usize {
    usize::try_from((u128::from(check(hash)) * places as u128) >> 64).unwrap_or_default()
}
