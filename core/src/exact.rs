//! JSON whose numbers arrive as they were written.
//!
//! serde_json reads a number quickly, and what it gives may be the neighbour of the number that was written. That is too
//! far off here: a value that is measured, recorded and accepted is read three times, and a limit on a metric that never
//! varies holds it against itself. The cargo feature `float_roundtrip` of serde_json reads exactly, but cargo would give
//! it to the whole build: what users measure of their own JSON would be slower than what they ship. So a number with a
//! fraction or an exponent goes past serde_json as a text, and the standard library reads it.

use serde::de::DeserializeOwned;
use serde_json::{Error, Number, Value};

/// Marks a text that stands for a number. It is no character of any language; a text that has it all the same is marked
/// by more of them than it has itself.
const MARK: char = '\u{fdd0}';

/// Reads JSON.
///
/// # Errors
/// Where it is no JSON, with the line and the column; or not what is wanted.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    T::deserialize(tree(text)?)
}

/// What the text says, before anybody asks what it is.
fn tree(text: &[u8]) -> Result<Value, Error> {
    // What is wrong with it is told of the text as it is.
    let Ok(whole) = std::str::from_utf8(text) else { return serde_json::from_slice(text) };
    let mark = mark(whole);
    let Ok(mut tree) = serde_json::from_str(&marked(whole, &mark)) else {
        return serde_json::from_slice(text);
    };
    restore(&mut tree, &mark);
    Ok(tree)
}

/// What no text of these begins with: more marks than there are in all of them, written as they are or escaped.
fn mark(text: &str) -> String {
    let escaped =
        |at: usize| text.get(at + 2..at + 6).is_some_and(|code| code.eq_ignore_ascii_case("fdd0"));
    let escaped = text.match_indices("\\u").filter(|&(at, _)| escaped(at)).count();
    MARK.to_string().repeat(text.matches(MARK).count() + escaped + 1)
}

/// The text with every number that serde_json might round as a text of its own.
fn marked(text: &str, mark: &str) -> String {
    let mut marked = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        marked.push_str(&rest[..start]);
        rest = &rest[start..];
        let (token, after) = rest.split_at(end(rest));
        let fraction = !token.starts_with('"') && token.contains(['.', 'e', 'E']);
        if fraction && serde_json::from_str::<f64>(token).is_ok() {
            marked.push('"');
            marked.push_str(mark);
            marked.push_str(token);
            marked.push('"');
        } else {
            marked.push_str(token);
        }
        rest = after;
    }
    marked + rest
}

/// Where the text or the number ends that `rest` begins with.
fn end(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    if bytes[0] != b'"' {
        let number = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        return bytes.iter().position(|b| !number(b)).unwrap_or(bytes.len());
    }
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Turns each marked text into the number that it stands for.
fn restore(tree: &mut Value, mark: &str) {
    match tree {
        Value::String(text) => {
            let number = text.strip_prefix(mark).and_then(|text| text.parse().ok());
            if let Some(number) = number.and_then(Number::from_f64) {
                *tree = number.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| restore(item, mark)),
        Value::Object(fields) => fields.values_mut().for_each(|field| restore(field, mark)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(any(test, feature = "testing"))]
pub mod frozen;
#[cfg(test)]
mod tests;
