//! A message as one record: the text of its headers and bodies, and from where in the message each stretch comes.

use std::borrow::Cow;
use std::ops::Range;

use crate::record::{Block, EventTime, Field, Record, Span};

/// A message's text. It is built from the start of the message to its end.
#[derive(Debug, Default)]
pub(super) struct MailBlock {
    text: Vec<u8>,
    fields: Vec<TextField>,
    origins: Vec<Origin>,
    /// The message's own time.
    pub time: Option<EventTime>,
    /// What could not be decoded.
    pub damage: Option<String>,
}

#[derive(Debug)]
struct TextField {
    name: Cow<'static, str>,
    range: Range<usize>,
    decode: Vec<&'static str>,
}

/// Where a stretch of the text comes from.
#[derive(Debug)]
struct Origin {
    start: usize,
    source: usize,
    line: u64,
    is_exact: bool,
}

/// Whether each byte of a stretch of text is one byte of the message, or all come from its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origins {
    Exact,
    Decoded,
}

impl MailBlock {
    /// Starts a field. What is pushed from here on is its value.
    pub fn begin(&mut self, name: impl Into<Cow<'static, str>>, decode: Vec<&'static str>) {
        let start = self.text.len();
        self.fields.push(TextField { name: name.into(), range: start..start, decode });
    }

    /// Adds to the field that was begun; `source` is where the text begins in the message.
    pub fn push(&mut self, utf8: &[u8], source: usize, origins: Origins) {
        self.origins.push(Origin { start: self.text.len(), source, line: 0, is_exact: origins == Origins::Exact });
        match String::from_utf8_lossy(utf8) {
            Cow::Borrowed(text) => self.text.extend_from_slice(text.as_bytes()),
            Cow::Owned(text) => {
                if let Some(origin) = self.origins.last_mut() {
                    origin.is_exact = false;
                }
                self.text.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// Ends the field that was begun.
    pub fn end(&mut self) {
        if let Some(field) = self.fields.last_mut() {
            field.range.end = self.text.len();
        }
        self.text.push(b'\n');
    }

    /// Returns the value of the first field of a name.
    pub fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(self.text.get(field.range.clone())?).ok()
    }

    /// Finds the line of each stretch in the message, which is not needed afterwards.
    pub fn set_lines(&mut self, raw: &[u8]) {
        let mut at = 0;
        let mut line = 1_u64;
        for origin in &mut self.origins {
            let newlines = |range| memchr::memchr_iter(b'\n', raw.get(range).unwrap_or_default()).count() as u64;
            if origin.source >= at {
                line += newlines(at..origin.source);
            } else {
                line = line.saturating_sub(newlines(origin.source..at));
            }
            at = origin.source;
            origin.line = line;
        }
    }

    /// Returns where a byte of the text comes from, and the text before it from the same stretch.
    fn origin(&self, offset: usize) -> Option<(&Origin, &[u8])> {
        let index = self.origins.partition_point(|origin| origin.start <= offset).checked_sub(1)?;
        let origin = self.origins.get(index)?;
        let before = if origin.is_exact { self.text.get(origin.start..offset) } else { None };
        Some((origin, before.unwrap_or_default()))
    }
}

impl Block for MailBlock {
    fn bytes(&self) -> &[u8] {
        &self.text
    }

    fn records(&self) -> u64 {
        1
    }

    fn record_at(&self, offset: usize) -> Option<Span> {
        (offset < self.text.len()).then_some(Span { range: 0..self.text.len(), number: 1 })
    }

    fn record(&self, _: &Span) -> Record<'_> {
        let field = |field: &'_ TextField| -> Field<'_> {
            let value = String::from_utf8_lossy(self.text.get(field.range.clone()).unwrap_or_default());
            Field { name: Cow::Owned(field.name.clone().into_owned()), value, decode: field.decode.clone() }
        };
        // `from_utf8_lossy` borrows: the text is UTF-8 throughout.
        let fields = self.fields.iter().map(field).collect();
        Record { fields, time: self.time, damage: self.damage.clone() }
    }

    fn source_offset(&self, offset: usize) -> u64 {
        self.origin(offset).map_or(0, |(origin, before)| (origin.source + before.len()) as u64)
    }

    fn line(&self, offset: usize) -> Option<u64> {
        let (origin, before) = self.origin(offset)?;
        Some(origin.line + memchr::memchr_iter(b'\n', before).count() as u64)
    }

    fn may_have_field(&self, name: &str) -> bool {
        let ends = |field: &TextField| {
            let start = field.name.len().checked_sub(name.len());
            start.and_then(|start| field.name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(name))
        };
        self.fields.iter().any(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_lines_lead_back_to_the_message() {
        let raw = b"A: x\r\n y\r\nB: =3D\n\nbody\nevil";
        let mut block = MailBlock::default();
        block.begin("A", vec![]);
        block.push(b"x", 3, Origins::Exact);
        block.push(b" y", 6, Origins::Exact);
        block.end();
        block.begin("B", vec!["rfc2047"]);
        block.push(b"decoded", 13, Origins::Decoded);
        block.end();
        block.begin("body", vec![]);
        block.push(b"body\nevil", 18, Origins::Exact);
        block.end();
        block.set_lines(raw);
        let at = |needle: &str| {
            let offset = memchr::memmem::find(block.bytes(), needle.as_bytes()).unwrap();
            (block.source_offset(offset), block.line(offset))
        };
        assert_eq!(at("x"), (3, Some(1)));
        assert_eq!(at("y"), (7, Some(2)));
        assert_eq!(at("coded"), (13, Some(3)));
        assert_eq!(at("evil"), (23, Some(6)));
        let span = block.record_at(0).unwrap();
        assert_eq!(block.record(&span).fields[1].decode, ["rfc2047"]);
        assert!(block.record(&span).fields.iter().all(|field| matches!(field.value, Cow::Borrowed(_))));
        assert!(block.may_have_field("a") && !block.may_have_field("c"));
        assert!(block.record_at(block.bytes().len()).is_none());
    }
}
