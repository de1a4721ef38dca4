//! A search by the index of words: which records have them all, and which of these fit best.

use std::collections::HashSet;

use common::{access::Decision, id::RecordId};
use store::{Cut, Scan};

use super::{
    super::{
        rows::Rows,
        view::{View, Window},
    },
    chosen::{Plan, Ranking},
    walk::{Candidates, MatchScan},
};
use crate::domain::{
    error::Result,
    indexes::IndexKind,
    keyspace,
    numbers::IndexNumber,
    records::{filter::Conditions, path::Path},
    schema, search, work,
};

/// Ids that are read for one word at most.
const MAX_IDS: usize = 200_000;
/// Keys beside which counting them exactly costs little.
const FEW: usize = 4096;

/// The records that have words.
pub(super) struct FoundByWords {
    /// In order.
    pub ids: Vec<RecordId>,
    /// They have all of the words; otherwise some of these are to be looked for.
    pub exact: bool,
}

/// The keys of the words that begin with one.
fn scans(view: &View<'_>, index: IndexNumber, word: &str, ignores_accents: bool) -> Vec<Scan> {
    let prefix = keyspace::index(view.schema.number(), index);
    let scan = |beginning: String| {
        let from = Cut::before(|key| key.text(&beginning)).place(prefix.clone(), false);
        let to = Cut::after_texts(&beginning).place(prefix.clone(), false);
        Scan::range(std::ops::Bound::Included(from), std::ops::Bound::Excluded(to))
    };
    search::beginnings(word, ignores_accents).into_iter().map(scan).collect()
}

/// How many entries each word has. Not estimated: what stands beside them decides nothing.
async fn counts(view: &View<'_>, index: IndexNumber, words: &[String], ignores_accents: bool) -> Result<Vec<usize>> {
    let mut counts = Vec::with_capacity(words.len());
    for word in words {
        let mut count = 0;
        for scan in scans(view, index, word, ignores_accents) {
            count += view.snapshot.count(&scan).await?.get();
        }
        counts.push(count);
    }
    Ok(counts)
}

/// The records that a search asks for, by the words that few records have; `None` where there is no index of them, or where others' records
/// would decide how long it takes.
pub(super) async fn find(view: &View<'_>, conditions: &Conditions) -> Result<Option<FoundByWords>> {
    let index = view.schema.keys.words_index().filter(|_| view.may == Decision::All);
    let (Some(index), Some((sought, ignores_accents))) = (index, conditions.sought()) else { return Ok(None) };
    let counts = counts(view, index, &sought.words, ignores_accents).await?;
    let mut words: Vec<(usize, &String)> = counts.into_iter().zip(&sought.words).collect();
    words.sort_unstable();
    if words.first().is_none_or(|(count, _)| *count > MAX_IDS) {
        return Ok(None);
    }
    let (mut ids, mut exact): (Option<HashSet<RecordId>>, bool) = (None, true);
    for (count, word) in words {
        // A record is read in the time of about ten keys.
        if ids.as_ref().is_some_and(|ids| count > ids.len().saturating_mul(10).saturating_add(FEW)) {
            exact = false;
            continue;
        }
        let mut candidates = Candidates::Scans(scans(view, index, word, ignores_accents).into(), IndexKind::Entries);
        let mut found = HashSet::new();
        loop {
            view.deadline.pause().await?;
            let next = candidates.next(view, 256).await?;
            if next.is_empty() {
                break;
            }
            let next = next.into_iter().map(|(id, _)| id);
            let before = found.len();
            found.extend(next.filter(|id| ids.as_ref().is_none_or(|ids| ids.contains(id))));
            work::hold((found.len() - before) * 2 * size_of::<RecordId>())?;
        }
        ids = Some(found);
    }
    let mut ids: Vec<RecordId> = ids.unwrap_or_default().into_iter().collect();
    ids.sort_unstable();
    Ok(Some(FoundByWords { ids, exact }))
}

impl Ranking {
    /// The one of a query that asks for words and for no order.
    pub(super) async fn of(view: &View<'_>, conditions: &Conditions) -> Result<Option<Self>> {
        let query = view.query;
        let is_ranked = query.ordering.is_empty() && query.cursor.is_none() && !view.reads_all;
        let index = view.schema.keys.words_index().filter(|_| is_ranked);
        let (Some(index), Some((sought, ignores_accents))) = (index, conditions.sought()) else { return Ok(None) };
        let words = sought.words.clone();
        let rarity = if view.may == Decision::All {
            let all = schema::count(&view.core.owners, view.snapshot, view.schema.number(), view.may).await?;
            let counts = counts(view, index, &words, ignores_accents).await?;
            let as_f64 = |count: u64| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
            let rarity = |count: usize| (1.0 + as_f64(all.unwrap_or(0)) / (1.0 + as_f64(count as u64))).ln();
            counts.into_iter().map(rarity).collect()
        } else {
            // How rare a word is in others' records decides nothing.
            vec![1.0; words.len()]
        };
        let paths = sought.fields.iter().filter_map(|name| Path::own(&view.schema.collection, name)).collect();
        Ok(Some(Self { words, rarity, ignores_accents, paths }))
    }
}

impl Plan {
    /// The rows of a window, those that fit best first.
    pub(super) async fn ranked(
        &self,
        view: &View<'_>,
        ranking: &Ranking,
        window: Window,
        counts: bool,
    ) -> Result<Rows> {
        let Ranking { words, rarity, ignores_accents, paths } = ranking;
        let collection = &view.schema.collection;
        let mut scored = Vec::new();
        let mut walk = MatchScan::of(self, view, self.candidates(None), paths.iter().collect());
        while let Some(matches) = walk.next().await? {
            work::hold(matches.len() * size_of::<(f64, RecordId)>())?;
            for ((id, _), record) in matches {
                scored.push((search::score(collection, &record, words, rarity, *ignores_accents), id));
            }
        }
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let page: Vec<RecordId> = scored.iter().skip(window.skip).take(window.size).map(|(_, id)| *id).collect();
        let mut rows = Rows::default();
        rows.read_by_id(view, &page).await?;
        rows.count = counts.then_some(scored.len() as u64);
        rows.goes_on = rows.is_cut || scored.len() > window.skip.saturating_add(window.size);
        Ok(rows)
    }
}
