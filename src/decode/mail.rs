//! One message: its headers and bodies are one record, its attachments are members. Source: RFC 5322, 2045 to 2047, 6532.

use std::io::{self, Cursor, Read};
use std::ops::Range;

use mail_parser::parsers::MessageStream;

use super::damage::{ends_container, from_read};
use super::header_field::{self, HeaderField, Known, known, line};
use super::mail_block::{MailBlock, Origins};
use super::mime_parts::{PIECES, Part, Piece, parts};
use super::separator::{MARK, blank_bytes, date};
use super::transfer::{Base64, Damage, Transfer, base64_damage, quoted_printable, text};
use super::{Child, DecodeError, Decoder, Head, Input, Sink, bytes};
use crate::budget::{Exceeded, Limited};
use crate::problem::Reason;
use crate::record::parse_time;

/// Headers that are looked at to tell a message.
const LOOKED_AT: usize = 200;

/// Reads one message.
pub struct Mail;

impl Decoder for Mail {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn reads(&self) -> &'static str {
        "one mail message with MIME (RFC 5322, RFC 2045-2049)"
    }

    /// A message begins with two headers or more, one of them of mail only, and another that mail has; nothing else may
    /// stand among the first of them. A multipart is read as a message whatever else it says of itself.
    fn recognises(&self, head: &Head<'_>) -> bool {
        let mut at = headers_start(head.bytes);
        let (mut headers, mut of_mail, mut known_ones) = (0, 0, 0);
        while let Some((text, next)) = line(head.bytes, at).filter(|_| headers < LOOKED_AT) {
            at = next;
            if header_field::is_blank(text) {
                break;
            }
            let is_quoted_mark = text.starts_with(b">From ");
            match header_field::name(text) {
                Some(name) => {
                    headers += 1;
                    if is_multipart(text, name) {
                        return true;
                    }
                    of_mail += usize::from(known(name) == Known::Mail);
                    known_ones += usize::from(known(name) != Known::No);
                }
                None if (header_field::is_continuation(text) && headers > 0) || is_quoted_mark => {}
                // The head may end inside a line, and old gateways left stray lines.
                None if next >= head.bytes.len() && !head.is_whole => break,
                None => return of_mail >= 3,
            }
        }
        of_mail >= 1 && known_ones >= 2
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let most = sink.budget().limits().message_bytes;
        let mut raw = Vec::new();
        let cut_off = input.take(most).read_to_end(&mut raw).err();
        message(&raw, sink)?;
        if let Some(error) = cut_off {
            return Err(DecodeError::Read(error));
        }
        let end = raw.len() as u64;
        drop(raw);
        let mut rest = Counting { inner: input, bytes: 0 };
        bytes::search_runs(&mut rest, end, 2, sink)?;
        if rest.bytes > 0 {
            let limit = Exceeded { limit: "message", value: most };
            let detail = format!("{limit}; what is beyond it was searched as it stands, without decoding");
            sink.problem(Reason::Limit, &detail, Some(rest.bytes));
        }
        Ok(())
    }
}

fn is_multipart(line: &[u8], name: &[u8]) -> bool {
    let value = line.get(name.len()..).unwrap_or_default().trim_ascii_start();
    let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
    name.eq_ignore_ascii_case(b"content-type")
        && value.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/"))
}

struct Counting<'r, R> {
    inner: &'r mut R,
    bytes: u64,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Returns where the headers begin: after empty lines and the separator of a mailbox.
fn headers_start(raw: &[u8]) -> usize {
    let blank = blank_bytes(raw);
    match line(raw, blank) {
        Some((text, next)) if text.starts_with(MARK) || text.starts_with(b">From ") => next,
        _ => blank,
    }
}

