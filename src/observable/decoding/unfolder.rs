//! All readings of one text: encodings inside one another undone, bounded in number and bytes.

use std::ops::Range;

use super::encoding::{Encoding, GUESSES, Path, STEPS};
use super::signs::{AMPERSAND, BACKSLASH, BASE64, ESCAPE, HEX, HIGH, PERCENT, ZERO, signs};
use super::{base64, entities, hex, json_escapes, percent, refanged};

/// How often all steps are tried on one text. A link is encoded twice by a redirection; runs of backslashes halve each time.
const ROUNDS: usize = 16;
/// How many readings may come from one another by guesses, base64 and hexadecimal.
const DEPTH: u8 = 8;
/// The most runs of base64 and hexadecimal of one record that are read as text.
const RUNS: usize = 100_000;
/// The most readings of one text.
const READINGS: usize = 1_000;
/// How much may be decoded of one record: in any case, for each of its bytes, and at most.
const FREE_BYTES: usize = 64 << 10;
const TIMES: usize = 40;
const MOST_BYTES: usize = 128 << 20;

/// What kept an encoding from being undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecodingLimit {
    /// Encodings stand inside each other too deep.
    Depth,
    /// There are too many runs or readings.
    Count,
    /// What is decoded is too large.
    Bytes,
}

impl DecodingLimit {
    /// Returns what to tell about it.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Depth => "its text is encoded too often to be decoded to the end",
            Self::Count => "it holds too many encoded values to decode all of them",
            Self::Bytes => "its encoded values are too large to decode all of them",
        }
    }
}

/// What may still be decoded of one record.
#[derive(Clone, Debug)]
pub struct Allowance {
    bytes: usize,
    runs: usize,
    /// The limit that was met first.
    pub met: Option<DecodingLimit>,
}

impl Allowance {
    /// Makes what a record of so many bytes may take.
    pub fn of(record_bytes: usize) -> Self {
        let bytes = record_bytes.saturating_mul(TIMES).saturating_add(FREE_BYTES).min(MOST_BYTES);
        Self { bytes, runs: RUNS, met: None }
    }

    fn meet(&mut self, limit: DecodingLimit) {
        self.met.get_or_insert(limit);
    }
}

#[derive(Clone, Debug)]
struct Reading {
    range: Range<usize>,
    signs: u16,
    path: Path,
    depth: u8,
    /// Whether it is the first of a chain of steps: the text itself, or what came by a guess or a run.
    is_head: bool,
}

/// What is known of runs of base64 and hexadecimal in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// They may hold text.
    MayHoldText,
    /// The sweep of the raw bytes, where the text stands as it is, named none that holds text.
    HoldNoText,
}

/// Reads texts; its memory is used again for the next one.
#[derive(Debug, Default)]
pub struct Unfolder {
    bytes: Vec<u8>,
    readings: Vec<Reading>,
    /// The first reading that was not read on.
    next: usize,
    /// Readings before that which turned out to be the first of another chain.
    again: Vec<usize>,
    spare: Vec<u8>,
    decoded: Vec<u8>,
    texts: [Vec<u8>; 3],
}

impl Unfolder {
    /// Lays out what a text holds behind its encodings; false where there is nothing. Of runs it may be known before that
    /// they hold no text.
    pub fn unfold(&mut self, text: &[u8], runs: Runs, allowance: &mut Allowance) -> bool {
        let is_begun = self.begin(text);
        let has_more = |reading: &Reading| reading.signs & !(BASE64 | HEX) != 0;
        if !is_begun || runs == Runs::HoldNoText && !self.readings.iter().any(has_more) {
            return false;
        }
        self.read_on(allowance);
        self.readings.len() > 1
    }

    /// Returns the readings beyond the text itself, and the encodings that were undone.
    pub fn readings(&self) -> impl Iterator<Item = (&[u8], Path)> {
        self.readings.iter().skip(1).map(|r| (self.bytes.get(r.range.clone()).unwrap_or_default(), r.path))
    }

