//! Known values in random surroundings: found wherever their borders hold, however the record is written, and nowhere
//! else; and the fast path says what a slow, obvious search says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};
use stormglass::budget::Limits;
use stormglass::finding::Sighting;
use stormglass::observable::decoding::json_escapes;
use stormglass::pack::load;
use stormglass::scan::{Digest, Plan, Ruleset, Watch, evidence_of, scan};

const LIST: &str = "10.11.12.13\n2001:db8::abcd\nevil.example\nbob@wicked.example\nhttps://bad.example/a/b\n\
                    d4b4cccda9228624656bff33d8110955779632aa\n";

/// The values of [`LIST`] as reports name them, each with spellings that evidence may use.
const ATOMS: &[(&str, &[&str])] = &[
    ("10.11.12.13", &["10.11.12.13", "::ffff:10.11.12.13", "010.011.012.013", "10.11.12.13:443", "[10.11.12.13]:1"]),
    ("2001:db8::abcd", &["2001:db8::abcd", "2001:DB8:0::abcd", "[2001:db8::abcd]:443", "2001:db8:0:0:0:0:0:abcd"]),
    (
        "evil.example",
        &[
            "evil.example",
            "EVIL.Example",
            "a.b-c.evil.example",
            "https://evil.example:8443/x",
            "evil。example",
            "a．evil｡EXAMPLE",
        ],
    ),
    ("bob@wicked.example", &["bob@wicked.example", "Bob@WICKED.example", "mailto:bob@wicked.example"]),
    ("bad.example/a/b", &["https://bad.example/a/b", "HTTP://bad.example:80/a/b/c", "bad.example/a/b?q=1"]),
    (
        "d4b4cccda9228624656bff33d8110955779632aa",
        &[
            "d4b4cccda9228624656bff33d8110955779632aa",
            "D4B4CCCDA9228624656BFF33D8110955779632AA",
            "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA",
            "d4 b4 cc cd a9 22 86 24 65 6b ff 33 d8 11 09 55 77 96 32 aa",
            "d4-b4-cc-cd-a9-22-86-24-65-6b-ff-33-d8-11-09-55-77-96-32-aa",
        ],
    ),
];

/// What may stand on either side of a value of any kind.
const BORDERS: &[&str] = &[
    "", " ", "\n", "\t", "\r\n", "\"", "(", ")", "<", ">", ",", ";", "\u{201c}", "\u{201d}", "\u{a0}", "：", "，",
    "“x” ",
];

/// What makes a value a part of something longer, before it and behind it.
const TIES: &[(&str, &str)] =
    &[("x", ""), ("9", ""), ("n", ""), ("", "x"), ("", "9"), ("x", "9"), ("１", ""), ("", "１")];

/// The plain spelling of each value, without what reports or ports put beside it.
const BARE: &[&str] = &[
    "10.11.12.13",
    "2001:db8::abcd",
    "evil.example",
    "bob@wicked.example",
    "bad.example/a/b",
    "d4b4cccda9228624656bff33d8110955779632aa",
];

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0x0558),
        ..Config::default()
    }
}

static RULESET: LazyLock<Ruleset> = LazyLock::new(|| compile(LIST));

fn compile(list: &str) -> Ruleset {
    let pack = load("list", list.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    Ruleset::compile(vec![pack]).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn search(ruleset: &Ruleset, evidence: &[u8]) -> Vec<Sighting> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), evidence).unwrap();
    let paths = vec![PathBuf::from(file.path())];
    let plan = Plan { paths, limits: Limits::default(), threads: Some(1), digest: Digest::Off };
    let (items, _) = evidence_of(&plan).unwrap();
    let report = scan(&plan, items, ruleset, &Watch::default()).unwrap();
    assert!(report.problems.iter().all(|problem| problem.unwrap().reason != stormglass::problem::Reason::Panic));
    report.sightings.iter().map(Result::unwrap).collect()
}

fn values(evidence: &[u8]) -> BTreeSet<(u64, String)> {
    let found = search(&RULESET, evidence).into_iter();
    found.map(|sighting| (sighting.record.unwrap_or(0), sighting.observable.value)).collect()
}

