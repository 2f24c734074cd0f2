//! Memory for the text of blocks, used again: what was searched gives it back, and it need not be cleared for what is read
//! next.

use std::sync::{Mutex, PoisonError};

/// The text of one block: large enough that handing it over costs nothing, small enough to keep all threads busy.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Text that was searched leaves its memory here, so that it need not be cleared for the next one.
static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// How many blocks' memory is kept, and of what size.
const MOST_SPARE: usize = 16;
const MOST_SPARE_BYTES: usize = 2 * BLOCK_BYTES;

/// Keeps the memory of a block's text for another one.
pub fn give_back(text: Vec<u8>) {
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.len() < MOST_SPARE && text.capacity() <= MOST_SPARE_BYTES && text.capacity() >= BLOCK_BYTES / 2 {
        spare.push(text);
    }
}

/// Text of which only the beginning is of use; what is behind it is left from another text.
#[derive(Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// How many bytes are of use.
    pub filled: usize,
}

impl Buffer {
    /// Makes an empty one, of memory that was given back if there is some.
    pub fn spare() -> Self {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { bytes: spare.unwrap_or_default(), filled: 0 }
    }

    /// Returns the text.
    pub fn text(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Returns the next `missing` bytes.
    pub fn space(&mut self, missing: usize) -> &mut [u8] {
        let end = self.filled + missing;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(self.filled..end).unwrap_or_default()
    }

    /// Adds what `append` writes behind the text.
    pub fn append(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.truncate(self.filled);
        append(&mut self.bytes);
        self.filled = self.bytes.len();
    }

    /// Adds text.
    pub fn push(&mut self, text: &[u8]) {
        self.space(text.len()).copy_from_slice(text);
        self.filled += text.len();
    }

    /// Returns the first `length` bytes of the text.
    pub fn into_text(mut self, length: usize) -> Vec<u8> {
        if length < self.bytes.capacity() / 4 {
            // A short text would hold memory for a long one.
            let text = self.bytes.get(..length).unwrap_or_default().to_vec();
            give_back(self.bytes);
            return text;
        }
        self.bytes.truncate(length);
        self.bytes
    }
}
