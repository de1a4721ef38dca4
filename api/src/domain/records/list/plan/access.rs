//! What an index offers a query: the ranges of its keys that have every match in them, and whether they are in the query's order.

use std::{collections::BTreeSet, sync::Arc};

use store::{Cut, Key, Scan, Snapshot};

use super::intervals::{Intervals, Owners, intervals};
use crate::domain::{
    indexes::{IndexKind, IndexPart, ReadIndex},
    keyspace,
    records::{cursor::Cursor, filter::Node, sort::SortKeys},
};

/// Ranges that one index is read in at most.
const MAX_RANGES: usize = 1000;
/// Ranges that are read side by side at most.
pub(super) const MAX_MERGED: usize = 64;

/// What a condition through a reference says of the reference: its place, the field, the records.
pub(super) type Far = (usize, String, Intervals);

/// The ranges of an index that a query reads.
#[derive(Debug, Clone)]
pub(in super::super) struct Access {
    pub index: Arc<ReadIndex>,
    /// From one bound to the other, in the order of the keys.
    ranges: Vec<(Key, Key)>,
    /// What all keys of each range begin with.
    stems: Vec<Key>,
    /// Leading parts that have one value in each range.
    fixed: usize,
    /// The conditions that hold for exactly these keys, by their places.
    pub covered: BTreeSet<usize>,
    /// The parts that have one value in all ranges.
    constants: Vec<Option<Cut>>,
    /// The leading parts that conditions say something of.
    pub bound: usize,
    /// Where the ranges are in the order of the query: whether they are read from their end.
    pub reversed: Option<bool>,
    /// Only each by itself is in that order: they are read side by side.
    pub is_merged: bool,
    /// About how many keys there are.
    pub estimate: usize,
    /// How many there are, where that was counted.
    counted: Option<u64>,
}

impl Access {
    /// What an index offers; `None` where it does not have every match.
    pub(super) fn new(
        snapshot: &Snapshot,
        index: &Arc<ReadIndex>,
        all: &[Node],
        owner: Option<&Cut>,
        owners: &Owners,
        ordering: &SortKeys,
        far: &[Far],
    ) -> Option<Self> {
        let mut places = vec![index.prefix.clone()];
        let mut ranges: Option<Vec<(Key, Key, Key)>> = None;
        let (mut covered, mut constants, mut bound, mut fixed) = (BTreeSet::new(), Vec::new(), 0, 0);
        for (i, part) in index.parts.iter().enumerate() {
            let (found, by) = constraint(part, all, owners, owner, far, index.is_of_many);
            // Several are in a list at once, and a record would come as often.
            let is_one = found.ranges.len() == 1 && found.are_values() && found.exclude_null();
            if i == 0 && index.is_of_many && !is_one {
                return None;
            }
            // Records without a value have no entry.
            if index.kind == IndexKind::Unique && part.field.nullable && !found.exclude_null() {
                return None;
            }
            if ranges.is_some()
                || bound < i
                || found == Intervals::all()
                || places.len() * found.ranges.len() > MAX_RANGES
            {
                continue;
            }
            covered.extend(by);
            bound = i + 1;
            if found.are_values() {
                fixed = bound;
                constants.push(match found.ranges.as_slice() {
                    [(value, _)] => Some(value.clone()),
                    _ => None,
                });
                let values = |place: &Key| {
                    found
                        .ranges
                        .iter()
                        .map(|(value, _)| value.value(place.clone(), part.descending))
                        .collect::<Vec<_>>()
                };
                places = places.iter().flat_map(values).collect();
                continue;
            }
            let between = |place: &Key| {
                let of = |(from, to): &(Cut, Cut)| range(place, part, from, to);
                found.ranges.iter().map(of).collect::<Vec<_>>()
            };
            ranges = Some(places.iter().flat_map(between).collect());
        }
        let whole = |place: &Key| {
            let part = index.parts.get(bound);
            let whole = part.map(|part| range(place, part, &Cut::start(), &Cut::end()));
            // Where every part has its value, that is the key; and behind it, who waits for a unique value.
            whole.unwrap_or_else(|| (place.clone(), place.after_children(), place.clone()))
        };
        let mut ranges = ranges.unwrap_or_else(|| places.iter().map(whole).collect());
        ranges.sort();
        let (ranges, stems): (Vec<_>, Vec<_>) = ranges.into_iter().map(|(from, to, stem)| ((from, to), stem)).unzip();
        constants.resize(index.parts.len(), None);
        let mut reversed = in_order(index, &constants, 0, ordering);
        let may_merge = index.kind == IndexKind::Entries && fixed < index.parts.len() && ranges.len() <= MAX_MERGED;
        let is_merged = reversed.is_none() && may_merge;
        if is_merged {
            reversed = in_order(index, &constants, fixed, ordering);
        }
        let scans = ranges.iter().map(|(from, to)| scan(from, to));
        let estimate = scans.map(|scan| snapshot.estimate(&scan)).sum();
        let is_merged = is_merged && reversed.is_some();
        let (index, counted) = (index.clone(), None);
        Some(Self { index, ranges, stems, fixed, covered, constants, bound, reversed, is_merged, estimate, counted })
    }

