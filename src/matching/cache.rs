//! Compiled rulesets kept in a folder, so that the same packs need not be compiled again.
//!
//! A file holds what is dear to make: the tables of lists, the filter, and what yara-x compiled, which is machine code. So nothing in
//! it is used before its digest is known to be right, and it is only read where nobody else could have written it. Packs
//! in YAML are not kept; they are read again.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::filter::Filter;
use super::patterns::{CompiledPatterns, PatternBytes, YARA_VERSION};
use super::ruleset::Ruleset;
use crate::observable::table::{StoredReader, StoredWriter};
use crate::pack::{Listed, Pack, PackError};

/// The first bytes of each file; the number counts changes of what follows, and of how tables and filters hash.
const MAGIC: &[u8; 24] = b"stormglass ruleset 0004\n";

/// How many bytes a SHA-256 has.
const DIGEST_BYTES: usize = 32;

/// The bytes of a file besides what it keeps: magic, key and digest.
const LEAST_BYTES: u64 = 24 + 2 * 32;

/// How often a file is opened that is exchanged in that moment.
const OPENINGS: usize = 16;

/// The buffer of a file that is written.
const WRITTEN_BYTES: usize = 256 << 10;

/// The buffer of a file that is read; whatever is longer goes past it.
const READ_BYTES: usize = 8 << 10;

/// How much of a rules file is digested at once: what stays in a near cache.
const DIGESTED_BYTES: usize = 64 << 10;

/// The SHA-256 of a rules file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileDigest([u8; DIGEST_BYTES]);

impl FileDigest {
    /// Digests what has been read of a file.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Digests a file without keeping it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(mut from: impl Read) -> io::Result<Self> {
        let mut digest = Sha256::new();
        let mut bytes = vec![0; DIGESTED_BYTES];
        loop {
            let count = match from.read(&mut bytes) {
                Ok(0) => return Ok(Self(digest.finalize().into())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            digest.update(bytes.get(..count).unwrap_or_default());
        }
    }
}

/// Where the compiled ruleset of some rules files is kept.
#[derive(Clone, Debug)]
pub struct RulesetCache {
    folder: PathBuf,
    key: [u8; DIGEST_BYTES],
    /// How many rules files there are.
    files: usize,
}

/// Why a cache is not used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder or the file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The folder or the file is not only ours to write.
    #[error("{0}")]
    Unsafe(&'static str),
    /// The file is not what was written.
    #[error("the file of these rules is damaged or foreign")]
    Damaged,
}

/// What was kept of some rules files.
#[derive(Debug)]
pub struct StoredRuleset {
    /// The list of each file, in order; none for a file that is no list.
    pub lists: Vec<Option<Listed>>,
    patterns: CompiledPatterns,
    filter: Filter,
}

/// A file that is being written; it appears only when it is whole.
#[derive(Debug)]
pub struct CacheWriter {
    to: Digesting<BufWriter<tempfile::NamedTempFile>>,
    path: PathBuf,
}

/// What follows in a file.
const END: u64 = 0;
const NO_LIST: u64 = 1;
const A_LIST: u64 = 2;

impl RulesetCache {
    /// Names the ruleset that these rules files are compiled to. Their names and order matter, and so do the versions of
    /// this program and of yara-x, and the machine.
    pub fn new<'f>(folder: &Path, files: impl IntoIterator<Item = (&'f str, FileDigest)>) -> Self {
        let mut key = Sha256::new();
        let mut add = |part: &[u8]| {
            key.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            key.update(part);
        };
        for part in [env!("CARGO_PKG_VERSION"), YARA_VERSION, std::env::consts::ARCH, std::env::consts::OS] {
            add(part.as_bytes());
        }
        add(MAGIC);
        let mut count = 0;
        for (name, FileDigest(digest)) in files {
            add(name.as_bytes());
            add(&digest);
            count += 1;
        }
        Self { folder: folder.to_path_buf(), key: key.finalize().into(), files: count }
    }

    fn path(&self) -> PathBuf {
        let name: String = self.key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.ruleset"))
    }

    /// Returns what is kept; none where nothing is.
    ///
    /// # Errors
    /// Anything about the file that is not as it was written. It is of no use then, and may be written anew.
    pub fn read(&self) -> Result<Option<StoredRuleset>, CacheError> {
        let Some((file, opened)) = self.open()? else { return Ok(None) };
        let body = opened.len().checked_sub(LEAST_BYTES).ok_or(CacheError::Damaged)?;
        let mut from = Digesting::new(BufReader::with_capacity(READ_BYTES, file));
        let mut head = [0; MAGIC.len()];
        let mut key = [0; DIGEST_BYTES];
        from.read_exact(&mut head)?;
        from.read_exact(&mut key)?;
        if head != *MAGIC || key != self.key {
            return Err(CacheError::Damaged);
        }
        let mut reader = StoredReader::new(&mut from, body);
        let kept = Kept::read(&mut reader).map_err(|_| CacheError::Damaged)?;
        if !reader.is_at_end() || kept.lists.len() != self.files {
            return Err(CacheError::Damaged);
        }
        let (mut file, digest) = from.finish();
        let mut expected = [0; DIGEST_BYTES];
        file.read_exact(&mut expected)?;
        if digest != expected {
            return Err(CacheError::Damaged);
        }
        kept.proven().map(Some)
    }

    /// Opens the file, if there is one, and makes sure that it is ours and no link.
    fn open(&self) -> Result<Option<(File, Metadata)>, CacheError> {
        let path = self.path();
        for _ in 0..OPENINGS {
            let named = match std::fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if !named.is_file() {
                return Err(CacheError::Unsafe("the file of these rules is a link or no file"));
            }
            self.check_folder()?;
            let file = File::open(&path)?;
            let opened = file.metadata()?;
            // Another writer may just have put its file in place, which is as good.
            if is_same(&named, &opened) {
                check_owner(&opened, &self.own()?)?;
                return Ok(Some((file, opened)));
            }
        }
        Err(CacheError::Unsafe("the file of these rules is exchanged again and again"))
    }

    /// Begins to write what is to be kept. Whoever else writes the same at the same time writes the same file.
    ///
    /// # Errors
    /// The folder cannot be made or written, or others can write to it.
    pub fn writer(&self) -> Result<CacheWriter, CacheError> {
        make_folder(&self.folder)?;
        self.check_folder()?;
        let file = tempfile::Builder::new().prefix(".ruleset-").tempfile_in(&self.folder)?;
        let mut to = Digesting::new(BufWriter::with_capacity(WRITTEN_BYTES, file));
        to.write_all(MAGIC)?;
        to.write_all(&self.key)?;
        Ok(CacheWriter { to, path: self.path() })
    }

    /// Makes a file, to see whose files we make.
    fn own(&self) -> Result<Metadata, CacheError> {
        Ok(tempfile::tempfile_in(&self.folder)?.metadata()?)
    }

    fn check_folder(&self) -> Result<(), CacheError> {
        // A link may lead elsewhere tomorrow.
        let folder = std::fs::symlink_metadata(&self.folder)?;
        check_owner(&folder, &self.own()?)
    }
}

