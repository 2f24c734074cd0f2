//! Where the values of a JSON stream begin and end: concatenated values, arrays element by element, arrays in an envelope.

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr3};

use super::cutter::{Cut, Fault, More, Splitter};
use super::lines::{Layout, Piece, Role, Syntax};
use crate::problem::Reason;
use crate::record::is_json_space;

/// Containers deep in which an array of objects may be taken apart when the value around it is longer than the limit.
const DEPTH_TAKEN_APART: u32 = 3;

/// Words that are values.
const LITERALS: [&[u8]; 3] = [b"true", b"false", b"null"];
/// The length of the longest of them.
const LITERALS_BYTES: usize = 5;

/// Cuts a stream of JSON values. Offsets are into the text of the next call.
pub struct JsonSplitter {
    syntax: Arc<dyn Syntax>,
    at: usize,
    /// Where the open value begins.
    start: Option<usize>,
    /// Containers open inside the open value.
    depth: u32,
    in_string: bool,
    role: Role,
    /// Containers open around the elements that are the records; 0 between values at the top.
    around: u32,
    /// The last whole string of the open value: the key of what follows.
    key: Range<usize>,
    /// Strings in the open value: an envelope with no more of them than containers holds nothing but names.
    strings: u32,
    /// Whether any array of objects is taken apart, because the open value is longer than the limit.
    takes_apart: bool,
    /// Whether a fault was met: lines are records until one begins as a value does.
    is_lost: bool,
    /// Which of the open containers are arrays, the innermost last, as far as it holds.
    kinds: u128,
    /// How many containers are open, those around the records too.
    levels: u32,
    /// Whether more were open than `kinds` holds, so that it tells nothing more of this value.
    is_too_deep: bool,
    /// What is wrong with the text of the last call.
    faults: Vec<Fault>,
}

/// What the splitter does next.
enum Step {
    On,
    /// The text ends before a decision can be made.
    Wait,
}

impl JsonSplitter {
    /// Starts before the first value.
    pub fn new(syntax: Arc<dyn Syntax>) -> Self {
        Self {
            syntax,
            at: 0,
            start: None,
            depth: 0,
            in_string: false,
            role: Role::Record,
            around: 0,
            key: 0..0,
            strings: 0,
            takes_apart: false,
            is_lost: false,
            kinds: 0,
            levels: 0,
            is_too_deep: false,
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, reason: Reason, at: usize, detail: &'static str) {
        if self.faults.iter().all(|fault| fault.reason != reason) {
            self.faults.push(Fault { reason, at, detail });
        }
    }

    /// Counts a container that begins.
    fn push_kind(&mut self, byte: u8) {
        self.kinds = self.kinds << 1 | u128::from(byte == b'[');
        self.levels += 1;
        self.is_too_deep |= self.levels > u128::BITS;
    }

    /// Counts a container that ends, and compares the brackets of both ends.
    fn pop_kind(&mut self, byte: u8) {
        let is_right = self.levels > 0 && (self.is_too_deep || (self.kinds & 1 == 1) == (byte == b']'));
        if !is_right {
            self.fault(Reason::Corrupt, self.at, "a bracket of the JSON closes nothing that is open");
        }
        self.drop_kinds(1);
    }

    fn drop_kinds(&mut self, levels: u32) {
        self.kinds = self.kinds.checked_shr(levels).unwrap_or(0);
        self.levels = self.levels.saturating_sub(levels);
        self.is_too_deep &= self.levels > 0;
    }

    fn open(&mut self, role: Role, depth: u32) {
        (self.start, self.depth, self.role, self.strings) = (Some(self.at), depth, role, 0);
        self.key = 0..0;
    }

    /// Ends the open value before `end`.
    fn close(&mut self, end: usize, pieces: &mut Vec<Piece>) {
        if let Some(start) = self.start.take()
            && start < end
        {
            pieces.push(Piece { range: start..end, role: self.role });
        }
        self.drop_kinds(self.depth);
        (self.depth, self.in_string, self.role, self.takes_apart) = (0, false, Role::Record, false);
    }

    fn step(&mut self, byte: u8, text: &[u8], more: More, pieces: &mut Vec<Piece>) -> Step {
        if self.is_lost {
            return self.step_lost(byte, text, more, pieces);
        }
        if self.start.is_none() {
            return self.step_between(byte, text, more, pieces);
        }
        if self.in_string {
            return self.step_in_string(text, pieces);
        }
        if self.depth == 0 {
            // A number or word among the elements of an array.
            if matches!(byte, b',' | b']' | b'}') || is_json_space(byte) {
                self.close(self.at, pieces);
            } else {
                self.at += 1;
            }
            return Step::On;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.key = self.at + 1..self.at + 1;
            }
            b'[' => match self.opens_records(text, more) {
                None => return Step::Wait,
                Some(true) => {
                    let (depth, role) = (self.depth, Role::Envelope);
                    self.role = role;
                    let holds_more = self.strings > depth;
                    if !holds_more {
                        self.start = None;
                    }
                    // Its containers stay open around the records.
                    self.depth = 0;
                    self.close(self.at + 1, pieces);
                    self.around = depth + 1;
                    self.push_kind(byte);
                }
                Some(false) => {
                    self.depth += 1;
                    self.push_kind(byte);
                }
            },
            b'{' => {
                self.depth += 1;
                self.push_kind(byte);
            }
            b'}' | b']' => {
                self.depth -= 1;
                self.pop_kind(byte);
                if self.depth == 0 {
                    if self.role == Role::Envelope && self.strings == 0 {
                        self.start = None;
                    }
                    self.at += 1;
                    self.close(self.at, pieces);
                    return Step::On;
                }
            }
            _ => {}
        }
        self.at += 1;
        Step::On
    }

