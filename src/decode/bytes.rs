//! Content that no other decoder takes: the runs of text inside it, as UTF-8 and as UTF-16 of either byte order.

mod starts;

use std::io::{self, Read};

use super::{DecodeError, Decoder, Head, Input, Sink};
use crate::record::{Block, Field, Record, Span};

/// Fewest characters that are a run. Shorter ones are chance: four printable bytes in a row are not.
const RUN_CHARACTERS: usize = 4;
/// Text that one block holds at most, unless one run is larger.
const BLOCK_BYTES: usize = 1 << 20;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 128 * 1024;
/// Bytes beyond a run that tell whether another begins on its last byte.
const AHEAD_BYTES: usize = 2 * RUN_CHARACTERS;
/// The name of a run's one field.
const FIELD: &str = "text";

/// Searches bytes without knowing their format.
pub struct Bytes;

impl Decoder for Bytes {
    fn name(&self) -> &'static str {
        "bytes"
    }

    fn reads(&self) -> &'static str {
        "anything else: runs of UTF-8 and UTF-16 text in raw bytes"
    }

    fn recognises(&self, _: &Head<'_>) -> bool {
        true
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        search_runs(input, 0, 1, sink)?;
        Ok(())
    }
}

/// Gives the sink the runs of text in `reader`, whose first byte is byte `offset` of the artifact; runs are numbered
/// from `number`. Returns the number after the last.
///
/// # Errors
/// The error that ended the read. The runs before it were given.
pub(super) fn search_runs(reader: &mut dyn Read, offset: u64, number: u64, sink: &mut dyn Sink) -> io::Result<u64> {
    let most = usize::try_from(sink.budget().limits().record_bytes).unwrap_or(usize::MAX).max(RUN_CHARACTERS);
    let mut runs =
        Runs { bytes: Vec::new(), offset, either_end: None, block: RunBlock { first: number, ..RunBlock::default() } };
    let mut end = None;
    while end.is_none() && !sink.is_cancelled() {
        // What is carried over is scanned again; reading at least as much each time keeps that linear.
        let wanted = CHUNK_BYTES.max(runs.bytes.len()) as u64;
        match (&mut *reader).take(wanted).read_to_end(&mut runs.bytes) {
            Ok(0) => end = Some(Ok(())),
            Ok(_) => {}
            Err(error) => end = Some(Err(error)),
        }
        runs.scan(end.is_some(), most, sink);
    }
    let number = runs.flush(sink);
    end.unwrap_or(Ok(()))?;
    Ok(number)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// One run of text found at the start of some bytes.
struct Found {
    width: Width,
    source_bytes: usize,
    characters: usize,
}

struct Runs {
    bytes: Vec<u8>,
    offset: u64,
    /// Where a run of low bytes first ends that may be one of high bytes first, which ends a byte later.
    either_end: Option<u64>,
    block: RunBlock,
}

impl Runs {
    /// Takes the runs out of what is held. Keeps one that may go on in the next bytes, unless nothing follows.
    fn scan(&mut self, is_end: bool, most: usize, sink: &mut dyn Sink) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut at = 0;
        loop {
            at = starts::next(&bytes, at).map_or(at, |start| start + skip(bytes.get(start..).unwrap_or_default()));
            let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else { break };
            let whole = rest.get(..rest.len().min(most)).unwrap_or(rest);
            let Some(found) = find(whole) else {
                // A run that has not reached its least length may begin in the last few bytes.
                if !is_end && rest.len() <= AHEAD_BYTES {
                    break;
                }
                at += skip(rest);
                continue;
            };
            let may_go_on = found.source_bytes + AHEAD_BYTES >= whole.len();
            if may_go_on && whole.len() == rest.len() && !is_end {
                break;
            }
            if found.characters >= RUN_CHARACTERS {
                self.push(whole, at, &found, sink);
                at += found.source_bytes - self.step_back(rest, at, &found);
            } else {
                // A wide run may begin on the last byte, and on none before it.
                at += found.source_bytes.saturating_sub(1).max(1);
            }
        }
        self.offset += at as u64;
        self.bytes = bytes.get(at..).unwrap_or_default().to_vec();
    }

    /// Returns how many bytes of a run are looked at again. Where its byte order may be either, so may be the first byte
    /// of the ASCII behind it: that is read from both.
    fn step_back(&mut self, rest: &[u8], at: usize, found: &Found) -> usize {
        let start = self.offset + at as u64;
        let end = start + found.source_bytes as u64;
        let again = overlap(rest, found);
        match found.width {
            Width::Utf16Le if again > 0 => self.either_end = Some(end),
            Width::Utf16Be if self.either_end.is_some_and(|either| either + 1 == end) => return 1,
            Width::Utf8 if self.either_end == Some(start) => {
                self.either_end = None;
                return found.source_bytes - 1;
            }
            _ => {}
        }
        again
    }

    fn push(&mut self, bytes: &[u8], at: usize, found: &Found, sink: &mut dyn Sink) {
        if self.block.text.len() + found.source_bytes > BLOCK_BYTES && !self.block.runs.is_empty() {
            self.flush(sink);
        }
        let start = self.block.text.len();
        let source = bytes.get(..found.source_bytes).unwrap_or_default();
        match found.width {
            Width::Utf8 => self.block.text.extend_from_slice(source),
            Width::Utf16Le | Width::Utf16Be => {
                for pair in source.chunks_exact(2) {
                    let unit = unit(pair, found.width);
                    let c = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
                    self.block.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        self.block.runs.push(Run {
            start,
            end: self.block.text.len(),
            source: self.offset + at as u64,
            width: found.width,
        });
        self.block.text.push(b'\n');
    }

    /// Gives what is held to the sink and returns the number of the next run.
    fn flush(&mut self, sink: &mut dyn Sink) -> u64 {
        let next = self.block.first + self.block.runs.len() as u64;
        let block = std::mem::replace(&mut self.block, RunBlock { first: next, ..RunBlock::default() });
        if !block.runs.is_empty() {
            sink.block(Box::new(block));
        }
        next
    }
}

/// Returns the run that begins with the first byte, whatever its length.
fn find(bytes: &[u8]) -> Option<Found> {
    // Only a low number can be the high byte of a wide character; most bytes are told apart by this alone.
    match bytes {
        [_, 0..=6, ..] | [0..=6, ..] => {}
        [a, b, ..] if is_text(*a) && !is_text(*b) && *b < 0xc2 => return utf8(bytes.get(..1).unwrap_or_default()),
        [0x80..=0xc1 | 0xf5.., ..] => return None,
        _ => return utf8(bytes),
    }
    let little = utf16(bytes, Width::Utf16Le);
    let big = utf16(bytes, Width::Utf16Be);
    let is_ascii = bytes.first().is_some_and(u8::is_ascii);
    let shifted = if is_ascii { 0 } else { wide_ascii(bytes.get(1..).unwrap_or_default(), Width::Utf16Be) };
    if little >= RUN_CHARACTERS && little >= big && little > shifted {
        return Some(Found { width: Width::Utf16Le, source_bytes: little * 2, characters: little });
    }
    if big >= RUN_CHARACTERS {
        // After a zero byte, little-endian text looks big-endian for as long: it begins one byte later.
        let later = utf16(bytes.get(1..).unwrap_or_default(), Width::Utf16Le);
        return (later < big).then_some(Found { width: Width::Utf16Be, source_bytes: big * 2, characters: big });
    }
    utf8(bytes)
}

/// Returns how many bytes at the start cannot begin a run, given that the first does not.
fn skip(bytes: &[u8]) -> usize {
    let starts = |pair: &[u8]| match pair {
        [a, b] => is_text(*a) || *a >= 0xa0 || (*a <= 6 && *b >= 0x20) || (1..=6).contains(b),
        _ => false,
    };
    bytes.windows(2).skip(1).position(starts).map_or(bytes.len().saturating_sub(1).max(1), |n| n + 1)
}

/// Returns how many bytes of a run may be of another that begins inside it. Both are kept, as either may be chance.
fn overlap(bytes: &[u8], found: &Found) -> usize {
    match found.width {
        // The last letter of `abcde` with zeros behind it may be the first of a wide word.
        Width::Utf8 => {
            let last = bytes.get(found.source_bytes.saturating_sub(1)..).unwrap_or_default();
            usize::from(found.source_bytes > 1 && utf16(last, Width::Utf16Le) >= RUN_CHARACTERS)
        }
        // `a0b0c0d0e` is `abcd` with the low byte first, and `bcde` with the high byte first.
        Width::Utf16Le => {
            let shifted = wide_ascii(bytes.get(1..).unwrap_or_default(), Width::Utf16Be);
            let is_either = shifted >= RUN_CHARACTERS && shifted >= wide_ascii(bytes, Width::Utf16Le);
            if is_either { found.source_bytes - 1 } else { 0 }
        }
        Width::Utf16Be => 0,
    }
}

/// Returns how many characters of ASCII stand at the start as UTF-16.
fn wide_ascii(bytes: &[u8], width: Width) -> usize {
    bytes.chunks_exact(2).take_while(|pair| u8::try_from(unit(pair, width)).is_ok_and(is_text)).count()
}

fn utf8(bytes: &[u8]) -> Option<Found> {
    let mut characters = 0;
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let ascii = rest.iter().position(|byte| !is_text(*byte)).unwrap_or(rest.len());
        at += ascii;
        characters += ascii;
        let Some(&byte) = bytes.get(at) else { break };
        let length = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => break,
        };
        if !bytes.get(at..at + length).is_some_and(|c| std::str::from_utf8(c).is_ok_and(is_shown)) {
            break;
        }
        at += length;
        characters += 1;
    }
    (characters > 0).then_some(Found { width: Width::Utf8, source_bytes: at, characters })
}

/// Leaves out the C1 controls, which no text holds.
fn is_shown(character: &str) -> bool {
    !character.chars().any(char::is_control)
}

fn utf16(bytes: &[u8], width: Width) -> usize {
    bytes.chunks_exact(2).take_while(|pair| is_text_unit(unit(pair, width))).count()
}

fn unit(pair: &[u8], width: Width) -> u16 {
    match pair {
        [a, b] if width == Width::Utf16Be => u16::from_be_bytes([*a, *b]),
        [a, b] => u16::from_le_bytes([*a, *b]),
        _ => 0,
    }
}

/// An escape character is taken along: what it begins is undone when the run is searched.
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x1b | 0x20..=0x7e)
}

