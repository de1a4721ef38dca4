//! Rows of a file as records, under the collection's rules row by row. What fits into one commit is one; more is checked as a whole first, and then
//! written in pieces, all of them one operation ([`work`]).

mod at_work;
mod ended;
mod exchange;
mod how;
mod order;
mod resolve;
mod rows;
mod seen;
mod together;
mod tree;
mod work;

use std::{fs::File, io::BufReader, path::PathBuf, sync::Arc, time::Duration};

use base::Charge;
use common::{
    access::Action,
    collection::Ids,
    field::Unique,
    id::{OperationId, RecordId},
    import::{Import, ImportQuery, OnConflict, OnError, ReadAs, RowFault},
    name::CollectionName,
    operation::OperationState,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::invalid,
};
use store::{Batch, Expect, Snapshot};

pub(crate) use self::how::{How, Tally};
use self::{
    at_work::LookedAt,
    exchange::Staged,
    order::{Held, in_order},
    rows::{Staging, takes_ids},
    seen::Seen,
    tree::is_tree,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    intake::{self, Prepared, Received, Row, Spool, Told, next_rows},
    journal::{self, Actor},
    keyspace, new_ids,
    operations::{self, ImportPhase, ImportRows, PATIENCE, Reading},
    retry::Retry,
    schema::{self, Schema},
    work as request,
};

/// Rows that are checked or written at once where there are more than one commit takes, and their bytes: each word of them can be an entry of an
/// index.
const PIECE: usize = 1000;
const PIECE_BYTES: usize = 256 * 1024;
/// Rows of one commit at most, where it is all of an import, and their bytes.
const AT_ONCE: u64 = 10_000;
const AT_ONCE_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a file from which on it is taken apart in the background too.
const LARGE: u64 = 8 * 1024 * 1024;
/// How long a request checks that writes nothing. Others check for as long as they wait, and what takes longer is checked in the background.
const CHECKING: Duration = Duration::from_secs(15);
/// Faults that are told.
const TOLD: usize = 100;

/// A file that came, for a collection.
pub struct Sent {
    /// The file.
    pub file: Received,
    /// What its request says of it.
    pub told: Told,
}

/// Imports a file.
pub async fn import(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    query: &ImportQuery,
    sent: Sent,
) -> Result<Import> {
    let schema = {
        let snapshot = core.store.snapshot().await?;
        core.schemas.find(&snapshot, name, by.caller).await?
    };
    authorize(&schema, by, query.on_conflict)?;
    check_key(&schema, query)?;
    let until = core.clock.elapsed() + PATIENCE;
    let mut answer = Import {
        operation: None,
        state: OperationState::Done,
        dry_run: query.dry_run,
        started_at: core.timestamp(),
        rows: 0,
        checked: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        faults: Vec::new(),
        read: ReadAs::default(),
    };
    if !query.dry_run && sent.file.len() > LARGE {
        return later(core, by, &schema, query, sent, answer).await;
    }
    let (mut rows, prepared) = prepare(core, &schema, query, sent).await?;
    let how = How::new(query, prepared.targets);
    (answer.rows, answer.read) = (prepared.count, prepared.read);
    if !query.dry_run && schema.collection.ids == Ids::Integer && by.caller.is_admin() {
        reserve(core, &schema, rewound(&mut rows)?).await?;
    }
    let is_small = answer.rows <= AT_ONCE && rows.len() <= AT_ONCE_BYTES;
    if !query.dry_run && is_small {
        match at_once(core, by, name, &how, &mut rows, answer.clone()).await {
            // Their indexes are larger than they are, or they take more memory than there is; a few at a time there may be enough.
            Err(Error::TooManyEntries { .. } | Error::NoMemory) => {}
            done => return done,
        }
    }
    let is_one = query.dry_run && is_small;
    if !is_one {
        rows = ordered(core, &schema, &how, takes_ids(&how, by.caller), rows).await?;
    }
    let looking = Looking {
        pieces: if is_one { Pieces::ONE } else { Pieces::MANY },
        until: if query.dry_run { core.clock.elapsed() + CHECKING } else { until },
    };
    let mut is_checked = how.on_error == OnError::Skip;
    if query.dry_run || !is_checked {
        let checked = check(core, by, name, &how, rewound(&mut rows)?, looking).await?;
        if query.dry_run {
            return Ok(with(answer, checked.tally, checked.faults));
        }
        is_checked = checked.rows == answer.rows;
        if checked.tally.rejected > 0 {
            return Err(refused(checked.faults, checked.tally.rejected));
        }
    }
    let id = new_operation(core);
    keep(core, core.spool.rows(id), rows).await?;
    let phase = if is_checked { ImportPhase::Writing } else { ImportPhase::Checking };
    // What is not checked yet is checked from the beginning.
    let waits = if is_checked { until.saturating_sub(core.clock.elapsed()) } else { Duration::ZERO };
    let work = ImportRows::new(&schema, by.caller, how, &answer, phase);
    in_background(core, by, &schema, id, work, answer, waits).await
}

