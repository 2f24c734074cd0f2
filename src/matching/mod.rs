//! Packs compiled to a [`Ruleset`], and records searched with it.
//!
//! Atoms are found by shape and looked up, so the cost does not grow with their number; text, regular expressions and
//! YARA go to yara-x; predicates are tested on parsed fields. A block is first screened on its bytes, and only records
//! in which something may match are parsed. The screen may only over-approximate.
//!
//! How values look belongs to `observable/`; what a hit is worth, to `finding/`.

mod atoms;
mod cache;
mod condition;
mod evaluate;
mod expression;
mod filter;
mod indicators;
mod matcher;
mod needles;
mod patterns;
mod predicate;
mod probe;
#[cfg(test)]
mod probe_tests;
mod quoted;
mod reach;
#[doc(hidden)]
pub mod reference;
mod ruleset;
mod scanners;
mod screen;
mod token;
mod views;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use cache::{CacheError, CacheWriter, FileDigest, RulesetCache, StoredRuleset};
pub use indicators::{CompiledIndicator, IndicatorRun, IndicatorView, ListedRun, PackInfo};
pub use matcher::Matcher;
pub use ruleset::{Digests, Evaluated, Ruleset};

use crate::pack::Seen;
use crate::record::EventTime;

/// Whether an indicator was seen, or only quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SightingKind {
    /// The thing itself stood in the evidence.
    Sighting,
    /// It was quoted: defanged, or in an artifact that is itself a list of indicators.
    Mention,
}

/// The indicator's atom that was found, normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObservableValue {
    /// `ip`, `domain`, `url`, `email`, `md5`, `sha1`, `sha256`, `sha512`, `thumbprint`, `certificate`, `user_agent`, `text`,
    /// `regex`, `hex`, `yara`, `record`, `token`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value in its normal form; the pattern, the YARA rule's name, the name of a token's key, or the indicator's id
    /// where there is no value.
    pub value: String,
}

/// What a search returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Searched {
    /// What was found, in the order of the records.
    pub hits: Vec<Hit>,
    /// What cut the search short.
    pub limits: Vec<LimitMet>,
    /// The numbers of the records of which only a part was searched here.
    pub parts: Vec<u64>,
}

/// A limit that cut a search short, so that something may stand in the evidence and not have been found or counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitMet {
    /// Which limit, and what it left out. The same limit has the same text in every record.
    pub what: String,
    /// The record's number, from 1; none for the artifact as a whole.
    pub record: Option<u64>,
}

/// One indicator's atom in one record (or in an artifact as a whole), before it is graded.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The indicator's index, for [`Ruleset::indicator`].
    pub indicator: usize,
    /// Seen or quoted.
    pub kind: SightingKind,
    /// What the indicator lists.
    pub observable: ObservableValue,
    /// The days on which the source saw it.
    pub seen: Option<Seen>,
    /// What stood in the evidence.
    pub matched: String,
    /// How often, in this record.
    pub occurrences: u64,
    /// The record's number, from 1; none for the artifact as a whole.
    pub record: Option<u64>,
    /// The line of the first occurrence.
    pub line: Option<u64>,
    /// The byte of the first occurrence in the artifact's own bytes.
    pub offset: Option<u64>,
    /// The field of the first occurrence.
    pub field: Option<String>,
    /// The encodings that were undone to see it.
    pub decode: Vec<&'static str>,
    /// The record's own time.
    pub time: Option<EventTime>,
    /// Who and what the record is about.
    pub fields: BTreeMap<String, String>,
    /// A cut of the text around the first occurrence.
    pub excerpt: String,
}

impl Hit {
    /// Makes a hit of an artifact as a whole.
    fn of_artifact(indicator: u32, observable: ObservableValue, matched: String, offset: Option<u64>) -> Self {
        Self {
            indicator: usize::try_from(indicator).unwrap_or(usize::MAX),
            kind: SightingKind::Sighting,
            observable,
            seen: None,
            matched,
            occurrences: 1,
            record: None,
            line: None,
            offset,
            field: None,
            decode: Vec::new(),
            time: None,
            fields: BTreeMap::new(),
            excerpt: String::new(),
        }
    }
}
