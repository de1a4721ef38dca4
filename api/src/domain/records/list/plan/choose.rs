//! Choosing what a query reads.

use std::{collections::BTreeSet, sync::Arc};

use common::{access::Decision, id::RecordId, query::LAST_PAGE};
use store::{Cut, Key};

use super::{
    access::{Access, Far},
    chosen::{Ids, Plan, Ranking, Source},
    far,
    intervals::Owners,
    walk::Candidates,
    words,
};
use crate::domain::{
    error::Result,
    indexes::{IndexKind, ReadIndex},
    keyspace,
    numbers::OwnerNumber,
    records::{
        filter::{Conditions, Node},
        list::view::{View, Window},
        sort::SortKeys,
    },
    schema, work,
};

/// What reading a record costs that is found by its key.
const BY_KEY: f64 = 2.5;
/// What reading a key costs; reading a record with its neighbours costs 1.
const KEY: f64 = 0.3;
/// How much dearer a record is whose texts are taken apart for a search.
const BY_WORDS: f64 = 10.0;
/// Ids that are held for one query at most.
const MAX_IDS: usize = 200_000;
/// Costs that are not worth choosing twice.
const SMALL: f64 = 500.0;

/// Ids that can be told by keys alone, in one way or in several.
struct IdSource {
    accesses: Vec<Access>,
    covered: BTreeSet<usize>,
    estimate: usize,
}

impl IdSource {
    fn indexes(&self) -> Vec<Arc<ReadIndex>> {
        self.accesses.iter().map(|access| access.index.clone()).collect()
    }
}

/// What is known while choosing.
struct Chooser<'a> {
    view: &'a View<'a>,
    owner: Option<Cut>,
    owners: Owners,
    keys: &'a SortKeys,
    far: Vec<Far>,
    /// All must hold.
    all: &'a [Node],
    has_search: bool,
    /// Rows that are passed over and asked for.
    wanted: f64,
    /// Rows that are asked for.
    size: f64,
    counts: bool,
}

impl Plan {
    /// The way for a checked query.
    pub(in super::super) async fn new(view: &View<'_>) -> Result<Self> {
        let View { core, snapshot, caller, schema, query, .. } = view;
        let mut conditions = Conditions::find(core, snapshot, caller, schema, query).await?;
        let keys = SortKeys::find(core, snapshot, caller, schema, query).await?;
        let (owner, owners) = owners(view, &conditions).await?;
        let mut far = Vec::new();
        for (i, node) in conditions.all.iter().enumerate() {
            if let Some(found) = far::far(view, node).await? {
                let field = node.conditions().first().map_or("", |condition| condition.path.begins_at());
                far.push((i, field.to_owned(), found));
            }
        }
        let is_counted = query.count && query.cursor.is_none();
        let window = Window::new(query, query.page);
        let is_last = query.page == LAST_PAGE && query.limit.is_none() && query.cursor.is_none();
        let chooser = Chooser {
            view,
            owner,
            owners,
            keys: &keys,
            far,
            all: &conditions.all,
            has_search: conditions.has_search(),
            wanted: if view.reads_all { f64::INFINITY } else { as_f64(window.skip.saturating_add(window.size)) },
            size: if view.reads_all { f64::INFINITY } else { as_f64(window.size) },
            counts: is_counted || is_last,
        };
        let mut accesses = chooser.accesses(&conditions.all, &chooser.far);
        if accesses.len() > 1 || !conditions.is_empty() {
            // Estimates are off by some hundred, and by what stands beside the index, which need not be for the caller to know: where there
            // is a choice, it is made by numbers. How many records there are is kept, and every index has as many keys.
            let count = schema::count(&core.owners, snapshot, schema.number(), view.may).await?;
            let count = count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
            let parts = usize::from(view.may != Decision::All);
            for access in &mut accesses {
                if access.bound == parts && access.index.kind != IndexKind::Unique {
                    access.estimate = count;
                } else if access.is_uncertain() || access.bound == parts {
                    // An index of unique values leaves out those that are null.
                    access.make_certain(view.snapshot).await?;
                }
            }
        }
        let total = accesses.iter().map(|access| access.estimate).max().unwrap_or(0).max(1);
        let narrowest = accesses.iter().map(|access| access.estimate).min().unwrap_or(0);
        let cost = |access: &Access| chooser.cost(access, narrowest);
        accesses.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        let Some(best) = accesses.first().cloned() else {
            return Err(crate::domain::Error::internal("there is nothing to read a list by"));
        };
        let best_cost = cost(&best);
        let mut covered = best.covered.clone();
        let (mut sets, mut ids_by): (Vec<Ids>, _) = (Vec::new(), Vec::new());
        let mut source = Source::Keys(Box::new(best.clone()));
        let found = words::find(view, &conditions).await?;
        let found = found.filter(|found| as_f64(found.ids.len()) * BY_KEY < best_cost * BY_WORDS);
        let ranking = Ranking::of(view, &conditions).await?;
        let (mut searched, mut has_found) = (Vec::new(), false);
        let is_unordered = chooser.is_exact(&covered) && best.reversed.is_none() && keys.are_ids();
        if best_cost > SMALL || is_unordered || found.is_some() {
            let (mut left, mut ids) = (as_f64(best.estimate), chooser.id_sources(&accesses).await?);
            let narrow = ids.iter().position(|ids| chooser.cost_of_ids(ids) < best_cost);
            if let Some(found) = found {
                left = as_f64(found.ids.len());
                covered.clear();
                source = Source::Ids(found.ids);
                has_found = found.exact;
                searched = conditions.sought().map(|(sought, _)| sought.fields.clone()).unwrap_or_default();
                ids_by.push(Vec::new());
            } else if let Some(at) = narrow {
                let first = ids.remove(at);
                left = as_f64(first.estimate);
                covered.clone_from(&first.covered);
                source = Source::Ids(chooser.ids(&first).await?);
                ids_by.push(first.indexes());
            }
            for other in ids {
                let is_new = !other.covered.is_subset(&covered);
                let part = as_f64(other.estimate) / as_f64(total);
                let saved = left * BY_KEY * (1.0 - part.min(1.0));
                if is_new && saved > as_f64(other.estimate) * KEY * 2.0 && sets.len() < 3 {
                    sets.push(chooser.ids(&other).await?.into_iter().collect());
                    ids_by.push(other.indexes());
                    covered.extend(other.covered);
                    left *= part;
                }
            }
        }
        if has_found {
            conditions.found_words();
        }
        let kept = conditions.is_empty() && is_whole(&source, view.may);
        let mut at = 0;
        conditions.all.retain(|_| {
            at += 1;
            !covered.contains(&(at - 1))
        });
        let bound_fields = best.single_values();
        Ok(Self { conditions, keys, source, sets, ids_by, kept, words: searched, ranking, bound_fields })
    }
}

