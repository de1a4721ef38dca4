//! Migrations: changes of collections and of what stands in them, from files that are applied in order. The store keeps which were applied,
//! with what they say and how each step is taken back; a file is one form of that.
//!
//! - `step`: what a step says
//! - `state`: what collections are after some steps, in names; `diff`: steps that lead from one state to another
//! - `stored`: what the store keeps; `by_hand`: what of a change by hand no definition says
//! - `run`: does the steps, in the background where they are large; `dry_run`: what they would do

mod by_hand;
mod diff;
mod dry_run;
mod run;
mod state;
mod step;
mod stored;

use std::collections::BTreeMap;

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::OperationId,
    migration::{
        AppliedMigration, ApplyQuery, Migration, MigrationAnswer, MigrationId, MigrationPlan, MigrationState,
        RevertMigrationQuery, StepPlan,
    },
    page::Page,
    problem::{FieldError, FieldErrors},
    undo::Changed,
};
use serde_json::{Value, json};
use store::{Batch, Expect, Reserve, Snapshot};

use self::stored::{Action, Run, StoredMigration, Undo};
pub use self::{
    diff::{CollectionSteps, MaybeRename, Renames, diff, maybe_renamed, members},
    state::{State, created, normal},
    step::{DefinitionChange, RecordChange, Split, Step},
    stored::{digest, is_readable},
};
use super::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor, of_operation::Parts},
    keyspace,
    operations::{self, Migrate, Work},
    retry::Retry,
};

/// The migrations that were applied, or are being applied, in the order of their application.
pub async fn list(core: &Core) -> Result<Page<AppliedMigration>> {
    let snapshot = core.store.snapshot().await?;
    Ok(Page::single(stored::all(&snapshot).await?.into_iter().map(|migration| migration.shown).collect()))
}

/// Applies a migration, notes it as applied, or tells what it would do. One that is applied already stays as it is.
pub async fn apply(core: &Core, by: Actor<'_>, migration: Migration, query: ApplyQuery) -> Result<MigrationAnswer> {
    let (id, mut migration) = (migration.id(), migration);
    let steps = Step::read_all(&migration.steps)?;
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let known = stored::all(&snapshot).await?;
        if query.complete && query.record {
            let completed = by_hand::complete(core, &snapshot, steps.clone()).await?;
            migration.steps = completed.iter().map(Step::to_json).collect();
        }
        let digest = digest(&migration);
        let before = known.iter().find(|known| known.id() == id);
        if let Some(before) = before {
            if before.shown.digest != digest {
                return Err(Error::Conflict(format!(
                    "{id} was applied as it was before: the file says something else now. Put back what it said, and make a further migration of what is to change."
                )));
            }
            if before.is_applied() {
                return Ok(MigrationAnswer::Done(Box::new(before.shown.clone())));
            }
            if before.shown.state == MigrationState::Reverting {
                return Err(Error::Conflict(format!("{id} is being taken back. Wait until that is done.")));
            }
        }
        check_free(core, &known, &id).await?;
        if query.dry_run {
            let plan = dry_run::plan(core, by.caller, id, &steps).await?;
            return Ok(MigrationAnswer::WouldBe(Box::new(plan)));
        }
        check_after(&known, &migration)?;
        let own = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
        let run = Run {
            actions: migration.steps.iter().cloned().map(Action::Do).collect(),
            changed: Changed::Refuse,
            done: Vec::new(),
            own: None,
            path: None,
            failed: None,
        };
        let mut stored = before.cloned().unwrap_or_else(|| StoredMigration {
            shown: AppliedMigration {
                migration: migration.clone(),
                state: MigrationState::Applying,
                recorded: false,
                digest: digest.clone(),
                at: core.timestamp(),
                by: by.caller.user_id().filter(|id| !id.uuid().is_nil()),
                operation: None,
            },
            undo: Vec::new(),
            run: None,
            version: store::Version::ZERO,
        });
        let key = keyspace::migration(&id);
        let mut batch = Batch::new();
        batch.expect(key.clone(), before.map_or(Expect::Absent, |before| Expect::Version(before.version)));
        if query.record {
            (stored.shown.state, stored.shown.recorded) = (MigrationState::Applied, true);
            let entry = by.entry(core, Subject::Server, &format!("migrations/{id}"), Verb::Create);
            let entry = entry.values(Value::Null, json!({"recorded": true, "digest": digest}));
            batch.put(key, stored.to_bytes()?).append(journal::bytes(&entry));
            by_hand::note(&snapshot, &mut batch).await?;
            if retry.commit(batch).await?.is_some() {
                return Ok(MigrationAnswer::Done(Box::new(stored.shown)));
            }
            continue;
        }
        // What a crash of the work left is gone on with.
        stored.run.get_or_insert(run);
        stored.shown.operation = Some(own);
        batch.put(key, stored.to_bytes()?);
        if let Some(answer) = work(core, by, &id, own, "apply", batch).await? {
            return match answer {
                Some(operation) => Ok(MigrationAnswer::Begun(Box::new(operation))),
                None => match stored::find(core, &id).await? {
                    Some(stored) => Ok(MigrationAnswer::Done(Box::new(stored.shown))),
                    None => Err(Error::Conflict(format!("{id} was stopped. Nothing of it stays."))),
                },
            };
        }
        retry.again()?;
    }
}

