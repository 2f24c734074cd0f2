//! Messages made in memory.

use super::super::testing::{Collected, decode, decode_within};
use super::*;
use crate::budget::Limits;
use crate::record::{EventTime, Record};

const MIXED: &str = "From: =?utf-8?B?w4lyaWM=?= <a@b.example>\r\nReceived: from c.example\r\n\tby d.example; Thu, 22 Aug \
    2002 18:26:29 +0700\r\nSubject: plain\r\nDate: Thu, 22 Aug 2002 18:26:25 +0700\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble.example\r\n--x\r\nContent-Type: text/plain; \
    charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 http://ev=\r\nil.example\r\nnext\r\n\
    --x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGEgaHJlZj0iaHR0cDovL2h0bWwuZXhhbXBsZSI+\
    \r\n--x\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    YmluLmV4YW1wbGU=\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: z@b.example\r\nSubject: inner\r\n\r\n\
    inner.example\r\n--x--\r\nepilogue.example\r\n";

fn block<'c>(collected: &'c Collected, artifact: &str) -> &'c dyn crate::record::Block {
    collected.blocks.iter().find(|(path, _)| path == artifact).unwrap().1.as_ref()
}

fn record<'c>(collected: &'c Collected, artifact: &str) -> Record<'c> {
    let block = block(collected, artifact);
    block.record(&block.record_at(0).unwrap())
}

fn values<'r>(record: &'r Record<'_>, name: &str) -> Vec<(&'r str, Vec<&'static str>)> {
    let fields = record.fields.iter().filter(|field| field.name == name);
    fields.map(|field| (field.value.as_ref(), field.decode.clone())).collect()
}

#[test]
fn headers_and_bodies_are_one_record_and_attachments_are_members() {
    let collected = decode("m", MIXED.as_bytes());
    assert_eq!(collected.children, ["m!/a.bin", "m!/part-4"]);
    assert_eq!(collected.holding("bin.example"), ["m!/a.bin"]);
    assert_eq!(collected.holding("inner.example"), ["m!/part-4"]);
    let record = record(&collected, "m");
    let from = values(&record, "From");
    assert!(from[0].0.contains("Éric") && from[0].1 == ["rfc2047"], "{from:?}");
    assert_eq!(from[1], ("=?utf-8?B?w4lyaWM=?= <a@b.example>", vec![]));
    assert_eq!(values(&record, "Received")[0].0, "from c.example\tby d.example; Thu, 22 Aug 2002 18:26:29 +0700");
    let body = vec![("café http://evil.example\r\nnext", vec!["quoted-printable", "iso-8859-1"])];
    assert_eq!(values(&record, "body"), body);
    assert_eq!(values(&record, "body.html"), [("<a href=\"http://html.example\">", vec!["base64"])]);
    assert_eq!(values(&record, "preamble")[0].0, "preamble.example");
    assert_eq!(values(&record, "epilogue")[0].0.trim(), "epilogue.example");
    assert_eq!(record.time.map(EventTime::to_text).as_deref(), Some("2002-08-22T11:26:25Z"));
    assert_eq!(record.damage, None);
}

#[test]
fn every_place_leads_back_to_the_message() {
    let collected = decode("m", MIXED.as_bytes());
    let block = block(&collected, "m");
    let text = block.bytes();
    for (needle, line, source) in [
        ("by d.example", 3, "by d.example"),
        ("plain\n", 4, "plain\r\n"),
        ("preamble.example", 9, "preamble.example"),
        ("html.example", 21, "PGEg"),
        ("epilogue.example", 35, "epilogue.example"),
    ] {
        let at = memchr::memmem::find(text, needle.as_bytes()).unwrap();
        let source = MIXED.find(source).unwrap() as u64;
        assert_eq!((block.line(at), block.source_offset(at)), (Some(line), source), "{needle}");
    }
}

#[test]
fn the_lines_of_quoted_printable_are_told_apart() {
    let raw =
        "From: a@b.example\nTo: c@d.example\nContent-Transfer-Encoding: quoted-printable\n\none=20\ntwo=\nthree evil\n";
    let collected = decode("m", raw.as_bytes());
    let block = block(&collected, "m");
    let at = memchr::memmem::find(block.bytes(), b"three").unwrap();
    assert_eq!((block.line(at), block.source_offset(at)), (Some(7), raw.find("three").unwrap() as u64));
}

#[test]
fn damaged_encodings_are_searched_as_they_stand_too() {
    let raw = "From: a@b.example\nTo: c@d.example\nContent-Transfer-Encoding: base64\n\nZXZpbC5leGFtcGxl\n-- \nhttp://foot.example/\n";
    let collected = decode("m", raw.as_bytes());
    assert_eq!(collected.holding("evil.example"), ["m"]);
    assert_eq!(collected.holding("foot.example"), ["m"]);
    let unknown = raw.replace("base64", "x-unknown");
    assert_eq!(decode("m", unknown.as_bytes()).holding("foot.example"), ["m"]);
    let lie = raw.replace("base64", "7bit\nContent-Type: text/plain; charset=utf-16");
    assert_eq!(decode("m", lie.as_bytes()).holding("foot.example"), ["m"]);
}

