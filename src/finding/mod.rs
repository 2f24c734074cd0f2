//! Sightings: hits with their artifact, time and decode path; and their folding into findings, one an indicator.
//!
//! What matched is decided in `matching/`; how it is printed, in `report/`.

mod grade;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use grade::grade;

pub use crate::matching::{ObservableValue, SightingKind};

use crate::pack::Severity;

/// Whether the zone of a record's time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeZone {
    /// The time is UTC.
    Known,
    /// The time is as the record has it, in a zone that it does not tell (or there is no time).
    Unknown,
}

/// One atom of one indicator in one record of one artifact. The fields are those of the report format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The advisory's id; none for a bare list.
    pub advisory: Option<String>,
    /// The pack's name.
    pub pack: String,
    /// The indicator's id.
    pub indicator: String,
    /// The indicator's name.
    pub name: String,
    /// The severity of this sighting: the indicator's, or its `outside_seen`, or `info` for a mention.
    pub severity: Severity,
    /// 0 to 100.
    pub confidence: u8,
    /// Seen or quoted.
    pub kind: SightingKind,
    /// What the indicator lists.
    pub observable: ObservableValue,
    /// What stood in the evidence.
    pub matched: String,
    /// How often it stood in the record.
    pub occurrences: u64,
    /// The artifact's path.
    pub artifact: String,
    /// The record's number in the artifact, from 1; none for the hash of the artifact itself.
    pub record: Option<u64>,
    /// The line of the first occurrence, from 1.
    pub line: Option<u64>,
    /// The byte of the first occurrence in the artifact's own bytes.
    pub offset: Option<u64>,
    /// The field of the first occurrence.
    pub field: Option<String>,
    /// The encodings inside the record that were undone to see it, outermost first.
    pub decode: Vec<String>,
    /// The record's own time: RFC 3339 in UTC, or local without a zone.
    pub time: Option<String>,
    /// Whether the zone of `time` is known.
    pub time_zone: TimeZone,
    /// Who and what the record is about: the fields in [`crate::record::ENTITY_FIELDS`] that it has.
    pub fields: BTreeMap<String, String>,
    /// A cut of the record around the first occurrence, for people. Not part of the machine format.
    pub excerpt: String,
    /// What a time window said about it, for people: `inside`, `outside`, `time unknown`; none without a window.
    pub window: Option<String>,
}
