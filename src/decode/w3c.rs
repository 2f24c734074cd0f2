//! W3C extended logs and Exchange's comma-separated kin: fields are named by `#Fields:`, which may change on the way.
//!
//! Source: W3C Working Draft WD-logfile-960323. Every line that is not empty is a record, also a directive, so that
//! record and line numbers agree; a directive has one field, `directive`. Values stay as written: `+` for a space.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::csv::CsvSyntax;
use super::csv_cells::Dialect;
use super::csv_cells::{Cells, cell_text};
use super::cutter::{Cut, LineSplitter, More, Sizes, Splitter, cut_into_blocks};
use super::lines::{Role, Syntax, last_part};
use super::text_encoding::TextHead;
use super::{DecodeError, Decoder, Head, Input, Sink};
use crate::record::{Field, Layer, Record, event_time};

/// The name of the one field of a directive.
const DIRECTIVE: &str = "directive";
/// The name of what a line holds behind its named values.
const MORE: &str = "more";
/// The directive that names the fields.
const FIELDS: &[u8] = b"#Fields:";
/// Lines of the head in which that directive must stand.
const HEAD_LINES: usize = 16;

/// The decoder of W3C extended logs.
#[derive(Clone, Copy, Debug)]
pub struct W3c;

impl Decoder for W3c {
    fn name(&self) -> &'static str {
        "w3c"
    }

    fn reads(&self) -> &'static str {
        "W3C extended logs (IIS, Exchange; WD-logfile-960323)"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        let Some(head) = TextHead::of(head) else { return false };
        for (index, line) in head.lines().filter(|line| !line.is_empty()).take(HEAD_LINES).enumerate() {
            if line.starts_with(FIELDS) {
                return true;
            }
            // Exchange writes the names once more above its directives.
            let is_names = index == 0 && line.contains(&b',') && !line.contains(&b' ');
            if !line.starts_with(b"#") && !is_names {
                return false;
            }
        }
        false
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let sizes = Sizes::of(sink);
        cut_into_blocks(input, sink, &mut W3cSplitter::default(), sizes)
    }
}

/// Cuts lines and keeps the names that are in force.
pub struct W3cSplitter {
    lines: LineSplitter,
    columns: Arc<Columns>,
    syntax: Arc<W3cSyntax>,
}

impl Default for W3cSplitter {
    fn default() -> Self {
        let columns = Arc::new(Columns::default());
        let syntax = Arc::new(W3cSyntax { sections: vec![(0, Arc::clone(&columns))] });
        Self { lines: LineSplitter::new(Arc::clone(&syntax) as Arc<dyn Syntax>), columns, syntax }
    }
}

impl Splitter for W3cSplitter {
    fn cut(&mut self, text: &[u8], more: More) -> Cut {
        self.lines.cut(text, more)
    }

    fn give_in(&mut self, text: &[u8]) -> bool {
        self.lines.give_in(text)
    }

    fn forget(&mut self, bytes: usize) {
        self.lines.forget(bytes);
    }

    fn syntax(&mut self, text: &[u8]) -> Arc<dyn Syntax> {
        let mut sections = vec![(0, Arc::clone(&self.columns))];
        for at in memmem::find_iter(text, FIELDS) {
            let begins_line = at == 0 || at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\n');
            if begins_line {
                let line = text.get(at..).unwrap_or_default().split(|&b| b == b'\n').next().unwrap_or_default();
                self.columns = Arc::new(Columns::of(line));
                sections.push((at, Arc::clone(&self.columns)));
            }
        }
        if sections.len() > 1 {
            let last = Arc::new(W3cSyntax { sections: vec![(0, Arc::clone(&self.columns))] });
            self.syntax = last;
            return Arc::new(W3cSyntax { sections });
        }
        Arc::clone(&self.syntax) as Arc<dyn Syntax>
    }
}

/// The fields of the lines below one `#Fields:`.
#[derive(Debug)]
enum Columns {
    /// Separated by spaces or tabs.
    Spaced(Vec<String>),
    /// Separated by commas, with quotes.
    Commas(CsvSyntax),
}

impl Default for Columns {
    fn default() -> Self {
        Self::Spaced(Vec::new())
    }
}

