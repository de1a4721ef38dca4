//! Checks the body of a record against its collection: which members there are, and the value of each.

use serde_json::Value;

use crate::{
    Object,
    collection::Collection,
    id::Revision,
    name::SERVER_MEMBERS,
    problem::FieldErrors,
    reader::{self, invalid, read_only, required, unknown},
    record::Record,
    validate::check,
};

/// What a body is for.
#[derive(Debug, Clone, Copy)]
pub enum Write<'a> {
    /// A new record: members that are missing take their initial value.
    Create,
    /// All of a record anew (PUT): members that are missing take their initial value.
    Replace(&'a Record),
    /// Some members of a record (PATCH): the others stay.
    Patch(&'a Record),
}

/// A body that is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    /// Every field of the collection with its value in canonical form, in the schema's order.
    pub values: Object,
    /// The `revision` that the body brought; it counts as `If-Match`.
    pub revision: Option<Revision>,
}

/// Checks a body against a collection.
pub fn clean(collection: &Collection, body: Value, write: Write<'_>) -> Result<Cleaned, FieldErrors> {
    let mut body = reader::object(body)?;
    let mut errors = FieldErrors::new();
    let stored = match write {
        Write::Create => None,
        Write::Replace(record) | Write::Patch(record) => Some(record),
    };
    let revision = take_server_members(&mut body, stored, &mut errors);
    let mut values = Object::new();
    for field in &collection.fields {
        let name = field.name.as_str();
        let value = match (body.shift_remove(name), write) {
            (Some(value), _) => match check(field, &value) {
                Ok(value) => value,
                Err(wrong) => {
                    errors.add(name.to_owned(), wrong);
                    continue;
                }
            },
            (None, Write::Patch(record)) => record.get(name).cloned().unwrap_or_else(|| field.initial()),
            (None, _) if field.required && field.default.is_none() => {
                errors.push(name, required());
                continue;
            }
            (None, _) => field.initial(),
        };
        values.insert(name.to_owned(), value);
    }
    for name in body.keys() {
        errors.push(name.clone(), unknown());
    }
    errors.or(Cleaned { values, revision })
}

/// Members that the server owns may come back as they were sent, and are refused otherwise.
fn take_server_members(body: &mut Object, stored: Option<&Record>, errors: &mut FieldErrors) -> Option<Revision> {
    let mut revision = None;
    for name in SERVER_MEMBERS {
        let Some(value) = body.shift_remove(name) else { continue };
        match stored {
            Some(_) if name == "revision" => match value.as_u64() {
                Some(number) => revision = Some(Revision(number)),
                None => errors.push(name, invalid("A valid integer is required.")),
            },
            Some(record) if record.get(name) == Some(&value) => {}
            _ => errors.push(name, read_only()),
        }
    }
    revision
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn snacks() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [
                {"name": "title", "type": "text", "required": true},
                {"name": "price", "type": "integer", "default": 1},
                {"name": "note", "type": "text"}
            ],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    #[test]
    fn a_new_record_takes_initial_values_and_refuses_what_it_does_not_know() {
        let cleaned = clean(&snacks(), json!({"title": "Popcorn"}), Write::Create).unwrap();
        assert_eq!(Value::Object(cleaned.values), json!({"title": "Popcorn", "price": 1, "note": ""}));
        let errors = clean(&snacks(), json!({"price": null, "zzz": 1, "id": "x"}), Write::Create).unwrap_err();
        let names: Vec<_> = errors.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["id", "price", "title", "zzz"]);
    }

    #[test]
    fn server_members_may_come_back_unchanged_only() {
        let stored = Record::from_object(
            reader::object(
                json!({"id": "a", "title": "Popcorn", "price": 3, "note": "n", "owner": null, "revision": 9}),
            )
            .unwrap(),
        );
        let patched = clean(&snacks(), json!({"id": "a", "revision": 8, "price": 4}), Write::Patch(&stored)).unwrap();
        assert_eq!(Value::Object(patched.values), json!({"title": "Popcorn", "price": 4, "note": "n"}));
        assert_eq!(patched.revision, Some(Revision(8)));
        let replaced = clean(&snacks(), json!({"title": "Chips"}), Write::Replace(&stored)).unwrap();
        assert_eq!(Value::Object(replaced.values), json!({"title": "Chips", "price": 1, "note": ""}));
        assert!(clean(&snacks(), json!({"owner": "me"}), Write::Patch(&stored)).is_err());
    }
}
