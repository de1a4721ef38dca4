//! Rows staged as records: made, or changed where a key finds one. What does not fit is told with its row, and leaves the others alone.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Seek as _, SeekFrom},
    sync::Arc,
};

use base::Charge;
use common::{
    access::{Action, Caller, Decision},
    clean::{Cleaned, Manner, Write, clean_all},
    collection::Ids,
    field::Field,
    id::{OperationId, RecordId},
    import::OnConflict,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::{invalid, required},
    record::Record,
    validate::{Ends, REQUEST_MATCH_WORK, canonical_datetime, check_exact, does_not_exist, within_work},
};
use store::{Entry, Snapshot};

use super::{
    how::How,
    resolve::Resolved,
    seen::{Seen, twice},
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    intake::{self, Row},
    journal::Actor,
    keyspace, new_ids,
    numbers::CollectionNumber,
    records::{
        change::{changed_values, is_user},
        find::expect_schema,
        stored::new_record,
        unseen::Guess,
        visible::{is_visible, may_view},
    },
    schema::{self, Schema},
    stage::{Stage, Stored, unique_holder},
    work,
};

/// What a row comes to, unless it is a fault.
pub(super) enum Outcome {
    Unchanged,
    Planned(Planned),
}

/// A record that a row makes or changes, before it is judged beside the others.
pub(super) struct Planned {
    pub change: Change,
    pub record: Record,
}

/// What is there of it.
pub(super) enum Change {
    Make(RecordId, Option<Entry>),
    Update(Box<Stored>),
}

/// A row that waits for others: a record has its value which another row may change, or it refers to what others make.
pub(super) struct Waiting {
    pub at: usize,
    pub row: u64,
    pub planned: Planned,
}

/// Rows on their way to records.
pub(super) struct Staging<'a> {
    pub core: &'a Core,
    pub by: Actor<'a>,
    pub snapshot: &'a Snapshot,
    pub schema: &'a Arc<Schema>,
    pub how: &'a How,
    /// Nothing is written.
    pub is_tried: bool,
    may_update: Decision,
    /// Where else a record of an id could be.
    others: Vec<CollectionNumber>,
    pub stage: Stage<'a>,
    /// Whether the caller may try values that others could have: see `taken_unseen`.
    pub guess: Option<Guess<'a>>,
    /// What rows that wait for others take.
    pub held: Charge,
    resolved: Resolved,
    left: u64,
}

/// That, or what is wrong with the row.
type RowResult = std::result::Result<Outcome, FieldErrors>;

impl<'a> Staging<'a> {
    /// Before the first of these rows.
    pub(super) async fn begin(
        core: &'a Core,
        by: Actor<'a>,
        snapshot: &'a Snapshot,
        schema: &'a Arc<Schema>,
        how: &'a How,
        is_tried: bool,
        rows: &[Row],
    ) -> Result<Self> {
        let may_update = match how.on_conflict {
            OnConflict::Update => schema.authorize(Action::Update, by.caller)?,
            _ => Decision::Denied,
        };
        // Numbers are those of one collection.
        let has_ids = by.caller.is_admin()
            && schema.collection.ids == Ids::Uuid
            && rows.iter().any(|row| row.record.get("id").is_some());
        let others = if has_ids {
            let own = schema.number();
            schema::all(snapshot).filter_map(|other| Some(other.keys.number).filter(|number| *number != own)).await?
        } else {
            Vec::new()
        };
        let mut stage = Stage::new(core, by.caller, expect_schema(schema));
        // Versions of many records are not made room for one by one.
        stage.has_made_room();
        let guess = Guess::admit(core, by, schema, None, &rows.iter().map(|row| &row.record).collect::<Vec<_>>())?;
        let (guess, resolved) = (Some(guess), Resolved::default());
        Ok(Self {
            core,
            by,
            snapshot,
            schema,
            how,
            is_tried,
            may_update,
            others,
            stage,
            guess,
            held: work::charge(),
            resolved,
            left: REQUEST_MATCH_WORK,
        })
    }

