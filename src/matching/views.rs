//! A record as it is searched: each field as it is, with its encodings undone, and refanged, in one run of bytes.

use std::borrow::Cow;
use std::ops::Range;

use crate::observable::decoding::{entities, json_escapes, look_alikes, percent, refang, terminal, zero_bytes};
use crate::record::{Block, Record, Span};

/// Parts views from each other: no token, and hardly an expression, crosses it.
const SEPARATOR: &[u8] = b"\n\0\n";

/// One encoding: how it is undone where it stands in a text, and its name.
type Step = (fn(&str) -> Option<String>, &'static str);

/// What is undone, in this order: what hides text first; then JSON inside text, as syslog carries it; then what a link in
/// HTML may hold.
const STEPS: [Step; 6] = [
    (zero_bytes, "utf-16"),
    (terminal, "terminal"),
    (look_alikes, "unicode"),
    (json_escapes, "json"),
    (entities, "html"),
    (percent, "percent"),
];

/// How often all steps are tried: a redirection encodes twice, and one encoding may hide another that was undone before.
const ROUNDS: usize = 3;

/// One reading of one field.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Where it stands in [`Views::bytes`].
    pub range: Range<usize>,
    /// The field's index in the record; none for the record's own bytes.
    pub field: Option<usize>,
    /// Which reading of the field it is; readings of one field repeat each other.
    pub reading: usize,
    /// The encodings that were undone.
    pub decode: Vec<&'static str>,
    /// Whether defanging was undone.
    pub is_refanged: bool,
    /// Where it stands in the block's bytes, if it stands there as it is.
    pub literal_at: Option<usize>,
}

/// All readings of a record.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub bytes: Vec<u8>,
    pub list: Vec<View>,
}

impl Views {
    /// Lays out every reading of a record.
    pub fn of(block: &dyn Block, span: &Span, record: &Record<'_>) -> Self {
        let mut views = Self::default();
        let block_bytes = block.bytes();
        let raw = block_bytes.get(span.range.clone()).unwrap_or_default();
        let mut is_one_field = false;
        for (index, field) in record.fields.iter().enumerate() {
            let literal_at = match &field.value {
                Cow::Borrowed(value) => offset_within(block_bytes, value.as_bytes()),
                Cow::Owned(_) => None,
            };
            is_one_field |= literal_at.is_some() && field.value.len() == raw.len();
            views.add_readings(&field.value, Some(index), &field.decode, literal_at);
        }
        // A text may run across fields, as `POST /ecp/y.js` does; where one field is the whole record, none can.
        if !is_one_field || record.damage.is_some() {
            let text = String::from_utf8_lossy(raw);
            views.add(raw, None, 0, &[], false, Some(span.range.start));
            let mut reading = 1;
            if record.damage.is_some()
                && let Some(plain) = json_escapes(&text)
            {
                views.add(plain.as_bytes(), None, reading, &["json"], false, None);
                reading += 1;
            }
            for (plain, label) in [(percent(&text), "percent"), (entities(&text), "html")] {
                if let Some(plain) = plain {
                    views.add(plain.as_bytes(), None, reading, &[label], false, None);
                    reading += 1;
                }
            }
            if let Some(plain) = refang(&text) {
                views.add(plain.as_bytes(), None, reading, &[], true, None);
            }
        }
        views
    }

    fn add_readings(&mut self, value: &str, field: Option<usize>, decode: &[&'static str], literal_at: Option<usize>) {
        let mut readings: Vec<(Cow<'_, str>, Vec<&'static str>)> = vec![(Cow::Borrowed(value), decode.to_vec())];
        for _ in 0..ROUNDS {
            let before = readings.len();
            for (step, label) in STEPS {
                if let Some((last, labels)) = readings.last()
                    && let Some(plain) = step(last).filter(|plain| plain.as_str() != last.as_ref())
                {
                    let labels = labels.iter().copied().chain([label]).collect();
                    readings.push((Cow::Owned(plain), labels));
                }
            }
            if readings.len() == before {
                break;
            }
        }
        let count = readings.len();
        for (number, (text, labels)) in readings.iter().enumerate() {
            let at = if number == 0 { literal_at } else { None };
            self.add(text.as_bytes(), field, number, labels, false, at);
            if let Some(plain) = refang(text) {
                self.add(plain.as_bytes(), field, count + number, labels, true, None);
            }
        }
    }

    fn add(
        &mut self,
        text: &[u8],
        field: Option<usize>,
        reading: usize,
        decode: &[&'static str],
        is_refanged: bool,
        literal_at: Option<usize>,
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        let range = start..self.bytes.len();
        self.bytes.extend_from_slice(SEPARATOR);
        self.list.push(View { range, field, reading, decode: decode.to_vec(), is_refanged, literal_at });
    }

    /// Returns where a field stands in the block's bytes, if it stands there as it is.
    pub fn literal_start(&self, field: Option<usize>) -> Option<usize> {
        self.list.iter().filter(|view| view.field == field).find_map(|view| view.literal_at)
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
