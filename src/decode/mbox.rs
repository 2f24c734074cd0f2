//! Mailboxes in one file: messages one after the other, each behind a `From ` line. Source: RFC 4155.
//!
//! A message keeps its separator as its first line, so that the envelope's sender and date are searched with it, and
//! its bytes stay as they are: `>From ` is not undone.

use std::io::{self, Read};

use super::damage::{ends_container, from_read};
use super::header_field::line;
use super::mail::Mail;
use super::separator::{MARK, SEPARATOR_BYTES, blank_bytes, is_separator};
use super::{Child, DecodeError, Decoder, Head, Input, Sink};
use crate::budget::{Limited, exceeded};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// What must be seen from a candidate on: the line itself and the start of the next.
const CANDIDATE_BYTES: usize = 2 * SEPARATOR_BYTES;
/// A separator with the end of the line before it.
const BETWEEN: &[u8] = b"\nFrom ";
/// How far `Content-Length` is followed to see whether it is true, where a separator stands before its end.
const LENGTH_BYTES: u64 = 4 << 20;

/// Reads mailboxes in the mbox formats.
pub struct Mbox;

impl Decoder for Mbox {
    fn name(&self) -> &'static str {
        "mbox"
    }

    fn reads(&self) -> &'static str {
        "mailboxes: mboxo, mboxrd, mboxcl (RFC 4155)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let bytes = head.bytes.get(blank_bytes(head.bytes)..).unwrap_or_default();
        starts_with_separator(bytes, true)
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let budget = sink.budget();
        let mut splitter = Splitter::new(input);
        let mut number = 0_u64;
        while !sink.is_cancelled() && splitter.next_message().map_err(|error| from_read(error, "the mailbox"))? {
            number += 1;
            let name = format!("message-{number}");
            let mut content = Limited::new(&mut splitter, &budget, None);
            let child = Child { name: &name, content: &mut content, claimed_size: None, decoder: Some(&Mail) };
            match sink.child(child) {
                Err(error) if ends_container(&error) || exceeded(&error).is_none() => {
                    return Err(from_read(error, "the mailbox"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn starts_with_separator(bytes: &[u8], after_blank: bool) -> bool {
    let Some((first, next)) = line(bytes, 0) else { return false };
    is_separator(first, line(bytes, next).map_or(&[][..], |(line, _)| line), after_blank)
}

/// Reads one message at a time, to the next separator.
struct Splitter<R> {
    reader: R,
    window: Vec<u8>,
    /// Bytes of the window that were given out.
    used: usize,
    /// Bytes of the window, after `used`, that are known to be of this message.
    known: usize,
    /// The last bytes that were given out.
    before: [u8; 3],
    is_first: bool,
    is_started: bool,
    is_end: bool,
    /// What ended the reading; returned after the bytes before it.
    failed: Option<io::Error>,
    /// How many more bytes the message has, by its `Content-Length`; none where it has none or a false one.
    length: Option<u64>,
    /// Set once the end that `length` gives has been seen to be one.
    is_length_true: bool,
}

impl<R: Read> Splitter<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            window: Vec::new(),
            used: 0,
            known: 0,
            before: *b"\n\n\n",
            is_first: true,
            is_started: false,
            is_end: false,
            failed: None,
            length: None,
            is_length_true: false,
        }
    }

    /// Goes to the next message; false if there is none.
    fn next_message(&mut self) -> io::Result<bool> {
        if self.is_started {
            io::copy(self, &mut io::sink())?;
            self.fill(CHUNK_BYTES);
        } else {
            self.is_started = true;
            self.fill(CHUNK_BYTES);
            self.used = blank_bytes(self.rest());
        }
        (self.is_first, self.is_length_true) = (true, false);
        self.length = content_length(self.rest());
        match self.failed.take() {
            Some(error) if self.rest().is_empty() => Err(error),
            failed => {
                self.failed = failed;
                Ok(!self.rest().is_empty())
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.window.get(self.used..).unwrap_or_default()
    }

    /// Reads until `bytes` are held, or the end.
    fn fill(&mut self, bytes: usize) {
        if self.is_end || self.rest().len() >= bytes {
            return;
        }
        self.window.drain(..self.used);
        self.used = 0;
        let wanted = bytes.max(CHUNK_BYTES) - self.window.len();
        let held = self.window.len();
        self.failed = (&mut self.reader).take(wanted as u64).read_to_end(&mut self.window).err();
        self.is_end = self.failed.is_some() || self.window.len() < held + wanted;
    }

    /// Finds out how many of the held bytes are of this message; leaves `known` at 0 at its end.
    fn look(&mut self) {
        self.fill(CANDIDATE_BYTES);
        let is_line_start = self.before.ends_with(b"\n");
        if is_line_start && !self.is_first && self.rest().starts_with(MARK) {
            let after_blank = self.before.ends_with(b"\n\n") || self.before == *b"\n\r\n";
            if starts_with_separator(self.rest(), after_blank) && !self.is_inside_length() {
                return;
            }
        }
        let rest = self.rest();
        self.known = match memchr::memmem::find(rest, BETWEEN) {
            Some(at) => at + 1,
            None if self.is_end => rest.len(),
            None => rest.len().saturating_sub(BETWEEN.len()),
        };
        self.is_first = false;
    }

    /// Tells whether `Content-Length` makes a separator part of the message: only if its end is one.
    fn is_inside_length(&mut self) -> bool {
        let Some(length) = self.length.filter(|length| *length > 0) else { return false };
        if self.is_length_true {
            return true;
        }
        let Some(bytes) = usize::try_from(length).ok().filter(|_| length <= LENGTH_BYTES) else { return false };
        self.fill(bytes + CANDIDATE_BYTES);
        let after = self.rest().get(bytes..);
        self.is_length_true = after.is_some_and(|after| {
            let blank = blank_bytes(after);
            blank == after.len() || after.get(blank..).is_some_and(|after| starts_with_separator(after, true))
        });
        if !self.is_length_true {
            self.length = None;
        }
        self.is_length_true
    }
}

impl<R: Read> Read for Splitter<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.known == 0 {
            self.look();
        }
        if self.rest().is_empty()
            && let Some(error) = self.failed.take()
        {
            return Err(error);
        }
        let n = self.known.min(buf.len());
        let held = self.window.get(self.used..self.used + n).unwrap_or_default();
        for (to, from) in buf.iter_mut().zip(held) {
            *to = *from;
        }
        for byte in held.iter().skip(n.saturating_sub(3)) {
            let [_, b, c] = self.before;
            self.before = [b, c, *byte];
        }
        self.used += n;
        self.known -= n;
        self.length = self.length.map(|length| length.saturating_sub(n as u64));
        Ok(n)
    }
}

/// Returns the bytes of the message from here on, where its headers tell the length of its body.
fn content_length(head: &[u8]) -> Option<u64> {
    let (_, start) = line(head, 0)?;
    let (fields, body) = super::header_field::fields(head, start, head.len());
    let field = fields
        .iter()
        .find(|field| head.get(field.name.clone()).is_some_and(|name| name.eq_ignore_ascii_case(b"content-length")))?;
    let value = std::str::from_utf8(head.get(field.value.clone())?).ok()?;
    Some(value.trim().parse::<u64>().ok()?.saturating_add(body as u64))
}

#[cfg(test)]
mod tests;
