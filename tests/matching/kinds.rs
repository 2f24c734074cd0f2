//! Kinds of values that are found by their text, internationalised names, every spelling of defanging, and limits.

use crate::spellings::{each_found, each_missed, settings};
use crate::{Digest, kinds, lines, pack, report_of, rows, sightings};

// Source: facts, sections 1.1 and 1.3.
const THUMBPRINT: &str = "d4b4cccda9228624656bff33d8110955779632aa";
const SHA256: &str = "43ea0217de39066a36164e21655e8ed7b2efaa67e4155033837ada26df6bb59e";
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/92.0.4515.159 Safari/537.36";

fn pairs(digits: &str, separator: &str) -> String {
    let pairs: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
    pairs.join(separator)
}

#[test]
fn names_beyond_ascii_are_one_in_either_spelling() {
    for list in ["münchen.example", "xn--mnchen-3ya.example", "MÜNCHEN.example", "mu\u{308}nchen.example"] {
        each_found(
            list,
            &[
                "münchen.example",
                "MÜNCHEN.EXAMPLE.",
                "xn--mnchen-3ya.example",
                "XN--MNCHEN-3YA.example",
                "a.münchen.example",
                "mu\u{308}nchen.example",
                "https://münchen.example/x",
                "m%C3%BCnchen.example",
                "münchen。example",
            ],
        );
        each_missed(list, &["munchen.example", "xn--mnchen-3yb.example", "altmünchen.example", "münchen.examples"]);
    }
    // Latin-1 in a log without a charset.
    assert_eq!(kinds("münchen.example", b"first gr\xfc\xdfe\nx m\xfcnchen.example y\n"), ["sighting"]);
    assert!(kinds("münchen.example", b"first gr\xfc\xdfe\nx m\xf6nchen.example y\n").is_empty());
    each_found("bob@münchen.example", &["bob@xn--mnchen-3ya.example", "Bob@MÜNCHEN.example"]);
    each_found("https://münchen.example/a", &["http://xn--mnchen-3ya.example/a", "https://MÜNCHEN.example/a/b"]);
    each_found("例え.example", &["xn--r8jz45g.example", "例え.example", "https://例え.example/"]);
    assert_eq!(sightings("münchen.example", "x münchen.example\n")[0]["observable"]["value"], "xn--mnchen-3ya.example");
    assert_eq!(sightings("münchen.example", "x münchen.example\n")[0]["matched"], "münchen.example");
}

#[test]
fn full_stops_of_other_scripts_part_labels() {
    each_found("evil.example", &["evil。example", "a．evil｡example", "见evil.example。", "(evil。example。)"]);
    each_missed("evil.example", &["notevil。example", "evil。。example", "evil、example"]);
    assert_eq!(
        rows("evil.example", "x evil.example。\n"),
        ["domain:evil.example sighting r1 l1 @2 message - x1 medium"]
    );
}

#[test]
fn a_wildcard_stands_for_sub_domains_alone() {
    each_found("*.evil.example", &["a.evil.example", "a.b.evil.example.", "http://x_y.EVIL.example/"]);
    each_missed("*.evil.example", &["evil.example", "http://evil.example/", "xevil.example", "a.evil.example.net"]);
    each_found("*.webhook[.]site", &["a.webhook.site"]);
    each_found("*.onion", &["abc.onion", "http://a.b.ONION/x"]);
    each_missed("*.onion", &["onion", "abc.onions", "abc.onion.example", "onion.example"]);
    each_found("_dmarc.evil.example", &["_dmarc.evil.example", "x._dmarc.evil.example"]);
    // The name itself beside its sub-domains, each listed.
    assert_eq!(
        rows("type,value\ndomain,evil.example\ndomain,*.evil.example\n", "evil.example a.evil.example\n").len(),
        2
    );
}

