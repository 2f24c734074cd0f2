//! The kind `certificate`: its thumbprint, serial number or subject. Source: RFC 5280, section 4.1.2; RFC 7517, section 4.8
//! for a thumbprint in base64.

use std::ops::Range;

use super::{HashKind, ObservableError, Spelling, Whole, hash};

/// One thing by which a certificate is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certificate {
    /// The SHA-1 or SHA-256 of the certificate, lower-case hexadecimal.
    Thumbprint(String),
    /// The serial number, lower-case hexadecimal without leading zeros.
    Serial(String),
    /// The subject, lower case, without spaces around `=` and `,`.
    Subject(String),
}

/// Which part of a certificate a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CertificatePart {
    /// `thumbprint`
    Thumbprint,
    /// `serial`
    Serial,
    /// `subject`
    Subject,
}

const THUMBPRINT: &str = "a SHA-1 or SHA-256 of a certificate: 40 or 64 hexadecimal digits, or its base64";
const SERIAL: &str = "a serial number of at most 20 bytes, in hexadecimal, or in decimal digits alone";
const SUBJECT: &str = "a subject such as CN=example.com, O=Example";

/// The most digits of a serial number, with the zero byte that keeps it positive. Source: RFC 5280, section 4.1.2.2.
const SERIAL_DIGITS: usize = 42;

/// Normalises a part of a certificate.
pub(super) fn parse(part: CertificatePart, text: &str) -> Result<Certificate, ObservableError> {
    match part {
        CertificatePart::Thumbprint => thumbprint(text).map(Certificate::Thumbprint),
        CertificatePart::Serial => serial(text).map(Certificate::Serial),
        CertificatePart::Subject => subject(text).map(Certificate::Subject),
    }
}

fn thumbprint(text: &str) -> Result<String, ObservableError> {
    if let Ok((HashKind::Sha1 | HashKind::Sha256, digits)) = hash::parse(None, text) {
        return Ok(digits);
    }
    from_base64(text)
        .ok_or_else(|| ObservableError { problem: format!("`{text}` is no thumbprint"), expected: THUMBPRINT })
}

fn serial(text: &str) -> Result<String, ObservableError> {
    let refuse = || ObservableError { problem: format!("`{text}` is no serial number"), expected: SERIAL };
    let bare = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits: String = bare.unwrap_or(text).chars().filter(|c| !matches!(c, ':' | '-' | ' ')).collect();
    let is_bare = bare.is_none() && digits == text && !text.starts_with('0');
    let digits = if is_bare && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        converted(&digits, 10, 16)
    } else {
        digits.to_ascii_lowercase()
    };
    let fits = digits.len() <= SERIAL_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = digits.trim_start_matches('0');
    if fits && !digits.is_empty() { Ok(digits.to_owned()) } else { Err(refuse()) }
}

fn subject(text: &str) -> Result<String, ObservableError> {
    let refuse = || ObservableError { problem: format!("`{text}` is no subject"), expected: SUBJECT };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '=' | ',' => out.truncate(out.trim_end().len()),
            ' ' if out.ends_with(['=', ',']) => continue,
            _ => {}
        }
        out.push(c);
    }
    let name = out.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty());
    if name.is_some() && out.len() <= 512 { Ok(out) } else { Err(refuse()) }
}

/// Writes a number of one base in another one. Digits that are none of the base count as zero.
fn converted(digits: &str, from: u32, to: u32) -> String {
    // Little-endian digits of the wanted base; numbers of more digits than any serial number has are cut.
    let mut out: Vec<u32> = Vec::new();
    for digit in digits.chars().take(2 * SERIAL_DIGITS) {
        let mut carry = digit.to_digit(from).unwrap_or_default();
        for place in &mut out {
            carry += *place * from;
            *place = carry % to;
            carry /= to;
        }
        while carry > 0 {
            out.push(carry % to);
            carry /= to;
        }
    }
    out.iter().rev().filter_map(|&digit| char::from_digit(digit, to)).collect()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Reads 20 or 32 bytes in either alphabet of base64. Source: RFC 4648, sections 4 and 5.
fn from_base64(text: &str) -> Option<String> {
    let text = text.trim_end_matches('=');
    let bytes = match text.len() {
        27 => 20,
        43 => 32,
        _ => return None,
    };
    let mut digits = String::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let byte = match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => byte,
        };
        let value = BASE64.iter().position(|&known| known == byte)?;
        bits = (bits << 6 | u32::try_from(value).ok()?) & 0xffff;
        held += 6;
        while held >= 4 {
            held -= 4;
            digits.extend(char::from_digit(bits >> held & 0xf, 16));
        }
    }
    digits.truncate(bytes * 2);
    Some(digits)
}

