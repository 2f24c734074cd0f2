//! What the probe is held to: whatever an exact search finds, in raw bytes or behind an encoding, it has named.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

use super::atoms::AtomTable;
use super::filter::Filter;
use super::probe::{Found, Probe};
use crate::observable::candidates::Level;
use crate::observable::decoding::{Unfolded, Unfolder, unfold};
use crate::observable::tokens::{Reading, tokens};
use crate::observable::{AtomKind, CertificatePart, Observable};

#[path = "../../tests/reference/encode.rs"]
mod encode;
use encode::{WAYS, encode};

/// Atoms, and one spelling of each that evidence may use.
const ATOMS: &[(&str, &str)] = &[
    ("10.11.12.13", "10.11.12.13"),
    ("1.1.1.1", "001.1.01.1"),
    ("198.51.100.0/22", "198.51.101.200"),
    ("::ffff:192.0.2.0/120", "::ffff:192.0.2.9"),
    ("2001:db8::abcd", "2001:0DB8:0:0:0:0:0:abcd"),
    ("2001:db8:77::/48", "2001:db8:77::1:2"),
    ("::1", "::1"),
    ("203.0.113.5", "::ffff:cb00:7105"),
    ("evil.example", "a.b-c.EVIL.example"),
    ("a.bc", "a.bc"),
    ("_dmarc.wicked.example", "_dmarc.wicked.example"),
    ("*.star.example", "x.star.example"),
    ("*.lone", "any.lone"),
    ("odd.7up", "odd.7up"),
    ("münchen.example", "MÜNCHEN.example"),
    ("例え.example", "例え.example"),
    ("https://bad.example/a/b", "http://bad.example:80/a/b/c"),
    ("http://192.0.2.77/x", "192.0.2.77/x"),
    ("http://[2001:db8::7]:8080/", "[2001:db8::7]:8080/y"),
    ("bob+tag@wicked.example", "Bob+Tag@wicked.example"),
    ("bób@wicked.example", "bób@wicked.example"),
    ("\"a b\"@wicked.example", "\"a b\"@wicked.example"),
    ("d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E"),
    ("d4b4cccda9228624656bff33d8110955779632aa", "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA"),
    ("b4b4cccda9228624656bff33d8110955779632aa", "b4 b4 cc cd a9 22 86 24 65 6b ff 33 d8 11 09 55 77 96 32 aa"),
    ("c4b4cccda9228624656bff33d8110955779632aa", "c4-b4-cc-cd-a9-22-86-24-65-6b-ff-33-d8-11-09-55-77-96-32-aa"),
];

const THUMBPRINT: &str = "f4b4cccda9228624656bff33d8110955779632aa";

const JOINTS: &[&str] = &[
    "", " ", "\"", "\\n", "\\t", "\\b", "\\f", "\\", "/", "=", ":", ".", "-", "_", ",", "@", "<", ">", "(", "[", "]",
    "x", "9", "ü", "é", "日", "。", "１", "\u{200b}", "“", "\u{a0}", "%", "&", "+", "''", ";", "|", "..", "a", "face ",
    "be ", " ad", "SHA1:", "ip6:", "source:", "#", "\t", "\r", "0x", "\\\\", "\\/", "\\\"", "--", "._-", "\u{301}",
    "id=",
];

fn table(values: impl Iterator<Item = Observable>) -> AtomTable {
    let mut table = AtomTable::default();
    for (leaf, observable) in (0..).zip(values) {
        table.add(leaf, leaf, &observable, None).unwrap();
    }
    table
}

fn listed(values: &[&str]) -> AtomTable {
    let of = |value: &&str| match value {
        &THUMBPRINT => Observable::parse(AtomKind::Certificate(CertificatePart::Thumbprint), value).unwrap(),
        value if value.starts_with("*.") => Observable::parse(AtomKind::Domain, value).unwrap(),
        value => Observable::guess(value).or_else(|| Observable::parse(AtomKind::Domain, value).ok()).unwrap(),
    };
    table(values.iter().map(of))
}

/// The atoms that an exact search finds.
fn exact(atoms: &AtomTable, text: &[u8]) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    tokens(text, atoms.shapes(), Reading::Exact, &mut |token, range| {
        atoms.look_up(text, &token, range, &mut |id, _| {
            found.insert(id);
        });
    });
    found
}

fn named(atoms: &AtomTable, filter: &Filter, level: Level, text: &[u8]) -> Vec<(usize, Found)> {
    let mut out = Vec::new();
    Probe { text, atoms, filter, shapes: atoms.shapes(), level }.run(&mut |at, found| out.push((at, found)));
    out
}

