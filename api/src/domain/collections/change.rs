//! Changing a definition. Records keep their values: each says which version of the definition it is written in, and is translated when
//! it is read.

use std::collections::BTreeSet;

use common::{
    Object,
    access::{Caller, Decision},
    change::{Subject, Verb},
    collection::{
        Collection, Definition, DefinitionAnswer, DefinitionPatch, DefinitionQuery, let_flags_follow, read_field,
    },
    field::Field,
    id::{FieldId, OperationId},
    name::{CollectionName, FieldName},
    operation::{InvalidRecords, Misfit},
    problem::{FieldError, FieldErrors},
    reader::{invalid, object, read_only},
};
use serde_json::{Value, json};
use store::{Batch, Expect, Scan, Snapshot};

use super::{
    carry_over, dry_run,
    loss::holds_something,
    notation,
    plan::{Plan, Undone, asks_for_value},
    references::{check_references, expect_references},
    rename,
    shown::get,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal, keyspace,
    operations::{self, Redefine, Redefined},
    paths,
    precondition::Precondition,
    record,
    retry::Retry,
    schema::{self, Schema, StoredComing, StoredDefinition},
};

/// Defines a collection anew. Its records keep what they have in the fields that stay.
pub async fn replace(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    definition: Definition,
    query: &DefinitionQuery,
    precondition: Option<&Precondition>,
) -> Result<DefinitionAnswer> {
    change(core, caller, name, query, None, precondition, |_| Ok(definition.clone())).await
}

/// Changes parts of a definition.
pub async fn update(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    patch: DefinitionPatch,
    query: &DefinitionQuery,
    precondition: Option<&Precondition>,
) -> Result<DefinitionAnswer> {
    change(core, caller, name, query, None, precondition, |collection| Ok(patch.clone().apply(collection))).await
}

/// Adds a field.
pub async fn add_field(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    field: Field,
    query: &DefinitionQuery,
    precondition: Option<&Precondition>,
) -> Result<DefinitionAnswer> {
    change(core, caller, name, query, None, precondition, |collection| {
        if collection.fields.iter().any(|known| known.name == field.name) {
            return Err(FieldErrors::of("name", FieldError::new("unique", "Another field has this name already.")));
        }
        let mut definition = same(collection);
        definition.fields.push(field.clone());
        Ok(definition)
    })
    .await
    .map_err(|error| of_field(error, None))
}

/// Changes parts of one field.
pub async fn update_field(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    field: &FieldName,
    patch: &Object,
    query: &DefinitionQuery,
    precondition: Option<&Precondition>,
) -> Result<DefinitionAnswer> {
    let mut place = None;
    let changed = change(core, caller, name, query, None, precondition, |collection| {
        let (i, known) = find(collection, field).ok_or_else(no_field)?;
        place = Some(i);
        let mut members = object(json!(known))?;
        if patch.get("id").is_some_and(|id| *id != json!(known.id)) {
            return Err(FieldErrors::of("id", read_only()));
        }
        let is_other_type = patch.get("type").is_some_and(|kind| members.get("type") != Some(kind));
        if is_other_type {
            // The limits of one type are no other's.
            let general = ["id", "name", "aliases", "required", "nullable", "unique", "indexed", "help"];
            members.retain(|name, _| general.contains(&name.as_str()));
        }
        let_flags_follow(&mut members, patch);
        members.extend(patch.clone());
        members.retain(|_, value| !value.is_null());
        if !patch.contains_key("aliases") {
            members.remove("aliases");
        }
        members.insert("id".to_owned(), json!(known.id));
        let mut field = read_field(Value::Object(members))?;
        if field.nullable && patch.get("nullable") == Some(&Value::Bool(false)) {
            let message = "A field of this type that need not be filled in may be null, unless it has a default. Send \"required\": true or a \"default\" with this.";
            return Err(FieldErrors::of("nullable", invalid(message)));
        }
        field.change.says_choice_aliases = patch.contains_key("choice_aliases");
        if collection.fields.iter().enumerate().any(|(at, other)| at != i && other.name == field.name) {
            return Err(FieldErrors::of("name", FieldError::new("unique", "Another field has this name already.")));
        }
        let mut definition = same(collection);
        definition.fields[i] = field;
        Ok(definition)
    });
    match changed.await {
        Err(Error::Invalid(errors)) if errors.0.contains_key(NO_FIELD) => Err(Error::NotFound),
        changed => changed.map_err(|error| of_field(error, place)),
    }
}

