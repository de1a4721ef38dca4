//! Undoing what was done to a collection: one that was deleted comes back with its records, one that was made goes, and a changed
//! definition gets the parts back that the operation changed. Only admins do that.
//!
//! - `merge`: the definition as it was before, within that of now
//! - `values`: what becomes of values then

mod merge;
mod values;

use std::{collections::BTreeSet, time::Duration};

use common::{
    change::{Change, Subject, Verb},
    collection::{Collection, DefinitionAnswer, DefinitionQuery, DryRun},
    id::{CollectionId, OperationId},
    json::Exact,
    operation::{Operation, OperationState},
    problem::FieldErrors,
    undo::{Changed, Counted, Reverted},
};
use store::{Batch, Scan, Snapshot, Version};

use self::{
    merge::Merge,
    values::{converted, undone},
};
use super::{
    How,
    done::{Done, reverted},
};
use crate::domain::{
    collections,
    core::Core,
    error::{ChangedSince, Error, Obstacle, Result},
    gone::{self, DeletedCollectionEntry, Left},
    journal::{self, Actor, Entry, of_operation::Parts},
    keyspace,
    operations::{self, PATIENCE, Revert, Work},
    retry::Retry,
    schema::{self, StoredDefinition},
};

/// Commits of an operation that are looked at for what it did to a collection: it is in one of the first.
const FIRST: usize = 4;
/// Examples that are told.
const TOLD: usize = 10;

