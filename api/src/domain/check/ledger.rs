//! What a check finds, counted, and the repair of what can be derived, in batches of bounded size. What is right and what
//! is wrong is decided by those who write into it.

use std::{collections::HashMap, fmt::Display};

use bytes::Bytes;
use common::{id::UserId, record::Record};
use store::{Batch, CommitError, Entry, Key, Pages, ReadError, Scan, Snapshot, Store, counter};
use thiserror::Error;

use crate::domain::{
    keyspace::{self, shown},
    numbers::OwnerNumber,
};

/// Findings that are told one by one; the others are counted.
const TOLD: usize = 100;
/// Writes that a repair commits together.
const TOGETHER: usize = 500;

/// Why a check could not be finished.
#[derive(Debug, Error)]
pub enum CheckError {
    /// Something cannot be read at all.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The repair could not be written.
    #[error("the repair could not be written: {0}; run coffer check --repair again")]
    Commit(#[from] CommitError),
}

/// The outcome of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The first findings, a line each, with ids and without users' data.
    pub findings: Vec<String>,
    /// How many findings concern what is derived, and can be repaired.
    pub repairable: u64,
    /// How many concern what people stored.
    pub beyond_repair: u64,
    /// Something that the rest is derived from cannot be read. A repair would take it for gone, so there is none.
    pub unreadable: bool,
    /// How many records there are.
    pub records: u64,
    /// How many entries were read.
    pub entries: u64,
}

impl Report {
    /// Nothing was found.
    pub fn is_sound(&self) -> bool {
        self.total() == 0
    }

    /// How many findings there are, told or not.
    pub fn total(&self) -> u64 {
        self.repairable + self.beyond_repair
    }

    /// Whether a repair would help, and can do no harm.
    pub fn may_be_repaired(&self) -> bool {
        self.repairable > 0 && !self.unreadable
    }
}

/// A check under way.
pub(super) struct Ledger<'a> {
    pub snapshot: &'a Snapshot,
    pub report: Report,
    repair: Option<&'a Store>,
    batch: Batch,
    writes: usize,
    progress: &'a mut (dyn FnMut(usize) + Send),
    owners: HashMap<UserId, Option<OwnerNumber>>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        repair: Option<&'a Store>,
        progress: &'a mut (dyn FnMut(usize) + Send),
    ) -> Self {
        Self {
            snapshot,
            report: Report::default(),
            repair,
            batch: Batch::new(),
            writes: 0,
            progress,
            owners: HashMap::new(),
        }
    }

    /// Everything below `prefix`, a page at a time.
    pub(crate) fn pages(&self, prefix: &Key) -> Pages<'a> {
        self.snapshot.pages(Scan::prefix(prefix))
    }

    /// The next page, counted.
    pub(crate) async fn next(&mut self, pages: &mut Pages<'a>) -> Result<Option<Vec<(Key, Entry)>>, ReadError> {
        let page = pages.next().await?;
        let count = page.as_ref().map_or(0, Vec::len);
        self.report.entries += count as u64;
        (self.progress)(count);
        Ok(page)
    }

    /// The number of a record's owner. Everyone who owns something has one.
    pub(crate) async fn owner(&mut self, key: &Key, record: &Record) -> Result<Option<OwnerNumber>, CheckError> {
        let Some(user) = record.owner() else { return Ok(None) };
        self.number(user, key, "owner").await
    }

    /// The number of a user who owns something or has made a version: everyone who has has one.
    pub(crate) async fn number(
        &mut self,
        user: UserId,
        key: &Key,
        what: &str,
    ) -> Result<Option<OwnerNumber>, CheckError> {
        if let Some(number) = self.owners.get(&user) {
            return Ok(*number);
        }
        let entry = self.snapshot.get(&keyspace::owner(user)).await?;
        let number = entry.as_ref().and_then(counter).and_then(|number| u32::try_from(number).ok()).map(OwnerNumber);
        self.owners.insert(user, number);
        if number.is_none() {
            self.damaged(format_args!("{}: its {what} {user} has no number", shown(key)));
        }
        Ok(number)
    }

    /// Something that people stored is wrong.
    pub(crate) fn damaged(&mut self, what: impl Display) {
        self.report.beyond_repair += 1;
        self.tell(what);
    }

    /// Something that the rest is derived from cannot be read.
    pub(crate) fn unreadable(&mut self, key: &Key, what: &str) {
        self.report.unreadable = true;
        self.damaged(format_args!("{}: {what} cannot be read", shown(key)));
    }

    /// A derived entry is wrong: it should have this value, or not be there.
    pub(crate) async fn wrong(&mut self, key: &Key, due: Option<Bytes>, what: &str) -> Result<(), CheckError> {
        self.report.repairable += 1;
        self.tell(format_args!("{}: {what}", shown(key)));
        if self.repair.is_none() {
            return Ok(());
        }
        match due {
            Some(value) => self.batch.put(key.clone(), value),
            None => self.batch.delete(key.clone()),
        };
        self.writes += 1;
        if self.writes == TOGETHER { self.commit().await } else { Ok(()) }
    }

    pub(crate) async fn finish(mut self) -> Result<Report, CheckError> {
        self.commit().await?;
        Ok(self.report)
    }

    async fn commit(&mut self) -> Result<(), CheckError> {
        self.writes = 0;
        if let Some(store) = self.repair {
            store.commit(std::mem::take(&mut self.batch)).await?;
        }
        Ok(())
    }

    fn tell(&mut self, what: impl Display) {
        if self.report.findings.len() < TOLD {
            self.report.findings.push(what.to_string());
        }
    }
}
