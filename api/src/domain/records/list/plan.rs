//! On which way the rows of a list are found: off keys that are in its order already, or by looking at every record that may
//! match.

use std::iter;

use base::Charge;
use common::{
    access::Decision,
    field::Field,
    query::{ListQuery, Lookup},
    record::Record,
};
use store::{Key, Scan};

use super::{
    View, Window,
    rows::{Found, Rows, resolve},
};
use crate::domain::{
    error::Result,
    keyspace,
    records::{
        cursor::Cursor,
        filter::{Condition, Conditions},
        referred::Referred,
        sort::{First, SortKeys},
        visible::owned,
    },
    schema::{self, Schema},
    work,
};

/// How the rows of a query are found.
pub(super) struct Plan {
    conditions: Conditions,
    keys: SortKeys,
    way: Way,
}

enum Way {
    /// Every key of an order is a match; how many there are is kept.
    Kept(Order),
    /// Every key of an order is a match; they are counted.
    Counted(Order),
    /// Some of the keys of a prefix are; under it ids are in order.
    Search(Key),
}

/// Keys that are in the order of a query, or in its reverse.
struct Order {
    prefix: Key,
    /// The indexed field whose values stand behind the prefix; `None` where ids do.
    by: Option<Field>,
    descending: bool,
}

impl Order {
    fn ids(prefix: Key, descending: bool) -> Self {
        Self { prefix, by: None, descending }
    }

    /// The keys behind a place, in its direction.
    fn scan(&self, start: Option<&Cursor>) -> Scan {
        let backward = start.is_some_and(|start| start.backward);
        let scan = Scan::prefix(&self.prefix);
        let scan = if self.descending == backward { scan } else { scan.backward() };
        let Some(start) = start else { return scan };
        let key = match (&self.by, start.values.first()) {
            (Some(field), Some(value)) => keyspace::element(self.prefix.clone(), field, value),
            _ => self.prefix.clone(),
        };
        let key = key.uuid(start.id.uuid());
        if start.inclusive { scan.from(&key) } else { scan.after(&key) }
    }
}

impl Plan {
    /// The way for a checked query.
    pub(super) async fn new(view: &View<'_>) -> Result<Self> {
        let View { core, snapshot, caller, schema, may, query, .. } = view;
        let conditions = Conditions::find(core, snapshot, caller, schema, query).await?;
        let keys = SortKeys::find(core, snapshot, caller, schema, query).await?;
        let by_owner = owned(core, snapshot, schema, *may).await?;
        let way = match direct(schema, *may, by_owner.clone(), query, &conditions) {
            Some(order) => Way::Kept(order),
            None => match one_value(schema, *may, query, &conditions) {
                Some(order) => Way::Counted(order),
                None => Way::Search(narrowest(schema, by_owner, &conditions)),
            },
        };
        Ok(Self { conditions, keys, way })
    }

    /// How many records match.
    pub(super) async fn count(&self, view: &View<'_>) -> Result<u64> {
        match &self.way {
            Way::Kept(_) => {
                Ok(schema::count(&view.core.owners, view.snapshot, view.schema.number(), view.may).await?.unwrap_or(0))
            }
            Way::Counted(order) => Ok(view.snapshot.count(&Scan::prefix(&order.prefix)).await?.get() as u64),
            Way::Search(prefix) => {
                let rows = self.search(view, prefix, Window { skip: 0, size: 0 }, true, false).await?;
                Ok(rows.count.unwrap_or(0))
            }
        }
    }

    /// The rows of a window. Where it is flexible, they may be fewer than it has.
    pub(super) async fn rows(&self, view: &View<'_>, window: Window, flexible: bool) -> Result<Rows> {
        let (order, count) = match &self.way {
            Way::Search(prefix) => return self.search(view, prefix, window, view.query.count, flexible).await,
            Way::Kept(order) | Way::Counted(order) => (order, self.count(view).await?),
        };
        let mut rows = Rows::of(count);
        let all = usize::try_from(count).unwrap_or(usize::MAX);
        let before = window.skip;
        let size = window.size.min(all.saturating_sub(before));
        let after = all.saturating_sub(before).saturating_sub(size);
        let scan = order.scan(None);
        // Passing over keys takes time, so a page past the middle is read from the end, unless it may be too long for that.
        if after < before {
            let reversed = Scan::prefix(&order.prefix);
            let reversed = if order.descending { reversed } else { reversed.backward() };
            rows.read(view.snapshot, &view.schema, reversed.skip(after), size).await?;
            rows.found.reverse();
            if !rows.is_cut || !flexible {
                return Ok(rows);
            }
            rows = Rows::of(count);
        }
        rows.read(view.snapshot, &view.schema, scan.skip(before), size).await?;
        Ok(rows)
    }

