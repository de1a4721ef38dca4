//! A walk through the rows that may match, some at a time, in the order in which a plan finds them.

use std::collections::{BTreeSet, VecDeque};

use base::Charge;
use common::{id::RecordId, record::Record};
use store::{Entry, Scan};

use super::{chosen::Plan, far_order::FarWalk, merged::Merged};
use crate::domain::{
    error::Result,
    indexes::IndexKind,
    keyspace,
    records::{
        list::{
            rows::{Row, by_id},
            view::View,
        },
        path::Path,
        referred::Referred,
        stored::parse_some,
    },
    stage, work,
};

/// Keys that are read at once where records are read with them: one may have half a megabyte.
const RECORDS: usize = 64;
/// Keys that are read at once where nothing else is.
const KEYS: usize = 256;

/// Bytes of values that are read at once, about.
const BYTES: usize = 512 * 1024;

/// A record that may match, with its value where that was read with its key.
type Candidate = (RecordId, Option<Entry>);

/// Where candidates come from.
pub(super) enum Candidates<'a> {
    /// The keys of scans, one after another.
    Scans(VecDeque<Scan>, IndexKind),
    /// The keys of scans, side by side.
    Merged(Merged),
    /// What a reference leads to.
    Far(Box<FarWalk<'a>>),
    /// Ids that are known already.
    Ids(Box<dyn Iterator<Item = RecordId> + Send + 'a>),
}

impl Candidates<'_> {
    /// The next few; none at the end.
    pub(super) async fn next(&mut self, view: &View<'_>, at_once: usize) -> Result<Vec<Candidate>> {
        match self {
            Self::Ids(ids) => Ok(ids.by_ref().take(at_once).map(|id| (id, None)).collect()),
            Self::Far(far) => Ok(far.next(view, at_once).await?.into_iter().map(|id| (id, None)).collect()),
            Self::Merged(merged) => Ok(merged.next(view, at_once).await?.into_iter().map(|id| (id, None)).collect()),
            Self::Scans(scans, kind) => {
                while let Some(scan) = scans.pop_front() {
                    let entries = view.snapshot.scan(scan.clone().limit(at_once).limit_bytes(BYTES)).await?;
                    view.looked.keys(entries.len());
                    let Some((last, _)) = entries.last() else { continue };
                    let bytes: usize = entries.iter().map(|(_, entry)| entry.value.len()).sum();
                    if entries.len() == at_once || bytes >= BYTES {
                        scans.push_front(scan.skip(0).after(last));
                    }
                    return Ok(entries.into_iter().filter_map(|(key, entry)| candidate(*kind, &key, entry)).collect());
                }
                Ok(Vec::new())
            }
        }
    }
}

fn candidate(kind: IndexKind, key: &store::Key, entry: Entry) -> Option<Candidate> {
    match kind {
        IndexKind::Records => Some((keyspace::last_id(key)?, Some(entry))),
        IndexKind::Entries => Some((keyspace::last_id(key)?, None)),
        IndexKind::Unique => Some((stage::unique_holder(&entry)?, None)),
    }
}

/// A walk through what may match.
pub(in super::super) struct MatchScan<'a> {
    plan: &'a Plan,
    view: &'a View<'a>,
    candidates: Candidates<'a>,
    paths: Vec<&'a Path>,
    /// The members that are looked at; `None` for all.
    members: Option<BTreeSet<&'a str>>,
    /// What the records of the last stretch refer to.
    pub referred: Referred,
    /// What the matches of the stretch hold.
    held: Charge,
    /// How many rows were looked at.
    seen: usize,
}

impl<'a> MatchScan<'a> {
    pub(super) fn new(plan: &'a Plan, view: &'a View<'a>, candidates: Candidates<'a>) -> Self {
        Self::of(plan, view, candidates, Vec::new())
    }

    /// One in which `more` can be read too.
    pub(super) fn of(plan: &'a Plan, view: &'a View<'a>, candidates: Candidates<'a>, more: Vec<&'a Path>) -> Self {
        let mut paths = plan.conditions.paths();
        paths.extend(plan.keys.paths());
        let members = plan.conditions.members().map(|mut members| {
            members.extend(plan.keys.paths().map(Path::begins_at));
            members.extend(more.iter().map(|path| path.begins_at()));
            members.insert("owner");
            members
        });
        paths.extend(more);
        let referred = Referred::new(paths.iter().copied());
        Self { plan, view, candidates, paths, members, referred, held: work::charge(), seen: 0 }
    }

    /// The ids of the next stretch that are in every set of the plan; `None` at the end. They are matches where the plan is exact.
    pub(super) async fn next_ids(&mut self) -> Result<Option<Vec<RecordId>>> {
        self.view.deadline.pause().await?;
        let found = self.candidates.next(self.view, KEYS).await?;
        if found.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.in_sets(found).map(|(id, _)| id).collect()))
    }

    /// Whether so many rows were looked at that another way is better.
    pub(super) fn is_in_vain(&self) -> bool {
        self.plan.limit.is_some_and(|limit| self.seen > limit)
    }

    /// The matches of the next stretch; `None` at the end.
    pub(in super::super) async fn next(&mut self) -> Result<Option<Vec<(Row, Record)>>> {
        self.held.shrink_to(0);
        self.view.deadline.pause().await?;
        let found = self.candidates.next(self.view, RECORDS).await?;
        if found.is_empty() {
            return Ok(None);
        }
        self.seen += found.len();
        let (known, unknown): (Vec<_>, Vec<_>) = self.in_sets(found).partition(|(_, entry)| entry.is_some());
        let known: Vec<Row> = known.into_iter().filter_map(|(id, entry)| Some((id, entry?))).collect();
        let mut rows = Vec::new();
        self.take(known, &mut rows).await?;
        for unknown in unknown.chunks(work::AT_ONCE) {
            let read = by_id(self.view, unknown.iter().map(|(id, _)| *id)).await?;
            self.take(read, &mut rows).await?;
        }
        let Self { plan, view, referred, paths, .. } = self;
        let conditions = &plan.conditions;
        let records = rows.iter().map(|(_, record)| record);
        referred.load(view.snapshot, view.deadline, paths.iter().copied(), records).await?;
        let mut matches = Vec::with_capacity(rows.len());
        for (found, record) in rows {
            if conditions.hold_for_referred(&record, referred) {
                matches.push((found, record));
            }
            conditions.rest(view.deadline).await?;
        }
        Ok(Some(matches))
    }

    /// Takes those of some that were read for which the conditions on their own members hold. The others are let go.
    async fn take(&mut self, read: Vec<Row>, rows: &mut Vec<(Row, Record)>) -> Result<()> {
        let Self { plan, view, members, held, .. } = self;
        let (collection, conditions) = (&view.schema.collection, &plan.conditions);
        let mut reading = work::charge();
        reading.grow(read.iter().map(|(_, entry)| entry.value.len() as u64).sum())?;
        for found in read {
            view.looked.row();
            let record = parse_some(&view.schema, found.0, &found.1, members.as_ref())?;
            if view.may.covers(record.owner()) && conditions.hold(collection, &record) {
                held.grow((found.1.value.len() + work::record_size(&record)) as u64)?;
                rows.push((found, record));
            }
            conditions.rest(view.deadline).await?;
        }
        Ok(())
    }

    fn in_sets(&self, found: Vec<Candidate>) -> impl Iterator<Item = Candidate> + use<'a> {
        let sets = &self.plan.sets;
        found.into_iter().filter(|(id, _)| sets.iter().all(|set| set.contains(id)))
    }
}
