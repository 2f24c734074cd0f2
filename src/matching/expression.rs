//! Patterns written for yara-x: what it takes in another spelling, and what it must be given less of.

use crate::observable::{Spelling, Whole};

/// Splits `(?is)` off the front of a regular expression; yara-x takes the flags behind it.
pub(super) fn split_flags(expression: &str) -> (&str, &str) {
    expression
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .filter(|(flags, _)| !flags.is_empty() && flags.chars().all(|c| matches!(c, 'i' | 's')))
        .unwrap_or(("", expression))
}

/// Takes the anchors out of a regular expression, since yara-x knows only those of all its text; none where it has none.
/// What is left matches wherever the whole would.
pub(super) fn without_anchors(expression: &str) -> Option<String> {
    let mut out = String::with_capacity(expression.len());
    let mut found = false;
    let mut class_depth = 0_u32;
    let mut chars = expression.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('A' | 'z') if class_depth == 0 => {
                    found = true;
                    out.push_str("(?:)");
                }
                escaped => {
                    out.push('\\');
                    out.extend(escaped);
                }
            },
            '[' => {
                class_depth += 1;
                out.push('[');
                // `[^]…]` and `[]…]`: a bracket in first place is a character of the class.
                if let Some(negated) = chars.next_if_eq(&'^') {
                    out.push(negated);
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if class_depth > 0 => {
                class_depth -= 1;
                out.push(']');
            }
            '^' | '$' if class_depth == 0 => {
                found = true;
                out.push_str("(?:)");
            }
            c => out.push(c),
        }
    }
    found.then_some(out)
}

/// Tells whether what an expression needs may stand very far apart: something must follow a repetition without an end, or
/// with a distant one. yara-x follows a match for some 4,000 bytes and then lets go of it without a word.
pub(super) fn may_run_on(expression: &str) -> bool {
    let mut class_depth = 0_u32;
    let mut chars = expression.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let rest = expression.get(at + c.len_utf8()..).unwrap_or_default();
        let repeats_up_to = || {
            let (bounds, _) = rest.split_once('}').unwrap_or_default();
            bounds.split_once(',').map_or(bounds, |(_, most)| most).trim().parse::<u32>().unwrap_or(u32::MAX)
        };
        let is_long = match c {
            '\\' => {
                chars.next();
                false
            }
            '[' => {
                class_depth += 1;
                chars.next_if(|(_, c)| *c == '^');
                chars.next_if(|(_, c)| *c == ']');
                false
            }
            ']' => {
                class_depth = class_depth.saturating_sub(1);
                false
            }
            '*' | '+' => class_depth == 0,
            '{' => class_depth == 0 && rest.starts_with(|c: char| c.is_ascii_digit()) && repeats_up_to() > NEAR_TIMES,
            _ => false,
        };
        let behind = if c == '{' { rest.split_once('}').map_or("", |(_, behind)| behind) } else { rest };
        if is_long && !behind.trim_matches(|c| matches!(c, ')' | '$' | '?' | '+')).is_empty() {
            return true;
        }
    }
    false
}

/// A repetition up to here stays well within what yara-x follows.
const NEAR_TIMES: u32 = 256;

