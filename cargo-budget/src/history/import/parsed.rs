//! The result of an importer, and how an importer looks values up in JSON.

use serde_json::Value;

use crate::history::entry::Measured;

/// The values in a file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) values: Vec<Measured>,
    /// When they were measured, in seconds since 1970, where the file says so.
    pub(super) began: Option<i64>,
    /// The version of the format, where the file says so.
    pub(super) version: Option<String>,
}

/// Returns the number at the end of the path `keys`.
pub(super) fn number(value: &Value, keys: &[&str]) -> Option<f64> {
    keys.iter().try_fold(value, |value, key| value.get(key))?.as_f64()
}

/// Returns the text at `key`.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}
