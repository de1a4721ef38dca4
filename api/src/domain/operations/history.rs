//! Trimming histories: entries of records beyond what their collection's definition keeps go, the oldest first. What is younger than a
//! day stays, whatever a definition says.

use std::collections::{HashMap, hash_map};

use common::{
    history::{History, Limits},
    id::RecordId,
};
use serde::{Deserialize, Serialize};
use store::{
    Entry as StoredEntry, Expect, Snapshot, Version,
    journal::{self as blocks, Block},
};

use super::piece::{Budget, Entries, Piece, Steps};
use crate::domain::{
    core::Core,
    error::Result,
    gone,
    journal::{self, Action, Entry, RecordChange, Removal},
    keyspace,
    numbers::CollectionNumber,
    record,
    schema::{self, StoredDefinition},
};

/// Trims all histories, from the beginning of the journal on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrimHistory {
    /// The first entry of the block that was looked at last: the commit, and the place in it.
    after: Option<(Version, u32)>,
}

/// How many entries a record has had, and the note of its deletion.
#[derive(Clone)]
struct State {
    nth: u32,
    tombstone: Option<StoredEntry>,
}

impl Steps for TrimHistory {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let limits = limits(&snapshot).await?;
        let mut removal = Removal::default();
        let now = record::stamp_of(i64::try_from(core.clock.now().unix_timestamp_nanos() / 1000).unwrap_or(0));
        let mut is_last = limits.is_empty();
        let mut states: HashMap<(CollectionNumber, RecordId), State> = HashMap::new();
        let mut tombstones = Vec::new();
        'reading: while !is_last && !budget.is_spent() {
            let mut scan = blocks::blocks();
            if let Some((version, place)) = self.after {
                scan = scan.after(&blocks::key(blocks::Position { version, place }));
            }
            let Entries { entries, is_end } = budget.scan(&snapshot, scan).await?;
            is_last = is_end;
            for (key, StoredEntry { version, value }) in entries {
                let block = Block { entries: blocks::unpack(&value)?, key, version };
                let Some(first) = block.entries.first() else { continue };
                if is_young(&first.bytes, now)? {
                    is_last = true;
                    break 'reading;
                }
                for appended in &block.entries {
                    if let Entry::Record(change, _) = journal::parse(&appended.bytes)?
                        && limits.contains_key(&change.collection)
                    {
                        let (collection, id) = (change.collection, change.id);
                        if let hash_map::Entry::Vacant(unknown) = states.entry((collection, id)) {
                            unknown.insert(state(&snapshot, collection, id).await?);
                        }
                    }
                }
                removal.take(&block, |appended, entry| {
                    let Entry::Record(change, _) = entry else { return false };
                    let key = (change.collection, change.id);
                    let (Some(limits), Some(state)) = (limits.get(&change.collection), states.get(&key)) else {
                        return false;
                    };
                    let goes = is_beyond(*limits, change, state, now);
                    if let Some(tombstone) = &state.tombstone
                        && (goes, change.action, tombstone.version) == (true, Action::Delete, appended.at.version)
                    {
                        tombstones.push((key, tombstone.version));
                    }
                    goes
                })?;
                self.after = blocks::position(&block.key).map(|at| (at.version, at.place));
                budget.spend(value.len());
                if budget.is_spent() {
                    break;
                }
            }
        }
        let done = removal.count;
        let mut batch = removal.finish(core, &snapshot).await?;
        for ((collection, id), version) in tombstones {
            let key = keyspace::tombstone(collection, id);
            batch.expect(key.clone(), Expect::Version(version)).delete(key);
        }
        Ok(Piece { batch, done, is_last, ..Piece::default() })
    }
}

/// What each collection keeps, where that is not all. One that was deleted keeps as much as it did while it was there.
async fn limits(snapshot: &Snapshot) -> Result<HashMap<CollectionNumber, Limits>> {
    let of = |StoredDefinition { collection, keys, .. }: StoredDefinition| match collection.history {
        History::All => None,
        History::Nothing => Some((keys.number, Limits { versions: None, age: Some(History::SAFE) })),
        History::Limited(limits) => Some((keys.number, limits)),
    };
    let gone = gone::all(snapshot).await?.into_iter().map(|(_, gone)| gone.gone.definition);
    Ok(schema::all(snapshot).filter_map(of).await?.into_iter().chain(gone.filter_map(of)).collect())
}

async fn state(snapshot: &Snapshot, collection: CollectionNumber, id: RecordId) -> Result<State> {
    let keys = [keyspace::record(collection, id), keyspace::tombstone(collection, id)];
    let mut found = snapshot.get_many(&keys).await?.into_iter();
    let (stored, tombstone) = (found.next().flatten(), found.next().flatten());
    let nth = match &stored {
        Some(stored) => record::head(&stored.value)?.nth,
        None => tombstone.as_ref().and_then(journal::tombstone).map_or(u32::MAX, |(_, nth)| nth),
    };
    Ok(State { nth, tombstone })
}

/// Whether an entry may go. How many have come after it is known by counting from the record's first.
fn is_beyond(limits: Limits, change: &RecordChange, state: &State, now: i64) -> bool {
    let age = age(change.at, now);
    let is_old = limits.age.is_some_and(|most| age > most);
    let later = state.nth.saturating_sub(change.nth);
    let is_one_of_many = limits.versions.is_some_and(|most| later >= most);
    age > History::SAFE && (is_old || is_one_of_many)
}

fn age(at: i64, now: i64) -> std::time::Duration {
    let micros = record::micros(now).saturating_sub(record::micros(at));
    std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Whether an entry is one of those that are always kept, and all after it are.
fn is_young(bytes: &[u8], now: i64) -> Result<bool> {
    let at = match journal::parse(bytes)? {
        Entry::Record(change, _) => Some(change.at),
        Entry::Other(change, _) => record::stamp(&change.at),
    };
    Ok(at.is_some_and(|at| age(at, now) <= History::SAFE))
}
