//! Settings: flags, addresses, and the files that keys are in.

use std::{
    ffi::OsStr,
    fs,
    net::IpAddr,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    sync::LazyLock,
};

use auth::keys::{Algorithm, KeyRing};
use base::{Clock, Entropy};
use coffer::limits;
use coffer_client::server::Server;
use server::{ListenAddress, TrustedProxy};
use tempfile::TempDir;

use crate::split_at;

/// No flag is too odd to be refused in words, and a setting that is written is read again as it was.
pub fn config(bytes: &[u8]) {
    let arguments = bytes.split(|byte| *byte == b'\n').map(|argument| OsStr::from_bytes(argument).to_owned());
    let _ = coffer::cli::understands([OsStr::new("coffer").to_owned()].into_iter().chain(arguments));
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Ok(settings) = line.parse::<limits::Settings>() {
            assert_eq!(settings.to_string().parse::<limits::Settings>(), Ok(settings));
        }
        if let Ok(address) = line.parse::<ListenAddress>() {
            assert_eq!(address.to_string().parse::<ListenAddress>(), Ok(address));
        }
        if let Ok(TrustedProxy::Network(network)) = line.parse::<TrustedProxy>() {
            assert_ne!(network.prefix_len(), 0, "{line} would be everybody");
            assert_eq!(network.to_string().parse::<TrustedProxy>(), Ok(TrustedProxy::Network(network)));
        }
        if let Ok(server) = line.parse::<Server>() {
            assert_eq!(server.to_string().parse::<Server>().as_ref(), Ok(&server), "{line}");
            // Plain HTTP to these is sent without a question.
            let uri: http::Uri = server.to_string().parse().expect("a server's address is one");
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
            let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            assert!(!server.is_loopback() || is_here, "{line} is not this machine");
        }
    }
}

static DATA: LazyLock<TempDir> = LazyLock::new(|| {
    let data = TempDir::new().expect("a folder can be made");
    fs::create_dir(data.path().join("keys")).expect("a folder can be made");
    data
});

/// A ring that is read has one key that signs, no two of one id, and is read alike again; anything else is refused. An operator's file is a key
/// as what it is, or several, or refused; what is refused is not told.
pub fn key_files(bytes: &[u8]) {
    let (ring, secret) = split_at(bytes, b"\n---\n");
    let (clock, _) = Clock::held(1_800_000_000);
    let entropy = Entropy::seeded(1);
    write(&DATA.path().join("keys/ring.json"), &ring);
    match KeyRing::open(DATA.path(), &clock, &entropy) {
        Ok(opened) => {
            let kids: Vec<_> = opened.keys().iter().map(|key| key.kid().to_owned()).collect();
            assert!(kids.contains(&opened.signing().kid().to_owned()));
            assert!(kids.iter().enumerate().all(|(at, kid)| !kids[..at].contains(kid)));
            let again = KeyRing::open(DATA.path(), &clock, &entropy).expect("what was opened can be opened");
            assert_eq!(format!("{again:?}"), format!("{opened:?}"));
        }
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
    let file = DATA.path().join("secret");
    write(&file, &secret);
    let text = String::from_utf8_lossy(&secret);
    match KeyRing::from_key_files(std::slice::from_ref(&file), &clock) {
        Ok(ring) => {
            check_ring(&ring, &text);
            let again =
                KeyRing::from_key_files(std::slice::from_ref(&file), &clock).expect("what was read can be read");
            assert_eq!(format!("{again:?}"), format!("{ring:?}"));
            // A second file may bring what only verifies, or the same key once more, which is refused.
            assert!(
                KeyRing::from_key_files(&[file.clone(), file.clone()], &clock).is_err(),
                "one key is in the ring twice"
            );
        }
        Err(refused) => {
            assert!(text.len() < 16 || !refused.to_string().contains(text.trim()), "the refusal tells the secret");
        }
    }
    // Into a ring of its own, as what it is.
    let _ = fs::remove_file(DATA.path().join("keys/ring.json"));
    let first = KeyRing::open(DATA.path(), &clock, &entropy).expect("a ring can be made");
    match KeyRing::import(DATA.path(), &file, &clock, &entropy) {
        Ok(imported) => {
            let ring = KeyRing::open(DATA.path(), &clock, &entropy).expect("what was written can be read");
            assert_eq!(ring.keys().len(), first.keys().len() + imported.len());
            assert!(!ring.signing().is_public(), "a public key signs");
        }
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            let ring = KeyRing::open(DATA.path(), &clock, &entropy).expect("what was refused changed nothing");
            assert_eq!(format!("{ring:?}"), format!("{first:?}"));
        }
    }
}

/// A ring of an operator's file has one key that signs, which is no public one, and no two of one id. Of what is a key in one of the usual forms,
/// the text is no secret: whoever has the public key would have it.
fn check_ring(ring: &KeyRing, text: &str) {
    let keys = ring.keys();
    assert!(!ring.signing().is_public(), "a public key signs");
    assert!(keys.iter().enumerate().all(|(at, key)| keys[..at].iter().all(|other| other.kid() != key.kid())));
    let has_secret = keys.iter().any(|key| key.algorithm() == Algorithm::Hs256);
    assert!(!has_secret || !text.contains("-----BEGIN "), "PEM is a secret");
    let kind =
        serde_json::from_str::<serde_json::Value>(text).ok().and_then(|jwk| Some(jwk.get("kty")?.as_str()?.to_owned()));
    assert!(!has_secret || kind.is_none_or(|kind| kind == "oct"), "a JWK is a secret");
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
}
