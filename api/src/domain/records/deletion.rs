//! What a deletion comes to: the records that go, the references that become null, and what holds it back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use common::{
    access::Caller,
    change::{Subject, Verb},
    field::{Field, FieldType, OnDelete},
    id::RecordId,
    name::CollectionName,
    problem::{FieldError, FieldErrors, NON_FIELD},
    record::Record,
    undo::Counted,
};
use serde_json::Value;
use store::{Entry, Expect, Scan, Snapshot, counter};

use super::visible::{is_visible, may_view};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::summary::Counts,
    keyspace, record,
    record::assemble,
    schema::{self, Schema, StoredDefinition},
    stage::{Stage, Stored},
    work,
};

/// Records that one commit of a deletion touches at most, and their bytes.
pub(super) const MAX_TOUCHED: usize = 10_000;
pub(super) const MAX_TOUCHED_BYTES: usize = 8 * 1024 * 1024;

/// A record that goes.
pub(in crate::domain) struct Going {
    pub schema: Arc<Schema>,
    pub id: RecordId,
    pub entry: Entry,
    /// How often it is referred to, as that is stored.
    pub referrers: Option<Entry>,
}

impl Going {
    pub(super) fn which(&self) -> Which {
        (self.schema.collection.name.clone(), self.id)
    }
}

/// A reference that becomes null, or is taken out of a list: from which collection, by which field, from which record, to which.
pub(in crate::domain) type Emptied = (CollectionName, Field, RecordId, RecordId);

/// A record, by its collection.
pub(super) type Which = (CollectionName, RecordId);

/// A reference to a record: from which collection, by which field, what becomes of it with that record, and from which record.
pub(in crate::domain) type Referrer = (CollectionName, Field, OnDelete, RecordId);

/// What the same commit makes of other records than those that are deleted.
pub(super) struct Beside<'a> {
    /// Records that are judged by what they will refer to.
    pub changed: BTreeSet<Which>,
    /// Which of them will refer to a record.
    pub referring: &'a (dyn Fn(&Which) -> Vec<Referrer> + Sync),
}

/// What is reached from records that are deleted.
pub(super) struct Reached {
    pub plan: Plan,
    /// References that hold it back, each with the record that it leads to.
    pub restricting: Vec<Emptied>,
    /// What goes along, and with which record.
    pub along: BTreeMap<Which, Which>,
}

/// Whether two references are those of one record.
fn is_of_one_record(a: &Emptied, b: &Emptied) -> bool {
    a.2 == b.2 && a.0 == b.0
}

/// Everything that a deletion comes to.
pub(in crate::domain) struct Plan {
    /// The records that go: first the one that is deleted.
    pub going: Vec<Going>,
    /// References that become null, those of one record together.
    pub emptied: Vec<Emptied>,
    /// Changes of definitions that end, since a record would refer to one that goes.
    pub ended: Vec<(Arc<Schema>, RecordId, FieldErrors)>,
}

/// What goes with records that are deleted, and is hidden from the caller, since what they see would have been told. `known` are the records
/// that are taken care of, the deleted ones among them.
pub(in crate::domain) async fn followers(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    deleted: Vec<Which>,
    known: BTreeSet<Which>,
) -> Result<Plan> {
    let roots: BTreeSet<_> = deleted.iter().cloned().collect();
    let mut plan = plan(core, snapshot, caller, deleted, known).await?.ok_or_else(|| {
        Error::Conflict("More goes with these records than one commit takes. Delete them one by one.".to_owned())
    })?;
    plan.going.retain(|going| !roots.contains(&going.which()));
    Ok(plan)
}

/// What a deletion of records comes to; `None` where that is more than one commit takes. `seen` are those, and others that need not be
/// looked at.
pub(super) async fn plan(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    waiting: Vec<Which>,
    seen: BTreeSet<Which>,
) -> Result<Option<Plan>> {
    let beside = Beside { changed: BTreeSet::new(), referring: &|_| Vec::new() };
    match follow(core, snapshot, waiting, seen, &beside).await? {
        Some(Reached { plan, restricting, .. }) if restricting.is_empty() => Ok(Some(plan)),
        Some(Reached { restricting, .. }) => Err(restricted(core, snapshot, caller, &referrers_of(restricting)).await?),
        None => Ok(None),
    }
}