impl Plan {
    /// The ranges of indexes that have exactly the matches and begin with parts of one value each, behind which `member` stands.
    pub(in super::super) async fn exact_accesses(view: &View<'_>, member: &str) -> Result<Vec<Access>> {
        let View { core, snapshot, caller, schema, query, .. } = view;
        let conditions = Conditions::find(core, snapshot, caller, schema, query).await?;
        let keys = SortKeys::none();
        let (owner, owners) = owners(view, &conditions).await?;
        if conditions.has_search() {
            return Ok(Vec::new());
        }
        let found = schema.read_by.iter().filter(|index| index.parts.iter().any(|part| part.name == member));
        let found = found
            .filter_map(|index| Access::new(snapshot, index, &conditions.all, owner.as_ref(), &owners, &keys, &[]))
            .filter(|access| {
                let is_own = owner.is_none() || access.index.parts.first().is_some_and(|part| part.name == "owner");
                is_own && access.covered.len() == conditions.all.len() && access.place_of(member).is_some()
            });
        let mut found: Vec<Access> = found.collect();
        found.sort_by_key(|access| access.index.parts.len());
        Ok(found)
    }
}

/// Whether it is everything that the caller may list.
fn is_whole(source: &Source, may: Decision) -> bool {
    let Source::Keys(access) = source else { return false };
    let parts = usize::from(may != Decision::All);
    access.index.kind != IndexKind::Unique && access.bound == parts
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

impl Chooser<'_> {
    /// What every index offers that the caller may list by: the records first, or their own.
    fn accesses(&self, all: &[Node], far: &[Far]) -> Vec<Access> {
        let View { snapshot, schema, .. } = self.view;
        // Where nothing is asked for and the order is that of ids, no index has less than the records. Most lists are so.
        let only_records = all.is_empty() && self.owner.is_none() && self.keys.are_ids();
        let offering = if only_records { 1 } else { schema.read_by.len() };
        let found =
            schema.read_by.iter().take(offering).filter_map(|index| {
                Access::new(snapshot, index, all, self.owner.as_ref(), &self.owners, self.keys, far)
            });
        let own = |access: &Access| access.index.parts.first().is_some_and(|part| part.name == "owner");
        let mut found: Vec<Access> = found.collect();
        // How many keys others have says nothing to this caller, in no way.
        if self.owner.is_some() && found.iter().any(own) {
            found.retain(own);
        } else if self.owner.is_some() {
            found.truncate(1);
        }
        found
    }

    fn is_exact(&self, covered: &BTreeSet<usize>) -> bool {
        covered.len() == self.all.len() && !self.has_search
    }

    /// What reading by it costs, in records that are read with their neighbours.
    fn cost(&self, access: &Access, narrowest: usize) -> f64 {
        let keys = as_f64(access.estimate);
        let each = if access.index.kind == IndexKind::Records { 1.0 } else { BY_KEY };
        let page = self.wanted.min(keys) * each;
        // Where there are too few keys to be told apart by their number, what leaves nothing open comes first.
        let open = as_f64(self.all.len() - access.covered.len() + usize::from(access.reversed.is_none()));
        open + match (self.is_exact(&access.covered), access.reversed) {
            (true, Some(_)) => page.min(if self.view.reads_all { f64::INFINITY } else { 1000.0 * each }),
            (false, Some(_)) if !self.counts => {
                // As if the matches were evenly spread.
                let rows = self.wanted * keys / as_f64(narrowest.max(1));
                rows.min(keys) * each
            }
            // What is sorted is read by its key afterwards.
            (_, None) => keys * each + self.wanted.min(keys) * BY_KEY,
            _ => keys * each,
        }
    }

    fn cost_of_ids(&self, ids: &IdSource) -> f64 {
        let keys = as_f64(ids.estimate);
        let is_listed = self.is_exact(&ids.covered) && self.keys.are_ids();
        keys * KEY + if is_listed { self.size.min(keys) } else { keys } * BY_KEY
    }

    /// The sets of ids that can be had, the smallest first.
    async fn id_sources(&self, accesses: &[Access]) -> Result<Vec<IdSource>> {
        let single = accesses.iter().filter(|access| access.bound > 0 && !access.covered.is_empty());
        let mut found: Vec<IdSource> = single
            .map(|access| IdSource {
                accesses: vec![access.clone()],
                covered: access.covered.clone(),
                estimate: access.estimate,
            })
            .collect();
        for (i, node) in self.all.iter().enumerate() {
            let Node::Any(nodes) = node else { continue };
            let mut accesses = Vec::with_capacity(nodes.len());
            for node in nodes {
                let Some(narrowest) = self.narrowest(node).await? else { break };
                accesses.push(narrowest);
            }
            if accesses.len() < nodes.len() {
                continue;
            }
            let exact = accesses.iter().all(|(_, is_exact)| *is_exact);
            let accesses: Vec<Access> = accesses.into_iter().map(|(access, _)| access).collect();
            let estimate = accesses.iter().map(|access| access.estimate).sum();
            let covered = if exact { BTreeSet::from([i]) } else { BTreeSet::new() };
            found.push(IdSource { accesses, covered, estimate });
        }
        found.retain(|ids| ids.estimate <= MAX_IDS);
        found.sort_by_key(|ids| ids.estimate);
        Ok(found)
    }

    /// The narrowest way to what a node holds for, and whether it holds for all of it.
    async fn narrowest(&self, node: &Node) -> Result<Option<(Access, bool)>> {
        let nodes = match node {
            Node::All(nodes) => nodes.as_slice(),
            node => std::slice::from_ref(node),
        };
        let bound = usize::from(self.owner.is_some());
        let mut found: Vec<Access> = self.accesses(nodes, &[]).into_iter().filter(|it| it.bound > bound).collect();
        for access in found.iter_mut().filter(|access| access.is_uncertain()) {
            access.make_certain(self.view.snapshot).await?;
        }
        let best = found.into_iter().min_by_key(|access| access.estimate);
        Ok(best.map(|best| {
            let exact = best.covered.len() == nodes.len();
            (best, exact)
        }))
    }

    async fn ids(&self, source: &IdSource) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        for access in &source.accesses {
            let scans = access.scans(false, self.keys, None);
            let mut candidates = Candidates::Scans(scans.into(), access.index.kind);
            loop {
                self.view.deadline.pause().await?;
                let next = candidates.next(self.view, 256).await?;
                if next.is_empty() {
                    break;
                }
                work::hold(next.len() * size_of::<RecordId>())?;
                found.extend(next.into_iter().map(|(id, _)| id));
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Whose records the caller may list, where these are one user's, and the numbers of the owners that conditions name.
async fn owners(view: &View<'_>, conditions: &Conditions) -> Result<(Option<Cut>, Owners)> {
    let number = async |user| Ok::<_, crate::domain::Error>(view.core.owners.number(view.snapshot, user).await?);
    let owner = match view.may {
        Decision::Own(user) => {
            // Who never owned anything may have no number; nobody has this one.
            let owner = number(user).await?.unwrap_or(OwnerNumber(0));
            Some(Cut::before(|key: Key| keyspace::with_owner(key, Some(owner))))
        }
        _ => None,
    };
    let mut owners = Owners::new();
    for condition in conditions.all.iter().flat_map(Node::conditions) {
        if condition.path.own_member() != Some("owner") {
            continue;
        }
        for id in condition.values.iter().filter_map(|value| value.as_str()) {
            if let Ok(user) = id.parse()
                && let Some(owner) = number(user).await?
            {
                owners.insert(id.to_owned(), owner);
            }
        }
    }
    Ok((owner, owners))
}
