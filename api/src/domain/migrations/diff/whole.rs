//! What comes and goes as a whole: collections, and published paths.

use std::collections::BTreeSet;

use common::{
    Object,
    field::{Field, FieldType},
    name::{CollectionName, FieldName},
    published::PathDefinition,
    reader::object,
};
use serde_json::{Value, json};

use super::parts::{CollectionSteps, Renames, fields_of, find, members, push};
use crate::domain::migrations::{DefinitionChange, State, Step};

/// New collections, each behind those that it refers to; and the references that go round in a circle.
pub(super) fn creations(after: &State, new: &BTreeSet<CollectionName>) -> (Vec<CollectionSteps>, Vec<CollectionSteps>) {
    let (mut parts, mut late) = (Vec::new(), Vec::new());
    let mut left = new.clone();
    while let Some(first) = left.first().cloned() {
        let targets = |name: &CollectionName| -> Vec<CollectionName> {
            let fields = after.collections.get(name).into_iter().flat_map(|definition| &definition.fields);
            let target = |field: &Field| match &field.kind {
                FieldType::Reference { collection: Some(target), .. } => Some(target.clone()),
                _ => None,
            };
            fields.filter_map(target).filter(|target| target != name && left.contains(target)).collect()
        };
        let name = left.iter().find(|name| targets(name).is_empty()).cloned().unwrap_or(first);
        let waiting = targets(&name);
        left.remove(&name);
        let Some(definition) = after.collections.get(&name) else { continue };
        let (mut now, mut then) = (definition.clone(), DefinitionChange::default());
        now.fields.retain(|field| match &field.kind {
            FieldType::Reference { collection: Some(target), .. } if waiting.contains(target) => {
                then.add.push(members(field));
                false
            }
            _ => true,
        });
        if !then.add.is_empty() {
            let waits = |field: &&Field| now.fields.iter().all(|other| other.name != field.name);
            let comes = now.fields.iter().chain(definition.fields.iter().filter(waits)).map(|field| &field.name);
            if !comes.eq(definition.fields.iter().map(|field| &field.name)) {
                then.order = definition.fields.iter().map(|field| field.name.clone()).collect();
            }
            then.add_indexes = now.indexes.take().unwrap_or_default();
            late.push(CollectionSteps {
                collection: name.clone(),
                steps: vec![Step::Change(name.clone(), Box::new(then))],
            });
        }
        let mut created = Object::new();
        if !now.description.is_empty() {
            created.insert("description".to_owned(), json!(now.description));
        }
        created.extend(now.ids.map(|ids| ("ids".to_owned(), json!(ids))));
        created.insert("fields".to_owned(), now.fields.iter().map(members).map(Value::Object).collect());
        if now.indexes.as_ref().is_some_and(|indexes| !indexes.is_empty()) {
            created.insert("indexes".to_owned(), json!(now.indexes));
        }
        created.insert("access".to_owned(), json!(now.access));
        created.extend(now.history.map(|history| ("history".to_owned(), json!(history))));
        parts.push(CollectionSteps { collection: name.clone(), steps: vec![Step::Create(name, created)] });
    }
    (parts, late)
}

/// The collection of a path. Those of no collection go with the first one there is.
pub(super) fn owner_of(path: &PathDefinition, state: &State) -> Option<CollectionName> {
    path.collection.clone().or_else(|| state.collections.keys().next().cloned())
}

/// Whether a path names a field that goes, or is of a collection that does.
pub(super) fn names_what_goes(path: &PathDefinition, before: &State, after: &State, renames: &Renames) -> bool {
    let Some(name) = &path.collection else { return false };
    let Some(was) = before.collections.get(name) else { return false };
    let Some(now) = after.collections.get(renames.collections.get(name).unwrap_or(name)) else { return true };
    let own = fields_of(renames, name);
    let going: Vec<&str> = was
        .fields
        .iter()
        .map(|field| &field.name)
        .filter(|name| find(now, own.get(*name).unwrap_or(*name)).is_none())
        .map(FieldName::as_str)
        .collect();
    mentions(&json!(path), &going)
}

/// Whether a text or name within a value begins with one of these names.
fn mentions(value: &Value, names: &[&str]) -> bool {
    let begins = |text: &str| names.contains(&text.split('.').next().unwrap_or(text));
    match value {
        Value::String(text) => begins(text),
        Value::Array(items) => items.iter().any(|item| mentions(item, names)),
        Value::Object(members) => members.iter().any(|(name, value)| begins(name) || mentions(value, names)),
        _ => false,
    }
}

/// Paths that change.
pub(super) fn paths(before: &State, after: &State, parts: &mut Vec<CollectionSteps>) {
    let body = |path: &PathDefinition| {
        let mut members = object(json!(path)).unwrap_or_default();
        members.shift_remove("path");
        members.retain(|_, value| !value.is_null());
        members
    };
    for (address, path) in &before.paths {
        let Some(collection) = owner_of(path, before) else { continue };
        match after.paths.get(address) {
            Some(now) if now == path => {}
            Some(now) => push(parts, &collection, Step::Republish(address.clone(), body(now))),
            None => push(parts, &collection, Step::Unpublish(address.clone())),
        }
    }
    for (address, path) in after.paths.iter().filter(|(address, _)| !before.paths.contains_key(*address)) {
        if let Some(collection) = owner_of(path, after) {
            push(parts, &collection, Step::Publish(address.clone(), body(path)));
        }
    }
}

/// Collections that go: first those that others do not refer to. References that go round in a circle are dropped before.
pub(super) fn deletions(before: &State, after: &State, parts: &mut Vec<CollectionSteps>) {
    let mut before = before.clone();
    let gone = before.collections.keys().filter(|name| !after.collections.contains_key(*name));
    let mut left: BTreeSet<CollectionName> = gone.cloned().collect();
    while let Some(first) = left.first().cloned() {
        let referring = |name: &CollectionName| -> Vec<(CollectionName, Vec<FieldName>)> {
            let refers = |field: &&Field| matches!(&field.kind, FieldType::Reference { collection: Some(target), .. } if target == name);
            let others = left.iter().filter(|other| *other != name).filter_map(|other| before.collections.get(other));
            let found = others.map(|other| {
                let fields = other.fields.iter().filter(refers).map(|field| field.name.clone());
                (other.name.clone(), fields.collect::<Vec<_>>())
            });
            found.filter(|(_, fields)| !fields.is_empty()).collect()
        };
        let name = left.iter().find(|name| referring(name).is_empty()).cloned().unwrap_or(first);
        for (other, drop) in referring(&name) {
            let step = Step::Change(other.clone(), Box::new(DefinitionChange { drop, ..DefinitionChange::default() }));
            let _ = before.apply(&step);
            push(parts, &other, step);
        }
        left.remove(&name);
        push(parts, &name, Step::Delete(name.clone()));
    }
}
