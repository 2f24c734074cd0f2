//! What was found in the parts of records that were too long to be searched as one: told once a record, as elsewhere.
//!
//! Parts overlap, and what stands in two of them is counted twice.

use std::collections::BTreeMap;

use crate::matching::{Hit, SightingKind};

/// Hits in parts of records, by record, indicator and value.
#[derive(Debug, Default)]
pub(super) struct PartHits(BTreeMap<(u64, usize, String, String), PartHit>);

#[derive(Debug)]
struct PartHit {
    /// The one to tell: what was seen before what was quoted, then the first one.
    first: Hit,
    /// How often it stood in each part, by the place of the first occurrence there: parts overlap.
    occurrences: BTreeMap<u64, u64>,
}

impl PartHits {
    /// Adds a hit in a part of a record. The order in which parts are searched makes no difference.
    pub fn add(&mut self, hit: Hit) {
        let value = &hit.observable;
        let key = (hit.record.unwrap_or(0), hit.indicator, value.kind.clone(), value.value.clone());
        let (place, count) = (hit.offset.unwrap_or(0), hit.occurrences);
        let known = self.0.entry(key).or_insert_with(|| PartHit { first: hit.clone(), occurrences: BTreeMap::new() });
        let counted = known.occurrences.entry(place).or_insert(0);
        *counted = count.max(*counted);
        let rank = |hit: &Hit| (hit.kind != SightingKind::Sighting, hit.offset);
        if rank(&hit) < rank(&known.first) {
            known.first = hit;
        }
    }

    /// Returns one hit for each record, indicator and value, in order.
    pub fn into_hits(self) -> impl Iterator<Item = Hit> {
        self.0
            .into_values()
            .map(|PartHit { first, occurrences }| Hit { occurrences: occurrences.values().sum(), ..first })
    }
}
