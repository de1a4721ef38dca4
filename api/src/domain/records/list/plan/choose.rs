//! Choosing what a query reads.

mod along_far;

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use common::{access::Decision, id::RecordId, query::LAST_PAGE};
use store::{Cut, Key};

use super::{
    access::{Access, Far},
    chosen::{Ids, Plan, Ranking, Scores, Source},
    explain::proposal,
    far,
    far_order::FarOrder,
    intervals::{Intervals, Owners},
    merged,
    walk::Candidates,
    words::{self, FoundByWords},
};
use crate::domain::{
    error::{Error, Result},
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
/// What testing a record costs that may be no match.
const TEST: f64 = 2.0;
/// How much dearer a record is whose texts are taken apart for a search.
const BY_WORDS: f64 = 10.0;
/// Ids that are held for one query at most.
const MAX_IDS: usize = 200_000;
/// References of which a list has to have one, each looked up by itself, at most.
const MAX_EACH: usize = 1000;
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
    /// How many match, where an index has exactly these.
    matches: Option<f64>,
    /// Rows may be tested as they come, in the hope that a page is full soon.
    may_hope: bool,
}

/// What is read.
struct Picked {
    best: Access,
    covered: BTreeSet<usize>,
    sets: Vec<Ids>,
    ids_by: Vec<Vec<Arc<ReadIndex>>>,
    by_ids: Option<Vec<RecordId>>,
    /// Words were found, and all of them.
    by_words: Option<bool>,
    scores: Option<Scores>,
    /// How many match, and by which index that was counted.
    counted: Option<(u64, Arc<ReadIndex>)>,
}

impl Picked {
    /// One index, and nothing beside it.
    fn of(best: Access, counted: Option<(u64, Arc<ReadIndex>)>) -> Self {
        let covered = best.covered.clone();
        let (sets, ids_by) = (Vec::new(), Vec::new());
        Self { best, covered, sets, ids_by, by_ids: None, by_words: None, scores: None, counted }
    }

    /// Whether nothing is left open.
    fn is_exact(&self, chooser: &Chooser<'_>) -> bool {
        let has_words = !chooser.has_search || self.by_words == Some(true);
        self.covered.len() == chooser.all.len() && has_words
    }

    /// The records that have words, by themselves or looked up along an index that has the order.
    fn take_words(&mut self, found: FoundByWords, along: Option<&Access>) {
        self.by_words = Some(found.exact);
        self.scores = found.scores.map(|by_id| Scores { ids: None, by_id });
        self.covered.clear();
        self.ids_by.push(Vec::new());
        if let Some(access) = along {
            self.best = access.clone();
            self.counted = Some((found.ids.len() as u64, access.index.clone()));
            self.sets.push(found.ids.into_iter().collect());
        } else {
            self.by_ids = Some(found.ids);
        }
    }
}

impl Plan {
    /// The way for a checked query.
    pub(in super::super) async fn new(view: &View<'_>) -> Result<Self> {
        Self::choose(view, true).await
    }

