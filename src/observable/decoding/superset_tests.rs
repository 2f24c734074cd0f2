//! Whatever a reading of a field shows, a reading of the record's own bytes shows, too: what prefilters live on.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

use super::*;
use crate::observable::tokens::{Reading, Shapes, Token, tokens};

const ALL: Shapes = Shapes { v4: true, v6: true, name: true, email: true, hex: true };

fn base64_of(bytes: &[u8], alphabet: &[u8; 64], padding: &str) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            out.push(char::from(alphabet[(bits >> (18 - 6 * place) & 63) as usize]));
        }
        out.push_str(&padding.repeat(3 - group.len()));
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn each_ascii(text: &str, written: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if c.is_ascii() { written(c) } else { c.to_string() }).collect()
}

/// Encodes a text in one of many ways.
fn encode(text: &str, way: usize) -> String {
    let not_letters = |c: char, written: String| if c.is_ascii_alphanumeric() { c.to_string() } else { written };
    match way {
        0 => each_ascii(text, |c| not_letters(c, format!("%{:02X}", u32::from(c)))),
        1 => each_ascii(text, |c| format!("%{:02x}", u32::from(c))),
        2 => each_ascii(text, |c| not_letters(c, format!("&#{};", u32::from(c)))),
        3 => each_ascii(text, |c| not_letters(c, format!("&#x{:x};", u32::from(c)))),
        4 => each_ascii(text, |c| not_letters(c, format!("\\u{:04x}", u32::from(c)))),
        5 => serde_json::to_string(text).unwrap(),
        6 => base64_of(text.as_bytes(), STANDARD, "="),
        7 => format!("/go/{}", base64_of(text.as_bytes(), URL, "")),
        8 => base64_of(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), STANDARD, "="),
        9 => base64_of(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>(), URL, ""),
        10 => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        11 => text.bytes().map(|byte| format!("{byte:02X} ")).collect(),
        12 => each_ascii(text, |c| if c == '.' || c == '=' { format!("={:02X}", u32::from(c)) } else { c.to_string() }),
        13 => text.replace("e", "e=\r\n").replace('.', "=2E"),
        14 => each_ascii(text, |c| not_letters(c, format!("\\x{:02x}", u32::from(c)))),
        15 => each_ascii(text, |c| not_letters(c, format!("\\{:03o}", u32::from(c)))),
        16 => text.replace('.', "\u{200b}."),
        17 => each_ascii(text, |c| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c > ' ').unwrap_or(c).to_string()),
        18 => format!("\u{1b}[1m{text}\u{1b}[0m"),
        19 => format!("a#011{text}#012"),
        20 => format!("=?utf-8?B?{}?=", base64_of(text.as_bytes(), STANDARD, "=")),
        21 => format!("C:\\new\\{text}\\nx"),
        22 => text.replace(' ', "+"),
        23 => text.replace('.', "[.]").replace("http", "hxxp"),
        _ => format!("x={text}&y=evil%2Eexample"),
    }
}

/// A record's own bytes, and a field of it.
fn record_of(text: &str, kind: usize) -> (String, String) {
    let json = |text: &str| serde_json::json!({"Id": 1, "Note": text}).to_string();
    match kind {
        0 => (format!("2023-06-01 {text} end"), format!("2023-06-01 {text} end")),
        1 => (json(text), text.to_owned()),
        2 => (json(&json(text)), text.to_owned()),
        3 => (format!("a,\"{}\",b", json(text).replace('"', "\"\"")), text.to_owned()),
        _ => (json(text).replace('/', "\\/"), text.to_owned()),
    }
}

fn shown(text: &[u8], reading: Reading, into: &mut BTreeSet<String>) {
    tokens(text, ALL, reading, &mut |token, _| {
        let text = match token {
            Token::Address(address) => address.to_string(),
            Token::Name(name) => String::from_utf8_lossy(name).into_owned(),
            Token::Email(local, host) => {
                format!("{}@{}", String::from_utf8_lossy(local), String::from_utf8_lossy(host))
            }
            Token::Hex(digits) => String::from_utf8_lossy(digits).into_owned(),
        };
        into.insert(text);
    });
}

fn shown_by_views(field: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut unfolder = Unfolder::default();
    unfolder.unfold(field.as_bytes(), Runs::MayHoldText, &mut Allowance::of(field.len()));
    for text in std::iter::once(field.as_bytes()).chain(unfolder.readings().map(|(text, _)| text)) {
        shown(text, Reading::Exact, &mut found);
        if let Some(plain) = refanged(text) {
            shown(plain.as_bytes(), Reading::Exact, &mut found);
        }
    }
    found
}

fn is_atom(token: &str) -> bool {
    ["evil.example", "10.11.12.13", "bob@wicked.example"].iter().any(|atom| token.contains(atom))
}

#[test]
fn readings_of_a_record_show_what_readings_of_its_fields_show() {
    let config = Config {
        cases: 20_000,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(558),
        failure_persistence: None,
        ..Config::default()
    };
    let atom =
        prop::sample::select(vec!["evil.example", "10.11.12.13", "https://evil.example/x", "bob@wicked.example"]);
    let joint = prop::sample::select(vec![" ", "=", "/", "\"", "\\", "\n", "+", "é", ","]);
    let strategy = (atom, joint, prop::collection::vec(0..25_usize, 0..5), 0..5_usize);
    proptest!(config, |((atom, joint, ways, kind) in strategy)| {
        let text = format!("visit{joint}{atom}{joint}today");
        let text = ways.iter().fold(text, |text, way| encode(&text, *way));
        let (raw, field) = record_of(&text, kind);
        let by_views = shown_by_views(&field);
        let mut by_record = BTreeSet::new();
        shown(raw.as_bytes(), Reading::Escaped, &mut by_record);
        let all = unfold(raw.as_bytes(), &mut Unfolder::default(), &mut |text| {
            shown(text, Reading::Escaped, &mut by_record);
        });
        let missing: Vec<&String> = by_views.difference(&by_record).filter(|token| is_atom(token)).collect();
        prop_assert!(missing.is_empty() || all == Unfolded::Cut, "{ways:?} in {raw}: {missing:?}");
    });
}

#[test]
fn an_atom_is_shown_through_any_two_encodings() {
    // Not those that make another text of it: a path, a plus sign, a field before it. Base64 and UTF-16 are told by their
    // ASCII only.
    let is_told = |outer, inner| inner != 17 || !matches!(outer, 6..=9);
    for outer in 0..21 {
        for inner in (0..21).filter(|inner| is_told(outer, *inner)) {
            let text = encode(&encode("please visit evil.example today", inner), outer);
            let found = shown_by_views(&text);
            assert!(found.contains("evil.example"), "{inner} in {outer}: {text}: {found:?}");
        }
    }
}
