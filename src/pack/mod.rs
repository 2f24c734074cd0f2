//! Packs: the YAML format of indicators, and foreign lists read into the same types, with every mistake at once.
//!
//! What an indicator matches is in `matching/`; the values it lists are in `observable/`.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::observable::Observable;

mod advisory;
mod atoms;
mod builtin;
mod codes;
mod expr;
mod fields;
mod lint;
mod list;
mod listed;
mod load;
mod located;
mod mistakes;
mod predicate;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod yaml;

pub use builtin::{BUILTIN, BuiltinPack};
pub use codes::{CODES, COMPILE_CODES, CodeEntry};
pub use lint::{PackWarning, WARNINGS, lint};
pub use listed::{Listed, ListedIndicator};
pub use load::{MOST_YAML_BYTES, load, load_partly, of_list};
pub use token::{Issued, TokenTest};
pub use yaml::load_yaml;

/// How bad a finding is, as advisories and SIEMs grade it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; no sign of an intrusion by itself.
    Info,
    /// Weak or stale evidence.
    Low,
    /// Should be looked at.
    Medium,
    /// Strong evidence.
    High,
    /// Evidence that stands by itself.
    Critical,
}

impl Severity {
    /// All severities, least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the word of the pack format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Returns the next lower severity; `info` stays.
    pub fn lower(self) -> Self {
        match self {
            Self::Info | Self::Low => Self::Info,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The Traffic Light Protocol marking of a pack. Source: FIRST TLP 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tlp {
    /// TLP:CLEAR
    Clear,
    /// TLP:GREEN
    Green,
    /// TLP:AMBER
    Amber,
    /// TLP:AMBER+STRICT
    AmberStrict,
    /// TLP:RED
    Red,
}

/// The publication that a pack's indicators come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// The publisher's own number, such as `AA23-193A`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub publisher: Vec<String>,
    /// When it was first published.
    pub published: Option<Date>,
    /// When it was last changed.
    pub updated: Option<Date>,
    /// Its marking; none where the publisher gave none, which is not CLEAR.
    pub tlp: Option<Tlp>,
    /// Who it is about.
    pub actors: Vec<String>,
    /// Where to read it.
    pub references: Vec<String>,
}

/// One file of indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The name in reports: `aa23-193a/storm-0558` for a built-in pack, else the file's name without its ending.
    pub name: String,
    /// The file as the user named it; `rules/...` for a built-in pack.
    pub file: String,
    /// Where the indicators come from; none for a bare list.
    pub advisory: Option<Advisory>,
    /// The indicators that are written out, in the order of the file.
    pub indicators: Vec<Indicator>,
    /// The values of a bare list, each an indicator of its own; they come after `indicators`.
    pub listed: Listed,
}

impl Pack {
    /// Returns how many indicators there are.
    pub fn len(&self) -> usize {
        self.indicators.len() + self.listed.len()
    }

    /// Tells whether there is no indicator.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns every indicator, in the order of the file. Those of lists are made one at a time.
    pub fn all(&self) -> impl Iterator<Item = Cow<'_, Indicator>> {
        self.indicators.iter().map(Cow::Borrowed).chain(self.listed.indicators().map(Cow::Owned))
    }
}

/// One test from an advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Its id, unique in the pack.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How bad a hit is.
    pub severity: Severity,
    /// How sure the source is, 0 to 100. Source: STIX 2.1, section 3.2.
    pub confidence: u8,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// The sentence or table of the advisory that it was taken from.
    pub source: Option<String>,
    /// What else a reader of a finding should know: known benign causes, limits.
    pub note: Option<String>,
    /// What must hold.
    pub matches: Expr,
    /// The severity of a hit whose record's time lies outside `seen`.
    pub outside_seen: Severity,
    /// Texts that must and must not match.
    pub examples: Examples,
    /// The line of the pack, from 1, where the indicator begins.
    pub line: u64,
}

/// Texts that prove an indicator alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    /// Texts that must match.
    pub hit: Vec<String>,
    /// Texts that must not.
    pub miss: Vec<String>,
}

/// What must hold of one record (or, for hashes of files, of one artifact).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Every part holds.
    All(Vec<Expr>),
    /// Some part holds.
    Any(Vec<Expr>),
    /// The part does not hold.
    Not(Box<Expr>),
    /// Some atom stands in the record.
    Atoms(Vec<Atom>),
    /// Some text stands in the record.
    Text(Vec<TextPattern>),
    /// Some regular expression matches the record.
    Regex(Vec<String>),
    /// Some hex string of YARA stands in the record, or in the artifact as a whole.
    Hex(Vec<String>),
    /// Some rule of this YARA source matches the record.
    Yara(String),
    /// Every predicate holds of the record's fields.
    Record(Vec<Predicate>),
    /// Some test holds of one JSON Web Token in the record.
    Token(Vec<TokenTest>),
}

/// One listed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// The value, normalised.
    pub observable: Observable,
    /// The days on which the source saw it used.
    pub seen: Option<Seen>,
}

/// Whole UTC days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

/// A text to find as it stands, anywhere in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPattern {
    /// The text.
    pub value: String,
    /// Whether letter case counts.
    pub case: LetterCase,
    /// Whether the text must stand between characters that are not letters or digits.
    pub borders: Borders,
}

/// Whether letter case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterCase {
    /// `A` is not `a`.
    Counts,
    /// `A` is `a`.
    Ignored,
}

/// Where a text may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Borders {
    /// Anywhere.
    Anywhere,
    /// Only where no letter or digit adjoins.
    Word,
}

/// One test of a record's field. Source: Sigma 2.0, "detection" and modifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// The field's path as the source writes it, or an ECS name.
    pub field: String,
    /// How values are compared.
    pub operator: Operator,
    /// Whether one value is enough.
    pub quantifier: Quantifier,
    /// Whether the test is turned round.
    pub polarity: Polarity,
    /// The values to compare with, as the pack has them; none (YAML `null`) means that the field is empty or absent.
    pub values: Vec<Option<String>>,
}

/// How a predicate compares. Letter case is ignored, as in Sigma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The whole value.
    Equals,
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

/// Whether a predicate needs one or all of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// One value is enough.
    Any,
    /// `all`: every value must hold.
    All,
}

/// Whether a predicate is turned round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// As it stands.
    Is,
    /// `not`: holds where the plain test does not. A record without the field satisfies it.
    Not,
}

/// One mistake in a pack, told so that its author can mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackError {
    /// The file as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
    /// A stable code, such as `P012`.
    pub code: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What was expected.
    pub expected: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: error[{}]: {}", self.file, self.line, self.column, self.code, self.problem)?;
        writeln!(f, "    expected: {}", self.expected)?;
        write!(f, "    help: {}", self.help)
    }
}

impl std::error::Error for PackError {}
