//! A ruleset at work on one thread.

use crate::observable::decoding::Unfolder;
use crate::record::Block;

use super::evaluate::{Evaluation, evaluate};
use super::predicate::has_required_fields;
use super::quoted::Known;
use super::ruleset::{Evaluated, Ruleset};
use super::scanners::Scanners;
use super::screen::{Candidate, every_record};
use super::views::Views;
use super::{Hit, LimitMet, Searched};

/// Searches blocks. Each thread has its own.
pub struct Matcher<'r> {
    ruleset: &'r Ruleset,
    evaluated: &'r Evaluated,
    scanners: Scanners<'r>,
    views: Views,
    unfolder: Unfolder,
}

impl<'r> Matcher<'r> {
    /// Makes a matcher that notes in `evaluated` which indicators could have been found.
    pub fn new(ruleset: &'r Ruleset, evaluated: &'r Evaluated) -> Self {
        Self {
            ruleset,
            evaluated,
            scanners: Scanners::new(&ruleset.patterns),
            views: Views::default(),
            unfolder: Unfolder::default(),
        }
    }

    /// Searches every record of a block.
    ///
    /// # Errors
    /// What yara-x failed with; the block then counts as not searched.
    pub fn search(&mut self, block: &dyn Block) -> Result<Searched, String> {
        self.note_fields(block);
        let Self { ruleset, scanners, unfolder, .. } = self;
        let candidates = ruleset.screen.candidates(block, &ruleset.atoms, scanners, unfolder)?;
        self.search_records(block, candidates)
    }

    /// Searches every record of a block, also where the screen sees nothing. Tests hold [`Self::search`] equal to it.
    ///
    /// # Errors
    /// What yara-x failed with.
    #[doc(hidden)]
    pub fn search_unscreened(&mut self, block: &dyn Block) -> Result<Searched, String> {
        self.search_records(block, every_record(block))
    }

    fn search_records(&mut self, block: &dyn Block, candidates: Vec<Candidate>) -> Result<Searched, String> {
        let mut searched = Searched::default();
        let Self { ruleset, scanners, views, .. } = self;
        for candidate in candidates {
            let span = &candidate.span;
            let record = block.record(span);
            let Evaluation { hits, limit } = evaluate(ruleset, scanners, views, block, &candidate, &record)?;
            if !hits.is_empty() && block.is_part(span) {
                searched.parts.push(span.number);
            }
            searched.hits.extend(hits);
            let limits = scanners.take_limits().into_iter().chain(limit.map(|limit| limit.detail().to_owned()));
            searched.limits.extend(limits.map(|what| LimitMet { what, record: Some(span.number) }));
        }
        Ok(searched)
    }

    /// Runs the packs' own YARA rules and hex strings over an artifact as a whole.
    ///
    /// # Errors
    /// What yara-x failed with.
    pub fn search_whole(&mut self, bytes: &[u8]) -> Result<Searched, String> {
        let mut found = self.scanners.rules(bytes)?;
        found.extend(self.scanners.hexes(bytes)?);
        let known = Known::default();
        let hits = found.into_iter().filter_map(|rule| {
            let evidence = super::ruleset::Evidence { seen: [rule.leaf].into(), quoted: [rule.leaf].into() };
            self.ruleset.decide(rule.indicator, &evidence, &[])?;
            let observable = super::ObservableValue { kind: rule.kind.to_owned(), value: rule.rule };
            let matched = known.hiding(None, bytes).shown(bytes, rule.range.clone());
            let matched = crate::text::cut_around(&matched, 0, 512);
            let offset = u64::try_from(rule.range.start).ok();
            Some(Hit { occurrences: rule.count, ..Hit::of_artifact(rule.indicator, observable, matched, offset) })
        });
        let hits = hits.collect();
        let limits = self.scanners.take_limits().into_iter();
        let limits = limits.map(|what| LimitMet { what, record: None }).collect();
        Ok(Searched { hits, limits, parts: Vec::new() })
    }

    /// Notes for each record test whether some record has all of its fields, until one has.
    fn note_fields(&self, block: &dyn Block) {
        for leaf in self.evaluated.open_leaves() {
            let Some(required) = self.ruleset.required.get(leaf) else { continue };
            if !required.iter().all(|name| name.last_parts().any(|part| block.may_have_field(part))) {
                continue;
            }
            let has_all = |one: Candidate| has_required_fields(required, &block.record(&one.span).fields);
            if every_record(block).into_iter().any(has_all) {
                self.evaluated.close_leaf(leaf);
            }
        }
    }
}
