//! Folding of the indicators that were not found, so that a list of a million takes one line.

use std::collections::BTreeMap;

use super::{Coverage, CoverageStatus};

/// The indicators of one pack and kind that were looked for and not found.
pub(super) struct NotFound<'a> {
    pub(super) pack: &'a str,
    pub(super) kind: &'a str,
    pub(super) indicators: u64,
    /// Each of them was looked for in at least this many records.
    pub(super) records: u64,
}

/// Groups the indicators that were not found by pack and kind, in the order in which the packs bring them.
#[derive(Default)]
pub(super) struct NotFoundGroups<'a> {
    groups: Vec<NotFound<'a>>,
    places: BTreeMap<(&'a str, &'a str), usize>,
    /// Where the groups of the pack begin that came last: most often an indicator belongs to one of these.
    pack_start: usize,
}

impl<'a> NotFoundGroups<'a> {
    /// Counts indicators, if they were not found.
    pub fn add(&mut self, line: &Coverage<'a>) {
        if line.status != CoverageStatus::NotFound {
            return;
        }
        let Coverage { pack, kind, records, .. } = *line;
        let is_it = |group: &&mut NotFound<'a>| is_same(group.kind, kind) && is_same(group.pack, pack);
        let near = self.groups.get_mut(self.pack_start..).and_then(|near| near.iter_mut().find(is_it));
        let place = match near {
            Some(group) => return group.count(line.count(), records),
            None => *self.places.entry((pack, kind)).or_insert(self.groups.len()),
        };
        if let Some(group) = self.groups.get_mut(place) {
            return group.count(line.count(), records);
        }
        if self.groups.last().is_some_and(|last| last.pack != pack) {
            self.pack_start = self.groups.len();
        }
        self.groups.push(NotFound { pack, kind, indicators: line.count(), records });
    }

    /// Returns the groups.
    pub fn finish(self) -> Vec<NotFound<'a>> {
        self.groups
    }
}

impl NotFound<'_> {
    fn count(&mut self, indicators: u64, records: u64) {
        self.indicators += indicators;
        self.records = self.records.min(records);
    }
}

/// Compares names that mostly stand in one place of memory.
fn is_same(a: &str, b: &str) -> bool {
    std::ptr::eq(a, b) || a == b
}
