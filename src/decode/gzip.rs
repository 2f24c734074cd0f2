//! Gzip: any number of members one after the other, which are one file. Source: RFC 1952.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flate2::bufread::GzDecoder;

use super::damage::from_read;
use super::{Child, DecodeError, Decoder, Head, Input, Sink, bytes};
use crate::budget::{Counted, Limited};
use crate::problem::Reason;

/// The two bytes of every member, and the only method there is.
const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
/// Flags that no version of the format gives a meaning.
const RESERVED_FLAGS: u8 = 0xe0;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;

/// Reads gzip.
pub struct Gzip;

impl Decoder for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn reads(&self) -> &'static str {
        "gzip, with several members (RFC 1952)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        head.bytes.starts_with(MAGIC) && head.bytes.get(3).is_some_and(|flags| flags & RESERVED_FLAGS == 0)
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let name = content_name(input.head().bytes, &sink.file_name());
        let budget = sink.budget();
        let (counted, taken_in) = Counted::new(input);
        let mut members = Members::new(BufReader::new(counted));
        let mut content = Limited::new(&mut members, &budget, Some(Arc::clone(&taken_in)));
        let child = Child { name: &name, content: &mut content, claimed_size: None, decoder: None };
        if let Err(error) = sink.child(child) {
            return Err(from_read(error, "the gzip stream"));
        }
        let State::Trailing(mut rest) = members.state else { return Ok(()) };
        let offset = taken_in.load(Ordering::Relaxed).saturating_sub(rest.buffer().len() as u64);
        let mut junk = Tally { inner: &mut rest, bytes: 0 };
        bytes::search_runs(&mut junk, offset, 1, sink)?;
        let bytes = junk.bytes;
        let detail = format!("{bytes} bytes after the last gzip member are not gzip; they were searched as they stand");
        sink.problem(Reason::Corrupt, &detail, Some(bytes));
        Ok(())
    }
}

enum State<R> {
    Member(Box<GzDecoder<R>>),
    Trailing(R),
    Done,
}

/// The unfolded bytes of all members. Zero bytes after the last are padding, as tapes and block devices add it.
struct Members<R> {
    state: State<R>,
}

impl<R: BufRead> Members<R> {
    fn new(reader: R) -> Self {
        Self { state: State::Member(Box::new(GzDecoder::new(reader))) }
    }

    /// Goes on to what stands after a member.
    fn next(mut reader: R) -> io::Result<State<R>> {
        loop {
            let held = reader.fill_buf()?;
            let zeros = held.iter().take_while(|byte| **byte == 0).count();
            match held.get(zeros..) {
                None | Some([]) if zeros == 0 => return Ok(State::Done),
                None | Some([]) => {}
                Some([0x1f]) | Some([0x1f, 0x8b, ..]) => {
                    reader.consume(zeros);
                    return Ok(State::Member(Box::new(GzDecoder::new(reader))));
                }
                Some(_) => {
                    reader.consume(zeros);
                    return Ok(State::Trailing(reader));
                }
            }
            reader.consume(zeros);
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let State::Member(member) = &mut self.state else { return Ok(0) };
            let n = member.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            if let State::Member(member) = std::mem::replace(&mut self.state, State::Done) {
                self.state = Self::next(member.into_inner())?;
            }
        }
    }
}

struct Tally<'r, R> {
    inner: &'r mut R,
    bytes: u64,
}

impl<R: Read> Read for Tally<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Names the content: as the header has it, else the artifact's own name without its ending.
fn content_name(head: &[u8], file_name: &str) -> String {
    if let Some(name) = header_name(head) {
        return name;
    }
    let lower = file_name.to_ascii_lowercase();
    let without = |ending: &str| {
        let stem = file_name.get(..file_name.len().checked_sub(ending.len())?)?;
        (lower.ends_with(ending) && !stem.is_empty()).then_some(stem)
    };
    if let Some(stem) = without(".gz").or_else(|| without("-gz")) {
        return stem.to_owned();
    }
    match without(".tgz").or_else(|| without(".taz")) {
        Some(stem) => format!("{stem}.tar"),
        None => "content".to_owned(),
    }
}

