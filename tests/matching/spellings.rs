//! Each kind of value in every spelling, and its near misses, in three settings.

use crate::{kinds, pack, rows, sightings};

/// A log line, a JSON line and a row of CSV with JSON in a cell, each with `text` in it.
pub(crate) fn settings(text: &str) -> [(&'static str, String); 3] {
    let json = serde_json::json!({"Operation": "Send", "Note": text}).to_string();
    let cell = json.replace('"', "\"\"");
    [
        ("text", format!("first line\n2023-06-01 {text}\nlast line\n")),
        ("jsonl", format!("{{\"a\":1}}\n{json}\n{{\"a\":2}}\n")),
        ("csv", format!("CreationDate,AuditData\n2023-06-01,\"{cell}\"\n2023-06-02,\"{{}}\"\n")),
    ]
}

#[track_caller]
pub(crate) fn each_found(list: &str, texts: &[&str]) {
    for text in texts {
        for (setting, evidence) in settings(text) {
            assert_eq!(kinds(list, &evidence), ["sighting"], "{list} in {setting}: {evidence}");
        }
    }
}

#[track_caller]
pub(crate) fn each_missed(list: &str, texts: &[&str]) {
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
            "é10.11.12.13",
            "адрес10.11.12.13",
            "10.11.12.13é",
            "10.11.12.0/24 10.11.12.13/32",
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
            "１10.11.12.13",
            "5.10.11.12.13.7",
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
            "2001:db8::abcd%eth0",
            "[2001:db8::abcd%eth0]:443",
            "2001:db8::abcdp443",
            "2001:db8::abcd#443",
            "2001:db8::abcd.443",
            "адрес2001:db8::abcd",
            "é2001:db8::abcdé",
            "source:2001:db8::abcd",
            "x\n2001:db8::abcd",
            "x\u{c}2001:db8::abcd",
            "访问2001:db8::abcd下载",
            "see 2001:db8::abcd.",
        ],
    );
    each_missed(
        "2001:db8::abcd",
        &[
            "2001:db8::abc",
            "2001:db8::abcde",
            "2001:db8::1:abcd",
            "x2001:db8::abcd",
            "12:34:56",
            "2001:db8::abcdpx",
            "2001:db8::abcd:1",
        ],
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
    let word = pack("text: {value: wordonly, borders: word}");
    each_found(&word, &["“wordonly”", "日wordonly本", "a\u{a0}wordonly—b", "éwordonly, or wordonly"]);
    each_missed(&word, &["éwordonly", "wordonlyé", "wordonlyж", "e\u{301}wordonly", "wordonly１"]);
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
