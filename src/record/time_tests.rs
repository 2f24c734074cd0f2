//! Times as exports write them.

use super::*;

fn read(text: &str) -> Option<String> {
    parse_time(text).map(EventTime::to_text)
}

#[test]
fn every_form_that_sources_write_is_read() {
    for (text, expected) in [
        ("2023-06-07T03:12:44Z", "2023-06-07T03:12:44Z"),
        ("2026-08-31T10:18:39.0000000Z ", "2026-08-31T10:18:39Z"),
        ("2023-06-07T03:12:44.1234567Z", "2023-06-07T03:12:44.1234567Z"),
        ("2023-06-07T03:12:44.120+02:00", "2023-06-07T01:12:44.12Z"),
        ("2023-06-07T03:12:44-0500", "2023-06-07T08:12:44Z"),
        ("2023-06-07 03:12:44 UTC", "2023-06-07T03:12:44Z"),
        ("2023-06-07T03:12:44", "2023-06-07T03:12:44"),
        ("2023-06-15 03:12:44", "2023-06-15T03:12:44"),
        ("2023/06/15 03:12:44", "2023-06-15T03:12:44"),
        ("9/20/2023 4:05:03 AM", "2023-09-20T04:05:03"),
        ("1/9/2007 12:41:00 PM", "2007-01-09T12:41:00"),
        ("1/9/2007 12:41:00 AM +01:00", "2007-01-08T23:41:00Z"),
        ("2/25/2025, 9:19:25.391 AM", "2025-02-25T09:19:25.391"),
        ("25/02/2025 10:11:12", "2025-02-25T10:11:12"),
        ("05.01.2024 10:11:12", "2024-01-05T10:11:12"),
        ("Wed, 7 Jun 2023 03:12:44 +0200", "2023-06-07T01:12:44Z"),
        ("7 Jun 2023 03:12:44 EST", "2023-06-07T08:12:44Z"),
        ("Wed, 07 Jun 2023 03:12:44 +0000 (UTC)", "2023-06-07T03:12:44Z"),
    ] {
        assert_eq!(read(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_ambiguous_or_no_time_is_not_read() {
    for text in [
        "01/09/2007 09:41:00",
        "2023-06-07",
        "2023-13-07T03:12:44Z",
        "2023-06-31T03:12:44Z",
        "2023-06-07T25:12:44Z",
        "1969-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "192.0.2.1:4430000",
        "2023-06-07T03:12:44Z trailing words",
        "20230607",
        "13/13/2023 4:05:03 AM",
        "2023-06-07é03:12:44",
        "",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert!(read("1970-01-01T00:00:00Z").is_some());
    assert!(read("2100-12-31T23:59:59Z").is_some());
}

#[test]
fn a_line_of_text_tells_its_time_in_front() {
    let at = |line| leading_time(line).map(EventTime::to_text);
    assert_eq!(at("2023-06-07T03:12:44Z host sshd: x").as_deref(), Some("2023-06-07T03:12:44Z"));
    assert_eq!(at("[2023-06-07 03:12:44] x").as_deref(), Some("2023-06-07T03:12:44"));
    assert_eq!(at("<34>1 2023-06-07T03:12:44.003Z host").as_deref(), Some("2023-06-07T03:12:44.003Z"));
    let apache = "192.0.2.1 - - [07/Jun/2023:03:12:44 +0200] \"GET / HTTP/1.1\" 200";
    assert_eq!(at(apache).as_deref(), Some("2023-06-07T01:12:44Z"));
    assert_eq!(at("Jun  7 03:12:44 host sshd: no year"), None);
    assert_eq!(at("see 2023-06-07T03:12:44Z"), None);
}

fn time_of(fields: &[(&str, &str)]) -> Option<String> {
    let fields: Vec<_> = fields.iter().map(|(name, value)| Field::plain(*name, *value)).collect();
    event_time(&fields).map(EventTime::to_text)
}

#[test]
fn the_time_of_a_record_is_found_by_its_name_and_source() {
    let audit = [
        ("CreationDate", "9/20/2023 4:05:04 AM"),
        ("AuditData.CreationTime", "2023-09-20T04:05:03"),
        ("AuditData.Workload", "Exchange"),
        ("AuditData.Folders.FolderItems.CreationTime", "2001-01-01T00:00:00Z"),
    ];
    assert_eq!(time_of(&audit).as_deref(), Some("2023-09-20T04:05:03Z"));
    assert_eq!(time_of(&[("CreationTime", "2023-09-20T04:05:03")]).as_deref(), Some("2023-09-20T04:05:03"));
    assert_eq!(time_of(&[("date", "2023-06-07"), ("time", "03:12:44")]).as_deref(), Some("2023-06-07T03:12:44Z"));
    let renamed = [("TimeGenerated [UTC]", "2/25/2025, 9:19:25.391 AM")];
    assert_eq!(time_of(&renamed).as_deref(), Some("2025-02-25T09:19:25.391Z"));
    assert_eq!(time_of(&[("ExpirationTime", "2023-09-20T04:05:03Z")]), None);
}
