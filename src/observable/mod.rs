//! Typed, normalised values: one file a kind, each with how it is found in text, refanged and normalised.
//!
//! What an indicator means belongs to `pack/`; looking values up, to `matching/`.

use std::fmt;
use std::ops::Range;

mod borders;
pub mod candidates;
mod certificate;
mod colons;
pub mod decoding;
mod domain;
mod email;
mod hash;
mod idna;
mod ip;
mod pairs;
mod plain;
pub mod refang;
mod signature;
pub mod table;
mod token;
mod token_claims;
mod token_found;
mod token_hiding;
mod token_json;
mod token_key;
pub mod tokens;
mod url;
mod user_agent;

pub use borders::is_in_word;
pub use certificate::{Certificate, CertificatePart};
pub use domain::WILDCARD;
pub use hash::HashKind;
pub use ip::IpRange;
pub use plain::{PlainReader, v4_line};
pub use signature::RsaKey;
pub use token::{BEGINNINGS as TOKEN_BEGINNINGS, Token, TokenForm, tokens_in};
pub use token_found::FoundToken;
pub use token_hiding::Hiding;
pub use token_key::key_name;
pub use url::UrlPattern;

/// One typed value that an indicator lists, in its normal form. Two spellings of one value are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Observable {
    /// An IPv4 or IPv6 address or CIDR range (RFC 4632, RFC 5952).
    Ip(IpRange),
    /// A domain name; its sub-domains belong to it. With `*.` before it, these alone.
    Domain(String),
    /// A URL or the beginning of one.
    Url(UrlPattern),
    /// An e-mail address.
    Email(String),
    /// A digest of a file or certificate, as lower-case hexadecimal.
    Hash(HashKind, String),
    /// What a certificate is told by.
    Certificate(Certificate),
    /// What a client says it is.
    UserAgent(String),
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
    /// `certificate`
    Certificate(CertificatePart),
    /// `user_agent`
    UserAgent,
}

/// A text by which a value is found that has no shape of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The text; letter case counts only in base64.
    pub text: String,
    /// Where it may begin and end.
    pub whole: Whole,
}

/// What a text must be the whole of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// A user agent, whose spaces may be `+`.
    UserAgent,
    /// A serial number in hexadecimal.
    Serial,
    /// A serial number in decimal.
    Decimal,
    /// A certificate's subject, with any spaces around `=` and `,`.
    Subject,
    /// A digest in base64.
    Base64,
}

impl Whole {
    /// Tells whether what stands at a place in a text is the whole of what it is.
    pub fn stands(self, text: &[u8], at: &Range<usize>) -> bool {
        match self {
            Self::UserAgent => user_agent::is_whole(text, at),
            Self::Serial => certificate::is_serial(text, at),
            Self::Decimal => certificate::is_decimal(text, at),
            Self::Subject => certificate::is_subject(text, at),
            Self::Base64 => certificate::is_base64(text, at),
        }
    }
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
        let refanged = refang::refang(text);
        let text = refanged.as_deref().unwrap_or(text).trim();
        match kind {
            AtomKind::Ip => IpRange::parse(text).map(Self::Ip),
            AtomKind::Domain => domain::parse(text).map(Self::Domain),
            AtomKind::Url => url::parse(text).map(Self::Url),
            AtomKind::Email => email::parse(text).map(Self::Email),
            AtomKind::Hash => hash::parse(None, text).map(|(kind, digits)| Self::Hash(kind, digits)),
            AtomKind::HashOf(kind) => hash::parse(Some(kind), text).map(|(kind, digits)| Self::Hash(kind, digits)),
            AtomKind::Certificate(part) => certificate::parse(part, text).map(Self::Certificate),
            AtomKind::UserAgent => user_agent::parse(text).map(Self::UserAgent),
        }
    }

    /// Tells the kind of a value by its shape, for plain lists; none where it looks like nothing that is known.
    pub fn guess(text: &str) -> Option<Self> {
        let refanged = refang::refang(text);
        let text = refanged.as_deref().unwrap_or(text).trim();
        if let Ok(range) = IpRange::parse(text) {
            return Some(Self::Ip(range));
        }
        if let Ok((kind, digits)) = hash::parse(None, text) {
            return Some(Self::Hash(kind, digits));
        }
        if url::looks_like(text) {
            return url::parse(text).ok().map(Self::Url);
        }
        if let Ok(address) = email::parse(text) {
            return Some(Self::Email(address));
        }
        domain::looks_like(text).then(|| domain::parse(text).ok().map(Self::Domain)).flatten()
    }

    /// Returns the `type` of reports: `ip`, `domain`, `url`, `email`, `md5`, `sha1`, `sha256`, `sha512`, `thumbprint`,
    /// `certificate`, `user_agent`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ip(_) => "ip",
            Self::Domain(_) => "domain",
            Self::Url(_) => "url",
            Self::Email(_) => "email",
            Self::Hash(kind, _) => kind.as_str(),
            Self::Certificate(_) => "certificate",
            Self::UserAgent(_) => "user_agent",
        }
    }

    /// Returns the normal form as text.
    pub fn value(&self) -> String {
        match self {
            Self::Ip(range) => range.value(),
            Self::Url(url) => url.value(),
            Self::Certificate(certificate) => certificate.value().to_owned(),
            Self::Domain(text) | Self::Email(text) | Self::Hash(_, text) | Self::UserAgent(text) => text.clone(),
        }
    }

    /// Returns the texts by which it is found, besides what has its shape; most kinds have none.
    pub fn spellings(&self) -> Vec<Spelling> {
        match self {
            Self::Certificate(certificate) => certificate.spellings(),
            Self::UserAgent(agent) => vec![Spelling { text: agent.clone(), whole: Whole::UserAgent }],
            Self::Ip(_) | Self::Domain(_) | Self::Url(_) | Self::Email(_) | Self::Hash(..) => Vec::new(),
        }
    }

    /// Returns a name in the form in which names are compared: lower case and ASCII.
    pub fn comparable_name(name: &str) -> String {
        idna::to_ascii(name).map_or_else(|| name.to_lowercase(), |ascii| ascii.trim_end_matches('.').to_owned())
    }
}

impl UrlPattern {
    /// Tells whether the text behind a host begins with this URL's port and path, up to a border of the path.
    ///
    /// Returns how many bytes of `rest` belong to it.
    pub fn match_behind_host(&self, rest: &str) -> Option<usize> {
        self.matches(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tell_kinds() {
        let kind = |text: &str| Observable::guess(text).map(|o| (o.kind(), o.value()));
        assert_eq!(kind("185[.]236[.]228[.]183"), Some(("ip", "185.236.228.183".into())));
        assert_eq!(kind("2001:db8::/32"), Some(("ip", "2001:db8::/32".into())));
        assert_eq!(kind("hxxps://evil[.]example/a"), Some(("url", "evil.example/a".into())));
        assert_eq!(kind("someone[@]evil.example"), Some(("email", "someone@evil.example".into())));
        assert_eq!(kind("Evil.Example"), Some(("domain", "evil.example".into())));
        assert_eq!(kind(&"AB".repeat(32)).map(|(k, _)| k), Some("sha256"));
        assert_eq!(kind("not an indicator"), None);
        assert_eq!(kind("word"), None);
    }
}
