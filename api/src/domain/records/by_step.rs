//! Records that a step of a migration changes or deletes: all that a condition finds, a piece at a time in the background. What cannot be
//! finished is taken back.

use std::{collections::BTreeSet, sync::Arc};

use common::{
    access::{Caller, Decision},
    clean::{Cleaned, Manner, Write, clean_all},
    collection::DryRun,
    conversion::{Conversion, carry_over},
    field::Field,
    id::RecordId,
    json::Exact,
    name::FieldName,
    operation::{InvalidRecords, OperationState},
    problem::{FieldError, FieldErrors},
    query::{ListQuery, Query as _},
    reader::invalid,
    record::{Member, Record},
};
use serde_json::Value;
use store::{Batch, Entry, Key, Reserve, Scan, Snapshot};

use super::{
    change::changed_values,
    checks::{BodyErrors, check_values},
    deletion::plan,
    filter::{self, Conditions},
    find::expect_schema,
    referred::Referred,
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    journal, keyspace,
    migrations::{RecordChange, Split, Step},
    operations::{self, Budget, ChangeRecords, Piece, Revert, StepPhase, Steps},
    schema::{self, Schema},
    stage::{Stage, Stored},
};

/// Records that a dry run reads at once, and bytes: it stops with the record that passes them.
const CHUNK: usize = 64;
const MAX_BYTES: usize = 128 * 1024;

impl ChangeRecords {
    /// As a step says. A step that cannot be done at all is an error.
    pub(crate) async fn new(core: &Core, snapshot: &Snapshot, caller: &Caller, step: &Step) -> Result<Self> {
        let schema = schema_of(core, snapshot, caller, step).await?;
        Chosen::new(core, snapshot, caller, &schema, step).await?;
        Ok(Self {
            collection: schema.number(),
            by: caller.user_id(),
            step: step.to_json(),
            after: None,
            phase: StepPhase::Writing,
            back: None,
        })
    }

    /// How many records there are left to look at, about.
    pub(crate) async fn count(&self, core: &Core) -> Result<Option<u64>> {
        if self.after.is_some() {
            return Ok(None);
        }
        let snapshot = core.store.snapshot().await?;
        schema::count(&core.owners, &snapshot, self.collection, Decision::All).await
    }

    /// Has what was written go back, as it was stopped.
    pub(crate) fn stop(&mut self, why: &str) {
        if self.phase == StepPhase::Writing {
            self.phase = StepPhase::TakingBack(why.to_owned());
        }
    }

    /// What was written goes back.
    pub(crate) fn is_taken_back(&self) -> bool {
        matches!(self.phase, StepPhase::TakingBack(_))
    }

    async fn write(&mut self, core: &Core, caller: &Caller, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let schema = schema::by_number(&core.schemas, &snapshot, self.collection).await?.ok_or(Error::NotFound)?;
        let step = Step::read(self.step.clone())?;
        let chosen = Chosen::new(core, &snapshot, caller, &schema, &step).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        let (mut piece, mut misfits, mut roots) = (Piece::default(), InvalidRecords::default(), BTreeSet::new());
        let deadline = core.turns();
        while !budget.is_spent() && misfits.count == 0 {
            let page = with_ids(budget.scan(&snapshot, records_after(&schema, self.after)).await?.entries);
            let Some((last, _)) = page.last() else {
                piece.is_last = true;
                break;
            };
            self.after = Some(*last);
            piece.done += page.len() as u64;
            for (_, entry) in &page {
                budget.spend(entry.value.len());
            }
            for (id, entry, record) in chosen.of(&snapshot, &schema, page, &deadline).await? {
                let Some(change) = chosen.change else {
                    roots.insert((schema.collection.name.clone(), id));
                    continue;
                };
                let stored = Stored { id, entry, record };
                if let Err(errors) = stage_one(core, &snapshot, caller, &schema, change, &stored, &mut stage).await? {
                    operations::push(&mut misfits, id, errors);
                }
            }
        }
        if misfits.count > 0 {
            self.phase = StepPhase::TakingBack(misfit_in_words(&misfits));
            return Ok(Piece::default());
        }
        if !roots.is_empty() {
            let going = plan(core, &snapshot, caller, roots.iter().cloned().collect(), roots.clone()).await;
            let going = match going {
                Ok(Some(going)) => going,
                Ok(None) => {
                    let why = "More goes along with these records than one commit takes.";
                    self.phase = StepPhase::TakingBack(why.to_owned());
                    return Ok(Piece::default());
                }
                Err(error @ (Error::Busy | Error::DiskFull | Error::Stopped | Error::Internal { .. })) => {
                    return Err(error);
                }
                Err(error) => {
                    self.phase = StepPhase::TakingBack(error.to_string());
                    return Ok(Piece::default());
                }
            };
            going.stage_many(core, &snapshot, &mut stage, &roots).await?;
        }
        let batch = stage.finish();
        if !batch.is_empty() {
            piece.batch = batch;
            piece.batch.use_reserve(Reserve::Much);
        }
        Ok(piece)
    }
}

