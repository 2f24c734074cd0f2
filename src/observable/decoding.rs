//! Encodings inside text that are undone before it is searched again: percent, JSON escapes, HTML entities.
//!
//! Encodings of whole artifacts and mail parts belong to `decode/`.

pub use super::refang::refang;

use crate::text::is_invisible;

/// Undoes percent-encoding; none where nothing is encoded. Source: RFC 3986, section 2.1.
///
/// Bytes that are not UTF-8 become U+FFFD.
pub fn percent(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    memchr::memchr(b'%', bytes)?;
    let mut found = false;
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%'
            && let (Some(high), Some(low)) = (hex_digit(bytes.get(at + 1)), hex_digit(bytes.get(at + 2)))
        {
            out.push(high << 4 | low);
            at += 3;
            found = true;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    found.then(|| String::from_utf8_lossy(&out).into_owned())
}

fn hex_digit(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|&b| char::from(b).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
}

/// Undoes JSON string escapes wherever they stand; none where there are none. Source: RFC 8259, section 7.
pub fn json_escapes(text: &str) -> Option<String> {
    text.contains('\\').then(|| {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.push_str(rest.get(..at).unwrap_or_default());
            let after = rest.get(at + 1..).unwrap_or_default();
            let mut chars = after.chars();
            let (decoded, used) = match chars.next() {
                Some('n') => (Some('\n'), 1),
                Some('r') => (Some('\r'), 1),
                Some('t') => (Some('\t'), 1),
                Some('b') => (Some('\u{8}'), 1),
                Some('f') => (Some('\u{c}'), 1),
                Some(c @ ('"' | '\\' | '/')) => (Some(c), 1),
                Some('u') => unicode_escape(after),
                _ => (None, 0),
            };
            out.push(decoded.unwrap_or('\\'));
            rest = after.get(used..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    })
}

/// Reads `uXXXX` or a surrogate pair `uXXXX\uXXXX`; the second value is how many bytes it took.
fn unicode_escape(text: &str) -> (Option<char>, usize) {
    let unit = |from: usize| text.get(from..from + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match unit(1) {
        Some(high @ 0xd800..=0xdbff) if text.get(5..7) == Some("\\u") => match unit(7) {
            Some(low @ 0xdc00..=0xdfff) => (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 11),
            _ => (Some('\u{fffd}'), 5),
        },
        Some(code) => (Some(char::from_u32(code).unwrap_or('\u{fffd}')), 5),
        None => (None, 0),
    }
}

/// The longest entity that is looked at, with its semicolon.
const ENTITY_BYTES: usize = 12;

/// Undoes numeric and the common named HTML entities; none where there are none. Source: HTML, section 13.5.
pub fn entities(text: &str) -> Option<String> {
    memchr::memchr(b'&', text.as_bytes())?;
    let mut out = String::new();
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        match entity(after) {
            Some((decoded, used)) => {
                out.push(decoded);
                rest = after.get(used..).unwrap_or_default();
                found = true;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

fn entity(after: &str) -> Option<(char, usize)> {
    let name_length = after.bytes().take(ENTITY_BYTES).position(|b| !(b.is_ascii_alphanumeric() || b == b'#'))?;
    let name = after.get(..name_length)?;
    let used = if after.as_bytes().get(name_length) == Some(&b';') { name_length + 1 } else { name_length };
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return Some((char::from_u32(code)?, used));
    }
    // A name counts only with its semicolon: `&amp=` in a query string is a parameter.
    (used > name_length).then_some(())?;
    let decoded = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "period" => '.',
        "commat" => '@',
        "sol" => '/',
        "colon" => ':',
        "num" => '#',
        "lowbar" => '_',
        "hyphen" | "dash" => '-',
        "percnt" => '%',
        "equals" => '=',
        "shy" => '\u{ad}',
        _ => return None,
    };
    Some((decoded, used))
}

/// Takes out what has no shape (zero-width characters, soft hyphens) and writes quotes plainly; none where there is none.
pub fn look_alikes(text: &str) -> Option<String> {
    let is_odd = |c: char| is_invisible(c) || matches!(c, '\u{2018}'..='\u{201f}');
    if text.is_ascii() || !text.contains(is_odd) {
        return None;
    }
    let plain = text.chars().filter(|c| !is_invisible(*c)).map(|c| match c {
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        c => c,
    });
    Some(plain.collect())
}

/// Takes out what only steers a terminal; none where there is nothing of the kind. Source: ECMA-48, sections 5.3 to 5.6;
/// ECMA-35, section 13.2.
pub fn terminal(text: &str) -> Option<String> {
    const BEGINNINGS: [char; 2] = ['\u{1b}', '\u{9b}'];
    if !text.contains(BEGINNINGS) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGINNINGS) {
        out.push_str(rest.get(..at).unwrap_or_default());
        let from_escape = rest.get(at..).unwrap_or_default();
        let control = from_escape.strip_prefix('\u{9b}').or_else(|| from_escape.strip_prefix("\u{1b}["));
        rest = match control {
            Some(sequence) => behind(sequence, |c| !('@'..='~').contains(&c)),
            None => behind(from_escape.get(1..).unwrap_or_default(), |c| (' '..='/').contains(&c)),
        };
    }
    out.push_str(rest);
    Some(out)
}

/// Returns what stands behind the characters that go on and the one that ends them.
fn behind(text: &str, goes_on: impl Fn(char) -> bool) -> &str {
    match text.char_indices().find(|(_, c)| !goes_on(*c)) {
        Some((at, end)) if end.is_ascii_graphic() => text.get(at + 1..).unwrap_or_default(),
        Some((at, _)) => text.get(at..).unwrap_or_default(),
        None => "",
    }
}

/// Takes out zero bytes: what is left of UTF-16 that was appended to a text of another encoding.
pub fn zero_bytes(text: &str) -> Option<String> {
    memchr::memchr(0, text.as_bytes())?;
    Some(text.replace('\0', ""))
}

/// Returns the longest part of a text that stands in any export as it is: printable ASCII without `"`, `\` and `/`.
pub fn longest_plain_part(text: &str) -> String {
    let is_plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && !matches!(c, '"' | '\\' | '/');
    text.split(|c| !is_plain(c)).max_by_key(|part| part.len()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_undone_and_plain_text_is_left() {
        assert_eq!(percent("a%2Eb%40c%zz").as_deref(), Some("a.b@c%zz"));
        assert_eq!(percent("100%"), None);
        assert_eq!(json_escapes(r"a\u002eb\/c\n\ud83d\ude00\q").as_deref(), Some("a.b/c\n😀\\q"));
        assert_eq!(json_escapes("plain"), None);
        assert_eq!(entities("a&#46;b&#x40;c&amp;d&period;e").as_deref(), Some("a.b@c&d.e"));
        assert_eq!(entities("a&b=c&amp=d"), None);
    }

    #[test]
    fn the_plain_part_is_what_no_export_changes() {
        assert_eq!(longest_plain_part("\"Microsoft Edge\";v=\"113\""), "Microsoft Edge");
        assert_eq!(longest_plain_part("GetAccessTokenForResource"), "GetAccessTokenForResource");
        assert_eq!(longest_plain_part("\"\\/"), "");
    }

    #[test]
    fn what_is_not_seen_is_taken_out() {
        assert_eq!(look_alikes("e\u{200b}vi\u{ad}l “x” it’s").as_deref(), Some("evil \"x\" it's"));
        assert_eq!(look_alikes("grüße"), None);
        assert_eq!(terminal("\u{1b}[1;31mevil.example\u{1b}[0m\u{1b}[").as_deref(), Some("evil.example"));
        assert_eq!(
            terminal("\u{1b}(Bevil.example\u{1b}(B\u{1b}[m\u{9b}1mx\u{1b}7y\u{1b}").as_deref(),
            Some("evil.examplexy")
        );
        assert_eq!(terminal("\u{1b}é\u{1b}\u{1b}").as_deref(), Some("é"));
        assert_eq!(terminal("plain"), None);
        assert_eq!(zero_bytes("e\0v\0i\0l\0").as_deref(), Some("evil"));
    }

    #[test]
    fn cut_off_escapes_stay_as_they_are() {
        assert_eq!(json_escapes(r"\u00").as_deref(), Some(r"\u00"));
        assert_eq!(json_escapes("\\").as_deref(), Some("\\"));
        assert_eq!(percent("%2"), None);
        assert_eq!(entities("&#"), None);
        assert_eq!(entities("&#99999999;"), None);
    }
}
