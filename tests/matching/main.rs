//! What is found and what is not, through the program's own path: a pack, an evidence file, its report.
//!
//! A row of [`rows`] says all that a sighting says; the tables of `spellings.rs`, only whether there is one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says what is wrong by panicking"
)]

mod encodings;
mod kinds;
mod long_lines;
mod spellings;
mod token_forms;
mod tokens;

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

#[test]
fn artifacts_that_are_lists_hold_mentions_and_other_formats_never() {
    let own = "Stormglass report\nFOUND: 1 indicator of list in 1 record.\n\nhigh evil.example\n";
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