    fn step_between(&mut self, byte: u8, text: &[u8], more: More, pieces: &mut Vec<Piece>) -> Step {
        match byte {
            b if is_json_space(b) || b == b',' => self.at += 1,
            0xef | 0xbb | 0xbf => self.at += 1,
            b'[' if self.around == 0 => {
                self.around = 1;
                self.push_kind(byte);
                self.at += 1;
            }
            b'{' | b'[' => {
                self.open(Role::Record, 1);
                self.push_kind(byte);
                self.at += 1;
            }
            b']' | b'}' if self.around > 1 => {
                // Behind the elements, the rest of the envelope goes on until its containers are closed.
                self.pop_kind(byte);
                self.open(Role::Envelope, self.around - 1);
                self.around = 0;
                self.at += 1;
            }
            b']' | b'}' => {
                self.pop_kind(byte);
                self.around = 0;
                self.at += 1;
            }
            b'"' if self.around > 0 => {
                self.open(Role::Record, 0);
                self.in_string = true;
                self.at += 1;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' if self.around > 0 => {
                let rest = text.get(self.at..).unwrap_or_default();
                if more == More::MayFollow && rest.len() < LITERALS_BYTES {
                    return Step::Wait;
                }
                let is_number = !byte.is_ascii_lowercase();
                self.is_lost = !is_number && !LITERALS.iter().any(|literal| rest.starts_with(literal));
                if self.is_lost {
                    self.fault(Reason::Corrupt, self.at, "no JSON value begins where one must");
                } else {
                    self.open(Role::Record, 0);
                    self.at += 1;
                }
            }
            _ => {
                // Lines between whole values are text, as a bad line of JSON Lines is; inside an array they are damage.
                if self.around > 0 {
                    self.fault(Reason::Corrupt, self.at, "no JSON value begins where one must");
                }
                self.is_lost = true;
                return self.step_lost(byte, text, more, pieces);
            }
        }
        Step::On
    }

    fn step_in_string(&mut self, text: &[u8], pieces: &mut Vec<Piece>) -> Step {
        match memchr3(b'"', b'\\', b'\n', text.get(self.at..).unwrap_or_default()) {
            None => self.at = text.len(),
            Some(n) => {
                self.at += n;
                match text.get(self.at) {
                    Some(b'"') => {
                        self.in_string = false;
                        self.strings += 1;
                        self.key.end = self.at;
                        self.at += 1;
                        if self.depth == 0 {
                            self.close(self.at, pieces);
                        }
                    }
                    Some(b'\\') if self.at + 1 < text.len() => self.at += 2,
                    Some(b'\\') => return Step::Wait,
                    _ => {
                        // A string does not hold a line end: its quote is missing, and what follows is not in it.
                        self.fault(Reason::Corrupt, self.at, "a string of the JSON has no closing quote");
                        self.close(self.at, pieces);
                        self.is_lost = true;
                    }
                }
            }
        }
        Step::On
    }