/// Has a large file taken apart in the background. What can be told of its first row is told before.
async fn later(
    core: &Core,
    by: Actor<'_>,
    schema: &Arc<Schema>,
    query: &ImportQuery,
    mut sent: Sent,
    mut answer: Import,
) -> Result<Import> {
    let file = rewound(&mut sent.file)?;
    let (of, how, told) = (Arc::clone(schema), query.clone(), sent.told.clone());
    let mut held = request::charge();
    let looked = tokio::task::spawn_blocking(move || intake::look(file, &mut held, &of.collection, &how, &told));
    answer.read = looked.await.map_err(|error| Error::caused("a file could not be read", error))??;
    let reading = Reading {
        query: query.clone(),
        format: answer.read.format.clone(),
        charset: query.encoding.clone().or(sent.told.charset.clone()),
    };
    let how = How::new(query, Vec::new());
    let id = new_operation(core);
    keep(core, core.spool.file(id), sent.file).await?;
    let work = ImportRows::new(schema, by.caller, how, &answer, ImportPhase::Reading(Box::new(reading)));
    in_background(core, by, schema, id, work, answer, Duration::ZERO).await
}

/// The operation that an import is, whether it is one of a request that has one.
fn new_operation(core: &Core) -> OperationId {
    journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()))
}

/// Keeps a file for an operation that is about to begin, on a thread that may wait for the disk.
async fn keep(core: &Core, path: std::io::Result<PathBuf>, mut file: Received) -> Result<()> {
    let spool = Arc::clone(&core.spool);
    let kept = tokio::task::spawn_blocking(move || spool.keep(&path?, &mut file)).await;
    let kept = kept.map_err(|error| Error::caused("a file on its way in could not be kept", error))?;
    Ok(kept.map_err(intake::Unreadable::from)?)
}

fn rewound(file: &mut Received) -> Result<File> {
    Ok(file.rewound().map_err(intake::Unreadable::from)?)
}

fn authorize(schema: &Schema, by: Actor<'_>, on_conflict: OnConflict) -> Result<()> {
    schema.authorize(Action::Create, by.caller)?;
    if on_conflict == OnConflict::Update {
        schema.authorize(Action::Update, by.caller)?;
    }
    Ok(())
}

/// The key has to find one record at most.
fn check_key(schema: &Schema, query: &ImportQuery) -> Result<()> {
    let Some(key) = query.key.as_deref().filter(|key| *key != "id") else { return Ok(()) };
    let message = match schema.collection.field(key) {
        Some(field) if field.unique != Unique::No => return Ok(()),
        Some(_) => "Rows find records by a unique field or by id. This field is not unique.".to_owned(),
        None => format!("There is no field \"{}\".", common::text::single_line(key)),
    };
    Err(FieldErrors::of("key", invalid(message)).into())
}

/// Takes the file apart, on a thread that may wait for the disk.
async fn prepare(core: &Core, schema: &Arc<Schema>, query: &ImportQuery, sent: Sent) -> Result<(Received, Prepared)> {
    let Sent { mut file, told } = sent;
    let (spool, schema, query) = (Arc::clone(&core.spool), Arc::clone(schema), query.clone());
    let mut held = request::charge();
    let done =
        tokio::task::spawn_blocking(move || take_apart(&spool, &schema, &query, &told, file.rewound()?, &mut held));
    Ok(done.await.map_err(|error| Error::caused("a file could not be read", error))??)
}

/// The rows of a file.
fn take_apart(
    spool: &Arc<Spool>,
    schema: &Schema,
    query: &ImportQuery,
    told: &Told,
    file: File,
    held: &mut Charge,
) -> std::result::Result<(Received, Prepared), intake::Unreadable> {
    let mut rows = spool.receive()?;
    let prepared = intake::prepare(file, &mut rows, held, &schema.collection, query, told)?;
    Ok((rows, prepared))
}

