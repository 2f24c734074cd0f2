//! JSON Web Tokens in text: found whole, with their header and claims decoded. Source: RFC 7515, RFC 7516, RFC 7519.
//!
//! A token is three parts (signed, or unsigned with an empty third) or five (encrypted, only the header readable) between
//! dots; `token_json.rs` finds those whose parts are members of an object. White space may stand inside, as wrapped mails
//! and folded headers leave it, and the marks of quoted lines. Percent signs, entities and other encodings around a token
//! are undone before a text comes here.

use std::borrow::Cow;
use std::ops::Range;

use super::token_claims::{claims, header};
use super::token_found::{FoundToken, gap};
use super::token_json::tokens_in_json;
use super::token_key::sextet;

/// The longest header in characters; one with a chain of three certificates takes some 8,000.
pub(super) const HEADER_MAX: usize = 64 << 10;
/// The longest part of any other kind, in characters.
pub(super) const PART_MAX: usize = 1 << 20;
/// The most white space between two characters of a token.
pub(super) const GAP_MAX: usize = 16;
/// The shortest piece of an opaque part before white space: shorter ones are words.
pub(super) const PIECE_MIN: usize = 20;
/// The columns at which mail programs wrap text. Source: RFC 2045, section 6.7; RFC 5322, section 2.1.1.
const WRAPPED: [Range<usize>; 2] = [60..81, 990..1000];

/// What the headers of tokens begin with, in base64: a brace, and a quote or white space behind it; or white space before
/// it, one character or two. Of more, three are four characters that the rest may do without.
pub const BEGINNINGS: [&str; 32] = [
    "eyJ", "eyI", "eyK", "eyL", "eyA", "eyB", "ewo", "ewp", "ew0", "ew1", "ewk", "ewl", "CQ17", "CQl7", "CQp7", "CSB7",
    "CXs", "Cg17", "Cgl7", "Cgp7", "CiB7", "Cns", "DQ17", "DQl7", "DQp7", "DSB7", "DXs", "IA17", "IAl7", "IAp7",
    "ICB7", "IHs",
];

/// How a token is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TokenForm {
    /// Three parts: signed, or unsigned with an empty third part (JWS).
    #[default]
    Jws,
    /// Five parts: encrypted, so that only its header can be read (JWE).
    Jwe,
}

/// What a token says of itself. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// Signed or encrypted.
    pub form: TokenForm,
    /// `alg`
    pub algorithm: Option<String>,
    /// `kid` as it is written.
    pub key_id: Option<String>,
    /// Every name of its key in the spelling of [`super::key_name`]: `kid`, `x5t`, `x5t#S256`, those of `jwk`, and the
    /// thumbprints of the first certificate of `x5c`.
    pub keys: Vec<String>,
    /// `jku` or `x5u`: where the key is said to be.
    pub key_url: Option<String>,
    /// `iss`
    pub issuer: Option<String>,
    /// `tid`
    pub tenant: Option<String>,
    /// `aud`
    pub audiences: Vec<String>,
    /// `appid` or `azp`
    pub app: Option<String>,
    /// `ver`
    pub version: Option<String>,
    /// `iat`
    pub issued_at: Option<i64>,
    /// `nbf`
    pub not_before: Option<i64>,
    /// `exp`
    pub expires: Option<i64>,
    /// Whether the header has `enc`.
    pub(super) is_encrypted: bool,
}

