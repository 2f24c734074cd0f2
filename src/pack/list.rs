//! Bare lists of values: CSV with the header `type,value[,comment]`, and plain lists with one value a line.
//!
//! Each line becomes an indicator of its own. Lists run to a million lines, so a line costs its value and no more.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::codes::{LIST_TYPE, LIST_VALUE, NO_INDICATOR, SHAPE, SYNTAX, TOO_LARGE, VALUE};
use super::fields::nearest;
use super::listed::Pending;
use super::mistakes::Mistakes;
use super::source::Position;
use super::{Listed, Pack, PackError};
use crate::observable::table::{DigestBytes, ObservableRef};
use crate::observable::{AtomKind, CertificatePart, HashKind, Observable, PlainReader, v4_line};

/// The words of the column `type`.
const TYPES: &[(&str, AtomKind)] = &[
    ("ip", AtomKind::Ip),
    ("ipv4", AtomKind::Ip),
    ("ipv6", AtomKind::Ip),
    ("cidr", AtomKind::Ip),
    ("domain", AtomKind::Domain),
    ("url", AtomKind::Url),
    ("email", AtomKind::Email),
    ("md5", AtomKind::HashOf(HashKind::Md5)),
    ("sha1", AtomKind::HashOf(HashKind::Sha1)),
    ("sha256", AtomKind::HashOf(HashKind::Sha256)),
    ("sha512", AtomKind::HashOf(HashKind::Sha512)),
    ("thumbprint", AtomKind::HashOf(HashKind::Thumbprint)),
    ("certificate", AtomKind::Certificate(CertificatePart::Thumbprint)),
    ("user_agent", AtomKind::UserAgent),
];

/// What may stand between cells. Spreadsheets write `;` where the decimal sign is a comma, and a tab when text is copied.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// So many lines tell how many values of each kind a list may have.
const TELLING_LINES: u64 = 4_096;

/// The columns of a CSV list, as its header names them.
pub(super) struct Columns {
    kind: usize,
    value: usize,
    delimiter: u8,
    /// Other columns, with the name that stands before their cells in a note; none for `comment`.
    carried: Vec<(usize, Option<String>)>,
}

impl Columns {
    /// Reads the header, which also tells the delimiter; none where it lacks `type` or `value`, and so is no header.
    pub(super) fn read(header: &str) -> Option<Self> {
        DELIMITERS.into_iter().find_map(|delimiter| Self::read_between(header, delimiter))
    }

    fn read_between(header: &str, delimiter: u8) -> Option<Self> {
        let mut record = StringRecord::new();
        let mut reader =
            ReaderBuilder::new().has_headers(false).delimiter(delimiter).trim(Trim::All).from_reader(header.as_bytes());
        if !reader.read_record(&mut record).ok()? {
            return None;
        }
        let find = |name: &str| record.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        let (kind, value) = (find("type")?, find("value")?);
        let others = record.iter().enumerate().filter(|(at, _)| *at != kind && *at != value);
        let name = |cell: &str| (!cell.eq_ignore_ascii_case("comment")).then(|| cell.to_owned());
        Some(Self { kind, value, delimiter, carried: others.map(|(at, cell)| (at, name(cell))).collect() })
    }

    /// Writes the note of a row; it stays empty where there is none.
    fn write_note(&self, cells: &[&str], note: &mut String) {
        note.clear();
        for (at, name) in &self.carried {
            let Some(cell) = cells.get(*at).filter(|cell| !cell.is_empty()) else { continue };
            if !note.is_empty() {
                note.push_str("; ");
            }
            if let Some(name) = name {
                note.push_str(name);
                note.push_str(": ");
            }
            note.push_str(cell);
        }
    }
}

/// Reads a CSV list whose header has been recognised, with the mistakes of all lines.
pub(super) fn load_csv(name: &str, file: &str, text: &str, columns: &Columns) -> (Option<Pack>, Vec<PackError>) {
    let mut list = List::new(file);
    let simple = simple_part(text);
    let mut rows = Rows { is_header: true, lines_before: 0 };
    let (head, tail) = text.split_at_checked(simple).unwrap_or((text, ""));
    rows.read_simple(head, columns, &mut list);
    if !tail.is_empty() {
        rows.read_quoted(tail, columns, &mut list);
    }
    list.finish(name, file)
}

/// Returns how much of a text is lines that end with `\n` or `\r\n` and hold no quote: there a cell is what stands
/// between delimiters.
fn simple_part(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_odd = |at: &usize| bytes.get(*at) == Some(&b'"') || bytes.get(at + 1) != Some(&b'\n');
    let Some(odd) = memchr::memchr2_iter(b'"', b'\r', bytes).find(is_odd) else { return bytes.len() };
    bytes.get(..odd).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |end| end + 1)
}

/// How far a list has been read.
struct Rows {
    is_header: bool,
    lines_before: u64,
}