/// The same where the commit changes other records too. What is last in `waiting` is followed first.
pub(super) async fn follow(
    core: &Core,
    snapshot: &Snapshot,
    mut waiting: Vec<Which>,
    mut seen: BTreeSet<Which>,
    beside: &Beside<'_>,
) -> Result<Option<Reached>> {
    let known = seen.len();
    let (mut going, mut ended, mut along) = (Vec::new(), Vec::new(), BTreeMap::new());
    // References that must become null, once it is known which records go.
    let mut emptied: Vec<Emptied> = Vec::new();
    let mut restricting: Vec<Emptied> = Vec::new();
    let mut bytes = 0;
    while let Some(target) = waiting.pop() {
        let (name, id) = &target;
        let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
        let mut found = (beside.referring)(&target);
        if let Some(entry) = snapshot.get(&keyspace::record(schema.number(), *id)).await? {
            let referrers = snapshot.get(&keyspace::referrers(schema.number(), *id)).await?;
            let count = referrers.as_ref().and_then(counter).unwrap_or(0);
            bytes += entry.value.len();
            work::hold(2 * entry.value.len())?;
            going.push(Going { schema: Arc::clone(&schema), id: *id, entry, referrers });
            if bytes > MAX_TOUCHED_BYTES {
                return Ok(None);
            }
            if count > 0 {
                ended.extend(coming_referrers(core, snapshot, &schema, *id).await?);
                let stored = referring(snapshot, &schema, *id).await?;
                found.extend(
                    stored.into_iter().filter(|(name, _, _, id)| !beside.changed.contains(&(name.clone(), *id))),
                );
            }
        }
        for (name, field, on_delete, referrer) in found {
            let which = (name.clone(), referrer);
            match on_delete {
                // It goes, or lets go.
                _ if seen.contains(&which) => {}
                OnDelete::Restrict => restricting.push((name, field, referrer, *id)),
                OnDelete::SetNull => emptied.push((name, field, referrer, *id)),
                OnDelete::Cascade => {
                    seen.insert(which.clone());
                    along.insert(which.clone(), target.clone());
                    waiting.push(which);
                }
            }
        }
        if seen.len() - known + emptied.len() >= core.cascade_at_once {
            return Ok(None);
        }
    }
    restricting.retain(|(name, _, id, _)| !seen.contains(&(name.clone(), *id)));
    emptied.retain(|(name, _, id, _)| !seen.contains(&(name.clone(), *id)));
    emptied.sort_by(|(name, _, id, _), (other, _, other_id, _)| (id, name).cmp(&(other_id, other)));
    for group in emptied.chunk_by(is_of_one_record).take_while(|_| restricting.is_empty()) {
        let [(name, _, id, _), ..] = group else { continue };
        let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
        let entry = snapshot.get(&keyspace::record(schema.number(), *id)).await?;
        bytes += entry.map_or(0, |entry| entry.value.len());
        if bytes > MAX_TOUCHED_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(Reached { plan: Plan { going, emptied, ended }, restricting, along }))
}

/// Where references come from.
pub(super) fn referrers_of(references: Vec<Emptied>) -> Vec<(CollectionName, Field, RecordId)> {
    references.into_iter().map(|(name, field, id, _)| (name, field, id)).collect()
}

