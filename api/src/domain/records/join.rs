//! The left join of a page with another collection, over [`common::left_join`].

use std::collections::HashMap;

use common::{
    access::{Action, Caller, Decision},
    field::{Field, FieldType},
    id::RecordId,
    json::Exact,
    problem::{FieldError, FieldErrors},
    query::JoinWith,
    record::Record,
    validate::parse_decimal,
};
use serde_json::Value;
use store::{Entry, Scan, Snapshot};

use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    keyspace,
    schema::Schema,
    work::{self, MAX_PAGE_BYTES},
};

/// Adds the matching rows of another collection to every row, under that collection's name: a list, or null.
pub(super) async fn join(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    left: &Schema,
    rows: Vec<Record>,
    with: &JoinWith,
    deadline: &Deadline,
) -> Result<Vec<Record>> {
    let schema = core.schemas.find(snapshot, &with.collection, caller).await?;
    // "Nobody may" tells which methods a route has, and this route is another collection's.
    let may = schema.authorize(Action::List, caller).map_err(|error| match error {
        Error::NobodyMay(_) => Error::Denied,
        error => error,
    })?;
    let their_field = match schema.collection.field(&with.their_field) {
        Some(field) => Some((field.name.as_str(), field.clone())),
        None => schema.collection.server_field(&with.their_field).map(|field| (with.their_field.as_str(), field)),
    };
    let Some((name, their_field)) = their_field else {
        let message =
            format!("\"{}\" has no field \"{}\".", with.collection, common::text::single_line(&with.their_field));
        return Err(FieldErrors::of("left_join", FieldError::new("invalid", message)).into());
    };
    let field = left.collection.field(&with.field);
    let member = field.map_or(with.field.as_str(), |field| field.name.as_str());
    let left: Vec<(Option<String>, Record)> =
        rows.into_iter().map(|row| (key_of(field, row.get(member)), row)).collect();
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    for key in left.iter().filter_map(|(key, _)| key.as_deref()) {
        *wanted.entry(key).or_default() += 1;
    }
    let mut right =
        Right { schema: &schema, name, field: &their_field, may, wanted, matching: HashMap::new(), bytes: 0 };
    right.gather(snapshot, deadline).await?;
    let matching = right.matching;
    let joined = common::left_join(left, &matching).map(|(_, mut row, matching)| {
        row.set(with.collection.as_str(), matching.map_or(Exact::default(), |rows| rows.iter().cloned().collect()));
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

/// The right side: those of its rows that match.
struct Right<'a> {
    schema: &'a Schema,
    /// Its field's name.
    name: &'a str,
    field: &'a Field,
    may: Decision,
    /// How many rows of the left side have a key.
    wanted: HashMap<&'a str, usize>,
    matching: HashMap<Option<String>, Vec<Record>>,
    bytes: usize,
}

impl Right<'_> {
    /// Reads the rows that may match: by the index where the field has one, otherwise all.
    async fn gather(&mut self, snapshot: &Snapshot, deadline: &Deadline) -> Result<()> {
        let schema = self.schema;
        let Some(index) = schema.index(self.name) else {
            let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(schema.number())));
            while let Some(entries) = pages.next().await? {
                for (key, entry) in entries {
                    if let Some(id) = keyspace::last_id(&key) {
                        self.offer(id, &entry)?;
                    }
                }
                deadline.pause().await?;
            }
            return Ok(());
        };
        let keys: Vec<String> = self.wanted.keys().map(|key| (*key).to_owned()).collect();
        for key in keys {
            let Ok(value) = common::validate::convert(self.field, &key) else { continue };
            let prefix = keyspace::index_value(schema.number(), index, self.field, &value);
            let mut pages = snapshot.pages(Scan::prefix(&prefix));
            while let Some(entries) = pages.next().await? {
                let ids: Vec<_> = entries.iter().filter_map(|(key, _)| keyspace::last_id(key)).collect();
                for ids in ids.chunks(work::AT_ONCE) {
                    let keys: Vec<_> = ids.iter().map(|id| keyspace::record(schema.number(), *id)).collect();
                    for (id, entry) in ids.iter().zip(snapshot.get_many(&keys).await?) {
                        if let Some(entry) = entry {
                            self.offer(*id, &entry)?;
                        }
                    }
                    deadline.pause().await?;
                }
            }
        }
        Ok(())
    }

    /// Takes a row that matches and that the caller may see, and counts it as often as it is sent; [`Error::TooLargeTogether`] where
    /// they are too many for one answer.
    fn offer(&mut self, id: RecordId, entry: &Entry) -> Result<()> {
        let row = self.schema.parse(id, entry)?;
        let Some(key) = key_of(Some(self.field), row.get(self.name)) else { return Ok(()) };
        let Some(times) = self.wanted.get(key.as_str()).filter(|_| self.may.covers(row.owner())) else {
            return Ok(());
        };
        // It is held once, parsed, and once for each time that it is sent.
        let bytes = work::parsed_size(&entry.value) * times;
        self.bytes += bytes;
        if self.bytes > MAX_PAGE_BYTES {
            return Err(Error::TooLargeTogether);
        }
        work::hold(bytes)?;
        self.matching.entry(Some(key)).or_default().push(row);
        Ok(())
    }
}