impl Steps for ChangeRecords {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let caller = operations::as_admin(self.by);
        let StepPhase::TakingBack(why) = &self.phase else { return self.write(core, &caller, budget).await };
        let id = journal::operation().ok_or_else(|| Error::internal("a step is no operation"))?;
        let ended = Some((OperationState::Failed, Some(why.clone())));
        let back = self.back.get_or_insert_with(|| Revert::taking_back(id, &caller));
        match back.step(core, budget).await {
            Ok(piece) => {
                let left = back.remark().map_or_else(String::new, |left| format!(" {left}"));
                let ended = ended.map(|(state, why)| (state, why.map(|why| why + &left)));
                Ok(Piece { done: 0, ended: ended.filter(|_| piece.is_last), ..piece })
            }
            // Nothing was written yet.
            Err(Error::NotFound) => Ok(Piece { is_last: true, ended, ..Piece::default() }),
            Err(error) => Err(error),
        }
    }
}

/// What a step would do to records.
pub(crate) async fn would_change(core: &Core, caller: &Caller, step: &Step) -> Result<DryRun> {
    let snapshot = core.store.snapshot().await?;
    let schema = schema_of(core, &snapshot, caller, step).await?;
    let chosen = Chosen::new(core, &snapshot, caller, &schema, step).await?;
    let records = schema::count(&core.owners, &snapshot, schema.number(), Decision::All).await?.unwrap_or(0);
    let mut told = DryRun::of(records);
    let (deadline, began, mut after) = (core.deadline(), core.clock.elapsed(), None);
    loop {
        let scan = records_after(&schema, after).limit(CHUNK).limit_bytes(MAX_BYTES);
        let page = with_ids(snapshot.scan(scan).await?);
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        told.checked += page.len() as u64;
        for (id, entry, record) in chosen.of(&snapshot, &schema, page, &deadline).await? {
            let Some(change) = chosen.change else {
                told.changed += 1;
                continue;
            };
            let mut stage = Stage::new(core, caller, Batch::new());
            let stored = Stored { id, entry, record };
            match stage_one(core, &snapshot, caller, &schema, change, &stored, &mut stage).await? {
                Ok(is_changed) => told.changed += u64::from(is_changed),
                Err(errors) => operations::push(&mut told.misfits, id, errors),
            }
        }
        match deadline.pause().await {
            Err(Error::TooSlow) => break,
            outcome => outcome?,
        }
    }
    let took = core.clock.elapsed().saturating_sub(began).as_millis();
    let all = u128::from(records) * took / u128::from(told.checked.max(1));
    // Writing takes longer than looking.
    told.seconds = u64::try_from(4 * all / 1000 + 1).unwrap_or(u64::MAX);
    if chosen.change.is_none() && told.changed > 0 {
        told.gone.push(common::text::count(told.changed, "record"));
    }
    Ok(told)
}

fn misfit_in_words(misfits: &InvalidRecords) -> String {
    match misfits.examples.first() {
        Some(first) => format!("The record {} does not fit: {}: {}", first.id, first.field, first.message),
        None => "A record does not fit.".to_owned(),
    }
}

async fn schema_of(core: &Core, snapshot: &Snapshot, caller: &Caller, step: &Step) -> Result<Arc<Schema>> {
    let name = step.collection().ok_or_else(|| Error::internal("this step changes no records"))?;
    core.schemas.find(snapshot, name, caller).await
}

