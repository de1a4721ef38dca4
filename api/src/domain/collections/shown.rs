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
    work,
};

/// The collections that the caller may list, with how many records they would see, in the form that `write` gives them.
async fn listed<T>(core: &Core, caller: &Caller, mut write: impl FnMut(Collection) -> Result<T>) -> Result<Page<T>> {
    let snapshot = core.store.snapshot().await?;
    let (mut all, mut visible) = (schema::all(&snapshot), Vec::new());
    while let Some(StoredDefinition { collection, keys, .. }) = all.next().await? {
        if collection.access.decide(Action::List, caller) != Decision::Denied {
            visible.push(write(for_caller(core, &snapshot, collection, keys.number, caller).await?)?);
        }
    }
    Ok(Page::single(visible))
}

/// The collections that the caller may list.
pub async fn list(core: &Core, caller: &Caller) -> Result<Page<Collection>> {
    listed(core, caller, Ok).await
}

/// The same in JSON. Each is written down when it is read, since all of them can take more memory than a request may.
pub async fn list_json(core: &Core, caller: &Caller) -> Result<Vec<u8>> {
    let write = |collection: Collection| {
        let written = serde_json::value::to_raw_value(&collection)?;
        // Here, and in the page.
        work::hold(2 * written.get().len())?;
        Ok(written)
    };
    Ok(serde_json::to_vec(&listed(core, caller, write).await?)?)
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
