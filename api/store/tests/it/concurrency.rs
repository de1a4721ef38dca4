//! Many writers at once: none overwrites another unseen, and they share the price of the disk.

use std::sync::atomic::Ordering::Relaxed;

use store::{Addition, Batch, CommitError, Entry, Expect, Key, Options, Scan, Store, counter, counters};
use tokio::task::JoinSet;

fn key() -> Key {
    Key::space("records").text("hot")
}

fn number(entry: &Entry) -> u64 {
    u64::from_be_bytes(entry.value.as_ref().try_into().expect("eight bytes"))
}

/// Reads, adds one, and writes if nobody else did meanwhile; says how often it had to try.
async fn increment(store: &Store) -> u32 {
    for tries in 1.. {
        let found = store.get(&key()).await.expect("a read");
        let (expect, next) = match &found {
            Some(entry) => (Expect::Version(entry.version), number(entry) + 1),
            None => (Expect::Absent, 1),
        };
        let batch = Batch::with(|batch| batch.expect(key(), expect).put(key(), next.to_be_bytes().to_vec()));
        match store.commit(batch).await {
            Ok(_) => return tries,
            Err(CommitError::Conflict { key: at }) => assert_eq!(at, key()),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!()
}

pub(crate) async fn two_writers_never_both_win(store: Store) {
    let mut writers = JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        writers.spawn(async move {
            for _ in 0..20 {
                increment(&store).await;
            }
        });
    }
    writers.join_all().await;
    let entry = store.get(&key()).await.expect("a read").expect("a value");
    assert_eq!(number(&entry), 320, "every increment counted once");
}

#[test]
fn of_two_writers_with_one_expectation_only_one_wins() {
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        two_writers_never_both_win(Store::open(Options::memory()).expect("opens")).await;
        two_writers_never_both_win(super::open(dir.path())).await;
    });
}

#[test]
fn sixty_four_writers_share_their_syncs() {
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        let store = super::open(dir.path());
        let mut writers = JoinSet::new();
        for writer in 0..64 {
            let store = store.clone();
            writers.spawn(async move {
                for n in 0..20 {
                    let key = Key::space("records").int(writer).int(n);
                    let count = Key::space("counts");
                    let mut batch = Batch::new();
                    batch.expect(key.clone(), Expect::Absent).put(key, "x").add(count, 1);
                    store.commit(batch).await.expect("a commit");
                }
            });
        }
        writers.join_all().await;
        let count = store.get(&Key::space("counts")).await.expect("a read").expect("a value");
        assert_eq!(counter(&count), Some(64 * 20));
        let groups = store.stats().groups.load(Relaxed);
        assert!(groups < 64 * 20 / 4, "{groups} syncs for 1,280 commits");
    });
}

pub(crate) async fn a_ceiling_lets_in_what_there_is_room_for(store: Store) {
    let counts = Key::space("counts");
    let up = |by: i64| [Addition { by, max: 100 }, Addition::of(by * 10)];
    let commits = (0..64).flat_map(|writer| (1..4).map(move |by| (writer, by))).map(|(writer, by)| {
        let record = Key::space("records").int(writer).int(by);
        store.commit(Batch::with(|batch| batch.put(record, "x").add_up_to(counts.clone(), up(by))))
    });
    let outcomes = futures_util::future::join_all(commits).await;
    let kept = store.get(&counts).await.expect("a read").expect("a value");
    let entries = store.scan(Scan::prefix(&Key::space("records"))).await.expect("a scan");
    assert_eq!(counters(&kept), Some([100, 1000]), "128 of 384 would not fit, and a one always comes along");
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        entries.len(),
        "what is refused leaves nothing"
    );
    let refused = outcomes.into_iter().filter_map(Result::err).next_back().expect("one was refused");
    let last = CommitError::Full { key: counts.clone(), found: vec![100, 1000], additions: up(3).into() };
    assert_eq!(refused, last, "it says what stood in the way");
    // Past a ceiling that was lowered, less and nothing are let in.
    let lowered = |by| Batch::with(|batch| batch.add_up_to(counts.clone(), [Addition { by, max: 7 }, Addition::of(0)]));
    assert!(matches!(store.commit(lowered(1)).await, Err(CommitError::Full { .. })));
    for by in [0, -1] {
        store.commit(lowered(by)).await.expect("no growth");
    }
    // One counter is not two, and the other way round.
    let single = store.commit(Batch::with(|batch| batch.add(counts.clone(), 1))).await;
    assert_eq!(single, Err(CommitError::NotACounter { key: counts.clone() }));
    // What the batch itself puts there counts.
    let mut put = Batch::new();
    put.put(counts.clone(), [[0; 7].as_slice(), &[6], &[0; 8]].concat());
    put.add_up_to(counts.clone(), [Addition { by: 1, max: 7 }, Addition::of(0)]);
    store.commit(put).await.expect("room");
    let kept = store.get(&counts).await.expect("a read").expect("a value");
    assert_eq!(counters(&kept), Some([7, 0]));
    store.close().await;
}

