//! Values as the text of inputs, and back.

use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    id::RecordId,
    json::{self, Exact},
    problem::FieldError,
    reader::invalid,
    record::Member,
    validate::convert,
};

/// Reads what a person typed as a value of the field's type. The field's limits are not looked at.
pub fn parse_input(field: &Field, typed: &str) -> Result<Exact, FieldError> {
    match &field.kind {
        FieldType::Reference { many: true, .. } => {
            let ids = typed.split([',', '\n']).map(str::trim).filter(|id| !id.is_empty());
            // What is no id is told as that.
            let value = |id: &str| RecordId::from_value(&id.into()).map_or_else(|| id.into(), RecordId::to_value);
            Ok(ids.map(value).collect::<Value>().into())
        }
        FieldType::Choice { many: true, .. } => {
            Ok(typed.lines().filter(|line| !line.is_empty()).map(Value::from).collect::<Value>().into())
        }
        FieldType::Json { .. } => {
            json::parse(typed.trim().as_bytes()).map_err(|_| invalid("Value must be valid JSON."))
        }
        _ => convert(field, typed).map(Exact::from),
    }
}

/// A value as the text that an input holds.
pub fn input_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// A field's value as the text that its input holds.
pub(super) fn field_text(field: &Field, member: Member<'_>) -> String {
    match (&field.kind, member) {
        (FieldType::Choice { many: true, .. }, Member { value: Value::Array(items), .. }) if items.is_empty() => {
            String::new()
        }
        (FieldType::Reference { many: true, .. }, Member { value, .. }) => {
            RecordId::all_in(value).map(|id| id.to_string()).collect::<Vec<_>>().join("\n")
        }
        (FieldType::Json { .. }, Member { value: Value::Null, .. }) => String::new(),
        // Its digits would be others if it were laid out anew.
        (FieldType::Json { .. }, Member { text: Some(text), .. }) => text.to_owned(),
        (FieldType::Json { .. }, Member { value, .. }) => {
            serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
        }
        (_, Member { value, .. }) => input_text(value),
    }
}
