//! Reads a text artifact and cuts it into blocks of whole records: bounded memory, little work for each byte.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use memchr::{memchr_iter, memrchr};

use super::buffer::{BLOCK_BYTES, Buffer};
use super::lines::{Layout, LineBlock, Piece, Role, Syntax, source_bytes};
use super::stray::Stray;
use super::text_encoding::{TextEncoding, TextHead, Transcoder};
use super::{DecodeError, Input, Sink};
use crate::problem::Reason;

/// How much the parts of a record that is longer than the limit overlap, so that an indicator at the cut is not lost.
/// The longest indicators are URLs, which browsers and proxies cut at 2,048 characters or more but are seldom over 200.
pub const OVERLAP_BYTES: usize = 64 * 1024;

/// How far back from the limit a place between words is looked for, to cut a long record there.
const CUT_SEARCH_BYTES: usize = 4 * 1024;

/// Whether more text may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// More may follow.
    MayFollow,
    /// This is the end.
    None,
}

/// The whole records at the start of a text.
#[derive(Debug)]
pub struct Cut {
    /// Where the first record that is not whole begins: the next text starts there. All of the text if none follows.
    pub consumed: usize,
    /// Where the records are in `..consumed`.
    pub layout: Layout,
}

/// What is wrong with an artifact beyond one record: its format does not close, or is broken between records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// [`Reason::Truncated`] or [`Reason::Corrupt`].
    pub reason: Reason,
    /// Where, in the text of the last `cut`.
    pub at: usize,
    /// What is wrong, to stand behind `at byte N`.
    pub detail: &'static str,
}

/// Finds where the records of a format begin and end. It may keep what it knows of the text behind `consumed`.
pub trait Splitter {
    /// Cuts the whole records from `text`, which continues where `consumed` of the last call ended.
    fn cut(&mut self, text: &[u8], more: More) -> Cut;

    /// Returns the first fault of each reason that the last `cut` met. What is broken is searched nevertheless.
    fn take_faults(&mut self) -> Vec<Fault> {
        Vec::new()
    }

    /// Is told that the open record is longer than the limit. Returns true if the next `cut` will find records in the
    /// same text after all, because the record's borders were taken wrongly or its parts are records.
    fn give_in(&mut self, text: &[u8]) -> bool;

    /// Is told that the first `bytes` of the text were given away though their record goes on.
    fn forget(&mut self, bytes: usize);

    /// Returns how the records of the block with this text are read.
    fn syntax(&mut self, text: &[u8]) -> Arc<dyn Syntax>;
}

/// Sizes that tests set small.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The text of one block.
    pub block_bytes: usize,
    /// The longest record that is kept whole.
    pub record_bytes: usize,
}

impl Sizes {
    /// Returns the sizes in force for an artifact.
    pub fn of(sink: &dyn Sink) -> Self {
        let record_bytes = usize::try_from(sink.budget().limits().record_bytes).unwrap_or(usize::MAX / 4);
        Self { block_bytes: BLOCK_BYTES, record_bytes: record_bytes.clamp(1, usize::MAX / 4) }
    }

    /// The most text that is looked at for the end of a record: one byte more tells that it is too long.
    fn most(self) -> usize {
        self.record_bytes + 1
    }

    /// The text that is cut at once, if records end in it.
    fn least(self) -> usize {
        self.block_bytes.min(self.most()).max(1)
    }
}

