//! The first of many records in an order that no index has. Only what they are ordered by is held, and of that no more than
//! is asked for, so that a long list takes time and not memory.

use std::{cmp::Ordering, sync::Arc};

use base::Charge;
use common::{
    access::Caller,
    collection::{Collection, Ids},
    id::RecordId,
    problem::{FieldError, FieldErrors},
    query::ListQuery,
    record::Record,
};
use serde_json::Value;
use store::Snapshot;

use super::{condition::compare, cursor::Cursor, path::Path, referred::Referred};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    schema::Schema,
    work::{self, MAX_PAGE_BYTES},
};

/// Bytes that the values of an ordering may take, as everything that is held for one page.
const MAX_HELD: usize = MAX_PAGE_BYTES;

/// The keys of an ordering, each with whether the largest comes first.
pub(crate) struct SortKeys {
    keys: Vec<(Path, bool)>,
    /// Ids rise with the time of creation.
    are_made_in_order: bool,
}

impl SortKeys {
    /// A checked query's, over a collection's own members.
    pub(crate) fn new(collection: &Collection, query: &ListQuery) -> Self {
        let keys = query.ordering.iter();
        let keys = keys.filter_map(|key| Some((Path::own(collection, &key.field)?, key.descending))).collect();
        Self { keys, are_made_in_order: collection.ids == Ids::Uuid }
    }

    /// None.
    pub(crate) fn none() -> Self {
        Self { keys: Vec::new(), are_made_in_order: true }
    }

    /// A query's, over members of other records too.
    pub(crate) async fn find(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        query: &ListQuery,
    ) -> Result<Self> {
        let mut keys = Vec::with_capacity(query.ordering.len());
        let mut errors = FieldErrors::new();
        let names = query.ordering.iter().map(|key| key.field.as_str());
        let paths = Path::find_all(core, snapshot, caller, schema, names).await?;
        for (key, path) in query.ordering.iter().zip(paths) {
            match path.filter(|path| path.bound.is_none()) {
                Some(path) if path.field.kind.indexable() && !path.is_of_many() => keys.push((path, key.descending)),
                Some(_) => {
                    errors.push("ordering", FieldError::new("invalid", format!("\"{}\" has no order.", key.field)));
                }
                None => {
                    let name = common::text::single_line(&key.field);
                    errors.push("ordering", FieldError::new("invalid", format!("There is no field \"{name}\".")));
                }
            }
        }
        Ok(errors.or(Self { keys, are_made_in_order: schema.collection.ids == Ids::Uuid })?)
    }

    /// Each key with whether the largest comes first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&Path, bool)> + Clone {
        self.keys.iter().map(|(path, descending)| (path, *descending))
    }

    /// Whether a key is the id, or says the same of the order.
    fn is_id(&self, path: &Path) -> bool {
        match path.own_member() {
            Some("id") => true,
            Some("created_at") => self.are_made_in_order,
            _ => false,
        }
    }

    /// Whether rows are in the order of their ids, or its reverse.
    pub(crate) fn are_ids(&self) -> bool {
        self.keys.first().is_none_or(|(path, _)| self.is_id(path))
    }

    /// Whether rows that are equal in all keys stand in the reverse of the order of their ids: as an index reads.
    pub(crate) fn ids_descend(&self) -> bool {
        let made = self.keys.iter().find(|(path, _)| self.is_id(path));
        made.or(self.keys.last()).is_some_and(|(_, descending)| *descending)
    }

    /// The first key, where nothing but ids tells apart what is equal in it.
    pub(crate) fn first_alone(&self) -> Option<(&Path, bool)> {
        let mut keys = self.keys();
        let first = keys.next()?;
        keys.next().is_none_or(|(path, _)| self.is_id(path)).then_some(first)
    }

    /// What is ordered by.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> + Clone {
        self.keys.iter().map(|(path, _)| path)
    }

    /// What a record is ordered by.
    pub(crate) fn of(&self, record: &Record, referred: &Referred) -> Vec<Value> {
        self.keys.iter().map(|(path, _)| path.value(record, referred).into_owned()).collect()
    }

    fn compare(&self, a: &[Value], id_a: RecordId, b: &[Value], id_b: RecordId) -> Ordering {
        for (i, (path, descending)) in self.keys.iter().enumerate() {
            let order = compare(&path.field, &a[i], &b[i]);
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        if self.ids_descend() { id_b.cmp(&id_a) } else { id_a.cmp(&id_b) }
    }
}

/// What a record is ordered by.
type Row = (Vec<Value>, RecordId);

/// The first records so far.
pub(crate) struct First<'a> {
    keys: &'a SortKeys,
    /// Where to begin, and in which direction.
    start: Option<Cursor>,
    wanted: usize,
    /// Fewer will do where all do not fit.
    flexible: bool,
    rows: Vec<Row>,
    held: usize,
    charge: Charge,
}

