//! `stormglass rules show`: one indicator, whole.

use crate::pack::{Expr, Indicator, Operator, Pack, Polarity, Predicate, Quantifier};
use crate::text::escape_for_terminal;

use super::Refusal;

/// Describes the indicator `id`, or `PACK/ID`.
pub(super) fn show(packs: &[Pack], id: &str) -> Result<String, Refusal> {
    let is_asked = |pack: &Pack, indicator: &Indicator| {
        indicator.id == id
            || id.strip_prefix(pack.name.as_str()).and_then(|rest| rest.strip_prefix('/')) == Some(&indicator.id)
    };
    let mut out = String::new();
    for pack in packs {
        for indicator in pack.all().filter(|indicator| is_asked(pack, indicator)) {
            describe(pack, &indicator, &mut out);
        }
    }
    if out.is_empty() {
        return Err(Refusal::Usage(format!("there is no indicator `{id}`; `stormglass rules list` lists them all")));
    }
    Ok(out)
}

fn describe(pack: &Pack, indicator: &Indicator, out: &mut String) {
    let mut line = |key: &str, value: &str| {
        out.push_str(format!("{key:13} {}", escape_for_terminal(value)).trim_end());
        out.push('\n');
    };
    line("indicator", &indicator.id);
    line("name", &indicator.name);
    line("pack", &pack.name);
    if let Some(advisory) = &pack.advisory {
        line("advisory", &format!("{} {}", advisory.id, advisory.title));
        for reference in &advisory.references {
            line("", reference);
        }
    }
    line("severity", &format!("{} (outside its window: {})", indicator.severity, indicator.outside_seen));
    line("confidence", &format!("{} of 100", indicator.confidence));
    if !indicator.attack.is_empty() {
        line("ATT&CK", &indicator.attack.join(", "));
    }
    line("source", indicator.source.as_deref().unwrap_or("none given"));
    if let Some(note) = &indicator.note {
        line("note", note);
    }
    line("matches", "");
    let mut tree = String::new();
    expression(&indicator.matches, 1, &mut tree);
    out.push_str(&tree);
    for (word, examples) in [("hit", &indicator.examples.hit), ("miss", &indicator.examples.miss)] {
        for example in examples {
            out.push_str(&format!("{word:13} {}\n", escape_for_terminal(example)));
        }
    }
    out.push('\n');
}

fn expression(expr: &Expr, depth: usize, out: &mut String) {
    let mut line = |text: &str| out.push_str(&format!("{}{}\n", "  ".repeat(depth), escape_for_terminal(text)));
    match expr {
        Expr::All(parts) | Expr::Any(parts) => {
            line(if matches!(expr, Expr::All(_)) { "all of" } else { "any of" });
            parts.iter().for_each(|part| expression(part, depth + 1, out));
        }
        Expr::Not(part) => {
            line("not");
            expression(part, depth + 1, out);
        }
        Expr::Atoms(atoms) => {
            for atom in atoms {
                let seen = atom.seen.map(|seen| format!("  seen {} to {}", seen.first, seen.last)).unwrap_or_default();
                line(&format!("{} {}{seen}", atom.observable.kind(), atom.observable.value()));
            }
        }
        Expr::Text(texts) => texts.iter().for_each(|text| line(&format!("text {}", text.value))),
        Expr::Regex(expressions) => expressions.iter().for_each(|expression| line(&format!("regex {expression}"))),
        Expr::Hex(strings) => strings.iter().for_each(|string| line(&format!("hex {string}"))),
        Expr::Yara(source) => source.lines().for_each(|source| line(&format!("yara {source}"))),
        Expr::Token(tests) => tests.iter().for_each(|test| line(&format!("token {test}"))),
        Expr::Record(predicates) => {
            predicates.iter().for_each(|predicate| line(&format!("record {}", in_words(predicate))))
        }
    }
}

fn in_words(predicate: &Predicate) -> String {
    let verb = match (predicate.operator, predicate.polarity) {
        (Operator::Equals, Polarity::Is) => "is",
        (Operator::Equals, Polarity::Not) => "is not",
        (Operator::Contains, Polarity::Is) => "contains",
        (Operator::Contains, Polarity::Not) => "does not contain",
        (Operator::StartsWith, Polarity::Is) => "starts with",
        (Operator::StartsWith, Polarity::Not) => "does not start with",
        (Operator::EndsWith, Polarity::Is) => "ends with",
        (Operator::EndsWith, Polarity::Not) => "does not end with",
    };
    let values: Vec<&str> = predicate.values.iter().map(|value| value.as_deref().unwrap_or("(empty)")).collect();
    let joined = values.join(if predicate.quantifier == Quantifier::All { " and " } else { " or " });
    format!("{} {verb} {joined}", predicate.field)
}
