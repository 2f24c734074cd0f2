//! Bounded memory: bytes past a size go to a temporary file.
//!
//! Temporary files are unnamed, in the system's temporary folder, and gone when the program ends however it ends.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

/// Bytes that a spool keeps in memory before it moves to a file.
const SPOOL_MEMORY_BYTES: usize = 8 << 20;

/// Collects a stream that must be read again from any place.
#[derive(Debug, Default)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
}

impl Spool {
    /// Starts empty, in memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Fails where the temporary file cannot be made or written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() && self.memory.len() + bytes.len() > SPOOL_MEMORY_BYTES {
            let mut file = tempfile::tempfile()?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Turns what was collected into a reader that stands at its start.
    ///
    /// # Errors
    /// Fails where the temporary file cannot be rewound.
    pub fn into_reader(self) -> io::Result<SpoolReader> {
        match self.file {
            Some(mut file) => {
                file.seek(SeekFrom::Start(0))?;
                Ok(SpoolReader::File(file))
            }
            None => Ok(SpoolReader::Memory(Cursor::new(self.memory))),
        }
    }
}

/// Reads a [`Spool`] again.
#[derive(Debug)]
pub enum SpoolReader {
    /// Small enough for memory.
    Memory(Cursor<Vec<u8>>),
    /// In a temporary file.
    File(File),
}

impl Read for SpoolReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(memory) => memory.read(buf),
            Self::File(file) => file.read(buf),
        }
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Memory(memory) => memory.seek(to),
            Self::File(file) => file.seek(to),
        }
    }
}

/// Collects items by key, in bounded memory; past a size, sorted runs go to a temporary file.
///
/// Keys are compared as bytes. Items with equal keys keep no order, so keys must be unique where order matters.
#[derive(Debug)]
pub struct Runs<T> {
    held: Vec<(Vec<u8>, Vec<u8>)>,
    held_bytes: usize,
    memory_bytes: usize,
    file: Option<File>,
    runs: Vec<(u64, u64)>,
    count: u64,
    item: std::marker::PhantomData<T>,
}

/// Bytes of sorted items kept in memory before a run is written.
pub const RUN_MEMORY_BYTES: usize = 32 << 20;
/// What one entry costs besides its bytes: two vectors' headers.
const ENTRY_OVERHEAD_BYTES: usize = 64;
/// Bytes that a run is read back by.
const RUN_CHUNK_BYTES: u64 = 64 * 1024;

impl<T: serde::Serialize + serde::de::DeserializeOwned> Runs<T> {
    /// Starts empty, with at most about `memory_bytes` in memory.
    pub fn new(memory_bytes: usize) -> Self {
        Self {
            held: Vec::new(),
            held_bytes: 0,
            memory_bytes,
            file: None,
            runs: Vec::new(),
            count: 0,
            item: std::marker::PhantomData,
        }
    }

    /// Adds an item under `key`.
    ///
    /// # Errors
    /// Fails where a run cannot be written to a temporary file.
    pub fn push(&mut self, key: Vec<u8>, item: &T) -> io::Result<()> {
        let bytes = serde_json::to_vec(item)?;
        self.held_bytes += key.len() + bytes.len() + ENTRY_OVERHEAD_BYTES;
        self.held.push((key, bytes));
        self.count += 1;
        if self.held_bytes > self.memory_bytes {
            self.write_run()?;
        }
        Ok(())
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let start = file.seek(SeekFrom::End(0))?;
        let mut out = io::BufWriter::new(&mut *file);
        for (key, bytes) in self.held.drain(..) {
            for part in [key, bytes] {
                out.write_all(&(part.len() as u64).to_le_bytes())?;
                out.write_all(&part)?;
            }
        }
        out.flush()?;
        drop(out);
        let end = file.stream_position()?;
        self.runs.push((start, end));
        self.held_bytes = 0;
        Ok(())
    }

    /// Ends the collection.
    pub fn finish(mut self) -> Sorted<T> {
        self.held.sort_unstable();
        Sorted {
            held: self.held,
            file: self.file.map(std::sync::Mutex::new),
            runs: self.runs,
            count: self.count,
            item: std::marker::PhantomData,
        }
    }
}

/// Items in the order of their keys. Can be read any number of times.
#[derive(Debug)]
pub struct Sorted<T> {
    held: Vec<(Vec<u8>, Vec<u8>)>,
    file: Option<std::sync::Mutex<File>>,
    runs: Vec<(u64, u64)>,
    count: u64,
    item: std::marker::PhantomData<T>,
}

