//! The kind `user_agent`: what a client says it is, as a whole. Source: RFC 9110, section 10.1.5.
//!
//! IIS writes its spaces as `+`, which no reader can tell from a `+` of its own.

use std::ops::Range;

use super::ObservableError;

const EXPECTED: &str = "a user agent such as python-requests/2.25.1, of at least four characters";

/// The longest user agent that is looked for.
const MOST_BYTES: usize = 1024;

/// Normalises a user agent: single spaces, also where a log wrote `+`.
pub(super) fn parse(text: &str) -> Result<String, ObservableError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let agent = match words.as_slice() {
        [one] => one.replace('+', " "),
        _ => words.join(" "),
    };
    let is_long_enough = agent.chars().count() >= 4 && agent.len() <= MOST_BYTES;
    if is_long_enough && !agent.contains(char::is_control) {
        Ok(agent)
    } else {
        Err(ObservableError {
            problem: format!("`{text}` is no user agent that can be looked for"),
            expected: EXPECTED,
        })
    }
}

/// Tells whether a user agent stands whole: as all of a text, or between borders behind which no further product follows,
/// as in `… Safari/537.36 Edg/106.0.1370.52`.
pub(super) fn is_whole(text: &[u8], at: &Range<usize>) -> bool {
    let before = text.get(..at.start).unwrap_or_default();
    let behind = text.get(at.end..).unwrap_or_default();
    let is_tied =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_') || *byte >= 0x80;
    let is_space = |byte: &u8| matches!(byte, b' ' | b'+');
    // A full stop may end a sentence.
    let ends = match behind {
        [b'.', rest @ ..] => !rest.first().is_some_and(is_tied),
        [first, ..] => !is_tied(first),
        [] => true,
    };
    let goes_on = behind.first().is_some_and(is_space) && begins_product(behind.get(1..).unwrap_or_default());
    let starts = !before.last().is_some_and(is_tied);
    let follows =
        before.last().is_some_and(is_space) && ends_product(before.get(..before.len() - 1).unwrap_or_default());
    starts && ends && !goes_on && !follows
}

/// Tells whether a text begins with a product or a comment: `Edg/106`, `(KHTML, like Gecko)`.
fn begins_product(text: &[u8]) -> bool {
    let name =
        text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')).count();
    // JSON may write `Edg\/106`.
    let slash = name + text.iter().skip(name).take_while(|&&byte| byte == b'\\').count();
    text.first() == Some(&b'(')
        || name > 0 && text.get(slash) == Some(&b'/') && text.get(slash + 1).is_some_and(u8::is_ascii_digit)
}

/// Tells whether a text ends with a product or a comment.
fn ends_product(text: &[u8]) -> bool {
    let version =
        text.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let length = version.clone().count();
    let has_digit = version.clone().any(u8::is_ascii_digit);
    let slash = text.len().checked_sub(length + 1);
    let before = slash.and_then(|at| text.get(..at)).unwrap_or_default();
    let before = before.get(..before.len() - before.iter().rev().take_while(|&&byte| byte == b'\\').count());
    let before = before.unwrap_or_default();
    let is_product =
        slash.and_then(|at| text.get(at)) == Some(&b'/') && before.last().is_some_and(u8::is_ascii_alphanumeric);
    // `GET /a.php HTTP/1.1` before a user agent is none of it.
    let is_protocol =
        before.len() >= 4 && before.get(before.len() - 4..).is_some_and(|word| word.eq_ignore_ascii_case(b"http"));
    length > 0 && has_digit && is_product && !is_protocol
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_one() {
        assert_eq!(parse("Mozilla/5.0+(X11;+Linux)").unwrap(), "Mozilla/5.0 (X11; Linux)");
        assert_eq!(parse(" Mozilla/5.0  (X11; Linux) ").unwrap(), "Mozilla/5.0 (X11; Linux)");
        assert_eq!(parse("Bot (+http://a.example)").unwrap(), "Bot (+http://a.example)");
        for not in ["", "abc", " ", &"a".repeat(1025)] {
            assert!(parse(not).is_err(), "{not}");
        }
        assert!(parse("abcd").is_ok() && parse(&"a".repeat(1024)).is_ok());
    }

    #[test]
    fn it_stands_whole_or_not_at_all() {
        let agent = "Mozilla/5.0 (X11) Safari/537.36";
        let whole = |text: &str| {
            let at = text.find(agent).unwrap();
            is_whole(text.as_bytes(), &(at..at + agent.len()))
        };
        for yes in
            ["{}", "\"{}\"", "ua={};", "saw {} today", "saw {}.", "GET /a HTTP/1.1 {} -", "Client=OWA;{};", "200 {}"]
        {
            assert!(whole(&yes.replace("{}", agent)), "{yes}");
        }
        for no in
            ["{} Edg/106.0.1370.52", "{}+Edg/106.0", "{}.1", "{}x", "x{}", "{}/1", "Foo/1.0 {}", "{} (compatible)"]
        {
            assert!(!whole(&no.replace("{}", agent)), "{no}");
        }
    }
}
