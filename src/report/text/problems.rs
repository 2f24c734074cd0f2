//! What was not examined: every problem, with only those alike inside one container drawn together.

use std::collections::BTreeMap;
use std::io;

use super::page::{Page, counted, grouped};
use crate::problem::{Problem, Reason};
use crate::report::Report;

/// Problems alike in one container that are still listed one by one.
const ALIKE: usize = 20;
/// Paths that stand for a group of problems alike.
const EXAMPLES: usize = 5;
/// Groups collected of one evidence file before they are written: bounds memory where every problem differs.
const HELD_GROUPS: usize = 10_000;

/// Writes all problems: first what failed, then what was left out by rule.
pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let title = "NOT EXAMINED, or only in part; what could be read was searched";
    write_part(report, page, title, |reason| !is_left_out(reason))?;
    write_part(report, page, "LEFT OUT BY RULE", is_left_out)
}

/// Tells whether a scan counts as complete although artifacts were not opened for this reason.
pub(super) fn is_left_out(reason: Reason) -> bool {
    matches!(reason, Reason::Symlink | Reason::Excluded)
}

fn write_part(report: &Report, page: &mut Page<'_>, title: &str, belongs: fn(Reason) -> bool) -> io::Result<()> {
    let mut groups = Groups::default();
    let mut is_titled = false;
    for problem in report.problems.iter() {
        let problem = problem?;
        if !belongs(problem.reason) {
            continue;
        }
        if !is_titled {
            page.heading(title)?;
            is_titled = true;
        }
        if !groups.holds_evidence_of(&problem) || groups.list.len() >= HELD_GROUPS {
            groups.write(page)?;
        }
        groups.add(problem);
    }
    groups.write(page)
}

/// The problems of one evidence file, those alike together, in the order in which the first of each was met.
#[derive(Default)]
struct Groups {
    evidence: String,
    places: BTreeMap<(String, Reason, String), usize>,
    list: Vec<Group>,
}

struct Group {
    container: String,
    reason: Reason,
    detail: String,
    count: u64,
    bytes: Option<u64>,
    /// The first ones: path, and bytes not read.
    first: Vec<(String, Option<u64>)>,
}

impl Groups {
    fn holds_evidence_of(&self, problem: &Problem) -> bool {
        self.evidence == evidence_of(&problem.artifact)
    }

    fn add(&mut self, problem: Problem) {
        self.evidence = evidence_of(&problem.artifact).to_owned();
        let container = container_of(&problem.artifact).to_owned();
        let key = (container.clone(), problem.reason, problem.detail.clone());
        let place = *self.places.entry(key).or_insert(self.list.len());
        if place == self.list.len() {
            let (reason, detail) = (problem.reason, problem.detail);
            self.list.push(Group { container, reason, detail, count: 0, bytes: None, first: Vec::new() });
        }
        let Some(group) = self.list.get_mut(place) else { return };
        group.count += 1;
        if let Some(bytes) = problem.bytes {
            group.bytes = Some(group.bytes.unwrap_or_default().saturating_add(bytes));
        }
        if group.first.len() < ALIKE {
            group.first.push((problem.artifact, problem.bytes));
        }
    }

    fn write(&mut self, page: &mut Page<'_>) -> io::Result<()> {
        for group in std::mem::take(&mut self.list) {
            group.write(page)?;
        }
        self.places.clear();
        Ok(())
    }
}

impl Group {
    fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.count <= ALIKE as u64 {
            for (path, bytes) in &self.first {
                page.line(2, path)?;
                page.line(6, &format!("{}: {}{}", self.reason, self.detail, unread(*bytes)))?;
            }
            return Ok(());
        }
        page.line(2, &format!("{} in {}", counted(self.count, "problem"), self.container))?;
        page.line(6, &format!("{}: {}{}", self.reason, self.detail, unread(self.bytes)))?;
        for (path, _) in self.first.iter().take(EXAMPLES) {
            page.line(6, path)?;
        }
        page.line(6, &format!("… and {} more (all of them: --format jsonl)", grouped(self.count - EXAMPLES as u64)))
    }
}

fn unread(bytes: Option<u64>) -> String {
    bytes.map(|bytes| format!(" ({} not read)", counted(bytes, "byte"))).unwrap_or_default()
}

fn evidence_of(artifact: &str) -> &str {
    artifact.split_once("!/").map_or(artifact, |(evidence, _)| evidence)
}

/// Returns the container of an artifact, or the folder of an evidence file.
fn container_of(artifact: &str) -> &str {
    match artifact.rsplit_once("!/") {
        Some((container, _)) => container,
        None => artifact.rsplit_once('/').map_or(".", |(folder, _)| folder),
    }
}
