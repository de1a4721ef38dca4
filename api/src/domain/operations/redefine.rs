//! A change of a definition that records have to be looked at for, or written anew after. First it is checked beforehand, in pieces: every
//! record as the coming definition has it, with its entries in new indexes. Meanwhile the definition in force decides alone, and each write
//! is tried against the coming one too (`stage`). When all fit, the coming one takes effect in one commit. Then records are written anew
//! as it has them, which only makes reading cheap again: nobody is told, and nothing is counted.

use std::{collections::BTreeSet, time::Duration};

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::{FieldId, OperationId, RecordId},
    operation::{InvalidRecords, Operation, OperationState},
    problem::FieldErrors,
    validate::does_not_exist,
};
use serde_json::json;
use store::{Batch, CommitError, Entry, Expect, Key, Scan, Snapshot};

use super::{
    Runner, begin,
    coming::{push, stage_without_coming},
    kinds::Redefine,
    piece::{Budget, PATIENCE, Piece, Steps},
    refill::Refill,
    staying::with_staying,
    stored::{Stored, Work, load},
};
use crate::domain::{
    collections::{expect_references, stage_names},
    core::Core,
    error::Result,
    journal, keyspace,
    numbers::CollectionNumber,
    schema::{self, Coming, Schema, StoredDefinition},
    search::postings::Gathered,
    stage::{Entries, Words, taken, unique_holder, unique_value},
};

impl Redefine {
    /// Of a collection; `in_force` where nothing has to be checked.
    pub(crate) fn new(operation: OperationId, collection: CollectionNumber, in_force: bool, caller: &Caller) -> Self {
        Self {
            operation,
            collection,
            in_force,
            after: None,
            misfits: InvalidRecords::default(),
            by: caller.user_id(),
            refilled: Vec::new(),
            reverts: None,
            skips: false,
            overwrites: false,
            unfit: BTreeSet::new(),
            stayed: 0,
        }
    }

    /// With fields whose values come back.
    pub(crate) fn refilling(self, refilled: Vec<(FieldId, u32)>) -> Self {
        Self { refilled, ..self }
    }

    /// As the undoing of an operation; where it `skips`, fields stay as they are whose values do not go back.
    /// Where it `overwrites`, it goes on without values that nobody knows any more.
    pub(crate) fn undoing(self, reverts: OperationId, skips: bool, overwrites: bool) -> Self {
        Self { reverts: Some(reverts), skips, overwrites, ..self }
    }

    /// What is to be said when it is done; nothing where all took effect.
    pub(crate) fn remark(&self) -> Option<String> {
        let fields = common::text::count(self.stayed, "field");
        (self.stayed > 0).then(|| format!("{fields} had been written to, and stayed as they are."))
    }

    /// Notes a record that does not fit.
    pub(crate) fn note_misfit(&mut self, id: RecordId, errors: FieldErrors) {
        if self.skips {
            self.unfit.extend(errors.0.keys().cloned());
        }
        push(&mut self.misfits, id, errors);
    }

    /// Only admins change definitions.
    fn caller(&self) -> Caller {
        match self.by {
            Some(id) => Caller::User { id, is_admin: true, roles: Vec::new() },
            None => Caller::Anonymous,
        }
    }

    /// How many records there are left to look at, about.
    pub(crate) async fn count(&self, core: &Core) -> Result<Option<u64>> {
        let snapshot = core.store.snapshot().await?;
        let all = schema::count(&core.owners, &snapshot, self.collection, common::access::Decision::All).await?;
        if self.after.is_some() { Ok(None) } else { Ok(all) }
    }

    /// Takes a change back that is not in force, in the batch that ends its operation.
    pub(crate) async fn stage_end(&self, core: &Core, batch: &mut Batch) -> Result<()> {
        let snapshot = core.store.snapshot().await?;
        if !self.in_force
            && let Some(schema) = schema::by_number(&core.schemas, &snapshot, self.collection).await?
        {
            stage_without_coming(batch, &schema)?;
        }
        Ok(())
    }