    /// The scans that read it, in the order in which they are read; with a place only of what comes behind it.
    pub(super) fn scans(&self, reversed: bool, ordering: &SortKeys, start: Option<&Cursor>) -> Vec<Scan> {
        let backward = reversed != start.is_some_and(|start| start.backward);
        let place = start.map(|start| (self.place(ordering, start, &self.index.prefix, 0), start.inclusive));
        let mut scans: Vec<Scan> =
            self.ranges.iter().filter_map(|range| behind(range, backward, place.as_ref())).collect();
        if backward {
            scans.reverse();
        }
        scans
    }

    /// The scans that are read side by side, each with the bytes of its keys that are the same in all.
    pub(super) fn merged(&self, backward: bool, ordering: &SortKeys, start: Option<&Cursor>) -> Vec<(Scan, usize)> {
        let each = self.ranges.iter().zip(&self.stems).filter_map(|(range, stem)| {
            let place = start.map(|start| (self.place(ordering, start, stem, self.fixed), start.inclusive));
            Some((behind(range, backward, place.as_ref())?, stem.as_bytes().len()))
        });
        each.collect()
    }

    /// How many ranges there are.
    pub(super) fn ranges_count(&self) -> usize {
        self.ranges.len()
    }

    /// The key of a place, behind the first parts, which `stem` has.
    fn place(&self, ordering: &SortKeys, start: &Cursor, stem: &Key, first: usize) -> Key {
        let value = |part: &IndexPart| {
            let named = ordering.keys().position(|(path, _)| path.own_member() == Some(&part.name));
            named.and_then(|at| start.values.get(at))
        };
        let parts = self.index.parts.iter().zip(&self.constants).skip(first);
        parts.fold(stem.clone(), |key, (part, constant)| match (constant, part.name.as_str()) {
            (Some(value), _) => value.value(key, part.descending),
            (None, "id") => {
                let id = |key: Key| keyspace::with_id(key, start.id);
                if part.descending { key.descending(id) } else { id(key) }
            }
            (None, _) => match value(part) {
                Some(value) if part.descending => key.descending(|key| part.append(key, value, || None)),
                Some(value) => part.append(key, value, || None),
                None => key,
            },
        })
    }

    /// Whether its keys were not counted yet, and can be at little cost: what that takes is by ranges and not by keys.
    pub(super) fn is_uncertain(&self) -> bool {
        self.counted.is_none() && self.bound > 0 && self.ranges.len() <= 64
    }

    /// Whether its keys were counted.
    pub(super) fn is_certain(&self) -> bool {
        self.counted.is_some()
    }

    /// Counts the keys in place of estimating them.
    pub(super) async fn make_certain(&mut self, snapshot: &Snapshot) -> crate::domain::Result<()> {
        let count = self.count(snapshot).await?;
        self.counted = Some(count);
        self.estimate = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(())
    }

    /// The members that have one value in all ranges.
    pub(super) fn single_values(&self) -> Vec<String> {
        let parts = self.index.parts.iter().zip(&self.constants);
        let single = parts.filter(|(part, constant)| constant.is_some() && part.name != "id");
        single.map(|(part, _)| part.name.clone()).collect()
    }

    /// Where the values of a member stand, behind parts that have one value each.
    pub(in super::super) fn place_of(&self, member: &str) -> Option<(Key, &IndexPart)> {
        let at = self.index.parts.iter().position(|part| part.name == member)?;
        let before = self.index.parts.iter().zip(&self.constants).take(at);
        let prefix = before.map(|(part, constant)| Some((part, constant.as_ref()?))).try_fold(
            self.index.prefix.clone(),
            |key, found| {
                let (part, constant) = found?;
                Some(constant.value(key, part.descending))
            },
        )?;
        Some((prefix, &self.index.parts[at]))
    }

    /// From one key to before the other, in their order.
    pub(in super::super) fn ranges(&self) -> &[(Key, Key)] {
        &self.ranges
    }

