//! Definitions as they are sent.

use common::{
    access::{Action, Caller, Decision},
    collection::Collection,
    name::CollectionName,
    page::Page,
};
use store::Snapshot;

use crate::domain::{
    core::Core,
    error::{Error, Result},
    numbers::CollectionNumber,
    schema::{self, StoredDefinition},
};

/// The collections that the caller may list, with how many records they would see.
pub async fn list(core: &Core, caller: &Caller) -> Result<Page<Collection>> {
    let snapshot = core.store.snapshot().await?;
    let mut visible = Vec::new();
    for StoredDefinition { collection, keys, .. } in schema::all(&snapshot).await? {
        if collection.access.decide(Action::List, caller) != Decision::Denied {
            visible.push(for_caller(core, &snapshot, collection, keys.number, caller).await?);
        }
    }
    Ok(Page::single(visible))
}

/// One definition, for who may list or view its records.
pub async fn get(core: &Core, caller: &Caller, name: &CollectionName) -> Result<Collection> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    if !schema.is_visible(caller) {
        return Err(Error::NotFound);
    }
    for_caller(core, &snapshot, schema.collection.clone(), schema.number(), caller).await
}

/// A definition as the caller sees it: with the number of records that they may list, and without the names of collections that are not
/// there for them.
async fn for_caller(
    core: &Core,
    snapshot: &Snapshot,
    mut collection: Collection,
    number: CollectionNumber,
    caller: &Caller,
) -> Result<Collection> {
    schema::hide_references(&core.schemas, snapshot, &mut collection.fields, caller).await?;
    let decision = collection.access.decide(Action::List, caller);
    collection.count = schema::count(&core.owners, snapshot, number, decision).await?;
    Ok(collection)
}
