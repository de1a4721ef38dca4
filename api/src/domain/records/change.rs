//! Making and changing records.

use std::{collections::HashSet, time::Duration};

use common::{
    access::Action,
    clean::{Cleaned, Manner, Write, clean_all, sent_revision},
    id::{RecordId, Revision, UserId},
    name::CollectionName,
    problem::FieldErrors,
    record::{OneOrMany, Record},
    validate::{REQUEST_MATCH_WORK, does_not_exist, within_work},
};
use store::Snapshot;

use super::{
    brought::{NewIdentity, brought_id},
    checks::{BodyErrors, check_right, check_values},
    find::{Target, expect_schema, find},
    number::{added, adds},
    stored::{Sent, new_record},
    unseen::Guess,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace,
    precondition::Precondition,
    quota::OverQuota,
    record::assemble,
    retry::Retry,
    stage::Stage,
};

/// How long the rows of an array have the thread to themselves: giving it away costs as much as reading a row.
const SLICE: Duration = Duration::from_millis(1);

/// Makes one record, or all of an array or none.
pub async fn create(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    body: OneOrMany,
    manner: Manner<'_>,
) -> Result<Vec<Sent>> {
    let caller = by.caller;
    let (many, bodies) = match body {
        OneOrMany::One(record) => (false, vec![record]),
        OneOrMany::Many(records) => (true, records),
    };
    let mut retry = Retry::new(core);
    let mut left = REQUEST_MATCH_WORK;
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        schema.authorize(Action::Create, caller)?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema)).bounded();
        let mut errors = BodyErrors::new(many.then_some(bodies.len()));
        let mut written = Vec::with_capacity(bodies.len());
        let mut records = Vec::with_capacity(bodies.len());
        let mut ids = HashSet::with_capacity(bodies.len());
        let mut yielded = core.clock.elapsed();
        for (i, body) in bodies.iter().enumerate() {
            // Other requests have the thread in between. Most rows take a hundredth of this; one whose text is matched against a pattern may
            // take longer by itself.
            if core.clock.elapsed().saturating_sub(yielded) >= SLICE {
                tokio::task::yield_now().await;
                yielded = core.clock.elapsed();
            }
            let (cleaned, mut faults) =
                within_work(&mut left, || clean_all(&schema.collection, body.clone(), Write::Create, manner));
            let brought = brought_id(caller, &schema, body).map_err(|wrong| faults.push("id", wrong));
            if !faults.is_empty() {
                errors.invalid(i, faults);
                errors.merge(i, check_right(core, &snapshot, caller, &schema, None, &cleaned.values).await?);
                continue;
            }
            let place = NewIdentity::of(core, &snapshot, &schema, brought.unwrap_or_default()).await?;
            if place.is_taken || !ids.insert(place.id) {
                errors.taken(i, "id");
            }
            if let Some(owner) = cleaned.owner.filter(|owner| Some(*owner) != caller.user_id())
                && !is_user(&snapshot, owner).await?
            {
                errors.invalid(i, FieldErrors::of("owner", does_not_exist(&owner.to_string())));
            }
            let record = new_record(place.id, cleaned.owner.or(caller.user_id()), &place.at, cleaned.values);
            let (stored, taken) = stage.make(&schema, place.id, &record, place.tombstone.as_ref()).await?;
            for field in taken {
                errors.taken(i, &field);
            }
            errors.merge(i, check_values(core, &snapshot, caller, &schema, None, &record).await?);
            written.push((place.id, stored));
            records.push(record);
        }
        let guess = Guess::admit(core, by, &schema, None, &records.iter().collect::<Vec<_>>())?;
        guess.tell(errors.result()).await?;
        // Nothing more is read of that moment, which costs an engine something as long as it is held.
        drop(snapshot);
        if let Some(version) = retry.commit_for(caller, stage.finish()).await? {
            return written.iter().map(|(id, stored)| Sent::new(&schema, *id, stored, version)).collect();
        }
    }
}

