//! Rows in the order of what a reference leads to: the records there are read in their order, by an index of theirs, and of each the records
//! that refer to it. Those that are equal there are one group, in the order of their ids.

use std::{collections::VecDeque, ops::Bound, sync::Arc};

use common::{access::Decision, id::RecordId};
use serde_json::Value;
use store::{Cut, Key, Scan};

use super::{
    access::{MAX_MERGED, range},
    merged::Merged,
};
use crate::domain::{
    error::Result,
    indexes::{IndexKind, ReadIndex},
    keyspace,
    records::{cursor::Cursor, list::view::View, path::Path, sort::SortKeys},
    schema::{self, Schema},
    stage, work,
};

/// Keys that are read at first, and at once at most.
const FIRST: usize = 16;
const AT_ONCE: usize = 256;
/// Records that are handed on at first.
const HANDED: usize = 32;
/// What it takes to look for the records that refer to one, in records that are read with their neighbours.
const GROUP: f64 = 3.0;

/// An order that is read from the far end of references.
pub(super) struct FarOrder {
    /// The index of each reference, one's own first.
    references: Vec<Arc<ReadIndex>>,
    /// The index of what is ordered by.
    far: Arc<ReadIndex>,
    /// What is ordered by, as a query names it.
    pub name: String,
    descending: bool,
    ids_descend: bool,
    /// How many records there are, and how many at the far end.
    count: f64,
    far_count: f64,
}

impl FarOrder {
    /// The order of a query; `None` where it is none that can be read so, or where records that the caller may not view would decide how long
    /// that takes.
    pub(super) async fn of(view: &View<'_>, keys: &SortKeys) -> Result<Option<Self>> {
        let Some((path, descending)) = keys.first_alone() else { return Ok(None) };
        let is_told = view.may == Decision::All && path.steps.iter().all(|step| step.may == Decision::All);
        let Some(last) = path.steps.last().filter(|_| is_told && path.part.is_none() && !path.is_of_many()) else {
            return Ok(None);
        };
        let mut references = Vec::with_capacity(path.steps.len());
        let mut at = &view.schema;
        for step in &path.steps {
            let Some(index) = of_reference(at, &step.field) else { return Ok(None) };
            references.push(index);
            at = &step.target;
        }
        let is_of_member = |index: &&Arc<ReadIndex>| {
            let part = index.parts.first().filter(|part| part.name == path.member && part.is_ordered());
            match index.kind {
                IndexKind::Records => false,
                IndexKind::Entries => part.is_some() && index.parts.len() == 2 && !index.is_of_many,
                // What is null has no entry there.
                IndexKind::Unique => part.is_some_and(|part| !part.field.nullable) && index.parts.len() == 1,
            }
        };
        let Some(far) = last.target.read_by.iter().find(is_of_member).cloned() else { return Ok(None) };
        let count = async |schema: &Schema| {
            schema::count(&view.core.owners, view.snapshot, schema.number(), Decision::All).await
        };
        let (count, far_count) = (count(&view.schema).await?, count(&last.target).await?);
        let [count, far_count] = [count, far_count].map(|count| as_f64(count.unwrap_or(0)));
        Ok(Some(Self {
            references,
            far,
            name: named(path),
            descending,
            ids_descend: keys.ids_descend(),
            count,
            far_count,
        }))
    }

    /// One's own index of the reference.
    pub(super) fn index(&self) -> &ReadIndex {
        &self.references[0]
    }

    /// How many rows are come by until so many of so many matches are found, as if they were evenly spread.
    pub(super) fn walked(&self, wanted: f64, matches: f64) -> f64 {
        (wanted * self.count / matches.max(1.0)).min(self.count)
    }

    /// What coming by so many rows costs, beside what is done to each.
    pub(super) fn cost(&self, walked: f64) -> f64 {
        // Those that nothing refers to are come by too.
        (walked * self.far_count / self.count.max(1.0)).min(self.far_count) * GROUP
    }

