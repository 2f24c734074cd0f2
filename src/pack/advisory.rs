//! The `advisory` of a YAML pack.

use jiff::civil::Date;

use super::codes::{DATE, UNKNOWN_WORD};
use super::fields::{self, Fields};
use super::located::Node;
use super::mistakes::Mistakes;
use super::{Advisory, Tlp};

const KEYS: &[&str] = &["id", "title", "publisher", "published", "updated", "tlp", "actors", "references"];

/// The markings as FIRST writes them, without `TLP:`. Source: FIRST TLP 2.0.
const MARKINGS: &[(&str, Tlp)] = &[
    ("CLEAR", Tlp::Clear),
    ("GREEN", Tlp::Green),
    ("AMBER", Tlp::Amber),
    ("AMBER+STRICT", Tlp::AmberStrict),
    ("RED", Tlp::Red),
];

/// Reads the advisory.
pub(super) fn read(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Advisory> {
    let fields = Fields::read(node, "the advisory", KEYS, mistakes)?;
    let id = fields.required("id", "AA23-193A", mistakes).and_then(|node| fields::text(node, "id", mistakes));
    let title = fields.required("title", "the publication's title", mistakes);
    let title = title.and_then(|node| fields::text(node, "title", mistakes));
    let advisory = Advisory {
        id: id.unwrap_or_default().to_owned(),
        title: title.unwrap_or_default().to_owned(),
        publisher: fields.texts("publisher", mistakes),
        published: fields.get("published").and_then(|node| date(node, "published", mistakes)),
        updated: fields.get("updated").and_then(|node| date(node, "updated", mistakes)),
        tlp: fields.get("tlp").and_then(|node| marking(node, mistakes)),
        actors: fields.texts("actors", mistakes),
        references: fields.texts("references", mistakes),
    };
    id.and(title).map(|_| advisory)
}

/// Reads a day, reporting anything else.
pub(super) fn date(node: &Node, what: &str, mistakes: &mut Mistakes<'_>) -> Option<Date> {
    let text = fields::text(node, what, mistakes)?;
    // The parser takes more forms than a pack may use; all of one length means all are read alike by people.
    let is_plain = text.len() == "2023-07-12".len() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = is_plain.then(|| text.parse::<Date>().ok()).flatten();
    if date.is_none() {
        let help = "write year, month and day; a time of day is not taken, windows are whole UTC days";
        mistakes.add(node.at, DATE, format!("`{text}` is no date"), "a day of the calendar, as in 2023-07-12", help);
    }
    date
}

fn marking(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Tlp> {
    let text = fields::text(node, "tlp", mistakes)?;
    let word = text.to_ascii_uppercase();
    let word = word.strip_prefix("TLP:").unwrap_or(&word).trim();
    let marking = MARKINGS.iter().find(|(name, _)| *name == word).map(|(_, marking)| *marking);
    if marking.is_none() {
        let help = if word == "WHITE" {
            "TLP 2.0 calls WHITE `CLEAR`"
        } else {
            "leave `tlp` out if the publisher gave none; that is not CLEAR"
        };
        let names: Vec<&str> = MARKINGS.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of: {}", names.join(", "));
        mistakes.add(node.at, UNKNOWN_WORD, format!("`{text}` is no marking of TLP 2.0"), expected, help);
    }
    marking
}
