//! The cells of one CSV row, and what tells a CSV from other text. Source: RFC 4180.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::text_encoding::TextHead;
use crate::record::{Jump, parse_time, readable};

/// One cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its bytes in the row, without the quotes around it.
    pub range: Range<usize>,
    /// Whether quotes in it are doubled.
    pub has_doubled: bool,
    /// Whether its closing quote is missing.
    pub is_open: bool,
}

/// Walks through the cells of a row.
pub struct Cells<'t> {
    row: &'t [u8],
    delimiter: u8,
    at: Option<usize>,
}

impl<'t> Cells<'t> {
    /// Starts at the first cell.
    pub fn new(row: &'t [u8], delimiter: u8) -> Self {
        Self { row, delimiter, at: Some(0) }
    }

    fn quoted(&mut self, start: usize) -> Cell {
        let (mut at, mut has_doubled) = (start, false);
        loop {
            let Some(n) = memchr(b'"', self.row.get(at..).unwrap_or_default()) else {
                self.at = None;
                return Cell { range: start..self.row.len(), has_doubled, is_open: true };
            };
            let quote = at + n;
            if self.row.get(quote + 1) == Some(&b'"') {
                has_doubled = true;
                at = quote + 2;
                continue;
            }
            self.pass_delimiter(quote + 1);
            return Cell { range: start..quote, has_doubled, is_open: false };
        }
    }

    /// Moves behind the next delimiter and returns where it stands.
    fn pass_delimiter(&mut self, from: usize) -> usize {
        match memchr(self.delimiter, self.row.get(from..).unwrap_or_default()) {
            Some(n) => {
                self.at = Some(from + n + 1);
                from + n
            }
            None => {
                self.at = None;
                self.row.len()
            }
        }
    }
}

impl Iterator for Cells<'_> {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        let start = self.at?;
        if self.row.get(start) == Some(&b'"') {
            return Some(self.quoted(start + 1));
        }
        let end = self.pass_delimiter(start);
        Some(Cell { range: start..end, has_doubled: false, is_open: false })
    }
}

/// Undoes doubled quotes of a cell that stands at `outer` in its row.
pub fn undouble(cell: &[u8], outer: usize) -> (Vec<u8>, Vec<Jump>) {
    let mut out = Vec::with_capacity(cell.len());
    let mut jumps = vec![Jump { at: 0, outer }];
    let mut at = 0;
    while let Some(n) = memchr(b'"', cell.get(at..).unwrap_or_default()) {
        out.extend_from_slice(cell.get(at..=at + n).unwrap_or_default());
        at += n + 1;
        if cell.get(at) == Some(&b'"') {
            at += 1;
            jumps.push(Jump { at: out.len(), outer: outer + at });
        }
    }
    out.extend_from_slice(cell.get(at..).unwrap_or_default());
    (out, jumps)
}

/// Returns a cell's text.
pub fn cell_text(row: &[u8], cell: &Cell) -> String {
    let bytes = row.get(cell.range.clone()).unwrap_or_default();
    if cell.has_doubled { readable(&undouble(bytes, 0).0).into_owned() } else { readable(bytes).into_owned() }
}

/// How the rows of an artifact are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between cells.
    pub delimiter: u8,
    /// The names of the columns, as written.
    pub header: Vec<String>,
}

/// What may stand between cells, most usual first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Rows of the head that are compared with the header.
const ROWS_COMPARED: usize = 20;

/// Columns of exports by which a CSV is known whatever its rows look like.
const KNOWN_COLUMNS: &[&str] = &[
    "AuditData",
    "CreationDate",
    "RawEventData",
    "createdDateTime",
    "TimeGenerated",
    "TimeGenerated [UTC]",
    "Date (UTC)",
    "date_time_utc",
    "origin_timestamp_utc",
    "DeviceId",
    "UserPrincipalName",
    "SenderAddress",
    "sender_address",
    "message_id",
    "MessageTraceId",
];

impl Dialect {
    /// Recognises a CSV by its header and first rows; none where the text is not surely one.
    pub fn of(head: &TextHead<'_>) -> Option<Self> {
        DELIMITERS.into_iter().find_map(|delimiter| Self::with(head, delimiter))
    }

