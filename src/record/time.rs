//! A record's own time, with its zone or without.
//!
//! Sources: RFC 3339, RFC 2822 section 3.3, W3C Extended Log File Format, Apache `%t`, and the forms that Microsoft 365
//! exports write. A time that can be read in two ways is not read at all.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};

use super::Field;
use super::names::plain_name;

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

    /// Returns the time so many seconds after the beginning of 1970; none beyond what can be told.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self::Utc)
    }

    /// Returns the day: in UTC where the zone is known, else as the record has it.
    pub fn day(self) -> Date {
        match self {
            Self::Utc(t) => t.to_zoned(TimeZone::UTC).date(),
            Self::Local(t) => t.date(),
        }
    }

    /// Takes back the zone, where a source says that its times are local after all.
    pub fn without_zone(self) -> Self {
        match self {
            Self::Utc(t) => Self::Local(t.to_zoned(TimeZone::UTC).datetime()),
            Self::Local(_) => self,
        }
    }

    /// Takes a time without a zone as UTC, where the source's documentation says that it is.
    fn as_utc(self) -> Self {
        match self {
            Self::Local(t) => TimeZone::UTC.to_timestamp(t).map_or(self, Self::Utc),
            Self::Utc(_) => self,
        }
    }
}

/// The longest text that is looked at; a mail date with its comment is shorter.
const LENGTH_MAX: usize = 100;

/// Reads one time as logs and mails write it. Days without a time of day, and years outside 1970 to 2100, are none.
pub fn parse_time(text: &str) -> Option<EventTime> {
    let text = text.trim();
    if text.len() > LENGTH_MAX || text.len() < 8 {
        return None;
    }
    let mut reader = Reader { rest: text };
    if let Some(time) = reader.time()
        && reader.rest.trim().is_empty()
    {
        return Some(time);
    }
    mail_time(text)
}

/// Reads the time at the start of a line of text: RFC 3339 and kin, or Apache's `[…]` somewhere in it.
pub fn leading_time(line: &str) -> Option<EventTime> {
    let start = line.trim_start_matches(['[', '<', '"', ' ', '\t', '\u{feff}']);
    // RFC 5424: the priority, and the version in front of the time.
    let start = match line.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((priority, rest)) if priority.len() <= 3 && priority.bytes().all(|b| b.is_ascii_digit()) => {
            rest.trim_start_matches(|c: char| c.is_ascii_digit() && rest.as_bytes().get(1) == Some(&b' ')).trim_start()
        }
        _ => start,
    };
    let is_year_first = start.as_bytes().get(4).is_some_and(|b| matches!(b, b'-' | b'/'));
    if is_year_first && let Some(time) = (Reader { rest: start }).time() {
        return Some(time);
    }
    // `192.0.2.1 - - [07/Jun/2023:03:12:44 +0000] "GET …`
    let (_, behind) = line.split_once('[')?;
    let (inside, _) = behind.split_once(']')?;
    (inside.len() <= 32).then(|| apache_time(inside)).flatten()
}

/// Takes a time apart from its start.
struct Reader<'t> {
    rest: &'t str,
}

/// The order of a date's numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    YearFirst,
    DayFirst,
    Unknown,
}

