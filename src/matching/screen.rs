//! The first look at a block's bytes: which records may match and are worth parsing. It may only over-approximate.
//!
//! A record is a candidate where an atom stands in its bytes as they are, where an escape or defanging may hide one, where
//! (a plain part of) a pattern stands, or where the rarest needle of a predicate stands.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::observable::TOKEN_BEGINNINGS;
use crate::observable::candidates::Level;
use crate::observable::decoding::{Unfolded, Unfolder, hints, unfold};
use crate::observable::tokens::Shapes;
use crate::record::{Block, Span};

use super::atoms::AtomTable;
use super::filter::Filter;
use super::patterns::Patterns;
use super::predicate::{FieldTest, needles};
use super::probe::{Found, Probe};
use super::scanners::{Scanners, Screened};
use super::token::TokenTable;

/// How much of a token's header is looked at.
const HEADER_BYTES: usize = 96;

/// What can be seen of a ruleset in raw bytes.
#[derive(Debug)]
pub(super) struct Screen {
    filter: Filter,
    shapes: Shapes,
    /// Which instructions the sweep uses.
    pub level: Level,
    has_regex: bool,
    tokens: Option<AhoCorasick>,
    /// Whether something may hold of a record in whose raw bytes nothing tells.
    is_blind: bool,
    words: Option<AhoCorasick>,
    word_count: usize,
    /// For each record leaf, for each of its predicates that have needles, the indexes of these needles in `words`.
    leaves: Vec<Vec<Vec<usize>>>,
}

