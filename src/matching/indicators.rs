//! The indicators of a ruleset: those that packs write out, and the values of lists, which are indicators without being
//! written out.

use std::borrow::Cow;
use std::ops::Range;

use super::atoms::AtomTable;
use super::condition::Test;
use crate::observable::table::ValueKey;
use crate::pack::{Advisory, Examples, Indicator, ListedIndicator, Severity};

/// A pack's name and advisory.
#[derive(Clone, Debug)]
pub struct PackInfo {
    /// The pack's name.
    pub name: String,
    /// Where its indicators come from.
    pub advisory: Option<Advisory>,
    /// The indexes of its indicators.
    pub indicators: Range<usize>,
}

/// One indicator that its pack writes out, compiled.
#[derive(Debug)]
pub struct CompiledIndicator {
    /// The index of its pack in [`Ruleset::packs`](super::Ruleset::packs).
    pub pack: usize,
    /// The indicator as its pack has it, without its test.
    pub indicator: Indicator,
    /// The kind of its test: `ip`, `domain` …, or `all`, `any`, `not` where it combines several kinds.
    pub kind: &'static str,
    pub(super) test: Test,
}

/// One indicator of a ruleset.
#[derive(Clone, Copy, Debug)]
pub enum IndicatorView<'r> {
    /// Its pack writes it out.
    Written(&'r CompiledIndicator),
    /// It is a value of a list.
    Listed {
        /// The index of its pack.
        pack: usize,
        /// The leaf of its test, which is only that the value is found.
        leaf: u32,
        /// What it is.
        listed: ListedIndicator<'r>,
    },
}

impl<'r> IndicatorView<'r> {
    /// Returns the index of its pack in [`Ruleset::packs`](super::Ruleset::packs).
    pub fn pack(self) -> usize {
        match self {
            Self::Written(compiled) => compiled.pack,
            Self::Listed { pack, .. } => pack,
        }
    }

    /// Returns its id.
    pub fn id(self) -> Cow<'r, str> {
        match self {
            Self::Written(compiled) => Cow::Borrowed(&compiled.indicator.id),
            Self::Listed { listed, .. } => Cow::Owned(listed.id()),
        }
    }

    /// Appends its id.
    pub fn write_id(self, to: &mut String) {
        match self {
            Self::Written(compiled) => to.push_str(&compiled.indicator.id),
            Self::Listed { listed, .. } => listed.write_id(to),
        }
    }

    /// Returns its name for people.
    pub fn name(self) -> Cow<'r, str> {
        match self {
            Self::Written(compiled) => Cow::Borrowed(&compiled.indicator.name),
            Self::Listed { listed, .. } => Cow::Owned(listed.name()),
        }
    }

    /// Returns the kind of its test: `ip`, `domain` …, or `all`, `any`, `not` where it combines several kinds.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Written(compiled) => compiled.kind,
            Self::Listed { listed, .. } => listed.value.key().as_str(),
        }
    }

    /// Returns how bad a hit is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Written(compiled) => compiled.indicator.severity,
            Self::Listed { .. } => ListedIndicator::SEVERITY,
        }
    }

    /// Returns the severity of a hit outside its window.
    pub fn outside_seen(self) -> Severity {
        match self {
            Self::Written(compiled) => compiled.indicator.outside_seen,
            Self::Listed { .. } => ListedIndicator::outside_seen(),
        }
    }

    /// Returns how sure the source is, 0 to 100.
    pub fn confidence(self) -> u8 {
        match self {
            Self::Written(compiled) => compiled.indicator.confidence,
            Self::Listed { .. } => ListedIndicator::CONFIDENCE,
        }
    }

    /// Returns its examples; values of lists have none.
    pub fn examples(self) -> Option<&'r Examples> {
        match self {
            Self::Written(compiled) => Some(&compiled.indicator.examples),
            Self::Listed { .. } => None,
        }
    }
}

/// Indicators in a row.
#[derive(Clone, Copy, Debug)]
pub enum IndicatorRun<'r> {
    /// Their pack writes them out.
    Written(&'r [CompiledIndicator]),
    /// They are values of a list.
    Listed {
        /// The index of their pack.
        pack: usize,
        /// The values.
        values: ListedRun<'r>,
    },
}

/// Values of a list in a row.
#[derive(Clone, Copy, Debug)]
pub struct ListedRun<'r> {
    first: u32,
    count: usize,
    atoms: &'r AtomTable,
}

impl ListedRun<'_> {
    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the key of each.
    pub fn keys(&self) -> impl Iterator<Item = ValueKey> {
        (self.first..).take(self.count).filter_map(|atom| self.atoms.key(atom))
    }
}

/// The indicators of all packs, in order.
#[derive(Debug, Default)]
pub(super) struct Indicators {
    written: Vec<CompiledIndicator>,
    /// Runs of indicators of one sort, without gaps between them.
    runs: Vec<Run>,
    len: usize,
}

#[derive(Debug)]
struct Run {
    first: usize,
    kind: RunKind,
}

#[derive(Debug)]
enum RunKind {
    /// From this one on in `written`.
    Written(usize),
    /// From this atom on, of the pack with this index.
    Listed(u32, usize),
}

impl Indicators {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds an indicator that is written out.
    pub fn push(&mut self, indicator: CompiledIndicator) {
        if !matches!(self.runs.last(), Some(Run { kind: RunKind::Written(_), .. })) {
            self.runs.push(Run { first: self.len, kind: RunKind::Written(self.written.len()) });
        }
        self.written.push(indicator);
        self.len += 1;
    }

    /// Adds an indicator for each of these atoms.
    pub fn push_listed(&mut self, pack: usize, atoms: Range<u32>) {
        if !atoms.is_empty() {
            self.runs.push(Run { first: self.len, kind: RunKind::Listed(atoms.start, pack) });
            self.len += atoms.len();
        }
    }

    /// Returns all of them, each run with the index of its first.
    pub fn runs<'r>(&'r self, atoms: &'r AtomTable) -> impl Iterator<Item = (usize, IndicatorRun<'r>)> {
        let ends = self.runs.iter().skip(1).map(|run| run.first).chain([self.len]);
        self.runs.iter().zip(ends).map(move |(run, end)| {
            let count = end - run.first;
            let run_of = match run.kind {
                RunKind::Written(start) => {
                    IndicatorRun::Written(self.written.get(start..start + count).unwrap_or_default())
                }
                RunKind::Listed(first, pack) => {
                    IndicatorRun::Listed { pack, values: ListedRun { first, count, atoms } }
                }
            };
            (run.first, run_of)
        })
    }

    pub fn get<'r>(&'r self, index: usize, atoms: &'r AtomTable) -> Option<IndicatorView<'r>> {
        if index >= self.len {
            return None;
        }
        let run = self.runs.get(self.runs.partition_point(|run| run.first <= index).checked_sub(1)?)?;
        let within = index - run.first;
        match run.kind {
            RunKind::Written(start) => self.written.get(start + within).map(IndicatorView::Written),
            RunKind::Listed(start, pack) => {
                let atom = start.checked_add(u32::try_from(within).ok()?)?;
                let (leaf, value) = (atoms.entry(atom)?.leaf, atoms.value(atom)?);
                Some(IndicatorView::Listed { pack, leaf, listed: ListedIndicator { value } })
            }
        }
    }
}
