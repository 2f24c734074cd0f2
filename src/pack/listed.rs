//! The values of a bare list in little memory: what they have in common as indicators is not written down for each.

use std::io;
use std::ops::Range;

use super::yaml::DEFAULT_CONFIDENCE;
use super::{Atom, Examples, Expr, Indicator, Severity};
use crate::observable::table::{Batch, ObservableRef, ObservableTable, StoredReader, StoredWriter, TableFull};

/// The values of a bare list, each once, with the lines and notes that they came with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    values: ObservableTable,
    /// The line of each value, from 1; none of a list that was stored.
    lines: Vec<u32>,
    notes: Notes,
}

/// One value of a bare list as an indicator.
#[derive(Clone, Copy, Debug)]
pub struct ListedIndicator<'p> {
    /// The value.
    pub value: ObservableRef<'p>,
}

impl ListedIndicator<'_> {
    /// The severity of every listed value: the list says nothing about it.
    pub const SEVERITY: Severity = Severity::Medium;

    /// The confidence of every listed value.
    pub const CONFIDENCE: u8 = DEFAULT_CONFIDENCE;

    /// Returns the id: the kind and the value.
    pub fn id(self) -> String {
        let mut id = String::new();
        self.write_id(&mut id);
        id
    }

    /// Appends the id.
    pub fn write_id(self, to: &mut String) {
        to.push_str(self.value.kind());
        to.push(':');
        self.value.write_value(to);
    }

    /// Returns the name for people: the value.
    pub fn name(self) -> String {
        self.value.value()
    }

    /// Returns the severity outside a window, which no listed value has.
    pub fn outside_seen() -> Severity {
        Self::SEVERITY.lower()
    }
}

impl Listed {
    /// Returns how many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the values.
    pub fn values(&self) -> &ObservableTable {
        &self.values
    }

    /// Gives the values away; lines and notes have served their purpose when a pack is compiled.
    pub fn into_values(self) -> ObservableTable {
        self.values
    }

    /// Makes room for more values like those that are there: `all` for each `known`.
    pub(super) fn expect(&mut self, known: usize, all: usize) {
        self.values.expect(known, all);
    }

    /// Adds the values that are pending. A note goes to the value that is there already, if that has none. Calls `full` with
    /// each line for which there is no room.
    pub(super) fn add(&mut self, pending: &mut Pending, full: &mut dyn FnMut(u64)) {
        let Self { values, lines, notes } = self;
        let mut pending_lines = pending.lines.iter();
        values.add_batch(&pending.values, &mut |added| {
            let Some((line, note)) = pending_lines.next() else { return };
            let noted = added.and_then(|added| {
                if added.is_new {
                    lines.push(u32::try_from(*line).unwrap_or(u32::MAX));
                }
                notes.add(added.id, pending.notes.get(note.clone()).unwrap_or_default())
            });
            if noted.is_err() {
                full(*line);
            }
        });
        pending.values.clear();
        pending.lines.clear();
        pending.notes.clear();
    }

    /// Tells whether the list can be written.
    pub fn can_be_stored(&self) -> bool {
        self.values.can_be_stored()
    }

    /// Writes the values, which are all that compiling asks for.
    ///
    /// # Errors
    /// What the writer fails with.
    pub fn store(&self, to: &mut StoredWriter<'_>) -> io::Result<()> {
        self.values.store(to)
    }

    /// Reads the values of a list; its lines and notes are not known then.
    ///
    /// # Errors
    /// What the reader fails with, or that something in it names what is not there.
    pub fn read_stored(from: &mut StoredReader<'_>) -> io::Result<Self> {
        Ok(Self { values: ObservableTable::read_stored(from)?, ..Self::default() })
    }

