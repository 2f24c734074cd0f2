//! Sightings folded into one finding an indicator: all are counted, the worst and first few are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use crate::finding::{Sighting, SightingKind};
use crate::pack::Severity;
use crate::report::{CoverageStatus, Report};

/// Sightings, and mentions, of one indicator that are spelled out.
pub(super) const SHOWN: usize = 10;
/// Sightings kept in all before later findings keep one each: bounds memory where very many indicators are found.
const HELD: usize = 20_000;

/// Everything that was found.
#[derive(Default)]
pub(super) struct Found {
    /// One an indicator, worst first, then in the order of the packs.
    pub(super) findings: Vec<Finding>,
    /// Records that hold a sighting.
    pub(super) seen: Places,
    /// Records that hold a mention.
    pub(super) quoted: Places,
}

/// One indicator with all its sightings.
pub(super) struct Finding {
    pub(super) advisory: Option<String>,
    pub(super) pack: String,
    pub(super) indicator: String,
    pub(super) name: String,
    pub(super) confidence: u8,
    pub(super) seen: Kept,
    pub(super) quoted: Kept,
}

/// The sightings of one indicator and kind.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) count: u64,
    pub(super) by_severity: BTreeMap<Severity, u64>,
    /// The worst ones, and of equals the first.
    pub(super) shown: Vec<Sighting>,
}

/// How many places hold something: records, and whole artifacts found by their hash.
#[derive(Default)]
pub(super) struct Places {
    pub(super) records: u64,
    pub(super) artifacts: u64,
    last: Option<(String, Option<u64>)>,
}

impl Found {
    /// Reads all sightings once.
    pub(super) fn gather(report: &Report) -> io::Result<Self> {
        let mut found = Self::default();
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut held = 0;
        for sighting in report.sightings.iter() {
            let sighting = sighting?;
            match sighting.kind {
                SightingKind::Sighting => found.seen.add(&sighting),
                SightingKind::Mention => found.quoted.add(&sighting),
            }
            let key = (sighting.pack.clone(), sighting.indicator.clone());
            let place = *places.entry(key).or_insert(found.findings.len());
            if place == found.findings.len() {
                found.findings.push(Finding::new(&sighting));
            }
            if let Some(finding) = found.findings.get_mut(place) {
                let most = if held < HELD { SHOWN } else { 1 };
                held += finding.add(sighting, most);
            }
        }
        found.order(report);
        Ok(found)
    }

    fn order(&mut self, report: &Report) {
        if self.findings.len() < 2 {
            return;
        }
        let mut ranks = BTreeMap::new();
        report.coverage.each(&mut |line| {
            let indexes = if line.status == CoverageStatus::Found { line.indexes } else { 0..0 };
            for index in indexes {
                ranks.entry((line.pack, Cow::Owned(report.coverage.id(index)))).or_insert(index);
            }
        });
        let rank = |finding: &Finding| {
            let name = (finding.pack.as_str(), Cow::Borrowed(finding.indicator.as_str()));
            (std::cmp::Reverse(finding.worst()), ranks.get(&name).copied().unwrap_or(usize::MAX))
        };
        self.findings.sort_by_cached_key(rank);
    }
}

impl Finding {
    fn new(sighting: &Sighting) -> Self {
        Self {
            advisory: sighting.advisory.clone(),
            pack: sighting.pack.clone(),
            indicator: sighting.indicator.clone(),
            name: sighting.name.clone(),
            confidence: sighting.confidence,
            seen: Kept::default(),
            quoted: Kept::default(),
        }
    }

    /// Returns the severity of the worst sighting; none where the indicator is only quoted.
    pub(super) fn worst(&self) -> Option<Severity> {
        self.seen.by_severity.keys().next_back().copied()
    }

    /// Returns the advisory's id, or the pack's name where it has none.
    pub(super) fn origin(&self) -> &str {
        self.advisory.as_deref().unwrap_or(&self.pack)
    }

    fn add(&mut self, sighting: Sighting, most: usize) -> usize {
        match sighting.kind {
            SightingKind::Sighting => self.seen.add(sighting, most),
            SightingKind::Mention => self.quoted.add(sighting, most),
        }
    }
}

impl Kept {
    /// Counts a sighting and returns by how many those kept have grown.
    fn add(&mut self, sighting: Sighting, most: usize) -> usize {
        self.count += 1;
        *self.by_severity.entry(sighting.severity).or_default() += 1;
        let before = self.shown.len();
        let most = most.max(before);
        let place = self.shown.partition_point(|kept| kept.severity >= sighting.severity);
        if place < most {
            self.shown.insert(place, sighting);
            self.shown.truncate(most);
        }
        self.shown.len() - before
    }

    /// Returns how many are not spelled out.
    pub(super) fn left_out(&self) -> u64 {
        self.count.saturating_sub(self.shown.len() as u64)
    }
}

impl Places {
    /// Counts the sighting's record, unless it was the last one counted: sightings come in the order of records.
    fn add(&mut self, sighting: &Sighting) {
        let is_same = self.last.as_ref().is_some_and(|last| last.0 == sighting.artifact && last.1 == sighting.record);
        if is_same {
            return;
        }
        match sighting.record {
            Some(_) => self.records += 1,
            None => self.artifacts += 1,
        }
        self.last = Some((sighting.artifact.clone(), sighting.record));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{ObservableValue, TimeZone};

    fn sighting(severity: Severity, record: u64) -> Sighting {
        Sighting {
            advisory: None,
            pack: "list".to_owned(),
            indicator: "list-1".to_owned(),
            name: String::new(),
            severity,
            confidence: 50,
            kind: SightingKind::Sighting,
            observable: ObservableValue { kind: "ip".to_owned(), value: "192.0.2.1".to_owned() },
            matched: "192.0.2.1".to_owned(),
            occurrences: 1,
            artifact: "a.log".to_owned(),
            record: Some(record),
            line: None,
            offset: None,
            field: None,
            decode: Vec::new(),
            time: None,
            time_zone: TimeZone::Unknown,
            fields: BTreeMap::new(),
            excerpt: String::new(),
            window: None,
        }
    }

    #[test]
    fn ten_are_kept_and_the_eleventh_only_counts() {
        for (count, left_out) in [(9, 0), (10, 0), (11, 1)] {
            let mut kept = Kept::default();
            for record in 1..=count {
                kept.add(sighting(Severity::Low, record), SHOWN);
            }
            assert_eq!((kept.count, kept.left_out()), (count, left_out));
        }
    }

    #[test]
    fn a_worse_sighting_takes_the_place_of_another() {
        let mut kept = Kept::default();
        for (record, severity) in [(1, Severity::Low), (2, Severity::High), (3, Severity::Info), (4, Severity::High)] {
            kept.add(sighting(severity, record), 1);
        }
        assert_eq!(kept.shown.iter().map(|kept| kept.record).collect::<Vec<_>>(), [Some(2)]);
        assert_eq!(kept.left_out(), 3);
    }
}
