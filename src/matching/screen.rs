//! The first look at a block's bytes: which records may match and are worth parsing. It may only over-approximate.
//!
//! A record is a candidate where an atom stands in its bytes as they are, where an escape or defanging may hide one, where
//! all plain parts of a pattern stand, or where needles of all predicates of a record leaf stand.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::observable::TOKEN_BEGINNINGS;
use crate::observable::candidates::Level;
use crate::observable::decoding::{Runs, Unfolded, Unfolder, hints, unfold};
use crate::observable::tokens::Shapes;
use crate::record::{Block, Span};
use crate::text::{JOINED_BYTES, goes_on, is_middle, line_before, may_go_on};

use super::atoms::AtomTable;
use super::filter::Filter;
use super::needles::{Demand, Needles};
use super::patterns::{Pattern, Patterns};
use super::predicate::{FieldTest, needles};
use super::probe::{Found, Probe};
use super::scanners::{Scanners, Screened};
use super::token::TokenTable;

/// How much of a token's header is looked at.
const HEADER_BYTES: usize = 96;

/// What can be seen of a ruleset in raw bytes.
#[derive(Debug)]
pub(super) struct Screen {
    pub filter: Filter,
    shapes: Shapes,
    /// Which instructions the sweep uses.
    pub level: Level,
    has_regex: bool,
    tokens: Option<AhoCorasick>,
    /// Whether something may hold of a record in whose raw bytes nothing tells.
    is_blind: bool,
    /// What texts, spellings and record leaves need.
    needles: Needles,
    /// For each pattern, whether it needs no text that stands as it is.
    by_scanner: Vec<bool>,
    /// The needles of record leaves, which may stand apart from each other.
    words: AhoCorasick,
    word_count: usize,
    /// For each record leaf, for each of its predicates that have needles, the indexes of these needles in `words`.
    leaves: Vec<Vec<Vec<usize>>>,
}

/// A record that may match.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub span: Span,
    /// What it may match by.
    pub by: Suspicion,
}

/// What a record may match by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Anything.
    All,
    /// Patterns and record leaves: in no reading of it stands an atom that has a shape, or a token.
    Patterns,
}

impl Suspicion {
    /// Returns what is known of runs in the record: where one may hold text, anything is suspected.
    pub fn runs(self) -> Runs {
        if self == Self::Patterns { Runs::HoldNoText } else { Runs::MayHoldText }
    }
}