impl Plan {
    /// What it does to how many records, as far as the caller may view them.
    pub(super) async fn counts(&self, core: &Core, snapshot: &Snapshot, caller: &Caller) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut add = |schema: &Schema, entry: &Entry, action| -> Result<()> {
            if may_view(schema, caller, record::owner(&entry.value)?) {
                let collection = Some(schema.collection.name.clone());
                counts.add_many(Counted { subject: Subject::Record, collection, action, count: 1 });
            }
            Ok(())
        };
        for Going { schema, entry, .. } in &self.going {
            add(schema, entry, Verb::Delete)?;
        }
        for group in self.emptied.chunk_by(is_of_one_record) {
            let [(name, _, id, _), ..] = group else { continue };
            let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
            let Some(entry) = snapshot.get(&keyspace::record(schema.number(), *id)).await? else { continue };
            add(&schema, &entry, Verb::Update)?;
        }
        Ok(counts)
    }

    /// Stages all of it, where these records were asked for, and the others follow from that.
    pub(super) async fn stage_many(
        self,
        core: &Core,
        snapshot: &Snapshot,
        stage: &mut Stage<'_>,
        roots: &BTreeSet<Which>,
    ) -> Result<()> {
        for Going { schema, id, entry, referrers } in self.going {
            stage.is_consequence = !roots.contains(&(schema.collection.name.clone(), id));
            stage.delete(&schema, id, &entry).await?;
            expect_referrers(stage, &schema, id, referrers.as_ref());
        }
        stage.is_consequence = true;
        empty_references(core, snapshot, stage, self.emptied).await?;
        for (schema, id, errors) in self.ended {
            stage.end_coming(&schema, id, errors).await?;
        }
        Ok(())
    }

    /// Stages all of it. Where the stage forgets, `forgets_all` says whether it forgets what goes with the record too.
    pub(in crate::domain) async fn stage(
        self,
        core: &Core,
        snapshot: &Snapshot,
        stage: &mut Stage<'_>,
        forgets_all: bool,
    ) -> Result<()> {
        for Going { schema, id, entry, referrers } in self.going {
            stage.delete(&schema, id, &entry).await?;
            // What follows, follows from the first.
            stage.is_consequence = true;
            stage.forgets &= forgets_all;
            expect_referrers(stage, &schema, id, referrers.as_ref());
        }
        empty_references(core, snapshot, stage, self.emptied).await?;
        for (schema, id, errors) in self.ended {
            stage.end_coming(&schema, id, errors).await?;
        }
        Ok(())
    }
}

/// Nothing may begin to refer to a record that goes.
pub(in crate::domain) fn expect_referrers(stage: &mut Stage<'_>, schema: &Schema, id: RecordId, found: Option<&Entry>) {
    let expected = found.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    stage.expect(keyspace::referrers(schema.number(), id), expected);
}

/// What is told of the records that hold a deletion back: the field and the number of those that the caller may see. Where they may see
/// none, only that there are some.
pub(super) async fn restricted(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    restricting: &[(CollectionName, Field, RecordId)],
) -> Result<Error> {
    let mut seen: Option<(&CollectionName, &Field, u64)> = None;
    for (name, field, id) in restricting {
        if seen.is_some_and(|(other, by, _)| other != name || by.name != field.name) {
            break;
        }
        let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
        if is_visible(snapshot, caller, &schema, *id).await?
            && is_target_visible(core, snapshot, caller, &schema, field, *id).await?
        {
            seen = Some((name, field, seen.map_or(1, |(.., count)| count + 1)));
        }
    }
    let (place, message) = match seen {
        Some((name, field, count)) => {
            let records = common::text::count(count, "record");
            let refer = if count == 1 { "refers" } else { "refer" };
            let message = format!("{records} of \"{name}\" still {refer} to this through \"{}\".", field.name);
            (field.name.as_str(), message)
        }
        None => (NON_FIELD, "Something that you may not see still refers to this.".to_owned()),
    };
    Ok(Error::Taken(FieldErrors::of(place, FieldError::new("restricted", message))))
}

