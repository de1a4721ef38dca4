//! A search by the index of words: which records have them all, and which of these fit best.

use std::collections::HashMap;

use common::{access::Decision, id::RecordId};
use store::{Cut, Key, Scan};

use super::{
    super::{
        rows::Rows,
        view::{View, Window},
    },
    chosen::{Plan, Ranking, Scores, Source},
    walk::MatchScan,
};
use crate::domain::{
    error::Result,
    keyspace,
    records::{filter::Conditions, path::Path},
    schema,
    search::{
        self,
        postings::{LARGEST, Single, WordIndex, unpack, weighed, word_of},
    },
    work,
};

/// Records that are held for one word at most.
const MAX_IDS: usize = 2_000_000;
/// Entries beside which reading them costs little.
const FEW: usize = 16_384;
/// Entries and blocks that are read at once.
const AT_ONCE: usize = 256;
const BYTES: usize = 256 * 1024;
/// What reading a block costs, in entries.
const BLOCK: usize = 8;

/// The records that have words.
pub(super) struct FoundByWords {
    /// In order.
    pub ids: Vec<RecordId>,
    /// They have all of the words; otherwise some of these are to be looked for.
    pub exact: bool,
    /// How well each fits, where that counts and is known.
    pub scores: Option<Vec<f64>>,
}

/// A record with a word.
#[derive(Clone, Copy)]
struct Posting {
    id: RecordId,
    /// How often it has it; a whole word counts twice.
    often: u32,
    /// Of how many words.
    length: f64,
}

/// What an index has of the words that begin with one.
struct Sought<'a> {
    word: &'a str,
    singles: Vec<Scan>,
    blocks: Vec<Scan>,
    /// What reading it costs.
    cost: usize,
    /// Records that have it, about.
    about: usize,
}

impl<'a> Sought<'a> {
    /// Counted, not estimated: what stands beside them decides nothing.
    async fn new(view: &View<'_>, index: WordIndex, word: &'a str, ignores_accents: bool) -> Result<Self> {
        let mut found = Self { word, singles: Vec::new(), blocks: Vec::new(), cost: 0, about: 0 };
        for beginning in search::beginnings(word, ignores_accents) {
            let below = |place: Key| {
                let from = Cut::before(|key| key.text(&beginning)).place(place.clone(), false);
                let to = Cut::after_texts(&beginning).place(place, false);
                Scan::range(std::ops::Bound::Included(from), std::ops::Bound::Excluded(to))
            };
            let (singles, blocks) = (below(index.entries()), below(index.blocks()));
            let counts = [view.snapshot.count(&singles).await?.get(), view.snapshot.count(&blocks).await?.get()];
            found.cost += counts[0] + counts[1] * BLOCK;
            found.about += counts[0] + counts[1] * (LARGEST / 2);
            found.singles.push(singles);
            found.blocks.push(blocks);
        }
        Ok(found)
    }

    /// The records, in order.
    async fn read(&self, view: &View<'_>, ignores_accents: bool) -> Result<Vec<Posting>> {
        let (mut found, mut beside) = (Vec::new(), HashMap::new());
        let mut take = |word: &str, id: RecordId, weight: u8| {
            let (times, length) = weighed(weight);
            let whole = 1 + u32::from(search::is_whole(word, self.word, ignores_accents));
            found.push(Posting { id, often: times * whole, length });
        };
        for scan in &self.singles {
            let mut pages = Pages::new(scan);
            while let Some(page) = pages.next(view).await? {
                for (key, entry) in page {
                    let (Some((word, _)), Some(id)) = (word_of(&key), keyspace::last_id(&key)) else { continue };
                    let single = Single::of(&entry);
                    if single.weight > 0 {
                        take(&word, id, single.weight);
                    }
                    if single.is_beside {
                        beside.entry(word).or_insert_with(Vec::new).push(id);
                    }
                }
            }
        }
        for scan in &self.blocks {
            let mut pages = Pages::new(scan);
            while let Some(page) = pages.next(view).await? {
                for (key, entry) in page {
                    let Some((word, _)) = word_of(&key) else { continue };
                    let postings = unpack(&entry.value).unwrap_or_default();
                    work::hold(postings.len() * size_of::<Posting>())?;
                    // In the order of their keys, and so of their ids.
                    let decided = beside.get(&word).map_or(&[][..], Vec::as_slice);
                    for (id, weight) in postings.into_iter().filter(|(id, _)| decided.binary_search(id).is_err()) {
                        take(&word, id, weight);
                    }
                }
            }
        }
        // Each block is in order already.
        found.sort_by_key(|posting| posting.id);
        found.dedup_by(|next, kept| {
            let is_same = next.id == kept.id;
            if is_same {
                kept.often += next.often;
            }
            is_same
        });
        Ok(found)
    }
}

/// A scan, some at a time.
struct Pages(Option<Scan>);

impl Pages {
    fn new(scan: &Scan) -> Self {
        Self(Some(scan.clone()))
    }

