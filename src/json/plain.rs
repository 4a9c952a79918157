//! Reading what the standard library has: texts, numbers, lists, pairs, durations.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{Fields, FromJson, Mismatch};

impl FromJson for String {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(Mismatch::new(&other, "a text")),
        }
    }
}

impl FromJson for PathBuf {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        String::from_json(value).map(PathBuf::from)
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        value.as_bool().ok_or_else(|| Mismatch::new(&value, "true or false"))
    }
}

impl FromJson for f64 {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        value.as_f64().ok_or_else(|| Mismatch::new(&value, "a number"))
    }
}

impl FromJson for i64 {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        value.as_i64().ok_or_else(|| Mismatch::new(&value, "a whole number"))
    }
}

impl FromJson for u64 {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        value.as_u64().ok_or_else(|| Mismatch::new(&value, "a whole number from 0"))
    }
}

/// Reads one of the smaller whole numbers.
macro_rules! whole {
    ($($type:ty),*) => {$(
        impl FromJson for $type {
            fn from_json(value: Value) -> Result<Self, Mismatch> {
                let number = value.as_i64().and_then(|number| number.try_into().ok());
                number.ok_or_else(|| Mismatch::new(&value, concat!("a number for ", stringify!($type))))
            }
        }
    )*};
}

whole!(u8, u32, i32, usize);

impl FromJson for Duration {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(value)?;
        // As serde writes it, and never a sum that does not fit.
        let (seconds, nanoseconds): (u64, u32) = (fields.take("secs")?, fields.take("nanos")?);
        Ok(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into())))
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Null => Ok(None),
            value => T::from_json(value).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        let mut read = Vec::new();
        for item in items(value)? {
            read.push(T::from_json(item).map_err(|mismatch| mismatch.at(read.len()))?);
        }
        Ok(read)
    }
}

impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(value: Value) -> Result<Self, Mismatch> {
        let items = items(value)?;
        match <[Value; 2]>::try_from(items) {
            Ok([a, b]) => Ok((A::from_json(a)?, B::from_json(b)?)),
            Err(items) => Err(Mismatch::new(&items.into(), "a pair")),
        }
    }
}

fn items(value: Value) -> Result<Vec<Value>, Mismatch> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(Mismatch::new(&other, "an array")),
    }
}
