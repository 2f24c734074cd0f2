//! Lines on their way out: the one place where text is escaped for the terminal, and where colour is added after that.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::pack::Severity;
use crate::report::Colour;
use crate::text::escape_for_terminal;

/// Columns that lines keep within where their content allows.
pub(super) const WIDTH: usize = 100;

/// How the report's first sentence is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// Nothing found and everything examined.
    Clean,
    /// Something was not examined, or only quoted.
    Doubtful,
    /// Something was found.
    Found,
}

/// Where lines are written to.
pub(super) struct Page<'o> {
    out: &'o mut dyn Write,
    colour: Colour,
}

impl<'o> Page<'o> {
    pub(super) fn new(out: &'o mut dyn Write, colour: Colour) -> Self {
        Self { out, colour }
    }

    /// Writes one line, `indent` columns in. Nothing in `text` can break out of it.
    pub(super) fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{}", "", escape_for_terminal(text))
    }

    /// Writes an empty line and a heading.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.gap()?;
        self.painted(Style::new().bold(), text)?;
        writeln!(self.out)
    }

    /// Writes an empty line.
    pub(super) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Writes a line that begins with a severity.
    pub(super) fn severity(&mut self, indent: usize, severity: Severity, text: &str) -> io::Result<()> {
        write!(self.out, "{:indent$}", "")?;
        self.painted(severity_style(severity), severity.as_str())?;
        writeln!(self.out, "  {}", escape_for_terminal(text))
    }

    /// Writes an empty line and the heading of a severity.
    pub(super) fn severity_heading(&mut self, severity: Severity, text: &str) -> io::Result<()> {
        self.gap()?;
        self.painted(severity_style(severity), &severity.as_str().to_ascii_uppercase())?;
        writeln!(self.out, "  {}", escape_for_terminal(text))
    }

    /// Writes a line whose first word is coloured by what it means.
    pub(super) fn emphasised(&mut self, grade: Grade, first_word: &str, rest: &str) -> io::Result<()> {
        let colour = match grade {
            Grade::Clean => AnsiColor::Green,
            Grade::Doubtful => AnsiColor::Yellow,
            Grade::Found => AnsiColor::Red,
        };
        self.painted(colour.on_default().bold(), first_word)?;
        writeln!(self.out, "{}", escape_for_terminal(rest))
    }

    /// Writes items with commas between them, on as many lines as they need.
    pub(super) fn packed(&mut self, indent: usize, items: &[String]) -> io::Result<()> {
        let mut line = String::new();
        for item in items {
            if !line.is_empty() {
                line.push(',');
                if indent + line.chars().count() + 1 + item.chars().count() < WIDTH {
                    line.push(' ');
                } else {
                    self.line(indent, &line)?;
                    line.clear();
                }
            }
            line.push_str(item);
        }
        if line.is_empty() { Ok(()) } else { self.line(indent, &line) }
    }

    fn painted(&mut self, style: Style, text: &str) -> io::Result<()> {
        let text = escape_for_terminal(text);
        match self.colour {
            Colour::Wanted => write!(self.out, "{style}{text}{style:#}"),
            Colour::Unwanted => write!(self.out, "{text}"),
        }
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold().invert(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Info => AnsiColor::Blue.on_default(),
    }
}

/// Writes a number with a comma between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a number and its noun, in the plural unless it is one.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(1_000, "record"), "1,000 records");
    }

    #[test]
    fn items_are_packed_up_to_the_width_and_not_beyond() {
        for (length, lines) in [(48, 1), (49, 2)] {
            let mut out = Vec::new();
            let items = ["a".repeat(49), "b".repeat(length)];
            Page::new(&mut out, Colour::Unwanted).packed(0, &items).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.lines().count(), lines, "{text}");
            assert!(text.lines().all(|line| line.len() <= WIDTH));
        }
    }
}
