//! A group of batches on its way into the engine: each is checked against the store and the
//! batches of the group before it, and either added whole or refused. Writes nothing itself.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::engine::{Engine, State, fingerprint};
use super::error::{CommitError, ReadError};
use super::ranks::Ranks;
use super::{Batch, Entry, Expect, Key, Version, counter, journal};

pub(super) struct Group<'a> {
    engine: &'a Engine,
    /// The store's state after the batches admitted so far.
    pub state: State,
    /// Where its keys are then.
    pub ranks: Ranks,
    /// What they write.
    pub writes: BTreeMap<Key, Option<Entry>>,
    /// What was there before the group, for readers of older snapshots.
    pub undo: BTreeMap<Key, Entry>,
}

impl<'a> Group<'a> {
    pub fn new(engine: &'a Engine, state: State, ranks: Ranks) -> Group<'a> {
        Group { engine, state, ranks, writes: BTreeMap::new(), undo: BTreeMap::new() }
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

        let version = self.state.version.next();
        let mut writes: BTreeMap<Key, Option<Bytes>> = batch.write.into_iter().collect();
        for (key, n) in batch.add {
            let before = match writes.get(&key) {
                Some(value) => value.clone().map(|value| Entry { version, value }),
                None => self.value(&key)?,
            };
            let before = match before {
                Some(entry) => counter(&entry),
                None => Some(0),
            };
            let Some(before) = before else {
                return Err(CommitError::NotACounter { key });
            };
            let after = before.saturating_add(n).to_be_bytes();
            writes.insert(key, Some(Bytes::copy_from_slice(&after)));
        }

        // Everything is read before anything changes, so that a failed read leaves no half batch.
        let before = writes.keys().map(|key| self.value(key)).collect::<Result<Vec<_>, ReadError>>()?;
        for ((key, value), before) in writes.into_iter().zip(before) {
            self.write(key, value.map(|value| Entry { version, value }), before);
        }
        for (n, value) in batch.append.into_iter().enumerate() {
            self.write(journal::key(version, n), Some(Entry { version, value }), None);
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

    fn write(&mut self, key: Key, after: Option<Entry>, before: Option<Entry>) {
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