/// The records of a collection behind one of them, or all.
fn records_after(schema: &Schema, after: Option<RecordId>) -> Scan {
    let scan = Scan::prefix(&keyspace::records(schema.number()));
    match after {
        Some(after) => scan.after(&keyspace::record(schema.number(), after)),
        None => scan,
    }
}

fn with_ids(found: Vec<(Key, Entry)>) -> Vec<(RecordId, Entry)> {
    found.into_iter().filter_map(|(key, entry)| Some((keyspace::last_id(&key)?, entry))).collect()
}

/// Which records a step is about, and what becomes of them.
struct Chosen<'a> {
    conditions: Option<Conditions>,
    /// Nothing where they are deleted.
    change: Option<&'a RecordChange>,
}

impl<'a> Chosen<'a> {
    async fn new(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        step: &'a Step,
    ) -> Result<Self> {
        let (filter, change) = match step {
            Step::Update(_, change) => (&change.filter, Some(&**change)),
            Step::DeleteRecords(_, filter) => (filter, None),
            _ => return Err(Error::internal("this step changes no records")),
        };
        let conditions = match filter {
            Some(filter) => Some(conditions(core, snapshot, caller, schema, filter).await.map_err(of_where)?),
            None => None,
        };
        if let Some(change) = change {
            check(change, schema)?;
        }
        Ok(Self { conditions, change })
    }

    async fn of(
        &self,
        snapshot: &Snapshot,
        schema: &Schema,
        page: Vec<(RecordId, Entry)>,
        deadline: &Deadline,
    ) -> Result<Vec<(RecordId, Entry, Record)>> {
        let mut rows = Vec::with_capacity(page.len());
        for (id, entry) in page {
            let record = schema.parse(id, &entry)?;
            if self.conditions.as_ref().is_none_or(|it| it.hold(&schema.collection, &record)) {
                rows.push((id, entry, record));
            }
        }
        let Some(conditions) = &self.conditions else { return Ok(rows) };
        conditions.begin_anew();
        let mut referred = Referred::new(conditions.paths().into_iter());
        let records = rows.iter().map(|(_, _, record)| record);
        referred.load(snapshot, deadline, conditions.paths().into_iter(), records).await?;
        rows.retain(|(_, _, record)| conditions.hold_for_referred(record, &referred));
        conditions.rest(deadline).await?;
        Ok(rows)
    }
}

async fn conditions(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    filter: &str,
) -> Result<Conditions> {
    let query = ListQuery::from_pairs(vec![("filter".to_owned(), filter.to_owned())])?;
    filter::check(core, snapshot, caller, schema, &query, query.check(&schema.collection)).await?;
    Conditions::find(core, snapshot, caller, schema, &query).await
}

/// The step calls its condition by another name.
fn of_where(error: Error) -> Error {
    match error {
        Error::Invalid(errors) => {
            Error::Invalid(errors.renamed(|name| if name == "filter" { "where".to_owned() } else { name.to_owned() }))
        }
        error => error,
    }
}

/// Every field that a change names has to be there.
fn check(change: &RecordChange, schema: &Schema) -> Result<()> {
    let mut errors = FieldErrors::new();
    let mut ask = |member: String, name: &str| {
        if schema.collection.field(name).is_none() {
            errors.push(member, FieldError::new("does_not_exist", format!("There is no field \"{name}\".")));
        }
    };
    for (to, from) in &change.copy {
        ask(format!("copy.{to}"), to.as_str());
        ask(format!("copy.{to}"), from.as_str());
    }
    for name in change.convert.keys() {
        ask(format!("convert.{name}"), name.as_str());
    }
    for (i, Split { field, into, .. }) in change.split.iter().enumerate() {
        ask(format!("split.{i}.field"), field.as_str());
        for name in into {
            ask(format!("split.{i}.into"), name.as_str());
        }
    }
    for name in change.set.keys() {
        ask(format!("set.{name}"), name);
    }
    for name in &change.clear {
        ask("clear".to_owned(), name.as_str());
    }
    Ok(errors.or(())?)
}

type StageResult = std::result::Result<bool, FieldErrors>;

