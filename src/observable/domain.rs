//! The kind `domain`: a name and everything under it. Source: RFC 1034, section 3.5; RFC 1123, section 2.1.

use super::ObservableError;

const EXPECTED: &str = "a domain name such as example.com; sub-domains belong to it, so no `*.` and no path";

/// Normalises a name: lower case, no dot at its end, no `*.` before it.
pub(super) fn parse(text: &str) -> Result<String, ObservableError> {
    let refuse = |why: &str| ObservableError { problem: format!("`{text}` {why}"), expected: EXPECTED };
    let name = text.strip_prefix("*.").unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name).to_lowercase();
    if name.is_empty() || name.len() > 253 {
        return Err(refuse("is empty or longer than 253 bytes"));
    }
    if name.contains("://") || name.contains('/') {
        return Err(refuse("is a URL, not a domain"));
    }
    if name.contains('@') {
        return Err(refuse("is an e-mail address, not a domain"));
    }
    if name.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(refuse("is a number, not a domain"));
    }
    for label in name.split('.') {
        let fits = !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if !fits {
            return Err(refuse("has a label that no domain can have"));
        }
    }
    Ok(name)
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
        assert_eq!(parse("*.evil.example").unwrap(), "evil.example");
        for not in ["", ".", "a..b", "-a.example", "a b.example", "http://evil.example/", "a@evil.example", "1.2.3.4"] {
            assert!(parse(not).is_err(), "{not}");
        }
        assert!(looks_like("evil.example") && !looks_like("evil") && !looks_like("v1.2"));
    }
}
