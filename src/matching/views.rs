//! A record as it is searched: each field as it is, with its encodings undone, and refanged, in one run of bytes.

use std::borrow::Cow;
use std::ops::Range;

use crate::observable::decoding::{
    Allowance, DecodingLimit, Path, Runs, Unfolder, entity_bytes, percent_bytes, refanged,
};
use crate::record::{Block, Record, Span};

/// Parts views from each other: no token, and hardly an expression, crosses it.
const SEPARATOR: &[u8] = b"\n\0\n";

/// One reading of one field.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Where it stands in [`Views::bytes`].
    pub range: Range<usize>,
    /// The field's index in the record; none for the record's own bytes.
    pub field: Option<usize>,
    /// Which reading of the field it is; readings of one field repeat each other.
    pub reading: usize,
    /// The encodings that were undone, beyond those of the field itself.
    path: Path,
    /// Whether defanging was undone.
    pub is_refanged: bool,
    /// The index of the view that it was refanged from.
    pub refanged_from: Option<usize>,
    /// Where it stands in the block's bytes, if it stands there as it is.
    pub literal_at: Option<usize>,
}

impl View {
    /// Returns the encodings that were undone, outermost first.
    pub fn decode(&self, record: &Record<'_>) -> Vec<&'static str> {
        let field = self.field.and_then(|index| record.fields.get(index));
        field.into_iter().flat_map(|field| field.decode.iter().copied()).chain(self.path.names()).collect()
    }
}

/// All readings of a record. Its memory is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub bytes: Vec<u8>,
    pub list: Vec<View>,
    /// The ranges of the list.
    pub ranges: Vec<Range<usize>>,
    /// Whether JSON escapes were undone in some field.
    pub has_json: bool,
    /// What kept an encoding from being undone.
    pub limit: Option<DecodingLimit>,
    unfolder: Unfolder,
    spare: Vec<u8>,
}

impl Views {
    /// Lays out every reading of a record. `known` tells what is known of runs in the record's own bytes.
    pub fn read(&mut self, block: &dyn Block, span: &Span, record: &Record<'_>, known: Runs) {
        self.bytes.clear();
        self.list.clear();
        self.ranges.clear();
        self.has_json = false;
        let block_bytes = block.bytes();
        let raw = block_bytes.get(span.range.clone()).unwrap_or_default();
        let mut allowance = Allowance::of(raw.len());
        let mut is_one_field = false;
        for (index, field) in record.fields.iter().enumerate() {
            let literal_at = match &field.value {
                Cow::Borrowed(value) => offset_within(block_bytes, value.as_bytes()),
                Cow::Owned(_) => None,
            };
            is_one_field |= literal_at.is_some() && field.value.len() == raw.len();
            self.has_json |= field.decode.contains(&"json");
            let value = field.value.as_bytes();
            // What is known does not hold for runs that go on behind a line end.
            let is_as_known = literal_at.is_some() && memchr::memchr(b'\n', value).is_none();
            let runs = if is_as_known { known } else { Runs::MayHoldText };
            self.add_readings(value, Some(index), literal_at, runs, &mut allowance);
        }
        // A text may run across fields, as `POST /ecp/y.js` does; where one field is the whole record, none can.
        if record.damage.is_some() {
            self.add_readings(raw, None, Some(span.range.start), Runs::MayHoldText, &mut allowance);
        } else if !is_one_field {
            self.add_raw(raw, span.range.start);
        }
        self.limit = allowance.met;
    }

    /// Adds the record's own bytes; what only fields can tell is left to them.
    fn add_raw(&mut self, raw: &[u8], at: usize) {
        let first = self.list.len();
        self.add(raw, None, 0, Path::default(), None, Some(at));
        let mut reading = 1;
        let mut spare = std::mem::take(&mut self.spare);
        for (undo, sign, path) in
            [(percent_bytes as fn(&[u8], &mut Vec<u8>) -> bool, b'%', Path::PERCENT), (entity_bytes, b'&', Path::HTML)]
        {
            spare.clear();
            if memchr::memchr(sign, raw).is_some() && undo(raw, &mut spare) {
                self.add(&spare, None, reading, path, None, None);
                reading += 1;
            }
        }
        self.spare = spare;
        if let Some(plain) = refanged(raw) {
            self.add(plain.as_bytes(), None, reading, Path::default(), Some(first), None);
        }
    }

    fn add_readings(
        &mut self,
        value: &[u8],
        field: Option<usize>,
        literal_at: Option<usize>,
        runs: Runs,
        allowance: &mut Allowance,
    ) {
        let mut unfolder = std::mem::take(&mut self.unfolder);
        let has_more = unfolder.unfold(value, runs, allowance);
        let count = if has_more { unfolder.readings().count() + 1 } else { 1 };
        self.add_reading(value, field, 0..count, Path::default(), literal_at);
        if has_more {
            for (number, (text, path)) in unfolder.readings().enumerate() {
                self.has_json |= field.is_some() && path.has_json();
                self.add_reading(text, field, number + 1..count, path, None);
            }
        }
        self.unfolder = unfolder;
    }

    /// Adds a reading, and without its defanging: `numbers` begins with its own, and ends with how many there are.
    fn add_reading(
        &mut self,
        text: &[u8],
        field: Option<usize>,
        numbers: Range<usize>,
        path: Path,
        literal_at: Option<usize>,
    ) {
        let own = self.list.len();
        self.add(text, field, numbers.start, path, None, literal_at);
        if let Some(plain) = refanged(text) {
            self.add(plain.as_bytes(), field, numbers.end + numbers.start, path, Some(own), None);
        }
    }

    fn add(
        &mut self,
        text: &[u8],
        field: Option<usize>,
        reading: usize,
        path: Path,
        refanged_from: Option<usize>,
        literal_at: Option<usize>,
    ) {
        let is_refanged = refanged_from.is_some();
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        let range = start..self.bytes.len();
        self.bytes.extend_from_slice(SEPARATOR);
        self.ranges.push(range.clone());
        self.list.push(View { range, field, reading, path, is_refanged, refanged_from, literal_at });
    }

    /// Returns where a field stands in the block's bytes, if it stands there as it is.
    pub fn literal_start(&self, field: Option<usize>) -> Option<usize> {
        self.of_field(field).find_map(|view| view.literal_at)
    }

    /// Returns the views of a field, which follow each other; those of the record's own bytes come last.
    fn of_field(&self, field: Option<usize>) -> impl Iterator<Item = &View> {
        let place = |field: Option<usize>| field.unwrap_or(usize::MAX);
        let before = self.list.partition_point(|view| place(view.field) < place(field));
        self.list.iter().skip(before).take_while(move |view| view.field == field)
    }

    /// Returns the index of the view that holds a byte of [`Views::bytes`].
    pub fn at(&self, offset: usize) -> Option<usize> {
        let index = self.list.partition_point(|view| view.range.start <= offset).checked_sub(1)?;
        self.list.get(index).filter(|view| offset <= view.range.end).map(|_| index)
    }
}

/// Tells where `part` stands inside `whole`, if it is borrowed from it.
fn offset_within(whole: &[u8], part: &[u8]) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (offset.checked_add(part.len())? <= whole.len()).then_some(offset)
}
