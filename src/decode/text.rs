//! Plain text: every line that is not empty is a record with one field, `message`; what was wrapped at its end, as tokens
//! are, is in a second one, joined.

use std::ops::Range;
use std::sync::Arc;

use super::cutter::{LineSplitter, Sizes, cut_into_blocks};
use super::lines::{MESSAGE, Role, Syntax, last_part, text_record};
use super::marker::is_indicator_list;
use super::text_encoding::TextHead;
use super::{DecodeError, Decoder, Head, Input, Sink};
use crate::record::{Field, Record, leading_time};

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
        let mut record = text_record(text.get(range.clone()).unwrap_or_default(), None);
        record.time = record.fields.first().and_then(|field| leading_time(&field.value));
        if let Some(joined) = wrapped(text, range) {
            record.fields.push(Field { name: MESSAGE.into(), value: joined.into(), decode: vec!["lines"] });
        }
        record
    }

    fn may_have_field(&self, name: &str, _: &[u8]) -> bool {
        last_part(name).eq_ignore_ascii_case(MESSAGE)
    }
}

/// From this length on, the end of a line may go on in the next one: mail programs and editors wrap at 60 to 80.
const WRAPPED_MIN: usize = 40;
/// Lines that are longer are not wrapped.
const WIDTH_MAX: usize = 200;
/// How much is joined. Source: the longest tokens seen have some 4 KiB.
const WRAPPED_MAX: usize = 64 * 1024;

/// Joins the word at the end of a line with the lines behind it that are no longer and hold nothing but more of it, as a
/// token looks that was wrapped. None where nothing goes on.
fn wrapped(text: &[u8], line: Range<usize>) -> Option<String> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=');
    let bytes = text.get(line.clone()).filter(|bytes| bytes.len() <= WIDTH_MAX)?;
    let tail = bytes.iter().rev().take_while(|byte| is_part(byte)).count();
    let word = bytes.get(bytes.len() - tail..).filter(|word| word.len() >= WRAPPED_MIN)?;
    let mut joined = String::from_utf8_lossy(word).into_owned();
    let length = joined.len();
    let mut lines = text.get(line.end..)?.split(|byte| *byte == b'\n').skip(1);
    while let Some(next) = lines.next().map(<[u8]>::trim_ascii)
        && !next.is_empty()
        && next.len() <= bytes.len()
        && next.iter().all(is_part)
        // Here another token begins.
        && !next.starts_with(b"eyJ")
        && joined.len() + next.len() <= WRAPPED_MAX
    {
        joined.push_str(&String::from_utf8_lossy(next));
    }
    (joined.len() > length).then_some(joined)
}
