//! What was not examined and why: `Problem`, `Outcome`, and the `Ledger` that adds up.
//!
//! What was found is in `finding/`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact_path::ArtifactPath;

/// Why bytes were not examined, or an artifact was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The data ends before its format says it should.
    Truncated,
    /// The data breaks the rules of its format.
    Corrupt,
    /// A limit of the budget cut it off.
    Limit,
    /// It is locked and no password opened it.
    Encrypted,
    /// Its format is recognised, but no decoder opens it.
    Unsupported,
    /// The operating system would not let it be read.
    Unreadable,
    /// A decoder or matcher failed in a way it should not have.
    Panic,
    /// The scan was stopped before it was done.
    Interrupted,
    /// It is a symbolic link, which is never followed.
    Symlink,
    /// It is a device, a pipe or a socket.
    SpecialFile,
    /// A flag excluded it.
    Excluded,
}

impl Reason {
    /// Returns the word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Corrupt => "corrupt",
            Self::Limit => "limit",
            Self::Encrypted => "encrypted",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::Panic => "panic",
            Self::Interrupted => "interrupted",
            Self::Symlink => "symlink",
            Self::SpecialFile => "special-file",
            Self::Excluded => "excluded",
        }
    }

    /// Tells whether the artifact was left unopened by rule, rather than by failure.
    pub fn is_skip(self) -> bool {
        matches!(self, Self::Symlink | Self::SpecialFile | Self::Excluded)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was not examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where.
    pub artifact: String,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, in a sentence that says what the user can do.
    pub detail: String,
    /// How many bytes were not read, where that is known.
    pub bytes: Option<u64>,
}

impl Problem {
    /// Makes a problem of `artifact`.
    pub fn new(artifact: &ArtifactPath, reason: Reason, detail: impl Into<String>, bytes: Option<u64>) -> Self {
        Self { artifact: artifact.as_str().to_owned(), reason, detail: detail.into(), bytes }
    }
}

/// What became of one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All bytes were read and searched.
    Examined,
    /// Not opened, by rule.
    Skipped(Reason),
    /// Some range of bytes was not read; the rest was searched.
    Failed(Reason),
}

/// Counts of artifacts: `met` is always the sum of the other three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Everything that was met.
    pub met: u64,
    /// All bytes read and searched.
    pub examined: u64,
    /// Not opened by rule.
    pub skipped: u64,
    /// Not read whole.
    pub failed: u64,
}

impl Tally {
    /// Counts one artifact.
    pub fn add(&mut self, outcome: Outcome) {
        self.met += 1;
        match outcome {
            Outcome::Examined => self.examined += 1,
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.met += other.met;
        self.examined += other.examined;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }
}

/// The account of everything met: in all, by decoder, and by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The whole.
    pub total: Tally,
    /// By the name of the decoder that opened it (`-` where none did).
    pub by_decoder: BTreeMap<&'static str, Tally>,
    /// How many artifacts were skipped or failed for each reason.
    pub by_reason: BTreeMap<Reason, u64>,
}

impl Ledger {
    /// Counts one artifact that `decoder` opened.
    pub fn add(&mut self, decoder: &'static str, outcome: Outcome) {
        self.total.add(outcome);
        self.by_decoder.entry(decoder).or_default().add(outcome);
        if let Outcome::Skipped(reason) | Outcome::Failed(reason) = outcome {
            *self.by_reason.entry(reason).or_default() += 1;
        }
    }

    /// Adds the counts of another part of the same scan.
    pub fn merge(&mut self, other: &Self) {
        self.total.merge(&other.total);
        for (decoder, tally) in &other.by_decoder {
            self.by_decoder.entry(decoder).or_default().merge(tally);
        }
        for (reason, count) in &other.by_reason {
            *self.by_reason.entry(*reason).or_default() += count;
        }
    }

    /// Tells whether nothing failed, and nothing was skipped but links and what the user excluded.
    pub fn is_complete(&self) -> bool {
        self.total.failed == 0
            && self.by_reason.keys().all(|reason| matches!(reason, Reason::Symlink | Reason::Excluded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_adds_up() {
        let mut ledger = Ledger::default();
        ledger.add("zip", Outcome::Examined);
        ledger.add("zip", Outcome::Failed(Reason::Corrupt));
        ledger.add("-", Outcome::Skipped(Reason::Symlink));
        let total = ledger.total;
        assert_eq!(total.met, total.examined + total.skipped + total.failed);
        assert!(!ledger.is_complete());
    }

    #[test]
    fn a_skipped_link_leaves_the_scan_complete_and_a_device_does_not() {
        let mut ledger = Ledger::default();
        ledger.add("-", Outcome::Skipped(Reason::Symlink));
        assert!(ledger.is_complete());
        ledger.add("-", Outcome::Skipped(Reason::SpecialFile));
        assert!(!ledger.is_complete());
    }
}
