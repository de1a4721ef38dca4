//! A deleted collection that comes back, under its number: what the journal says of its records is right then.

use common::{
    access::Caller,
    change::{Subject, Verb},
    field::FieldType,
    id::OperationId,
    name::CollectionName,
};
use serde_json::{Value, json};
use store::{Addition, Batch, Expect, Snapshot, Version};

use super::{references::expect_references, rename};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    gone::DeletedCollectionEntry,
    journal, keyspace,
    numbered::Numbered,
    quota::MAX_COLLECTIONS,
    schema,
};

/// Stages that a collection is back, which was read at `version`, as the undoing of `reverts`. Gives its name.
pub(in crate::domain) async fn stage_restored(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    batch: &mut Batch,
    version: Version,
    gone: DeletedCollectionEntry,
    reverts: OperationId,
) -> Result<CollectionName> {
    let number = gone.number();
    let mut definition = gone.gone.definition;
    // What was left of indexes went with the rest.
    definition.keys.retired.clear();
    let collection = &mut definition.collection;
    rename::check_free(core, snapshot, &collection.name, None).await?;
    for field in &mut collection.fields {
        let FieldType::Reference { collection: Some(target), .. } = &mut field.kind else { continue };
        if *target == gone.name {
            continue;
        }
        let there = match gone.gone.targets.get(target) {
            Some(number) => schema::by_number(&core.schemas, snapshot, *number).await?,
            None => None,
        };
        let Some(there) = there else {
            let message = format!(
                "Its field \"{}\" refers to \"{target}\", which is gone too. Bring that back first.",
                field.name
            );
            return Err(Error::Conflict(message));
        };
        target.clone_from(&there.collection.name);
    }
    let mut aliases = Vec::new();
    for alias in std::mem::take(&mut collection.aliases) {
        // Another collection may have it by now.
        if rename::check_free(core, snapshot, &alias, None).await.is_ok() {
            let key = keyspace::collection_alias(&alias);
            batch
                .expect(keyspace::collection(&alias), Expect::Absent)
                .expect(key.clone(), Expect::Absent)
                .put(key, i64::from(number.0).to_be_bytes().to_vec());
            aliases.push(alias);
        }
    }
    collection.aliases = aliases;
    collection.updated_at = core.timestamp();
    let (key, numbered) = (keyspace::collection(&collection.name), keyspace::numbered(number));
    let entry = journal::entry(core, caller, Subject::Collection, &collection.name, Verb::Restore)
        .values(Value::Null, json!(collection));
    let revert = journal::entry(core, caller, Subject::Operation, &reverts, Verb::Revert);
    batch
        .expect(key.clone(), Expect::Absent)
        .expect(keyspace::collection_alias(&collection.name), Expect::Absent)
        .expect(numbered.clone(), Expect::Version(version))
        .put(numbered, serde_json::to_vec(&Numbered { id: collection.id, name: collection.name.clone() })?)
        .add_up_to(keyspace::collection_count(), [Addition { by: 1, max: MAX_COLLECTIONS }])
        .append(journal::bytes(&entry))
        .append(journal::bytes(&revert));
    expect_references(batch, collection);
    let name = collection.name.clone();
    batch.put(key, serde_json::to_vec(&definition)?);
    Ok(name)
}
