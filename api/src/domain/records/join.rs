//! The left join of a page with another collection, over [`common::left_join`].

use std::collections::{BTreeSet, HashMap};

use common::{
    access::{Action, Caller},
    field::{Field, FieldType},
    query::{JoinWith, server_field},
    record::Record,
    validate::parse_decimal,
};
use serde_json::Value;

use super::parse;
use crate::{
    domain::{
        App, Result,
        collections::{self, Schema},
        keyspace,
    },
    store::{Scan, Snapshot},
};

/// Rows of the right side that are read at once.
const CHUNK: usize = 1000;

/// Adds the matching rows of another collection to every row, under that collection's name: a list, or null.
pub(super) async fn join(
    app: &App,
    snapshot: &Snapshot,
    caller: &Caller,
    (left, rows): (&Schema, Vec<Record>),
    with: &JoinWith,
) -> Result<Vec<Record>> {
    let schema = collections::find(app, snapshot, &with.collection, caller).await?;
    let may = schema.authorize(Action::List, caller)?;
    let their_field = schema.collection.field(&with.their_field).cloned().or_else(|| server_field(&with.their_field));
    let Some(their_field) = their_field else {
        let message =
            format!("\"{}\" has no field \"{}\".", with.collection, common::text::single_line(&with.their_field));
        let error = common::problem::FieldError::new("invalid", message);
        return Err(common::problem::FieldErrors::of("left_join", error).into());
    };
    let field = left.collection.field(&with.field);
    let left: Vec<(Option<String>, Record)> =
        rows.into_iter().map(|row| (key_of(field, row.get(&with.field)), row)).collect();
    let wanted: BTreeSet<&String> = left.iter().filter_map(|(key, _)| key.as_ref()).collect();
    let mut right: HashMap<Option<String>, Vec<Value>> = HashMap::new();
    for record in candidates(snapshot, &schema, &their_field, &with.their_field, &wanted).await? {
        let key = key_of(Some(&their_field), record.get(&with.their_field));
        if key.as_ref().is_some_and(|key| wanted.contains(key)) && may.covers(record.owner()) {
            right.entry(key).or_default().push(Value::Object(record.into_object()));
        }
    }
    let joined = common::left_join(left, &right).map(|(_, mut row, matching)| {
        row.set(with.collection.as_str(), matching.map_or(Value::Null, |rows| Value::Array(rows.clone())));
        row
    });
    Ok(joined.collect())
}

/// What two values must agree in to match; null matches nothing. A decimal matches whatever its places.
fn key_of(field: Option<&Field>, value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => match field.map(|field| &field.kind) {
            Some(FieldType::Decimal { .. }) => parse_decimal(text).map(|number| number.normalize().to_string()),
            _ => Some(text.clone()),
        },
        Some(other) => Some(other.to_string()),
    }
}

/// The records of the right side that may match: by the index where the field has one, otherwise all.
async fn candidates(
    snapshot: &Snapshot,
    schema: &Schema,
    field: &Field,
    name: &str,
    wanted: &BTreeSet<&String>,
) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    if schema.collection.field(name).is_some_and(Field::has_index) {
        for key in wanted {
            let Ok(value) = common::form::parse_input(field, key) else { continue };
            let entries = snapshot.scan(Scan::prefix(&keyspace::index_value(schema.id(), field, &value))).await?;
            for id in entries.iter().filter_map(|(key, _)| keyspace::last_id(key)) {
                if let Some(entry) = snapshot.get(&keyspace::record(schema.id(), id)).await? {
                    records.push(parse(&entry)?);
                }
            }
        }
        return Ok(records);
    }
    let mut scan = Scan::prefix(&keyspace::records(schema.id())).limit(CHUNK);
    loop {
        let entries = snapshot.scan(scan).await?;
        for (_, entry) in &entries {
            let record = parse(entry)?;
            if key_of(Some(field), record.get(name)).is_some_and(|key| wanted.contains(&key)) {
                records.push(record);
            }
        }
        let Some((last, _)) = entries.last().filter(|_| entries.len() == CHUNK) else { return Ok(records) };
        scan = Scan::prefix(&keyspace::records(schema.id())).limit(CHUNK).after(last);
        tokio::task::yield_now().await;
    }
}
