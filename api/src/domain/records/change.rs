//! Making and changing records.

use common::{
    access::Action,
    clean::{Write, clean},
    id::{RecordId, Revision},
    name::CollectionName,
    record::{OneOrMany, Record},
};
use serde_json::Value;

use super::{
    checks::{BodyErrors, check_values},
    find::{Target, expect_schema, find},
    stored::{Sent, assemble, new_record},
    unseen::Guess,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::Actor,
    precondition::Precondition,
    retry::Retry,
    stage::Stage,
};

/// Makes one record, or all of an array or none.
pub async fn create(core: &Core, by: Actor<'_>, name: &CollectionName, body: OneOrMany) -> Result<Vec<Sent>> {
    let caller = by.caller;
    let (many, bodies) = match body {
        OneOrMany::One(record) => (false, vec![record]),
        OneOrMany::Many(records) => (true, records),
    };
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        schema.authorize(Action::Create, caller)?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        let mut errors = BodyErrors::new(many.then_some(bodies.len()));
        let at = core.timestamp();
        let mut written = Vec::with_capacity(bodies.len());
        let mut records = Vec::with_capacity(bodies.len());
        for (i, body) in bodies.iter().enumerate() {
            if i > 0 {
                // A pattern may take its time over each.
                tokio::task::yield_now().await;
            }
            let values = match clean(&schema.collection, Value::Object(body.as_object().clone()), Write::Create) {
                Ok(cleaned) => cleaned.values,
                Err(faults) => {
                    errors.invalid(i, faults);
                    continue;
                }
            };
            let id = RecordId::from_uuid(core.ids.next_id());
            let record = new_record(id, caller.user_id(), &at, values);
            let (json, taken) = stage.create(&schema, id, &record)?;
            for field in taken {
                errors.taken(i, field);
            }
            errors.merge(i, check_values(core, &snapshot, caller, &schema, None, &record).await?);
            written.push((id, json));
            records.push(record);
        }
        let guess = Guess::admit(core, by, &schema, None, &records.iter().collect::<Vec<_>>())?;
        guess.tell(errors.result()).await?;
        if let Some(version) = retry.commit_for(caller, stage.finish()).await? {
            return Ok(written.iter().map(|(id, json)| Sent::new(*id, json, version)).collect());
        }
    }
}

/// Changes a record: all of it (PUT) or some members (PATCH).
pub async fn update(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    id: RecordId,
    body: &Record,
    partial: bool,
    precondition: Option<&Precondition>,
) -> Result<Sent> {
    let caller = by.caller;
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let Target { schema, stored } = find(core, &snapshot, caller, Action::Update, name, id).await?;
        let (entry, old) = (&stored.entry, &stored.record);
        let revision = Revision(entry.version.get());
        Precondition::check(precondition, revision)?;
        let write = if partial { Write::Patch(old) } else { Write::Replace(old) };
        let cleaned = clean(&schema.collection, Value::Object(body.as_object().clone()), write)?;
        if cleaned.revision.is_some_and(|read| read != revision) {
            return Err(Error::Stale);
        }
        let unchanged = cleaned.values.iter().all(|(name, value)| old.get(name) == Some(value));
        if unchanged {
            return Ok(Sent::new(id, &entry.value, entry.version));
        }
        let mut record = assemble(old, cleaned.values);
        record.set("updated_at", core.timestamp());
        let mut errors = BodyErrors::new(None);
        errors.merge(0, check_values(core, &snapshot, caller, &schema, Some(old), &record).await?);
        let guess = Guess::admit(core, by, &schema, Some(old), &[&record])?;
        guess.tell(errors.result()).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        let json = stage.update(&schema, &stored, &record)?;
        if let Some(version) = retry.commit_for(caller, stage.finish()).await? {
            return Ok(Sent::new(id, &json, version));
        }
    }
}
