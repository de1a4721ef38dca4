//! A file of a migration, as it is read: TOML or JSON.

use serde_json::{Value, json};

use super::{Migration, MigrationId};
use crate::{Object, reader::Body as _};

/// The endings of files.
pub const ENDINGS: [&str; 2] = ["toml", "json"];

/// Reads what a file says.
pub fn read_file(text: &str, ending: &str, id: &MigrationId) -> Result<Migration, String> {
    let mut members = read_object(text, ending)?;
    members.insert("collection".to_owned(), json!(id.collection));
    members.insert("name".to_owned(), json!(id.name));
    Migration::from_json(Value::Object(members)).map_err(|errors| errors.in_words())
}

/// Reads an object of either form.
pub fn read_object(text: &str, ending: &str) -> Result<Object, String> {
    if ending == "json" {
        return serde_json::from_str(text).map_err(|error| format!("this is no JSON object: {error}"));
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    match to_json(toml::Value::Table(table)) {
        Value::Object(members) => Ok(members),
        _ => Ok(Object::new()),
    }
}

fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(is_so) => is_so.into(),
        // As a record has them.
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, to_json(value))).collect())
        }
    }
}
