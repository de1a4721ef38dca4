//! What collections and published paths are after some steps, in names alone: what files come to, what a server has, and what a folder of
//! definitions asks for are all of this form, so that they can be compared.

use std::collections::BTreeMap;

use common::{
    Object,
    collection::{Collection, Definition, DefinitionPatch, Ids, IndexDefinition, let_flags_follow, read_field},
    field::{Field, FieldChange, FieldType},
    name::{CollectionName, FieldName},
    problem::{FieldError, FieldErrors},
    published::{PathDefinition, PublishedPath},
    reader::{Body as _, invalid, object},
};
use serde_json::{Value, json};

use super::step::{DefinitionChange, Step};

/// Collections and published paths.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Definitions, without what belongs to one server.
    pub collections: BTreeMap<CollectionName, Definition>,
    /// Published paths, by their address.
    pub paths: BTreeMap<String, PathDefinition>,
}

impl State {
    /// What a server has.
    pub fn of_server(collections: Vec<Collection>, paths: Vec<PublishedPath>) -> Self {
        let collections = collections.into_iter().map(|collection| normal(Definition::from(collection)));
        let paths = paths.into_iter().map(|path| (path.definition.path.to_string(), path.definition));
        Self {
            collections: collections.map(|definition| (definition.name.clone(), definition)).collect(),
            paths: paths.collect(),
        }
    }

    /// Does steps, one after another. Errors stand under `steps.{i}`.
    pub fn apply_all(&mut self, steps: &[Step]) -> Result<(), FieldErrors> {
        for (i, step) in steps.iter().enumerate() {
            self.apply(step).map_err(|wrong| {
                let mut errors = FieldErrors::new();
                errors.nest(&format!("steps.{i}"), wrong);
                errors
            })?;
        }
        Ok(())
    }

    /// Does a step.
    pub fn apply(&mut self, step: &Step) -> Result<(), FieldErrors> {
        let is_there = |path: &str, is_so: bool| {
            let word = if is_so { "There is no published path" } else { "There is a published path" };
            FieldErrors::of("step", invalid(format!("{word} {path}.")))
        };
        match step {
            Step::Create(name, members) => {
                if self.collections.contains_key(name) {
                    return Err(FieldErrors::of(
                        "create",
                        invalid(format!("There is a collection \"{name}\" already.")),
                    ));
                }
                self.collections.insert(name.clone(), normal(created(name, members)?));
            }
            Step::Change(name, change) => {
                let known = self.collections.get(name).ok_or_else(|| no_collection("change", name))?;
                let (definition, _) = change.apply(known.clone())?;
                let definition = normal(definition);
                if definition.name != *name && self.collections.contains_key(&definition.name) {
                    return Err(FieldErrors::of("name", invalid("Another collection has this name already.")));
                }
                self.collections.remove(name);
                self.follow(name, &definition.name, &change.rename);
                self.collections.insert(definition.name.clone(), definition);
            }
            Step::Delete(name) => {
                self.collections.remove(name).ok_or_else(|| no_collection("delete", name))?;
            }
            Step::Update(name, _) if !self.collections.contains_key(name) => return Err(no_collection("update", name)),
            Step::DeleteRecords(name, _) if !self.collections.contains_key(name) => {
                return Err(no_collection("delete_records", name));
            }
            Step::Update(..) | Step::DeleteRecords(..) => {}
            Step::Publish(path, members) => {
                if self.paths.contains_key(path) {
                    return Err(is_there(path, false));
                }
                self.paths.insert(path.clone(), published(path, members)?);
            }
            Step::Republish(path, members) => {
                if !self.paths.contains_key(path) {
                    return Err(is_there(path, true));
                }
                self.paths.insert(path.clone(), published(path, members)?);
            }
            Step::Unpublish(path) => drop(self.paths.remove(path).ok_or_else(|| is_there(path, true))?),
        }
        Ok(())
    }

