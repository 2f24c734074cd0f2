//! The JSON inside a token, read byte by byte as it is decoded, so that what is no token is given up at its first odd byte.
//! Source: RFC 8259; RFC 7515, section 4; RFC 7516, section 4; RFC 7519, section 4.

use std::iter::Peekable;

use super::Token;
use super::token_key::{key_name, names_of_certificate};

/// Containers inside containers; the headers and claims seen stay below 5.
const DEPTH_MAX: u32 = 32;
/// The most bytes of one text that are kept: a certificate of 4,096 bits takes some 3,000.
const TEXT_BYTES: usize = 32 << 10;
/// The most bytes of a claim that is kept; issuers and audiences are shorter.
const CLAIM_BYTES: usize = 1024;
/// The most names of keys, and the most audiences, of one token.
const LIST_MAX: usize = 16;
/// The most bytes of a number, and of the names that lead to a value.
const WORD_BYTES: usize = 128;

/// Reads a header into `token`; false where the bytes are not one JSON object that a header may be.
pub(super) fn header(bytes: impl Iterator<Item = u8>, token: &mut Token) -> bool {
    let mut certificates = 0;
    let is_whole = object(bytes, &mut |path, text| {
        let mut names = Vec::new();
        match path {
            "alg" => token.algorithm = Some(cut(text)),
            "enc" => token.is_encrypted = true,
            "jku" | "x5u" => token.key_url = Some(cut(text)),
            "kid" => {
                token.key_id = Some(cut(text));
                names.push(key_name(&cut(text)));
            }
            "x5t" | "x5t#S256" | "jwk.kid" | "jwk.x5t" | "jwk.x5t#S256" => names.push(key_name(&cut(text))),
            // The first certificate is the one that signs; the others vouch for it.
            "x5c" | "jwk.x5c" => {
                certificates += 1;
                if certificates == 1 {
                    names = names_of_certificate(text);
                }
            }
            _ => {}
        }
        for name in names {
            if token.keys.len() < LIST_MAX && !token.keys.contains(&name) {
                token.keys.push(name);
            }
        }
    });
    is_whole && (token.algorithm.is_some() || !token.keys.is_empty())
}

/// Reads claims into `token`; false where the bytes are not one JSON object.
pub(super) fn claims(bytes: impl Iterator<Item = u8>, token: &mut Token) -> bool {
    object(bytes, &mut |path, text| match path {
        "iss" => token.issuer = Some(cut(text)),
        "tid" => token.tenant = Some(cut(text)),
        "aud" if token.audiences.len() < LIST_MAX => token.audiences.push(cut(text)),
        // `azp` names the application in tokens of version 2.0, `appid` in those of 1.0.
        "appid" | "azp" => token.app = Some(cut(text)),
        "ver" => token.version = Some(cut(text)),
        "iat" => token.issued_at = seconds(text),
        "nbf" => token.not_before = seconds(text),
        "exp" => token.expires = seconds(text),
        _ => {}
    })
}

fn cut(text: &str) -> String {
    crate::text::cut_around(text, 0, CLAIM_BYTES)
}

/// Reads a NumericDate, also one with a fraction or in quotes.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        format!("{:.0}", number.trunc()).parse().ok()
    })
}

/// Calls `each` with every text and number of one JSON object, under the names that lead to it; false where it is none.
fn object(bytes: impl Iterator<Item = u8>, each: &mut dyn FnMut(&str, &str)) -> bool {
    let mut reader = Reader { bytes: bytes.peekable(), each, path: String::new() };
    reader.skip_space();
    if reader.bytes.next() != Some(b'{') || reader.members(1).is_none() {
        return false;
    }
    reader.skip_space();
    reader.bytes.next().is_none()
}

struct Reader<'r, I: Iterator<Item = u8>> {
    bytes: Peekable<I>,
    each: &'r mut dyn FnMut(&str, &str),
    /// Names joined with dots; positions in lists are left out.
    path: String,
}

