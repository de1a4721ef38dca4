//! Trimming the journal: old entries go, oldest first. Histories then end earlier, and what was deleted before cannot be put back
//! any more. Nothing else rests on the journal.

use std::time::Duration;

use common::{
    id::RecordId,
    problem::{FieldError, FieldErrors},
};
use serde::{Deserialize, Serialize};
use store::{
    Entry, Expect, Scan, Snapshot, Version,
    journal::{self as blocks, Appended},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::piece::{Budget, Entries, Piece, Steps};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, Freed},
    keyspace,
    numbers::CollectionNumber,
    record,
};

/// Blocks that are read to count what is in them. Of more it is not said beforehand how many entries there are to remove.
const MAX_COUNTED: usize = 4096;

/// Removes what the journal says of the time before a moment, up to the first entry that is later, and then the tombstones of
/// records that were deleted by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trim {
    /// The moment, in seconds since 1970.
    until: i64,
    /// The commit of the last entry that was removed.
    last: Version,
    /// The entries are removed; what follows are the tombstones.
    entries_are_done: bool,
    /// The last tombstone that was looked at.
    #[serde(default)]
    tombstone: Option<(CollectionNumber, RecordId)>,
    /// The tombstones are removed; what follows is where the entries of operations were.
    #[serde(default)]
    tombstones_are_done: bool,
}

impl Trim {
    /// Of what is older than `age` now.
    pub fn before(core: &Core, age: Duration) -> Result<Self> {
        let until = time::Duration::try_from(age).ok().and_then(|age| core.clock.now().checked_sub(age));
        let Some(until) = until else {
            let error = FieldError::new("invalid", "Nothing can be as old as that.");
            return Err(FieldErrors::of("older_than", error).into());
        };
        Ok(Self {
            until: until.unix_timestamp(),
            last: Version::ZERO,
            entries_are_done: false,
            tombstone: None,
            tombstones_are_done: false,
        })
    }

    /// The moment, as it is shown to people: RFC 3339, UTC.
    pub fn until(&self) -> Result<String> {
        Ok(common::validate::format_moment(self.moment()?))
    }