#[test]
fn urls_are_compared_in_their_normal_form() {
    each_found(
        "https://evil.example/a%2fb/%7Euser",
        &["http://evil.example/a%2Fb/~user", "https://evil.example/a/b/%7euser", "evil.example/a%2fb/~user/x"],
    );
    each_found(
        "http://203.0.113.7/#/login",
        &["https://203.0.113.7/#/login", "http://203.0.113.7:80/#/login?a", "http://203.0.113.7#/login"],
    );
    each_missed(
        "http://203.0.113.7/#/login",
        &["http://203.0.113.7/login", "http://203.0.113.7/#/logins", "203.0.113.7"],
    );
    each_found("http://[2001:db8::1]:8080/a", &["http://[2001:DB8:0::1]:8080/a", "[2001:db8::1]:8080/a/b"]);
    each_missed("http://[2001:db8::1]:8080/a", &["http://[2001:db8::1]/a", "http://[2001:db8::2]:8080/a"]);
    each_found("http://[fe80::1]:8080/a", &["http://[fe80::1%25eth0]:8080/a", "http://[FE80::1%9]:8080/a?b"]);
    each_missed("http://[fe80::1]:8080/a", &["http://[fe80::1%25eth0]/a", "http://[fe80::12%25eth0]:8080/a"]);
    each_found("evil.example:443/a", &["https://evil.example/a", "evil.example:443/a"]);
    each_found("https://evil.example/", &["https://user:pw@evil.example/", "https://evil.example?q", "EVIL.example/x"]);
    each_missed(
        "https://evil.example/",
        &["https://evil.example@good.example/", "https://evil.example:80@good.example/"],
    );
}

#[test]
fn mail_addresses_are_found_in_display_forms() {
    for list in ["bob@evil.example", "mailto:Bob@evil.example", "\"Bob, B.\" <bob@evil.example>"] {
        each_found(
            list,
            &[
                "\"Bob\" <bob@evil.example>",
                "MAILTO:bob@evil.example?subject=x",
                "(bob@evil.example)",
                "\"bob\"@evil.example",
            ],
        );
        each_missed(list, &["bob+tag@evil.example", "\"bob b\"@evil.example", "bob@sub.evil.example"]);
    }
    each_found("\"bob b\"@evil.example", &["<\"Bob B\"@evil.example>"]);
}

#[test]
fn digests_of_all_lengths_stand_in_pairs() {
    for digits in [&SHA256[..32], THUMBPRINT, SHA256, &SHA256.repeat(2)] {
        for separator in [":", " ", "-"] {
            let found = pairs(digits, separator);
            each_found(digits, &[&found, &found.to_uppercase(), &format!("({found})"), &format!("é{found}")]);
            each_missed(
                digits,
                &[
                    &format!("11{separator}{found}"),
                    &format!("{found}{separator}11"),
                    &found[..found.len() - 1],
                    &found.replacen("d", "e", 1).replacen("4", "5", 1),
                ],
            );
        }
    }
    for digits in [&SHA256[..32], THUMBPRINT, SHA256, &SHA256.repeat(2)] {
        let upper = digits.to_uppercase();
        each_found(digits, &[&format!("0x{digits}"), &format!("h=0X{upper};"), &format!("é0x{digits}")]);
        // A word that goes on before it, and a number that does.
        for not in ["x", "10x", "a0x", "0x0", "0x0x"] {
            each_missed(digits, &[&format!("{not}{digits}")]);
        }
    }
    each_found(&pack(&format!("certificate: {THUMBPRINT}")), &[&format!("thumbprint: 0x{THUMBPRINT}")]);
    each_found(THUMBPRINT, &[&format!("it may be {}", pairs(THUMBPRINT, " ")), &format!("адрес{THUMBPRINT}é")]);
    each_missed(THUMBPRINT, &[&pairs(THUMBPRINT, "  "), &pairs(THUMBPRINT, "_")]);
}

