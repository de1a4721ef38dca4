//! Strict JSON (RFC 8259): what `serde_json` reads, less what it lets pass. A member name twice, nesting beyond
//! [`MAX_DEPTH`] and more values than the limits below are refused.
//!
//! Numbers are not changed on the way. A [`Value`] holds 64-bit integers and binary floating point; the digits of any other number
//! are kept beside it as [`Exact`], and whoever does not keep them asks for [`Exact::into_value`], which refuses what would be lost.
//! (`serde_json`'s own feature for this, `arbitrary_precision`, makes a member name in a body mean something; so does its
//! [`RawValue`] where a `Value` is read by serde. Nothing that people send is read in that way: [`read_value`] is used.)

mod exact;
mod number;

pub(crate) use self::exact::{raw, read_noting};
pub use self::{
    exact::{Exact, optional_exact, optional_value, read_value},
    number::{Literal, is_kept, literals},
};

use std::{cell::Cell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use thiserror::Error;

#[cfg(doc)]
use serde_json::value::RawValue;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;
/// How many members one object may have.
pub const MAX_MEMBERS: usize = 1000;
/// How many values there may be in all. In memory each takes dozens of bytes, however short it was written.
pub const MAX_VALUES: usize = 500_000;

/// Why bytes are not JSON as Coffer reads it. `Display` is the sentence for a person.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("JSON parse error - {0}")]
pub struct JsonError(String);

/// Reads one JSON value, with the digits of its numbers as they were sent.
pub fn parse(bytes: &[u8]) -> Result<Exact, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError("the body is not UTF-8".to_owned()))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let (values, has_floats) = (Cell::new(0), Cell::new(false));
    let value = Reading { depth: 0, values: Some(&values), has_floats: &has_floats }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| JsonError(error.to_string()))?;
    Ok(Exact::new(value, text, has_floats.get()))
}

/// Reads one JSON value whose digits nobody keeps: a number that a [`Value`] would change is refused.
pub fn parse_value(bytes: &[u8]) -> Result<Value, JsonError> {
    parse(bytes)?.into_value()
}

/// The Python name of a value's type, which Django REST Framework's messages use.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Reads a value, and notes whether it has numbers that are no 64-bit integers.
#[derive(Clone, Copy)]
struct Reading<'a> {
    depth: usize,
    /// Values so far, of the whole text; `None` for what was read strictly before it was stored or sent.
    values: Option<&'a Cell<usize>>,
    has_floats: &'a Cell<bool>,
}

impl Reading<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH && self.values.is_some() {
            return Err(E::custom(format!("arrays and objects nest deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if let Some(values) = self.values {
            values.set(values.get() + 1);
            if values.get() > MAX_VALUES {
                return Err(D::Error::custom(format!("there are more than {MAX_VALUES} values; send less at once")));
            }
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        self.has_floats.set(true);
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        let mut seen = HashSet::new();
        while let Some(name) = access.next_key::<String>()? {
            if self.values.is_some() {
                if !seen.insert(name.clone()) {
                    return Err(A::Error::custom("a member name stands twice in one object"));
                }
                if seen.len() > MAX_MEMBERS {
                    return Err(A::Error::custom(format!("an object has more than {MAX_MEMBERS} members")));
                }
            }
            members.insert(name, access.next_value_seed(inner)?);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests;
