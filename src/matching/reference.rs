//! The slow, obvious matcher: every record, every field, every value, without a screen, a filter, a table or a prefix tree.
//! Tests and fuzzing hold the fast one equal to it.
//!
//! Encodings are undone as everywhere, since they are not what is compared. What a value is and where it ends is said
//! again in `places.rs`. Left out are hex strings and YARA, for which yara-x is its own reference:
//! [`Reference::covers`] tells which indicators remain.

mod places;

use std::collections::BTreeSet;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use super::expression::split_flags;
use super::predicate::{FieldTest, all_hold};
use super::views::Views;
use super::{Hit, ObservableValue, SightingKind};
use crate::observable::decoding::Runs;
use crate::observable::refang::{Refanged, Touch, refanged};
use crate::observable::{Observable, Spelling, Whole};
use crate::pack::{Borders, Expr, LetterCase, Pack, TextPattern};
use crate::record::{Block, Record, Span};

/// One thing that was found, as far as both matchers say it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// The record's number, from 1.
    pub record: u64,
    /// The indicator's index among those of all packs.
    pub indicator: usize,
    /// What the indicator lists.
    pub observable: ObservableValue,
    /// Seen or quoted.
    pub kind: SightingKind,
}

impl Told {
    /// Returns what a hit in a record tells; none for one of an artifact as a whole.
    pub fn of(hit: &Hit) -> Option<Self> {
        let (indicator, observable, kind) = (hit.indicator, hit.observable.clone(), hit.kind);
        hit.record.map(|record| Self { record, indicator, observable, kind })
    }
}

/// Packs, as the slow matcher reads them.
pub struct Reference {
    indicators: Vec<(String, Option<Test>)>,
}

/// A test with what it looks for.
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Found(Vec<Item>),
    Record(Vec<FieldTest>),
}

struct Item {
    observable: ObservableValue,
    finders: Vec<Finder>,
}

enum Finder {
    Value(Observable),
    Spelling(Regex, Whole),
    Text(Regex, Borders),
    Regex(Regex),
}

/// How something stands in a record.
#[derive(Clone, Copy, Default)]
struct Found {
    seen: bool,
    quoted: bool,
}

impl Reference {
    /// Reads packs. Expressions that do not compile find nothing.
    pub fn new(packs: &[Pack]) -> Self {
        let mut indicators = Vec::new();
        for pack in packs {
            indicators.extend(pack.indicators.iter().map(|one| (one.id.clone(), test(&one.matches))));
            indicators.extend(pack.listed.values().iter().map(|value| {
                let value = value.to_observable();
                (format!("{}:{}", value.kind(), value.value()), Some(Test::Found(vec![atom(&value)])))
            }));
        }
        Self { indicators }
    }

    /// Tells whether an indicator is one that this matcher knows how to look for.
    pub fn covers(&self, indicator: usize) -> bool {
        self.indicators.get(indicator).is_some_and(|(_, test)| test.is_some())
    }

    /// Searches every record of a block.
    pub fn search(&self, block: &dyn Block) -> BTreeSet<Told> {
        let mut told = BTreeSet::new();
        for span in spans(block) {
            let record = block.record(&span);
            let mut views = Views::default();
            views.read(block, &span, &record, Runs::MayHoldText);
            for (indicator, (id, test)) in self.indicators.iter().enumerate() {
                let Some(test) = test else { continue };
                for (observable, kind) in judge(test, id, &views, &record) {
                    told.insert(Told { record: span.number, indicator, observable, kind });
                }
            }
        }
        told
    }
}

/// Returns what shows that a test holds of a record; nothing where it does not.
fn judge(test: &Test, id: &str, views: &Views, record: &Record<'_>) -> Vec<(ObservableValue, SightingKind)> {
    let mut support = Vec::new();
    let is_seen = test.holds(views, record, false, &mut support);
    let is_quoted = test.holds(views, record, true, &mut support);
    let kind = if is_seen { SightingKind::Sighting } else { SightingKind::Mention };
    if !(is_seen || is_quoted) {
        return Vec::new();
    }
    if support.is_empty() {
        let observable = ObservableValue { kind: "record".to_owned(), value: id.to_owned() };
        return vec![(observable, SightingKind::Sighting)];
    }
    let graded = |(observable, found): (ObservableValue, Found)| {
        (observable, if found.seen { kind } else { SightingKind::Mention })
    };
    support.into_iter().map(graded).collect()
}