impl Screen {
    /// Prepares the screen for the atoms, patterns and record leaves of a ruleset, with the filter of these atoms if it is
    /// known.
    pub fn new(
        atoms: &AtomTable,
        patterns: &Patterns,
        leaves: &[Vec<FieldTest>],
        tokens: &TokenTable,
        known: Option<Filter>,
    ) -> Result<Self, String> {
        let mut words: Vec<String> = Vec::new();
        let of_leaf = |tests: &Vec<FieldTest>| -> Demand {
            tests.iter().map(needles).filter(|needles| !needles.is_empty()).collect()
        };
        let of_leaves: Vec<Demand> = leaves.iter().map(of_leaf).collect();
        let number = |set: &Vec<String>, words: &mut Vec<String>| -> Vec<usize> {
            set.iter().map(|needle| index_of(words, needle)).collect()
        };
        let leaves = of_leaves.iter().map(|sets| sets.iter().map(|set| number(set, &mut words)).collect()).collect();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).build(&words).map_err(|error| error.to_string())?;
        let of_patterns: Vec<Option<Demand>> = patterns.patterns.iter().map(Pattern::needles).collect();
        let by_scanner = of_patterns.iter().map(Option::is_none).collect();
        let needles = Needles::new(of_leaves.into_iter().chain(of_patterns.into_iter().flatten()))?;
        // None begins another, so that the first one found is each one; only so are vector instructions used.
        let beginnings = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(TOKEN_BEGINNINGS);
        let tokens = (!tokens.is_empty()).then(beginnings).transpose();
        Ok(Self {
            filter: known.filter(|known| known.passes_sample(atoms)).unwrap_or_else(|| Filter::new(atoms)),
            tokens: tokens.map_err(|error| error.to_string())?,
            shapes: atoms.shapes(),
            level: Level::detect(),
            has_regex: patterns.has_regex,
            // A pack's own YARA rule may hold without any of its strings.
            is_blind: patterns.has_rules() || patterns.is_hidden,
            needles,
            by_scanner,
            words: automaton,
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
    ) -> Result<Vec<Candidate>, String> {
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
        self.token_candidates(bytes, &mut |at| offsets.push(at));
        let mut of_all = offsets.clone();
        self.needles.find(bytes, &|at| block.range_at(at), &mut |at| offsets.push(at));
        // An expression may begin to match in a record before the one that it matches in.
        let screened = scanners.screen(bytes, &self.by_scanner, &mut |range| {
            each_record(block, range, &mut |offset| offsets.push(offset));
        })?;
        if screened == Screened::Cut {
            return Ok(every_record(block));
        }
        offsets.sort_unstable();
        hidden.sort_unstable_by_key(|range| range.start);
        hidden.dedup();
        of_all.extend(hidden.iter().map(|range| range.start));
        of_all.sort_unstable();
        let mut shown = Vec::new();
        for range in hidden {
            let next = offsets.partition_point(|offset| *offset < range.start);
            if offsets.get(next).is_none_or(|offset| *offset >= range.end)
                && self.shows(bytes.get(going_on(bytes, &range)).unwrap_or_default(), atoms, scanners, unfolder)?
            {
                shown.push(range.start);
            }
        }
        offsets.append(&mut shown);
        offsets.sort_unstable();
        let mut candidates: Vec<Candidate> = Vec::new();
        for offset in offsets {
            if candidates.last().is_none_or(|last| offset >= last.span.range.end)
                && let Some(span) = block.record_at(offset)
                && candidates.last().is_none_or(|last| last.span != span)
            {
                let next = of_all.partition_point(|offset| *offset < span.range.start);
                let is_within = of_all.get(next).is_some_and(|offset| *offset < span.range.end);
                let by = if is_within { Suspicion::All } else { Suspicion::Patterns };
                candidates.push(Candidate { span, by });
            }
        }
        Ok(candidates)
    }

    fn probe<'p>(&'p self, text: &'p [u8], atoms: &'p AtomTable) -> Probe<'p> {
        Probe { text, atoms, filter: &self.filter, shapes: self.shapes, level: self.level }
    }

    /// Tells whether an atom may stand in a text as it is.
    pub fn may_hold_atom(&self, text: &[u8], atoms: &AtomTable) -> bool {
        let mut is_found = false;
        self.probe(text, atoms).run(&mut |_, found| is_found |= found == Found::Atom);
        is_found
    }

    /// Tells whether a token may stand in a text as it is.
    pub fn may_hold_token(&self, text: &[u8]) -> bool {
        let mut is_found = false;
        self.token_candidates(text, &mut |_| is_found = true);
        is_found
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
        let mut words = vec![false; self.word_count];
        self.note_words(raw, &mut words);
        let unfolded = unfold(raw, unfolder, &mut |reading| {
            if shows {
                return;
            }
            shows |= self.may_hold_atom(reading, atoms) || self.may_hold_token(reading);
            self.note_words(reading, &mut words);
            self.needles.find(reading, &|_| Some(0..reading.len()), &mut |_| shows = true);
            if !shows {
                match scanners.screen(reading, &self.by_scanner, &mut |_| shows = true) {
                    Ok(screened) => shows |= screened == Screened::Cut,
                    Err(problem) => error = Some(problem),
                }
            }
        });
        match error {
            Some(error) => Err(error),
            // What was not undone is told by the evaluation, which meets the same limit.
            None => Ok(shows || unfolded == Unfolded::Cut || self.may_hold(&words)),
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

    /// Notes which needles of record leaves stand in a text.
    fn note_words(&self, text: &[u8], words: &mut [bool]) {
        if words.is_empty() {
            return;
        }
        for found in self.words.find_overlapping_iter(text) {
            if let Some(word) = words.get_mut(found.pattern().as_usize()) {
                *word = true;
            }
        }
    }

    /// Tells whether all that some record leaf needs was noted. The fields of a record may each stand in another reading.
    fn may_hold(&self, words: &[bool]) -> bool {
        let is_noted = |word: &usize| words.get(*word).is_some_and(|noted| *noted);
        self.leaves.iter().any(|sets| sets.iter().all(|set| set.iter().any(is_noted)))
    }
}

fn index_of(words: &mut Vec<String>, word: &str) -> usize {
    let word = word.to_ascii_lowercase();
    words.iter().position(|known| *known == word).unwrap_or_else(|| {
        words.push(word);
        words.len() - 1
    })
}

/// Adds to a record that is a line those behind it with which its last word goes on. What is the middle of such a word was
/// looked at from its beginning.
fn going_on(bytes: &[u8], record: &Range<usize>) -> Range<usize> {
    let is_word = |line: &[u8]| !line.trim_ascii().iter().any(u8::is_ascii_whitespace);
    let line = bytes.get(record.clone()).unwrap_or_default();
    let is_within = || line_before(bytes, record.start).is_some_and(|before| is_middle(before, line));
    if !may_go_on(line) || is_word(line) && is_within() {
        return record.clone();
    }
    let (mut last, mut end) = (line, record.end);
    while end - record.start < JOINED_BYTES {
        let behind = bytes.get(end..).unwrap_or_default();
        let Some(start) = memchr::memchr(b'\n', behind.get(..2.min(behind.len())).unwrap_or_default()) else { break };
        let next = behind.get(start + 1..).unwrap_or_default();
        let next = next.get(..memchr::memchr(b'\n', next).unwrap_or(next.len())).unwrap_or_default();
        let next = next.strip_suffix(b"\r").unwrap_or(next);
        if !goes_on(last, next) {
            break;
        }
        end += start + 1 + next.len();
        last = if is_word(next) { next } else { &[] };
    }
    record.start..end
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
pub(super) fn every_record(block: &dyn Block) -> Vec<Candidate> {
    let bytes = block.bytes();
    let mut candidates = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match block.record_at(at) {
            Some(span) => {
                at = span.range.end.max(at + 1);
                candidates.push(Candidate { span, by: Suspicion::All });
            }
            // Between records stands little: `}, {`, an empty line, a header.
            None => at += 1,
        }
    }
    candidates
}
