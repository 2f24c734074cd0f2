//! The fast matcher finds what the slow, obvious one finds: generated packs over generated records.
//!
//! `STORMGLASS_CASES=100000` runs more cases, each time others.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    reason = "a test says what is wrong by panicking"
)]

use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};
use serde_json::{Value as Json, json};
use stormglass::observable::candidates::Level;

#[path = "reference/compare.rs"]
mod compare;
#[path = "reference/encode.rs"]
mod encode;
#[path = "reference/values.rs"]
mod values;

use compare::{Both, written};
use encode::{WAYS, base64_of, encode};
use values::{ATOMS, FIELDS, JOINTS, PATTERNS, RECORDS, Value, leaf};

fn config(cases: u32) -> Config {
    let wanted = std::env::var("STORMGLASS_CASES").ok().and_then(|count| count.parse().ok());
    Config {
        cases: wanted.unwrap_or(cases),
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: if wanted.is_some() { RngSeed::Random } else { RngSeed::Fixed(0x0558) },
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    }
}

// Packs.

/// One test of a pack: how it combines which values and which test of fields.
type Choice = (u8, Index, Index, Index);

fn test(values: &[&Value], (shape, one, other, record): &Choice) -> Json {
    let (one, other) = (values[one.index(values.len())], values[other.index(values.len())]);
    let record =
        || -> Json { json!({"record": serde_json::from_str::<Json>(RECORDS[record.index(RECORDS.len())]).unwrap()}) };
    let is_windowed = matches!(one.kind, "ip" | "domain" | "url" | "email" | "hash");
    match shape % 16 {
        0 => json!({"all": [leaf(one), leaf(other)]}),
        1 => json!({"any": [leaf(one), leaf(other)]}),
        2 => json!({"all": [leaf(one), {"not": leaf(other)}]}),
        3 => record(),
        4 => json!({"all": [leaf(one), record()]}),
        5 => json!({"all": [leaf(one), {"not": record()}]}),
        6 => json!({"any": [{"all": [leaf(one), leaf(other)]}, record()]}),
        7 if is_windowed => json!({one.kind: [
            {"value": one.listed, "seen": ["2023-05-15", "2023-05-15"]},
            {"value": one.listed, "seen": ["2023-06-01", "2023-06-01"]},
        ]}),
        8 if is_windowed && one.kind == other.kind => json!({one.kind: [one.listed, other.listed]}),
        _ => leaf(one),
    }
}

fn pack(values: &[&Value], choices: &[Choice]) -> String {
    written(&choices.iter().map(|choice| test(values, choice)).collect::<Vec<_>>())
}

/// Packs with patterns, which take long to compile; each holds one kind of pattern, and the last all of them.
static WITH_PATTERNS: LazyLock<Vec<Both>> = LazyLock::new(|| {
    let of = |values: Vec<&Value>, extra: &[Json]| {
        let mut indicators: Vec<Json> = values.iter().map(|value| leaf(value)).collect();
        indicators.extend(
            ATOMS
                .iter()
                .filter(|atom| atom.kind != "hash")
                .take(12)
                .map(|atom| json!({"all": [leaf(atom), leaf(values[0])]})),
        );
        indicators.push(json!({"all": [leaf(values[0]), {"record": {"Operation": "Send"}}]}));
        indicators.push(json!({"all": [leaf(&ATOMS[8]), {"not": leaf(values[0])}]}));
        indicators.extend_from_slice(extra);
        Both::of(&written(&indicators))
    };
    let yara = json!({"yara": "rule two { strings: $a = \"evil\" $b = \"panel\" condition: all of them }"});
    let hex = json!({"hex": "65 76 69 6C 2E ?? 78"});
    let mut all: Vec<Both> = PATTERNS.iter().map(|value| of(vec![value], &[])).collect();
    all.push(of(vec![&PATTERNS[5]], std::slice::from_ref(&hex)));
    all.push(of(PATTERNS.iter().collect(), &[yara, hex]));
    all
});

// Evidence.

