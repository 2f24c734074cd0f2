//! The kind `domain`: a name and everything under it, or with `*.` only what is under it. Source: RFC 1034, section 3.5;
//! RFC 1123, section 2.1; RFC 4592 for `*`; names beyond ASCII in `idna.rs`.

use super::{ObservableError, idna};

const EXPECTED: &str = "a domain name such as example.com, which stands for its sub-domains, too, or *.example.com for these alone; no path";

/// What stands before a name of which only the sub-domains are meant.
pub const WILDCARD: &str = "*.";

/// Normalises a name: lower case, ASCII, no dot at its end.
pub(super) fn parse(text: &str) -> Result<String, ObservableError> {
    match text.strip_prefix(WILDCARD) {
        Some(name) => labels(text, name).map(|name| format!("{WILDCARD}{name}")),
        None => host(text),
    }
}

/// Normalises a name that is a host, which no wildcard is.
pub(super) fn host(text: &str) -> Result<String, ObservableError> {
    let name = labels(text, text)?;
    if name.contains('.') { Ok(name) } else { Err(refuse(text, "is a single label, which stands in any text")) }
}

fn refuse(text: &str, why: &str) -> ObservableError {
    ObservableError { problem: format!("`{text}` {why}"), expected: EXPECTED }
}

fn labels(text: &str, name: &str) -> Result<String, ObservableError> {
    let refuse = |why: &str| refuse(text, why);
    if name.contains('/') {
        return Err(refuse("is a URL, not a domain"));
    }
    if name.contains('@') {
        return Err(refuse("is an e-mail address, not a domain"));
    }
    let name = idna::to_ascii(name).ok_or_else(|| refuse("has a label that no domain can have"))?;
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.is_empty() || name.len() > 253 {
        return Err(refuse("is empty or longer than 253 bytes"));
    }
    if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(refuse("is a number, not a domain"));
    }
    let fits = |label: &str| {
        !label.is_empty()
            && label.len() <= idna::LABEL_BYTES
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.split('.').all(fits) { Ok(name.to_owned()) } else { Err(refuse("has a label that no domain can have")) }
}

/// Tells whether a text looks like a name: two labels or more, the last one not a number.
pub(super) fn looks_like(text: &str) -> bool {
    parse(text).is_ok_and(|name| {
        name.rsplit_once('.')
            .is_some_and(|(_, last)| last.len() >= 2 && !last.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_and_other_things_refused() {
        assert_eq!(parse("Evil.Example.").unwrap(), "evil.example");
        assert_eq!(parse("*.Evil.example").unwrap(), "*.evil.example");
        assert_eq!(parse("_dmarc.evil.example").unwrap(), "_dmarc.evil.example");
        assert_eq!(parse("MÜNCHEN.example").unwrap(), "xn--mnchen-3ya.example");
        assert_eq!(parse("xn--mnchen-3ya.example").unwrap(), "xn--mnchen-3ya.example");
        assert_eq!(parse("evil。example。").unwrap(), "evil.example");
        for not in [
            "",
            ".",
            "*.",
            "a..b",
            "-a.example",
            "a b.example",
            "http://evil.example/",
            "a@evil.example",
            "1.2.3.4",
            "evil",
            "evil.",
            "a.*.example",
            "*evil.example",
        ] {
            assert!(parse(not).is_err(), "{not}");
        }
        assert!(host("*.evil.example").is_err());
        assert!(parse(&format!("{}.example", "a".repeat(63))).is_ok());
        assert!(parse(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(
            looks_like("evil.example") && looks_like("*.evil.example") && !looks_like("evil") && !looks_like("v1.2")
        );
    }
}
