//! Values as the text of inputs, and back.

use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    json,
    problem::FieldError,
    reader::invalid,
    validate::{canonical_date, canonical_datetime, check, parse_decimal},
};

/// Reads what a person typed (or a filter says) as a value of the field's type. The field's limits are not looked at.
pub fn parse_input(field: &Field, typed: &str) -> Result<Value, FieldError> {
    let trimmed = typed.trim();
    match &field.kind {
        FieldType::Text { .. } | FieldType::Choice { many: false, .. } => Ok(Value::String(typed.to_owned())),
        FieldType::Email | FieldType::Url | FieldType::Reference { .. } => Ok(Value::String(trimmed.to_owned())),
        FieldType::Choice { many: true, .. } => {
            Ok(Value::Array(typed.lines().filter(|line| !line.is_empty()).map(Value::from).collect()))
        }
        FieldType::Integer { .. } => {
            trimmed.parse::<i64>().map(Value::from).map_err(|_| invalid("A valid integer is required."))
        }
        FieldType::Decimal { .. } => match parse_decimal(trimmed) {
            Some(number) => Ok(Value::String(number.normalize().to_string())),
            None => Err(invalid("A valid number is required.")),
        },
        FieldType::Boolean => match trimmed {
            "true" | "True" | "1" => Ok(Value::Bool(true)),
            "false" | "False" | "0" => Ok(Value::Bool(false)),
            _ => Err(invalid("Must be a valid boolean.")),
        },
        FieldType::Date => canonical_date(trimmed).map(Value::String).ok_or_else(|| first_error(field, trimmed)),
        FieldType::Datetime => {
            canonical_datetime(trimmed).map(Value::String).ok_or_else(|| first_error(field, trimmed))
        }
        FieldType::Json { .. } => json::parse(trimmed.as_bytes()).map_err(|_| invalid("Value must be valid JSON.")),
    }
}

fn first_error(field: &Field, typed: &str) -> FieldError {
    let errors = check(field, &Value::from(typed)).err().unwrap_or_default();
    errors.into_iter().next().unwrap_or_else(|| invalid("This value does not fit."))
}

/// A value as the text that an input holds. [`parse_input`] reads it back.
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
pub(super) fn field_text(field: &Field, value: &Value) -> String {
    match (&field.kind, value) {
        (FieldType::Choice { many: true, .. }, Value::Array(items)) if items.is_empty() => String::new(),
        (FieldType::Json { .. }, Value::Null) => String::new(),
        (FieldType::Json { .. }, value) => serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()),
        (_, value) => input_text(value),
    }
}