impl Screen {
    /// Prepares the screen for the atoms, patterns and record leaves of a ruleset.
    pub fn new(
        atoms: &AtomTable,
        patterns: &Patterns,
        leaves: &[Vec<FieldTest>],
        tokens: &TokenTable,
    ) -> Result<Self, String> {
        let mut words: Vec<String> = Vec::new();
        let leaves = leaves
            .iter()
            .map(|tests| {
                let with_needles = tests.iter().map(needles).filter(|needles| !needles.is_empty());
                with_needles
                    .map(|needles| needles.into_iter().map(|needle| index_of(&mut words, needle)).collect())
                    .collect()
            })
            .collect();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).build(&words).map_err(|error| error.to_string())?;
        // The kind of matches for which the automaton looks at many bytes at once first.
        let beginnings = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(TOKEN_BEGINNINGS);
        let tokens = (!tokens.is_empty()).then(beginnings).transpose();
        Ok(Self {
            filter: Filter::new(atoms),
            tokens: tokens.map_err(|error| error.to_string())?,
            shapes: atoms.shapes(),
            level: Level::detect(),
            has_regex: patterns.has_regex,
            // A pack's own YARA rule may hold without any of its strings.
            is_blind: patterns.has_rules() || patterns.is_hidden,
            words: Some(automaton),
            word_count: words.len(),
            leaves,
        })
    }

    /// Returns the records of a block that may match, in order, each once.
    pub fn candidates(
        &self,
        block: &dyn Block,
        atoms: &AtomTable,
        scanners: &mut Scanners<'_>,
        unfolder: &mut Unfolder,
    ) -> Result<Vec<Span>, String> {
        let bytes = block.bytes();
        if self.is_blind || self.leaves.iter().any(Vec::is_empty) {
            return Ok(every_record(block));
        }
        let mut offsets = Vec::new();
        let mut hidden: Vec<Range<usize>> = Vec::new();
        let mut known = 0..0;
        self.probe(bytes, atoms).run(&mut |at, found| {
            // Of a record that is searched anyway, nothing more is asked.
            if known.contains(&at) || found == Found::Hidden && hidden.last().is_some_and(|last| last.contains(&at)) {
                return;
            }
            let Some(range) = block.range_at(at) else { return };
            match found {
                Found::Atom => {
                    offsets.push(at);
                    known = range;
                }
                Found::Hidden => hidden.push(range),
            }
        });
        if self.has_regex {
            // Escapes change what an expression sees.
            let mut end = 0;
            for at in memchr::memchr_iter(b'\\', bytes) {
                if at >= end
                    && let Some(range) = block.range_at(at)
                {
                    end = range.end;
                    hidden.push(range);
                }
            }
            offsets.extend(memchr::memmem::find_iter(bytes, b"\"\""));
        }
        self.words(bytes, &mut offsets);
        self.token_candidates(bytes, &mut |at| offsets.push(at));
        // An expression may begin to match in a record before the one that it matches in.
        let screened =
            scanners.screen(bytes, &mut |range| each_record(block, range, &mut |offset| offsets.push(offset)))?;
        if screened == Screened::Cut {
            return Ok(every_record(block));
        }
        offsets.sort_unstable();
        hidden.sort_unstable_by_key(|range| range.start);
        hidden.dedup();
        let mut shown = Vec::new();
        for range in hidden {
            let next = offsets.partition_point(|offset| *offset < range.start);
            if offsets.get(next).is_none_or(|offset| *offset >= range.end)
                && self.shows(bytes.get(range.clone()).unwrap_or_default(), atoms, scanners, unfolder)?
            {
                shown.push(range.start);
            }
        }
        offsets.append(&mut shown);
        offsets.sort_unstable();
        let mut spans: Vec<Span> = Vec::new();
        for offset in offsets {
            if spans.last().is_none_or(|last| offset >= last.range.end)
                && let Some(span) = block.record_at(offset)
                && spans.last() != Some(&span)
            {
                spans.push(span);
            }
        }
        Ok(spans)
    }

    fn probe<'p>(&'p self, text: &'p [u8], atoms: &'p AtomTable) -> Probe<'p> {
        Probe { text, atoms, filter: &self.filter, shapes: self.shapes, level: self.level }
    }

    /// Tells whether something may stand in a record once its encodings are undone.
    fn shows(
        &self,
        raw: &[u8],
        atoms: &AtomTable,
        scanners: &mut Scanners<'_>,
        unfolder: &mut Unfolder,
    ) -> Result<bool, String> {
        let mut shows = false;
        let mut error = None;
        let unfolded = unfold(raw, unfolder, &mut |reading| {
            if shows {
                return;
            }
            self.probe(reading, atoms).run(&mut |_, found| shows |= found == Found::Atom);
            self.token_candidates(reading, &mut |_| shows = true);
            shows |= !self.leaves.is_empty() && self.words.as_ref().is_some_and(|words| words.is_match(reading));
            if !shows {
                match scanners.screen(reading, &mut |_| shows = true) {
                    Ok(screened) => shows |= screened == Screened::Cut,
                    Err(problem) => error = Some(problem),
                }
            }
        });
        match error {
            Some(error) => Err(error),
            // What was not undone is told by the evaluation, which meets the same limit.
            None => Ok(shows || unfolded == Unfolded::Cut),
        }
    }

    /// Calls `each` with every place where a token may begin, if some indicator asks for tokens.
    fn token_candidates(&self, text: &[u8], each: &mut dyn FnMut(usize)) {
        let Some(beginnings) = &self.tokens else { return };
        for found in beginnings.find_iter(text) {
            let rest = text.get(found.start()..text.len().min(found.start() + HEADER_BYTES)).unwrap_or_default();
            let run = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'/'));
            // Three letters are often chance; what they begin is text.
            if hints::is_base64_text(rest.get(..run.count()).unwrap_or_default()) {
                each(found.start());
            }
        }
    }

    /// Notes for each record leaf the places of its rarest needle.
    fn words(&self, bytes: &[u8], offsets: &mut Vec<usize>) {
        let Some(words) = &self.words else { return };
        if self.leaves.is_empty() {
            return;
        }
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); self.word_count];
        for found in words.find_overlapping_iter(bytes) {
            if let Some(list) = places.get_mut(found.pattern().as_usize()) {
                list.push(found.start());
            }
        }
        let count = |needles: &[usize]| needles.iter().filter_map(|&n| places.get(n)).map(Vec::len).sum::<usize>();
        for leaf in &self.leaves {
            if let Some(rarest) = leaf.iter().min_by_key(|needles| count(needles)) {
                offsets.extend(rarest.iter().filter_map(|&n| places.get(n)).flatten());
            }
        }
    }
}

fn index_of(words: &mut Vec<String>, word: String) -> usize {
    let word = word.to_ascii_lowercase();
    words.iter().position(|known| *known == word).unwrap_or_else(|| {
        words.push(word);
        words.len() - 1
    })
}

/// Calls `each` with an offset in every record that a range touches.
fn each_record(block: &dyn Block, range: Range<usize>, each: &mut dyn FnMut(usize)) {
    each(range.start);
    each(range.end.saturating_sub(1).max(range.start));
    let within = block.bytes().get(range.clone()).unwrap_or_default();
    // Records end with lines or hold several: a line's beginning never lies outside the record that it belongs to.
    for at in memchr::memchr_iter(b'\n', within) {
        each(range.start + at + 1);
    }
}

/// Returns every record of a block.
pub(super) fn every_record(block: &dyn Block) -> Vec<Span> {
    let bytes = block.bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match block.record_at(at) {
            Some(span) => {
                at = span.range.end.max(at + 1);
                spans.push(span);
            }
            // Between records stands little: `}, {`, an empty line, a header.
            None => at += 1,
        }
    }
    spans
}
