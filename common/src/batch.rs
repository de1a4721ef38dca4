//! Changes of several records, in several collections, that happen together or not at all.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    answer::JsonAnswer,
    id::{RecordId, Revision},
    json::Exact,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    reader::{Body, Reader, invalid, required},
    record::Record,
};

/// Items of one batch at most.
pub const MAX_ITEMS: usize = 1000;

/// The member of a reference's value that names the record which an earlier item makes: `{"$ref": "order"}`, or the item's number.
pub const REF: &str = "$ref";

/// What an item does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Act {
    /// Makes a record.
    Create,
    /// Changes some members of a record.
    Update,
    /// Deletes a record, and what hangs on it.
    Delete,
    /// Changes the record that has the key's value, or makes one.
    Upsert,
}

impl Act {
    /// Every word.
    pub const WORDS: [(&'static str, Self); 4] =
        [("create", Self::Create), ("update", Self::Update), ("delete", Self::Delete), ("upsert", Self::Upsert)];
}

/// Which record an item is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Which {
    /// One that is there.
    Id(RecordId),
    /// The one that an earlier item makes or changes.
    Earlier {
        /// What the item calls it, or the item's number.
        #[serde(rename = "$ref")]
        earlier: String,
    },
}

impl Which {
    fn from_value(value: &Value) -> Option<Self> {
        if let Some(id) = RecordId::from_value(value) {
            return Some(Self::Id(id));
        }
        let members = value.as_object().filter(|members| members.len() == 1)?;
        match members.get(REF)? {
            Value::String(earlier) => Some(Self::Earlier { earlier: earlier.clone() }),
            Value::Number(number) if number.is_u64() => Some(Self::Earlier { earlier: number.to_string() }),
            _ => None,
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What is done.
    pub action: Act,
    /// In which collection.
    pub collection: CollectionName,
    /// To which record: where something is updated or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Which>,
    /// The unique field that an upsert looks a record up by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What later items call the record, beside the item's number.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only if the record still has this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<Revision>,
    /// The members, but for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// Which members an item has goes by its action; null is as good as none.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Item {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BatchItem".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let collection = generator.subschema_for::<CollectionName>();
        let (id, record) = (generator.subschema_for::<RecordId>(), generator.subschema_for::<crate::Object>());
        let earlier = schemars::json_schema!({
            "type": "object",
            "additionalProperties": false,
            "required": ["$ref"],
            "properties": {"$ref": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}},
        });
        let id = schemars::json_schema!({"anyOf": [id, earlier]});
        let if_match = generator.subschema_for::<Option<Revision>>();
        let none = || schemars::json_schema!({"type": "null"});
        let text = schemars::json_schema!({"type": "string", "minLength": 1});
        let of = |action: &str| {
            let (wants_id, wants_key, wants_record) =
                (["update", "delete"].contains(&action), action == "upsert", action != "delete");
            let wanted = [(wants_id, "id"), (wants_key, "key"), (wants_record, "record")];
            let required: Vec<&str> = ["action", "collection"]
                .into_iter()
                .chain(wanted.iter().filter(|(is, _)| *is).map(|(_, name)| *name))
                .collect();
            schemars::json_schema!({
                "type": "object",
                "additionalProperties": false,
                "required": required,
                "properties": {
                    "action": {"const": action},
                    "collection": collection,
                    "id": if wants_id { id.clone() } else { none() },
                    "key": if wants_key { text.clone() } else { none() },
                    "as": {"type": ["string", "null"], "minLength": 1},
                    "if_match": if_match,
                    "record": if wants_record { record.clone() } else { none() },
                },
            })
        };
        let actions: Vec<schemars::Schema> = Act::WORDS.iter().map(|(word, _)| of(word)).collect();
        schemars::json_schema!({"oneOf": actions})
    }
}

/// Up to [`MAX_ITEMS`] changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Batch {
    /// In their order.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ITEMS)))]
    pub items: Vec<Item>,
}

fn item(value: Value) -> Result<Item, FieldErrors> {
    let mut reader = Reader::new(value)?;
    let action = reader.text("action").and_then(|word| {
        let known = Act::WORDS.iter().find(|(known, _)| *known == word).map(|(_, act)| *act);
        known.or_else(|| reader.fail("action", invalid("This is create, update, delete or upsert.")))
    });
    let collection = reader.parsed("collection");
    let text = |reader: &mut Reader, name: &str| {
        let value = reader.take(name).filter(|value| !value.is_null())?;
        match value.as_str() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => reader.fail(name, invalid("Not a valid string.")),
        }
    };
    let id = reader.take("id").filter(|value| !value.is_null()).and_then(|value| {
        let id = Which::from_value(&value);
        id.or_else(|| {
            reader.fail(
                "id",
                invalid("This is not the id of a record, nor what an earlier item is called: {\"$ref\": …}."),
            )
        })
    });
    let (key, name) = (text(&mut reader, "key"), text(&mut reader, "as"));
    let if_match = reader.length("if_match").map(Revision);
    let record = match reader.take("record") {
        None | Some(Value::Null) => None,
        Some(value) => match Record::from_json(value) {
            Ok(record) => Some(record),
            Err(errors) => {
                reader.errors.nest("record", errors);
                None
            }
        },
    };
    if let Some(action) = action {
        let (needs_id, needs_record) = match action {
            Act::Update => (true, true),
            Act::Delete => (true, false),
            Act::Create | Act::Upsert => (false, true),
        };
        let has_record = record.is_some() || reader.errors.0.keys().any(|name| name.starts_with("record"));
        for (name, is_wanted, is_there) in [
            ("id", needs_id, id.is_some() || reader.errors.0.contains_key("id")),
            ("record", needs_record, has_record),
            ("key", action == Act::Upsert, key.is_some() || reader.errors.0.contains_key("key")),
        ] {
            if is_wanted && !is_there {
                reader.errors.push(name, required());
            }
            let is_idle = is_there && !is_wanted && !reader.errors.0.contains_key(name);
            if is_idle {
                reader.errors.push(name, invalid("This has no place in an item of this action."));
            }
        }
    }
    let errors = reader.finish();
    match (action, collection) {
        (Some(action), Some(collection)) => errors.or(Item { action, collection, id, key, name, if_match, record }),
        _ => Err(errors),
    }
}

