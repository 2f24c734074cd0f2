//! Names of keys in tokens, and the base64 and digests that they are made of. Source: RFC 7515, sections 2 and 4.1;
//! RFC 4648, section 5.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns the value of a character of base64, in the alphabet of URLs or the standard one.
pub(super) fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' | b'+' => Some(62),
        b'_' | b'/' => Some(63),
        _ => None,
    }
}

/// Writes bytes as base64url without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 4];
        for (place, byte) in group.iter_mut().skip(1).zip(chunk) {
            *place = *byte;
        }
        let bits = u32::from_be_bytes(group);
        for shift in [18, 12, 6, 0].into_iter().take(chunk.len() + 1) {
            let index = usize::try_from(bits >> shift & 63).unwrap_or_default();
            out.extend(ALPHABET.get(index).map(|&byte| char::from(byte)));
        }
    }
    out
}

/// Reads base64 of either alphabet, with or without padding; white space is passed over, and anything else is an error.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=') {
        bits = bits << 6 | u32::from(sextet(byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
        }
    }
    Some(out)
}

/// Returns the one spelling of a key's name: a digest in hexadecimal (with `:` or spaces or without) as base64url, any
/// other in the alphabet of URLs without padding. So a certificate's thumbprint is the `kid` and `x5t` made of it.
pub fn key_name(text: &str) -> String {
    let text = text.trim();
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b':' | b' ')).collect();
    if matches!(digits.len(), 40 | 64) && digits.iter().all(u8::is_ascii_hexdigit) {
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(value(*high)? << 4 | value(*low)?),
            _ => None,
        };
        if let Some(bytes) = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>() {
            return encode(&bytes);
        }
    }
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Returns the names by which a certificate in base64 DER is called: its SHA-1 and SHA-256 thumbprints.
pub(super) fn names_of_certificate(base64: &str) -> Vec<String> {
    let Some(der) = decode(base64.as_bytes()).filter(|der| !der.is_empty()) else { return Vec::new() };
    vec![encode(&Sha1::digest(&der)), encode(&Sha256::digest(&der))]
}

/// Returns the SHA-256 of bytes as lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_written_and_read_at_every_length() {
        for (plain, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("~~?", "fn4_")]
        {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode(b"fn4/\r\nZg==").unwrap(), b"~~?f");
        assert_eq!(decode(b"fn4*"), None);
    }

    #[test]
    fn a_thumbprint_is_the_name_made_of_it() {
        let name = "1LTMzakihiRla_8z2BEJVXeWMqo";
        for same in [
            name,
            "1LTMzakihiRla/8z2BEJVXeWMqo=",
            "d4b4cccda9228624656bff33d8110955779632aa",
            "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA",
            " D4 B4 CC CD A9 22 86 24 65 6B FF 33 D8 11 09 55 77 96 32 AA",
        ] {
            assert_eq!(key_name(same), name, "{same}");
        }
        for other in ["1ltmzakihirla_8z2bejvxewmqo", "d4b4cccda9228624656bff33d8110955779632a", "key-1"] {
            assert_ne!(key_name(other), name);
        }
        assert_eq!(
            key_name("43ea0217de39066a36164e21655e8ed7b2efaa67e4155033837ada26df6bb59e"),
            "Q-oCF945Bmo2Fk4hZV6O17LvqmfkFVAzg3raJt9rtZ4"
        );
    }
}
