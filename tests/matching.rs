//! What is found and what is not, through the program's own path: a pack, an evidence file, its report.
//!
//! A row of [`rows`] says all that a sighting says; the tables of spellings only whether there is one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::io::Write;
use std::process::Command;

use serde_json::Value;
use stormglass::budget::Limits;
use stormglass::pack::load;
use stormglass::report::{CoverageDetail, Style, renderer};
use stormglass::scan::{Digest, Plan, Ruleset, Watch, evidence_of, scan};

/// The lines of a report on one evidence file.
fn report_of(pack: &str, name: &str, evidence: &[u8], digest: Digest) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, evidence).unwrap();
    let pack = load("pack", pack.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let ruleset = Ruleset::compile(vec![pack]).unwrap_or_else(|errors| panic!("{errors:?}"));
    let plan = Plan { paths: vec![path], limits: Limits::default(), threads: Some(1), digest };
    let (items, _) = evidence_of(&plan).unwrap();
    let report = scan(&plan, items, &ruleset, &Watch::default()).unwrap();
    let mut out = Vec::new();
    let style = Style { coverage: CoverageDetail::All, ..Style::default() };
    renderer("jsonl").unwrap().render(&report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn lines(pack: &str, evidence: impl AsRef<[u8]>) -> Vec<Value> {
    report_of(pack, "evidence", evidence.as_ref(), Digest::Computed)
}

fn sightings(pack: &str, evidence: impl AsRef<[u8]>) -> Vec<Value> {
    lines(pack, evidence).into_iter().filter(|line| line["type"] == "sighting").collect()
}

/// `type:value kind record line @offset field decode xoccurrences severity`, a dash for what is null or empty.
fn row(sighting: &Value) -> String {
    let shown = |key: &str| match &sighting[key] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let decode: Vec<&str> = sighting["decode"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let decode = if decode.is_empty() { "-".to_owned() } else { decode.join("+") };
    let (kind, value) =
        (sighting["observable"]["type"].as_str().unwrap(), sighting["observable"]["value"].as_str().unwrap());
    format!(
        "{kind}:{value} {} r{} l{} @{} {} {decode} x{} {}",
        shown("kind"),
        shown("record"),
        shown("line"),
        shown("offset"),
        shown("field"),
        shown("occurrences"),
        shown("severity"),
    )
}

fn rows(pack: &str, evidence: impl AsRef<[u8]>) -> Vec<String> {
    sightings(pack, evidence).iter().map(row).collect()
}

fn kinds(pack: &str, evidence: impl AsRef<[u8]>) -> Vec<String> {
    sightings(pack, evidence).iter().map(|s| s["kind"].as_str().unwrap().to_owned()).collect()
}

/// A YAML pack of one indicator of severity high, whose `match` is given.
fn pack(matches: &str) -> String {
    let matches = matches.lines().map(|line| format!("      {line}\n")).collect::<String>();
    format!(
        "format: stormglass/1\nindicators:\n  - id: t\n    severity: high\n    source: s\n    examples: {{hit: [a], miss: [b]}}\n    match:\n{matches}"
    )
}

/// A log line, a JSON line and a row of CSV with JSON in a cell, each with `text` in it.
fn settings(text: &str) -> [(&'static str, String); 3] {
    let json = serde_json::json!({"Operation": "Send", "Note": text}).to_string();
    let cell = json.replace('"', "\"\"");
    [
        ("text", format!("first line\n2023-06-01 {text}\nlast line\n")),
        ("jsonl", format!("{{\"a\":1}}\n{json}\n{{\"a\":2}}\n")),
        ("csv", format!("CreationDate,AuditData\n2023-06-01,\"{cell}\"\n2023-06-02,\"{{}}\"\n")),
    ]
}

#[track_caller]
fn each_found(list: &str, texts: &[&str]) {
    for text in texts {
        for (setting, evidence) in settings(text) {
            assert_eq!(kinds(list, &evidence), ["sighting"], "{list} in {setting}: {evidence}");
        }
    }
}

#[track_caller]
fn each_missed(list: &str, texts: &[&str]) {
    for text in texts {
        for (setting, evidence) in settings(text) {
            assert!(sightings(list, &evidence).is_empty(), "{list} in {setting}: {evidence}");
        }
    }
}

#[test]
fn addresses_are_found_in_every_spelling_and_never_in_part() {
    each_found(
        "10.11.12.13",
        &[
            "[10.11.12.13]:12345",
            "10.11.12.13:12345",
            "10.11.12.13",
            "::ffff:10.11.12.13",
            "[::ffff:10.11.12.13]:12345",
            "::ffff:a0b:c0d",
            "[10.11.12.13]",
            "(10.11.12.13), at 10.11.12.13.",
            "x\n10.11.12.13",
            "x\t10.11.12.13\r",
            "\u{201c}10.11.12.13\u{201d}",
            "\u{a0}10.11.12.13\u{a0}",
            "地址：10.11.12.13。",
            "访问10.11.12.13下载",
            "010.011.012.013",
            "64:ff9b::10.11.12.13",
            "http://10.11.12.13/x",
            "10.11.12.13-10.11.12.20",
        ],
    );
    each_missed(
        "10.11.12.13",
        &[
            "110.11.12.13",
            "10.11.12.130",
            "10.11.12.13.1",
            "1.10.11.12.13",
            "v10.11.12.13",
            "10.11.12",
            "é10.11.12.13",
            "localhost",
            "[localhost]:12345",
            "cool.client.local:12345",
            "NOTANIPV4 (10.9000.0.1)",
            "[CORRECTIPV4 (10.90.0.1)]",
            "fe80::1%9",
            "",
            "null",
            "1[.]10.11.12.13",
        ],
    );
    each_found(
        "2001:db8::abcd",
        &[
            "[2001:db8::abcd]:12345",
            "2001:db8::abcd",
            "[2001:db8::abcd]",
            "2001:DB8:0:0::ABCD",
            "2001:0db8:0000:0000:0000:0000:0000:abcd",
            "2001:db8:0:0:0:0:0:abcd:443",
            "2001:db8::abcd%9",
            "2001:db8::abcd/128",
            "source:2001:db8::abcd",
            "x\n2001:db8::abcd",
            "x\u{c}2001:db8::abcd",
            "访问2001:db8::abcd下载",
            "see 2001:db8::abcd.",
        ],
    );
    each_missed(
        "2001:db8::abcd",
        &["2001:db8::abc", "2001:db8::abcde", "2001:db8::1:abcd", "x2001:db8::abcd", "12:34:56"],
    );
}

#[test]
fn ranges_hold_every_spelling_of_their_addresses() {
    for (range, value) in [("10.11.12.0/24", "10.11.12.0/24"), ("::ffff:10.11.12.0/120", "10.11.12.0/24")] {
        each_found(range, &["10.11.12.0", "[10.11.12.255]:443", "::ffff:10.11.12.13", "x\n10.11.12.13"]);
        each_missed(range, &["10.11.13.0", "10.11.11.255", "10.11.12.256"]);
        assert_eq!(sightings(range, "10.11.12.13\n")[0]["observable"]["value"], value);
    }
    each_found("2001:db8::/32", &["2001:db8::1", "[2001:db8:ffff::1]:443", "2001:0DB8::"]);
    each_missed("2001:db8::/32", &["2001:db9::1", "2001:db7:ffff::1"]);
}

#[test]
fn names_are_found_at_the_borders_of_labels() {
    each_found(
        "evil.example",
        &[
            "evil.example",
            "EVIL.Example.",
            "a.b.evil.example",
            "https://evil.example:8443/x",
            "someone@evil.example",
            "x\nevil.example",
            "x\tevil.example",
            "\"evil.example\"",
            "\u{201c}evil.example\u{201d}",
            "\u{2014}evil.example\u{2026}",
            "访问evil.example下载",
            "-evil.example-",
            "evil%2eexample",
            "https%3A%2F%2Fevil.example%2F",
            "%252Fevil%252Eexample",
            "evil&#46;example",
            "evil&#x2e;example",
            "evil&period;example",
        ],
    );
    each_missed(
        "evil.example",
        &[
            "notevil.example",
            "evil.example.net",
            "evil.examples",
            "evil-example",
            "evilexample",
            "evil..example",
            "\u{e9}evil.example",
            "e\u{301}vil.example",
            "evil.example_x",
        ],
    );
    each_missed("nevil.example", &["x\nevil.example"]);
    each_missed("tevil.example", &["x\tevil.example"]);
}

#[test]
fn urls_are_found_up_to_a_border_of_their_path() {
    each_found(
        "https://evil.example/a/b",
        &[
            "https://evil.example/a/b",
            "HTTP://EVIL.example:80/a/b/",
            "evil.example/a/b?q=1",
            "https://user:x@evil.example/a/b#top",
            "https://evil.example./a/b",
            "https%3A%2F%2Fevil.example%2Fa%2Fb",
            "https:\\/\\/evil.example/a/b",
            "see https://evil.example/a/b.",
            "<https://evil.example/a/b>",
        ],
    );
    each_missed(
        "https://evil.example/a/b",
        &[
            "https://evil.example/a/bc",
            "https://evil.example/a",
            "https://evil.example/A/b",
            "https://evil.example:8080/a/b",
            "https://a.evil.example/a/b",
            "https://notevil.example/a/b",
            "https://evil.example/a/b.html",
        ],
    );
    // JSON may write each slash with a backslash.
    assert_eq!(kinds("https://evil.example/a/b", r#"{"u":"https:\/\/evil.example\/a\/b"}"#), ["sighting"]);
    assert_eq!(
        rows("http://192.0.2.7/a", "get http://192.0.2.7/a x\n"),
        ["url:192.0.2.7/a sighting r1 l1 @11 message - x1 medium"]
    );
    each_found("http://evil.example/?a=1&b=2", &["http://evil.example/?a=1&b=2", "http://evil.example/?a=1&amp;b=2"]);
}

#[test]
fn mail_addresses_are_found_whole() {
    each_found(
        "bob@evil.example",
        &[
            "bob@evil.example",
            "<BOB@Evil.Example>",
            "from=bob@evil.example,",
            "mailto:bob@evil.example?x",
            "'bob@evil.example'",
            "to:\nbob@evil.example",
            "to:\tbob@evil.example",
            "\u{201c}bob@evil.example\u{201d}",
            "bob%40evil.example",
            "bob&commat;evil.example",
        ],
    );
    each_missed(
        "bob@evil.example",
        &[
            "nbob@evil.example",
            "b.bob@evil.example",
            "bob+x@evil.example",
            "bob@evil.example.net",
            "bob@a.evil.example",
            "x-bob@evil.example",
            "ébob@evil.example",
        ],
    );
    each_missed("nbob@evil.example", &["to:\nbob@evil.example"]);
}

#[test]
fn hashes_are_found_whole_in_text() {
    let thumbprint = "d4b4cccda9228624656bff33d8110955779632aa";
    let pairs = "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA";
    let list = format!("type,value\nthumbprint,{thumbprint}\n");
    let upper = thumbprint.to_uppercase();
    let (keyed, line) = (format!("SHA1:{pairs}"), format!("x\n{thumbprint}"));
    each_found(&list, &[thumbprint, &upper, pairs, &keyed, &line, &format!("sha1={thumbprint};")]);
    each_missed(
        &list,
        &[&format!("{thumbprint}0"), &format!("a{thumbprint}"), &"d4".repeat(19), &format!("00:{pairs}")],
    );
    let sha256 = "ab".repeat(32);
    each_found(&sha256, &[&sha256, &format!("sha256:{sha256}"), &format!("x_{sha256}_y")]);
    each_missed(&sha256, &[&"ab".repeat(33), &"ab".repeat(31)]);
}

#[test]
fn defanged_text_is_a_mention_and_plain_text_beside_it_a_sighting() {
    let list = "type,value\ndomain,evil.example\nip,10.11.12.13\nemail,bob@evil.test\nurl,http://evil.zone/a\n";
    for (text, expected) in [
        ("evil[.]example", vec!["mention"]),
        ("www[.]evil.example", vec!["mention"]),
        ("hxxp://evil.example", vec!["mention"]),
        ("hXXps://www.evil[.]example/x", vec!["mention"]),
        ("evil.example and evil[.]example", vec!["sighting"]),
        ("10[.]11[.]12[.]13", vec!["mention"]),
        ("10.11.12[.]13", vec!["mention"]),
        ("1[.]10.11.12.13", vec![]),
        ("10.11.12.13[.]1", vec![]),
        ("bob[@]evil.test", vec!["mention"]),
        ("bob[@]evil[.]test", vec!["mention"]),
        ("hxxp://evil[.]zone/a", vec!["mention"]),
        ("hxxp://evil[.]zone/ab", vec![]),
        ("evil%5B.%5Dexample", vec!["mention"]),
        ("evil&#91;.&#93;example", vec!["mention"]),
    ] {
        for (setting, evidence) in settings(text) {
            assert_eq!(kinds(list, &evidence), expected, "{setting}: {evidence}");
        }
    }
    let mention = &sightings("evil.example", "see hxxps://a.evil[.]example/x now\n")[0];
    assert_eq!((&mention["severity"], &mention["matched"]), (&"info".into(), &"hxxps://a.evil[.]example/x".into()));
}

#[test]
fn artifacts_that_are_lists_hold_mentions_and_other_formats_never() {
    let own = "Stormglass report\n\nhigh evil.example\n";
    let own_lines = lines("evil.example", "evil.example\n").iter().map(|line| format!("{line}\n")).collect::<String>();
    let own_pack = pack("domain: evil.example");
    for quoting in [
        own,
        own_lines.as_str(),
        own_pack.as_str(),
        r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","pattern":"[domain-name:value = 'evil.example']"}]}"#,
        "<?xml version=\"1.0\"?>\n<ioc xmlns=\"http://schemas.mandiant.com/2010/ioc\"><Content>evil.example</Content></ioc>\n",
        r#"{"Event":{"info":"x","Attribute":[{"type":"domain","value":"evil.example"}]}}"#,
    ] {
        let found = kinds("evil.example", quoting);
        assert!(!found.is_empty() && found.iter().all(|kind| kind == "mention"), "{found:?} in {quoting}");
    }
    for showing in [
        "type,value\ndomain,evil.example\nip,10.0.0.1\n",
        "evil.example\n10.0.0.1\n",
        "From: a@b.example\nSubject: list\nDate: Thu, 1 Jun 2023 00:00:00 +0000\n\nformat: stormglass/1\nevil.example\n",
        r#"{"Operation":"bundle","pattern":"evil.example"}"#,
    ] {
        let found = kinds("evil.example", showing);
        assert!(!found.is_empty() && found.iter().all(|kind| kind == "sighting"), "{found:?} in {showing}");
    }
}

#[test]
fn a_sighting_says_where_it_stands() {
    let list = "10.11.12.13";
    let json = "{\"a\":\"110.11.12.13\",\"b\":\"x\\n10.11.12.13\"}\n{\"c\":[\"10.11.12.13\",\"10.11.12.13\"]}\n";
    assert_eq!(
        rows(list, json),
        ["ip:10.11.12.13 sighting r1 l1 @28 b - x1 medium", "ip:10.11.12.13 sighting r2 l2 @49 c - x2 medium"]
    );
    let csv = "CreationDate,AuditData\n2023-06-01,\"{\"\"ClientIP\"\":\"\"10.11.12.13\"\"}\"\n";
    assert_eq!(rows(list, csv), ["ip:10.11.12.13 sighting r1 l2 @51 AuditData.ClientIP - x1 medium"]);
    let escaped = "{\"a\":\"10\\u002e11.12.13\"}\n";
    assert_eq!(rows(list, escaped), ["ip:10.11.12.13 sighting r1 l1 @0 a json x1 medium"]);
    let utf16: Vec<u8> = "\u{feff}x\r\n 10.11.12.13\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rows(list, utf16), ["ip:10.11.12.13 sighting r2 l2 @10 message - x1 medium"]);
    let percent = "x\nq=10%2E11.12.13 10.11.12.14\n";
    assert_eq!(rows(list, percent), ["ip:10.11.12.13 sighting r2 l2 @2 message percent x1 medium"]);
    let key = "{\"10.11.12.13\":1}\n";
    assert_eq!(rows(list, key), ["ip:10.11.12.13 sighting r1 l1 @2 - - x1 medium"]);
}

#[test]
fn json_is_read_to_its_depth_and_as_text_where_it_is_cut_off() {
    let inner = serde_json::json!({"host": "x\nevil.example"}).to_string();
    let outer = serde_json::json!({"AuditData": inner}).to_string();
    assert_eq!(kinds("evil.example", &outer), ["sighting"]);
    let csv = format!("CreationDate,AuditData\n2023-06-01,\"{}\"\n", outer.replace('"', "\"\""));
    assert_eq!(kinds("evil.example", &csv), ["sighting"]);
    let cut = "CreationDate,AuditData\n2023-06-01,\"{\"\"a\"\":\"\"x\\nevil\\u002eexample\"\",\"\"b\n2023-06-02,\"\"\n";
    assert_eq!(kinds("evil.example", cut), ["sighting"]);
    assert_eq!(kinds("evil.example", "{\"a\":\"b\"}\n{\"a\":\"x\\nevil\\u002eexample\n{\"a\":\"c\"}\n"), ["sighting"]);
}

#[test]
fn w3c_fields_are_searched_one_by_one_and_across() {
    let log = "#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query\n\
               2023-06-07 01:02:03 10.11.12.13 POST /ecp/y.js a=evil%2Eexample\n\
               2023-06-07 01:02:04 110.11.12.13 GET /ecp/y.js -\n";
    let found = sightings("type,value\nip,10.11.12.13\ndomain,evil.example\n", log);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|s| s["line"] == 3 && s["time"].as_str().unwrap().starts_with("2023-06-07T01:02:03")));
    let fields: Vec<&str> = found.iter().map(|s| s["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"c-ip") && fields.contains(&"cs-uri-query"), "{fields:?}");
    assert_eq!(kinds(&pack(r"regex: 'POST /ecp/\w\.js'"), log), ["sighting"]);
    assert_eq!(kinds(&pack("text: 'POST /ecp/y.js'"), log), ["sighting"]);
    assert_eq!(kinds(&pack("record: {cs-method: POST, source.ip: 10.11.12.13}"), log), ["sighting"]);
    assert!(kinds(&pack("record: {cs-method: GET, source.ip: 10.11.12.13}"), log).is_empty());
}

const MAIL: &str = "From: =?utf-8?B?Ym9iQGV2aWwuZXhhbXBsZQ==?= <bob@evil.example>\r\n\
To: user1@contoso.example\r\nSubject: hello\r\n\tfrom one.test\r\nDate: Thu, 01 Jun 2023 10:00:00 +0200\r\n\
Message-ID: <1@mail.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
see https://two.te=\r\nst/a and 10=2E11.12.13\r\n\
--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
PGEgaHJlZj0iaHR0cDovL3RocmVlLnRlc3QvIj54PC9hPg==\r\n\
--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
YWJj\r\n--b--\r\n";

#[test]
fn a_mail_is_one_record_and_its_attachment_an_artifact() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let list = format!(
        "type,value\nemail,bob@evil.example\ndomain,one.test\nurl,https://two.test/a\nip,10.11.12.13\ndomain,three.test\nsha256,{abc}\n"
    );
    let found = sightings(&list, MAIL);
    let values: Vec<&str> = found.iter().map(|s| s["observable"]["value"].as_str().unwrap()).collect();
    for wanted in ["bob@evil.example", "one.test", "two.test/a", "10.11.12.13", "three.test", abc] {
        assert_eq!(values.iter().filter(|value| **value == wanted).count(), 1, "{wanted} in {values:?}");
    }
    for sighting in &found {
        if sighting["observable"]["value"] == abc {
            assert!(sighting["artifact"].as_str().unwrap().contains("!/"));
            assert!(sighting["record"].is_null() && sighting["line"].is_null() && sighting["offset"].is_null());
        } else {
            assert_eq!((&sighting["record"], &sighting["time"]), (&1.into(), &"2023-06-01T08:00:00Z".into()));
        }
    }
    // Two parts of one mail are one record.
    assert_eq!(kinds(&pack("all:\n  - email: bob@evil.example\n  - domain: three.test"), MAIL).len(), 2);
    let rule = "yara: |\n  rule both { strings: $a = \"bob@evil.example\" $b = \"three.test\" condition: all of them }";
    assert_eq!(rows(&pack(rule), MAIL).len(), 1);
}

fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn digests_of_files_and_members_are_compared_and_thumbprints_never() {
    let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let status = |list: &str, evidence: &[u8], digest| {
        let lines = report_of(list, "f", evidence, digest);
        let count = lines.iter().filter(|line| line["type"] == "sighting").count();
        let status = lines.iter().find(|line| line["type"] == "indicator").unwrap()["status"].clone();
        (count, status)
    };
    for hash in [sha1, md5] {
        assert_eq!(
            rows(hash, "abc"),
            [format!("{}:{hash} sighting r- l- @- - - x1 medium", if hash == md5 { "md5" } else { "sha1" })]
        );
        assert!(rows(hash, "abd").is_empty());
        assert_eq!(rows(hash, zip_of("m", b"abc")).len(), 1);
        assert_eq!(status(hash, b"abc", Digest::Off), (0, "not_evaluable".into()));
        assert_eq!(status(hash, b"abd", Digest::Computed), (0, "not_found".into()));
        assert_eq!(status(hash, &zip_of("m", b"abc"), Digest::Off), (1, "found".into()));
        assert_eq!(status(hash, hash.as_bytes(), Digest::Off), (1, "found".into()));
    }
    let thumbprint = format!("type,value\nthumbprint,{sha1}\n");
    assert!(rows(&thumbprint, "abc").is_empty());
    assert_eq!(rows(&thumbprint, format!("x {sha1}\n")).len(), 1);
}

#[test]
fn windows_are_whole_days_and_say_when_they_do_not_fit() {
    let windowed = pack("ip: {value: 10.11.12.13, seen: [2023-05-15, 2023-06-25]}");
    let severity = |time: &str| {
        let found = sightings(&windowed, format!("{{\"CreationTime\":\"{time}\",\"ClientIP\":\"10.11.12.13\"}}\n"));
        found[0]["severity"].as_str().unwrap().to_owned()
    };
    for inside in ["2023-05-15T00:00:00Z", "2023-06-25T23:59:59Z", "2023-05-14T23:00:00-02:00", "2023-06-01T00:00:00"] {
        assert_eq!(severity(inside), "high", "{inside}");
    }
    for outside in ["2023-05-14T23:59:59Z", "2023-06-26T00:00:00Z", "2023-06-25T23:00:00-02:00"] {
        assert_eq!(severity(outside), "medium", "{outside}");
    }
    let timeless = &sightings(&windowed, "{\"ClientIP\":\"10.11.12.13\"}\n")[0];
    assert_eq!((&timeless["severity"], &timeless["time"]), (&"high".into(), &Value::Null));
    let twice = pack(
        "ip:\n  - {value: 10.11.12.13, seen: [2023-05-01, 2023-05-02]}\n  - {value: 10.11.12.13, seen: [2023-06-01, 2023-06-02]}",
    );
    let evidence = "{\"CreationTime\":\"2023-06-01T00:00:00Z\",\"ClientIP\":\"10.11.12.13\"}\n";
    assert_eq!(
        sightings(&twice, evidence).iter().map(|s| s["severity"].as_str().unwrap()).collect::<Vec<_>>(),
        ["high"]
    );
}

#[test]
fn combinations_hold_within_one_record_and_show_what_holds() {
    let all = pack("all:\n  - ip: 10.11.12.13\n  - domain: evil.example\n  - text: word");
    assert_eq!(rows(&all, "10.11.12.13 evil.example word\n").len(), 3);
    for part in ["10.11.12.13 evil.example\nword\n", "10.11.12.13 word\n", "evil.example word\n"] {
        assert!(rows(&all, part).is_empty(), "{part}");
    }
    let keys = pack("ip: 10.11.12.13\ndomain: evil.example");
    assert!(rows(&keys, "10.11.12.13\n").is_empty());
    assert_eq!(rows(&keys, "10.11.12.13 evil.example\n").len(), 2);
    let any = pack("any:\n  - ip: 10.11.12.13\n  - domain: evil.example");
    assert_eq!(rows(&any, "10.11.12.13\nevil.example\n").len(), 2);
    let not = pack("all:\n  - domain: evil.example\n  - not: {text: scanner}");
    assert_eq!(rows(&not, "evil.example scanner\nevil.example\n").len(), 1);
    let branches = pack("any:\n  - domain: evil.example\n  - all:\n      - ip: 10.11.12.13\n      - text: absent");
    let shown = sightings(&branches, "evil.example 10.11.12.13\n");
    assert_eq!((shown.len(), &shown[0]["observable"]["value"]), (1, &"evil.example".into()));
    let mixed = pack("all:\n  - domain: evil.example\n  - record: {Operation: Send}");
    assert_eq!(
        rows(
            &mixed,
            "{\"Operation\":\"Send\",\"To\":\"a@evil.example\"}\n{\"Operation\":\"Bind\",\"To\":\"a@evil.example\"}\n"
        )
        .len(),
        1
    );
    // A quoted part makes the whole a mention.
    assert_eq!(kinds(&keys, "10.11.12.13 evil[.]example\n"), ["mention", "mention"]);
}

#[test]
fn fields_are_tested_with_every_modifier() {
    let audit = r#"{"Operation":"MailItemsAccessed","ResultStatus":"Succeeded","Count":50.0,"Code":"50","Empty":"","Null":null,"ClientIPAddress":"10.11.12.13","MailboxOwnerUPN":"user1@contoso.example","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"Folders":[{"Path":"\\Inbox"},{"Path":"\\Sent"}]}"#;
    let holds = |test: &str| !sightings(&pack(&format!("record: {test}")), format!("{audit}\n")).is_empty();
    for yes in [
        "{Operation: mailitemsaccessed}",
        "{Operation: [Send, MailItemsAccessed]}",
        "{Operation|contains: Items}",
        "{Operation|startswith: [Foo, Mail]}",
        "{Operation|endswith: ACCESSED}",
        "{Operation|contains|all: [Mail, Access]}",
        "{Operation|not: Send}",
        "{Operation|not|contains: Send, ResultStatus: Succeeded}",
        "{Missing|not: x, Operation: MailItemsAccessed}",
        "{Missing: null, Operation: MailItemsAccessed}",
        "{Empty: null, Operation: MailItemsAccessed}",
        "{Null: null, Operation: MailItemsAccessed}",
        "{Count: 50}",
        "{Count: '50'}",
        "{Code: 50}",
        "{Code: 50.0}",
        "{OperationProperties.MailAccessType: Bind}",
        "{OperationProperties.IsThrottled: 'false'}",
        "{event.action: MailItemsAccessed, source.ip: 10.11.12.13}",
        "{user.email|endswith: '@contoso.example', Operation: MailItemsAccessed}",
        r"{Folders.Path: '\Sent'}",
        r"{Folders.Path|all: ['\Sent', '\Inbox']}",
    ] {
        assert!(holds(yes), "{yes}");
    }
    for no in [
        "{Operation: MailItems}",
        "{Operation: [Send, Bind]}",
        "{Operation|contains|all: [Mail, Sync]}",
        "{Operation|not: MailItemsAccessed}",
        "{Operation: MailItemsAccessed, ResultStatus: Failed}",
        "{Missing: x}",
        "{Operation: null}",
        "{Count: 500}",
        "{OperationProperties.MailAccessType: Sync}",
        "{OperationProperties.IsThrottled: Bind}",
        "{source.ip: 10.11.12.1}",
        r"{Folders.Path|all: ['\Sent', '\Drafts']}",
    ] {
        assert!(!holds(no), "{no}");
    }
    let found = sightings(&pack("record: {Operation: MailItemsAccessed}"), format!("{audit}\n"));
    assert_eq!(found[0]["observable"], serde_json::json!({"type": "record", "value": "t"}));
    assert_eq!(kinds(&pack("record: {Operation: Send}"), "{\"Operation\":\"S\\u0065nd\"}\n"), ["sighting"]);
}

#[test]
fn texts_are_found_behind_escapes_and_in_any_script() {
    let quoted = pack("text: '\"Microsoft Edge\";v=\"113\", \"Chromium\";v=\"113\"'");
    each_found(&quoted, &["Sec-CH-UA: \"Microsoft Edge\";v=\"113\", \"Chromium\";v=\"113\", x"]);
    each_missed(&quoted, &["Sec-CH-UA: \"Microsoft Edge\";v=\"113\", \"Chromium\";v=\"114\""]);
    each_found(&pack("text: GetAccessToken"), &["xgetaccesstokenY", "a\nGetAccessToken"]);
    each_found(&pack("text: 'GRÜN'"), &["grün", "Grün"]);
    each_found(&pack("text: '/owa/auth'"), &["GET /owa/auth.owa"]);
    each_found(&pack(r"text: 'CONTOSO\user1'"), &[r"as CONTOSO\user1 in"]);
    each_found(&pack("text: '//'"), &["a//b"]);
    assert_eq!(kinds(&pack("text: '//'"), r#"{"a":"x\/\/y"}"#), ["sighting"]);
    each_found(&pack("text: {value: kid1, borders: word}"), &["a kid1.", "\"kid1\""]);
    each_missed(&pack("text: {value: kid1, borders: word}"), &["kid12", "xkid1"]);
    each_missed(&pack("text: {value: Kid1, case: sensitive}"), &["kid1"]);
    assert_eq!(kinds(&pack("text: 'ü'"), b"gr\xfcn x\n"), ["sighting"]);
    assert_eq!(rows(&pack("text: ab"), "abxabxAB\n"), ["text:ab sighting r1 l1 @0 message - x3 high"]);
}

#[test]
fn expressions_keep_to_their_anchors_flags_and_fields() {
    let found = |expression: &str, evidence: &str| sightings(&pack(&format!("regex: '{expression}'")), evidence);
    let two = "{\"a\":\"x=1\",\"b\":\"sid=123\"}\n{\"a\":\"q;sid=5\",\"b\":\"xsid=6\"}\n{\"a\":\"xsid=7\"}\n";
    assert_eq!(found(r"(^|;)sid=\d+", two).len(), 2);
    assert_eq!(found(r"^sid=\d+$", two).len(), 1);
    assert_eq!(found(r"sid=\d(;|$)", two).len(), 2);
    assert_eq!(found("(?i)^SID=", two).len(), 1);
    assert_eq!(found("(?i)XSID", two).len(), 2);
    assert_eq!(found(r"[^,]*word", "zzz\nq\nabc word here\n")[0]["line"], 3);
    assert_eq!(found(r"\s*word", "zzz\nword here\n")[0]["line"], 2);
    assert_eq!(found(r"a/b\.c", r#"{"u":"x a\/b.c"}"#).len(), 1);
    assert_eq!(found(r#"quoted "word""#, r#"{"u":"a quoted \"word\""}"#).len(), 1);
    assert_eq!(found(r"tab\tend", "{\"u\":\"tab\\tend\"}").len(), 1);
    assert!(found("a.c", "abd\n").is_empty());
    for sighting in found("(?s)foo.*bar", "{\"a\":\"foo\",\"b\":\"x\",\"c\":\"bar\"}\n") {
        assert!(!sighting["matched"].as_str().unwrap().contains('\0'));
    }
}

#[test]
fn rules_are_named_for_a_record_and_for_a_whole_artifact() {
    let rules = pack(
        "yara: |\n  rule one { strings: $a = \"first\" $b = \"second\" condition: all of them }\n  rule two { strings: $c = { 4d 5a 90 } condition: $c at 0 }",
    );
    assert_eq!(rows(&rules, "x first second\n"), ["yara:one sighting r1 l1 @2 message - x2 high"]);
    assert_eq!(rows(&rules, "first\nthen second\n"), ["yara:one sighting r- l- @0 - - x2 high"]);
    assert_eq!(rows(&rules, b"MZ\x90\x00\x03\x00\x00\x00rest"), ["yara:two sighting r- l- @0 - - x1 high"]);
    assert!(rows(&rules, "first\n").is_empty());
}

#[test]
fn one_value_of_two_indicators_is_two_sightings_and_of_one_is_one() {
    let two = "format: stormglass/1\nindicators:\n\
        \x20 - {id: a, severity: low, source: s, examples: {hit: [a], miss: [b]}, match: {ip: [10.11.12.13, '10.11.12.13']}}\n\
        \x20 - {id: b, severity: high, source: s, examples: {hit: [a], miss: [b]}, match: {ip: 10.11.12.0/24}}\n";
    let found = sightings(two, "10.11.12.13 10.11.12.13\n");
    let shown: Vec<_> =
        found.iter().map(|s| (s["indicator"].as_str().unwrap(), s["occurrences"].as_u64().unwrap())).collect();
    assert_eq!(shown, [("a", 2), ("b", 2)]);
}

#[test]
fn coverage_says_what_could_not_have_been_found() {
    let status = |matches: &str, evidence: &str| {
        let lines = lines(&pack(matches), evidence);
        lines.iter().find(|line| line["type"] == "indicator").unwrap()["status"].as_str().unwrap().to_owned()
    };
    let record = "record: {Operation: Send, ClientIP: 10.11.12.13}";
    assert_eq!(status(record, "{\"Operation\":\"Send\",\"ClientIP\":\"10.11.12.13\"}\n"), "found");
    assert_eq!(status(record, "{\"Operation\":\"Send\",\"ClientIP\":\"10.11.12.14\"}\n"), "not_found");
    assert_eq!(status(record, "{\"Operation\":\"Send\"}\n{\"ClientIP\":\"10.11.12.13\"}\n"), "not_evaluable");
    assert_eq!(status(record, "plain text\n"), "not_evaluable");
    assert_eq!(status("record: {Operation|not: Send, ClientIP: 10.11.12.13}", "{\"ClientIP\":\"x\"}\n"), "not_found");
    assert_eq!(status(&format!("any:\n  - {record}\n  - ip: 192.0.2.1"), "plain text\n"), "not_found");
    assert_eq!(status(&format!("all:\n  - {record}\n  - ip: 192.0.2.1"), "plain text\n"), "not_evaluable");
    assert_eq!(status("yara: 'rule a { condition: false }'", "x\n"), "not_found");
}

#[test]
fn the_command_line_lists_atoms_and_fails_on_what_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("pack"),
        pack("all:\n  - ip: 10.11.12.13\n  - domain: 'evil[.]example'\n  - text: x"),
    )
    .unwrap();
    std::fs::write(folder.path().join("log"), "x 10.11.12.13 evil.example\n").unwrap();
    std::fs::write(folder.path().join("quote"), "x 10[.]11.12.13 evil.example\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        let output = command
            .args(arguments)
            .args(["--no-builtin", "--rules", "pack"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, listed) = run(&["rules", "list", "--format", "jsonl"]);
    let atoms: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((status, atoms.len()), (0, 2));
    assert_eq!(atoms[1]["observable"], serde_json::json!({"type": "domain", "value": "evil.example"}));
    assert!(atoms.iter().all(|atom| atom["indicator"] == "t" && atom["advisory"].is_null()));
    for (file, least, expected) in
        [("log", "high", 1), ("log", "critical", 0), ("quote", "info", 1), ("quote", "low", 0)]
    {
        assert_eq!(run(&["scan", file, "--quiet", "--fail-on", least]).0, expected, "{file} at {least}");
    }
}
