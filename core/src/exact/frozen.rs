//! For tests: forms that are written hold for ever, as an older program reads them and a newer one too.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read;

/// Reads a text that was written before, and holds what is written of it against the text: no more, no less, and in
/// the same order.
///
/// # Panics
/// Where it differs.
#[track_caller]
pub fn frozen<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value: T = read(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    value
}

/// Why a text is not read.
///
/// # Panics
/// Where it is read.
#[track_caller]
pub fn refused<T: DeserializeOwned>(text: &str) -> String {
    match read::<T>(text.as_bytes()) {
        Ok(_) => panic!("{text} was read"),
        Err(why) => why.to_string(),
    }
}
