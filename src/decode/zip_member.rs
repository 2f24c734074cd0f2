//! One member of a zip: its local header and its unfolded bytes.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::damage::too_short;

/// What every local header begins with.
pub(super) const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
/// Bytes of a local header before its name.
const LOCAL_HEADER_BYTES: usize = 30;
/// The member's data is locked.
const FLAG_ENCRYPTED: u16 = 1;
/// The sizes stand after the data.
const FLAG_SIZES_LATER: u16 = 8;
/// The name is UTF-8.
const FLAG_UTF8: u16 = 1 << 11;
/// Stands in place of a size that is in the zip64 extra field.
const IN_ZIP64: u32 = u32::MAX;

/// A local header. Source: APPNOTE.TXT 6.3.10, section 4.3.7.
#[derive(Debug)]
pub(super) struct LocalHeader {
    pub name: String,
    pub is_encrypted: bool,
    pub method: u16,
    pub crc: u32,
    /// The compressed and the unfolded size; none where they stand after the data.
    pub sizes: Option<(u64, u64)>,
    /// Where the data begins.
    pub data_start: u64,
}

impl LocalHeader {
    /// Reads the header at `at`; none if there is none.
    ///
    /// # Errors
    /// `UnexpectedEof` where it is cut off.
    pub fn read(source: &mut (impl Read + Seek + ?Sized), at: u64) -> io::Result<Option<Self>> {
        source.seek(SeekFrom::Start(at))?;
        let mut fixed = [0; LOCAL_HEADER_BYTES];
        source.read_exact(&mut fixed)?;
        let short = |offset: usize| {
            fixed.get(offset..offset + 2).map_or(0, |b| b.iter().rev().fold(0, |n, b| n << 8 | u16::from(*b)))
        };
        let long = |offset: usize| u32::from(short(offset)) | u32::from(short(offset + 2)) << 16;
        if !fixed.starts_with(&LOCAL_HEADER) {
            return Ok(None);
        }
        let (name_bytes, extra_bytes) = (short(26), short(28));
        let mut name = vec![0; name_bytes.into()];
        source.read_exact(&mut name)?;
        let mut extra = vec![0; extra_bytes.into()];
        source.read_exact(&mut extra)?;
        let flags = short(6);
        let (mut packed, mut unpacked) = (u64::from(long(18)), u64::from(long(22)));
        if let Some(mut wide) = zip64(&extra) {
            for (size, is_wide) in [(&mut unpacked, long(22) == IN_ZIP64), (&mut packed, long(18) == IN_ZIP64)] {
                if is_wide && let Some((value, rest)) = wide.split_first_chunk::<8>() {
                    *size = u64::from_le_bytes(*value);
                    wide = rest;
                }
            }
        }
        Ok(Some(Self {
            name: text(&name, flags & FLAG_UTF8 != 0),
            is_encrypted: flags & FLAG_ENCRYPTED != 0,
            method: short(8),
            crc: long(14),
            sizes: (flags & FLAG_SIZES_LATER == 0 || packed != 0).then_some((packed, unpacked)),
            data_start: at + (LOCAL_HEADER_BYTES + usize::from(name_bytes) + usize::from(extra_bytes)) as u64,
        }))
    }
}

fn zip64(mut extra: &[u8]) -> Option<&[u8]> {
    while let Some((&[a, b, c, d], rest)) = extra.split_first_chunk::<4>() {
        let size = usize::from(u16::from_le_bytes([c, d]));
        let value = rest.get(..size)?;
        if u16::from_le_bytes([a, b]) == 1 {
            return Some(value);
        }
        extra = rest.get(size..)?;
    }
    None
}

/// Names that are not UTF-8 are in a code page that the archive does not tell: Windows-1252 keeps their ASCII.
fn text(name: &[u8], is_utf8: bool) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) if is_utf8 => String::from_utf8_lossy(name).into_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(name).0.into_owned(),
    }
}

/// Undoes a member's compression.
pub(super) enum Unpacked<R> {
    Stored(R),
    Deflated(Box<DeflateDecoder<R>>),
}

impl<R: io::BufRead> Unpacked<R> {
    /// Wraps packed bytes; none where the method is not read.
    pub fn new(packed: R, method: u16) -> Option<Self> {
        match method {
            0 => Some(Self::Stored(packed)),
            8 => Some(Self::Deflated(Box::new(DeflateDecoder::new(packed)))),
            _ => None,
        }
    }

    /// Returns how many packed bytes were used.
    pub fn used(&self, stored: u64) -> u64 {
        match self {
            Self::Stored(_) => stored,
            Self::Deflated(deflated) => deflated.total_in(),
        }
    }
}

impl<R: io::BufRead> Read for Unpacked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(packed) => packed.read(buf),
            Self::Deflated(deflated) => deflated.read(buf),
        }
    }
}

/// Compares a member's bytes, at their end, with the size and the checksum that the archive has of them.
pub(super) struct Checked<R> {
    pub inner: R,
    pub size: Option<u64>,
    pub crc: Option<u32>,
    pub sum: Crc,
    pub have: u64,
}

impl<R: Read> Checked<R> {
    pub fn new(inner: R, size: Option<u64>, crc: Option<u32>) -> Self {
        Self { inner, size, crc, sum: Crc::new(), have: 0 }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.sum.update(buf.get(..n).unwrap_or_default());
        self.have += n as u64;
        if n > 0 || buf.is_empty() {
            return Ok(n);
        }
        match self.size {
            Some(size) if self.have < size => return Err(too_short("the zip member's data", size, self.have)),
            Some(size) if self.have > size => {
                let detail = format!("the zip member holds {} bytes where {size} are listed", self.have);
                return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
            }
            _ => {}
        }
        if self.crc.is_some_and(|crc| crc != self.sum.sum()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of the zip member is wrong"));
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_local_header_is_read_with_its_zip64_sizes() {
        let mut bytes = b"xxPK\x03\x04".to_vec();
        bytes.extend([45, 0, 0, 8, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        bytes.extend([0xff; 8]);
        bytes.extend([1, 0, 20, 0, 0x81, 1, 0, 16, 0]);
        bytes.extend(7_u64.to_le_bytes());
        bytes.extend(5_u64.to_le_bytes());
        let header = LocalHeader::read(&mut Cursor::new(&bytes), 2).unwrap().unwrap();
        assert_eq!((header.method, header.crc, header.sizes), (8, 0x0403_0201, Some((5, 7))));
        assert_eq!(header.data_start, bytes.len() as u64);
        assert!(LocalHeader::read(&mut Cursor::new(&bytes), 1).unwrap().is_none());
        let cut = &bytes[..bytes.len() - 1];
        assert_eq!(LocalHeader::read(&mut Cursor::new(cut), 2).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn sizes_and_checksums_are_compared_at_the_end() {
        let read = |size, crc| {
            let mut out = Vec::new();
            let outcome = Checked::new(&b"abc"[..], size, crc).read_to_end(&mut out);
            assert_eq!(out, b"abc");
            outcome.map_err(|error| error.kind())
        };
        assert_eq!(read(Some(3), Some(0x3524_41c2)), Ok(3));
        assert_eq!(read(None, None), Ok(3));
        assert_eq!(read(Some(4), None), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(read(Some(2), None), Err(io::ErrorKind::InvalidData));
        assert_eq!(read(Some(3), Some(1)), Err(io::ErrorKind::InvalidData));
    }
}
