//! Rows that refer to rows of the same file, as those of a tree do: by id or by a unique value, earlier or later.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher as _},
};

use common::{
    collection::Collection,
    field::{Field, FieldType},
    id::RecordId,
    record::Record,
    validate::{Ends, check_exact},
};
use serde_json::Value;
use store::Key;

use super::how::How;
use crate::domain::{intake::Target, keyspace, schema::Schema};

/// The records that rows make, for those that refer to them.
#[derive(Default)]
pub(super) struct Tree {
    /// By id, with their rows.
    pub made: HashMap<RecordId, u64>,
    /// The records with these unique values, by the digests of their keys.
    pub named: HashMap<u64, RecordId>,
    /// What is made of the rows that are staged now, and when.
    pub own: HashMap<u64, (RecordId, String)>,
}

/// A value in brief.
pub(super) fn digest(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The fields by which records refer to others of their collection.
pub(super) fn own_fields(collection: &Collection) -> impl Iterator<Item = &Field> {
    collection.fields.iter().filter(move |field| match &field.kind {
        FieldType::Reference { collection: Some(target), .. } => *target == collection.name,
        _ => false,
    })
}

/// Whether rows may refer to each other.
pub(super) fn is_tree(collection: &Collection, how: &How) -> bool {
    let members: HashSet<&str> = how.targets.iter().filter_map(Target::member).collect();
    own_fields(collection).any(|field| members.contains(field.name.as_str()))
}

/// The keys of the unique values that a row brings.
pub(super) fn unique_keys<'a>(schema: &'a Schema, body: &'a Record) -> impl Iterator<Item = Key> + 'a {
    schema.fields().filter_map(move |(field, indexes)| {
        let rule = indexes.unique?;
        let member = body.member(field.name.as_str()).filter(|member| !member.value.is_null())?;
        let value = check_exact(field, &member.into(), Ends::Trimmed).ok()?;
        Some(keyspace::unique(schema.number(), rule, field, &value))
    })
}

impl Tree {
    /// The record that has this unique value by its row.
    pub(super) fn named(&self, key: &Key) -> Option<RecordId> {
        if self.named.is_empty() { None } else { self.named.get(&digest(key.as_bytes())).copied() }
    }

    /// What is to be made of a row.
    pub(super) fn own(&self, row: u64) -> Option<(RecordId, String)> {
        self.own.get(&row).cloned()
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        (self.made.capacity() + self.named.capacity()) as u64 * 40
    }

    /// A record without its references to what rows make: those are there with it.
    pub(super) fn without_made(&self, collection: &Collection, record: &Record) -> Option<Record> {
        if self.made.is_empty() {
            return None;
        }
        let is_made = |value: &Value| RecordId::from_value(value).is_some_and(|id| self.made.contains_key(&id));
        let mut looked = None;
        for field in own_fields(collection) {
            let name = field.name.as_str();
            let left = match record.get(name) {
                Some(Value::Array(items)) => items.iter().filter(|item| !is_made(item)).cloned().collect(),
                Some(value) if is_made(value) => Value::Null,
                _ => continue,
            };
            looked.get_or_insert_with(|| record.clone()).set(name, left);
        }
        looked
    }

    /// Forgets what rows would have made that do not fit.
    pub(super) fn forget(&mut self, rows: impl Iterator<Item = u64>) {
        let gone: HashSet<RecordId> = rows.filter_map(|row| Some(self.own.remove(&row)?.0)).collect();
        if !gone.is_empty() {
            self.made.retain(|id, _| !gone.contains(id));
            self.named.retain(|_, id| !gone.contains(id));
        }
    }
}
