//! The kind `email`: an address as a whole. Source: RFC 5321, section 4.1.2; RFC 5322, section 3.4.1.

use super::{ObservableError, domain};

const EXPECTED: &str = "an e-mail address such as someone@example.com";

/// Normalises an address to lower case. A tag (`name+tag@`) is kept: it is another address.
pub(super) fn parse(text: &str) -> Result<String, ObservableError> {
    let refuse = || ObservableError { problem: format!("`{text}` is not an e-mail address"), expected: EXPECTED };
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let (local, host) = address.rsplit_once('@').ok_or_else(refuse)?;
    if local.is_empty() || local.len() > 64 || !local.bytes().all(is_local) {
        return Err(refuse());
    }
    let host = domain::parse(host).map_err(|_| refuse())?;
    Ok(format!("{}@{host}", local.to_lowercase()))
}

/// Tells whether a byte may stand in the local part of an address. Source: RFC 5322, `atext`, and the dot.
pub(super) fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte) || byte >= 0x80
}

/// Tells whether a byte of a local part cannot be a border of it in ordinary text: `from=a@b` holds `a@b`.
pub(super) fn is_firm_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte) || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_case_and_keep_their_tag() {
        assert_eq!(parse("Some.One+Tag@Evil.Example").unwrap(), "some.one+tag@evil.example");
        for not in ["evil.example", "@evil.example", "a b@evil.example", "a@", "a@b c"] {
            assert!(parse(not).is_err(), "{not}");
        }
    }
}
