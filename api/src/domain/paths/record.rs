//! What the parameters of an address stand for: the record that it names, and the values that all records there have.

use common::{
    access::Caller,
    field::{Field, FieldType, Unique},
    id::{RecordId, UserId},
    name::CollectionName,
    problem::FieldError,
    published::parameter_of,
    query::RecordQuery,
    record::Record,
    text::single_line,
    validate::{convert, does_not_exist},
};
use serde_json::Value;
use store::Snapshot;
use uuid::Uuid;

use super::compiled::{Compiled, Parameters};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace, records,
    schema::Schema,
    stage,
    users::id_by_name,
};

/// The values that records at an address have: members of the record's own, each with its value in canonical form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bound(pub Vec<(String, Value)>);

/// What an address is about.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// What all records there have.
    pub bound: Bound,
    /// The record, where it names one.
    pub id: Option<RecordId>,
}

/// What no record and no user has as its id. What an address names and is not there is asked for by it, so that it meets the checks, and
/// gets the answer, of what is there and hidden.
const NOBODYS: Uuid = Uuid::nil();

/// What the conditions of a path say with these parameters; [`Error::NotFound`] where a record that they name is not there for the caller.
async fn bind(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Compiled,
    schema: &Schema,
    parameters: &Parameters,
) -> Result<Bound> {
    let mut bound = Bound::default();
    let conditions = &path.definition.conditions;
    let value_of = |value: &Value| match parameter_of(value) {
        Some(name) => parameters.get(name).cloned().unwrap_or_default(),
        None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let is_parameter = |value: &Value| parameter_of(value).is_some();
    let mut firsts: Vec<&str> = conditions.keys().filter_map(|name| name.split('.').next()).collect();
    firsts.dedup();
    for first in firsts {
        let of_it = conditions.iter().filter(|(name, _)| name.split('.').next() == Some(first));
        let of_it: Vec<(Option<&str>, &Value)> =
            of_it.map(|(name, value)| (name.split_once('.').map(|(_, rest)| rest), value)).collect();
        if first == "owner" {
            for (rest, value) in of_it {
                let value = value_of(value);
                let user = match rest {
                    Some("username") => id_by_name(&core.store, &value).await?,
                    _ => value.parse().ok(),
                };
                // Somebody who has nothing there and who is nobody are told apart by no answer.
                let user = user.unwrap_or(UserId::from_uuid(NOBODYS));
                bound.0.push(("owner".to_owned(), user.to_string().into()));
            }
            continue;
        }
        let field = schema.collection.field(first).ok_or(Error::NotFound)?;
        let FieldType::Reference { collection: Some(target), .. } = &field.kind else {
            for (_, value) in of_it {
                let value = convert(field, &value_of(value)).map_err(|_| Error::NotFound)?;
                bound.0.push((field.name.to_string(), value));
            }
            continue;
        };
        let target = core.schemas.load(snapshot, target).await?.ok_or(Error::NotFound)?;
        let own: Vec<(Option<&str>, String)> = of_it.iter().map(|(rest, value)| (*rest, value_of(value))).collect();
        let id = referred(snapshot, &target, &own).await;
        // What stands in the address has to be there for the caller; what the path says once and for all need not.
        let is_asked_for = of_it.iter().any(|(_, value)| is_parameter(value));
        let mut id = match id {
            Err(Error::NotFound) if !is_asked_for => RecordId::from_uuid(NOBODYS),
            id => id?,
        };
        if is_asked_for {
            let all = RecordQuery::default();
            let parent = records::get(core, caller, &target.collection.name, id, &all);
            let parent = parent.await.map_err(|error| match error {
                Error::Denied | Error::Unauthenticated(_) | Error::NobodyMay(_) => Error::NotFound,
                error => error,
            })?;
            let parent: Record = serde_json::from_slice(&parent.json)?;
            check(&target, &parent, &own)?;
        } else if let Some(entry) = snapshot.get(&keyspace::record(target.number(), id)).await?
            && check(&target, &target.parse(id, &entry)?, &own).is_err()
        {
            // What the path says of it is true of none.
            id = RecordId::from_uuid(NOBODYS);
        }
        let id = id.to_value();
        let value = if field.kind.refers_to_many() { Value::Array(vec![id]) } else { id };
        bound.0.push((field.name.to_string(), value));
    }
    Ok(bound)
}

/// The record that a reference has to be to: by its id, or by a unique field of it.
async fn referred(snapshot: &Snapshot, target: &Schema, conditions: &[(Option<&str>, String)]) -> Result<RecordId> {
    for (name, value) in conditions {
        match name {
            None | Some("id") => return value.parse().map_err(|_| Error::NotFound),
            Some(name) => {
                if let Some(field) = target.collection.field(name).filter(|field| field.unique != Unique::No) {
                    return by_unique(snapshot, target, field, value).await?.ok_or(Error::NotFound);
                }
            }
        }
    }
    Err(Error::NotFound)
}

/// Whether a record is as the conditions on it say.
fn check(schema: &Schema, record: &Record, conditions: &[(Option<&str>, String)]) -> Result<()> {
    for (name, value) in conditions {
        let Some(name) = name.filter(|name| *name != "id") else { continue };
        let field = schema.collection.field(name).ok_or(Error::NotFound)?;
        let value = convert(field, value).map_err(|_| Error::NotFound)?;
        if record.get(field.name.as_str()) != Some(&value) {
            return Err(Error::NotFound);
        }
    }
    Ok(())
}

/// The record that has a unique value, whoever may see it.
async fn by_unique(snapshot: &Snapshot, schema: &Schema, field: &Field, text: &str) -> Result<Option<RecordId>> {
    let Ok(value) = convert(field, text) else { return Ok(None) };
    let rule = schema.fields().find(|(known, _)| known.name == field.name).and_then(|(_, indexes)| indexes.unique);
    let Some(rule) = rule else { return Ok(None) };
    let holder = snapshot.get(&keyspace::unique(schema.number(), rule, field, &value)).await?;
    Ok(holder.as_ref().and_then(stage::unique_holder))
}

/// The record that a reference is to, told by a unique field of it. Where there is none that the caller may view, the fault that tells so: it
/// names the field only to who may see the collection that has it.
pub async fn visible_by_unique(
    core: &Core,
    caller: &Caller,
    collection: &CollectionName,
    field: &str,
    by: &str,
    text: &str,
) -> Result<std::result::Result<RecordId, FieldError>> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, collection, caller).await?;
    let target = match schema.collection.field(field).map(|field| &field.kind) {
        Some(FieldType::Reference { collection: Some(target), .. }) => core.schemas.load(&snapshot, target).await?,
        _ => None,
    };
    let Some(target) = target else { return Ok(Err(does_not_exist(text))) };
    let missing = || {
        if !target.is_visible(caller) {
            return does_not_exist(text);
        }
        let message = format!("Object with {by}={} does not exist.", single_line(text));
        FieldError::new("does_not_exist", message)
    };
    let name = &target.collection.name;
    let Some(id) = find_record(core, &snapshot, name, by, text).await? else { return Ok(Err(missing())) };
    match records::get(core, caller, name, id, &RecordQuery::default()).await {
        Ok(_) => Ok(Ok(id)),
        Err(Error::NotFound | Error::Denied | Error::Unauthenticated(_) | Error::NobodyMay(_)) => Ok(Err(missing())),
        Err(error) => Err(error),
    }
}

