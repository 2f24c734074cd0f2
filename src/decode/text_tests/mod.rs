//! What the decoders of text formats give, whatever the size of their blocks.

mod csv;
mod damage;
mod faults;
mod json;
mod lines;
mod logs;

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use super::buffer::BLOCK_BYTES;
use super::csv_cells::Dialect;
use super::csv_splitter::CsvSplitter;
use super::cutter::{LineSplitter, Sizes, Splitter, cut_into_blocks};
use super::text_encoding::TextHead;
use super::{Child, DECODERS, DecodeError, Input, Sink};
use crate::budget::{Budget, Limits};
use crate::problem::Reason;
use crate::record::Block;

/// Keeps blocks.
#[derive(Default)]
struct Blocks {
    blocks: Vec<Box<dyn Block>>,
    is_list: bool,
    cancel_after: Option<usize>,
    problems: Vec<(Reason, String)>,
}

impl Sink for Blocks {
    fn block(&mut self, block: Box<dyn Block>) {
        self.blocks.push(block);
    }
    fn child(&mut self, _: Child<'_>) -> io::Result<()> {
        panic!("no text format has members");
    }
    fn unopened(&mut self, _: &str, _: Reason, _: &str, _: Option<u64>) {
        panic!("no text format has members");
    }
    fn problem(&mut self, reason: Reason, detail: &str, _: Option<u64>) {
        self.problems.push((reason, detail.to_owned()));
    }
    fn mentions_only(&mut self) {
        self.is_list = true;
    }
    fn budget(&self) -> Arc<Budget> {
        Arc::new(Budget::new(Limits::default()))
    }
    fn file_name(&self) -> String {
        "sample".to_owned()
    }
    fn is_cancelled(&self) -> bool {
        self.cancel_after.is_some_and(|most| self.blocks.len() >= most)
    }
}

/// One record, as a reader of a report would see it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    number: u64,
    line: u64,
    offset: u64,
    text: String,
    fields: Vec<(String, String)>,
    time: Option<String>,
    damage: Option<String>,
}

impl Seen {
    fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("(none)", |(_, value)| value)
    }

    fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
}

fn see(blocks: &[Box<dyn Block>]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for block in blocks {
        let mut offset = 0;
        while offset < block.bytes().len() {
            let Some(span) = block.record_at(offset) else {
                offset += 1;
                continue;
            };
            assert_eq!(block.record_at(span.range.end - 1), Some(span.clone()));
            let record = block.record(&span);
            for field in &record.fields {
                let name = field.name.rsplit('.').next().unwrap();
                assert!(block.may_have_field(&field.name), "{name}");
            }
            seen.push(Seen {
                number: span.number,
                line: block.line(span.range.start).unwrap(),
                offset: block.source_offset(span.range.start),
                text: String::from_utf8_lossy(&block.bytes()[span.range.clone()]).into_owned(),
                fields: record.fields.iter().map(|f| (f.name.to_string(), f.value.to_string())).collect(),
                time: record.time.map(|time| time.to_text()),
                damage: record.damage,
            });
            offset = span.range.end.max(offset + 1);
        }
    }
    seen
}

fn splitter_of(bytes: &[u8]) -> (Box<dyn Splitter>, &'static str) {
    let mut reader = Cursor::new(bytes);
    let input = Input::new(&mut reader);
    let name = DECODERS.iter().find(|d| d.recognises(&input.head())).map_or("none", |d| d.name());
    let head = TextHead::of(&input.head()).expect("text");
    let splitter: Box<dyn Splitter> = match name {
        "json" => super::json::Shape::of(&head).unwrap().splitter(),
        "w3c" => Box::new(super::w3c::W3cSplitter::default()),
        "csv" => {
            let dialect = Dialect::of(&head).unwrap();
            Box::new(CsvSplitter::new(Arc::new(super::csv::CsvSyntax { dialect: dialect.clone() }), dialect))
        }
        _ => Box::new(LineSplitter::new(Arc::new(super::text::TextSyntax))),
    };
    (splitter, name)
}

