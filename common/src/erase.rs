//! The wish to have something erased: from the journal, from backups that are made from then on, and from the disk with the next
//! compaction.

use serde_json::{Value, json};

use crate::{
    id::{InvalidId, RecordId, UserId},
    name::{CollectionName, FieldName},
    problem::{FieldErrors, NON_FIELD},
    reader::{Body, Reader, invalid},
};

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erase {
    /// A record with its versions, whether or not it was deleted.
    Record {
        /// Its collection.
        collection: CollectionName,
        /// Which one.
        id: RecordId,
    },
    /// The old values of a field, whether or not its collection still has it. Present values stay.
    Field {
        /// Its collection.
        collection: CollectionName,
        /// Its name.
        name: FieldName,
    },
    /// A user with what the journal says of them. Their records stay, and name an owner who is nobody.
    User {
        /// Which one.
        id: UserId,
    },
}

fn record_id(part: &mut Reader) -> Option<RecordId> {
    let value = part.required("id")?;
    RecordId::from_value(&value).or_else(|| part.fail("id", invalid(InvalidId.to_string())))
}

impl Body for Erase {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let parts = ["record", "field", "user"].map(|name| reader.take(name).map(|value| (name, value)));
        let mut named = parts.into_iter().flatten();
        let (Some((name, value)), None) = (named.next(), named.next()) else {
            let mut errors = reader.finish();
            errors.push(NON_FIELD, invalid("Name one thing to erase: record, field or user."));
            return Err(errors);
        };
        let mut errors = reader.finish();
        let mut part = match Reader::new(value) {
            Ok(part) => part,
            Err(wrong) => {
                errors.nest(name, wrong);
                return Err(errors);
            }
        };
        let read = match name {
            "record" => {
                let (collection, id) = (part.parsed("collection"), record_id(&mut part));
                collection.zip(id).map(|(collection, id)| Self::Record { collection, id })
            }
            "field" => {
                let (collection, name) = (part.parsed("collection"), part.parsed("name"));
                collection.zip(name).map(|(collection, name)| Self::Field { collection, name })
            }
            _ => part.parsed("id").map(|id| Self::User { id }),
        };
        errors.nest(name, part.finish());
        match read {
            Some(read) => errors.or(read),
            None => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Record { collection, id } => json!({"record": {"collection": collection, "id": id}}),
            Self::Field { collection, name } => json!({"field": {"collection": collection, "name": name}}),
            Self::User { id } => json!({"user": {"id": id}}),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Erase {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Erase".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let collection = generator.subschema_for::<CollectionName>();
        let (record, user) = (generator.subschema_for::<RecordId>(), generator.subschema_for::<UserId>());
        let field = generator.subschema_for::<FieldName>();
        let object = |members: Value| {
            let required: Vec<_> =
                members.as_object().into_iter().flat_map(|members| members.keys().cloned()).collect();
            json!({"type": "object", "properties": members, "required": required, "additionalProperties": false})
        };
        schemars::json_schema!({"anyOf": [
            object(json!({"record": object(json!({"collection": collection, "id": record}))})),
            object(json!({"field": object(json!({"collection": collection, "name": field}))})),
            object(json!({"user": object(json!({"id": user}))})),
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_named() {
        let id = "01920000-0000-7000-8000-000000000001";
        for good in [
            json!({"record": {"collection": "notes", "id": id}}),
            json!({"field": {"collection": "notes", "name": "text"}}),
            json!({"user": {"id": id}}),
        ] {
            assert_eq!(Erase::from_json(good.clone()).unwrap().to_json(), good);
        }
        for (bad, field) in [
            (json!({}), NON_FIELD),
            (json!({"user": {"id": id}, "field": {"collection": "notes", "name": "text"}}), NON_FIELD),
            (json!({"user": {"id": "x"}}), "user.id"),
            (json!({"user": {}}), "user.id"),
            (json!({"record": {"id": id}}), "record.collection"),
            (json!({"field": {"collection": "notes", "name": "text", "zzz": 1}}), "field.zzz"),
            (json!({"user": {"id": id}, "zzz": 1}), "zzz"),
        ] {
            assert!(Erase::from_json(bad.clone()).unwrap_err().0.contains_key(field), "{bad}");
        }
    }
}
