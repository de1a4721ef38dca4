//! Unique values of records that a change of a definition has not looked at yet. Nothing stands for them so far; where writes that do not
//! fit are held back, one that takes such a value is, too.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use common::{id::RecordId, record::Record};
use store::{Key, Scan, Snapshot};

use super::stored::{Stored, Work, load};
use crate::domain::{core::Core, error::Result, keyspace, numbers::OwnerNumber, schema::Coming};

/// Records that are looked at for one request at most. Of more it is not known what they have.
const MAX_RECORDS: usize = 20_000;

/// The unique values of those records, in the indexes that are being made.
pub struct Unseen {
    hasher: RandomState,
    holders: HashMap<u64, RecordId>,
    is_all: bool,
}

/// Whether a record that was not looked at yet has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// None has.
    Nobody,
    /// One has.
    Is(RecordId),
    /// There are too many to look.
    Unknown,
}

impl Unseen {
    /// As of `snapshot`. What comes after it the store tells: it stands in the index. `uniques` says which values a record has there.
    pub async fn read(
        core: &Core,
        snapshot: &Snapshot,
        coming: &Coming,
        uniques: impl Fn(RecordId, &Record, Option<OwnerNumber>) -> Vec<Key>,
    ) -> Result<Self> {
        let mut unseen = Self { hasher: RandomState::new(), holders: HashMap::new(), is_all: true };
        let Some((_, Stored { work: Work::Redefine(work), .. })) = load(core, coming.operation).await? else {
            return Ok(unseen);
        };
        let schema = &coming.schema;
        let mut scan = Scan::prefix(&keyspace::records(schema.number()));
        if let Some(after) = work.after {
            scan = scan.after(&keyspace::record(schema.number(), after));
        }
        let (deadline, mut count) = (core.deadline(), 0);
        let mut pages = snapshot.pages(scan);
        while let Some(page) = pages.next().await? {
            count += page.len();
            if count > MAX_RECORDS {
                unseen.is_all = false;
                return Ok(unseen);
            }
            for (key, entry) in page {
                let Some(id) = keyspace::last_id(&key) else { continue };
                let record = schema.translated(id, &entry.value, None)?;
                let owner = match record.owner() {
                    Some(user) => core.owners.number(snapshot, user).await?,
                    None => None,
                };
                for key in uniques(id, &record, owner) {
                    unseen.holders.insert(unseen.hasher.hash_one(&key), id);
                }
            }
            deadline.pause().await?;
        }
        Ok(unseen)
    }

    /// Who has a value.
    pub fn holder(&self, key: &Key) -> Holder {
        match self.holders.get(&self.hasher.hash_one(key)) {
            Some(id) => Holder::Is(*id),
            None if self.is_all => Holder::Nobody,
            None => Holder::Unknown,
        }
    }
}