/// What an operation did to a collection, if anything.
pub(super) async fn find(snapshot: &Snapshot, id: OperationId) -> Result<Option<Change>> {
    let mut parts = Parts::new(snapshot, id).await?;
    for _ in 0..FIRST {
        let Some(part) = parts.next().await? else { break };
        let found = part.entries.into_iter().find_map(|(_, entry)| match entry {
            Entry::Other(change, _) if change.subject == Subject::Collection => Some(*change),
            _ => None,
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Undoes `reverts`, which did `change`, as the operation `own`.
pub(super) async fn revert(
    core: &Core,
    by: Actor<'_>,
    own: OperationId,
    reverts: OperationId,
    change: Change,
    how: How,
) -> Result<Reverted> {
    let parse = |value: &Exact| serde_json::from_str::<Collection>(&value.to_text()).ok();
    let (before, after) = (parse(&change.before), parse(&change.after));
    match (change.action, before, after) {
        (Verb::Delete, Some(before), _) => bring_back(core, by, own, reverts, &before, how).await,
        (Verb::Create | Verb::Restore, _, Some(after)) => take_away(core, by, own, reverts, &after, how).await,
        (Verb::Update, Some(before), Some(after)) => put_back(core, by, own, reverts, &before, &after, how).await,
        _ => Err(Error::NotRevertible(format!("the definition of \"{}\"", change.id))),
    }
}

/// One collection was changed; more is done where work is under way.
fn done(own: OperationId, reverts: OperationId, action: Verb, left: Option<OperationState>) -> Reverted {
    let mut done = Done::default();
    done.counts.add_many(Counted { subject: Subject::Collection, collection: None, action, count: 1 });
    reverted(own, reverts, left.unwrap_or(OperationState::Done), done)
}

fn refused(collection: &str, id: String, reason: &'static str, detail: String) -> Obstacle {
    Obstacle { collection: collection.to_owned(), id: Some(id), part: None, reason, detail }
}

/// The same of a part of a definition.
fn refused_part(collection: &str, part: String, reason: &'static str, detail: String) -> Obstacle {
    Obstacle { collection: collection.to_owned(), id: None, part: Some(part), reason, detail }
}

async fn bring_back(
    core: &Core,
    by: Actor<'_>,
    own: OperationId,
    reverts: OperationId,
    before: &Collection,
    How { changed, respond_async, dry_run }: How,
) -> Result<Reverted> {
    let caller = by.caller;
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let Some((version, gone)) = gone_by_id(&snapshot, before.id).await? else {
            if by_id(&snapshot, before.id).await?.is_some() {
                let detail = format!("The collection \"{}\" is back already.", before.name);
                let examples = vec![refused(before.name.as_str(), before.id.to_string(), "restored", detail)];
                return Err(Error::ChangedSince(Box::new(ChangedSince {
                    count: 1,
                    examples,
                    ..ChangedSince::default()
                })));
            }
            let what = format!("the collection \"{}\", of which nothing but the journal is left", before.name);
            return Err(Error::NotRevertible(what));
        };
        if gone.gone.operation.is_some_and(|operation| operation != reverts) {
            let detail = format!("The collection \"{}\" was deleted again since. Undo that.", before.name);
            let examples = vec![refused(before.name.as_str(), before.id.to_string(), "deleted", detail)];
            return Err(Error::ChangedSince(Box::new(ChangedSince { count: 1, examples, ..ChangedSince::default() })));
        }
        if gone.gone.left != Left::Nothing {
            return Err(Error::RemovalUnderWay(gone.gone.operation.unwrap_or(reverts)));
        }
        check_whole(core, &snapshot, reverts).await?;
        let mut batch = Batch::new();
        collections::stage_restored(core, caller, &snapshot, &mut batch, version, gone, reverts).await?;
        if dry_run {
            let mut would = done(own, reverts, Verb::Restore, None);
            let records = records_of(&snapshot, reverts, core).await?;
            would.count += records;
            let collection = Some(before.name.clone());
            let counted = Counted { subject: Subject::Record, collection, action: Verb::Restore, count: records };
            would.counts.extend(Some(counted).filter(|counted| counted.count > 0));
            return Ok(would);
        }
        let work = Revert::of_collection(reverts, caller, changed);
        let of = work.count(core).await?;
        let waits = if respond_async { Duration::ZERO } else { PATIENCE };
        if let Some(left) = operations::work_on(core, caller, Work::Revert(work), of, own, batch, waits).await? {
            return Ok(done(own, reverts, Verb::Restore, left.map(|operation| operation.state)));
        }
        retry.again()?;
    }
}

async fn take_away(
    core: &Core,
    by: Actor<'_>,
    own: OperationId,
    reverts: OperationId,
    after: &Collection,
    How { changed, respond_async, dry_run }: How,
) -> Result<Reverted> {
    let snapshot = core.store.snapshot().await?;
    let Some(now) = by_id(&snapshot, after.id).await? else {
        return Ok(reverted(own, reverts, OperationState::Done, Done::default()));
    };
    let name = now.collection.name.clone();
    // Records that it did not make itself.
    let mut own_commits = BTreeSet::<Version>::new();
    let mut parts = Parts::new(&snapshot, reverts).await?;
    while let Some(part) = parts.next().await? {
        own_commits.insert(part.version);
    }
    let mut since = ChangedSince::default();
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(now.keys.number)));
    let deadline = core.deadline();
    while let Some(page) = pages.next().await? {
        for (key, entry) in page {
            if own_commits.contains(&entry.version) {
                continue;
            }
            since.count += 1;
            if let Some(id) = keyspace::last_id(&key).filter(|_| since.examples.len() < TOLD) {
                let detail = format!("{name} {id}: It was written since.");
                since.examples.push(refused(name.as_str(), id.to_string(), "changed", detail));
            }
        }
        deadline.pause().await?;
    }
    match changed {
        Changed::Refuse if since.count > 0 => return Err(Error::ChangedSince(Box::new(since))),
        Changed::Skip if since.count > 0 => {
            return Ok(reverted(own, reverts, OperationState::Done, Done { skipped: 1, ..Done::default() }));
        }
        _ => {}
    }
    if dry_run {
        let counts = collections::would_delete(core, by.caller, &name, None).await?;
        return Ok(reverted(own, reverts, OperationState::Done, Done { counts, ..Done::default() }));
    }
    let deleting = collections::delete_undoing(core, by.caller, &name, None, Some(reverts), !respond_async);
    let left: Option<Operation> = Box::pin(deleting).await?;
    Ok(done(own, reverts, Verb::Delete, left.map(|operation| operation.state)))
}

async fn put_back(
    core: &Core,
    by: Actor<'_>,
    own: OperationId,
    reverts: OperationId,
    before: &Collection,
    after: &Collection,
    how: How,
) -> Result<Reverted> {
    let How { changed, respond_async, dry_run } = how;
    let query = DefinitionQuery { respond_async, dry_run, ..DefinitionQuery::default() };
    let snapshot = core.store.snapshot().await?;
    let Some(StoredDefinition { collection: now, keys, .. }) = by_id(&snapshot, after.id).await? else {
        let message = format!("The collection \"{}\" is gone. Bring that back first.", after.name);
        return Err(Error::Conflict(message));
    };
    let (converted, converted_since) = converted(&keys.steps, reverts);
    let mut staying = BTreeSet::new();
    let (answer, skipped) = loop {
        let mut merge = Merge {
            now: &now,
            changed,
            since: ChangedSince::default(),
            skipped: 0,
            converted: &converted,
            converted_since: &converted_since,
            staying: &staying,
        };
        let definition = merge.definition(before, after);
        if merge.since.count > 0 {
            return Err(Error::ChangedSince(Box::new(merge.since)));
        }
        let skipped = merge.skipped;
        let undone = undone(&keys.steps, reverts, changed, before, &definition, |id| {
            changed != Changed::Overwrite && converted_since.contains(&id)
        });
        let undoing = collections::undo(core, by.caller, &now.name, &definition, &undone, &query);
        match Box::pin(undoing).await {
            Err(Error::WouldDrop(holding)) if changed == Changed::Skip => {
                let fields = holding.iter().filter_map(|(name, _)| now.field(name.as_str())?.id);
                let known = staying.len();
                staying.extend(fields);
                if staying.len() == known {
                    return Err(since(&now, Error::WouldDrop(holding)));
                }
            }
            answer => break (answer, skipped),
        }
    };
    let left = match answer.map_err(|error| since(&now, error))? {
        DefinitionAnswer::Begun(_) => Some(OperationState::Running),
        DefinitionAnswer::WouldBe(told) => {
            return would_be(&now, *told, how, done(own, reverts, Verb::Update, None), skipped);
        }
        // That records are only written anew is nobody's matter.
        DefinitionAnswer::Changed(_) => None,
    };
    let skipped = skipped + if left.is_none() { operations::stayed(core, own).await? } else { 0 };
    Ok(Reverted { skipped, ..done(own, reverts, Verb::Update, left) })
}

/// What undoing a change would do, of which `told` is what it would do to records.
fn would_be(now: &Collection, told: DryRun, how: How, done: Reverted, skipped: u64) -> Result<Reverted> {
    let misfits = told.misfits;
    let staying: BTreeSet<_> = misfits.examples.iter().map(|misfit| misfit.field.as_str()).collect();
    let skipped = skipped + if how.changed == Changed::Skip { staying.len() as u64 } else { 0 };
    if misfits.count > 0 && how.changed != Changed::Skip {
        return Err(since(now, collections::do_not_fit(misfits)));
    }
    let mut would = Reverted { skipped, ..done };
    let collection = Some(now.name.clone());
    let counted = Counted { subject: Subject::Record, collection, action: Verb::Update, count: told.changed };
    would.count += counted.count;
    would.counts.extend(Some(counted).filter(|counted| counted.count > 0));
    Ok(would)
}

/// How many records an operation deleted.
async fn records_of(snapshot: &Snapshot, id: OperationId, core: &Core) -> Result<u64> {
    let (mut parts, deadline, mut count) = (Parts::new(snapshot, id).await?, core.deadline(), 0);
    while let Some(part) = parts.next().await? {
        count += part.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Record(..))).count() as u64;
        deadline.pause().await?;
    }
    Ok(count)
}

