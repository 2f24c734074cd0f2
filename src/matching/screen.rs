//! The first look at a block's bytes: which records may match and are worth parsing. It may only over-approximate.
//!
//! A record is a candidate where an atom stands in its bytes as they are, where an escape or defanging may hide one, where
//! (a plain part of) a pattern stands, or where the rarest needle of a predicate stands.

use std::ops::Range;

use aho_corasick::AhoCorasick;

use crate::observable::tokens::{Reading, Shapes, tokens};
use crate::record::{Block, Span};

use super::atoms::AtomTable;
use super::patterns::{Patterns, Scanners};
use super::predicate::{FieldTest, needles};
use super::token::TokenTable;

/// Visible defanging, which is looked for together with the needles of predicates.
const DEFANGING: &[&str] = &["hxxp", "[.]", "[@]"];

/// What the headers of tokens begin with, as they are and in base64 once more at its three alignments.
const TOKENS: &[&str] = &[
    "eyJ", "eyI", "eyA", "eyB", "ewo", "ewp", "ew0", "ew1", "ewk", "ewl", "ZXlK", "V5S", "leUo", "leUp", "leUq", "leUr",
];

/// The longest entity that is looked at.
const ENTITY_BYTES: usize = 12;

/// What can be seen of a ruleset in raw bytes.
#[derive(Debug)]
pub(super) struct Screen {
    shapes: Shapes,
    has_atoms: bool,
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
        let has_atoms = !atoms.entries.is_empty();
        let mut words: Vec<String> = DEFANGING.iter().map(|&word| word.to_owned()).collect();
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
        let tokens = (!tokens.is_empty()).then(|| AhoCorasick::new(TOKENS)).transpose();
        Ok(Self {
            tokens: tokens.map_err(|error| error.to_string())?,
            shapes: atoms.shapes(),
            has_atoms,
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
    ) -> Result<Vec<Span>, String> {
        let bytes = block.bytes();
        if self.is_blind || self.leaves.iter().any(Vec::is_empty) {
            return Ok(every_record(block));
        }
        let mut offsets = Vec::new();
        tokens(bytes, self.shapes, Reading::Escaped, &mut |token, range| {
            let mut is_known = atoms.is_url_host(&token);
            atoms.look_up(bytes, &token, range.clone(), &mut |_, _| is_known = true);
            if is_known {
                offsets.push(range.start);
            }
        });
        self.escapes(bytes, &mut offsets);
        self.words(bytes, &mut offsets);
        self.token_candidates(bytes, &mut offsets);
        // An expression may begin to match in a record before the one that it matches in.
        scanners.screen(bytes, &mut |range| each_record(block, range, &mut |offset| offsets.push(offset)))?;
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

    /// Notes where an escape may hide something: `\u0041`, `%2E`, `&#46;`; any backslash or doubled quote for expressions.
    fn escapes(&self, bytes: &[u8], offsets: &mut Vec<usize>) {
        let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        for at in memchr::memchr3_iter(b'\\', b'%', b'&', bytes) {
            let next = bytes.get(at + 1).copied().unwrap_or_default();
            let hides = match bytes.get(at) {
                Some(b'\\') => self.has_regex || next == b'u',
                Some(b'%') => hex(at + 1) && hex(at + 2),
                _ => next == b'#' || next.is_ascii_alphabetic() && is_entity(bytes.get(at + 1..).unwrap_or_default()),
            };
            if hides {
                offsets.push(at);
            }
        }
        if self.has_regex {
            offsets.extend(memchr::memmem::find_iter(bytes, b"\"\""));
        }
        offsets.extend(memchr::memchr2_iter(0, 0x1b, bytes));
        offsets.extend(memchr::memchr3_iter(0xc2, 0xe2, 0xef, bytes).filter(|&at| begins_unseen(bytes, at)));
    }

    /// Notes where a token may begin, if some indicator asks for tokens.
    fn token_candidates(&self, bytes: &[u8], offsets: &mut Vec<usize>) {
        let Some(beginnings) = &self.tokens else { return };
        offsets.extend(beginnings.find_iter(bytes).map(|found| found.start()));
    }

    /// Notes defanging, and for each record leaf the places of its rarest needle.
    fn words(&self, bytes: &[u8], offsets: &mut Vec<usize>) {
        let Some(words) = &self.words else { return };
        if !self.has_atoms && self.leaves.is_empty() {
            return;
        }
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); self.word_count];
        for found in words.find_overlapping_iter(bytes) {
            if let Some(list) = places.get_mut(found.pattern().as_usize()) {
                list.push(found.start());
            }
        }
        if self.has_atoms {
            offsets.extend(places.iter().take(DEFANGING.len()).flatten());
        }
        let count = |needles: &[usize]| needles.iter().filter_map(|&n| places.get(n)).map(Vec::len).sum::<usize>();
        for leaf in &self.leaves {
            if let Some(rarest) = leaf.iter().min_by_key(|needles| count(needles)) {
                offsets.extend(rarest.iter().filter_map(|&n| places.get(n)).flatten());
            }
        }
    }
}

/// Tells whether the UTF-8 at `at` is a soft hyphen, a zero-width character or a mark that turns text round.
fn begins_unseen(bytes: &[u8], at: usize) -> bool {
    let next = |n: usize| bytes.get(at + n).copied().unwrap_or_default();
    match (next(0), next(1), next(2)) {
        (0xc2, 0xad | 0x9b, _) | (0xef, 0xbb, 0xbf) => true,
        (0xe2, 0x80, third) => matches!(third, 0x8b..=0x8f | 0xa8..=0xae),
        (0xe2, 0x81, third) => third >= 0xa0,
        _ => false,
    }
}

fn index_of(words: &mut Vec<String>, word: String) -> usize {
    let word = word.to_ascii_lowercase();
    words.iter().position(|known| *known == word).unwrap_or_else(|| {
        words.push(word);
        words.len() - 1
    })
}

fn is_entity(after: &[u8]) -> bool {
    let name = after.iter().take(ENTITY_BYTES).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    after.get(name) == Some(&b';')
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
                at = span.range.end.max(at) + 1;
                spans.push(span);
            }
            None => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            }
        }
    }
    spans
}
