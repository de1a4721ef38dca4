//! The steps of a migration: what an object in its file says. They speak of names, so they are true of every server.

mod definition;
mod members;
mod record;

use common::{
    Object,
    name::CollectionName,
    problem::FieldErrors,
    reader::{Reader, invalid},
};
use serde_json::{Value, json};

use self::members::{filter, not_members, of_filter};

pub use self::{
    definition::DefinitionChange,
    record::{RecordChange, Split},
};

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A collection is made, with the members of a definition.
    Create(CollectionName, Object),
    /// A collection's definition is changed.
    Change(CollectionName, Box<DefinitionChange>),
    /// A collection is deleted, with its records.
    Delete(CollectionName),
    /// Values of records are changed.
    Update(CollectionName, Box<RecordChange>),
    /// Records are deleted; those that a condition finds, or all.
    DeleteRecords(CollectionName, Option<String>),
    /// A path is published, with the members of its definition.
    Publish(String, Object),
    /// A published path is defined anew.
    Republish(String, Object),
    /// A published path is taken back.
    Unpublish(String),
}

/// What a step can begin with.
const VERBS: [&str; 8] =
    ["create", "change", "delete", "update", "delete_records", "publish", "republish", "unpublish"];

/// Members that a step of a definition cannot have, since they belong to one server.
const OF_ONE_SERVER: [&str; 7] = ["id", "aliases", "choice_aliases", "created_at", "updated_at", "revision", "count"];

impl Step {
    /// Reads all steps; errors stand under `steps.{i}`.
    pub fn read_all(steps: &[Object]) -> Result<Vec<Self>, FieldErrors> {
        let (mut read, mut errors) = (Vec::with_capacity(steps.len()), FieldErrors::new());
        for (i, step) in steps.iter().enumerate() {
            match Self::read(step.clone()) {
                Ok(step) => read.push(step),
                Err(wrong) => errors.nest(&format!("steps.{i}"), wrong),
            }
        }
        errors.or(read)
    }

    /// Reads one.
    pub fn read(mut step: Object) -> Result<Self, FieldErrors> {
        let mut verbs = VERBS.iter().filter(|verb| step.contains_key(**verb));
        let (Some(verb), None) = (verbs.next(), verbs.next()) else {
            return Err(FieldErrors::of(
                "step",
                invalid(format!("A step has one of these members: {}.", VERBS.join(", "))),
            ));
        };
        let subject = step.shift_remove(*verb).unwrap_or_default();
        let Some(subject) = subject.as_str() else {
            return Err(FieldErrors::of(*verb, invalid("This is a name.")));
        };
        if verb.ends_with("publish") {
            let path = subject.to_owned();
            if *verb == "unpublish" {
                return Reader::new(Value::Object(step))?.finish().or(Self::Unpublish(path));
            }
            not_members(&step, &["id", "path", "created_at", "updated_at", "revision"])?;
            return Ok(if *verb == "publish" { Self::Publish(path, step) } else { Self::Republish(path, step) });
        }
        let name: CollectionName = subject
            .parse()
            .map_err(|error: common::name::InvalidName| FieldErrors::of(*verb, invalid(error.to_string())))?;
        if *verb == "create" {
            not_members(&step, &OF_ONE_SERVER)?;
            not_members(&step, &["name"])?;
            return Ok(Self::Create(name, step));
        }
        let mut reader = Reader::new(Value::Object(step))?;
        let read = match *verb {
            "change" => Self::Change(name, Box::new(DefinitionChange::read(&mut reader))),
            "update" => Self::Update(name, Box::new(RecordChange::read(&mut reader))),
            "delete_records" => Self::DeleteRecords(name, filter(&mut reader)),
            _ => Self::Delete(name),
        };
        reader.finish().or(read)
    }

    /// The step as a file has it.
    pub fn to_json(&self) -> Object {
        let mut step = Object::new();
        match self {
            Self::Create(name, definition) => {
                step.insert("create".to_owned(), json!(name));
                step.extend(definition.clone());
            }
            Self::Change(name, change) => {
                step.insert("change".to_owned(), json!(name));
                change.put(&mut step);
            }
            Self::Delete(name) => drop(step.insert("delete".to_owned(), json!(name))),
            Self::Update(name, change) => {
                step.insert("update".to_owned(), json!(name));
                change.put(&mut step);
            }
            Self::DeleteRecords(name, filter) => {
                step.insert("delete_records".to_owned(), json!(name));
                step.extend(filter.as_ref().map(|filter| ("where".to_owned(), json!(filter))));
            }
            Self::Publish(path, definition) => {
                step.insert("publish".to_owned(), json!(path));
                step.extend(definition.clone());
            }
            Self::Republish(path, definition) => {
                step.insert("republish".to_owned(), json!(path));
                step.extend(definition.clone());
            }
            Self::Unpublish(path) => drop(step.insert("unpublish".to_owned(), json!(path))),
        }
        step
    }

    /// The collection that it is about, by the name before it.
    pub fn collection(&self) -> Option<&CollectionName> {
        match self {
            Self::Create(name, _)
            | Self::Change(name, _)
            | Self::Delete(name)
            | Self::Update(name, _)
            | Self::DeleteRecords(name, _) => Some(name),
            Self::Publish(..) | Self::Republish(..) | Self::Unpublish(_) => None,
        }
    }

    /// What it does, for people.
    pub fn in_words(&self) -> String {
        match self {
            Self::Create(name, definition) => {
                let fields = definition.get("fields").and_then(Value::as_array).map_or(0, Vec::len) as u64;
                format!("create {name}, with {}", common::text::count(fields, "field"))
            }
            Self::Change(name, change) => format!("change {name}: {}", change.in_words()),
            Self::Delete(name) => format!("delete {name}, with its records"),
            Self::Update(name, change) => format!("update {name}: {}", change.in_words()),
            Self::DeleteRecords(name, filter) => format!("delete records of {name}{}", of_filter(filter.as_ref())),
            Self::Publish(path, _) => format!("publish {path}"),
            Self::Republish(path, _) => format!("define the path {path} anew"),
            Self::Unpublish(path) => format!("take back the path {path}"),
        }
    }
}