/// A piece of a text: which value, what stands on either side, and the ways in which all of it is encoded.
fn piece() -> impl Strategy<Value = String> {
    let value = select((0..ATOMS.len() + PATTERNS.len()).collect::<Vec<_>>());
    let spelled = (value, any::<Index>()).prop_map(|(value, spelling)| {
        let value = ATOMS.iter().chain(PATTERNS).nth(value).unwrap();
        value.spelled[spelling.index(value.spelled.len())].to_owned()
    });
    let word = prop_oneof![
        8 => spelled,
        3 => select(JOINTS).prop_map(str::to_owned),
        1 => (select(JOINTS), 1..300_usize).prop_map(|(joint, count)| joint.repeat(count)),
        1 => "[ -~]{0,12}",
    ];
    let ways = prop_oneof![3 => Just(Vec::new()), 2 => vec(0..WAYS, 1..4)];
    (select(JOINTS), word, select(JOINTS), ways).prop_map(|(before, word, behind, ways)| {
        ways.iter().fold(format!("{before}{word}{behind}"), |text, way| encode(&text, *way))
    })
}

#[derive(Clone, Debug)]
struct Record {
    text: String,
    fields: Vec<(&'static str, &'static str)>,
    choices: Vec<u8>,
}

fn record() -> impl Strategy<Value = Record> {
    let lead = prop_oneof![4 => Just(0), 2 => 0..130_usize, 1 => 1_900..2_200_usize];
    let text = (vec(piece(), 0..4), select(JOINTS), lead)
        .prop_map(|(pieces, joint, lead)| format!("{}{}", "~".repeat(lead), pieces.join(joint)));
    let field = select(FIELDS).prop_flat_map(|(name, values)| select(values).prop_map(move |value| (name, value)));
    (text, vec(field, 0..3), vec(any::<u8>(), 1..12)).prop_map(|(text, fields, choices)| Record {
        text,
        fields,
        choices,
    })
}

/// How records are written.
#[derive(Clone, Copy, Debug)]
enum Format {
    Lines,
    LinesUtf16,
    Json,
    JsonArray,
    JsonInJson,
    Csv,
    JsonInCsv,
    W3c,
    Mail,
    MailBase64,
}

const FORMATS: [Format; 10] = [
    Format::Lines,
    Format::LinesUtf16,
    Format::Json,
    Format::JsonArray,
    Format::JsonInJson,
    Format::Csv,
    Format::JsonInCsv,
    Format::W3c,
    Format::Mail,
    Format::MailBase64,
];

