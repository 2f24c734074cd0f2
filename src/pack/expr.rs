//! What stands under `match`: the kinds, and how they are combined.
//!
//! A kind here is one line of `KINDS`; atoms are read in `atoms.rs`, fields of records in `predicate.rs`, tokens in `token.rs`.

use super::codes::{EMPTY, HEX, NOT_YET, REGEX, REGEX_QUOTES, WRONG_TYPE};
use super::fields::{self, Fields};
use super::located::{Entry, Node, Value};
use super::mistakes::Mistakes;
use super::{Borders, Expr, LetterCase, TextPattern, atoms, predicate, token};
use crate::observable::AtomKind;

/// Reads what stands under one key of `match`.
type ReadKind = fn(&Node, &mut Mistakes<'_>) -> Option<Expr>;

/// The kinds of `match`. A new kind is one line here; the order is that of messages.
pub(super) const KINDS: &[(&str, ReadKind)] = &[
    ("ip", |node, mistakes| atoms::read(node, "ip", AtomKind::Ip, mistakes)),
    ("domain", |node, mistakes| atoms::read(node, "domain", AtomKind::Domain, mistakes)),
    ("url", |node, mistakes| atoms::read(node, "url", AtomKind::Url, mistakes)),
    ("email", |node, mistakes| atoms::read(node, "email", AtomKind::Email, mistakes)),
    ("hash", |node, mistakes| atoms::read(node, "hash", AtomKind::Hash, mistakes)),
    ("certificate", atoms::certificates),
    ("user_agent", |node, mistakes| atoms::read(node, "user_agent", AtomKind::UserAgent, mistakes)),
    ("text", texts),
    ("regex", regexes),
    ("hex", hexes),
    ("yara", yara),
    ("record", predicate::read),
    ("token", token::read),
    ("all", |node, mistakes| combined(node, "all", Expr::All, mistakes)),
    ("any", |node, mistakes| combined(node, "any", Expr::Any, mistakes)),
    ("not", |node, mistakes| read(node, mistakes).map(|part| Expr::Not(Box::new(part)))),
];

/// Words of the format that this version does not know.
const LATER: &[&str] = &["sigma", "first_seen", "count", "absent_before"];

const CASES: &[(&str, LetterCase)] = &[("sensitive", LetterCase::Counts), ("ignored", LetterCase::Ignored)];

const BORDERS: &[(&str, Borders)] = &[("anywhere", Borders::Anywhere), ("word", Borders::Word)];

/// Reads a `match`: the keys of a mapping must all hold; of a list, one element.
pub(super) fn read(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    if matches!(node.value, Value::List(_)) {
        return combined(node, "match", Expr::Any, mistakes);
    }
    let entries = fields::entries(node, "`match`", mistakes)?;
    let parts: Vec<Option<Expr>> = entries.iter().map(|entry| part(entry, mistakes)).collect();
    one_or(parts, Expr::All)
}

fn part(entry: &Entry, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    if let Some((_, read)) = KINDS.iter().find(|(kind, _)| *kind == entry.key) {
        return read(&entry.value, mistakes);
    }
    let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    if LATER.contains(&entry.key.as_str()) {
        let problem = format!("`{}` is not yet supported", entry.key);
        let help = "leave it out for now, or use a later version; `stormglass --version` tells yours";
        mistakes.add(entry.at, NOT_YET, problem, format!("one of: {}", kinds.join(", ")), help);
    } else {
        fields::unknown_key(entry, "`match`", &kinds, mistakes);
    }
    None
}

fn combined(node: &Node, what: &str, join: fn(Vec<Expr>) -> Expr, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let Value::List(elements) = &node.value else {
        let problem = format!("`{what}` is {}", node.describe());
        let help = format!("write `{what}:` and below it one `- kind: value` a part");
        mistakes.add(node.at, WRONG_TYPE, problem, "a list of parts", help);
        return None;
    };
    if elements.is_empty() {
        mistakes.add(node.at, EMPTY, format!("`{what}` has no part"), "at least one part", "add one, or leave it out");
    }
    let parts: Vec<Option<Expr>> = elements.iter().map(|element| read(element, mistakes)).collect();
    one_or(parts, join)
}

/// Joins parts that could all be read; a single one stands for itself.
fn one_or(parts: Vec<Option<Expr>>, join: fn(Vec<Expr>) -> Expr) -> Option<Expr> {
    let mut parts = parts.into_iter().collect::<Option<Vec<Expr>>>()?;
    if parts.len() == 1 { parts.pop() } else { Some(join(parts)) }
}

fn texts(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let elements = fields::elements(node, "text", mistakes);
    let patterns: Vec<Option<TextPattern>> = elements.iter().map(|one| text(one, mistakes)).collect();
    patterns.into_iter().collect::<Option<Vec<_>>>().map(Expr::Text)
}

fn text(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<TextPattern> {
    if !matches!(node.value, Value::Mapping(_)) {
        let value = fields::text(node, "text", mistakes)?.to_owned();
        return Some(TextPattern { value, case: LetterCase::Ignored, borders: Borders::Anywhere });
    }
    let fields = Fields::read(node, "a text", &["value", "case", "borders"], mistakes)?;
    let value = fields.required("value", "'the text'", mistakes);
    let value = value.and_then(|node| fields::text(node, "value", mistakes));
    let case = fields.get("case").map(|node| fields::word(node, "case", CASES, mistakes));
    let borders = fields.get("borders").map(|node| fields::word(node, "borders", BORDERS, mistakes));
    Some(TextPattern {
        value: value?.to_owned(),
        case: case.unwrap_or(Some(LetterCase::Ignored))?,
        borders: borders.unwrap_or(Some(Borders::Anywhere))?,
    })
}

fn regexes(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let elements = fields::elements(node, "regex", mistakes);
    let patterns: Vec<Option<String>> = elements.iter().map(|one| regex(one, mistakes)).collect();
    patterns.into_iter().collect::<Option<Vec<_>>>().map(Expr::Regex)
}

fn regex(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let pattern = fields::text(node, "regex", mistakes)?;
    if let Err(error) = regex::Regex::new(pattern) {
        let error = error.to_string();
        // The crate draws the pattern with a marker under it; its last line says what is wrong.
        let reason = error.lines().next_back().unwrap_or_default().trim_start_matches("error: ");
        let help = "look-around and back-references are not known; escape special characters with `\\`, and put the \
                    pattern in single quotes so that YAML leaves `\\` alone";
        let expected = "a regular expression as the Rust crate `regex` takes it";
        mistakes.add(node.at, REGEX, format!("`{pattern}` is no regular expression: {reason}"), expected, help);
        return None;
    }
    if let Some(quote) = pattern.chars().find(|c| is_curly_quote(*c)) {
        let problem = format!("the pattern holds the curly quote {quote}, which logs do not hold, so it never matches");
        let help = "a word processor made it of a straight quote: write `\"` or `'`";
        mistakes.add(node.at, REGEX_QUOTES, problem, "straight quotes", help);
        return None;
    }
    Some(pattern.to_owned())
}

/// Tells whether a character is a quote as word processors write it.
pub(super) fn is_curly_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '\u{2032}' | '\u{2033}')
}

