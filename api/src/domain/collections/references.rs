//! The collections that a definition's fields refer to.

use common::{
    collection::{Collection, Definition},
    field::FieldType,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
};
use store::{Batch, Expect, Snapshot};

use crate::domain::{core::Core, error::Result, keyspace};

/// The collections that reference fields name must be there, or be this one, which is called `own` so far. They get the name that they
/// have today.
pub(super) async fn check_references(
    core: &Core,
    snapshot: &Snapshot,
    definition: &mut Definition,
    own: Option<&CollectionName>,
) -> Result<()> {
    let mut errors = FieldErrors::new();
    let name = definition.name.clone();
    for (i, field) in definition.fields.iter_mut().enumerate() {
        let FieldType::Reference { collection: Some(collection), .. } = &mut field.kind else { continue };
        if *collection == name {
            continue;
        }
        match core.schemas.load(snapshot, collection).await? {
            Some(found) if Some(&found.collection.name) == own => *collection = name.clone(),
            Some(found) => collection.clone_from(&found.collection.name),
            None => {
                let message = format!("There is no collection \"{collection}\".");
                errors.push(format!("fields.{i}.collection"), FieldError::new("does_not_exist", message));
            }
        }
    }
    Ok(errors.or(())?)
}

/// They must still be there when the definition is committed, and whoever deletes one meanwhile must look again.
pub(in crate::domain) fn expect_references(batch: &mut Batch, collection: &Collection) {
    for field in &collection.fields {
        if let FieldType::Reference { collection: Some(target), .. } = &field.kind
            && *target != collection.name
        {
            batch.expect(keyspace::collection(target), Expect::Present).add(keyspace::referring_definitions(), 1);
        }
    }
}
