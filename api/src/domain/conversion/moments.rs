//! Moments in the one form in which they are sent: with six digits of a fraction, or none. Versions before 0.2.0 left out zeros at the end.

use common::{Object, change::Change, field::FieldType, json::Exact, record::Record, validate::canonical_datetime};
use serde_json::Value;

use crate::domain::schema::Schema;

/// Gives a moment its form. Any other text stays.
pub(super) fn make_canonical(text: &mut String) {
    if let Some(moment) = canonical_datetime(text) {
        *text = moment;
    }
}

/// The members of a record that are moments, as far as its definition says so today.
pub(super) fn in_record(record: &mut Record, schema: Option<&Schema>) {
    let fields = schema.map(|schema| schema.collection.fields.as_slice()).unwrap_or_default();
    let of_fields =
        fields.iter().filter(|field| matches!(field.kind, FieldType::Datetime)).map(|field| field.name.as_str());
    for name in ["created_at", "updated_at"].into_iter().chain(of_fields) {
        if let Some(moment) = record.get(name).and_then(Value::as_str).and_then(canonical_datetime) {
            record.set(name, moment);
        }
    }
}

/// An entry of the journal, and the values in it.
pub(super) fn in_change(change: &mut Change, schema: Option<&Schema>) {
    make_canonical(&mut change.at);
    for values in [&mut change.before, &mut change.after] {
        if let Some(mut record) = values_of(values) {
            in_record(&mut record, schema);
            *values = Exact::from(record);
        }
    }
}

/// A stored object that is no record. `None` where nothing is to be changed.
pub(super) fn in_json(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut members: Object = serde_json::from_slice(bytes).ok()?;
    let before = members.clone();
    for (name, value) in &mut members {
        match value {
            Value::String(text) if name.ends_with("_at") || ["last_login", "last_used"].contains(&name.as_str()) => {
                make_canonical(text);
            }
            _ => {}
        }
    }
    if members == before { None } else { serde_json::to_vec(&members).ok() }
}

/// The values of a record in an entry, where it has any.
pub(super) fn values_of(value: &Exact) -> Option<Record> {
    value.is_object().then(|| Record::from_slice(value.to_text().as_bytes()).ok()).flatten()
}