fn cut(bytes: &[u8], sizes: Sizes) -> Vec<Box<dyn Block>> {
    let mut sink = Blocks::default();
    let mut reader = Cursor::new(bytes);
    let mut splitter = splitter_of(bytes).0;
    cut_into_blocks(&mut Input::new(&mut reader), &mut sink, splitter.as_mut(), sizes).unwrap();
    sink.blocks
}

/// Reads a sample in blocks of every size, sees that they agree, and returns its records.
fn records(bytes: &[u8], decoder: &str) -> Vec<Seen> {
    assert_eq!(splitter_of(bytes).1, decoder, "{}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    let whole = cut(bytes, Sizes { block_bytes: BLOCK_BYTES, record_bytes: 1 << 20 });
    let expected = see(&whole);
    assert_eq!(whole.iter().map(|b| b.records()).sum::<u64>(), expected.len() as u64);
    assert!(expected.iter().map(|seen| seen.number).eq(1..=expected.len() as u64), "{expected:#?}");
    let most = bytes.len().min(600) + 2;
    for block_bytes in (1..most).chain([bytes.len(), bytes.len() + 1]) {
        let blocks = cut(bytes, Sizes { block_bytes, record_bytes: 1 << 20 });
        let seen = see(&blocks);
        assert_eq!(seen, expected, "blocks of {block_bytes}");
        assert_eq!(blocks.iter().map(|b| b.records()).sum::<u64>(), expected.len() as u64);
    }
    expected
}

/// Fails after its bytes.
struct Breaks<'b>(&'b [u8]);

impl Read for Breaks<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 => Err(io::Error::other("the disk is gone")),
            n => Ok(n),
        }
    }
}

#[test]
fn what_was_read_before_an_error_is_given() {
    let text = "first line\nsecond line\nthird, cut o";
    for decoder in ["whole", "small"] {
        let mut sink = Blocks::default();
        let mut reader = Breaks(text.as_bytes());
        let mut input = Input::new(&mut reader);
        let block_bytes = if decoder == "whole" { BLOCK_BYTES } else { 4 };
        let mut splitter = LineSplitter::new(Arc::new(super::text::TextSyntax));
        let sizes = Sizes { block_bytes, record_bytes: 1 << 20 };
        let error = cut_into_blocks(&mut input, &mut sink, &mut splitter, sizes).unwrap_err();
        assert!(matches!(error, DecodeError::Read(_)));
        assert_eq!(see(&sink.blocks).last().map(|seen| seen.text.clone()).as_deref(), Some("third, cut o"));
    }
}

#[test]
fn a_stop_is_obeyed_between_blocks() {
    let mut sink = Blocks { cancel_after: Some(2), ..Blocks::default() };
    let text = "line\n".repeat(100);
    let mut reader = Cursor::new(text.as_bytes());
    let mut splitter = LineSplitter::new(Arc::new(super::text::TextSyntax));
    let sizes = Sizes { block_bytes: 10, record_bytes: 100 };
    cut_into_blocks(&mut Input::new(&mut reader), &mut sink, &mut splitter, sizes).unwrap();
    assert_eq!(sink.blocks.len(), 2);
}

#[test]
fn a_list_of_indicators_says_so_before_its_records() {
    for (text, expected) in [
        (r#"{"type":"bundle","id":"b","objects":[{"type":"indicator","pattern":"[a]"}]}"#, true),
        ("format: stormglass/1\nindicators: []\n", true),
        (r#"{"Operation":"Send"}"#, false),
        ("type,value\nip,192.0.2.1\n", false),
    ] {
        let mut sink = Blocks::default();
        let mut reader = Cursor::new(text.as_bytes());
        let mut input = Input::new(&mut reader);
        let decoder = DECODERS.iter().find(|d| d.recognises(&input.head())).unwrap();
        decoder.decode(&mut input, &mut sink).unwrap();
        assert_eq!(sink.is_list, expected, "{text}");
    }
}