    /// A walk, from a place on.
    pub(super) fn walk(&self, start: Option<&Cursor>) -> FarWalk<'_> {
        let backward = start.is_some_and(|start| start.backward);
        let (falls, ids_fall) = (self.descending != backward, self.ids_descend != backward);
        let value = start.and_then(|start| start.values.first());
        let part = &self.far.parts[0];
        let [mut from, mut to] = [Cut::after(Key::null), Cut::end()];
        let mut first = None;
        if let Some(value) = value.filter(|value| !value.is_null()) {
            let append = |key: Key| part.append(key, value, || None);
            if falls {
                to = Cut::after(append);
            } else {
                from = Cut::before(append);
            }
            let prefix = self.far.prefix.clone();
            first = Some(if part.descending { prefix.descending(append) } else { append(prefix) });
        }
        let (low, high, _) = range(&self.far.prefix, part, &from, &to);
        let scan = Scan::range(Bound::Included(low), Bound::Excluded(high));
        let values = Stage::Values(if falls == part.descending { scan } else { scan.backward() });
        let stages = match (value, falls) {
            (Some(Value::Null), true) => vec![Stage::Null],
            (Some(Value::Null) | None, false) => vec![Stage::Null, values],
            (Some(_), false) => vec![values],
            (_, true) => vec![values, Stage::Null],
        };
        FarWalk {
            order: self,
            ids_fall,
            stages: stages.into(),
            first,
            start: start.map(|start| (start.id, start.inclusive)),
            read: VecDeque::new(),
            at_once: FIRST,
            group: None,
            handed: HANDED,
        }
    }
}

/// The index of a reference, in which those that refer to nothing are too.
fn of_reference(schema: &Schema, field: &str) -> Option<Arc<ReadIndex>> {
    let is_it = |index: &&Arc<ReadIndex>| {
        index.kind == IndexKind::Entries
            && index.parts.len() == 2
            && !index.is_of_many
            && index.parts[0].name == field
            && !index.parts[0].descending
    };
    schema.read_by.iter().find(is_it).cloned()
}

/// What a path through references is called in a query.
pub(super) fn named(path: &Path) -> String {
    let steps = path.steps.iter().map(|step| step.field.as_str());
    steps.chain([path.member.as_str()]).collect::<Vec<_>>().join("__")
}

fn as_f64(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// A stretch of an order.
enum Stage {
    /// Those that lead to nothing.
    Null,
    /// Those that lead to the values of these keys.
    Values(Scan),
}

/// Records that are equal in what they are ordered by.
enum Group {
    /// What refers to few, side by side.
    Merged(Merged),
    /// What refers to many, put in order.
    Ids(std::vec::IntoIter<RecordId>),
}

/// A walk through rows in the order of what a reference leads to.
pub(super) struct FarWalk<'a> {
    order: &'a FarOrder,
    /// Ids come from the largest on.
    ids_fall: bool,
    stages: VecDeque<Stage>,
    /// What the keys of the value begin with that the place to begin at has.
    first: Option<Key>,
    /// The place to begin at, in the group of that value.
    start: Option<(RecordId, bool)>,
    /// Records of the far end that were read: what their keys begin with, and who they are.
    read: VecDeque<(Vec<u8>, RecordId)>,
    at_once: usize,
    group: Option<Group>,
    handed: usize,
}

