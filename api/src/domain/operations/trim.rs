//! Trimming the journal: old entries go, oldest first. Histories then end earlier, and what was deleted before cannot be put back
//! any more. Nothing else rests on the journal.

use std::time::Duration;

use common::{
    change::Change,
    id::{CollectionId, RecordId},
    problem::{FieldError, FieldErrors},
};
use serde::{Deserialize, Serialize};
use store::{Entry, Expect, Scan, Version, journal};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::piece::{Budget, Piece, Steps};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
};

/// Entries that are read at once. One may have half a megabyte.
const CHUNK: usize = 32;

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
    after: Option<(CollectionId, RecordId)>,
}

impl Trim {
    /// Of what is older than `age` now.
    pub fn before(core: &Core, age: Duration) -> Result<Self> {
        let until = time::Duration::try_from(age).ok().and_then(|age| core.clock.now().checked_sub(age));
        let Some(until) = until else {
            let error = FieldError::new("invalid", "Nothing can be as old as that.");
            return Err(FieldErrors::of("older_than", error).into());
        };
        Ok(Self { until: until.unix_timestamp(), last: Version::ZERO, entries_are_done: false, after: None })
    }

    /// The moment, as it is shown to people: RFC 3339, UTC.
    pub fn until(&self) -> Result<String> {
        Ok(common::validate::format_moment(self.moment()?))
    }

    fn moment(&self) -> Result<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.until)
            .map_err(|error| Error::caused("a stored moment is out of range", error))
    }

    /// How many entries there are to remove. Entries are in the order of time, but for clocks that were set back, so a few of them are
    /// read and not all.
    pub async fn count(&self, core: &Core) -> Result<u64> {
        let (until, snapshot) = (self.moment()?, core.store.snapshot().await?);
        let is_old = async |n: usize| -> Result<bool> {
            let found = snapshot.scan(journal::all().skip(n).limit(1)).await?;
            found.first().map_or(Ok(false), |(_, entry)| is_before(entry, until))
        };
        let (mut old, mut step) = (0, 1);
        while is_old(old + step - 1).await? {
            (old, step) = (old + step, step * 2);
        }
        while step > 1 {
            step /= 2;
            if is_old(old + step - 1).await? {
                old += step;
            }
        }
        Ok(old as u64)
    }

    async fn remove_entries(&mut self, core: &Core, budget: &mut Budget<'_>, piece: &mut Piece) -> Result<()> {
        let until = self.moment()?;
        let mut scan = journal::all().limit(CHUNK);
        loop {
            let entries = core.store.scan(scan).await?;
            let more = entries.len() == CHUNK;
            for (key, entry) in &entries {
                if !is_before(entry, until)? {
                    self.entries_are_done = true;
                    return Ok(());
                }
                self.last = journal::position(key).map_or(self.last, |(version, _)| version);
                piece.done += 1;
                // Another operation may be at the same entries: each is counted by the one that removes it.
                piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key.clone());
                budget.spend(entry.value.len());
                if budget.is_spent() {
                    return Ok(());
                }
            }
            let Some((last, _)) = entries.last().filter(|_| more) else {
                self.entries_are_done = true;
                return Ok(());
            };
            scan = journal::all().limit(CHUNK).after(last);
        }
    }

    async fn remove_tombstones(&mut self, core: &Core, budget: &mut Budget<'_>, piece: &mut Piece) -> Result<()> {
        loop {
            let mut scan = Scan::prefix(&keyspace::all_tombstones()).limit(CHUNK);
            if let Some((collection, id)) = self.after {
                scan = scan.after(&keyspace::tombstone(collection, id));
            }
            let entries = core.store.scan(scan).await?;
            let more = entries.len() == CHUNK;
            for (key, entry) in entries {
                self.after = keyspace::collection_of(&key).zip(keyspace::last_id(&key)).or(self.after);
                if entry.version <= self.last {
                    // The record may have been put back meanwhile, and deleted again.
                    piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
                }
                budget.spend(0);
                if budget.is_spent() {
                    return Ok(());
                }
            }
            if !more {
                piece.is_last = true;
                return Ok(());
            }
        }
    }
}

impl Steps for Trim {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let mut piece = Piece::default();
        if !self.entries_are_done {
            self.remove_entries(core, budget, &mut piece).await?;
        }
        if self.entries_are_done && !budget.is_spent() {
            self.remove_tombstones(core, budget, &mut piece).await?;
        }
        Ok(piece)
    }
}

/// Whether a journal's entry is about the time before `until`. One that says no time ends the search.
fn is_before(entry: &Entry, until: OffsetDateTime) -> Result<bool> {
    let change: Change = serde_json::from_slice(&entry.value)?;
    Ok(OffsetDateTime::parse(&change.at, &Rfc3339).is_ok_and(|at| at < until))
}
