//! The kind `email`.
