//! Literal texts in raw bytes, in any letter case: in which records all that something needs stands together.
//!
//! Of each demand the text that is likely the rarest is searched for, and of it only the rarest few bytes, for which there
//! are vector instructions; the rest is compared where these stand. It may find too much, as letter case may count.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, Span, packed};

/// What a record must hold: of each of these sets one text at least.
pub(super) type Demand = Vec<Vec<String>>;

/// So many bytes of a text are searched for. Vector instructions compare no more at once.
const WINDOW_BYTES: usize = 4;
/// From this length on a text is likely one of those that were meant.
const LONG_BYTES: usize = 8;
/// The most spellings of windows that vector instructions look for at once. Source: aho-corasick, `packed`.
const PACKED_SPELLINGS: usize = 64;
/// How often a text is searched with vector instructions, before an automaton costs less.
const PACKED_SEARCHES: usize = 4;

/// Demands, and how they are searched for.
#[derive(Debug, Default)]
pub(super) struct Needles {
    texts: Vec<Text>,
    demands: Vec<Vec<Vec<usize>>>,
    /// For each window, the texts that it is a part of.
    anchors: Vec<Vec<Anchor>>,
    /// The first windows, each in every spelling, and the window of each pattern.
    packed: Vec<(packed::Searcher, Vec<usize>)>,
    /// The others, and the window of each pattern.
    automaton: Option<(AhoCorasick, Vec<usize>)>,
}

/// One text, in lower case.
#[derive(Debug)]
struct Text {
    lower: Vec<u8>,
    /// Its byte that is likely the rarest.
    rarest: usize,
}

/// A text that a window is a part of.
#[derive(Debug)]
struct Anchor {
    text: usize,
    /// Where the window stands in the text.
    offset: usize,
    demands: Vec<usize>,
}

impl Text {
    fn len(&self) -> usize {
        self.lower.len()
    }

    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        bytes.get(at..at + self.len()).is_some_and(|have| have.eq_ignore_ascii_case(&self.lower))
    }

    fn stands_in(&self, bytes: &[u8]) -> bool {
        let byte = self.lower.get(self.rarest).copied().unwrap_or_default();
        let is_here = |at: usize| at.checked_sub(self.rarest).is_some_and(|at| self.is_at(bytes, at));
        memchr::memchr2_iter(byte, byte.to_ascii_uppercase(), bytes).any(is_here)
    }

    /// Returns where its window stands in it, which is likely the rarest there is, and how common that is.
    fn window(&self) -> (Range<usize>, u32) {
        let width = WINDOW_BYTES.min(self.len());
        let windows = self.lower.windows(width.max(1)).enumerate();
        let ranked = windows.map(|(at, window)| (commonness_of(window), Reverse(at)));
        let (commonness, Reverse(at)) = ranked.min().unwrap_or((0, Reverse(0)));
        // Short words are common, whatever they are made of.
        (at..at + width, commonness + if self.len() < LONG_BYTES { 8 } else { 0 })
    }
}

/// Which texts stand in one record, as far as that was asked.
struct Record<'n> {
    needles: &'n Needles,
    range: Range<usize>,
    /// For each text the record that it was looked for in, by its end, and whether it stands there.
    known: Vec<(usize, bool)>,
    is_told: bool,
}

impl Record<'_> {
    fn holds(&mut self, demand: usize, bytes: &[u8]) -> bool {
        let record = bytes.get(self.range.clone()).unwrap_or_default();
        let needles = self.needles;
        // Most bytes come without a place to ask about.
        if self.known.is_empty() {
            self.known.resize(needles.texts.len(), (0, false));
        }
        let mut stands = |text: &usize| match (self.known.get_mut(*text), needles.texts.get(*text)) {
            (Some(known), _) if known.0 == self.range.end => known.1,
            (Some(known), Some(text)) => {
                *known = (self.range.end, text.stands_in(record));
                known.1
            }
            _ => true,
        };
        needles.demands.get(demand).is_some_and(|sets| sets.iter().all(|set| set.iter().any(&mut stands)))
    }
}

impl Needles {
    /// Prepares a search. A demand without a set, or with an empty text, can not be searched for.
    ///
    /// # Errors
    /// What the automaton failed with.
    pub fn new(demands: impl IntoIterator<Item = Demand>) -> Result<Self, String> {
        let mut needles = Self::default();
        let mut windows: Vec<Vec<u8>> = Vec::new();
        let (mut known_texts, mut known_windows) = (HashMap::new(), HashMap::new());
        for sets in demands {
            let mut sets: Vec<Vec<usize>> = sets
                .into_iter()
                .map(|set| set.iter().map(|text| needles.index_of(text, &mut known_texts)).collect())
                .collect();
            let demand = needles.demands.len();
            let commonness = |set: &&Vec<usize>| {
                set.iter().filter_map(|text| needles.texts.get(*text)).map(|text| text.window().1).max()
            };
            let rarest = sets.iter().min_by_key(commonness).cloned().unwrap_or_default();
            // Longer texts are rarer: what is not there is soon known.
            sets.sort_by_key(|set| {
                Reverse(set.iter().filter_map(|text| needles.texts.get(*text)).map(Text::len).min())
            });
            needles.demands.push(sets);
            rarest.into_iter().for_each(|text| needles.anchor(text, demand, &mut windows, &mut known_windows));
        }
        needles.build(&windows)?;
        Ok(needles)
    }

