//! What records look like under the versions of their collection's definition. Each record says which version it is written in. One of an
//! earlier version is translated when it is read, so that a change of a definition is true of all records at its commit; what is not
//! stored as it is sent is written anew later, at leisure.
//!
//! A definition keeps how it changed, version by version: its [`Step`](super::steps::Step)s. They lead a record forward, and back: through its history.

use std::{collections::HashMap, ops::RangeInclusive};

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    conversion::carry_over,
    field::Field,
    id::{FieldId, RecordId, Revision},
    json::Exact,
    name::FieldName,
    problem::FieldErrors,
    record::Record,
    validate::{Ends, check_member},
};
use serde_json::Value;
use store::Entry;
use uuid::Uuid;

use super::{
    error::Result,
    record::{self, EarlierValues, assemble},
    schema::{Coming, Schema},
    steps::FieldStep,
};

/// The fields of one version: their ids and names.
pub(super) type Names = Vec<(Uuid, FieldName)>;

/// What a record was before it was carried over, as far as it is not in what it is now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lost {
    /// The version of the definition that it was written under.
    pub version: u32,
    /// The members that were otherwise, under their names of then.
    pub members: Record,
}

/// An earlier version of a record as the definition of today has it.
#[derive(Debug, Clone, Default)]
pub struct Today {
    /// With null, or the initial value, where what it had does not fit any more.
    pub record: Record,
    /// The fields that it had something in, and that are gone; with their names of then.
    pub gone: Vec<(FieldId, FieldName)>,
    /// What does not fit any more.
    pub unfit: FieldErrors,
    /// The fields that it had something in, of which a conversion made null.
    pub nulled: Vec<FieldName>,
    /// What its fields were before each step that converted or dropped them since.
    pub kept: EarlierValues,
}

/// What the fields of a record became on the way from one version to another.
#[derive(Default)]
struct Led {
    /// By their ids, with whether they are gone.
    values: HashMap<Uuid, (Exact, bool)>,
    /// What they were before the steps to versions that converted or dropped them.
    earlier: HashMap<(Uuid, u32), Exact>,
}

impl Schema {
    /// The last version that changed what records look like.
    pub fn look(&self) -> u32 {
        self.keys.steps.iter().rev().find(|step| step.changes_looks()).map_or(0, |step| step.version)
    }

    /// The version that says what a stored record looks like, where that changed after it was written: a part of its entity tag.
    pub fn look_since(&self, value: &[u8]) -> Result<Option<u32>> {
        Ok(Some(self.look())
            .filter(|look| *look > 0)
            .map(|look| Ok::<_, super::Error>((look, record::written(value)?)))
            .transpose()?
            .and_then(|(look, written)| (written < look).then_some(look)))
    }

    /// Whether a stored record is what is sent, so that it need not be parsed.
    pub fn is_current(&self, value: &[u8]) -> Result<bool> {
        let look = self.look();
        Ok(look == 0 || record::head(value)?.definition >= look)
    }

    /// The JSON of a record that is sent.
    pub fn json(&self, id: RecordId, value: &[u8], revision: Option<Revision>) -> Result<Bytes> {
        if self.is_current(value)? {
            return record::json(id, value, revision);
        }
        record::json_of(&self.decode(id, value)?, revision)
    }

    /// The same, behind what is there already.
    pub fn put_json(&self, out: &mut BytesMut, id: RecordId, value: &[u8], revision: Option<Revision>) -> Result<()> {
        if self.is_current(value)? {
            return record::put_json(out, id, value, revision);
        }
        out.put_slice(&record::json_of(&self.decode(id, value)?, revision)?);
        Ok(())
    }

    /// A stored record as this definition has it.
    pub fn decode(&self, id: RecordId, value: &[u8]) -> Result<Record> {
        if self.is_current(value)? {
            return record::decode(id, value);
        }
        self.translated(id, value, None)
    }

    /// A stored record of any version as this definition has it, with what does not fit: see [`Self::translate`].
    pub fn translated(&self, id: RecordId, value: &[u8], errors: Option<&mut FieldErrors>) -> Result<Record> {
        let (original, version) = self.original(id, value)?;
        Ok(self.translate(original, version, &record::kept(value)?, errors))
    }

    /// The same with its revision.
    pub fn parse(&self, id: RecordId, entry: &Entry) -> Result<Record> {
        let mut record = self.decode(id, &entry.value)?;
        record.set("revision", entry.version.get());
        Ok(record)
    }

