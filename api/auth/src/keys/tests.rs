//! The ring on disk: made once, kept private, refused when weak or damaged.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    thread,
};

use super::*;

fn clock() -> Clock {
    Clock::held(1_800_000_000).0
}

fn open(data: &Path) -> Result<KeyRing, KeyError> {
    KeyRing::open(data, &clock(), &Entropy::system())
}

fn key_file(directory: &Path, content: &[u8], mode: u32) -> PathBuf {
    let path = directory.join(format!("key-{:x}", Sha256::digest(content)[0]));
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn from_file(path: &Path) -> Result<KeyRing, KeyError> {
    KeyRing::from_key_files(&[path.to_owned()], &clock())
}

const RANDOM: &[u8] = b"Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAxxqMtU9eD2vK";

#[test]
fn l3_the_first_start_makes_a_private_ring_and_the_next_loads_it() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().join("new");
    let first = open(&data).unwrap();
    assert_eq!(first.signing().algorithm(), Algorithm::Hs256);
    assert!(first.signing().material().len() >= 48);
    assert_eq!(fs::metadata(data.join("keys")).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(data.join("keys/ring.json")).unwrap().mode() & 0o777, 0o600);
    let second = open(&data).unwrap();
    assert_eq!(second.signing().kid(), first.signing().kid());
    assert_eq!(second.signing().material(), first.signing().material());
}

#[test]
fn l3_starts_that_race_agree_on_one_key() {
    for _ in 0..20 {
        let data = tempfile::tempdir().unwrap();
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let data = data.path().to_owned();
                thread::spawn(move || open(&data).unwrap().signing().material().to_vec())
            })
            .collect();
        let secrets: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    }
}

#[test]
fn keys_added_at_the_same_time_are_all_kept() {
    let data = tempfile::tempdir().unwrap();
    let adds: Vec<_> = (0..8)
        .map(|_| {
            let data = data.path().to_owned();
            thread::spawn(move || KeyRing::add(&data, Algorithm::Es256, &clock(), &Entropy::system()).unwrap())
        })
        .collect();
    for add in adds {
        add.join().unwrap();
    }
    let ring = open(data.path()).unwrap();
    assert_eq!(ring.keys().len(), 8);
    assert_eq!(ring.keys().iter().filter(|key| key.state() == KeyState::Active).count(), 1);
}

#[test]
fn what_a_crash_left_half_written_is_written_over() {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("keys")).unwrap();
    fs::write(data.path().join("keys/ring.json.new"), "{\"format\":1,\"ke").unwrap();
    let first = open(data.path()).unwrap();
    assert!(!data.path().join("keys/ring.json.new").exists());
    assert_eq!(open(data.path()).unwrap().signing().kid(), first.signing().kid());
}

#[test]
fn a_new_key_signs_the_old_one_verifies_and_a_retired_one_is_wiped() {
    let data = tempfile::tempdir().unwrap();
    let old = open(data.path()).unwrap().signing().clone();
    let new = KeyRing::add(data.path(), Algorithm::EdDsa, &clock(), &Entropy::system()).unwrap();
    let ring = open(data.path()).unwrap();
    assert_eq!(ring.signing().kid(), new.kid());
    assert_eq!(ring.verifying().count(), 2);

    assert!(matches!(KeyRing::retire(data.path(), new.kid()), Err(KeyError::Active(_))));
    assert!(matches!(KeyRing::retire(data.path(), "nope"), Err(KeyError::Unknown(_))));
    KeyRing::retire(data.path(), old.kid()).unwrap();
    let ring = open(data.path()).unwrap();
    assert_eq!(ring.keys().iter().map(SigningKey::state).collect::<Vec<_>>(), [KeyState::Retired, KeyState::Active]);
    assert_eq!(ring.verifying().map(SigningKey::kid).collect::<Vec<_>>(), [new.kid()]);
    assert!(ring.keys()[0].material().is_empty());
}

#[test]
fn l3_a_ring_that_others_can_read_is_refused() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).unwrap();
    let path = data.path().join("keys/ring.json");
    for mode in [0o644, 0o640, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(open(data.path()), Err(KeyError::Exposed { .. })), "{mode:o}");
    }
}