/// Writes a JSON string in which each character may stand as an escape; `choices` picks, in turn.
fn json_string(text: &str, choices: &[u8]) -> String {
    let mut choice = choices.iter().copied().cycle();
    let mut out = String::from("\"");
    for c in text.chars() {
        let short = match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            _ => None,
        };
        let must = c < ' ' || matches!(c, '"' | '\\');
        match (choice.next().unwrap_or(0) % 16, short) {
            (0, _) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            }
            (1..=8, Some(short)) => out.push_str(short),
            (_, Some(short)) if must => out.push_str(short),
            _ if must => write!(out, "\\u{:04X}", u32::from(c)).unwrap(),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn percent(text: &str, choices: &[u8]) -> String {
    let mut choice = choices.iter().copied().cycle();
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() && choice.next().unwrap_or(0) % 4 > 0 {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}

/// How the record with the value is written into evidence of three records.
#[derive(Clone, Copy, Debug)]
enum Setting {
    Plain,
    PlainUtf16,
    Json,
    JsonInJson,
    Csv,
    JsonInCsv,
    Percent,
}

const SETTINGS: [Setting; 7] = [
    Setting::Plain,
    Setting::PlainUtf16,
    Setting::Json,
    Setting::JsonInJson,
    Setting::Csv,
    Setting::JsonInCsv,
    Setting::Percent,
];

fn evidence(setting: Setting, text: &str, choices: &[u8]) -> Vec<u8> {
    // A line ends where a text has a line end, and a value that stands alone on a line is a record of its own.
    let line = text.replace(['\n', '\r'], " ");
    let object = |text: &str| format!("{{\"Operation\":\"Send\",\"Note\":{}}}", json_string(text, choices));
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    match setting {
        Setting::Plain => format!("first line of a log\nthe {line} \nlast line\n").into_bytes(),
        Setting::PlainUtf16 => {
            let text = format!("\u{feff}first line of a log\r\nthe {line} \r\nlast line\r\n");
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Setting::Json => format!("{{\"a\":1}}\n{}\n{{\"a\":2}}\n", object(text)).into_bytes(),
        Setting::JsonInJson => format!("{{\"a\":1}}\n{}\n{{\"a\":2}}\n", object(&object(text))).into_bytes(),
        Setting::Csv => {
            format!("CreationDate,Operation,Note\n1,2,3\n2023-06-01,Send,{}\n1,2,3\n", cell(text)).into_bytes()
        }
        Setting::JsonInCsv => {
            format!("CreationDate,AuditData\n1,{{}}\n2023-06-01,{}\n1,{{}}\n", cell(&object(text))).into_bytes()
        }
        Setting::Percent => {
            format!("first line\nGET /?q={} HTTP/1.1\nlast line\n", percent(text, choices)).into_bytes()
        }
    }
}

/// Words that hold no value of the list, nor end in what would go on with one.
fn words() -> impl Strategy<Value = String> {
    vec(
        prop::sample::select(vec![
            "alpha",
            "10.11.12.1",
            "notevil.example",
            "x=1",
            "beta, ",
            "日本",
            "C:\\new",
            "ü",
            "50%",
            "&amp; ",
        ]),
        0..4,
    )
    .prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn a_value_between_borders_is_found_however_it_is_written(
        atom in prop::sample::select(ATOMS),
        spelling in any::<prop::sample::Index>(),
        setting in prop::sample::select(SETTINGS.to_vec()),
        (before, behind) in (prop::sample::select(BORDERS), prop::sample::select(BORDERS)),
        (head, tail) in (words(), words()),
        choices in vec(any::<u8>(), 1..40),
    ) {
        let (value, spellings) = atom;
        let spelling = spellings[spelling.index(spellings.len())];
        // Words end at spaces; a border may be empty only where the text begins or ends.
        let head = if head.is_empty() { head } else { format!("{head} ") };
        let tail = if tail.is_empty() { tail } else { format!(" {tail}") };
        let text = format!("{head}{before}{spelling}{behind}{tail}");
        let evidence = evidence(setting, &text, &choices);
        let found = values(&evidence);
        prop_assert!(found.contains(&(2, value.to_owned())), "{value} in {}: {found:?}", String::from_utf8_lossy(&evidence));
        prop_assert!(found.iter().all(|(record, other)| *record == 2 && other == value), "{found:?} in {}", String::from_utf8_lossy(&evidence));
    }

    #[test]
    fn a_value_tied_to_more_is_not_found(
        bare in prop::sample::select(BARE),
        (before, behind) in prop::sample::select(TIES),
        setting in prop::sample::select(SETTINGS.to_vec()),
        choices in vec(any::<u8>(), 1..40),
    ) {
        // A sub-domain's URL is another URL, and a word before a path's host another host.
        let text = format!("alpha {before}{bare}{behind} omega");
        let evidence = evidence(setting, &text, &choices);
        let found = values(&evidence);
        prop_assert!(found.is_empty(), "{found:?} in {}", String::from_utf8_lossy(&evidence));
    }
}

/// The slow, obvious search: every string of a JSON record, cut at whatever no token holds.
fn reference(line: &str) -> BTreeSet<String> {
    fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => out.push(text.clone()),
            serde_json::Value::Array(list) => list.iter().for_each(|one| strings(one, out)),
            serde_json::Value::Object(map) => map.values().for_each(|one| strings(one, out)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    strings(&serde_json::from_str(line).unwrap(), &mut texts);
    // A string may hold the text of another JSON string, as syslog carries it.
    let inner: Vec<String> = texts.iter().filter_map(|text| json_escapes(text)).collect();
    texts.extend(inner);
    let mut found = BTreeSet::new();
    for text in &texts {
        for token in text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))) {
            let token = token.trim_matches(|c| matches!(c, '.' | '-' | '_')).to_lowercase();
            if token == "evil.example" || token.ends_with(".evil.example") {
                found.insert("evil.example".to_owned());
            }
            if token.split(['-', '_']).any(|part| part.trim_matches('.') == "10.11.12.13") {
                found.insert("10.11.12.13".to_owned());
            }
            if token.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == ATOMS.last().unwrap().0) {
                found.insert(ATOMS.last().unwrap().0.to_owned());
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(config(700))]

    #[test]
    fn the_screen_hides_nothing_that_a_plain_search_finds(
        records in vec(vec((vec(prop::sample::select(vec![
            "evil", ".", "example", "10.11.12.13", "10", "n", "\n", "\t", "\\", "/", " ", "-", "_", "x", "\u{8}", "\u{c}", "\"",
            "evil.example", ":", "[", "d4b4cccda9228624656bff33d8110955779632aa", ",", ";", "@",
        ]), 0..8), vec(any::<u8>(), 1..20)), 1..4), 1..6),
    ) {
        let line = |fields: &Vec<(Vec<&str>, Vec<u8>)>| {
            let fields = fields.iter().enumerate();
            let fields: Vec<String> = fields.map(|(n, (parts, choices))| format!("\"f{n}\":{}", json_string(&parts.concat(), choices))).collect();
            format!("{{{}}}", fields.join(","))
        };
        let lines: Vec<String> = records.iter().map(line).collect();
        let expected: BTreeSet<(u64, String)> =
            (1..).zip(&lines).flat_map(|(number, line)| reference(line).into_iter().map(move |value| (number, value))).collect();
        let wanted = |value: &str| [ATOMS[0].0, ATOMS[2].0, ATOMS[5].0].contains(&value);
        let evidence = format!("{}\n", lines.join("\n"));
        let found: BTreeSet<(u64, String)> = search(&RULESET, evidence.as_bytes())
            .into_iter()
            .filter(|s| s.kind == stormglass::finding::SightingKind::Sighting)
            .map(|s| (s.record.unwrap_or(0), s.observable.value))
            .filter(|(_, value)| wanted(value))
            .collect();
        prop_assert_eq!(&found, &expected, "{}", evidence);
    }

    #[test]
    fn a_text_and_an_expression_are_found_in_whatever_record_holds_them(
        setting in prop::sample::select(vec![Setting::Plain, Setting::Json, Setting::JsonInJson, Setting::Csv, Setting::JsonInCsv]),
        (head, tail) in (words(), words()),
        choices in vec(any::<u8>(), 1..40),
    ) {
        let evidence = evidence(setting, &format!("{head} say \"A/b\\c\" now;sid=77{tail}"), &choices);
        let found = search(&PATTERNS, &evidence);
        let kinds: Vec<&str> = found.iter().map(|s| s.observable.kind.as_str()).collect();
        prop_assert_eq!(kinds, ["text", "regex"], "{}", String::from_utf8_lossy(&evidence));
        prop_assert!(found.iter().all(|s| s.record == Some(2)));
    }
}

static PATTERNS: LazyLock<Ruleset> = LazyLock::new(|| {
    let indicator = |id: &str, matches: &str| {
        format!("  - {{id: {id}, severity: low, source: s, examples: {{hit: [a], miss: [b]}}, match: {{{matches}}}}}\n")
    };
    compile(&format!(
        "format: stormglass/1\nindicators:\n{}{}",
        indicator("a", r#"text: 'SAY "a/b\c"'"#),
        indicator("b", r"regex: '(^|;)sid=[0-9]+'")
    ))
});

/// One of every kind, so that every path is taken.
static EVERYTHING: LazyLock<Ruleset> = LazyLock::new(|| {
    compile(
        "format: stormglass/1\nindicators:\n  - id: t\n    severity: low\n    source: s\n    examples: {hit: [a], miss: [b]}\n    match:\n      any:\n\
         \x20       - ip: ['10.11.12.0/24', '2001:db8::/32']\n        - domain: evil.example\n        - url: 'http://bad.example/a'\n\
         \x20       - email: bob@wicked.example\n        - hash: d41d8cd98f00b204e9800998ecf8427e\n        - text: ['ü', 'a\"b']\n\
         \x20       - regex: ['(^|;)x$', '\\w+@\\w+']\n        - yara: 'rule r { strings: $a = \"zz\" condition: $a }'\n\
         \x20       - certificate: {thumbprint: 1LTMzakihiRla/8z2BEJVXeWMqo=, serial: 80788D5549DC17AE, subject: CN=a}\n\
         \x20       - user_agent: Mozilla/5.0 (X11)\n        - hex: 7A 7A ?? 7A\n        - hash: d4b4cccda9228624656bff33d8110955779632aa\n\
         \x20       - domain: ['*.münchen.example', 例え.example]\n\
         \x20       - record: {Operation|contains: Send, Other|not: x}\n",
    )
});

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn no_bytes_make_it_panic(
        parts in vec(prop_oneof![
            vec(any::<u8>(), 0..20),
            prop::sample::select(vec![
                "{\"a\":\"", "\\u00", "\\ud83d", "%2", "%E2%80", "&#x", "&#46;", "[.]", "hxxp", "[@]", "evil", ".example", "bob@wicked.example",
                "10.11.12.13", "2001:db8::1", "::ffff:", "http://bad.example/a", "\n", "\",\"", "\"\"", "a,b,c\n", "#Fields: a b\n", "From: x\n\n",
                "From a@b Thu Jun  1 00:00:00 2023\n", "\u{feff}", "“", "例", "é", "MZ", "zz", "=3D", "AA:BB:", "}", "]",
                "(at)", " [dot] ", "{.}", "fxp", "http:\\\\", "。", "．", "３", "ｅ", "münchen", "xn--mnchen-3ya", "d4 b4 cc", "-d4-b4", "80788D5549DC17AE",
                "00:80:78", "0x", "0", "%9]", "CN = a", "Mozilla/5.0+(X11)", " Edg/1", "1LTMzakihiRla_8z2BEJVXeWMqo", "\"bob\"@", "\u{301}",
            ]).prop_map(|text| text.as_bytes().to_vec()),
        ], 0..24),
    ) {
        search(&EVERYTHING, &parts.concat());
    }
}