    /// A stored record as it was written, and the version of the definition that it was written under.
    pub fn original(&self, id: RecordId, value: &[u8]) -> Result<(Record, u32)> {
        let (head, written) = (record::head(value)?.definition, record::written(value)?);
        let record = record::decode(id, value)?;
        if head == written {
            return Ok((record, written));
        }
        Ok((self.back(record, head, &Lost { version: written, members: record::lost(value)? }), written))
    }

    /// What a stored record was, as far as it is not in `record`, which is what it is now; `None` where that and its version say nothing more.
    /// What its history knows of its fields is a part of that, where it is not `kept`.
    pub fn lost(
        &self,
        id: RecordId,
        value: &[u8],
        record: &Record,
        kept: Option<&EarlierValues>,
    ) -> Result<Option<Lost>> {
        let lost = self.lost_members(id, value, record)?;
        let had = record::kept(value)?;
        if had.is_empty() || kept == Some(&had) {
            return Ok(lost);
        }
        let mut lost = lost
            .map_or_else(|| Ok(Lost { version: record::written(value)?, ..Lost::default() }), Ok::<_, super::Error>)?;
        lost.members.extend(had.as_members().clone());
        Ok(Some(lost))
    }

    fn lost_members(&self, id: RecordId, value: &[u8], record: &Record) -> Result<Option<Lost>> {
        if self.look() <= record::written(value)? {
            return Ok(None);
        }
        let (original, version) = self.original(id, value)?;
        let now: HashMap<Uuid, &str> = self.keys.fields.iter().map(|field| (field.id, field.name.as_str())).collect();
        let mut members = original;
        let kept = |record: &Record, members: &Record, id: Uuid, name: &str| {
            let (Some(value), Some(now)) = (members.member(name), now.get(&id)) else { return false };
            record.member(now).is_some_and(|member| member.value == value.value && member.text == value.text)
        };
        let gone: Vec<FieldName> = self
            .names(version)
            .into_iter()
            .filter(|(id, name)| !kept(record, &members, *id, name.as_str()))
            .map(|(_, name)| name)
            .collect();
        members.retain(|name| gone.iter().any(|gone| gone.as_str() == name));
        // A field that was added since has its first value by the version alone.
        let is_nothing = members == Record::default() && !self.adds_since(version);
        Ok((!is_nothing).then_some(Lost { version, members }))
    }

    /// Whether fields came after a version.
    fn adds_since(&self, version: u32) -> bool {
        let mut steps = self.keys.steps.iter().rev().take_while(|step| step.version > version);
        let adds = |field: &FieldStep| matches!(field, FieldStep::Added { .. } | FieldStep::Filled { .. });
        steps.any(|step| step.fields.iter().any(adds))
    }

    /// A record of another version as this one has it. Where values do not fit, `errors` are told, and null or the initial value
    /// stands there. `kept` is what its history knows of its fields.
    pub fn translate(
        &self,
        record: Record,
        from: u32,
        kept: &EarlierValues,
        errors: Option<&mut FieldErrors>,
    ) -> Record {
        self.lead(record, from, kept, errors).0
    }

    /// The same, with what its fields were before the steps on the way.
    fn lead(
        &self,
        mut record: Record,
        from: u32,
        kept: &EarlierValues,
        errors: Option<&mut FieldErrors>,
    ) -> (Record, HashMap<(Uuid, u32), Exact>) {
        let Led { mut values, earlier } = self.values(&mut record, from..=self.keys.version, kept, errors);
        let mut members = Record::default();
        for (field, key) in self.collection.fields.iter().zip(&self.keys.fields) {
            let value = match values.remove(&key.id) {
                Some((value, false)) => value,
                _ => field.initial(),
            };
            members.set(field.name.as_str(), value);
        }
        (assemble(&record, members), earlier)
    }

    /// What the history of a stored record knows of its fields; and what it says itself, where a definition is coming that goes back to that.
    pub fn kept(&self, id: RecordId, value: &[u8]) -> Result<EarlierValues> {
        let mut kept = record::kept(value)?;
        let coming = self.coming.as_deref().and_then(|coming| Some((&coming.schema, coming.schema.keys.steps.last()?)));
        let Some((coming, step)) = coming else { return Ok(kept) };
        let back = step.fields.iter().filter_map(|field| match field {
            FieldStep::Restored { since, to, .. } => Some((to.id?, *since)),
            FieldStep::Revived { field } => Some((*field, coming.dropped_before(*field, step.version)?)),
            _ => None,
        });
        for (field, since) in back {
            let (original, written) = coming.original(id, value)?;
            if written < since
                && let Some(was) = coming.value_before(original, written, &kept, field.uuid(), since)
            {
                kept.set(field.uuid(), since, was);
            }
        }
        Ok(kept)
    }