    /// What names a collection and its fields follows their new names, as it does on a server.
    fn follow(&mut self, old: &CollectionName, new: &CollectionName, fields: &BTreeMap<FieldName, FieldName>) {
        for field in self.collections.values_mut().flat_map(|definition| &mut definition.fields) {
            if let FieldType::Reference { collection: Some(target), .. } = &mut field.kind
                && target == old
            {
                target.clone_from(new);
            }
        }
        let paths = self.paths.values_mut().filter(|path| path.collection.as_ref() == Some(old));
        for path in paths {
            let Ok(mut members) = object(json!(path)) else { continue };
            members.insert("collection".to_owned(), json!(new));
            if let Some(Value::String(lookup)) = members.get_mut("lookup") {
                *lookup = source(lookup, fields);
            }
            if let Some(Value::Array(sent)) = members.get_mut("members") {
                for member in sent {
                    follow_member(member, fields);
                }
            }
            if let Some(Value::Object(conditions)) = members.get_mut("where") {
                let renamed =
                    std::mem::take(conditions).into_iter().map(|(name, value)| (source(&name, fields), value));
                *conditions = renamed.collect();
            }
            if let Ok(followed) = PathDefinition::from_json(Value::Object(members)) {
                *path = followed;
            }
        }
    }
}

/// The path of a source whose first part is a renamed field.
fn source(name: &str, fields: &BTreeMap<FieldName, FieldName>) -> String {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let renamed = fields.iter().find(|(old, _)| old.as_str() == first).map_or(first, |(_, new)| new.as_str());
    rest.map_or_else(|| renamed.to_owned(), |rest| format!("{renamed}.{rest}"))
}

/// A member that is sent keeps its name, wherever it comes from.
fn follow_member(member: &mut Value, fields: &BTreeMap<FieldName, FieldName>) {
    match member {
        Value::String(name) => {
            let now = source(name, fields);
            if now != *name {
                *member = json!({ name.as_str(): now });
            }
        }
        Value::Object(members) => {
            for inner in members.values_mut() {
                match inner {
                    Value::String(text) => *text = source(text, fields),
                    nested => follow_member(nested, fields),
                }
            }
        }
        _ => {}
    }
}

fn no_collection(member: &str, name: &CollectionName) -> FieldErrors {
    FieldErrors::of(member, FieldError::new("does_not_exist", format!("There is no collection \"{name}\".")))
}

/// The definition of a new collection.
pub fn created(name: &CollectionName, members: &Object) -> Result<Definition, FieldErrors> {
    let mut members = members.clone();
    members.insert("name".to_owned(), json!(name));
    Definition::from_json(Value::Object(members))
}

/// The definition of a path.
pub(super) fn published(path: &str, members: &Object) -> Result<PathDefinition, FieldErrors> {
    let mut members = members.clone();
    members.insert("path".to_owned(), json!(path));
    PathDefinition::from_json(Value::Object(members))
}

/// A definition without what belongs to one server, or to one request.
pub fn normal(definition: Definition) -> Definition {
    let field = |field: Field| field.of_no_server();
    Definition {
        aliases: None,
        ids: definition.ids.filter(|ids| *ids != Ids::default()),
        fields: definition.fields.into_iter().map(field).collect(),
        indexes: Some(definition.indexes.unwrap_or_default()),
        history: Some(definition.history.unwrap_or_default()),
        revision: None,
        sent_back: Object::new(),
        ..definition
    }
}

