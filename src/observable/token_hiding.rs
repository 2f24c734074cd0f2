//! Tokens in texts that are shown to people: whoever reads a report must not be able to use one.
//!
//! What is hidden is every token that can be read, what looks like one in another encoding, and long runs of base64, in
//! which one may be.

use std::ops::Range;

use super::token::{BEGINNINGS, GAP_MAX, PIECE_MIN, tokens_in};
use super::token_found::gap;
use super::token_key::sextet;

/// Characters of a header that are shown.
const SHOWN: usize = 8;
/// Digits of a token's SHA-256 that are shown.
const DIGITS: usize = 16;
/// The shortest run behind the beginning of a header that is hidden.
const ENCODED_MIN: usize = 40;
/// The shortest run of base64 that is hidden: a token of the smallest header, claims and signature, encoded again.
const BASE64_MIN: usize = 160;

/// What of a text is hidden.
#[derive(Clone, Debug, Default)]
pub struct Hiding {
    /// In order, apart from each other.
    hidden: Vec<Hidden>,
}

#[derive(Clone, Debug)]
struct Hidden {
    range: Range<usize>,
    /// Up to here a cut is shown: a header is no secret.
    header_end: usize,
    label: String,
}

impl Hiding {
    /// Finds what is to be hidden.
    pub fn of(text: &[u8]) -> Self {
        let mut hidden: Vec<Hidden> = Vec::new();
        tokens_in(text, &mut |found| {
            let digest = found.sha256();
            let label = format!("[token sha256:{}…]", digest.get(..DIGITS).unwrap_or(&digest));
            // Of tokens side by side, what is hidden with the first goes on through all of them, and is followed once.
            let before = hidden.last().map_or(0, |before| before.range.end);
            let end = if found.range.end <= before { before } else { end_of(text, found.range.end) };
            let range = found.range.start..end;
            hidden.push(Hidden { range, header_end: found.header_end, label });
        });
        let mut hiding = Self { hidden };
        hiding.add(encoded(text, memchr::memchr_iter(b'e', text)));
        hiding.add(encoded(text, memchr::memchr3_iter(b'I', b'C', b'D', text)));
        hiding.add(base64_runs(text));
        hiding
    }

    fn add(&mut self, ranges: Vec<Range<usize>>) {
        let known = std::mem::take(&mut self.hidden);
        let is_free = |range: &Range<usize>| {
            let behind = known.partition_point(|hidden| hidden.range.end <= range.start);
            known.get(behind).is_none_or(|hidden| range.end <= hidden.range.start)
        };
        let new = ranges.into_iter().filter(is_free).map(|range| {
            let label = format!("[{} characters]", range.len());
            Hidden { header_end: range.start, range, label }
        });
        let new: Vec<Hidden> = new.collect();
        self.hidden = known;
        self.hidden.extend(new);
        self.hidden.sort_by_key(|hidden| hidden.range.start);
    }

    /// Returns what is hidden that ends behind a place.
    fn from(&self, at: usize) -> &[Hidden] {
        let before = self.hidden.partition_point(|hidden| hidden.range.end <= at);
        self.hidden.get(before..).unwrap_or_default()
    }

    /// Returns where a cut that is to begin at `at` begins without cutting what is hidden.
    pub fn border_before(&self, at: usize) -> usize {
        let hidden = self.from(at).first().filter(|hidden| hidden.range.contains(&at));
        hidden.map_or(at, |hidden| hidden.range.start)
    }

    /// Returns a cut of the text, with the beginning and a label in place of what is hidden.
    pub fn shown(&self, text: &[u8], cut: Range<usize>) -> String {
        let plain = |range: Range<usize>| String::from_utf8_lossy(text.get(range).unwrap_or_default());
        let mut out = String::new();
        let mut at = cut.start;
        for Hidden { range, header_end, label } in self.from(cut.start) {
            if range.start >= cut.end {
                break;
            }
            if cut.end <= *header_end && range.start <= cut.start {
                continue;
            }
            out.push_str(&plain(at..range.start.max(at)));
            if range.start >= cut.start {
                out.push_str(&plain(range.start..(range.start + SHOWN).min(cut.end)));
            }
            out.push('…');
            out.push_str(label);
            at = range.end.min(cut.end);
        }
        out.push_str(&plain(at..cut.end.max(at)));
        out
    }
}

/// Returns where a token ends for one who hides it: what may be more of its signature, in an encoding or on the next line,
/// is hidden with it.
fn end_of(text: &[u8], mut end: usize) -> usize {
    let padding = text.get(..end).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'=').count();
    end -= padding;
    loop {
        while let Some(length) = text.get(end..).and_then(sign) {
            end += length;
        }
        let behind = text.get(end..).unwrap_or_default();
        let gap = gap(behind.get(..GAP_MAX.min(behind.len())).unwrap_or_default());
        let next = behind.get(gap..).unwrap_or_default();
        let run = next.iter().take_while(|byte| sextet(**byte).is_some()).count();
        // What begins behind a space as a header does is another token, which has an end of its own.
        if gap == 0 || run < PIECE_MIN || next.starts_with(b"eyJ") && next.get(run) == Some(&b'.') {
            return end;
        }
        end += gap + run;
    }
}