    /// What a record of version `from` has in a field just before the step to `until`.
    pub fn value_before(
        &self,
        mut record: Record,
        from: u32,
        kept: &EarlierValues,
        field: Uuid,
        until: u32,
    ) -> Option<Exact> {
        let Led { mut values, .. } = self.values(&mut record, from..=until.saturating_sub(1), kept, None);
        values.remove(&field).filter(|(_, is_gone)| !is_gone).map(|(value, _)| value)
    }

    /// What the fields of a record become on the way from one version to another.
    fn values(
        &self,
        record: &mut Record,
        versions: RangeInclusive<u32>,
        kept: &EarlierValues,
        mut errors: Option<&mut FieldErrors>,
    ) -> Led {
        let Led { mut values, mut earlier } = Led::default();
        for (id, name) in self.names(*versions.start()) {
            if let Some(value) = record.take(name.as_str()) {
                values.insert(id, (value, false));
            }
        }
        let steps =
            self.keys.steps.iter().filter(|step| step.version > *versions.start() && versions.contains(&step.version));
        let mut as_of = kept.as_of();
        as_of.retain(|(version, ..)| version > versions.start() && versions.contains(version));
        let mut as_of = as_of.into_iter().peekable();
        for (version, step) in steps.flat_map(|step| step.fields.iter().map(|field| (step.version, field))) {
            while let Some((_, id, value)) = as_of.next_if(|(known, ..)| *known < version) {
                earlier.retain(|(known, _), _| *known != id);
                values.insert(id, (value, false));
            }
            match step {
                FieldStep::Renamed { .. } | FieldStep::Loosened { .. } => {}
                FieldStep::Added { field, value } => {
                    values.insert(field.uuid(), (value.clone(), false));
                }
                FieldStep::Dropped { was } => {
                    let id = was.id.map(FieldId::uuid);
                    if let Some((id, value)) = id.and_then(|id| Some((id, values.get_mut(&id)?))) {
                        earlier.insert((id, version), value.0.clone());
                        value.1 = true;
                    }
                }
                FieldStep::Revived { field } => {
                    let was = || kept.get(field.uuid(), self.dropped_before(*field, version)?);
                    let was = || was().or_else(|| self.unfilled(*field, version));
                    if let Some(value) = values.get_mut(&field.uuid()) {
                        value.1 = false;
                    } else if let Some(was) = was() {
                        values.insert(field.uuid(), (was, false));
                    }
                }
                FieldStep::Filled { field, value } => {
                    values.entry(field.uuid()).or_insert_with(|| (value.clone(), false));
                }
                FieldStep::Converted { from, to, convert } | FieldStep::Restored { from, to, convert, .. } => {
                    let Some(id) = to.id.map(FieldId::uuid) else { continue };
                    let Some((value, false)) = values.get_mut(&id) else { continue };
                    earlier.insert((id, version), value.clone());
                    if let FieldStep::Restored { since, .. } = step
                        && let Some(was) = earlier.get(&(id, *since)).cloned().or_else(|| kept.get(id, *since))
                    {
                        *value = was;
                        continue;
                    }
                    match carry_over(from, to, convert, member(value)) {
                        Ok(converted) => *value = converted,
                        Err(faults) => {
                            if let Some(errors) = &mut errors {
                                errors.add(to.name.to_string(), faults);
                            }
                            *value = if to.nullable { Value::Null.into() } else { to.initial() };
                        }
                    }
                }
            }
        }
        values.extend(as_of.map(|(_, id, value)| (id, (value, false))));
        Led { values, earlier }
    }

    /// A record of version `from` as it was under an earlier one, where `lost` says what of it was otherwise.
    pub fn back(&self, mut record: Record, from: u32, lost: &Lost) -> Record {
        if from == lost.version {
            return record;
        }
        let now: HashMap<Uuid, FieldName> = self.names(from).into_iter().collect();
        let mut before = lost.members.clone();
        let mut members = Record::default();
        for (id, name) in self.names(lost.version) {
            let value = before.take(name.as_str());
            let value = value.or_else(|| now.get(&id).and_then(|now| record.take(now.as_str())));
            if let Some(value) = value {
                members.set(name.as_str(), value);
            }
        }
        assemble(&record, members)
    }

