//! Encoded words of mail headers inside text: a logged subject. Source: RFC 2047, section 2.

use super::{base64, hex_digit, mend, text_runs};

/// The longest content that is looked for; the standard has 75 bytes, and some programs keep to no limit.
const MOST_BYTES: usize = 4096;

/// Undoes encoded words where they stand; white space between two of them goes, too.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut from = 0;
    let mut found = false;
    let mut words = memchr::memmem::find_iter(text, b"=?");
    while let Some(at) = words.find(|&at| at >= from) {
        let Some((word, end)) = text.get(at + 2..).and_then(encoded_word) else { continue };
        let between = text.get(from..at).unwrap_or_default();
        if !found || from == 0 || !between.iter().all(u8::is_ascii_whitespace) {
            out.extend_from_slice(between);
        }
        decode(&word, out);
        found = true;
        from = at + 2 + end;
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
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

fn decode(word: &Word<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    if word.is_base64 {
        base64::decode(word.content, out);
    } else {
        let mut at = 0;
        while let Some(&byte) = word.content.get(at) {
            let code = hex_digit(word.content.get(at + 1)).zip(hex_digit(word.content.get(at + 2)));
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
    if word.charset.len() >= 6 && word.charset.get(..6).is_some_and(|name| name.eq_ignore_ascii_case(b"utf-16")) {
        let units = out.split_off(start);
        let is_little = word.charset.len() >= 8 && word.charset.to_ascii_lowercase().ends_with(b"le");
        text_runs::push_utf16(&units, is_little || units.starts_with(&[0xff, 0xfe]), out);
    } else {
        // Charsets other than UTF-8 have ASCII where it stands there, and nothing else is looked for in them.
        mend(out, &mut Some(start));
    }
}
