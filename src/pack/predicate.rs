//! Tests of a record's fields under `record`. Source: Sigma 2.0, "detection" and its modifiers.

use super::codes::{EMPTY, MODIFIER, NOT_YET};
use super::fields;
use super::located::{Entry, Node, Value};
use super::mistakes::Mistakes;
use super::{Expr, Operator, Polarity, Predicate, Quantifier};

/// What one modifier changes.
#[derive(Clone, Copy)]
enum Modifier {
    Compare(Operator),
    EachValue,
    TurnRound,
}

const MODIFIERS: &[(&str, Modifier)] = &[
    ("contains", Modifier::Compare(Operator::Contains)),
    ("startswith", Modifier::Compare(Operator::StartsWith)),
    ("endswith", Modifier::Compare(Operator::EndsWith)),
    ("all", Modifier::EachValue),
    ("not", Modifier::TurnRound),
];

/// Modifiers of Sigma 2.0 that this version does not know.
const LATER: &[&str] = &[
    "base64",
    "base64offset",
    "cased",
    "cidr",
    "exists",
    "expand",
    "fieldref",
    "gt",
    "gte",
    "i",
    "lt",
    "lte",
    "m",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "neq",
    "re",
    "s",
    "utf16",
    "utf16be",
    "utf16le",
    "wide",
    "windash",
];

/// Reads the tests of a record; all must hold.
pub(super) fn read(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let entries = fields::entries(node, "`record`", mistakes)?;
    let tests: Vec<Option<Predicate>> = entries.iter().map(|entry| predicate(entry, mistakes)).collect();
    tests.into_iter().collect::<Option<Vec<_>>>().map(Expr::Record)
}

fn predicate(entry: &Entry, mistakes: &mut Mistakes<'_>) -> Option<Predicate> {
    let mut words = entry.key.split('|');
    let field = words.next().unwrap_or_default().trim();
    if field.is_empty() {
        let problem = format!("`{}` names no field", entry.key);
        mistakes.add(entry.at, EMPTY, problem, "a field, as in Operation or source.ip", "write the field's name first");
    }
    let mut predicate = Predicate {
        field: field.to_owned(),
        operator: Operator::Equals,
        quantifier: Quantifier::Any,
        polarity: Polarity::Is,
        values: Vec::new(),
    };
    let known = words.filter(|word| !apply(word, &mut predicate, entry, mistakes)).count() == 0;
    let values = values(entry, predicate.operator, mistakes);
    predicate.values = values?;
    (known && !field.is_empty()).then_some(predicate)
}

/// Applies one modifier; returns false where it could not.
fn apply(word: &str, predicate: &mut Predicate, entry: &Entry, mistakes: &mut Mistakes<'_>) -> bool {
    let names: Vec<&str> = MODIFIERS.iter().map(|(name, _)| *name).collect();
    let expected = format!("one of: {}", names.join(", "));
    let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) else {
        if LATER.contains(&word) {
            let help = "leave it out for now, or write the test as `regex` or `text`";
            mistakes.add(entry.at, NOT_YET, format!("the modifier `{word}` is not yet supported"), expected, help);
        } else {
            let help = match fields::nearest(word, &names) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "a field's name may not hold `|`".to_owned(),
            };
            mistakes.add(entry.at, MODIFIER, format!("`{word}` is no modifier"), expected, help);
        }
        return false;
    };
    match modifier {
        Modifier::Compare(_) if predicate.operator != Operator::Equals => {
            let problem = format!("`{}` compares in two ways", entry.key);
            let help = "write the field twice, once with each modifier: both must then hold";
            mistakes.add(entry.at, MODIFIER, problem, "one of contains, startswith, endswith", help);
            return false;
        }
        Modifier::Compare(operator) => predicate.operator = *operator,
        Modifier::EachValue => predicate.quantifier = Quantifier::All,
        Modifier::TurnRound => predicate.polarity = Polarity::Not,
    }
    true
}

fn values(entry: &Entry, operator: Operator, mistakes: &mut Mistakes<'_>) -> Option<Vec<Option<String>>> {
    let elements = fields::elements(&entry.value, &entry.key, mistakes);
    let values: Vec<Option<Option<String>>> =
        elements.iter().map(|one| value(one, entry, operator, mistakes)).collect();
    values.into_iter().collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())
}

fn value(node: &Node, entry: &Entry, operator: Operator, mistakes: &mut Mistakes<'_>) -> Option<Option<String>> {
    if let Some(text) = node.scalar().filter(|text| !text.is_empty() || operator == Operator::Equals) {
        return Some(Some(text.to_owned()));
    }
    match &node.value {
        Value::Null if operator == Operator::Equals => Some(None),
        Value::List(_) | Value::Mapping(_) => {
            fields::text(node, &entry.key, mistakes);
            None
        }
        _ => {
            let problem = format!("`{}` has an empty value, which every field holds", entry.key);
            let help = "write the part to look for; `null` without a modifier asks for an empty or absent field";
            mistakes.add(node.at, EMPTY, problem, "a text of at least one character", help);
            None
        }
    }
}
