//! The members that the server sets, as fields.

use crate::field::{Field, FieldType, OnDelete};

/// The server's members as fields, so that lists can be filtered and ordered by them.
pub fn server_field(name: &str) -> Option<Field> {
    let kind = match name {
        "id" | "owner" => {
            FieldType::Reference { collection: "users".parse().ok(), many: false, on_delete: OnDelete::SetNull }
        }
        "created_at" | "updated_at" => FieldType::Datetime,
        "revision" => FieldType::Integer { min: None, max: None },
        _ => return None,
    };
    // Not a name that a collection may use, so it is read past `FieldName`'s own check.
    let mut field = Field::new("x".parse().ok()?, kind);
    field.nullable = name == "owner";
    Some(field)
}
