//! A JSON value with the digits of its numbers as they were sent.

use std::{cell::Cell, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _},
};
use serde_json::{Value, value::RawValue};

use super::{
    JsonError, Reading,
    number::{is_kept, literals},
};

/// A JSON value, and its text where that says more than the value: numbers of other digits than a [`Value`] would write. Read and
/// written by serde it keeps them; it is looked at as the value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exact {
    value: Value,
    text: Option<Box<str>>,
}

impl Exact {
    /// A value that was read from `text`.
    pub(super) fn new(value: Value, text: &str, has_floats: bool) -> Self {
        // Of what is no float, only this is written otherwise: `-0` is read as a float, so nothing is.
        let written = has_floats.then(|| value.to_string());
        let text = written.and_then(|written| Some(compact(text)).filter(|text| *text != written));
        Self { value, text: text.map(Into::into) }
    }

    /// A value and its text, where that says more.
    pub(crate) fn of(value: Value, text: Option<Box<str>>) -> Self {
        Self { value, text }
    }

    /// The text, where it says more than the value.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The value as JSON, without spaces.
    pub fn to_text(&self) -> String {
        self.text().map_or_else(|| self.value.to_string(), str::to_owned)
    }

    /// Both of them.
    pub fn into_parts(self) -> (Value, Option<Box<str>>) {
        (self.value, self.text)
    }

    /// The value alone. Refused where a number would then be another.
    pub fn into_value(self) -> Result<Value, JsonError> {
        let text = self.text.unwrap_or_default();
        match literals(&text).find(|literal| !is_kept(literal)) {
            Some(number) => {
                Err(JsonError(format!("the number {number} has more digits than are kept here; send fewer digits")))
            }
            None => Ok(self.value),
        }
    }
}

impl Deref for Exact {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl<T: Into<Value>> From<T> for Exact {
    fn from(value: T) -> Self {
        Self { value: value.into(), text: None }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => raw(text).serialize(serializer),
            None => self.value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        read(raw.get()).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Exact {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Value::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Value::json_schema(generator)
    }
}

/// Reads what was read strictly before it was stored or sent.
pub(crate) fn read(text: &str) -> serde_json::Result<Exact> {
    let has_floats = Cell::new(false);
    let value = read_noting(&mut serde_json::Deserializer::from_str(text), &has_floats)?;
    Ok(Exact::new(value, text, has_floats.get()))
}

/// The same, without the digits; `has_floats` says whether there may be some to be kept.
pub(crate) fn read_noting<'de, D: Deserializer<'de>>(
    deserializer: D,
    has_floats: &Cell<bool>,
) -> Result<Value, D::Error> {
    Reading { depth: 0, values: None, has_floats }.deserialize(deserializer)
}

/// Reads a value that people sent, for serde's `deserialize_with`: a member name in it never means anything.
pub fn read_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    read_noting(deserializer, &Cell::new(false))
}

/// The same for a value that may be missing.
pub fn optional_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    read_value(deserializer).map(|value| Some(value).filter(|value| !value.is_null()))
}

/// The same with its digits.
pub fn optional_exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Exact>, D::Error> {
    Exact::deserialize(deserializer).map(|value| Some(value).filter(|value| !value.is_null()))
}

/// JSON text that is written as it is.
pub(crate) fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// JSON text without the spaces between its parts.
fn compact(text: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |c: &char| {
        let keeps = in_text || !matches!(c, ' ' | '\n' | '\r' | '\t');
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = in_text,
            '"' => in_text = !in_text,
            _ => {}
        }
        keeps
    };
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_as_they_were() {
        for text in [
            r#"{"a":[1.10,1e3,-0,12345678901234567890123,0.10000000000000001],"b\"c d":"x 1.10"}"#,
            "12.917521550408111",
            "18446744073709551616",
            "[9007199254740993,18446744073709551615,1.5]",
        ] {
            let exact = read(text).unwrap();
            assert_eq!(serde_json::to_string(&exact).unwrap(), text);
            assert_eq!(serde_json::from_str::<Exact>(text).unwrap(), exact);
        }
        let spaced = super::super::parse(b" { \"a\" : [ 1.10 , \" \\\" 1 \" ] } ").unwrap();
        assert_eq!(spaced.to_text(), r#"{"a":[1.10," \" 1 "]}"#);
        assert_eq!(super::super::parse(b"[1.5, 2]").unwrap().text(), None);
    }

    #[test]
    fn no_member_name_means_anything() {
        for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
            let text = format!(r#"{{"a":{{"{name}":"1.10"}},"b":1.10}}"#);
            let exact: Exact = serde_json::from_str(&text).unwrap();
            assert_eq!(exact["a"][name], "1.10");
            assert_eq!(serde_json::to_string(&exact).unwrap(), text);
        }
    }
}