/// The scripts of Europe and the Middle East. Beyond them nearly every pair of bytes is a character.
fn is_text_unit(unit: u16) -> bool {
    matches!(unit, 9 | 0x1b | 0x20..=0x7e | 0xa0..=0x6ff)
}

#[derive(Debug)]
struct Run {
    start: usize,
    end: usize,
    source: u64,
    width: Width,
}

/// Runs of text with a line end after each.
#[derive(Debug, Default)]
struct RunBlock {
    text: Vec<u8>,
    runs: Vec<Run>,
    first: u64,
}

impl RunBlock {
    fn at(&self, offset: usize) -> Option<(usize, &Run)> {
        let index = self.runs.partition_point(|run| run.start <= offset).checked_sub(1)?;
        Some((index, self.runs.get(index)?))
    }
}

impl Block for RunBlock {
    fn bytes(&self) -> &[u8] {
        &self.text
    }

    fn records(&self) -> u64 {
        self.runs.len() as u64
    }

    fn record_at(&self, offset: usize) -> Option<Span> {
        let (index, run) = self.at(offset)?;
        (offset < run.end).then(|| Span { range: run.start..run.end, number: self.first + index as u64 })
    }

    fn record(&self, span: &Span) -> Record<'_> {
        let text = self.text.get(span.range.clone()).unwrap_or_default();
        let mut field = Field::plain(FIELD, String::from_utf8_lossy(text));
        match self.at(span.range.start).map(|(_, run)| run.width) {
            Some(Width::Utf16Le) => field.decode.push("utf-16le"),
            Some(Width::Utf16Be) => field.decode.push("utf-16be"),
            _ => {}
        }
        Record { fields: vec![field], time: None, damage: None }
    }

    fn source_offset(&self, offset: usize) -> u64 {
        let Some((_, run)) = self.at(offset) else { return 0 };
        let before = self.text.get(run.start..offset.min(run.end)).unwrap_or_default();
        let characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        run.source + if run.width == Width::Utf8 { before.len() as u64 } else { characters as u64 * 2 }
    }

    fn line(&self, _: usize) -> Option<u64> {
        None
    }

    fn may_have_field(&self, name: &str) -> bool {
        FIELD.eq_ignore_ascii_case(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Collected, decode_as};
    use super::Bytes;
    use crate::budget::Limits;

    fn decode(name: &str, bytes: &[u8]) -> Collected {
        decode_as(Some(&Bytes), name, bytes, Limits::default())
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    fn field(block: &dyn crate::record::Block, needle: &str) -> (u64, u64, Vec<&'static str>) {
        let at = memchr::memmem::find(block.bytes(), needle.as_bytes()).unwrap();
        let span = block.record_at(at).unwrap();
        (span.number, block.source_offset(at), block.record(&span).fields.remove(0).decode)
    }

    #[test]
    fn runs_are_found_with_their_offsets_and_short_ones_are_not() {
        let mut bytes = b"\x01\x02abc\x80\x81evil.example\x81\x00".to_vec();
        bytes.extend(utf16("wide.example Москва", u16::to_le_bytes));
        bytes.extend([0xff, 0xff]);
        let big = bytes.len();
        bytes.extend(utf16("big.example", u16::to_be_bytes));
        bytes.push(0xff);
        bytes.extend("grüße 日本".as_bytes());
        let collected = decode("x", &bytes);
        assert_eq!(collected.text("x"), "evil.example\nwide.example Москва\nbig.example\ngrüße 日本\n");
        let block = collected.blocks[0].1.as_ref();
        assert_eq!(field(block, "example"), (1, 12, vec![]));
        assert_eq!(field(block, "Москва"), (2, 21 + 26, vec!["utf-16le"]));
        assert_eq!(field(block, "big"), (3, big as u64, vec!["utf-16be"]));
        assert_eq!(block.records(), 4);
        assert_eq!(block.line(0), None);
        assert!(block.record_at(12).is_none(), "the end of a line belongs to no run");
        assert!(decode("x", b"abc\x00\x01xyz").blocks.is_empty());
    }

    #[test]
    fn wide_text_right_after_a_byte_of_text_is_whole() {
        for before in [&b"("[..], b"ABCD", b"\x00", b"\x00\x00\x00", b"\xff", b"A"] {
            for (order, after) in [(u16::to_le_bytes as fn(u16) -> [u8; 2], &b"Z"[..]), (u16::to_be_bytes, b"\xff")] {
                let bytes = [before, &utf16("evil.example", order), after].concat();
                assert!(decode("x", &bytes).text("x").contains("evil.example"), "{before:?}");
            }
        }
    }

    #[test]
    fn ascii_on_either_side_of_wide_text_is_whole() {
        let ip = b"195.26.87.219";
        for order in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
            for shift in 0..4 {
                for word in ["hello", "hell", "a longer text"] {
                    let before = [&b"\x01\xff\x02\xfe"[..shift], &[0xff]].concat();
                    let behind = [&before, &utf16(word, order)[..], ip, b"\0"].concat();
                    let text = decode("x", &behind).text("x");
                    assert!(text.lines().any(|line| line == "195.26.87.219"), "{shift} {word} {text:?}");
                    assert!(text.contains(word), "{shift} {text:?}");
                    let ahead = [&before, &ip[..], b"\0\0", &utf16(word, order), b"\xff"].concat();
                    let text = decode("x", &ahead).text("x");
                    assert!(text.lines().any(|line| line == "195.26.87.219"), "{shift} {word} {text:?}");
                    assert!(text.contains(word), "{shift} {text:?}");
                }
            }
        }
    }

    #[test]
    fn runs_are_whole_wherever_reads_end() {
        let text = "a long run with an indicator evil.example in it";
        for width in [1, 2] {
            let encoded = if width == 1 { text.as_bytes().to_vec() } else { utf16(text, u16::to_le_bytes) };
            for before in super::CHUNK_BYTES - 64 * width..super::CHUNK_BYTES + 2 {
                let mut bytes = vec![0xff; before];
                bytes.extend(&encoded);
                bytes.extend([0xff; 20]);
                let collected = decode("x", &bytes);
                assert_eq!(collected.text("x"), format!("{text}\n"), "{before}");
                assert_eq!(collected.blocks[0].1.source_offset(0), before as u64);
            }
        }
    }

    #[test]
    fn a_run_beyond_the_record_limit_is_cut_and_one_at_it_is_not() {
        for (length, records) in [(999, 1), (1_000, 1), (1_004, 2), (300_000, 300)] {
            let limits = Limits { record_bytes: 1_000, ..Limits::default() };
            let mut bytes = vec![0xff];
            bytes.extend(std::iter::repeat_n(b'x', length));
            let collected = decode_as(Some(&Bytes), "x", &bytes, limits);
            let found: u64 = collected.blocks.iter().map(|(_, block)| block.records()).sum();
            assert_eq!(found, records, "{length}");
            let text = collected.text("x").replace('\n', "");
            assert_eq!(text.len(), length);
        }
    }
}
