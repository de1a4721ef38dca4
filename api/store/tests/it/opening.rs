//! What is checked when a store is opened, and what it says when it refuses.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use store::{Batch, CommitError, EngineOptions, Key, OpenError, Options, SledOptions, Store, Version};

pub(crate) fn put(store: &Store, name: &str) {
    let batch = Batch::with(|batch| batch.put(Key::space("records").text(name), name.to_owned()));
    super::block_on(store.commit(batch)).expect("a commit");
}

pub(crate) fn has(store: &Store, name: &str) -> bool {
    super::block_on(store.get(&Key::space("records").text(name))).expect("a read").is_some()
}

pub(crate) fn open_with(dir: &Path, change: impl FnOnce(&mut SledOptions)) -> Result<Store, OpenError> {
    let mut options = Options::sled(dir);
    let EngineOptions::Sled(sled) = &mut options.engine else { unreachable!() };
    change(sled);
    Store::open(options)
}

pub(crate) fn version(store: &Store) -> Version {
    super::block_on(store.snapshot()).expect("a snapshot").version()
}

#[test]
fn a_store_in_use_names_its_holder() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = super::open(dir.path());
    let Err(OpenError::InUse { holder, .. }) = Store::open(Options::sled(dir.path())) else {
        panic!("a second opening is refused");
    };
    assert_eq!(holder, Some(std::process::id()));
    drop(first);
    super::open(dir.path());
}

#[test]
fn l4_everything_is_for_the_owner_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("new/data");
    put(&super::open(&data), "one");
    let mut dirs = vec![data];
    while let Some(dir) = dirs.pop() {
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700, "{}", dir.display());
        for entry in fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_store_behind_its_mark_is_refused_until_the_loss_is_accepted() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    put(&super::open(&data), "one");
    let old = dir.path().join("old");
    super::files::copy_dir(&data.join("sled"), &old);
    let store = super::open(&data);
    put(&store, "two");
    let lost = version(&store);
    drop(store);
    fs::remove_dir_all(data.join("sled")).expect("removed");
    super::files::copy_dir(&old, &data.join("sled"));

    let error = Store::open(Options::sled(&data)).err().expect("refused");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("coffer salvage"), "{error}");
    assert!(!error.to_string().contains('\n'), "one line");

    let store = open_with(&data, |sled| sled.accept_data_loss = true).expect("opens");
    assert!(has(&store, "one") && !has(&store, "two"));
    put(&store, "three");
    assert!(version(&store) > lost, "a version is never used twice");
    drop(store);
    assert!(has(&super::open(&data), "three"), "and it opens as usual from then on");
}

#[test]
fn a_missing_mark_or_database_is_refused() {
    for gone in ["mark", "sled/db", "sled"] {
        let dir = tempfile::tempdir().expect("a directory");
        put(&super::open(dir.path()), "one");
        let path = dir.path().join(gone);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("gone");
        let error = Store::open(Options::sled(dir.path())).err().expect("refused");
        assert!(matches!(error, OpenError::Damaged { .. }), "{gone}: {error}");
    }
}

#[test]
fn a_snapshot_that_was_cut_off_is_dropped() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&super::open(dir.path()), "one");
    let torn = dir.path().join("sled/snap.00000000000FFFFF.generating");
    fs::write(&torn, b"half a snaps").expect("written");
    assert!(has(&super::open(dir.path()), "one"));
    assert!(!torn.exists());
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&super::open(dir.path()), "one");
    fs::write(dir.path().join("format"), "coffer store 4\nsegment 1\n").expect("written");
    let error = Store::open(Options::sled(dir.path())).err().expect("refused");
    assert!(matches!(error, OpenError::TooNew { found: 4, known: 3, .. }), "{error}");
}

#[test]
fn a_creation_that_was_cut_off_starts_again() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(super::open(dir.path()));
    fs::remove_file(dir.path().join("format")).expect("removed");
    put(&super::open(dir.path()), "one");
    assert!(has(&super::open(dir.path()), "one"));
}

#[test]
fn a_disk_with_too_little_room_refuses_writes_and_goes_on_reading() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&super::open(dir.path()), "one");
    let store = open_with(dir.path(), |sled| sled.reserve_bytes = u64::MAX).expect("opens");
    let batch = || Batch::with(|batch| batch.put(Key::space("records").text("two"), ""));
    assert_eq!(super::block_on(store.commit(batch())), Err(CommitError::DiskFull));
    assert!(has(&store, "one"));
    drop(store);
    let store = super::open(dir.path());
    assert!(!has(&store, "two"), "a refused batch leaves nothing");
    put(&store, "two");
}
