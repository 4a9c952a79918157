//! JSON as a tree, and types that are written as JSON and read from it.
//!
//! Apart so that a type says its fields once ([`record!`]) and the rest is code that all types share. The derive
//! of serde writes a parser for each type instead, which was a quarter of what this library took to build.

mod plain;

use std::fmt;

use serde_json::{Map, Value};

/// What text says.
pub(crate) fn read<T: FromJson>(text: &[u8]) -> Result<T, Mismatch> {
    T::from_json(tree(text)?)
}

fn tree(text: &[u8]) -> Result<Value, Mismatch> {
    let text = std::str::from_utf8(text).map_err(|e| Mismatch::of(e.to_string()))?;
    text.parse().map_err(|e: serde_json::Error| Mismatch::of(e.to_string()))
}

/// A type that can be read.
pub(crate) trait FromJson: Sized {
    /// Reads it.
    fn from_json(value: Value) -> Result<Self, Mismatch>;

    /// What an object has that lacks the field; `None` where it must not.
    fn absent() -> Option<Self> {
        None
    }
}

/// Why JSON is not the type it was read as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Where it is: `0.Config`; empty for the whole.
    place: String,
    why: String,
}

impl Mismatch {
    #[cold]
    #[inline(never)]
    fn new(found: &Value, wanted: &str) -> Mismatch {
        let found = match found {
            Value::Null => "null".to_owned(),
            Value::Array(items) => format!("an array of {}", items.len()),
            Value::Object(_) => "an object".to_owned(),
            Value::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
            plain => plain.to_string(),
        };
        Mismatch::of(format!("{found} is not {wanted}"))
    }

    /// A word that is none of those a type has.
    pub(crate) fn unknown(word: &str) -> Mismatch {
        Mismatch::new(&word.into(), "a word that is known here")
    }

    #[cold]
    fn missing(name: &str) -> Mismatch {
        Mismatch::of(format!("`{name}` is missing"))
    }

    fn of(why: String) -> Mismatch {
        Mismatch { place: String::new(), why }
    }

    /// Where in an array it is.
    #[cold]
    #[inline(never)]
    fn at(self, index: usize) -> Mismatch {
        self.within(&index.to_string())
    }

    /// Where in an object it is.
    #[cold]
    #[inline(never)]
    fn within(mut self, outer: &str) -> Mismatch {
        let dot = if self.place.is_empty() { "" } else { "." };
        self.place = format!("{outer}{dot}{}", self.place);
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.why),
            place => write!(f, "`{place}`: {}", self.why),
        }
    }
}

impl From<Mismatch> for std::io::Error {
    fn from(mismatch: Mismatch) -> Self {
        std::io::Error::new(std::io::ErrorKind::InvalidData, mismatch.to_string())
    }
}

/// An object's fields, taken one by one; what nobody asks for is passed over.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of an object.
    pub(crate) fn of(value: Value) -> Result<Fields, Mismatch> {
        match value {
            Value::Object(fields) => Ok(Fields(fields)),
            other => Err(Mismatch::new(&other, "an object")),
        }
    }

    /// The field of this name.
    pub(crate) fn take<T: FromJson>(&mut self, name: &str) -> Result<T, Mismatch> {
        match self.find(name)? {
            Some(found) => Ok(found),
            None => T::absent().ok_or_else(|| Mismatch::missing(name)),
        }
    }

    /// Not made anew for every type.
    #[inline(never)]
    fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The field of this name, or what stands for it where it is absent.
    pub(crate) fn take_or<T: FromJson>(&mut self, name: &str, or: T) -> Result<T, Mismatch> {
        Ok(self.find(name)?.unwrap_or(or))
    }

    fn find<T: FromJson>(&mut self, name: &str) -> Result<Option<T>, Mismatch> {
        let read = self.remove(name).map(T::from_json).transpose();
        read.map_err(|mismatch| mismatch.within(name))
    }
}

/// Takes an object of one field apart: the field's name says what the content is.
pub(crate) fn tag(value: Value) -> Result<(String, Value), Mismatch> {
    let Fields(fields) = Fields::of(value)?;
    let mut fields = fields.into_iter();
    match (fields.next(), fields.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Mismatch::of("an object of one field is wanted".to_owned())),
    }
}

/// Has a struct read from an object: `reads!(Saved { config: "Config", tags, size = 0 })`, where a text is the
/// field's name in JSON, and what follows `=` is its value where it is absent.
macro_rules! reads {
    ($type:ident { $($field:ident $(: $name:literal)? $(= $or:expr)?),* $(,)? }) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: serde_json::Value) -> Result<Self, $crate::json::Mismatch> {
                let mut fields = $crate::json::Fields::of(value)?;
                Ok($type { $($field: $crate::json::reads!(@ fields $field $(: $name)? $(= $or)?)),* })
            }
        }
    };
    (@ $fields:ident $field:ident) => { $fields.take(stringify!($field))? };
    (@ $fields:ident $field:ident : $name:literal) => { $fields.take($name)? };
    (@ $fields:ident $field:ident = $or:expr) => { $fields.take_or(stringify!($field), $or)? };
}

/// Has a struct written as an object and read from it: `record!(Estimate { value, low, high })`.
macro_rules! record {
    ($type:ident { $($field:ident $(= $or:expr)?),* $(,)? }) => {
        $crate::json::reads!($type { $($field $(= $or)?),* });
        $crate::json::deserializes!($type);

        impl serde_core::Serialize for $type {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde_core::ser::SerializeStruct as _;
                let count = [$(stringify!($field)),*].len();
                let mut fields = serializer.serialize_struct(stringify!($type), count)?;
                $(fields.serialize_field(stringify!($field), &self.$field)?;)*
                fields.end()
            }
        }
    };
}

/// Has an enum of names written as words and read from them: `words!(Effect { Waived = "waived" })`.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: serde_json::Value) -> Result<Self, $crate::json::Mismatch> {
                match <String as $crate::json::FromJson>::from_json(value)?.as_str() {
                    $($word => Ok($type::$variant),)*
                    other => Err($crate::json::Mismatch::unknown(other)),
                }
            }
        }
        $crate::json::deserializes!($type);

        impl serde_core::Serialize for $type {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self { $($type::$variant => $word),* })
            }
        }
    };
}

/// Has an enum, each of whose variants holds one thing, written as an object of one field and read from it:
/// `tagged!(Exit { Code, Signal })` is `{"Code": 1}`.
macro_rules! tagged {
    ($type:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: serde_json::Value) -> Result<Self, $crate::json::Mismatch> {
                let (tag, content) = $crate::json::tag(value)?;
                match tag.as_str() {
                    $(stringify!($variant) => {
                        Ok($type::$variant($crate::json::FromJson::from_json(content)?))
                    })*
                    other => Err($crate::json::Mismatch::unknown(other)),
                }
            }
        }
        $crate::json::deserializes!($type);

        impl serde_core::Serialize for $type {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde_core::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(Some(1))?;
                match self {
                    $($type::$variant(content) => map.serialize_entry(stringify!($variant), content)?,)*
                }
                map.end()
            }
        }
    };
}

/// Has what can be read from JSON read by serde too, for those who use this library.
macro_rules! deserializes {
    ($type:ident) => {
        impl<'de> serde_core::Deserialize<'de> for $type {
            fn deserialize<D: serde_core::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(source)?;
                $crate::json::FromJson::from_json(value).map_err(serde_core::de::Error::custom)
            }
        }
    };
}

pub(crate) use {deserializes, reads, record, tagged, words};

#[cfg(test)]
pub(crate) mod tests;
