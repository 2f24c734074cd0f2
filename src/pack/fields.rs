//! Reading a mapping by its keys: unknown, repeated and missing keys, values of another type, words not allowed.

use std::collections::HashMap;

use super::codes::{DUPLICATE_KEY, EMPTY, MISSING_KEY, UNKNOWN_KEY, UNKNOWN_WORD, WRONG_TYPE};
use super::located::{Entry, Node, Value};
use super::mistakes::Mistakes;
use super::source::Position;

/// Edits between a word and the one that was meant.
const MOST_EDITS: usize = 2;

/// Words longer than this are not compared with known ones.
const LONGEST_WORD: usize = 40;

/// A mapping whose keys have been checked.
pub(super) struct Fields<'n> {
    pub at: Position,
    /// What the mapping is, for messages: `an indicator`.
    what: &'static str,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// Reads a mapping that may have the keys in `known`; reports keys that are unknown or repeated.
    pub(super) fn read(
        node: &'n Node,
        what: &'static str,
        known: &[&'static str],
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Self> {
        let entries = entries(node, what, mistakes)?;
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            unknown_key(entry, what, known, mistakes);
        }
        Some(Self { at: node.at, what, entries })
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns the value of a key, or reports that it is missing.
    pub(super) fn required(&self, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let problem = format!("{} has no `{key}`", self.what);
            mistakes.add(self.at, MISSING_KEY, problem, format!("the key `{key}`"), format!("add `{key}: {example}`"));
        }
        found
    }

    /// Returns the text of an optional key.
    pub(super) fn text(&self, key: &'static str, mistakes: &mut Mistakes<'_>) -> Option<String> {
        text(self.get(key)?, key, mistakes).map(str::to_owned)
    }

    /// Returns the texts of an optional key that takes one or several; empty where it is missing.
    pub(super) fn texts(&self, key: &'static str, mistakes: &mut Mistakes<'_>) -> Vec<String> {
        self.get(key).map(|node| texts(node, key, mistakes)).unwrap_or_default()
    }
}

/// Returns the entries of a mapping, reporting another type, no entries, and repeated keys.
pub(super) fn entries<'n>(node: &'n Node, what: &str, mistakes: &mut Mistakes<'_>) -> Option<&'n [Entry]> {
    let Value::Mapping(entries) = &node.value else {
        let problem = format!("{what} is {}", node.describe());
        mistakes.add(node.at, WRONG_TYPE, problem, "a mapping of keys to values", "write it as `key: value` lines");
        return None;
    };
    if entries.is_empty() {
        mistakes.add(node.at, EMPTY, format!("{what} is empty"), "at least one key", "add its keys, or leave it out");
        return None;
    }
    let mut first_lines: HashMap<&str, u64> = HashMap::new();
    for entry in entries {
        if let Some(line) = first_lines.insert(&entry.key, entry.at.line) {
            let problem = format!("`{}` is given twice; the first is on line {line}", entry.key);
            let help = "join the two, or leave one out".to_owned();
            mistakes.add(entry.at, DUPLICATE_KEY, problem, "each key once in a mapping", help);
        }
    }
    Some(entries)
}

/// Reports a key that is not known, with the one that was meant.
pub(super) fn unknown_key(entry: &Entry, what: &str, known: &[&str], mistakes: &mut Mistakes<'_>) {
    let help = match nearest(&entry.key, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "leave it out; `note` takes free text".to_owned(),
    };
    let problem = format!("{what} has no key `{}`", entry.key);
    mistakes.add(entry.at, UNKNOWN_KEY, problem, format!("one of: {}", known.join(", ")), help);
}

/// Returns a scalar's text, reporting any other type and an empty text.
pub(super) fn text<'n>(node: &'n Node, what: &str, mistakes: &mut Mistakes<'_>) -> Option<&'n str> {
    match node.scalar() {
        Some(text) if !text.trim().is_empty() => Some(text),
        None if node.value != Value::Null => {
            let problem = format!("`{what}` is {}", node.describe());
            let help = "write one value; put it in single quotes if it holds `{`, `[`, `: ` or ` #`";
            mistakes.add(node.at, WRONG_TYPE, problem, "a text", help);
            None
        }
        _ => {
            mistakes.add(
                node.at,
                EMPTY,
                format!("`{what}` is empty"),
                "a text",
                "write the text, or leave the key out",
            );
            None
        }
    }
}

/// Returns the texts of a scalar or a list of scalars, reporting an empty list.
pub(super) fn texts(node: &Node, what: &str, mistakes: &mut Mistakes<'_>) -> Vec<String> {
    elements(node, what, mistakes).iter().filter_map(|one| text(one, what, mistakes).map(str::to_owned)).collect()
}

/// Returns the elements of a list, or the one value; reports an empty list.
pub(super) fn elements<'n>(node: &'n Node, what: &str, mistakes: &mut Mistakes<'_>) -> &'n [Node] {
    let elements = node.elements();
    if elements.is_empty() {
        let problem = format!("the list under `{what}` is empty");
        mistakes.add(node.at, EMPTY, problem, "at least one element", "add an element, or leave the key out");
    }
    elements
}

/// Returns what a word of a fixed set stands for, reporting any other word.
pub(super) fn word<T: Copy>(
    node: &Node,
    what: &str,
    known: &[(&'static str, T)],
    mistakes: &mut Mistakes<'_>,
) -> Option<T> {
    let text = text(node, what, mistakes)?;
    if let Some((_, meaning)) = known.iter().find(|(word, _)| *word == text) {
        return Some(*meaning);
    }
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let help = match nearest(&text.to_lowercase(), &words) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of the words that `{what}` takes"),
    };
    let problem = format!("`{text}` is no word for `{what}`");
    mistakes.add(node.at, UNKNOWN_WORD, problem, format!("one of: {}", words.join(", ")), help);
    None
}

/// Returns the known word that is at most two edits away, the nearest first.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let near = known.iter().map(|candidate| (edits(word, candidate), *candidate));
    // A short word is not "misspelt" into another by changing all of it.
    let near = near.filter(|(edits, known)| *edits <= MOST_EDITS && *edits < known.len().max(word.len()));
    near.min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// Counts the insertions, deletions and replacements between two words (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for ((above_left, above), d) in row.iter().zip(row.iter().skip(1)).zip(&b) {
            left = (above_left + usize::from(c != *d)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_are_recognised_up_to_two_edits() {
        let known = ["severity", "source", "ip", "match"];
        assert_eq!(nearest("severty", &known), Some("severity"));
        assert_eq!(nearest("sevrty", &known), Some("severity"));
        assert_eq!(nearest("svrty", &known), None);
        assert_eq!(nearest("matches", &known), Some("match"));
        assert_eq!(nearest("ipv", &known), Some("ip"));
        assert_eq!(nearest("xy", &known), None);
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(edits(a, b), count, "{a} {b}");
            assert_eq!(edits(b, a), count, "{b} {a}");
        }
    }
}
