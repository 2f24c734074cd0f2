//! Values that are added to a table some at a time.
//!
//! A large table lies in no near cache. The places of several values are waited for together, and not one after the other.

use std::hint::black_box;

use super::borrowed::ObservableRef;
use super::values::{Slot, Values};
use super::{Added, ObservableTable, TableFull};

/// How many values are worth the wait.
const ENOUGH: usize = 64;

/// Values on their way into a table.
#[derive(Debug, Default)]
pub struct Batch {
    values: Values,
    hashes: Vec<u64>,
}

impl Batch {
    /// Puts a value in that is to be added to this table.
    ///
    /// # Errors
    /// Fails where the value is larger than any table holds.
    pub fn put(&mut self, table: &ObservableTable, value: ObservableRef<'_>) -> Result<(), TableFull> {
        self.values.push(value).ok_or(TableFull)?;
        self.hashes.push(table.hasher.of(value));
        Ok(())
    }

    /// Tells whether it is time to add the values.
    pub fn is_full(&self) -> bool {
        self.hashes.len() >= ENOUGH
    }

    /// Takes all values out.
    pub fn clear(&mut self) {
        self.values.clear();
        self.hashes.clear();
    }
}

impl ObservableTable {
    /// Adds values that were put in for this table, unless they are there, and calls `each` with what became of each.
    pub fn add_batch(&mut self, batch: &Batch, each: &mut dyn FnMut(Result<Added, TableFull>)) {
        let indexes = self.indexes();
        let peek = |(slot, hash): (&Slot, &u64)| indexes.get(slot.index_number()).map_or(0, |index| index.peek(*hash));
        black_box(batch.values.slots.iter().zip(&batch.hashes).map(peek).fold(0, |all, place| all ^ place));
        for (value, hash) in batch.values.iter().zip(&batch.hashes) {
            each(self.add_hashed(value, *hash));
        }
    }
}