/// Returns what an exact search finds and the probe does not name; none where there is nothing.
fn dropped(atoms: &AtomTable, level: Level, text: &str) -> Option<String> {
    let filter = Filter::new(atoms);
    let places = named(atoms, &filter, level, text.as_bytes());
    let names = |line: &Range<usize>, wanted: &[Found]| {
        places.iter().any(|(at, found)| (line.contains(at) || *at == line.end) && wanted.contains(found))
    };
    let mut start = 0;
    for line in text.split('\n') {
        let range = start..start + line.len();
        start = range.end + 1;
        let raw = exact(atoms, line.as_bytes());
        if !raw.is_empty() {
            if !names(&range, &[Found::Atom]) {
                return Some(format!("{raw:?} in the line {line:?}"));
            }
            continue;
        }
        let is_named = names(&range, &[Found::Atom, Found::Hidden]);
        let mut missing = None;
        let whole = unfold(line.as_bytes(), &mut Unfolder::default(), &mut |reading| {
            let shown = exact(atoms, reading);
            let is_told = named(atoms, &filter, level, reading).iter().any(|(_, found)| *found == Found::Atom);
            if !(shown.is_empty() || is_named && is_told) {
                let reading = String::from_utf8_lossy(reading).into_owned();
                missing = Some(format!(
                    "{shown:?} in the reading {reading:?} of {line:?}, is hidden {is_named}, is told {is_told}"
                ));
            }
        });
        if missing.is_some() && (whole == Unfolded::Whole || !is_named) {
            return missing;
        }
    }
    None
}

#[test]
fn every_kind_of_atom_is_named_where_it_stands_alone() {
    let values: Vec<&str> = ATOMS.iter().map(|(value, _)| *value).chain([THUMBPRINT]).collect();
    for (value, spelling) in ATOMS.iter().chain(&[(THUMBPRINT, THUMBPRINT)]) {
        let alone = listed(&[value]);
        let filter = Filter::new(&alone);
        for text in [spelling.to_string(), format!("x {spelling} y"), format!("{}{spelling}\n", "|".repeat(70))] {
            assert!(!exact(&alone, text.as_bytes()).is_empty(), "{value} in {text}");
            let found = named(&alone, &filter, Level::PORTABLE, text.as_bytes());
            assert!(found.iter().any(|(_, found)| *found == Found::Atom), "{value} in {text}: {found:?}");
        }
        assert!(named(&alone, &filter, Level::PORTABLE, b"quite some other text").is_empty());
        assert_eq!(dropped(&listed(&values), Level::PORTABLE, spelling), None);
    }
}

/// One piece of a text: which atom or joint, and the ways in which it is encoded.
fn piece() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => select(ATOMS).prop_map(|(_, spelling)| spelling.to_owned()),
        1 => Just(THUMBPRINT.to_owned()),
        4 => select(JOINTS).prop_map(str::to_owned),
        1 => (select(JOINTS), 1..400_usize).prop_map(|(joint, count)| joint.repeat(count)),
        1 => "[ -~]{0,12}",
    ];
    (word, select(JOINTS), select(JOINTS), prop_oneof![3 => Just(Vec::new()), 2 => vec(0..WAYS, 1..4)]).prop_map(
        |(word, before, behind, ways)| {
            ways.iter().fold(format!("{before}{word}{behind}"), |text, way| encode(&text, *way))
        },
    )
}

fn config() -> Config {
    let cases = std::env::var("STORMGLASS_CASES").ok().and_then(|count| count.parse().ok());
    Config {
        cases: cases.unwrap_or(3_000),
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: if cases.is_some() { RngSeed::Random } else { RngSeed::Fixed(0x0558) },
        failure_persistence: None,
        ..Config::default()
    }
}

#[test]
fn whatever_an_exact_search_finds_is_named() {
    let values: Vec<&str> = ATOMS.iter().map(|(value, _)| *value).chain([THUMBPRINT]).collect();
    let lines = vec((vec(piece(), 0..5), select(JOINTS)), 1..4);
    let lead = select(vec![0, 0, 1, 17, 40, 60, 63, 64, 100, 2_000, 2_040]);
    let level = select(Level::all());
    proptest!(config(), |(lines in lines, lead in lead, level in level, chosen in vec(any::<prop::sample::Index>(), 1..6), all in any::<bool>())| {
        let text = lines.iter().map(|(pieces, joint)| pieces.join(joint)).collect::<Vec<_>>().join("\n");
        let text = format!("{}{text}", "~".repeat(lead));
        let chosen: Vec<&str> = if all { values.clone() } else { chosen.iter().map(|index| values[index.index(values.len())]).collect() };
        let missing = dropped(&listed(&chosen), level, &text);
        prop_assert!(missing.is_none(), "{}: {chosen:?}: {}", level.name(), missing.unwrap_or_default());
    });
}