/// Writes hexadecimal digits in the URL-safe alphabet of base64, without padding.
fn to_base64(digits: &str) -> String {
    let mut out = String::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut push = |value: u32| {
        let letter = usize::try_from(value & 0x3f).ok().and_then(|value| BASE64.get(value));
        out.extend(letter.map(|&byte| char::from(byte)));
    };
    for digit in digits.chars() {
        bits = bits << 4 | digit.to_digit(16).unwrap_or_default();
        held += 4;
        if held >= 6 {
            held -= 6;
            push(bits >> held);
            bits &= 0x3f;
        }
    }
    if held > 0 {
        push(bits << (6 - held));
    }
    out
}

impl Certificate {
    /// Returns the normal form.
    pub fn value(&self) -> &str {
        match self {
            Self::Thumbprint(value) | Self::Serial(value) | Self::Subject(value) => value,
        }
    }

    /// Returns the texts by which it is found, besides the digits of a thumbprint.
    pub(super) fn spellings(&self) -> Vec<Spelling> {
        match self {
            Self::Thumbprint(digits) => {
                let url_safe = to_base64(digits);
                let plain = url_safe.replace('-', "+").replace('_', "/");
                let texts = if plain == url_safe { vec![url_safe] } else { vec![url_safe, plain] };
                texts.into_iter().map(|text| Spelling { text, whole: Whole::Base64 }).collect()
            }
            Self::Serial(digits) => {
                let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.clone() };
                let pairs: Vec<&str> = (0..even.len()).step_by(2).filter_map(|at| even.get(at..at + 2)).collect();
                let mut texts = vec![digits.clone()];
                if pairs.len() > 1 {
                    texts.extend([":", "-", " "].map(|separator| pairs.join(separator)));
                }
                let spelled = |text: String| Spelling { text, whole: Whole::Serial };
                let decimal = Spelling { text: converted(digits, 16, 10), whole: Whole::Decimal };
                texts.into_iter().map(spelled).chain([decimal]).collect()
            }
            Self::Subject(text) => vec![Spelling { text: text.clone(), whole: Whole::Subject }],
        }
    }
}

/// Tells whether a serial number in hexadecimal stands by itself: not behind other digits than zeros, nor before more.
pub(super) fn is_serial(text: &[u8], at: &Range<usize>) -> bool {
    let found = text.get(at.clone()).unwrap_or_default();
    let is_separator = |byte: u8| matches!(byte, b':' | b'-' | b' ');
    let separator = found.get(2).copied().filter(|&byte| is_separator(byte));
    let is_pair = |pair: &[u8]| pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
    let mut before = text.get(..at.start).unwrap_or_default();
    // `00:80:78`: zeros before it belong to it.
    loop {
        let shorter = match (separator, before) {
            (Some(separator), [rest @ .., b'0', b'0', last]) if *last == separator => rest,
            (None, [rest @ .., b'0']) => rest,
            _ => break,
        };
        before = shorter;
    }
    let before = match before {
        [rest @ .., b'0', b'x' | b'X'] | [rest @ .., b'x' | b'X'] if separator.is_none() && rest.len() < at.start => {
            rest
        }
        other => other,
    };
    let behind = text.get(at.end..).unwrap_or_default();
    let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    // A pair behind a separator would make it a part of a longer number; a space may be one between words.
    let goes_on = separator.filter(|&byte| byte != b' ').is_some_and(|separator| {
        behind.first() == Some(&separator) && is_pair(behind.get(1..3).unwrap_or_default()) && !joins(behind.get(3))
            || before.last() == Some(&separator)
                && before.len() >= 3
                && is_pair(before.get(before.len() - 3..before.len() - 1).unwrap_or_default())
    });
    !joins(before.last()) && !joins(behind.first()) && !goes_on
}

/// Tells whether a number in decimal stands by itself: no part of a longer one, nor of a fraction.
pub(super) fn is_decimal(text: &[u8], at: &Range<usize>) -> bool {
    let before = text.get(..at.start).unwrap_or_default();
    let before = before.get(..before.len() - before.iter().rev().take_while(|&&byte| byte == b'0').count());
    let behind = text.get(at.end..).unwrap_or_default();
    let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_point = behind.first() == Some(&b'.') && behind.get(1).is_some_and(u8::is_ascii_digit);
    !joins(before.and_then(<[u8]>::last)) && !joins(behind.first()) && !is_point
}

/// Tells whether a thumbprint in base64 is no part of a longer run.
pub(super) fn is_base64(text: &[u8], at: &Range<usize>) -> bool {
    let joins =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+'));
    // `/` may be the border of a path, in which key ids stand.
    !joins(text.get(..at.start).unwrap_or_default().last()) && !joins(text.get(at.end))
}

