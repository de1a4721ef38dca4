//! On which way the rows of a list are found. Every index offers the ranges of its keys that have all matches in them; chosen is what
//! reads least, by the counts of keys that the store has at hand. Conditions that the ranges leave open are asked of each record.

mod access;
mod choose;
mod chosen;
mod explain;
mod far;
mod far_order;
mod intervals;
mod merged;
mod walk;
mod words;

use std::iter;

use common::id::RecordId;

pub(super) use self::{access::Access, chosen::Plan};
use self::{
    chosen::Source,
    merged::Merged,
    walk::{Candidates, MatchScan},
};
use super::{
    rows::{Row, Rows},
    view::{View, Window},
};
use crate::domain::{
    error::Result,
    records::{
        cursor::Cursor,
        path::Path,
        referred::Referred,
        sort::{First, SortKeys},
    },
    schema, work,
};

impl Plan {
    /// Whether the source is in the order of the query, and whether from its end.
    fn reversed(&self) -> Option<bool> {
        match &self.source {
            Source::Keys(access) => access.reversed,
            Source::Ids(_) => self.keys.are_ids().then(|| self.keys.ids_descend()),
            Source::Far(_) => Some(false),
        }
    }

    /// What may match, from a place on, in the order of the query where the source has it.
    fn candidates(&self, start: Option<&Cursor>) -> Candidates<'_> {
        let reversed = self.reversed().unwrap_or(false);
        match &self.source {
            Source::Far(order) => Candidates::Far(Box::new(order.walk(start))),
            Source::Keys(access) if access.is_merged => {
                let backward = reversed != start.is_some_and(|start| start.backward);
                Candidates::Merged(Merged::new(access.merged(backward, &self.keys, start), backward))
            }
            Source::Keys(access) => {
                Candidates::Scans(access.scans(reversed, &self.keys, start).into(), access.index.kind)
            }
            Source::Ids(ids) => {
                let backward = reversed != start.is_some_and(|start| start.backward);
                let from = start.map_or(0, |start| {
                    let passed =
                        |id: &RecordId| if *id == start.id { start.inclusive == backward } else { *id < start.id };
                    ids.partition_point(passed)
                });
                match (start, backward) {
                    (None, true) => Candidates::Ids(Box::new(ids.iter().rev().copied())),
                    (_, true) => Candidates::Ids(Box::new(ids[..from].iter().rev().copied())),
                    _ => Candidates::Ids(Box::new(ids[from..].iter().copied())),
                }
            }
        }
    }

    /// A walk through all matches, in which `paths` can be read too.
    pub(super) fn walk<'a>(&'a self, view: &'a View<'a>, paths: Vec<&'a Path>) -> MatchScan<'a> {
        MatchScan::of(self, view, self.candidates(None), paths)
    }

    /// Whether a walk comes by the rows in their order.
    pub(super) fn is_in_order(&self) -> bool {
        self.reversed().is_some()
    }

    /// What rows are ordered by.
    pub(super) fn keys(&self) -> &SortKeys {
        &self.keys
    }

    /// Whether the rows can be told by their keys, one behind another.
    fn is_listed(&self) -> bool {
        self.is_exact() && self.reversed().is_some()
    }

    /// Whether how many match is known without coming by all of them.
    fn counts_apart(&self) -> bool {
        let by_keys = matches!(self.source, Source::Keys(_)) && self.sets.is_empty() && self.is_exact();
        self.kept || self.counted.is_some() || by_keys
    }

    /// How many records match.
    pub(super) async fn count(&self, view: &View<'_>) -> Result<u64> {
        if self.kept {
            let count = schema::count(&view.core.owners, view.snapshot, view.schema.number(), view.may).await?;
            return Ok(count.unwrap_or(0));
        }
        if let Some(count) = self.counted {
            return Ok(count);
        }
        match &self.source {
            _ if !self.is_exact() => {
                let rows = self.search(view, Window { skip: 0, size: 0 }, true, false).await?;
                Ok(rows.and_then(|rows| rows.count).unwrap_or(0))
            }
            Source::Ids(ids) if self.sets.is_empty() => Ok(ids.len() as u64),
            Source::Keys(access) if self.sets.is_empty() => access.count(view.snapshot).await,
            _ => {
                let (mut count, mut walk) = (0, MatchScan::new(self, view, self.candidates(None)));
                while let Some(ids) = walk.next_ids().await? {
                    count += ids.len() as u64;
                }
                Ok(count)
            }
        }
    }

    /// The rows of a window. Where it is flexible, they may be fewer than it has.
    pub(super) async fn rows(&self, view: &View<'_>, window: Window, flexible: bool) -> Result<Rows> {
        let counts = view.query.count;
        if let Some(ranking) = &self.ranking {
            return self.ranked(view, ranking, window, counts).await;
        }
        if !self.is_listed() {
            return match self.search(view, window, counts, flexible).await? {
                Some(rows) => Ok(rows),
                None => Box::pin(self.otherwise(view).await?.rows(view, window, flexible)).await,
            };
        }
        let mut rows = Rows::default();
        // One more says whether the list goes on.
        let wanted = window.size.saturating_add(usize::from(!counts));
        match &self.source {
            Source::Keys(access) if self.sets.is_empty() && !access.is_merged => {
                let scans = access.scans(self.reversed().unwrap_or(false), &self.keys, None);
                let mut skip = window.skip;
                for scan in scans {
                    if rows.found.len() >= wanted || rows.is_cut {
                        break;
                    }
                    // Of one range the place is looked up by its rank; several are counted.
                    let passed = if skip == 0 { 0 } else { view.snapshot.count(&scan).await?.get() };
                    if skip > 0 && passed <= skip {
                        skip -= passed;
                        continue;
                    }
                    let left = wanted - rows.found.len();
                    rows.read(view, access.index.kind, scan.skip(skip), left).await?;
                    skip = 0;
                }
            }
            _ => {
                let mut walk = MatchScan::new(self, view, self.candidates(None));
                let (mut page, mut count) = (Vec::new(), 0_usize);
                let is_known = !counts || self.counts_apart();
                let is_all = |count: usize| self.counted.is_some_and(|all| count as u64 >= all);
                while !is_known || (page.len() < wanted && !is_all(count)) {
                    let Some(ids) = walk.next_ids().await? else { break };
                    let from = window.skip.saturating_sub(count);
                    count += ids.len();
                    page.extend(ids.into_iter().skip(from).take(wanted - page.len()));
                }
                rows.read_by_id(view, &page).await?;
                rows.count = (!is_known).then_some(count as u64);
            }
        }
        if counts && rows.count.is_none() {
            rows.count = Some(self.count(view).await?);
        }
        rows.goes_on = rows.is_cut || rows.found.len() > window.size;
        rows.is_cut &= rows.found.len() < window.size;
        rows.found.truncate(window.size);
        Ok(rows)
    }

    /// Up to `wanted` rows behind a place, the nearest first.
    pub(super) async fn rows_behind(&self, view: &View<'_>, start: Option<Cursor>, wanted: usize) -> Result<Rows> {
        let mut rows = Rows::default();
        // A place of another ordering than this is none.
        let start = start.filter(|start| start.values.len() == self.keys.paths().count());
        match &self.source {
            Source::Keys(access) if self.is_listed() && self.sets.is_empty() && !access.is_merged => {
                for scan in access.scans(self.reversed().unwrap_or(false), &self.keys, start.as_ref()) {
                    if rows.found.len() >= wanted || rows.is_cut {
                        break;
                    }
                    let left = wanted - rows.found.len();
                    rows.read(view, access.index.kind, scan, left).await?;
                }
            }
            _ if self.is_listed() => {
                let mut walk = MatchScan::new(self, view, self.candidates(start.as_ref()));
                let mut page = Vec::new();
                while let Some(ids) = walk.next_ids().await? {
                    page.extend(ids.into_iter().take(wanted - page.len()));
                    if page.len() >= wanted {
                        break;
                    }
                }
                rows.read_by_id(view, &page).await?;
            }
            _ if self.reversed().is_some() => {
                let mut walk = MatchScan::new(self, view, self.candidates(start.as_ref()));
                'walk: while let Some(matches) = walk.next().await? {
                    if walk.is_in_vain() {
                        return Box::pin(self.otherwise(view).await?.rows_behind(view, start, wanted)).await;
                    }
                    for (row, _) in matches {
                        work::hold(row.1.value.len())?;
                        rows.push(row);
                        if rows.is_cut || rows.found.len() == wanted {
                            break 'walk;
                        }
                    }
                }
            }
            _ => {
                let mut first = First::new(&self.keys, wanted).behind(start).flexible(true);
                let mut walk = MatchScan::new(self, view, self.candidates(None));
                let mut matching = 0;
                while let Some(matches) = walk.next().await? {
                    for ((id, _), record) in matches {
                        matching += usize::from(first.push(self.keys.of(&record, &walk.referred), id)?);
                    }
                }
                let ids = first.into_ids();
                rows.read_by_id(view, &ids).await?;
                rows.is_cut |= ids.len() < matching.min(wanted);
            }
        }
        Ok(rows)
    }

    /// The place of a row.
    pub(super) async fn place(&self, view: &View<'_>, (id, entry): &Row, backward: bool) -> Result<Cursor> {
        let record = view.schema.parse(*id, entry)?;
        let mut referred = Referred::new(self.keys.paths());
        referred.load(view.snapshot, view.deadline, self.keys.paths(), iter::once(&record)).await?;
        Ok(Cursor { backward, inclusive: false, values: self.keys.of(&record, &referred), id: *id })
    }

    /// Looks at every record that may match and keeps those of the window; counts them all where that is asked for.
    /// `None` where another way is better.
    async fn search(&self, view: &View<'_>, window: Window, counts: bool, flexible: bool) -> Result<Option<Rows>> {
        let Window { skip, size } = window;
        let mut first = First::new(&self.keys, skip.saturating_add(size)).flexible(flexible);
        let mut rows = Rows::default();
        let mut count = 0usize;
        // Rows in their order are read no further than their number says.
        let counted = self.counted.filter(|_| self.reversed().is_some());
        let enough = counted.map(|all| usize::try_from(all).unwrap_or(usize::MAX).min(skip.saturating_add(size)));
        let counts_all = counts && counted.is_none();
        let is_sorted = self.reversed().is_none() && size > 0;
        let mut walk = MatchScan::new(self, view, self.candidates(None));
        'walk: while enough.is_none_or(|enough| count < enough) {
            let Some(matches) = walk.next().await? else { break };
            if walk.is_in_vain() {
                return Ok(None);
            }
            for (row, record) in matches {
                count += 1;
                if is_sorted {
                    first.push(self.keys.of(&record, &walk.referred), row.0)?;
                } else if count > skip && count - skip <= size && !rows.is_cut {
                    work::hold(row.1.value.len())?;
                    rows.push(row);
                } else if count > skip && !counts_all {
                    break 'walk;
                }
            }
        }
        if is_sorted {
            let ids = first.into_ids();
            rows.is_cut = ids.len() < count.min(skip.saturating_add(size));
            let page = ids.get(skip..).unwrap_or_default();
            if page.is_empty() && rows.is_cut {
                return Err(First::too_deep());
            }
            let is_cut = rows.is_cut;
            rows.is_cut = false;
            rows.read_by_id(view, page).await?;
            rows.is_cut |= is_cut;
        }
        let all = counted.unwrap_or(count as u64);
        rows.goes_on = rows.is_cut || all > skip.saturating_add(size) as u64;
        rows.count = counts.then_some(all);
        Ok(Some(rows))
    }

    /// The way that is taken where this one was in vain.
    async fn otherwise(&self, view: &View<'_>) -> Result<&Self> {
        let plan = Plan::choose(view, false).await?;
        Ok(self.instead.get_or_init(|| Box::new(plan)))
    }
}
