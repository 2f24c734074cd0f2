//! Tests of a record's fields. Source: Sigma 2.0, "Value Modifiers".

use std::borrow::Cow;

use crate::observable::decoding::plain_words;
use crate::observable::tokens::{Reading, Shapes, Token, tokens};
use crate::observable::{AtomKind, Observable};
use crate::pack::{Operator, Polarity, Predicate, Quantifier};
use crate::record::{Field, FieldName};

/// A predicate with its field's name resolved.
#[derive(Clone, Debug)]
pub(super) struct FieldTest {
    name: FieldName,
    predicate: Predicate,
    /// Whether the field is an address by its ECS name, which is compared as one: `[::ffff:192.0.2.7]:443` is `192.0.2.7`.
    is_address: bool,
}

/// The ECS fields that hold an address and nothing else.
const ADDRESSES: &[&str] = &["source.ip", "destination.ip"];

impl FieldTest {
    /// Resolves the name of a predicate's field.
    pub fn new(predicate: Predicate) -> Self {
        let is_address = ADDRESSES.iter().any(|name| name.eq_ignore_ascii_case(predicate.field.trim()));
        Self { name: FieldName::new(&predicate.field), predicate, is_address }
    }
}

/// Tells whether every test holds of the fields.
pub(super) fn all_hold(tests: &[FieldTest], fields: &[Field<'_>]) -> bool {
    tests.iter().all(|test| holds(test, fields))
}

fn holds(FieldTest { name, predicate, is_address }: &FieldTest, fields: &[Field<'_>]) -> bool {
    let mut values = fields.iter().filter(|field| name.is(&field.name)).map(|field| &field.value);
    let one = |wanted: &Option<String>, value: &str| match wanted {
        None => value.is_empty(),
        Some(wanted) if *is_address && predicate.operator == Operator::Equals => is_in(wanted, value),
        Some(wanted) => compare(predicate.operator, wanted, value),
    };
    let positive = match predicate.quantifier {
        Quantifier::Any => {
            let mut met = false;
            let found = values.by_ref().any(|value| {
                met = true;
                predicate.values.iter().any(|wanted| one(wanted, value))
            });
            found || !met && predicate.values.contains(&None)
        }
        // `all` needs one field value that satisfies every listed value, or several that do so together.
        Quantifier::All => {
            let values: Vec<&Cow<'_, str>> = values.collect();
            predicate.values.iter().all(|wanted| values.iter().any(|value| one(wanted, value)))
        }
    };
    positive == (predicate.polarity == Polarity::Is)
}

/// Tells whether the address in a value is, or is in, the listed one.
fn is_in(wanted: &str, value: &str) -> bool {
    let Ok(Observable::Ip(range)) = Observable::parse(AtomKind::Ip, wanted) else { return equal(wanted, value) };
    let mut is_in = false;
    let shapes = Shapes { v4: true, v6: true, ..Shapes::default() };
    tokens(value.as_bytes(), shapes, Reading::Exact, &mut |token, _| {
        is_in |= matches!(token, Token::Address(address) if range.network().contains(&address));
    });
    is_in
}

fn compare(operator: Operator, wanted: &str, value: &str) -> bool {
    match operator {
        Operator::Equals => equal(wanted, value),
        Operator::Contains => folded(value).contains(&*folded(wanted)),
        Operator::StartsWith => folded(value).starts_with(&*folded(wanted)),
        Operator::EndsWith => folded(value).ends_with(&*folded(wanted)),
    }
}

/// Compares without letter case; numbers by value, since exports write `50`, `"50"` and `50.00`.
fn equal(wanted: &str, value: &str) -> bool {
    if wanted.len() == value.len() && wanted.eq_ignore_ascii_case(value) {
        return true;
    }
    if !wanted.is_ascii() || !value.is_ascii() {
        return wanted.to_lowercase() == value.to_lowercase();
    }
    whole(wanted).is_some_and(|number| whole(value) == Some(number))
}

/// Reads a whole number, also one written `50.00`. Others are text: `1.10` may be a version.
fn whole(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|zero| zero == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    // `007` is a code and not a number.
    let is_plain = !digits.starts_with('+') && (digits == "0" || !digits.trim_start_matches('-').starts_with('0'));
    digits.parse().ok().filter(|_| is_plain)
}

fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase() || b >= 0x80) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Tells whether the record has every field that tests ask for positively.
pub(super) fn has_required_fields(required: &[FieldName], fields: &[Field<'_>]) -> bool {
    required.iter().all(|name| fields.iter().any(|field| name.is(&field.name)))
}

/// Returns the fields that the tests ask for positively.
pub(super) fn required_fields(tests: &[FieldTest]) -> impl Iterator<Item = &FieldName> {
    let is_required = |p: &Predicate| p.polarity == Polarity::Is && !p.values.contains(&None);
    tests.iter().filter(move |test| is_required(&test.predicate)).map(|test| &test.name)
}

/// Returns the texts of which at least one must stand in a record for the predicate to hold; empty where none must.
///
/// Numbers are left out, since `50` also stands as `50.0`; so are texts that encodings change.
pub(super) fn needles(FieldTest { predicate, is_address, .. }: &FieldTest) -> Vec<String> {
    if *is_address || predicate.polarity == Polarity::Not || predicate.values.iter().any(Option::is_none) {
        return Vec::new();
    }
    let listed = || predicate.values.iter().flatten();
    let longest = |value: &String| plain_words(value).max_by_key(|word| word.len()).unwrap_or_default().to_owned();
    let values: Vec<String> = listed().map(longest).collect();
    match predicate.quantifier {
        _ if values.iter().any(|word| word.len() < 2) || listed().any(|value| value.parse::<f64>().is_ok()) => {
            Vec::new()
        }
        Quantifier::Any => values,
        Quantifier::All => values.into_iter().max_by_key(String::len).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicate(operator: Operator, polarity: Polarity, values: &[&str]) -> FieldTest {
        FieldTest::new(Predicate {
            field: "Operation".into(),
            operator,
            quantifier: Quantifier::Any,
            polarity,
            values: values.iter().map(|v| Some((*v).to_owned())).collect(),
        })
    }

    #[test]
    fn modifiers_compare_without_letter_case() {
        let fields = [Field::plain("Operation", "MailItemsAccessed")];
        let check = |operator, polarity, values: &[&str]| holds(&predicate(operator, polarity, values), &fields);
        assert!(check(Operator::Equals, Polarity::Is, &["x", "mailitemsaccessed"]));
        assert!(!check(Operator::Equals, Polarity::Is, &["MailItems"]));
        assert!(check(Operator::StartsWith, Polarity::Is, &["mailitems"]));
        assert!(check(Operator::EndsWith, Polarity::Is, &["ACCESSED"]));
        assert!(check(Operator::Contains, Polarity::Is, &["Items"]));
        assert!(!check(Operator::Contains, Polarity::Not, &["Items"]));
        assert!(check(Operator::Contains, Polarity::Not, &["Other"]));
    }

    #[test]
    fn a_missing_field_satisfies_only_not_and_null() {
        let fields = [Field::plain("Other", "x")];
        assert!(!holds(&predicate(Operator::Equals, Polarity::Is, &["a"]), &fields));
        assert!(holds(&predicate(Operator::Equals, Polarity::Not, &["a"]), &fields));
        let mut null = predicate(Operator::Equals, Polarity::Is, &[]);
        null.predicate.values = vec![None];
        assert!(holds(&null, &fields));
        assert!(!holds(&null, &[Field::plain("Operation", "x")]));
        assert!(holds(&null, &[Field::plain("Operation", "")]));
    }

    #[test]
    fn all_means_all() {
        let mut all = predicate(Operator::Contains, Polarity::Is, &["Mail", "Access"]);
        all.predicate.quantifier = Quantifier::All;
        assert!(holds(&all, &[Field::plain("Operation", "MailItemsAccessed")]));
        assert!(!holds(&all, &[Field::plain("Operation", "MailItems")]));
    }

    #[test]
    fn addresses_compare_as_addresses_by_their_ecs_name() {
        let mut test = predicate(Operator::Equals, Polarity::Is, &["192.0.2.7", "198.51.100.0/24"]);
        test.predicate.field = "source.ip".into();
        let test = FieldTest::new(test.predicate);
        for yes in ["192.0.2.7", "192.0.2.7:443", "[::ffff:192.0.2.7]:443", "198.51.100.9"] {
            assert!(holds(&test, &[Field::plain("ClientIP", yes)]), "{yes}");
        }
        for no in ["192.0.2.70", "198.51.101.9", ""] {
            assert!(!holds(&test, &[Field::plain("ClientIP", no)]), "{no}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        assert!(equal("50", "50.00") && equal("1156492", "1156492.0") && !equal("50", "500") && !equal("50", "50."));
        assert!(
            !equal("7", "007")
                && equal("0", "0.0")
                && !equal("1.10", "1.1")
                && !equal("50", "5e1")
                && equal("1.10", "1.10")
        );
    }
}