/// The record of a collection that a member of it tells from the others: `id`, or a unique field.
async fn find_record(
    core: &Core,
    snapshot: &Snapshot,
    collection: &CollectionName,
    lookup: &str,
    value: &str,
) -> Result<Option<RecordId>> {
    if lookup == "id" {
        return Ok(value.parse().ok());
    }
    let Some(schema) = core.schemas.load(snapshot, collection).await? else { return Ok(None) };
    let Some(field) = schema.collection.field(lookup) else { return Ok(None) };
    by_unique(snapshot, &schema, field, value).await
}

/// Whether a record has a value that all there have: in a list, it is one of several.
fn is_bound_to(stored: Option<&Value>, value: &Value) -> bool {
    match (stored, value) {
        (Some(Value::Array(stored)), Value::Array(bound)) => bound.iter().all(|id| stored.contains(id)),
        (stored, value) => stored == Some(value),
    }
}

/// What an address of a path is about, whoever may see it.
async fn resolve(
    core: &Core,
    caller: &Caller,
    path: &Compiled,
    record: Option<&str>,
    parameters: &Parameters,
) -> Result<Resolved> {
    let name = path.collection.as_ref().ok_or(Error::NotFound)?;
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let bound = bind(core, &snapshot, caller, path, &schema, parameters).await?;
    let Some(parameter) = record else { return Ok(Resolved { bound, id: None }) };
    let text = parameters.get(parameter).map(String::as_str).unwrap_or_default();
    let found = find_record(core, &snapshot, name, &path.definition.lookup, text).await?;
    let is_bound = match found {
        Some(id) if !bound.0.is_empty() => match snapshot.get(&keyspace::record(schema.number(), id)).await? {
            Some(entry) => {
                let stored = schema.parse(id, &entry)?;
                bound.0.iter().all(|(name, value)| is_bound_to(stored.get(name), value))
            }
            None => false,
        },
        _ => true,
    };
    let id = found.filter(|_| is_bound).unwrap_or(RecordId::from_uuid(NOBODYS));
    Ok(Resolved { bound, id: Some(id) })
}

impl Compiled {
    /// What an address of it is about. A record that is not there, or not there under this address, is the one with the id that none has:
    /// the caller, the query and the body are judged before anybody learns which it is.
    pub async fn resolve(
        &self,
        core: &Core,
        caller: &Caller,
        record: Option<&str>,
        parameters: &Parameters,
    ) -> Result<Resolved> {
        if self.definition.conditions.is_empty() && self.definition.lookup == "id" {
            let text = record.and_then(|name| parameters.get(name));
            let id = text.map(|text| text.parse().unwrap_or(RecordId::from_uuid(NOBODYS)));
            return Ok(Resolved { bound: Bound::default(), id });
        }
        resolve(core, caller, self, record, parameters).await
    }

    /// Whether the caller may know that the path is there: who may know of the collection, and of another address of an own route everybody.
    pub fn is_known_to(&self, caller: &Caller) -> bool {
        self.definition.alias.is_some() || self.access.as_ref().is_some_and(|access| records::is_known(access, caller))
    }
}