/// What stands in a file, before its digest is known to be right.
struct Kept {
    lists: Vec<Option<Listed>>,
    patterns: PatternBytes,
    filter: Filter,
}

impl Kept {
    fn read(reader: &mut StoredReader<'_>) -> io::Result<Self> {
        let mut lists = Vec::new();
        loop {
            match reader.number()? {
                END => break,
                NO_LIST => lists.push(None),
                A_LIST => lists.push(Some(Listed::read_stored(reader)?)),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        let mut pattern = || match reader.number()? {
            0 => Ok(None),
            _ => reader.bytes().map(Some),
        };
        let patterns = [pattern()?, pattern()?, pattern()?];
        Ok(Self { lists, patterns, filter: Filter::read_stored(reader)? })
    }

    /// Gives machine code to yara-x: only what has been compared with its digest may come here.
    fn proven(self) -> Result<StoredRuleset, CacheError> {
        let patterns = CompiledPatterns::read(&self.patterns).ok_or(CacheError::Damaged)?;
        Ok(StoredRuleset { lists: self.lists, patterns, filter: self.filter })
    }
}

impl CacheWriter {
    /// Keeps the list of the next rules file, if it is one; every file is told of in order.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, pack: &Pack) -> Result<(), CacheError> {
        let mut to = StoredWriter::new(&mut self.to);
        let is_list = pack.advisory.is_none() && pack.indicators.is_empty() && !pack.is_empty();
        if is_list && pack.listed.can_be_stored() {
            to.number(A_LIST)?;
            pack.listed.store(&mut to)?;
        } else {
            to.number(NO_LIST)?;
        }
        Ok(())
    }

    /// Keeps what yara-x compiled and the filter, and puts the file in its place.
    ///
    /// # Errors
    /// The file cannot be written, or yara-x cannot write what it compiled.
    pub fn finish(mut self, ruleset: &Ruleset) -> Result<(), CacheError> {
        let mut to = StoredWriter::new(&mut self.to);
        to.number(END)?;
        for bytes in ruleset.patterns.to_bytes().map_err(io::Error::other)? {
            to.number(u64::from(bytes.is_some()))?;
            if let Some(bytes) = bytes {
                to.bytes(&bytes)?;
            }
        }
        ruleset.screen.filter.store(&mut to)?;
        let (mut to, digest) = self.to.finish();
        to.write_all(&digest)?;
        let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        // What follows a power cut may be a file of the right length without its content; its digest will tell.
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Ruleset {
    /// Compiles packs with what was kept of them.
    ///
    /// # Errors
    /// See [`Ruleset::compile`].
    pub fn compile_stored(packs: Vec<Pack>, stored: StoredRuleset) -> Result<Self, Vec<PackError>> {
        Self::compile_with(packs, Some((stored.patterns, stored.filter)))
    }
}

/// Digests what is read or written through it.
#[derive(Debug)]
struct Digesting<T> {
    inner: T,
    digest: Sha256,
}

impl<T> Digesting<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new() }
    }

    fn finish(self) -> (T, [u8; DIGEST_BYTES]) {
        (self.inner, self.digest.finalize().into())
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Tells whether two looks saw one file.
#[cfg(unix)]
fn is_same(named: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (named.dev(), named.ino()) == (opened.dev(), opened.ino())
}

/// Makes sure that a file or folder is ours, and that nobody else can write to it.
#[cfg(unix)]
fn check_owner(metadata: &Metadata, own: &Metadata) -> Result<(), CacheError> {
    use std::os::unix::fs::MetadataExt;
    if metadata.uid() != own.uid() || metadata.mode() & 0o022 != 0 {
        return Err(CacheError::Unsafe("others can write to it; machine code is only read from a folder of one's own"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn is_same(_named: &Metadata, _opened: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn check_owner(_metadata: &Metadata, _own: &Metadata) -> Result<(), CacheError> {
    Ok(())
}

#[cfg(test)]
mod tests;
