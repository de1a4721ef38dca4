//! Records, as they are sent: an object with the server's members around the collection's fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Object,
    answer::JsonAnswer,
    id::{RecordId, Revision, UserId},
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::{self, Body},
};

/// One record: `id`, the fields in the schema's order, `owner`, `created_at`, `updated_at`, `revision`; in a list also the
/// joined rows under their collection's name. With `fields=` it has only what was asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record(Object);

impl JsonAnswer for Record {}

impl Record {
    /// The record with these members.
    pub fn from_object(members: Object) -> Self {
        Self(members)
    }

    /// All members.
    pub fn as_object(&self) -> &Object {
        &self.0
    }

    /// All members, to keep.
    pub fn into_object(self) -> Object {
        self.0
    }

    /// One member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets one member.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// Its id, where it was sent.
    pub fn id(&self) -> Option<RecordId> {
        self.get("id")?.as_str()?.parse().ok()
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

impl Body for Record {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        reader::object(value).map(Self)
    }

    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// The addresses of collections' records, by the collections' names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Addresses(pub BTreeMap<String, String>);

impl JsonAnswer for Addresses {}

/// What may be posted to a collection: one record, or up to [`MAX_ARRAY`] of them, created whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OneOrMany {
    /// An array.
    Many(#[cfg_attr(feature = "schema", schemars(length(max = MAX_ARRAY)))] Vec<Record>),
    /// A single object.
    One(Record),
}

impl JsonAnswer for OneOrMany {}

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

    fn to_json(&self) -> Value {
        match self {
            Self::One(record) => record.to_json(),
            Self::Many(records) => Value::Array(records.iter().map(Body::to_json).collect()),
        }
    }
}
