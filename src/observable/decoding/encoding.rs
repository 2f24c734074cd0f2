//! The encodings there are: their names, how each is undone, and the order in which they are tried.

use super::signs::{AMPERSAND, BACKSLASH, CARET, EQUALS, ESCAPE, HASH, HIGH, PERCENT, PLUS, ZERO};
use super::{
    backslash_codes, entities, json_escapes, look_alikes, percent, quoted_printable, rfc2047, terminal, zero_bytes,
};

/// One encoding inside text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    ZeroBytes,
    Terminal,
    Unicode,
    Json,
    Html,
    Percent,
    Rfc2047,
    QuotedPrintable,
    Octal,
    Hex,
    Base64,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// Returns the name in a decode path.
    fn name(self) -> &'static str {
        match self {
            Self::ZeroBytes => "utf-16",
            Self::Terminal => "terminal",
            Self::Unicode => "unicode",
            Self::Json => "json",
            Self::Html => "html",
            Self::Percent => "percent",
            Self::Rfc2047 => "rfc2047",
            Self::QuotedPrintable => "quoted-printable",
            Self::Octal => "octal",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

/// The encodings that were undone to see a text, outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path([Option<Encoding>; 12]);

impl Path {
    /// The path of one percent-encoding.
    pub const PERCENT: Self = Self::of(Encoding::Percent);
    /// The path of one text with entities.
    pub const HTML: Self = Self::of(Encoding::Html);

    const fn of(encoding: Encoding) -> Self {
        let no = None;
        Self([Some(encoding), no, no, no, no, no, no, no, no, no, no, no])
    }

    /// Returns the names of the encodings.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.into_iter().flatten().map(Encoding::name)
    }

    /// Tells whether escapes of JSON were undone.
    pub fn has_json(&self) -> bool {
        self.0.contains(&Some(Encoding::Json))
    }

    /// Adds an encoding. Of a path that is longer than any that makes sense, the end is left out.
    pub(super) fn and(mut self, encoding: Encoding) -> Self {
        let length = self.0.iter().flatten().count();
        let is_known = encoding == Encoding::Terminal && self.0.iter().flatten().last() == Some(&encoding);
        if let Some(place) = self.0.get_mut(length).filter(|_| !is_known) {
            *place = Some(encoding);
        }
        self
    }
}

/// Appends a text without an encoding, and tells whether there was any.
pub(super) type Undo = fn(&[u8], &mut Vec<u8>) -> bool;

/// An encoding that is undone where it stands.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub encoding: Encoding,
    /// Some of these must stand in the text.
    pub any: u16,
    /// All of these must stand in the text.
    pub all: u16,
    pub undo: Undo,
    /// Another way to undo the same, where it is in doubt, which makes a reading beside.
    pub other: Option<Undo>,
}

const fn step(encoding: Encoding, any: u16, undo: Undo) -> Step {
    Step { encoding, any, all: 0, undo, other: None }
}

/// What is undone, in this order, until nothing changes: what hides text first; then JSON inside text, as syslog carries it;
/// then what a link in HTML may hold. None of them harms a text that is not encoded, or hardly.
pub(super) const STEPS: [Step; 7] = [
    step(Encoding::ZeroBytes, ZERO, zero_bytes::undo),
    step(Encoding::Terminal, ESCAPE | HIGH, terminal::undo),
    step(Encoding::Unicode, HIGH, look_alikes::undo),
    step(Encoding::Json, BACKSLASH, json_escapes::undo),
    step(Encoding::Html, AMPERSAND, entities::undo),
    step(Encoding::Percent, PERCENT, percent::undo),
    Step { other: Some(rfc2047::undo_as_utf8), ..step(Encoding::Rfc2047, EQUALS, rfc2047::undo) },
];

/// What may be undone, but may as well be meant as it stands: each makes a reading beside the others.
pub(super) const GUESSES: [Step; 5] = [
    step(Encoding::QuotedPrintable, EQUALS, quoted_printable::undo),
    step(Encoding::Hex, BACKSLASH, backslash_codes::undo_hex),
    step(Encoding::Octal, BACKSLASH, backslash_codes::undo_octal),
    step(Encoding::Terminal, HASH | CARET | BACKSLASH, terminal::undo_written),
    Step { all: PLUS | PERCENT, ..step(Encoding::Percent, PLUS, percent::undo_form) },
];
