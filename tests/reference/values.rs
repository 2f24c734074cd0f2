//! What packs list and evidence holds.

use serde_json::{Value as Json, json};

/// A value of one kind, as a pack lists it and as evidence writes it.
pub struct Value {
    pub kind: &'static str,
    pub listed: &'static str,
    pub spelled: &'static [&'static str],
}

const fn value(kind: &'static str, listed: &'static str, spelled: &'static [&'static str]) -> Value {
    Value { kind, listed, spelled }
}

/// Values that are looked up.
pub const ATOMS: &[Value] = &[
    value(
        "ip",
        "10.11.12.13",
        &["10.11.12.13", "::ffff:10.11.12.13", "010.011.012.013", "10.11.12.13:443", "[::ffff:a0b:c0d]:1"],
    ),
    value("ip", "1.1.1.1", &["1.1.1.1", "001.1.01.1", "::ffff:1.1.1.1"]),
    value("ip", "5.2.69.14", &["5.2.69.14", "15.2.69.14", "5.2.69.145", "1[.]5.2.69.14", "5.2.69.14.7"]),
    value("ip", "198.51.100.0/22", &["198.51.101.200", "198.51.103.255", "198.51.104.0", "198.51.100.0/22"]),
    value("ip", "::ffff:192.0.2.0/120", &["::ffff:192.0.2.9", "192.0.2.9", "::ffff:c000:209"]),
    value(
        "ip",
        "2001:db8::abcd",
        &[
            "2001:db8::abcd",
            "2001:0DB8:0:0:0:0:0:abcd",
            "[2001:db8::abcd]:443",
            "2001:db8::abcd%eth0",
            "2001:db8::abcd.443",
        ],
    ),
    value("ip", "2001:db8:77::/48", &["2001:db8:77::1:2", "2001:db8:77:ffff:ffff:ffff:ffff:ffff", "2001:db8:78::1"]),
    value("ip", "::1", &["::1", "[::1]:80", "0:0:0:0:0:0:0:1"]),
    value(
        "domain",
        "evil.example",
        &[
            "evil.example",
            "a.b-c.EVIL.example",
            "https://evil.example:8443/x",
            "evil。example",
            "notevil.example",
            "evil.example.org",
        ],
    ),
    value("domain", "a.bc", &["a.bc", "x.A.BC", "a.bcd"]),
    value(
        "domain",
        "_dmarc.wicked.example",
        &["_dmarc.wicked.example", "__dmarc.wicked.example", "x._dmarc.wicked.example"],
    ),
    value("domain", "*.star.example", &["x.star.example", "star.example", "*.star.example"]),
    value("domain", "*.lone", &["any.lone", "a.b.lone", "lone"]),
    value("domain", "odd.7up", &["odd.7up", "x.odd.7UP"]),
    value("domain", "münchen.example", &["MÜNCHEN.example", "xn--mnchen-3ya.example", "a.mu\u{308}nchen.example"]),
    value("domain", "例え.example", &["例え.example", "xn--r8jz45g.example", "例え。example"]),
    value("domain", "münchen.example", &["münchen.example"]),
    value(
        "url",
        "https://bad.example/a/b",
        &[
            "https://bad.example/a/b",
            "HTTP://bad.example:80/a%2Fb/c",
            "bad.example/a/b?q=1",
            "bad.example/a/bc",
            "bad.example./a/b",
        ],
    ),
    value("url", "http://192.0.2.77/x", &["192.0.2.77/x", "::ffff:192.0.2.77/x", "http://u:p@192.0.2.77:443/x"]),
    value(
        "url",
        "http://[2001:db8::7]:8080/",
        &["[2001:db8::7]:8080/y", "[2001:db8::7%25eth0]:8080", "[2001:db8::7]/"],
    ),
    value("url", "https://bücher.example/ä", &["https://bücher.example/ä", "xn--bcher-kva.example/%C3%A4"]),
    value(
        "email",
        "bob+tag@wicked.example",
        &["Bob+Tag@wicked.example", "mailto:bob+tag@WICKED.example", "from=bob+tag@wicked.example"],
    ),
    value(
        "email",
        "bob@wicked.example",
        &["bob@wicked.example", "Bob+Tag@wicked.example", "bob@a.wicked.example", "rob.bob@wicked.example"],
    ),
    value("email", "\"bób\"@wicked.example", &["bób@wicked.example", "BÓB@wicked.example"]),
    value("email", "\"a b\"@wicked.example", &["\"a b\"@wicked.example", "a b@wicked.example"]),
    value("email", "eva@münchen.example", &["eva@münchen.example", "eva@xn--mnchen-3ya.example"]),
    value(
        "hash",
        "d41d8cd98f00b204e9800998ecf8427e",
        &["d41d8cd98f00b204e9800998ecf8427e", "0xD41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427"],
    ),
    value(
        "hash",
        "d4b4cccda9228624656bff33d8110955779632aa",
        &[
            "d4b4cccda9228624656bff33d8110955779632aa",
            "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA",
            "d4 b4 cc cd a9 22 86 24 65 6b ff 33 d8 11 09 55 77 96 32 aa",
            "d4-b4-cc-cd-a9-22-86-24-65-6b-ff-33-d8-11-09-55-77-96-32-aa",
        ],
    ),
    value(
        "hash",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        &[
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550",
        ],
    ),
];

