//! What a difference is made of.

use std::collections::BTreeMap;

use common::{
    Object,
    collection::Definition,
    field::Field,
    name::{CollectionName, FieldName},
    reader::object,
};
use serde_json::{Value, json};

use crate::domain::migrations::Step;

/// New names, which cannot be seen by comparing: a field that is gone and one that is new could be two.
#[derive(Debug, Clone, Default)]
pub struct Renames {
    /// Of collections.
    pub collections: BTreeMap<CollectionName, CollectionName>,
    /// Of fields, by the collection's old name and their own.
    pub fields: BTreeMap<(CollectionName, FieldName), FieldName>,
}

/// The steps of one collection, and of its paths.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionSteps {
    /// The collection, by the name that it had before; or by its own, where it is new.
    pub collection: CollectionName,
    /// What leads there.
    pub steps: Vec<Step>,
}

/// A definition's field of this name.
pub(super) fn find<'a>(definition: &'a Definition, name: &FieldName) -> Option<&'a Field> {
    definition.fields.iter().find(|field| field.name == *name)
}

/// New names of the fields of a collection.
pub(super) fn fields_of(renames: &Renames, name: &CollectionName) -> BTreeMap<FieldName, FieldName> {
    let own = renames.fields.iter().filter(|((collection, _), _)| collection == name);
    own.map(|((_, old), new)| (old.clone(), new.clone())).collect()
}

/// A field as a file has it: nothing that goes without saying.
pub fn members(field: &Field) -> Object {
    let field = field.clone().of_no_server();
    let mut members = object(json!(field)).unwrap_or_default();
    members.retain(|name, value| !(value.is_null() || (*value == Value::Bool(false) && name != "default")));
    members
}

/// Adds a step to those of a collection.
pub(super) fn push(parts: &mut Vec<CollectionSteps>, collection: &CollectionName, step: Step) {
    parts.push(CollectionSteps { collection: collection.clone(), steps: vec![step] });
}
