//! What several hits of one record ask for, worked out once for all of them: a record may hold a hundred thousand.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use crate::observable::Hiding;
use crate::observable::refang::{Refanged, refanged};
use crate::record::{Record, entity_fields};
use crate::text::cut_around;

use super::token::without_tokens;
use super::views::{View, Views};

/// The most bytes of an entity field or a matched value that a hit carries.
pub(super) const VALUE_BYTES: usize = 512;

/// Entity fields that are no longer together are not kept.
const SHORT_BYTES: usize = 4 * VALUE_BYTES;

/// What is known of one record.
#[derive(Default)]
pub(super) struct Known {
    hidings: RefCell<BTreeMap<Option<usize>, Rc<Hiding>>>,
    /// By the view that was made from it: a defanged text.
    sources: RefCell<BTreeMap<usize, Rc<Source>>>,
    about: OnceCell<BTreeMap<String, String>>,
}

/// A defanged text and what it becomes.
pub(super) struct Source {
    text: String,
    refanged: Option<Refanged>,
}

impl Known {
    /// Returns what is hidden of a text, by a number that is its own: none for the record's own bytes, else where the view
    /// begins.
    pub fn hiding(&self, number: Option<usize>, text: &[u8]) -> Rc<Hiding> {
        let mut known = self.hidings.borrow_mut();
        Rc::clone(known.entry(number).or_insert_with(|| Rc::new(Hiding::of(text))))
    }

    /// Returns the defanged text that a view was made from.
    pub fn source(&self, views: &Views, view: &View) -> Option<Rc<Source>> {
        let source = views.list.get(view.refanged_from?)?;
        let mut known = self.sources.borrow_mut();
        let source = known.entry(view.range.start).or_insert_with(|| {
            let text = String::from_utf8_lossy(views.bytes.get(source.range.clone()).unwrap_or_default()).into_owned();
            let refanged = refanged(&text);
            Rc::new(Source { text, refanged })
        });
        Some(Rc::clone(source))
    }

    /// Returns who and what a record is about, each value cut to a readable length.
    pub fn about(&self, record: &Record<'_>) -> BTreeMap<String, String> {
        if let Some(known) = self.about.get() {
            return known.clone();
        }
        let fields = entity_fields(&record.fields);
        // Short values are told anew for less than it takes to copy them.
        let is_long = fields.values().map(String::len).sum::<usize>() > SHORT_BYTES;
        let told = || {
            let cut = |value: &str| cut_around(&without_tokens(value), 0, VALUE_BYTES);
            fields.into_iter().map(|(name, value)| (name, cut(&value))).collect()
        };
        if is_long { self.about.get_or_init(told).clone() } else { told() }
    }
}

impl Source {
    /// Returns the word that a range of the text without its defanging lies in, and where it begins.
    pub fn word(&self, plain: &Range<usize>) -> Option<(&str, usize)> {
        let range = self.refanged.as_ref()?.source(plain);
        Some(word_around(&self.text, &range))
    }
}

/// Returns the word of a text that a range lies in, between spaces, quotes and angle brackets, and where it begins. Of a
/// word without an end, what is near the range.
fn word_around<'t>(text: &'t str, range: &Range<usize>) -> (&'t str, usize) {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | ',' | ';' | '\'');
    let before = text.get(..range.start).unwrap_or_default();
    let mut start = range.start;
    for (at, c) in before.char_indices().rev() {
        if is_end(c) || range.start - at > VALUE_BYTES / 2 {
            break;
        }
        start = at;
    }
    let behind = text.get(range.end..).unwrap_or_default();
    let end = behind.char_indices().find(|(at, c)| is_end(*c) || *at > VALUE_BYTES);
    let end = end.map_or(text.len(), |(at, _)| range.end + at);
    (text.get(start..end).unwrap_or_default(), start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_at_spaces_and_quotes_or_not_far_away() {
        let word = |text: &str, inner: &str| {
            let at = text.find(inner).unwrap();
            let (word, start) = word_around(text, &(at..at + inner.len()));
            assert_eq!(&text[start..start + word.len()], word);
            word.to_owned()
        };
        assert_eq!(word("see <hxxp://evil[.]example/a>, b", "evil"), "hxxp://evil[.]example/a");
        assert_eq!(word("é\u{a0}evil[.]example", "evil"), "evil[.]example");
        let long = format!("{}evil[.]example{}", "é|".repeat(9_999), "|é".repeat(9_999));
        let near = word(&long, "evil");
        assert!(near.len() < 2 * VALUE_BYTES && near.find("evil").is_some_and(|at| at <= VALUE_BYTES / 2), "{near}");
    }
}
