//! What was done by hand and no definition says: the values that records got in new fields, and how values were converted. The versions of
//! definitions since which that is looked for are those of the last migration.

use std::collections::BTreeMap;

use common::{
    conversion::ConversionStep,
    id::{CollectionId, FieldId},
};
use serde_json::{Value, json};
use store::{Batch, Snapshot};

use super::Step;
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    schema::{self, Schema},
    steps::FieldStep,
};

/// The versions of definitions, by collection.
type Versions = BTreeMap<CollectionId, u32>;

/// The name of the single value that has them.
const NAME: &str = "migrated";

/// Notes which versions definitions have: what follows was done by hand.
pub(super) async fn note(snapshot: &Snapshot, batch: &mut Batch) -> Result<()> {
    let versions = schema::all(snapshot).filter_map(|it| Some((it.collection.id, it.keys.version))).await?;
    let versions = Versions::from_iter(versions);
    batch.put(keyspace::single(NAME), serde_json::to_vec(&versions)?);
    Ok(())
}

/// Steps that tell what was done by hand, with what definitions do not say.
pub(super) async fn complete(core: &Core, snapshot: &Snapshot, steps: Vec<Step>) -> Result<Vec<Step>> {
    let noted = snapshot.get(&keyspace::single(NAME)).await?;
    let since: Versions = noted.map(|entry| serde_json::from_slice(&entry.value)).transpose()?.unwrap_or_default();
    let mut completed = Vec::with_capacity(steps.len());
    for mut step in steps {
        if let Step::Change(name, change) = &mut step
            && let Some(schema) = core.schemas.load(snapshot, change.name.as_ref().unwrap_or(name)).await?
        {
            let since = since.get(&schema.collection.id).copied().unwrap_or(0);
            for members in &mut change.add {
                let name = members.get("name").and_then(Value::as_str).unwrap_or_default();
                let Some(field) = schema.collection.field(name) else { continue };
                let value = field.id.and_then(|id| added(&schema, id, since));
                let is_needed = field.required && field.default.is_none();
                let value = value.filter(|value| !value.is_null() && (is_needed || *value != *field.initial()));
                if let Some(value) = value.filter(|_| !members.contains_key("value")) {
                    members.insert("value".to_owned(), value);
                }
            }
            for (name, members) in &mut change.alter {
                let Some(id) = schema.collection.field(name.as_str()).and_then(|field| field.id) else { continue };
                let converted = converted(&schema, id, since);
                if !converted.is_empty() && !members.contains_key("convert") {
                    members.insert("convert".to_owned(), json!(converted));
                }
            }
        }
        completed.push(step);
    }
    Ok(completed)
}

/// What records got in a field that was added.
fn added(schema: &Schema, id: FieldId, since: u32) -> Option<Value> {
    let steps = schema.keys.steps.iter().rev().filter(|step| step.version > since).flat_map(|step| &step.fields);
    let mut found = steps.filter_map(|step| match step {
        FieldStep::Added { field, value } | FieldStep::Filled { field, value } if *field == id => {
            Some((**value).clone())
        }
        _ => None,
    });
    found.next()
}

/// How the values of a field were converted, where that was said.
fn converted(schema: &Schema, id: FieldId, since: u32) -> Vec<ConversionStep> {
    let steps = schema.keys.steps.iter().filter(|step| step.version > since).flat_map(|step| &step.fields);
    let found = steps.filter_map(|step| match step {
        FieldStep::Converted { to, convert, .. } if to.id == Some(id) => Some(convert.0.clone()),
        _ => None,
    });
    found.flatten().collect()
}