/// Reads the artifact to its end and gives its blocks to `sink`.
///
/// # Errors
/// The error that ended the read, after what was read before it was given to the sink.
pub fn cut_into_blocks(
    input: &mut Input<'_>,
    sink: &mut dyn Sink,
    splitter: &mut dyn Splitter,
    sizes: Sizes,
) -> Result<(), DecodeError> {
    let Some((encoding, mark_bytes)) = TextHead::of(&input.head()).map(|head| (head.encoding, head.mark_bytes)) else {
        return Err(DecodeError::corrupt("not text in any encoding that is read"));
    };
    let mut source = Source {
        input,
        transcoder: Transcoder::new(encoding),
        error: None,
        is_at_end: false,
        is_odd: false,
        stray: Stray::new(mark_bytes as u64),
    };
    source.skip(mark_bytes);
    let mut place = Place { record: 1, begins_inside: false, line: 1, base: mark_bytes as u64, encoding };
    let mut buffer = Buffer::spare();
    let mut target = sizes.least();
    let mut faults = Faults::default();
    let mut is_parted = false;
    loop {
        if sink.is_cancelled() {
            return Ok(());
        }
        let more = source.fill(&mut buffer, target);
        let text = buffer.text();
        source.stray.search(place.record, more == More::None, sink);
        let mut cut = splitter.cut(text, more);
        for fault in splitter.take_faults() {
            faults.add(fault, &place, text);
        }
        let mut next = cut.consumed;
        let mut goes_on = false;
        if cut.consumed == 0 {
            if more == More::None {
                break;
            }
            if text.len() < sizes.most() {
                target = (text.len() * 2).min(sizes.most());
                continue;
            }
            if splitter.give_in(text) {
                continue;
            }
            let end = part_end(text);
            next = end - OVERLAP_BYTES.min(end / 2);
            next = Some(char_start(text, next)).filter(|&start| start > 0).unwrap_or(end);
            splitter.forget(next);
            goes_on = true;
            if !std::mem::replace(&mut is_parted, true) {
                let detail = format!(
                    "record {} is longer than the limit record={}: it was searched in parts, so that what only two of them \
                     show together was not decided; raise it with --limit record=N",
                    place.record, sizes.record_bytes
                );
                sink.problem(Reason::Limit, &detail, None);
            }
            cut = Cut { consumed: end, layout: Layout::Pieces(vec![Piece { range: 0..end, role: Role::Part }]) };
        }
        let mut following_buffer = Buffer::spare();
        following_buffer.push(text.get(next..).unwrap_or_default());
        // The line ends were counted when the text was cut.
        let ends = match cut.layout {
            Layout::Lines { ends } if next == cut.consumed => Some(ends),
            _ => None,
        };
        let following = place.after(text.get(..next).unwrap_or_default(), ends);
        let text = std::mem::replace(&mut buffer, following_buffer).into_text(cut.consumed);
        let pieces = match &cut.layout {
            Layout::Lines { ends } => ends + usize::from(!text.ends_with(b"\n")),
            Layout::Pieces(pieces) => pieces.len(),
        };
        if pieces > 0 {
            let syntax = splitter.syntax(&text);
            place.give(sink, text, cut.layout, pieces, syntax);
            place.record += (pieces - usize::from(goes_on)) as u64;
            place.begins_inside = goes_on;
        }
        (place.line, place.base) = following;
        target = sizes.least().max(buffer.filled);
    }
    match source.error {
        Some(error) => {
            // That the text ends too early is what the error says already.
            faults.truncated = None;
            faults.give(sink);
            Err(error.into())
        }
        None => {
            if source.is_odd {
                let detail = "the UTF-16 text ends inside a character; what is before it was searched".to_owned();
                faults.truncated.get_or_insert(detail);
            }
            faults.give(sink);
            Ok(())
        }
    }
}

/// What is said once of an artifact, however often it is so.
#[derive(Default)]
struct Faults {
    corrupt: Option<String>,
    truncated: Option<String>,
}

impl Faults {
    fn add(&mut self, fault: Fault, place: &Place, text: &[u8]) {
        let slot = if fault.reason == Reason::Truncated { &mut self.truncated } else { &mut self.corrupt };
        slot.get_or_insert_with(|| {
            let (_, offset) = place.after(text.get(..fault.at).unwrap_or(text), None);
            format!("at byte {offset} {}; what could be read was searched, the broken part as text", fault.detail)
        });
    }

    fn give(self, sink: &mut dyn Sink) {
        for (reason, detail) in [(Reason::Corrupt, self.corrupt), (Reason::Truncated, self.truncated)] {
            if let Some(detail) = detail {
                sink.problem(reason, &detail, None);
            }
        }
    }
}

/// Where in the artifact the text stands.
struct Place {
    record: u64,
    begins_inside: bool,
    line: u64,
    base: u64,
    encoding: TextEncoding,
}

impl Place {
    /// Returns the line and byte behind `text`, in which there are so many line ends if they are known.
    fn after(&self, text: &[u8], ends: Option<usize>) -> (u64, u64) {
        let lines = ends.unwrap_or_else(|| memchr_iter(b'\n', text).count()) as u64;
        (self.line + lines, self.base + source_bytes(text, self.encoding))
    }

    fn give(&self, sink: &mut dyn Sink, text: Vec<u8>, layout: Layout, pieces: usize, syntax: Arc<dyn Syntax>) {
        sink.block(Box::new(LineBlock {
            text,
            layout,
            first_record: self.record,
            records: (pieces - usize::from(self.begins_inside)) as u64,
            begins_inside: self.begins_inside,
            first_line: self.line,
            base: self.base,
            encoding: self.encoding,
            syntax,
            steps: OnceLock::new(),
        }));
    }
}

/// The artifact's text, as UTF-8.
struct Source<'i, 'r> {
    input: &'i mut Input<'r>,
    transcoder: Option<Transcoder>,
    error: Option<io::Error>,
    is_at_end: bool,
    /// Whether half a code unit of UTF-16 was read last.
    is_odd: bool,
    /// What stands among UTF-16 and is none.
    stray: Stray,
}