/// Escapes slashes that are not escaped yet, and line ends, which a YARA regular expression may not hold.
pub(super) fn quote_slashes(expression: &str) -> String {
    let mut out = String::new();
    let mut is_escaped = false;
    for c in expression.chars() {
        match c {
            '/' if !is_escaped => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    out
}

/// Writes a text as a string of yara-x.
pub(super) fn quote(text: &str) -> String {
    let inner: String = text
        .bytes()
        .map(|byte| match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            0x20..=0x7e => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect();
    format!("\"{inner}\"")
}

/// Writes a text in any letter case as an expression, where it has letters beyond ASCII, whose case yara-x does not
/// know; none where it has not.
pub(super) fn in_any_case(text: &str) -> Option<String> {
    let forms = |c: char| (c.to_lowercase().collect::<String>(), c.to_uppercase().collect::<String>());
    text.chars().any(|c| !c.is_ascii() && forms(c).0 != forms(c).1).then_some(())?;
    let bytes = |text: &str| text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let one = |c: char| {
        let (lower, upper) = forms(c);
        if lower == upper { bytes(&lower) } else { format!("({}|{})", bytes(&lower), bytes(&upper)) }
    };
    Some(text.chars().map(one).collect())
}

/// Writes a spelling of an atom as a string of yara-x that also stands where JSON or CSV escape it.
pub(super) fn spelled(spelling: &Spelling) -> String {
    let mut body = String::with_capacity(spelling.text.len() * 2);
    for c in spelling.text.chars() {
        match (c, spelling.whole) {
            (' ', Whole::UserAgent) => body.push_str("[ +]"),
            (' ', Whole::Subject) => body.push_str(" {1,4}"),
            ('=' | ',', Whole::Subject) => body.push_str(&format!(" {{0,4}}{c} {{0,4}}")),
            // JSON in JSON in CSV escapes three times over.
            ('/', _) => body.push_str(r"\\{0,7}\/"),
            ('"', _) => body.push_str(r#"\\{0,7}"{1,4}"#),
            ('\\', _) => body.push_str(r"\\{1,8}"),
            (c, _) if c.is_ascii_alphanumeric() => body.push(c),
            (c, _) if c.is_ascii() => body.push_str(&format!("\\x{:02x}", u32::from(c))),
            (c, _) => body.push_str(&in_any_case(c.encode_utf8(&mut [0; 4])).unwrap_or_else(|| bytes_of(c))),
        }
    }
    let case = if spelling.whole == Whole::Base64 { "" } else { " nocase" };
    format!("/{body}/{case}")
}

/// Returns the parts of a spelling's text that [`spelled`] leaves as they are, but for their letter case.
pub(super) fn literal_parts(text: &str) -> impl Iterator<Item = &str> {
    let is_changed = |c: char| !c.is_ascii_graphic() || matches!(c, '=' | ',' | '/' | '"' | '\\');
    text.split(is_changed).filter(|part| !part.is_empty())
}

fn bytes_of(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\x{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_may_run_on_are_told() {
        for yes in ["abcd.*wxyz", "a[^x]+b", "(a+)b", "a{2,}b", "a{300}b", "^abcd[^x]+wxyz$", "a.*?b", r"\w+@\w+"] {
            assert!(may_run_on(yes), "{yes}");
        }
        for no in
            ["abcd.*", "(^|;)sid=[0-9]+", "a{2,9}b", "[+*]b", r"a\+b", "(abc)+$", "a?b", "a{x}b", "[]*]b", "a{256}b"]
        {
            assert!(!may_run_on(no), "{no}");
        }
    }

    #[test]
    fn anchors_are_taken_out_wherever_they_stand() {
        let bare = |expression: &str| without_anchors(expression);
        assert_eq!(bare("^abc$").as_deref(), Some("(?:)abc(?:)"));
        assert_eq!(bare("(^|;)a(;|$)").as_deref(), Some("((?:)|;)a(;|(?:))"));
        assert_eq!(bare(r"\Aa\z").as_deref(), Some("(?:)a(?:)"));
        for kept in [r"a\^b\$c", "[^a$]", r"[\]^$]", "[]$]", "a|b", r"\\A"] {
            assert_eq!(bare(kept), None, "{kept}");
        }
        assert_eq!(bare("[^]$]^").as_deref(), Some("[^\\]$](?:)"));
    }

    #[test]
    fn letters_beyond_ascii_stand_in_both_cases() {
        assert_eq!(in_any_case("abc"), None);
        assert_eq!(in_any_case("日本"), None);
        assert_eq!(in_any_case("aÜ").as_deref(), Some(r"(\x61|\x41)(\xc3\xbc|\xc3\x9c)"));
    }
}
