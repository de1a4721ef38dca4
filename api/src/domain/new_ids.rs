//! New ids of records. Where a collection counts its records, numbers are reserved in blocks, so that who creates waits for no one
//! else's commit: a block is the process's own once the last number of it is stored. What is left of one when the process ends is
//! given to nobody.

use std::collections::HashMap;

use common::{access::Caller, collection::Ids, id::RecordId};
use store::{Batch, CommitError, Entry, Expect, Version, counter};

use super::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbers::CollectionNumber,
    record_ids::Block,
    retry::Retry,
    schema::Schema,
    usage,
};

/// Numbers of the largest block.
const LARGEST_BLOCK: i64 = 4096;

/// The last number that was reserved, as it is stored.
fn last_of(entry: Option<&Entry>) -> Result<i64> {
    let last = entry.map_or(Some(0), counter).filter(|last| *last >= 0);
    last.ok_or_else(|| Error::internal("the last number of a record cannot be read; run coffer check"))
}

fn expect(entry: Option<&Entry>) -> Expect {
    entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version))
}

/// The id of a new record, and when it was made, as that is written into records.
pub async fn next(core: &Core, schema: &Schema) -> Result<(RecordId, String)> {
    if schema.collection.ids == Ids::Uuid {
        let (id, at) = core.new_id();
        return Ok((RecordId::from_uuid(id), at));
    }
    let number = next_number(core, schema.number()).await?;
    let id = RecordId::from_number(number).ok_or_else(|| Error::internal("a number of a record is none"))?;
    Ok((id, core.timestamp()))
}

async fn next_number(core: &Core, collection: CollectionNumber) -> Result<i64> {
    let (key, reserved) = (keyspace::last_record(collection), core.record_ids.of(collection));
    // Records that brought their numbers may be beyond the block: then it is over.
    let version = |entry: Option<&Entry>| entry.map_or(Version::ZERO, |entry| entry.version);
    let entry = core.store.get(&key).await?;
    if let Some(number) = reserved.take(version(entry.as_ref())) {
        return Ok(number);
    }
    let mut size = reserved.size.lock().await;
    let mut retry = Retry::new(core);
    loop {
        let entry = core.store.get(&key).await?;
        if let Some(number) = reserved.take(version(entry.as_ref())) {
            return Ok(number);
        }
        let last = last_of(entry.as_ref())?;
        let upto = last.saturating_add(*size);
        if upto == last {
            let message = "The last number that there is for records of this collection was given. Make a collection with other ids.";
            return Err(Error::Conflict(message.to_owned()));
        }
        let mut batch = Batch::new();
        batch.expect(key.clone(), expect(entry.as_ref())).put(key.clone(), upto.to_be_bytes().to_vec());
        // It is no part of what the request does, so it notes neither its operation nor its key.
        match core.store.commit(batch).await {
            Ok(version) => {
                reserved.set(Block { next: last + 1, last: upto, version });
                *size = size.saturating_mul(2).min(LARGEST_BLOCK);
            }
            Err(CommitError::Conflict { .. }) => retry.again()?,
            Err(error) => return Err(usage::commit_error(core, &Caller::Anonymous, error)),
        }
    }
}

/// Reserves all numbers up to one, for records that bring theirs piece by piece: what others make meanwhile gets greater ones.
pub async fn reserve(core: &Core, collection: CollectionNumber, number: i64) -> Result<()> {
    let (key, reserved) = (keyspace::last_record(collection), core.record_ids.of(collection));
    let mut retry = Retry::new(core);
    loop {
        let entry = core.store.get(&key).await?;
        let stored = last_of(entry.as_ref())?;
        if number <= stored && !reserved.block().holds(number) {
            return Ok(());
        }
        let mut batch = Batch::new();
        batch.expect(key.clone(), expect(entry.as_ref())).put(key.clone(), number.max(stored).to_be_bytes().to_vec());
        match core.store.commit(batch).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict { .. }) => retry.again()?,
            Err(error) => return Err(usage::commit_error(core, &Caller::Anonymous, error)),
        }
    }
}

/// The numbers that records bring: they are reserved with the commit that makes the records.
#[derive(Debug, Default)]
pub struct Brought(HashMap<CollectionNumber, Known>);

/// What is known of the last number that was reserved, and what has to be stored for it.
#[derive(Debug)]
struct Known {
    expect: Expect,
    last: Option<i64>,
}

impl Brought {
    /// Notes that a record comes with a number: those that are given later are greater.
    pub async fn note(&mut self, core: &Core, collection: CollectionNumber, id: RecordId) -> Result<()> {
        let Some(number) = id.number() else { return Ok(()) };
        let block = core.record_ids.of(collection).block();
        let known = self.0.get(&collection).and_then(|known| known.last);
        // It was given, or is less than those that were.
        if number < block.next || known.is_some_and(|last| number <= last) {
            return Ok(());
        }
        let entry = core.store.get(&keyspace::last_record(collection)).await?;
        let stored = last_of(entry.as_ref())?;
        // Storing it anew, be it the same, ends the block.
        let is_ahead = number > stored || block.holds(number);
        let last = known.max(is_ahead.then(|| number.max(stored)));
        self.0.insert(collection, Known { expect: expect(entry.as_ref()), last });
        Ok(())
    }

    /// Adds what is to be stored.
    pub fn stage(self, batch: &mut Batch) {
        for (collection, Known { expect, last }) in self.0 {
            let Some(last) = last else { continue };
            let key = keyspace::last_record(collection);
            batch.expect(key.clone(), expect).put(key, last.to_be_bytes().to_vec());
        }
    }
}
