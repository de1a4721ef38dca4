//! Bodies by published names, as the own endpoints take them; and faults by published names.

use common::{
    access::{Action, Caller},
    id::RecordId,
    json::Exact,
    problem::{FieldError, FieldErrors},
    query::RecordQuery,
    reader::required,
    record::{OneOrMany, Record},
};
use serde_json::Value;

use super::request::Published;
use crate::domain::{
    Result,
    core::Core,
    error::Error,
    paths::{Compiled, Write, published, published_parameter, visible_by_unique},
    records,
};

/// Stands behind a name that the path does not have, so that it is none of the collection's either.
pub(super) const UNKNOWN: char = ' ';

/// The name that a client knows a member or a parameter by, of which a fault is told.
pub(in crate::routes) fn told_as(path: &Compiled, name: &str) -> String {
    if let Some(unknown) = name.strip_suffix(UNKNOWN) {
        return unknown.to_owned();
    }
    let members = path.members();
    if members.is_empty() {
        return name.to_owned();
    }
    let (item, rest) = match name.split_once('.') {
        Some((item, rest)) if item.parse::<usize>().is_ok() => (Some(item), rest),
        _ => (None, name),
    };
    let rest = match rest.strip_suffix(UNKNOWN) {
        Some(unknown) => unknown.to_owned(),
        None if rest.contains("__") => published_parameter(members, rest).unwrap_or_else(|| rest.to_owned()),
        None => published(members, rest).to_owned(),
    };
    item.map_or(rest.clone(), |item| format!("{item}.{rest}"))
}

impl Published {
    /// The bodies of a create.
    pub(super) async fn bodies(
        &self,
        core: &Core,
        caller: &Caller,
        body: OneOrMany,
        ignores_unknown: bool,
    ) -> Result<OneOrMany> {
        match body {
            OneOrMany::One(record) => {
                let mut errors = FieldErrors::new();
                let record = self.write(core, caller, record, ignores_unknown, &mut errors).await?;
                Ok(errors.or(OneOrMany::One(record))?)
            }
            OneOrMany::Many(records) => {
                let mut errors = FieldErrors::of_items(records.len());
                let mut written = Vec::with_capacity(records.len());
                for (i, record) in records.into_iter().enumerate() {
                    let mut faults = FieldErrors::new();
                    written.push(self.write(core, caller, record, ignores_unknown, &mut faults).await?);
                    errors.nest(&i.to_string(), faults);
                }
                Ok(errors.or(OneOrMany::Many(written))?)
            }
        }
    }

    /// The body of a change. Where it is of all members, those that have to be there are.
    pub(super) async fn change(
        &self,
        core: &Core,
        caller: &Caller,
        body: Record,
        ignores_unknown: bool,
        is_whole: bool,
    ) -> Result<Record> {
        let mut errors = FieldErrors::new();
        let record = self.write(core, caller, body, ignores_unknown, &mut errors).await?;
        if is_whole {
            self.ask_for_required(core, caller, &record, &mut errors).await?;
        }
        if errors.is_empty() {
            return Ok(record);
        }
        // What cannot be changed at all need not be spelt right.
        if let (Some(name), Some(id)) = (&self.path.collection, self.found.id) {
            records::authorize(core, caller, name, Action::Update).await?;
            records::get(core, caller, name, id, &RecordQuery::default()).await?;
        }
        Err(errors.into())
    }

    /// Whether a PUT leaves what the path does not have as it is.
    pub(super) fn is_part(&self) -> bool {
        self.path.writes.is_some()
    }

    async fn ask_for_required(
        &self,
        core: &Core,
        caller: &Caller,
        record: &Record,
        errors: &mut FieldErrors,
    ) -> Result<()> {
        let (Some(writes), Some(name)) = (&self.path.writes, &self.path.collection) else { return Ok(()) };
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        let is_written = |field: &str| {
            self.path.members().is_empty() && writes.get(field) != Some(&Write::ReadOnly)
                || writes.values().any(|write| match write {
                    Write::Field(known) | Write::Reference(known) | Write::Unique { field: known, .. } => {
                        known == field
                    }
                    Write::ReadOnly => false,
                })
        };
        for field in schema.collection.fields.iter().filter(|field| field.required && field.default.is_none()) {
            let name = field.name.as_str();
            let is_sent =
                record.get(name).is_some() || field.aliases.iter().any(|it| record.get(it.as_str()).is_some());
            if !is_sent && is_written(name) && !errors.0.contains_key(name) {
                errors.push(name, required());
            }
        }
        Ok(())
    }

    /// A record's members as the collection has them, with what all records there have.
    async fn write(
        &self,
        core: &Core,
        caller: &Caller,
        mut body: Record,
        ignores_unknown: bool,
        errors: &mut FieldErrors,
    ) -> Result<Record> {
        let mut record = Record::default();
        match &self.path.writes {
            None => record = body,
            Some(writes) => {
                let names: Vec<String> = body.as_object().keys().cloned().collect();
                let is_whole = self.path.members().is_empty();
                for name in names {
                    let Some(value) = body.take(&name) else { continue };
                    match writes.get(&name) {
                        Some(Write::ReadOnly) => {}
                        Some(Write::Field(field)) => record.set(field.as_str(), value),
                        Some(Write::Reference(field)) => record.set(field.as_str(), id_in(value)),
                        Some(Write::Unique { field, by }) => {
                            let found = self.by_unique(core, caller, field, by, &value).await?;
                            match found {
                                Ok(value) => record.set(field.as_str(), value),
                                Err(error) => errors.push(field.as_str(), error),
                            }
                        }
                        None if is_whole => record.set(name, value),
                        None if ignores_unknown => {}
                        None => record.set(format!("{name}{UNKNOWN}"), value),
                    }
                }
            }
        }
        for (name, value) in &self.found.bound.0 {
            let value = match (value, record.get(name)) {
                // One of a list; what is sent is in it too.
                (Value::Array(bound), Some(Value::Array(sent))) => bound.iter().chain(sent).cloned().collect(),
                _ => value.clone(),
            };
            record.set(name.as_str(), value);
        }
        Ok(record)
    }

    async fn by_unique(
        &self,
        core: &Core,
        caller: &Caller,
        field: &str,
        by: &str,
        value: &Value,
    ) -> Result<std::result::Result<Value, FieldError>> {
        if let Value::Array(items) = value {
            let mut ids = Vec::with_capacity(items.len());
            for item in items {
                match Box::pin(self.by_unique(core, caller, field, by, item)).await? {
                    Ok(id) => ids.push(id),
                    Err(error) => return Ok(Err(error)),
                }
            }
            return Ok(Ok(Value::Array(ids)));
        }
        let text = match value {
            Value::Null => return Ok(Ok(Value::Null)),
            Value::String(text) if text.is_empty() => return Ok(Ok(Value::Null)),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Ok(Err(FieldError::new("invalid", "Invalid value."))),
        };
        let Some(collection) = &self.path.collection else { return Err(Error::NotFound) };
        let found = visible_by_unique(core, caller, collection, field, by, &text).await?;
        Ok(found.map(RecordId::to_value))
    }
}

/// The id in what a reference is sent as: itself, or a member of an object.
fn id_in(value: Exact) -> Exact {
    if let Value::Array(items) = &*value {
        let ids = items.iter().map(|item| id_in(Exact::from(item.clone())).into_parts().0);
        return ids.collect::<Value>().into();
    }
    match value.get("id").or_else(|| value.get("pk")) {
        Some(id) => Exact::from(id.clone()),
        None => value,
    }
}
