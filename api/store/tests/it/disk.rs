//! The disk under a store: when it is full, when its files go, and how space goes back to the system.

use std::{fs, path::Path};

use store::{Batch, CommitError, Key, OpenError, Options, Reserve, Store};

use super::opening::{has, open_with, put, version};

#[test]
fn what_makes_room_may_use_the_reserve() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&super::open(dir.path()), "one");
    let disk = rustix::fs::statvfs(dir.path()).expect("a disk");
    let free = disk.f_bavail * disk.f_frsize;
    let store = open_with(dir.path(), |sled| sled.reserve_bytes = free + free / 2).expect("opens");
    let delete = |reserve| Batch::with(|batch| batch.delete(Key::space("records").text("one")).use_reserve(reserve));
    assert_eq!(super::block_on(store.commit(delete(Reserve::Kept))), Err(CommitError::DiskFull));
    assert!(has(&store, "one"));
    super::block_on(store.commit(delete(Reserve::Much))).expect("a commit");
    assert!(!has(&store, "one"));
}

#[test]
fn a_store_in_use_is_in_use_whatever_became_of_its_lock() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = super::open(dir.path());
    put(&first, "one");
    fs::remove_file(dir.path().join("lock")).expect("removed");
    let Err(OpenError::InUse { holder, .. }) = Store::open(Options::sled(dir.path())) else {
        panic!("a second opening is refused");
    };
    assert_eq!(holder, Some(std::process::id()));
    put(&first, "two");
    drop(first);
    let store = super::open(dir.path());
    assert!(has(&store, "one") && has(&store, "two"));
}

#[test]
fn a_store_whose_file_was_removed_acknowledges_nothing() {
    for replaced in [false, true] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = super::open(dir.path());
        put(&store, "one");
        let db = dir.path().join("sled/db");
        fs::remove_file(&db).expect("removed");
        if replaced {
            fs::write(&db, b"something else").expect("written");
        }
        let batch = Batch::with(|batch| batch.put(Key::space("records").text("two"), ""));
        assert_eq!(super::block_on(store.commit(batch)), Err(CommitError::Stopped), "{replaced}");
        let failure = super::block_on(store.failed());
        assert!(failure.reason.contains("removed or replaced"), "{failure}");
    }
}

#[test]
fn a_removed_file_is_noticed_without_a_write() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = super::open(dir.path());
    put(&store, "one");
    fs::remove_dir_all(dir.path()).expect("removed");
    let failure = super::block_on(store.failed());
    assert!(failure.reason.contains("removed or replaced"), "{failure}");
}

#[test]
fn where_a_store_was_no_empty_one_begins() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, initialized) = (dir.path().join("store"), dir.path().join("initialized"));
    let open = |accept| {
        open_with(&data, |sled| {
            sled.initialized = Some(initialized.clone());
            sled.accept_data_loss = accept;
        })
    };
    drop(open(false).expect("opens"));
    assert!(!initialized.exists(), "nothing was committed");
    fs::remove_dir_all(&data).expect("removed");
    put(&open(false).expect("opens"), "one");
    assert!(initialized.exists());
    fs::remove_dir_all(&data).expect("removed");
    let error = open(false).err().expect("refused");
    assert!(matches!(error, OpenError::Damaged { .. }) && error.to_string().contains("gone"), "{error}");
    assert!(!data.exists(), "nothing was made");
    put(&open(true).expect("opens"), "two");
    drop(open(false).expect("opens as usual from then on"));
    // A store from before there was the file gets one.
    fs::remove_file(&initialized).expect("removed");
    drop(open(false).expect("opens"));
    assert!(initialized.exists());
}

#[test]
fn space_goes_back_to_the_system_while_others_read_and_write() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = super::open(dir.path());
    let value = vec![7; 4000];
    let keys: Vec<Key> = (0..8000).map(|n| Key::space("records").int(n)).collect();
    super::block_on(async {
        for keys in keys.chunks(100) {
            let mut batch = Batch::new();
            for key in keys {
                batch.put(key.clone(), value.clone());
            }
            store.commit(batch).await.expect("a commit");
        }
        for keys in keys[1000..].chunks(100) {
            let mut batch = Batch::new();
            for key in keys {
                batch.delete(key.clone());
            }
            store.commit(batch).await.expect("a commit");
        }
        let held = store.snapshot().await.expect("a snapshot");
        let reading = {
            let (store, keys) = (store.clone(), keys.clone());
            tokio::spawn(async move {
                for key in keys[..1000].iter().cycle().take(50_000) {
                    assert!(store.get(key).await.expect("a read").is_some());
                }
            })
        };
        let writing = {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..200 {
                    let key = Key::space("others").int(n);
                    store.commit(Batch::with(|batch| batch.put(key, "x"))).await.expect("a commit");
                }
            })
        };
        let compacted = store.compact().await.expect("compacted");
        assert!(compacted.rewritten && compacted.after < compacted.before / 2, "{compacted:?}");
        reading.await.expect("reads");
        writing.await.expect("writes");
        assert_eq!(held.scan(store::Scan::prefix(&Key::space("records"))).await.expect("a scan").len(), 1000);
    });
    let (before, taken) = (version(&store), store.disk_bytes().expect("bytes"));
    drop(store);
    let store = super::open(dir.path());
    assert_eq!(version(&store), before);
    let again = store.disk_bytes().expect("bytes");
    assert!(again <= taken + (4 << 20), "holes are made again: {taken} {again}");
    for key in &keys[..1000] {
        assert_eq!(super::block_on(store.get(key)).expect("a read").map(|entry| entry.value.len()), Some(4000));
    }
}

