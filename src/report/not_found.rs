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
pub(super) fn not_found(coverage: &[Coverage]) -> Vec<NotFound<'_>> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<NotFound<'_>> = Vec::new();
    for indicator in coverage.iter().filter(|indicator| indicator.status == CoverageStatus::NotFound) {
        let place = *places.entry((&indicator.pack, &indicator.kind)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => {
                group.indicators += 1;
                group.records = group.records.min(indicator.records);
            }
            None => groups.push(NotFound {
                pack: &indicator.pack,
                kind: &indicator.kind,
                indicators: 1,
                records: indicator.records,
            }),
        }
    }
    groups
}
