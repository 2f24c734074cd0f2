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
        let joined = broken(text, range.clone()).or_else(|| wrapped(text, range));
        if let Some(joined) = joined {
            record.fields.push(Field { name: MESSAGE.into(), value: joined.into(), decode: vec!["lines"] });
        }
        record
    }

    fn may_have_field(&self, name: &str, _: &[u8]) -> bool {
        last_part(name).eq_ignore_ascii_case(MESSAGE)
    }

    fn goes_on(&self, line: &[u8]) -> bool {
        line.ends_with(b"=") || last_word(line).len() >= WRAPPED_MIN
    }
}

/// Returns the word that soft line breaks part at the end of a line and behind it, as quoted-printable has them; none where
/// the line does not end so, or is itself the middle of such a word. Source: RFC 2045, section 6.7.
fn broken(text: &[u8], line: Range<usize>) -> Option<String> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let bytes = text.get(line.clone()).filter(|bytes| bytes.ends_with(b"="))?;
    let word = bytes.iter().rposition(is_space).map_or(0, |space| space + 1);
    let before = text.get(..line.start).unwrap_or_default();
    if word == 0 && (before.ends_with(b"=\n") || before.ends_with(b"=\r\n")) {
        return None;
    }
    let start = line.start + word;
    let mut end = line.end;
    for next in text.get(line.end..)?.split_inclusive(|byte| *byte == b'\n').skip(1) {
        let content = next.trim_ascii_end();
        if content.is_empty() || end + content.len() - start > WRAPPED_MAX {
            break;
        }
        let goes_on = content.iter().position(is_space);
        let next_start = text.get(end..)?.iter().position(|byte| *byte == b'\n')? + end + 1;
        end = next_start + goes_on.unwrap_or(content.len());
        if goes_on.is_some() || !content.ends_with(b"=") {
            break;
        }
    }
    (end > line.end).then(|| String::from_utf8_lossy(text.get(start..end).unwrap_or_default()).into_owned())
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
    let bytes = text.get(line.clone()).filter(|bytes| bytes.len() <= WIDTH_MAX)?;
    let word = Some(last_word(bytes)).filter(|word| word.len() >= WRAPPED_MIN)?;
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

/// Tells whether tokens and base64 are made of this byte.
fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=')
}

/// Returns what of a token may stand at the end of a line.
fn last_word(line: &[u8]) -> &[u8] {
    let length = line.iter().rev().take_while(|byte| is_part(byte)).count();
    line.get(line.len() - length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::cutter::{More, Splitter};
    use super::*;

    fn joined(text: &str, from: &str) -> Option<String> {
        let start = text.find(from).unwrap();
        let end = text[start..].find(['\r', '\n']).map_or(text.len(), |end| start + end);
        let record = TextSyntax.parse(text.as_bytes(), start..end, Role::Record);
        record.fields.get(1).map(|field| field.value.clone().into_owned())
    }

    #[test]
    fn a_word_that_soft_breaks_part_is_joined_where_it_begins() {
        for end in ["\n", "\r\n"] {
            let text = ["see http://evil-co=", "rp.exa=", "mple/ now =3D a.b=", "czz", "last="].join(end);
            assert_eq!(joined(&text, "see"), Some(["http://evil-co=", "rp.exa=", "mple/"].join(end)));
            assert_eq!(joined(&text, "rp.exa"), None, "the middle of a word");
            assert_eq!(joined(&text, "mple"), Some(format!("a.b={end}czz")));
            assert_eq!((joined(&text, "czz"), joined(&text, "last")), (None, None));
        }
        assert_eq!(joined("a=\n\nb", "a"), None);
    }

    #[test]
    fn a_text_is_not_cut_inside_a_word_that_goes_on() {
        let mut splitter = LineSplitter::new(Arc::new(TextSyntax));
        let word = "0123456789".repeat(4);
        let mut cut = |text: &str| splitter.cut(text.as_bytes(), More::MayFollow).consumed;
        assert_eq!(cut("one\ntwo\nthr"), 8);
        assert_eq!(cut(&format!("one\nx {word}\n{word}\r\nthr")), 4);
        assert_eq!(cut("one\nevil=\r\n.exa=\nmple"), 4);
        let all = format!("{word}\n").repeat(3);
        assert_eq!(cut(&all), all.len(), "nothing ends");
    }
}