impl Columns {
    fn of(line: &[u8]) -> Self {
        let names = line.strip_prefix(FIELDS).unwrap_or(line).trim_ascii();
        if names.contains(&b',') {
            let header = Cells::new(names, b',').map(|cell| cell_text(names, &cell).trim().to_owned()).collect();
            return Self::Commas(CsvSyntax { dialect: Dialect { delimiter: b',', header } });
        }
        let names = names.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty());
        Self::Spaced(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    fn names(&self) -> &[String] {
        match self {
            Self::Spaced(names) => names,
            Self::Commas(syntax) => &syntax.dialect.header,
        }
    }

    /// Tells whether a line is the names themselves, as Exchange writes them without `#Fields:`.
    fn is_names(&self, line: &[u8]) -> bool {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let mut names = self.names().iter();
        line.split(|&b| b == b',').all(|cell| names.next().is_some_and(|name| name.as_bytes() == cell.trim_ascii()))
            && names.next().is_none()
    }
}

/// Reads records below the `#Fields:` that is in force where they stand.
pub struct W3cSyntax {
    /// Where in the block each list of names begins to hold; the first at 0.
    sections: Vec<(usize, Arc<Columns>)>,
}

impl W3cSyntax {
    fn columns_at(&self, offset: usize) -> Option<&Columns> {
        let behind = self.sections.partition_point(|(at, _)| *at <= offset);
        self.sections.get(behind.checked_sub(1)?).map(|(_, columns)| columns.as_ref())
    }
}

impl Syntax for W3cSyntax {
    fn parse<'a>(&'a self, text: &'a [u8], range: Range<usize>, role: Role) -> Record<'a> {
        let line = text.get(range.clone()).unwrap_or_default();
        let layer = Layer::record(line);
        let directive = |damage| {
            let (value, decode) = layer.value(0..line.len());
            Record { fields: vec![Field { name: DIRECTIVE.into(), value, decode }], time: None, damage }
        };
        if line.starts_with(b"#") {
            return directive(None);
        }
        let Some(columns) = self.columns_at(range.start) else { return directive(None) };
        match columns {
            Columns::Commas(_) if columns.is_names(line) => directive(None),
            Columns::Commas(syntax) => syntax.parse(text, range, role),
            Columns::Spaced(names) if names.is_empty() => {
                let is_header = line.contains(&b',') && !line.contains(&b' ');
                directive((!is_header).then(|| "stands before any #Fields: searched as text".to_owned()))
            }
            Columns::Spaced(names) => spaced(&layer, names),
        }
    }

    fn may_have_field(&self, name: &str, text: &[u8]) -> bool {
        let asked = last_part(name);
        asked.eq_ignore_ascii_case(DIRECTIVE)
            || asked.eq_ignore_ascii_case(MORE)
            || self.sections.iter().any(|(_, columns)| match columns.as_ref() {
                Columns::Spaced(names) => names.iter().any(|name| name.eq_ignore_ascii_case(asked)),
                Columns::Commas(syntax) => syntax.may_have_field(name, text),
            })
    }
}

/// Reads a line of values between spaces.
fn spaced<'a>(layer: &Layer<'_, 'a>, names: &'a [String]) -> Record<'a> {
    let mut record = Record::default();
    let mut names = names.iter();
    let mut start = 0;
    let bytes = layer.bytes();
    for value in bytes.split(|b| matches!(b, b' ' | b'\t')) {
        let range = start..start + value.len();
        start = range.end + 1;
        if value.is_empty() {
            continue;
        }
        let Some(name) = names.next() else {
            record.damage = Some("has more values than #Fields names: the rest is searched as text".to_owned());
            let (value, decode) = layer.value(range.start..bytes.len());
            record.fields.push(Field { name: MORE.into(), value, decode });
            break;
        };
        // A dash stands for no value.
        let shown = if value == b"-" { range.start..range.start } else { range };
        let (value, decode) = layer.value(shown);
        record.fields.push(Field { name: name.as_str().into(), value, decode });
    }
    if names.next().is_some() {
        record.damage = Some("partial record: has fewer values than #Fields names".to_owned());
    }
    record.time = event_time(&record.fields);
    record
}