    /// What a row comes to.
    pub(super) async fn row(&mut self, row: &Row, seen: &mut Seen) -> Result<RowResult> {
        let Self { core, by, snapshot, schema, .. } = *self;
        let caller = by.caller;
        let mut errors = FieldErrors::new();
        for (field, message) in &row.faults {
            errors.push(field.as_str(), invalid(message.as_str()));
        }
        let mut body = row.record.clone();
        self.resolved.resolve((core, snapshot, caller), (schema, &seen.tree), &mut body, &mut errors).await?;
        body.take("revision");
        let mut times = [None, None];
        for (name, time) in ["created_at", "updated_at"].into_iter().zip(&mut times) {
            let Some(sent) = body.take(name).filter(|sent| caller.is_admin() && !sent.is_null() && **sent != "") else {
                continue;
            };
            match sent.as_str().and_then(canonical_datetime) {
                Some(moment) => *time = Some(moment),
                None => errors.push(name, invalid("This is not a moment, such as 2026-11-28T17:00:00Z.")),
            }
        }
        let is_keyed_by_id = self.how.key.as_deref() == Some("id");
        let sent_id = body.take("id").filter(|sent| !sent.is_null() && **sent != "");
        let mut id = None;
        if let Some(sent) = sent_id.filter(|_| self.takes_ids()) {
            match schema.collection.ids.asked(Some(&*sent)) {
                Ok(sent) => id = sent,
                Err(wrong) => errors.push("id", wrong),
            }
        }
        if !errors.is_empty() {
            return Ok(Err(errors));
        }
        let found = match self.find(&body, id).await? {
            Ok(found) => found,
            Err(errors) => return Ok(Err(errors)),
        };
        if let Some((name, value)) = self.key_value(&body, id)
            && let Some(other) = seen.meet(("key", &value), row.number)
        {
            return Ok(Err(FieldErrors::of(name, twice(other))));
        }
        match (found, self.how.on_conflict) {
            (Some(_), OnConflict::Skip) => Ok(Ok(Outcome::Unchanged)),
            (Some(_), OnConflict::Fail) => {
                let name = if is_keyed_by_id || self.how.key.is_none() {
                    "id"
                } else {
                    self.how.key.as_deref().unwrap_or("id")
                };
                let message = "A record with this is there already. Say by key and on_conflict what becomes of it.";
                Ok(Err(FieldErrors::of(name, FieldError::new("unique", message))))
            }
            (Some(stored), OnConflict::Update) => self.update(stored, body, times).await,
            (None, _) => self.create(id, body, times, seen, row.number).await,
        }
    }

    /// Whether rows may say the id of their record.
    pub(super) fn takes_ids(&self) -> bool {
        takes_ids(self.how, self.by.caller)
    }

