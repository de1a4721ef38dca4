//! Hashes with a pepper, with another one and without; files that are refused.

use std::{fs, os::unix::fs::PermissionsExt as _};

use base::Entropy;
use tempfile::TempDir;

use super::*;
use crate::password::{Hasher, HasherSettings, Password, Verdict};

const OLD: &[u8] = b"Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAxxqM\n";
const NEW: &[u8] = b"pQ8eN2rW6uY0iO4aS9dF3gH7jK1lZ5xCvv2B";

/// Where the tests' peppers are, and where the hashes would be.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.data()).unwrap();
        place
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn peppers(&self, secrets: &[&[u8]]) -> Peppers {
        let files: Vec<_> = (0..).zip(secrets).map(|(n, secret)| self.file(&format!("{n}"), secret, 0o600)).collect();
        Peppers::from_files(&files, &self.data()).unwrap()
    }
}

fn hasher(peppers: Peppers) -> Hasher {
    Hasher::new(HasherSettings { threads: 1, queue: 4, ..HasherSettings::default() }, peppers, Entropy::system())
        .unwrap()
}

fn password() -> Password {
    Password::new("kelp vast ember quince").unwrap()
}

#[tokio::test]
async fn p3_a_hash_names_its_pepper_and_matches_with_that_one_alone() {
    let place = Place::new();
    let (old, new) = (place.peppers(&[OLD]), place.peppers(&[NEW]));
    let (both, none) = (place.peppers(&[NEW, OLD]), Peppers::default());
    let by_old = hasher(old.clone()).hash(password()).await.unwrap();
    assert!(by_old.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid="), "{}", by_old.as_str());
    let plain = hasher(none.clone()).hash(password()).await.unwrap();
    let kept = Verdict::Right { rehash: false };
    let renewed = Verdict::Right { rehash: true };
    for (peppers, hash, verdict, pepper_use) in [
        (&old, &by_old, kept, PepperUse::Current),
        (&both, &by_old, renewed, PepperUse::Outdated),
        (&new, &by_old, Verdict::Wrong, PepperUse::Missing),
        (&none, &by_old, Verdict::Wrong, PepperUse::Missing),
        (&none, &plain, kept, PepperUse::Current),
        (&old, &plain, renewed, PepperUse::Outdated),
    ] {
        assert_eq!(hasher(peppers.clone()).verify(Some(hash), password()).await, Ok(verdict), "{peppers:?}");
        assert_eq!(peppers.used_by(hash), pepper_use, "{peppers:?}");
    }
    let by_both = hasher(both).hash(password()).await.unwrap();
    assert_eq!(new.used_by(&by_both), PepperUse::Current, "the first is for new hashes");
}

#[tokio::test]
async fn p3_the_pepper_goes_into_the_outcome_and_not_only_into_the_name() {
    let place = Place::new();
    let hash = hasher(place.peppers(&[OLD])).hash(password()).await.unwrap();
    let stored = Phc::new(hash.as_str()).unwrap();
    let outcome = |secret: &[u8]| {
        let params = Params::try_from(&stored).unwrap();
        let argon2 = Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut outcome = [0; 32];
        argon2.hash_password_into(b"kelp vast ember quince", stored.salt.as_ref().unwrap(), &mut outcome).unwrap();
        outcome
    };
    let expected = stored.hash.as_ref().unwrap().as_bytes().to_vec();
    assert_eq!(outcome(&OLD[..OLD.len() - 1]).to_vec(), expected, "less the file's last line break");
    assert_ne!(outcome(b"").to_vec(), expected);
}

#[tokio::test]
async fn p3_an_unknown_user_costs_what_a_known_one_does() {
    let place = Place::new();
    let hasher = hasher(place.peppers(&[NEW, OLD]));
    let known = hasher.hash(password()).await.unwrap();
    let params = |hash: &PasswordHash| Phc::new(hash.as_str()).unwrap().params;
    assert_eq!(params(&hasher.dummy), params(&known));
    assert_eq!(hasher.verify(None, password()).await, Ok(Verdict::Wrong));
}

#[test]
fn p3_a_pepper_that_is_weak_exposed_named_twice_or_beside_the_hashes_is_refused() {
    let place = Place::new();
    let refused = |files: &[PathBuf]| Peppers::from_files(files, &place.data()).unwrap_err().to_string();
    for (content, mode, reason) in [
        (&b""[..], 0o600, "has 0 bytes"),
        (&OLD[..31], 0o600, "has 31 bytes"),
        (b"change-me-please-this-is-not-a-secret-123", 0o600, "placeholder"),
        (OLD, 0o602, "changed by other users"),
    ] {
        let said = refused(&[place.file("pepper", content, mode)]);
        assert!(said.contains(reason) && said.contains("/pepper"), "{said}");
        assert!(!said.contains("change-me") && !said.contains("Zk3x"), "{said}");
    }
    let (one, same) = (place.file("one", OLD, 0o600), place.file("same", &OLD[..OLD.len() - 1], 0o600));
    assert!(refused(&[one.clone(), same]).contains("one and the same pepper"));
    assert!(refused(&[place.0.path().join("missing")]).contains("cannot read the pepper"));
    let inside = place.data().join("pepper");
    fs::rename(&one, &inside).unwrap();
    assert!(refused(std::slice::from_ref(&inside)).contains("move it elsewhere"));
    std::os::unix::fs::symlink(&inside, &one).unwrap();
    assert!(refused(&[one]).contains("move it elsewhere"), "a link to it is no other place");
}

#[test]
fn p3_no_pepper_shows_in_debug() {
    let place = Place::new();
    let shown = format!("{:?} {:?}", place.peppers(&[OLD, NEW]), Peppers::default());
    assert_eq!(shown, "Peppers(2) Peppers(0)");
}
