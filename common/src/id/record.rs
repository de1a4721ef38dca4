//! The ids of records: UUIDs, or numbers in a collection that counts its records.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};
use serde_json::Value;
use uuid::Uuid;

use super::InvalidId;

/// The upper half of a number's bits. No UUID that anybody makes begins so: it would be of version 15.
const NUMBERED: u64 = u64::MAX;

/// Names one record for ever: a UUID, in JSON a text; or a number from 1 to 2⁶³ − 1, in JSON an integer. A number is read from a text
/// too, where it is written as it is sent: `7`, and not `007` or `+7`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Uuid);

impl RecordId {
    /// The id with these bits: a UUID, or what [`bits`](Self::bits) gave.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The id with this number; `None` where it is less than 1.
    pub const fn from_number(number: i64) -> Option<Self> {
        if number < 1 {
            return None;
        }
        Some(Self(Uuid::from_u64_pair(NUMBERED, number.cast_unsigned())))
    }

    /// The number that it is; `None` for a UUID.
    pub const fn number(self) -> Option<i64> {
        let (upper, lower) = self.0.as_u64_pair();
        let number = lower.cast_signed();
        if upper == NUMBERED && number > 0 { Some(number) } else { None }
    }

    /// The sixteen bytes that stand for it where there is room for no more. They sort as ids do.
    pub const fn bits(self) -> Uuid {
        self.0
    }

    /// As it is sent.
    pub fn to_value(self) -> Value {
        match self.number() {
            Some(number) => number.into(),
            None => self.to_string().into(),
        }
    }

    /// The id that a value says: as it is sent, or as a text.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => number.as_i64().and_then(Self::from_number),
            _ => None,
        }
    }

    /// The ids that a value says: one, or those of a list.
    pub fn all_in(value: &Value) -> impl Iterator<Item = Self> + '_ {
        let values = match value {
            Value::Array(items) => items.as_slice(),
            value => std::slice::from_ref(value),
        };
        values.iter().filter_map(Self::from_value)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => number.fmt(f),
            None => self.0.as_hyphenated().fmt(f),
        }
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // A UUID has 32 digits at least, a number 19 at most.
        if text.len() < 20 {
            let is_canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| is_canonical);
            return number.and_then(Self::from_number).ok_or(InvalidId);
        }
        let id = Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)?;
        if id.number().is_some() { Err(InvalidId) } else { Ok(id) }
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => serializer.serialize_i64(number),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = RecordId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a record")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RecordId, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<RecordId, E> {
                let number = i64::try_from(number).map_err(|_| E::custom(InvalidId))?;
                self.visit_i64(number)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<RecordId, E> {
                RecordId::from_number(number).ok_or_else(|| E::custom(InvalidId))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl From<RecordId> for Value {
    fn from(id: RecordId) -> Self {
        id.to_value()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RecordId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"anyOf": [
            {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
            {"type": "integer", "minimum": 1, "maximum": i64::MAX},
        ]})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_an_id_in_its_canonical_form_only() {
        let seven = RecordId::from_number(7).unwrap();
        assert_eq!(("7".parse(), seven.to_string(), json!(seven)), (Ok(seven), "7".to_owned(), json!(7)));
        for value in [json!(7), json!("7"), json!(" 7 ")] {
            assert_eq!(RecordId::from_value(&value), Some(seven), "{value}");
        }
        assert_eq!(serde_json::from_value::<RecordId>(json!(7)).unwrap(), seven);
        let last = RecordId::from_number(i64::MAX).unwrap();
        assert_eq!(last.to_string().parse(), Ok(last));
        for bad in ["0", "007", "-7", "+7", "7.0", " 7", "9223372036854775808", "٧", "1e3", ""] {
            assert_eq!(bad.parse::<RecordId>(), Err(InvalidId), "{bad}");
        }
        for bad in [json!(0), json!(-1), json!(7.5), json!(true), json!(u64::MAX), json!([7])] {
            assert!(RecordId::from_value(&bad).is_none() && serde_json::from_value::<RecordId>(bad).is_err());
        }
    }

    #[test]
    fn bits_sort_as_numbers_do_and_no_text_of_a_uuid_is_one() {
        let ids = [1, 2, 9, 10, 255, 256, 65_536, i64::MAX].map(|number| RecordId::from_number(number).unwrap());
        assert!(ids.is_sorted() && ids.map(RecordId::bits).is_sorted());
        for id in ids {
            assert_eq!(RecordId::from_uuid(id.bits()), id);
            assert_eq!(id.bits().to_string().parse::<RecordId>(), Err(InvalidId));
        }
        assert_eq!(Uuid::max().to_string().parse::<RecordId>().unwrap().number(), None);
    }
}
