//! What became of each indicator, told from the ruleset when a report asks.

use std::borrow::Cow;

use crate::matching::{Evaluated, Ruleset};
use crate::report::{Coverage, CoverageList, CoverageStatus};

/// What a scan knows about its indicators.
#[derive(Debug)]
pub(super) struct ScanCoverage<'r> {
    pub ruleset: &'r Ruleset,
    pub evaluated: Evaluated,
    /// For each indicator, whether it was found.
    pub found: Vec<bool>,
    /// How many records were searched.
    pub records: u64,
}

impl CoverageList for ScanCoverage<'_> {
    fn len(&self) -> usize {
        self.ruleset.len()
    }

    fn get(&self, index: usize) -> Option<Coverage<'_>> {
        let indicator = self.ruleset.indicator(index)?;
        let is_found = self.found.get(index).copied().unwrap_or_default();
        let why = if is_found { None } else { self.ruleset.why_not_evaluable(indicator, &self.evaluated) };
        let status = match (is_found, &why) {
            (true, _) => CoverageStatus::Found,
            (false, None) => CoverageStatus::NotFound,
            (false, Some(_)) => CoverageStatus::NotEvaluable,
        };
        let pack = self.ruleset.packs.get(indicator.pack()).map_or("", |pack| pack.name.as_str());
        Some(Coverage { index, pack, kind: indicator.kind(), status, records: self.records, why })
    }

    fn id(&self, index: usize) -> Cow<'_, str> {
        self.ruleset.indicator(index).map_or(Cow::Borrowed(""), |indicator| indicator.id())
    }
}
