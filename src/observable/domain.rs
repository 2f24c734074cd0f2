//! The kind `domain`.
