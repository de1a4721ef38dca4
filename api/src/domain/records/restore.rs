//! Putting an earlier version of a record back, from the journal: the undo of a change or a deletion.

use common::{
    access::{Action, Caller},
    id::{RecordId, Revision},
    name::CollectionName,
    record::Record,
    validate::{Write, clean},
};
use serde_json::Value;

use super::{
    Sent, assemble,
    checks::{Faults, check_values},
    expect_schema, parse, refusal,
    stage::Stage,
};
use crate::domain::{App, Error, Result, collections, journal, keyspace};

/// Puts the version of a record that the commit `revision` left, or deleted, back in place. A record that is gone comes
/// back under its id for who could have deleted it.
pub async fn restore(
    app: &App,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    revision: Revision,
) -> Result<Sent> {
    let mut tries = app.tries();
    loop {
        let snapshot = app.store.snapshot();
        let schema = collections::find(app, &snapshot, name, caller).await?;
        let current = snapshot.get(&keyspace::record(schema.id(), id)).await?;
        let action = if current.is_some() { Action::Update } else { Action::Delete };
        let may = schema.authorize(action, caller)?;
        let change = journal::of_record(&snapshot, schema.id(), id, revision).await?;
        let Some(change) = change else { return Err(Error::NotFound) };
        let then = if change.after.is_null() { &change.before } else { &change.after };
        let then: Record = serde_json::from_value(then.clone())?;
        let old = current.as_ref().map(parse).transpose()?;
        let owner = old.as_ref().map_or(then.owner(), Record::owner);
        if !may.covers(owner) {
            return Err(refusal(&schema, caller, owner));
        }
        let fields = schema.collection.fields.iter().filter_map(|field| {
            let name = field.name.as_str();
            Some((name.to_owned(), then.get(name)?.clone()))
        });
        let values = clean(&schema.collection, Value::Object(fields.collect()), Write::Create)?.values;
        let mut record = assemble(&then, values);
        record.set("updated_at", app.timestamp());
        let mut errors = Faults::new(false);
        errors.merge(0, check_values(app, &snapshot, caller, &schema, old.as_ref(), &record).await?);
        errors.result()?;
        let mut stage = Stage::new(app, caller, expect_schema(&schema));
        let json = if let Some((entry, old)) = current.as_ref().zip(old.as_ref()) {
            stage.update(&schema, (id, entry, old), &record)?
        } else {
            let gone = snapshot.get(&keyspace::gone(schema.id(), id)).await?.ok_or(Error::NotFound)?;
            stage.restore(&schema, id, &record, gone.version)?.0
        };
        if let Some(version) = tries.commit_for(caller, stage.finish()).await? {
            return Ok(Sent::new(id, &json, version));
        }
    }
}
