//! The schema of a field's values.

use common::{
    collection::{Collection, Ids},
    field::{Field, FieldType},
};
use serde_json::{Map, Value, json};

/// The values of a field as they are sent; `is_read` where that is an answer. `all` are the collections that references may be to.
pub(super) fn of(field: &Field, is_read: bool, all: &[Collection]) -> Value {
    let mut schema = kind(&field.kind, all);
    let mut told = field.help.clone();
    if !is_read && !field.choice_aliases.is_empty() {
        let former = field.choice_aliases.iter().map(|(old, new)| format!("{old} for {new}"));
        let former = former.collect::<Vec<_>>().join(", ");
        let space = if told.is_empty() { "" } else { " " };
        told = format!("{told}{space}Former names are taken too: {former}.");
    }
    if !told.is_empty() {
        schema["description"] = told.into();
    }
    // An optional value of a type without an empty one may be null.
    let may_be_null = field.nullable || (is_read && !field.required) || (!field.required && !field.has_empty_value());
    if may_be_null && !field.kind.refers_to_many() {
        schema = nullable(schema);
    }
    schema
}

/// The same, or null.
pub(super) fn nullable(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(kind)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        Some(Value::Array(_)) => schema,
        _ if schema == json!({}) => schema,
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn kind(kind: &FieldType, all: &[Collection]) -> Value {
    let of = |members: Value| {
        let Value::Object(members) = members else { return members };
        Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
    };
    match kind {
        FieldType::Text { min_length, max_length, .. } => {
            of(json!({"type": "string", "minLength": min_length, "maxLength": max_length}))
        }
        FieldType::Integer { min, max } => {
            of(json!({"type": "integer", "format": "int64", "minimum": min, "maximum": max}))
        }
        FieldType::Decimal { .. } => json!({"type": "string", "format": "decimal"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::Datetime => json!({"type": "string", "format": "date-time"}),
        // An address that is not there is the empty text.
        FieldType::Email | FieldType::Url => json!({"type": "string"}),
        FieldType::Choice { choices, many: false } => json!({"type": "string", "enum": choices}),
        FieldType::Choice { choices, many: true } => {
            json!({"type": "array", "items": {"type": "string", "enum": choices}})
        }
        FieldType::Reference { collection, many: true, on_delete } => {
            let one = FieldType::Reference { collection: collection.clone(), many: false, on_delete: *on_delete };
            json!({"type": "array", "items": self::kind(&one, all)})
        }
        FieldType::Reference { collection, .. } => {
            match all.iter().find(|known| Some(&known.name) == collection.as_ref()) {
                Some(target) => id(target.ids),
                None => json!({"anyOf": [id(Ids::Uuid), id(Ids::Integer)]}),
            }
        }
        FieldType::Json { .. } => json!({}),
    }
}

/// An id of a record.
pub(super) fn id(ids: Ids) -> Value {
    match ids {
        Ids::Uuid => json!({"type": "string", "format": "uuid"}),
        Ids::Integer => json!({"type": "integer", "format": "int64", "minimum": 1}),
    }
}

/// A member that the server owns, of records with these ids.
pub(super) fn server_member(name: &str, ids: Ids) -> Value {
    match name {
        "id" => {
            let mut schema = id(ids);
            schema["readOnly"] = true.into();
            schema
        }
        "owner" => json!({"type": ["string", "null"], "format": "uuid"}),
        "revision" => json!({"type": "integer", "format": "int64", "readOnly": true}),
        "username" => json!({"type": ["string", "null"], "readOnly": true}),
        _ => json!({"type": "string", "format": "date-time", "readOnly": true}),
    }
}
