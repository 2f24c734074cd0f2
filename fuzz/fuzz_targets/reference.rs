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
#[expect(dead_code, reason = "the tests write evidence with the rest of it")]
mod values;

use compare::{Both, written};
use values::{ATOMS, PATTERNS, RECORDS, leaf};

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
    let both = |tests: &[Json], level: &Level| {
        let mut both = Both::of(&written(tests));
        both.set_level(*level);
        both
    };
    packs.iter().flat_map(|tests| levels.iter().map(|level| both(tests, level))).collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((choice, evidence)) = input.split_first() else { return };
    let Some(both) = PACKS.get(usize::from(*choice) % PACKS.len()) else { return };
    if let Err(what) = both.compare(evidence) {
        panic!("{what}");
    }
});