    async fn next(&mut self, view: &View<'_>) -> Result<Option<Vec<(Key, store::Entry)>>> {
        let Some(scan) = self.0.take() else { return Ok(None) };
        view.deadline.pause().await?;
        let found = view.snapshot.scan(scan.clone().limit(AT_ONCE).limit_bytes(BYTES)).await?;
        view.looked.keys(found.len());
        self.0 = found.last().map(|(last, _)| scan.after(last));
        Ok((!found.is_empty()).then_some(found))
    }
}

/// The records that a search asks for, by the words that few records have; `None` where there is no index of them, or where others' records
/// would decide how long it takes.
pub(super) async fn find(view: &View<'_>, conditions: &Conditions) -> Result<Option<FoundByWords>> {
    let index = view.schema.keys.words_index().filter(|_| view.may == Decision::All);
    let (Some(index), Some((sought, ignores_accents))) = (index, conditions.sought()) else { return Ok(None) };
    let index = WordIndex { collection: view.schema.number(), index };
    let mut words = Vec::with_capacity(sought.words.len());
    for word in &sought.words {
        words.push(Sought::new(view, index, word, ignores_accents).await?);
    }
    words.sort_by_key(|word| word.about);
    if words.first().is_none_or(|word| word.about > MAX_IDS) {
        return Ok(None);
    }
    let all = schema::count(&view.core.owners, view.snapshot, view.schema.number(), view.may).await?.unwrap_or(0);
    let (mut found, mut exact) = (None::<Vec<(RecordId, f64, f64)>>, true);
    for word in words {
        // A record's texts are looked at in the time of about thirty entries.
        if found.as_ref().is_some_and(|ids| word.cost > ids.len().saturating_mul(30).saturating_add(FEW)) {
            exact = false;
            continue;
        }
        let postings = word.read(view, ignores_accents).await?;
        // The rarer, the more it says.
        let rarity = (1.0 + as_f64(all) / (1.0 + as_f64(postings.len() as u64))).ln();
        let scored = |posting: &Posting| (posting.id, rarity * search::saturated(posting.often), posting.length);
        found = Some(match found {
            None => postings.iter().map(scored).collect(),
            Some(before) => {
                let mut postings = postings.iter().peekable();
                let mut both = before;
                both.retain_mut(|(id, score, _)| {
                    while postings.next_if(|posting| posting.id < *id).is_some() {}
                    let same = postings.peek().filter(|posting| posting.id == *id);
                    *score += same.map_or(0.0, |posting| scored(posting).1);
                    same.is_some()
                });
                both
            }
        });
    }
    let found = found.unwrap_or_default();
    let scores = exact.then(|| found.iter().map(|(_, score, length)| search::by_length(*score, *length)).collect());
    Ok(Some(FoundByWords { ids: found.into_iter().map(|(id, ..)| id).collect(), exact, scores }))
}

fn as_f64(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
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
            let index = WordIndex { collection: view.schema.number(), index };
            let mut rarity = Vec::with_capacity(words.len());
            for word in &words {
                let about = Sought::new(view, index, word, ignores_accents).await?.about;
                rarity.push((1.0 + as_f64(all.unwrap_or(0)) / (1.0 + as_f64(about as u64))).ln());
            }
            rarity
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
        let mut scored: Vec<(f64, RecordId)> = Vec::new();
        let known = match (&self.source, &self.scores) {
            (_, Some(Scores { ids: Some(ids), by_id })) | (Source::Ids(ids), Some(Scores { ids: None, by_id })) => {
                Some((ids, by_id))
            }
            _ => None,
        };
        let is_of_source = self.scores.as_ref().is_some_and(|scores| scores.ids.is_none());
        if let Some((ids, scores)) = known.filter(|_| is_of_source && self.is_exact() && self.sets.is_empty()) {
            scored.extend(scores.iter().copied().zip(ids.iter().copied()));
        } else {
            let paths = if known.is_some() { Vec::new() } else { paths.iter().collect() };
            let mut walk = MatchScan::of(self, view, self.candidates(None), paths);
            while let Some(matches) = walk.next().await? {
                work::hold(matches.len() * size_of::<(f64, RecordId)>())?;
                for ((id, _), record) in matches {
                    let score = known.and_then(|(ids, scores)| scores.get(ids.binary_search(&id).ok()?).copied());
                    let score =
                        score.unwrap_or_else(|| search::score(collection, &record, words, rarity, *ignores_accents));
                    scored.push((score, id));
                }
            }
        }
        let best = |a: &(f64, RecordId), b: &(f64, RecordId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let wanted = window.skip.saturating_add(window.size);
        let count = scored.len();
        if wanted < count {
            scored.select_nth_unstable_by(wanted, best);
            scored.truncate(wanted);
        }
        scored.sort_unstable_by(best);
        let page: Vec<RecordId> = scored.iter().skip(window.skip).take(window.size).map(|(_, id)| *id).collect();
        let mut rows = Rows::default();
        rows.read_by_id(view, &page).await?;
        rows.count = counts.then_some(count as u64);
        rows.goes_on = rows.is_cut || count > wanted;
        Ok(rows)
    }
}
