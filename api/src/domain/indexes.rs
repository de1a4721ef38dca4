//! Indexes as lists read them: what their keys are made of, in which order. The records themselves are one, by id.

use std::sync::Arc;

use base::fold::{fold, nfc};
use common::{
    collection::Collection,
    field::{Field, FieldType, Unique},
    record::Record,
};
use serde_json::Value;
use store::Key;

use super::{
    keyspace,
    numbers::{FieldNumber, IndexOf, Keys, OwnerNumber, PartKey, PartOf},
};

/// Bytes that the texts of one key share.
const SHARED_TEXT: usize = 480;

/// What can be read in an order.
#[derive(Debug, Clone)]
pub struct ReadIndex {
    /// What its keys say of a record.
    pub kind: IndexKind,
    /// All its keys begin so.
    pub prefix: Key,
    /// What follows. The last part of all but unique values is the record's id.
    pub parts: Vec<IndexPart>,
    /// It is over several members.
    pub is_several: bool,
    /// It has an entry for each record that a field refers to, and none where there is none: it is read for one of them at a time.
    pub is_of_many: bool,
}

impl ReadIndex {
    /// What stands in it for a record; `None` where nothing does, since a part of unique values is null.
    pub fn key(&self, record: &Record, owner: Option<OwnerNumber>) -> Option<Key> {
        let mut key = self.prefix.clone();
        for part in &self.parts {
            let value = record.get(&part.name).unwrap_or(&Value::Null);
            let is_null = if part.name == "owner" { owner.is_none() } else { value.is_null() };
            if is_null && self.kind == IndexKind::Unique {
                return None;
            }
            let append = |key| part.append(key, value, || owner);
            key = if part.descending { key.descending(append) } else { append(key) };
        }
        Some(key)
    }

    /// Whether its keys say what the values of a record are.
    pub fn tells_values(&self) -> bool {
        self.parts.iter().all(|part| !part.folds_texts())
    }

    /// The members that it is of, as people read them.
    pub fn names(&self) -> String {
        self.parts.iter().map(|part| part.name.as_str()).filter(|name| *name != "id").collect::<Vec<_>>().join(", ")
    }
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
    /// Its texts are without case, so they do not say what a value is.
    pub folds: bool,
}

impl IndexPart {
    fn new(name: &str, field: Field, descending: bool) -> Self {
        Self { name: name.to_owned(), field, descending, max_text: None, folds: false }
    }

    fn server(collection: &Collection, name: &str, descending: bool) -> Option<Self> {
        Some(Self::new(name, collection.server_field(name)?, descending))
    }

    /// Whether its keys are in the order of its values. Owners stand in keys by number, and texts without case in the order of that.
    pub fn is_ordered(&self) -> bool {
        self.name != "owner" && !self.folds_texts()
    }

    /// Whether its keys have texts without case, so that one stands for several.
    pub fn folds_texts(&self) -> bool {
        self.folds && self.is_text()
    }

    /// Bytes of a text so short that all texts that are greater than it have greater keys, those that are cut off too.
    pub fn exact_text(&self) -> usize {
        self.max_text.map_or(196, |max| max.saturating_sub(35))
    }

    /// Whether its values rise with the time of creation: ids do that are no numbers.
    pub fn is_made_in_order(&self) -> bool {
        self.name == "id" && matches!(self.field.kind, FieldType::Reference { .. })
    }

    /// Adds a value as it stands in keys, ascending.
    pub fn append(&self, key: Key, value: &Value, owner: impl Fn() -> Option<OwnerNumber>) -> Key {
        match (self.max_text, value) {
            _ if self.name == "owner" => keyspace::with_owner(key, owner()),
            (Some(max), Value::String(text)) if self.folds_texts() => key.text_within(&fold(text), max),
            (None, Value::String(text)) if self.folds_texts() => key.long_text(&fold(text)),
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
    let Some(id) = IndexPart::server(collection, "id", false) else { return Vec::new() };
    let (prefix, parts) = (keyspace::records(number), vec![id.clone()]);
    let records = ReadIndex { kind: IndexKind::Records, prefix, parts, is_several: false, is_of_many: false };
    let mut indexes = vec![Arc::new(records)];
    for index in &keys.indexes {
        let field = |number| {
            let name = keys.fields.iter().find(|known| known.number == number)?.name.as_str();
            Some(IndexPart::new(name, collection.field(name)?.clone(), false))
        };
        let (kind, parts) = match &index.of {
            IndexOf::Owner => {
                (IndexKind::Entries, IndexPart::server(collection, "owner", false).map(|part| vec![part]))
            }
            IndexOf::Fields(fields) => (IndexKind::Entries, fields.iter().map(|number| field(*number)).collect()),
            IndexOf::Unique(fields) => {
                let part = |number: &FieldNumber| {
                    let part = field(*number)?;
                    Some(IndexPart { folds: part.field.unique == Unique::IgnoreCase, ..part })
                };
                (IndexKind::Unique, fields.iter().map(part).collect())
            }
            // It says nothing of an order: see `search`.
            IndexOf::Words(_) => continue,
            IndexOf::Several { parts, unique } => {
                let part = |part: &PartKey| {
                    let found = match &part.of {
                        PartOf::Field(number) => field(*number),
                        PartOf::Member(name) => IndexPart::server(collection, name, false),
                    };
                    let folds = *unique == Unique::IgnoreCase;
                    Some(IndexPart { descending: part.descending, folds, ..found? })
                };
                let kind = if *unique == Unique::No { IndexKind::Entries } else { IndexKind::Unique };
                (kind, parts.iter().map(part).collect::<Option<Vec<_>>>().map(sharing))
            }
        };
        let Some(mut parts) = parts else { continue };
        let prefix = match kind {
            IndexKind::Unique => keyspace::uniques(number).int(i64::from(index.number.0)),
            _ => keyspace::index(number, index.number),
        };
        if kind == IndexKind::Entries {
            let descending = parts.last().is_some_and(|part| part.descending);
            parts.push(IndexPart { descending, ..id.clone() });
        }
        let is_several = matches!(index.of, IndexOf::Several { .. });
        let is_of_many = parts.iter().any(|part| part.field.kind.refers_to_many());
        indexes.push(Arc::new(ReadIndex { kind, prefix, parts, is_several, is_of_many }));
    }
    indexes
}

/// Parts whose texts share what a key has for them.
fn sharing(mut parts: Vec<IndexPart>) -> Vec<IndexPart> {
    let texts = parts.iter().filter(|part| part.is_text()).count().max(1);
    for part in parts.iter_mut().filter(|part| part.is_text()) {
        part.max_text = Some(SHARED_TEXT / texts);
    }
    parts
}
