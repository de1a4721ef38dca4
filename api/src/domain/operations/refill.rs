//! Values that come back from histories. A field that is back, or as it was before a conversion, has its earlier values in records that
//! were not changed meanwhile. Of one that was changed, but not in this field, the history has it; and it is put with the record before
//! the definition takes effect, so that it is true of all records at once and no record is changed for it.

use std::collections::HashMap;

use common::{
    change::{Subject, Verb},
    conversion::{Conversion, carry_over},
    field::Field,
    id::{FieldId, OperationId, RecordId},
    json::Exact,
    problem::{FieldError, FieldErrors},
    record::{Member, Record},
};
use serde_json::Value;
use store::{Entry, Snapshot};
use uuid::Uuid;

use crate::domain::{
    error::{Error, Result},
    journal::{self, Action, Back, of_operation::Parts},
    record::{self, EarlierValues},
    schema::Schema,
    steps::FieldStep,
};

/// Changes of history that are read for one record at most.
const MAX_STEPS: usize = 10_000;
/// Commits of an operation that are looked at for what it is.
const FIRST: usize = 2;

/// Finds what fields were.
pub(in crate::domain) struct Refill<'a> {
    snapshot: &'a Snapshot,
    /// The definition that has the values back.
    schema: &'a Schema,
    /// The fields, each with the version before which they had them.
    fields: &'a [(FieldId, u32)],
    /// Whether operations put back what was there before.
    reverts: HashMap<OperationId, bool>,
}

/// What a field was.
enum Earlier {
    Known {
        value: Exact,
        /// Something else was written into it since.
        is_changed: bool,
    },
    /// It had no value.
    Nothing,
    /// It is in no history any more.
    Forgotten,
}

/// A record with what its fields were.
#[derive(Default)]
pub(in crate::domain) struct Refilled {
    /// `None` where that is nothing more than it says itself.
    pub value: Option<Vec<u8>>,
    /// The fields of which nobody knows any more what they were.
    pub forgotten: FieldErrors,
}

/// What a field was given when an earlier version of a record was put back.
struct Sought {
    value: Exact,
    /// The version of the definition that it was put back under.
    definition: u32,
}

/// What one version of a record has in a field, before it was changed with the definition.
enum Before {
    Is(Exact),
    /// It is not the one that is sought.
    IsOther,
    /// The field was not there.
    IsNothing,
    /// The field was gone, and nobody knew what it was. What the record had in it when it came back.
    WasGone(Option<Exact>),
}

impl<'a> Refill<'a> {
    pub(in crate::domain) fn new(snapshot: &'a Snapshot, schema: &'a Schema, fields: &'a [(FieldId, u32)]) -> Self {
        Self { snapshot, schema, fields, reverts: HashMap::new() }
    }

    /// A record with what its fields were.
    pub(in crate::domain) async fn record(&mut self, id: RecordId, entry: &Entry) -> Result<Refilled> {
        let written = record::written(&entry.value)?;
        let wanted: Vec<_> = self.fields.iter().filter(|(_, since)| *since <= written).copied().collect();
        if wanted.is_empty() {
            return Ok(Refilled::default());
        }
        let mut forgotten = FieldErrors::new();
        let mut kept = record::kept(&entry.value)?;
        let (original, version) = self.schema.original(id, &entry.value)?;
        let mut is_more = false;
        for (field, since) in wanted {
            let Some(field) = self.schema.collection.fields.iter().find(|known| known.id == Some(field)) else {
                continue;
            };
            let Some(uuid) = field.id.map(FieldId::uuid).filter(|uuid| kept.get(*uuid, since).is_none()) else {
                continue;
            };
            let (value, is_changed) = match self.earlier(id, uuid, since, &kept).await? {
                Earlier::Known { value, is_changed } => (value, is_changed),
                Earlier::Forgotten if self.loses(field, since) => {
                    let message = "What this field was is in no history any more.";
                    forgotten.push(field.name.as_str(), FieldError::new("trimmed", message));
                    continue;
                }
                Earlier::Nothing | Earlier::Forgotten => continue,
            };
            let mut with = kept.clone();
            with.set(uuid, since, value);
            let is_needed = if is_changed {
                // Only where it would be lost otherwise, and may be.
                self.overwrites(field) && !self.goes_back(&original, version, &kept, uuid)
            } else {
                self.today(&original, version, &kept, field) != self.today(&original, version, &with, field)
            };
            if is_needed && self.today(&original, version, &with, field).is_ok() {
                (kept, is_more) = (with, true);
            }
        }
        let value = if is_more { Some(record::with_kept(entry.value.to_vec(), &kept)?) } else { None };
        Ok(Refilled { value, forgotten })
    }

