//! Helpers for the tests of forms on disk, which must never change: an older program and a newer one read them too.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read;

/// Reads a text that was written before, and asserts that writing the value gives the same text again, with the same
/// fields in the same order.
///
/// # Panics
/// If it differs.
#[track_caller]
pub fn frozen<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value: T = read(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    value
}

/// Returns why a text is not read.
///
/// # Panics
/// If it is read.
#[track_caller]
pub fn refused<T: DeserializeOwned>(text: &str) -> String {
    match read::<T>(text.as_bytes()) {
        Ok(_) => panic!("{text} was read"),
        Err(why) => why.to_string(),
    }
}