    fn index_of(&mut self, text: &str, known: &mut HashMap<Vec<u8>, usize>) -> usize {
        let lower = text.to_ascii_lowercase().into_bytes();
        *known.entry(lower).or_insert_with_key(|lower| {
            let rarest = lower.iter().enumerate().min_by_key(|(_, byte)| commonness(**byte)).map_or(0, |(at, _)| at);
            self.texts.push(Text { lower: lower.clone(), rarest });
            self.texts.len() - 1
        })
    }

    fn anchor(
        &mut self,
        text: usize,
        demand: usize,
        windows: &mut Vec<Vec<u8>>,
        known_windows: &mut HashMap<Vec<u8>, usize>,
    ) {
        let Some(known) = self.texts.get(text) else { return };
        let (range, _) = known.window();
        let offset = range.start;
        let window = known.lower.get(range).unwrap_or_default().to_vec();
        let index = *known_windows.entry(window).or_insert_with_key(|window| {
            windows.push(window.clone());
            self.anchors.push(Vec::new());
            windows.len() - 1
        });
        let Some(anchors) = self.anchors.get_mut(index) else { return };
        match anchors.iter_mut().find(|anchor| anchor.text == text) {
            Some(anchor) => anchor.demands.push(demand),
            None => anchors.push(Anchor { text, offset, demands: vec![demand] }),
        }
    }

    fn build(&mut self, windows: &[Vec<u8>]) -> Result<(), String> {
        let mut left = Vec::new();
        let mut chunk: Vec<(usize, Vec<u8>)> = Vec::new();
        for (index, window) in windows.iter().enumerate() {
            if window.len() != WINDOW_BYTES || self.packed.len() == PACKED_SEARCHES {
                left.push((index, window));
                continue;
            }
            let spelled = spellings(window);
            if chunk.len() + spelled.len() > PACKED_SPELLINGS {
                left.extend(
                    self.pack(std::mem::take(&mut chunk)).into_iter().filter_map(|n| Some((n, windows.get(n)?))),
                );
            }
            chunk.extend(spelled.into_iter().map(|spelling| (index, spelling)));
        }
        left.extend(self.pack(chunk).into_iter().filter_map(|n| Some((n, windows.get(n)?))));
        if !left.is_empty() {
            let texts = left.iter().map(|(_, window)| window);
            let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(texts);
            let numbers = left.iter().map(|(index, _)| *index).collect();
            self.automaton = Some((automaton.map_err(|error| error.to_string())?, numbers));
        }
        Ok(())
    }

    /// Adds a search for spelled windows, and returns the windows that are left to the automaton, as where the machine has
    /// no vector instructions.
    fn pack(&mut self, spelled: Vec<(usize, Vec<u8>)>) -> Vec<usize> {
        let (mut numbers, texts): (Vec<usize>, Vec<Vec<u8>>) = spelled.into_iter().unzip();
        let room = self.packed.len() < PACKED_SEARCHES;
        if let Some(searcher) = packed::Searcher::new(texts).filter(|_| room) {
            self.packed.push((searcher, numbers));
            return Vec::new();
        }
        numbers.dedup();
        numbers
    }

    /// Calls `each` with a place in every record in which all of some demand stands. `range_at` tells which record a place
    /// belongs to.
    pub fn find(&self, bytes: &[u8], range_at: &dyn Fn(usize) -> Option<Range<usize>>, each: &mut dyn FnMut(usize)) {
        let mut record = Record { needles: self, range: 0..0, known: Vec::new(), is_told: false };
        self.each_window(bytes, &mut |window, at| {
            for anchor in self.anchors.get(window).into_iter().flatten() {
                let Some(at) = at.checked_sub(anchor.offset) else { continue };
                let is_known = record.range.contains(&at);
                if is_known && record.is_told || !self.texts.get(anchor.text).is_some_and(|text| text.is_at(bytes, at))
                {
                    continue;
                }
                if !is_known {
                    let Some(range) = range_at(at) else { continue };
                    (record.range, record.is_told) = (range, false);
                }
                if anchor.demands.iter().any(|demand| record.holds(*demand, bytes)) {
                    record.is_told = true;
                    each(at);
                }
            }
        });
    }

