//! Reading the journal: a record's history, and what is in it for a caller.

use std::ops::Bound;

use common::{
    access::{Action, Caller, Decision},
    change::{Change, ChangeQuery, MAX_CHANGES, Subject},
    id::{CollectionId, RecordId, Revision},
    name::CollectionName,
    record::Record,
};
use store::{Entry, Key, Scan, Snapshot, Version, journal};

use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
};

/// Bytes of entries in one answer, about: it ends with the commit that passes them.
const MAX_BYTES: usize = 8 * 1024 * 1024;

fn parse(key: &Key, entry: &Entry) -> Result<Change> {
    let mut change: Change = serde_json::from_slice(&entry.value)?;
    if let Some((version, _)) = journal::position(key) {
        change.revision = Revision(version.get());
    }
    Ok(change)
}

/// What the commit `revision` did to a record, if it touched it.
pub async fn of_record(
    snapshot: &Snapshot,
    collection: CollectionId,
    id: RecordId,
    revision: Revision,
) -> Result<Option<Change>> {
    let from = journal::key(Version::new(revision.0), 0);
    let to = journal::key(Version::new(revision.0.saturating_add(1)), 0);
    let wanted = id.to_string();
    for (key, entry) in snapshot.scan(Scan::range(Bound::Included(from), Bound::Excluded(to))).await? {
        let change = parse(&key, &entry)?;
        if change.subject == Subject::Record && change.id == wanted && change.collection_id == Some(collection) {
            return Ok(Some(change));
        }
    }
    Ok(None)
}

/// A record's versions before `before`, newest first: each names the one before it. Where the journal was trimmed, it ends.
pub async fn history(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    before: Option<Revision>,
) -> Result<Vec<Change>> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::View, caller)?;
    let current = match snapshot.get(&keyspace::record(schema.id(), id)).await? {
        Some(entry) => Some(entry),
        None => snapshot.get(&keyspace::tombstone(schema.id(), id)).await?,
    };
    let mut revision = Some(Revision(current.ok_or(Error::NotFound)?.version.get()));
    let mut versions = Vec::new();
    while let Some(at) = revision {
        let Some(change) = of_record(&snapshot, schema.id(), id, at).await? else { break };
        // A caller who may see the latest version, or the last before it was deleted, may see those before.
        if versions.is_empty() && !may.covers(owner(&change)) {
            return Err(Error::NotFound);
        }
        revision = change.previous;
        if before.is_none_or(|before| at < before) {
            versions.push(change);
        }
        if versions.len() > MAX_CHANGES {
            break;
        }
        deadline.pause().await?;
    }
    Ok(versions)
}

fn owner(change: &Change) -> Option<common::id::UserId> {
    let value = if change.after.is_null() { &change.before } else { &change.after };
    value.as_object().cloned().map(Record::from_object).and_then(|record| record.owner())
}

/// A stretch of the journal for a caller, and where the next one begins, if there may be more. Of much that is not for the caller
/// it reads as far as its time allows.
pub async fn list(core: &Core, caller: &Caller, query: &ChangeQuery) -> Result<(Vec<Change>, Option<Revision>)> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    if let Some(name) = &query.collection {
        core.schemas.find(&snapshot, name, caller).await?.authorize(Action::View, caller)?;
    }
    let mut results = Vec::new();
    let scan = match query.after {
        Some(after) => journal::since(Version::new(after.0)),
        None => journal::all(),
    };
    let (mut bytes, mut passed) = (0, None);
    let mut pages = snapshot.pages(scan);
    while let Some(entries) = pages.next().await? {
        let is_over = deadline.is_over();
        for (key, entry) in entries {
            let change = parse(&key, &entry)?;
            // All of a commit or none of it, since the next stretch begins after a commit.
            let is_full = results.len() >= MAX_CHANGES || bytes >= MAX_BYTES || is_over;
            if is_full && passed.is_some_and(|passed| passed != change.revision) {
                return Ok((results, passed));
            }
            passed = Some(change.revision);
            if is_visible(core, &snapshot, caller, query, &change).await? {
                bytes += entry.value.len();
                results.push(change);
            }
        }
        tokio::task::yield_now().await;
    }
    Ok((results, None))
}

async fn is_visible(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    query: &ChangeQuery,
    change: &Change,
) -> Result<bool> {
    if query.collection.is_some() && query.collection != change.collection {
        return Ok(false);
    }
    if caller.is_admin() {
        return Ok(true);
    }
    let (Subject::Record, Some(name)) = (change.subject, &change.collection) else { return Ok(false) };
    let Some(schema) = core.schemas.load(snapshot, name).await? else { return Ok(false) };
    let may = schema.collection.access.decide(Action::View, caller);
    Ok(Some(schema.id()) == change.collection_id && may != Decision::Denied && may.covers(owner(change)))
}
