//! Digests in pairs of digits between hyphens or single spaces: `D4-B4-CC…`, `d4 b4 cc…`. Those between colons are found
//! together with what else holds colons.

use std::ops::Range;

use super::borders::{is_tied_before, is_tied_behind};
use super::tokens::{Reading, Token};

/// How many pairs the digests that are known have: MD5, SHA-1, SHA-256, SHA-512.
const COUNTS: [usize; 4] = [16, 20, 32, 64];

/// Calls `each` with every digest in pairs, from left to right.
pub(super) fn runs<'t>(text: &'t [u8], reading: Reading, each: &mut dyn FnMut(Token<'t>, Range<usize>)) {
    for separator in [b'-', b' '] {
        let mut done = 0;
        for at in memchr::memchr_iter(separator, text) {
            // The first separator of a run stands behind its first pair, and three bytes before the second one.
            if at < done || at < 2 || text.get(at + 3) != Some(&separator) || !is_pair(text, at - 2) {
                continue;
            }
            let start = at - 2;
            let mut end = at;
            while text.get(end) == Some(&separator) && is_pair(text, end + 1) {
                end += 3;
            }
            done = end;
            one_run(text, start..end, separator, is_tied_before(text, start), each);
            // In `\nd4 b4`, the `n` may be a part of an escape.
            if reading == Reading::Escaped && start.checked_sub(2).and_then(|at| text.get(at)) == Some(&b'\\') {
                one_run(text, start..end, separator, false, each);
            }
        }
    }
}

fn is_pair(text: &[u8], at: usize) -> bool {
    text.get(at..at + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
}

/// Emits a run that is a digest as a whole. Between spaces, a word such as `be` may stand before it or behind it, or the
/// end of a date.
fn one_run<'t>(
    text: &'t [u8],
    run: Range<usize>,
    separator: u8,
    is_tied: bool,
    each: &mut dyn FnMut(Token<'t>, Range<usize>),
) {
    let start = if is_tied { run.start + 3 } else { run.start };
    let end = if is_tied_behind(text, run.end) { run.end.saturating_sub(3) } else { run.end };
    if separator == b'-' && (start, end) != (run.start, run.end) {
        return;
    }
    // What goes on in another way than a word ends is the end of a date, an amount, a time.
    let is_joint = |at: Option<usize>| {
        let byte = at.and_then(|at| text.get(at)).copied().unwrap_or(b' ');
        !(byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`()[]{}<>\\;|".contains(&byte))
    };
    let is_word = |at: usize| text.get(at..at + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_alphabetic));
    let may_lead = separator == b' ' && (is_word(start) || is_joint(start.checked_sub(1)));
    let may_trail = separator == b' ' && (is_word(end.saturating_sub(2)) || is_joint(Some(end)));
    for (from, to) in [(0, 0), (3, 0), (0, 3), (3, 3)] {
        let range = start + from..end.saturating_sub(to);
        if (from == 0 || may_lead)
            && (to == 0 || may_trail)
            && COUNTS.contains(&((range.len() + 1) / 3))
            && let Some(digest) = text.get(range.clone())
        {
            each(Token::Hex(digest), range);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        runs(text.as_bytes(), Reading::Exact, &mut |_, range| out.push(text[range].to_owned()));
        out
    }

    #[test]
    fn pairs_are_whole_or_not_at_all() {
        for pairs in [16, 20, 32, 64] {
            for separator in ["-", " "] {
                let digest = vec!["3d"; pairs].join(separator);
                for text in [digest.clone(), format!("sha1 {digest} x"), format!("({digest})"), format!("é{digest}, a")]
                {
                    assert_eq!(found(&text), from_ref(&digest), "{text}");
                }
            }
        }
        let dashed = vec!["3D"; 20].join("-");
        for not in [format!("11-{dashed}"), format!("{dashed}-11"), format!("a{dashed}"), vec!["3D"; 19].join("-")] {
            assert!(found(&not).is_empty(), "{not}");
        }
        let spaced = vec!["3d"; 20].join(" ");
        for not in [format!("11 {spaced}"), format!("{spaced} 22"), vec!["3d"; 21].join(" ")] {
            assert!(found(&not).is_empty(), "{not}");
        }
    }

    #[test]
    fn words_of_two_letters_beside_a_spaced_digest_are_not_of_it() {
        let digest = vec!["3d"; 20].join(" ");
        assert_eq!(found(&format!("may be {digest}")), from_ref(&digest));
        assert_eq!(found(&format!("{digest} ad x")), from_ref(&digest));
        assert_eq!(found(&format!("face {digest} added")), from_ref(&digest));
        assert_eq!(found(&format!("cert be {digest} ad")), from_ref(&digest));
        assert_eq!(found(&format!("2023-06-01 {digest} 11:22")), from_ref(&digest));
        assert_eq!(found(&format!("{digest} 50%")), from_ref(&digest));
        assert!(found(&format!("2023-06-01 11 {digest}")).is_empty());
        for (separator, escape) in [(" ", "n"), ("-", "n"), (" ", "b"), ("-", "f")] {
            let text = format!("\\{escape}{}", digest.replace(' ', separator));
            let mut count = 0;
            runs(text.as_bytes(), Reading::Escaped, &mut |_, _| count += 1);
            assert!(count == 1 && found(&text).is_empty(), "{text}");
        }
    }
}