fn hexes(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let elements = fields::elements(node, "hex", mistakes);
    let strings: Vec<Option<String>> = elements.iter().map(|one| hex(one, mistakes)).collect();
    strings.into_iter().collect::<Option<Vec<_>>>().map(Expr::Hex)
}

/// Reads a hex string of YARA, with or without its braces. What it means is told when it is compiled.
fn hex(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let text = fields::text(node, "hex", mistakes)?;
    let inner = text.trim().strip_prefix('{').map_or(Some(text.trim()), |inner| inner.strip_suffix('}'));
    let is_hex = |c: char| c.is_ascii_hexdigit() || c.is_whitespace() || "?[]()-|~".contains(c);
    match inner.map(str::trim).filter(|inner| !inner.is_empty() && inner.chars().all(is_hex)) {
        Some(inner) => Some(format!("{{ {} }}", inner.split_whitespace().collect::<Vec<_>>().join(" "))),
        None => {
            let expected =
                "pairs of hexadecimal digits, `??`, jumps such as `[2-4]` and alternatives, as in { 4D 5A ?? 00 }";
            let help =
                "put it in single quotes, so that YAML does not read a mapping; modifiers need a rule under `yara`";
            mistakes.add(node.at, HEX, format!("`{text}` is no hex string"), expected, help);
            None
        }
    }
}

fn yara(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    fields::text(node, "yara", mistakes).map(|source| Expr::Yara(source.to_owned()))
}