    /// The next records to look at, with their keys.
    async fn next(&self, snapshot: &Snapshot, budget: &Budget<'_>) -> Result<Vec<(Key, Entry)>> {
        let prefix = keyspace::records(self.collection);
        let mut scan = Scan::prefix(&prefix);
        if let Some(after) = self.after {
            scan = scan.after(&keyspace::record(self.collection, after));
        }
        Ok(budget.scan(snapshot, scan).await?.entries)
    }

    async fn check(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        schema: &Schema,
        coming: &Coming,
        budget: &mut Budget<'_>,
    ) -> Result<Piece> {
        let mut piece = Piece::default();
        let (mut claimed, mut words) = (BTreeSet::new(), Gathered::default());
        let refilled = std::mem::take(&mut self.refilled);
        let mut refill = Refill::new(snapshot, &coming.schema, &refilled);
        'pieces: loop {
            let found = self.next(snapshot, budget).await?;
            if found.is_empty() {
                piece.is_last = true;
                break;
            }
            for (key, mut entry) in found {
                let Some(id) = keyspace::last_id(&key) else { continue };
                self.after = Some(id);
                piece.done += 1;
                let refilled = refill.record(id, &entry).await?;
                if let Some(value) = refilled.value {
                    entry.value = value.into();
                    piece.batch.keep(key.clone(), entry.version, entry.value.clone());
                }
                let fits = match refilled.forgotten {
                    forgotten if !self.overwrites && !forgotten.is_empty() => Err(forgotten),
                    _ => coming.fitting(id, &entry.value)?,
                };
                match fits {
                    Err(errors) => self.note_misfit(id, errors),
                    Ok(record) if !coming.new_indexes.is_empty() => {
                        let owner = match record.owner() {
                            Some(user) => core.owners.number(snapshot, user).await?,
                            None => None,
                        };
                        let entries =
                            Entries::of(&coming.schema, id, &record, owner).within(&coming.schema, &coming.new_indexes);
                        let errors =
                            stage_entries(snapshot, coming, id, entries, &mut claimed, &mut words, &mut piece.batch)
                                .await?;
                        if errors.is_empty() {
                            piece.batch.expect(key, Expect::Version(entry.version));
                        } else {
                            self.note_misfit(id, errors);
                        }
                    }
                    Ok(_) => {}
                }
                budget.spend(entry.value.len());
                if budget.is_spent() {
                    break 'pieces;
                }
            }
        }
        self.refilled = refilled;
        // Somebody who made a record meanwhile may have put it in a block.
        for (key, value) in words.entries(true) {
            piece.batch.put(key, value);
        }
        if !piece.is_last {
            return Ok(piece);
        }
        if self.misfits.count > 0 && self.leave_unfit(schema, coming, &mut piece.batch)? {
            piece.is_last = false;
            return Ok(piece);
        }
        if self.misfits.count > 0 {
            stage_without_coming(&mut piece.batch, schema)?;
            let told = self.misfits.to_string();
            piece.ended = Some((OperationState::Failed, Some(told)));
            return Ok(piece);
        }
        if let Some(refused) = self.take_effect(core, snapshot, schema, coming, &mut piece.batch).await? {
            stage_without_coming(&mut piece.batch, schema)?;
            piece.ended = Some((OperationState::Failed, Some(refused)));
            return Ok(piece);
        }
        self.in_force = true;
        self.after = None;
        piece.is_last = !coming.schema.keys.is_rewritten(&schema.keys);
        Ok(piece)
    }

    /// Stages another coming definition, which leaves fields as they are whose values do not fit, and begins anew with it. Says whether there
    /// is one.
    fn leave_unfit(&mut self, schema: &Schema, coming: &Coming, batch: &mut Batch) -> Result<bool> {
        let unfit = std::mem::take(&mut self.unfit);
        let without = if unfit.is_empty() { None } else { with_staying(schema, coming, &unfit) };
        let Some(definition) = without else { return Ok(false) };
        let key = keyspace::collection(&schema.collection.name);
        let stay = |id: FieldId| {
            coming
                .schema
                .collection
                .fields
                .iter()
                .any(|field| field.id == Some(id) && unfit.contains(field.name.as_str()))
        };
        self.refilled.retain(|(id, _)| !stay(*id));
        batch.expect(key.clone(), Expect::Version(schema.version)).put(key, serde_json::to_vec(&definition)?);
        self.stayed += unfit.len() as u64;
        (self.after, self.misfits) = (None, InvalidRecords::default());
        Ok(true)
    }

    /// Stages the coming definition in place of the one in force. Gives why it cannot be, if something stands in the way.
    async fn take_effect(
        &self,
        core: &Core,
        snapshot: &Snapshot,
        schema: &Schema,
        coming: &Coming,
        batch: &mut Batch,
    ) -> Result<Option<String>> {
        let mut definition = StoredDefinition::new(coming.schema.collection.clone(), coming.schema.keys.clone());
        definition.collection.updated_at = core.timestamp();
        let mut names = Batch::new();
        match stage_names(core, snapshot, &mut names, schema, &mut definition.collection).await {
            Ok(()) => drop(batch.extend(names)),
            Err(error) => return Ok(Some(error.to_string())),
        }
        let caller = self.caller();
        let entry = journal::entry(core, &caller, Subject::Collection, &definition.collection.name, Verb::Update)
            .values(json!(schema.collection), json!(definition.collection));
        batch
            .expect(keyspace::collection(&schema.collection.name), Expect::Version(schema.version))
            .put(keyspace::collection(&definition.collection.name), serde_json::to_vec(&definition)?)
            .append(journal::bytes(&entry));
        if let Some(reverts) = &self.reverts {
            let revert = journal::entry(core, &caller, Subject::Operation, reverts, Verb::Revert);
            batch.append(journal::bytes(&revert));
        }
        expect_references(batch, &definition.collection);
        Ok(None)
    }

    async fn rewrite(&mut self, snapshot: &Snapshot, schema: &Schema, budget: &mut Budget<'_>) -> Result<Piece> {
        let mut piece = Piece::default();
        'pieces: loop {
            let found = self.next(snapshot, budget).await?;
            if found.is_empty() {
                piece.is_last = true;
                break;
            }
            for (key, entry) in found {
                let Some(id) = keyspace::last_id(&key) else { continue };
                self.after = Some(id);
                piece.done += 1;
                budget.spend(entry.value.len());
                if let Some(value) = schema.rewritten(id, &entry.value)? {
                    piece.batch.keep(key, entry.version, value);
                }
                if budget.is_spent() {
                    break 'pieces;
                }
            }
        }
        Ok(piece)
    }
}