/// Tells whether a subject ends where its last value does: `CN=a` is not in `CN=a.example`, nor in `CN=a b`.
pub(super) fn is_subject(text: &[u8], at: &Range<usize>) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    let behind = text.get(at.end..).unwrap_or_default();
    let goes_on = match behind {
        [b'.' | b'-' | b'_' | b'@' | b'*', next, ..] => is_word(next),
        [b' ', next, ..] => next.is_ascii_digit(),
        [next, ..] => is_word(next),
        [] => false,
    };
    !goes_on && !text.get(..at.start).unwrap_or_default().last().is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Source: facts, section 1.1.
    const SHA1: &str = "d4b4cccda9228624656bff33d8110955779632aa";
    const SHA256: &str = "43ea0217de39066a36164e21655e8ed7b2efaa67e4155033837ada26df6bb59e";

    fn value(part: CertificatePart, text: &str) -> Option<String> {
        parse(part, text).ok().map(|certificate| certificate.value().to_owned())
    }

    #[test]
    fn spellings_of_a_thumbprint_are_one() {
        for text in [
            "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA",
            "1LTMzakihiRla_8z2BEJVXeWMqo",
            "1LTMzakihiRla/8z2BEJVXeWMqo=",
        ] {
            assert_eq!(value(CertificatePart::Thumbprint, text).as_deref(), Some(SHA1), "{text}");
        }
        let long = "Q-oCF945Bmo2Fk4hZV6O17LvqmfkFVAzg3raJt9rtZ4";
        assert_eq!(value(CertificatePart::Thumbprint, long).as_deref(), Some(SHA256));
        assert_eq!((to_base64(SHA1).as_str(), to_base64(SHA256).as_str()), ("1LTMzakihiRla_8z2BEJVXeWMqo", long));
        for not in [
            "",
            "d4b4",
            "afcdfa90cfe609ffa7630c5fe5e9ea2e",
            "not a thumbprint of 27 ch!!",
            "1LTMzakihiRla_8z2BEJVXeWMq",
        ] {
            assert_eq!(value(CertificatePart::Thumbprint, not), None, "{not}");
        }
    }

    #[test]
    fn spellings_of_a_serial_number_are_one() {
        for text in [
            "80788D5549DC17AE",
            "0x80788d5549dc17ae",
            "00:80:78:8D:55:49:DC:17:AE",
            "80 78 8d 55 49 dc 17 ae",
            "9257304431510951854",
        ] {
            assert_eq!(value(CertificatePart::Serial, text).as_deref(), Some("80788d5549dc17ae"), "{text}");
        }
        assert_eq!(value(CertificatePart::Serial, "0x10").as_deref(), Some("10"));
        assert_eq!(value(CertificatePart::Serial, "16").as_deref(), Some("10"));
        assert!(value(CertificatePart::Serial, &"f".repeat(42)).is_some());
        for not in ["", "0", "00", "xyz", "0x", "-", &"f".repeat(43)] {
            assert_eq!(value(CertificatePart::Serial, not), None, "{not}");
        }
    }

    #[test]
    fn a_subject_keeps_its_words_only() {
        let live = "cn=live id sts signing public key";
        for text in ["CN=Live ID STS Signing Public Key", "cn =  Live ID STS  signing public key"] {
            assert_eq!(value(CertificatePart::Subject, text).as_deref(), Some(live), "{text}");
        }
        assert_eq!(value(CertificatePart::Subject, "CN=a , O = b c").as_deref(), Some("cn=a,o=b c"));
        for not in ["", "evil", "=a", "CN="] {
            assert_eq!(value(CertificatePart::Subject, not), None, "{not}");
        }
    }

    #[test]
    fn a_number_is_whole_or_not_at_all() {
        let serial = |text: &str, part: &str| {
            let at = text.find(part).unwrap();
            is_serial(text.as_bytes(), &(at..at + part.len()))
        };
        for yes in ["a1b2c3d4", "0xa1b2c3d4", "0000a1b2c3d4,", "(a1b2c3d4)", "é a1b2c3d4", "0x00a1b2c3d4"] {
            assert!(serial(yes, "a1b2c3d4"), "{yes}");
        }
        for no in ["1a1b2c3d4", "a1b2c3d40", "xya1b2c3d4", "10a1b2c3d4"] {
            assert!(!serial(no, "a1b2c3d4"), "{no}");
        }
        for yes in ["a1:b2:c3", "00:a1:b2:c3", "Serial:a1:b2:c3", "a1:b2:c3:", "00:00:a1:b2:c3 x"] {
            assert!(serial(yes, "a1:b2:c3"), "{yes}");
        }
        for no in ["01:a1:b2:c3", "a1:b2:c3:d4", "9a1:b2:c3"] {
            assert!(!serial(no, "a1:b2:c3"), "{no}");
        }
        assert!(is_decimal(b"x 123 ", &(2..5)) && is_decimal(b"00123.", &(2..5)));
        assert!(!is_decimal(b"9123", &(1..4)) && !is_decimal(b"123.5", &(0..3)) && !is_decimal(b"1234", &(0..3)));
    }
}