#[test]
fn a_damaged_ring_is_refused_and_left_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).unwrap();
    let path = data.path().join("keys/ring.json");
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replace("\"active\"", "\"verify-only\""),
        good.replace("\"active\"", "\"ready\""),
        good.replace("HS256", "none"),
        good.replace("\"format\": 1", "\"format\": 3"),
    ] {
        assert_ne!(bad, good);
        fs::write(&path, &bad).unwrap();
        assert!(matches!(open(data.path()), Err(KeyError::Damaged { .. })), "{bad}");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
}

#[test]
fn t9_a_key_file_that_is_short_exposed_weak_or_missing_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |content: &[u8], mode| from_file(&key_file(directory.path(), content, mode));
    assert!(matches!(at(b"", 0o600), Err(KeyError::Secret(SecretError::Short { bytes: 0, .. }))));
    assert!(matches!(at(b"\n", 0o600), Err(KeyError::Secret(SecretError::Short { bytes: 0, .. }))));
    assert!(matches!(at(&RANDOM[..31], 0o600), Err(KeyError::Secret(SecretError::Short { bytes: 31, .. }))));
    assert!(matches!(at(RANDOM, 0o646), Err(KeyError::Secret(SecretError::Exposed { .. }))));
    assert!(at(RANDOM, 0o644).is_ok(), "secrets that containers mount are readable for all");
    assert!(matches!(at(&[b'k'; 48], 0o600), Err(KeyError::Secret(SecretError::Weak { .. }))));
    assert!(matches!(
        at(b"0123456789abcdef0123456789abcdef\n", 0o600),
        Err(KeyError::Secret(SecretError::Weak { .. }))
    ));
    assert!(matches!(from_file(&directory.path().join("missing")), Err(KeyError::Secret(SecretError::File { .. }))));
    assert!(matches!(
        from_file(directory.path()),
        Err(KeyError::Secret(SecretError::File { .. } | SecretError::Exposed { .. }))
    ));
    assert!(at(RANDOM, 0o600).is_ok());
    assert!(at(RANDOM, 0o440).is_ok(), "a mounted secret belongs to a group");
}

#[test]
fn a_key_file_is_taken_byte_for_byte_less_one_newline() {
    let directory = tempfile::tempdir().unwrap();
    let with = |end: &[u8]| [RANDOM, end].concat();
    for (content, secret) in
        [(with(b""), with(b"")), (with(b"\n"), with(b"")), (with(b"\n\n"), with(b"\n")), (with(b" "), with(b" "))]
    {
        let ring = from_file(&key_file(directory.path(), &content, 0o600)).unwrap();
        assert_eq!(ring.signing().material(), secret);
    }
}

#[test]
fn t20_of_several_key_files_the_first_signs_and_all_verify() {
    let directory = tempfile::tempdir().unwrap();
    let new = key_file(directory.path(), RANDOM, 0o600);
    let old = key_file(directory.path(), b"pQ8eN2rW6uY0iO4aS9dF3gH7jK1lZ5xCvB6nM2qT4eR", 0o600);
    let ring = KeyRing::from_key_files(&[new.clone(), old.clone()], &clock()).unwrap();
    assert_eq!(
        ring.signing().kid(),
        from_file(&new).unwrap().signing().kid(),
        "the same key has the same id everywhere"
    );
    assert_eq!(ring.verifying().count(), 2);
    assert!(matches!(
        KeyRing::from_key_files(&[new.clone(), new], &clock()),
        Err(KeyError::Secret(SecretError::Twice { .. }))
    ));
}

#[test]
fn l5_no_secret_shows_in_debug_or_errors() {
    let directory = tempfile::tempdir().unwrap();
    let ring = from_file(&key_file(directory.path(), RANDOM, 0o600)).unwrap();
    let weak = from_file(&key_file(directory.path(), b"change-me-please-this-is-not-a-secret-123", 0o600)).unwrap_err();
    let shown = format!("{ring:?} {:?} {weak} {weak:?}", ring.signing());
    for secret in ["Zk3x", "change-me-please", &format!("{RANDOM:?}")[1..20]] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
