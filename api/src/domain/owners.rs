//! The numbers of owners. One is given with a user, or, where it is not there, with the first record that the user owns; it is
//! never taken back, so what was read of it stays right.

use common::id::UserId;
use quick_cache::sync::Cache;
use store::{Batch, Expect, Snapshot, Store, counter};

use super::{
    error::{Error, Result},
    keyspace,
    numbers::OwnerNumber,
};

/// How many are kept.
const MAX_OWNERS: usize = 16 * 1024;

/// Numbers that were read.
#[derive(Debug)]
pub struct Owners(Cache<UserId, OwnerNumber>);

impl Default for Owners {
    fn default() -> Self {
        Self(Cache::new(MAX_OWNERS))
    }
}

impl Owners {
    /// The number of an owner; `None` for a user who never owned anything.
    pub async fn number(&self, snapshot: &Snapshot, user: UserId) -> Result<Option<OwnerNumber>> {
        if let Some(number) = self.0.get(&user) {
            return Ok(Some(number));
        }
        let entry = snapshot.get(&keyspace::owner(user)).await?;
        let number = entry.as_ref().and_then(counter).and_then(|number| u32::try_from(number).ok()).map(OwnerNumber);
        if let Some(number) = number {
            self.0.insert(user, number);
        }
        Ok(number)
    }

    /// The number, if it was read before.
    pub fn known(&self, user: UserId) -> Option<OwnerNumber> {
        self.0.get(&user)
    }
}

/// Gives the next number to a user who has none, in the commit of `batch`. `last` is the last one that this batch gave.
pub async fn stage_new(
    store: &Store,
    batch: &mut Batch,
    user: UserId,
    last: &mut Option<OwnerNumber>,
) -> Result<OwnerNumber> {
    let key = keyspace::last_owner();
    let before = if let Some(OwnerNumber(before)) = *last {
        before
    } else {
        let entry = store.get(&key).await?;
        batch.expect(key.clone(), entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version)));
        let given = entry.as_ref().map_or(Some(0), counter).and_then(|given| u32::try_from(given).ok());
        given.ok_or_else(|| Error::internal("the last owner's number cannot be read; run coffer check"))?
    };
    let number = OwnerNumber(before + 1);
    *last = Some(number);
    let value = i64::from(number.0).to_be_bytes().to_vec();
    let owner = keyspace::owner(user);
    batch.put(key, value.clone()).expect(owner.clone(), Expect::Absent).put(owner, value);
    Ok(number)
}
