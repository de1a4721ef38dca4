//! What becomes of values where a definition goes back.

use std::collections::{BTreeSet, HashMap};

use common::{
    collection::{Collection, Definition},
    field::Field,
    id::{FieldId, OperationId},
    json::Exact,
    undo::Changed,
};

use super::merge::find_field;
use crate::domain::{
    collections::Undone,
    steps::{FieldStep, Step},
};

/// What of the definition's steps is undone. Fields that stay as they are keep their values.
pub(super) fn undone(
    steps: &[Step],
    reverts: OperationId,
    changed: Changed,
    before: &Collection,
    definition: &Definition,
    stays: impl Fn(FieldId) -> bool,
) -> Undone {
    let mut undone = Undone {
        operation: reverts,
        conversions: HashMap::new(),
        added: HashMap::new(),
        overwrites: changed == Changed::Overwrite,
        skips: changed == Changed::Skip,
    };
    let goes_back = |id: &FieldId| {
        let of = |collection: &Collection| find_field(collection, *id).map(|field| field.kind.clone());
        let is_as_before = |field: &Field| field.id == Some(*id) && Some(&field.kind) == of(before).as_ref();
        !stays(*id) && definition.fields.iter().any(is_as_before)
    };
    let steps = steps.iter().filter(|step| step.operation == Some(reverts));
    for (version, step) in steps.flat_map(|step| step.fields.iter().map(|field| (step.version, field))) {
        match step {
            FieldStep::Converted { to, .. } | FieldStep::Restored { to, .. } => {
                undone.conversions.extend(to.id.filter(&goes_back).map(|id| (id, version)));
            }
            // What was written since may be too much.
            FieldStep::Loosened { field } if changed == Changed::Overwrite => {
                undone.conversions.extend(Some(*field).filter(&goes_back).map(|id| (id, version)));
            }
            FieldStep::Added { field, value } => drop(undone.added.insert(*field, (version, value.clone()))),
            // What comes and goes in this way is in histories.
            FieldStep::Revived { field } => drop(undone.added.insert(*field, (u32::MAX, Exact::default()))),
            FieldStep::Renamed { .. }
            | FieldStep::Dropped { .. }
            | FieldStep::Filled { .. }
            | FieldStep::Loosened { .. } => {}
        }
    }
    undone
}

/// The fields whose values an operation converted; and those of them that something else converted since and did not undo: going back to
/// what they were before the operation would undo that too.
pub(super) fn converted(steps: &[Step], operation: OperationId) -> (BTreeSet<FieldId>, BTreeSet<FieldId>) {
    // Which step left the values as they are, and as they were before each.
    let (mut left_by, mut before) = (HashMap::<FieldId, u32>::new(), HashMap::<(FieldId, u32), Option<u32>>::new());
    let mut by_operation = HashMap::new();
    for step in steps {
        for field in &step.fields {
            let (to, since) = match field {
                FieldStep::Converted { to, .. } => (to, None),
                FieldStep::Restored { to, since, .. } => (to, Some(*since)),
                FieldStep::Loosened { field } => {
                    before.insert((*field, step.version), left_by.get(field).copied());
                    continue;
                }
                _ => continue,
            };
            let Some(id) = to.id else { continue };
            before.insert((id, step.version), left_by.get(&id).copied());
            match since {
                None => drop(left_by.insert(id, step.version)),
                Some(since) => match before.get(&(id, since)).copied().flatten() {
                    Some(then) => drop(left_by.insert(id, then)),
                    None => drop(left_by.remove(&id)),
                },
            }
            if step.operation == Some(operation) {
                by_operation.insert(id, left_by.get(&id).copied());
            }
        }
    }
    let since = by_operation.iter().filter(|(id, then)| left_by.get(id) != then.as_ref()).map(|(id, _)| *id).collect();
    (by_operation.into_keys().collect(), since)
}