#[test]
fn a_compaction_that_was_cut_off_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&super::open(dir.path()), "one");
    let (database, new, old) = (dir.path().join("sled"), dir.path().join("sled.new"), dir.path().join("sled.old"));
    // In the middle of the copying.
    fs::create_dir(&new).expect("made");
    fs::write(new.join("db"), b"half").expect("written");
    assert!(has(&super::open(dir.path()), "one") && !new.exists());
    // Between the two names.
    super::files::copy_dir(&database, &new);
    fs::rename(&database, &old).expect("renamed");
    assert!(has(&super::open(dir.path()), "one") && !new.exists() && !old.exists());
    // Before the old one was removed.
    super::files::copy_dir(&database, &old);
    assert!(has(&super::open(dir.path()), "one") && !old.exists());
}

/// Whether a text stands in a file of a store.
fn is_on_disk(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).expect("a directory").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return is_on_disk(&path, text);
        }
        fs::read(path).expect("read").windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn word(n: i64) -> Key {
    Key::space("words").int(n)
}

/// A store with much that stays, and some words that are to go.
fn filled(dir: &Path) -> Store {
    let store = super::open(dir);
    for page in 0..20 {
        let mut batch = Batch::new();
        // So many that it is noticed in time that a new store would be no smaller.
        for n in 0..875 {
            batch.put(Key::space("records").int(page * 875 + n), vec![7; 100]);
        }
        batch.put(word(page), format!("SECRET {page}."));
        super::block_on(store.commit(batch)).expect("a commit");
    }
    store
}

fn remove(store: &Store, n: i64, erases: bool) {
    let mut batch = Batch::with(|batch| batch.delete(word(n)));
    if erases {
        batch.erase();
    }
    super::block_on(store.commit(batch)).expect("a commit");
}

#[test]
fn what_is_erased_goes_from_the_disk_with_the_next_compaction_whatever_that_is_worth() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = filled(dir.path());
    let compact = |store: &Store| super::block_on(store.compact()).expect("compacted");
    for page in 0..20 {
        remove(&store, page, false);
    }
    compact(&store);
    super::block_on(store.commit(Batch::with(|batch| batch.put(word(0), "SECRET again")))).expect("a commit");
    // That is hardly worth a new store.
    assert!(!compact(&store).has_erased, "nothing was erased");
    remove(&store, 0, true);
    // Also by another process.
    drop(store);
    let store = super::open(dir.path());
    let compacted = compact(&store);
    assert!(compacted.rewritten && !compacted.has_erased, "{compacted:?}");
    assert!(!is_on_disk(dir.path(), "SECRET"));
    assert!(!dir.path().join("erased").exists() && !compact(&store).has_erased, "once is enough");
    drop(store);
    assert!(!compact(&super::open(dir.path())).has_erased);
}

#[test]
fn what_is_erased_while_the_store_is_compacted_goes_with_the_next_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = filled(dir.path());
    for n in 0..10 {
        super::block_on(async {
            let compacting = tokio::spawn({
                let store = store.clone();
                async move { store.compact().await.expect("compacted") }
            });
            for _ in 0..n {
                tokio::task::yield_now().await;
            }
            store.commit(Batch::with(|batch| batch.delete(word(n)).erase())).await.expect("a commit");
            let compacted = compacting.await.expect("ends");
            if compacted.has_erased {
                let again = store.compact().await.expect("compacted");
                assert!(again.rewritten && !again.has_erased, "{again:?}");
            }
        });
        assert!(!is_on_disk(dir.path(), &format!("SECRET {n}.")), "{n}");
    }
    assert!(is_on_disk(dir.path(), "SECRET 19."), "what is not erased stays");
}

#[test]
fn what_is_erased_is_not_forgotten_where_there_is_no_room_for_a_second_store() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = filled(dir.path());
    remove(&store, 3, true);
    drop(store);
    let disk = rustix::fs::statvfs(dir.path()).expect("a disk");
    let free = disk.f_bavail * disk.f_frsize;
    let store = open_with(dir.path(), |sled| sled.reserve_bytes = free * 16).expect("opens");
    for _ in 0..2 {
        let compacted = super::block_on(store.compact()).expect("compacted");
        assert!(!compacted.rewritten && compacted.has_erased, "{compacted:?}");
    }
    drop(store);
    let compacted = super::block_on(super::open(dir.path()).compact()).expect("compacted");
    assert!(compacted.rewritten && !compacted.has_erased, "{compacted:?}");
    assert!(!is_on_disk(dir.path(), "SECRET 3."));
}
