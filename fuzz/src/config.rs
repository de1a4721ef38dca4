//! Settings: flags, addresses, and the files that keys are in.

use std::{
    ffi::OsStr,
    fs,
    net::IpAddr,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    sync::LazyLock,
};

use auth::keys::KeyRing;
use base::{Clock, Entropy};
use coffer::limits;
use coffer_tui::server::Server;
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

/// A ring that is read has one key that signs, no two of one id, and is read alike again; anything else is refused. An operator's file is a key,
/// or refused; what is refused is not told.
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
    match KeyRing::from_key_files(&[file], &clock) {
        Ok(ring) => assert_eq!(ring.keys().len(), 1),
        Err(refused) => {
            let text = String::from_utf8_lossy(&secret);
            assert!(text.len() < 16 || !refused.to_string().contains(text.trim()), "the refusal tells the secret");
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
}