    /// Lays out all that any field of a record may hold, from the record's own bytes.
    ///
    /// Fields are read out of JSON, and JSON out of JSON: what each of these layers is, is read as fields are.
    fn unfold_record(&mut self, raw: &[u8], allowance: &mut Allowance) {
        if !self.begin(raw) {
            return;
        }
        self.read_on(allowance);
        let mut layer = 0;
        for _ in 0..ROUNDS {
            let path = Path::default().and(Encoding::Json);
            let has_escapes = self.readings.get(layer).is_some_and(|reading| reading.signs & BACKSLASH != 0);
            if !has_escapes || !self.undo(layer, json_escapes::undo_all) {
                return;
            }
            let Some(added) = self.add(path, 0, true, allowance) else { return };
            layer = added;
            self.read_on(allowance);
        }
    }

    /// Takes a text that nothing was undone of; false if it is clean.
    fn begin(&mut self, text: &[u8]) -> bool {
        self.bytes.clear();
        self.readings.clear();
        self.next = 0;
        self.again.clear();
        let signs = signs(text);
        if signs != 0 {
            self.bytes.extend_from_slice(text);
            let range = 0..text.len();
            self.readings.push(Reading { range, signs, path: Path::default(), depth: 0, is_head: true });
        }
        signs != 0
    }

    fn read_on(&mut self, allowance: &mut Allowance) {
        loop {
            while let Some(reading) = self.readings.get(self.next) {
                if reading.is_head {
                    self.read_chain(self.next, allowance);
                }
                self.next += 1;
            }
            let Some(head) = self.again.pop() else { return };
            self.read_chain(head, allowance);
        }
    }

    fn read_chain(&mut self, head: usize, allowance: &mut Allowance) {
        let last = self.steps(head, allowance);
        self.guesses(last, allowance);
        self.runs(last, allowance);
        if last != head {
            // A step may have taken a sign for its own that belongs to what is only guessed at.
            self.guesses(head, allowance);
            self.runs(head, allowance);
        }
    }

    /// Tries all steps until nothing changes, and returns the last reading.
    fn steps(&mut self, head: usize, allowance: &mut Allowance) -> usize {
        let mut last = head;
        for _ in 0..ROUNDS {
            let before = last;
            for step in STEPS {
                let Some(reading) = self.readings.get(last) else { return last };
                let (path, depth) = (reading.path, reading.depth);
                if reading.signs & step.any == 0 {
                    continue;
                }
                if step.other.is_some_and(|other| self.undo(last, other)) {
                    self.add(path.and(step.encoding), depth + 1, true, allowance);
                }
                if !self.undo(last, step.undo) {
                    continue;
                }
                match self.add(path.and(step.encoding), depth, false, allowance) {
                    Some(added) => last = added,
                    None => return last,
                }
            }
            if last == before {
                return last;
            }
        }
        allowance.meet(DecodingLimit::Depth);
        last
    }

    fn guesses(&mut self, of: usize, allowance: &mut Allowance) {
        for step in GUESSES {
            let Some(reading) = self.readings.get(of) else { return };
            let (path, depth) = (reading.path, reading.depth + 1);
            if reading.signs & step.any != 0 && reading.signs & step.all == step.all && self.undo(of, step.undo) {
                self.add(path.and(step.encoding), depth, true, allowance);
            }
        }
    }