    /// Returns every value as an indicator like those of other packs, one at a time.
    pub fn indicators(&self) -> impl Iterator<Item = Indicator> {
        let lines = self.lines.iter().copied().chain(std::iter::repeat(0));
        self.values.iter().zip(lines).zip(0_u32..).map(|((value, line), id)| {
            let listed = ListedIndicator { value };
            Indicator {
                id: listed.id(),
                name: listed.name(),
                severity: ListedIndicator::SEVERITY,
                confidence: ListedIndicator::CONFIDENCE,
                attack: Vec::new(),
                source: None,
                note: self.notes.get(id).map(str::to_owned),
                matches: Expr::Atoms(vec![Atom { observable: value.to_observable(), seen: None }]),
                outside_seen: ListedIndicator::outside_seen(),
                examples: Examples::default(),
                line: u64::from(line),
            }
        })
    }
}

/// Values that are to be added together, with their lines and notes.
#[derive(Debug, Default)]
pub(super) struct Pending {
    values: Batch,
    /// The line of each, and where its note stands.
    lines: Vec<(u64, Range<usize>)>,
    notes: String,
}

impl Pending {
    /// Puts a value in that is to be added to this list.
    ///
    /// # Errors
    /// Fails where there can be no room for it.
    pub fn put(
        &mut self,
        listed: &Listed,
        value: ObservableRef<'_>,
        line: u64,
        note: Option<&str>,
    ) -> Result<(), TableFull> {
        self.values.put(&listed.values, value)?;
        let start = self.notes.len();
        self.notes.push_str(note.unwrap_or_default());
        self.lines.push((line, start..self.notes.len()));
        Ok(())
    }

    /// Tells whether it is time to add the values.
    pub fn is_full(&self) -> bool {
        self.values.is_full()
    }
}

/// What is noted about some values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Notes {
    text: String,
    /// Where the note of each value stands in the text; it is empty for a value without one, or there is no such entry.
    places: Vec<(u32, u32)>,
}

impl Notes {
    fn add(&mut self, id: u32, note: &str) -> Result<(), TableFull> {
        if note.is_empty() || self.get(id).is_some() {
            return Ok(());
        }
        let at = usize::try_from(id).map_err(|_| TableFull)?;
        if self.places.len() <= at {
            self.places.resize(at + 1, (0, 0));
        }
        // Lists often say the same of many values in a row.
        if !self.text.ends_with(note) {
            self.text.push_str(note);
        }
        let length = u32::try_from(note.len()).map_err(|_| TableFull)?;
        let end = u32::try_from(self.text.len()).map_err(|_| TableFull)?;
        if let Some(place) = self.places.get_mut(at) {
            *place = (end - length, length);
        }
        Ok(())
    }

    fn get(&self, id: u32) -> Option<&str> {
        let place = usize::try_from(id).ok().and_then(|at| self.places.get(at))?;
        self.text_at(*place).filter(|note| !note.is_empty())
    }

    fn text_at(&self, (start, length): (u32, u32)) -> Option<&str> {
        let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
        self.text.get(start..start.checked_add(length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_once_and_the_first_one_stands() {
        let (mut listed, mut pending) = (Listed::default(), Pending::default());
        let notes = [(1, Some("a")), (2, Some("a")), (3, None), (4, Some("b")), (3, Some("c")), (1, Some("d"))];
        for (line, (address, note)) in (1..).zip(notes) {
            pending.put(&listed, ObservableRef::V4(address), line, note).unwrap();
        }
        listed.add(&mut pending, &mut |line| panic!("no room for line {line}"));
        let all: Vec<_> = listed.indicators().map(|i| (i.id, i.note, i.line)).collect();
        let expected = [("1", Some("a"), 1), ("2", Some("a"), 2), ("3", Some("c"), 3), ("4", Some("b"), 4)];
        let expected = expected.map(|(n, note, line)| (format!("ip:0.0.0.{n}"), note.map(str::to_owned), line));
        assert_eq!(all, expected);
        assert_eq!(listed.notes.text, "abc");
    }
}
