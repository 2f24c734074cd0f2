//! Tar: V7, ustar, pax and GNU archives, read as a stream. Source: POSIX.1-2017, pax, section "EXTENDED DESCRIPTION".
//!
//! Headers are the `tar` crate's. Its entry iterator is not used: it ends at the first damaged header and reads long
//! names of any size into memory.

use std::io::{self, Read};

use ::tar::{EntryType, GnuExtSparseHeader, Header, PaxExtensions};

use super::damage::{ends_container, from_read, too_short};
use super::{Child, DecodeError, Decoder, Head, Input, Sink, bytes};
use crate::budget::{Counted, Limited};
use crate::problem::Reason;

const BLOCK: usize = 512;
/// Most bytes of a long name or of a pax header that are kept; Linux allows a path of 4,096.
const NAME_BYTES: u64 = 64 * 1024;
/// Most pieces that a sparse file is taken apart into. Each costs 24 bytes of archive.
const SPARSE_PIECES: usize = 1 << 20;

/// Reads tar.
pub struct Tar;

impl Decoder for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn reads(&self) -> &'static str {
        "tar: V7, ustar, pax and GNU, with sparse files (POSIX.1)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(block) = head.bytes.first_chunk::<BLOCK>() else { return false };
        // The mark alone is enough: a header may be damaged. Without the mark (V7) the checksum must be right.
        block.get(257..262) == Some(b"ustar") || (block.first() != Some(&0) && is_header(block))
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let (input, taken_in) = Counted::new(input);
        let mut archive =
            Archive { input, at: 0, pending: None, is_cut: false, taken_in, described: Described::default() };
        while !sink.is_cancelled() {
            let Some(block) = archive.block()? else { break };
            if block.iter().all(|byte| *byte == 0) {
                continue;
            }
            if is_header(&block) {
                archive.entry(Header::from_byte_slice(&block), sink)?;
            } else {
                archive.pending = Some(block);
                archive.junk(sink)?;
            }
        }
        Ok(())
    }
}

/// What headers of type `L` and `x` say of the member that follows them.
#[derive(Default)]
struct Described {
    name: Option<String>,
    size: Option<u64>,
    is_pax: bool,
}

struct Archive<R> {
    input: Counted<R>,
    at: u64,
    pending: Option<[u8; BLOCK]>,
    /// Set when the archive ended inside a block, which is then filled up with zeros.
    is_cut: bool,
    taken_in: std::sync::Arc<std::sync::atomic::AtomicU64>,
    described: Described,
}