/// Takes a migration back, or tells what that would do. Nothing may stand on it.
pub async fn revert(
    core: &Core,
    by: Actor<'_>,
    id: &MigrationId,
    query: RevertMigrationQuery,
) -> Result<MigrationAnswer> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let known = stored::all(&snapshot).await?;
        let mut stored = known.iter().find(|known| known.id() == *id).cloned().ok_or(Error::NotFound)?;
        check_free(core, &known, id).await?;
        if stored.shown.state == MigrationState::Applying {
            return Err(Error::Conflict(format!(
                "{id} is not applied yet: an attempt was broken off. Apply it first."
            )));
        }
        let above = known.iter().find(|other| other.shown.migration.after.contains(id));
        if let Some(other) = above.filter(|_| !query.dry_run) {
            return Err(Error::Conflict(format!("{} stands on {id}. Take that back first.", other.id())));
        }
        let steps = Step::read_all(&stored.shown.migration.steps)?;
        let actions = if stored.shown.recorded { inverse(&known, &stored, &steps)? } else { undoing(&stored) };
        let plan = told(&snapshot, id, &stored, &steps, &actions).await?;
        if query.dry_run {
            return Ok(MigrationAnswer::WouldBe(Box::new(plan)));
        }
        if let Some(step) = plan.steps.iter().find(|step| step.irreversible.is_some()) {
            let why = step.irreversible.as_deref().unwrap_or_default();
            return Err(Error::Conflict(format!(
                "{id} cannot be taken back: {}: {why} Nothing was changed.",
                step.step
            )));
        }
        let own = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
        let run = Run { actions, changed: query.changed, done: Vec::new(), own: None, path: None, failed: None };
        stored.run.get_or_insert(run);
        (stored.shown.state, stored.shown.operation) = (MigrationState::Reverting, Some(own));
        let key = keyspace::migration(id);
        let mut batch = Batch::new();
        batch.expect(key.clone(), Expect::Version(stored.version)).put(key, stored.to_bytes()?);
        if let Some(answer) = work(core, by, id, own, "revert", batch).await? {
            return Ok(match answer {
                Some(operation) => MigrationAnswer::Begun(Box::new(operation)),
                None => MigrationAnswer::Done(Box::new(stored.shown)),
            });
        }
        retry.again()?;
    }
}

/// Begins the work, and does it for as long as a request waits.
async fn work(
    core: &Core,
    by: Actor<'_>,
    id: &MigrationId,
    own: OperationId,
    action: &str,
    mut batch: Batch,
) -> Result<Option<Option<common::operation::Operation>>> {
    let details = json!({"kind": "migrate", "migration": id, "action": action});
    let entry = by.entry(core, Subject::Operation, &own, Verb::Start).values(Value::Null, details);
    batch.append(journal::bytes(&entry)).use_reserve(Reserve::Most);
    let work = Work::Migrate(Migrate::new(id.clone(), by.caller));
    Box::pin(operations::work_on(core, by.caller, work, None, own, batch, operations::PATIENCE)).await
}