impl Test {
    /// Tells whether it holds, if what is only quoted counts or if it does not, and adds what shows it.
    fn holds(
        &self,
        views: &Views,
        record: &Record<'_>,
        counts_quoted: bool,
        support: &mut Vec<(ObservableValue, Found)>,
    ) -> bool {
        let mut own = Vec::new();
        let mut each = |part: &Self| part.holds(views, record, counts_quoted, &mut own);
        let holds = match self {
            Self::All(parts) => parts.iter().all(each),
            Self::Any(parts) => parts.iter().filter(|part| each(part)).count() > 0,
            Self::Not(part) => return !part.holds(views, record, counts_quoted, &mut own),
            Self::Record(tests) => all_hold(tests, &record.fields),
            Self::Found(items) => {
                own = items.iter().map(|item| (item.observable.clone(), item.find(views))).collect();
                own.retain(|(_, found)| found.seen || found.quoted);
                own.iter().any(|(_, found)| found.seen || counts_quoted)
            }
        };
        if holds {
            support.append(&mut own);
        }
        holds
    }
}

impl Item {
    fn find(&self, views: &Views) -> Found {
        let mut found = Found::default();
        let mut touches = Vec::new();
        let is_any_refanged = views.list.iter().any(|view| view.is_refanged);
        for view in &views.list {
            let text = views.bytes.get(view.range.clone()).unwrap_or_default();
            for finder in &self.finders {
                let Finder::Value(value) = finder else {
                    found.seen |= !view.is_refanged && finder.stands(text);
                    continue;
                };
                let mut ranges = places::of(value, text);
                // An escape that adjoins belongs to the field, which says what it is.
                ranges.retain(|range| !(views.has_json && view.field.is_none() && touches_backslash(text, range)));
                for range in ranges {
                    match touch(text, &range).filter(|_| is_any_refanged && !view.is_refanged) {
                        Some(touch) => touches.push(touch),
                        None if view.is_refanged => found.quoted = true,
                        None => found.seen = true,
                    }
                }
            }
        }
        // A part of something quoted is quoted; beside brackets with spaces between, it may be ordinary text.
        found.seen |= !found.quoted && touches.contains(&Touch::Spaced);
        found
    }
}

fn touch(text: &[u8], range: &Range<usize>) -> Option<Touch> {
    let text: String = text.utf8_chunks().flat_map(|c| [c.valid().to_owned(), "?".repeat(c.invalid().len())]).collect();
    Refanged::touch(&text, &refanged(&text)?.marks, range)
}

fn touches_backslash(text: &[u8], range: &Range<usize>) -> bool {
    let is_joint = |byte: &&u8| !matches!(byte, b'.' | b'-' | b'_');
    let before = text.get(..range.start).unwrap_or_default().iter().rev().find(is_joint);
    before == Some(&b'\\') || text.get(range.end..).unwrap_or_default().iter().find(is_joint) == Some(&b'\\')
}

