//! What a scan has to say, as plain data, and one renderer a file through [`RENDERERS`]. Escaping is the last thing done.
//!
//! What is found and how it is graded is decided in `finding/`.

mod jsonl;
mod not_found;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use serde::Serialize;

use crate::finding::Sighting;
use crate::pack::Severity;
use crate::problem::{Ledger, Problem};
use crate::spool::Sorted;

/// Every report format, in the order in which help lists them; the first is the default.
pub const RENDERERS: &[&dyn Renderer] = &[&text::Text, &jsonl::Jsonl];

/// Returns the renderer that `--format` calls by this name.
pub fn renderer(name: &str) -> Option<&'static dyn Renderer> {
    RENDERERS.iter().copied().find(|renderer| renderer.name() == name)
}

/// Everything a scan has to say.
#[derive(Debug)]
pub struct Report<'r> {
    /// The packs that were searched for.
    pub packs: Vec<PackLine>,
    /// The evidence files, in order.
    pub evidence: Vec<EvidenceLine>,
    /// Every sighting, by evidence path, artifact, record and offset.
    pub sightings: Sorted<Sighting>,
    /// Everything that was not examined, in the order of the evidence.
    pub problems: Sorted<Problem>,
    /// Remarks on completeness.
    pub notes: Vec<Note>,
    /// Every indicator and what became of it, in the order of the packs.
    pub coverage: Box<dyn CoverageList + 'r>,
    /// The account of everything met.
    pub ledger: Ledger,
    /// The totals.
    pub summary: Summary,
}

/// One pack that was searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackLine {
    /// Its name.
    pub name: String,
    /// Its advisory's id and title.
    pub advisory: Option<(String, String)>,
    /// How many indicators it has.
    pub indicators: u64,
}

/// One evidence file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceLine {
    /// Its path.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, lower-case hexadecimal; none with `--no-digest` or where it could not be read whole.
    pub sha256: Option<String>,
}

/// A remark on completeness, which is neither a finding nor a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// A stable word.
    pub code: String,
    /// Where, if it is about one artifact.
    pub artifact: Option<String>,
    /// What, in a sentence.
    pub detail: String,
}

/// What became of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverageStatus {
    /// It has at least one sighting or mention.
    Found,
    /// It was looked for in this many records and not found.
    NotFound,
    /// The evidence held nothing that it could have been found in.
    NotEvaluable,
}

impl CoverageStatus {
    /// Returns the word of the machine format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NotFound => "not_found",
            Self::NotEvaluable => "not_evaluable",
        }
    }
}

/// The coverage of one indicator, or of some in a row of which the same is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage<'a> {
    /// Their places in their list.
    pub indexes: Range<usize>,
    /// The pack's name.
    pub pack: &'a str,
    /// The kind of its test: `ip`, `domain`, `record` …; `all`, `any` or `not` for a combination of several kinds.
    pub kind: &'a str,
    /// What became of it.
    pub status: CoverageStatus,
    /// How many records it was looked for in (artifacts, for the hash of a file).
    pub records: u64,
    /// Why it could not be evaluated.
    pub why: Option<Cow<'a, str>>,
}

impl Coverage<'_> {
    /// Returns how many indicators it is about.
    pub fn count(&self) -> u64 {
        u64::try_from(self.indexes.len()).unwrap_or(u64::MAX)
    }
}

/// What became of every indicator, in the order of the packs; told while it is asked for, since a list may have a million.
pub trait CoverageList: fmt::Debug {
    /// Calls `each` with what became of every indicator, in order.
    fn each<'s>(&'s self, each: &mut dyn FnMut(Coverage<'s>));

    /// Appends the id of the indicator at this place.
    fn write_id(&self, index: usize, to: &mut String);
}

impl<'r> dyn CoverageList + 'r {
    /// Returns the id of the indicator at this place.
    pub fn id(&self, index: usize) -> String {
        let mut id = String::new();
        self.write_id(index, &mut id);
        id
    }
}

/// The totals of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Evidence files.
    pub evidence: u64,
    /// Artifacts met.
    pub artifacts: u64,
    /// Records examined.
    pub records: u64,
    /// Bytes of evidence read.
    pub bytes: u64,
    /// Sightings.
    pub sightings: u64,
    /// Mentions.
    pub mentions: u64,
    /// Indicators with at least one sighting or mention.
    pub findings: u64,
    /// The highest severity of any sighting or mention.
    pub worst: Option<Severity>,
    /// Whether nothing failed and nothing was skipped but links and what the user excluded.
    pub complete: bool,
    /// Whether the user stopped the scan.
    pub interrupted: bool,
}

/// How much of the coverage is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CoverageDetail {
    /// Found and not evaluable one by one, the rest one line a pack and kind.
    #[default]
    Summary,
    /// Every indicator.
    All,
}

/// What a renderer may be asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// How much of the coverage is written.
    pub coverage: CoverageDetail,
    /// Whether colour codes may be written.
    pub colour: Colour,
}

/// Whether colour codes may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Colour {
    /// The output is a terminal that wants them.
    Wanted,
    /// It is not.
    #[default]
    Unwanted,
}

/// One report format.
pub trait Renderer: Sync {
    /// Returns the value of `--format`.
    fn name(&self) -> &'static str;

    /// Returns what it is for, in a few words.
    fn describes(&self) -> &'static str;

    /// Writes the report.
    ///
    /// # Errors
    /// Fails where `out` cannot be written or a temporary file cannot be read back.
    fn render(&self, report: &Report<'_>, style: Style, out: &mut dyn Write) -> io::Result<()>;
}
