//! How an indicator's test combines what is found in a record.

use std::collections::BTreeSet;

use crate::observable::Observable;
use crate::pack::Expr;
use crate::record::Field;

use super::predicate::{self, FieldTest};

/// An indicator's test; leaves are numbered throughout a ruleset.
#[derive(Debug)]
pub(super) enum Test {
    /// Holds where all parts do.
    All(Vec<Test>),
    /// Holds where some part does.
    Any(Vec<Test>),
    /// Holds where the part does not.
    Not(Box<Test>),
    /// Holds where something of this leaf stands in the record.
    Found(u32, LeafKind),
    /// Holds where the record leaf of this index holds.
    Record(usize),
}

/// What a leaf looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeafKind {
    /// Only digests of files.
    Digest,
    /// Anything in records.
    Other,
}

/// What is known of a record.
#[derive(Clone, Copy)]
pub(super) struct Facts<'f> {
    /// The leaves of which something was found.
    pub found: &'f BTreeSet<u32>,
    /// The record's fields.
    pub fields: &'f [Field<'f>],
    /// Every record leaf of the ruleset.
    pub leaves: &'f [Vec<FieldTest>],
}

impl Test {
    /// Tells whether it holds, and adds the leaves by which it does.
    pub fn holds(&self, facts: &Facts<'_>, support: &mut BTreeSet<u32>) -> bool {
        match self {
            Self::All(parts) => {
                let mut own = BTreeSet::new();
                let holds = parts.iter().all(|part| part.holds(facts, &mut own));
                if holds {
                    support.append(&mut own);
                }
                holds
            }
            // Every part is asked, since each that holds has something to show.
            Self::Any(parts) => parts.iter().filter(|part| part.holds(facts, support)).count() > 0,
            Self::Not(part) => !part.holds(facts, &mut BTreeSet::new()),
            Self::Found(leaf, _) => {
                let holds = facts.found.contains(leaf);
                if holds {
                    support.insert(*leaf);
                }
                holds
            }
            Self::Record(leaf) => facts.leaves.get(*leaf).is_some_and(|leaf| predicate::all_hold(leaf, facts.fields)),
        }
    }

    /// Adds the record leaves that it asks for positively.
    pub fn record_leaves(&self, leaves: &mut Vec<usize>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.record_leaves(leaves)),
            Self::Record(leaf) => leaves.push(*leaf),
            Self::Not(_) | Self::Found(..) => {}
        }
    }

    /// Tells whether something that a record holds can set it off.
    pub fn can_be_set_off(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(Self::can_be_set_off),
            Self::Any(parts) => parts.iter().all(Self::can_be_set_off),
            Self::Not(_) => false,
            Self::Found(..) | Self::Record(_) => true,
        }
    }
}

/// Returns the kind of a test as reports name it.
pub(super) fn kind_of(expr: &Expr) -> &'static str {
    let combined = |parts: &[Expr], word: &'static str| {
        // What must not be there says nothing about what is looked for.
        let mut kinds = parts.iter().filter(|part| !matches!(part, Expr::Not(_))).map(kind_of);
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => kind,
            (Some(kind), Some(second)) if kind == second && kinds.all(|other| other == kind) => kind,
            _ => word,
        }
    };
    match expr {
        Expr::All(parts) => combined(parts, "all"),
        Expr::Any(parts) => combined(parts, "any"),
        Expr::Not(_) => "not",
        Expr::Atoms(atoms) => match atoms.first().map(|atom| &atom.observable) {
            Some(Observable::Ip(_)) => "ip",
            Some(Observable::Domain(_)) => "domain",
            Some(Observable::Url(_)) => "url",
            Some(Observable::Email(_)) => "email",
            Some(Observable::Certificate(_)) => "certificate",
            Some(Observable::UserAgent(_)) => "user_agent",
            Some(Observable::Hash(..)) | None => "hash",
        },
        Expr::Text(_) => "text",
        Expr::Regex(_) => "regex",
        Expr::Hex(_) => "hex",
        Expr::Yara(_) => "yara",
        Expr::Record(_) => "record",
        Expr::Token(_) => "token",
    }
}
