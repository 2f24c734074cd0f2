//! Formats: one file each, chosen by content and never by extension, all through [`DECODERS`].
//!
//! A decoder turns the bytes of one artifact into blocks of records, or into child artifacts, and says what it could
//! not read. It never decides what matches (`matching/`) and never opens a path that it found inside evidence.

mod buffer;
mod bytes;
#[cfg(test)]
mod corpus_tests;
mod csv;
mod csv_cells;
mod csv_splitter;
mod cutter;
mod damage;
mod gzip;
mod header_field;
mod input;
mod json;
mod json_splitter;
mod lines;
mod mail;
mod mail_block;
mod marker;
mod mbox;
mod mime_parts;
mod separator;
mod signatures;
mod stray;
mod tar;
#[cfg(test)]
mod testing;
mod text;
mod text_encoding;
#[cfg(test)]
mod text_tests;
mod transfer;
mod w3c;
mod zip;
mod zip_member;

use std::io::{self, Read};

pub use input::{Head, Input, ReadSeek};

use crate::budget::Budget;
use crate::problem::Reason;
use crate::record::Block;

/// What stopped a decoder before the end of its artifact. Everything that it gave to the sink before still counts.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes break the rules of the format, or end too early, or are locked, or of a variant that is not read.
    #[error("{detail}")]
    Damaged {
        /// Why, in one word.
        reason: Reason,
        /// What was being read and what was wrong with it.
        detail: String,
    },
    /// Reading the artifact's own bytes failed: the cause lies in the evidence file or the container around it.
    #[error("{0}")]
    Read(#[from] io::Error),
}

impl DecodeError {
    /// Makes an error for data that ends too early.
    pub fn truncated(detail: impl Into<String>) -> Self {
        Self::Damaged { reason: Reason::Truncated, detail: detail.into() }
    }

    /// Makes an error for data that breaks the rules of its format.
    pub fn corrupt(detail: impl Into<String>) -> Self {
        Self::Damaged { reason: Reason::Corrupt, detail: detail.into() }
    }
}

/// What a decoder hands a member over with.
pub struct Child<'a> {
    /// The member's name inside its container, as the container has it.
    pub name: &'a str,
    /// The member's unfolded bytes, read within the budget (see [`crate::budget::Limited`]).
    pub content: &'a mut dyn Read,
    /// The decoder, where the container's own format leaves no choice (a mailbox holds messages); else the content's
    /// head decides.
    pub decoder: Option<&'static dyn Decoder>,
    /// The unfolded size that the container claims, for orientation only.
    pub claimed_size: Option<u64>,
}

/// Where a decoder's output goes. Implemented by `scan/`, which searches blocks and decodes children in turn.
pub trait Sink {
    /// Takes a block of whole records. It may be searched at once or later, on any thread.
    fn block(&mut self, block: Box<dyn Block>);

    /// Decodes a member and everything in it, and reads it to its end. The member is in the ledger afterwards.
    ///
    /// # Errors
    /// The error that ended the read of `child.content`, after what was read before it was searched. The member is then
    /// already listed as failed; the container goes on with its next member if its format allows that.
    fn child(&mut self, child: Child<'_>) -> io::Result<()>;

    /// Lists a member that could not be opened at all (locked, unsupported method, cut off), and counts it as failed.
    fn unopened(&mut self, name: &str, reason: Reason, detail: &str, bytes: Option<u64>);

    /// Lists a range of this artifact's own bytes that was not read; the artifact then counts as failed.
    fn problem(&mut self, reason: Reason, detail: &str, bytes: Option<u64>);

    /// Says that the whole artifact quotes indicators rather than showing them (a pack, a STIX bundle, a report).
    fn mentions_only(&mut self);

    /// Returns the limits that all decoders of this evidence file share.
    fn budget(&self) -> std::sync::Arc<Budget>;

    /// Returns this artifact's own file name: a hint to name a member by, never a type.
    fn file_name(&self) -> String;

    /// Tells whether the user asked to stop. A decoder then returns early with `Ok`.
    fn is_cancelled(&self) -> bool;
}

/// One format.
pub trait Decoder: Sync {
    /// Returns the name in the ledger and in `stormglass decoders`.
    fn name(&self) -> &'static str;

    /// Returns what it reads, in a few words, with the specification that it follows.
    fn reads(&self) -> &'static str;

    /// Tells from the first bytes whether the artifact is of this format.
    fn recognises(&self, head: &Head<'_>) -> bool;

    /// Reads the artifact to its end.
    ///
    /// # Errors
    /// What stopped it early.
    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError>;
}

/// Every format. The first that recognises an artifact decodes it, so what is surer of its format stands before what is
/// less so: magic numbers, then what is told by its first lines, plain text, and last what takes anything.
pub static DECODERS: &[&dyn Decoder] = &[
    &gzip::Gzip,
    &zip::Zip,
    &tar::Tar,
    &signatures::Signature,
    &json::Json,
    &mbox::Mbox,
    &mail::Mail,
    &w3c::W3c,
    &csv::Csv,
    &text::Text,
    &bytes::Bytes,
];

/// Returns the first decoder that recognises an artifact by its head.
pub fn decoder_for(head: &Head<'_>) -> &'static dyn Decoder {
    DECODERS.iter().copied().find(|decoder| decoder.recognises(head)).unwrap_or(&bytes::Bytes)
}
