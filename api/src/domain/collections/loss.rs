//! What a record would lose with a field.

use common::{field::Field, record::Record};
use serde_json::Value;

/// Whether a record would lose something with a field.
pub(super) fn holds_something(record: &Record, field: &Field) -> bool {
    match record.get(field.name.as_str()) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Bool(value)) => *value || field.default.is_some() || field.nullable,
        Some(_) => true,
    }
}
