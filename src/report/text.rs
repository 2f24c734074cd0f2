//! The report for people: the answer first, then each finding, then what was not looked at, then the account of it all.
//!
//! Whatever comes from evidence or packs is escaped by [`page::Page`], where it is written.

mod account;
mod findings;
mod found;
mod page;
mod problems;
mod verdict;

use std::io::{self, Write};

use self::found::Found;
use self::page::{Page, counted};
use super::{Renderer, Report, Style};

/// The first line of the report. It marks a file as our own, so that its quotes of indicators are mentions.
const HEADER: &str = "Stormglass report";

/// Plain text, for people.
pub(super) struct Text;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn describes(&self) -> &'static str {
        "for people: the answer, the findings, what was not examined, the ledger"
    }

    fn render(&self, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let found = Found::gather(report)?;
        let mut page = Page::new(out, style.colour);
        page.line(0, HEADER)?;
        let verdict = verdict::verdict(report, &found);
        let mut sentences = verdict.sentences.iter();
        page.emphasised(verdict.grade, verdict.first_word, sentences.next().map_or("", String::as_str))?;
        for sentence in sentences {
            page.line(0, sentence)?;
        }
        write_packs(report, &mut page)?;
        findings::write(&found, &mut page)?;
        problems::write(report, &mut page)?;
        write_notes(report, &mut page)?;
        account::write_ledger(report, &mut page)?;
        account::write_coverage(report, style.coverage, &mut page)?;
        account::write_evidence(report, &mut page)
    }
}

fn write_packs(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("SEARCHED FOR")?;
    if report.packs.is_empty() {
        page.line(2, "nothing: no pack was loaded")?;
    }
    for pack in &report.packs {
        page.line(2, &format!("{}: {}", pack.name, counted(pack.indicators, "indicator")))?;
        if let Some((id, title)) = &pack.advisory {
            page.line(6, &format!("{id}, {title}"))?;
        }
    }
    Ok(())
}

fn write_notes(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.notes.is_empty() {
        return Ok(());
    }
    page.heading("NOTES  what the evidence may lack")?;
    for note in &report.notes {
        match &note.artifact {
            Some(artifact) => {
                page.line(2, artifact)?;
                page.line(6, &format!("{}: {}", note.code, note.detail))?;
            }
            None => page.line(2, &format!("{}: {}", note.code, note.detail))?,
        }
    }
    Ok(())
}
