//! A record's own time, with its zone or without.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::Field;

/// When a record says that it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventTime {
    /// The zone is known.
    Utc(Timestamp),
    /// The record tells no zone.
    Local(DateTime),
}

impl EventTime {
    /// Returns RFC 3339 in UTC with a `Z`, or the local time without a zone, without trailing zeros of fractions.
    pub fn to_text(self) -> String {
        match self {
            Self::Utc(t) => t.to_string(),
            Self::Local(t) => t.to_string(),
        }
    }

    /// Returns the day: in UTC where the zone is known, else as the record has it.
    pub fn day(self) -> Date {
        match self {
            Self::Utc(t) => t.to_zoned(jiff::tz::TimeZone::UTC).date(),
            Self::Local(t) => t.date(),
        }
    }
}

/// Reads one time as logs and mails write it.
pub fn parse_time(text: &str) -> Option<EventTime> {
    let _ = text;
    None
}

/// Finds the time of a record among its fields.
pub fn event_time(fields: &[Field<'_>]) -> Option<EventTime> {
    let _ = fields;
    None
}