    fn runs(&mut self, of: usize, allowance: &mut Allowance) {
        for (encoding, sign) in [(Encoding::Base64, BASE64), (Encoding::Hex, HEX)] {
            let Some(reading) = self.readings.get(of) else { return };
            if reading.signs & sign == 0 {
                continue;
            }
            let (path, depth) = (reading.path, reading.depth + 1);
            let text = self.bytes.get(reading.range.clone()).unwrap_or_default();
            let count = match encoding {
                Encoding::Base64 => base64::collect_texts(text, &mut self.decoded, &mut self.texts),
                _ => hex::collect_texts(text, &mut self.decoded, &mut self.texts),
            };
            if count == 0 {
                continue;
            }
            match allowance.runs.checked_sub(count) {
                Some(left) => allowance.runs = left,
                None => allowance.meet(DecodingLimit::Count),
            }
            let path = path.and(encoding);
            let charsets = [None, Some(Encoding::Utf16Le), Some(Encoding::Utf16Be)];
            for (index, charset) in charsets.into_iter().enumerate() {
                self.spare.clear();
                if let Some(text) = self.texts.get_mut(index) {
                    self.spare.append(text);
                }
                if !self.spare.is_empty() {
                    self.add(charset.map_or(path, |charset| path.and(charset)), depth, true, allowance);
                }
            }
        }
    }

    /// Undoes a step in the spare buffer, and tells whether that changed anything.
    fn undo(&mut self, of: usize, undo: fn(&[u8], &mut Vec<u8>) -> bool) -> bool {
        let Some(reading) = self.readings.get(of) else { return false };
        let text = self.bytes.get(reading.range.clone()).unwrap_or_default();
        self.spare.clear();
        undo(text, &mut self.spare) && self.spare != text
    }

    /// Adds what is in the spare buffer and returns which reading it is, or was already; none where a limit is met.
    fn add(&mut self, path: Path, depth: u8, is_head: bool, allowance: &mut Allowance) -> Option<usize> {
        let text = self.spare.as_slice();
        let is_same = |r: &Reading| r.range.len() == text.len() && self.bytes.get(r.range.clone()) == Some(text);
        if let Some(known) = self.readings.iter().position(is_same) {
            if let Some(reading) = self.readings.get_mut(known).filter(|reading| is_head && !reading.is_head) {
                reading.is_head = true;
                if known < self.next {
                    self.again.push(known);
                }
            }
            return Some(known);
        }
        let limit = match allowance.bytes.checked_sub(text.len()) {
            _ if depth > DEPTH => DecodingLimit::Depth,
            _ if self.readings.len() >= READINGS => DecodingLimit::Count,
            None => DecodingLimit::Bytes,
            Some(left) => {
                allowance.bytes = left;
                let start = self.bytes.len();
                self.bytes.extend_from_slice(text);
                let range = start..self.bytes.len();
                self.readings.push(Reading { range, signs: signs(text), path, depth, is_head });
                return Some(self.readings.len() - 1);
            }
        };
        allowance.meet(limit);
        None
    }
}

/// Whether all of a record was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfolded {
    /// Whatever stands in a field stands in some reading, or in the record's own bytes.
    Whole,
    /// A limit was met: the record may hold more.
    Cut,
}

/// Calls `each` with readings of a record's own bytes that show whatever a reading of any of its fields shows.
///
/// For prefilters: it may show more. `unfolder` is used again for the next record, so that nothing is allocated, except
/// where something is defanged.
pub fn unfold(raw: &[u8], unfolder: &mut Unfolder, each: &mut dyn FnMut(&[u8])) -> Unfolded {
    let mut allowance = Allowance::of(raw.len().saturating_mul(4));
    unfolder.unfold_record(raw, &mut allowance);
    for text in std::iter::once(raw).chain(unfolder.readings().map(|(text, _)| text)) {
        if text != raw {
            each(text);
        }
        if let Some(plain) = refanged(text) {
            each(plain.as_bytes());
        }
    }
    // A record's own bytes are also read with nothing else undone, which differs where another step comes first.
    let has = unfolder.readings.first().map_or(0, |reading| reading.signs);
    for (sign, undo) in [(PERCENT, percent::undo as fn(&[u8], &mut Vec<u8>) -> bool), (AMPERSAND, entities::undo)] {
        unfolder.spare.clear();
        if has & sign != 0 && has & (ZERO | ESCAPE | HIGH | BACKSLASH) != 0 && undo(raw, &mut unfolder.spare) {
            each(&unfolder.spare);
        }
    }
    if allowance.met.is_some() { Unfolded::Cut } else { Unfolded::Whole }
}
