//! Doing a migration, or taking it back: its actions, one after another. Each is an operation of its own, whose id is stored before it
//! begins: after a crash it is seen by that whether it had begun. What fails takes back all that was done before it.

use std::{pin::Pin, time::Duration};

use common::{
    access::Caller,
    collection::{Definition, DefinitionQuery},
    field::Field,
    id::OperationId,
    migration::{MigrationId, MigrationState},
    name::FieldName,
    operation::OperationState,
    published::PathDefinition,
    undo::Changed,
};
use store::{Batch, Expect};
use tokio::time::sleep;

use super::{
    DefinitionChange, Step, by_hand,
    state::{created, published},
    stored::{self, Action, Run, StoredMigration, Undo},
};
use crate::domain::{
    collections,
    core::Core,
    error::{Error, Result},
    journal::{self, Actor, Written, of_operation::Parts},
    keyspace,
    operations::{self, Budget, ChangeRecords, Migrate, Piece, Runner, Steps},
    paths, undo,
};

/// How long to wait where another process does what this waits for.
const WAIT: Duration = Duration::from_millis(20);
/// How long it works on what it began before it looks up: well within a lease.
const STRETCH: Duration = Duration::from_millis(300);

/// What an action came to.
enum Begun {
    Done,
    UnderWay,
}

impl Migrate {
    /// Of a migration whose actions are stored with it.
    pub(crate) fn new(migration: MigrationId, caller: &Caller) -> Self {
        Self { migration, by: caller.user_id(), is_stopped: false }
    }

    /// Has what was done go back.
    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// What was done goes back, since somebody stopped it.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.is_stopped
    }

    /// The action that is next; `None` where there is none left.
    fn next(run: &Run) -> Option<Action> {
        match &run.failed {
            Some(_) => run.done.last().cloned().map(Action::Undo),
            None => run.actions.get(run.done.len()).cloned(),
        }
    }

    /// The piece that stores how far it is.
    fn piece(&self, stored: &StoredMigration) -> Result<Piece> {
        let key = keyspace::migration(&self.migration);
        let mut batch = Batch::new();
        batch.expect(key.clone(), Expect::Version(stored.version)).put(key, stored.to_bytes()?);
        Ok(Piece { batch, ..Piece::default() })
    }

    /// The last piece.
    async fn last(&self, core: &Core, mut stored: StoredMigration, run: Run) -> Result<Piece> {
        let was_applying = stored.shown.state == MigrationState::Applying;
        let is_there = was_applying == run.failed.is_none();
        if is_there {
            if was_applying {
                (stored.undo, stored.shown.at) = (run.done, core.timestamp());
            }
            stored.shown.state = MigrationState::Applied;
        }
        let mut piece = if is_there {
            self.piece(&stored)?
        } else {
            let key = keyspace::migration(&self.migration);
            let batch = Batch::with(|batch| batch.expect(key.clone(), Expect::Version(stored.version)).delete(key));
            Piece { batch, ..Piece::default() }
        };
        by_hand::note(&core.store.snapshot().await?, &mut piece.batch).await?;
        piece.is_last = true;
        let state = if self.is_stopped { OperationState::Stopped } else { OperationState::Failed };
        piece.ended = run.failed.map(|why| (state, Some(why)));
        Ok(piece)
    }

    /// Notes that the action under way is done.
    fn done(run: &mut Run) {
        let own = run.own.take().map(Undo::Operation);
        let undo = run.path.take().or(own);
        if run.failed.is_some() {
            run.done.pop();
        } else {
            run.done.extend(undo);
        }
    }

    /// Notes that the action under way cannot be done. What cannot be taken back stays as it is.
    fn fail(&self, run: &mut Run, why: &str) {
        (run.own, run.path) = (None, None);
        if let Some(failed) = &mut run.failed {
            failed.extend([" A step before it could not be taken back: ", why]);
            run.done.pop();
            return;
        }
        let at = run.done.len();
        let step = match run.actions.get(at) {
            Some(Action::Do(step) | Action::Restore(step)) => Step::read(step.clone()).map(|step| step.in_words()).ok(),
            _ => None,
        };
        let step = step.map_or_else(String::new, |step| format!(" ({step})"));
        run.failed = Some(if self.is_stopped {
            "Somebody stopped it. Nothing of it stays.".to_owned()
        } else {
            format!("Step {} of {}{step}: {why} Nothing of {} stays.", at + 1, run.actions.len(), self.migration)
        });
    }
}