/// Rows in an order in which they can be written in pieces.
async fn ordered(
    core: &Core,
    schema: &Arc<Schema>,
    how: &How,
    takes_ids: bool,
    mut rows: Received,
) -> Result<Received> {
    if !is_tree(&schema.collection, how) {
        return Ok(rows);
    }
    let (spool, schema) = (Arc::clone(&core.spool), Arc::clone(schema));
    let mut held = Held { rows: request::charge(), known: request::charge() };
    let done = tokio::task::spawn_blocking(move || {
        let mut others = spool.receive()?;
        let is_other = in_order(&schema, takes_ids, &mut rows, &mut others, &mut held)?;
        Ok::<_, intake::Unreadable>(if is_other { others } else { rows })
    });
    Ok(done.await.map_err(|error| Error::caused("rows could not be brought into another order", error))??)
}

/// All rows as one commit.
async fn at_once(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    how: &How,
    rows: &mut Received,
    answer: Import,
) -> Result<Import> {
    let unreadable = |error: std::io::Error| Error::from(intake::Unreadable::from(error));
    let id = new_operation(core);
    let all = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    let mut held = request::charge();
    let mut from = BufReader::new(rows.rewound().map_err(unreadable)?);
    let (rows, bytes) = next_rows(&mut from, &mut held, all, usize::MAX)?;
    let (mut retry, mut is_kept) = (Retry::new(core), false);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, by.caller).await?;
        authorize(&schema, by, how.on_conflict)?;
        let staging = Staging::begin(core, by, &snapshot, &schema, how, false, &rows).await?;
        let staged = staging.stage(&rows, &mut Seen::default()).await?;
        let Staged { mut batch, mut tally, faults } = staged;
        tally.rejected = faults.len() as u64;
        let told = told(&rows, &faults);
        if !faults.is_empty() && how.on_error == OnError::Abort {
            return Err(refused(told, tally.rejected));
        }
        let mut work = ImportRows::new(&schema, by.caller, how.clone(), &answer, ImportPhase::Over);
        work.is_done(tally, told.clone());
        if !faults.is_empty() && !is_kept {
            if rows::too_wide(how, faults.len(), 0, bytes) {
                return Err(FieldErrors::of(NON_FIELD, invalid(rows::TOO_WIDE)).into());
            }
            rows::reject_from(core, id, &schema, how, &rows, faults, 0)?;
            is_kept = true;
        }
        if tally.created + tally.updated + tally.rejected == 0 {
            return Ok(with(answer, tally, told));
        }
        operations::note_done(core, by.caller, operations::Work::Import(Box::new(work)), answer.rows, id, &mut batch)?;
        if retry.commit_for(by.caller, batch).await?.is_some() {
            return Ok(with(Import { operation: Some(id), ..answer }, tally, told));
        }
    }
}

/// In the background, for as long as it takes; a while of it within the request, which `waits`. What it works on is kept already.
async fn in_background(
    core: &Core,
    by: Actor<'_>,
    schema: &Arc<Schema>,
    id: OperationId,
    work: ImportRows,
    answer: Import,
    waits: Duration,
) -> Result<Import> {
    let of = Some(answer.rows).filter(|rows| *rows > 0);
    let mut retry = Retry::new(core);
    loop {
        // It may have another name by now.
        let now = schema::by_number(&core.schemas, &core.store.snapshot().await?, schema.number()).await?;
        let Some(now) = now else {
            core.spool.forget(id);
            return Err(Error::NotFound);
        };
        let batch = Batch::with(|batch| batch.expect(keyspace::collection(&now.collection.name), Expect::Present));
        let work = operations::Work::Import(Box::new(work.clone()));
        let begun = operations::work_on(core, by.caller, work, of, id, batch, waits).await;
        match begun {
            Ok(None) => retry.again()?,
            Ok(Some(left)) => {
                let state = left.map_or(OperationState::Done, |operation| operation.state);
                return of_operation(core, id, Import { operation: Some(id), state, ..answer }).await;
            }
            Err(error) => {
                if !operations::is_begun(core, id).await? {
                    core.spool.forget(id);
                }
                return Err(error);
            }
        }
    }
}

/// Reserves the numbers that rows bring, so that nobody is given one of them before its row comes.
async fn reserve(core: &Core, schema: &Schema, rows: File) -> Result<()> {
    let mut from = BufReader::with_capacity(PIECE_BYTES / 4, rows);
    let (mut last, mut held) = (None, request::charge());
    loop {
        let (rows, _) = next_rows(&mut from, &mut held, PIECE, PIECE_BYTES)?;
        if rows.is_empty() {
            break;
        }
        let ids = rows.iter().filter_map(|row| schema.collection.ids.asked(row.record.get("id")).ok().flatten());
        last = ids.filter_map(RecordId::number).max().max(last);
        tokio::task::yield_now().await;
    }
    match last {
        Some(last) => new_ids::reserve(core, schema.number(), last).await,
        None => Ok(()),
    }
}

