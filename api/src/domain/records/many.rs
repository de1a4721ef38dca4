//! Changing or deleting all records that a filter finds, in one commit.

use std::{collections::BTreeSet, sync::Arc};

use common::{
    access::{Action, Caller},
    change::{Subject, Verb},
    clean::{Cleaned, Write, clean_all},
    id::RecordId,
    many::{Many, ManyQuery},
    name::CollectionName,
    problem::{FieldError, FieldErrors, NON_FIELD},
    record::Record,
    undo::Counted,
    validate::{REQUEST_MATCH_WORK, within_work},
};
use store::{Key, Reserve, Snapshot};

use super::{
    change::{Sending, changed_values, check_owner},
    checks::{BodyErrors, GivenUp, check_beside},
    deletion::{MAX_TOUCHED_BYTES, plan},
    filter,
    find::expect_schema,
    list::{Row, matching},
    number::{added, adds},
    unseen::Guess,
    visible::may_view,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    quota::OverQuota,
    record,
    retry::Retry,
    schema::Schema,
    stage::{Stage, Stored},
    work,
};

/// Changes all records that a query finds, or none.
pub async fn update_many(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    query: &ManyQuery,
    sent: Sending<'_>,
) -> Result<Many> {
    let caller = by.caller;
    let (mut retry, mut has_made_room) = (Retry::new(core), false);
    let mut left = REQUEST_MATCH_WORK;
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        schema.authorize(Action::List, caller)?;
        let may = schema.authorize(Action::Update, caller)?;
        let checked = query.check(&schema.collection);
        let told = match filter::check(core, &snapshot, caller, &schema, &query.records, checked).await {
            Ok(()) => FieldErrors::new(),
            Err(Error::Invalid(errors)) => errors,
            Err(error) => return Err(error),
        };
        check(&schema, told, sent)?;
        let found = found(core, &snapshot, caller, &schema, query).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema)).bounded();
        let mut changes = Vec::new();
        for (id, entry) in &found {
            tokio::task::yield_now().await;
            // It is parsed twice, as it is and as it will be; what is staged of it is charged there.
            work::hold(3 * work::parsed_size(&entry.value))?;
            let old = schema.parse(*id, entry)?;
            if !may.covers(old.owner()) || !may_view(&schema, caller, old.owner()) {
                return Err(Error::Denied);
            }
            let of_record = |mut errors: FieldErrors| {
                errors.push(NON_FIELD, FieldError::new("record", format!("This is so of the record {id}.")));
                Error::from(errors)
            };
            let body = added(&schema.collection, sent.body, &old).map_err(of_record)?;
            let (cleaned, faults) =
                within_work(&mut left, || clean_all(&schema.collection, body, Write::Patch(&old), sent.manner));
            if !faults.is_empty() {
                return Err(of_record(faults));
            }
            let Cleaned { values, owner } = cleaned;
            check_owner(&snapshot, owner.filter(|owner| Some(*owner) != old.owner())).await?;
            let Some(record) = changed_values(core, &old, values, owner) else { continue };
            let stored = Stored { id: *id, entry: entry.clone(), record: old };
            // One may take what another gives up: all of them are told first.
            stage.give_up(&schema, &stored, Some(&record)).await?;
            changes.push((stored, record));
        }
        let given_up = stage.given_up().clone();
        let is_given_up = |key: &Key| given_up.contains(key);
        for (stored, record) in &changes {
            tokio::task::yield_now().await;
            let mut errors = BodyErrors::new(None);
            let given_up: &GivenUp<'_> = &is_given_up;
            errors.merge(
                0,
                check_beside(core, &snapshot, caller, &schema, given_up, Some(&stored.record), record).await?,
            );
            let guess = Guess::admit(core, by, &schema, Some(&stored.record), &[record])?;
            guess.tell(errors.result()).await?;
            for field in stage.replace(&schema, stored, record).await?.1 {
                let mut errors = BodyErrors::new(None);
                errors.taken(0, &field);
                errors.result()?;
            }
        }
        let records: Vec<RecordId> = changes.iter().map(|(stored, _)| stored.id).collect();
        let count = records.len() as u64;
        let counts = if count == 0 { Vec::new() } else { vec![counted(&schema, Verb::Update, count)] };
        let outcome = Many { count: found.len() as u64, counts, dry_run: query.dry_run };
        if has_made_room {
            stage.has_made_room();
        }
        if query.dry_run || records.is_empty() {
            return Ok(outcome);
        }
        match retry.commit_for(caller, stage.finish()).await {
            Ok(Some(_)) => return Ok(outcome),
            Ok(None) => {}
            Err(Error::OverQuota(OverQuota::History)) if !has_made_room => {
                for id in records {
                    journal::make_room(core, schema.number(), id).await?;
                }
                has_made_room = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Deletes all records that a query finds, and what goes along with them, or none.
pub async fn delete_many(core: &Core, caller: &Caller, name: &CollectionName, query: &ManyQuery) -> Result<Many> {
    let (mut retry, mut forgets) = (Retry::new(core), false);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        schema.authorize(Action::List, caller)?;
        let may = schema.authorize(Action::Delete, caller)?;
        let checked = query.check(&schema.collection);
        filter::check(core, &snapshot, caller, &schema, &query.records, checked).await?;
        let found = found(core, &snapshot, caller, &schema, query).await?;
        for (_, entry) in &found {
            let owner = record::owner(&entry.value)?;
            if !may.covers(owner) || !may_view(&schema, caller, owner) {
                return Err(Error::Denied);
            }
        }
        let roots: BTreeSet<(CollectionName, RecordId)> =
            found.iter().map(|(id, _)| (schema.collection.name.clone(), *id)).collect();
        drop(found);
        let waiting = roots.iter().cloned().collect();
        let plan = plan(core, &snapshot, caller, waiting, roots.clone()).await?;
        let plan = plan.ok_or_else(|| {
            Error::Conflict(
                "More goes along with these records than one commit takes. Delete fewer at once.".to_owned(),
            )
        })?;
        let counts = plan.counts(core, &snapshot, caller).await?.sorted(name);
        let outcome = Many { count: roots.len() as u64, counts: counts.into_inner(), dry_run: query.dry_run };
        if query.dry_run || roots.is_empty() {
            return Ok(outcome);
        }
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        stage.forgets = forgets;
        plan.stage_many(core, &snapshot, &mut stage, &roots).await?;
        let mut batch = stage.finish();
        batch.use_reserve(Reserve::Much);
        match retry.commit_for(caller, batch).await {
            Ok(Some(_)) => return Ok(outcome),
            Ok(None) => {}
            Err(Error::OverQuota(_)) if !forgets => forgets = true,
            Err(error) => return Err(error),
        }
    }
}

/// What is wrong with the query, which `errors` are, and with the values whichever record they are for.
fn check(schema: &Schema, mut errors: FieldErrors, sent: Sending<'_>) -> Result<()> {
    let nothing = Record::default();
    let mut body = sent.body.clone();
    if adds(&schema.collection, &body) {
        // What these come to, each record has to say.
        let sums: BTreeSet<String> = body.as_object().keys().cloned().collect();
        for name in sums {
            let mut one = Record::default();
            if let Some(value) = body.take(&name) {
                one.set(name.clone(), value);
            }
            if !adds(&schema.collection, &one)
                && let Some(value) = one.take(&name)
            {
                body.set(name, value);
            }
        }
    }
    for name in ["id", "revision"] {
        if body.take(name).is_some_and(|value| !value.is_null()) {
            errors.push(name, FieldError::new("invalid", "These are many records; this is of one. Leave it out."));
        }
    }
    errors.append(clean_all(&schema.collection, body, Write::Patch(&nothing), sent.manner).1);
    Ok(errors.or(())?)
}

async fn found(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    query: &ManyQuery,
) -> Result<Vec<Row>> {
    let max = usize::try_from(query.max).unwrap_or(usize::MAX);
    let found = matching(core, snapshot, caller, schema, &query.records, max, MAX_TOUCHED_BYTES).await?;
    found.ok_or_else(|| {
        let mib = MAX_TOUCHED_BYTES / (1024 * 1024);
        Error::Conflict(format!(
            "These are more than {}, or more than {mib} MiB of them, and nothing was done. Narrow the filter, or raise max.",
            common::text::count(query.max, "record")
        ))
    })
}

fn counted(schema: &Schema, action: Verb, count: u64) -> Counted {
    Counted { subject: Subject::Record, collection: Some(schema.collection.name.clone()), action, count }
}