/// Returns the name in the header, which is Latin-1, without any folder.
fn header_name(head: &[u8]) -> Option<String> {
    let flags = *head.get(3)?;
    if flags & FLAG_NAME == 0 {
        return None;
    }
    let mut rest = head.get(10..)?;
    if flags & FLAG_EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    let name = rest.get(..memchr::memchr(0, rest)?)?;
    let name = name.rsplit(|byte| matches!(byte, b'/' | b'\\')).next()?;
    (!name.is_empty()).then(|| name.iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder, write::GzEncoder};

    use super::super::testing::{decode, decode_within};
    use super::*;
    use crate::budget::{Limits, RATIO_GRACE_BYTES};

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(content).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn members_are_one_content_and_padding_is_nothing() {
        let mut bytes = gzip(b"\xffone evil.");
        bytes.extend([0; 5]);
        bytes.extend(gzip(b"example two\xff"));
        bytes.extend([0; 1000]);
        let collected = decode("logs/a.log.gz", &bytes);
        assert_eq!(collected.children, ["logs/a.log.gz!/a.log"]);
        assert!(collected.text("logs/a.log.gz!/a.log").contains("evil.example two"));
        assert!(collected.problems.is_empty());
    }

    #[test]
    fn what_stands_after_the_last_member_is_searched_and_listed() {
        let mut bytes = gzip(b"content");
        bytes.extend(b"\0\0junk with evil.example\xff");
        let collected = decode("a.gz", &bytes);
        let (_, block) = &collected.blocks[1];
        assert_eq!(block.bytes(), b"junk with evil.example\n");
        assert_eq!(block.source_offset(0), bytes.len() as u64 - 23);
        assert_eq!(collected.reasons("a.gz"), [Reason::Corrupt]);
        assert!(collected.problems[0].2.starts_with("23 bytes after"), "{:?}", collected.problems);
    }

    #[test]
    fn a_truncated_file_gives_what_can_be_read() {
        let lines: String = (0..50_000).map(|n| format!("line {n} {}\n", n * 7919 % 10_007)).collect();
        let whole = gzip(lines.as_bytes());
        let collected = decode("a.gz", &whole[..whole.len() - 4]);
        assert_eq!(collected.reasons("a.gz"), [Reason::Truncated]);
        assert_eq!(collected.reasons("a.gz!/a"), [Reason::Truncated]);
        assert_eq!(collected.holding("line 49999 ").len(), 1);
        let mut flipped = whole.clone();
        let length = flipped.len();
        flipped[length - 6] ^= 1;
        let collected = decode("a.gz", &flipped);
        assert_eq!(collected.reasons("a.gz"), [Reason::Corrupt]);
        assert_eq!(collected.holding("line 49999 ").len(), 1);
    }

    #[test]
    fn names_come_from_the_header_then_from_the_file() {
        let named = GzBuilder::new().extra(vec![1, 2, 3]).filename("/var/log/b\u{e9}.log".as_bytes());
        let mut out = named.write(Vec::new(), Compression::fast());
        out.write_all(b"x").unwrap();
        assert_eq!(content_name(&out.finish().unwrap(), "a.gz"), "b\u{c3}\u{a9}.log");
        let plain = gzip(b"x");
        for (file, content) in
            [("A.GZ", "A"), ("a.tgz", "a.tar"), ("a.bin", "content"), (".gz", "content"), ("é", "content")]
        {
            assert_eq!(content_name(&plain, file), content);
        }
    }

    #[test]
    fn the_ratio_cuts_a_bomb_off() {
        let bomb = gzip(&vec![0; usize::try_from(RATIO_GRACE_BYTES).unwrap() + (1 << 20)]);
        let limits = Limits { ratio: 100, ..Limits::default() };
        let collected = decode_within("a.gz", &bomb, limits);
        assert_eq!(collected.reasons("a.gz"), [Reason::Limit]);
        assert!(decode("a.gz", &bomb).problems.is_empty());
    }

    #[test]
    fn only_the_whole_magic_is_gzip() {
        let is_gzip = |bytes: &[u8]| Gzip.recognises(&Head { bytes, is_whole: true });
        assert!(is_gzip(&gzip(b"")));
        assert!(!is_gzip(&[0x1f, 0x8b, 8]));
        assert!(!is_gzip(&[0x1f, 0x8b, 7, 0]));
        assert!(!is_gzip(&[0x1f, 0x8b, 8, 0x80]));
    }
}
