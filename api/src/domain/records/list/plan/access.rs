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

/// What a condition through a reference says of the reference: its place, the field, the records.
pub(super) type Far = (usize, String, Intervals);

/// The ranges of an index that a query reads.
#[derive(Debug, Clone)]
pub(in super::super) struct Access {
    pub index: Arc<ReadIndex>,
    /// From one bound to the other, in the order of the keys.
    ranges: Vec<(Key, Key)>,
    /// The conditions that hold for exactly these keys, by their places.
    pub covered: BTreeSet<usize>,
    /// The parts that have one value in all ranges.
    constants: Vec<Option<Cut>>,
    /// The leading parts that conditions say something of.
    pub bound: usize,
    /// Where the ranges are in the order of the query: whether they are read from their end.
    pub reversed: Option<bool>,
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
        if !index.tells_values() {
            return None;
        }
        let mut places = vec![index.prefix.clone()];
        let mut ranges = None;
        let (mut covered, mut constants, mut bound) = (BTreeSet::new(), Vec::new(), 0);
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
            let between =
                |place: &Key| found.ranges.iter().map(|(from, to)| range(place, part, from, to)).collect::<Vec<_>>();
            ranges = Some(places.iter().flat_map(between).collect());
        }
        let whole = |place: &Key| {
            let part = index.parts.get(bound);
            let whole = part.map(|part| range(place, part, &Cut::start(), &Cut::end()));
            // Where every part has its value, that is the key; and behind it, who waits for a unique value.
            whole.unwrap_or_else(|| (place.clone(), place.after_children()))
        };
        let mut ranges: Vec<(Key, Key)> = ranges.unwrap_or_else(|| places.iter().map(whole).collect());
        ranges.sort();
        constants.resize(index.parts.len(), None);
        let reversed = reversed(index, &constants, ordering);
        let scans = ranges.iter().map(|(from, to)| scan(from, to));
        let estimate = scans.map(|scan| snapshot.estimate(&scan)).sum();
        Some(Self { index: index.clone(), ranges, covered, constants, bound, reversed, estimate, counted: None })
    }

    /// The scans that read it, in the order in which they are read; with a place only of what comes behind it.
    pub(super) fn scans(&self, reversed: bool, ordering: &SortKeys, start: Option<&Cursor>) -> Vec<Scan> {
        let backward = reversed != start.is_some_and(|start| start.backward);
        let place = start.map(|start| (self.place(ordering, start), start.inclusive));
        let scans = self.ranges.iter().filter_map(|(from, to)| {
            let scan = scan(from, to);
            let scan = if backward { scan.backward() } else { scan };
            match &place {
                // All of it lies before the place.
                Some((key, _)) if (if backward { key < from } else { key > to }) => None,
                Some((key, inclusive)) => Some(scan.onward(key, *inclusive)),
                None => Some(scan),
            }
        });
        let mut scans: Vec<Scan> = scans.collect();
        if backward {
            scans.reverse();
        }
        scans
    }

    /// The key of a place.
    fn place(&self, ordering: &SortKeys, start: &Cursor) -> Key {
        let value = |part: &IndexPart| {
            let named = ordering.keys().position(|(path, _)| path.own_member() == Some(&part.name));
            named.and_then(|at| start.values.get(at))
        };
        let parts = self.index.parts.iter().zip(&self.constants);
        parts.fold(self.index.prefix.clone(), |key, (part, constant)| match (constant, part.name.as_str()) {
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

fn range(place: &Key, part: &IndexPart, from: &Cut, to: &Cut) -> (Key, Key) {
    let [from, to] = [from, to].map(|cut| cut.place(place.clone(), part.descending));
    if part.descending { (to, from) } else { (from, to) }
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

/// Whether the keys are in the order of the query, and whether from their end.
fn reversed(index: &ReadIndex, constants: &[Option<Cut>], ordering: &SortKeys) -> Option<bool> {
    let is_constant =
        |name: &str| index.parts.iter().zip(constants).any(|(part, constant)| part.name == name && constant.is_some());
    let mut keys = ordering.keys().map(|(path, descending)| (path.own_member(), descending));
    let mut reversed = None;
    for (part, constant) in index.parts.iter().zip(constants) {
        if constant.is_some() {
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
