//! JSON: one value a line, concatenated values, arrays and the arrays inside an envelope, element by element.
//!
//! Source: RFC 8259, jsonlines.org. A record is a value of the stream, an element of a top-level array, or an element of
//! the array in an envelope: `value` (Graph), `Records`, `records` (CloudTrail, Azure Monitor), `log.entries` (HTTP
//! Archive). What stands around such an array, such as `@odata.nextLink`, is a record of its own. Of any other object
//! that is longer than the limit for a record, the first array of objects is taken apart in the same way.
//!
//! Names and values are made in `record/json.rs`.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::cutter::{Cut, Fault, LineSplitter, More, Sizes, Splitter, cut_into_blocks};
use super::json_splitter::JsonSplitter;
use super::lines::{Layout, MESSAGE, Role, Syntax, holds_ignoring_case, last_part};
use super::marker::is_indicator_list;
use super::text_encoding::TextHead;
use super::{DecodeError, Decoder, Head, Input, Sink};
use crate::problem::Reason;
use crate::record::{Field, JsonError, Layer, Record, event_time, flatten_json, flatten_json_envelope, readable};

/// The decoder of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Decoder for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn reads(&self) -> &'static str {
        "JSON Lines, JSON arrays and concatenated JSON values (RFC 8259)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        TextHead::of(head).is_some_and(|head| Shape::of(&head).is_some())
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        if is_indicator_list(&input.head()) {
            sink.mentions_only();
        }
        let shape = TextHead::of(&input.head()).and_then(|head| Shape::of(&head));
        let sizes = Sizes::of(sink);
        cut_into_blocks(input, sink, shape.unwrap_or(Shape::Stream).splitter().as_mut(), sizes)
    }
}

/// How the values of an artifact are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each line is one value.
    Lines,
    /// Values of any layout.
    Stream,
}

impl Shape {
    /// Recognises JSON by its first values; none where it is not JSON.
    pub fn of(head: &TextHead<'_>) -> Option<Self> {
        let text = head.text.trim_ascii_start();
        if !matches!(text.first(), Some(b'{' | b'[')) {
            return None;
        }
        let mut lines = head.lines().filter(|line| !line.trim_ascii().is_empty());
        let first = lines.next().unwrap_or_default();
        if is_object(first)
            && !is_envelope(first)
            && lines.next().is_none_or(|line| line.trim_ascii().starts_with(b"{"))
        {
            return Some(Self::Lines);
        }
        match flatten_json(&Layer::record(text), "", &mut Vec::new()) {
            Ok(()) => Some(Self::Stream),
            Err(JsonError::Ends { .. }) if !head.is_whole => Some(Self::Stream),
            Err(JsonError::TooLarge) => Some(Self::Stream),
            // Cut off, but not a text that merely begins with a bracket: some member must be whole.
            Err(JsonError::Ends { .. }) => (has_member(text) || begins_member(text)).then_some(Self::Stream),
            Err(JsonError::Unexpected { offset }) => {
                if text.get(offset..).is_some_and(begins_value) && is_value(text.get(..offset)) {
                    return Some(Self::Stream);
                }
                // A first line that is damaged does not make the others less than JSON.
                if lines.take(8).filter(|line| is_object(line)).count() >= 2 {
                    return Some(Self::Lines);
                }
                // A fault inside a value damages that value; behind one, this is a text that begins with a value.
                (!is_value(text.get(..offset)) && has_member(text)).then_some(Self::Stream)
            }
        }
    }

    /// Returns the splitter for this layout.
    pub fn splitter(self) -> Box<dyn Splitter> {
        let syntax = Arc::new(JsonSyntax);
        match self {
            Self::Lines => Box::new(JsonLines::new(syntax)),
            Self::Stream => Box::new(JsonSplitter::new(syntax)),
        }
    }
}

fn is_value(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| flatten_json(&Layer::record(text), "", &mut Vec::new()).is_ok())
}

fn is_object(line: &[u8]) -> bool {
    line.trim_ascii().starts_with(b"{") && is_value(Some(line))
}

fn begins_value(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    matches!(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).first(), Some(b'{' | b'['))
}

fn has_member(text: &[u8]) -> bool {
    let mut fields = Vec::new();
    flatten_json(&Layer::record(text), "", &mut fields).ok();
    fields.iter().any(|field| !field.name.is_empty())
}

