//! Digests as text.

/// Which digest a hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashKind {
    /// RFC 1321
    Md5,
    /// FIPS 180-4
    Sha1,
    /// FIPS 180-4
    Sha256,
    /// FIPS 180-4
    Sha512,
    /// The SHA-1 of a certificate: looked for in text, never compared with the digest of a file.
    Thumbprint,
}
