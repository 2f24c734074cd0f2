//! One decoded item with named fields: `Record`, `Field`, its time, and `Block`, a run of whole records in bytes.
//!
//! Which bytes are a record is decided in `decode/`; what a record matches, in `matching/`.

mod entity;
mod field_name;
mod json;
mod json_escapes;
mod layer;
mod names;
mod time;

use std::borrow::Cow;
use std::ops::Range;

pub use entity::entity_fields;
pub use field_name::FieldName;
pub use json::{
    JsonError, flatten as flatten_json, flatten_envelope as flatten_json_envelope, is_space as is_json_space,
    looks_like_json,
};
pub use layer::{Jump, Layer, readable};
pub use names::{ENTITY_FIELDS, field_matches, plain_name, source_names};
pub use time::{EventTime, event_time, leading_time, parse_time};

/// One named value of a record, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The path as the source writes it, `Folders.FolderItems.Id` for nested JSON (array positions left out).
    pub name: Cow<'a, str>,
    /// The value, decoded to text. Borrowed from [`Block::bytes`] where it stands there as it is.
    pub value: Cow<'a, str>,
    /// The encodings inside the record that were undone to see the value, outermost first: `["base64", "utf-16le"]`.
    pub decode: Vec<&'static str>,
}

impl<'a> Field<'a> {
    /// Makes a field whose value needed no decoding.
    pub fn plain(name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        Self { name: name.into(), value: value.into(), decode: Vec::new() }
    }
}

/// Where a record stands in its block and its artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The record's bytes in [`Block::bytes`], without its line ending.
    pub range: Range<usize>,
    /// The record's number in its artifact, from 1.
    pub number: u64,
}

/// One decoded item.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// The fields in the order of the source. Names may repeat: lists give one field an element.
    pub fields: Vec<Field<'a>>,
    /// The record's own time; none if it carries none that can be read.
    pub time: Option<EventTime>,
    /// Set when the record could not be parsed whole, with the reason; its bytes are still searched as they stand.
    pub damage: Option<String>,
}

/// A run of whole records, still in bytes: the unit of parallel work.
pub trait Block: Send {
    /// Returns the text of all records, in order: what is searched. Bytes that are not UTF-8 may stand in it.
    fn bytes(&self) -> &[u8];

    /// Returns how many records the block holds.
    fn records(&self) -> u64;

    /// Returns the record that holds `offset` of [`Block::bytes`], or none between records (an empty line, a header).
    fn record_at(&self, offset: usize) -> Option<Span>;

    /// Returns the bytes of the record that holds `offset`, which may cost less than [`Block::record_at`].
    fn range_at(&self, offset: usize) -> Option<Range<usize>> {
        self.record_at(offset).map(|span| span.range)
    }

    /// Tells whether a record that [`Block::record_at`] returned is only a part of one, which other blocks go on with.
    fn is_part(&self, _: &Span) -> bool {
        false
    }

    /// Parses the fields of a record that [`Block::record_at`] returned.
    fn record(&self, span: &Span) -> Record<'_>;

    /// Maps an offset in [`Block::bytes`] to a byte of the artifact's own bytes, before charset decoding.
    ///
    /// Where the text was decoded (base64, a folded header), this is the first byte of what it was decoded from.
    fn source_offset(&self, offset: usize) -> u64;

    /// Returns the line of the artifact, from 1, where that offset stands; none where the artifact has no lines.
    fn line(&self, offset: usize) -> Option<u64>;

    /// Tells whether some record may have a field that ends in `name`. May say yes wrongly, never no wrongly.
    fn may_have_field(&self, name: &str) -> bool;
}