    /// What a row is told where a record that the caller may not see has its value. Each of these is a guess.
    pub(super) async fn taken_unseen(&mut self, record: &Record) -> Result<FieldErrors> {
        let Self { core, by, schema, .. } = *self;
        let guess = match self.guess.take() {
            Some(guess) => guess,
            None => Guess::admit(core, by, schema, None, &[record])?,
        };
        match guess.tell(Err::<(), _>(Error::TakenUnseen)).await {
            Ok(()) => Ok(FieldErrors::new()),
            Err(error @ Error::TakenUnseen) => {
                Ok(FieldErrors::of(NON_FIELD, FieldError::new("unique", error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// The id of a new record, and when it was made. One that was sent is an admin's.
    pub(super) async fn identity(&self, sent: Option<RecordId>) -> Result<(RecordId, String)> {
        let core = self.core;
        match sent.filter(|_| self.by.caller.is_admin()) {
            Some(id) => Ok((id, core.timestamp())),
            // Numbers of rows that are only looked at would be lost.
            None if self.is_tried => {
                let (id, at) = core.new_id();
                Ok((RecordId::from_uuid(id), at))
            }
            None => new_ids::next(core, self.schema).await,
        }
    }

    fn key_field(&self) -> Option<&Field> {
        self.schema.collection.field(self.how.key.as_deref()?)
    }

    /// The key of a row: the name of the member, and its value.
    fn key_value(&self, body: &Record, id: Option<RecordId>) -> Option<(String, String)> {
        if let Some(field) = self.key_field() {
            let value = check_exact(field, &body.member(field.name.as_str())?.into(), Ends::Trimmed).ok()?;
            return Some((field.name.to_string(), value.to_text()));
        }
        id.map(|id| ("id".to_owned(), id.to_string()))
    }

    /// The record that a row is about, where one is there that the caller may view.
    pub(super) async fn find(
        &self,
        body: &Record,
        id: Option<RecordId>,
    ) -> Result<std::result::Result<Option<Stored>, FieldErrors>> {
        let id = match self.key_field() {
            None if self.how.key.is_some() && id.is_none() && self.how.on_conflict == OnConflict::Update => None,
            None => id,
            Some(field) => {
                let name = field.name.as_str();
                let Some(member) = body.member(name).filter(|member| !member.value.is_null()) else {
                    return Ok(Err(FieldErrors::of(name, required())));
                };
                match check_exact(field, &member.into(), Ends::Trimmed) {
                    Err(wrong) => {
                        let mut errors = FieldErrors::new();
                        errors.add(name.to_owned(), wrong);
                        return Ok(Err(errors));
                    }
                    Ok(value) => {
                        let rule = self
                            .schema
                            .fields()
                            .find(|(known, _)| known.name == field.name)
                            .and_then(|(_, it)| it.unique);
                        let Some(rule) = rule else { return Ok(Ok(None)) };
                        let key = keyspace::unique(self.schema.number(), rule, field, &value);
                        self.snapshot.get(&key).await?.as_ref().and_then(unique_holder)
                    }
                }
            }
        };
        let Some(id) = id else { return Ok(Ok(None)) };
        let Some(entry) = self.snapshot.get(&keyspace::record(self.schema.number(), id)).await? else {
            return Ok(Ok(None));
        };
        if !is_visible(self.snapshot, self.by.caller, self.schema, id).await? {
            // A value that is taken is told as any other that is.
            return Ok(Ok(None));
        }
        let record = self.schema.parse(id, &entry)?;
        Ok(Ok(Some(Stored { id, entry, record })))
    }

    async fn create(
        &mut self,
        id: Option<RecordId>,
        body: Record,
        [created, updated]: [Option<String>; 2],
        seen: &mut Seen,
        row: u64,
    ) -> Result<RowResult> {
        let Self { by, snapshot, schema, .. } = *self;
        let manner = Manner::json(by.caller);
        let left = &mut self.left;
        let (Cleaned { values, owner }, faults) =
            within_work(left, || clean_all(&schema.collection, body, Write::Create, manner));
        if !faults.is_empty() {
            return Ok(Err(faults));
        }
        if let Some(owner) = owner.filter(|owner| Some(*owner) != by.caller.user_id())
            && !is_user(snapshot, owner).await?
        {
            return Ok(Err(FieldErrors::of("owner", does_not_exist(&owner.to_string()))));
        }
        let mut tombstone = None;
        if let Some(id) = id.filter(|_| by.caller.is_admin()) {
            let keys: Vec<_> = self.others.iter().map(|number| keyspace::record(*number, id)).collect();
            if snapshot.get_many(&keys).await?.iter().any(Option::is_some) {
                let message = "A record of another collection has this id. Leave the column out, and the records get ids of their own.";
                return Ok(Err(FieldErrors::of("id", FieldError::new("unique", message))));
            }
            tombstone = snapshot.get(&keyspace::tombstone(schema.number(), id)).await?;
        }
        let (id, at) = match seen.tree.own(row) {
            Some(own) => own,
            None => self.identity(id).await?,
        };
        if let Some(other) = seen.meet(("id", id), row) {
            return Ok(Err(FieldErrors::of("id", twice(other))));
        }
        let mut record = new_record(id, owner.or(by.caller.user_id()), &at, values);
        for (name, time) in [("created_at", created), ("updated_at", updated)] {
            if let Some(time) = time {
                record.set(name, time);
            }
        }
        Ok(Ok(Outcome::Planned(Planned { change: Change::Make(id, tombstone), record })))
    }

    async fn update(&mut self, stored: Stored, body: Record, [_, updated]: [Option<String>; 2]) -> Result<RowResult> {
        let Self { core, by, snapshot, schema, .. } = *self;
        let old = &stored.record;
        if !self.may_update.covers(old.owner()) || !may_view(schema, by.caller, old.owner()) {
            let message = "You may not change the record that this row is about.";
            return Ok(Err(FieldErrors::of(NON_FIELD, FieldError::new("permission_denied", message))));
        }
        let left = &mut self.left;
        let (Cleaned { values, owner }, faults) =
            within_work(left, || clean_all(&schema.collection, body, Write::Patch(old), Manner::json(by.caller)));
        if !faults.is_empty() {
            return Ok(Err(faults));
        }
        let owner = owner.filter(|owner| Some(*owner) != old.owner());
        if let Some(owner) = owner
            && !is_user(snapshot, owner).await?
        {
            return Ok(Err(FieldErrors::of("owner", does_not_exist(&owner.to_string()))));
        }
        let Some(mut record) = changed_values(core, old, values, owner) else { return Ok(Ok(Outcome::Unchanged)) };
        if let Some(updated) = updated {
            record.set("updated_at", updated);
        }
        Ok(Ok(Outcome::Planned(Planned { change: Change::Update(Box::new(stored)), record })))
    }
}

/// Whether rows may say the id of their record.
pub(super) fn takes_ids(how: &How, caller: &Caller) -> bool {
    how.key.as_deref() == Some("id") || caller.is_admin()
}

/// What the file of rows that are left out may take, beside so many times the bytes of the rows that were read.
const REJECTED_BYTES: u64 = 16 * 1024 * 1024;
const REJECTED_TIMES: u64 = 8;

/// Why rows are not left out.
pub(super) const TOO_WIDE: &str = "What is left out would take many times the bytes of the file, for its rows have few of its columns. Send rows of other columns by themselves.";

/// Whether so many more rows that are left out would make their file too large, in which each has a cell for every column: beside what is `kept` of
/// others, where so many bytes of rows were `read`.
pub(super) fn too_wide(how: &How, rows: usize, kept: u64, read: u64) -> bool {
    let cells = (rows * how.targets.len()) as u64;
    kept + cells > REJECTED_BYTES + REJECTED_TIMES * read
}

/// Writes rows that were left out behind what is kept of others. Gives how many bytes there are then.
pub(super) fn reject_from(
    core: &Core,
    id: OperationId,
    schema: &Schema,
    how: &How,
    rows: &[Row],
    faults: Vec<(usize, FieldErrors)>,
    kept: u64,
) -> Result<u64> {
    let rejected: Vec<(Row, Vec<(String, String)>)> = faults
        .into_iter()
        .filter_map(|(at, errors)| {
            let faults = errors.0.into_iter().flat_map(|(field, errors)| {
                errors.into_iter().map(move |error| (field.clone(), error.message)).collect::<Vec<_>>()
            });
            Some((rows.get(at)?.clone(), faults.collect()))
        })
        .collect();
    // Each row has a cell for every column.
    let most = rejected.iter().map(|(row, _)| 4 * row.length + 3 * how.targets.len() as u64).sum();
    let write = || -> std::io::Result<u64> {
        core.spool.room_for(most)?;
        let path = core.spool.rejected(id)?;
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        // What a piece wrote that never came to be is written anew.
        file.set_len(kept)?;
        file.seek(SeekFrom::Start(kept))?;
        let mut out = BufWriter::new(&file);
        intake::reject(&mut out, &schema.collection, how.targets.as_slice(), how.written, &rejected, kept > 0)?;
        drop(out);
        file.sync_all()?;
        Ok(file.metadata()?.len())
    };
    write().map_err(|error| intake::Unreadable::from(error).into())
}
