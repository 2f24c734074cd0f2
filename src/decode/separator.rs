//! The `From ` line between the messages of a mailbox, and the dates that stand in it and in headers.
//! Source: RFC 4155, and the variants that mail programs write.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::header_field::{Known, known, name};
use crate::record::EventTime;

/// What every separator begins with.
pub(super) const MARK: &[u8] = b"From ";
/// The longest separator; a longer line is text. Addresses of mailing lists reach 300.
pub(super) const SEPARATOR_BYTES: usize = 1_000;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Tells whether a line begins a message, from the line after it and whether an empty line or nothing stands before it.
///
/// A line with a date needs a header or an empty line after it, and a header that everybody knows where no empty line
/// stands before it. A line without a date (`From -`, `From 1844347792267117879@xxx`) needs such a header always.
pub(super) fn is_separator(line: &[u8], next: &[u8], after_blank: bool) -> bool {
    if !line.starts_with(MARK) || line.len() > SEPARATOR_BYTES {
        return false;
    }
    let next_is_quoted = next.strip_prefix(b">").is_some_and(|quoted| quoted.starts_with(MARK));
    let next_name = name(next);
    let next_is_known = next_name.is_some_and(|name| known(name) != Known::No);
    let has_date = std::str::from_utf8(line).is_ok_and(|line| date(line).is_some());
    if has_date {
        next_is_known || (after_blank && (next_name.is_some() || next_is_quoted || next.is_empty()))
    } else {
        let is_bare = line.get(MARK.len()..).is_some_and(|rest| rest.trim_ascii() == b"-");
        next_is_known && (after_blank || is_bare)
    }
}

/// Reads the date in a separator or a header: day, month and year in any order that mail programs write, with a time.
///
/// The zone is known only where the text has one that RFC 5322 gives a meaning.
pub(super) fn date(text: &str) -> Option<EventTime> {
    let without_comment = text.split('(').next().unwrap_or(text);
    let mut tokens = without_comment.split([' ', '\t', ',', '\r', '\n']).filter(|token| !token.is_empty()).peekable();
    let (mut day, mut month, mut year, mut clock, mut offset) = (None, None, None, None, None);
    while let Some(token) = tokens.next() {
        if let Some(found) = month_number(token) {
            // The month stands after the day, or the day after the month. An address may hold anything before.
            (month, year, clock, offset) = (Some(found), None, None, None);
            // In `1 Jul 13:17` no number stands there; in `1 Jul 98 13:17` it is the year.
            if day.is_none()
                && let Some(found) = tokens.peek().and_then(|token| number(token, 31))
            {
                day = Some(found);
                tokens.next();
            }
        } else if month.is_none() {
            day = number(token, 31);
        } else if token.contains(':') {
            clock = clock.or_else(|| time_of_day(token));
        } else if let Some(seconds) = zone(token) {
            offset = Some(seconds);
        } else if year.is_none() {
            year = token.parse().ok().and_then(full_year);
        }
    }
    let (hour, minute, second) = clock?;
    let time = DateTime::new(year?, month?, day?, hour, minute, second.min(59), 0).ok()?;
    match offset {
        Some(seconds) => Some(EventTime::Utc(Offset::from_seconds(seconds).ok()?.to_timestamp(time).ok()?)),
        None => Some(EventTime::Local(time)),
    }
}

fn number(token: &str, most: i8) -> Option<i8> {
    token.parse().ok().filter(|number| (1..=most).contains(number))
}

fn month_number(token: &str) -> Option<i8> {
    let index = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(token))?;
    i8::try_from(index + 1).ok()
}

/// Two digits are of 1950 to 2049, as RFC 5322 section 4.3 has it.
fn full_year(year: i16) -> Option<i16> {
    match year {
        0..50 => Some(2_000 + year),
        50..1_000 => Some(1_900 + year),
        1_900..=9_999 => Some(year),
        _ => None,
    }
}

