//! What leads from one state to another, in steps.

mod parts;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Object,
    collection::Definition,
    field::{Field, FieldType},
    name::{CollectionName, FieldName},
    reader::object,
};
use serde_json::{Value, json};

pub use self::parts::{CollectionSteps, Renames, members};
use self::{
    parts::{fields_of, find, push},
    whole::{creations, deletions, names_what_goes, owner_of, paths},
};
use super::{
    state::State,
    step::{DefinitionChange, Step},
};

/// A field or collection that is gone while another is new, so that it could be a new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeRename {
    /// The collection of a field, by its old name; `None` for a collection.
    pub collection: Option<CollectionName>,
    /// What is gone.
    pub old: String,
    /// What is new.
    pub new: String,
}

/// What could be a new name: gone and new with the same type. None where `renames` or `kept` say so already.
pub fn maybe_renamed(before: &State, after: &State, renames: &Renames, kept: &BTreeSet<String>) -> Vec<MaybeRename> {
    let mut found = Vec::new();
    let new_names: BTreeSet<&CollectionName> = renames.collections.values().collect();
    let gone = before
        .collections
        .keys()
        .filter(|name| !after.collections.contains_key(*name) && !renames.collections.contains_key(*name));
    let new: Vec<_> = after
        .collections
        .keys()
        .filter(|name| !before.collections.contains_key(*name) && !new_names.contains(name))
        .collect();
    for old in gone.filter(|old| !kept.contains(old.as_str())) {
        let likeness = |new: &CollectionName| {
            let names = |state: &State, name| -> BTreeSet<String> {
                state
                    .collections
                    .get(name)
                    .iter()
                    .flat_map(|it| &it.fields)
                    .map(|field| field.name.to_string())
                    .collect()
            };
            names(before, old).intersection(&names(after, new)).count()
        };
        let best = new.iter().filter(|new| likeness(new) > 0).max_by_key(|new| likeness(new));
        found.extend(best.map(|new| MaybeRename { collection: None, old: old.to_string(), new: new.to_string() }));
    }
    for (name, was) in &before.collections {
        let Some(now) = after.collections.get(renames.collections.get(name).unwrap_or(name)) else { continue };
        let is_called = |field: &Field| renames.fields.get(&(name.clone(), field.name.clone()));
        let is_new_name = |field: &Field| was.fields.iter().any(|old| is_called(old) == Some(&field.name));
        let mut new: Vec<&Field> =
            now.fields.iter().filter(|field| find(was, &field.name).is_none() && !is_new_name(field)).collect();
        for old in was.fields.iter().filter(|field| find(now, &field.name).is_none() && is_called(field).is_none()) {
            if kept.contains(old.name.as_str()) || kept.contains(&format!("{name}.{}", old.name)) {
                continue;
            }
            if let Some(at) = new.iter().position(|field| field.kind.word() == old.kind.word()) {
                let new = new.remove(at).name.to_string();
                found.push(MaybeRename { collection: Some(name.clone()), old: old.name.to_string(), new });
            }
        }
    }
    found
}

/// What leads from one state to another, collection by collection, in an order in which it can be done. `orders` says whether the order of
/// fields counts.
pub fn diff(before: &State, after: &State, renames: &Renames, orders: bool) -> Vec<CollectionSteps> {
    let mut before = before.clone();
    let mut parts: Vec<CollectionSteps> = Vec::new();
    // A field that a path names does not go.
    for (address, path) in before.paths.clone() {
        let Some(collection) = owner_of(&path, &before) else { continue };
        if !after.paths.contains_key(&address) || names_what_goes(&path, &before, after, renames) {
            before.paths.remove(&address);
            push(&mut parts, &collection, Step::Unpublish(address));
        }
    }
    // Changes first: fields that refer to what goes are gone then. References to what is new come behind it.
    let mut late: Vec<CollectionSteps> = Vec::new();
    let new: BTreeSet<CollectionName> = {
        let named: BTreeSet<&CollectionName> = renames.collections.values().collect();
        let is_new = |name: &&CollectionName| !before.collections.contains_key(*name) && !named.contains(name);
        after.collections.keys().filter(is_new).cloned().collect()
    };
    let names: Vec<CollectionName> = before.collections.keys().cloned().collect();
    for name in names {
        let new_name = renames.collections.get(&name).unwrap_or(&name).clone();
        let (Some(was), Some(now)) = (before.collections.get(&name).cloned(), after.collections.get(&new_name)) else {
            continue;
        };
        let mut change = changed(&was, now, &fields_of(renames, &name), orders);
        if change == DefinitionChange::default() {
            continue;
        }
        let waits = |field: &Object| {
            let target = field.get("collection").and_then(Value::as_str);
            target.is_some_and(|target| new.iter().any(|name| name.as_str() == target))
        };
        let (waiting, at_once): (Vec<Object>, Vec<Object>) =
            std::mem::take(&mut change.add).into_iter().partition(waits);
        change.add = at_once;
        let mut then = DefinitionChange { add: waiting, ..DefinitionChange::default() };
        let altered: Vec<FieldName> =
            change.alter.iter().filter(|(_, it)| waits(it)).map(|(name, _)| name.clone()).collect();
        for field in altered {
            then.alter.extend(change.alter.remove_entry(&field));
        }
        if then != DefinitionChange::default() {
            // What needs all fields comes with the last of them.
            then.order = std::mem::take(&mut change.order);
            if orders && !then.add.is_empty() {
                then.order = now.fields.iter().map(|field| field.name.clone()).collect();
            }
            then.add_indexes = std::mem::take(&mut change.add_indexes);
            late.push(CollectionSteps {
                collection: new_name.clone(),
                steps: vec![Step::Change(new_name.clone(), Box::new(then))],
            });
        }
        if change != DefinitionChange::default() {
            let step = Step::Change(name.clone(), Box::new(change));
            // What others say of it follows.
            let _ = before.apply(&step);
            parts.push(CollectionSteps { collection: name, steps: vec![step] });
        }
    }
    let (made, after_made) = creations(after, &new);
    for part in made.into_iter().chain(late).chain(after_made) {
        let _ = before.apply_all(&part.steps);
        parts.push(part);
    }
    paths(&before, after, &mut parts);
    deletions(&before, after, &mut parts);
    parts
}

