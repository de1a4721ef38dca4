//! A large import as work in the background: checked whole, then written a piece at a time, and taken back where a piece fails or somebody stops
//! it. The rows wait in the spool, so the work goes on after a crash where it was.

use std::{
    fs::File,
    io::{BufReader, Seek as _, SeekFrom},
    sync::Arc,
    time::Duration,
};

use common::{
    access::Caller,
    collection::Ids,
    id::OperationId,
    import::{Import, ImportQuery, OnError, RowFault},
    operation::OperationState,
};
use store::Snapshot;
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    Checked, PIECE, PIECE_BYTES, TOLD,
    at_work::{LookedAt, TakingApart},
    authorize,
    exchange::Staged,
    how::{How, Tally},
    keep, ordered, reserve, rewound,
    rows::{Staging, TOO_WIDE, reject_from, takes_ids, too_wide},
    seen::Seen,
    take_apart, told,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    intake::{Prepared, Told, Unreadable, next_rows},
    journal::{self, Actor},
    operations::{AtWork, Budget, ImportPhase, ImportRows, Piece, Reading, Revert, Steps},
    schema::{self, Schema},
    users::load,
    work as request,
};

/// How long a piece reads, or looks at rows.
const A_WHILE: Duration = Duration::from_millis(500);

impl ImportRows {
    pub(super) fn new(schema: &Schema, caller: &Caller, how: How, answer: &Import, phase: ImportPhase) -> Self {
        Self {
            collection: schema.number(),
            by: caller.user_id(),
            how,
            phase,
            rows: answer.rows,
            checked: 0,
            done: 0,
            offset: 0,
            tally: Tally::default(),
            rejected_bytes: 0,
            faults: Vec::new(),
            read: answer.read.clone(),
            started_at: answer.started_at.clone(),
            back: None,
            at_work: AtWork::default(),
        }
    }

    /// All of it was done in one commit.
    pub(super) fn is_done(&mut self, tally: Tally, faults: Vec<RowFault>) {
        (self.phase, self.done, self.tally, self.faults) = (ImportPhase::Over, self.rows, tally, faults);
    }

    /// What was done so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// The first faults of rows that were left out.
    pub(super) fn faults(&self) -> &[RowFault] {
        &self.faults
    }

    /// As it is sent.
    pub(crate) fn shown(&self, operation: OperationId, state: OperationState) -> Import {
        let Tally { created, updated, unchanged, rejected } = self.tally;
        Import {
            operation: Some(operation),
            state,
            dry_run: false,
            started_at: self.started_at.clone(),
            rows: self.rows,
            checked: self.checked,
            created,
            updated,
            unchanged,
            rejected,
            faults: self.faults.clone(),
            read: self.read.clone(),
        }
    }

    /// How many rows there are left to do, where that is known already.
    pub(crate) fn left(&self) -> Option<u64> {
        let is_known = !matches!(self.phase, ImportPhase::Reading(_));
        is_known.then(|| self.rows.saturating_sub(self.done))
    }

    /// Has what was written go back, where all or nothing was asked for. Says whether anything is left to do.
    pub(crate) fn take_back(&mut self, why: Option<String>) -> bool {
        let is_to_go_back = self.phase == ImportPhase::Writing && self.how.on_error == OnError::Abort && self.done > 0;
        if is_to_go_back {
            self.phase = ImportPhase::TakingBack(why);
        }
        is_to_go_back || matches!(self.phase, ImportPhase::TakingBack(_))
    }

    /// What was written goes back.
    pub(crate) fn is_taken_back(&self) -> bool {
        matches!(self.phase, ImportPhase::TakingBack(_))
    }

    pub(super) async fn caller(&self, core: &Core) -> Result<Caller> {
        let Some(id) = self.by else { return Ok(Caller::Anonymous) };
        let user = load(&core.store, id).await?.map(|(_, user)| user);
        Ok(user.filter(|user| user.user.is_active).ok_or(Error::Denied)?.caller())
    }

    fn file(core: &Core, offset: u64) -> Result<File> {
        let id = journal::operation().ok_or_else(|| Error::internal("an import is no operation"))?;
        let open = || -> std::io::Result<File> {
            let mut file = File::open(core.spool.rows(id)?)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        };
        open().map_err(|error| Error::caused("the rows of an import are not there any more", error))
    }