/// Finds what begins like a header and goes on, with dots and other signs written in some encoding.
fn encoded(text: &[u8], places: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut end = 0;
    for at in places {
        if at < end || !begins_header(text.get(at..).unwrap_or_default()) {
            continue;
        }
        end = at;
        while let Some(length) = text.get(end..).and_then(sign) {
            end += length;
        }
        if end - at >= ENCODED_MIN {
            ranges.push(at..end);
        }
    }
    ranges
}

fn begins_header(text: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning.as_bytes()))
}

/// Returns the length of a character of a token at the beginning of a text, also where it is encoded.
fn sign(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    if sextet(first).is_some() || matches!(first, b'.' | b'=') {
        // `=` at the end of a line is where quoted-printable breaks it.
        let broken = [&b"=\r\n"[..], b"=\n"].into_iter().find(|mark| text.starts_with(mark));
        return Some(broken.map_or(1, <[u8]>::len));
    }
    let digits = |range: Range<usize>| text.get(range).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    match first {
        b'%' if digits(1..3) => Some(3),
        b'\\' if text.get(1) == Some(&b'u') && digits(2..6) => Some(6),
        b'\\' if matches!(text.get(1), Some(b'/' | b'r' | b'n')) => Some(2),
        b'&' => {
            let length = text.iter().take(10).position(|byte| *byte == b';')?;
            let name = text.get(1..length)?;
            (name.starts_with(b"#")
                || matches!(name, b"period" | b"equals" | b"lowbar" | b"hyphen" | b"dash" | b"plus"))
            .then_some(length + 1)
        }
        _ => None,
    }
}

/// Finds long runs of base64. A path of a URL has more slashes, and words few capitals or digits.
fn base64_runs(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(skipped) = text.get(at..).and_then(|rest| rest.iter().position(|byte| sextet(*byte).is_some())) {
        let start = at + skipped;
        let run = text.get(start..).unwrap_or_default();
        let length = run.iter().position(|byte| sextet(*byte).is_none()).unwrap_or(run.len());
        let run = run.get(..length).unwrap_or_default();
        at = start + length;
        if length >= BASE64_MIN {
            let count = |is: fn(&u8) -> bool| run.iter().filter(|byte| is(byte)).count();
            let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
            if kinds.into_iter().all(|is| count(is) >= 8) && count(|byte| *byte == b'/') <= length / 20 {
                ranges.push(start..at);
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::super::token_key::encode;
    use super::*;

    fn token() -> String {
        let signature = "Ab3-x".repeat(69);
        let claims = br#"{"iss":"https://a.example/","sub":"user1@contoso.example"}"#;
        format!("{}.{}.{}", encode(br#"{"typ":"JWT","alg":"RS256"}"#), encode(claims), &signature[..342])
    }

    fn shown(text: &str) -> String {
        Hiding::of(text.as_bytes()).shown(text.as_bytes(), 0..text.len())
    }

    #[test]
    fn a_token_is_shown_by_its_beginning_in_every_encoding() {
        let token = token();
        let plain = shown(&format!("a {token} b"));
        assert!(plain.starts_with("a eyJ0eXAi…[token sha256:") && plain.ends_with("…] b"), "{plain}");
        let base64 = encode(token.as_bytes());
        for hidden in [
            token.replace("Ab3", "Ab=\r\n3"),
            token.replace('.', "%2E"),
            token.replace('.', "&#46;"),
            token.replace('.', "&period;"),
            token.replace('.', "\\u002e"),
            token.replace('x', "=\r\nx"),
            token[..80].to_owned(),
            base64.clone(),
            format!("QmVhcmVy{base64}"),
            encode(base64.as_bytes()),
        ] {
            let shown = shown(&format!("a {hidden} b"));
            assert!(shown.starts_with("a ") && shown.ends_with("] b") && shown.len() < 60, "{shown}");
        }
        // A signature of no length that is known, broken where no mail program breaks it.
        let (message, signature) = token.rsplit_once('.').unwrap();
        let broken = format!("{message}.{}\n{} b", &signature[..30], &signature[30..70]);
        assert!(shown(&broken).ends_with("] b") && shown(&broken).len() < 60, "{}", shown(&broken));
    }

    #[test]
    fn what_holds_no_token_is_shown_as_it_is() {
        let path = "/sites/Finance2023/Shared/Documents/B7".repeat(9);
        for plain in [
            "",
            "eyJ",
            "they knew",
            "key.value.more",
            &path,
            &"aA1/bB2c".repeat(30),
            &"0123456789abcdef".repeat(20),
            "eyJhbGciOiJub25lIn0.e30",
        ] {
            assert_eq!(shown(plain), plain);
        }
    }

    #[test]
    fn a_cut_through_a_token_shows_nothing_of_its_signature() {
        let token = token();
        let text = format!("before {token} behind");
        let hiding = Hiding::of(text.as_bytes());
        let signature = token.rsplit('.').next().unwrap();
        for from in 0..text.len() {
            for to in [from + 1, from + 40, text.len()] {
                let cut = hiding.shown(text.as_bytes(), from..to.min(text.len()));
                assert!(!cut.contains(&signature[..8]) && !cut.contains(&signature[330..]), "{cut}");
            }
        }
        let header_end = 7 + token.find('.').unwrap();
        assert_eq!(hiding.shown(text.as_bytes(), 10..header_end), text[10..header_end]);
        assert_eq!((hiding.border_before(60), hiding.border_before(3)), (7, 3));
    }
}