/// Calls `each` with every token of `text`, from left to right. The time grows with the length of the text and no faster:
/// a header that is none is given up where its JSON breaks, and JSON that is nested deeply is none.
pub fn tokens_in<'t>(text: &'t [u8], each: &mut dyn FnMut(FoundToken<'t>)) {
    let mut in_json = Vec::new();
    tokens_in_json(text, &mut |found| in_json.push(found));
    in_json.sort_by_key(|found| found.range.start);
    let mut in_json = in_json.into_iter().peekable();
    // Behind the last dot of a text no token begins, and most values of fields have none.
    let dots = memchr::memrchr(b'.', text).unwrap_or_default();
    let head = text.get(..dots).unwrap_or_default();
    let mut braces = memchr::memchr_iter(b'e', head).peekable();
    let mut spaces = memchr::memchr3_iter(b'I', b'C', b'D', head).peekable();
    let mut end = 0;
    loop {
        let at = match (braces.peek(), spaces.peek()) {
            (Some(brace), Some(space)) if space < brace => spaces.next(),
            (Some(_), _) => braces.next(),
            (None, _) => spaces.next(),
        };
        let Some(at) = at else { break };
        if at < end || !begins_at(text, at) {
            continue;
        }
        let Some(found) = token_at(text, at) else { continue };
        while let Some(before) = in_json.next_if(|before| before.range.start <= at) {
            each(before);
        }
        end = found.range.end;
        each(found);
    }
    in_json.for_each(each);
}

/// Tells whether base64 of a header may begin at a character, behind which there may be white space.
fn begins_at(text: &[u8], at: usize) -> bool {
    let second = match text.get(at + 1) {
        Some(byte) if byte.is_ascii_whitespace() => behind_gap(text, at + 1).and_then(|next| text.get(next)),
        second => second,
    };
    text.get(at).zip(second).is_some_and(|(first, second)| begins_header(*first, *second))
}

/// Tells whether a header may begin with two characters. It is a brace and a quote or white space, which base64 writes as
/// `ey` and `ew`; or white space first.
fn begins_header(first: u8, second: u8) -> bool {
    match first {
        b'e' => matches!(second, b'y' | b'w'),
        b'I' => matches!(second, b'H' | b'C' | b'A'),
        b'C' => matches!(second, b'X' | b'S' | b'Q' | b'n' | b'i' | b'g'),
        b'D' => matches!(second, b'X' | b'S' | b'Q'),
        _ => false,
    }
}

fn token_at(text: &[u8], start: usize) -> Option<FoundToken<'_>> {
    let mut token = Token::default();
    let mut cursor = Cursor { text, at: start, piece_start: start, last_piece: 0 };
    let mut part = cursor.part(HEADER_MAX, 1);
    if !header(&mut part, &mut token) || part.is_too_long() {
        return None;
    }
    let header_end = cursor.at;
    cursor.dot()?;
    let behind_header = cursor.clone();
    let mut part = cursor.part(PART_MAX, 1);
    let is_signed =
        !token.is_encrypted && claims(&mut part, &mut token) && !part.is_too_long() && cursor.dot().is_some();
    if !is_signed {
        cursor = behind_header;
        token = Token { form: TokenForm::Jwe, ..header_only(token) };
        // The encrypted key may be empty: the key that was agreed on is then used as it is.
        for least in [0, 1, 1] {
            let mut part = cursor.part(PART_MAX, PIECE_MIN);
            part.by_ref().for_each(drop);
            if part.is_too_long() || part.count < least {
                return None;
            }
            cursor.dot()?;
        }
        text.get(cursor.at).copied().and_then(sextet)?;
    }
    let end = cursor.tail(&token);
    let bytes = Cow::Borrowed(text.get(start..end)?);
    Some(FoundToken { token, range: start..end, header_end, bytes })
}

/// Forgets claims that were read from what turned out to be none.
fn header_only(token: Token) -> Token {
    let Token { algorithm, key_id, keys, key_url, is_encrypted, .. } = token;
    Token { algorithm, key_id, keys, key_url, is_encrypted, ..Token::default() }
}

/// Returns where text goes on behind white space at `at`, and behind the marks of a quoted line.
fn behind_gap(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..text.len().min(at + GAP_MAX + 1))?;
    let length = gap(rest);
    (length < rest.len()).then_some(at + length)
}

/// Reads a token from left to right.
#[derive(Clone)]
struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
    /// Where the characters behind the last white space begin.
    piece_start: usize,
    /// How many characters stood between the white space before that and it.
    last_piece: usize,
}

