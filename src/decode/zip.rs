//! Zip: members in the order of the central directory; where that cannot be read, by their own headers.
//! Source: PKWARE APPNOTE.TXT 6.3.10.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use ::zip::CompressionMethod;
use ::zip::read::Config;
use ::zip::result::ZipError;
// The stable `ZipArchive` keeps every member in memory, and one of two members with the same name.
use ::zip::unstable::read::ZipIterable;

use super::damage::{ends_container, from_read};
use super::zip_member::{Checked, LOCAL_HEADER, LocalHeader, Unpacked};
use super::{Child, DecodeError, Decoder, Head, Input, ReadSeek, Sink, bytes};
use crate::budget::{Counted, Limited};
use crate::problem::Reason;

/// What a zip may begin with: a member, the end of an empty archive, a piece of a split one.
const MAGICS: &[&[u8]] = &[&LOCAL_HEADER, b"PK\x05\x06", b"PK\x07\x08PK\x03\x04"];
/// What may follow a member's data.
const NEXT_HEADERS: &[&[u8]] = &[b"PK\x07\x08", &LOCAL_HEADER, b"PK\x01\x02"];
/// The largest data descriptor, which may follow a member.
const DESCRIPTOR_BYTES: u64 = 24;
/// Bytes that are searched for a header at once.
const WINDOW_BYTES: usize = 64 * 1024;
/// Members whose places are compared with one another: 16 bytes of memory each.
const COMPARED_MEMBERS: usize = 1 << 20;

/// Reads zip.
pub struct Zip;

impl Decoder for Zip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn reads(&self) -> &'static str {
        "zip and zip64, stored and deflated (APPNOTE 6.3.10); also docx, xlsx, jar"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        MAGICS.iter().any(|magic| head.bytes.starts_with(magic))
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let (mut source, cut_off) = input.into_seekable()?;
        let length = source.seek(SeekFrom::End(0))?;
        let listed = members(&mut source, sink)?;
        if let Some((from, error)) = listed {
            let found = salvage(&mut source, from..length, sink)?;
            if found == 0 {
                source.seek(SeekFrom::Start(from))?;
                bytes::search_runs(&mut source, from, 1, sink)?;
            }
            let reason = match error {
                ZipError::UnsupportedArchive(_) => Reason::Unsupported,
                _ if has_end(&mut source, length)? => Reason::Corrupt,
                _ => Reason::Truncated,
            };
            let detail =
                format!("the central directory cannot be read ({error}); {found} members were found by their headers");
            sink.problem(reason, &detail, None);
        }
        cut_off.map_or(Ok(()), |error| Err(from_read(error, "the zip archive")))
    }
}

type Source = Box<dyn ReadSeek>;

/// One member, as the central directory or its own header lists it.
struct Member<'m> {
    name: &'m str,
    method: u16,
    data_start: u64,
    packed_bytes: u64,
    size: Option<u64>,
    crc: Option<u32>,
}