    fn moment(&self) -> Result<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.until)
            .map_err(|error| Error::caused("a stored moment is out of range", error))
    }

    /// How many entries there are to remove, if they are few enough to be counted, and can be read. Entries are in the order of
    /// time, but for clocks that were set back.
    pub async fn count(&self, core: &Core) -> Result<Option<u64>> {
        let (until, snapshot) = (self.moment()?, core.store.snapshot().await?);
        if self.begins_before(&snapshot, MAX_COUNTED, until).await? {
            return Ok(None);
        }
        let (mut old, mut last) = (0, self.last);
        let mut pages = snapshot.pages(blocks::blocks());
        while let Some(page) = pages.next().await? {
            for (_, entry) in page {
                let Ok(entries) = blocks::unpack(&entry.value) else { return Ok(None) };
                let Ok(count) = count_before(&entries, last, until) else { return Ok(None) };
                old += count as u64;
                last = entries[..count].last().map_or(last, |entry| entry.at.version);
                if count < entries.len() {
                    return Ok(Some(old));
                }
            }
        }
        Ok(Some(old))
    }

    /// Whether there is a block with so many before it, and it begins before `until`.
    async fn begins_before(&self, snapshot: &Snapshot, rank: usize, until: OffsetDateTime) -> Result<bool> {
        let found = snapshot.scan(blocks::blocks().skip(rank).limit(1)).await?;
        let entries = found.first().and_then(|(_, entry)| blocks::unpack(&entry.value).ok()).unwrap_or_default();
        Ok(entries.first().is_some_and(|first| is_before(first, until).unwrap_or(true)))
    }

    async fn remove_entries(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        budget: &mut Budget<'_>,
        piece: &mut Piece,
    ) -> Result<()> {
        let mut freed = Freed::default();
        let removed = self.remove_blocks(snapshot, budget, piece, &mut freed).await;
        freed.stage(core, snapshot, &mut piece.batch).await?;
        journal::note_trimmed(snapshot, &mut piece.batch, self.last).await?;
        removed
    }

    async fn remove_blocks(
        &mut self,
        snapshot: &Snapshot,
        budget: &mut Budget<'_>,
        piece: &mut Piece,
        freed: &mut Freed,
    ) -> Result<()> {
        let until = self.moment()?;
        let mut scan = blocks::blocks();
        loop {
            let Entries { entries: found, is_end } = budget.scan(snapshot, scan).await?;
            for (key, Entry { version, value }) in &found {
                let entries = blocks::unpack(value)?;
                let old = count_before(&entries, self.last, until)?;
                if let Some(last) = old.checked_sub(1).and_then(|last| entries.get(last)) {
                    self.last = last.at.version;
                    piece.done += old as u64;
                    for entry in &entries[..old] {
                        if let journal::Entry::Record(change, values) = journal::parse(&entry.bytes)? {
                            freed.add(&change, &values);
                        }
                    }
                    // Another operation may be at the same entries: each is counted by the one that removes it.
                    piece.batch.expect(key.clone(), Expect::Version(*version));
                    if old == entries.len() {
                        piece.batch.delete(key.clone());
                    } else {
                        piece.batch.put(key.clone(), blocks::pack(&entries[old..]));
                    }
                }
                if old < entries.len() {
                    self.entries_are_done = true;
                    return Ok(());
                }
                budget.spend(entries.iter().map(|entry| entry.bytes.len()).sum());
                if budget.is_spent() {
                    return Ok(());
                }
            }
            let Some((last, _)) = found.last().filter(|_| !is_end) else {
                self.entries_are_done = true;
                return Ok(());
            };
            scan = blocks::blocks().after(last);
        }
    }

    async fn remove_tombstones(
        &mut self,
        snapshot: &Snapshot,
        budget: &mut Budget<'_>,
        piece: &mut Piece,
    ) -> Result<()> {
        loop {
            let mut scan = Scan::prefix(&keyspace::all_tombstones());
            if let Some((collection, id)) = self.tombstone {
                scan = scan.after(&keyspace::tombstone(collection, id));
            }
            let Entries { entries, is_end } = budget.scan(snapshot, scan).await?;
            for (key, entry) in entries {
                self.tombstone = keyspace::collection_of(&key).zip(keyspace::last_id(&key)).or(self.tombstone);
                if entry.version <= self.last {
                    // The record may have been put back meanwhile, and deleted again.
                    piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
                }
                budget.spend(0);
                if budget.is_spent() {
                    return Ok(());
                }
            }
            if is_end {
                self.tombstones_are_done = true;
                return Ok(());
            }
        }
    }

    /// Removes what operations left of whose entries none is there any more. Their ids are in the order of time, but for those that
    /// took long.
    async fn remove_operations(
        &mut self,
        snapshot: &Snapshot,
        budget: &mut Budget<'_>,
        piece: &mut Piece,
    ) -> Result<()> {
        let found = budget.scan(snapshot, Scan::prefix(&keyspace::operation_changes())).await?;
        let mut removed = 0;
        for (key, entry) in found.entries {
            if entry.version <= self.last {
                piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
                removed += 1;
            }
            budget.spend(0);
        }
        piece.is_last = removed == 0;
        Ok(())
    }
}

impl Steps for Trim {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let (mut piece, snapshot) = (Piece::default(), core.store.snapshot().await?);
        if !self.entries_are_done {
            self.remove_entries(core, &snapshot, budget, &mut piece).await?;
        }
        if self.entries_are_done && !self.tombstones_are_done && !budget.is_spent() {
            self.remove_tombstones(&snapshot, budget, &mut piece).await?;
        }
        if self.tombstones_are_done && !budget.is_spent() {
            self.remove_operations(&snapshot, budget, &mut piece).await?;
        }
        Ok(piece)
    }
}

/// How many entries at the beginning of a block are about the time before `until`. What one commit wrote goes together, by its first entry:
/// `last` is the commit of the last entry that goes before them.
fn count_before(entries: &[Appended], last: Version, until: OffsetDateTime) -> Result<usize> {
    let mut goes = last;
    for (n, entry) in entries.iter().enumerate() {
        if entry.at.version != goes && !is_before(entry, until)? {
            return Ok(n);
        }
        goes = entry.at.version;
    }
    Ok(entries.len())
}

/// Whether an entry is about the time before `until`. One that says no time ends the search.
fn is_before(entry: &Appended, until: OffsetDateTime) -> Result<bool> {
    Ok(match journal::parse(&entry.bytes)? {
        journal::Entry::Record(change, _) => {
            i128::from(record::micros(change.at)) * 1000 < until.unix_timestamp_nanos()
        }
        journal::Entry::Other(change, _) => OffsetDateTime::parse(&change.at, &Rfc3339).is_ok_and(|at| at < until),
    })
}
