//! Packs and evidence in, what the fast and the slow matcher do not agree on out.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use stormglass::budget::{Budget, Limits};
use stormglass::decode::{Child, Input, Sink, decoder_for};
use stormglass::matching::reference::{Reference, Told};
use stormglass::matching::{Matcher, Ruleset, Searched};
use stormglass::observable::candidates::Level;
use stormglass::pack::load;
use stormglass::problem::Reason;
use stormglass::record::Block;

/// Packs as both matchers read them.
pub struct Both {
    fast: Ruleset,
    slow: Reference,
}

impl Both {
    /// Compiles a rules file.
    pub fn of(pack: &str) -> Self {
        let pack = load("pack", pack.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?} in {pack}"));
        let slow = Reference::new(std::slice::from_ref(&pack));
        let fast = Ruleset::compile(vec![pack]).unwrap_or_else(|errors| panic!("{errors:?}"));
        Self { fast, slow }
    }

    /// Chooses the instructions of the fast matcher.
    pub fn set_level(&mut self, level: Level) {
        self.fast.set_level(level);
    }

    /// Searches evidence in every way, and says what differs; none where nothing does. Returns how much was found, too.
    pub fn compare(&self, evidence: &[u8]) -> Result<usize, String> {
        let evaluated = self.fast.evaluated();
        let mut matcher = Matcher::new(&self.fast, &evaluated);
        let mut count = 0;
        for block in blocks(evidence) {
            let fast = matcher.search(&*block)?;
            let every = matcher.search_unscreened(&*block)?;
            let (fast_told, every_told) = (told(&fast), told(&every));
            if fast_told != every_told {
                return Err(said("the screen", &fast_told, "every record", &every_told, &*block));
            }
            if fast.hits != every.hits {
                return Err(format!("hits differ:\n{:#?}\n{:#?}", fast.hits, every.hits));
            }
            let slow = self.slow.search(&*block);
            let covered = fast_told.into_iter().filter(|told| self.slow.covers(told.indicator)).collect();
            if slow != covered {
                return Err(said("the fast matcher", &covered, "the reference", &slow, &*block));
            }
            count += slow.len();
        }
        Ok(count)
    }
}

fn told(searched: &Searched) -> BTreeSet<Told> {
    searched.hits.iter().filter_map(Told::of).collect()
}

fn said(one: &str, has: &BTreeSet<Told>, other: &str, wants: &BTreeSet<Told>, block: &dyn Block) -> String {
    let list = |set: BTreeSet<&Told>| {
        set.into_iter()
            .map(|told| {
                let span = stormglass::matching::reference::span(block, told.record);
                let raw = span.and_then(|span| block.bytes().get(span.range)).unwrap_or_default();
                format!("  {told:?}\n    in {:?}\n", String::from_utf8_lossy(raw))
            })
            .collect::<String>()
    };
    let (only, missing) = (list(has.difference(wants).collect()), list(wants.difference(has).collect()));
    format!("only {one} finds:\n{only}only {other} finds:\n{missing}")
}

/// Decodes evidence, and everything in it.
pub fn blocks(evidence: &[u8]) -> Vec<Box<dyn Block>> {
    let mut sink = Collecting { blocks: Vec::new(), budget: Arc::new(Budget::new(Limits::default())), depth: 0 };
    sink.run(&mut &*evidence, None);
    sink.blocks
}

struct Collecting {
    blocks: Vec<Box<dyn Block>>,
    budget: Arc<Budget>,
    depth: u64,
}

impl Collecting {
    fn run(&mut self, content: &mut dyn io::Read, decoder: Option<&'static dyn stormglass::decode::Decoder>) {
        let mut input = Input::new(content);
        let decoder = decoder.unwrap_or_else(|| decoder_for(&input.head()));
        // What could not be read is not what is compared.
        let _ = decoder.decode(&mut input, self);
        let _ = io::copy(&mut input, &mut io::sink());
    }
}

impl Sink for Collecting {
    fn block(&mut self, block: Box<dyn Block>) {
        self.blocks.push(block);
    }

    fn child(&mut self, child: Child<'_>) -> io::Result<()> {
        self.depth += 1;
        if let Err(limit) = self.budget.enter(self.depth) {
            self.depth -= 1;
            return Err(limit.into());
        }
        self.run(child.content, child.decoder);
        self.depth -= 1;
        Ok(())
    }

    fn unopened(&mut self, _: &str, _: Reason, _: &str, _: Option<u64>) {}

    fn problem(&mut self, _: Reason, _: &str, _: Option<u64>) {}

    fn mentions_only(&mut self) {}

    fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    fn file_name(&self) -> String {
        "evidence".to_owned()
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Writes a pack of tests.
pub fn written(tests: &[Json]) -> String {
    let indicator = |(number, test): (usize, &Json)| {
        json!({
            "id": format!("i{number}"), "severity": "low", "source": "s", "match": test,
            "examples": {"hit": ["a"], "miss": ["b"]},
        })
    };
    let indicators: Vec<Json> = tests.iter().enumerate().map(indicator).collect();
    json!({"format": "stormglass/1", "indicators": indicators}).to_string()
}
