//! Putting an earlier version of a record back, from the journal: the undo of a change or a deletion.

use common::{
    access::Action,
    id::{RecordId, Revision},
    json::Exact,
    name::CollectionName,
    record::Record,
    undo::RestoreQuery,
};
use serde_json::Value;

use super::{
    checks::{BodyErrors, check_values},
    earlier::fit,
    find::expect_schema,
    stored::Sent,
    unseen::Guess,
};
use crate::domain::{
    collections::revive,
    core::Core,
    covered::covers_history,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace,
    layout::Today,
    precondition::Precondition,
    quota::OverQuota,
    retry::Retry,
    schema::Schema,
    stage::{Stage, Stored, kept_by_change},
};

/// Puts the version of a record that the commit `revision` left, or deleted, back in place. A record that is gone comes
/// back under its id for who could have deleted it. Gives also the fields of the version that could not be put back: those that the
/// collection has no more, whatever is called like them now, and those whose values do not fit any more.
pub async fn restore(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    id: RecordId,
    revision: Revision,
    query: RestoreQuery,
    precondition: Option<&Precondition>,
) -> Result<(Sent, Vec<String>)> {
    let caller = by.caller;
    let (mut retry, mut has_made_room, mut asks_for_fields) = (Retry::new(core), false, query.fields);
    if asks_for_fields && !caller.is_admin() {
        return Err(Error::Denied);
    }
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        let view = schema.authorize(Action::View, caller)?;
        let tombstone = snapshot.get(&keyspace::tombstone(schema.number(), id)).await?;
        // Without a look at the record or its history: that takes as long as they are large.
        if !covers_history(core, &snapshot, &schema, view, id, tombstone.as_ref()).await? {
            return Err(Error::NotFound);
        }
        let current = snapshot.get(&keyspace::record(schema.number(), id)).await?;
        let step = journal::read::of_record(&snapshot, &schema, id, revision, &core.deadline()).await?;
        let then = step.and_then(|step| {
            let kept = step.kept.filter(|_| step.after.is_none()).unwrap_or_default();
            Some((step.after.or(step.before)?, step.change.definition, kept))
        });
        let Some((then, definition, kept)) = then else { return Err(Error::NotFound) };
        // What it was then, as today's definition has it.
        let known = schema.names(definition);
        let Today { record: was, gone, unfit, nulled, kept } = schema.as_of_today(then, definition, kept);
        let mut then = was.clone();
        let old = current.as_ref().map(|entry| schema.parse(id, entry)).transpose()?;
        let owner = old.as_ref().map_or(then.owner(), Record::owner);
        if !view.covers(owner) {
            return Err(Error::NotFound);
        }
        // Only now: which rule it is tells whether the record is there.
        let action = if current.is_some() { Action::Update } else { Action::Delete };
        if !schema.authorize(action, caller)?.covers(owner) {
            return Err(Error::Denied);
        }
        match &current {
            Some(entry) => Precondition::check(precondition, Revision(entry.version.get()))?,
            None => Precondition::check_absent(precondition)?,
        }
        if !schema.collection.ids.fit(id) {
            let message = "The ids of this collection are others since this record was deleted. Import it, and it gets one of today.";
            return Err(Error::Conflict(message.to_owned()));
        }
        if asks_for_fields && !gone.is_empty() {
            let ids: Vec<_> = gone.iter().map(|(id, _)| *id).collect();
            Box::pin(revive(core, caller, &schema.collection.name, &ids)).await?;
            asks_for_fields = false;
            continue;
        }
        // What does not fit any more stays as it is, and so does what there was not then.
        let later = schema.keys.fields.iter().filter(|field| known.iter().all(|(id, _)| *id != field.id));
        let later: Vec<String> = later.map(|field| field.name.to_string()).collect();
        let unfit: Vec<String> = unfit.0.into_keys().chain(nulled.iter().map(ToString::to_string)).collect();
        for name in unfit.iter().chain(&later) {
            if let Some(member) = old.as_ref().and_then(|old| old.member(name)) {
                then.set(name.as_str(), Exact::from(member));
            }
        }
        let mut lost: Vec<String> = gone.into_iter().map(|(_, name)| name.to_string()).chain(unfit).collect();
        let mut record = fit(&schema, caller, &then)?;
        let mut checked = check_values(core, &snapshot, caller, &schema, old.as_ref(), &record).await?;
        if !checked.missing.is_empty() {
            leave_out(&schema, &mut then, old.as_ref(), &checked.missing)?;
            lost.extend(checked.missing.into_iter().map(|(name, _)| name));
            record = fit(&schema, caller, &then)?;
            checked = check_values(core, &snapshot, caller, &schema, old.as_ref(), &record).await?;
        }
        lost.dedup();
        record.set("updated_at", core.timestamp());
        let mut errors = BodyErrors::new(None);
        errors.merge(0, checked);
        let guess = Guess::admit(core, by, &schema, old.as_ref(), &[&record])?;
        guess.tell(errors.result()).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        if has_made_room {
            stage.has_made_room();
        }
        let kept = kept_by_change(&schema, &kept, &was, &record);
        let written = if let Some((entry, old)) = current.zip(old) {
            stage.put_back(&schema, &Stored { id, entry, record: old }, &record, kept).await?.0
        } else {
            let tombstone = tombstone.ok_or(Error::NotFound)?;
            stage.restore(&schema, id, &record, &tombstone, kept).await?.0
        };
        match retry.commit_for(caller, stage.finish()).await {
            Ok(Some(version)) => return Ok((Sent::new(&schema, id, &written, version)?, lost)),
            Ok(None) => {}
            Err(Error::OverQuota(OverQuota::History)) if !has_made_room => {
                journal::make_room(core, schema.number(), id).await?;
                has_made_room = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Leaves references out whose records are gone: of several the others come back; of one what is there now stays, or null. An error where
/// there has to be one.
fn leave_out(schema: &Schema, then: &mut Record, old: Option<&Record>, missing: &[(String, RecordId)]) -> Result<()> {
    for field in &schema.collection.fields {
        let name = field.name.as_str();
        let is_gone = |id: RecordId| missing.iter().any(|(known, gone)| known == name && *gone == id);
        if missing.iter().all(|(known, _)| known != name) {
            continue;
        }
        let left: Vec<Value> = then
            .get(name)
            .into_iter()
            .flat_map(RecordId::all_in)
            .filter(|id| !is_gone(*id))
            .map(RecordId::to_value)
            .collect();
        let there = old.and_then(|old| old.member(name)).map(Exact::from).filter(|value| !value.is_null());
        if field.kind.refers_to_many() && !(left.is_empty() && field.required) {
            then.set(name, Value::Array(left));
        } else if let Some(there) = there.filter(|_| !field.kind.refers_to_many()) {
            then.set(name, there);
        } else if field.nullable && !field.kind.refers_to_many() {
            then.set(name, Value::Null);
        } else {
            let message = format!(
                "The field \"{name}\" has to refer to a record, and the one that it referred to is gone. Bring that back first, or make a new record."
            );
            return Err(Error::Conflict(message));
        }
    }
    Ok(())
}