/// Drops a field, with its values.
pub async fn drop_field(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    field: &FieldName,
    query: &DefinitionQuery,
    precondition: Option<&Precondition>,
) -> Result<DefinitionAnswer> {
    let mut query = query.clone();
    query.drop.push(field.clone());
    let changed = change(core, caller, name, &query, None, precondition, |collection| {
        let (i, _) = find(collection, field).ok_or_else(no_field)?;
        let mut definition = same(collection);
        definition.fields.remove(i);
        Ok(definition)
    });
    match changed.await {
        Err(Error::Invalid(errors)) if errors.0.contains_key(NO_FIELD) => Err(Error::NotFound),
        changed => changed,
    }
}

/// Says that there is no field of the name in the address. No body has a member of this name.
const NO_FIELD: &str = "{field}";

fn no_field() -> FieldErrors {
    FieldErrors::of(NO_FIELD, invalid("Not found."))
}

fn find<'a>(collection: &'a Collection, name: &FieldName) -> Option<(usize, &'a Field)> {
    let found = collection.field(name.as_str())?;
    collection.fields.iter().enumerate().find(|(_, field)| field.name == found.name)
}

/// A definition as it is. The revision is not that which the caller read, and of indexes nothing is said: they follow their fields.
fn same(collection: &Collection) -> Definition {
    Definition { revision: None, indexes: None, ..Definition::from(collection.clone()) }
}

/// The errors of one field, as its own body has its members.
fn of_field(error: Error, place: Option<usize>) -> Error {
    let Error::Invalid(errors) = error else { return error };
    let mut own = FieldErrors::new();
    for (path, faults) in errors.0 {
        let member = path.strip_prefix("fields.").and_then(|rest| {
            let (at, member) = rest.split_once('.')?;
            place.is_none_or(|place| at.parse() == Ok(place)).then(|| member.to_owned())
        });
        own.add(member.unwrap_or(path), faults);
    }
    Error::Invalid(own)
}

/// Has fields come back that are gone: under the names that they had last, or where another has that by now, with a number behind it. Those
/// that nobody remembers stay away.
pub(in crate::domain) async fn revive(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    fields: &[FieldId],
) -> Result<()> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let mut back: Vec<Field> = fields.iter().filter_map(|id| schema.dropped(*id).cloned()).collect();
    if back.is_empty() {
        return Ok(());
    }
    let mut taken: BTreeSet<FieldName> = schema.collection.fields.iter().map(|field| field.name.clone()).collect();
    for field in &mut back {
        let numbered = |n: u32| format!("{}_{n}", field.name).parse::<FieldName>().ok();
        let free = (2..100).filter_map(numbered).find(|name| !taken.contains(name));
        if let Some(free) = free.filter(|_| taken.contains(&field.name)) {
            field.name = free;
            field.aliases.clear();
        }
        taken.insert(field.name.clone());
    }
    let query = DefinitionQuery::default();
    let answer = change(core, caller, name, &query, None, None, |collection| {
        let mut definition = same(collection);
        let is_there = |field: &&Field| definition.fields.iter().any(|known| known.id == field.id);
        let missing: Vec<Field> = back.iter().filter(|field| !is_there(field)).cloned().collect();
        definition.fields.extend(missing);
        Ok(definition)
    })
    .await?;
    match answer {
        DefinitionAnswer::Begun(operation) => Err(Error::ChangeUnderWay(operation.id)),
        DefinitionAnswer::Changed(_) | DefinitionAnswer::WouldBe(_) => Ok(()),
    }
}

/// Undoes a change of a definition: gives it its earlier parts again.
pub(in crate::domain) async fn undo(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    definition: &Definition,
    undone: &Undone,
    query: &DefinitionQuery,
) -> Result<DefinitionAnswer> {
    change(core, caller, name, query, Some(undone), None, |_| Ok(definition.clone())).await
}

