//! Files whose checksum is right and whose contents are not: made by a faulty program, or by somebody with intent.

use std::{collections::BTreeMap, fs, io::Write as _};

use base::Entropy;
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Batch, Key, Options, Store, Version};
use uuid::Uuid;

use super::{Manifest, read::verify, write::Backup};
use crate::domain::{keyspace, words};

fn entry(key: &[u8], version: u64, value: &[u8]) -> Vec<u8> {
    let lengths = [key.len(), value.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes());
    [lengths.as_flattened(), &version.to_be_bytes(), key, value].concat()
}

fn manifest(version: u64, spaces: &[(&str, u64)]) -> Vec<u8> {
    let spaces: BTreeMap<_, _> = spaces.iter().copied().collect();
    let manifest = json!({"format": 1, "created": "", "coffer": "", "version": version, "spaces": spaces});
    [&[0; 4][..], manifest.to_string().as_bytes()].concat()
}

/// Why a file is refused that has these contents, and these bytes between them and its checksum.
fn refused(contents: &[Vec<u8>], behind: &[u8]) -> Option<String> {
    let mut packed = GzEncoder::new(b"coffer backup 1\n".to_vec(), Compression::fast());
    packed.write_all(&contents.concat()).unwrap();
    let mut file = packed.finish().unwrap();
    file.extend_from_slice(behind);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, file).unwrap();
    verify(&path, &mut |_| ()).err().map(|error| error.to_string())
}

#[test]
fn contents_that_no_backup_has_are_refused() {
    let users = || Key::space(words::USERS);
    let (a, b) = (users().uuid(Uuid::nil()), users().uuid(Uuid::max()));
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let session = Key::space("sessions").uuid(Uuid::nil());
    let two = manifest(7, &[("users", 2)]);
    assert_eq!(refused(&[entry(a, 7, b"x"), entry(b, 1, b""), two.clone()], b""), None);
    let nothing: &[u8] = b"";
    let cases = [
        ("out of order", vec![entry(b, 1, b""), entry(a, 1, b""), two.clone()], nothing),
        ("one key twice", vec![entry(a, 1, b""), entry(a, 1, b""), two.clone()], nothing),
        ("a later version than its own", vec![entry(a, 8, b""), entry(b, 1, b""), two.clone()], nothing),
        ("fewer entries than it says", vec![entry(a, 1, b""), two.clone()], nothing),
        ("more entries than it says", vec![entry(a, 1, b""), entry(b, 1, b""), manifest(7, &[("users", 1)])], nothing),
        ("a session", vec![entry(session.as_bytes(), 1, b"{}"), manifest(7, &[("sessions", 1)])], nothing),
        ("no key", vec![entry(&[0x99], 1, b""), manifest(7, &[])], nothing),
        ("the store's own key", vec![entry(&[0], 1, b""), manifest(7, &[])], nothing),
        ("a long key", vec![entry(users().text(&"k".repeat(900)).as_bytes(), 1, b"")], nothing),
        ("a value without end", vec![[[0, 0, 0, 4], [0xff; 4]].concat(), vec![0; 99]], nothing),
        ("no manifest", vec![entry(a, 1, b""), vec![0; 4]], nothing),
        ("no end", vec![entry(a, 1, b"")], nothing),
        ("something behind it", vec![entry(a, 7, b"x"), entry(b, 1, b""), two], &b"more"[..]),
    ];
    for (what, contents, behind) in cases {
        let error = refused(&contents, behind).unwrap_or_else(|| panic!("{what} is taken"));
        assert!(error.starts_with("this backup is damaged"), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_backup_holds_what_its_manifest_says_and_no_session() {
    let store = Store::open(Options::memory()).unwrap();
    let mut noise = vec![0; 300_000];
    Entropy::seeded(7).fill(&mut noise);
    let mut batch = Batch::with(|batch| batch.append(noise.clone()).put(keyspace::sessions().uuid(Uuid::nil()), "{}"));
    for n in 0..1000 {
        batch.put(keyspace::users().uuid(Uuid::from_u128(n)), noise[..300].to_vec());
    }
    store.commit(batch).await.unwrap();
    let snapshot = store.snapshot().await.expect("a snapshot");
    let mut backup = Backup::new(&snapshot, "2026-01-01T00:00:00Z".to_owned());
    let (mut file, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = backup.next().await.unwrap() {
        file.extend_from_slice(&piece);
        pieces += 1;
        // It is of one moment, whatever happens to the store meanwhile.
        store.commit(Batch::with(|batch| batch.delete(keyspace::users().uuid(Uuid::from_u128(999))))).await.unwrap();
        store.commit(Batch::with(|batch| batch.put(keyspace::single("later").int(pieces), "later"))).await.unwrap();
    }
    assert!(pieces > 1, "it comes in pieces");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, &file).unwrap();
    let expected = Manifest {
        format: 2,
        created: "2026-01-01T00:00:00Z".to_owned(),
        coffer: env!("CARGO_PKG_VERSION").to_owned(),
        version: Version::new(1),
        spaces: [("changes".to_owned(), 1), ("users".to_owned(), 1000)].into(),
    };
    let mut read = 0;
    assert_eq!(verify(&path, &mut |bytes| read += bytes).unwrap(), expected);
    assert_eq!(read, file.len() as u64 - 32, "all of it was looked at");
    assert_eq!((expected.entries(), expected.records()), (1001, 0));
}