/// What keeps records from going back, as what was changed since.
fn since(now: &Collection, error: Error) -> Error {
    match error {
        Error::WouldDrop(holding) => {
            let count = holding.iter().map(|(_, count)| *count).max().unwrap_or(0);
            let examples = holding.into_iter().map(|(field, count)| {
                let records = common::text::count(count, "record");
                let detail = format!("The field \"{field}\" was written to since, in {records}.");
                refused_part(now.name.as_str(), format!("fields.{field}"), "changed", detail)
            });
            Error::ChangedSince(Box::new(ChangedSince {
                count,
                examples: examples.collect(),
                ..ChangedSince::default()
            }))
        }
        Error::RecordsDoNotFit { count, errors, examples } => {
            Error::ChangedSince(Box::new(misfits(now, count, &errors, &examples)))
        }
        error => error,
    }
}

fn misfits(now: &Collection, count: u64, errors: &FieldErrors, examples: &[String]) -> ChangedSince {
    let told = errors.in_words();
    let of = |id: &String| {
        let detail = format!(
            "{} {id}: It does not go back as it is. {told} Change it, or leave the field as it is by changed=skip.",
            now.name
        );
        refused(now.name.as_str(), id.clone(), "changed", detail)
    };
    ChangedSince { count, examples: examples.iter().map(of).collect(), ..ChangedSince::default() }
}

async fn by_id(snapshot: &Snapshot, id: CollectionId) -> Result<Option<StoredDefinition>> {
    let mut all = schema::all(snapshot);
    while let Some(definition) = all.next().await? {
        if definition.collection.id == id {
            return Ok(Some(definition));
        }
    }
    Ok(None)
}

async fn gone_by_id(snapshot: &Snapshot, id: CollectionId) -> Result<Option<(Version, DeletedCollectionEntry)>> {
    Ok(gone::all(snapshot).await?.into_iter().find(|(_, gone)| gone.id == id))
}

/// Nothing comes back where a part of what went is in no journal any more.
async fn check_whole(core: &Core, snapshot: &Snapshot, id: OperationId) -> Result<()> {
    let (mut parts, trimmed) = (Parts::whole(snapshot, id).await?, journal::trimmed(snapshot).await?);
    if parts.first().is_none_or(|first| trimmed < first) {
        return Ok(());
    }
    let deadline = core.deadline();
    while let Some(part) = parts.next().await? {
        if part.is_trimmed {
            return Err(Error::Trimmed);
        }
        deadline.pause().await?;
    }
    Ok(())
}
