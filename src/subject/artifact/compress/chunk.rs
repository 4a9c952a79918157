//! The size of the pieces in which a file is passed to an encoder.

/// How many bytes are read at a time.
pub(super) const CHUNK: usize = 64 * 1024;