/// What is sent to change a record.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The members.
    pub body: &'a Record,
    /// Those that are not there stay (PATCH).
    pub is_partial: bool,
    /// How they are to be read.
    pub manner: Manner<'a>,
}

/// Changes a record: all of it (PUT) or some members (PATCH).
pub async fn update(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    id: RecordId,
    sent: Sending<'_>,
    precondition: Option<&Precondition>,
) -> Result<Sent> {
    let caller = by.caller;
    let Sending { body, is_partial, manner } = sent;
    let mut left = REQUEST_MATCH_WORK;
    let (mut retry, mut has_made_room, mut adding) = (Retry::new(core), false, None);
    loop {
        let snapshot = core.store.snapshot().await?;
        let Target { schema, stored } = find(core, &snapshot, caller, Action::Update, name, id).await?;
        let adds = is_partial && adds(&schema.collection, body);
        if adds && adding.is_none() {
            adding = Some(core.adding.wait(id).await);
            continue;
        }
        let (entry, old) = (&stored.entry, &stored.record);
        let revision = Revision(entry.version.get());
        Precondition::check(precondition, revision)?;
        let write = if is_partial { Write::Patch(old) } else { Write::Replace(old) };
        // Where unknown members are ignored, a `revision` in the body is ignored too.
        if !manner.ignores_unknown && sent_revision(body)?.is_some_and(|read| read != revision) {
            return Err(Error::Stale);
        }
        let body = if adds { added(&schema.collection, body, old)? } else { body.clone() };
        let (cleaned, faults) = within_work(&mut left, || clean_all(&schema.collection, body, write, manner));
        let Cleaned { values, owner } = cleaned;
        if !faults.is_empty() {
            let mut errors = BodyErrors::new(None);
            errors.invalid(0, faults);
            errors.merge(0, check_right(core, &snapshot, caller, &schema, Some(old), &values).await?);
            errors.result()?;
        }
        check_owner(&snapshot, owner.filter(|owner| Some(*owner) != old.owner())).await?;
        let Some(record) = changed_values(core, old, values, owner) else {
            return Sent::new(&schema, id, &entry.value, entry.version);
        };
        let mut errors = BodyErrors::new(None);
        errors.merge(0, check_values(core, &snapshot, caller, &schema, Some(old), &record).await?);
        let guess = Guess::admit(core, by, &schema, Some(old), &[&record])?;
        guess.tell(errors.result()).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema)).bounded();
        let written = stage.update(&schema, &stored, &record).await?;
        if has_made_room {
            stage.has_made_room();
        }
        drop(snapshot);
        match retry.commit_for(caller, stage.finish()).await {
            Ok(Some(version)) => return Sent::new(&schema, id, &written, version),
            Ok(None) => {}
            Err(Error::OverQuota(OverQuota::History)) if !has_made_room => {
                journal::make_room(core, schema.number(), id).await?;
                has_made_room = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A record with new values and perhaps another owner; `None` where that changes nothing.
pub(super) fn changed_values(core: &Core, old: &Record, values: Record, owner: Option<UserId>) -> Option<Record> {
    let owner = owner.filter(|owner| Some(*owner) != old.owner());
    if owner.is_none() && values.as_object().keys().all(|name| values.is_same(old, name)) {
        return None;
    }
    let mut record = assemble(old, values);
    if let Some(owner) = owner {
        record.set("owner", owner.to_string());
    }
    record.set("updated_at", core.timestamp());
    Some(record)
}

/// The user that a body names must be there.
pub(super) async fn check_owner(snapshot: &Snapshot, owner: Option<UserId>) -> Result<()> {
    match owner {
        Some(owner) if !is_user(snapshot, owner).await? => {
            Err(FieldErrors::of("owner", does_not_exist(&owner.to_string())).into())
        }
        _ => Ok(()),
    }
}

pub(super) async fn is_user(snapshot: &Snapshot, id: UserId) -> Result<bool> {
    Ok(snapshot.get(&keyspace::user(id)).await?.is_some())
}
