//! Values and keys of every size.

use std::os::unix::fs::MetadataExt;

use store::{Batch, CommitError, Key, Options, Scan, Store};

use super::random::{Random, seed};

fn key(n: usize) -> Key {
    Key::space("records").int(i64::try_from(n).expect("small"))
}

/// What sled puts into files of its own it never syncs, so nothing may get there.
#[test]
fn no_value_and_no_key_leaves_the_synced_file() {
    let mut random = Random::new(seed("values"));
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        let store = super::open(dir.path());
        let sizes = [0, 1, 8191, 8192, 8193, 100_000, 300_000, 3_000_000];
        let mut values = vec![Vec::new(); 24];
        for _ in 0..60 {
            let at = random.below(values.len());
            let size = sizes[random.below(sizes.len())];
            values[at] = super::bytes(&mut random, size);
            let batch = Batch::with(|batch| batch.put(key(at), values[at].clone()));
            store.commit(batch).await.expect("a commit");
        }
        // The longest keys, with nothing in common that could be left out.
        for _ in 0..10 {
            let batch = Batch::with(|batch| {
                (0..100).fold(batch, |batch, _| {
                    let mut long = Key::space("x").bytes(&super::bytes(&mut random, 700));
                    while long.as_bytes().len() < Key::MAX_BYTES {
                        long = long.null();
                    }
                    if long.as_bytes().len() > Key::MAX_BYTES {
                        return batch;
                    }
                    batch.put(long, vec![7; 8192])
                })
            });
            store.commit(batch).await.expect("a commit");
        }
        drop(store);
        let blobs = std::fs::read_dir(dir.path().join("sled/blobs")).expect("a directory");
        assert_eq!(blobs.count(), 0, "files that are never synced");

        let store = super::open(dir.path());
        for (at, value) in values.iter().enumerate() {
            let found = store.get(&key(at)).await.expect("a read").map(|entry| entry.value);
            assert_eq!(found.unwrap_or_default(), value, "value {at} of {} bytes", value.len());
        }
    });
}

#[test]
fn pieces_of_large_values_go_with_them() {
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        let store = super::open(dir.path());
        for n in 0..4 {
            let batch = Batch::with(|batch| batch.put(key(n), vec![1; 50_000]).put(key(n + 4), vec![2; 9000]));
            store.commit(batch).await.expect("a commit");
        }
        let gone = Batch::with(|batch| {
            (0..8).fold(batch, |batch, n| match n % 3 {
                0 => batch.delete(key(n)),
                1 => batch.put(key(n), "small"),
                _ => batch.put(key(n), vec![3; 20_000]).delete(key(n)),
            })
        });
        store.commit(gone).await.expect("a commit");
        drop(store);
        // Opening adds up pieces and values, so it tells of one too many as of one too few.
        let store = super::open(dir.path());
        let left = store.scan(Scan::prefix(&Key::space("records"))).await.expect("a scan");
        assert!(left.iter().all(|(_, entry)| entry.value == "small"), "{left:?}");
        assert_eq!(left.len(), 3);
    });
}

#[test]
fn a_key_that_is_too_long_is_refused() {
    super::block_on(async {
        let store = Store::open(Options::memory()).expect("opens");
        let long = Key::space("unique").text(&"x".repeat(Key::MAX_BYTES));
        let outcome = store.commit(Batch::with(|batch| batch.put(long.clone(), ""))).await;
        assert_eq!(outcome, Err(CommitError::KeyTooLong { key: long }));
    });
}

#[test]
fn overwriting_keeps_the_store_under_ten_times_its_size() {
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        let store = super::open(dir.path());
        for round in 0..40_u8 {
            for hundred in 0..20 {
                let batch = Batch::with(|batch| {
                    (0..100).fold(batch, |batch, n| batch.put(key(hundred * 100 + n), vec![round; 1024]))
                });
                store.commit(batch).await.expect("a commit");
            }
        }
        let used = std::fs::metadata(dir.path().join("sled/db")).expect("a file").blocks() * 512;
        eprintln!("{} KB on disk for 2,000 records of 1 KB", used >> 10);
        assert!(used < 10 * 2000 * 1024, "{used} bytes for 2,000 records of 1 KB");
    });
}
