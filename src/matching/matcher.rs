//! A ruleset at work on one thread.

use crate::record::Block;

use super::Hit;
use super::evaluate::evaluate;
use super::patterns::Scanners;
use super::predicate::has_required_fields;
use super::ruleset::{Evaluated, Ruleset};
use super::screen::every_record;
use super::token::Hidings;

/// Searches blocks. Each thread has its own.
pub struct Matcher<'r> {
    ruleset: &'r Ruleset,
    evaluated: &'r Evaluated,
    scanners: Scanners<'r>,
}

impl<'r> Matcher<'r> {
    /// Makes a matcher that notes in `evaluated` which indicators could have been found.
    pub fn new(ruleset: &'r Ruleset, evaluated: &'r Evaluated) -> Self {
        Self { ruleset, evaluated, scanners: ruleset.patterns.scanners() }
    }

    /// Searches every record of a block, and returns the hits in the order of the records.
    ///
    /// # Errors
    /// What yara-x failed with; the block then counts as not searched.
    pub fn search(&mut self, block: &dyn Block) -> Result<Vec<Hit>, String> {
        self.note_fields(block);
        let mut hits = Vec::new();
        for span in self.ruleset.screen.candidates(block, &self.ruleset.atoms, &mut self.scanners)? {
            let record = block.record(&span);
            hits.extend(evaluate(self.ruleset, &mut self.scanners, block, &span, &record)?);
        }
        Ok(hits)
    }

    /// Runs the packs' own YARA rules over an artifact as a whole; none where there are no such rules.
    ///
    /// # Errors
    /// What yara-x failed with.
    pub fn search_whole(&mut self, bytes: &[u8]) -> Result<Vec<Hit>, String> {
        let hidings = Hidings::default();
        let hits = self.scanners.rules(bytes)?.into_iter().filter_map(|rule| {
            let evidence = super::ruleset::Evidence { seen: [rule.leaf].into(), quoted: [rule.leaf].into() };
            self.ruleset.decide(rule.indicator, &evidence, &[])?;
            let observable = super::ObservableValue { kind: "yara".to_owned(), value: rule.rule };
            let matched = hidings.of(None, bytes).shown(bytes, rule.range.clone());
            let matched = crate::text::cut_around(&matched, 0, 512);
            let offset = u64::try_from(rule.range.start).ok();
            Some(Hit { occurrences: rule.count, ..Hit::of_artifact(rule.indicator, observable, matched, offset) })
        });
        Ok(hits.collect())
    }

    /// Notes for each record test whether some record has all of its fields, until one has.
    fn note_fields(&self, block: &dyn Block) {
        for leaf in self.evaluated.open_leaves() {
            let Some(required) = self.ruleset.required.get(leaf) else { continue };
            if !required.iter().all(|name| name.last_parts().any(|part| block.may_have_field(part))) {
                continue;
            }
            let has_all = |span| has_required_fields(required, &block.record(&span).fields);
            if every_record(block).into_iter().any(has_all) {
                self.evaluated.close_leaf(leaf);
            }
        }
    }
}