fn message(raw: &[u8], sink: &mut dyn Sink) -> Result<(), DecodeError> {
    let start = headers_start(raw);
    let parts = parts(raw, start);
    let mut block = MailBlock::default();
    if let Some((text, _)) = line(raw, blank_bytes(raw)).filter(|_| start > blank_bytes(raw)) {
        let mark = memchr::memchr(b' ', text).map_or(0, |space| space + 1);
        block.begin("From_", Vec::new());
        block.push(text.get(mark..).unwrap_or_default(), blank_bytes(raw) + mark, Origins::Exact);
        block.end();
    }
    let mut members = Vec::new();
    let mut number = 0_u64;
    for piece in &parts.pieces {
        match piece {
            Piece::Part(part) => {
                part.fields.iter().for_each(|field| push_header(&mut block, raw, field));
                let Some(range) = part.body.clone() else { continue };
                number += 1;
                if push_body(&mut block, raw, part, range.clone()) == Some(Damage::Cut) {
                    let detail = format!("the base64 of part {number} of the message ends inside a group of four");
                    block.damage.get_or_insert(detail);
                }
                if is_member(part) {
                    let name = part.file_name.clone().unwrap_or_else(|| format!("part-{number}"));
                    members.push((name, part.transfer, range));
                }
            }
            Piece::Between(name, range) => push_raw(&mut block, raw, name, range.clone()),
        }
    }
    block.time = time(&block);
    block.set_lines(raw);
    if parts.is_open {
        block.damage = Some("the message ends before its last MIME boundary".to_owned());
    }
    let damage = block.damage.clone();
    sink.block(Box::new(block));
    if let Some(detail) = damage {
        sink.problem(Reason::Truncated, &detail, None);
    }
    if let Some(at) = parts.cut_at {
        let detail = format!(
            "the message holds more than {PIECES} headers and parts; from byte {at} on it was searched as it stands"
        );
        sink.problem(Reason::Limit, &detail, Some((raw.len() - at) as u64));
    }
    for (name, transfer, range) in members {
        if sink.is_cancelled() {
            return Ok(());
        }
        member(raw.get(range).unwrap_or_default(), &name, transfer, sink)?;
    }
    Ok(())
}

/// Attachments, and everything that is not text, are artifacts of their own.
fn is_member(part: &Part) -> bool {
    let is_text = part.media_type.starts_with("text/") || part.media_type.starts_with("multipart/");
    !is_text || part.is_attachment || part.file_name.is_some()
}

/// Gives an attachment to the sink.
fn member(raw: &[u8], name: &str, transfer: Transfer, sink: &mut dyn Sink) -> Result<(), DecodeError> {
    let mut content: Box<dyn Read + '_> = match transfer {
        Transfer::Base64 => Box::new(Base64::new(raw)),
        Transfer::QuotedPrintable => Box::new(Cursor::new(quoted_printable(raw).0)),
        Transfer::Identity => Box::new(raw),
    };
    let budget = sink.budget();
    let mut limited = Limited::new(&mut content, &budget, None);
    match sink.child(Child { name, content: &mut limited, claimed_size: None, decoder: None }) {
        Err(error) if ends_container(&error) => return Err(from_read(error, "the message")),
        _ => {}
    }
    Ok(())
}

/// Adds a header: decoded, and as it stands where that differs.
fn push_header(block: &mut MailBlock, raw: &[u8], field: &HeaderField) {
    let name = String::from_utf8_lossy(raw.get(field.name.clone()).unwrap_or_default()).into_owned();
    let name = if name.is_empty() { "raw".to_owned() } else { name };
    let value = raw.get(field.value.clone()).unwrap_or_default();
    let start = field.value.start + value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let prefix = raw.get(field.name.start..start).unwrap_or_default();
    if memchr::memmem::find(value, b"=?").is_some() {
        // The parser wants the line's end, and a line after it that does not go on with this one.
        let mut line = value.to_vec();
        line.push(b'\n');
        if let Some(decoded) = MessageStream::new(&line).parse_unstructured().as_text() {
            push_text(block, prefix, field.name.start);
            block.begin(name.clone(), vec!["rfc2047"]);
            block.push(decoded.as_bytes(), start, Origins::Decoded);
            block.end();
        }
    }
    // The name stands in the text, so that a pattern may ask for it, and not in the field's value.
    push_text(block, prefix, field.name.start);
    block.begin(name, Vec::new());
    let mut at = field.value.start;
    while let Some((text, next)) = line(raw, at).filter(|_| at < field.value.end) {
        // Unfolding takes out the line's end and nothing else (RFC 5322, section 2.2.3).
        let text = if at == field.value.start { text.get(start - at..).unwrap_or_default() } else { text };
        let skipped = line(raw, at).map_or(0, |(whole, _)| whole.len() - text.len());
        push_text(block, text, at + skipped);
        at = next;
    }
    block.end();
}