fn time_of_day(token: &str) -> Option<(i8, i8, i8)> {
    let mut parts = token.split(':');
    let mut part = |most: i8| parts.next().map(|part| part.parse().ok().filter(|n| (0..=most).contains(n)));
    let (hour, minute) = (part(23)??, part(59)??);
    match part(60) {
        None => Some((hour, minute, 0)),
        Some(second) => Some((hour, minute, second?)),
    }
}

/// Returns a zone's seconds east of Greenwich. `-0000` and single letters but `Z` tell no zone (RFC 5322, section 4.3).
fn zone(token: &str) -> Option<i32> {
    let hours = match token {
        "GMT" | "UT" | "UTC" | "Z" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        _ => {
            let (sign, digits) = match token.as_bytes() {
                [b'+', digits @ ..] => (1, digits),
                [b'-', digits @ ..] if digits != b"0000" => (-1, digits),
                _ => return None,
            };
            let [a, b, c, d] = digits else { return None };
            let digit = |byte: &u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
            return Some(sign * ((digit(a)? * 10 + digit(b)?) * 3_600 + (digit(c)? * 10 + digit(d)?) * 60));
        }
    };
    Some(hours * 3_600)
}

/// Returns how many bytes before the first line are a byte order mark and line ends.
pub(super) fn blank_bytes(bytes: &[u8]) -> usize {
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    mark + bytes.iter().skip(mark).take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_as_mail_programs_write_them() {
        for line in [
            "From dblank@comp.uark.edu  Wed Jul  1 13:17:17 1998",
            "From xxx8x@ares.cs.Virginia.EDU Thu Sep 13 12:30:05 2001 -0400",
            "From david@coppit.org Sat Sep  1 20:58 EDT 2001",
            "From klopp Mon Jan  5 08:50:15 +0100 2004",
            "From - Tue Jan 01 10:11:12 2002",
            "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001",
        ] {
            assert!(is_separator(line.as_bytes(), b"Received: x", false), "{line}");
            assert!(is_separator(line.as_bytes(), b"X: x", true), "{line}");
            assert!(is_separator(line.as_bytes(), b"", true), "{line}");
            assert!(!is_separator(line.as_bytes(), b"", false), "{line}");
            assert!(!is_separator(line.as_bytes(), b"Year: 1998", false), "{line}");
            assert!(!is_separator(line.as_bytes(), b"and so on", true), "{line}");
        }
        assert!(is_separator(b"From 1844347792267117879@xxx", b"MIME-Version: 1.0", true));
        assert!(!is_separator(b"From 1844347792267117879@xxx", b"MIME-Version: 1.0", false));
        assert!(is_separator(b"From - ", b"From: a@b.example", false));
        assert!(!is_separator(b"From Russia with love", b"Year: 1963", true));
        assert!(!is_separator(b"From: a@b.example", b"To: x", true));
        assert!(!is_separator(b">From a Wed Jul  1 13:17:17 1998", b"To: x", true));
    }

    #[test]
    fn dates_have_a_zone_only_where_they_say_so() {
        let text = |text: &str| date(text).map(EventTime::to_text);
        assert_eq!(text("Thu, 22 Aug 2002 18:26:25 +0700 (ICT)").as_deref(), Some("2002-08-22T11:26:25Z"));
        assert_eq!(text("22 Aug 02 18:26 GMT").as_deref(), Some("2002-08-22T18:26:00Z"));
        assert_eq!(text("From a@may.example Wed May 22 13:17:17 1998").as_deref(), Some("1998-05-22T13:17:17"));
        assert_eq!(text("Sat Sep  1 20:58 EDT 2001").as_deref(), Some("2001-09-02T00:58:00Z"));
        assert_eq!(text("Thu, 22 Aug 2002 18:26:25 -0000").as_deref(), Some("2002-08-22T18:26:25"));
        assert_eq!(text("Thu, 22 Aug 2002 23:59:60 +0000").as_deref(), Some("2002-08-22T23:59:59Z"));
        for none in ["", "Thu, 32 Aug 2002 18:26:25", "22 Aug 2002", "31 Feb 2002 01:02:03", "22 Aug 2002 25:00"] {
            assert_eq!(text(none), None, "{none}");
        }
    }
}
