//! Collections and published paths for what a document describes.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use common::{Object, access::Action, name::CollectionName, published::ListForm};
use serde_json::{Value, json};

use super::{
    document::{Document, OwnRoute, Resource},
    fields::{checked, is_nullable, singular, snake},
    source::{Listed, OWNERS, Source, field_name, nested, parents, source, without_id},
};
use crate::domain::{
    migrations::{State, Step},
    paths::is_own,
};

/// Ends of paths that list what the caller has.
const OF_ONE: [&str; 4] = ["me", "mine", "my", "own"];

/// What is proposed.
pub(super) struct Proposal {
    /// Everything that there is to be.
    pub(super) state: State,
    /// What each list becomes.
    pub(super) collections: Vec<(String, String)>,
    /// What is to be looked at.
    pub(super) notes: Vec<String>,
}

impl Proposal {
    /// Of a document, beside what there is.
    pub(super) fn of(document: &Document, before: State) -> Result<Self> {
        let listed = named(document.resources());
        if listed.is_empty() {
            bail!("no path of this document answers a list of records, or one record, as JSON");
        }
        let mut all = Self { state: before, collections: Vec::new(), notes: Vec::new() };
        let mut made: BTreeMap<&str, Vec<(String, Object)>> = BTreeMap::new();
        let mut paths = Vec::new();
        for (at, one) in listed.iter().enumerate() {
            let (fields, path) = all.list(document, &listed, at);
            // Several lists of one kind of record are one collection.
            let known = made.entry(one.collection.as_str()).or_default();
            for (name, field) in fields {
                if !known.iter().any(|(other, _)| *other == name) {
                    known.push((name, field));
                }
            }
            paths.push((one.resource.path.clone(), path));
        }
        all.create(&listed, &made)?;
        for (path, members) in paths {
            let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            if OF_ONE.contains(&last) {
                all.notes.push(format!(
                    "{path} is not published: by its name it shows each user their own records, and would show everybody's; ask for the list with ?filter=owner = me"
                ));
                continue;
            }
            all.publish(&path, members);
        }
        for OwnRoute { path, alias, members } in document.own_routes() {
            if path != alias {
                all.publish(&path, own_route(alias, &members));
            }
        }
        Ok(all)
    }

