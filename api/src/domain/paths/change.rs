//! Publishing paths, changing them and taking them back.

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::PathId,
    problem::{FieldError, FieldErrors},
    published::{PathDefinition, PublishedPath},
};
use serde_json::{Value, json};
use store::{Batch, Expect, Snapshot};

use super::{
    check::{check, sources},
    directory::Directory,
    shown::get,
    stored::{MAX_PATHS, StoredPath, all, find},
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal, keyspace,
    precondition::Precondition,
    retry::Retry,
};

/// Publishes a path.
pub async fn create(core: &Core, caller: &Caller, definition: PathDefinition) -> Result<PublishedPath> {
    let id = PathId::from_uuid(core.ids.next_id());
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let known = all(&snapshot).await?;
        if known.len() >= MAX_PATHS {
            let message = format!("There are {MAX_PATHS} published paths, which is the most. Take one back first.");
            return Err(FieldErrors::of("path", FieldError::new("too_many", message)).into());
        }
        let at = core.timestamp();
        let (stored, mut batch) = stage(&snapshot, id, &definition, &known, at.clone(), at).await?;
        let entry = journal::entry(core, caller, Subject::Path, &id, Verb::Create)
            .values(Value::Null, json!(stored.definition));
        batch.expect(keyspace::path(id), Expect::Absent).append(journal::bytes(&entry));
        if retry.commit(batch).await?.is_some() {
            return get(&core.store, id).await;
        }
    }
}

/// Defines a path anew.
pub async fn replace(
    core: &Core,
    caller: &Caller,
    id: PathId,
    definition: PathDefinition,
    precondition: Option<&Precondition>,
) -> Result<PublishedPath> {
    change(core, caller, id, precondition, |_| Ok(definition.clone())).await
}

/// Changes parts of a path.
pub async fn update(
    core: &Core,
    caller: &Caller,
    id: PathId,
    patch: &common::Object,
    precondition: Option<&Precondition>,
) -> Result<PublishedPath> {
    change(core, caller, id, precondition, |before| before.patched(patch)).await
}

async fn change(
    core: &Core,
    caller: &Caller,
    id: PathId,
    precondition: Option<&Precondition>,
    define: impl Fn(&PathDefinition) -> std::result::Result<PathDefinition, FieldErrors>,
) -> Result<PublishedPath> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let before = find(&snapshot, id).await?;
        Precondition::check(precondition, common::id::Revision(before.version.get()))?;
        let (today, _) = Directory::read(&snapshot).await?.today(&before);
        let definition = define(&today)?;
        let mut known = all(&snapshot).await?;
        known.retain(|known| known.id != id);
        let (created_at, now) = (before.created_at.clone(), core.timestamp());
        let (stored, mut batch) = stage(&snapshot, id, &definition, &known, created_at, now).await?;
        let entry = journal::entry(core, caller, Subject::Path, &id, Verb::Update)
            .values(json!(today), json!(stored.definition));
        batch.expect(keyspace::path(id), Expect::Version(before.version)).append(journal::bytes(&entry));
        if retry.commit(batch).await?.is_some() {
            return get(&core.store, id).await;
        }
    }
}

/// Checks a definition against everything else, and has it written. What it names has to stay as it is until then.
async fn stage(
    snapshot: &Snapshot,
    id: PathId,
    definition: &PathDefinition,
    others: &[StoredPath],
    created_at: String,
    updated_at: String,
) -> Result<(StoredPath, Batch)> {
    let directory = Directory::read(snapshot).await?;
    check(&directory, definition, others)?;
    let found = definition.collection.as_ref().and_then(|name| directory.named(name));
    let mut definition = definition.clone();
    let mut batch = Batch::new();
    let mut stored = StoredPath {
        id,
        collection: None,
        sources: std::collections::BTreeMap::new(),
        created_at,
        updated_at,
        version: store::Version::ZERO,
        definition: definition.clone(),
    };
    if let Some(found) = found {
        definition.collection = Some(found.collection.name.clone());
        stored.collection = Some(found.collection.id);
        for source in sources(&definition) {
            let way = directory.follow(&found.collection, source);
            let way = way.map_err(|message| FieldErrors::of("members", FieldError::new("invalid", message)))?;
            stored.sources.insert(source.to_owned(), way.steps);
        }
    }
    // Definitions that change meanwhile have it looked at again, and so do other paths.
    for (name, version) in directory.names() {
        batch.expect(keyspace::collection(name), Expect::Version(version));
    }
    let changes = keyspace::path_changes();
    let unchanged = snapshot.get(&changes).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(changes.clone(), unchanged).add(changes, 1);
    stored.definition = definition;
    batch.put(keyspace::path(id), serde_json::to_vec(&stored)?);
    Ok((stored, batch))
}

/// Takes a path back.
pub async fn delete(core: &Core, caller: &Caller, id: PathId, precondition: Option<&Precondition>) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let before = match find(&snapshot, id).await {
            Err(Error::NotFound) => {
                Precondition::check_absent(precondition)?;
                return Err(Error::NotFound);
            }
            found => found?,
        };
        Precondition::check(precondition, common::id::Revision(before.version.get()))?;
        let entry = journal::entry(core, caller, Subject::Path, &id, Verb::Delete)
            .values(json!(before.definition), Value::Null);
        let key = keyspace::path(id);
        let mut batch = Batch::new();
        batch
            .expect(key.clone(), Expect::Version(before.version))
            .delete(key)
            .add(keyspace::path_changes(), 1)
            .append(journal::bytes(&entry));
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}