async fn change(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: &DefinitionQuery,
    undone: Option<&Undone>,
    precondition: Option<&Precondition>,
    mut define: impl FnMut(&Collection) -> std::result::Result<Definition, FieldErrors>,
) -> Result<DefinitionAnswer> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let before = core.schemas.find(&snapshot, name, caller).await?;
        let mut definition = define(&before.collection)?;
        Precondition::check(precondition, before.collection.revision)?;
        if let Some(coming) = &before.coming {
            return Err(Error::ChangeUnderWay(coming.operation));
        }
        if definition.revision.is_some_and(|read| read != before.collection.revision) {
            return Err(Error::Stale);
        }
        before.collection.check_sent_back(&definition.sent_back)?;
        if before.collection.aliases.contains(&definition.name) && definition.name == *name {
            // A body that names the collection by a former name does not rename it.
            definition.name.clone_from(&before.collection.name);
        }
        check_references(core, &snapshot, &mut definition, Some(&before.collection.name)).await?;
        let mut plan = Plan::new(&before, definition, core.timestamp(), &mut || core.ids.next_id(), undone)?;
        let records = schema::count(&core.owners, &snapshot, before.number(), Decision::All).await?.unwrap_or(0);
        let changes_ids = plan.after.collection.ids != before.collection.ids;
        if changes_ids && records > 0 {
            let message =
                "The records that there are have their ids. What ids are can be chosen while a collection is empty.";
            return Err(FieldErrors::of("ids", invalid(message)).into());
        }
        notation::decide(core, &snapshot, &before, &mut plan).await?;
        if query.dry_run && undone.is_none() {
            check_names(core, &snapshot, &before, &plan).await?;
            let told = dry_run::of(core, &snapshot, &before, plan, query, None).await?;
            return Ok(DefinitionAnswer::WouldBe(Box::new(told)));
        }
        if !undone.is_some_and(|undone| undone.overwrites) {
            check_dropped(core, &snapshot, &before, &plan, query, undone).await?;
        }
        if query.dry_run {
            check_undoing(core, &snapshot, &before, &plan).await?;
            let told = dry_run::of(core, &snapshot, &before, plan, query, undone).await?;
            return Ok(DefinitionAnswer::WouldBe(Box::new(told)));
        }
        check_values(core, &snapshot, &before, &plan).await?;
        let key = keyspace::collection(&before.collection.name);
        let mut batch = Batch::new();
        batch.expect(key.clone(), Expect::Version(before.version));
        expect_paths(&snapshot, &mut batch, &before.collection, &plan).await?;
        let needs_check = plan.has_new_indexes || !plan.checked.is_empty();
        if needs_check && records > 0 {
            // What its names ask for is looked at now, and done when it takes effect.
            let mut named = plan.after.collection.clone();
            rename::stage_names(core, &snapshot, &mut Batch::new(), &before, &mut named).await?;
            expect_references(&mut batch, &plan.after.collection);
            let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
            let StoredDefinition { collection, keys, .. } = plan.after;
            let coming = StoredComing { operation: id, collection, keys, checked: plan.checked, hold: query.hold };
            let definition = StoredDefinition {
                coming: Some(Box::new(coming)),
                shown: Some(before.collection.revision),
                ..StoredDefinition::new(before.collection.clone(), before.keys.clone())
            };
            batch.put(key, serde_json::to_vec(&definition)?);
            let work = Redefine::new(id, before.number(), false, caller).refilling(plan.refilled);
            let work = match undone {
                Some(Undone { operation, skips, overwrites, .. }) => work.undoing(*operation, *skips, *overwrites),
                None => work,
            };
            let redefined = operations::redefine(core, caller, work, records, id, batch, !query.respond_async).await?;
            let Some(redefined) = redefined else { continue };
            return match redefined {
                Redefined::InForce => changed(core, caller, &named.name).await,
                Redefined::UnderWay(operation) => Ok(DefinitionAnswer::Begun(Box::new(operation))),
                Redefined::InvalidRecords(misfits) => Err(do_not_fit(misfits)),
                Redefined::Ended(why) => Err(Error::Conflict(why)),
            };
        }
        if needs_check || changes_ids {
            carry_over::expect_no_new_records(&snapshot, &mut batch, before.number()).await?;
        }
        rename::stage_names(core, &snapshot, &mut batch, &before, &mut plan.after.collection).await?;
        let name = plan.after.collection.name.clone();
        let entry = journal::entry(core, caller, Subject::Collection, &name, Verb::Update)
            .values(json!(before.collection), json!(plan.after.collection));
        batch.put(keyspace::collection(&name), serde_json::to_vec(&plan.after)?).append(journal::bytes(&entry));
        if let Some(undone) = undone {
            let revert = journal::entry(core, caller, Subject::Operation, &undone.operation, Verb::Revert);
            batch.append(journal::bytes(&revert));
        }
        expect_references(&mut batch, &plan.after.collection);
        if records > 0 && plan.after.keys.is_rewritten(&before.keys) {
            let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
            let work = Redefine::new(id, before.number(), true, caller);
            operations::begin_rewriting(core, caller, work, records, id, &mut batch).await?;
        }
        if retry.commit(batch).await?.is_some() {
            core.operation_started.notify_one();
            return changed(core, caller, &name).await;
        }
    }
}

async fn changed(core: &Core, caller: &Caller, name: &CollectionName) -> Result<DefinitionAnswer> {
    Ok(DefinitionAnswer::Changed(Box::new(get(core, caller, name).await?)))
}