impl DefinitionChange {
    /// What a definition becomes, and the fields that go, by the names that they have before it.
    pub fn apply(&self, mut definition: Definition) -> Result<(Definition, Vec<FieldName>), FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut indexes = definition.indexes.take().unwrap_or_default();
        let old_names: Vec<FieldName> = definition.fields.iter().map(|field| field.name.clone()).collect();
        for name in self.rename.keys().filter(|name| !old_names.contains(name)) {
            errors.push(format!("rename.{name}"), no_field(name));
        }
        for field in &mut definition.fields {
            if let Some(new) = self.rename.get(&field.name) {
                field.name.clone_from(new);
            }
        }
        for part in indexes.iter_mut().flat_map(|index| &mut index.fields) {
            if let Some((_, new)) = self.rename.iter().find(|(old, _)| old.as_str() == part.name) {
                part.name = new.to_string();
            }
        }
        let mut dropped = Vec::new();
        for name in &self.drop {
            match definition.fields.iter().position(|field| field.name == *name) {
                Some(at) => {
                    let old = self.rename.iter().find(|(_, new)| *new == name).map_or(name, |(old, _)| old);
                    dropped.push(old.clone());
                    definition.fields.remove(at);
                    indexes.retain(|index| index.fields.iter().all(|part| part.name != name.as_str()));
                }
                None => errors.push("drop", no_field(name)),
            }
        }
        for (name, members) in &self.alter {
            let Some(field) = definition.fields.iter_mut().find(|field| field.name == *name) else {
                errors.push(format!("alter.{name}"), no_field(name));
                continue;
            };
            match altered(field, members) {
                Ok(altered) => *field = altered,
                Err(wrong) => errors.nest(&format!("alter.{name}"), wrong),
            }
        }
        for (i, members) in self.add.iter().enumerate() {
            match read_field(Value::Object(members.clone())) {
                Ok(field) => definition.fields.push(field),
                Err(wrong) => errors.nest(&format!("add.{i}"), wrong),
            }
        }
        for (i, field) in definition.fields.iter().enumerate() {
            if definition.fields[..i].iter().any(|earlier| earlier.name == field.name) {
                let message = format!("There are two fields \"{}\" then.", field.name);
                errors.push("change", FieldError::new("unique", message));
            }
        }
        if !self.order.is_empty() {
            let place = |field: &Field| self.order.iter().position(|name| *name == field.name);
            if definition.fields.len() == self.order.len()
                && definition.fields.iter().all(|field| place(field).is_some())
            {
                definition.fields.sort_by_key(place);
            } else {
                errors.push("order", invalid("This names every field once."));
            }
        }
        for index in &self.drop_indexes {
            match indexes.iter().position(|known| known == index) {
                Some(at) => drop(indexes.remove(at)),
                None => errors.push("drop_indexes", invalid(format!("There is no index of {index}."))),
            }
        }
        indexes.extend(
            self.add_indexes.iter().filter(|index| !indexes.contains(index)).cloned().collect::<Vec<IndexDefinition>>(),
        );
        let mut patch = Object::new();
        if !self.access.is_empty() {
            patch.insert("access".to_owned(), Value::Object(self.access.clone()));
        }
        patch.extend(self.history.clone().map(|history| ("history".to_owned(), history)));
        match DefinitionPatch::from_json(Value::Object(patch)) {
            Ok(patch) => {
                definition.access = patch.access.unwrap_or_default().apply(definition.access);
                definition.history = patch.history.or(definition.history);
            }
            Err(wrong) => errors.append(wrong),
        }
        definition.indexes = Some(indexes);
        definition.ids = self.ids.or(definition.ids);
        definition.description = self.description.clone().unwrap_or(definition.description);
        definition.name = self.name.clone().unwrap_or(definition.name);
        errors.or((definition, dropped))
    }
}

fn no_field(name: &FieldName) -> FieldError {
    FieldError::new("does_not_exist", format!("There is no field \"{name}\"."))
}

/// A field with some members in another way.
fn altered(field: &Field, changed: &Object) -> Result<Field, FieldErrors> {
    let was = Field { change: Box::new(FieldChange::default()), ..field.clone() };
    let (mut members, mut changed) = (object(json!(was))?, changed.clone());
    if changed.get("type").is_some_and(|kind| members.get("type") != Some(kind)) {
        // The limits of one type are no other's.
        let general = ["id", "name", "required", "nullable", "unique", "indexed", "help"];
        members.retain(|name, _| general.contains(&name.as_str()));
    }
    let mut texts = |member: &str| -> Result<Option<Vec<String>>, FieldErrors> {
        let Some(value) = changed.shift_remove(member) else { return Ok(None) };
        serde_json::from_value(value)
            .map(Some)
            .map_err(|_| FieldErrors::of(member, invalid("This is a list of texts.")))
    };
    let (unset, added, dropped) = (texts("unset")?, texts("add_choices")?, texts("drop_choices")?);
    if let Some(renamed) = changed.shift_remove("rename_choices") {
        changed.insert("rename".to_owned(), renamed);
    }
    let_flags_follow(&mut members, &changed);
    members.extend(changed);
    for name in unset.unwrap_or_default() {
        members.shift_remove(&name);
    }
    if added.is_some() || dropped.is_some() {
        let choices: Vec<String> = members
            .get("choices")
            .cloned()
            .and_then(|choices| serde_json::from_value(choices).ok())
            .unwrap_or_default();
        let (added, dropped) = (added.unwrap_or_default(), dropped.unwrap_or_default());
        if let Some(missing) = dropped.iter().find(|choice| !choices.contains(choice)) {
            return Err(FieldErrors::of("drop_choices", invalid(format!("There is no choice \"{missing}\"."))));
        }
        let mut choices: Vec<String> = choices.into_iter().filter(|choice| !dropped.contains(choice)).collect();
        choices.extend(added.into_iter().filter(|choice| !choices.contains(choice)).collect::<Vec<_>>());
        members.insert("choices".to_owned(), json!(choices));
    }
    members.shift_remove("aliases");
    members.shift_remove("choice_aliases");
    let read = read_field(Value::Object(members))?;
    Ok(Field { id: field.id, aliases: field.aliases.clone(), ..read })
}
