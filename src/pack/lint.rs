//! What loads but is probably not what its author means.

use super::atoms::key_of;
use super::expr::is_curly_quote;
use super::{Expr, Indicator, Operator, Pack, Polarity, TokenTest};
use crate::observable::{Certificate, Observable};

/// Texts shorter than this stand in ordinary words by chance.
const SHORTEST_TEXT: usize = 4;

/// Serial numbers shorter than this are counters of small authorities.
const SHORTEST_SERIAL: usize = 8;

/// Ranges with fewer leading bits than these hold much of the internet: more than one provider is ever given.
const BROADEST_V4: u8 = 8;
const BROADEST_V6: u8 = 16;

/// Something in a pack that is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackWarning {
    /// A stable code, such as `W001`.
    pub code: &'static str,
    /// The line of the pack, from 1, where the indicator begins.
    pub line: u64,
    /// What is doubtful.
    pub problem: String,
    /// What to do about it.
    pub help: &'static str,
}

/// Every warning, as `docs/pack-format.md` lists them.
pub const WARNINGS: &[super::CodeEntry] = &[
    ("W001", "two kinds of values must stand in one record"),
    ("W002", "a short text"),
    ("W003", "a regular expression that matches the empty text"),
    ("W004", "a domain without a dot"),
    ("W005", "a very large range of addresses"),
    ("W006", "curly quotes in a text"),
    ("W007", "nothing is required to be there"),
    ("W008", "a `*` in a record value"),
    ("W009", "a short serial number"),
    ("W010", "a short hex string"),
];

/// Returns the warnings of a pack, in the order of the file.
pub fn lint(pack: &Pack) -> Vec<PackWarning> {
    let mut warnings = Vec::new();
    for indicator in pack.all() {
        let mut warn = |code, problem: String, help| {
            let problem = format!("{}: {problem}", indicator.id);
            warnings.push(PackWarning { code, line: indicator.line, problem, help });
        };
        negative_only(&indicator, &mut warn);
        expr(&indicator.matches, &mut warn);
    }
    warnings
}

type Warn<'w> = dyn FnMut(&'static str, String, &'static str) + 'w;

fn negative_only(indicator: &Indicator, warn: &mut Warn<'_>) {
    if !requires_something(&indicator.matches) {
        let help = "add what must be there; a test that only excludes matches nearly every record";
        warn("W007", "nothing is required to be there".to_owned(), help);
    }
}

fn requires_something(expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) => parts.iter().any(requires_something),
        Expr::Any(parts) => parts.iter().all(requires_something),
        Expr::Not(_) => false,
        Expr::Record(tests) => tests.iter().any(|test| test.polarity == Polarity::Is && !test.values.contains(&None)),
        Expr::Token(tests) => tests.iter().all(TokenTest::requires_something),
        Expr::Atoms(_) | Expr::Text(_) | Expr::Regex(_) | Expr::Hex(_) | Expr::Yara(_) => true,
    }
}

fn expr(tested: &Expr, warn: &mut Warn<'_>) {
    match tested {
        Expr::All(parts) => {
            two_kinds(parts, warn);
            parts.iter().for_each(|part| expr(part, warn));
        }
        Expr::Any(parts) => parts.iter().for_each(|part| expr(part, warn)),
        Expr::Not(part) => expr(part, warn),
        Expr::Atoms(atoms) => atoms.iter().for_each(|atom| observable(&atom.observable, warn)),
        Expr::Text(patterns) => patterns.iter().for_each(|pattern| text(&pattern.value, warn)),
        Expr::Regex(patterns) => patterns.iter().for_each(|pattern| regex(pattern, warn)),
        Expr::Hex(strings) => strings.iter().for_each(|string| hex(string, warn)),
        Expr::Yara(_) | Expr::Token(_) => {}
        Expr::Record(tests) => {
            for test in tests.iter().filter(|test| test.operator == Operator::Equals) {
                if let Some(value) = test.values.iter().flatten().find(|value| value.contains('*')) {
                    let help = "`*` is an ordinary character here: use |contains, |startswith or |endswith";
                    warn("W008", format!("`{}` is compared with `{value}`", test.field), help);
                }
            }
        }
    }
}

fn two_kinds(parts: &[Expr], warn: &mut Warn<'_>) {
    let mut kinds: Vec<&str> = parts.iter().filter_map(atom_key).collect();
    kinds.dedup();
    if let [first, second, ..] = kinds.as_slice() {
        let problem = format!("`{first}` and `{second}` must both stand in one record");
        warn("W001", problem, "if one of them is enough, write `any:` and below it one `- kind: value` each");
    }
}

fn atom_key(part: &Expr) -> Option<&'static str> {
    let Expr::Atoms(atoms) = part else { return None };
    atoms.first().map(|atom| key_of(&atom.observable))
}

fn observable(observable: &Observable, warn: &mut Warn<'_>) {
    match observable {
        Observable::Domain(name) if name.strip_prefix("*.").is_some_and(|name| !name.contains('.')) => {
            let help = "a top-level domain matches every name under it; write the whole name";
            warn("W004", format!("the domain `{name}` has no dot behind `*.`"), help);
        }
        Observable::Certificate(Certificate::Serial(digits)) if digits.len() < SHORTEST_SERIAL => {
            let help = "short numbers stand in any log; add the thumbprint, or ask for the subject, too, under `all`";
            warn("W009", format!("the serial number `{digits}` has fewer than {SHORTEST_SERIAL} digits"), help);
        }
        Observable::Ip(range) => {
            let net = range.network();
            let broadest = if net.addr().is_ipv4() { BROADEST_V4 } else { BROADEST_V6 };
            if net.prefix_len() < broadest {
                warn("W005", format!("`{net}` is a very large range"), "list the ranges that are meant");
            }
        }
        Observable::Domain(_)
        | Observable::Url(_)
        | Observable::Email(_)
        | Observable::Hash(..)
        | Observable::Certificate(_)
        | Observable::UserAgent(_) => {}
    }
}

fn hex(string: &str, warn: &mut Warn<'_>) {
    let bytes = string.split_whitespace().filter(|word| word.len() >= 2 && word.chars().all(|c| c.is_ascii_hexdigit()));
    let digits: usize = bytes.map(str::len).sum();
    if digits < 2 * SHORTEST_TEXT {
        let help = "few bytes stand anywhere by chance: add some, or write a rule under `yara` that asks for more";
        warn("W010", format!("the hex string `{string}` has fewer than {SHORTEST_TEXT} whole bytes"), help);
    }
}

fn text(value: &str, warn: &mut Warn<'_>) {
    if value.chars().count() < SHORTEST_TEXT {
        let help = "short texts stand in ordinary words: lengthen it, or add `borders: word` and `case: sensitive`";
        warn("W002", format!("the text `{value}` has fewer than {SHORTEST_TEXT} characters"), help);
    }
    if value.contains(is_curly_quote) {
        let help = "logs hold straight quotes; a word processor may have changed them";
        warn("W006", format!("the text `{value}` holds curly quotes"), help);
    }
}

fn regex(pattern: &str, warn: &mut Warn<'_>) {
    if regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match("")) {
        warn("W003", format!("`{pattern}` matches the empty text, so every record"), "require at least one character");
    }
}
