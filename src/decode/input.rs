//! An artifact's bytes: a head to recognise it by, a stream to decode it from, and a seekable form for formats that
//! need one.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use crate::spool::Spool;

/// How many first bytes a decoder may look at to recognise its format.
pub const HEAD_BYTES: usize = 64 * 1024;

/// A stream that can be read from any place.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// The first bytes of an artifact.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// At most [`HEAD_BYTES`] bytes.
    pub bytes: &'a [u8],
    /// Whether `bytes` is the whole artifact.
    pub is_whole: bool,
}

/// The bytes of one artifact, read once from start to end.
pub struct Input<'r> {
    head: Vec<u8>,
    taken: usize,
    rest: Option<&'r mut dyn Read>,
    head_error: Option<io::Error>,
    file: Option<File>,
}

impl<'r> Input<'r> {
    /// Reads the head of an evidence file. `file` is a second handle of it, so that a seekable form needs no copy.
    pub fn of_file(reader: &'r mut dyn Read, file: File) -> Self {
        Self { file: Some(file), ..Self::new(reader) }
    }

    /// Reads the head of `reader`. An error while doing so is kept, and returned where it stands in the stream.
    pub fn new(reader: &'r mut dyn Read) -> Self {
        let mut head = Vec::new();
        let head_error = reader.take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        let at_end = head_error.is_some() || head.len() < HEAD_BYTES;
        Self { head, taken: 0, rest: (!at_end).then_some(reader), head_error, file: None }
    }

    /// Returns the first bytes, whatever has been read since.
    pub fn head(&self) -> Head<'_> {
        Head { bytes: &self.head, is_whole: self.rest.is_none() && self.head_error.is_none() }
    }

    /// Reads what is left into memory or, past `Spool`'s size, into a temporary file, and returns it as seekable.
    ///
    /// The second value is the error that ended the read early, if one did: what came before it is in the spool.
    ///
    /// # Errors
    /// Fails only where the temporary file cannot be made or written.
    pub fn into_seekable(&mut self) -> io::Result<(Box<dyn ReadSeek>, Option<io::Error>)> {
        if let Some(file) = self.file.take() {
            return Ok((Box::new(file), None));
        }
        if self.rest.is_none() && self.head_error.is_none() && self.taken == 0 {
            return Ok((Box::new(Cursor::new(self.head.clone())), None));
        }
        let mut spool = Spool::new();
        let mut buffer = vec![0; HEAD_BYTES];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok((Box::new(spool.into_reader()?), None)),
                Ok(n) => spool.write(buffer.get(..n).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok((Box::new(spool.into_reader()?), Some(error))),
            }
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken < self.head.len() {
            let mut left = self.head.get(self.taken..).unwrap_or_default();
            let n = left.read(buf)?;
            self.taken += n;
            return Ok(n);
        }
        if let Some(error) = self.head_error.take() {
            return Err(error);
        }
        match &mut self.rest {
            Some(rest) => rest.read(buf),
            None => Ok(0),
        }
    }
}