    /// The index's fields, as a definition has them.
    pub(in super::super) fn fields(&self) -> Vec<String> {
        names([&*self.index]).pop().unwrap_or_default()
    }

    /// How many keys there are.
    pub(in super::super) async fn count(&self, snapshot: &Snapshot) -> crate::domain::Result<u64> {
        if let Some(count) = self.counted {
            return Ok(count);
        }
        let mut count = 0;
        for (from, to) in &self.ranges {
            count += snapshot.count(&scan(from, to)).await?.get() as u64;
        }
        Ok(count)
    }
}

fn scan(from: &Key, to: &Key) -> Scan {
    Scan::range(std::ops::Bound::Included(from.clone()), std::ops::Bound::Excluded(to.clone()))
}

/// A range behind a place, with that.
pub(super) fn range(place: &Key, part: &IndexPart, from: &Cut, to: &Cut) -> (Key, Key, Key) {
    let [from, to] = [from, to].map(|cut| cut.place(place.clone(), part.descending));
    let (from, to) = if part.descending { (to, from) } else { (from, to) };
    (from, to, place.clone())
}

/// What of a range comes behind a place; `None` where all of it lies before that.
fn behind((from, to): &(Key, Key), backward: bool, place: Option<&(Key, bool)>) -> Option<Scan> {
    let scan = scan(from, to);
    let scan = if backward { scan.backward() } else { scan };
    match place {
        Some((key, _)) if (if backward { key < from } else { key > to }) => None,
        Some((key, inclusive)) => Some(scan.onward(key, *inclusive)),
        None => Some(scan),
    }
}

/// What all conditions together say of a part, and which of them say nothing else.
fn constraint(
    part: &IndexPart,
    all: &[Node],
    owners: &Owners,
    owner: Option<&Cut>,
    far: &[Far],
    is_of_many: bool,
) -> (Intervals, Vec<usize>) {
    let (mut both, mut covered) = (Intervals::all(), Vec::new());
    for (i, node) in all.iter().enumerate() {
        let Some(found) = intervals(node, part, owners) else { continue };
        // What a list has to have beside that, the index does not tell.
        if is_of_many && both != Intervals::all() {
            break;
        }
        if found.exact {
            covered.push(i);
        }
        both = both.and(&found);
    }
    for (i, _, found) in far.iter().filter(|(_, field, _)| *field == part.name) {
        if is_of_many && both != Intervals::all() {
            break;
        }
        covered.push(*i);
        both = both.and(found);
    }
    if let Some(owner) = owner.filter(|_| part.name == "owner") {
        both = both.and(&Intervals::value(owner));
    }
    (both, covered)
}

/// Whether the keys are in the order of the query, and whether from their end; behind so many parts that have one value in what is read.
fn in_order(index: &ReadIndex, constants: &[Option<Cut>], fixed: usize, ordering: &SortKeys) -> Option<bool> {
    // What is the same without case may have an order with it.
    let is_value = |part: &IndexPart, constant: &Option<Cut>| constant.is_some() && !part.folds_texts();
    let is_constant = |name: &str| {
        index.parts.iter().zip(constants).any(|(part, constant)| part.name == name && is_value(part, constant))
    };
    let mut keys = ordering.keys().map(|(path, descending)| (path.own_member(), descending));
    let mut reversed = None;
    for (i, (part, constant)) in index.parts.iter().zip(constants).enumerate() {
        if constant.is_some() || i < fixed {
            continue;
        }
        let next = keys.find(|(member, _)| !member.is_some_and(is_constant));
        let (member, descending) = next.unwrap_or((Some("id"), ordering.ids_descend()));
        // Ids rise with the time of creation.
        let is_same = member == Some(&part.name) || (member == Some("created_at") && part.is_made_in_order());
        let turned = descending != part.descending;
        if !is_same || !part.is_ordered() || reversed.is_some_and(|reversed| reversed != turned) {
            return None;
        }
        reversed = Some(turned);
        if part.name == "id" {
            break;
        }
    }
    Some(reversed.unwrap_or(false))
}

/// The fields of each index, once, as a definition has them; nothing of the records themselves.
pub(super) fn names<'a>(indexes: impl IntoIterator<Item = &'a ReadIndex>) -> Vec<Vec<String>> {
    let mut names = Vec::new();
    for index in indexes.into_iter().filter(|index| index.kind != IndexKind::Records) {
        let parts = index.parts.iter().filter(|part| part.name != "id");
        let fields: Vec<String> =
            parts.map(|part| format!("{}{}", if part.descending { "-" } else { "" }, part.name)).collect();
        if !names.contains(&fields) {
            names.push(fields);
        }
    }
    names
}