/// Tells whether a text begins with the name of a member and its colon, or a string in an array.
fn begins_member(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let inner = text.strip_prefix(b"[").unwrap_or(text).trim_ascii_start();
    let Some(object) = inner.strip_prefix(b"{") else { return inner.starts_with(b"\"") && inner.len() < text.len() };
    let mut parts = object.trim_ascii_start().splitn(3, |&b| b == b'"');
    let is_name = parts.next().is_some_and(<[u8]>::is_empty) && parts.next().is_some_and(|name| !name.is_empty());
    is_name && parts.next().is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
}

/// Cuts JSON Lines, and tells whether the last line is cut off.
struct JsonLines {
    lines: LineSplitter,
    /// Whether the start of the open line was given away.
    is_inside: bool,
    faults: Vec<Fault>,
}

impl JsonLines {
    fn new(syntax: Arc<dyn Syntax>) -> Self {
        Self { lines: LineSplitter::new(syntax), is_inside: false, faults: Vec::new() }
    }

    fn is_cut_off(&self, line: &[u8]) -> bool {
        if self.is_inside {
            // A line that is longer than the limit is not parsed again; a whole one ends as an object does.
            return !line.ends_with(b"}");
        }
        let ends = || flatten_json(&Layer::record(line), "", &mut Vec::new());
        matches!(line.first(), Some(b'{' | b'[')) && matches!(ends(), Err(JsonError::Ends { .. }))
    }
}

impl Splitter for JsonLines {
    fn cut(&mut self, text: &[u8], more: More) -> Cut {
        let cut = self.lines.cut(text, more);
        let is_last = more == More::None && !text.is_empty();
        if is_last && !text.ends_with(b"\n") {
            let start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
            self.is_inside &= start == 0;
            if self.is_cut_off(text.get(start..).unwrap_or_default().trim_ascii()) {
                let detail = "the last line ends inside a JSON object";
                self.faults.push(Fault { reason: Reason::Truncated, at: text.len(), detail });
            }
        }
        self.is_inside &= cut.consumed == 0;
        cut
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    fn give_in(&mut self, text: &[u8]) -> bool {
        self.lines.give_in(text)
    }

    fn forget(&mut self, bytes: usize) {
        self.is_inside = true;
        self.lines.forget(bytes);
    }

    fn syntax(&mut self, text: &[u8]) -> Arc<dyn Syntax> {
        self.lines.syntax(text)
    }
}

/// Tells whether a line holds an array of records in an envelope.
fn is_envelope(line: &[u8]) -> bool {
    let mut splitter = JsonSplitter::new(Arc::new(JsonSyntax));
    match splitter.cut(line, More::None).layout {
        Layout::Pieces(pieces) => {
            let begin = line.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
            pieces.len() != 1 || pieces.first().is_some_and(|piece| piece.range.start != begin)
        }
        Layout::Lines { .. } => false,
    }
}

/// Reads records that are JSON values.
#[derive(Clone, Copy, Debug)]
pub struct JsonSyntax;

impl Syntax for JsonSyntax {
    fn parse<'a>(&'a self, text: &'a [u8], range: Range<usize>, role: Role) -> Record<'a> {
        let bytes = text.get(range).unwrap_or_default();
        let layer = Layer::record(bytes);
        let mut fields = Vec::new();
        let mut damage = None;
        if role == Role::Envelope {
            flatten_json_envelope(&layer, &mut fields);
        } else if let Err(error) = flatten_json(&layer, "", &mut fields) {
            damage = Some(format!("partial record: {}; searched as text", describe(error)));
            fields.push(Field::plain(MESSAGE, readable(bytes)));
        }
        let time = event_time(&fields);
        Record { fields, time, damage }
    }

    fn may_have_field(&self, name: &str, text: &[u8]) -> bool {
        let name = last_part(name);
        name.eq_ignore_ascii_case(MESSAGE) || holds_name(text, name)
    }
}

/// Tells whether a name may stand in a text that holds JSON: as it is, or with letters written as `\u00xx`.
pub fn holds_name(text: &[u8], name: &str) -> bool {
    holds_ignoring_case(text, name.as_bytes())
        || memmem::find_iter(text, b"\\u00").any(|at| matches!(text.get(at + 4), Some(b'3'..=b'7')))
}

/// Says what is wrong with a value.
pub fn describe(error: JsonError) -> String {
    match error {
        JsonError::Ends { offset } => format!("the JSON ends too early, after {offset} bytes"),
        JsonError::Unexpected { offset } => format!("not JSON at byte {offset} of the record"),
        JsonError::TooLarge => "the JSON has more levels or fields than are read".to_owned(),
    }
}