/// An answer with what its operation has done so far.
async fn of_operation(core: &Core, id: OperationId, answer: Import) -> Result<Import> {
    Ok(match operations::import_of(core, id).await? {
        Some(work) => with(answer, work.tally(), work.faults().to_vec()),
        None => answer,
    })
}

fn with(answer: Import, tally: Tally, faults: Vec<RowFault>) -> Import {
    let Tally { created, updated, unchanged, rejected } = tally;
    Import { created, updated, unchanged, rejected, faults, ..answer }
}

/// How a file is looked at.
struct Looking {
    pieces: Pieces,
    /// When to stop.
    until: Duration,
}

/// How many rows, and bytes of them, are looked at together: as many as are written in one commit.
struct Pieces {
    rows: usize,
    bytes: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self::MANY
    }
}

impl Pieces {
    const MANY: Self = Self { rows: PIECE, bytes: PIECE_BYTES };
    const ONE: Self = Self { rows: usize::MAX, bytes: usize::MAX };
}

/// What a check found.
#[derive(Default)]
struct Checked {
    rows: u64,
    tally: Tally,
    faults: Vec<RowFault>,
}

/// Looks at rows as if they were written, up to the end or up to a moment.
async fn check(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    how: &How,
    rows: File,
    looking: Looking,
) -> Result<Checked> {
    let Looking { pieces, until } = looking;
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, by.caller).await?;
    authorize(&schema, by, how.on_conflict)?;
    let mut from = BufReader::with_capacity(PIECE_BYTES / 4, rows);
    let mut looked = LookedAt { pieces, ..LookedAt::default() };
    while core.clock.elapsed() < until && looked.piece(core, by, &snapshot, &schema, how, &mut from).await? > 0 {}
    Ok(looked.done())
}

impl LookedAt {
    /// Looks at the next rows. Gives how many bytes they take; none at the end.
    async fn piece(
        &mut self,
        core: &Core,
        by: Actor<'_>,
        snapshot: &Snapshot,
        schema: &Arc<Schema>,
        how: &How,
        from: &mut BufReader<File>,
    ) -> Result<u64> {
        let mut held = request::charge();
        let (rows, bytes) = next_rows(from, &mut held, self.pieces.rows, self.pieces.bytes)?;
        if rows.is_empty() {
            return Ok(0);
        }
        held.grow(self.seen.bytes())?;
        let staging = Staging::begin(core, by, snapshot, schema, how, true, &rows).await?;
        let staged = staging.stage(&rows, &mut self.seen).await?;
        let Checked { rows: count, tally, faults } = &mut self.checked;
        *count += rows.len() as u64;
        tally.add(Tally { rejected: staged.faults.len() as u64, ..staged.tally });
        let room = TOLD.saturating_sub(faults.len());
        faults.extend(told(&rows, &staged.faults).into_iter().take(room));
        self.offset += bytes;
        tokio::task::yield_now().await;
        Ok(bytes)
    }

    /// What was found.
    fn done(mut self) -> Checked {
        self.seen.explain(&mut self.checked.faults);
        self.checked
    }
}

/// Faults as they are told.
fn told(rows: &[Row], faults: &[(usize, FieldErrors)]) -> Vec<RowFault> {
    let of_row = faults.iter().filter_map(|(at, errors)| Some((rows.get(*at)?.number, errors)));
    let all = of_row.flat_map(|(row, errors)| {
        errors.0.iter().flat_map(move |(field, errors)| {
            errors.iter().map(move |FieldError { code, message }| RowFault {
                row,
                field: field.clone(),
                code: code.to_string(),
                message: message.clone(),
            })
        })
    });
    all.take(TOLD).collect()
}

/// The refusal of a file: each fault stands under its row and field.
fn refused(faults: Vec<RowFault>, rows: u64) -> Error {
    let mut errors = FieldErrors::new();
    for RowFault { row, field, code, message } in faults {
        errors.push(format!("{row}.{field}"), FieldError { code: code.into(), message });
    }
    let told = format!(
        "{} not fit, and nothing was written.",
        if rows == 1 { "1 row does".to_owned() } else { format!("{rows} rows do") }
    );
    errors.push(NON_FIELD, FieldError::new("rows_do_not_fit", told));
    errors.into()
}