#[test]
fn certificates_are_told_by_thumbprint_serial_and_subject() {
    let bare = pack(&format!("certificate: {THUMBPRINT}"));
    let (colons, spaces) = (pairs(THUMBPRINT, ":").to_uppercase(), pairs(THUMBPRINT, " "));
    each_found(
        &bare,
        &[
            THUMBPRINT,
            &colons,
            &spaces,
            "{\"x5t\": \"1LTMzakihiRla_8z2BEJVXeWMqo\"}",
            "kid=1LTMzakihiRla_8z2BEJVXeWMqo;",
            "1LTMzakihiRla/8z2BEJVXeWMqo=",
            "/keys/1LTMzakihiRla_8z2BEJVXeWMqo",
        ],
    );
    each_missed(
        &bare,
        &[
            "1ltmzakihirla_8z2bejvxewmqo",
            "x1LTMzakihiRla_8z2BEJVXeWMqo",
            "1LTMzakihiRla_8z2BEJVXeWMqox",
            "1LTMzakihiRla/8z2BEJVXeWMqo+",
            "D4B4",
        ],
    );
    assert_eq!(kinds(&bare, r#"{"x5t":"1LTMzakihiRla\/8z2BEJVXeWMqo="}"#), ["sighting"]);
    let found = &sightings(&bare, "x 1LTMzakihiRla_8z2BEJVXeWMqo\n")[0];
    assert_eq!(
        (&found["observable"]["type"], &found["observable"]["value"]),
        (&"certificate".into(), &THUMBPRINT.into())
    );
    assert_eq!((&found["matched"], &found["offset"]), (&"1LTMzakihiRla_8z2BEJVXeWMqo".into(), &2.into()));
    each_found(&pack(&format!("certificate: {SHA256}")), &[SHA256, "Q-oCF945Bmo2Fk4hZV6O17LvqmfkFVAzg3raJt9rtZ4"]);
    each_found(&pack("certificate: 1LTMzakihiRla_8z2BEJVXeWMqo"), &[THUMBPRINT]);

    for serial in ["80788D5549DC17AE", "'00:80:78:8D:55:49:DC:17:AE'", "0x80788d5549dc17ae", "9257304431510951854"] {
        let serial = pack(&format!("certificate: {{serial: {serial}}}"));
        each_found(
            &serial,
            &[
                "80788D5549DC17AE",
                "serial=0080788d5549dc17ae,",
                "0x80788D5549DC17AE",
                "80:78:8d:55:49:dc:17:ae",
                "00:80:78:8D:55:49:DC:17:AE",
                "80 78 8d 55 49 dc 17 ae",
                "80-78-8d-55-49-dc-17-ae",
                "serial 9257304431510951854.",
            ],
        );
        each_missed(
            &serial,
            &[
                "180788D5549DC17AE",
                "80788D5549DC17AE1",
                "01:80:78:8d:55:49:dc:17:ae",
                "80:78:8d:55:49:dc:17:ae:01",
                "92573044315109518540",
                "19257304431510951854",
                "9257304431510951854.5",
            ],
        );
    }
    let subject = pack("certificate: {subject: 'CN=Live ID STS Signing Public Key, O=X'}");
    each_found(
        &subject,
        &[
            "CN=Live ID STS Signing Public Key, O=X",
            "cn = live id sts signing public key,o = x",
            "Subject: CN=Live ID STS Signing Public Key,O=X.",
        ],
    );
    each_missed(
        &subject,
        &[
            "CN=Live ID STS Signing Public Key",
            "XCN=Live ID STS Signing Public Key, O=X",
            "CN=Live ID STS Signing Public Key, O=X2",
            "CN=Live ID STS Signing Public Key, O=X.example",
        ],
    );
    // One of several is enough.
    let any = pack(&format!("certificate: {{thumbprint: {SHA256}, serial: [80788D5549DC17AE], subject: CN=a}}"));
    each_found(&any, &["80788D5549DC17AE", SHA256, "CN=a"]);
}

#[test]
fn user_agents_stand_whole() {
    let agent = pack(&format!("user_agent: '{AGENT}'"));
    let plus = AGENT.replace(' ', "+");
    let percent = AGENT.replace(' ', "%20");
    let quoted = format!("10.0.0.1 - - \"GET /a HTTP/1.1\" 200 5 \"-\" \"{AGENT}\"");
    let held = format!("Client=OWA;{AGENT};");
    each_found(&agent, &[AGENT, &plus, &percent, &quoted, &held, &AGENT.to_uppercase()]);
    each_found(&pack(&format!("user_agent: '{plus}'")), &[AGENT, &plus]);
    let edge = format!("{AGENT} Edg/92.0.902.84");
    each_missed(
        &agent,
        &[
            &edge,
            &edge.replace(' ', "+"),
            &edge.replace(' ', "%20"),
            &format!("{AGENT}.1"),
            &format!("x{AGENT}"),
            &AGENT[1..],
        ],
    );
    assert_eq!(kinds(&agent, serde_json::json!({"UserAgent": AGENT}).to_string().replace('/', "\\/")), ["sighting"]);
    let log = format!(
        "#Version: 1.0\n#Fields: date time c-ip cs(User-Agent) sc-status\n2023-06-07 01:02:03 10.0.0.1 {plus} 200\n2023-06-07 01:02:04 10.0.0.1 {} 200\n",
        edge.replace(' ', "+")
    );
    let found = sightings(&agent, &log);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["observable"]["type"], &found[0]["observable"]["value"]),
        (&"user_agent".into(), &AGENT.into())
    );
    assert_eq!(
        (&found[0]["line"], &found[0]["field"], &found[0]["matched"]),
        (&3.into(), &"cs(User-Agent)".into(), &plus.as_str().into())
    );
    assert_eq!(kinds("type,value\nuser_agent,antSword/v2.1\n", "ua antSword/v2.1 x\n"), ["sighting"]);
    assert_eq!(
        kinds(
            &pack("user_agent: 'Client=REST;Client=RESTSystem;;'"),
            r#"{"ClientInfoString":"Client=REST;Client=RESTSystem;;"}"#
        ),
        ["sighting"]
    );
    let window = pack(
        &format!("user_agent: {{value: '{AGENT}', seen: [2023-05-15, 2023-06-25]}}\noutside_seen: low")
            .replace("\noutside_seen: low", ""),
    );
    let found =
        sightings(&window, serde_json::json!({"CreationTime": "2023-07-01T00:00:00Z", "UserAgent": AGENT}).to_string());
    assert_eq!(found[0]["severity"], "medium");
}