    pub(super) async fn schema(&self, core: &Core, snapshot: &Snapshot) -> Result<Arc<Schema>> {
        schema::by_number(&core.schemas, snapshot, self.collection).await?.ok_or(Error::NotFound)
    }

    /// Takes the file apart. It is looked after for a while at a time, so that the work stays this process's.
    async fn read(&mut self, core: &Core, caller: &Caller, reading: Reading) -> Result<Piece> {
        if self.at_work.get::<TakingApart>().is_none() {
            let schema = self.schema(core, &core.store.snapshot().await?).await?;
            let id = journal::operation().ok_or_else(|| Error::internal("an import is no operation"))?;
            let file = core.spool.file(id).and_then(File::open);
            let file = file.map_err(|error| Error::caused("the file of an import is not there any more", error))?;
            let Reading { query, format, charset } = reading;
            let query = ImportQuery { format: format.parse().ok(), ..query };
            let (told, spool, of) = (Told { charset, ..Told::default() }, Arc::clone(&core.spool), Arc::clone(&schema));
            let mut held = request::charge();
            let task = spawn_blocking(move || take_apart(&spool, &of, &query, &told, file, &mut held));
            self.at_work.put(Box::new(TakingApart { schema, task }));
        }
        let Some(taking) = self.at_work.get::<TakingApart>() else { return Ok(Piece::default()) };
        let Ok(done) = timeout(A_WHILE, &mut taking.task).await else { return Ok(Piece::default()) };
        let schema = Arc::clone(&taking.schema);
        self.at_work = AtWork::default();
        let (rows, Prepared { count, targets, read }) =
            match done.map_err(|error| Error::caused("a file could not be read", error))? {
                Ok(prepared) => prepared,
                Err(Unreadable::File(errors)) => {
                    self.phase = ImportPhase::Over;
                    return Ok(Self::over(core, Some(format!("Nothing was written. {}", errors.in_words()))));
                }
                Err(error) => return Err(error.into()),
            };
        (self.rows, self.how.targets, self.read) = (count, targets, read);
        let mut rows = ordered(core, &schema, &self.how, takes_ids(&self.how, caller), rows).await?;
        if schema.collection.ids == Ids::Integer && caller.is_admin() {
            reserve(core, &schema, rewound(&mut rows)?).await?;
        }
        let id = journal::operation().ok_or_else(|| Error::internal("an import is no operation"))?;
        keep(core, core.spool.rows(id), rows).await?;
        self.phase = match self.how.on_error {
            OnError::Abort => ImportPhase::Checking,
            OnError::Skip => ImportPhase::Writing,
        };
        Ok(Piece { of: Some(count), ..Piece::default() })
    }

    /// Looks at rows for a while.
    async fn check(&mut self, core: &Core, caller: &Caller) -> Result<Piece> {
        let until = core.clock.elapsed() + A_WHILE;
        let snapshot = core.store.snapshot().await?;
        let schema = self.schema(core, &snapshot).await?;
        let by = Actor::local(caller);
        authorize(&schema, by, self.how.on_conflict)?;
        let mut looked = self.at_work.take::<LookedAt>().unwrap_or_default();
        let mut from = BufReader::with_capacity(PIECE_BYTES / 4, Self::file(core, looked.offset)?);
        while looked.piece(core, by, &snapshot, &schema, &self.how, &mut from).await? > 0 {
            self.checked = looked.checked.rows;
            if core.clock.elapsed() >= until {
                self.at_work.put(looked);
                return Ok(Piece::default());
            }
        }
        let Checked { tally, faults, .. } = looked.done();
        if tally.rejected > 0 {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            let rows = common::text::count(tally.rejected, "row");
            let does = if tally.rejected == 1 { "does" } else { "do" };
            (self.faults, self.phase, self.tally.rejected) = (faults, ImportPhase::Over, tally.rejected);
            return Ok(Self::over(
                core,
                Some(format!("{rows} {does} not fit, and nothing was written. The first is {first}")),
            ));
        }
        self.phase = ImportPhase::Writing;
        Ok(Piece::default())
    }

    /// The last piece: how it ends, where not well.
    pub(super) fn over(core: &Core, failed: Option<String>) -> Piece {
        if let Some(id) = journal::operation() {
            core.spool.forget(id);
        }
        let ended = failed.map(|why| (OperationState::Failed, Some(why)));
        Piece { is_last: true, ended, ..Piece::default() }
    }