    /// Makes the collections, those that others refer to first.
    fn create(&mut self, listed: &[Listed<'_>], made: &BTreeMap<&str, Vec<(String, Object)>>) -> Result<()> {
        let mut done: Vec<&str> = Vec::new();
        for one in listed {
            let name = one.collection.as_str();
            if done.contains(&name) {
                continue;
            }
            done.push(name);
            let of: Vec<&Resource<'_>> =
                listed.iter().filter(|other| other.collection == name).map(|other| &other.resource).collect();
            let collection: CollectionName =
                name.parse().map_err(|error| anyhow!("no collection can be called {name}: {error}"))?;
            if self.state.collections.contains_key(&collection) {
                self.collections.push((name.to_owned(), "is there already, and stays as it is".to_owned()));
                continue;
            }
            let fields: Vec<Value> =
                made.get(name).into_iter().flatten().map(|(_, field)| Value::Object(field.clone())).collect();
            let count = fields.len() as u64;
            let has_owner = of.iter().any(|one| one.properties.iter().any(|(name, _)| OWNERS.contains(name)));
            let mut members = Object::new();
            members.insert("fields".to_owned(), Value::Array(fields));
            if of.iter().any(|one| has_numbers(one)) {
                members.insert("ids".to_owned(), json!("integer"));
            }
            members.insert("access".to_owned(), rules(&of, has_owner));
            let step = Step::Create(collection, members);
            self.state.apply(&step).map_err(|errors| anyhow!("{name}: {}", errors.in_words()))?;
            let told = format!("a collection with {}", common::text::count(count, "field"));
            self.collections.push((name.to_owned(), told));
            let lists = |rule: &str| rules(&of, has_owner)["list"] == json!([rule]);
            self.notes.push(format!(
                "{name}: the rules say that {} and that {}; a description does not tell which records a list leaves out",
                match () {
                    () if lists("anyone") => "anyone lists all records",
                    () if lists("nobody") => "nobody lists records",
                    () => "everybody who is signed in lists all records",
                },
                if has_owner { "records are changed by those who made them" } else { "everybody who is signed in changes records" }
            ));
        }
        Ok(())
    }

    fn publish(&mut self, path: &str, members: Object) {
        if self.state.paths.contains_key(path) {
            return;
        }
        if is_own(&path.trim_matches('/').split('/').collect::<Vec<_>>()) {
            self.notes.push(format!("{path} is not published: it stays the address of this server's own API"));
            return;
        }
        let step = Step::Publish(path.to_owned(), members);
        if let Err(errors) = self.state.apply(&step) {
            self.notes.push(format!("{path} is not published: {}", errors.in_words()));
        }
    }

    /// The fields of a list's records, and how its path is published.
    fn list(&mut self, document: &Document, listed: &[Listed<'_>], at: usize) -> (Vec<(String, Object)>, Object) {
        let Listed { collection, resource } = &listed[at];
        let (mut fields, mut members, mut writable) = (Vec::new(), Vec::new(), Vec::new());
        let (mut has_owner, mut is_all_writable) = (false, true);
        let add = |fields: &mut Vec<(String, Object)>, name: &str, members: Object| {
            if !fields.iter().any(|(known, _)| known == name) {
                fields.push((name.to_owned(), members));
            }
        };
        for (name, schema) in &resource.properties {
            let is = |flag: &str| schema.get(flag).is_some_and(|is_so| *is_so == true);
            let mut told = Vec::new();
            let source = source(document, listed, at, name, schema, &mut has_owner, &mut told);
            let field = field_name(name);
            match source {
                Source::Own(source) => members.push(member(name, &source)),
                Source::Left => {}
                Source::Field(found) => {
                    let mut whole = general(document, &field, schema, resource.required.contains(name));
                    whole.extend(found);
                    if resource.lookup.as_deref() == Some(*name) {
                        whole.insert("unique".to_owned(), json!(true));
                    }
                    match checked(whole, &mut told) {
                        Some(whole) => {
                            add(&mut fields, &field, whole);
                            members.push(member(name, &json!(field)));
                            if is("readOnly") {
                                is_all_writable = false;
                            } else {
                                writable.push(json!(name));
                            }
                        }
                        None => told.push("cannot be kept in a field, and is left out"),
                    }
                }
                Source::Reference { target, many, shown } => {
                    let base = field_name(&without_id(&field));
                    let is_beside = *name != base && resource.properties.iter().any(|(other, _)| *other == base);
                    let is_required = resource.required.contains(name) && !many;
                    let mut whole = general(document, &base, schema, is_required);
                    whole.insert("type".to_owned(), json!("reference"));
                    whole.insert("collection".to_owned(), json!(listed[target].collection));
                    if many {
                        whole.insert("many".to_owned(), json!(true));
                    }
                    // What is written under another name beside what is shown is the same field.
                    if let Some((_, known)) = fields.iter_mut().find(|(known, _)| *known == base) {
                        known.insert("required".to_owned(), json!(is_required));
                    } else {
                        add(&mut fields, &base, whole);
                    }
                    match shown {
                        Some(shown) => members.push(member(name, &nested(document, listed, target, shown, &base))),
                        None => members.push(member(name, &json!(base))),
                    }
                    if is("readOnly") {
                        is_all_writable = false;
                    } else {
                        writable.push(json!(name));
                    }
                    if is_beside {
                        told.push("is sent too, beside the record that it names");
                    } else if shown.is_none() {
                        told.push(if many {
                            "was taken for references, by its name"
                        } else {
                            "was taken for a reference, by its name"
                        });
                    }
                }
                Source::Back { target, shown } => {
                    let base = format!("{}_via_{}", listed[target].collection, singular(collection));
                    members.push(member(name, &nested(document, listed, target, shown, &base)));
                }
            }
            self.notes.extend(told.into_iter().map(|told| format!("{collection}.{name} {told}")));
        }
        let (conditions, parents) = parents(listed, at);
        for (name, target) in parents {
            let parent = json!({"name": name, "type": "reference", "collection": target, "required": true, "on_delete": "cascade"});
            add(&mut fields, &name, parent.as_object().cloned().unwrap_or_default());
        }
        let mut path = Object::new();
        path.insert("collection".to_owned(), json!(collection));
        if !conditions.is_empty() {
            path.insert("where".to_owned(), Value::Object(conditions));
        }
        let lookup =
            resource.lookup.as_deref().map(field_name).filter(|lookup| fields.iter().any(|(name, _)| name == lookup));
        path.extend(lookup.map(|lookup| ("lookup".to_owned(), json!(lookup))));
        if resource.list != ListForm::Page {
            path.insert("list".to_owned(), json!(resource.list));
        }
        path.insert("members".to_owned(), Value::Array(members));
        if !is_all_writable {
            path.insert("writable".to_owned(), Value::Array(writable));
        }
        if resource.actions.len() < Action::ALL.len() {
            path.insert("actions".to_owned(), json!(resource.actions));
        }
        (fields, path)
    }
}

/// Lists with the names of their collections. Those of one schema are one collection.
fn named(resources: Vec<Resource<'_>>) -> Vec<Listed<'_>> {
    let mut listed: Vec<Listed<'_>> = Vec::new();
    for resource in resources {
        let words: Vec<String> =
            resource.path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{')).map(snake).collect();
        let Some(last) = words.last().filter(|last| !last.is_empty()).cloned() else { continue };
        let same =
            listed.iter().find(|one| one.resource.component.is_some() && one.resource.component == resource.component);
        let collection = match same {
            Some(same) => same.collection.clone(),
            None if listed.iter().any(|one| one.collection == last) => {
                let before = words.len().checked_sub(2).and_then(|at| words.get(at)).map(|word| singular(word));
                format!("{}_{last}", before.unwrap_or_default()).trim_matches('_').to_owned()
            }
            None => last,
        };
        listed.push(Listed { collection, resource });
    }
    listed
}

/// The members that fields of every type have.
fn general(document: &Document, name: &str, schema: &Value, is_required: bool) -> Object {
    let mut members = Object::new();
    members.insert("name".to_owned(), json!(name));
    let has_default = schema.get("default").is_some_and(|default| !default.is_null());
    let is_written = schema.get("readOnly").is_none_or(|is_so| *is_so != true);
    if is_required && is_written && !has_default {
        members.insert("required".to_owned(), json!(true));
    }
    if is_nullable(document, schema) {
        members.insert("nullable".to_owned(), json!(true));
    }
    // What stands at a choice are its labels.
    let help =
        schema.get("description").and_then(Value::as_str).filter(|help| !help.starts_with("* `") && help.len() <= 200);
    members.extend(help.map(|help| ("help".to_owned(), json!(help.trim()))));
    members
}

fn member(name: &str, source: &Value) -> Value {
    if source == name { json!(name) } else { json!({name: source}) }
}

fn has_numbers(resource: &Resource<'_>) -> bool {
    let id = resource.properties.iter().find(|(name, _)| ["id", "pk"].contains(name));
    id.is_some_and(|(_, schema)| schema.get("type").is_some_and(|kind| kind == "integer"))
}

/// Who may do what, of what the document says of signing in.
fn rules(of: &[&Resource<'_>], has_owner: bool) -> Value {
    let rule = |action: Action| {
        let is_there = of.iter().any(|one| one.actions.contains(&action));
        let is_open = of.iter().any(|one| one.open.contains(&action));
        match action {
            _ if !is_there => "nobody",
            Action::List | Action::View | Action::Create if is_open => "anyone",
            Action::Update | Action::Delete if has_owner => "owner",
            _ => "signed_in",
        }
    };
    let all: Object = Action::ALL
        .into_iter()
        .map(|action| (json!(action), rule(action)))
        .filter_map(|(action, rule)| Some((action.as_str()?.to_owned(), json!([rule]))))
        .collect();
    Value::Object(all)
}

/// Another address of an own route, with the members that are known.
fn own_route(alias: &str, members: &[String]) -> Object {
    let mut path = Object::new();
    path.insert("alias".to_owned(), json!(alias));
    let shown: Vec<Value> = members
        .iter()
        .filter_map(|name| match name.as_str() {
            "id" | "username" | "email" => Some(json!(name)),
            "pk" => Some(json!({"pk": "id"})),
            "is_staff" | "is_superuser" => Some(json!({name: "is_admin"})),
            _ => None,
        })
        .collect();
    if !shown.is_empty() {
        path.insert("members".to_owned(), Value::Array(shown));
    }
    path
}