#[test]
fn hex_strings_are_found_in_records_and_in_artifacts_as_a_whole() {
    let hex = pack("hex: '{ 4D 5A ?? [2-4] 41 }'");
    each_found(&hex, &["MZabcA", "xMZabcdA"]);
    each_missed(&hex, &["MZabA", "mzabcA", "MZabcdefA"]);
    let found = sightings(&hex, b"\x7f\0\0MZ\0\x01\x02A\0\0");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["observable"]["type"], &found[0]["observable"]["value"]),
        (&"hex".into(), &"{ 4D 5A ?? [2-4] 41 }".into())
    );
    assert_eq!((&found[0]["offset"], &found[0]["record"]), (&3.into(), &serde_json::Value::Null));
    // What a record shows is not told once more of the whole.
    assert_eq!(rows(&hex, "x MZabcA\n"), ["hex:{ 4D 5A ?? [2-4] 41 } sighting r1 l1 @2 message - x1 high"]);
}

#[test]
fn every_spelling_of_defanging_is_a_mention() {
    let list = "type,value\ndomain,evil.example\nip,10.11.12.13\nemail,bob@evil.test\nurl,http://evil.zone/a\n";
    for text in [
        "evil[.]example",
        "evil(.)example",
        "evil{.}example",
        "evil[dot]example",
        "evil(dot)example",
        "evil{DOT}example",
        "evil[ . ]example",
        "evil [.] example",
        "evil (dot) example",
        "hxxp://evil.example",
        "hXXps://u:p@evil.example/x",
        "fxp://evil.example",
        "http[:]//evil.example",
        "hxxp[:]//evil[.]example",
        "http:\\\\evil.example",
        "hxxps:\\\\evil.example",
        "10[.]11[.]12[.]13",
        "10(.)11.12.13",
        "hxxp://10.11.12.13:443",
        "http[://]10.11.12.13",
        "bob[@]evil.test",
        "bob(at)evil.test",
        "bob {at} evil [dot] test",
        "bob[at]evil[.]test",
        "hxxp://evil.zone/a",
        "http[:]//evil.zone/a",
    ] {
        for (setting, evidence) in settings(text) {
            assert_eq!(kinds(list, &evidence), ["mention"], "{setting}: {evidence}");
        }
        assert_eq!(sightings(list, format!("see {text} now\n"))[0]["severity"], "info");
    }
    for (text, expected) in [
        ("evil.example (at) noon", "sighting"),
        ("(at) evil.example", "sighting"),
        ("see evil.example (.) and", "sighting"),
        ("C:\\\\evil.example", "sighting"),
        ("hxxp://good.example/ evil.example", "sighting"),
        ("[evil.example]", "sighting"),
    ] {
        assert_eq!(kinds(list, format!("{text}\n")), [expected], "{text}");
    }
    for not in ["notevil[.]example", "evil[.]examples", "1(.)10.11.12.13", "evil (dot) examples"] {
        assert!(kinds(list, format!("{not}\n")).is_empty(), "{not}");
    }
    let found = &sightings(list, "mail bob (at) evil [dot] test, now\n")[0];
    assert_eq!(found["matched"], "bob (at) evil [dot] test");
    for listed in ["evil(dot)example", "evil [.] example", "hxxp[:]//evil.example/", "evil{.}example"] {
        assert_eq!(kinds(listed, "evil.example\n"), ["sighting"], "{listed}");
    }
}

