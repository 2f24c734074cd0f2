//! Gathers what the workers find, in bounded memory, and gives it back in the order of the evidence.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::finding::{Sighting, SightingKind};
use crate::pack::Severity;
use crate::problem::{Ledger, Outcome, Problem};
use crate::report::EvidenceLine;
use crate::spool::{RUN_MEMORY_BYTES, Runs, Sorted};

/// Where an artifact was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is an evidence file.
    Evidence,
    /// It stands inside one.
    Inside,
}

/// Everything gathered, while workers still add to it.
pub(super) struct Collector {
    inner: Mutex<Inner>,
}

struct Inner {
    sightings: Runs<Sighting>,
    problems: Runs<Problem>,
    evidence: BTreeMap<usize, EvidenceLine>,
    ledger: Ledger,
    records: u64,
    found: Vec<bool>,
    sighting_count: u64,
    mention_count: u64,
    evidence_met: u64,
    worst: Option<Severity>,
    error: Option<io::Error>,
}

/// Everything gathered, in order.
pub(super) struct Collected {
    pub sightings: Sorted<Sighting>,
    pub problems: Sorted<Problem>,
    pub evidence: Vec<EvidenceLine>,
    pub ledger: Ledger,
    pub records: u64,
    pub found: Vec<bool>,
    pub sighting_count: u64,
    pub mention_count: u64,
    pub evidence_met: u64,
    pub worst: Option<Severity>,
}

impl Collector {
    /// Starts empty, for so many indicators.
    pub fn new(indicators: usize) -> Self {
        let inner = Inner {
            sightings: Runs::new(RUN_MEMORY_BYTES),
            problems: Runs::new(RUN_MEMORY_BYTES),
            evidence: BTreeMap::new(),
            ledger: Ledger::default(),
            records: 0,
            found: vec![false; indicators],
            sighting_count: 0,
            mention_count: 0,
            evidence_met: 0,
            worst: None,
            error: None,
        };
        Self { inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a sighting of the indicator with this index.
    pub fn sighting(&self, key: Vec<u8>, indicator: usize, sighting: &Sighting) {
        let mut inner = self.lock();
        if let Some(found) = inner.found.get_mut(indicator) {
            *found = true;
        }
        match sighting.kind {
            SightingKind::Sighting => inner.sighting_count += 1,
            SightingKind::Mention => inner.mention_count += 1,
        }
        inner.worst = inner.worst.max(Some(sighting.severity));
        if let Err(error) = inner.sightings.push(key, sighting) {
            inner.error.get_or_insert(error);
        }
    }

    /// Adds a problem.
    pub fn problem(&self, key: &[u8], problem: &Problem) {
        let mut inner = self.lock();
        if let Err(error) = inner.problems.push(key.to_vec(), problem) {
            inner.error.get_or_insert(error);
        }
    }

    /// Adds the identity of an evidence file.
    pub fn evidence(&self, index: usize, line: EvidenceLine) {
        self.lock().evidence.insert(index, line);
    }

    /// Counts an artifact that is done.
    pub fn close(&self, place: Place, decoder: &'static str, outcome: Outcome, records: u64) {
        let mut inner = self.lock();
        inner.ledger.add(decoder, outcome);
        inner.records += records;
        inner.evidence_met += u64::from(place == Place::Evidence);
    }

    /// Ends the gathering.
    pub fn finish(self) -> io::Result<Collected> {
        let inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = inner.error {
            return Err(error);
        }
        Ok(Collected {
            sightings: inner.sightings.finish(),
            problems: inner.problems.finish(),
            evidence: inner.evidence.into_values().collect(),
            ledger: inner.ledger,
            records: inner.records,
            found: inner.found,
            sighting_count: inner.sighting_count,
            mention_count: inner.mention_count,
            evidence_met: inner.evidence_met,
            worst: inner.worst,
        })
    }
}
