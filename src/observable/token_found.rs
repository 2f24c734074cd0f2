//! A token where it stands in a text, and what its lines are parted by.

use std::borrow::Cow;
use std::ops::Range;

use super::token::{Token, TokenForm};
use super::token_key::{decode, sha256};

/// A token where it stands in a text.
#[derive(Clone, Debug)]
pub struct FoundToken<'t> {
    /// What it says.
    pub token: Token,
    /// Where it stands, with the white space inside it.
    pub range: Range<usize>,
    /// Where its header ends.
    pub header_end: usize,
    /// What stands there, or the parts between dots.
    pub(super) bytes: Cow<'t, [u8]>,
}

impl FoundToken<'_> {
    /// Returns the SHA-256 of the token as it was found, without what stands between its lines, as lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        let compact: Vec<u8> = self.bytes.iter().copied().filter(|byte| !is_gap(*byte)).collect();
        sha256(&compact)
    }

    /// Returns what is signed, in the spelling that is signed, and the signature; none where there is no signature.
    pub fn signed(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (message, signature) = self.bytes.split_at_checked(self.bytes.iter().rposition(|byte| *byte == b'.')?)?;
        let signature: Vec<u8> = signature.iter().skip(1).copied().filter(|byte| !is_gap(*byte)).collect();
        let signature = decode(&signature)?;
        let message = message.iter().filter(|byte| !is_gap(**byte) && **byte != b'=');
        let message = message.map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => *byte,
        });
        (self.token.form == TokenForm::Jws && !signature.is_empty()).then(|| (message.collect(), signature))
    }
}

/// Tells whether a byte stands between the lines of a token: white space, or the mark of a quoted line.
fn is_gap(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'>'
}

/// Returns the length of the white space that a text begins with. Behind a line end, `>` belongs to it: mails quote so.
pub(super) fn gap(text: &[u8]) -> usize {
    let mut is_new_line = false;
    let is_gap = |byte: &&u8| {
        is_new_line |= **byte == b'\n';
        matches!(byte, b' ' | b'\t' | b'\r' | b'\n') || **byte == b'>' && is_new_line
    };
    text.iter().take_while(is_gap).count()
}