impl<'t> Cursor<'t> {
    fn part(&mut self, most: usize, least_piece: usize) -> Part<'_, 't> {
        Part { cursor: self, most, least_piece, count: 0, bits: 0, held: 0, padding: 0 }
    }

    fn dot(&mut self) -> Option<()> {
        (self.text.get(self.at) == Some(&b'.')).then(|| self.at += 1)
    }

    fn pass_gap(&mut self, next: usize) {
        self.last_piece = self.at - self.piece_start;
        self.piece_start = next;
        self.at = next;
    }

    /// Returns where the last part ends. No dot closes it, so words behind white space are told from the rest of it: by
    /// the lengths that its algorithm has, else by lines that are wrapped.
    fn tail(&mut self, token: &Token) -> usize {
        let sizes = sizes_of(token);
        let mut count = 0;
        let mut certain = None;
        while count < PART_MAX {
            let run = self.text.get(self.at..).unwrap_or_default();
            let run = run.iter().take(PART_MAX).take_while(|byte| sextet(**byte).is_some()).count();
            self.at += run;
            count += run;
            let padding = self.text.get(self.at..).unwrap_or_default();
            let padding = padding.iter().take(2).take_while(|byte| **byte == b'=').count();
            self.at += padding;
            if sizes.contains(&count) {
                return self.at;
            }
            let next = behind_gap(self.text, self.at).filter(|next| *next > self.at);
            let next = next.filter(|next| self.text.get(*next).copied().and_then(sextet).is_some());
            let Some(next) = next.filter(|_| padding == 0) else { break };
            let piece = self.at - self.piece_start;
            if count == 0 || !self.is_wrapped(next) {
                certain.get_or_insert(self.at);
                // Only a token that was broken before may be broken in an odd place.
                if piece < PIECE_MIN
                    || self.last_piece == 0 && !self.text.get(self.at..next).unwrap_or_default().contains(&b'\n')
                {
                    break;
                }
            }
            self.pass_gap(next);
        }
        certain.unwrap_or(self.at)
    }

    /// Tells whether the white space before `next` is where a line was wrapped.
    fn is_wrapped(&self, next: usize) -> bool {
        let piece = self.at - self.piece_start;
        if piece == self.last_piece {
            return true;
        }
        let gap = self.text.get(self.at..next).unwrap_or_default();
        let before = self.text.get(self.at.saturating_sub(1000)..self.at).unwrap_or_default();
        let line = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        gap.contains(&b'\n') && WRAPPED.iter().any(|columns| columns.contains(&line))
    }
}

/// Returns the lengths in characters that the last part of a token may have; none where its algorithm is not known.
fn sizes_of(token: &Token) -> &'static [usize] {
    match (token.form, token.algorithm.as_deref().unwrap_or_default()) {
        (TokenForm::Jwe, _) => &[22, 32, 43],
        (_, "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512") => &[171, 342, 512, 683, 1366],
        (_, "HS256") => &[43],
        (_, "HS384") => &[64],
        (_, "HS512" | "ES256" | "EdDSA") => &[86],
        (_, "ES384") => &[128],
        (_, "ES512") => &[176],
        (_, "none") => &[0],
        _ => &[],
    }
}

/// The bytes of one part, decoded.
struct Part<'c, 't> {
    cursor: &'c mut Cursor<'t>,
    most: usize,
    /// The least characters before white space inside the part.
    least_piece: usize,
    count: usize,
    bits: u32,
    held: u32,
    padding: usize,
}

impl Part<'_, '_> {
    fn is_too_long(&self) -> bool {
        self.count > self.most
    }
}