    async fn write(&mut self, core: &Core, caller: &Caller) -> Result<Piece> {
        let mut from = BufReader::with_capacity(PIECE_BYTES / 4, Self::file(core, self.offset)?);
        let mut held = request::charge();
        let (rows, bytes) = next_rows(&mut from, &mut held, PIECE, PIECE_BYTES)?;
        if rows.is_empty() {
            self.phase = ImportPhase::Over;
            return Ok(Self::over(core, None));
        }
        let snapshot = core.store.snapshot().await?;
        let schema = self.schema(core, &snapshot).await?;
        let by = Actor::local(caller);
        authorize(&schema, by, self.how.on_conflict)?;
        let staging = Staging::begin(core, by, &snapshot, &schema, &self.how, false, &rows).await?;
        let staged = staging.stage(&rows, &mut Seen::default()).await?;
        let Staged { batch, mut tally, faults } = staged;
        tally.rejected = faults.len() as u64;
        if !faults.is_empty() {
            let told = told(&rows, &faults);
            if self.how.on_error == OnError::Abort {
                let first = told.first().map(ToString::to_string).unwrap_or_default();
                let why = format!(
                    "Something was changed meanwhile, and what was written was taken back. What does not fit any more is {first}"
                );
                self.faults = told;
                self.phase = ImportPhase::TakingBack(Some(why));
                return Ok(Piece::default());
            }
            let room = TOLD.saturating_sub(self.faults.len());
            self.faults.extend(told.into_iter().take(room));
            if let Some(id) = journal::operation() {
                if too_wide(&self.how, faults.len(), self.rejected_bytes, self.offset + bytes) {
                    self.phase = ImportPhase::TakingBack(Some(format!("{TOO_WIDE} What was written was taken back.")));
                    return Ok(Piece::default());
                }
                self.rejected_bytes = reject_from(core, id, &schema, &self.how, &rows, faults, self.rejected_bytes)?;
            }
        }
        self.tally.add(tally);
        self.offset += bytes;
        self.done += rows.len() as u64;
        Ok(Piece { batch, done: rows.len() as u64, ..Piece::default() })
    }
}

impl Steps for ImportRows {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        if !matches!(self.phase, ImportPhase::Over)
            && let Some(name) = self.gone(core).await?
        {
            return Ok(self.end_without(core, &name));
        }
        match self.go_on(core, budget).await {
            Err(Error::Denied | Error::NobodyMay(_)) if !self.is_taken_back() => self.end_refused(core).await,
            outcome => outcome,
        }
    }
}

impl ImportRows {
    async fn go_on(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let caller = self.caller(core).await;
        match (&self.phase, caller) {
            (ImportPhase::Reading(reading), caller) => {
                let reading = (**reading).clone();
                self.read(core, &caller?, reading).await
            }
            (ImportPhase::Checking, caller) => self.check(core, &caller?).await,
            (ImportPhase::Writing, caller) => self.write(core, &caller?).await,
            (ImportPhase::TakingBack(_), caller) => {
                // Who may not write any more may still not leave half of it.
                let caller = caller.unwrap_or(Caller::Anonymous);
                let id = journal::operation().ok_or_else(|| Error::internal("an import is no operation"))?;
                let back = self.back.get_or_insert_with(|| Revert::taking_back(id, &caller));
                let piece = match back.step(core, budget).await {
                    // Nothing was written yet.
                    Err(Error::NotFound) => Piece { is_last: true, ..Piece::default() },
                    piece => piece?,
                };
                if !piece.is_last {
                    return Ok(Piece { done: 0, ..piece });
                }
                let ImportPhase::TakingBack(why) = std::mem::replace(&mut self.phase, ImportPhase::Over) else {
                    return Ok(piece);
                };
                (self.tally.created, self.tally.updated) = (0, 0);
                // What was changed since stays as it is now, the values of the file among it.
                let left =
                    self.back.as_ref().and_then(Revert::remark).map_or_else(String::new, |left| format!(" {left}"));
                let ended = match why {
                    Some(why) => (OperationState::Failed, Some(why + &left)),
                    None => (OperationState::Stopped, Some(format!("What was written was taken back.{left}"))),
                };
                Ok(Piece { ended: Some(ended), ..Self::over(core, None) })
            }
            (ImportPhase::Over, _) => Ok(Self::over(core, None)),
        }
    }
}
