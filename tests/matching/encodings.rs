//! Values behind encodings, with the decode path that a sighting tells, and the near misses.

use serde_json::Value;

use crate::{kinds, lines, sightings};

/// A log line, a JSON line, JSON inside JSON, and a row of CSV with JSON in a cell, each with `text` in it.
fn settings(text: &str) -> [String; 4] {
    let json = serde_json::json!({"Operation": "Send", "Note": text}).to_string();
    let nested = serde_json::json!({"AuditData": json}).to_string();
    let cell = json.replace('"', "\"\"");
    [
        format!("first line\n2023-06-01 {text}\nlast line\n"),
        format!("{{\"a\":1}}\n{json}\n{{\"a\":2}}\n"),
        format!("{nested}\n"),
        format!("CreationDate,AuditData\n2023-06-01,\"{cell}\"\n2023-06-02,\"{{}}\"\n"),
    ]
}

fn decode(sighting: &Value) -> String {
    sighting["decode"].as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>().join("+")
}

#[track_caller]
fn found(text: &str, path: &str) {
    for evidence in settings(text) {
        let found = sightings("evil.example", &evidence);
        let paths: Vec<String> = found.iter().map(decode).collect();
        assert!(paths.len() == 1 && paths[0].ends_with(path), "{text}: {paths:?} in {evidence}");
        assert_eq!(found[0]["kind"], "sighting");
    }
}

#[track_caller]
fn missed(text: &str) {
    for evidence in settings(text) {
        assert!(sightings("evil.example", &evidence).is_empty(), "{text} in {evidence}");
    }
}

#[test]
fn base64_shows_what_it_holds() {
    found("payload ZXZpbC5leGFtcGxl", "base64");
    found("payload=aHR0cHM6Ly9ldmlsLmV4YW1wbGUveA==&b=1", "base64");
    found("GET /redirect/aHR0cHM6Ly9ldmlsLmV4YW1wbGU/x", "base64");
    found("GET /redirect/ZXZpbC5leGFtcGxl/x", "base64");
    found("id_ZXZpbC5leGFtcGxl_x", "base64");
    found("powershell -enc aQB3AHIAIABlAHYAaQBsAC4AZQB4AGEAbQBwAGwAZQA=", "base64+utf-16le");
    found("x AGkAdwByACAAZQB2AGkAbAAuAGUAeABhAG0AcABsAGU=", "base64+utf-16be");
    found("q=ZXZpbC5leGFtcGxlLz8%2FPz8%2F", "percent+base64");
    found("WlhacGJDNWxlR0Z0Y0d4bA==", "base64+base64");
    found("aHR0cDovL3gvP3U9ZXZpbCUyRWV4YW1wbGU=", "base64+percent");
    // A longer name; eight bytes; what is glued before the run changes what it decodes to.
    missed("payload bm90ZXZpbC5leGFtcGxl");
    missed("payload ZXZpbC5leGFtcGxlcw==");
    missed("payload AAECAwQFBgcICQoLDA0ODw==");
}

#[test]
fn hexadecimal_shows_what_it_holds() {
    found("data 6576696c2e6578616d706c65", "hex");
    found("data=0x6576696C2E6578616D706C65;", "hex");
    found("65 76 69 6c 2e 65 78 61 6d 70 6c 65", "hex");
    found("6500760069006c002e006500780061006d0070006c006500", "hex+utf-16le");
    found(r"evil\x2eexample", "hex");
    found(r"evil\056example", "octal");
    missed("data 786576696c2e6578616d706c65");
    missed("data 6576696c2e6578616d706c6578");
    missed("digest d4b4cccda9228624656bff33d8110955779632aa");
}