    /// Up to `wanted` rows behind a place, the nearest first.
    pub(super) async fn rows_behind(&self, view: &View<'_>, start: Option<Cursor>, wanted: usize) -> Result<Rows> {
        let mut rows = Rows::default();
        match &self.way {
            Way::Kept(order) | Way::Counted(order) => {
                rows.read(view.snapshot, &view.schema, order.scan(start.as_ref()), wanted).await?;
            }
            Way::Search(prefix) if view.query.ordering.is_empty() => {
                let scan = Order::ids(prefix.clone(), false).scan(start.as_ref());
                let mut walk = Walk::new(self, view, scan);
                'walk: while let Some(matches) = walk.next().await? {
                    for (row, _) in matches {
                        work::hold(row.1.value.len())?;
                        rows.push(row);
                        if rows.is_cut || rows.found.len() == wanted {
                            break 'walk;
                        }
                    }
                }
            }
            Way::Search(prefix) => {
                let mut first = First::new(&self.keys, wanted).behind(start).flexible(true);
                let mut walk = Walk::new(self, view, Scan::prefix(prefix));
                let mut matching = 0;
                while let Some(matches) = walk.next().await? {
                    for ((id, _), record) in matches {
                        matching += usize::from(first.push(self.keys.of(&record, &walk.referred), id)?);
                    }
                }
                let ids = first.into_ids();
                rows.read_by_id(view.snapshot, &view.schema, &ids).await?;
                rows.is_cut |= ids.len() < matching.min(wanted);
            }
        }
        Ok(rows)
    }

    /// The place of a row.
    pub(super) async fn place(&self, view: &View<'_>, (id, entry): &Found, backward: bool) -> Result<Cursor> {
        let record = view.schema.parse(*id, entry)?;
        let mut referred = Referred::new(self.keys.paths());
        referred.load(view.snapshot, self.keys.paths(), iter::once(&record)).await?;
        Ok(Cursor { backward, inclusive: false, values: self.keys.of(&record, &referred), id: *id })
    }

    /// Looks at every record that may match and keeps those of the window; counts them all where that is asked for.
    async fn search(
        &self,
        view: &View<'_>,
        prefix: &Key,
        window: Window,
        counts: bool,
        flexible: bool,
    ) -> Result<Rows> {
        let Window { skip, size } = window;
        let mut first = First::new(&self.keys, skip.saturating_add(size)).flexible(flexible);
        let mut rows = Rows::default();
        let mut count = 0usize;
        let is_ordered = !view.query.ordering.is_empty() && size > 0;
        let mut walk = Walk::new(self, view, Scan::prefix(prefix));
        'walk: while let Some(matches) = walk.next().await? {
            for (row, record) in matches {
                count += 1;
                if is_ordered {
                    first.push(self.keys.of(&record, &walk.referred), row.0)?;
                } else if count > skip && count - skip <= size && !rows.is_cut {
                    work::hold(row.1.value.len())?;
                    rows.push(row);
                } else if count > skip && !counts {
                    break 'walk;
                }
            }
        }
        if is_ordered {
            let ids = first.into_ids();
            rows.is_cut = ids.len() < count.min(skip.saturating_add(size));
            let page = ids.get(skip..).unwrap_or_default();
            if page.is_empty() && rows.is_cut {
                return Err(First::too_deep());
            }
            let is_cut = rows.is_cut;
            rows.is_cut = false;
            rows.read_by_id(view.snapshot, &view.schema, page).await?;
            rows.is_cut |= is_cut;
        }
        rows.goes_on = rows.is_cut || count > skip.saturating_add(size);
        rows.count = counts.then_some(count as u64);
        Ok(rows)
    }
}