impl Finder {
    /// Tells whether a text or expression stands somewhere in a text.
    fn stands(&self, text: &[u8]) -> bool {
        match self {
            Self::Value(value) => !places::of(value, text).is_empty(),
            Self::Spelling(regex, whole) => places::each_match(regex, text).iter().any(|at| whole.stands(text, at)),
            Self::Text(regex, borders) => places::each_match(regex, text)
                .iter()
                .any(|at| *borders == Borders::Anywhere || !places::is_in_word(text, at)),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn test(expr: &Expr) -> Option<Test> {
    let all = |parts: &[Expr]| parts.iter().map(test).collect::<Option<Vec<_>>>();
    let observable = |kind: &str, value: &str| ObservableValue { kind: kind.to_owned(), value: value.to_owned() };
    Some(match expr {
        Expr::All(parts) => Test::All(all(parts)?),
        Expr::Any(parts) => Test::Any(all(parts)?),
        Expr::Not(part) => Test::Not(Box::new(test(part)?)),
        Expr::Atoms(atoms) => Test::Found(atoms.iter().map(|one| atom(&one.observable)).collect()),
        Expr::Text(texts) => Test::Found(
            texts
                .iter()
                .map(|text| Item {
                    observable: observable("text", &text.value),
                    finders: compiled(&as_regex(text))
                        .map(|regex| Finder::Text(regex, text.borders))
                        .into_iter()
                        .collect(),
                })
                .collect(),
        ),
        Expr::Regex(expressions) => Test::Found(
            expressions
                .iter()
                .map(|expression| {
                    let (flags, body) = split_flags(expression);
                    let mut builder = RegexBuilder::new(body);
                    builder
                        .unicode(false)
                        .case_insensitive(flags.contains('i'))
                        .dot_matches_new_line(flags.contains('s'));
                    let finders = builder.build().ok().map(Finder::Regex).into_iter().collect();
                    Item { observable: observable("regex", expression), finders }
                })
                .collect(),
        ),
        Expr::Record(predicates) => Test::Record(predicates.iter().cloned().map(FieldTest::new).collect()),
        Expr::Hex(_) | Expr::Yara(_) | Expr::Token(_) => return None,
    })
}

fn atom(value: &Observable) -> Item {
    let spellings = value.spellings().into_iter();
    let spelled =
        spellings.filter_map(|spelling| Some(Finder::Spelling(compiled(&spelled(&spelling))?, spelling.whole)));
    Item {
        observable: ObservableValue { kind: value.kind().to_owned(), value: value.value() },
        finders: std::iter::once(Finder::Value(value.clone())).chain(spelled).collect(),
    }
}

fn compiled(expression: &str) -> Option<Regex> {
    Regex::new(expression).ok()
}

/// Writes a text as an expression: each letter in either case where case does not count.
fn as_regex(text: &TextPattern) -> String {
    let one = |c: char| match text.case {
        LetterCase::Counts => regex::escape(&c.to_string()),
        LetterCase::Ignored => {
            let both = [c.to_lowercase().collect::<String>(), c.to_uppercase().collect()];
            format!("(?:{})", both.map(|form| regex::escape(&form)).join("|"))
        }
    };
    text.value.chars().map(one).collect()
}

/// Writes a spelling as an expression: a space of a user agent may be `+`, and a subject has any spaces around `=` and `,`.
/// What JSON and CSV escape may stand escaped.
fn spelled(spelling: &Spelling) -> String {
    let one = |c: char| match (c, spelling.whole) {
        (' ', Whole::UserAgent) => "[ +]".to_owned(),
        (' ', Whole::Subject) => " {1,4}".to_owned(),
        ('=' | ',', Whole::Subject) => format!(" {{0,4}}{c} {{0,4}}"),
        ('/', _) => r"\\{0,7}/".to_owned(),
        ('"', _) => r#"\\{0,7}"{1,4}"#.to_owned(),
        ('\\', _) => r"\\{1,8}".to_owned(),
        _ => regex::escape(&c.to_string()),
    };
    let flags = if spelling.whole == Whole::Base64 { "" } else { "(?i)" };
    spelling.text.chars().map(one).fold(flags.to_owned(), |all, one| all + &one)
}

/// Returns every record of a block, by asking every byte.
fn spans(block: &dyn Block) -> Vec<Span> {
    let mut spans: Vec<Span> = (0..block.bytes().len()).filter_map(|at| block.record_at(at)).collect();
    spans.dedup();
    spans
}

/// Returns where a record of a block stands.
pub fn span(block: &dyn Block, record: u64) -> Option<Span> {
    spans(block).into_iter().find(|span| span.number == record)
}
