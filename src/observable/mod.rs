//! Typed, normalised values: one file a kind, each with how it is found in text, refanged and normalised.
//!
//! What an indicator means belongs to `pack/`; looking values up, to `matching/`.

use std::fmt;

mod domain;
mod email;
mod hash;
mod ip;
mod url;

pub use hash::HashKind;
pub use ip::IpRange;
pub use url::UrlPattern;

/// One typed value that an indicator lists, in its normal form. Two spellings of one value are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Observable {
    /// An IPv4 or IPv6 address or CIDR range (RFC 4632, RFC 5952).
    Ip(IpRange),
    /// A domain name; its sub-domains belong to it.
    Domain(String),
    /// A URL or the beginning of one.
    Url(UrlPattern),
    /// An e-mail address.
    Email(String),
    /// A digest of a file or certificate, as lower-case hexadecimal.
    Hash(HashKind, String),
}

/// The kinds of atoms, as packs write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AtomKind {
    /// `ip`
    Ip,
    /// `domain`
    Domain,
    /// `url`
    Url,
    /// `email`
    Email,
    /// `hash`, its algorithm told by its length
    Hash,
    /// A hash whose algorithm the source names (`md5`, `sha1`, `sha256`, `sha512`, `thumbprint`)
    HashOf(HashKind),
}

/// Says why a value is not of its kind, and what one looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservableError {
    /// What is wrong with the value.
    pub problem: String,
    /// What was expected, with an example.
    pub expected: &'static str,
}

impl fmt::Display for ObservableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}", self.problem, self.expected)
    }
}

impl std::error::Error for ObservableError {}

impl Observable {
    /// Parses and normalises a value of a known kind. Defanged values (`evil[.]com`) are refanged.
    ///
    /// # Errors
    /// Fails where the text is not of the kind.
    pub fn parse(kind: AtomKind, text: &str) -> Result<Self, ObservableError> {
        let _ = (kind, text);
        todo!()
    }

    /// Tells the kind of a value by its shape, for plain lists; none where it looks like nothing that is known.
    pub fn guess(text: &str) -> Option<Self> {
        let _ = text;
        todo!()
    }

    /// Returns the `type` of reports: `ip`, `domain`, `url`, `email`, `md5`, `sha1`, `sha256`, `sha512`, `thumbprint`.
    pub fn kind(&self) -> &'static str {
        todo!()
    }

    /// Returns the normal form as text.
    pub fn value(&self) -> String {
        todo!()
    }
}
