//! Evidence of any bytes under fixed packs: the fast matcher finds what the slow, obvious one finds, and nothing panics.
//!
//! The first byte of an input chooses the pack and the instructions of the first look; the rest is the evidence.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value as Json, json};
use stormglass::observable::candidates::Level;

#[path = "../../tests/reference/compare.rs"]
mod compare;
#[path = "../../tests/reference/values.rs"]
mod values;

use compare::Both;
use values::{ATOMS, PATTERNS, RECORDS, Value};

fn leaf(value: &Value) -> Json {
    match value.kind {
        "word" => json!({"text": {"value": value.listed, "borders": "word"}}),
        "case" => json!({"text": {"value": value.listed, "case": "sensitive"}}),
        kind => json!({kind: value.listed}),
    }
}

fn both(tests: Vec<Json>, level: Level) -> Both {
    let indicator = |(number, test)| {
        json!({
            "id": format!("i{number}"), "severity": "low", "source": "s", "match": test,
            "examples": {"hit": ["a"], "miss": ["b"]},
        })
    };
    let indicators: Vec<Json> = tests.into_iter().enumerate().map(indicator).collect();
    let mut both = Both::of(&json!({"format": "stormglass/1", "indicators": indicators}).to_string());
    both.set_level(level);
    both
}

/// All values; one kind of value each; patterns; tests of fields. Each at every level.
static PACKS: LazyLock<Vec<Both>> = LazyLock::new(|| {
    let mut packs: Vec<Vec<Json>> = vec![ATOMS.iter().map(leaf).collect()];
    for kind in ["ip", "domain", "url", "email", "hash"] {
        packs.push(ATOMS.iter().filter(|value| value.kind == kind).map(leaf).collect());
    }
    packs.push(PATTERNS.iter().map(leaf).collect());
    let records = RECORDS.iter().filter_map(|record| serde_json::from_str::<Json>(record).ok());
    packs.push(records.map(|record| json!({"record": record})).collect());
    let levels = Level::all();
    packs.into_iter().flat_map(|tests| levels.iter().map(move |level| both(tests.clone(), *level)).collect::<Vec<_>>()).collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((choice, evidence)) = input.split_first() else { return };
    let Some(both) = PACKS.get(usize::from(*choice) % PACKS.len()) else { return };
    if let Err(what) = both.compare(evidence) {
        panic!("{what}");
    }
});
