//! Backups.

use std::{fs, io::Write, path::PathBuf, sync::LazyLock};

use coffer::domain::{
    backup::{Backup, Manifest, restore, verify},
    keyspace,
};
use common::id::UserId;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use store::{Batch, Options, Store};
use tempfile::TempDir;
use uuid::Uuid;

use crate::runtime;

/// A folder in memory where there is one: nothing of this needs to last.
static FILE: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be made");
    let file = folder.path().join("backup");
    (folder, file)
});

/// A good backup, and what it holds.
static GOOD: LazyLock<(Vec<u8>, Manifest)> = LazyLock::new(|| {
    runtime().block_on(async {
        let store = Store::open(Options::memory()).expect("a store in memory opens");
        let records =
            (0..20).map(|n| (keyspace::user(UserId::from_uuid(Uuid::from_u128(n))), format!("{{\"n\":{n}}}")));
        let mut batch = Batch::new();
        for (key, value) in records {
            batch.put(key, value);
        }
        store.commit(batch).await.expect("it takes a commit");
        let snapshot = store.snapshot().await.expect("a snapshot");
        let mut backup = Backup::new(&snapshot, "2026-11-22T00:00:00Z".to_owned());
        let mut bytes = Vec::new();
        while let Some(piece) = backup.next().await.expect("memory can be read") {
            bytes.extend_from_slice(&piece);
        }
        fs::write(&FILE.1, &bytes).expect("a file can be written");
        (bytes, verify(&FILE.1, &mut |_| {}).expect("a good backup is one"))
    })
});

/// A good backup with something changed is refused, whatever it is, or is the very same. A file that somebody made with a right checksum is taken only
/// where what is restored of it is what its manifest says. The first byte says which of the two is tried.
pub fn backup(bytes: &[u8]) {
    match bytes.split_first() {
        Some((way, rest)) if way & 1 == 0 => changed(rest),
        Some((_, rest)) => made(rest),
        None => {}
    }
}

/// Place (two bytes), length of what is cut out, what is put in.
fn changed(bytes: &[u8]) {
    let [high, low, cut, put @ ..] = bytes else { return };
    let (good, manifest) = &*GOOD;
    let mut changed = good.clone();
    let from = usize::from(u16::from_be_bytes([*high, *low])) % (good.len() + 1);
    let to = (from + usize::from(*cut)).min(good.len());
    changed.splice(from..to, put.iter().copied());
    fs::write(&FILE.1, &changed).expect("a file can be written");
    match verify(&FILE.1, &mut |_| {}) {
        Ok(read) => assert!(changed == *good && read == *manifest, "a changed backup is taken"),
        Err(refused) => assert!(changed != *good, "a good backup is refused: {refused}"),
    }
}

/// The bytes as the packed part of a file.
fn made(stream: &[u8]) {
    let mut packed = GzEncoder::new(b"coffer backup 1\n".to_vec(), Compression::none());
    packed.write_all(stream).expect("memory can be written");
    let mut file = packed.finish().expect("memory can be written");
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    fs::write(&FILE.1, &file).expect("a file can be written");
    let Ok(manifest) = verify(&FILE.1, &mut |_| {}) else { return };
    let mut count = 0;
    restore(&FILE.1, &manifest, &Options::memory(), &mut |read| count += read).expect("what was verified is restored");
    assert_eq!(count, manifest.entries(), "as many entries as the manifest says");
}
