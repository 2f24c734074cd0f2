//! Blocks of text: whole records, cut from a text artifact of any size, whose fields are parsed only on demand.
//!
//! How an artifact is read and cut is in `cutter.rs`; what a record's fields are, in the file of each format.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::buffer::give_back;
use super::text_encoding::{TextEncoding, utf16_bytes};
use crate::record::{Block, Field, Record, Span, readable, source_names};

/// What a piece of a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A whole record, as far as its borders tell.
    Record,
    /// What stands around an array whose elements are the records.
    Envelope,
    /// A part of a record that was longer than the limit.
    Part,
}

/// One record of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes in the block.
    pub range: Range<usize>,
    /// What it is.
    pub role: Role,
}

/// Where the records of a block are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every line is a record; none is empty.
    Lines {
        /// How many line ends there are.
        ends: usize,
    },
    /// As listed, in order and apart.
    Pieces(Vec<Piece>),
}

/// How the records of a format are read.
pub trait Syntax: Send + Sync {
    /// Parses the record at `range` of a block's text.
    fn parse<'a>(&'a self, text: &'a [u8], range: Range<usize>, role: Role) -> Record<'a>;

    /// Tells whether some record of this text may have a field that ends in `name`. Never no wrongly.
    fn may_have_field(&self, name: &str, text: &[u8]) -> bool;

    /// Tells whether the word at the end of a line may go on in the next one, so that both are better read together.
    fn goes_on(&self, _line: &[u8]) -> bool {
        false
    }
}

/// A run of records of a text artifact.
pub struct LineBlock {
    /// The records as UTF-8, or as they stand where they are not.
    pub text: Vec<u8>,
    /// Where they are in `text`.
    pub layout: Layout,
    /// The number of the first record.
    pub first_record: u64,
    /// How many records begin here.
    pub records: u64,
    /// Whether the first piece is the rest of a record that began in an earlier block.
    pub begins_inside: bool,
    /// The line of the artifact at the start of `text`.
    pub first_line: u64,
    /// The byte of the artifact at the start of `text`.
    pub base: u64,
    /// How the artifact's bytes are characters.
    pub encoding: TextEncoding,
    /// How records are read.
    pub syntax: Arc<dyn Syntax>,
    /// What stands before each [`STEP_BYTES`] of the text, counted when it is first asked for.
    pub steps: OnceLock<Vec<Step>>,
}

/// Lines and bytes before a place in a block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    lines: u64,
    source_bytes: u64,
}

/// Distance between the places that are counted ahead: a look-up then counts at most this much.
const STEP_BYTES: usize = 8 * 1024;

impl Drop for LineBlock {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.text));
    }
}

impl LineBlock {
    fn steps(&self) -> &[Step] {
        self.steps.get_or_init(|| {
            let mut step = Step::default();
            let mut steps = vec![step];
            for chunk in self.text.chunks(STEP_BYTES) {
                step = self.advance(step, chunk);
                steps.push(step);
            }
            steps
        })
    }

    fn advance(&self, from: Step, text: &[u8]) -> Step {
        Step {
            lines: from.lines + memchr_iter(b'\n', text).count() as u64,
            source_bytes: from.source_bytes + source_bytes(text, self.encoding),
        }
    }

    fn step_at(&self, offset: usize) -> Step {
        let offset = offset.min(self.text.len());
        let index = offset / STEP_BYTES;
        let from = self.steps().get(index).copied().unwrap_or_default();
        self.advance(from, self.text.get(index * STEP_BYTES..offset).unwrap_or_default())
    }

    /// Returns the index of a piece where pieces are listed, and its range.
    fn piece_at(&self, offset: usize) -> Option<(Option<u64>, Range<usize>)> {
        match &self.layout {
            Layout::Lines { .. } => {
                let start = memrchr(b'\n', self.text.get(..offset)?).map_or(0, |at| at + 1);
                let end = memchr(b'\n', self.text.get(offset..)?).map_or(self.text.len(), |at| offset + at);
                let line = self.text.get(start..end)?;
                let length = line.strip_suffix(b"\r").unwrap_or(line).len();
                (offset < start + length).then(|| (None, start..start + length))
            }
            Layout::Pieces(pieces) => {
                let index = pieces.partition_point(|piece| piece.range.start <= offset).checked_sub(1)?;
                let piece = pieces.get(index)?;
                piece.range.contains(&offset).then(|| (Some(index as u64), piece.range.clone()))
            }
        }
    }

