//! The kind `hash`: digests of files and thumbprints of certificates, as hexadecimal text.

use super::ObservableError;

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

const EXPECTED: &str = "hexadecimal digits: 32 for MD5, 40 for SHA-1 or a thumbprint, 64 for SHA-256, 128 for SHA-512";

impl HashKind {
    /// Returns the word of packs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Thumbprint => "thumbprint",
        }
    }

    /// Returns how many hexadecimal digits it has.
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 | Self::Thumbprint => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// Tells the digest of a file by its number of digits.
    pub fn of_digits(digits: usize) -> Option<Self> {
        [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512].into_iter().find(|kind| kind.digits() == digits)
    }
}

/// Normalises a hash to lower case without separators (`:`, `-`, spaces), and tells its kind where none is given.
pub(super) fn parse(kind: Option<HashKind>, text: &str) -> Result<(HashKind, String), ObservableError> {
    let refuse = |problem: String| ObservableError { problem, expected: EXPECTED };
    if is_fuzzy(text) {
        return Err(refuse(format!("`{text}` is a ssdeep hash, which tells what is similar and stands in no log")));
    }
    let digits: String =
        text.chars().filter(|c| !matches!(c, ':' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(refuse(format!("`{text}` has characters that are not hexadecimal digits")));
    }
    let told = kind.or_else(|| HashKind::of_digits(digits.len()));
    match told {
        Some(kind) if kind.digits() == digits.len() => Ok((kind, digits)),
        Some(kind) => {
            Err(refuse(format!("`{text}` has {} digits; a {} has {}", digits.len(), kind.as_str(), kind.digits())))
        }
        None => Err(refuse(format!("`{text}` has {} digits, as no known hash has", digits.len()))),
    }
}

/// Tells whether a text is a ssdeep hash: a block size and two runs of base64, between colons.
fn is_fuzzy(text: &str) -> bool {
    let mut parts = text.split(':');
    let is_size = parts.next().is_some_and(|size| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()));
    let is_run = |run: &str| {
        run.len() > 2 && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    };
    is_size && parts.next().is_some_and(is_run) && parts.next().is_some_and(is_run) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_from_the_length_unless_it_is_named() {
        let thumbprint = "D4:B4:CC:CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA";
        let digits = "d4b4cccda9228624656bff33d8110955779632aa".to_owned();
        assert_eq!(parse(None, thumbprint), Ok((HashKind::Sha1, digits.clone())));
        assert_eq!(parse(Some(HashKind::Thumbprint), thumbprint), Ok((HashKind::Thumbprint, digits)));
        assert!(parse(Some(HashKind::Md5), thumbprint).is_err());
        assert!(parse(None, &"a".repeat(39)).is_err());
        assert!(parse(None, &"a".repeat(64)).is_ok());
        assert!(parse(None, &"g".repeat(64)).is_err());
        assert_eq!(parse(None, &thumbprint.replace(':', "-")), parse(None, &thumbprint.replace(':', " ")));
        let fuzzy =
            parse(None, "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXLcMSx:sF1LjEtHHlZDrJzrhuyZvHYm8tKp/RWO")
                .unwrap_err();
        assert!(fuzzy.problem.contains("ssdeep"), "{fuzzy}");
    }
}