impl<'a> First<'a> {
    /// The first `wanted` of those to come.
    pub(crate) fn new(keys: &'a SortKeys, wanted: usize) -> Self {
        Self { keys, start: None, wanted, flexible: false, rows: Vec::new(), held: 0, charge: work::charge() }
    }

    /// Only those that come behind a place, in its direction.
    pub(crate) fn behind(self, start: Option<Cursor>) -> Self {
        let start = start.filter(|start| start.values.len() == self.keys.keys.len());
        Self { start, ..self }
    }

    /// Fewer where so many do not fit into memory, and no error.
    pub(crate) fn flexible(self, flexible: bool) -> Self {
        Self { flexible, ..self }
    }

    /// One more, and whether it is behind the place to begin at; an error where they take more than may be held.
    pub(crate) fn push(&mut self, values: Vec<Value>, id: RecordId) -> Result<bool> {
        let row = (values, id);
        if !self.is_behind(&row) {
            return Ok(false);
        }
        self.charge.grow(size(&row) as u64)?;
        self.held += size(&row);
        self.rows.push(row);
        // Twice as many, so that letting go of the rest costs little for each.
        if self.rows.len() >= self.wanted.saturating_mul(2).saturating_add(1000) || self.held > MAX_HELD {
            self.let_go();
        }
        while self.held > MAX_HELD && self.flexible && self.rows.len() > 1 {
            self.wanted = self.rows.len() / 2;
            self.let_go();
        }
        if self.held > MAX_HELD {
            return Err(Self::too_deep());
        }
        Ok(true)
    }

    /// The answer where what comes before the rows that are asked for does not fit into memory.
    pub(crate) fn too_deep() -> Error {
        let message = "So many rows cannot be ordered by this up to here. Narrow the list, order it by an indexed field, or go on by cursor.";
        FieldErrors::of("ordering", FieldError::new("too_much", message)).into()
    }

    fn is_behind(&self, (values, id): &Row) -> bool {
        let Some(start) = &self.start else { return true };
        match self.keys.compare(values, *id, &start.values, start.id) {
            Ordering::Equal => start.inclusive,
            Ordering::Less => start.backward,
            Ordering::Greater => !start.backward,
        }
    }

    /// The first, in their order; the nearest to the place first.
    pub(crate) fn into_ids(mut self) -> Vec<RecordId> {
        self.let_go();
        self.rows.into_iter().map(|(_, id)| id).collect()
    }

    fn let_go(&mut self) {
        let backward = self.start.as_ref().is_some_and(|start| start.backward);
        self.rows.sort_unstable_by(|a, b| {
            let order = self.keys.compare(&a.0, a.1, &b.0, b.1);
            if backward { order.reverse() } else { order }
        });
        self.rows.truncate(self.wanted);
        self.held = self.rows.iter().map(size).sum();
        self.charge.shrink_to(self.held as u64);
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

    fn keys(ordering: &str) -> SortKeys {
        let fields = json!([{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}]);
        let collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1, "fields": fields,
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let query = ListQuery::from_pairs(vec![("ordering".to_owned(), ordering.to_owned())]).unwrap();
        SortKeys::new(&collection, &query)
    }

    fn record(n: u64, text: &str) -> (Record, RecordId) {
        let record = json!({"n": n * 7919 % 1000, "t": text});
        (serde_json::from_value(record).unwrap(), RecordId::from_uuid(uuid::Uuid::from_u128(u128::from(n))))
    }

    #[test]
    fn the_first_are_the_same_however_many_are_wanted() {
        for ordering in ["n", "-n", "t,-n", "-t"] {
            let ids = |wanted: usize| {
                let keys = keys(ordering);
                let mut first = First::new(&keys, wanted);
                for n in 0..5000 {
                    let (record, id) = record(n, if n % 3 == 0 { "a" } else { "b" });
                    first.push(keys.of(&record, &Referred::default()), id).unwrap();
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
        let long = "x".repeat(100 * 1024);
        let keys = keys("t");
        let mut few = First::new(&keys, 20);
        let mut all = First::new(&keys, usize::MAX);
        let mut flexible = First::new(&keys, 100).flexible(true);
        let mut refused = None;
        for n in 0..200 {
            let (record, id) = record(n, &long);
            let values = || keys.of(&record, &Referred::default());
            few.push(values(), id).unwrap();
            flexible.push(values(), id).unwrap();
            assert!(few.held <= MAX_HELD && flexible.held <= MAX_HELD);
            refused = refused.or_else(|| all.push(values(), id).err().map(|_| n));
        }
        let (few, flexible) = (few.into_ids(), flexible.into_ids());
        assert_eq!((few.len(), (20..82).contains(&flexible.len())), (20, true));
        assert_eq!(few, flexible[..20], "fewer, and the first ones");
        assert_eq!(refused, Some(81), "8 MiB, less what stands around the texts");
    }
}
