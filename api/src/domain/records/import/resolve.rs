//! References and owners that a row names by what people call them: a unique field of the other record, and a user's name.

use std::collections::HashMap;

use common::{
    access::Caller,
    field::FieldType,
    id::{RecordId, UserId},
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    reader::invalid,
    record::Record,
    text::single_line,
    validate::{convert, does_not_exist},
};
use serde_json::Value;
use store::Snapshot;

use super::{order::is_called, tree::Tree};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    records::visible::is_visible,
    schema::Schema,
    stage::unique_holder,
    users::{by_name, folded, name_of},
};

/// As many are remembered.
const REMEMBERED: usize = 10_000;

/// What was looked up for rows.
#[derive(Default)]
pub(super) struct Resolved {
    /// Records by field, the other record's field, and value.
    records: HashMap<(String, String, String), FoundId>,
    users: HashMap<String, Option<UserId>>,
}

/// A record, or why there is none.
type FoundId = std::result::Result<RecordId, String>;

type Lookup<'a> = (&'a Core, &'a Snapshot, &'a Caller);

/// The collection of the rows, and what they make.
type Rows<'a> = (&'a Schema, &'a Tree);

impl Resolved {
    /// Puts ids in place of what a row calls its references and its owner.
    pub(super) async fn resolve(
        &mut self,
        at: Lookup<'_>,
        (schema, tree): Rows<'_>,
        body: &mut Record,
        errors: &mut FieldErrors,
    ) -> Result<()> {
        for field in &schema.collection.fields {
            let FieldType::Reference { collection: Some(target), .. } = &field.kind else { continue };
            let name = field.name.as_str();
            let rows = (schema, tree);
            let read = match body.get(name) {
                // A list is looked through, and what is wrong with it told of the first.
                Some(Value::Array(items)) if field.kind.refers_to_many() => {
                    let mut read = Vec::with_capacity(items.len());
                    let mut wrong = None;
                    for item in items.clone() {
                        match self.one(at, rows, name, target, &item).await? {
                            Ok(id) => read.push(id.unwrap_or(item)),
                            Err(message) => wrong = wrong.or(Some(message)),
                        }
                    }
                    wrong.map_or(Ok(Some(Value::Array(read))), Err)
                }
                Some(value) => {
                    let value = value.clone();
                    self.one(at, rows, name, target, &value).await?
                }
                None => continue,
            };
            match read {
                Ok(None) => {}
                Ok(Some(value)) => body.set(name, value),
                Err(message) => {
                    body.take(name);
                    errors.push(name, FieldError::new("does_not_exist", message));
                }
            }
        }
        self.owner(at, body, errors).await
    }

    /// The id of what a reference is called; `None` where it is called by no name.
    async fn one(
        &mut self,
        at: Lookup<'_>,
        rows: Rows<'_>,
        name: &str,
        target: &CollectionName,
        value: &Value,
    ) -> Result<std::result::Result<Option<Value>, String>> {
        let (by, value) = match value {
            Value::Object(members) if members.len() == 1 => match members.iter().next() {
                Some((by, value)) => (by.clone(), value.clone()),
                None => return Ok(Ok(None)),
            },
            Value::String(text) if !text.trim().is_empty() => {
                let is_id = match text.trim().parse::<RecordId>() {
                    // Digits are a name where ids are none.
                    Ok(id) if id.number().is_some() => {
                        let target = at.0.schemas.load(at.1, target).await?;
                        target
                            .filter(|target| target.is_visible(at.2))
                            .is_none_or(|target| target.collection.ids.fit(id))
                    }
                    parsed => parsed.is_ok(),
                };
                if is_id {
                    return Ok(Ok(None));
                }
                (String::new(), value.clone())
            }
            _ => return Ok(Ok(None)),
        };
        if by == "id" {
            return Ok(Ok(Some(value)));
        }
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
        let key = (name.to_owned(), by, text);
        if let Some(found) = self.records.get(&key) {
            return Ok(found.clone().map(|id| Some(id.to_value())));
        }
        // A collection that is not there for the caller has no record of any name, and no fields.
        let found = match at.0.schemas.load(at.1, target).await?.filter(|target| target.is_visible(at.2)) {
            Some(target) => find(at, rows, &target, &key.1, &key.2).await?,
            None => Err(does_not_exist(&single_line(&key.2)).message),
        };
        if self.records.len() >= REMEMBERED {
            self.records.clear();
        }
        self.records.insert(key, found.clone());
        Ok(found.map(|id| Some(id.to_value())))
    }

    async fn owner(
        &mut self,
        (core, snapshot, caller): Lookup<'_>,
        body: &mut Record,
        errors: &mut FieldErrors,
    ) -> Result<()> {
        let typed = match body.get("owner") {
            Some(Value::Object(members)) => match (members.get("id"), members.get("username")) {
                (Some(id), _) => {
                    let id = id.clone();
                    body.set("owner", id);
                    return Ok(());
                }
                (None, Some(Value::String(name))) => name.trim().to_owned(),
                _ => return Ok(()),
            },
            Some(Value::String(text)) if !text.trim().is_empty() && text.trim().parse::<UserId>().is_err() => {
                text.trim().to_owned()
            }
            _ => return Ok(()),
        };
        let found = if let Some(found) = self.users.get(&typed) {
            *found
        } else {
            let found = match caller {
                Caller::User { is_admin: true, .. } => {
                    by_name(&core.store, &typed).await?.map(|(_, user)| user.user.id)
                }
                // Who else there is, others are not told.
                Caller::User { id, .. } => {
                    let own = name_of(snapshot, *id).await?;
                    own.filter(|own| folded(own.as_str()) == folded(&typed)).map(|_| *id)
                }
                Caller::Anonymous => None,
            };
            self.users.insert(typed.clone(), found);
            found
        };
        if let Some(id) = found {
            body.set("owner", id.to_string());
        } else {
            body.take("owner");
            let message = if caller.is_admin() {
                format!("There is no user \"{}\".", single_line(&typed))
            } else {
                "Only an admin may give a record to another user. Leave the column out.".to_owned()
            };
            errors.push("owner", invalid(message));
        }
        Ok(())
    }
}

/// The record whose unique field has a value; of no certain field the first that has one.
async fn find(
    (_, snapshot, caller): Lookup<'_>,
    (schema, tree): Rows<'_>,
    target: &Schema,
    by: &str,
    text: &str,
) -> Result<FoundId> {
    let mut has_some = false;
    for (field, indexes) in target.fields() {
        let is_meant = by.is_empty() || is_called(field, by);
        let Some(rule) = indexes.unique.filter(|_| is_meant) else { continue };
        has_some = true;
        let Ok(value) = convert(field, text) else { continue };
        let key = keyspace::unique(target.number(), rule, field, &value);
        // What the file says will be so.
        if target.number() == schema.number()
            && let Some(id) = tree.named(&key)
        {
            return Ok(Ok(id));
        }
        if let Some(id) = snapshot.get(&key).await?.as_ref().and_then(unique_holder)
            && is_visible(snapshot, caller, target, id).await?
        {
            return Ok(Ok(id));
        }
    }
    let (text, name) = (single_line(text), &target.collection.name);
    Ok(Err(match (has_some, by) {
        (false, "") => does_not_exist(&text).message,
        (false, by) => format!("\"{}\" is no unique field of \"{name}\".", single_line(by)),
        (true, "") => format!("No record of \"{name}\" is called \"{text}\"."),
        (true, by) => format!("No record of \"{name}\" has \"{text}\" as its {by}."),
    }))
}
