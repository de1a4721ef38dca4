//! What a change of a definition would do.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use common::{
    access::Decision,
    collection::{DefinitionQuery, DryRun},
    field::FieldType,
    id::OperationId,
    problem::FieldErrors,
    record::Record,
    validate::does_not_exist,
};
use store::{Scan, Snapshot};
use uuid::Uuid;

use super::{
    loss::holds_something,
    plan::{Plan, Undone, asks_for_value},
};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    operations::{Refill, Refilled, push},
    paths,
    schema::{self, Coming, Schema},
    stage::{Entries, taken},
};

/// How long records are looked at. What it found of more is told as it is.
const MAX_SECONDS: u64 = 15;

/// Goes through the records as the change would, and writes nothing.
pub(super) async fn of(
    core: &Core,
    snapshot: &Snapshot,
    before: &Schema,
    mut plan: Plan,
    query: &DefinitionQuery,
    undone: Option<&Undone>,
) -> Result<DryRun> {
    let records = schema::count(&core.owners, snapshot, before.number(), Decision::All).await?.unwrap_or(0);
    let mut told = DryRun::of(records);
    let needs_check = plan.has_new_indexes || !plan.checked.is_empty();
    let unfilled: Vec<String> =
        plan.without_value.iter().map(|i| plan.after.collection.fields[*i].name.to_string()).collect();
    let ids: Vec<_> = plan.dropped.iter().filter_map(|field| field.id).collect();
    let paths = if ids.is_empty() { Vec::new() } else { paths::named_by(snapshot, None, &ids).await? };
    if !paths.is_empty() {
        told.gone.push(format!("Published paths name what would go, so it is refused: {}.", paths.join(", ")));
    }
    let refilled = std::mem::take(&mut plan.refilled);
    let (dropped, coming) = (plan.dropped.clone(), coming(core, snapshot, before, plan).await?);
    let look = coming.schema.look() > before.look();
    let (began, hasher, mut uniques) = (core.clock.elapsed(), RandomState::new(), HashSet::new());
    let deadline = core.deadline();
    let mut refill = Refill::new(snapshot, &coming.schema, &refilled);
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(before.number())));
    'reading: while let Some(page) = pages.next().await? {
        for (key, mut entry) in page {
            let Some(id) = keyspace::last_id(&key) else { continue };
            told.checked += 1;
            let Refilled { value, forgotten } = refill.record(id, &entry).await?;
            let mut errors =
                if undone.is_some_and(|undone| undone.overwrites) { FieldErrors::new() } else { forgotten };
            let old = before.decode(id, &entry.value)?;
            for field in dropped.iter().filter(|field| holds_something(&old, field)) {
                *told.dropped.entry(field.name.to_string()).or_default() += 1;
            }
            entry.value = value.map_or(entry.value, Into::into);
            let record = coming.schema.translated(id, &entry.value, Some(&mut errors))?;
            coming.check(&record, &mut errors);
            for field in &unfilled {
                errors.push(field.as_str(), asks_for_value());
            }
            let owner = match record.owner() {
                Some(user) => core.owners.number(snapshot, user).await?,
                None => None,
            };
            let entries = Entries::of(&coming.schema, id, &record, owner).within(&coming.schema, &coming.new_indexes);
            for (key, field) in &entries.uniques {
                if !uniques.insert(hasher.hash_one(key)) {
                    let (place, error) = taken(field);
                    errors.push(place, error);
                }
            }
            for target in &entries.targets {
                if snapshot.get(&target.key).await?.is_none() {
                    errors.push(target.field.clone(), does_not_exist(&target.id.to_string()));
                }
            }
            told.changed += u64::from(look && errors.is_empty() && !has_same_content(&old, &record));
            if !errors.is_empty() {
                push(&mut told.misfits, id, errors);
            }
        }
        if core.clock.elapsed().saturating_sub(began).as_secs() >= MAX_SECONDS {
            break 'reading;
        }
        deadline.pause().await?;
    }
    if needs_check && told.checked > 0 {
        // The work in the background takes a quarter of the time.
        let took = core.clock.elapsed().saturating_sub(began) * 4;
        let share = u128::from(records.max(told.checked)) / u128::from(told.checked);
        told.seconds = u64::try_from(took.as_millis() * share / 1000).unwrap_or(u64::MAX).max(1);
    }
    for (field, count) in &told.dropped {
        let records = common::text::count(*count, "record");
        let named = query.drop.iter().any(|name| name.as_str() == field);
        let how = if named { "" } else { " It has to be named in drop." };
        told.gone.push(format!(
            "What stands in \"{field}\" in {records}. It comes back with the field, or by undoing this, as long as the records' history is kept.{how}"
        ));
    }
    Ok(told)
}

/// Whether two records say the same, in whatever order.
fn has_same_content(before: &Record, after: &Record) -> bool {
    let (before_members, after_members) = (before.as_object(), after.as_object());
    before_members.len() == after_members.len() && before_members.keys().all(|name| before.is_same(after, name))
}

/// The definition of a plan as it would be used.
async fn coming(core: &Core, snapshot: &Snapshot, before: &Schema, plan: Plan) -> Result<Coming> {
    let mut targets = HashMap::new();
    for field in &plan.after.collection.fields {
        let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { continue };
        if *collection == plan.after.collection.name {
            targets.insert(collection.clone(), before.number());
        } else if let Some(target) = core.schemas.load(snapshot, collection).await? {
            targets.insert(collection.clone(), target.number());
        }
    }
    let new_indexes = plan.after.keys.without(&before.keys).map(|index| index.number).collect();
    let schema = Schema::new(plan.after, before.version, targets);
    let operation = OperationId::from_uuid(Uuid::nil());
    Ok(Coming { operation, schema, checked: plan.checked, hold: false, new_indexes })
}
