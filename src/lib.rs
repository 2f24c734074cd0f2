//! Stormglass tells an auditor whether anything an advisory describes is in the evidence they hold, and how sure they
//! may be that it is not.
//!
//! The rooms and the one way that data flows through them are drawn in `ARCHITECTURE.md`.

#![cfg_attr(test, allow(clippy::string_slice, clippy::cast_possible_truncation))]

pub mod artifact_path;
pub mod budget;
pub mod decode;
pub mod evidence;
pub mod finding;
pub mod matching;
pub mod observable;
pub mod pack;
pub mod problem;
pub mod record;
pub mod report;
pub mod scan;
pub mod spool;
pub mod text;