/// One migration at a time: nobody else's work may be under way.
async fn check_free(core: &Core, known: &[StoredMigration], id: &MigrationId) -> Result<()> {
    for other in known.iter().filter(|known| !known.is_applied()) {
        let Some(operation) = other.shown.operation else { continue };
        let is_over = operations::load(core, operation).await?.is_none_or(|(_, stored)| stored.state.is_over());
        let word = if other.shown.state == MigrationState::Applying { "applied" } else { "taken back" };
        if !is_over {
            return Err(Error::Conflict(format!("{} is being {word}. Wait until that is done.", other.id())));
        }
        if other.id() != *id {
            return Err(Error::Conflict(format!("{} was not {word} to its end. Go on with that first.", other.id())));
        }
    }
    Ok(())
}

/// What a migration stands on has to be applied.
fn check_after(known: &[StoredMigration], migration: &Migration) -> Result<()> {
    let missing = migration.after.iter().find(|id| !known.iter().any(|known| known.is_applied() && known.id() == **id));
    match missing {
        Some(id) => {
            let message = format!("This stands on {id}, which is not applied. Apply that first.");
            Err(FieldErrors::of("after", FieldError::new("not_applied", message)).into())
        }
        None => Ok(()),
    }
}

/// What takes back what was done, the last first.
fn undoing(stored: &StoredMigration) -> Vec<Action> {
    stored.undo.iter().rev().cloned().map(Action::Undo).collect()
}

/// What takes back what was noted only: steps that lead to what was before.
fn inverse(known: &[StoredMigration], stored: &StoredMigration, steps: &[Step]) -> Result<Vec<Action>> {
    let mut state = State::default();
    for other in known.iter().take_while(|other| other.id() != stored.id()) {
        state.apply_all(&Step::read_all(&other.shown.migration.steps)?)?;
    }
    let mut actions = Vec::new();
    for step in steps {
        let before = state.clone();
        state.apply(step)?;
        let mut renames = Renames::default();
        if let Step::Change(name, change) = step {
            let new = change.name.as_ref().unwrap_or(name);
            renames.collections.extend((new != name).then(|| (new.clone(), name.clone())));
            renames.fields = change
                .rename
                .iter()
                .map(|(old, now)| ((new.clone(), now.clone()), old.clone()))
                .collect::<BTreeMap<_, _>>();
        }
        let back = diff(&state, &before, &renames, true).into_iter().flat_map(|part| part.steps);
        actions.push(back.map(|step| Action::Restore(step.to_json())).collect::<Vec<_>>());
    }
    Ok(actions.into_iter().rev().flatten().collect())
}

/// What taking a migration back would do, and what of it cannot be done.
async fn told(
    snapshot: &Snapshot,
    id: &MigrationId,
    stored: &StoredMigration,
    steps: &[Step],
    actions: &[Action],
) -> Result<MigrationPlan> {
    let mut told = Vec::new();
    if stored.shown.recorded {
        for step in steps.iter().rev() {
            let irreversible = match step {
                Step::Delete(name) => Some(format!("what {name} had is not known, since this was only noted.")),
                _ => None,
            };
            told.push(StepPlan { step: format!("undo: {}", step.in_words()), dry_run: None, irreversible });
        }
        return Ok(MigrationPlan { migration: id.clone(), steps: told });
    }
    for (step, action) in steps.iter().rev().zip(actions) {
        let irreversible = match action {
            Action::Undo(Undo::Operation(operation)) => lost(snapshot, *operation).await?,
            _ => None,
        };
        told.push(StepPlan { step: format!("undo: {}", step.in_words()), dry_run: None, irreversible });
    }
    Ok(MigrationPlan { migration: id.clone(), steps: told })
}

/// Why an operation cannot be undone any more.
async fn lost(snapshot: &Snapshot, operation: OperationId) -> Result<Option<String>> {
    let trimmed = || Some("the history that this takes has been removed.".to_owned());
    let mut parts = match Parts::whole(snapshot, operation).await {
        Ok(parts) => parts,
        // It changed nothing.
        Err(Error::NotFound) => return Ok(None),
        Err(Error::Trimmed) => return Ok(trimmed()),
        Err(error) => return Err(error),
    };
    // The oldest go first.
    Ok(parts.next().await?.filter(|part| part.is_trimmed).and_then(|_| trimmed()))
}

/// The caller of a command on a stopped store.
pub fn operator() -> Caller {
    operations::as_admin(None)
}

#[cfg(test)]
mod tests;