impl<R: Read> Archive<R> {
    /// Reads the next block; none at the end.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, DecodeError> {
        if let Some(block) = self.pending.take() {
            return Ok(Some(block));
        }
        let mut block = [0; BLOCK];
        let mut have = 0;
        while let Some(rest) = block.get_mut(have..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) if block.iter().all(|byte| *byte == 0) => return Ok(None),
                Ok(0) => {
                    self.is_cut = true;
                    break;
                }
                Ok(n) => have += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(from_read(error, "the tar archive")),
            }
        }
        self.at += BLOCK as u64;
        Ok(Some(block))
    }

    fn entry(&mut self, header: &Header, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let kind = header.entry_type();
        let size = header.entry_size().unwrap_or_else(|_| {
            sink.problem(
                Reason::Corrupt,
                &format!("the size of the tar member at byte {} is no number", self.at),
                None,
            );
            0
        });
        match kind {
            EntryType::GNULongName => {
                let name = self.text(size)?;
                self.described.name = Some(String::from_utf8_lossy(until_zero(&name)).into_owned());
                return Ok(());
            }
            EntryType::XHeader => {
                let records = self.text(size)?;
                self.described.is_pax = true;
                for record in PaxExtensions::new(&records).flatten() {
                    match record.key() {
                        Ok("path" | "GNU.sparse.name") => {
                            self.described.name = Some(String::from_utf8_lossy(record.value_bytes()).into_owned());
                        }
                        Ok("size") => self.described.size = record.value().ok().and_then(|size| size.parse().ok()),
                        _ => {}
                    }
                }
                return Ok(());
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => return self.text(size).map(drop),
            _ => {}
        }
        let described = std::mem::take(&mut self.described);
        let name = described.name.unwrap_or_else(|| String::from_utf8_lossy(&header.path_bytes()).into_owned());
        let size = described.size.unwrap_or(size);
        match kind {
            // The size of these is a hint or a left-over: no bytes follow. If some do, they are found as junk.
            EntryType::Directory => Ok(()),
            EntryType::Symlink => {
                sink.unopened(&name, Reason::Symlink, &format!("a symbolic link to {}", link(header)), None);
                Ok(())
            }
            EntryType::Link if !(described.is_pax && size > 0) => {
                let detail = format!("a hard link to {}, which is a member of its own", link(header));
                sink.unopened(&name, Reason::Symlink, &detail, None);
                Ok(())
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                sink.unopened(&name, Reason::SpecialFile, "a device or a pipe", None);
                Ok(())
            }
            _ if name.ends_with('/') && size == 0 => Ok(()),
            EntryType::GNUSparse => match self.pieces(header, size) {
                Some(pieces) => self.member(&name, size, pieces, sink),
                None => {
                    let detail = format!("the map of the sparse tar member {name} is damaged; its bytes are searched");
                    sink.problem(Reason::Corrupt, &detail, None);
                    self.member(&name, size, vec![Piece::Data(size)], sink)
                }
            },
            _ => self.member(&name, size, vec![Piece::Data(size)], sink),
        }
    }

    fn member(&mut self, name: &str, size: u64, pieces: Vec<Piece>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let budget = sink.budget();
        let taken_in = std::sync::Arc::clone(&self.taken_in);
        let claimed_size = pieces.iter().map(Piece::bytes).fold(0_u64, u64::saturating_add);
        let mut content =
            Content { input: &mut self.input, pieces: pieces.into_iter(), now: None, left: size, have: 0 };
        let outcome = {
            let mut limited = Limited::new(&mut content, &budget, Some(taken_in));
            sink.child(Child { name, content: &mut limited, claimed_size: Some(claimed_size), decoder: None })
        };
        self.at += content.have;
        let left = content.left;
        match outcome {
            Err(error) if ends_container(&error) || error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(from_read(error, &format!("the tar member {name}")));
            }
            // A member that was cut off by its own limit: the next one may be read.
            Err(error) if crate::budget::exceeded(&error).is_some() => {}
            Err(error) => return Err(from_read(error, &format!("the tar member {name}"))),
            Ok(()) => {}
        }
        self.skip(left, name)?;
        self.padding(size)
    }

    /// Reads a small text and the padding after it; what is beyond [`NAME_BYTES`] is left out.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, DecodeError> {
        let mut text = Vec::new();
        let kept = size.min(NAME_BYTES);
        let have = (&mut self.input).take(kept).read_to_end(&mut text).map_err(|e| from_read(e, "a long tar name"))?;
        self.at += have as u64;
        if (have as u64) < kept {
            return Err(DecodeError::truncated("a long tar name ends too early"));
        }
        self.skip(size - kept, "a long tar name")?;
        self.padding(size)?;
        Ok(text)
    }

    fn skip(&mut self, bytes: u64, what: &str) -> Result<(), DecodeError> {
        let skipped =
            io::copy(&mut (&mut self.input).take(bytes), &mut io::sink()).map_err(|error| from_read(error, what))?;
        self.at += skipped;
        if skipped < bytes {
            return Err(DecodeError::truncated(format!("{what} ends too early")));
        }
        Ok(())
    }

    /// Skips to the next block. An archive that ends inside the padding has lost nothing.
    fn padding(&mut self, size: u64) -> Result<(), DecodeError> {
        let bytes = size.next_multiple_of(BLOCK as u64) - size;
        let skipped = io::copy(&mut (&mut self.input).take(bytes), &mut io::sink());
        self.at += skipped.map_err(|error| from_read(error, "the tar archive"))?;
        Ok(())
    }

    /// Searches blocks that are no header as they stand, up to the next header.
    fn junk(&mut self, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let start = self.at - BLOCK as u64;
        let mut junk = Junk { archive: self, bytes: 0, held: Vec::new(), failed: None };
        bytes::search_runs(&mut junk, start, 1, sink)?;
        let (bytes, failed) = (junk.bytes, junk.failed);
        let detail = format!("{bytes} bytes from byte {start} on are no tar header; they were searched as they stand");
        sink.problem(if self.is_cut { Reason::Truncated } else { Reason::Corrupt }, &detail, Some(bytes));
        failed.map_or(Ok(()), Err)
    }

    /// Reads where the data of a GNU sparse file stands; none if the map contradicts itself.
    fn pieces(&mut self, header: &Header, size: u64) -> Option<Vec<Piece>> {
        let gnu = header.as_gnu()?;
        let mut map = Vec::new();
        for piece in gnu.sparse.iter().filter(|piece| !piece.is_empty()) {
            map.push((piece.offset().ok()?, piece.length().ok()?));
        }
        let mut is_extended = gnu.is_extended();
        while is_extended {
            let block = self.block().ok()??;
            let mut extension = GnuExtSparseHeader::new();
            extension.as_mut_bytes().copy_from_slice(&block);
            for piece in extension.sparse().iter().filter(|piece| !piece.is_empty()) {
                map.push((piece.offset().ok()?, piece.length().ok()?));
            }
            is_extended = extension.is_extended();
            if map.len() > SPARSE_PIECES {
                return None;
            }
        }
        let mut pieces = Vec::with_capacity(map.len() * 2);
        let mut end = 0_u64;
        let mut data = 0_u64;
        for (offset, length) in map {
            pieces.push(Piece::Zeros(offset.checked_sub(end)?));
            pieces.push(Piece::Data(length));
            end = offset.checked_add(length)?;
            data = data.checked_add(length)?;
        }
        (data == size).then_some(pieces)
    }
}

