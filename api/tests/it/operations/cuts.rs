//! Trimming to a moment within a commit that took its time: what it wrote goes together.

use std::{collections::BTreeSet, time::Duration};

use base::{Clock, Entropy, IdSource};
use coffer::domain::{
    check,
    journal::{Action, Actor, RecordChange, Values, count_part, of_operation::Parts},
    numbers::CollectionNumber,
    operations::{self, Runner},
    record::stamp_of,
};
use common::{
    access::Caller,
    id::{OperationId, RecordId},
};
use store::{Batch, Options, Store, journal as blocks};

use super::process;

/// When the long commit begins, in seconds since 1970.
const BEGAN: i64 = 1_700_000_000;
const ENTRIES: u16 = 1500;

/// A commit of an operation whose entries are a second apart each.
async fn commit(store: &Store, operation: OperationId, began: i64, entries: u16) {
    let mut batch = Batch::new();
    for n in 0..entries {
        let change = RecordChange {
            collection: CollectionNumber(1),
            id: RecordId::from_number(began + i64::from(n)).unwrap(),
            action: Action::Create,
            operation: Some(operation),
            at: stamp_of((began + i64::from(n)) * 1_000_000),
            by: None,
            owner_before: None,
            owner_after: None,
            definition: 1,
            previous: None,
            nth: 1,
            is_consequence: false,
        };
        batch.append(change.with(&Values::default()).unwrap());
    }
    count_part(&mut batch, operation, None, false);
    store.commit(batch).await.unwrap();
}

/// A short operation, a long one, and a short one after it.
async fn three() -> (Store, [OperationId; 3]) {
    let (clock, _) = Clock::held(BEGAN);
    let (store, ids) = (Store::open(Options::memory()).unwrap(), IdSource::new(clock, Entropy::system()));
    let operations = [(); 3].map(|()| OperationId::from_uuid(ids.next_id()));
    commit(&store, operations[0], BEGAN - 10, 3).await;
    commit(&store, operations[1], BEGAN, ENTRIES).await;
    commit(&store, operations[2], BEGAN + i64::from(ENTRIES), 3).await;
    (store, operations)
}

/// How many entries of each block are of the long operation.
async fn sizes(store: &Store) -> Vec<u16> {
    let found = store.scan(blocks::blocks()).await.unwrap();
    let unpacked = found.iter().map(|(_, entry)| blocks::unpack(&entry.value).unwrap());
    unpacked.map(|entries| u16::try_from(entries.len()).unwrap()).collect()
}

#[tokio::test]
async fn a_trim_to_any_moment_leaves_an_operation_whole_or_takes_all_of_it() {
    let (store, _) = three().await;
    let sizes = sizes(&store).await;
    assert!(sizes.len() > 3, "the long one is in several blocks: {sizes:?}");
    // Before, at and behind the beginning of every block.
    let mut begins: u16 = 0;
    let mut moments = BTreeSet::from([-20, -1, 0, 1, i64::from(ENTRIES), i64::from(ENTRIES) + 9]);
    for size in sizes {
        moments.extend([-1, 0, 1].map(|by| i64::from(begins) - 3 + by));
        begins += size;
    }
    for moment in moments {
        let (store, operations) = three().await;
        let now = 1_800_000_000;
        let core = process(&store, &Clock::held(now).0);
        let age = Duration::from_secs((now - BEGAN - moment).unsigned_abs());
        let begun = operations::trim_changes(&core, Actor::local(&Caller::Anonymous), age).await.unwrap();
        let mut done = 0;
        Runner::new(&core).finish(begun.id, &mut |more| done += more).await.unwrap();
        let report = check::check(&store, &mut |_| {}).await.unwrap();
        assert!(report.is_sound(), "{moment}: {:?}", report.findings);
        if let Some(of) = begun.of {
            assert_eq!(of, done, "{moment}: it says beforehand what goes");
        }
        let snapshot = store.snapshot().await.unwrap();
        for (operation, began, entries) in
            [(operations[0], -10, 3), (operations[1], 0, ENTRIES), (operations[2], i64::from(ENTRIES), 3)]
        {
            let goes = began < moment;
            match Parts::new(&snapshot, operation).await {
                Ok(mut parts) => {
                    let part = parts.next().await.unwrap().unwrap();
                    assert!(!goes && !part.is_trimmed, "{moment}: {began}");
                    assert_eq!(part.entries.len(), usize::from(entries), "{moment}: {began}");
                }
                Err(error) => assert!(goes, "{moment}: {began}: {error}"),
            }
        }
    }
}
