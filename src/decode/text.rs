//! Plain text: every line that is not empty is a record with one field, `message`.

use std::ops::Range;
use std::sync::Arc;

use super::cutter::{LineSplitter, Sizes, cut_into_blocks};
use super::lines::{MESSAGE, Role, Syntax, last_part, text_record};
use super::marker::is_indicator_list;
use super::text_encoding::TextHead;
use super::{DecodeError, Decoder, Head, Input, Sink};
use crate::record::{Record, leading_time};

/// The decoder of plain text.
#[derive(Clone, Copy, Debug)]
pub struct Text;

impl Decoder for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn reads(&self) -> &'static str {
        "text lines: syslog, web server and application logs (UTF-8, UTF-16, Latin-1)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        TextHead::of(head).is_some()
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        if is_indicator_list(&input.head()) {
            sink.mentions_only();
        }
        let sizes = Sizes::of(sink);
        cut_into_blocks(input, sink, &mut LineSplitter::new(Arc::new(TextSyntax)), sizes)
    }
}

/// Reads records that are lines of text.
#[derive(Clone, Copy, Debug)]
pub struct TextSyntax;

impl Syntax for TextSyntax {
    fn parse<'a>(&'a self, text: &'a [u8], range: Range<usize>, _: Role) -> Record<'a> {
        let mut record = text_record(text.get(range).unwrap_or_default(), None);
        record.time = record.fields.first().and_then(|field| leading_time(&field.value));
        record
    }

    fn may_have_field(&self, name: &str, _: &[u8]) -> bool {
        last_part(name).eq_ignore_ascii_case(MESSAGE)
    }
}