impl FarWalk<'_> {
    /// The next few; none at the end.
    pub(super) async fn next(&mut self, view: &View<'_>, at_once: usize) -> Result<Vec<RecordId>> {
        let most = at_once.min(self.handed);
        let mut found = Vec::new();
        while found.len() < most {
            let Some(group) = &mut self.group else {
                if self.begin_group(view).await? {
                    continue;
                }
                break;
            };
            let next = match group {
                Group::Merged(merged) => merged.next(view, most - found.len()).await?,
                Group::Ids(ids) => ids.by_ref().take(most - found.len()).collect(),
            };
            if next.is_empty() {
                self.group = None;
            }
            found.extend(next);
        }
        self.handed = self.handed.saturating_mul(2);
        Ok(found)
    }

    /// Begins the next group; whether there is one.
    async fn begin_group(&mut self, view: &View<'_>) -> Result<bool> {
        view.deadline.pause().await?;
        match self.stages.front() {
            None => Ok(false),
            Some(Stage::Null) => {
                self.stages.pop_front();
                let null = self.order.far.prefix.clone();
                let part = &self.order.far.parts[0];
                let null = if part.descending { null.descending(Key::null) } else { null.null() };
                let mut ids = Vec::new();
                if self.order.far.kind == IndexKind::Entries {
                    read_all(view, [Scan::prefix(&null)], &mut ids).await?;
                }
                let start = self.start.take();
                self.group = Some(self.group_of(view, ids, true, start).await?);
                Ok(true)
            }
            Some(Stage::Values(_)) => {
                let Some((stem, id)) = self.next_far(view).await? else {
                    self.stages.pop_front();
                    self.start = self.start.filter(|_| self.first.is_none());
                    return Ok(!self.stages.is_empty());
                };
                let mut ids = vec![id];
                while let Some((next, id)) = self.next_far(view).await? {
                    if next != stem {
                        self.read.push_front((next, id));
                        break;
                    }
                    work::hold(size_of::<RecordId>())?;
                    ids.push(id);
                }
                let start =
                    self.start.take().filter(|_| self.first.as_ref().is_some_and(|first| first.as_bytes() == stem));
                self.group = Some(self.group_of(view, ids, false, start).await?);
                Ok(true)
            }
        }
    }

    /// The next record of the far end, and what its key begins with.
    async fn next_far(&mut self, view: &View<'_>) -> Result<Option<(Vec<u8>, RecordId)>> {
        let kind = self.order.far.kind;
        if let (true, Some(Stage::Values(scan))) = (self.read.is_empty(), self.stages.front_mut()) {
            let entries = view.snapshot.scan(scan.clone().limit(self.at_once)).await?;
            self.at_once = (self.at_once * 2).min(AT_ONCE);
            view.looked.keys(entries.len());
            if let Some((last, _)) = entries.last() {
                *scan = scan.clone().after(last);
            }
            let prefix = &self.order.far.prefix;
            for (key, entry) in entries {
                let (id, behind) = if kind == IndexKind::Unique {
                    (stage::unique_holder(&entry), 0)
                } else {
                    let id = keyspace::last_id(&key);
                    let with_id = |id| keyspace::with_id(prefix.clone(), id).as_bytes().len();
                    (id, id.map_or(0, |id| with_id(id) - prefix.as_bytes().len()))
                };
                let stem = key.as_bytes().len().saturating_sub(behind);
                self.read.extend(id.map(|id| (key.as_bytes()[..stem].to_vec(), id)));
            }
        }
        Ok(self.read.pop_front())
    }

    /// The rows that lead to these records of the far end; with those that lead to nothing.
    async fn group_of(
        &self,
        view: &View<'_>,
        mut ids: Vec<RecordId>,
        is_null: bool,
        start: Option<(RecordId, bool)>,
    ) -> Result<Group> {
        let (own, between) = self.order.references.split_at(1);
        for index in between.iter().rev() {
            let mut next = Vec::new();
            read_all(view, stems(index, &ids, is_null).map(|stem| Scan::prefix(&stem)), &mut next).await?;
            ids = next;
        }
        let own = &own[0];
        let scans = stems(own, &ids, is_null).map(|stem| {
            let scan = Scan::prefix(&stem);
            let scan = if self.ids_fall { scan.backward() } else { scan };
            let onward = |(id, inclusive)| scan.clone().onward(&keyspace::with_id(stem.clone(), id), inclusive);
            (start.map_or_else(|| scan.clone(), onward), stem.as_bytes().len())
        });
        if ids.len() + usize::from(is_null) <= MAX_MERGED {
            return Ok(Group::Merged(Merged::new(scans.collect(), self.ids_fall)));
        }
        let mut found = Vec::new();
        read_all(view, scans.map(|(scan, _)| scan), &mut found).await?;
        found.sort_unstable();
        if self.ids_fall {
            found.reverse();
        }
        Ok(Group::Ids(found.into_iter()))
    }
}

/// What the keys of references to these records begin with; and of those to nothing.
fn stems(index: &ReadIndex, ids: &[RecordId], is_null: bool) -> impl Iterator<Item = Key> {
    let null = is_null.then(|| index.prefix.clone().null());
    null.into_iter().chain(ids.iter().map(|id| keyspace::with_id(index.prefix.clone(), *id)))
}

/// Reads the ids of all keys of scans.
async fn read_all(view: &View<'_>, scans: impl IntoIterator<Item = Scan>, ids: &mut Vec<RecordId>) -> Result<()> {
    for scan in scans {
        let mut left = Some(scan);
        while let Some(scan) = left.take() {
            view.deadline.pause().await?;
            let entries = view.snapshot.scan(scan.clone().limit(AT_ONCE)).await?;
            view.looked.keys(entries.len());
            work::hold(entries.len() * size_of::<RecordId>())?;
            left = entries.last().filter(|_| entries.len() == AT_ONCE).map(|(last, _)| scan.after(last));
            ids.extend(entries.iter().filter_map(|(key, _)| keyspace::last_id(key)));
        }
    }
    Ok(())
}
