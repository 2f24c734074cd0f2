//! What became of each indicator, told from the ruleset when a report asks.

use std::borrow::Cow;
use std::ops::Range;

use crate::matching::{CompiledIndicator, Evaluated, IndicatorRun, ListedRun, Ruleset};
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
    fn each<'s>(&'s self, each: &mut dyn FnMut(Coverage<'s>)) {
        for (first, run) in self.ruleset.runs() {
            match run {
                IndicatorRun::Written(indicators) => {
                    (first..).zip(indicators).for_each(|(index, indicator)| each(self.written(index, indicator)));
                }
                IndicatorRun::Listed { pack, values } => self.each_listed(first, self.pack(pack), values, each),
            }
        }
    }

    fn write_id(&self, index: usize, to: &mut String) {
        if let Some(indicator) = self.ruleset.indicator(index) {
            indicator.write_id(to);
        }
    }
}

impl<'r> ScanCoverage<'r> {
    fn pack(&self, index: usize) -> &'r str {
        self.ruleset.packs.get(index).map_or("", |pack| pack.name.as_str())
    }

    fn written(&self, index: usize, indicator: &'r CompiledIndicator) -> Coverage<'_> {
        let is_found = self.found.get(index).copied().unwrap_or_default();
        let why = if is_found { None } else { self.ruleset.why_not_evaluable(indicator, &self.evaluated) };
        self.line(index..index + 1, self.pack(indicator.pack), indicator.kind, is_found, why)
    }

    /// Tells of the values of a list, of those together that are alike and stand in a row.
    fn each_listed<'s>(
        &'s self,
        first: usize,
        pack: &'s str,
        values: ListedRun<'_>,
        each: &mut dyn FnMut(Coverage<'s>),
    ) {
        let found = self.found.get(first..).unwrap_or_default();
        let mut alike = values.keys().zip(found).zip(first..).peekable();
        while let Some(((key, is_found), start)) = alike.next() {
            let mut end = start + 1;
            while alike.next_if(|((other, is_also_found), _)| *other == key && *is_also_found == is_found).is_some() {
                end += 1;
            }
            let why = if *is_found { None } else { self.evaluated.why_not_evaluable(key).map(Cow::Borrowed) };
            each(self.line(start..end, pack, key.as_str(), *is_found, why));
        }
    }

    fn line<'s>(
        &self,
        indexes: Range<usize>,
        pack: &'s str,
        kind: &'s str,
        is_found: bool,
        why: Option<Cow<'s, str>>,
    ) -> Coverage<'s> {
        let status = match (is_found, &why) {
            (true, _) => CoverageStatus::Found,
            (false, None) => CoverageStatus::NotFound,
            (false, Some(_)) => CoverageStatus::NotEvaluable,
        };
        Coverage { indexes, pack, kind, status, records: self.records, why }
    }
}