enum Piece {
    Data(u64),
    Zeros(u64),
}

impl Piece {
    fn bytes(&self) -> u64 {
        match self {
            Self::Data(bytes) | Self::Zeros(bytes) => *bytes,
        }
    }
}

/// One member's bytes. It ends with an error where the archive ends first.
struct Content<'r, R> {
    input: &'r mut Counted<R>,
    pieces: std::vec::IntoIter<Piece>,
    now: Option<Piece>,
    left: u64,
    have: u64,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.now.as_ref().is_none_or(|piece| piece.bytes() == 0) {
            self.now = self.pieces.next();
            if self.now.is_none() {
                return Ok(0);
            }
        }
        let most = usize::try_from(self.now.as_ref().map_or(0, Piece::bytes)).unwrap_or(usize::MAX).min(buf.len());
        let buf = buf.get_mut(..most).unwrap_or_default();
        match &mut self.now {
            Some(Piece::Zeros(left)) => {
                buf.fill(0);
                *left -= most as u64;
                Ok(most)
            }
            Some(Piece::Data(left)) => {
                let n = self.input.read(buf)?;
                if n == 0 && !buf.is_empty() {
                    return Err(too_short("the tar member's data", self.have + self.left, self.have));
                }
                *left -= n as u64;
                self.left = self.left.saturating_sub(n as u64);
                self.have += n as u64;
                Ok(n)
            }
            None => Ok(0),
        }
    }
}

/// Blocks that are no header, up to one that is.
struct Junk<'a, R> {
    archive: &'a mut Archive<R>,
    bytes: u64,
    held: Vec<u8>,
    failed: Option<DecodeError>,
}

impl<R: Read> Read for Junk<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.held.is_empty() {
            match self.archive.block() {
                Ok(Some(block)) if is_header(&block) => self.archive.pending = Some(block),
                Ok(Some(block)) => self.held = block.to_vec(),
                Ok(None) => {}
                Err(error) => self.failed = Some(error),
            }
        }
        let n = self.held.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.held.drain(..n)) {
            *to = from;
        }
        self.bytes += n as u64;
        Ok(n)
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn link(header: &Header) -> String {
    String::from_utf8_lossy(&header.link_name_bytes().unwrap_or_default()).into_owned()
}

/// Tells whether the checksum of a block is right. Some old writers summed signed bytes.
fn is_header(block: &[u8; BLOCK]) -> bool {
    let Ok(claimed) = Header::from_byte_slice(block).cksum() else { return false };
    let summed = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { b' ' } else { *byte };
    let bytes = || block.iter().enumerate().map(summed);
    let unsigned: u32 = bytes().map(u32::from).sum();
    let signed: i32 = bytes().map(|byte| i32::from(byte.cast_signed())).sum();
    unsigned != 256 && (claimed == unsigned || i32::try_from(claimed) == Ok(signed))
}

#[cfg(test)]
mod tests;
