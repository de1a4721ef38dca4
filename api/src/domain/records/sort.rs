//! The first of many records in an order that no index has. Only what they are ordered by is held, and of that no more than
//! is asked for, so that a long list takes time and not memory.

use std::cmp::Ordering;

use common::{
    collection::Collection,
    field::Field,
    id::RecordId,
    problem::{FieldError, FieldErrors},
    query::{ListQuery, server_field},
    record::Record,
};
use serde_json::Value;

use super::filter::compare;
use crate::domain::error::Result;

/// Bytes that the values of an ordering may take. A million numbers are about as much.
const MAX_HELD: usize = 64 * 1024 * 1024;

/// The keys of an ordering.
pub(crate) struct SortKeys(Vec<(String, Field, bool)>);

impl SortKeys {
    /// A checked query's.
    pub(crate) fn new(collection: &Collection, query: &ListQuery) -> Self {
        let keys = query.ordering.iter().filter_map(|key| {
            let field = collection.field(&key.field).cloned().or_else(|| server_field(&key.field))?;
            Some((key.field.clone(), field, key.descending))
        });
        Self(keys.collect())
    }

    fn of(&self, record: &Record) -> Vec<Value> {
        self.0.iter().map(|(name, ..)| record.get(name).cloned().unwrap_or(Value::Null)).collect()
    }

    fn compare(&self, (a, id_a): &Row, (b, id_b): &Row) -> Ordering {
        for (i, (_, field, descending)) in self.0.iter().enumerate() {
            let order = compare(field, &a[i], &b[i]);
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        // Ties are in the order of creation, backward where the last key is: as an index reads.
        match self.0.last() {
            Some((.., true)) => id_b.cmp(id_a),
            _ => id_a.cmp(id_b),
        }
    }
}

/// What a record is ordered by.
type Row = (Vec<Value>, RecordId);

/// The first records so far.
pub(crate) struct First {
    keys: SortKeys,
    wanted: usize,
    rows: Vec<Row>,
    held: usize,
}

impl First {
    /// The first `wanted` of those to come.
    pub(crate) fn new(keys: SortKeys, wanted: usize) -> Self {
        Self { keys, wanted, rows: Vec::new(), held: 0 }
    }

    /// One more; an error where they take more than may be held.
    pub(crate) fn push(&mut self, record: &Record, id: RecordId) -> Result<()> {
        let row = (self.keys.of(record), id);
        self.held += size(&row);
        self.rows.push(row);
        // Twice as many, so that letting go of the rest costs little for each.
        if self.rows.len() >= self.wanted.saturating_mul(2).saturating_add(1000) || self.held > MAX_HELD {
            self.let_go();
        }
        if self.held > MAX_HELD {
            let message = "So many rows cannot be ordered by this. Narrow the list, or order it by an indexed field.";
            return Err(FieldErrors::of("ordering", FieldError::new("too_much", message)).into());
        }
        Ok(())
    }

    /// The first, in their order.
    pub(crate) fn into_ids(mut self) -> Vec<RecordId> {
        self.let_go();
        self.rows.into_iter().map(|(_, id)| id).collect()
    }

    fn let_go(&mut self) {
        self.rows.sort_unstable_by(|a, b| self.keys.compare(a, b));
        self.rows.truncate(self.wanted);
        self.held = self.rows.iter().map(size).sum();
    }
}

/// About how much memory a row takes.
fn size((values, _): &Row) -> usize {
    let texts: usize = values.iter().map(|value| value.as_str().map_or(0, str::len)).sum();
    size_of::<Row>() + values.len() * size_of::<Value>() + texts
}

#[cfg(test)]
mod tests {
    use common::query::Query;
    use serde_json::json;

    use super::*;

    fn first(ordering: &str, wanted: usize) -> First {
        let fields = json!([{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}]);
        let collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1, "fields": fields,
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let query = ListQuery::from_pairs(vec![("ordering".to_owned(), ordering.to_owned())]).unwrap();
        First::new(SortKeys::new(&collection, &query), wanted)
    }

    fn record(n: u64, text: &str) -> (Record, RecordId) {
        let record = json!({"n": n * 7919 % 1000, "t": text});
        (serde_json::from_value(record).unwrap(), RecordId::from_uuid(uuid::Uuid::from_u128(u128::from(n))))
    }

    #[test]
    fn the_first_are_the_same_however_many_are_wanted() {
        for ordering in ["n", "-n", "t,-n", "-t"] {
            let ids = |wanted: usize| {
                let mut first = first(ordering, wanted);
                for n in 0..5000 {
                    let (record, id) = record(n, if n % 3 == 0 { "a" } else { "b" });
                    first.push(&record, id).unwrap();
                }
                first.into_ids()
            };
            let all = ids(usize::MAX);
            assert_eq!(all.len(), 5000);
            for wanted in [0, 1, 20, 999, 4999] {
                assert_eq!(ids(wanted), all[..wanted], "{ordering} {wanted}");
            }
        }
    }

    #[test]
    fn n7_an_ordering_holds_a_bounded_part_and_is_refused_where_it_needs_more() {
        let long = "x".repeat(1024 * 1024);
        let mut few = first("t", 20);
        let mut all = first("t", usize::MAX);
        let mut refused = None;
        for n in 0..200 {
            let (record, id) = record(n, &long);
            few.push(&record, id).unwrap();
            assert!(few.held <= MAX_HELD);
            refused = refused.or_else(|| all.push(&record, id).err().map(|_| n));
        }
        assert_eq!(few.into_ids().len(), 20);
        assert_eq!(refused, Some(63), "64 MiB, less what stands around the texts");
    }
}