#[test]
fn a_truncated_message_says_so() {
    let cut = MIXED.find("bWwuZXhhbXBsZSI").unwrap() + 3;
    let collected = decode("m", &MIXED.as_bytes()[..cut]);
    assert_eq!(collected.holding("preamble.example"), ["m"]);
    assert!(record(&collected, "m").damage.is_some());
    assert_eq!(collected.reasons("m"), [Reason::Truncated]);
    let single = "From: a@b.example\nTo: c@d.example\nContent-Transfer-Encoding: base64\n\nZXZpbC5leGFtcGxl\n";
    assert!(decode("m", single.as_bytes()).problems.is_empty());
    let collected = decode("m", &single.as_bytes()[..single.len() - 4]);
    assert_eq!(collected.holding("evil.exam"), ["m"]);
    assert_eq!(collected.reasons("m"), [Reason::Truncated]);
}

#[test]
fn a_message_beyond_its_limit_is_searched_without_decoding() {
    let raw = format!("From: a@b.example\nTo: c@d.example\n\n{}", "text evil.example ".repeat(10));
    let within = |message_bytes| decode_within("m", raw.as_bytes(), Limits { message_bytes, ..Limits::default() });
    let length = raw.len() as u64;
    assert!(within(length + 1).problems.is_empty());
    assert!(within(length).problems.is_empty());
    assert_eq!(within(length - 1).reasons("m"), [Reason::Limit]);
    let collected = within(length - 18);
    assert_eq!(collected.blocks.len(), 2);
    let (_, rest) = &collected.blocks[1];
    assert_eq!(rest.bytes(), b"text evil.example \n");
    assert_eq!(rest.source_offset(0), length - 18);
    assert_eq!(rest.record_at(0).unwrap().number, 2);
}

#[test]
fn the_time_is_of_the_date_then_of_the_envelope_then_of_the_last_server() {
    let time = |raw: &str| record(&decode("m", raw.as_bytes()), "m").time.map(EventTime::to_text);
    let received = "Received: from x by y; Fri, 23 Aug 2002 10:00:00 +0000\n";
    let to = "To: a@b.example\nSubject: x\n\n";
    assert_eq!(time(&format!("{received}{to}")).as_deref(), Some("2002-08-23T10:00:00Z"));
    assert_eq!(time(&format!("Date: nonsense\n{received}{to}")).as_deref(), Some("2002-08-23T10:00:00Z"));
    assert_eq!(time(to), None);
    let mailbox = format!("From a@b.example Wed Jul  1 13:17:17 1998\n{received}{to}");
    let collected = decode("m", mailbox.as_bytes());
    let record = record(&collected, "m!/message-1");
    assert_eq!(record.time.map(EventTime::to_text).as_deref(), Some("1998-07-01T13:17:17"));
    assert_eq!(values(&record, "From_")[0].0, "a@b.example Wed Jul  1 13:17:17 1998");
}

#[test]
fn messages_are_told_from_other_text_with_colons() {
    let is_mail = |text: &str| Mail.recognises(&Head { bytes: text.as_bytes(), is_whole: true });
    for mail in [
        "Received: x\nFrom: a@b.example\n\nbody",
        "\u{feff}\nSubject: x\nDate: y\n",
        ">From x Wed\nReturn-Path: <>\nX-Mailer: y\n\n",
        "X-Odd: 1\nMIME-Version: 1.0\nContent-Type: text/plain\n\n",
        "From: a\nTo: b\nSubject: c\nstray line\n\nbody",
        "Content-Type: Multipart/mixed; boundary=x\n\n--x\n",
    ] {
        assert!(is_mail(mail), "{mail}");
    }
    for other in [
        "HTTP/1.1 200 OK\nDate: x\nContent-Type: text/html\n\n",
        "Date: x\nContent-Type: text/html\nContent-Length: 3\n\nabc",
        "name: x\nversion: 1\nauthors:\n  - y\n",
        "From: a\n",
        "from: here\nuntil: there\n",
        "Jul  1 13:17:17 host sshd[1]: Received: x\nJul  1 13:17:18 host sshd[1]: From: y\n",
        "{\"From\": \"x\",\n\"To\": \"y\"}",
        "From: x\nno header\nTo: y\n",
        "",
    ] {
        assert!(!is_mail(other), "{other}");
    }
}

#[test]
fn too_many_headers_are_listed_and_searched() {
    let raw = format!("From: a@b.example\nTo: x\n{}\n\nevil.example", "a:\n".repeat(PIECES));
    let collected = decode("m", raw.as_bytes());
    assert_eq!(collected.reasons("m"), [Reason::Limit]);
    assert_eq!(collected.holding("evil.example"), ["m"]);
}

#[test]
fn attached_messages_are_nested_to_the_limit_of_depth() {
    let mut raw = String::new();
    for _ in 0..1_000 {
        raw.push_str("From: a@b.example\nTo: b@c.example\nContent-Type: message/rfc822\n\n");
    }
    raw.push_str("evil.example");
    let collected = decode("m", raw.as_bytes());
    assert_eq!(collected.children.len(), 17);
    assert!(collected.problems.iter().any(|(_, reason, _)| *reason == Reason::Limit));
}