#[test]
fn d7_of_many_at_a_ceiling_exactly_those_get_in_that_there_is_room_for() {
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        a_ceiling_lets_in_what_there_is_room_for(Store::open(Options::memory()).expect("opens")).await;
        a_ceiling_lets_in_what_there_is_room_for(super::open(dir.path())).await;
    });
}

#[test]
fn a_full_queue_refuses_at_once() {
    super::block_on(async {
        let options = Options { queue_batches: 4, ..Options::memory() };
        let store = Store::open(options).expect("opens");
        let commits = (0..5000).map(|n| store.commit(Batch::with(|batch| batch.put(Key::space("x").int(n), ""))));
        let outcomes = futures_util::future::join_all(commits).await;
        let refused = outcomes.iter().filter(|outcome| **outcome == Err(CommitError::Busy)).count();
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(refused + done, 5000);
        assert!(refused > 0, "5,000 at once do not fit into a queue of four");
        let batch = Batch::with(|batch| batch.put(Key::space("after"), ""));
        assert!(store.commit(batch).await.is_ok(), "and afterwards there is room again");
    });
}

#[test]
fn closing_commits_what_was_queued_and_then_refuses() {
    super::block_on(async {
        let store = Store::open(Options::memory()).expect("opens");
        let waiting: Vec<_> = (0..100)
            .map(|n| {
                let store = store.clone();
                async move { store.commit(Batch::with(|batch| batch.put(Key::space("x").int(n), ""))).await }
            })
            .collect();
        let (outcomes, ()) = tokio::join!(futures_util::future::join_all(waiting), store.close());
        assert!(outcomes.iter().all(Result::is_ok));
        let late = store.commit(Batch::with(|batch| batch.put(Key::space("x"), ""))).await;
        assert_eq!(late, Err(CommitError::Stopped));
        assert!(store.get(&Key::space("x").int(99)).await.expect("a read").is_some());
    });
}

/// Value moves between accounts; whoever looks, at whatever moment, finds the same total.
pub(crate) async fn a_scan_is_of_one_moment(store: Store) {
    const ACCOUNTS: i64 = 600;
    let account = |n: i64| Key::space("accounts").int(n);
    let value = |entry: &Entry| i64::from_be_bytes(entry.value.as_ref().try_into().expect("eight bytes"));
    let filled = Batch::with(|batch| {
        (0..ACCOUNTS).fold(batch, |batch, n| batch.put(account(n), 100_i64.to_be_bytes().to_vec()))
    });
    store.commit(filled).await.expect("a commit");
    let mut movers = JoinSet::new();
    for mover in 0..8 {
        let store = store.clone();
        movers.spawn(async move {
            for n in 0..100 {
                // Each mover has accounts of its own, far apart; now and then one is closed for a while.
                let (a, b) = (account(mover + 8 * (n % 30)), account(ACCOUNTS - 1 - mover - 8 * (n % 31)));
                let snapshot = store.snapshot().await.expect("a snapshot");
                let (left, right) = (snapshot.get(&a).await.expect("a read"), snapshot.get(&b).await.expect("a read"));
                let sum = left.as_ref().map_or(0, value) + right.as_ref().map_or(0, value);
                let batch = if n % 3 == 0 {
                    Batch::with(|batch| batch.delete(a).put(b, sum.to_be_bytes().to_vec()))
                } else {
                    Batch::with(|batch| batch.put(a, (sum - n).to_be_bytes().to_vec()).put(b, n.to_be_bytes().to_vec()))
                };
                store.commit(batch).await.expect("a commit");
            }
        });
    }
    let mut looks = 0;
    while !movers.is_empty() {
        let scan = Scan::prefix(&Key::space("accounts"));
        let scan = if looks % 2 == 0 { scan } else { scan.backward() };
        let found = store.scan(scan).await.expect("a scan");
        let total: i64 = found.iter().map(|(_, entry)| value(entry)).sum();
        assert_eq!(total, 100 * ACCOUNTS, "look {looks}");
        looks += 1;
        while movers.try_join_next().is_some() {}
    }
    assert!(looks > 10, "{looks} looks while it moved");
}

#[test]
fn every_scan_sees_one_moment_while_others_write() {
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        a_scan_is_of_one_moment(Store::open(Options::memory()).expect("opens")).await;
        a_scan_is_of_one_moment(super::open(dir.path())).await;
    });
}

#[test]
fn an_old_snapshot_keeps_its_moment_however_much_is_written_since() {
    super::block_on(async {
        let store = Store::open(Options::memory()).expect("opens");
        store.commit(Batch::with(|batch| batch.put(key(), "before"))).await.expect("a commit");
        let (read, never_read) =
            (store.snapshot().await.expect("a snapshot"), store.snapshot().await.expect("a snapshot"));
        for n in 0..50_000_u64 {
            let batch = Batch::with(|batch| batch.put(key(), n.to_be_bytes().to_vec()));
            store.commit(batch).await.expect("a commit");
        }
        let found = read.get(&key()).await.expect("a read").expect("a value");
        assert_eq!(found.value, "before");
        // A chain of 50,000 generations is let go of here, which must not take 50,000 stack frames.
        drop(never_read);
    });
}
