//! Reading the members of a step.

use std::collections::BTreeMap;

use common::{
    Object,
    name::FieldName,
    problem::{FieldError, FieldErrors},
    reader::{Reader, invalid, object},
};
use serde_json::Value;

/// Which records, for people.
pub(super) fn of_filter(filter: Option<&String>) -> String {
    filter.map_or_else(|| " (all)".to_owned(), |filter| format!(" where {filter}"))
}

/// Refuses members that a step cannot have.
pub(super) fn not_members(step: &Object, names: &[&str]) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    for name in names.iter().filter(|name| step.contains_key(**name)) {
        errors.push(*name, invalid("This belongs to one server, and is in no file."));
    }
    errors.or(())
}

/// The condition of a step.
pub(super) fn filter(reader: &mut Reader) -> Option<String> {
    reader.take("where").and_then(|value| match value.as_str().map(str::trim) {
        Some(text) if !text.is_empty() => Some(text.to_owned()),
        _ => reader
            .fail("where", invalid("This is a condition, such as: kind = \"sweet\". Leave it out for all records.")),
    })
}

/// An object by names that parse.
pub(super) fn by_name<T>(
    reader: &mut Reader,
    member: &str,
    read: impl Fn(&Value) -> Result<T, FieldError>,
) -> BTreeMap<FieldName, T> {
    let Some(value) = reader.take(member) else { return BTreeMap::new() };
    let Ok(members) = object(value) else {
        reader.errors.push(member, invalid("This is an object: names of fields, and what each is to have."));
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for (name, value) in members {
        let place = format!("{member}.{name}");
        match (name.parse::<FieldName>(), read(&value)) {
            (Ok(name), Ok(value)) => drop(found.insert(name, value)),
            (Err(error), _) => reader.errors.push(place, invalid(error.to_string())),
            (_, Err(error)) => reader.errors.push(place, error),
        }
    }
    found
}

/// The name of a field.
pub(super) fn field_name(value: &Value) -> Result<FieldName, FieldError> {
    let text = value.as_str().ok_or_else(|| invalid("This is the name of a field."))?;
    text.parse().map_err(|error: common::name::InvalidName| invalid(error.to_string()))
}

/// An object.
pub(super) fn members_of(value: &Value) -> Result<Object, FieldError> {
    object(value.clone()).map_err(|_| invalid("This is an object."))
}

/// A list of objects.
pub(super) fn list(reader: &mut Reader, member: &str) -> Vec<Value> {
    match reader.take(member) {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            reader.errors.push(member, invalid("This is a list."));
            Vec::new()
        }
    }
}