    fn each_window(&self, bytes: &[u8], each: &mut dyn FnMut(usize, usize)) {
        for (searcher, windows) in &self.packed {
            let mut from = 0;
            // All are of one length, so that no two begin at one place; but the next may begin inside the last.
            while let Some(found) = searcher.find_in(bytes, Span::from(from..bytes.len())) {
                from = found.start() + 1;
                if let Some(window) = windows.get(found.pattern().as_usize()) {
                    each(*window, found.start());
                }
            }
        }
        if let Some((automaton, windows)) = &self.automaton {
            for found in automaton.find_overlapping_iter(bytes) {
                if let Some(window) = windows.get(found.pattern().as_usize()) {
                    each(*window, found.start());
                }
            }
        }
    }
}

/// Returns every spelling of a text in lower case.
fn spellings(lower: &[u8]) -> Vec<Vec<u8>> {
    lower.iter().fold(vec![Vec::new()], |begun, byte| {
        let upper = Some(byte.to_ascii_uppercase()).filter(|upper| upper != byte);
        let forms = [Some(*byte), upper].into_iter().flatten();
        forms.flat_map(|form| begun.iter().map(move |text| [text.as_slice(), &[form]].concat())).collect()
    })
}

/// Returns how common a byte is in logs and mail, in either letter case: the lower the rarer. Letters cost another spelling.
fn commonness(lower: u8) -> u32 {
    match lower {
        b' ' | b'-' | b'.' | b',' | b':' | b'"' | b'=' | b'/' => 7,
        b'0'..=b'9' => 3,
        b'j' | b'k' | b'q' | b'v' | b'w' | b'x' | b'y' | b'z' => 4,
        b'a' | b'e' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 7,
        b'a'..=b'z' => 6,
        _ => 2,
    }
}

fn commonness_of(window: &[u8]) -> u32 {
    // `0000` stands where `4827` does not, and of short texts there is no rare one.
    let repeats = |at: usize, byte: &u8| window.iter().take(at).any(|before| before == byte);
    let bytes = window.iter().enumerate().map(|(at, byte)| commonness(*byte) + if repeats(at, byte) { 3 } else { 0 });
    let missing = (window.len()..WINDOW_BYTES).map(|_| 100);
    bytes.chain(missing).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(sets: &[&[&str]]) -> Demand {
        sets.iter().map(|set| set.iter().map(|&text| text.to_owned()).collect()).collect()
    }

    /// Returns the lines in which some demand is found.
    fn found(demands: &[Demand], text: &str) -> Vec<String> {
        let needles = Needles::new(demands.iter().cloned()).unwrap();
        let line_at = |at: usize| {
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            Some(start..text[at..].find('\n').map_or(text.len(), |end| at + end))
        };
        let mut lines = Vec::new();
        needles.find(text.as_bytes(), &line_at, &mut |at| lines.push(text[line_at(at).unwrap()].to_owned()));
        lines.sort();
        lines.dedup();
        lines
    }

    #[test]
    fn all_of_a_demand_stands_in_one_record_in_any_case() {
        let sync = demand(&[&["MailItemsAccessed"], &["Sync", "Bind"]]);
        let text =
            "mailitemsaccessed\nMAILITEMSACCESSED bind\nSync MailItemsAccesse\nSync MailItemsAccessed Sync\nSync";
        assert_eq!(found(&[sync], text), ["MAILITEMSACCESSED bind", "Sync MailItemsAccessed Sync"]);
    }

    #[test]
    fn windows_that_overlap_and_short_texts_are_all_found() {
        let one = |text: &str| demand(&[&[text]]);
        for (demands, text) in [
            (vec![one("1234"), one("3456")], "123456"),
            (vec![one("a1234"), one("1234b")], "x1234b"),
            (vec![one("a1234"), one("1234b")], "A1234"),
            (vec![one("ab")], "xAbx"),
            (vec![one("a"), one("12345")], "bcA"),
            (vec![one("aaaab")], "aaaaaab"),
            (vec![one("zzzz")], "zzzzz"),
        ] {
            assert_eq!(found(&demands, text), [text], "{demands:?}");
        }
        assert!(found(&[one("12345"), one("ab")], "1234 a b").is_empty());
    }

    #[test]
    fn many_texts_are_found_as_few_are() {
        let texts: Vec<String> = (0..500).map(|n| format!("needle-{n}-end")).collect();
        let demands: Vec<Demand> = texts.iter().map(|text| demand(&[&[text]])).collect();
        for text in &texts {
            assert_eq!(found(&demands, &format!("x {} y", text.to_uppercase())).len(), 1, "{text}");
        }
        assert!(found(&demands, "needle-500-end needle-7-en").is_empty());
    }
}