fn changed(
    was: &Definition,
    now: &Definition,
    renames: &BTreeMap<FieldName, FieldName>,
    orders: bool,
) -> DefinitionChange {
    let mut change = DefinitionChange::default();
    if was.name != now.name {
        change.name = Some(now.name.clone());
    }
    if was.ids != now.ids {
        change.ids = Some(now.ids.unwrap_or_default());
    }
    if was.description != now.description {
        change.description = Some(now.description.clone());
    }
    if was.history != now.history {
        change.history = Some(json!(now.history));
    }
    let rules = |definition: &Definition| object(json!(definition.access)).unwrap_or_default();
    let before = rules(was);
    change.access = rules(now).into_iter().filter(|(action, rules)| before.get(action) != Some(rules)).collect();
    let mut kept: Vec<FieldName> = Vec::new();
    for field in &was.fields {
        let name = renames.get(&field.name).unwrap_or(&field.name);
        // A name that another field gets is not this one's any more.
        let is_taken = name == &field.name && renames.values().any(|new| new == name);
        match find(now, name).filter(|_| !is_taken) {
            Some(then) => {
                if then.name != field.name {
                    change.rename.insert(field.name.clone(), then.name.clone());
                }
                let altered = altered(field, then);
                if !altered.is_empty() {
                    change.alter.insert(then.name.clone(), altered);
                }
                kept.push(then.name.clone());
            }
            None => change.drop.push(field.name.clone()),
        }
    }
    change.add = now.fields.iter().filter(|field| !kept.contains(&field.name)).map(members).collect();
    let names: Vec<FieldName> = now.fields.iter().map(|field| field.name.clone()).collect();
    let added = names.iter().filter(|name| !kept.contains(name));
    let as_it_comes: Vec<FieldName> = kept.iter().chain(added).cloned().collect();
    if orders && as_it_comes != names {
        change.order = names;
    }
    let mut indexes = was.indexes.clone().unwrap_or_default();
    for part in indexes.iter_mut().flat_map(|index| &mut index.fields) {
        if let Some((_, new)) = change.rename.iter().find(|(old, _)| old.as_str() == part.name) {
            part.name = new.to_string();
        }
    }
    indexes.retain(|index| index.fields.iter().all(|part| change.drop.iter().all(|name| name.as_str() != part.name)));
    let wanted = now.indexes.clone().unwrap_or_default();
    change.drop_indexes = indexes.iter().filter(|index| !wanted.contains(index)).cloned().collect();
    change.add_indexes = wanted.into_iter().filter(|index| !indexes.contains(index)).collect();
    change
}

/// The members of a field that change. Choices are told one by one where that says all.
fn altered(was: &Field, now: &Field) -> Object {
    // Those that stay where a field gets another type.
    let general = ["required", "nullable", "unique", "indexed", "help"];
    let full = |field: &Field| {
        let field = field.clone().of_no_server();
        object(json!(field)).unwrap_or_default()
    };
    let (before, after) = (full(was), full(now));
    let is_other_type = before.get("type") != after.get("type");
    let mut altered = Object::new();
    for (name, value) in &after {
        if name == "name" || (before.get(name) == Some(value) && (!is_other_type || general.contains(&name.as_str()))) {
            continue;
        }
        let is_unsaid =
            is_other_type && !before.contains_key(name) && (value.is_null() || *value == Value::Bool(false));
        if !is_unsaid {
            altered.insert(name.clone(), value.clone());
        }
    }
    let unset: Vec<&String> = before
        .keys()
        .filter(|name| !after.contains_key(*name) && (!is_other_type || general.contains(&name.as_str())))
        .collect();
    let nulls: Vec<String> =
        altered.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
    altered.retain(|_, value| !value.is_null());
    let unset: Vec<String> = unset.into_iter().cloned().chain(nulls).collect();
    if let (FieldType::Choice { choices: was, many: was_many }, FieldType::Choice { choices: now, many }) =
        (&was.kind, &now.kind)
        && was_many == many
        && was != now
    {
        let dropped: Vec<&String> = was.iter().filter(|choice| !now.contains(choice)).collect();
        let added: Vec<&String> = now.iter().filter(|choice| !was.contains(choice)).collect();
        let come_to: Vec<&String> =
            was.iter().filter(|choice| !dropped.contains(choice)).chain(added.iter().copied()).collect();
        if come_to == now.iter().collect::<Vec<_>>() {
            altered.shift_remove("choices");
            if !added.is_empty() {
                altered.insert("add_choices".to_owned(), json!(added));
            }
            if !dropped.is_empty() {
                altered.insert("drop_choices".to_owned(), json!(dropped));
            }
        }
    }
    if !unset.is_empty() {
        altered.insert("unset".to_owned(), json!(unset));
    }
    altered
}
