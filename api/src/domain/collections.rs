//! Collections: definitions that admins make, and what changing one does to the records under it. A new definition and the
//! records carried over to it are one commit.

mod carry_over;
mod change;
mod delete;
mod dry_run;
mod loss;
mod notation;
mod plan;
mod references;
mod rename;
mod restore;
mod shown;

pub use change::{add_field, drop_field, replace, update, update_field};
pub(in crate::domain) use change::{do_not_fit, revive, undo};
pub(in crate::domain) use delete::delete_undoing;
pub use delete::{delete, would_delete};
pub(in crate::domain) use plan::Undone;
pub(in crate::domain) use references::expect_references;
pub(in crate::domain) use rename::stage_names;
pub(in crate::domain) use restore::stage_restored;
pub use shown::{get, list, list_json};

use common::{
    access::Caller,
    change::{Subject, Verb},
    collection::{Collection, Definition, check_indexes},
    field::Field,
    id::{CollectionId, Revision},
    reader::unchanged,
};
use serde_json::{Value, json};
use store::{Addition, Batch, Expect, Snapshot, counter};

use references::check_references;

use super::{
    core::Core,
    error::{Error, Result},
    journal, keyspace, numbered,
    numbers::{CollectionNumber, Keys},
    quota::MAX_COLLECTIONS,
    retry::Retry,
    schema::StoredDefinition,
};

/// Makes a collection.
pub async fn create(core: &Core, caller: &Caller, definition: Definition) -> Result<Collection> {
    // Nothing is there yet that could come back.
    unchanged(&definition.sent_back, &Value::Null)?;
    let _turn = core.making_collection.lock().await;
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let mut definition = definition.clone();
        check_references(core, &snapshot, &mut definition, None).await?;
        rename::check_free(core, &snapshot, &definition.name, None).await?;
        let (mut collection, batch) = stage_create(core, caller, &snapshot, definition).await?;
        if let Some(version) = retry.commit_for(caller, batch).await? {
            (collection.revision, collection.count) = (Revision(version.get()), Some(0));
            return Ok(collection);
        }
    }
}

async fn stage_create(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    definition: Definition,
) -> Result<(Collection, Batch)> {
    let at = core.timestamp();
    let Definition { name, description, ids, mut fields, indexes, access, history, .. } = definition;
    // What was said of those of another collection says nothing of these.
    fields = fields.into_iter().map(Field::of_no_server).collect();
    let mut collection = Collection {
        id: CollectionId::from_uuid(core.ids.next_id()),
        name,
        aliases: Vec::new(),
        description,
        ids: ids.unwrap_or_default(),
        fields,
        indexes: indexes.unwrap_or_default(),
        access,
        history: history.unwrap_or_default(),
        created_at: at.clone(),
        updated_at: at,
        revision: Revision(0),
        count: None,
    };
    check_indexes(&mut collection)?;
    let last = keyspace::last_collection();
    let given = snapshot.get(&last).await?;
    let number = match given.as_ref().map_or(Some(0), counter).and_then(|given| u32::try_from(given).ok()) {
        Some(given) => CollectionNumber(given + 1),
        None => return Err(Error::internal("the last collection's number cannot be read; run coffer check")),
    };
    let keys = Keys::new(number, &collection, &mut || core.ids.next_id());
    let mut definition = StoredDefinition::new(collection, keys);
    definition.show_ids();
    let key = keyspace::collection(&definition.collection.name);
    collection = definition.collection.clone();
    let numbered = numbered::Numbered { id: collection.id, name: collection.name.clone() };
    let change = journal::entry(core, caller, Subject::Collection, &collection.name, Verb::Create)
        .values(Value::Null, json!(collection));
    let mut batch = Batch::new();
    batch
        .expect(key.clone(), Expect::Absent)
        .put(key, serde_json::to_vec(&definition)?)
        .expect(keyspace::collection_alias(&collection.name), Expect::Absent)
        .expect(last.clone(), given.map_or(Expect::Absent, |entry| Expect::Version(entry.version)))
        .put(last, i64::from(number.0).to_be_bytes().to_vec())
        .put(keyspace::numbered(number), serde_json::to_vec(&numbered)?)
        .add_up_to(keyspace::collection_count(), [Addition { by: 1, max: MAX_COLLECTIONS }])
        .append(journal::bytes(&change));
    expect_references(&mut batch, &collection);
    Ok((collection, batch))
}