/// Records that do not fit, as an error tells them.
pub(in crate::domain) fn do_not_fit(misfits: InvalidRecords) -> Error {
    let (mut errors, mut examples) = (FieldErrors::new(), Vec::new());
    for Misfit { id, field, code, message } in misfits.examples {
        let id = id.to_string();
        if !examples.contains(&id) {
            examples.push(id);
        }
        let error = FieldError { code: code.into(), message };
        if !errors.0.get(&field).is_some_and(|known| known.contains(&error)) {
            errors.push(field, error);
        }
    }
    Error::RecordsDoNotFit { count: misfits.count, errors, examples }
}

/// Nothing goes that nobody named.
async fn check_dropped(
    core: &Core,
    snapshot: &Snapshot,
    before: &Schema,
    plan: &Plan,
    query: &DefinitionQuery,
    undone: Option<&Undone>,
) -> Result<()> {
    let mut errors = FieldErrors::new();
    let named = |field: &Field| query.drop.iter().any(|name| *name == field.name || field.aliases.contains(name));
    for name in &query.drop {
        if before.collection.field(name.as_str()).is_none() {
            errors.push("drop", invalid(format!("There is no field \"{name}\".")));
        } else if !plan.dropped.iter().any(|field| field.name == *name || field.aliases.contains(name)) {
            errors.push("drop", invalid(format!("The field \"{name}\" stays. Leave it out of \"fields\" to drop it.")));
        }
    }
    errors.or(())?;
    let unnamed: Vec<&Field> = plan.dropped.iter().filter(|field| !named(field)).collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    let mut holding: Vec<(FieldName, u64)> = unnamed.iter().map(|field| (field.name.clone(), 0)).collect();
    let deadline = core.deadline();
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(before.number())));
    while let Some(page) = pages.next().await? {
        for (key, entry) in page {
            let record = before.decode(carry_over::id_of(&key)?, &entry.value)?;
            for (field, (_, count)) in unnamed.iter().zip(&mut holding) {
                // A value that the field was added with does not count as data.
                let added = undone.and_then(|undone| undone.added.get(&field.id?));
                let is_as_added = match added {
                    Some((version, value)) => {
                        record::written(&entry.value)? < *version || record.get(field.name.as_str()) == Some(value)
                    }
                    None => false,
                };
                *count += u64::from(!is_as_added && holds_something(&record, field));
            }
        }
        deadline.pause().await?;
    }
    holding.retain(|(_, count)| *count > 0);
    if holding.is_empty() { Ok(()) } else { Err(Error::WouldDrop(holding)) }
}

/// New fields that are required need a value where there are records.
async fn check_values(core: &Core, snapshot: &Snapshot, before: &Schema, plan: &Plan) -> Result<()> {
    if plan.without_value.is_empty() {
        return Ok(());
    }
    let all = Decision::All;
    let count = schema::count(&core.owners, snapshot, before.number(), all).await?.unwrap_or(0);
    if count == 0 {
        return Ok(());
    }
    let mut errors = FieldErrors::new();
    for i in &plan.without_value {
        errors.push(plan.after.collection.fields[*i].name.as_str(), asks_for_value());
    }
    let first = snapshot.scan(Scan::prefix(&keyspace::records(before.number())).limit(5)).await?;
    let examples = first.iter().filter_map(|(key, _)| keyspace::last_id(key)).map(|id| id.to_string()).collect();
    Err(Error::RecordsDoNotFit { count, errors, examples })
}

/// Refuses for a dry run what is refused for what others have: names, and fields by which paths find records.
async fn check_names(core: &Core, snapshot: &Snapshot, before: &Schema, plan: &Plan) -> Result<()> {
    let (mut unused, mut named) = (Batch::new(), plan.after.collection.clone());
    paths::expect_not_looked_up(snapshot, &mut unused, &plan.no_longer_unique(&before.collection)).await?;
    rename::stage_names(core, snapshot, &mut unused, before, &mut named).await
}

/// The same of undoing, which is refused besides for what a dry run of a change tells.
async fn check_undoing(core: &Core, snapshot: &Snapshot, before: &Schema, plan: &Plan) -> Result<()> {
    expect_paths(snapshot, &mut Batch::new(), &before.collection, plan).await?;
    check_values(core, snapshot, before, plan).await?;
    check_names(core, snapshot, before, plan).await
}

/// Refuses to take from published paths what they name.
async fn expect_paths(snapshot: &Snapshot, batch: &mut Batch, before: &Collection, plan: &Plan) -> Result<()> {
    let dropped: Vec<_> = plan.dropped.iter().filter_map(|field| field.id).collect();
    paths::expect_unnamed(snapshot, batch, None, &dropped).await?;
    paths::expect_not_looked_up(snapshot, batch, &plan.no_longer_unique(before)).await
}