impl Source<'_, '_> {
    /// Skips the byte order mark, which the head has shown to be there.
    fn skip(&mut self, bytes: usize) {
        let mut mark = vec![0; bytes];
        if let Err(error) = self.input.read_exact(&mut mark) {
            self.error = Some(error);
            self.is_at_end = true;
        }
    }

    /// Reads until `buffer` holds at least `target` bytes or nothing is left.
    fn fill(&mut self, buffer: &mut Buffer, target: usize) -> More {
        while buffer.filled < target && !self.is_at_end {
            let missing = target - buffer.filled;
            match &mut self.transcoder {
                None => {
                    let n = read(self.input, buffer.space(missing), &mut self.error);
                    buffer.filled += n;
                    self.is_at_end = n < missing;
                }
                Some(transcoder) => {
                    let mut bytes = vec![0; missing];
                    let n = read(self.input, &mut bytes, &mut self.error);
                    bytes.truncate(n);
                    self.is_odd ^= n % 2 == 1;
                    self.stray.feed(&bytes);
                    self.is_at_end = n < missing;
                    buffer.append(|text| transcoder.decode(&bytes, text, self.is_at_end));
                }
            }
        }
        if self.is_at_end { More::None } else { More::MayFollow }
    }
}

/// Fills `buffer` as far as the input goes, and keeps the error that ended it.
fn read(input: &mut dyn Read, buffer: &mut [u8], error: &mut Option<io::Error>) -> usize {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..)
        && !space.is_empty()
    {
        match input.read(space) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                *error = Some(e);
                break;
            }
        }
    }
    filled
}

/// Returns where a part of a long record ends: between words if there is such a place near the end.
fn part_end(text: &[u8]) -> usize {
    let from = text.len() - CUT_SEARCH_BYTES.min(text.len() / 4);
    let near = text.get(from..).unwrap_or_default();
    let between = near.iter().rposition(|b| matches!(b, b' ' | b'\t' | b','));
    char_start(text, between.map_or(text.len() - 1, |at| from + at + 1)).max(1)
}

/// Returns the start of the UTF-8 character at `offset`.
fn char_start(text: &[u8], offset: usize) -> usize {
    let back = (0..4)
        .find(|&back| offset.checked_sub(back).and_then(|at| text.get(at)).is_none_or(|&byte| byte & 0xc0 != 0x80));
    offset.saturating_sub(back.unwrap_or(0))
}

/// Cuts after the last line of a text: every line that is not empty is a record.
pub struct LineSplitter {
    syntax: Arc<dyn Syntax>,
}

impl LineSplitter {
    /// Reads all records with one syntax.
    pub fn new(syntax: Arc<dyn Syntax>) -> Self {
        Self { syntax }
    }

    /// Returns where the last line ends that does not go on in the next one; of the last line, if many in a row may.
    fn cut_between_words(&self, text: &[u8]) -> usize {
        let end_of = |text: &[u8]| memrchr(b'\n', text).map_or(0, |at| at + 1);
        let last = end_of(text);
        let mut end = last;
        while end > 0 && last - end < OVERLAP_BYTES {
            let line = text.get(..end - 1).unwrap_or_default();
            let start = end_of(line);
            let line = line.get(start..).unwrap_or_default();
            if !self.syntax.goes_on(line.strip_suffix(b"\r").unwrap_or(line)) {
                return end;
            }
            end = start;
        }
        last
    }
}

impl Splitter for LineSplitter {
    fn cut(&mut self, text: &[u8], more: More) -> Cut {
        let consumed = match more {
            More::None => text.len(),
            More::MayFollow => self.cut_between_words(text),
        };
        let lines = text.get(..consumed).unwrap_or_default();
        Cut { consumed, layout: lines_of(lines) }
    }

    fn give_in(&mut self, _: &[u8]) -> bool {
        false
    }

    fn forget(&mut self, _: usize) {}

    fn syntax(&mut self, _: &[u8]) -> Arc<dyn Syntax> {
        Arc::clone(&self.syntax)
    }
}

/// Returns the layout of a text whose lines are its records.
fn lines_of(text: &[u8]) -> Layout {
    let (mut ends, mut start, mut has_empty) = (0, 0, false);
    for end in memchr_iter(b'\n', text) {
        has_empty |= end == start || end == start + 1 && text.get(start) == Some(&b'\r');
        (ends, start) = (ends + 1, end + 1);
    }
    has_empty |= text.get(start..) == Some(b"\r");
    if !has_empty {
        return Layout::Lines { ends };
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    for end in memchr_iter(b'\n', text).chain([text.len()]) {
        let line = text.get(start..end).unwrap_or_default();
        let length = line.strip_suffix(b"\r").unwrap_or(line).len();
        if length > 0 {
            pieces.push(Piece { range: start..start + length, role: Role::Record });
        }
        start = end + 1;
    }
    Layout::Pieces(pieces)
}