    /// The same; `may_hope`: rows may be tested as they come, in the hope that a page is full soon.
    pub(super) async fn choose(view: &View<'_>, may_hope: bool) -> Result<Self> {
        let View { core, snapshot, caller, schema, query, .. } = view;
        let mut conditions = Conditions::find(core, snapshot, caller, schema, query).await?;
        let keys = SortKeys::find(core, snapshot, caller, schema, query).await?;
        let (owner, owners) = owners(view, &conditions).await?;
        let far = far::all(view, &conditions.all).await?;
        let is_counted = query.count && query.cursor.is_none();
        let window = Window::new(query, query.page);
        let is_last = query.page == LAST_PAGE && query.limit.is_none() && query.cursor.is_none();
        let mut chooser = Chooser {
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
            matches: None,
            may_hope,
        };
        let mut accesses = chooser.accesses(&conditions.all, &chooser.far);
        if accesses.len() > 1 || !conditions.is_empty() {
            make_certain(view, &mut accesses).await?;
        }
        let narrowest = accesses.iter().map(|access| access.estimate).min().unwrap_or(0);
        let counted = chooser.count_exactly(&mut accesses).await?;
        let cost = |access: &Access| chooser.cost(access, narrowest);
        accesses.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        let found = words::find(view, &conditions).await?;
        let ranking = Ranking::of(view, &conditions).await?;
        let mut picked = chooser.pick(&accesses, narrowest, found, counted).await?;
        let far_order = chooser.along_far(FarOrder::of(view, &keys).await?, &mut picked, narrowest).await?;
        let is_exact = picked.is_exact(&chooser);
        let Picked { best, covered, sets, ids_by, by_ids, by_words, scores, counted } = picked;
        let words = conditions.sought().filter(|_| by_words.is_some()).map(|(sought, _)| sought.fields.clone());
        let proposal = proposal(view, &conditions.all, best.single_values(), &keys);
        // Matches may all stand at the other end.
        let (walked, keys_of) = match &far_order {
            Some((order, walked)) => (*walked, order.walked(f64::INFINITY, 1.0)),
            None => (chooser.walked(&best, narrowest), as_f64(best.estimate)),
        };
        let hopes = may_hope && walked < keys_of && !is_exact && by_ids.is_none();
        let limit = hopes.then(|| 1000.max(4 * most(walked)));
        if by_words == Some(true) {
            conditions.found_words();
        }
        let counted = counted.filter(|_| by_ids.is_none()).map(|(count, _)| count);
        let source = match (far_order, by_ids) {
            (Some((order, _)), _) => Source::Far(Box::new(order)),
            (None, Some(ids)) => Source::Ids(ids),
            (None, None) => Source::Keys(Box::new(best)),
        };
        let kept = conditions.is_empty() && sets.is_empty() && is_whole(&source, view.may);
        let mut at = 0;
        conditions.all.retain(|_| {
            at += 1;
            !covered.contains(&(at - 1))
        });
        let words = words.unwrap_or_default();
        let instead = OnceLock::new();
        Ok(Self {
            conditions,
            keys,
            source,
            limit,
            instead,
            sets,
            ids_by,
            kept,
            counted,
            words,
            scores,
            ranking,
            proposal,
        })
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
        let told = schema.read_by.iter().filter(|index| index.tells_values());
        let found = told.filter(|index| index.parts.iter().any(|part| part.name == member));
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

/// Counts what would be read. Estimates are off by some hundred, and by what stands beside the index, which need not be for the caller to know:
/// where there is a choice, it is made by numbers. How many records there are is kept, and every index has as many keys.
async fn make_certain(view: &View<'_>, accesses: &mut [Access]) -> Result<()> {
    let count = schema::count(&view.core.owners, view.snapshot, view.schema.number(), view.may).await?;
    let count = count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let parts = usize::from(view.may != Decision::All);
    for access in accesses {
        if access.bound == parts && access.index.kind != IndexKind::Unique {
            access.estimate = count;
        } else if access.is_uncertain() || access.bound == parts {
            // An index of unique values leaves out those that are null.
            access.make_certain(view.snapshot).await?;
        }
    }
    Ok(())
}

/// Whether it is everything that the caller may list.
fn is_whole(source: &Source, may: Decision) -> bool {
    match source {
        Source::Keys(access) => {
            access.index.kind != IndexKind::Unique && access.bound == usize::from(may != Decision::All)
        }
        Source::Ids(_) => false,
        Source::Far(_) => true,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is no more than keys that were counted")]
fn most(count: f64) -> usize {
    count as usize
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

impl Chooser<'_> {
    /// Picks what is read: `accesses`, the cheapest first, or what words were found in.
    async fn pick(
        &self,
        accesses: &[Access],
        narrowest: usize,
        found: Option<FoundByWords>,
        counted: Option<(u64, Arc<ReadIndex>)>,
    ) -> Result<Picked> {
        let Some(best) = accesses.first().cloned() else {
            return Err(Error::internal("there is nothing to read a list by"));
        };
        let total = accesses.iter().map(|access| access.estimate).max().unwrap_or(0).max(1);
        let (mut left, mut best_cost) = (self.walked(&best, narrowest), self.cost(&best, narrowest));
        let is_unordered = self.is_exact(&best.covered) && best.reversed.is_none() && self.keys.are_ids();
        let mut picked = Picked::of(best, counted);
        let mut found = found;
        if let Some(words) = found.take_if(|found| as_f64(found.ids.len()) * BY_KEY >= best_cost * BY_WORDS) {
            picked.scores = words.scores.map(|by_id| Scores { ids: Some(words.ids), by_id });
        }
        if best_cost > SMALL || is_unordered || found.is_some() {
            let mut ids = self.id_sources(accesses).await?;
            let beside = self.beside(accesses, &ids).filter(|(_, _, cost)| *cost < best_cost && found.is_none());
            if let Some((by, _, cost)) = beside {
                (picked.best, best_cost) = (accesses[by].clone(), cost);
            }
            let narrow = ids.iter().enumerate().map(|(at, ids)| (at, self.cost_of_ids(ids)));
            let narrow = narrow.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, cost)| *cost < best_cost);
            if let Some(found) = found {
                left = as_f64(found.ids.len());
                let along = self.along(accesses, left).filter(|(_, cost)| *cost < left * BY_KEY);
                let along = along.filter(|_| found.exact && self.all.is_empty()).map(|(by, _)| &accesses[by]);
                left = if along.is_some() { 0.0 } else { left };
                picked.take_words(found, along);
            } else if let Some((at, _)) = narrow {
                let first = ids.remove(at);
                left = as_f64(first.estimate);
                picked.covered.clone_from(&first.covered);
                picked.by_ids = Some(self.ids(&first).await?);
                picked.ids_by.push(first.indexes());
            } else if let Some((_, at, _)) = beside {
                let first = ids.remove(at);
                let found = self.ids(&first).await?;
                (left, picked.covered) = (0.0, first.covered.clone());
                picked.counted = Some((found.len() as u64, picked.best.index.clone()));
                picked.sets.push(found.into_iter().collect());
                picked.ids_by.push(first.indexes());
            }
            for other in ids {
                let part = as_f64(other.estimate) / as_f64(total);
                let saved = left * BY_KEY * (1.0 - part.min(1.0));
                let is_new = !other.covered.is_subset(&picked.covered);
                if is_new && saved > as_f64(other.estimate) * KEY * 2.0 && picked.sets.len() < 3 {
                    picked.sets.push(self.ids(&other).await?.into_iter().collect());
                    picked.ids_by.push(other.indexes());
                    picked.covered.extend(other.covered);
                    left *= part;
                }
            }
        }
        if let (Some((_, index)), None, true) = (&picked.counted, &picked.by_ids, picked.sets.is_empty())
            && !self.is_exact(&picked.covered)
        {
            picked.ids_by.push(vec![index.clone()]);
        }
        Ok(picked)
    }

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

    /// How many match, and by which index that was counted, where one has exactly these and it counts.
    async fn count_exactly(&mut self, accesses: &mut [Access]) -> Result<Option<(u64, Arc<ReadIndex>)>> {
        let exact = accesses.iter_mut().filter(|access| self.is_exact(&access.covered));
        let exact = exact.min_by_key(|access| access.ranges_count()).filter(|_| !self.all.is_empty());
        let Some(exact) = exact else { return Ok(None) };
        let is_counted = self.counts || exact.is_certain();
        if is_counted {
            exact.make_certain(self.view.snapshot).await?;
        }
        self.matches = Some(as_f64(exact.estimate));
        Ok(is_counted.then(|| (exact.estimate as u64, exact.index.clone())))
    }

    fn is_exact(&self, covered: &BTreeSet<usize>) -> bool {
        covered.len() == self.all.len() && !self.has_search
    }

    /// What reading by it costs, in records that are read with their neighbours.
    fn cost(&self, access: &Access, narrowest: usize) -> f64 {
        let keys = as_f64(access.estimate);
        let each = if access.index.kind == IndexKind::Records { 1.0 } else { BY_KEY };
        // Where there are too few keys to be told apart by their number, what leaves nothing open comes first.
        let open = as_f64(self.all.len() - access.covered.len() + usize::from(access.reversed.is_none()));
        let walked = self.walked(access, narrowest);
        open + match (self.is_exact(&access.covered), access.reversed) {
            (true, Some(_)) if access.is_merged => {
                (walked + as_f64(access.ranges_count() * merged::FIRST)) * KEY + self.size.min(keys) * BY_KEY
            }
            (true, Some(_)) => (walked * each).min(if self.view.reads_all { f64::INFINITY } else { 1000.0 * each }),
            // What is sorted is read by its key afterwards.
            (true, None) => keys * each + self.wanted.min(keys) * BY_KEY,
            (false, None) => keys * (each + TEST) + self.wanted.min(keys) * BY_KEY,
            (false, Some(_)) => walked * (each + TEST),
        }
    }

    /// Keys that are come by.
    fn walked(&self, access: &Access, narrowest: usize) -> f64 {
        let keys = as_f64(access.estimate);
        let matches = match self.matches {
            _ if access.reversed.is_none() => return keys,
            _ if self.is_exact(&access.covered) => keys,
            _ if !self.may_hope => return keys,
            Some(matches) => matches,
            None if self.counts => return keys,
            None => as_f64(narrowest),
        };
        // As if the matches were evenly spread.
        (self.wanted * keys / matches.max(1.0)).min(keys)
    }

    /// The way along keys in the order of the query, in which the ids are looked up that are exactly the matches: the places of the two, and what it
    /// costs.
    fn beside(&self, accesses: &[Access], ids: &[IdSource]) -> Option<(usize, usize, f64)> {
        let exact = ids.iter().enumerate().filter(|(_, ids)| self.is_exact(&ids.covered));
        let (at, source) = exact.min_by_key(|(_, ids)| ids.estimate)?;
        let matches = as_f64(source.estimate);
        let (by, cost) = self.along(accesses, matches)?;
        Some((by, at, matches * KEY + cost))
    }

    /// The same for so many ids that are known: by which keys, and what it costs.
    fn along(&self, accesses: &[Access], matches: f64) -> Option<(usize, f64)> {
        if self.keys.are_ids() {
            return None;
        }
        let ordered = accesses.iter().enumerate().filter(|(_, access)| access.reversed.is_some());
        let (by, access) = ordered.min_by_key(|(_, access)| access.estimate)?;
        let keys = as_f64(access.estimate);
        let evenly = self.wanted * keys / matches.max(1.0);
        let walked = if self.may_hope { evenly.min(keys) } else { keys };
        Some((by, walked * KEY + self.size.min(matches) * BY_KEY))
    }

    fn cost_of_ids(&self, ids: &IdSource) -> f64 {
        let keys = as_f64(ids.estimate);
        let is_exact = self.is_exact(&ids.covered);
        let read = if is_exact && self.keys.are_ids() { self.size.min(keys) } else { keys };
        keys * KEY + read * (BY_KEY + if is_exact { 0.0 } else { TEST })
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
            let each: Vec<Node>;
            let nodes = match node {
                Node::Any(nodes) => nodes.as_slice(),
                Node::Is(condition) => {
                    let parts = condition.each_of_many(MAX_EACH).into_iter();
                    each = parts.map(|one| Node::Is(Box::new(one))).collect();
                    each.as_slice()
                }
                _ => &[],
            };
            if nodes.is_empty() {
                continue;
            }
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
        found.extend(self.far.iter().filter_map(|far| self.each_far(far)));
        found.retain(|ids| ids.estimate <= MAX_IDS);
        found.sort_by_key(|ids| ids.estimate);
        Ok(found)
    }

    /// The records whose list of references has one of several that a condition at the far end holds for: read for each by itself, since a
    /// record that has two of them stands twice in the index.
    fn each_far(&self, (i, field, found): &Far) -> Option<IdSource> {
        let is_of_many = self.view.schema.collection.field(field).is_some_and(|field| field.kind.refers_to_many());
        if !is_of_many || found.ranges.len() < 2 || found.ranges.len() > MAX_EACH {
            return None;
        }
        let bound = usize::from(self.owner.is_some());
        let narrowest = |range: &(Cut, Cut)| {
            let far = [(*i, field.clone(), Intervals::of(vec![range.clone()], true))];
            let found = self.accesses(self.all, &far).into_iter();
            found.filter(|access| access.bound > bound && access.covered.contains(i)).min_by_key(|it| it.estimate)
        };
        let accesses = found.ranges.iter().map(narrowest).collect::<Option<Vec<_>>>()?;
        let shared = accesses.iter().map(|access| access.covered.clone());
        let covered = shared.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default();
        let estimate = accesses.iter().map(|access| access.estimate).sum();
        Some(IdSource { accesses, covered, estimate })
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
    let number = async |user| Ok::<_, Error>(view.core.owners.number(view.snapshot, user).await?);
    let owner = match view.may {
        Decision::Own(user) => {
            // Somebody who never owned anything may have no number; nobody has this one.
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
