//! Tables as bytes, little end first. What is read is checked as if it were anybody's: lengths against what there is,
//! every place against what it names.

use std::io::{self, Read, Write};

use ipnet::IpNet;

use super::index::Index;
use super::values::{Noted, Slot, UrlSlot, Values};
use super::{Counts, ObservableRef, ObservableTable};
use crate::observable::HashKind;

/// Writes numbers and runs of bytes.
pub struct StoredWriter<'w> {
    to: &'w mut dyn Write,
}

/// Reads what a [`StoredWriter`] wrote.
pub struct StoredReader<'r> {
    from: &'r mut dyn Read,
    /// Bytes that there are at most: nothing longer is made room for.
    left: u64,
}

/// How many bytes are converted at a time.
const CHUNK_BYTES: usize = 64 << 10;

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it holds what no table holds")
}

impl<'w> StoredWriter<'w> {
    /// Writes to `to`.
    pub fn new(to: &'w mut dyn Write) -> Self {
        Self { to }
    }

    /// Writes a number.
    ///
    /// # Errors
    /// What `to` fails with; so do all below.
    pub fn number(&mut self, number: u64) -> io::Result<()> {
        self.to.write_all(&number.to_le_bytes())
    }

    /// Writes a length and that many bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length(bytes.len())?;
        self.to.write_all(bytes)
    }

    /// Writes a length and that many values of `N` bytes.
    pub fn all<T: Copy, const N: usize>(&mut self, values: &[T], to: impl Fn(T) -> [u8; N]) -> io::Result<()> {
        self.length(values.len())?;
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        for chunk in values.chunks(CHUNK_BYTES / N.max(1)) {
            bytes.clear();
            chunk.iter().for_each(|value| bytes.extend_from_slice(&to(*value)));
            self.to.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Writes a length and that many numbers.
    pub fn numbers(&mut self, numbers: &[u64]) -> io::Result<()> {
        self.all(numbers, u64::to_le_bytes)
    }

    fn length(&mut self, length: usize) -> io::Result<()> {
        self.number(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

impl<'r> StoredReader<'r> {
    /// Reads at most `left` bytes from `from`.
    pub fn new(from: &'r mut dyn Read, left: u64) -> Self {
        Self { from, left }
    }

    /// Reads a number.
    ///
    /// # Errors
    /// What `from` fails with, or that it holds something else; so do all below.
    pub fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.take(8)?;
        self.from.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads a run of bytes.
    pub fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = self.length(1)?;
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a run of values of `N` bytes.
    pub fn all<T, const N: usize>(&mut self, mut from: impl FnMut([u8; N]) -> Option<T>) -> io::Result<Vec<T>> {
        let length = self.length(N)?;
        let mut values = Vec::with_capacity(length);
        let mut bytes = vec![0; (CHUNK_BYTES / N.max(1)).min(length) * N];
        while values.len() < length {
            let wanted = ((length - values.len()) * N).min(bytes.len());
            let chunk = bytes.get_mut(..wanted).ok_or_else(broken)?;
            self.from.read_exact(chunk)?;
            for one in chunk.as_chunks::<N>().0 {
                values.push(from(*one).ok_or_else(broken)?);
            }
        }
        Ok(values)
    }

    /// Reads a run of numbers.
    pub fn numbers(&mut self) -> io::Result<Vec<u64>> {
        let length = self.length(8)?;
        let mut numbers = Vec::with_capacity(length);
        let mut bytes = vec![0; CHUNK_BYTES.min(length * 8)];
        while numbers.len() < length {
            let wanted = ((length - numbers.len()) * 8).min(bytes.len());
            let chunk = bytes.get_mut(..wanted).ok_or_else(broken)?;
            self.from.read_exact(chunk)?;
            numbers.extend(chunk.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number)));
        }
        Ok(numbers)
    }

    /// Tells whether all has been read.
    pub fn is_at_end(&self) -> bool {
        self.left == 0
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        Ok(())
    }

    fn length(&mut self, each: usize) -> io::Result<usize> {
        let length = self.number()?;
        let bytes = u64::try_from(each).ok().and_then(|each| length.checked_mul(each)).ok_or_else(broken)?;
        self.take(bytes)?;
        usize::try_from(length).map_err(|_| broken())
    }
}

/// The kinds of digests in the order of their numbers in files.
const KINDS: [HashKind; 5] = [HashKind::Md5, HashKind::Sha1, HashKind::Sha256, HashKind::Sha512, HashKind::Thumbprint];

fn slot_to_bytes(slot: Slot) -> [u8; 8] {
    let kind_number = |kind| KINDS.iter().position(|known| *known == kind).and_then(|at| u16::try_from(at).ok());
    let (tag, short, long) = match slot {
        Slot::V4(address) => (0, 0, address),
        Slot::V6(at) => (1, 0, at),
        Slot::Range(at) => (2, 0, at),
        Slot::Domain { length, at } => (3, length, at),
        Slot::Email { length, at } => (4, length, at),
        Slot::Hash { kind, at } => (5, kind_number(kind).unwrap_or(u16::MAX), at),
        Slot::Url(at) => (6, 0, at),
        Slot::Other(at) => (7, 0, at),
    };
    let ([s0, s1], [l0, l1, l2, l3]) = (short.to_le_bytes(), long.to_le_bytes());
    [tag, 0, s0, s1, l0, l1, l2, l3]
}

fn slot_from_bytes([tag, _, s0, s1, l0, l1, l2, l3]: [u8; 8]) -> Option<Slot> {
    let (length, at) = (u16::from_le_bytes([s0, s1]), u32::from_le_bytes([l0, l1, l2, l3]));
    Some(match tag {
        0 => Slot::V4(at),
        1 => Slot::V6(at),
        2 => Slot::Range(at),
        3 => Slot::Domain { length, at },
        4 => Slot::Email { length, at },
        5 => Slot::Hash { kind: *KINDS.get(usize::from(length))?, at },
        6 => Slot::Url(at),
        // What has no compact form has none here, either.
        _ => return None,
    })
}

fn range_to_bytes(range: IpNet) -> [u8; 18] {
    let mut bytes = [0; 18];
    let (version, address) = match range {
        IpNet::V4(net) => (4, u128::from(u32::from(net.addr()))),
        IpNet::V6(net) => (6, u128::from(net.addr())),
    };
    let all = [version, range.prefix_len()].into_iter().chain(address.to_le_bytes());
    bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    bytes
}

fn range_from_bytes(bytes: [u8; 18]) -> Option<IpNet> {
    let ([version, prefix], rest) = bytes.split_first_chunk()?;
    let address = u128::from_le_bytes(*rest.first_chunk()?);
    let address = match version {
        4 => std::net::IpAddr::V4(u32::try_from(address).ok()?.into()),
        6 => std::net::IpAddr::V6(address.into()),
        _ => return None,
    };
    IpNet::new(address, *prefix).ok().filter(|net| net.trunc() == *net)
}

fn url_to_bytes(url: UrlSlot) -> [u8; 17] {
    let mut bytes = [0; 17];
    let numbers = [url.at, url.path_length, url.next].into_iter().flat_map(u32::to_le_bytes);
    let short = [url.host_length, url.port.unwrap_or_default()].into_iter().flat_map(u16::to_le_bytes);
    let all = numbers.chain(short).chain([u8::from(url.port.is_some())]);
    bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    bytes
}

fn url_from_bytes(bytes: [u8; 17]) -> Option<UrlSlot> {
    let long = |at: usize| bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let short = |at: usize| bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
    let port = if bytes.last() == Some(&1) { Some(short(14)?) } else { None };
    Some(UrlSlot { at: long(0)?, path_length: long(4)?, next: long(8)?, host_length: short(12)?, port })
}

impl ObservableTable {
    /// Tells whether the table can be written: every value has a compact form.
    pub fn can_be_stored(&self) -> bool {
        self.values.others.is_empty()
    }

    /// Writes the table.
    ///
    /// # Errors
    /// What the writer fails with.
    pub fn store(&self, to: &mut StoredWriter<'_>) -> io::Result<()> {
        let Values { slots, text, digests, v6, ranges, urls, .. } = &self.values;
        to.number(self.hasher.seed)?;
        to.bytes(text.as_bytes())?;
        to.bytes(digests)?;
        to.all(v6, u128::to_le_bytes)?;
        to.all(ranges, range_to_bytes)?;
        to.all(urls, url_to_bytes)?;
        to.all(slots, slot_to_bytes)?;
        for index in self.indexes() {
            index.store(to)?;
        }
        Ok(())
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What the reader fails with, or that something in it names what is not there.
    pub fn read_stored(from: &mut StoredReader<'_>) -> io::Result<Self> {
        let seed = from.number()?;
        let mut table = Self::with_seed(seed);
        let mut values = Values {
            text: String::from_utf8(from.bytes()?).map_err(|_| broken())?,
            digests: from.bytes()?,
            v6: from.all(|bytes| Some(u128::from_le_bytes(bytes)))?,
            ranges: from.all(range_from_bytes)?,
            urls: from.all(url_from_bytes)?,
            ..Values::default()
        };
        // Every value is looked at: one that cannot be read would never be found.
        let (mut counts, mut noted) = (Counts::default(), Noted::default());
        values.slots = from.all(|bytes| {
            let slot = slot_from_bytes(bytes)?;
            let value = values.value(&slot)?;
            counts.add(value);
            noted.note(value);
            Some(slot)
        })?;
        values.noted = noted;
        table.values = values;
        let len = u32::try_from(table.values.len()).map_err(|_| broken())?;
        for index in table.indexes_mut() {
            *index = Index::read_stored(from, len)?;
        }
        if counts != table.counts() || !table.finds_sample(len) {
            return Err(broken());
        }
        Ok(table)
    }

    /// Tells whether some values are found where this program looks for them: another one may hash otherwise.
    fn finds_sample(&self, len: u32) -> bool {
        let sample = (0..len).step_by(usize::try_from(len / SAMPLE).unwrap_or_default() + 1);
        let is_found = |id, value| self.index_of(value).find(self.hasher.of(value), |known| known == id).is_some();
        sample.filter_map(|id| Some((id, self.get(id)?))).all(|(id, value)| is_found(id, value))
    }
}

/// About how many values are looked up of a table that is read.
const SAMPLE: u32 = 256;

impl Counts {
    fn add(&mut self, value: ObservableRef<'_>) {
        let count = match value {
            ObservableRef::V4(_) => &mut self.v4,
            ObservableRef::V6(_) => &mut self.v6,
            ObservableRef::Range(_) => &mut self.ranges,
            ObservableRef::Domain(_) => &mut self.domains,
            ObservableRef::Email(_) => &mut self.emails,
            ObservableRef::Hash(..) => &mut self.hashes,
            ObservableRef::Url(_) => &mut self.urls,
            ObservableRef::Other(_) => &mut self.others,
        };
        *count += 1;
    }
}
