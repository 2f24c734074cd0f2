//! An artifact's bytes on their way to a decoder: counted, digested, and kept where rules look at the whole.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::budget::exceeded;
use crate::matching::Digests;
use crate::observable::HashKind;

/// The digests of one artifact, as its bytes go by.
pub(super) struct Digester {
    states: Vec<State>,
}

enum State {
    Md5(Box<Md5>),
    Sha1(Box<Sha1>),
    Sha256(Box<Sha256>),
    Sha512(Box<Sha512>),
}

impl Digester {
    /// Starts the digests asked for. A thumbprint is the digest of a certificate and is not one of them.
    pub fn new(kinds: &[HashKind]) -> Self {
        let states = kinds.iter().filter_map(|kind| match kind {
            HashKind::Md5 => Some(State::Md5(Box::default())),
            HashKind::Sha1 => Some(State::Sha1(Box::default())),
            HashKind::Sha256 => Some(State::Sha256(Box::default())),
            HashKind::Sha512 => Some(State::Sha512(Box::default())),
            HashKind::Thumbprint => None,
        });
        Self { states: states.collect() }
    }

    fn update(&mut self, bytes: &[u8]) {
        for state in &mut self.states {
            match state {
                State::Md5(state) => state.update(bytes),
                State::Sha1(state) => state.update(bytes),
                State::Sha256(state) => state.update(bytes),
                State::Sha512(state) => state.update(bytes),
            }
        }
    }

    fn finish(self) -> Digests {
        let digests = self.states.into_iter().map(|state| match state {
            State::Md5(state) => (HashKind::Md5, hex(&state.finalize())),
            State::Sha1(state) => (HashKind::Sha1, hex(&state.finalize())),
            State::Sha256(state) => (HashKind::Sha256, hex(&state.finalize())),
            State::Sha512(state) => (HashKind::Sha512, hex(&state.finalize())),
        });
        Digests(digests.collect())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an artifact's bytes once. The first error is kept; after it, the stream is at its end.
pub(super) struct Tee<'r> {
    reader: &'r mut dyn Read,
    digester: Digester,
    whole: Option<Vec<u8>>,
    most_whole: usize,
    is_cut: bool,
    progress: Option<Arc<AtomicU64>>,
    bytes: u64,
    error: Option<io::Error>,
}

/// What a [`Tee`] learnt about an artifact.
pub(super) struct Learnt {
    /// How many bytes were read.
    pub bytes: u64,
    /// The digests, where the artifact was read to its end.
    pub digests: Option<Digests>,
    /// The bytes, where they were kept.
    pub whole: Option<Vec<u8>>,
    /// Whether `whole` is only the beginning.
    pub is_cut: bool,
    /// What ended the read early.
    pub error: Option<io::Error>,
}

impl<'r> Tee<'r> {
    /// Starts reading. `keep_bytes` is how much is kept for rules that look at the whole; zero keeps nothing.
    pub fn new(
        reader: &'r mut dyn Read,
        digester: Digester,
        keep_bytes: usize,
        progress: Option<Arc<AtomicU64>>,
    ) -> Self {
        let whole = (keep_bytes > 0).then(Vec::new);
        Self { reader, digester, whole, most_whole: keep_bytes, is_cut: false, progress, bytes: 0, error: None }
    }

    /// Reads what the decoder left, so that digests and counts are of the whole.
    pub fn drain(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        // An error is kept by `read`, after which the stream is at its end.
        while !matches!(self.read(&mut buffer), Ok(0)) {}
    }

    /// Ends the read.
    pub fn finish(self, is_at_end: bool) -> Learnt {
        let is_whole = is_at_end && self.error.is_none();
        Learnt {
            bytes: self.bytes,
            digests: is_whole.then(|| self.digester.finish()),
            whole: self.whole,
            is_cut: self.is_cut,
            error: self.error,
        }
    }
}

impl Read for Tee<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.error.is_some() {
            return Ok(0);
        }
        let n = loop {
            match self.reader.read(buf) {
                Ok(n) => break n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(copy_of(&error));
                    return Err(error);
                }
            }
        };
        let read = buf.get(..n).unwrap_or_default();
        self.digester.update(read);
        if let Some(whole) = &mut self.whole {
            let room = self.most_whole.saturating_sub(whole.len());
            whole.extend_from_slice(read.get(..room.min(n)).unwrap_or_default());
            self.is_cut |= n > room;
        }
        self.bytes += n as u64;
        if let Some(progress) = &self.progress {
            progress.fetch_add(n as u64, Ordering::Relaxed);
        }
        Ok(n)
    }
}

/// Makes an error that says the same, limits included.
pub(super) fn copy_of(error: &io::Error) -> io::Error {
    exceeded(error).map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from)
}
