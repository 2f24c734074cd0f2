//! The packs of `rules/`, built into the program and read like any other.

use super::{Pack, PackError, load_yaml};

/// A pack that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinPack {
    /// Its name in reports: its path below `rules/` without the ending.
    pub name: &'static str,
    /// Its path in the source of this program, for messages.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Every built-in pack, in the order of their names. A new pack is one line here.
pub const BUILTIN: &[BuiltinPack] = &[BuiltinPack {
    name: "aa23-193a/storm-0558",
    file: "rules/aa23-193a/storm-0558.yaml",
    text: include_str!("../../rules/aa23-193a/storm-0558.yaml"),
}];

impl BuiltinPack {
    /// Reads the pack.
    ///
    /// # Errors
    /// Returns its mistakes; a released program has none.
    pub fn load(&self) -> Result<Pack, Vec<PackError>> {
        load_yaml(self.name, self.file, self.text)
    }
}