#[test]
fn a_limit_of_matches_is_a_problem_and_never_silence() {
    let one_line = format!("{}\nlast b\n", "a ".repeat(1_000_000));
    let all = lines(&pack("any:\n  - text: 'a '\n  - text: b"), &one_line);
    let problems: Vec<_> = all.iter().filter(|line| line["type"] == "problem").collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0]["reason"], "limit");
    let detail = problems[0]["detail"].as_str().unwrap();
    assert!(detail.contains("text `a `") && detail.contains("record 1"), "{detail}");
    let found: Vec<_> = all.iter().filter(|line| line["type"] == "sighting").collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((&found[0]["occurrences"], &found[1]["record"]), (&100_000.into(), &2.into()));
    let summary = all.last().unwrap();
    assert_eq!((&summary["complete"], &summary["ledger"]["failed"]), (&false.into(), &1.into()));
    // As many matches in many records meet no limit.
    let lines_of_it = "a a a a a a a a a a \n".repeat(100_000);
    let all = report_of(&pack("text: 'a '"), "x", lines_of_it.as_bytes(), Digest::Off);
    assert!(all.iter().all(|line| line["type"] != "problem"));
    assert_eq!(all.iter().filter(|line| line["type"] == "sighting").count(), 100_000);
}

#[test]
fn a_key_before_an_address_is_a_border_whatever_its_letters() {
    for text in [
        "ip:2001:db8::abcd",
        "ClientIP:2001:db8::abcd",
        "udp:2001:db8::abcd",
        "ip:2001:db8:0:0:0:0:0:abcd",
        "k:2001:DB8::ABCD",
    ] {
        assert_eq!(kinds("2001:db8::abcd", format!("first\nx {text} y\n")), ["sighting"], "{text}");
        assert_eq!(kinds("2001:db8::abcd", format!("{{\"m\":\"{text}\"}}\n")), ["sighting"], "{text}");
    }
    assert_eq!(kinds("10.11.12.13", "first\nx ip:::ffff:a0b:c0d y\n"), ["sighting"]);
    assert!(kinds("::abcd", "first\nstd::abcd\n").is_empty());
}

#[test]
fn a_url_ends_where_letters_without_spaces_begin() {
    let list = "https://bad.example/path/Login";
    assert_eq!(kinds(list, "first\nx https://bad.example/path/Login\u{5f8c}\n"), ["sighting"]);
    assert!(kinds(list, "first\nx https://bad.example/path/Loginé\n").is_empty());
}

#[test]
fn parts_of_an_expression_may_stand_far_apart() {
    let far = pack("regex: 'abcd.*wxyz'");
    let near_miss = pack("regex: '^abcd.*wxyz$'");
    for distance in [10, 4_000, 5_000, 100_000] {
        let text = format!("abcd{}wxyz", "-".repeat(distance));
        assert_eq!(kinds(&far, format!("first\nx {text} y\n")), ["sighting"], "{distance}");
        assert_eq!(kinds(&near_miss, format!("first\n{text}\n")), ["sighting"], "{distance}");
        assert!(kinds(&near_miss, format!("first\nx {text}\n")).is_empty(), "{distance}");
    }
    assert!(kinds(&far, "abcd\nwxyz\n").is_empty());
}

#[test]
fn a_record_that_is_searched_in_parts_is_told() {
    let long = format!("first\n{} evil.example\n", "word ".repeat(4 << 20));
    let all = lines("evil.example", &long);
    let of = |kind: &str| all.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((of("sighting"), of("problem")), (1, 1));
    assert!(all.iter().any(|line| line["type"] == "problem" && line["reason"] == "limit"));
}
