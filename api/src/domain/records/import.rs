//! Rows of a file as records, under the collection's rules row by row. What fits into one commit is one; more is checked as a whole first, and then
//! written in pieces, all of them one operation ([`work`]).

mod exchange;
mod how;
mod resolve;
mod rows;
mod seen;
mod work;

use std::{fs::File, io::BufReader, sync::Arc, time::Duration};

use common::{
    access::Action,
    collection::Ids,
    field::Unique,
    id::{OperationId, RecordId},
    import::{Import, ImportQuery, OnConflict, OnError, RowFault},
    name::CollectionName,
    operation::OperationState,
    problem::{FieldError, FieldErrors},
    reader::invalid,
};
use store::{Batch, Expect};

pub(crate) use self::how::{How, Tally};
use self::{
    exchange::{Staged, stage_rows},
    seen::Seen,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    intake::{self, Prepared, Received, Row, Told, WrittenAs, next_rows},
    journal::{self, Actor},
    keyspace, new_ids,
    operations::{self, ImportRows},
    retry::Retry,
    schema::Schema,
    work as request,
};

/// Rows that are checked or written at once where there are more than one commit takes, and their bytes: each word of them can be an entry of an
/// index.
const PIECE: usize = 1000;
const PIECE_BYTES: usize = 256 * 1024;
/// Rows of one commit at most, where it is all of an import, and their bytes.
const AT_ONCE: u64 = 10_000;
const AT_ONCE_BYTES: u64 = 8 * 1024 * 1024;
/// How long a request checks; what takes longer is checked in the background.
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
    let started_at = core.timestamp();
    let (mut rows, prepared) = prepare(core, &schema, query, sent).await?;
    let Prepared { count, targets, read } = prepared;
    let how = How {
        key: query.key.clone(),
        on_conflict: query.on_conflict,
        on_error: query.on_error,
        targets,
        written: WrittenAs { decimal_comma: query.decimal_comma, spreadsheet: query.spreadsheet },
    };
    let answer = Import {
        operation: None,
        state: OperationState::Done,
        dry_run: query.dry_run,
        started_at,
        rows: count,
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        faults: Vec::new(),
        read,
    };
    if !query.dry_run && schema.collection.ids == Ids::Integer && by.caller.is_admin() {
        reserve(core, &schema, rows.rewound().map_err(intake::Unreadable::from)?).await?;
    }
    let is_small = count <= AT_ONCE && rows.len() <= AT_ONCE_BYTES;
    if !query.dry_run && is_small {
        match at_once(core, by, name, &how, &mut rows, answer.clone()).await {
            // Their indexes are larger than they are, or they take more memory than there is; a few at a time there may be enough.
            Err(Error::TooManyEntries { .. } | Error::NoMemory) => {}
            done => return done,
        }
    }
    let until = core.clock.elapsed() + CHECKING;
    let pieces = if query.dry_run && is_small { Pieces::ONE } else { Pieces::MANY };
    let looking = Looking { pieces, until: Some(until) };
    let checked = check(core, by, name, &how, rows.rewound().map_err(intake::Unreadable::from)?, looking).await?;
    let is_whole = checked.rows == count;
    if (is_whole || checked.tally.rejected > 0)
        && how.on_error == OnError::Abort
        && !checked.faults.is_empty()
        && !query.dry_run
    {
        return Err(refused(checked.faults, checked.tally.rejected));
    }
    if query.dry_run {
        return Ok(with(answer, checked.tally, checked.faults));
    }
    in_pieces(core, by, &schema, how, rows, answer, is_whole).await
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
    let done = tokio::task::spawn_blocking(move || {
        let mut rows = spool.receive()?;
        let prepared = intake::prepare(file.rewound()?, &mut rows, &mut held, &schema.collection, &query, &told)?;
        Ok::<_, intake::Unreadable>((rows, prepared))
    });
    Ok(done.await.map_err(|error| Error::caused("a file could not be read", error))??)
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
    let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
    let all = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    let mut held = request::charge();
    let (rows, _) = next_rows(&mut BufReader::new(rows.rewound().map_err(unreadable)?), &mut held, all, usize::MAX)?;
    let (mut retry, mut is_kept) = (Retry::new(core), false);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, by.caller).await?;
        authorize(&schema, by, how.on_conflict)?;
        let staged = stage_rows(core, by, (&snapshot, &schema), (how, false), &rows, &mut Seen::default()).await?;
        let Staged { mut batch, mut tally, faults } = staged;
        tally.rejected = faults.len() as u64;
        let told = told(&rows, &faults);
        if !faults.is_empty() && how.on_error == OnError::Abort {
            return Err(refused(told, tally.rejected));
        }
        let mut work = ImportRows::new(&schema, by.caller, how.clone(), &answer);
        work.is_done(tally, told.clone());
        if !faults.is_empty() && !is_kept {
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

/// In the background, for as long as it takes; a while of it within the request.
async fn in_pieces(
    core: &Core,
    by: Actor<'_>,
    schema: &Arc<Schema>,
    how: How,
    mut rows: Received,
    answer: Import,
    is_checked: bool,
) -> Result<Import> {
    let unreadable = |error: std::io::Error| Error::from(intake::Unreadable::from(error));
    let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
    core.spool.keep(id, &mut rows.rewound().map_err(unreadable)?).map_err(unreadable)?;
    drop(rows);
    let mut retry = Retry::new(core);
    loop {
        let mut work = ImportRows::new(schema, by.caller, how.clone(), &answer);
        work.is_checked(is_checked);
        let batch = Batch::with(|batch| batch.expect(keyspace::collection(&schema.collection.name), Expect::Present));
        let begun = operations::work_on(
            core,
            by.caller,
            operations::Work::Import(Box::new(work)),
            Some(answer.rows),
            id,
            batch,
            true,
        )
        .await;
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
    until: Option<Duration>,
}

/// How many rows, and bytes of them, are looked at together: as many as are written in one commit.
struct Pieces {
    rows: usize,
    bytes: usize,
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
    let (mut checked, mut seen, mut held) = (Checked::default(), Seen::default(), request::charge());
    loop {
        let (rows, _) = next_rows(&mut from, &mut held, pieces.rows, pieces.bytes)?;
        if rows.is_empty() || until.is_some_and(|until| core.clock.elapsed() >= until) {
            seen.explain(&mut checked.faults);
            return Ok(checked);
        }
        held.grow(seen.bytes())?;
        let staged = stage_rows(core, by, (&snapshot, &schema), (how, true), &rows, &mut seen).await?;
        checked.rows += rows.len() as u64;
        checked.tally.add(Tally { rejected: staged.faults.len() as u64, ..staged.tally });
        let room = TOLD.saturating_sub(checked.faults.len());
        checked.faults.extend(told(&rows, &staged.faults).into_iter().take(room));
        tokio::task::yield_now().await;
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
    errors.push(common::problem::NON_FIELD, FieldError::new("rows_do_not_fit", told));
    errors.into()
}
