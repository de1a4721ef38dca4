//! Rows staged beside each other, as one batch. Unique values are judged by what is there after its commit: one row may take what another gives up, before
//! or after it.

use std::collections::BTreeSet;

use common::{
    id::RecordId,
    import::{OnConflict, OnError},
    problem::{FieldErrors, NON_FIELD},
    record::Record,
};
use store::{Batch, Key};

use super::{
    how::Tally,
    rows::{Change, Outcome, Planned, Staging, Waiting},
    seen::{Seen, twice},
    tree::{digest, is_tree},
};
use crate::domain::{
    error::{Error, Result},
    indexes::{IndexKind, ReadIndex},
    intake::Row,
    numbers::OwnerNumber,
    records::checks::{BodyErrors, check_beside},
    stage::{Entries, Stage},
    work,
};

/// How often rows that wait for each other are judged anew where some of them do not fit. After that none gets what another would give up.
const ROUNDS: usize = 8;

/// What the store and other rows say to a row's record.
enum Verdict {
    Fits,
    /// A record has a value that has to be unique.
    Taken(FieldErrors),
    /// One that the caller may not see has.
    Unseen,
    Not(FieldErrors),
}

/// Rows that were staged.
pub(super) struct Staged {
    pub batch: Batch,
    pub tally: Tally,
    /// What is wrong with which row, by its place.
    pub faults: Vec<(usize, FieldErrors)>,
}

