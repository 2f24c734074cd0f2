//! Places in the text of a pack: lines and columns as YAML counts them, and the word that stands at one.

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub line: u64,
    pub column: u64,
}

impl Position {
    /// The first character of the file.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// The text of a pack, read at rising positions.
pub(super) struct Source<'t> {
    text: &'t str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    /// Where the last word was looked up, with its byte: a file may be one line of many megabytes.
    last: (Position, usize),
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut lines = vec![0];
        let mut characters = text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            // YAML 1.1, section 4.2: these five and CR LF end a line.
            if c == '\r' && characters.peek().is_some_and(|(_, next)| *next == '\n') {
                continue;
            }
            if matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') {
                lines.push(at + c.len_utf8());
            }
        }
        Self { text, lines, last: (Position::START, 0) }
    }

    /// Returns the line and column of a byte.
    pub(super) fn position(&self, byte: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let column = self.text.get(start..byte).map_or(0, |before| before.chars().count());
        Position { line: line as u64, column: column as u64 + 1 }
    }

    /// Returns the plain word (a number, a boolean) at a position, behind its anchor or tag; none where there is none.
    pub(super) fn word_at(&mut self, at: Position) -> Option<&'t str> {
        let (last, byte) = self.last;
        let (from, column) = if last.line == at.line && last.column <= at.column {
            (byte, last.column)
        } else {
            (*self.lines.get(usize::try_from(at.line).ok()?.checked_sub(1)?)?, 1)
        };
        let skip = usize::try_from(at.column.checked_sub(column)?).ok()?;
        let rest = self.text.get(from..)?;
        let start = from + rest.char_indices().nth(skip).map_or(rest.len(), |(offset, _)| offset);
        self.last = (at, start);
        let mut rest = self.text.get(start..)?;
        while rest.starts_with(['!', '&']) {
            rest = rest.split_once(char::is_whitespace)?.1.trim_start();
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_')));
        rest.get(..end.unwrap_or(rest.len())).filter(|word| !word.is_empty())
    }
}
