//! How the bytes of a text are its characters: UTF-8, UTF-16 with or without a byte order mark, Latin-1.