#[test]
fn text_of_mails_and_terminals_is_read_where_it_is_logged() {
    found("subject=\"=?utf-8?B?ZXZpbC5leGFtcGxl?=\"", "rfc2047");
    found("subject=\"=?iso-8859-1?Q?see_evil=2Eexample?=\"", "rfc2047");
    found("body evil=2Eexample", "quoted-printable");
    found("x#011evil.example#012", "terminal");
    found("x ^[[31mevil^[[0m.example", "terminal");
    found("x \u{1b}[31mevil\u{1b}[0m.example", "terminal");
    found("see e\u{200b}vil.exam\u{ad}ple", "unicode");
    // Names themselves may be written so. Source: UTS 46.
    found("see ｅｖｉｌ．ｅｘａｍｐｌｅ", "");
    found("evil%u002eexample", "percent");
    found("evil&period;example", "html");
    missed("x=20evil.examples");
    missed("subject=?utf-8?B?bm90ZXZpbC5leGFtcGxl?=");
}

#[test]
fn a_path_hides_nothing_and_a_line_end_written_as_text_does() {
    missed(r"open C:\nevil.example");
    assert_eq!(kinds("evil.example", "error:\\nevil.example\n"), ["sighting"]);
    assert_eq!(kinds("evil.example", "{\"a\":\"C:\\nevil.example\"}\n"), ["sighting"]);
}

#[test]
fn what_was_not_decoded_is_a_problem() {
    let nested = |times: usize| (0..times).fold("evil%2Eexample".to_owned(), |text, _| text.replace('%', "%25"));
    let problems = |text: &str| -> Vec<Value> {
        let all = lines("evil.example", format!("first\nx {text}\nx {text}\n"));
        all.into_iter().filter(|line| line["type"] == "problem").collect()
    };
    assert!(problems(&nested(14)).is_empty());
    assert_eq!(kinds("evil.example", nested(14)), ["sighting"]);
    let met = problems(&nested(20));
    assert_eq!(met.len(), 1, "{met:?}");
    assert_eq!(met[0]["reason"], "limit");
    let detail = met[0]["detail"].as_str().unwrap();
    assert!(detail.ends_with("to be decoded to the end (in 2 records, first in record 2)"), "{detail}");
}

#[test]
fn letters_around_a_value_do_not_hide_it() {
    // UTF-16BE in which the letter before has a printable lower half.
    found("Uk0AZQB2AGkAbAAuAGUAeABhAG0AcABsAGU=", "base64+utf-16be");
    assert_eq!(kinds("b\u{fc}cher.example", "see b&uuml;cher.example now\n"), ["sighting"]);
}

#[test]
fn words_of_headers_are_read_in_their_charset() {
    for (list, text) in [
        ("bücher.example", "=?iso-8859-1?Q?b=FCcher=2Eexample?="),
        ("bücher.example", "=?windows-1252?B?YvxjaGVyLmV4YW1wbGU=?="),
        ("例え.example", "=?ISO-2022-JP?B?GyRCTmMkKBsoQi5leGFtcGxl?="),
        ("пример.example", "=?koi8-r?B?0NLJzcXSLmV4YW1wbGU=?="),
        ("例子.example", "=?GB18030?B?wP3X0y5leGFtcGxl?="),
        ("bücher.example", "=?iso-8859-1?Q?b=C3=BCcher=2Eexample?="),
    ] {
        for evidence in settings(text) {
            let found = sightings(list, &evidence);
            assert_eq!(found.iter().map(decode).filter(|path| path.ends_with("rfc2047")).count(), 1, "{evidence}");
        }
        assert_eq!(kinds(list, format!("{text}\n")), ["sighting"]);
    }
    for evidence in settings("=?iso-8859-1?Q?nb=FCcher=2Eexample?= =?iso-8859-1?Q?b=FCcher=2Eexamples?=") {
        assert!(sightings("bücher.example", &evidence).is_empty(), "{evidence}");
    }
}

#[test]
fn numbers_of_html_end_with_their_last_digit() {
    found("&#101vil&#46example", "html");
    found("evil&#46example", "html");
    found("evil&#x2E;example", "html");
    found("see &#147evil.example&#148 now", "html");
    missed("&#110evil&#46example");
    missed("evil&#46examples");
    // A hexadecimal number takes what digits there are: this is U+2EE.
    missed("evil&#x2eexample");
    assert_eq!(kinds("wicked.zone", "wicked&#x2ezone\n"), ["sighting"]);
}
