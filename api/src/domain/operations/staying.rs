//! A change of a definition that leaves fields as they are whose values do not fit, as an undo does that skips what was changed since: what
//! is coming then.

use std::collections::{BTreeSet, HashSet};

use common::{
    collection::{Collection, check_indexes},
    field::Field,
    id::FieldId,
};
use uuid::Uuid;

use crate::domain::{
    schema::{Coming, Schema, StoredComing, StoredDefinition},
    steps::{FieldStep, Step},
};

/// The definition in force with the one that is coming, in which the fields of these names stay as they are in the one in force. `None` where
/// that cannot be: one of them is not there so far, or another has its name or an index of it.
pub(super) fn with_staying(schema: &Schema, coming: &Coming, names: &BTreeSet<String>) -> Option<StoredDefinition> {
    let mut collection = coming.schema.collection.clone();
    let mut staying = HashSet::new();
    for name in names {
        let place = collection.fields.iter().position(|field| field.name.as_str() == name)?;
        let id = collection.fields[place].id?;
        let was = schema.collection.fields.iter().find(|field| field.id == Some(id))?;
        for part in collection.indexes.iter_mut().flat_map(|index| &mut index.fields) {
            if part.name == *name {
                part.name = was.name.to_string();
            }
        }
        collection.fields[place] = was.clone();
        staying.insert(id);
    }
    let mut taken = HashSet::new();
    if !collection.fields.iter().all(|field| taken.insert(field.name.clone())) {
        return None;
    }
    for field in &mut collection.fields {
        field.aliases.retain(|alias| taken.insert(alias.clone()));
    }
    check_indexes(&mut collection).ok()?;
    let mut definition = StoredDefinition::without_coming(schema);
    let last = coming.schema.keys.steps.last().filter(|step| step.version == coming.schema.keys.version).cloned();
    let step = last.map(|step| Step { fields: without(step.fields, &staying), ..step });
    let converted: HashSet<Uuid> =
        step.iter().flat_map(|step| &step.fields).filter_map(converted).map(FieldId::uuid).collect();
    // Every field has its id by now.
    let mut keys = definition.keys.changed(Some(&schema.collection), &collection, &converted, &mut Uuid::nil);
    keys.retire(&schema.keys, &schema.collection, &schema.targets);
    // A step without fields says that they stand in another order.
    let is_reordered = order(&collection, &schema.collection) != order(&schema.collection, &collection);
    keys.steps.extend(step.filter(|step| is_reordered || !step.fields.is_empty()));
    let stays = |place: &usize| {
        collection.fields.get(*place).and_then(|field| field.id).is_some_and(|id| staying.contains(&id))
    };
    let checked = coming.checked.iter().copied().filter(|place| !stays(place)).collect();
    let Coming { operation, hold, .. } = *coming;
    definition.coming = Some(Box::new(StoredComing { operation, collection, keys, checked, hold }));
    Some(definition)
}

/// The fields that another has too, in their order.
fn order(collection: &Collection, other: &Collection) -> Vec<Option<FieldId>> {
    let ids = collection.fields.iter().map(|field| field.id);
    ids.filter(|id| other.fields.iter().any(|field| field.id == *id)).collect()
}

/// What becomes of the fields that do not stay.
fn without(steps: Vec<FieldStep>, staying: &HashSet<FieldId>) -> Vec<FieldStep> {
    let is_of_others = |step: &FieldStep| match step {
        FieldStep::Renamed { field, .. }
        | FieldStep::Added { field, .. }
        | FieldStep::Filled { field, .. }
        | FieldStep::Loosened { field }
        | FieldStep::Revived { field } => !staying.contains(field),
        FieldStep::Converted { to, .. } | FieldStep::Restored { to, .. } => !is_one(to, staying),
        FieldStep::Dropped { was } => !is_one(was, staying),
    };
    steps.into_iter().filter(is_of_others).collect()
}

fn is_one(field: &Field, staying: &HashSet<FieldId>) -> bool {
    field.id.is_some_and(|id| staying.contains(&id))
}

/// The field whose values a step changes.
fn converted(step: &FieldStep) -> Option<FieldId> {
    match step {
        FieldStep::Converted { to, .. } | FieldStep::Restored { to, .. } => to.id,
        _ => None,
    }
}
