//! JSON texts as values of a type.
//!
//! Apart so that a text is always read the same way: first as JSON, by code that serde_json has ready, then
//! as the type. Reading a type from the text directly makes the compiler write a parser for each.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a text says.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    serde_json::from_value(value(text)?)
}

fn value(text: &[u8]) -> serde_json::Result<Value> {
    let text = std::str::from_utf8(text);
    text.map_err(serde::de::Error::custom)?.parse()
}