/// Writes a JSON string in which each character may stand as an escape; `choices` picks, in turn.
fn json_string(text: &str, choices: &[u8]) -> String {
    let mut choice = choices.iter().copied().cycle();
    let mut out = String::from("\"");
    for c in text.chars() {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '/' => "\\/",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            _ => "",
        };
        let must = c < ' ' || matches!(c, '"' | '\\');
        match choice.next().unwrap_or(0) % 16 {
            0 => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(out, "\\u{unit:04x}").unwrap()),
            choice if !short.is_empty() && (must || choice < 9) => out.push_str(short),
            _ if must => write!(out, "\\u{:04X}", u32::from(c)).unwrap(),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn object(Record { text, fields, choices }: &Record) -> String {
    let mut out = String::from("{\"CreationTime\":\"2023-06-01T10:00:00Z\"");
    for (name, value) in fields {
        write!(out, ",\"{name}\":{}", json_string(value, choices)).unwrap();
    }
    if choices.len() > 8 {
        out.push_str(",\"Props\":[{\"Name\":\"MailAccessType\",\"Value\":\"Sync\"}]");
    }
    write!(out, ",\"Note\":{}}}", json_string(text, choices)).unwrap();
    out
}

fn cell(text: &str, is_quoted: bool) -> String {
    let must = text.contains(['"', ',', '\n', '\r']) || is_quoted;
    if must { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn evidence(format: Format, records: &[Record]) -> Vec<u8> {
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    let of = |record: &Record, name: &str| {
        record.fields.iter().find(|(have, _)| *have == name).map_or("", |(_, value)| *value)
    };
    let lines =
        |written: &dyn Fn(&Record) -> String| records.iter().map(|record| written(record) + "\n").collect::<String>();
    let json = |written: String| format!("{{\"a\":1}}\n{written}{{\"a\":2}}\n").into_bytes();
    match format {
        Format::Lines => {
            format!("first line of a log\n{}", lines(&|record| format!("the {}", line(&record.text)))).into_bytes()
        }
        Format::LinesUtf16 => {
            let text = format!("\u{feff}first line of a log\r\n{}", lines(&|record| line(&record.text)));
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Format::Json => json(lines(&object)),
        Format::JsonArray => {
            format!("[{{\"a\":1}}\n,{}{{}}]", records.iter().map(|record| object(record) + ",").collect::<String>())
                .into_bytes()
        }
        Format::JsonInJson => {
            json(lines(&|record| format!("{{\"AuditData\":{}}}", json_string(&object(record), &record.choices))))
        }
        Format::Csv => {
            let row = |record: &Record| {
                let fields =
                    ["Operation", "Size", "AppId", "ClientIP"].map(|name| cell(of(record, name), false)).join(",");
                format!("2023-06-01,{fields},{}", cell(&record.text, record.choices.len() > 4))
            };
            format!("CreationDate,Operation,Size,AppId,ClientIP,Note\n{}", lines(&row)).into_bytes()
        }
        Format::JsonInCsv => {
            format!("CreationDate,AuditData\n{}", lines(&|record| format!("1,{}", cell(&object(record), true))))
                .into_bytes()
        }
        Format::W3c => {
            let plus = |text: &str| {
                if text.is_empty() { "-".to_owned() } else { line(text).replace([' ', '\t'], "+") }
            };
            let row = |record: &Record| {
                format!("2023-06-01 10:00:00 {} {} 200", plus(of(record, "ClientIP")), plus(&record.text))
            };
            format!("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2023-06-01 10:00:00\n#Fields: date time c-ip cs(User-Agent) sc-status\n{}", lines(&row)).into_bytes()
        }
        Format::Mail | Format::MailBase64 => {
            let first = records.first().map_or("", |record| record.text.as_str());
            let body = lines(&|record| record.text.clone());
            let is_plain = matches!(format, Format::Mail);
            let body = if is_plain { body } else { base64_of(body.as_bytes(), false, "=") };
            let encoding = if is_plain { "8bit" } else { "base64" };
            format!(
                "From: Bob <bob@wicked.example>\r\nTo: a@b.example\r\nSubject: {}\r\nDate: Thu, 1 Jun 2023 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}",
                line(first)
            )
            .into_bytes()
        }
    }
}

#[test]
fn values_are_looked_up_as_by_a_slow_search() {
    let choice = || (any::<u8>(), any::<Index>(), any::<Index>(), any::<Index>());
    let choices = prop_oneof![1 => vec(choice(), 1..2), 2 => vec(choice(), 2..12)];
    let values: Vec<&Value> = ATOMS.iter().collect();
    let (format, level) = (select(FORMATS.to_vec()), select(Level::all()));
    proptest!(config(2_500), |(choices in choices, records in vec(record(), 1..4), format in format, level in level)| {
        let mut both = Both::of(&pack(&values, &choices));
        both.set_level(level);
        let evidence = evidence(format, &records);
        if let Err(what) = both.compare(&evidence) {
            prop_assert!(false, "{} {}\n{what}\nin {}", level.name(), pack(&values, &choices), String::from_utf8_lossy(&evidence));
        }
    });
}

#[test]
fn patterns_are_found_as_by_a_slow_search() {
    let which = any::<Index>();
    proptest!(config(600), |(which in which, records in vec(record(), 1..4), format in select(FORMATS.to_vec()))| {
        let number = which.index(WITH_PATTERNS.len());
        let evidence = evidence(format, &records);
        if let Err(what) = WITH_PATTERNS[number].compare(&evidence) {
            prop_assert!(false, "{number} {what}\nin {}", String::from_utf8_lossy(&evidence));
        }
    });
}

#[test]
fn generated_evidence_holds_what_generated_packs_list() {
    let values: Vec<&Value> = ATOMS.iter().collect();
    let each: Vec<Json> = values.iter().map(|value| leaf(value)).collect();
    let both = Both::of(&written(&each));
    for format in FORMATS {
        let mut found = 0;
        for value in &values {
            let text = format!("see {} now", value.spelled[0]);
            let record = Record { text, fields: Vec::new(), choices: vec![15] };
            found += both.compare(&evidence(format, &[record])).unwrap_or_else(|what| panic!("{what}"));
        }
        assert!(found >= values.len() - 3, "{format:?}: {found} of {}", values.len());
    }
}

#[test]
fn every_record_of_an_array_is_asked_where_nothing_tells_in_its_bytes() {
    let both = Both::of(&written(&[json!({"record": {"A|not": "x"}})]));
    for (evidence, wanted) in [
        (r#"[{"B":1}, {"B":2},  {"B":3}]"#, 3),
        ("[\n  {\"B\":1}\n  , {\"A\":\"x\"} , {\"B\":2}\n]\n", 2),
        ("{\"B\":1}{\"B\":2} {\"B\":3}", 3),
        ("{\"B\":1}\r\n\r\n\n{\"B\":2}", 2),
    ] {
        assert_eq!(both.compare(evidence.as_bytes()), Ok(wanted), "{evidence}");
    }
}

/// What some screen did not see once: the test of a pack, and evidence with one thing to find.
const ONCE_DROPPED: &[(&str, &str)] = &[
    (r#"{"text": {"value": "panel", "borders": "word"}}"#, r#"{"Note":"\npanel"}"#),
    (r#"{"user_agent": "Mozilla/5.0 (X11)"}"#, r#"{"Note":"Mozilla\/5.0 (X11)"}"#),
    (r#"{"user_agent": "Mozilla/5.0 (X11)"}"#, r#"{"A":1,"AuditData":"{\"Note\":\"Mozilla\\/5.0 (X11)\"}"}"#),
    (
        r#"{"certificate": {"subject": "CN=\"a/b\", O=c"}}"#,
        r#"{"A":1,"AuditData":"{\"Note\":\"CN=\\\"a\\/b\\\", O=c\"}"}"#,
    ),
    (
        r#"{"certificate": {"subject": "CN=\"a/b\", O=c"}}"#,
        "A,B\n1,\"{\"\"Note\"\":\"\"CN=\\\"\"a\\/b\\\"\", O=c\"\"}\"\n",
    ),
    (r#"{"certificate": "f4b4cccda9228624656bff33d8110955779632aa"}"#, "x f4b4cccda9228624656bff33d8110955779632aa y"),
    (r#"{"ip": "2001:db8::abcd"}"#, r#"{"Note":"DOMAIN\\2001:db8:0:0:0:0:0:abcd"}"#),
    (r#"{"domain": "_dmarc.evil.example"}"#, "see --_dmarc.evil.example"),
    (r#"{"domain": "*.evil.example"}"#, "see x.evil.example"),
    (r#"{"domain": "*.evil"}"#, "see x.evil"),
    (r#"{"domain": "evil.7up"}"#, "see x.evil.7up"),
    (r#"{"hash": "d41d8cd98f00b204e9800998ecf8427e"}"#, "fp:D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E."),
    (
        r#"{"ip": "10.11.12.13"}"#,
        "0x31,0x00,0x30,0x00,0x2e,0x00,0x31,0x00,0x31,0x00,0x2e,0x00,0x31,0x00,0x32,0x00,0x2e,0x00,0x31,0x00,0x33,0x00",
    ),
    (r#"{"domain": "*.lone"}"#, r#"{"Note":"w7xhbnkubG9uZVw\/be"}"#),
    (r#"{"ip": "10.11.12.13"}"#, "YVx1MDA1Y1x1MDA1Y24\nJTEwLjExLjEyLjEz"),
    (r#"{"domain": "evil.bc"}"#, r#"{"Note":"x\n6576696c2e626320"}"#),
    (r#"{"domain": "evil.bc"}"#, r#"{"Note":"x\b65 76 69 6c 2e 62 63 20"}"#),
    (r#"{"domain": "evil.bc"}"#, "x 20657669 6c2e6263 20"),
    (r#"{"domain": "bücher.example"}"#, "=?iso-8859-1?Q?b=FCcher=2Eexample?="),
    (r#"{"hash": "d41d8cd98f00b204e9800998ecf8427e"}"#, r#"{"Note":"\t0xd41d8cd98f00b204e9800998ecf8427e"}"#),
    (r#"{"domain": "wicked.zone"}"#, "see wicked&#46zone"),
    (r#"{"ip": "2001:db8::1"}"#, r#"{"Note":"2001%3Adb8%3A%3A1。x"}"#),
];

#[test]
fn what_was_once_dropped_is_found() {
    for (test, evidence) in ONCE_DROPPED {
        let both = Both::of(&written(&[serde_json::from_str(test).unwrap()]));
        for (before, behind) in [("", ""), ("first line\n", "\nlast line\n")] {
            let evidence = if evidence.starts_with(['{', 'A']) {
                (*evidence).to_owned()
            } else {
                format!("{before}{evidence}{behind}")
            };
            assert_eq!(both.compare(evidence.as_bytes()), Ok(1), "{test} in {evidence}");
        }
    }
}