impl Iterator for Part<'_, '_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.count <= self.most {
            let at = self.cursor.at;
            let byte = *self.cursor.text.get(at)?;
            if let Some(value) = sextet(byte).filter(|_| self.padding == 0) {
                self.cursor.at += 1;
                self.count += 1;
                self.bits = self.bits << 6 | u32::from(value);
                self.held += 6;
                if self.held >= 8 {
                    self.held -= 8;
                    return u8::try_from(self.bits >> self.held & 0xff).ok();
                }
            } else if byte == b'=' && self.padding < 2 && self.count > 0 {
                self.cursor.at += 1;
                self.padding += 1;
            } else {
                let next = behind_gap(self.cursor.text, at).filter(|next| *next > at)?;
                let goes_on = |byte: u8| matches!(byte, b'.' | b'=') || sextet(byte).is_some();
                self.cursor.text.get(next).filter(|byte| goes_on(**byte))?;
                if self.count > 0 && at - self.cursor.piece_start < self.least_piece {
                    return None;
                }
                self.cursor.pass_gap(next);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::token_key::encode;
    use super::*;

    const HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"1LTMzakihiRla_8z2BEJVXeWMqo"}"#;
    const CLAIMS: &str =
        r#"{"aud":["a","b"],"iss":"https://sts.windows.net/t/","iat":1686107564,"tid":"t","ver":"1.0"}"#;

    fn jws(header: &str, claims: &str, signature: &str) -> String {
        format!("{}.{}.{signature}", encode(header.as_bytes()), encode(claims.as_bytes()))
    }

    fn found(text: &str) -> Vec<(Token, String)> {
        let mut out = Vec::new();
        tokens_in(text.as_bytes(), &mut |found| out.push((found.token, text[found.range].to_owned())));
        out
    }

