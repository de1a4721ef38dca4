//! The metadata of a collection's records, in the shape of Django REST Framework's `OPTIONS` answer.

use common::{
    access::{Action, Caller, Decision},
    collection::Ids,
    field::{Field, FieldType, MAX_DECIMAL_DIGITS, MAX_TEXT_LENGTH, Unique},
    id::RecordId,
    metadata::Metadata,
    name::CollectionName,
    text,
};
use serde_json::{Map, Value, json};

use super::find::check_known;
use crate::domain::{core::Core, covered::covers, error::Result, keyspace, schema::hide_references};

/// What a collection's records look like, for who may list, view or create them; or one record. And what nobody may
/// do to them, as far as the caller may know.
pub async fn describe(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: Option<RecordId>,
) -> Result<(Metadata, Vec<Action>)> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let rules = &schema.collection.access;
    let may = |action| rules.decide(action, caller) != Decision::Denied;
    check_known(&schema, caller)?;
    // Of one that is not there for the caller, only what all have in common is told.
    let record = match id {
        Some(id) if covers(core, &snapshot, &schema, rules.decide(Action::View, caller), id).await? => {
            snapshot.get(&keyspace::record(schema.number(), id)).await?
        }
        _ => None,
    };
    let is_there = id.is_none() || record.is_some();
    let mut described = schema.collection.fields.clone();
    hide_references(&core.schemas, &snapshot, &mut described, caller).await?;
    let mut fields = Map::new();
    let kind = match schema.collection.ids {
        Ids::Uuid => "string",
        Ids::Integer => "integer",
    };
    fields.insert("id".to_owned(), server_member(kind, "Id"));
    for field in &described {
        fields.insert(field.name.to_string(), describe_field(field));
    }
    fields.insert("owner".to_owned(), server_member("field", "Owner"));
    fields.insert("created_at".to_owned(), server_member("datetime", "Created at"));
    fields.insert("updated_at".to_owned(), server_member("datetime", "Updated at"));
    fields.insert("revision".to_owned(), server_member("integer", "Revision"));
    let is_theirs = match (id, &record) {
        (Some(id), Some(entry)) => rules.decide(Action::Update, caller).covers(schema.parse(id, entry)?.owner()),
        _ => true,
    };
    let mut actions = Map::new();
    for (action, method) in [(Action::Create, "POST"), (Action::Update, "PUT")] {
        if may(action) && is_there && (id.is_none() || action == Action::Update && is_theirs) {
            actions.insert(method.to_owned(), Value::Object(fields.clone()));
        }
    }
    let parses = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];
    let metadata = Metadata {
        name: text::label(name.as_str()),
        description: schema.collection.description.clone(),
        history: schema.collection.history,
        renders: vec!["application/json".to_owned()],
        parses: parses.map(str::to_owned).into(),
        actions,
        indexes: schema.collection.indexes.clone(),
    };
    Ok((metadata, schema.nobodys(caller)))
}

fn server_member(kind: &str, label: &str) -> Value {
    json!({"type": kind, "required": false, "read_only": true, "label": label})
}

fn describe_field(field: &Field) -> Value {
    let mut described = Map::new();
    let mut put = |name: &str, value: Value| described.insert(name.to_owned(), value);
    put("type", drf_type(&field.kind).into());
    put("required", (field.required && field.default.is_none()).into());
    put("read_only", false.into());
    put("label", text::label(field.name.as_str()).into());
    put("allow_null", field.nullable.into());
    put("unique", (field.unique != Unique::No).into());
    if !field.help.is_empty() {
        put("help_text", field.help.as_str().into());
    }
    if let Some(default) = &field.default {
        put("default", default.clone().into_parts().0);
    }
    match &field.kind {
        FieldType::Text { min_length, max_length, pattern, .. } => {
            put("min_length", json!(min_length));
            put("max_length", json!(max_length.unwrap_or(MAX_TEXT_LENGTH)));
            put("pattern", json!(pattern));
        }
        FieldType::Integer { min, max } => {
            put("min_value", json!(min));
            put("max_value", json!(max));
        }
        FieldType::Decimal { min, max, places } => {
            put("min_value", json!(min));
            put("max_value", json!(max));
            put("max_digits", MAX_DECIMAL_DIGITS.into());
            put("decimal_places", json!(places));
        }
        FieldType::Choice { choices, .. } => {
            let choices =
                choices.iter().map(|choice| json!({"value": choice, "display_name": choice})).collect::<Vec<_>>();
            put("choices", choices.into());
        }
        FieldType::Reference { collection, many, on_delete } => {
            put("collection", json!(collection));
            put("many", if *many { true.into() } else { Value::Null });
            put("on_delete", json!(on_delete));
        }
        FieldType::Json { max_bytes } => {
            put("max_bytes", json!(max_bytes));
        }
        FieldType::Boolean | FieldType::Date | FieldType::Datetime | FieldType::Email | FieldType::Url => {}
    }
    described.retain(|_, value| !value.is_null());
    Value::Object(described)
}

/// The word that Django REST Framework's metadata has for a type.
fn drf_type(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Text { .. } => "string",
        FieldType::Choice { many: true, .. } => "multiple choice",
        FieldType::Reference { .. } | FieldType::Json { .. } => "field",
        other => other.word(),
    }
}
