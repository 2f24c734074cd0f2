//! Turning the error that ended the read of a member into what is said of its container.

use std::io;

use super::DecodeError;
use crate::budget::exceeded;
use crate::problem::Reason;

/// Says why reading `what` ended early: a limit, too few bytes, bytes that break the format, or the evidence itself.
pub(super) fn from_read(error: io::Error, what: &str) -> DecodeError {
    if let Some(limit) = exceeded(&error) {
        return DecodeError::Damaged { reason: Reason::Limit, detail: format!("{what}: {limit}") };
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => DecodeError::truncated(format!("{what} ends too early")),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            DecodeError::corrupt(format!("{what} is damaged: {error}"))
        }
        _ => DecodeError::Read(error),
    }
}

/// Tells whether an error of one member ends its whole container: all members share the limit that it met.
///
/// The ratio is a limit of one stream, so the next member may well be read.
pub(super) fn ends_container(error: &io::Error) -> bool {
    exceeded(error).is_some_and(|limit| limit.limit != "ratio")
}

/// Makes the error of a member that has fewer bytes than its container says.
pub(super) fn too_short(what: &str, need: u64, have: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("{what}: {need} bytes are needed, {have} are there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Exceeded;

    #[test]
    fn the_reason_follows_the_kind_of_error() {
        let reason = |error| match from_read(error, "x") {
            DecodeError::Damaged { reason, .. } => Some(reason),
            DecodeError::Read(_) => None,
        };
        assert_eq!(reason(too_short("x", 2, 1)), Some(Reason::Truncated));
        assert_eq!(reason(io::ErrorKind::InvalidInput.into()), Some(Reason::Corrupt));
        assert_eq!(reason(Exceeded { limit: "ratio", value: 1 }.into()), Some(Reason::Limit));
        assert_eq!(reason(io::ErrorKind::PermissionDenied.into()), None);
    }

    #[test]
    fn only_shared_limits_end_a_container() {
        assert!(ends_container(&Exceeded { limit: "output", value: 1 }.into()));
        assert!(!ends_container(&Exceeded { limit: "ratio", value: 1 }.into()));
        assert!(!ends_container(&io::ErrorKind::UnexpectedEof.into()));
    }
}