impl Steps for Migrate {
    async fn step(&mut self, core: &Core, _: &mut Budget<'_>) -> Result<Piece> {
        let caller = operations::as_admin(self.by);
        let Some(mut stored) = stored::find(core, &self.migration).await? else {
            let why = format!("{} is not there any more.", self.migration);
            return Ok(Piece { is_last: true, ended: Some((OperationState::Failed, Some(why))), ..Piece::default() });
        };
        let Some(mut run) = stored.run.take() else { return Ok(Piece { is_last: true, ..Piece::default() }) };
        let Some(own) = run.own else {
            if self.is_stopped && run.failed.is_none() {
                self.fail(&mut run, "");
            }
            let Some(action) = Self::next(&run) else { return self.last(core, stored, run).await };
            run.own = Some(OperationId::from_uuid(core.ids.next_id()));
            run.path = path_before(core, &action).await?;
            stored.run = Some(run);
            return self.piece(&stored);
        };
        if let Some((_, operation)) = operations::load(core, own).await? {
            if !operation.state.is_over() {
                if self.is_stopped && run.failed.is_none() {
                    operations::stop(core, Actor::local(&caller), own).await?;
                }
                let before = operation.done;
                match keep_at(core, own).await {
                    Ok(false) => sleep(WAIT).await,
                    Err(error) if is_passing(&error) && !matches!(error, Error::Internal { .. }) => return Err(error),
                    // Where it has failed, it says why.
                    Ok(true) | Err(_) => {}
                }
                let after = operations::load(core, own).await?.map_or(before, |(_, now)| now.done);
                return Ok(Piece { done: after.saturating_sub(before), ..Piece::default() });
            }
            match operation.state {
                OperationState::Done => Self::done(&mut run),
                _ => self.fail(&mut run, operation.error.as_deref().unwrap_or("It was stopped.")),
            }
        } else if has_begun(core, own).await? {
            Self::done(&mut run);
        } else {
            let Some(action) = Self::next(&run) else { return self.last(core, stored, run).await };
            match begin(core, &caller, &action, &run, own).await {
                Ok(Begun::Done) => Self::done(&mut run),
                Ok(Begun::UnderWay) => return Ok(Piece::default()),
                Err(error) if is_passing(&error) => {
                    sleep(WAIT).await;
                    return match error {
                        Error::ChangeUnderWay(_) | Error::RemovalUnderWay(_) | Error::Busy => Ok(Piece::default()),
                        error => Err(error),
                    };
                }
                Err(error) => self.fail(&mut run, &told(error)),
            }
        }
        stored.run = Some(run);
        self.piece(&stored)
    }
}

/// Errors after which it can be tried again.
fn is_passing(error: &Error) -> bool {
    matches!(
        error,
        Error::ChangeUnderWay(_)
            | Error::RemovalUnderWay(_)
            | Error::Busy
            | Error::DiskFull
            | Error::Stopped
            | Error::Internal { .. }
    )
}

/// An error in one line, with what is wrong with which member.
fn told(error: Error) -> String {
    match error {
        Error::Invalid(errors) | Error::Taken(errors) => errors.in_words(),
        Error::RecordsDoNotFit { count, errors, examples } => {
            let records = common::text::count(count, "record");
            let does = if count == 1 { "does" } else { "do" };
            let first = examples.first().map_or_else(String::new, |id| format!(" The first is {id}."));
            format!("{records} {does} not fit: {}{first}", errors.in_words())
        }
        error => error.to_string(),
    }
}

/// Whether anything was written as an operation.
async fn has_begun(core: &Core, id: OperationId) -> Result<bool> {
    let snapshot = core.store.snapshot().await?;
    match Parts::new(&snapshot, id).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound | Error::Trimmed) => Ok(false),
        Err(error) => Err(error),
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Works on an operation that this one has begun. Boxed: a piece of this one is one of theirs too.
fn keep_at(core: &Core, id: OperationId) -> Boxed<'_, bool> {
    let holder = journal::operation().unwrap_or(id);
    Box::pin(async move { Runner::of(core, holder).keep_at(id, STRETCH).await })
}

