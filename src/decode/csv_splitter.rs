//! Where the rows of a CSV begin and end: quoted cells may hold line ends. Source: RFC 4180, section 2.

use std::sync::Arc;

use memchr::{memchr, memchr_iter};

use super::csv_cells::{Cells, Dialect, is_preamble};
use super::cutter::{Cut, Fault, More, Splitter};
use super::lines::{Layout, Piece, Role, Syntax};
use crate::problem::Reason;

/// Cuts the rows of a CSV.
///
/// A line end belongs to a cell only if an odd number of quotes stands before it in its row, so quotes are counted and
/// not looked at one by one, however many doubled ones there are.
pub struct CsvSplitter {
    syntax: Arc<dyn Syntax>,
    dialect: Dialect,
    /// The header as it stands, once it was met.
    header: Option<Vec<u8>>,
    /// Lines of the open row that have been counted, in bytes.
    counted: usize,
    /// Whether the number of quotes in them is odd.
    is_odd: bool,
    /// Whether a cell was seen to be open, so that the count may be trusted.
    is_open: bool,
    /// Whether the open row ends with its line, because its quote never closes.
    ends_with_line: bool,
    /// Whether the start of the open row was given away.
    is_inside: bool,
    /// What is wrong with the text of the last call.
    faults: Vec<Fault>,
}

impl CsvSplitter {
    /// Starts before the header.
    pub fn new(syntax: Arc<dyn Syntax>, dialect: Dialect) -> Self {
        Self {
            syntax,
            dialect,
            header: None,
            counted: 0,
            is_odd: false,
            is_open: false,
            ends_with_line: false,
            is_inside: false,
            faults: Vec::new(),
        }
    }

    fn begin_row(&mut self) {
        (self.counted, self.is_odd, self.is_open, self.ends_with_line) = (0, false, false, false);
        self.is_inside = false;
    }

    /// Tells whether the last row, behind which nothing comes, ends inside a quoted cell. `line` is what was not
    /// counted of it.
    fn is_cut_off(&self, row: &[u8], line: &[u8]) -> bool {
        if self.is_open {
            return self.is_odd ^ (memchr_iter(b'"', line).count() % 2 == 1);
        }
        !self.is_inside && self.has_open_cell(row)
    }

    fn has_open_cell(&self, row: &[u8]) -> bool {
        Cells::new(row, self.dialect.delimiter).last().is_some_and(|cell| cell.is_open)
    }

    /// Tells whether a row that was counted odd goes on behind the line end at its end.
    fn goes_on(&mut self, row: &[u8]) -> bool {
        if self.ends_with_line || !self.is_odd {
            return false;
        }
        // The first time, it is made sure that the odd quote opens a cell: one inside a bare cell does not.
        self.is_open = self.is_open || self.has_open_cell(row);
        self.is_open
    }

    /// Ends the open row with its first line: the quote that keeps it open never closes.
    fn break_row(&mut self, start: usize) {
        self.begin_row();
        self.ends_with_line = true;
        let detail = "the closing quote of a cell of the CSV is missing";
        self.faults.push(Fault { reason: Reason::Corrupt, at: start, detail });
    }

    fn add(&mut self, text: &[u8], start: usize, end: usize, pieces: &mut Vec<Piece>) {
        let row = text.get(start..end).unwrap_or_default();
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        let end = start + row.len();
        let names = row.strip_prefix(b"\xef\xbb\xbf").unwrap_or(row);
        match &self.header {
            None if row.is_empty() || is_preamble(row) => {}
            None => self.header = Some(names.to_vec()),
            Some(header) => {
                if !row.is_empty() && header.as_slice() != names {
                    pieces.push(Piece { range: start..end, role: Role::Record });
                }
            }
        }
    }

    /// Tells whether the line behind the first line end looks like a row, so that the quote before it is a stray one.
    fn next_line_is_row(&self, text: &[u8]) -> bool {
        let Some(end) = memchr(b'\n', text) else { return false };
        let behind = text.get(end + 1..).unwrap_or_default();
        let line = behind.split(|&b| b == b'\n').next().unwrap_or_default();
        Cells::new(line, self.dialect.delimiter).count() == self.dialect.header.len()
    }
}

impl Splitter for CsvSplitter {
    fn cut(&mut self, text: &[u8], more: More) -> Cut {
        let mut pieces = Vec::new();
        let mut start = 0;
        loop {
            let line_start = start + self.counted;
            let Some(n) = memchr(b'\n', text.get(line_start..).unwrap_or_default()) else {
                let rest = text.get(start..).unwrap_or_default();
                if more == More::MayFollow || rest.is_empty() {
                    break;
                }
                if self.is_open && self.next_line_is_row(rest) {
                    self.break_row(start);
                    continue;
                }
                let line = text.get(line_start..).unwrap_or_default();
                if self.is_cut_off(rest, line) {
                    let detail = "the CSV ends inside a quoted cell";
                    self.faults.push(Fault { reason: Reason::Truncated, at: text.len(), detail });
                }
                self.add(text, start, text.len(), &mut pieces);
                self.begin_row();
                start = text.len();
                break;
            };
            let end = line_start + n;
            let line = text.get(line_start..end).unwrap_or_default();
            self.is_odd ^= memchr_iter(b'"', line).count() % 2 == 1;
            if self.goes_on(text.get(start..end).unwrap_or_default()) {
                self.counted = end + 1 - start;
                continue;
            }
            self.add(text, start, end, &mut pieces);
            self.begin_row();
            start = end + 1;
        }
        Cut { consumed: start, layout: Layout::Pieces(pieces) }
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    fn give_in(&mut self, text: &[u8]) -> bool {
        if !self.is_open || self.ends_with_line || memchr(b'\n', text).is_none() {
            return false;
        }
        self.break_row(0);
        true
    }

    fn forget(&mut self, bytes: usize) {
        self.counted = self.counted.saturating_sub(bytes);
        self.is_inside = true;
    }

    fn syntax(&mut self, _: &[u8]) -> Arc<dyn Syntax> {
        Arc::clone(&self.syntax)
    }
}