impl Body for Batch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let values = match reader.required("items") {
            Some(Value::Array(items)) if items.len() <= MAX_ITEMS => items,
            Some(Value::Array(items)) => {
                let message =
                    format!("Ensure this list has no more than {MAX_ITEMS} items; this one has {}.", items.len());
                reader.errors.push("items", FieldError::new("max_length", message));
                Vec::new()
            }
            Some(_) => {
                reader.errors.push("items", FieldError::new("not_a_list", "Expected a list of items."));
                Vec::new()
            }
            None => Vec::new(),
        };
        let (mut items, mut faults) = (Vec::with_capacity(values.len()), FieldErrors::of_items(values.len()));
        for (i, value) in values.into_iter().enumerate() {
            match item(value) {
                Ok(item) => items.push(item),
                Err(errors) => faults.nest(&i.to_string(), errors),
            }
        }
        // As of an array: each fault stands under the number of its item.
        reader.finish().or(())?;
        faults.or(Self { items })
    }

    fn from_exact(body: Exact) -> Result<Self, FieldErrors> {
        /// The same with the digits of its records.
        #[derive(Deserialize)]
        struct Items {
            items: Vec<Digits>,
        }
        #[derive(Deserialize)]
        struct Digits {
            record: Option<Record>,
        }
        let text = body.text().map(str::to_owned);
        let mut read = Self::from_json(body.into_parts().0)?;
        if let Some(Ok(exact)) = text.map(|text| serde_json::from_str::<Items>(&text)) {
            for (item, digits) in read.items.iter_mut().zip(exact.items) {
                item.record = digits.record;
            }
        }
        Ok(read)
    }

    fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| Value::Object(Map::new()))
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What one item did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {
    /// What was done: of an upsert which of the two.
    pub action: Act,
    /// In which collection.
    pub collection: CollectionName,
    /// To which record.
    pub id: RecordId,
    /// The record; null where it was deleted.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::Object>"))]
    pub record: Option<Record>,
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Batched {
    /// In the order of the items.
    pub items: Vec<Done>,
}

impl JsonAnswer for Batched {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_read_strictly_and_faults_point_at_them() {
        let id = "01920000-0000-7000-8000-000000000001";
        let good = json!({"items": [
            {"action": "create", "collection": "orders", "record": {"n": 1}, "as": "order"},
            {"action": "update", "collection": "snacks", "id": id, "if_match": 7, "record": {"stock": {"$add": -1}}},
            {"action": "delete", "collection": "snacks", "id": id},
            {"action": "upsert", "collection": "words", "key": "word", "record": {"word": "a"}},
        ]});
        let read = Batch::from_json(good.clone()).unwrap();
        assert_eq!((read.items.len(), read.to_json()), (4, good));
        for (item, place) in [
            (json!({}), "0.action"),
            (json!({"action": "move", "collection": "a"}), "0.action"),
            (json!({"action": "create", "collection": "A", "record": {}}), "0.collection"),
            (json!({"action": "create", "collection": "a"}), "0.record"),
            (json!({"action": "update", "collection": "a", "record": {}}), "0.id"),
            (json!({"action": "delete", "collection": "a", "id": "x"}), "0.id"),
            (json!({"action": "delete", "collection": "a", "id": id, "record": {}}), "0.record"),
            (json!({"action": "upsert", "collection": "a", "record": {}}), "0.key"),
            (json!({"action": "create", "collection": "a", "record": {}, "zzz": 1}), "0.zzz"),
            (json!({"action": "create", "collection": "a", "record": 3}), "0.record.non_field_errors"),
            (json!(3), "0.non_field_errors"),
        ] {
            let errors = Batch::from_json(json!({"items": [item]})).unwrap_err();
            assert!(errors.0.contains_key(place), "{item}: {errors:?}");
        }
        let many = vec![json!({"action": "create", "collection": "a", "record": {}}); MAX_ITEMS + 1];
        assert!(Batch::from_json(json!({"items": many})).is_err());
    }

    #[test]
    fn digits_of_records_are_kept() {
        let text = br#"{"items":[{"action":"create","collection":"a","record":{"data":1.10}}]}"#;
        let read = Batch::from_exact(crate::json::parse(text).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(read.items[0].record.as_ref().unwrap()).unwrap(), r#"{"data":1.10}"#);
    }
}