    /// Gives lines until one begins as a value does.
    fn step_lost(&mut self, byte: u8, text: &[u8], more: More, pieces: &mut Vec<Piece>) -> Step {
        if is_json_space(byte) {
            self.at += 1;
            return Step::On;
        }
        let begins_line = text.get(..self.at).is_none_or(ends_at_line_start);
        if begins_line && matches!(byte, b'{' | b'[') {
            self.is_lost = false;
            return Step::On;
        }
        let end = match memchr(b'\n', text.get(self.at..).unwrap_or_default()) {
            Some(n) => self.at + n,
            None if more == More::None => text.len(),
            None => return Step::Wait,
        };
        let line = text.get(self.at..end).unwrap_or_default();
        self.start = Some(self.at);
        self.close(self.at + line.trim_ascii_end().len(), pieces);
        self.at = end;
        Step::On
    }

    /// Tells whether the array that begins here holds the records; none where the text ends too early to tell.
    fn opens_records(&self, text: &[u8], more: More) -> Option<bool> {
        if self.around > 0 {
            return Some(false);
        }
        let key = text.get(self.key.clone()).unwrap_or_default();
        let is_known = match self.depth {
            // Graph and Defender: `value`; CloudTrail and Azure Monitor: `Records`, `records`.
            1 => matches!(key, b"value" | b"Records" | b"records"),
            // HTTP Archive 1.2: `log.entries`.
            2 => key == b"entries",
            _ => false,
        };
        let is_taken_apart = self.takes_apart && self.depth <= DEPTH_TAKEN_APART;
        if !(is_known || is_taken_apart) {
            return Some(false);
        }
        let behind = text.get(self.at + 1..).unwrap_or_default();
        match behind.iter().find(|&&b| !is_json_space(b)) {
            Some(byte) => Some(*byte == b'{'),
            None if more == More::None => Some(false),
            None => None,
        }
    }
}

/// Tells whether a text ends at the start of a line, blanks aside.
fn ends_at_line_start(text: &[u8]) -> bool {
    text.iter().rev().find(|b| !matches!(b, b' ' | b'\t' | b'\r')).is_none_or(|b| *b == b'\n')
}

impl Splitter for JsonSplitter {
    fn cut(&mut self, text: &[u8], more: More) -> Cut {
        let mut pieces = Vec::new();
        while let Some(&byte) = text.get(self.at) {
            if matches!(self.step(byte, text, more, &mut pieces), Step::Wait) {
                break;
            }
        }
        if more == More::None {
            // Where the way was lost, the end of an array may have been taken for text.
            let is_open = self.start.is_some() && (self.depth > 0 || self.in_string) || self.around > 0;
            if is_open && !self.is_lost {
                self.fault(Reason::Truncated, text.len(), "the JSON ends before all that is open is closed");
                self.around = 0;
            }
            self.at = text.len();
            self.close(text.trim_ascii_end().len(), &mut pieces);
        }
        let consumed = self.start.unwrap_or(self.at).min(self.at);
        self.forget(consumed);
        Cut { consumed, layout: Layout::Pieces(pieces) }
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    fn give_in(&mut self, _: &[u8]) -> bool {
        if self.takes_apart || self.start.is_none() || self.around > 0 || self.role == Role::Envelope {
            return false;
        }
        // The value is read again from its start, and the first array of objects in it taken apart.
        self.takes_apart = true;
        self.drop_kinds(self.depth);
        (self.at, self.start, self.depth, self.in_string) = (0, None, 0, false);
        true
    }

    fn forget(&mut self, bytes: usize) {
        self.at = self.at.saturating_sub(bytes);
        self.start = self.start.map(|start| start.saturating_sub(bytes));
        self.key = self.key.start.saturating_sub(bytes)..self.key.end.saturating_sub(bytes);
    }

    fn syntax(&mut self, _: &[u8]) -> Arc<dyn Syntax> {
        Arc::clone(&self.syntax)
    }
}
