//! The kind `url`. Source: RFC 3986, section 6.

/// A URL, or the beginning of one, without its scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UrlPattern {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
}