    /// Whether a record that does not know what a field was before a version cannot say so by what it has there now: the field was dropped, or
    /// converted in a way that may lose something.
    fn loses(&self, field: &Field, since: u32) -> bool {
        let steps = self.schema.keys.steps.iter().filter(|step| step.version == since).flat_map(|step| &step.fields);
        let mut of_field = steps.filter_map(|step| match step {
            FieldStep::Dropped { was } if was.id == field.id => Some(true),
            FieldStep::Converted { to, convert, .. } | FieldStep::Restored { to, convert, .. } if to.id == field.id => {
                Some(!convert.0.is_empty())
            }
            _ => None,
        });
        of_field.next().unwrap_or(false)
    }

    /// What a field is in a record, if it fits.
    fn today(
        &self,
        original: &Record,
        version: u32,
        kept: &EarlierValues,
        field: &Field,
    ) -> std::result::Result<Option<Exact>, FieldErrors> {
        let mut errors = FieldErrors::new();
        let record = self.schema.translate(original.clone(), version, kept, Some(&mut errors));
        let value = record.member(field.name.as_str()).map(Exact::from);
        if errors.0.contains_key(field.name.as_str()) { Err(errors) } else { Ok(value) }
    }

    /// Whether what was changed since goes back as well.
    fn overwrites(&self, field: &Field) -> bool {
        self.restoring(field.id).is_some_and(|(_, _, convert)| !convert.0.is_empty())
    }

    /// Whether the value that a record has is one of the type that comes back.
    fn goes_back(&self, original: &Record, version: u32, kept: &EarlierValues, field: Uuid) -> bool {
        let Some((from, to, _)) = self.restoring(Some(FieldId::from_uuid(field))) else { return true };
        let now = self.schema.value_before(original.clone(), version, kept, field, self.schema.keys.version);
        let now = now.unwrap_or_default();
        carry_over(from, to, &Conversion::default(), Member { value: &now, text: now.text() }).is_ok()
    }

    /// How a field is restored by the definition's last step.
    fn restoring(&self, field: Option<FieldId>) -> Option<(&common::field::FieldType, &Field, &Conversion)> {
        self.schema.keys.steps.last()?.fields.iter().find_map(|step| match step {
            FieldStep::Restored { from, to, convert, .. } if to.id == field => Some((&**from, &**to, convert)),
            _ => None,
        })
    }

