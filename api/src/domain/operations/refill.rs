//! Values that come back from histories. A field that is back has its values in records that were not changed meanwhile; what was
//! carried over with a change of a record is in the journal with that change. It is put back as a change of the record, where nobody has
//! written anything else into the field.

use std::collections::BTreeMap;

use common::{
    access::Caller,
    conversion::carry_over,
    field::{Field, FieldType},
    id::{FieldId, RecordId},
    json::Exact,
    name::FieldName,
    record::{Member, Record},
    validate::{Ends, check_member},
};
use store::{Batch, Entry, Expect, Snapshot};
use uuid::Uuid;

use crate::domain::{
    core::Core,
    error::Result,
    journal::Back,
    keyspace, record,
    schema::Schema,
    stage::{Entries, Stage, Stored},
    steps::FieldStep,
};

/// Changes of history that are read for one record at most.
const MAX_STEPS: usize = 10_000;

/// What comes back in one piece.
pub(super) struct Refill<'a> {
    core: &'a Core,
    snapshot: &'a Snapshot,
    schema: &'a Schema,
    fields: &'a [(FieldId, u32)],
    stage: Stage<'a>,
    /// Unique values that this piece gives back.
    claimed: BTreeMap<store::Key, RecordId>,
}

impl<'a> Refill<'a> {
    pub(super) fn new(
        core: &'a Core,
        caller: &'a Caller,
        (snapshot, schema): (&'a Snapshot, &'a Schema),
        fields: &'a [(FieldId, u32)],
    ) -> Self {
        let key = keyspace::collection(&schema.collection.name);
        let mut batch = Batch::new();
        if !fields.is_empty() {
            batch.expect(key, Expect::Version(schema.version));
        }
        Self { core, snapshot, schema, fields, stage: Stage::new(core, caller, batch), claimed: BTreeMap::new() }
    }

    pub(super) fn finish(self) -> Batch {
        self.stage.finish()
    }

    /// Gives a record its values back. Says whether there were any.
    pub(super) async fn record(&mut self, id: RecordId, entry: &Entry) -> Result<bool> {
        let written = record::written(&entry.value)?;
        let version = self.schema.keys.version;
        let wanted: Vec<_> =
            self.fields.iter().filter(|(_, since)| (*since..=version).contains(&written)).copied().collect();
        if wanted.is_empty() {
            return Ok(false);
        }
        // Without its revision, which is not stored.
        let old = self.schema.decode(id, &entry.value)?;
        let mut new = old.clone();
        for (field, since) in wanted {
            let Some(field) = self.schema.collection.fields.iter().find(|known| known.id == Some(field)) else {
                continue;
            };
            if let Some(value) = self.earlier(id, entry, (field, since)).await?
                && check_member(field, Member { value: &value, text: value.text() }, Ends::Kept).is_ok()
            {
                new.set(field.name.as_str(), value);
            }
        }
        if new == old || !self.is_possible(id, &old, &new).await? {
            return Ok(false);
        }
        new.set("updated_at", self.core.timestamp());
        self.stage.update(self.schema, &Stored { id, entry: entry.clone(), record: old }, &new).await?;
        Ok(true)
    }

    /// What a record had in a field before a version, where nothing else was written into it since.
    async fn earlier(&self, id: RecordId, entry: &Entry, (field, since): (&Field, u32)) -> Result<Option<Exact>> {
        let Some(uuid) = field.id.map(FieldId::uuid) else { return Ok(None) };
        let mut back = Back::new(self.snapshot, Some(self.schema), self.schema.number(), id).await?;
        let mut then = None;
        for _ in 0..MAX_STEPS {
            let Some(step) = back.step().await? else { break };
            // Somebody may have written into it since, or it has come back already. A field that was gone had no values meanwhile.
            let definition = step.change.definition;
            if definition >= since
                && let Some(name) = self.name(uuid, definition)
                && step
                    .before
                    .as_ref()
                    .is_none_or(|before| step.after.as_ref().is_none_or(|after| !before.is_same(after, name.as_str())))
            {
                return Ok(None);
            }
            if step.change.definition < since {
                then = step.after.map(|after| (after, step.change.definition));
                break;
            }
            tokio::task::yield_now().await;
        }
        let Some((then, definition)) = then else { return Ok(None) };
        let in_version =
            |record: &Record, version: u32| record.member(self.name(uuid, version)?.as_str()).map(Exact::from);
        let today = self.schema.translate(then.clone(), definition, None);
        let (original, version) = self.schema.original(id, &entry.value)?;
        if version < self.schema.keys.version
            && let (Some(now), Some(was)) = (in_version(&original, version), in_version(&then, definition))
        {
            let carried = self.converted(field, since, was);
            if carried.is_none_or(|carried| carried != now) {
                return Ok(None);
            }
        }
        Ok(today.member(field.name.as_str()).map(Exact::from))
    }

    /// What a field was called under a version; `None` where it was not there.
    fn name(&self, field: Uuid, version: u32) -> Option<FieldName> {
        self.schema.names(version).into_iter().find(|(known, _)| *known == field).map(|(_, name)| name)
    }

    /// What a field's value became with a version.
    fn converted(&self, field: &Field, since: u32, was: Exact) -> Option<Exact> {
        let steps = self.schema.keys.steps.iter().filter(|step| step.version == since).flat_map(|step| &step.fields);
        for step in steps {
            if let FieldStep::Converted { from, to, convert } | FieldStep::Restored { from, to, convert, .. } = step
                && to.id == field.id
            {
                let from: &FieldType = from;
                return carry_over(from, to, convert, Member { value: &was, text: was.text() }).ok();
            }
        }
        Some(was)
    }

    /// Whether nobody has a unique value that comes back, and what is referred to is there.
    async fn is_possible(&mut self, id: RecordId, old: &Record, new: &Record) -> Result<bool> {
        let (had, has) = (Entries::of(self.schema, id, old, None), Entries::of(self.schema, id, new, None));
        for key in has.uniques.keys().filter(|key| !had.uniques.contains_key(*key)) {
            if self.snapshot.get(key).await?.is_some() || self.claimed.contains_key(key) {
                return Ok(false);
            }
        }
        for target in has.targets.difference(&had.targets) {
            if self.snapshot.get(&target.key).await?.is_none() {
                return Ok(false);
            }
        }
        self.claimed.extend(has.uniques.into_keys().map(|key| (key, id)));
        Ok(true)
    }
}