impl Staging<'_> {
    /// Stages the rows that it began with.
    pub(super) async fn stage(mut self, rows: &[Row], seen: &mut Seen) -> Result<Staged> {
        let (mut tally, mut faults, mut waiting) = (Tally::default(), Vec::new(), Vec::new());
        let is_tree = is_tree(&self.schema.collection, self.how);
        if is_tree {
            self.meet_all(rows, seen).await?;
        }
        for (at, row) in rows.iter().enumerate() {
            if at % 64 == 0 {
                tokio::task::yield_now().await;
            }
            let planned = match self.row(row, seen).await? {
                Ok(Outcome::Planned(planned)) => planned,
                Ok(Outcome::Unchanged) => {
                    tally.unchanged += 1;
                    continue;
                }
                Err(errors) => {
                    faults.push((at, errors));
                    continue;
                }
            };
            if is_tree {
                // What it refers to may not fit.
                self.held.grow(2 * work::record_size(&planned.record) as u64)?;
                waiting.push(Waiting { at, row: row.number, planned });
                continue;
            }
            match self.judge(&planned, &BTreeSet::new(), seen, row.number).await? {
                Verdict::Fits => tally.add(self.stage_one(&planned).await?),
                // A later row may give the value up.
                Verdict::Taken(_) if self.how.on_conflict == OnConflict::Update => {
                    self.held.grow(2 * work::record_size(&planned.record) as u64)?;
                    waiting.push(Waiting { at, row: row.number, planned });
                }
                Verdict::Taken(errors) | Verdict::Not(errors) => faults.push((at, errors)),
                Verdict::Unseen => faults.push((at, self.taken_unseen(&planned.record).await?)),
            }
        }
        tally.add(self.settle(waiting, seen, &mut faults).await?);
        faults.sort_by_key(|(at, _)| *at);
        if self.is_tried {
            seen.give_up(self.stage.released());
        }
        if is_tree {
            Staging::leave_faulty(rows, &faults, seen);
        }
        Ok(Staged { batch: self.stage.finish(), tally, faults })
    }

    /// What the store and the rows before have against a record, where others give up `given_up` beside what was staged.
    async fn judge(&self, planned: &Planned, given_up: &BTreeSet<Key>, seen: &mut Seen, row: u64) -> Result<Verdict> {
        let Self { core, by, snapshot, schema, .. } = *self;
        let Planned { change, record } = planned;
        let old = match change {
            Change::Make(..) => None,
            Change::Update(stored) => Some(&stored.record),
        };
        let mut errors = BodyErrors::new(None);
        {
            let (released, earlier) = (self.stage.released(), &*seen);
            let is_free = |key: &Key| given_up.contains(key) || released.contains(key) || earlier.is_given_up(key);
            let without = seen.tree.without_made(&schema.collection, record);
            let looked = without.as_ref().unwrap_or(record);
            errors.merge(0, check_beside(core, snapshot, by.caller, schema, &is_free, old, looked).await?);
        }
        match errors.result() {
            Ok(()) => {}
            Err(Error::Invalid(errors)) => return Ok(Verdict::Not(errors)),
            Err(Error::Taken(errors)) => return Ok(Verdict::Taken(errors)),
            Err(Error::TakenUnseen) => return Ok(Verdict::Unseen),
            Err(error) => return Err(error),
        }
        let mut errors = FieldErrors::new();
        let owned = self.owned_uniques(record).map(|(key, fields)| (digest((key.as_bytes(), record.owner())), fields));
        let uniques = self.uniques(record).map(|(key, fields)| (digest(key.as_bytes()), fields));
        for (value, fields) in uniques.chain(owned) {
            if let Some(other) = seen.meet(value, row) {
                let place = if fields.contains(',') { NON_FIELD } else { &fields };
                errors.push(place, twice(other));
            }
        }
        Ok(if errors.is_empty() { Verdict::Fits } else { Verdict::Not(errors) })
    }

    fn uniques(&self, record: &Record) -> impl Iterator<Item = (Key, String)> {
        let id = record.id().unwrap_or_else(|| RecordId::from_uuid(uuid::Uuid::nil()));
        Entries::of(self.schema, id, record, None).uniques.into_iter()
    }

    /// Those that have to be unique with the owner, who may have no number yet, as if the owner were anybody.
    fn owned_uniques(&self, record: &Record) -> impl Iterator<Item = (Key, String)> {
        let is_owned = |index: &ReadIndex| {
            index.kind == IndexKind::Unique && index.is_several && index.parts.iter().any(|part| part.name == "owner")
        };
        let has_owner = record.owner().is_some();
        let owned = self.schema.read_by.iter().filter(move |index| has_owner && is_owned(index));
        owned.filter_map(|index| Some((index.key(record, Some(OwnerNumber(0)))?, index.names())))
    }

    /// Stages the rows that wait for each other, as far as they fit together; the others are faults.
    async fn settle(
        &mut self,
        mut waiting: Vec<Waiting>,
        seen: &mut Seen,
        faults: &mut Vec<(usize, FieldErrors)>,
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        for round in 0..=ROUNDS {
            let given_up = if round < ROUNDS { self.would_give_up(&waiting).await? } else { BTreeSet::new() };
            let (before, mut fit) = (waiting.len(), Vec::new());
            for one in waiting {
                tokio::task::yield_now().await;
                match self.judge(&one.planned, &given_up, seen, one.row).await? {
                    Verdict::Fits => fit.push(one),
                    Verdict::Taken(errors) => {
                        if self.is_tried && round == 0 {
                            let wanted = self.uniques(&one.planned.record).map(|(key, _)| key);
                            seen.want(one.row, wanted, &given_up);
                        }
                        faults.push((one.at, errors));
                    }
                    Verdict::Not(errors) => faults.push((one.at, errors)),
                    Verdict::Unseen => faults.push((one.at, self.taken_unseen(&one.planned.record).await?)),
                }
            }
            if self.how.on_error == OnError::Skip {
                self.leave_dependents(&mut fit, seen, faults);
            }
            waiting = fit;
            // Where nothing is written at all, what does not fit for that reason alone is not told.
            if waiting.len() == before || self.how.on_error == OnError::Abort {
                break;
            }
        }
        for one in &waiting {
            if let Change::Update(stored) = &one.planned.change {
                self.stage.give_up(self.schema, stored, Some(&one.planned.record)).await?;
            }
        }
        for one in &waiting {
            tally.add(self.stage_one(&one.planned).await?);
        }
        Ok(tally)
    }

    /// The unique values that these rows would give up.
    async fn would_give_up(&self, waiting: &[Waiting]) -> Result<BTreeSet<Key>> {
        let mut stage = Stage::new(self.core, self.by.caller, Batch::new());
        for one in waiting {
            if let Change::Update(stored) = &one.planned.change {
                stage.give_up(self.schema, stored, Some(&one.planned.record)).await?;
            }
        }
        Ok(stage.given_up().clone())
    }

    /// Stages a record that fits.
    async fn stage_one(&mut self, planned: &Planned) -> Result<Tally> {
        let Planned { change, record } = planned;
        let (taken, tally) = match change {
            Change::Make(id, tombstone) => {
                let (_, taken) = self.stage.make(self.schema, *id, record, tombstone.as_ref()).await?;
                (taken, Tally { created: 1, ..Tally::default() })
            }
            Change::Update(stored) => {
                let (_, taken) = self.stage.replace(self.schema, stored, record).await?;
                (taken, Tally { updated: 1, ..Tally::default() })
            }
        };
        // What no check sees beforehand: values that have to be unique together with the owner.
        let mut errors = BodyErrors::new(None);
        for field in taken {
            errors.taken(0, &field);
        }
        errors.result().map(|()| tally)
    }
}