impl Reader<'_> {
    fn time(&mut self) -> Option<EventTime> {
        let (first, digits) = self.number(4)?;
        let separator = self.one_of(&['-', '/', '.'])?;
        let order = match (digits, separator) {
            (4, _) => Order::YearFirst,
            (1 | 2, '.') => Order::DayFirst,
            (1 | 2, '/') => Order::Unknown,
            _ => return None,
        };
        let second = self.number(2)?.0;
        self.rest = self.rest.strip_prefix(separator)?;
        let third = match (order, self.number(4)?) {
            (Order::YearFirst, (day, 1 | 2)) => day,
            (Order::DayFirst | Order::Unknown, (year, 4)) => year,
            _ => return None,
        };
        if self.rest.starts_with(',') {
            self.rest = self.rest.get(1..)?;
        }
        let behind = self.rest.trim_start_matches(['T', 't', ' ', '\u{202f}', '\u{a0}']);
        if behind.len() == self.rest.len() {
            return None;
        }
        self.rest = behind;
        let (time, half) = self.time_of_day()?;
        let (year, month, day) = match order {
            Order::YearFirst => (first, second, third),
            Order::DayFirst => (third, second, first),
            Order::Unknown => month_and_day(first, second, half).map(|(month, day)| (third, month, day))?,
        };
        let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let local = date.to_datetime(time);
        match self.zone() {
            Some(offset) => utc(local, offset),
            None => in_range(local.year()).then_some(EventTime::Local(local)),
        }
    }

    fn time_of_day(&mut self) -> Option<(Time, Option<Half>)> {
        let hour = self.number(2)?.0;
        self.rest = self.rest.strip_prefix(':')?;
        let minute = self.number(2)?.0;
        let (mut second, mut nanos) = (0, 0);
        if let Some(rest) = self.rest.strip_prefix(':') {
            self.rest = rest;
            second = self.number(2)?.0.min(59);
            if self.rest.starts_with(['.', ',']) && self.rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
                nanos = self.fraction()?;
            }
        }
        let half = self.half();
        let hour = match half {
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some(Half::Am) => hour % 12,
            Some(Half::Pm) => hour % 12 + 12,
            None => hour,
        };
        let [hour, minute, second] = [hour, minute, second].map(|n| i8::try_from(n).unwrap_or(i8::MAX));
        Some((Time::new(hour, minute, second, nanos).ok()?, half))
    }

    /// Reads at most `most` digits; returns their value and how many there were.
    fn number(&mut self, most: usize) -> Option<(u32, usize)> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        let value = number.parse().ok()?;
        self.rest = rest;
        Some((value, digits))
    }

    fn one_of(&mut self, characters: &[char]) -> Option<char> {
        let first = self.rest.chars().next().filter(|c| characters.contains(c))?;
        self.rest = self.rest.get(first.len_utf8()..)?;
        Some(first)
    }

    /// Reads a fraction of a second, to the nanosecond.
    fn fraction(&mut self) -> Option<i32> {
        self.rest = self.rest.get(1..)?;
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
        Some(nanos.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    }

    fn half(&mut self) -> Option<Half> {
        let text = self.rest.trim_start_matches([' ', '\u{202f}', '\u{a0}']);
        let (word, rest) = text.split_at_checked(2)?;
        let half = match word {
            "AM" | "am" => Half::Am,
            "PM" | "pm" => Half::Pm,
            _ => return None,
        };
        self.rest = rest;
        Some(half)
    }

    /// Reads `Z`, `UTC`, `GMT`, `+01:00`, `+0100` or `+01`; returns seconds east of UTC.
    fn zone(&mut self) -> Option<i32> {
        let text = self.rest.trim_start();
        for word in ["Z", "z", "UTC", "GMT"] {
            if let Some(rest) = text.strip_prefix(word)
                && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            {
                self.rest = rest;
                return Some(0);
            }
        }
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let mut reader = Reader { rest: text.get(1..)? };
        let (hours, 2) = reader.number(2)? else { return None };
        reader.rest = reader.rest.strip_prefix(':').unwrap_or(reader.rest);
        let minutes = reader.number(2).map_or(0, |(minutes, _)| minutes);
        self.rest = reader.rest;
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        (seconds <= 15 * 3600).then_some(sign * seconds)
    }
}

/// Half of a day in the American way of telling time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

/// Tells which of two numbers is the month: by the American clock, by a number above 12, or because they are equal.
fn month_and_day(first: u32, second: u32, half: Option<Half>) -> Option<(u32, u32)> {
    if first > 12 {
        Some((second, first))
    } else if half.is_some() || second > 12 || first == second {
        Some((first, second))
    } else {
        None
    }
}

