//! Snapshots that are held while others write, and how much they may keep.

use base::MemoryBudget;
use store::{Batch, Key, Options, ReadFault, Store};

const VALUE: usize = 100_000;

fn key(n: i64) -> Key {
    Key::space("records").int(n)
}

async fn write(store: &Store, n: i64, byte: u8) {
    let batch = Batch::with(|batch| batch.put(key(n), vec![byte; VALUE]));
    store.commit(batch).await.expect("a commit");
}

#[test]
fn m1_a_snapshot_that_keeps_too_much_is_given_up_and_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    // An eighth of it is for what snapshots keep: ten values.
    let memory = MemoryBudget::new(80 * VALUE as u64);
    super::block_on(async {
        let store = Store::open(Options { memory: memory.clone(), ..Options::sled(dir.path()) }).expect("opens");
        let cache = memory.held();
        for n in 0..30 {
            write(&store, n, b'a').await;
        }
        let (slow, other) = (store.snapshot().await.expect("a snapshot"), store.snapshot().await.expect("a snapshot"));
        for _ in 0..50 {
            write(&store, 0, b'b').await;
        }
        let found = slow.get(&key(0)).await.expect("what is overwritten again and again is kept once");
        assert_eq!(found.expect("a value").value, vec![b'a'; VALUE]);
        drop(other);
        for n in 1..30 {
            write(&store, n, b'c').await;
        }
        for n in [0, 5, 29] {
            assert_eq!(slow.get(&key(n)).await.expect_err("it is not kept").fault, ReadFault::GivenUp);
        }
        assert_eq!(
            slow.scan(store::Scan::prefix(&Key::space("records"))).await.expect_err("nor this").fault,
            ReadFault::GivenUp
        );
        assert!(memory.held() <= cache + 2 * VALUE as u64 + 1000, "{} are held", memory.held());
        let found = store.get(&key(5)).await.expect("a new snapshot reads").expect("a value");
        assert_eq!(found.value, vec![b'c'; VALUE]);
    });
    assert_eq!(memory.held(), 0, "all is given back");
}

#[test]
fn m1_many_snapshots_share_what_they_keep() {
    let memory = MemoryBudget::new(800 * VALUE as u64);
    super::block_on(async {
        let store = Store::open(Options { memory: memory.clone(), ..Options::memory() }).expect("opens");
        for n in 0..20 {
            write(&store, n, b'a').await;
        }
        let mut held = Vec::new();
        for n in 0..20 {
            held.push(store.snapshot().await.expect("a snapshot"));
            write(&store, n, b'b').await;
        }
        for (n, snapshot) in held.iter().enumerate() {
            for (at, entry) in
                snapshot.scan(store::Scan::prefix(&Key::space("records"))).await.expect("reads").iter().enumerate()
            {
                assert_eq!(entry.1.value[0], if at < n { b'b' } else { b'a' }, "snapshot {n}, record {at}");
            }
        }
        drop(held);
        write(&store, 0, b'c').await;
        assert!(memory.held() <= 2 * VALUE as u64, "{} are held", memory.held());
    });
}