impl Rows {
    fn read_simple(&mut self, text: &str, columns: &Columns, list: &mut List<'_>) {
        let delimiter = char::from(columns.delimiter);
        let mut cells: Vec<&str> = Vec::new();
        let mut read_bytes = 0;
        for line in lines(text) {
            self.lines_before += 1;
            read_bytes += line.len() + 1;
            if self.lines_before == TELLING_LINES {
                list.listed.expect(read_bytes, text.len());
            }
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if std::mem::take(&mut self.is_header) {
                continue;
            }
            cells.clear();
            cells.extend(split(line, columns.delimiter).map(str::trim));
            let raw = Raw { text: line, line: self.lines_before, delimiter };
            row(&cells, &raw, columns, list);
        }
    }

    fn read_quoted(&mut self, text: &str, columns: &Columns, list: &mut List<'_>) {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(columns.delimiter)
            .comment(Some(b'#'))
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        loop {
            let before = (reader.position().byte(), reader.position().line() + self.lines_before);
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let at = Position { line: before.1, column: 1 };
                    let problem = format!("not CSV: {error}");
                    list.mistakes.add(
                        at,
                        SYNTAX,
                        problem,
                        "cells between the delimiters of the header",
                        "mend this line",
                    );
                    return;
                }
            }
            if self.is_header {
                self.is_header = record.iter().all(str::is_empty);
                continue;
            }
            let raw = Raw::new(text, before, reader.position().byte(), columns.delimiter);
            if raw.has_open_quote() {
                let help = "close the quote; a quote inside a quoted cell is written twice";
                list.mistakes.add(raw.cell(0), SYNTAX, "a quote is never closed", "pairs of quotes", help);
                return;
            }
            let cells: Vec<&str> = record.iter().collect();
            row(&cells, &raw, columns, list);
        }
    }
}

/// Returns the lines of a text whose lines all end with `\n` or `\r\n`, but perhaps the last.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    split(text.strip_suffix('\n').unwrap_or(text), b'\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// Splits a text at a byte of ASCII, many bytes at a time.
fn split(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(at, text.as_bytes()).chain([text.len()]);
    let mut start = 0;
    ends.map(move |end| text.get(std::mem::replace(&mut start, end + 1)..end).unwrap_or_default())
}

fn row(cells: &[&str], raw: &Raw<'_>, columns: &Columns, list: &mut List<'_>) {
    if cells.iter().all(|cell| cell.is_empty()) {
        return;
    }
    let word = cells.get(columns.kind).copied().unwrap_or_default();
    let kind = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, kind)| *kind);
    let Some(kind) = kind else {
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        let help = match nearest(&word.to_lowercase(), &names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "leave the line out, or begin it with `#`; text and rules need a YAML pack".to_owned(),
        };
        let expected = format!("one of: {}", names.join(", "));
        list.mistakes.add(raw.cell(columns.kind), LIST_TYPE, format!("`{word}` is no type"), expected, help);
        return;
    };
    let value = cells.get(columns.value).copied().unwrap_or_default();
    if value.is_empty() {
        let help = "add the value, or take the line out";
        list.mistakes.add(raw.cell(columns.value), LIST_VALUE, "the line has no value", "type,value", help);
        return;
    }
    let mut note = std::mem::take(&mut list.note);
    columns.write_note(cells, &mut note);
    let noted = Some(note.as_str()).filter(|note| !note.is_empty());
    if !list.push_plain(Some(kind), value, raw.line, noted) {
        match Observable::parse(kind, value) {
            Ok(observable) => list.push(&observable, raw.line, noted),
            Err(error) => {
                let help = "correct the value or its type, or begin the line with `#`";
                list.mistakes.add(raw.cell(columns.value), VALUE, error.problem, error.expected, help);
            }
        }
    }
    list.note = note;
}

/// Reads a plain list: one value a line, its kind told by its shape; `#` begins a comment. Returns the mistakes of all lines with it.
pub(super) fn load_plain(name: &str, file: &str, text: &str) -> (Option<Pack>, Vec<PackError>) {
    let mut list = List::new(file);
    let (mut rest, mut number) = (text, 0);
    while !rest.is_empty() {
        if number == TELLING_LINES {
            list.listed.expect(text.len() - rest.len(), text.len());
        }
        number += 1;
        if let Some((address, length)) = v4_line(rest.as_bytes()) {
            list.push_value(ObservableRef::V4(address), number);
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 1..).unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        // What is plain has neither a comment nor space around it.
        if list.push_plain(None, line, number, None) {
            continue;
        }
        let value = without_comment(line).trim();
        if value.is_empty() || list.push_plain(None, value, number, None) {
            continue;
        }
        match Observable::guess(value) {
            Some(observable) => list.push(&observable, number, None),
            None => {
                let indent = line.chars().take_while(|c| c.is_whitespace()).count();
                let at = Position { line: number, column: indent as u64 + 1 };
                let expected = "an address, range, domain, URL, e-mail address or hash on a line of its own";
                let help = "begin the line with `#`, or use a CSV list with the header `type,value`";
                list.mistakes.add(at, SHAPE, format!("the kind of `{value}` cannot be told"), expected, help);
            }
        }
    }
    list.finish(name, file)
}

/// Cuts a comment off: `#` at the beginning or behind white space. Elsewhere it belongs to a URL.
fn without_comment(line: &str) -> &str {
    if memchr::memchr(b'#', line.as_bytes()).is_none() {
        return line;
    }
    let comment = line.match_indices('#').find(|(at, _)| {
        line.get(..*at).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    });
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}

