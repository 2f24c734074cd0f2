//! The mistakes of one file, gathered so that its author sees all of them at once.

use super::PackError;
use super::codes::MORE;
use super::source::Position;

/// Mistakes that are listed; the rest are counted.
pub(super) const MOST_LISTED: usize = 100;

/// Gathers the mistakes of one file.
pub(super) struct Mistakes<'f> {
    file: &'f str,
    listed: Vec<PackError>,
    /// Mistakes beyond those listed.
    more: u64,
}

impl<'f> Mistakes<'f> {
    pub(super) fn new(file: &'f str) -> Self {
        Self { file, listed: Vec::new(), more: 0 }
    }

    pub(super) fn add(
        &mut self,
        at: Position,
        code: &'static str,
        problem: impl Into<String>,
        expected: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.listed.len() >= MOST_LISTED {
            self.more += 1;
            return;
        }
        self.listed.push(PackError {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
            code,
            problem: problem.into(),
            expected: expected.into(),
            help: help.into(),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns the mistakes in the order of the file; the last says how many are not listed, if any.
    pub(super) fn into_errors(self) -> Vec<PackError> {
        let mut errors = self.listed;
        errors.sort_by_key(|error| (error.line, error.column));
        if self.more > 0 {
            let (line, column) = errors.last().map_or((1, 1), |last| (last.line, last.column));
            errors.push(PackError {
                file: self.file.to_owned(),
                line,
                column,
                code: MORE,
                problem: format!("{} more mistakes are not listed", self.more),
                expected: format!("at most {MOST_LISTED} mistakes are listed at once"),
                help: "mend those above and check the file again".to_owned(),
            });
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hundredth_mistake_is_listed_and_the_next_counted() {
        for (count, listed, more) in
            [(99, 99, None), (100, 100, None), (101, 101, Some("1 more")), (250, 101, Some("150 more"))]
        {
            let mut mistakes = Mistakes::new("a.yaml");
            for line in 0..count {
                mistakes.add(Position { line, column: 1 }, "P001", "wrong", "right", "mend it");
            }
            let errors = mistakes.into_errors();
            assert_eq!(errors.len(), listed);
            let last = errors.last().unwrap();
            assert_eq!(last.code == MORE, more.is_some());
            assert!(more.is_none_or(|words| last.problem.starts_with(words)), "{last}");
        }
    }
}