    /// A record of another version under the names of today, with the values that it had. What is gone keeps its name of then, where
    /// nothing else has it.
    pub fn under_todays_names(&self, mut record: Record, version: u32) -> Record {
        if self.look() <= version {
            return record;
        }
        let mut members = Record::default();
        for (id, name) in self.names(version) {
            let Some(value) = record.take(name.as_str()) else { continue };
            match self.keys.fields.iter().find(|field| field.id == id) {
                Some(field) => members.set(field.name.as_str(), value),
                None if self.keys.fields.iter().all(|field| field.name != name) => members.set(name.as_str(), value),
                None => {}
            }
        }
        assemble(&record, members)
    }

    /// A record of another version as this one has it: what was in a field is in that field, whatever it and others are called. `kept` is what
    /// was known of its fields then.
    pub fn as_of_today(&self, record: Record, version: u32, mut kept: EarlierValues) -> Today {
        let is_gone = |id: Uuid| self.keys.fields.iter().all(|field| field.id != id);
        let names = self
            .names(version)
            .into_iter()
            .filter(|(id, name)| is_gone(*id) && record.get(name.as_str()).is_some_and(|value| !value.is_null()));
        let gone = names.map(|(id, name)| (FieldId::from_uuid(id), name)).collect();
        let had = |name: &str| record.get(name).is_some_and(|value| !value.is_null() && *value != "");
        let had: Vec<Uuid> =
            self.names(version).into_iter().filter(|(_, name)| had(name.as_str())).map(|(id, _)| id).collect();
        let mut unfit = FieldErrors::new();
        let (record, earlier) = self.lead(record, version, &kept, Some(&mut unfit));
        for ((field, since), value) in earlier {
            kept.set(field, since, value);
        }
        let is_nulled = |name: &str| record.get(name).is_some_and(Value::is_null) && !unfit.0.contains_key(name);
        let nulled = self.keys.fields.iter().filter(|field| had.contains(&field.id) && is_nulled(field.name.as_str()));
        let nulled = nulled.map(|field| field.name.clone()).collect();
        Today { record, gone, unfit, nulled, kept }
    }

    /// Whether two records of one version have the same in the field that is called `name` today.
    pub fn is_same_field(&self, name: &str, version: u32, one: &Record, other: &Record) -> bool {
        let id = self.keys.fields.iter().find(|field| field.name.as_str() == name).map(|field| field.id);
        let then = self.names(version).into_iter().find(|(known, _)| Some(*known) == id);
        then.is_some_and(|(_, then)| one.is_same(other, then.as_str()))
    }

    /// A stored record of an earlier version as it is stored under this one; `None` where it need not be, or cannot be.
    pub fn rewritten(&self, id: RecordId, value: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.is_current(value)? {
            return Ok(None);
        }
        let record = self.decode(id, value)?;
        let lost = self.lost_members(id, value, &record)?.unwrap_or_default();
        record::carry(value, self.keys.version, &record, &lost.members)
    }

    /// Whether what a record of a version has in a field is made by the definition, and not what was written.
    pub fn is_made(&self, id: Uuid, version: u32) -> bool {
        let steps = self.keys.steps.iter().filter(|step| step.version > version).flat_map(|step| &step.fields);
        steps.into_iter().any(|step| match step {
            FieldStep::Added { field, .. } | FieldStep::Filled { field, .. } => field.uuid() == id,
            FieldStep::Converted { to, .. } | FieldStep::Restored { to, .. } => to.id.map(FieldId::uuid) == Some(id),
            _ => false,
        })
    }

    /// A field that is gone, as it was last.
    pub fn dropped(&self, id: FieldId) -> Option<&Field> {
        if self.keys.fields.iter().any(|field| field.id == id.uuid()) {
            return None;
        }
        self.keys.steps.iter().rev().flat_map(|step| &step.fields).find_map(|step| match step {
            FieldStep::Dropped { was } if was.id == Some(id) => Some(&**was),
            _ => None,
        })
    }

    /// The field that was dropped last of those of a name.
    pub fn dropped_named(&self, name: &str) -> Option<&Field> {
        let dropped = self.keys.steps.iter().rev().flat_map(|step| &step.fields).find_map(|step| match step {
            FieldStep::Dropped { was } if was.name.as_str() == name => was.id,
            _ => None,
        });
        self.dropped(dropped?)
    }