impl Steps for Redefine {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let over = Piece { is_last: true, ended: Some((OperationState::Stopped, None)), ..Piece::default() };
        let Some(schema) = schema::by_number(&core.schemas, &snapshot, self.collection).await? else { return Ok(over) };
        if self.in_force {
            return self.rewrite(&snapshot, &schema, budget).await;
        }
        match schema.coming.as_deref().filter(|coming| coming.operation == self.operation) {
            Some(coming) => self.check(core, &snapshot, &schema, coming, budget).await,
            None => Ok(over),
        }
    }
}

/// Stages the entries of a record in new indexes. Those that are there were made by who changed the record meanwhile.
async fn stage_entries(
    snapshot: &Snapshot,
    coming: &Coming,
    id: RecordId,
    entries: Entries,
    claimed: &mut BTreeSet<Key>,
    words: &mut Gathered,
    batch: &mut Batch,
) -> Result<FieldErrors> {
    let mut errors = FieldErrors::new();
    let uniques: Vec<Key> = entries.uniques.keys().cloned().collect();
    for (key, found) in uniques.iter().zip(snapshot.get_many(&uniques).await?) {
        let holder = found.as_ref().and_then(unique_holder);
        if holder == Some(id) {
            continue;
        }
        if found.is_some() || !claimed.insert(key.clone()) {
            let field = entries.uniques.get(key).cloned().unwrap_or_default();
            let (place, error) = taken(&field);
            errors.push(place, error);
            continue;
        }
        batch.expect(key.clone(), Expect::Absent).put(key.clone(), unique_value(id));
    }
    let targets: Vec<Key> = entries.targets.iter().map(|target| target.key.clone()).collect();
    for (target, found) in entries.targets.iter().zip(snapshot.get_many(&targets).await?) {
        if found.is_none() {
            errors.push(target.field.clone(), does_not_exist(&target.id.to_string()));
        }
    }
    if !errors.is_empty() {
        return Ok(errors);
    }
    if let Some(Words { index, weights }) = &entries.words {
        // What stands by itself is of who changed the record meanwhile.
        let keys: Vec<Key> = weights.keys().map(|word| index.entry(word, id)).collect();
        for ((word, weight), found) in weights.iter().zip(snapshot.get_many(&keys).await?) {
            if found.is_none() {
                words.add(*index, word, id, *weight);
            }
        }
    }
    let indexes: Vec<Key> = entries.indexes.iter().cloned().collect();
    for (key, found) in indexes.iter().zip(snapshot.get_many(&indexes).await?) {
        if found.is_some() {
            continue;
        }
        batch.expect(key.clone(), Expect::Absent).put(key.clone(), Vec::new());
        // A reference counts as soon as its entry is there.
        if let Some(target) = entries.target_of(&coming.schema, key) {
            batch.expect(target.key.clone(), Expect::Present);
            batch.add(keyspace::referrers(target.collection, target.id), 1);
        }
    }
    Ok(errors)
}

