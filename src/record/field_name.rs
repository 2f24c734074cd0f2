//! A field's name as a predicate asks for it, resolved once and compared with very many fields.

use super::names::{plain_name, source_names};

/// The names that answer to what was asked for: the name itself, and the sources' names where it is an ECS name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    asked: String,
    names: Vec<String>,
}

impl FieldName {
    /// Resolves a name.
    pub fn new(asked: &str) -> Self {
        let plain = plain_name(asked);
        let names = std::iter::once(plain).chain(source_names(plain).iter().copied()).map(str::to_owned).collect();
        Self { asked: asked.to_owned(), names }
    }

    /// Returns the name as it was asked for.
    pub fn as_str(&self) -> &str {
        &self.asked
    }

    /// Tells whether a field's path is the one asked for; the same as [`super::field_matches`].
    pub fn is(&self, path: &str) -> bool {
        let path = path.trim();
        self.names.iter().any(|name| {
            let tail = path.len().checked_sub(name.len()).and_then(|start| path.as_bytes().get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(name.as_bytes())) && plain_name(path).len() == name.len()
        })
    }

    /// Returns the last part of each name: what must stand in a block that has the field.
    pub fn last_parts(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| name.rsplit('.').next().unwrap_or(name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::field_matches;
    use super::*;

    #[test]
    fn a_resolved_name_answers_like_the_plain_comparison() {
        let asked = [
            "Operation",
            "AuditData.Operation",
            "source.ip",
            "user.name",
            "OperationProperties.IsThrottled",
            "@timestamp",
            "",
        ];
        let paths = [
            "operation",
            "AuditData.Operation ",
            "ClientIP",
            "XOperation",
            "c-ip",
            "UserId",
            "IsThrottled",
            "x.Operation",
            "",
        ];
        for asked in asked {
            for path in paths {
                assert_eq!(FieldName::new(asked).is(path), field_matches(asked, path), "{asked} {path}");
            }
        }
    }
}
