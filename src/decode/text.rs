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
use crate::text::{JOINED_BYTES, goes_on, is_middle, last_word, line_before, may_go_on};

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
        let joined = joined(text, range);
        if let Some(joined) = joined {
            record.fields.push(Field { name: MESSAGE.into(), value: joined.into(), decode: vec!["lines"] });
        }
        record
    }

    fn may_have_field(&self, name: &str, _: &[u8]) -> bool {
        last_part(name).eq_ignore_ascii_case(MESSAGE)
    }

    fn goes_on(&self, line: &[u8]) -> bool {
        may_go_on(line)
    }
}

/// Joins the word at the end of a line with what of it stands in the lines behind, as a token or base64 looks that was
/// wrapped, or a word with soft line breaks. None where nothing goes on, or where the line is the middle of such a word.
fn joined(text: &[u8], line: Range<usize>) -> Option<String> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let bytes = text.get(line.clone()).filter(|bytes| may_go_on(bytes))?;
    let is_within = || line_before(text, line.start).is_some_and(|before| is_middle(before, bytes));
    if !bytes.trim_ascii().iter().any(is_space) && is_within() {
        return None;
    }
    let is_soft = bytes.ends_with(b"=");
    let word = if is_soft { bytes.rsplit(is_space).next().unwrap_or_default() } else { last_word(bytes) };
    let mut joined = word.to_vec();
    let mut last = bytes;
    for next in text.get(line.end..)?.split_inclusive(|byte| *byte == b'\n').skip(1) {
        let next = next.trim_ascii();
        if !goes_on(last, next) || joined.len() + next.len() > JOINED_BYTES {
            break;
        }
        if last.ends_with(b"=") {
            joined.push(b'\n');
        }
        let rest = next.split(is_space).next().unwrap_or_default();
        joined.extend_from_slice(rest);
        if rest.len() < next.len() {
            break;
        }
        last = next;
    }
    (joined.len() > word.len()).then(|| String::from_utf8_lossy(&joined).into_owned())
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
            assert_eq!(joined(&text, "see"), Some("http://evil-co=\nrp.exa=\nmple/".to_owned()));
            assert_eq!(joined(&text, "rp.exa"), None, "the middle of a word");
            assert_eq!(joined(&text, "mple"), Some("a.b=\nczz".to_owned()));
            assert_eq!((joined(&text, "czz"), joined(&text, "last")), (None, None));
        }
        assert_eq!(joined("a=\n\nb", "a"), None);
        let line = "0123456789".repeat(5);
        assert_eq!(joined(&format!("{line}\nevil=\n.test x\n"), "evil"), Some("evil=\n.test".to_owned()));
        let long = format!("{line}\n{line}=\n.test x\n");
        assert_eq!(joined(&long, &line), Some(format!("{line}{line}=\n.test")));
    }

    #[test]
    fn what_was_wrapped_is_joined_where_it_begins() {
        let line = "0123456789".repeat(6);
        let text = format!("Bearer {line}\n{line}xyz\r\nabc\nnext\n{line} x\n{line}\neyJ{line}\n");
        assert_eq!(joined(&text, "Bearer"), Some(format!("{line}{line}xyzabc")));
        assert_eq!((joined(&text, "abc"), joined(&text, "next")), (None, None));
        assert_eq!(joined(&text[7..], &format!("{line}xyz")), None, "the middle of it");
        assert_eq!(joined(&text, "eyJ"), None);
        assert_eq!(joined(&format!("{line}\n\t{line}\n"), &line), Some(line.repeat(2)));
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