/// Adds a line of a header; one that is not UTF-8 is taken as Latin-1.
fn push_text(block: &mut MailBlock, bytes: &[u8], source: usize) {
    let text = text(bytes, None);
    let origins = if text.charset.is_none() { Origins::Exact } else { Origins::Decoded };
    block.push(&text.utf8, source, origins);
}

/// Adds a text body, decoded; of other parts only what is not decoded with them. Returns what is wrong with its base64.
fn push_body(block: &mut MailBlock, raw: &[u8], part: &Part, range: Range<usize>) -> Option<Damage> {
    if let Some(name) = &part.file_name {
        block.begin("filename", Vec::new());
        block.push(
            name.as_bytes(),
            part.fields.first().map_or(range.start, |field| field.name.start),
            Origins::Decoded,
        );
        block.end();
    }
    let encoded = raw.get(range.clone()).unwrap_or_default();
    let damage = if part.transfer == Transfer::Base64 { base64_damage(encoded) } else { None };
    let mut is_doubtful = damage == Some(Damage::Foreign);
    if !is_member(part) {
        is_doubtful |= push_body_text(block, encoded, part, range.start);
    }
    if is_doubtful {
        push_raw(block, raw, "raw", range);
    }
    damage
}

/// Adds a body's text. Returns whether its declared charset may be a lie.
fn push_body_text(block: &mut MailBlock, encoded: &[u8], part: &Part, start: usize) -> bool {
    let mut decode = Vec::new();
    let (bytes, lines) = match part.transfer {
        Transfer::Identity => (std::borrow::Cow::Borrowed(encoded), Vec::new()),
        Transfer::QuotedPrintable => {
            decode.push("quoted-printable");
            let (bytes, lines) = quoted_printable(encoded);
            (bytes.into(), lines)
        }
        Transfer::Base64 => {
            decode.push("base64");
            let mut bytes = Vec::new();
            let length = Base64::new(encoded).read_to_end(&mut bytes);
            debug_assert!(length.is_ok(), "a slice cannot fail to be read");
            (bytes.into(), Vec::new())
        }
    };
    let text = text(&bytes, part.charset.as_deref());
    let is_exact = part.transfer == Transfer::Identity && text.charset.is_none();
    decode.extend(text.charset);
    let name = match part.media_type.strip_prefix("text/") {
        Some("plain") | None => "body".to_owned(),
        Some(subtype) => format!("body.{subtype}"),
    };
    block.begin(name, decode);
    if text.charset.is_some() || lines.is_empty() {
        block.push(&text.utf8, start, if is_exact { Origins::Exact } else { Origins::Decoded });
    } else {
        let ends = lines.iter().skip(1).map(|(out, _)| *out).chain([text.utf8.len()]);
        for ((out, line), end) in lines.iter().zip(ends) {
            block.push(text.utf8.get(*out..end).unwrap_or_default(), start + line, Origins::Decoded);
        }
    }
    block.end();
    text.is_doubtful
}

/// Adds a stretch of the message as it stands.
fn push_raw(block: &mut MailBlock, raw: &[u8], name: &'static str, range: Range<usize>) {
    block.begin(name, Vec::new());
    push_text(block, raw.get(range.clone()).unwrap_or_default(), range.start);
    block.end();
}

/// Returns when the message was sent, by its `Date`, its envelope, or the last server that took it.
fn time(block: &MailBlock) -> Option<crate::record::EventTime> {
    let read = |text: &str| parse_time(text.trim()).or_else(|| date(text));
    let received = || block.value("Received").and_then(|value| value.rsplit(';').next()).and_then(read);
    block.value("Date").and_then(read).or_else(|| block.value("From_").and_then(date)).or_else(received)
}

#[cfg(test)]
mod tests;
