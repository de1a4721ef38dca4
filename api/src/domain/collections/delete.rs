//! Deleting a collection.

use common::{
    access::Caller,
    change::{Subject, Verb},
    field::FieldType,
    name::CollectionName,
};
use serde_json::{Value, json};
use store::{Batch, Expect, Reserve, Scan};

use super::carry_over;
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal, keyspace, operations,
    precondition::Precondition,
    retry::Retry,
    schema::{self, StoredDefinition},
    stage::Stage,
};

/// Deletes a collection with all its records, unless another collection refers to it.
pub async fn delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        let name = &schema.collection.name;
        Precondition::check(precondition, schema.collection.revision)?;
        if let Some(coming) = &schema.coming {
            return Err(Error::ChangeUnderWay(coming.operation));
        }
        if !schema.keys.retired.is_empty() {
            operations::Runner::new(core).sweep().await?;
            continue;
        }
        for StoredDefinition { collection: other, coming, .. } in schema::all(&snapshot).await? {
            let refers = |field: &common::field::Field| matches!(&field.kind, FieldType::Reference { collection: Some(collection), .. } if collection == name);
            if let Some(field) = other
                .fields
                .iter()
                .chain(coming.iter().flat_map(|coming| &coming.collection.fields))
                .find(|field| other.name != *name && refers(field))
            {
                let message = format!(
                    "The field \"{}\" of \"{}\" refers to this collection. Remove that field first.",
                    field.name, other.name
                );
                return Err(Error::Conflict(message));
            }
        }
        let entry = journal::entry(core, caller, Subject::Collection, name, Verb::Delete)
            .values(json!(schema.collection), Value::Null);
        let key = keyspace::collection(name);
        let referring = keyspace::referring_definitions();
        let unchanged = snapshot.get(&referring).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        let mut batch = Batch::new();
        batch
            .expect(key.clone(), Expect::Version(schema.version))
            .expect(referring, unchanged)
            .delete(key)
            .add(keyspace::collection_count(), -1)
            .append(journal::bytes(&entry));
        for alias in &schema.collection.aliases {
            batch.delete(keyspace::collection_alias(alias));
        }
        let mut stage = Stage::new(core, caller, batch);
        let number = schema.number();
        for (key, entry) in carry_over::all_records(&snapshot, number).await? {
            stage.delete(&schema, carry_over::id_of(&key)?, &entry).await?;
        }
        let mut batch = stage.finish();
        carry_over::expect_no_new_records(&snapshot, &mut batch, number).await?;
        for prefix in [keyspace::count(number), keyspace::all_referrers(number)] {
            // Deleting its records counts down; of this collection nothing stays to be counted. Tombstones stay, so that the journal can
            // say what was.
            batch.withdraw(&prefix);
            for (key, _) in snapshot.scan(Scan::prefix(&prefix)).await? {
                batch.delete(key);
            }
        }
        batch.use_reserve(Reserve::Half);
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}
