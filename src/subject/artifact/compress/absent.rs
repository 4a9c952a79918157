//! The stand-in for an encoder whose cargo feature is off.

use std::any::TypeId;
use std::io::{self, Read};

/// Returns no type, since there is no encoder.
pub(super) fn implementation() -> Option<TypeId> {
    None
}

/// Fails, since there is no encoder.
pub(super) fn size(_source: &mut dyn Read, _bytes: u64) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
