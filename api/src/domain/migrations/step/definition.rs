//! The part of a step that changes a definition.

use std::collections::BTreeMap;

use common::{
    Object,
    collection::{Ids, IndexDefinition},
    name::{CollectionName, FieldName},
    reader::{Reader, invalid},
};
use serde_json::{Value, json};

use super::members::{by_name, field_name, list, members_of, not_members};

/// What becomes of a definition. Fields get their new names first; everything else names them by those.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DefinitionChange {
    /// The collection's new name.
    pub name: Option<CollectionName>,
    /// Its new description.
    pub description: Option<String>,
    /// What the ids of its records are: only where there are none.
    pub ids: Option<Ids>,
    /// How much history is kept.
    pub history: Option<Value>,
    /// Access rules, by action: those that are named, anew.
    pub access: Object,
    /// New names of fields, by the old ones.
    pub rename: BTreeMap<FieldName, FieldName>,
    /// Fields that go, with their values.
    pub drop: Vec<FieldName>,
    /// What fields are afterwards, by name: the members that change. Choices can be added, dropped and renamed one by one.
    pub alter: BTreeMap<FieldName, Object>,
    /// New fields, each a definition, perhaps with the `value` that records get that exist.
    pub add: Vec<Object>,
    /// The order of all fields.
    pub order: Vec<FieldName>,
    /// Indexes over several fields that go.
    pub drop_indexes: Vec<IndexDefinition>,
    /// Those that come.
    pub add_indexes: Vec<IndexDefinition>,
}

fn indexes(reader: &mut Reader, member: &str) -> Vec<IndexDefinition> {
    let items = list(reader, member);
    let mut found = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        match serde_json::from_value(item) {
            Ok(index) => found.push(index),
            Err(_) => reader.errors.push(
                format!("{member}.{i}"),
                invalid("An index has fields, and may be unique: {fields = [\"kind\", \"-price\"]}."),
            ),
        }
    }
    found
}

impl DefinitionChange {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let name = reader.take("name").map(|value| value.as_str().and_then(|text| text.parse().ok()));
        if name == Some(None) {
            reader.errors.push("name", invalid("This is not a name of a collection."));
        }
        let description = reader.take("description").and_then(|value| match value {
            Value::String(text) => Some(text),
            _ => reader.fail("description", invalid("Not a valid string.")),
        });
        let access = reader.take("access").map_or_else(|| Some(Object::new()), |value| members_of(&value).ok());
        if access.is_none() {
            reader.errors.push("access", invalid("This is an object: actions, and the rules of each."));
        }
        let mut add = Vec::new();
        for (i, item) in list(reader, "add").into_iter().enumerate() {
            match members_of(&item) {
                Ok(field) => match not_members(&field, &["id", "aliases", "choice_aliases", "renamed_from"]) {
                    Ok(()) => add.push(field),
                    Err(wrong) => reader.errors.nest(&format!("add.{i}"), wrong),
                },
                Err(error) => reader.errors.push(format!("add.{i}"), error),
            }
        }
        let change = Self {
            name: name.flatten(),
            description,
            ids: Ids::read(reader),
            history: reader.take("history"),
            access: access.unwrap_or_default(),
            rename: by_name(reader, "rename", field_name),
            drop: reader.list("drop").unwrap_or_default(),
            alter: by_name(reader, "alter", members_of),
            add,
            order: reader.list("order").unwrap_or_default(),
            drop_indexes: indexes(reader, "drop_indexes"),
            add_indexes: indexes(reader, "add_indexes"),
        };
        for (name, members) in &change.alter {
            if let Err(wrong) = not_members(members, &["id", "name", "renamed_from"]) {
                reader.errors.nest(&format!("alter.{name}"), wrong);
            }
        }
        if change == Self::default() {
            reader
                .errors
                .push("change", invalid("This changes nothing: say what is added, altered, renamed or dropped."));
        }
        change
    }

    pub(super) fn put(&self, step: &mut Object) {
        let mut put = |name: &str, value: Value, is_there: bool| {
            if is_there {
                step.insert(name.to_owned(), value);
            }
        };
        put("name", json!(self.name), self.name.is_some());
        put("description", json!(self.description), self.description.is_some());
        put("ids", json!(self.ids), self.ids.is_some());
        put("history", json!(self.history), self.history.is_some());
        put("access", json!(self.access), !self.access.is_empty());
        put("rename", json!(self.rename), !self.rename.is_empty());
        put("drop", json!(self.drop), !self.drop.is_empty());
        put("alter", json!(self.alter), !self.alter.is_empty());
        put("add", json!(self.add), !self.add.is_empty());
        put("order", json!(self.order), !self.order.is_empty());
        put("drop_indexes", json!(self.drop_indexes), !self.drop_indexes.is_empty());
        put("add_indexes", json!(self.add_indexes), !self.add_indexes.is_empty());
    }

    pub(super) fn in_words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.name.iter().map(|name| format!("call it {name}")));
        words.extend(self.rename.iter().map(|(old, new)| format!("rename {old} to {new}")));
        words.extend(self.drop.iter().map(|name| format!("drop {name}")));
        words.extend(self.alter.keys().map(|name| format!("alter {name}")));
        let name = |field: &Object| field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        words.extend(self.add.iter().map(|field| format!("add {}", name(field))));
        let parts = [
            (!self.order.is_empty(), "order of fields"),
            (!self.drop_indexes.is_empty() || !self.add_indexes.is_empty(), "indexes"),
            (!self.access.is_empty(), "access"),
            (self.description.is_some(), "description"),
            (self.ids.is_some(), "ids"),
            (self.history.is_some(), "history"),
        ];
        words.extend(parts.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| (*word).to_owned()));
        words.join(", ")
    }
}
