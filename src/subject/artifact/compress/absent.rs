//! Stands for an encoder whose cargo feature is off.

use std::any::TypeId;
use std::io::{self, Read};

/// Nothing encodes.
pub(super) fn implementation() -> Option<TypeId> {
    None
}

/// Never a size.
pub(super) fn size(_source: &mut dyn Read, _bytes: u64) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