fn utc(local: DateTime, offset_secs: i32) -> Option<EventTime> {
    let offset = Offset::from_seconds(offset_secs).ok()?;
    in_range(local.year()).then_some(EventTime::Utc(offset.to_timestamp(local).ok()?))
}

fn in_range(year: i16) -> bool {
    (1970..=2100).contains(&year)
}

/// Reads `07/Jun/2023:03:12:44 +0000`. Source: Apache HTTP Server, `mod_log_config`, `%t`.
fn apache_time(text: &str) -> Option<EventTime> {
    let (date, time) = text.split_once(':')?;
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    (Reader { rest: &format!("{year}-{month:02}-{day} {time}") }).time()
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn mail_time(text: &str) -> Option<EventTime> {
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let time = parser.parse_timestamp(text).ok()?;
    in_range(time.to_zoned(TimeZone::UTC).year()).then_some(EventTime::Utc(time))
}

/// What a source's documentation says about a time that it writes without a zone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Nothing.
    Untold,
    /// It is UTC.
    Utc,
    /// It is UTC in a Unified Audit Log record. Source: Office 365 Management Activity API schema, "Common schema".
    UtcInAuditLog,
}

/// Names of fields with a record's own time, the most telling first.
const TIME_FIELDS: &[(&str, Zone)] = &[
    ("CreationTime", Zone::UtcInAuditLog),
    ("CreationDate", Zone::UtcInAuditLog),
    ("createdDateTime", Zone::Untold),
    ("TimeGenerated", Zone::Untold),
    ("TimeGenerated [UTC]", Zone::Utc),
    ("Timestamp", Zone::Untold),
    ("Timestamp [UTC]", Zone::Utc),
    ("@timestamp", Zone::Untold),
    ("eventTime", Zone::Untold),
    ("activityDateTime", Zone::Untold),
    ("time", Zone::Untold),
    ("Date (UTC)", Zone::Utc),
    ("date_time_utc", Zone::Utc),
    ("origin_timestamp_utc", Zone::Utc),
    ("Received", Zone::Untold),
    ("DateTime", Zone::Untold),
    ("date-time", Zone::Untold),
    ("startedDateTime", Zone::Untold),
    ("Event.System.TimeCreated.SystemTime", Zone::Utc),
    ("SystemTime", Zone::Untold),
    ("TimeCreated", Zone::Untold),
    ("Date", Zone::Untold),
];

/// Finds the time of a record among its fields, by the names that sources are known to use.
pub fn event_time(fields: &[Field<'_>]) -> Option<EventTime> {
    let mut best: Option<(usize, Zone, EventTime)> = None;
    let mut is_audit_log = false;
    for field in fields {
        let name = plain_name(&field.name);
        is_audit_log |= ["Workload", "RecordType", "OrganizationId", "auditLogRecordType"]
            .iter()
            .any(|sign| name.eq_ignore_ascii_case(sign));
        let known = best.map_or(TIME_FIELDS.len(), |(rank, _, _)| rank);
        let Some(rank) = TIME_FIELDS.iter().take(known).position(|(known, _)| known.eq_ignore_ascii_case(name)) else {
            continue;
        };
        let Some((_, zone)) = TIME_FIELDS.get(rank) else { continue };
        if let Some(time) = parse_time(&field.value) {
            best = Some((rank, *zone, time));
        }
    }
    match best {
        Some((_, Zone::Utc, time)) => Some(time.as_utc()),
        Some((_, Zone::UtcInAuditLog, time)) if is_audit_log => Some(time.as_utc()),
        Some((_, _, time)) => Some(time),
        None => w3c_time(fields),
    }
}

/// Joins `date` and `time`, which are UTC. Source: W3C Extended Log File Format, "Date" and "Time".
fn w3c_time(fields: &[Field<'_>]) -> Option<EventTime> {
    let value = |name| fields.iter().find(|field| field.name == name).map(|field| field.value.as_ref());
    parse_time(&format!("{} {}", value("date")?, value("time")?)).map(EventTime::as_utc)
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
