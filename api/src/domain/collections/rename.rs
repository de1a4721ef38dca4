//! Another name for a collection. The old one goes on leading to it, until it is dropped from its aliases.

use common::{
    collection::Collection,
    field::FieldType,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
};
use store::{Batch, Expect, Snapshot};

use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbered::Numbered,
    numbers::CollectionNumber,
    schema::{self, Schema},
};

/// A name must be nobody's, nor lead to another collection than `own`.
pub(super) async fn check_free(
    core: &Core,
    snapshot: &Snapshot,
    name: &CollectionName,
    own: Option<CollectionNumber>,
) -> Result<()> {
    let Some(found) = core.schemas.load(snapshot, name).await?.filter(|found| Some(found.number()) != own) else {
        return Ok(());
    };
    let message = if found.collection.name == *name {
        "A collection of this name exists already.".to_owned()
    } else {
        format!("\"{}\" had this name before, and still answers to it. Drop that alias first.", found.collection.name)
    };
    Err(Error::Taken(FieldErrors::of("name", FieldError::new("unique", message))))
}

/// Stages what a changed definition means for its names: of `after`, which gets its aliases here. `batch` writes the definition.
pub(in crate::domain) async fn stage_names(
    core: &Core,
    snapshot: &Snapshot,
    batch: &mut Batch,
    before: &Schema,
    after: &mut Collection,
) -> Result<()> {
    let (number, old) = (before.number(), &before.collection.name);
    check_free(core, snapshot, &after.name, Some(number)).await?;
    let mut errors = FieldErrors::new();
    let mut aliases: Vec<CollectionName> = Vec::new();
    let renamed = (after.name != *old).then_some(old);
    for alias in after.aliases.iter().chain(renamed) {
        if *alias != after.name && !aliases.contains(alias) {
            if check_free(core, snapshot, alias, Some(number)).await.is_err() {
                let message = format!("\"{alias}\" is another collection's name.");
                errors.push("aliases", FieldError::new("unique", message));
            }
            aliases.push(alias.clone());
        }
    }
    errors.or(())?;
    for alias in before.collection.aliases.iter().filter(|alias| !aliases.contains(alias)) {
        batch.delete(keyspace::collection_alias(alias));
    }
    for alias in aliases.iter().filter(|alias| !before.collection.aliases.contains(alias)) {
        let key = keyspace::collection_alias(alias);
        batch.expect(key.clone(), Expect::Absent).put(key, i64::from(number.0).to_be_bytes().to_vec());
        if alias != old {
            batch.expect(keyspace::collection(alias), Expect::Absent);
        }
    }
    after.aliases = aliases;
    if renamed.is_none() {
        return Ok(());
    }
    batch.expect(keyspace::collection(&after.name), Expect::Absent).delete(keyspace::collection(old));
    if !before.collection.aliases.contains(&after.name) {
        batch.expect(keyspace::collection_alias(&after.name), Expect::Absent);
    }
    let numbered = Numbered { id: after.id, name: after.name.clone() };
    batch.put(keyspace::numbered(number), serde_json::to_vec(&numbered)?);
    refer_by(snapshot, batch, old, &after.name).await
}

/// Has other definitions refer to a collection by its new name. Nobody may begin to refer to it meanwhile.
async fn refer_by(snapshot: &Snapshot, batch: &mut Batch, old: &CollectionName, new: &CollectionName) -> Result<()> {
    let referring = keyspace::referring_definitions();
    let unchanged = snapshot.get(&referring).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(referring, unchanged);
    let mut all = schema::all(snapshot);
    while let Some(mut definition) = all.next().await? {
        if definition.collection.name == *old {
            continue;
        }
        let mut refers = false;
        let coming = definition.coming.iter_mut().flat_map(|coming| &mut coming.collection.fields);
        for field in definition.collection.fields.iter_mut().chain(coming) {
            if let FieldType::Reference { collection: Some(collection), .. } = &mut field.kind
                && collection == old
            {
                collection.clone_from(new);
                refers = true;
            }
        }
        if refers {
            let key = keyspace::collection(&definition.collection.name);
            batch.expect(key.clone(), Expect::Version(definition.version));
            definition.shown = None;
            batch.put(key, serde_json::to_vec(&definition)?);
        }
    }
    Ok(())
}
