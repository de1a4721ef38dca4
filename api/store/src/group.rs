//! Deciding which batches of a group are committed: each is checked against what the store holds and the batches of the group
//! before it, and either added whole or refused. A function of what was read: it reads nothing and writes nothing, so every
//! engine decides alike, and reads all that a group needs at once.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    Addition, Batch, Entry, Expect, Key, Version,
    error::{CommitError, ReadError},
    journal::{Appended, Packer, Position},
    last_changes::LastChanges,
};

/// What the store holds under the keys that the batches of a group depend on.
pub(crate) struct StoredEntries(Vec<(Key, Result<Option<Entry>, ReadError>)>);

impl StoredEntries {
    /// The keys to be read before the batches can be decided, in order and each once.
    pub(crate) fn keys<'a>(batches: impl Iterator<Item = &'a Batch>) -> Vec<Key> {
        let mut keys: Vec<Key> = batches.flat_map(Batch::keys).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What was read of [`StoredEntries::keys`], in their order.
    pub(crate) fn new(keys: Vec<Key>, entries: Vec<Result<Option<Entry>, ReadError>>) -> StoredEntries {
        StoredEntries(keys.into_iter().zip(entries).collect())
    }

    fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match self.0.binary_search_by(|(known, _)| known.cmp(key)) {
            Ok(at) => self.0[at].1.clone(),
            Err(_) => Err(ReadError::new("a key was not read before the decision")),
        }
    }
}

/// What a group makes of one key.
pub(crate) struct Write {
    /// What was there before the group.
    pub(crate) before: Option<Entry>,
    /// What is there after it.
    pub(crate) after: Option<Entry>,
}

/// The batches admitted so far, as one.
pub(crate) struct Group {
    found: StoredEntries,
    /// The last version that was given out.
    pub(crate) version: Version,
    /// The last commit in each space.
    pub(crate) last_changes: Arc<LastChanges>,
    /// What is written, by key.
    pub(crate) writes: BTreeMap<Key, Write>,
    /// What is appended to the journal, in order.
    appended: Vec<Appended>,
}

/// What a batch makes of one key.
struct Change {
    before: Option<Entry>,
    after: Option<Bytes>,
    /// The version that stays.
    kept: Option<Version>,
}

impl Group {
    /// No batches yet, over a store whose last commit is `version`.
    pub(crate) fn new(version: Version, last_changes: Arc<LastChanges>, found: StoredEntries) -> Group {
        Group { found, version, last_changes, writes: BTreeMap::new(), appended: Vec::new() }
    }

    /// Adds a batch to the group, and returns the version that it will have. A batch that changes
    /// nothing gets the version before.
    pub(crate) fn admit(&mut self, batch: Batch) -> Result<Version, CommitError> {
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
            return Ok(self.version);
        }

        // Everything is looked at before anything changes, so that neither a failed read nor a full counter leaves half a batch.
        let version = self.version.next();
        let mut changes: BTreeMap<Key, Change> = BTreeMap::new();
        for (key, after) in batch.write {
            let before = self.value(&key)?;
            changes.insert(key, Change { before, after, kept: None });
        }
        for (key, after) in batch.keep {
            let before = self.value(&key)?;
            let kept = before.as_ref().map(|entry| entry.version);
            changes.insert(key, Change { before, after: Some(after), kept });
        }
        for (key, additions) in batch.add {
            let change = match changes.entry(key.clone()) {
                btree_map::Entry::Occupied(change) => change.into_mut(),
                btree_map::Entry::Vacant(vacant) => {
                    let before = self.value(&key)?;
                    let after = before.as_ref().map(|entry| entry.value.clone());
                    vacant.insert(Change { before, after, kept: None })
                }
            };
            change.after = Some(sum(key, change.after.as_ref(), additions)?);
        }
        for (key, Change { before, after, kept }) in changes {
            let after = after.map(|value| Entry { version: kept.unwrap_or(version), value });
            self.write(version, key, before, after);
        }
        for (place, bytes) in (0..).zip(batch.append) {
            self.appended.push(Appended { at: Position { version, place }, bytes });
        }
        self.version = version;
        Ok(version)
    }

    /// Nothing more is admitted: what was appended becomes blocks of the journal.
    pub(crate) fn finish(&mut self) {
        let mut packer = Packer::default();
        let mut blocks: Vec<_> =
            std::mem::take(&mut self.appended).into_iter().filter_map(|entry| packer.push(entry)).collect();
        blocks.extend(packer.finish());
        for (key, Entry { version, value }) in blocks {
            self.write(version, key, None, Some(Entry { version, value }));
        }
    }

    /// The value of a key as the next batch finds it.
    fn value(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match self.writes.get(key) {
            Some(write) => Ok(write.after.clone()),
            None => self.found.get(key),
        }
    }

    fn write(&mut self, version: Version, key: Key, before: Option<Entry>, after: Option<Entry>) {
        Arc::make_mut(&mut self.last_changes).note(&key, version);
        match self.writes.entry(key) {
            btree_map::Entry::Occupied(mut write) => write.get_mut().after = after,
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Write { before, after });
            }
        }
    }
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