/// Whether the caller sees what a record refers to: that may go with the record that is deleted, and be hidden.
async fn is_target_visible(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    field: &Field,
    id: RecordId,
) -> Result<bool> {
    let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { return Ok(false) };
    let Some(target) = core.schemas.load(snapshot, collection).await? else { return Ok(false) };
    let Some(entry) = snapshot.get(&keyspace::record(schema.number(), id)).await? else { return Ok(false) };
    let record = schema.parse(id, &entry)?;
    for id in record.get(field.name.as_str()).into_iter().flat_map(RecordId::all_in) {
        if is_visible(snapshot, caller, &target, id).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The collections whose coming definition would refer to a record, with one record of each that would.
pub(super) async fn coming_referrers(
    core: &Core,
    snapshot: &Snapshot,
    target: &Schema,
    id: RecordId,
) -> Result<Vec<(Arc<Schema>, RecordId, FieldErrors)>> {
    let (mut found, value) = (Vec::new(), id.to_value());
    let coming = schema::all(snapshot).filter_map(|definition| definition.coming.is_some().then_some(definition));
    for definition in coming.await? {
        let Some(schema) = core.schemas.load(snapshot, &definition.collection.name).await? else { continue };
        let Some(coming) = &schema.coming else { continue };
        for (field, indexes) in coming.schema.fields() {
            let FieldType::Reference { collection, .. } = &field.kind else { continue };
            let index = indexes.values.filter(|index| coming.new_indexes.contains(index));
            let (Some(index), true) = (index, collection.as_ref() == Some(&target.collection.name)) else { continue };
            let prefix = keyspace::index_value(schema.number(), index, field, &value);
            if let Some((key, _)) = snapshot.scan(Scan::prefix(&prefix).limit(1)).await?.first()
                && let Some(referrer) = keyspace::last_id(key)
            {
                let error = common::validate::does_not_exist(&id.to_string());
                found.push((Arc::clone(&schema), referrer, FieldErrors::of(field.name.as_str(), error)));
                break;
            }
        }
    }
    Ok(found)
}

/// Every reference to a record: from which collection, by which field, from which record.
pub(in crate::domain) async fn referring(snapshot: &Snapshot, schema: &Schema, id: RecordId) -> Result<Vec<Referrer>> {
    let mut found = Vec::new();
    let value = id.to_value();
    let mut all = schema::all(snapshot);
    while let Some(StoredDefinition { collection: other, keys, .. }) = all.next().await? {
        for (field, key) in other.fields.iter().zip(&keys.fields) {
            let FieldType::Reference { collection, on_delete, .. } = &field.kind else { continue };
            if collection.as_ref() != Some(&schema.collection.name) {
                continue;
            }
            let Some(index) = keys.indexes_of(key.number).values else { continue };
            let prefix = keyspace::index_value(keys.number, index, field, &value);
            let scan = Scan::prefix(&prefix).limit(MAX_TOUCHED + 1);
            let entries = snapshot.scan(scan).await?;
            let ids = entries.iter().filter_map(|(key, _)| keyspace::last_id(key));
            found.extend(ids.map(|id| (other.name.clone(), field.clone(), *on_delete, id)));
        }
    }
    Ok(found)
}

/// Makes references null. A record with several of them is written once.
async fn empty_references(
    core: &Core,
    snapshot: &Snapshot,
    stage: &mut Stage<'_>,
    emptied: Vec<Emptied>,
) -> Result<()> {
    for group in emptied.chunk_by(is_of_one_record) {
        let [(name, _, id, _), ..] = group else { continue };
        let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
        let Some(entry) = snapshot.get(&keyspace::record(schema.number(), *id)).await? else { continue };
        // As it was, and as it will be.
        work::hold(2 * work::parsed_size(&entry.value))?;
        let old = schema.parse(*id, &entry)?;
        let mut values = old.clone();
        values.retain(|name| schema.collection.field(name).is_some());
        for (_, field, _, gone) in group {
            let_go(&mut values, field, *gone);
        }
        let mut record = assemble(&old, values);
        record.set("updated_at", core.timestamp());
        stage.update(&schema, &Stored { id: *id, entry, record: old }, &record).await?;
    }
    Ok(())
}

/// Has a record refer to another no more.
pub(super) fn let_go(values: &mut Record, field: &Field, gone: RecordId) {
    let name = field.name.as_str();
    let left = match values.get(name) {
        Some(value @ Value::Array(_)) => {
            RecordId::all_in(value).filter(|id| *id != gone).map(RecordId::to_value).collect()
        }
        _ => Value::Null,
    };
    values.set(name, left);
}
