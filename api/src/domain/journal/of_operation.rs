//! The entries of one operation, a part at a time. An operation is one commit, or, where it was done in pieces, several.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use common::id::OperationId;
use store::{
    Scan, Snapshot, Version,
    journal::{self as blocks, Position},
};
use uuid::Uuid;

use super::entry::{Entry, parse};
use crate::domain::{
    error::{Error, Result},
    journal::entry::RecordChange,
    keyspace, record, work,
};

/// The parts of an operation, in the order in which they were written.
pub struct Parts<'a> {
    snapshot: &'a Snapshot,
    id: OperationId,
    left: VecDeque<(Version, u32)>,
    is_cut: bool,
}

/// What one commit did for an operation.
pub struct Part {
    /// The commit.
    pub version: Version,
    /// Its entries, in order.
    pub entries: Vec<(Position, Entry)>,
    /// Some are not there any more.
    pub is_trimmed: bool,
    /// About how many bytes the entries take.
    pub bytes: usize,
}

impl<'a> Parts<'a> {
    /// Of the operation `id`; [`Error::NotFound`] where there is none, and [`Error::Trimmed`] where it was before the journal begins.
    pub async fn new(snapshot: &'a Snapshot, id: OperationId) -> Result<Self> {
        let found = snapshot.scan(Scan::prefix(&keyspace::operation_part(id, None))).await?;
        let mut left = VecDeque::with_capacity(found.len());
        // The one that others are behind: the first, unless that is gone.
        let mut is_cut = true;
        for (_, entry) in &found {
            let (count, rest) = entry
                .value
                .split_first_chunk()
                .map_or((0, &[][..]), |(count, rest)| (u32::from_be_bytes(*count), rest));
            is_cut &= !rest.is_empty();
            left.push_back((entry.version, count));
        }
        if left.is_empty() {
            return Err(if begins_after(snapshot, id).await? { Error::Trimmed } else { Error::NotFound });
        }
        Ok(Self { snapshot, id, left, is_cut })
    }

    /// The same of one that is to be undone: [`Error::Trimmed`] where its beginning is in the journal no more.
    pub async fn whole(snapshot: &'a Snapshot, id: OperationId) -> Result<Self> {
        let parts = Self::new(snapshot, id).await?;
        if parts.is_cut { Err(Error::Trimmed) } else { Ok(parts) }
    }

    /// Whether its beginning is in the journal no more.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Its first commit that was not given yet.
    pub fn first(&self) -> Option<Version> {
        self.left.front().map(|(version, _)| *version)
    }

    /// How many entries the operation wrote, whether or not they are still there.
    pub fn count(&self) -> u64 {
        self.left.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// Whether it was one commit.
    pub fn is_one(&self) -> bool {
        self.left.len() == 1
    }

    /// The next part; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Part>> {
        let Some((version, count)) = self.left.pop_front() else { return Ok(None) };
        self.read(version, count).await.map(Some)
    }

    /// The last part that was not given yet.
    pub async fn next_back(&mut self) -> Result<Option<Part>> {
        let Some((version, count)) = self.left.pop_back() else { return Ok(None) };
        self.read(version, count).await.map(Some)
    }

    /// The commits from `version` on.
    pub fn versions_from(&self, version: Version) -> BTreeSet<Version> {
        self.left.iter().map(|(known, _)| *known).filter(|known| *known >= version).collect()
    }

    /// Leaves out what was written after `version`, and by it.
    pub fn before(&mut self, version: Version) {
        self.left.retain(|(known, _)| *known < version);
    }

    async fn read(&self, version: Version, count: u32) -> Result<Part> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut blocks = blocks::blocks_from(self.snapshot, Position { version, place: 0 }).await?;
        'reading: while let Some(block) = blocks.next().await? {
            for appended in block.entries {
                if appended.at.version > version {
                    break 'reading;
                }
                if appended.at.version == version {
                    let entry = parse(&appended.bytes)?;
                    if entry.operation() == Some(self.id) {
                        bytes += work::parsed_size(&appended.bytes);
                        entries.push((appended.at, entry));
                    }
                }
            }
            tokio::task::yield_now().await;
        }
        let is_trimmed = entries.len() < count as usize;
        Ok(Part { version, entries, is_trimmed, bytes })
    }
}

impl Entry {
    /// What it was a part of.
    pub fn operation(&self) -> Option<OperationId> {
        match self {
            Self::Record(RecordChange { operation, .. }, _) | Self::Other(_, operation) => *operation,
        }
    }
}

/// Whether the journal begins after an operation of this id was made: ids of operations have their time.
async fn begins_after(snapshot: &Snapshot, id: OperationId) -> Result<bool> {
    let Some(made) = made_at(id.uuid()) else { return Ok(false) };
    let Some((_, first)) = snapshot.scan(blocks::blocks().limit(1)).await?.pop() else { return Ok(false) };
    let Some(first) = blocks::unpack(&first.value)?.into_iter().next() else { return Ok(false) };
    Ok(match parse(&first.bytes)? {
        Entry::Record(change, _) => record::micros(change.at) > i64::try_from(made.as_micros()).unwrap_or(i64::MAX),
        Entry::Other(change, _) => record::stamp(&change.at)
            .is_some_and(|at| record::micros(at) > i64::try_from(made.as_micros()).unwrap_or(i64::MAX)),
    })
}

fn made_at(id: Uuid) -> Option<Duration> {
    let (seconds, nanos) = id.get_timestamp().filter(|_| id.get_version_num() == 7)?.to_unix();
    Some(Duration::new(seconds, nanos))
}