    fn with(head: &TextHead<'_>, delimiter: u8) -> Option<Self> {
        let mut rows = rows(head, delimiter);
        let row = rows.next()?;
        let cells: Vec<_> = Cells::new(row, delimiter).collect();
        let header: Vec<String> = cells.iter().map(|cell| cell_text(row, cell)).collect();
        if header.len() < 2 || cells.iter().any(|cell| cell.is_open) || !header.iter().all(|name| is_name(name)) {
            return None;
        }
        let dialect = Self { delimiter, header };
        let is_known =
            dialect.header.iter().any(|name| KNOWN_COLUMNS.iter().any(|k| k.eq_ignore_ascii_case(name.trim())));
        let columns = dialect.header.len();
        let counts: Vec<_> = rows
            .take(ROWS_COMPARED)
            .map(|row| {
                let is_open = Cells::new(row, delimiter).last().is_some_and(|cell| cell.is_open);
                (Cells::new(row, delimiter).count(), is_open)
            })
            .collect();
        // Prose has one comma in many lines, so two columns need plainer names or more rows.
        let is_plain = dialect.header.iter().all(|name| !name.trim().contains(' '));
        let enough = if columns > 2 || is_plain { 1 } else { 3 };
        let are_alike = |counts: &[(usize, bool)]| {
            let alike = counts.iter().filter(|&&(count, _)| count == columns).count();
            alike >= enough && alike * 10 >= counts.len() * 9
        };
        // Where a quote never closes, as in a file that is cut off, what is behind it tells nothing.
        let before_open = counts.split(|&(_, is_open)| is_open).next().unwrap_or_default();
        let is_regular =
            (are_alike(&counts) || are_alike(before_open)) && dialect.header.iter().all(|name| is_short(name));
        (is_known || is_regular).then_some(dialect)
    }
}

/// Returns the rows of the head that are there whole. A quote that never closes ends with its line.
fn rows<'t>(head: &'t TextHead<'_>, delimiter: u8) -> impl Iterator<Item = &'t [u8]> {
    let mut rest = head.text.as_ref();
    let is_whole = head.is_whole;
    std::iter::from_fn(move || {
        loop {
            let (mut end, mut is_odd, mut first_line) = (0, false, None);
            let ending = loop {
                let from = rest.get(end..).unwrap_or_default();
                let line = memchr(b'\n', from);
                let length = line.unwrap_or(from.len());
                is_odd ^= memchr_iter(b'"', from.get(..length).unwrap_or_default()).count() % 2 == 1;
                end += length;
                first_line = first_line.or(line.map(|_| end));
                let row = rest.get(..end).unwrap_or_default();
                if line.is_none() && is_odd && first_line.is_some() {
                    end = first_line.unwrap_or(end);
                    break first_line;
                }
                if line.is_none() || !is_odd || !Cells::new(row, delimiter).last().is_some_and(|cell| cell.is_open) {
                    break line;
                }
                end += 1;
            };
            if ending.is_none() && (!is_whole || rest.is_empty()) {
                return None;
            }
            let row = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + usize::from(ending.is_some())..).unwrap_or_default();
            let row = row.strip_suffix(b"\r").unwrap_or(row);
            if !row.is_empty() && !is_preamble(row) {
                return Some(row);
            }
        }
    })
}

/// Tells whether a first line is not the header yet: PowerShell's type line, Excel's delimiter line.
pub fn is_preamble(line: &[u8]) -> bool {
    line.starts_with(b"#TYPE ") || line.starts_with(b"\"sep=") || line.starts_with(b"sep=")
}

/// Tells whether a cell may be the name of a column, and not a value: an address, a number, a time or a sentence.
fn is_name(cell: &str) -> bool {
    let name = cell.trim();
    let may_begin = |c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$' | '#' | '%');
    // The header is not searched, so nothing that an indicator could stand in passes for a name.
    let is_value = name.contains("://") || name.find('@').is_some_and(|at| at > 0) || parse_time(name).is_some();
    name.len() <= 100
        && name.starts_with(may_begin)
        && !is_value
        && name.chars().all(|c| c.is_alphanumeric() || " _-.()[]/#%&'?*+$@".contains(c))
        && !(name.contains('.') && name.contains(' '))
        && !name.ends_with(['.', '?'])
}

/// Tells whether a name has few enough words not to be a sentence.
fn is_short(name: &str) -> bool {
    name.split_ascii_whitespace().count() <= 5
}