/// How far a change of a definition came.
pub enum Redefined {
    /// It is in force.
    InForce,
    /// Records are looked at.
    UnderWay(Operation),
    /// Records do not fit.
    InvalidRecords(InvalidRecords),
    /// It ended otherwise.
    Ended(String),
}

/// How many fields a change of a definition left as they are, since their values do not fit.
pub(crate) async fn stayed(core: &Core, id: OperationId) -> Result<u64> {
    Ok(match load(core, id).await? {
        Some((_, Stored { work: Work::Redefine(work), .. })) => work.stayed,
        _ => 0,
    })
}

/// Begins to check the records of a collection for the definition that `batch` notes as coming, and works on it for a while, if the
/// request `waits`. `None` where another writer came first.
pub(crate) async fn redefine(
    core: &Core,
    caller: &Caller,
    work: Redefine,
    of: u64,
    id: OperationId,
    mut batch: Batch,
    waits: bool,
) -> Result<Option<Redefined>> {
    let runner = Runner::new(core);
    let mut stored = Stored::new(Work::Redefine(work), Some(of), core.timestamp(), caller.user_id());
    if waits {
        stored.hold(runner.holder(), core.clock.unix_seconds());
    }
    stored.has_parts = batch.appended() > 0;
    begin::stage(core, id, &stored, None, &mut batch).await?;
    match core.store.commit(batch).await {
        Ok(_) => {}
        Err(CommitError::Conflict { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let is_in_force = |stored: &Stored| matches!(&stored.work, Work::Redefine(work) if work.in_force);
    runner.work_for(id, if waits { PATIENCE } else { Duration::ZERO }, is_in_force).await?;
    journal::written();
    let Some((_, stored)) = load(core, id).await? else { return Ok(Some(Redefined::InForce)) };
    Ok(Some(match &stored.work {
        Work::Redefine(work) if work.in_force || stored.state == OperationState::Done => Redefined::InForce,
        Work::Redefine(work) if stored.state == OperationState::Failed && work.misfits.count > 0 => {
            Redefined::InvalidRecords(work.misfits.clone())
        }
        _ if stored.state.is_over() => {
            Redefined::Ended(stored.error.unwrap_or_else(|| "The change was stopped.".to_owned()))
        }
        _ => Redefined::UnderWay(Operation { state: OperationState::Running, ..stored.shown(id, core) }),
    }))
}

/// Stages that the records of a collection are written anew, where there is room for one more operation: they are right without.
pub(crate) async fn begin_rewriting(
    core: &Core,
    caller: &Caller,
    work: Redefine,
    of: u64,
    id: OperationId,
    batch: &mut Batch,
) -> Result<()> {
    let stored = Stored::new(Work::Redefine(work), Some(of), core.timestamp(), caller.user_id());
    let mut begun = Batch::new();
    if begin::stage(core, id, &stored, None, &mut begun).await.is_ok() {
        batch.extend(begun);
    }
    Ok(())
}
