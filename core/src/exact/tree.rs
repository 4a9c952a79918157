//! A tree of JSON as what serde's derive reads from.
//!
//! serde_json can read from its trees too, but prepares for more than what is written here: a struct that is a list, keys that
//! are numbers, text that is owned in one place and borrowed in another. Each of these is compiled again for each type
//! that is read, which made reading a fifth of the machine code of this crate.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Number, Value, map};

/// A tree that is read as a value of some type.
pub(super) struct Tree(pub(super) Value);

impl Tree {
    /// Returns the error that something else was expected than what the tree is.
    fn unexpected(&self, expected: &dyn Expected) -> Error {
        let unexpected = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => unexpected_number(number),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Error::invalid_type(unexpected, expected)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of JSON are treated alike"
    )]
    fn items(self, expected: &dyn Expected) -> Result<Items, Error> {
        match self.0 {
            Value::Array(items) => Ok(Items { count: items.len(), items: items.into_iter() }),
            _ => Err(self.unexpected(expected)),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of JSON are treated alike"
    )]
    fn fields(self, expected: &dyn Expected) -> Result<Fields, Error> {
        match self.0 {
            Value::Object(fields) => Ok(Fields { fields: fields.into_iter(), value: None }),
            _ => Err(self.unexpected(expected)),
        }
    }
}

fn unexpected_number(number: &Number) -> Unexpected<'static> {
    match (number.as_u64(), number.as_i64()) {
        (Some(value), _) => Unexpected::Unsigned(value),
        (None, Some(value)) => Unexpected::Signed(value),
        (None, None) => Unexpected::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// Reads a value that has no parts, which is neither a struct nor a list.
fn visit_plain<'de, V: Visitor<'de>>(tree: Tree, visitor: V) -> Result<V::Value, Error> {
    match tree.0 {
        Value::Null => visitor.visit_unit(),
        Value::Bool(value) => visitor.visit_bool(value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(value), _) => visitor.visit_u64(value),
            (None, Some(value)) => visitor.visit_i64(value),
            (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => visitor.visit_string(text),
        Value::Array(_) | Value::Object(_) => Err(tree.unexpected(&visitor)),
    }
}

fn visit_items<'de, V: Visitor<'de>>(tree: Tree, visitor: V) -> Result<V::Value, Error> {
    let mut items = tree.items(&visitor)?;
    let value = visitor.visit_seq(&mut items)?;
    items.end().map(|()| value)
}

fn visit_fields<'de, V: Visitor<'de>>(tree: Tree, visitor: V) -> Result<V::Value, Error> {
    let fields = tree.fields(&visitor)?;
    visitor.visit_map(fields)
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of JSON are treated alike"
    )]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0 {
            Value::Array(_) => visit_items(self, visitor),
            Value::Object(_) => visit_fields(self, visitor),
            _ => visit_plain(self, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_items(self, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visit_items(self, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visit_items(self, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_fields(self, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visit_fields(self, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant::of(self.0)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visit_plain(self, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u16 u128 f32 char str bytes byte_buf unit_struct identifier
    }
}

/// The items of a list that are still to be read.
struct Items {
    items: std::vec::IntoIter<Value>,
    /// The number of all items.
    count: usize,
}

impl Items {
    fn next(&mut self) -> Option<Tree> {
        self.items.next().map(Tree)
    }

    /// Checks that no item is left.
    fn end(&self) -> Result<(), Error> {
        if self.items.len() == 0 {
            return Ok(());
        }
        Err(Error::invalid_length(self.count, &"fewer elements in array"))
    }
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        match self.next() {
            Some(item) => seed.deserialize(item).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The fields of an object that are still to be read, and the value of the field whose name was read last.
struct Fields {
    fields: map::IntoIter,
    value: Option<Value>,
}

impl Fields {
    /// Returns the name of the next field, and keeps its value.
    fn next(&mut self) -> Option<String> {
        let (name, value) = self.fields.next()?;
        self.value = Some(value);
        Some(name)
    }

    fn take(&mut self) -> Result<Tree, Error> {
        self.value.take().map(Tree).ok_or_else(|| Error::custom("value is missing"))
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        match self.next() {
            Some(name) => seed.deserialize(StrDeserializer::new(&name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.take()?)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

/// A variant of an enum: its name, and its content. It is written as its name, or as an object with one field.
struct Variant {
    name: String,
    content: Option<Value>,
}

impl Variant {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of JSON are treated alike"
    )]
    fn of(tree: Value) -> Result<Variant, Error> {
        let one = "map with a single key";
        match tree {
            Value::String(name) => Ok(Variant { name, content: None }),
            Value::Object(fields) => {
                let mut fields = fields.into_iter();
                match (fields.next(), fields.next()) {
                    (Some((name, content)), None) => Ok(Variant { name, content: Some(content) }),
                    _ => Err(Error::invalid_value(Unexpected::Map, &one)),
                }
            }
            other => Err(Tree(other).unexpected(&"string or map")),
        }
    }

    fn content(self, expected: &dyn Expected) -> Result<Tree, Error> {
        let lacks = || Error::invalid_type(Unexpected::UnitVariant, expected);
        self.content.map(Tree).ok_or_else(lacks)
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Variant;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Variant), Error> {
        let variant = seed.deserialize(StrDeserializer::<Error>::new(&self.name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(Tree(other).unexpected(&"unit")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.content(&"newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        visit_items(self.content(&"tuple variant")?, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visit_fields(self.content(&"struct variant")?, visitor)
    }
}
