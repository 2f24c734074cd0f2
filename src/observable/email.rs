//! The kind `email`: an address as a whole. Source: RFC 5321, section 4.1.2; RFC 5322, section 3.4.1.

use super::{ObservableError, domain};

const EXPECTED: &str = "an e-mail address such as someone@example.com";

/// Normalises an address to lower case, without its display name, quotes and angle brackets. A tag (`name+tag@`) is kept:
/// it is another address.
pub(super) fn parse(text: &str) -> Result<String, ObservableError> {
    let refuse = || ObservableError { problem: format!("`{text}` is not an e-mail address"), expected: EXPECTED };
    let address = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, address)| address);
    let scheme = address.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto:"));
    let address = scheme.map_or(address, |(_, address)| address);
    let (local, host) = address.rsplit_once('@').ok_or_else(refuse)?;
    let quoted = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'));
    let is_quotable = |byte: u8| byte >= b' ' && byte != 0x7f && !matches!(byte, b'"' | b'\\');
    let fits = quoted.map_or_else(|| local.bytes().all(is_local), |local| local.bytes().all(is_quotable));
    let local = quoted.unwrap_or(local);
    if local.contains('*') {
        let problem = format!("`{text}` has a `*`: addresses are compared whole");
        return Err(ObservableError {
            problem,
            expected: "an e-mail address such as someone@example.com, or a `domain`",
        });
    }
    if local.is_empty() || local.len() > 64 || !fits {
        return Err(refuse());
    }
    let host = domain::host(host).map_err(|_| refuse())?;
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
        for same in
            ["mailto:a@evil.example", "MAILTO:A@evil.example", "\"Name, B\" <a@evil.example>", "<a@Evil.Example.>"]
        {
            assert_eq!(parse(same).unwrap(), "a@evil.example", "{same}");
        }
        assert_eq!(parse("\"A b\"@evil.example").unwrap(), "a b@evil.example");
        assert_eq!(parse("a@münchen.example").unwrap(), "a@xn--mnchen-3ya.example");
        for not in
            ["evil.example", "@evil.example", "a b@evil.example", "a@", "a@b c", "a@localhost", "a@*.evil.example"]
        {
            assert!(parse(not).is_err(), "{not}");
        }
    }
}