    /// The version that dropped a field, the last time.
    pub fn dropped_at(&self, id: FieldId) -> Option<u32> {
        self.dropped_before(id, u32::MAX)
    }

    /// The version that dropped a field, where it was gone under another version.
    pub fn gone_since(&self, field: Uuid, under: u32) -> Option<u32> {
        let is_there = self.names(under).iter().any(|(known, _)| *known == field);
        if is_there { None } else { self.dropped_before(FieldId::from_uuid(field), under.saturating_add(1)) }
    }

    /// The same, the last time before another version.
    fn dropped_before(&self, id: FieldId, version: u32) -> Option<u32> {
        let drops = |field: &FieldStep| matches!(field, FieldStep::Dropped { was } if was.id == Some(id));
        let mut steps = self.keys.steps.iter().rev().filter(|step| step.version < version);
        steps.find(|step| step.fields.iter().any(drops)).map(|step| step.version)
    }

    /// What a record has that was made while a field was gone, where the step that had it back does not say: earlier versions made such.
    fn unfilled(&self, id: FieldId, version: u32) -> Option<Exact> {
        let step = self.keys.steps.iter().find(|step| step.version == version)?;
        let fills = |field: &FieldStep| matches!(field, FieldStep::Filled { field, .. } if *field == id);
        if step.fields.iter().any(fills) {
            return None;
        }
        let mut before =
            self.keys.steps.iter().rev().filter(|step| step.version < version).flat_map(|step| &step.fields);
        before.find_map(|field| match field {
            FieldStep::Dropped { was } if was.id == Some(id) => Some(was.initial()),
            _ => None,
        })
    }

    /// What the fields were called under a version.
    pub(super) fn names(&self, version: u32) -> Names {
        let mut names: Names = self.keys.fields.iter().map(|field| (field.id, field.name.clone())).collect();
        for step in self.keys.steps.iter().rev().take_while(|step| step.version > version) {
            for step in step.fields.iter().rev() {
                match step {
                    FieldStep::Renamed { field, from } => {
                        if let Some(known) = names.iter_mut().find(|(id, _)| *id == field.uuid()) {
                            known.1 = from.clone();
                        }
                    }
                    FieldStep::Added { field, .. } | FieldStep::Revived { field } => {
                        names.retain(|(id, _)| *id != field.uuid());
                    }
                    FieldStep::Dropped { was } => names.extend(was.id.map(|id| (id.uuid(), was.name.clone()))),
                    FieldStep::Filled { .. }
                    | FieldStep::Converted { .. }
                    | FieldStep::Loosened { .. }
                    | FieldStep::Restored { .. } => {}
                }
            }
        }
        names
    }
}

impl Schema {
    /// The ids of the fields that have a name, or had it.
    pub(super) fn fields_named(&self, name: &FieldName) -> Vec<Uuid> {
        let now = self.keys.fields.iter().filter(|field| field.name == *name).map(|field| field.id);
        let before = self.keys.steps.iter().flat_map(|step| &step.fields).filter_map(|step| match step {
            FieldStep::Renamed { field, from } if from == name => Some(field.uuid()),
            FieldStep::Dropped { was } if was.name == *name => was.id.map(FieldId::uuid),
            _ => None,
        });
        let mut ids: Vec<Uuid> = now.chain(before).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Coming {
    /// A stored record as the coming definition has it, if it fits.
    pub fn fitting(&self, id: RecordId, value: &[u8]) -> Result<std::result::Result<Record, FieldErrors>> {
        let mut errors = FieldErrors::new();
        let record = self.schema.translated(id, value, Some(&mut errors))?;
        self.check(&record, &mut errors);
        Ok(errors.or(record))
    }

    /// Looks at the values of a translated record that may not fit.
    pub fn check(&self, record: &Record, errors: &mut FieldErrors) {
        for field in self.checked.iter().filter_map(|i| self.schema.collection.fields.get(*i)) {
            let name = field.name.as_str();
            if !errors.0.contains_key(name)
                && let Some(member) = record.member(name)
                && let Err(faults) = check_member(field, member, Ends::Kept)
            {
                errors.add(name.to_owned(), faults);
            }
        }
    }
}

fn member(value: &Exact) -> common::record::Member<'_> {
    common::record::Member { value, text: value.text() }
}
