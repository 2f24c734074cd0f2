//! Encoded words of mail headers inside text: a logged subject. Source: RFC 2047, section 2; RFC 2231, section 5, for the
//! language behind a charset.

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::{base64, hex_digit, mend, text_runs};

/// The longest content that is looked for; the standard has 75 bytes, and some programs keep to no limit.
const MOST_BYTES: usize = 4096;

/// Undoes encoded words where they stand, each in the charset that it names; white space between two of them goes, too.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_words(text, out, Charset::of).is_some()
}

/// Undoes encoded words as UTF-8, whatever charset they name, since the name may be wrong; false where that changes nothing.
pub(super) fn undo_as_utf8(text: &[u8], out: &mut Vec<u8>) -> bool {
    let charset = |name: &[u8]| match Charset::of(name) {
        Charset::Other(_) => Charset::Utf8,
        told => told,
    };
    // UTF-8 is what most words are in: they are not decoded for nothing.
    has_other_charset(text) && undo_words(text, out, charset).is_some()
}

/// Tells whether some word names a charset that is not undone by itself.
fn has_other_charset(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"=?").any(|at| {
        let word = text.get(at + 2..).and_then(encoded_word);
        word.is_some_and(|(word, _)| matches!(Charset::of(word.charset), Charset::Other(_)))
    })
}

fn undo_words(text: &[u8], out: &mut Vec<u8>, charset: impl Fn(&[u8]) -> Charset) -> Option<()> {
    let mut from = 0;
    let mut found = None;
    // Where the words begin in `out` that are one text in one charset: some programs cut characters in two.
    let mut open: Option<(usize, Charset)> = None;
    let mut words = memchr::memmem::find_iter(text, b"=?");
    while let Some(at) = words.find(|&at| at >= from) {
        let Some((word, end)) = text.get(at + 2..).and_then(encoded_word) else { continue };
        let charset = charset(word.charset);
        let between = text.get(from..at).unwrap_or_default();
        let adjoins = found.is_some() && between.iter().all(u8::is_ascii_whitespace);
        if !(adjoins && charset.goes_on() && open.is_some_and(|(_, before)| before == charset)) {
            close(&mut open, out);
            if !adjoins {
                out.extend_from_slice(between);
            }
            open = Some((out.len(), charset));
        }
        word.push_bytes(out);
        found = Some(());
        from = at + 2 + end;
    }
    close(&mut open, out);
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
}

/// Turns the bytes of words into text.
fn close(open: &mut Option<(usize, Charset)>, out: &mut Vec<u8>) {
    match open.take() {
        Some((start, Charset::Utf8)) => mend(out, &mut Some(start)),
        Some((start, Charset::Utf16 { is_little })) => {
            let units = out.split_off(start);
            text_runs::push_utf16(&units, is_little || units.starts_with(&[0xff, 0xfe]), out);
        }
        Some((start, Charset::Other(encoding))) => {
            let bytes = out.split_off(start);
            out.extend_from_slice(encoding.decode_without_bom_handling(&bytes).0.as_bytes());
        }
        None => {}
    }
}

/// How the bytes of a word are characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    /// UTF-8, and what is not known: ASCII stands in it as it is, and nothing else is looked for.
    Utf8,
    Utf16 {
        is_little: bool,
    },
    Other(&'static Encoding),
}

impl Charset {
    fn of(name: &[u8]) -> Self {
        let name = name.split(|&byte| byte == b'*').next().unwrap_or_default();
        match Encoding::for_label(name) {
            Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
                // `utf-16` alone: its byte order mark tells, else the high byte comes first. Source: RFC 2781, section 4.3.
                Self::Utf16 { is_little: encoding == UTF_16LE && !name.eq_ignore_ascii_case(b"utf-16") }
            }
            Some(encoding) if encoding != UTF_8 && encoding != REPLACEMENT => Self::Other(encoding),
            _ => Self::Utf8,
        }
    }

    /// Tells whether a character may be cut in two by the end of a word. Where a word begins in a state of its own, none is.
    fn goes_on(self) -> bool {
        match self {
            Self::Utf8 => true,
            Self::Utf16 { .. } => false,
            Self::Other(encoding) => encoding != ISO_2022_JP && !encoding.is_single_byte(),
        }
    }
}

struct Word<'t> {
    charset: &'t [u8],
    is_base64: bool,
    content: &'t [u8],
}

/// Reads `charset?B?content?=`, and returns its length with it.
fn encoded_word(text: &[u8]) -> Option<(Word<'_>, usize)> {
    let charset_length = text.iter().take(64).position(|&byte| byte == b'?')?;
    let charset =
        text.get(..charset_length).filter(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic))?;
    let is_base64 = match text.get(charset_length + 1)? {
        b'B' | b'b' => true,
        b'Q' | b'q' => false,
        _ => return None,
    };
    let content_start = charset_length + 3;
    let content = text.get(content_start..).filter(|_| text.get(charset_length + 2) == Some(&b'?'))?;
    let within = content.get(..content.len().min(MOST_BYTES))?;
    let length = memchr::memmem::find(within, b"?=")?;
    let content = content.get(..length).filter(|content| !content.contains(&b'\n'))?;
    Some((Word { charset, is_base64, content }, content_start + length + 2))
}

impl Word<'_> {
    /// Appends the bytes that the content stands for.
    fn push_bytes(&self, out: &mut Vec<u8>) {
        if self.is_base64 {
            return base64::decode(self.content, out);
        }
        let mut at = 0;
        while let Some(&byte) = self.content.get(at) {
            let code = hex_digit(self.content.get(at + 1)).zip(hex_digit(self.content.get(at + 2)));
            match (byte, code) {
                (b'=', Some((high, low))) => {
                    out.push(high << 4 | low);
                    at += 3;
                }
                _ => {
                    out.push(if byte == b'_' { b' ' } else { byte });
                    at += 1;
                }
            }
        }
    }
}