/// Reads the members that the central directory lists. Where it ends in an error, returns that, and the byte after the
/// last member that was listed.
fn members(source: &mut Source, sink: &mut dyn Sink) -> Result<Option<(u64, ZipError)>, DecodeError> {
    let mut archive = match ZipIterable::try_new(&mut *source, Config::default()) {
        Ok(archive) => archive,
        Err(error) => return Ok(Some((0, error))),
    };
    let files = match archive.files() {
        Ok(files) => files,
        Err(error) => return Ok(Some((0, error))),
    };
    let mut places = Vec::new();
    let mut end = 0;
    while let Some(entry) = files.next() {
        if sink.is_cancelled() {
            return Ok(None);
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Ok(Some((end, error))),
        };
        let name = match entry.name() {
            Ok(name) => name.into_owned(),
            Err(_) => String::from_utf8_lossy(entry.name_raw()).into_owned(),
        };
        let size = Some(entry.compressed_size());
        let local = match LocalHeader::read(files.reader_mut(), entry.header_start()) {
            Ok(Some(local)) => local,
            Ok(None) => {
                let detail = format!("no local header stands at byte {} of the zip", entry.header_start());
                sink.unopened(&name, Reason::Corrupt, &detail, size);
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let detail = format!("the zip ends before the member's header at byte {}", entry.header_start());
                sink.unopened(&name, Reason::Truncated, &detail, size);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let member_end = local.data_start.saturating_add(entry.compressed_size());
        end = end.max(member_end);
        if places.len() < COMPARED_MEMBERS {
            places.push((entry.header_start(), member_end));
        }
        if name.ends_with('/') && entry.size() == 0 {
            continue;
        }
        if entry.encrypted() {
            sink.unopened(&name, Reason::Encrypted, "the zip member is locked with a password", size);
            continue;
        }
        let member = Member {
            name: &name,
            method: match entry.compression() {
                CompressionMethod::Stored => 0,
                CompressionMethod::Deflated => 8,
                _ => local.method,
            },
            data_start: local.data_start,
            packed_bytes: entry.compressed_size(),
            size: Some(entry.size()),
            crc: Some(entry.crc32()),
        };
        read_member(files.reader_mut(), &member, sink)?;
    }
    places.sort_unstable();
    let overlapping = places.iter().zip(places.iter().skip(1)).filter(|(one, next)| one.1 > next.0).count();
    if overlapping > 0 {
        let detail = format!("{overlapping} members of the zip share bytes with the one before; all were read");
        sink.problem(Reason::Corrupt, &detail, None);
    }
    if places.len() < COMPARED_MEMBERS {
        between(source, &places, sink)?;
    }
    Ok(None)
}

/// Searches what stands between the members that the directory lists: members that were deleted, or hidden.
fn between(source: &mut Source, places: &[(u64, u64)], sink: &mut dyn Sink) -> Result<(), DecodeError> {
    let mut end = 0;
    let mut number = 1;
    for (start, member_end) in places {
        let gap = end..*start;
        end = end.max(*member_end);
        if gap.end.saturating_sub(gap.start) <= DESCRIPTOR_BYTES {
            continue;
        }
        let hidden = salvage(source, gap.clone(), sink)?;
        if hidden > 0 {
            let detail = format!(
                "{hidden} members that the directory does not list stand at byte {}; they were read",
                gap.start
            );
            sink.problem(Reason::Corrupt, &detail, None);
        } else {
            source.seek(SeekFrom::Start(gap.start))?;
            number = bytes::search_runs(&mut source.take(gap.end - gap.start), gap.start, number, sink)?;
        }
    }
    Ok(())
}

/// Gives one member to the sink and returns how many packed bytes it used, and whether all of it was read.
fn read_member<R: Read + Seek + ?Sized>(
    source: &mut R,
    member: &Member<'_>,
    sink: &mut dyn Sink,
) -> Result<(u64, Outcome), DecodeError> {
    source.seek(SeekFrom::Start(member.data_start))?;
    let (counted, taken_in) = Counted::new(source.take(member.packed_bytes));
    let Some(unpacked) = Unpacked::new(BufReader::new(counted), member.method) else {
        let detail = format!("zip compression method {} is not read", member.method);
        sink.unopened(member.name, Reason::Unsupported, &detail, Some(member.packed_bytes));
        return Ok((member.packed_bytes, Outcome::Whole));
    };
    let budget = sink.budget();
    let mut checked = Checked::new(unpacked, member.size, member.crc);
    let outcome = {
        let mut content = Limited::new(&mut checked, &budget, Some(taken_in));
        sink.child(Child { name: member.name, content: &mut content, claimed_size: member.size, decoder: None })
    };
    let used = checked.inner.used(checked.have);
    match outcome {
        Ok(()) => Ok((used, Outcome::Whole)),
        Err(error) if ends_container(&error) => Err(from_read(error, "the zip archive")),
        Err(_) => Ok((used, Outcome::Damaged)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Whole,
    Damaged,
}

/// Reads members by their own headers, of those that begin in `range`, and returns how many there were.
fn salvage(source: &mut Source, range: Range<u64>, sink: &mut dyn Sink) -> Result<u64, DecodeError> {
    let length = range.end;
    let mut found = 0;
    let mut at = range.start;
    while let Some(start) = find(source, at, &[&LOCAL_HEADER])?.filter(|start| *start < length) {
        if sink.is_cancelled() {
            break;
        }
        at = start + LOCAL_HEADER.len() as u64;
        let Some(local) = LocalHeader::read(source, start).ok().flatten() else { continue };
        found += 1;
        if local.name.ends_with('/') && local.sizes.is_none_or(|(_, size)| size == 0) {
            continue;
        }
        at = local.data_start;
        let packed_bytes = match local.sizes {
            Some((packed, _)) => packed,
            // Deflate ends by itself; stored data ends where the next header stands.
            None if local.method == 8 => length.saturating_sub(local.data_start),
            None => find(source, local.data_start, NEXT_HEADERS)?
                .map_or(length, |at| at.min(length))
                .saturating_sub(local.data_start),
        };
        if local.is_encrypted {
            sink.unopened(
                &local.name,
                Reason::Encrypted,
                "the zip member is locked with a password",
                Some(packed_bytes),
            );
            continue;
        }
        let member = Member {
            name: &local.name,
            method: local.method,
            data_start: local.data_start,
            packed_bytes,
            size: local.sizes.map(|(_, size)| size),
            crc: local.sizes.map(|_| local.crc),
        };
        let (used, outcome) = read_member(source, &member, sink)?;
        if outcome == Outcome::Whole {
            at = local.data_start.saturating_add(used);
        }
    }
    Ok(found)
}

/// Finds the first of some marks at byte `from` or after it.
fn find(source: &mut Source, from: u64, marks: &[&[u8]]) -> io::Result<Option<u64>> {
    let keep = marks.iter().map(|mark| mark.len()).max().unwrap_or(1) - 1;
    let mut at = source.seek(SeekFrom::Start(from))?;
    let mut window = Vec::new();
    loop {
        let held = window.len();
        let read = source.take(WINDOW_BYTES as u64).read_to_end(&mut window)?;
        let first = marks.iter().filter_map(|mark| memchr::memmem::find(&window, mark)).min();
        if let Some(first) = first {
            return Ok(Some(at + first as u64));
        }
        if read == 0 {
            return Ok(None);
        }
        let drop = (held + read).saturating_sub(keep);
        window.drain(..drop);
        at += drop as u64;
    }
}

/// Tells whether an end of a central directory is there: the archive is then damaged rather than cut off.
fn has_end(source: &mut Source, length: u64) -> io::Result<bool> {
    let from = length.saturating_sub(u64::from(u16::MAX) + 22);
    Ok(find(source, from, &[b"PK\x05\x06"])?.is_some())
}

#[cfg(test)]
mod tests;
