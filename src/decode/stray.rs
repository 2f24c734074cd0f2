//! Single-byte text that was appended to UTF-16: read as UTF-16 it is nonsense, so it is searched as it stands as well.

use super::{Sink, bytes};

/// How many bytes in a row without a zero are taken for single-byte text. A line with an indicator is hardly shorter, and
/// scripts whose UTF-16 has no zeros seldom look like ASCII for so long; where they do, a run is searched for nothing.
const LEAST_BYTES: usize = 12;
/// The most that is held before it is searched.
const MOST_BYTES: usize = 1 << 20;

/// Finds runs of printable ASCII among the bytes of UTF-16.
#[derive(Debug, Default)]
pub(super) struct Stray {
    run: Vec<u8>,
    /// Where the next byte stands in the artifact.
    offset: u64,
    found: Vec<(u64, Vec<u8>)>,
}

impl Stray {
    /// Starts at the byte `offset` of the artifact.
    pub fn new(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Takes the next bytes of the artifact.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let is_ascii = byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1b);
            if is_ascii {
                self.run.push(byte);
            }
            if !is_ascii || self.run.len() >= MOST_BYTES {
                self.end_run(u64::from(is_ascii));
            }
            self.offset += 1;
        }
    }

    /// `behind` is 1 where the byte at `offset` is part of the run.
    fn end_run(&mut self, behind: u64) {
        if self.run.len() >= LEAST_BYTES {
            let run = std::mem::take(&mut self.run);
            self.found.push((self.offset + behind - run.len() as u64, run));
        }
        self.run.clear();
    }

    /// Searches what was found, as records from `number` on.
    pub fn search(&mut self, number: u64, is_last: bool, sink: &mut dyn Sink) {
        if is_last {
            self.end_run(0);
        }
        for (offset, run) in self.found.drain(..) {
            // Bytes in memory cannot fail to be read.
            bytes::search_runs(&mut run.as_slice(), offset, number, sink).unwrap_or_default();
        }
    }
}