/// Begins an action as the operation `own`.
fn begin<'a>(
    core: &'a Core,
    caller: &'a Caller,
    action: &'a Action,
    run: &'a Run,
    own: OperationId,
) -> Boxed<'a, Begun> {
    Box::pin(async move {
        let written = Written::default();
        match action {
            Action::Do(step) | Action::Restore(step) => {
                let step = Step::read(step.clone())?;
                let restores = matches!(action, Action::Restore(_));
                journal::in_operation(own, &written, act(core, caller, &step, restores)).await?;
            }
            Action::Undo(Undo::Operation(operation)) => {
                let changed = if run.failed.is_some() { taken_back_with(run) } else { run.changed };
                let by = Actor::local(caller);
                match journal::in_operation(own, &written, undo::revert_later(core, by, *operation, changed)).await {
                    // It changed nothing.
                    Ok(_) | Err(Error::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
            Action::Undo(Undo::Path { path, before }) => {
                let put = put_path(core, caller, path, before.as_deref());
                journal::in_operation(own, &written, put).await?;
            }
        }
        let is_under_way = operations::load(core, own).await?.is_some_and(|(_, stored)| !stored.state.is_over());
        Ok(if is_under_way { Begun::UnderWay } else { Begun::Done })
    })
}

/// What becomes of what was changed since an action that is taken back: a definition goes back whole, and records that others wrote
/// stay as they are.
fn taken_back_with(run: &Run) -> Changed {
    let step = match run.done.len().checked_sub(1).and_then(|at| run.actions.get(at)) {
        Some(Action::Do(step) | Action::Restore(step)) => Step::read(step.clone()).ok(),
        _ => None,
    };
    match step {
        Some(Step::Create(..) | Step::Change(..) | Step::Delete(_)) => Changed::Overwrite,
        _ => Changed::Skip,
    }
}

/// Does a step.
async fn act(core: &Core, caller: &Caller, step: &Step, restores: bool) -> Result<()> {
    match step {
        Step::Create(name, members) => drop(collections::create(core, caller, created(name, members)?).await?),
        Step::Change(name, change) => {
            let (definition, query) = definition(core, caller, step, change, restores).await?;
            let query = DefinitionQuery { respond_async: true, ..query };
            drop(collections::replace(core, caller, name, definition, &query, None).await?);
        }
        Step::Delete(name) => drop(collections::delete(core, caller, name, None).await?),
        Step::Update(..) | Step::DeleteRecords(..) => {
            let snapshot = core.store.snapshot().await?;
            let work = ChangeRecords::new(core, &snapshot, caller, step).await?;
            drop(operations::change_records(core, caller, work).await?);
        }
        Step::Publish(path, members) => drop(paths::create(core, caller, published(path, members)?).await?),
        Step::Republish(path, members) => put_path(core, caller, path, Some(&published(path, members)?)).await?,
        Step::Unpublish(path) => put_path(core, caller, path, None).await?,
    }
    Ok(())
}

/// The definition that a step leads to, and what it has to say of what goes.
pub(super) async fn definition(
    core: &Core,
    caller: &Caller,
    step: &Step,
    change: &DefinitionChange,
    restores: bool,
) -> Result<(Definition, DefinitionQuery)> {
    let name = step.collection().ok_or_else(|| Error::internal("this step changes no definition"))?;
    let snapshot = core.store.snapshot().await?;
    let schema = match core.schemas.find(&snapshot, name, caller).await {
        Err(Error::NotFound) => return Err(Error::Conflict(format!("There is no collection \"{name}\"."))),
        schema => schema?,
    };
    let before = Definition { revision: None, ..Definition::from(schema.collection.clone()) };
    let (mut definition, drop) = change.apply(before)?;
    if restores {
        let added: Vec<&FieldName> =
            definition.fields.iter().filter(|field| field.id.is_none()).map(|field| &field.name).collect();
        let known: Vec<Option<Field>> = added.iter().map(|name| schema.dropped_named(name.as_str()).cloned()).collect();
        let fields = definition.fields.iter_mut().filter(|field| field.id.is_none());
        for (field, known) in fields.zip(known) {
            field.id = known.and_then(|known| known.id);
        }
    }
    Ok((definition, DefinitionQuery { drop, ..DefinitionQuery::default() }))
}

/// Gives a path a definition, or takes it back.
async fn put_path(core: &Core, caller: &Caller, path: &str, definition: Option<&PathDefinition>) -> Result<()> {
    let known = paths::list(&core.store).await?.results;
    let known = known.into_iter().find(|known| known.definition.path.as_str() == path);
    match (known, definition) {
        (Some(known), Some(definition)) => {
            drop(paths::replace(core, caller, known.id, definition.clone(), None).await?);
        }
        (None, Some(definition)) => drop(paths::create(core, caller, definition.clone()).await?),
        (Some(known), None) => paths::delete(core, caller, known.id, None).await?,
        (None, None) => {}
    }
    Ok(())
}

/// How an action that concerns a path is taken back.
async fn path_before(core: &Core, action: &Action) -> Result<Option<Undo>> {
    let path = match action {
        Action::Do(step) | Action::Restore(step) => match Step::read(step.clone()) {
            Ok(Step::Publish(path, _) | Step::Republish(path, _) | Step::Unpublish(path)) => path,
            _ => return Ok(None),
        },
        Action::Undo(Undo::Path { path, .. }) => path.clone(),
        Action::Undo(Undo::Operation(_)) => return Ok(None),
    };
    let known = paths::list(&core.store).await?.results.into_iter();
    let before = known.map(|known| known.definition).find(|known| known.path.as_str() == path).map(Box::new);
    Ok(Some(Undo::Path { path, before }))
}
