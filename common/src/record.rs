//! Records, as they are sent: an object with the server's members around the collection's fields.

use std::{cell::Cell, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Value, value::RawValue};

use crate::{
    Object,
    answer::JsonAnswer,
    id::{RecordId, Revision, UserId},
    json::{self, Exact},
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::{self, Body},
};

/// One record: `id`, the fields in the schema's order, `owner`, `created_at`, `updated_at`, `revision`; in a list also the
/// joined rows under their collection's name. With `fields=` it has only what was asked for.
///
/// Read and written by serde, from and to text, it keeps the digits of its numbers: see [`Exact`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    members: Object,
    /// The JSON text of those members whose digits are not in their value.
    texts: BTreeMap<String, Box<str>>,
}

impl JsonAnswer for Record {}

/// One member of a record.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its value.
    pub value: &'a Value,
    /// Its JSON text, where that says more.
    pub text: Option<&'a str>,
}

impl<'a> From<&'a Value> for Member<'a> {
    fn from(value: &'a Value) -> Self {
        Self { value, text: None }
    }
}

impl<'a> From<&'a Exact> for Member<'a> {
    fn from(exact: &'a Exact) -> Self {
        Self { value: exact, text: exact.text() }
    }
}

impl Record {
    /// The record with these members.
    pub fn from_object(members: Object) -> Self {
        Self { members, texts: BTreeMap::new() }
    }

    /// Reads a record that is stored. Faster than by serde, and the same.
    pub fn from_slice(bytes: &[u8]) -> serde_json::Result<Self> {
        let has_floats = Cell::new(false);
        let value = json::read_noting(&mut serde_json::Deserializer::from_slice(bytes), &has_floats)?;
        match value {
            Value::Object(members) if !has_floats.get() => Ok(Self::from_object(members)),
            _ => serde_json::from_slice(bytes),
        }
    }

    /// All members.
    pub fn as_object(&self) -> &Object {
        &self.members
    }

    /// All members, to keep. Digits that only their text has are lost.
    pub fn into_object(self) -> Object {
        self.members
    }

    /// One member's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// One member, with its digits.
    pub fn member(&self, name: &str) -> Option<Member<'_>> {
        let value = self.members.get(name)?;
        Some(Member { value, text: self.texts.get(name).map(AsRef::as_ref) })
    }

    /// Takes one member out, with its digits.
    pub fn take(&mut self, name: &str) -> Option<Exact> {
        let value = self.members.shift_remove(name)?;
        Some(Exact::of(value, self.texts.remove(name)))
    }

    /// Sets one member.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Exact>) {
        let name = name.into();
        let (value, text) = value.into().into_parts();
        match text {
            Some(text) => self.texts.insert(name.clone(), text),
            None => self.texts.remove(&name),
        };
        self.members.insert(name, value);
    }

    /// Takes all members of another, those of the same name in place of what is here.
    pub fn extend(&mut self, other: Self) {
        for name in other.members.keys() {
            self.texts.remove(name);
        }
        self.members.extend(other.members);
        self.texts.extend(other.texts);
    }

    /// Keeps the members whose names fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&str) -> bool) {
        self.members.retain(|name, _| fits(name));
        self.texts.retain(|name, _| self.members.contains_key(name));
    }

    /// Whether both have the same in one member, digits included.
    pub fn is_same(&self, other: &Self, name: &str) -> bool {
        self.get(name) == other.get(name) && self.texts.get(name) == other.texts.get(name)
    }

    /// Its id, where it was sent.
    pub fn id(&self) -> Option<RecordId> {
        RecordId::from_value(self.get("id")?)
    }

    /// Its revision, where it was sent.
    pub fn revision(&self) -> Option<Revision> {
        self.get("revision")?.as_u64().map(Revision)
    }

    /// The user who created the record; `None` also where that user was deleted or nobody was signed in.
    pub fn owner(&self) -> Option<UserId> {
        self.get("owner")?.as_str()?.parse().ok()
    }
}

impl From<&Record> for Exact {
    fn from(record: &Record) -> Self {
        record.clone().into()
    }
}

impl From<Record> for Exact {
    fn from(record: Record) -> Self {
        let text = (!record.texts.is_empty()).then(|| serde_json::to_string(&record).ok()).flatten();
        Self::of(Value::Object(record.members), text.map(Into::into))
    }
}

impl FromIterator<Record> for Exact {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let records: Vec<Record> = records.into_iter().collect();
        let has_texts = records.iter().any(|record| !record.texts.is_empty());
        let text = has_texts.then(|| serde_json::to_string(&records).ok()).flatten();
        Self::of(records.into_iter().map(|record| record.members).collect(), text.map(Into::into))
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            match self.texts.get(name) {
                Some(text) => map.serialize_entry(name, &json::raw(text))?,
                None => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        while let Some((name, value)) = access.next_entry::<String, Exact>()? {
            record.set(name, value);
        }
        Ok(record)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Record {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Record".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Object::json_schema(generator)
    }
}

impl Body for Record {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        reader::object(value).map(Self::from_object)
    }

    fn from_exact(body: Exact) -> Result<Self, FieldErrors> {
        match body.text().map(serde_json::from_str) {
            Some(Ok(record)) => Ok(record),
            // No object, or nothing to be kept.
            _ => Self::from_json(body.into_parts().0),
        }
    }

    fn to_json(&self) -> Value {
        Value::Object(self.members.clone())
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The addresses of collections' records, by the collections' names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Addresses(pub BTreeMap<String, String>);

impl JsonAnswer for Addresses {}

/// What may be posted to a collection: one record, or up to [`MAX_ARRAY`] of them, created whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OneOrMany {
    /// An array.
    Many(#[cfg_attr(feature = "schema", schemars(length(max = MAX_ARRAY)))] Vec<Record>),
    /// A single object.
    One(Record),
}

impl JsonAnswer for OneOrMany {}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get();
        let read = if text.starts_with('[') {
            serde_json::from_str(text).map(Self::Many)
        } else {
            serde_json::from_str(text).map(Self::One)
        };
        read.map_err(D::Error::custom)
    }
}

/// Records in one array at most.
pub const MAX_ARRAY: usize = 1000;

impl Body for OneOrMany {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let Value::Array(items) = value else { return Record::from_json(value).map(Self::One) };
        if items.len() > MAX_ARRAY {
            let message =
                format!("Ensure this list has no more than {MAX_ARRAY} records; this one has {}.", items.len());
            return Err(FieldErrors::of(NON_FIELD, FieldError::new("max_length", message)));
        }
        let mut errors = FieldErrors::of_items(items.len());
        let mut records = Vec::with_capacity(items.len());
        for (i, item) in items.into_iter().enumerate() {
            match Record::from_json(item) {
                Ok(record) => records.push(record),
                Err(faults) => errors.nest(&i.to_string(), faults),
            }
        }
        errors.or(Self::Many(records))
    }

    fn from_exact(body: Exact) -> Result<Self, FieldErrors> {
        let text = body.text().map(str::to_owned);
        let mut read = Self::from_json(body.into_parts().0)?;
        let Some(text) = text else { return Ok(read) };
        if let Ok(exact) = serde_json::from_str(&text) {
            read = exact;
        }
        Ok(read)
    }

    fn to_json(&self) -> Value {
        match self {
            Self::One(record) => record.to_json(),
            Self::Many(records) => Value::Array(records.iter().map(Body::to_json).collect()),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
