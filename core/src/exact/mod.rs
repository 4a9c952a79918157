//! JSON whose numbers are read exactly as they were written.
//!
//! serde_json reads a number quickly, and may return the float next to the one that was written. That is too far off
//! here: a value that is measured, recorded and accepted is read three times, and a limit on a metric that never
//! varies compares it with itself. The cargo feature `float_roundtrip` of serde_json reads exactly, but cargo would
//! turn it on for the whole build: what users measure of their own JSON would be slower than what they ship. So a
//! number with a fraction or an exponent goes through serde_json as a text, and the standard library reads it.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Number, Value};

use tree::Tree;

/// The character that marks a text which stands for a number. It belongs to no language. If a text has it all the
/// same, the mark is made of more of these characters than there are in the text.
const MARK: char = '\u{fdd0}';

/// Reads JSON.
///
/// # Errors
/// If the text is not JSON, with the line and the column, or not the JSON of this type.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    from_tree(read_tree(text)?)
}

/// Reads a value from the tree of a JSON text.
///
/// # Errors
/// If it is not the JSON of this type.
pub fn from_tree<T: DeserializeOwned>(tree: Value) -> Result<T, Error> {
    T::deserialize(Tree(tree))
}

/// Reads the text as a tree, which does not depend on the type that it should have.
fn read_tree(text: &[u8]) -> Result<Value, Error> {
    // The parser of trees is compiled in serde_json. Any other would be compiled here.
    let whole = std::str::from_utf8(text).map_err(Error::custom)?;
    let mark = mark(whole);
    let Ok(mut tree) = mark_numbers(whole, &mark).parse() else {
        // The error is reported for the original text.
        return whole.parse();
    };
    restore(&mut tree, &mark);
    Ok(tree)
}

/// Returns a mark that no text in this JSON begins with: it has more mark characters than all the texts together,
/// whether these are written as they are or escaped.
fn mark(text: &str) -> String {
    let escaped =
        |at: usize| text.get(at + 2..at + 6).is_some_and(|code| code.eq_ignore_ascii_case("fdd0"));
    let escaped = text.match_indices("\\u").filter(|&(at, _)| escaped(at)).count();
    MARK.to_string().repeat(text.matches(MARK).count() + escaped + 1)
}

/// Returns the text with every number that serde_json might round replaced by a marked text.
fn mark_numbers(text: &str, mark: &str) -> String {
    let mut marked = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    // No byte of a longer character is one of these.
    let begins = |b: u8| b == b'"' || b == b'-' || b.is_ascii_digit();
    while let Some(start) = rest.bytes().position(begins) {
        marked.push_str(&rest[..start]);
        rest = &rest[start..];
        let (token, after) = rest.split_at(token_end(rest));
        let fraction = !token.starts_with('"') && token.contains(['.', 'e', 'E']);
        if fraction && token.parse::<Value>().is_ok() {
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

/// Returns the end of the text or number that `rest` begins with.
fn token_end(rest: &str) -> usize {
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
mod tree;
