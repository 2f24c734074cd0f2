//! Encodings inside text that are undone before it is searched again, one file each.
//!
//! A step works on bytes and says whether there was anything to undo; [`Unfolder`] tries all of them inside one another.
//! Encodings of whole artifacts and mail parts belong to `decode/`.

mod backslash_codes;
mod base64;
mod encoding;
mod entities;
mod hex;
pub mod hints;
mod json_escapes;
mod look_alikes;
mod percent;
mod quoted_printable;
mod rfc2047;
mod signs;
mod terminal;
mod text_runs;
mod unfolder;
mod zero_bytes;

use super::refang;
pub use encoding::Path;
pub use unfolder::{Allowance, DecodingLimit, Runs, Unfolded, Unfolder, unfold};

/// Undoes percent-encoding; none where nothing is encoded. Bytes that are not UTF-8 become U+FFFD.
pub fn percent(text: &str) -> Option<String> {
    text_of(text, percent::undo)
}

/// Undoes JSON string escapes wherever they stand; none where there are none.
pub fn json_escapes(text: &str) -> Option<String> {
    text_of(text, json_escapes::undo)
}

fn text_of(text: &str, undo: fn(&[u8], &mut Vec<u8>) -> bool) -> Option<String> {
    let mut out = Vec::new();
    undo(text.as_bytes(), &mut out).then(|| String::from_utf8_lossy(&out).into_owned())
}

/// Undoes one step on the bytes of a whole record, in which fields keep their own escapes.
pub fn percent_bytes(text: &[u8], out: &mut Vec<u8>) -> bool {
    percent::undo(text, out)
}

/// Undoes entities of HTML, like [`percent_bytes`].
pub fn entity_bytes(text: &[u8], out: &mut Vec<u8>) -> bool {
    entities::undo(text, out)
}

/// Undoes defanging in bytes that are text, or nearly; none where there is none.
pub fn refanged(text: &[u8]) -> Option<String> {
    if !refang::may_hold(text) {
        return None;
    }
    match std::str::from_utf8(text) {
        Ok(text) => refang::refang(text),
        Err(_) => refang::refang(&String::from_utf8_lossy(text)),
    }
}

fn hex_digit(byte: Option<&u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        letter @ b'a'..=b'f' => Some(letter - b'a' + 10),
        letter @ b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}

/// Reads a number of hexadecimal digits only.
fn hex_number(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0_u32, |number, digit| Some(number << 4 | u32::from(hex_digit(Some(digit))?)))
}

/// Appends the character of a code, or U+FFFD where there is none.
fn push_code(out: &mut Vec<u8>, code: u32) {
    let c = char::from_u32(code).unwrap_or('\u{fffd}');
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Ends a run of decoded bytes, and replaces with U+FFFD what of it is not UTF-8.
fn mend(out: &mut Vec<u8>, run_start: &mut Option<usize>) {
    let Some(start) = run_start.take() else { return };
    if out.get(start..).is_some_and(|run| std::str::from_utf8(run).is_err()) {
        let run = out.split_off(start);
        out.extend_from_slice(String::from_utf8_lossy(&run).as_bytes());
    }
}

/// Returns the longest part of a text that stands in any export as it is: printable ASCII without `"`, `\` and `/`.
pub fn longest_plain_part(text: &str) -> String {
    let is_plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && !matches!(c, '"' | '\\' | '/');
    text.split(|c| !is_plain(c)).max_by_key(|part| part.len()).unwrap_or_default().to_owned()
}

/// Returns the words of a text: letters, digits, and `.`, `-`, `_` between them. Each stands in any export as it is, unless
/// the sweep names what hides it; of quoted-printable it does so only inside of words.
pub fn plain_words(text: &str) -> impl Iterator<Item = &str> {
    let is_joint = |c| matches!(c, '.' | '-' | '_');
    let words = text.split(move |c: char| !(c.is_ascii_alphanumeric() || is_joint(c)));
    words.map(move |word| word.trim_matches(is_joint)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod superset_tests;
#[cfg(test)]
mod tests;
