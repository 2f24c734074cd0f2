//! CSV with a header: every data row is a record, its fields named by the columns. Source: RFC 4180.
//!
//! Cells that hold JSON, such as `AuditData` of the Unified Audit Log, are read into fields below the column's name.
//! The header itself is not searched: it holds names and no values.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::csv_cells::{Cell, Cells, Dialect, undouble};
use super::csv_splitter::CsvSplitter;
use super::cutter::{Sizes, cut_into_blocks};
use super::json::{describe, holds_name};
use super::lines::{Role, Syntax, last_part};
use super::text_encoding::TextHead;
use super::{DecodeError, Decoder, Head, Input, Sink};
use crate::record::{Field, Jump, Layer, Record, event_time, flatten_json, looks_like_json, plain_name, readable};

/// The decoder of CSV.
#[derive(Clone, Copy, Debug)]
pub struct Csv;

impl Decoder for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn reads(&self) -> &'static str {
        "CSV with a header, also by ; | and tab, JSON in cells (RFC 4180; Purview, Entra and Defender exports)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        TextHead::of(head).is_some_and(|head| Dialect::of(&head).is_some())
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let Some(dialect) = TextHead::of(&input.head()).and_then(|head| Dialect::of(&head)) else {
            return Err(DecodeError::corrupt("no header of a CSV at the start"));
        };
        let syntax = Arc::new(CsvSyntax { dialect: dialect.clone() });
        let sizes = Sizes::of(sink);
        cut_into_blocks(input, sink, &mut CsvSplitter::new(syntax, dialect), sizes)
    }
}

/// Reads records that are rows.
#[derive(Clone, Debug)]
pub struct CsvSyntax {
    /// The delimiter and the names of the columns.
    pub dialect: Dialect,
}

impl Syntax for CsvSyntax {
    fn parse<'a>(&'a self, text: &'a [u8], range: Range<usize>, _: Role) -> Record<'a> {
        let row = text.get(range).unwrap_or_default();
        let layer = Layer::record(row);
        let mut record = Record::default();
        let mut damage = None;
        for (index, cell) in Cells::new(row, self.dialect.delimiter).enumerate() {
            let name = match self.dialect.header.get(index) {
                Some(name) => Cow::Borrowed(name.as_str()),
                None => Cow::Owned(format!("column {}", index + 1)),
            };
            if cell.is_open {
                damage = Some("partial record: the closing quote of a cell is missing; searched as text".to_owned());
            }
            let cut_off = add_cell(&layer, &cell, name, &mut record.fields);
            damage = cut_off.or(damage);
        }
        record.time = event_time(&record.fields);
        record.damage = damage;
        record
    }

    fn may_have_field(&self, name: &str, text: &[u8]) -> bool {
        let asked = last_part(name);
        // A name of a column may hold a dot itself, so the whole of it is tried as well.
        self.dialect.header.iter().any(|h| {
            let column = h.trim();
            column.eq_ignore_ascii_case(asked) || column.eq_ignore_ascii_case(name.trim())
        }) || holds_name(text, asked)
            || asked.to_ascii_lowercase().starts_with("column ")
    }
}

/// Adds the fields of one cell. Returns what is wrong with it, where it should hold JSON and does not.
fn add_cell<'a>(layer: &Layer<'_, 'a>, cell: &Cell, name: Cow<'a, str>, fields: &mut Vec<Field<'a>>) -> Option<String> {
    let raw = layer.bytes().get(cell.range.clone()).unwrap_or_default();
    let should_be_json = raw.trim_ascii_start().starts_with(b"{") && is_wrapper(&name);
    if !cell.has_doubled {
        let jumps = [Jump { at: 0, outer: cell.range.start }];
        let damage = add_json(&Layer::decoded(raw, "csv", &jumps, layer), &name, should_be_json, fields)?;
        let (value, decode) = layer.value(cell.range.clone());
        fields.push(Field { name, value, decode });
        return damage;
    }
    let (decoded, jumps) = undouble(raw, cell.range.start);
    let damage = add_json(&Layer::decoded(&decoded, "csv", &jumps, layer), &name, should_be_json, fields)?;
    let value = match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => readable(error.as_bytes()).into_owned(),
    };
    fields.push(Field { name, value: Cow::Owned(value), decode: vec!["csv"] });
    damage
}

/// Adds the fields of a cell of JSON. None: the cell needs no field of its own. Else, what is wrong with its JSON.
fn add_json<'a>(
    layer: &Layer<'_, 'a>,
    name: &str,
    should_be_json: bool,
    fields: &mut Vec<Field<'a>>,
) -> Option<Option<String>> {
    if !should_be_json && !looks_like_json(layer.bytes()) {
        return Some(None);
    }
    let before = fields.len();
    match flatten_json(layer, name.trim(), fields) {
        Ok(()) if fields.len() > before => None,
        Ok(()) => Some(None),
        // The fields before the cut stay: the whole cell is searched as text besides.
        Err(error) if should_be_json => Some(Some(format!(
            "partial record: {} is cut off or not valid JSON ({}); searched as text",
            name.trim(),
            describe(error)
        ))),
        Err(_) => {
            fields.truncate(before);
            Some(None)
        }
    }
}

/// Tells whether a column holds whole records as JSON.
fn is_wrapper(name: &str) -> bool {
    plain_name(&format!("{}.x", name.trim())) == "x"
}
