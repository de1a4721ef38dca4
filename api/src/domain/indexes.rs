//! Indexes as lists read them: what their keys are made of, in which order. The records themselves are one, by id.

use std::sync::Arc;

use base::fold::nfc;
use common::{
    collection::Collection,
    field::{Field, FieldType, Unique},
    query::server_field,
};
use serde_json::Value;
use store::Key;

use super::{
    keyspace,
    numbers::{IndexOf, Keys, OwnerNumber},
};

/// What can be read in an order.
#[derive(Debug, Clone)]
pub struct ReadIndex {
    /// What its keys say of a record.
    pub kind: IndexKind,
    /// All its keys begin so.
    pub prefix: Key,
    /// What follows. The last part of all but unique values is the record's id.
    pub parts: Vec<IndexPart>,
}

/// What an index has of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// The records themselves.
    Records,
    /// An entry for each.
    Entries,
    /// An entry for each that has a value, with the id in it.
    Unique,
}

/// One part of an index.
#[derive(Debug, Clone)]
pub struct IndexPart {
    /// The member of the record.
    pub name: String,
    /// What its values are.
    pub field: Field,
    /// The largest comes first.
    pub descending: bool,
    /// Bytes of a text that are kept whole; as many as keys take where there is no other.
    pub max_text: Option<usize>,
}

impl IndexPart {
    fn new(name: &str, field: Field, descending: bool) -> Self {
        Self { name: name.to_owned(), field, descending, max_text: None }
    }

    fn server(name: &str, descending: bool) -> Option<Self> {
        Some(Self::new(name, server_field(name)?, descending))
    }

    /// Whether its keys are in the order of its values. Owners stand in keys by number.
    pub fn is_ordered(&self) -> bool {
        self.name != "owner"
    }

    /// Bytes of a text so short that all texts that are greater than it have greater keys, those that are cut off too.
    pub fn exact_text(&self) -> usize {
        self.max_text.map_or(196, |max| max.saturating_sub(35))
    }

    /// Adds a value as it stands in keys, ascending.
    pub fn append(&self, key: Key, value: &Value, owner: impl Fn() -> Option<OwnerNumber>) -> Key {
        match (self.max_text, value) {
            _ if self.name == "owner" => keyspace::with_owner(key, owner()),
            (Some(max), Value::String(text)) if self.is_text() => key.text_within(&nfc(text), max),
            _ => keyspace::element(key, &self.field, value),
        }
    }

    /// Whether its values are kept as texts of any length.
    pub fn is_text(&self) -> bool {
        !matches!(
            self.field.kind,
            FieldType::Integer { .. }
                | FieldType::Decimal { .. }
                | FieldType::Datetime
                | FieldType::Reference { .. }
                | FieldType::Date
        )
    }
}

/// Everything that a collection's records can be read by.
pub fn of(collection: &Collection, keys: &Keys) -> Vec<Arc<ReadIndex>> {
    let number = keys.number;
    let Some(id) = IndexPart::server("id", false) else { return Vec::new() };
    let records = ReadIndex { kind: IndexKind::Records, prefix: keyspace::records(number), parts: vec![id.clone()] };
    let mut indexes = vec![Arc::new(records)];
    for index in &keys.indexes {
        let field = |number| {
            let name = keys.fields.iter().find(|known| known.number == number)?.name.as_str();
            Some(IndexPart::new(name, collection.field(name)?.clone(), false))
        };
        let (kind, parts) = match &index.of {
            IndexOf::Owner => (IndexKind::Entries, IndexPart::server("owner", false).map(|part| vec![part])),
            IndexOf::Fields(fields) => (IndexKind::Entries, fields.iter().map(|number| field(*number)).collect()),
            IndexOf::Unique(fields) => (IndexKind::Unique, fields.iter().map(|number| field(*number)).collect()),
        };
        let Some(mut parts) = parts else { continue };
        // Keys without case do not say what a value is.
        if kind == IndexKind::Unique && parts.iter().any(|part| part.field.unique == Unique::IgnoreCase) {
            continue;
        }
        let prefix = match kind {
            IndexKind::Unique => keyspace::uniques(number).int(i64::from(index.number.0)),
            _ => keyspace::index(number, index.number),
        };
        if kind == IndexKind::Entries {
            let descending = parts.last().is_some_and(|part| part.descending);
            parts.push(IndexPart { descending, ..id.clone() });
        }
        indexes.push(Arc::new(ReadIndex { kind, prefix, parts }));
    }
    indexes
}
