//! A group of batches on its way into the engine: each is checked against the store and the
//! batches of the group before it, and either added whole or refused. Writes nothing itself.

use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use bytes::Bytes;

use super::engine::{Engine, State, fingerprint};
use super::error::{CommitError, ReadError};
use super::ranks::Ranks;
use super::spaces::Spaces;
use super::{Addition, Batch, Entry, Expect, Key, Version, journal};

pub(super) struct Group<'a> {
    engine: &'a Engine,
    /// The store's state after the batches admitted so far.
    pub state: State,
    /// Where its keys are then.
    pub ranks: Ranks,
    /// When its spaces were last written to then.
    pub spaces: Arc<Spaces>,
    /// What they write.
    pub writes: BTreeMap<Key, Option<Entry>>,
    /// What was there before the group, for readers of older snapshots.
    pub undo: BTreeMap<Key, Entry>,
}

/// What a batch makes of one key.
struct Change {
    before: Option<Entry>,
    after: Option<Bytes>,
}

/// The counters of a key with something added to them.
fn sum(key: Key, before: Option<&Bytes>, additions: Vec<Addition>) -> Result<Bytes, CommitError> {
    let mut after = before.map_or_else(|| vec![0; 8 * additions.len()], |value| value.to_vec());
    let (counters, rest) = after.as_chunks_mut::<8>();
    if counters.len() != additions.len() || !rest.is_empty() {
        return Err(CommitError::NotACounter { key });
    }
    let mut pairs = counters.iter().zip(&additions);
    if pairs.any(|(counter, Addition { by, max })| *by > 0 && i64::from_be_bytes(*counter).saturating_add(*by) > *max) {
        let found = counters.iter().map(|counter| i64::from_be_bytes(*counter)).collect();
        return Err(CommitError::Full { key, found, additions });
    }
    for (counter, addition) in counters.iter_mut().zip(&additions) {
        *counter = i64::from_be_bytes(*counter).saturating_add(addition.by).to_be_bytes();
    }
    Ok(after.into())
}

impl<'a> Group<'a> {
    pub fn new(engine: &'a Engine, state: State, ranks: Ranks, spaces: Arc<Spaces>) -> Group<'a> {
        Group { engine, state, ranks, spaces, writes: BTreeMap::new(), undo: BTreeMap::new() }
    }

    /// Adds a batch to the group, and returns the version that it will have. A batch that changes
    /// nothing gets the version before.
    pub fn admit(&mut self, batch: Batch) -> Result<Version, CommitError> {
        for (key, expect) in &batch.expect {
            let found = self.value(key)?.map(|entry| entry.version);
            let holds = match expect {
                Expect::Absent => found.is_none(),
                Expect::Present => found.is_some(),
                Expect::Version(version) => found == Some(*version),
            };
            if !holds {
                return Err(CommitError::Conflict { key: key.clone() });
            }
        }
        if batch.is_empty() {
            return Ok(self.state.version);
        }

        // Everything is read before anything changes, so that neither a failed read nor a full counter leaves half a batch.
        let version = self.state.version.next();
        let mut changes: BTreeMap<Key, Change> = BTreeMap::new();
        for (key, after) in batch.write {
            let before = self.value(&key)?;
            changes.insert(key, Change { before, after });
        }
        for (key, additions) in batch.add {
            let change = match changes.entry(key.clone()) {
                btree_map::Entry::Occupied(change) => change.into_mut(),
                btree_map::Entry::Vacant(place) => {
                    let before = self.value(&key)?;
                    let after = before.as_ref().map(|entry| entry.value.clone());
                    place.insert(Change { before, after })
                }
            };
            change.after = Some(sum(key, change.after.as_ref(), additions)?);
        }
        for (key, Change { before, after }) in changes {
            self.write(version, key, after, before);
        }
        for (n, value) in batch.append.into_iter().enumerate() {
            self.write(version, journal::key(version, n), Some(value), None);
        }
        self.state.version = version;
        Ok(version)
    }

    /// The value of a key as the next batch finds it.
    fn value(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.engine.get(key),
        }
    }

    fn write(&mut self, version: Version, key: Key, value: Option<Bytes>, before: Option<Entry>) {
        let after = value.map(|value| Entry { version, value });
        Arc::make_mut(&mut self.spaces).note(&key, version);
        let state = &mut self.state;
        if let Some(entry) = &before {
            state.entries -= 1;
            state.sum = state.sum.wrapping_sub(fingerprint(key.as_bytes(), entry.version));
        }
        if let Some(entry) = &after {
            state.entries += 1;
            state.sum = state.sum.wrapping_add(fingerprint(key.as_bytes(), entry.version));
        }
        match (&before, &after) {
            (None, Some(_)) => self.ranks.insert(&key),
            (Some(_), None) => self.ranks.remove(&key),
            _ => {}
        }
        if let Some(entry) = before
            && !self.writes.contains_key(&key)
        {
            self.undo.insert(key.clone(), entry);
        }
        self.writes.insert(key, after);
    }
}
