//! Where an artifact is: the evidence argument as written, the path below it, then `!/name` for each container.
//!
//! The path is a name for people and reports. It is never opened: what stands in evidence is never used as a path.

use std::fmt;
use std::sync::Arc;

/// Names one artifact, for example `case.zip!/export.mbox!/message-412!/report.docx`.
///
/// Cloning is cheap. The text is as the evidence has it; renderers escape it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(Arc<str>);

impl ArtifactPath {
    /// Names an evidence file.
    pub fn evidence(path: &str) -> Self {
        Self(Arc::from(path))
    }

    /// Names a member of this container. An empty member name is written `unnamed`.
    pub fn member(&self, name: &str) -> Self {
        let name = if name.is_empty() { "unnamed" } else { name };
        Self(Arc::from(format!("{}!/{name}", self.0)))
    }

    /// Returns the whole path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last part of the path: a file name to derive a member's name from, never a type.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_nested_behind_exclamation_marks() {
        let zip = ArtifactPath::evidence("case/a.zip");
        let mail = zip.member("in/export.mbox").member("message-4");
        assert_eq!(mail.as_str(), "case/a.zip!/in/export.mbox!/message-4");
        assert_eq!(mail.file_name(), "message-4");
        assert_eq!(zip.member("").as_str(), "case/a.zip!/unnamed");
    }
}