impl<T: serde::Serialize + serde::de::DeserializeOwned> Sorted<T> {
    /// Returns how many items there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the items in order. An error in reading a temporary file back is the last item.
    pub fn iter(&self) -> SortedIter<'_, T> {
        let mut sources = Vec::new();
        if let Some(file) = &self.file {
            for &(start, end) in &self.runs {
                sources.push(Source::Run { file, at: start, end, chunk: Vec::new(), used: 0 });
            }
        }
        sources.push(Source::Held(self.held.iter()));
        SortedIter {
            sources,
            heap: std::collections::BinaryHeap::new(),
            started: false,
            item: std::marker::PhantomData,
        }
    }
}

enum Source<'s> {
    Held(std::slice::Iter<'s, (Vec<u8>, Vec<u8>)>),
    Run { file: &'s std::sync::Mutex<File>, at: u64, end: u64, chunk: Vec<u8>, used: usize },
}

impl Source<'_> {
    fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        match self {
            Self::Held(held) => Ok(held.next().cloned()),
            Self::Run { file, at, end, chunk, used } => {
                if *used >= chunk.len() && *at >= *end {
                    return Ok(None);
                }
                let mut part = || -> io::Result<Vec<u8>> {
                    let mut length = [0; 8];
                    take(file, at, *end, chunk, used, &mut length)?;
                    let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?];
                    take(file, at, *end, chunk, used, &mut bytes)?;
                    Ok(bytes)
                };
                Ok(Some((part()?, part()?)))
            }
        }
    }
}

fn take(
    file: &std::sync::Mutex<File>,
    at: &mut u64,
    end: u64,
    chunk: &mut Vec<u8>,
    used: &mut usize,
    out: &mut [u8],
) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        if *used >= chunk.len() {
            if *at >= end {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut file = file.lock().map_err(|_| io::Error::other("a temporary file's lock is poisoned"))?;
            file.seek(SeekFrom::Start(*at))?;
            chunk.clear();
            let read = (&mut *file).take((end - *at).min(RUN_CHUNK_BYTES)).read_to_end(chunk)?;
            *at += read as u64;
            *used = 0;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let available = chunk.get(*used..).unwrap_or_default();
        let wanted = out.get_mut(done..).unwrap_or_default();
        let n = available.len().min(wanted.len());
        for (to, from) in wanted.iter_mut().zip(available) {
            *to = *from;
        }
        done += n;
        *used += n;
    }
    Ok(())
}

/// One item of a merge: key, bytes, and the source to read the next from.
type Merged = std::cmp::Reverse<(Vec<u8>, Vec<u8>, usize)>;

/// The items of a [`Sorted`], in order.
pub struct SortedIter<'s, T> {
    sources: Vec<Source<'s>>,
    heap: std::collections::BinaryHeap<Merged>,
    started: bool,
    item: std::marker::PhantomData<T>,
}

impl<T> SortedIter<'_, T> {
    fn refill(&mut self, index: usize) -> io::Result<()> {
        if let Some(source) = self.sources.get_mut(index)
            && let Some((key, bytes)) = source.next()?
        {
            self.heap.push(std::cmp::Reverse((key, bytes, index)));
        }
        Ok(())
    }

    fn advance(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !self.started {
            self.started = true;
            for index in 0..self.sources.len() {
                self.refill(index)?;
            }
        }
        let Some(std::cmp::Reverse((_, bytes, index))) = self.heap.pop() else {
            return Ok(None);
        };
        self.refill(index)?;
        Ok(Some(bytes))
    }
}

impl<T: serde::de::DeserializeOwned> Iterator for SortedIter<'_, T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(None) => None,
            Ok(Some(bytes)) => Some(serde_json::from_slice(&bytes).map_err(io::Error::from)),
            Err(error) => {
                self.heap.clear();
                self.sources.clear();
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_key_order_from_memory_and_from_runs() {
        for memory_bytes in [0, 500, 1 << 20] {
            let mut runs = Runs::<u64>::new(memory_bytes);
            for n in 0..1_000_u64 {
                let scattered = n.wrapping_mul(7_919) % 1_000;
                runs.push(scattered.to_be_bytes().to_vec(), &scattered).unwrap();
            }
            let sorted = runs.finish();
            for _ in 0..2 {
                let read: Vec<u64> = sorted.iter().map(Result::unwrap).collect();
                assert_eq!(read, (0..1_000).collect::<Vec<_>>(), "{memory_bytes}");
            }
        }
    }

    #[test]
    fn a_spool_gives_back_its_bytes_on_both_sides_of_its_memory() {
        for size in [0, SPOOL_MEMORY_BYTES - 1, SPOOL_MEMORY_BYTES, SPOOL_MEMORY_BYTES + 1] {
            let mut spool = Spool::new();
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            for part in bytes.chunks(1_000_003) {
                spool.write(part).unwrap();
            }
            let mut back = Vec::new();
            spool.into_reader().unwrap().read_to_end(&mut back).unwrap();
            assert!(back == bytes, "{size}");
        }
    }
}