/// What yara-x looks for: rulesets with these are compiled once.
pub const PATTERNS: &[Value] = &[
    value(
        "certificate",
        "f4b4cccda9228624656bff33d8110955779632aa",
        &["f4b4cccda9228624656bff33d8110955779632aa", "9LTMzakihiRla_8z2BEJVXeWMqo", "9LTMzakihiRla/8z2BEJVXeWMqo="],
    ),
    value(
        "user_agent",
        "Mozilla/5.0 (X11) Evil/1.2",
        &[
            "Mozilla/5.0 (X11) Evil/1.2",
            "mozilla/5.0+(X11)+Evil/1.2",
            "Mozilla/5.0 (X11) Evil/1.23",
            "Mozilla/5.0 (X11) Evil/1.2 Edg/3",
        ],
    ),
    value(
        "text",
        "Client=REST;Client=RESTSystem;;",
        &["Client=REST;Client=RESTSystem;;", "client=rest;client=restsystem;;x"],
    ),
    value("text", "say \"A/b\\c\" now", &["say \"A/b\\c\" now", "SAY \"a/B\\C\" NOW", "say \"A/b c\" now"]),
    value("text", "grün", &["grün", "GRÜN", "grun"]),
    value("word", "panel", &["panel", "PANEL", "panels", "épanel", "日panel本", "x panel y"]),
    value("case", "GetFolder", &["GetFolder", "getfolder", "xGetFolderx"]),
    value("regex", r"POST /ecp/\w\.js", &["POST /ecp/y.js", "POST /ecp/yy.js", "post /ecp/y.js"]),
    value("regex", "(^|;)sid=[0-9]+$", &["sid=77", "a;sid=77", "a;sid=77x"]),
    value("regex", "(?i)set-mailbox.{1,20}smtp", &["Set-Mailbox bob -smtp", "SET-MAILBOX\tx\"smtp"]),
];

/// Tests of fields, as JSON.
pub const RECORDS: &[&str] = &[
    r#"{"Operation": "MailItemsAccessed"}"#,
    r#"{"Operation": ["Send", "Update"], "Size": 50}"#,
    r#"{"Operation|contains|all": ["Mail", "Access"]}"#,
    r#"{"Operation|startswith": "mail", "AppId|not": "x/y"}"#,
    r#"{"AppId": null, "Operation": "Send"}"#,
    r#"{"source.ip": "192.0.2.0/24"}"#,
    r#"{"Note|contains": "evil.example"}"#,
    r#"{"Note|endswith": "\"ü"}"#,
    r#"{"Props.MailAccessType": "Sync"}"#,
];

/// Values of fields that these tests ask for, and near misses.
pub const FIELDS: &[(&str, &[&str])] = &[
    ("Operation", &["MailItemsAccessed", "MAILITEMSACCESSED", "Send", "Update", "Mail Access", "None"]),
    ("Size", &["50", "50.0", "500"]),
    ("AppId", &["x/y", "", "other"]),
    ("ClientIP", &["192.0.2.7", "[::ffff:192.0.2.7]:443", "192.0.3.7"]),
];

/// What may stand beside a value.
pub const JOINTS: &[&str] = &[
    "",
    " ",
    " ",
    " ",
    "\"",
    "\n",
    "\t",
    "\u{8}",
    "\u{c}",
    "\\",
    "/",
    "=",
    ":",
    ".",
    "-",
    "_",
    ",",
    "@",
    "<",
    ">",
    "(",
    ")",
    "[",
    "]",
    "x",
    "9",
    "ü",
    "é",
    "日",
    "。",
    "１",
    "\u{200b}",
    "“",
    "\u{a0}",
    "%",
    "&",
    "+",
    "''",
    ";",
    "|",
    "..",
    "a",
    "face ",
    "be ",
    " ad",
    "SHA1:",
    "ip6:",
    "source:",
    "#",
    "0x",
    "\\n",
    "\\\\",
    "--",
    "._-",
    "\u{301}",
    "id=",
    "fp:",
    "cd:",
    "p443",
    "2023-06-01 ",
    " 11:22",
    "\r\n",
    "n",
    "f",
    "\u{3000}",
];

/// Returns the test of a pack that looks for a value.
pub fn leaf(value: &Value) -> Json {
    match value.kind {
        "word" => json!({"text": {"value": value.listed, "borders": "word"}}),
        "case" => json!({"text": {"value": value.listed, "case": "sensitive"}}),
        kind => json!({kind: value.listed}),
    }
}