/// Stages what becomes of a record. Says whether anything does.
async fn stage_one(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    change: &RecordChange,
    stored: &Stored,
    stage: &mut Stage<'_>,
) -> Result<StageResult> {
    let old = &stored.record;
    let body = match changed(change, schema, old) {
        Ok(body) => body,
        Err(errors) => return Ok(Err(errors)),
    };
    let (Cleaned { values, .. }, faults) =
        clean_all(&schema.collection, body, Write::Patch(old), Manner::stored(caller));
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let Some(record) = changed_values(core, old, values, None) else { return Ok(Ok(false)) };
    let mut errors = BodyErrors::new(None);
    errors.merge(0, check_values(core, snapshot, caller, schema, Some(old), &record).await?);
    match errors.result() {
        Err(Error::Invalid(errors) | Error::Taken(errors)) => return Ok(Err(errors)),
        outcome => outcome?,
    }
    if let Some(field) = stage.replace(schema, stored, &record).await?.1.first() {
        return Ok(Err(FieldErrors::of(field, FieldError::new("unique", "This field must be unique."))));
    }
    Ok(Ok(true))
}

/// The members that a change gives a record.
fn changed(change: &RecordChange, schema: &Schema, old: &Record) -> std::result::Result<Record, FieldErrors> {
    let (mut body, mut errors) = (Record::default(), FieldErrors::new());
    let find = |name: &FieldName| schema.collection.field(name.as_str());
    let value = |body: &Record, field: &Field| -> Exact {
        let name = field.name.as_str();
        body.member(name).or_else(|| old.member(name)).map_or_else(Exact::default, Exact::from)
    };
    for (to, from) in &change.copy {
        let (Some(to), Some(from)) = (find(to), find(from)) else { continue };
        let copied = value(&Record::default(), from);
        match fitting(from, to, &Conversion::default(), &copied) {
            Ok(copied) => body.set(to.name.as_str(), copied),
            Err(wrong) => errors.add(to.name.to_string(), wrong),
        }
    }
    for (name, convert) in &change.convert {
        let Some(field) = find(name) else { continue };
        let converted = Conversion::read(convert.clone())
            .map_err(|error| vec![error])
            .and_then(|convert| fitting(field, field, &convert, &value(&body, field)));
        match converted {
            Ok(converted) => body.set(field.name.as_str(), converted),
            Err(wrong) => errors.add(field.name.to_string(), wrong),
        }
    }
    for Split { field, at, into } in &change.split {
        let Some(field) = find(field) else { continue };
        let whole = value(&body, field);
        let Some(text) = whole.as_str() else { continue };
        let mut rest = text.trim();
        for (i, name) in into.iter().enumerate() {
            let Some(target) = find(name) else { continue };
            let cut = match at.as_deref() {
                _ if i + 1 == into.len() => None,
                Some(at) => rest.split_once(at),
                None => rest.split_once(char::is_whitespace),
            };
            let (part, left) = cut.unwrap_or((rest, ""));
            let part = Exact::from(Value::from(part.trim()));
            rest = left.trim_start();
            let part = match fitting(field, target, &Conversion::default(), &part) {
                _ if part.as_str() == Some("") && target.nullable && !target.has_empty_value() => Ok(Exact::default()),
                fitting => fitting,
            };
            match part {
                Ok(part) => body.set(target.name.as_str(), part),
                Err(wrong) => errors.add(target.name.to_string(), wrong),
            }
        }
    }
    for (name, value) in &change.set {
        if let Some(field) = schema.collection.field(name) {
            body.set(field.name.as_str(), value.clone());
        }
    }
    for field in change.clear.iter().filter_map(find) {
        if field.nullable {
            body.set(field.name.as_str(), Value::Null);
        } else {
            errors.push(field.name.as_str(), invalid("This field may not be null."));
        }
    }
    errors.or(body)
}

fn fitting(
    from: &Field,
    to: &Field,
    convert: &Conversion,
    value: &Exact,
) -> std::result::Result<Exact, Vec<FieldError>> {
    if value.is_null() && to.nullable && convert.0.is_empty() {
        return Ok(Exact::default());
    }
    carry_over(&from.kind, to, convert, Member { value, text: value.text() })
}