/// The bytes of one CSV record, to say where a cell stands.
struct Raw<'t> {
    text: &'t str,
    line: u64,
    delimiter: char,
}

impl<'t> Raw<'t> {
    /// Takes the record between two positions of the reader, which skips empty lines and comments before a record.
    fn new(text: &'t str, (from, mut line): (u64, u64), to: u64, delimiter: u8) -> Self {
        let byte = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let mut text = text.get(byte(from)..byte(to)).unwrap_or_default();
        while text.starts_with(['\n', '\r', '#']) {
            let Some((_, rest)) = text.split_once('\n') else { break };
            text = rest;
            line += 1;
        }
        // A cell that is missing is missing at the end of its line.
        Self { text: text.trim_end_matches(['\r', '\n']), line, delimiter: char::from(delimiter) }
    }

    fn has_open_quote(&self) -> bool {
        self.text.contains('"') && self.scan(usize::MAX).1
    }

    /// Returns where a cell begins.
    fn cell(&self, number: usize) -> Position {
        self.scan(number).0
    }

    /// Reads up to the beginning of a cell; the second value tells whether a quote is open there. Source: RFC 4180.
    fn scan(&self, number: usize) -> (Position, bool) {
        let mut at = Position { line: self.line, column: 1 };
        let (mut cell, mut quoted, mut cell_begins) = (0, false, true);
        for c in self.text.chars() {
            if cell == number && cell_begins {
                break;
            }
            match c {
                '"' if quoted || cell_begins => quoted = !quoted,
                _ if c == self.delimiter && !quoted => {
                    cell += 1;
                    cell_begins = true;
                    at.column += 1;
                    continue;
                }
                _ => {}
            }
            // A quote behind a closed one opens the cell again: it is the second of a pair.
            cell_begins = c == '"' && !quoted;
            at.column += 1;
            if c == '\n' {
                at = Position { line: at.line + 1, column: 1 };
            }
        }
        (at, quoted)
    }
}

/// The values read so far.
struct List<'f> {
    mistakes: Mistakes<'f>,
    listed: Listed,
    pending: Pending,
    plain: PlainReader,
    digest: DigestBytes,
    /// The note of the row that is being read.
    note: String,
}

impl<'f> List<'f> {
    fn new(file: &'f str) -> Self {
        Self {
            mistakes: Mistakes::new(file),
            listed: Listed::default(),
            pending: Pending::default(),
            plain: PlainReader::default(),
            digest: [0; size_of::<DigestBytes>()],
            note: String::new(),
        }
    }

    /// Adds a value in one of the common spellings, and tells whether it is in one.
    fn push_plain(&mut self, kind: Option<AtomKind>, text: &str, line: u64, note: Option<&str>) -> bool {
        let Self { plain, listed, pending, mistakes, .. } = self;
        let Some(value) = plain.read(kind, text) else { return false };
        add(listed, pending, mistakes, value, line, note);
        true
    }

    /// Adds a value that has been read.
    fn push_value(&mut self, value: ObservableRef<'_>, line: u64) {
        let Self { listed, pending, mistakes, .. } = self;
        add(listed, pending, mistakes, value, line, None);
    }

    /// Adds a value, or gives the note to the indicator that has it already.
    fn push(&mut self, observable: &Observable, line: u64, note: Option<&str>) {
        let Self { listed, pending, mistakes, digest, .. } = self;
        add(listed, pending, mistakes, ObservableRef::new(observable, digest), line, note);
    }

    fn finish(mut self, name: &str, file: &str) -> (Option<Pack>, Vec<PackError>) {
        let Self { listed, pending, mistakes, .. } = &mut self;
        listed.add(pending, &mut |line| refuse_full(mistakes, line));
        if self.listed.is_empty() && self.mistakes.is_empty() {
            let expected = "a YAML pack, a CSV list with the header `type,value`, or one value a line";
            self.mistakes.add(Position::START, NO_INDICATOR, "the file holds no indicator", expected, "add values");
        }
        let (name, file) = (name.to_owned(), file.to_owned());
        let pack = Pack { name, file, advisory: None, indicators: Vec::new(), listed: self.listed };
        (Some(pack), self.mistakes.into_errors())
    }
}

fn add(
    listed: &mut Listed,
    pending: &mut Pending,
    mistakes: &mut Mistakes<'_>,
    value: ObservableRef<'_>,
    line: u64,
    note: Option<&str>,
) {
    if pending.put(listed, value, line, note).is_err() {
        refuse_full(mistakes, line);
    }
    if pending.is_full() {
        listed.add(pending, &mut |line| refuse_full(mistakes, line));
    }
}

fn refuse_full(mistakes: &mut Mistakes<'_>, line: u64) {
    let problem = "the list holds more than can be numbered";
    let expected = "at most 4 GiB of values and as much of notes";
    mistakes.add(Position { line, column: 1 }, TOO_LARGE, problem, expected, "split the list into several files");
}

#[cfg(test)]
mod tests;