    fn role_of(&self, span: &Span) -> Role {
        if self.begins_inside && span.number == self.first_record {
            return Role::Part;
        }
        match &self.layout {
            Layout::Lines { .. } => Role::Record,
            Layout::Pieces(pieces) => pieces
                .binary_search_by_key(&span.range.start, |piece| piece.range.start)
                .ok()
                .and_then(|index| pieces.get(index))
                .map_or(Role::Record, |piece| piece.role),
        }
    }
}

impl Block for LineBlock {
    fn bytes(&self) -> &[u8] {
        &self.text
    }

    fn records(&self) -> u64 {
        self.records
    }

    fn record_at(&self, offset: usize) -> Option<Span> {
        let (index, range) = self.piece_at(offset)?;
        let index = index.unwrap_or_else(|| self.step_at(range.start).lines);
        Some(Span { range, number: self.first_record + index })
    }

    fn range_at(&self, offset: usize) -> Option<Range<usize>> {
        self.piece_at(offset).map(|(_, range)| range)
    }

    fn is_part(&self, span: &Span) -> bool {
        self.role_of(span) == Role::Part
    }

    fn record(&self, span: &Span) -> Record<'_> {
        let role = self.role_of(span);
        if role == Role::Part {
            let bytes = self.text.get(span.range.clone()).unwrap_or_default();
            return text_record(
                bytes,
                Some("longer than the limit for a record: searched in parts, as text".to_owned()),
            );
        }
        self.syntax.parse(&self.text, span.range.clone(), role)
    }

    fn source_offset(&self, offset: usize) -> u64 {
        match self.encoding {
            TextEncoding::Utf8 | TextEncoding::Latin1 => self.base + offset as u64,
            TextEncoding::Utf16Le | TextEncoding::Utf16Be => self.base + self.step_at(offset).source_bytes,
        }
    }

    fn line(&self, offset: usize) -> Option<u64> {
        Some(self.first_line + self.step_at(offset).lines)
    }

    fn may_have_field(&self, name: &str) -> bool {
        // Parts of a record, whatever its format, are text.
        let has_parts = match &self.layout {
            _ if self.begins_inside => true,
            Layout::Lines { .. } => false,
            Layout::Pieces(pieces) => pieces.iter().any(|piece| piece.role == Role::Part),
        };
        (has_parts && last_part(name).eq_ignore_ascii_case(MESSAGE))
            || self.syntax.may_have_field(name, &self.text)
            || source_names(name).iter().any(|name| self.syntax.may_have_field(name, &self.text))
    }
}

/// Returns how many bytes of the artifact this text was.
pub fn source_bytes(text: &[u8], encoding: TextEncoding) -> u64 {
    match encoding {
        TextEncoding::Utf8 | TextEncoding::Latin1 => text.len() as u64,
        TextEncoding::Utf16Le | TextEncoding::Utf16Be => utf16_bytes(text),
    }
}

/// The name of the one field of a record that is plain text.
pub const MESSAGE: &str = "message";

/// Makes a record whose only field is its text.
pub fn text_record(bytes: &[u8], damage: Option<String>) -> Record<'_> {
    Record { fields: vec![Field::plain(MESSAGE, readable(bytes))], time: None, damage }
}

/// Returns the last part of a dotted name, without the spaces around it.
pub fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name).trim()
}

/// Tells whether `needle` stands in a text, letter case ignored (ASCII).
pub fn holds_ignoring_case(text: &[u8], needle: &[u8]) -> bool {
    // Most sources write a name as it is asked for, so the fast search is tried first.
    if needle.is_empty() || memmem::find(text, needle).is_some() {
        return true;
    }
    // The scarcest letter of log text is looked for; the table runs from scarce to frequent.
    let rank = |b: &u8| b"qzxjkvwybgfpmuhdcl".iter().position(|r| r.eq_ignore_ascii_case(b)).unwrap_or(99);
    let Some((place, rare)) = needle.iter().enumerate().min_by_key(|(_, b)| rank(b)) else { return true };
    memchr::memchr2_iter(rare.to_ascii_lowercase(), rare.to_ascii_uppercase(), text).any(|at| {
        at.checked_sub(place)
            .and_then(|start| text.get(start..start + needle.len()))
            .is_some_and(|found| found.eq_ignore_ascii_case(needle))
    })
}