    fn is_found(text: &str, token: &str) {
        let found = found(text);
        assert_eq!(found.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), [token], "{text}");
    }

    #[test]
    fn a_token_is_found_whole_and_says_what_it_says() {
        let token = jws(HEADER, CLAIMS, "c2lnbmF0dXJl");
        for (before, behind) in [
            ("", ""),
            ("Bearer ", " 200"),
            ("x", "."),
            ("/", ".txt"),
            ("=", "&a=b"),
            ("(", ". Thanks"),
            ("", "\nThanks"),
            ("e ey ew eyJ. ", " ey"),
        ] {
            is_found(&format!("{before}{token}{behind}"), &token);
        }
        let (said, _) = found(&token).remove(0);
        assert_eq!(said.keys, ["1LTMzakihiRla_8z2BEJVXeWMqo"]);
        assert_eq!((said.issuer.as_deref(), said.tenant.as_deref()), (Some("https://sts.windows.net/t/"), Some("t")));
        assert_eq!((said.issued_at, said.version.as_deref()), (Some(1_686_107_564), Some("1.0")));
        assert_eq!((said.audiences, said.form), (vec!["a".to_owned(), "b".to_owned()], TokenForm::Jws));
        assert_eq!(found(&format!("{token} {token},{token}")).len(), 3);
    }

    #[test]
    fn unsigned_and_oddly_written_tokens_are_found() {
        for header in [
            "{ \"alg\":\"none\"}",
            "{\n \"alg\" : \"none\"}",
            "{\r\n\t\"alg\":\"none\"}",
            "{\t\"alg\":\"none\"}",
            "{\"kid\":\"a\"}",
        ] {
            is_found(&format!("t={} x", jws(header, CLAIMS, "")), &jws(header, CLAIMS, ""));
        }
        let standard = encode(CLAIMS.as_bytes()).replace('-', "+").replace('_', "/");
        let padded = format!("{}==.{standard}=.c2ln+/==", encode(HEADER.as_bytes()));
        is_found(&padded, &padded);
    }

    #[test]
    fn what_is_no_token_is_none() {
        let (header, claims) = (encode(HEADER.as_bytes()), encode(CLAIMS.as_bytes()));
        for no in [
            format!("{header}.{claims}"),
            format!("{header}.bm90IGpzb24.c2ln"),
            format!("{header}.W10.c2ln"),
            format!("{}.{claims}.c2ln", encode(b"{\"a\":1}")),
            format!("{}.{claims}.c2ln", encode(b"not json")),
            format!("{}.{claims}.c2ln", &header[..header.len() - 3]),
            format!("{header}, {claims}, c2ln"),
            format!("{header}..c2ln"),
        ] {
            assert!(found(&no).is_empty(), "{no}");
        }
    }

    #[test]
    fn of_an_encrypted_token_the_header_is_read() {
        let header = encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"k"}"#);
        for token in [format!("{header}.a2V5.aXY.Y2lwaGVy.dGFn"), format!("{header}..aXY.Y2lwaGVy.dGFn")] {
            is_found(&format!("x={token};"), &token);
            let (said, _) = found(&token).remove(0);
            assert_eq!((said.form, said.keys.as_slice()), (TokenForm::Jwe, ["k".to_owned()].as_slice()));
        }
        for no in [
            format!("{header}.a2V5.aXY.Y2lwaGVy"),
            format!("{header}.a2V5..Y2lwaGVy.dGFn"),
            format!("{header}.a2V5.aXY.Y2lw and aGVy.dGFn"),
        ] {
            assert!(found(&no).is_empty(), "{no}");
        }
    }

    #[test]
    fn wrapped_lines_belong_to_a_token_and_words_behind_it_do_not() {
        let token = jws(HEADER, CLAIMS, &"Ab3-".repeat(86)[..342]);
        for width in [60, 64, 72, 76, 78, 120] {
            let cut = |at: usize| &token[at..token.len().min(at + width)];
            let lines: Vec<&str> = (0..token.len()).step_by(width).map(cut).collect();
            for line_end in ["\r\n", "\n", "\r\n ", "\n\t", " \r\n", " "] {
                let wrapped = lines.join(line_end);
                for (before, behind) in [
                    ("", ""),
                    ("See:\r\n", "\r\nThanks\r\n"),
                    ("token: ", " and more words"),
                    ("", "\r\n\r\n--\r\nBob"),
                ] {
                    is_found(&format!("{before}{wrapped}{behind}"), &wrapped);
                }
            }
        }
        // A signature of no known length ends with its line, unless that is as long as a mail's.
        let short = jws(HEADER, CLAIMS, "c2ln");
        is_found(&format!("{short}\r\nThanks a lot"), &short);
        let split = format!("e\r\n{}", &short[1..]);
        is_found(&split, &split);
        assert!(found(&format!("e{}{}", " ".repeat(GAP_MAX + 1), &short[1..])).is_empty());
    }

    #[test]
    fn names_of_keys_come_from_every_place_of_a_header() {
        let header = concat!(
            r#"{"alg":"RS256","x5t":"1LTMzakihiRla/8z2BEJVXeWMqo=","x5c":["Zm9v","YmFy"],"#,
            r#""jwk":{"kid":"own"},"jku":"https://a.example/"}"#
        );
        let (said, _) = found(&jws(header, "{}", "")).remove(0);
        // The digests of `foo`, by openssl.
        let expected = [
            "1LTMzakihiRla_8z2BEJVXeWMqo",
            "C-7Hteo_D9vJXQ3UfzxbwnXaijM",
            "LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564",
            "own",
        ];
        assert_eq!(said.keys, expected);
        assert_eq!(said.key_url.as_deref(), Some("https://a.example/"));
    }

    #[test]
    fn the_length_of_a_header_is_bounded() {
        let of_length = |length: usize| {
            let header = format!(r#"{{"alg":"none","a":"{}"}}"#, "b".repeat(length / 4 * 3 - 21));
            assert_eq!(encode(header.as_bytes()).len(), length);
            jws(&header, "{}", "")
        };
        assert_eq!(found(&of_length(HEADER_MAX - 4)).len(), 1);
        assert_eq!(found(&of_length(HEADER_MAX)).len(), 1);
        assert!(found(&of_length(HEADER_MAX + 4)).is_empty());
    }
}