/// A walk through the records that match, some at a time.
struct Walk<'a> {
    plan: &'a Plan,
    view: &'a View<'a>,
    pages: store::Pages<'a>,
    /// What the records of the last stretch refer to.
    referred: Referred,
    /// What the stretch holds.
    held: Charge,
}

impl<'a> Walk<'a> {
    fn new(plan: &'a Plan, view: &'a View<'a>, scan: Scan) -> Self {
        let referred = Referred::new(plan.conditions.paths().chain(plan.keys.paths()));
        Self { plan, view, pages: view.snapshot.pages(scan), referred, held: work::charge() }
    }

    /// The matches of the next stretch; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<(Found, Record)>>> {
        let Self { plan, view, pages, referred, held } = self;
        held.shrink_to(0);
        view.deadline.pause().await?;
        let Some(entries) = pages.next().await? else { return Ok(None) };
        let (collection, conditions) = (&view.schema.collection, &plan.conditions);
        let mut rows = Vec::new();
        for found in resolve(view.snapshot, &view.schema, entries).await? {
            held.grow(work::parsed_size(&found.1.value) as u64)?;
            let record = view.schema.parse(found.0, &found.1)?;
            if view.may.covers(record.owner()) && conditions.hold(collection, &record) {
                rows.push((found, record));
            }
            conditions.rest(view.deadline).await?;
        }
        let paths = plan.conditions.paths().chain(plan.keys.paths());
        referred.load(view.snapshot, paths, rows.iter().map(|(_, record)| record)).await?;
        let mut matches = Vec::with_capacity(rows.len());
        for (found, record) in rows {
            if conditions.hold_for_referred(&record, referred) {
                matches.push((found, record));
            }
            conditions.rest(view.deadline).await?;
        }
        Ok(Some(matches))
    }
}

/// The keys whose order is the query's, where there is nothing to filter.
fn direct(
    schema: &Schema,
    may: Decision,
    by_owner: Option<Key>,
    query: &ListQuery,
    conditions: &Conditions,
) -> Option<Order> {
    if !conditions.is_empty() {
        return None;
    }
    let ids = match may {
        Decision::All => keyspace::records(schema.number()),
        Decision::Own(_) => by_owner?,
        Decision::Denied => return None,
    };
    match query.ordering.as_slice() {
        [] => Some(Order::ids(ids, false)),
        // Ids rise with the time of creation.
        [key] if key.field == "id" || key.field == "created_at" => Some(Order::ids(ids, key.descending)),
        [key] if may == Decision::All => {
            let (field, index) = (schema.collection.field(&key.field)?, schema.index(&key.field)?);
            let prefix = keyspace::index(schema.number(), index);
            Some(Order { prefix, by: Some(field.clone()), descending: key.descending })
        }
        _ => None,
    }
}

/// The entries of one value of an index, where having that value is all that is asked for: they are the matches. Different
/// values have different keys, and under one value ids are in order.
fn one_value(schema: &Schema, may: Decision, query: &ListQuery, conditions: &Conditions) -> Option<Order> {
    let descending = match query.ordering.as_slice() {
        [] => false,
        [key] if key.field == "id" || key.field == "created_at" => key.descending,
        _ => return None,
    };
    let condition = conditions.only().filter(|_| may == Decision::All)?;
    Some(Order::ids(matching(schema, condition)?, descending))
}

/// The smallest range of keys that has every match in it: one value of an index, the caller's own records, or all.
fn narrowest(schema: &Schema, by_owner: Option<Key>, conditions: &Conditions) -> Key {
    let exact = conditions.all.iter().find_map(|condition| matching(schema, condition));
    exact.or(by_owner).unwrap_or_else(|| keyspace::records(schema.number()))
}

/// The entries of the index that has the records side by side that a condition holds for.
fn matching(schema: &Schema, condition: &Condition) -> Option<Key> {
    let Condition { path, lookup, values, .. } = condition;
    let index = schema.index(&path.member).filter(|_| path.is_own_member() && *lookup == Lookup::Exact)?;
    let [value] = values.as_slice() else { return None };
    Some(keyspace::index_value(schema.number(), index, &path.field, value))
}
