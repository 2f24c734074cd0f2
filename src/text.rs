//! Text for people: escaping what a terminal would obey, and cutting at character borders. And where a line of text goes on
//! in the next one.

/// Replaces control characters, and the characters that turn text round or hide it, with visible escapes.
///
/// Tabs and line ends become `\t`, `\n`, `\r`; others `\u{…}`. Source: Unicode 15, general categories Cc and Cf.
pub fn escape_for_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Escapes each line of a text like [`escape_for_terminal`], and keeps its line ends.
pub fn escape_lines(text: &str) -> String {
    text.lines().map(escape_for_terminal).collect::<Vec<_>>().join("\n")
}

/// Tells whether a character has no shape of its own or changes the direction of others.
pub fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

/// Returns at most `most` bytes of text around the byte `at`, cut at character borders, with `…` where it was cut.
pub fn cut_around(text: &str, at: usize, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut start = at.saturating_sub(most / 3).min(text.len().saturating_sub(most));
    while start > 0 && !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (start + most).min(text.len());
    while end > start && !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = String::new();
    if start > 0 {
        out.push('…');
    }
    out.push_str(text.get(start..end).unwrap_or_default());
    if end < text.len() {
        out.push('…');
    }
    out
}

/// How much of lines that go on is read together. Source: the longest tokens seen have some 4 KiB, and a base64 body of a
/// mail that was pasted into a text may have megabytes.
pub const JOINED_BYTES: usize = 1 << 20;
/// From this length on, a word at the end of a line may go on: mail programs and editors wrap at 60 to 80.
const WRAPPED_MIN: usize = 40;
/// Lines that are longer are not wrapped.
const WIDTH_MAX: usize = 200;

/// Tells whether the word at the end of a line may go on in the next one: behind a soft line break, as quoted-printable has
/// them (RFC 2045, section 6.7), or where a token or base64 was wrapped.
pub fn may_go_on(line: &[u8]) -> bool {
    line.ends_with(b"=") || line.len() <= WIDTH_MAX && last_word(line).len() >= WRAPPED_MIN
}

/// Tells whether the word at the end of a line goes on in the next one, which may be indented. Neither has its line end.
pub fn goes_on(line: &[u8], next: &[u8]) -> bool {
    let next = next.trim_ascii();
    let is_rest = || next.len() <= WIDTH_MAX && next.iter().all(is_part) && !next.starts_with(b"eyJ");
    // What begins like a token is another one.
    !next.is_empty() && may_go_on(line) && (line.ends_with(b"=") || is_rest())
}

/// Tells whether a line is the middle of a word that goes on from the line before. What a soft line break parts begins where
/// the line before has none.
pub fn is_middle(before: &[u8], line: &[u8]) -> bool {
    goes_on(before, line) && (before.ends_with(b"=") || !line.ends_with(b"="))
}

/// Returns what of a token or of base64 may stand at the end of a line.
pub fn last_word(line: &[u8]) -> &[u8] {
    let length = line.iter().rev().take_while(|byte| is_part(byte)).count();
    line.get(line.len() - length..).unwrap_or_default()
}

/// Returns the line before `at`, where a line begins, without its line end; none at the beginning of the text.
pub fn line_before(text: &[u8], at: usize) -> Option<&[u8]> {
    let before = text.get(..at)?.strip_suffix(b"\n")?;
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let line = before.get(start..)?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(escape_for_terminal("a\x1b[31mb\u{202e}c\td"), "a\\u{1b}[31mb\\u{202e}c\\td");
        assert_eq!(escape_for_terminal("grüße 日本"), "grüße 日本");
    }

    #[test]
    fn cuts_fall_between_characters() {
        let text = "日本語".repeat(20);
        for at in 0..text.len() {
            let cut = cut_around(&text, at, 10);
            assert!(cut.len() <= 10 + 6, "{cut}");
        }
        assert_eq!(cut_around("short", 3, 10), "short");
    }
}
