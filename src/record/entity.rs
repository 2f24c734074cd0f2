//! Who and what a record is about: the few of its fields that a finding repeats.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Field;
use super::names::{ENTITY_FIELDS, plain_name};

/// The entity fields by the length of their names, each with its place.
static PLACES: LazyLock<Vec<Vec<(usize, &str)>>> = LazyLock::new(|| {
    let longest = ENTITY_FIELDS.iter().map(|name| name.len()).max().unwrap_or_default();
    let of = |length: usize| {
        let places = ENTITY_FIELDS.iter().copied().enumerate();
        places.filter(|(_, name)| name.len() == length).collect()
    };
    (0..=longest).map(of).collect()
});

fn place(name: &str) -> Option<usize> {
    let of_length = PLACES.get(name.len())?;
    of_length.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(place, _)| *place)
}

/// Returns the first value of each of [`ENTITY_FIELDS`] that a record has, under the names that its source uses.
pub fn entity_fields(fields: &[Field<'_>]) -> BTreeMap<String, String> {
    let mut found: BTreeMap<usize, &Field<'_>> = BTreeMap::new();
    for field in fields.iter().filter(|field| !field.value.is_empty()) {
        if let Some(place) = place(plain_name(&field.name)) {
            found.entry(place).or_insert(field);
        }
    }
    found.into_values().map(|field| (plain_name(&field.name).to_owned(), field.value.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_sources_own_without_their_wrapper() {
        let fields = [
            Field::plain("AuditData.userid", "user1@contoso.example"),
            Field::plain("UserId", "later"),
            Field::plain("Subject", ""),
            Field::plain("Folders.Id", "not the record's"),
        ];
        let expected = BTreeMap::from([("userid".to_owned(), "user1@contoso.example".to_owned())]);
        assert_eq!(entity_fields(&fields), expected);
    }
}