    /// What a record had in a field before a version. What is known of it from before helps: an earlier conversion may have been undone.
    async fn earlier(&mut self, id: RecordId, uuid: Uuid, since: u32, kept: &EarlierValues) -> Result<Earlier> {
        let mut back = Back::new(self.snapshot, Some(self.schema), self.schema.number(), id).await?;
        let (mut is_changed, mut sought) = (false, None::<Sought>);
        let (mut kept, mut when_back) = (kept.clone(), None);
        for _ in 0..MAX_STEPS {
            let Some(step) = back.step().await? else { break };
            tokio::task::yield_now().await;
            let definition = step.change.definition;
            // It is told of the record before the change.
            let known = kept.clone();
            kept = step.kept.unwrap_or(kept);
            if definition < since {
                let Some(after) = step.after else { continue };
                match self.as_it_was(after, definition, uuid, since, &known, sought.as_ref()) {
                    Before::Is(value) => return Ok(Earlier::Known { value, is_changed }),
                    Before::IsOther => continue,
                    Before::IsNothing => return Ok(Earlier::Nothing),
                    Before::WasGone(value) => {
                        // One that was made then has what those had that were made then.
                        when_back = when_back.or(value);
                        continue;
                    }
                }
            }
            // A field that was gone had no values meanwhile.
            let Some(name) = self.name(uuid, definition) else { continue };
            let is_same = match (&step.before, &step.after) {
                (Some(before), Some(after)) => before.is_same(after, name.as_str()),
                (None, Some(_)) => false,
                (_, None) => true,
            };
            if is_same || is_changed || sought.is_some() {
                continue;
            }
            let is_put_back = match (step.change.action, step.change.operation) {
                (Action::Restore, _) => true,
                (Action::Update, Some(operation)) => self.is_revert(operation).await?,
                _ => false,
            };
            if is_put_back {
                let value = step.after.and_then(|after| Some(Exact::from(after.member(name.as_str())?)));
                sought = value.map(|value| Sought { value, definition });
            } else {
                is_changed = true;
            }
        }
        // What came earlier may be in no journal any more.
        let Some(earliest) = back.earliest().cloned() else {
            return Ok(when_back.map_or(Earlier::Nothing, |value| Earlier::Known { value, is_changed }));
        };
        let (record, definition) = earliest;
        if definition >= since {
            return Ok(Earlier::Forgotten);
        }
        Ok(match self.as_it_was(record, definition, uuid, since, &kept, sought.as_ref()) {
            Before::Is(value) => Earlier::Known { value, is_changed },
            Before::IsOther | Before::WasGone(_) => Earlier::Forgotten,
            Before::IsNothing => Earlier::Nothing,
        })
    }

    /// What a record of a version had in a field just before another version. Where an earlier version was put back since, it is one that
    /// looked as is `sought`.
    fn as_it_was(
        &self,
        record: Record,
        definition: u32,
        field: Uuid,
        since: u32,
        kept: &EarlierValues,
        sought: Option<&Sought>,
    ) -> Before {
        let is_other = |sought: &Sought| {
            // What was put back was led there from its version, and knew of no other.
            let known = EarlierValues::default();
            let until = sought.definition.saturating_add(1);
            self.schema.value_before(record.clone(), definition, &known, field, until).as_ref() != Some(&sought.value)
        };
        if sought.is_some_and(is_other) {
            return Before::IsOther;
        }
        let value = self.schema.value_before(record, definition, kept, field, since);
        // What it was when it went stands further back.
        if self.schema.gone_since(field, definition).is_some_and(|gone| kept.get(field, gone).is_none()) {
            return Before::WasGone(value);
        }
        value.map_or(Before::IsNothing, Before::Is)
    }

    /// Whether an operation undid another.
    async fn is_revert(&mut self, operation: OperationId) -> Result<bool> {
        if let Some(known) = self.reverts.get(&operation) {
            return Ok(*known);
        }
        let mut is_revert = false;
        match Parts::new(self.snapshot, operation).await {
            Ok(mut parts) => {
                for _ in 0..FIRST {
                    let Some(part) = parts.next().await? else { break };
                    is_revert |= part.entries.iter().any(|(_, entry)| match entry {
                        journal::Entry::Other(change, _) if change.subject == Subject::Operation => {
                            change.action == Verb::Revert
                                || change.after.get("kind").and_then(Value::as_str) == Some("revert")
                        }
                        _ => false,
                    });
                }
            }
            Err(Error::NotFound | Error::Trimmed) => {}
            Err(error) => return Err(error),
        }
        self.reverts.insert(operation, is_revert);
        Ok(is_revert)
    }

    /// What a field was called under a version; `None` where it was not there.
    fn name(&self, field: Uuid, version: u32) -> Option<common::name::FieldName> {
        self.schema.names(version).into_iter().find(|(known, _)| *known == field).map(|(_, name)| name)
    }
}