impl<I: Iterator<Item = u8>> Reader<'_, I> {
    fn skip_space(&mut self) {
        while self.bytes.next_if(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).is_some() {}
    }

    fn members(&mut self, depth: u32) -> Option<()> {
        self.skip_space();
        if self.bytes.next_if_eq(&b'}').is_some() {
            return Some(());
        }
        let length = self.path.len();
        loop {
            self.skip_space();
            self.bytes.next_if_eq(&b'"')?;
            let name = self.text()?;
            if length > 0 {
                self.path.push('.');
            }
            // A name that is too long is no name that counts, and must not become one by being cut.
            self.path.push_str(if self.path.len() + name.len() > WORD_BYTES { "…" } else { &name });
            self.skip_space();
            self.bytes.next_if_eq(&b':')?;
            self.value(depth)?;
            self.path.truncate(length);
            self.skip_space();
            match self.bytes.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn elements(&mut self, depth: u32) -> Option<()> {
        self.skip_space();
        if self.bytes.next_if_eq(&b']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth)?;
            self.skip_space();
            match self.bytes.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        self.skip_space();
        match self.bytes.next()? {
            b'{' | b'[' if depth >= DEPTH_MAX => None,
            b'{' => self.members(depth + 1),
            b'[' => self.elements(depth + 1),
            b'"' => {
                let text = self.text()?;
                (self.each)(&self.path, &text);
                Some(())
            }
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            first @ (b'-' | b'0'..=b'9') => self.number(first),
            _ => None,
        }
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        rest.iter().try_for_each(|byte| self.bytes.next_if_eq(byte).map(|_| ()))
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let mut text = String::from(char::from(first));
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
        while let Some(byte) = self.bytes.next_if(is_part) {
            text.push(char::from(byte));
            if text.len() > WORD_BYTES {
                return None;
            }
        }
        text.parse::<f64>().ok()?;
        (self.each)(&self.path, &text);
        Some(())
    }

    /// Reads a string behind its opening quote. What is beyond [`TEXT_BYTES`] is read and not kept.
    fn text(&mut self) -> Option<String> {
        let mut out: Vec<u8> = Vec::new();
        loop {
            let kept = match self.bytes.next()? {
                b'"' => break,
                b'\\' => match self.bytes.next()? {
                    b'u' => {
                        let c = self.unicode()?;
                        let mut buffer = [0; 4];
                        if out.len() < TEXT_BYTES {
                            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                        }
                        continue;
                    }
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    escaped @ (b'"' | b'\\' | b'/') => escaped,
                    _ => return None,
                },
                control if control < 0x20 => return None,
                plain => plain,
            };
            if out.len() < TEXT_BYTES {
                out.push(kept);
            }
        }
        Some(String::from_utf8(out).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()))
    }

    fn unicode(&mut self) -> Option<char> {
        let high = self.unit()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Some(char::from_u32(high).unwrap_or('\u{fffd}'));
        }
        self.bytes.next_if_eq(&b'\\')?;
        self.bytes.next_if_eq(&b'u')?;
        let low = self.unit()?;
        let joined = (0xdc00..0xe000).contains(&low).then(|| 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        Some(joined.and_then(char::from_u32).unwrap_or('\u{fffd}'))
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | char::from(self.bytes.next()?).to_digit(16)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let mut out = Vec::new();
        let is_whole = object(text.bytes(), &mut |path, value| out.push(format!("{path}={value}")));
        is_whole.then_some(out)
    }

    #[test]
    fn an_object_is_read_whole_or_not_at_all() {
        assert_eq!(read("{}"), Some(vec![]));
        assert_eq!(
            read("{ \"a\" : 1 ,\r\n\"b\":{\"c\":[\"x\",[true,null,-1.5e3]]},\"d\":\"\\u0041\\ud83d\\ude00\\/\"} \n"),
            Some(vec!["a=1".into(), "b.c=x".into(), "b.c=-1.5e3".into(), "d=A\u{1f600}/".into()])
        );
        for no in [
            "",
            "[]",
            "{",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":tru}",
            "{\"a\":\"\n\"}",
            "{a:1}",
            "\"a\"",
            "{\"a\":--}",
        ] {
            assert_eq!(read(no), None, "{no}");
        }
    }

    #[test]
    fn depth_and_lengths_are_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(read(&nested(31)).is_some() && read(&nested(32)).is_some() && read(&nested(33)).is_none());
        let long = format!("{{\"{}\":1,\"kid\":\"{}\"}}", "k".repeat(WORD_BYTES + 1), "v".repeat(TEXT_BYTES + 1));
        let found = read(&long).unwrap();
        assert_eq!((found[0].as_str(), found[1].len()), ("…=1", "kid=".len() + TEXT_BYTES));
        assert!(read(&format!("{{\"a\":{}}}", "1".repeat(WORD_BYTES))).is_some());
        assert!(read(&format!("{{\"a\":{}}}", "1".repeat(WORD_BYTES + 1))).is_none());
    }

    #[test]
    fn dates_are_read_as_numbers_fractions_and_texts() {
        for (text, expected) in [
            ("1686107564", Some(1_686_107_564)),
            ("1686107564.9", Some(1_686_107_564)),
            ("1.5e3", Some(1500)),
            ("x", None),
            ("1e400", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
