//! Records and the definitions that they are checked against.

use std::{cmp::Ordering, sync::LazyLock};

use coffer::domain::{
    keyspace,
    numbers::{CollectionNumber, IndexNumber},
};
use common::{
    Object,
    access::Caller,
    clean::{Manner, Write, clean},
    collection::{Collection, Definition},
    field::{Field, FieldType},
    form::{input_text, parse_input},
    json,
    reader::Body,
    record::Record,
    table,
    text::is_unsafe,
    validate::{self, parse_decimal},
};
use serde_json::{Value, json};

use crate::split_at;

static COLLECTION: LazyLock<Collection> = LazyLock::new(collection);

/// A collection with a field of each type.
pub(crate) fn collection() -> Collection {
    let rules = json!({"list": [], "view": [], "create": [], "update": [], "delete": []});
    serde_json::from_value(json!({
        "id": "01920000-0000-7000-8000-000000000001", "name": "all", "created_at": "2026-11-22T00:00:00Z",
        "updated_at": "2026-11-22T00:00:00Z", "revision": 1, "access": rules,
        "fields": [
            {"name": "title", "type": "text", "max_length": 255, "unique": true},
            {"name": "about", "type": "text", "multiline": true, "nullable": true},
            {"name": "code", "type": "text", "pattern": "[a-z]{2}-[0-9]+"},
            {"name": "count", "type": "integer", "min": -5, "indexed": true, "nullable": true},
            {"name": "price", "type": "decimal", "places": 2, "indexed": true, "nullable": true},
            {"name": "exact", "type": "decimal", "nullable": true},
            {"name": "good", "type": "boolean"},
            {"name": "day", "type": "date", "nullable": true},
            {"name": "at", "type": "datetime", "nullable": true},
            {"name": "mail", "type": "email"},
            {"name": "link", "type": "url"},
            {"name": "size", "type": "choice", "choices": ["small", "large"], "nullable": true},
            {"name": "tags", "type": "choice", "choices": ["a", "b", "c"], "many": true},
            {"name": "other", "type": "reference", "collection": "all", "nullable": true},
            {"name": "others", "type": "reference", "collection": "all", "many": true},
            {"name": "more", "type": "json", "nullable": true},
        ],
    }))
    .expect("the definition is one")
}

/// A record that is taken comes back from its stored bytes as it was, is in a form that does not change when it is sent again, is read by our own
/// strict reader, and is shown as text that drives no terminal. Two records' values compare like the keys of their index entries.
pub fn record(bytes: &[u8]) {
    let (first, second) = split_at(bytes, b"\n---\n");
    let (Some(first), second) = (take(&COLLECTION, &first), take(&COLLECTION, &second)) else { return };
    let Some(second) = second else { return };
    for field in COLLECTION.fields.iter().filter(|field| field.kind.indexable()) {
        let name = field.name.as_str();
        let (a, b) = (&first[name], &second[name]);
        // An index keeps the beginning of a long text, so its order is exact for that only.
        if [a, b].iter().any(|value| value.as_str().is_some_and(|text| text.len() > 255)) {
            continue;
        }
        let keys = [a, b].map(|value| keyspace::index_value(CollectionNumber(1), IndexNumber(1), field, value));
        assert_eq!(keys[0].cmp(&keys[1]), compare(field, a, b), "{name}: {a} and {b}");
    }
}

/// A definition that is taken is written and read again as it was, and holds records to itself: see [`record`].
pub fn definition(bytes: &[u8]) {
    let (definition, record) = split_at(bytes, b"\n---\n");
    let Some(definition) = json::parse_value(&definition).ok().and_then(|value| Definition::from_json(value).ok())
    else {
        return;
    };
    let again = Definition::from_json(definition.to_json()).expect("what is written is a definition");
    assert_eq!(Definition { sent_back: Object::new(), ..definition.clone() }, again);
    let collection = Collection {
        name: definition.name,
        description: definition.description,
        fields: definition.fields,
        access: definition.access,
        ..COLLECTION.clone()
    };
    for field in collection.fields.iter().filter(|field| field.default.is_some()) {
        assert!(
            validate::check_exact(field, &field.initial(), validate::Ends::Trimmed).is_ok(),
            "the default of {} does not fit it",
            field.name
        );
    }
    take(&collection, &record);
}

/// The values of a record that fits, after everything that holds for one.
fn take(collection: &Collection, bytes: &[u8]) -> Option<Object> {
    let sent = Record::from_exact(json::parse(bytes).ok()?).ok()?;
    let manner = Manner::json(&Caller::Anonymous);
    let record = clean(collection, sent, Write::Create, manner).ok()?.values;
    let stored = serde_json::to_vec(&record).expect("a record can be written");
    let read: Record = serde_json::from_slice(&stored).expect("a record can be read");
    assert_eq!(read, record);
    assert_eq!(Record::from_slice(&stored).expect("a record can be read"), record);
    assert_eq!(json::parse(&stored).as_deref(), Ok(&record.to_json()), "{}", String::from_utf8_lossy(&stored));
    for write in [Write::Replace(&record), Write::Patch(&record)] {
        let again = clean(collection, read.clone(), write, manner).expect("what is stored fits");
        assert_eq!(again.values, record, "sending a record back changes it");
    }
    for field in &collection.fields {
        let value = record.get(field.name.as_str()).expect("every field has a value");
        assert!(!table::cell(Some(value)).chars().any(is_unsafe), "{value} drives the terminal");
        check_form(field, value);
    }
    Some(record.into_object())
}

/// A form that is opened and sent without a change sends back the stored value.
fn check_form(field: &Field, value: &Value) {
    let shown = input_text(value);
    if let Ok(typed) = parse_input(field, &shown)
        && let Ok(typed) = validate::check(field, &*typed)
    {
        // Nothing typed and nothing there look alike; forms send only what was changed.
        let is_empty = shown.is_empty() || value.as_array().is_some_and(Vec::is_empty);
        // In a choice of several, lines part the choices.
        let is_parted = matches!(field.kind, FieldType::Choice { .. }) && shown.contains(['\n', '\r']);
        // A text in JSON is shown without its quotes.
        let is_json = matches!(field.kind, FieldType::Json { .. });
        assert!(typed == *value || is_empty || is_parted || is_json, "{}: {value} became {typed}", field.name);
    }
}

fn compare(field: &Field, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::String(a), Value::String(b)) => match field.kind {
            FieldType::Decimal { .. } => parse_decimal(a).cmp(&parse_decimal(b)),
            FieldType::Datetime => a.trim_end_matches('Z').cmp(b.trim_end_matches('Z')),
            _ => a.as_bytes().cmp(b.as_bytes()),
        },
        _ => panic!("{a} and {b} are values of one field"),
    }
}
