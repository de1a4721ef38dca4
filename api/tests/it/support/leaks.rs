//! What must never be seen: passwords that the tests send, set-up codes that servers print, and tokens. Whatever a test is about,
//! the servers' logs, what they stored (the journal with it) and their refusals are searched for them. Tokens are known by
//! their shape, the others are remembered when they are used.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use reqwest::Request;
use serde_json::Value;

static SECRETS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The members of bodies and forms that are secrets.
const MEMBERS: [&str; 4] = ["password", "current_password", "new_password", "code"];
/// Shorter ones are refused as passwords, and are words that may stand anywhere.
const SHORTEST: usize = 15;

/// Has this searched for from now on.
pub(crate) fn remember(secret: &str) {
    if secret.len() >= SHORTEST {
        SECRETS.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
    }
}

/// Remembers the secrets that a request sends.
pub(crate) fn remember_sent(request: &Request) {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let members: Vec<(String, String)> = match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => {
            body.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
        }
        _ => form_urlencoded::parse(body).into_owned().collect(),
    };
    members.iter().filter(|(name, _)| MEMBERS.contains(&name.as_str())).for_each(|(_, value)| remember(value));
}

/// The first secret in a text, with its neighbourhood, to see who let it out.
pub(crate) fn find(bytes: &[u8]) -> Option<String> {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut known = secrets.iter().filter_map(|secret| memchr::memmem::find(bytes, secret.as_bytes()));
    let at = known.next().or_else(|| memchr::memmem::find_iter(bytes, "eyJ").find(|at| is_token(&bytes[*at..])));
    let around = |at: usize| &bytes[at.saturating_sub(300)..bytes.len().min(at + 200)];
    at.map(|at| String::from_utf8_lossy(around(at)).into_owned())
}

/// A JSON object in base64url, a dot, and another one: the beginning of every token of ours.
fn is_token(bytes: &[u8]) -> bool {
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let header = bytes.iter().take_while(is_base64).count();
    header >= 20 && bytes[header..].starts_with(b".eyJ")
}

/// Fails if a secret is in a file, or in any file of a directory.
#[track_caller]
pub(crate) fn assert_none(path: &Path) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            assert_none(&entry.unwrap().path());
        }
        return;
    }
    // A socket keeps nothing.
    if !path.is_file() {
        return;
    }
    let found = find(&fs::read(path).unwrap());
    assert!(found.is_none(), "a secret is in {}: {}", path.display(), found.unwrap_or_default());
}

#[test]
fn a_leak_would_be_found() {
    remember("a canary that sings of quinces");
    for leak in [
        "password=a canary that sings of quinces\n",
        "bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.x",
    ] {
        assert!(find(leak.as_bytes()).is_some(), "{leak}");
    }
    assert_eq!(find(b"eyJ is how some words begin; a canary that sings of pears"), None);
    let request =
        reqwest::Client::new().post("http://127.0.0.1:1/").body(r#"{"password": "seven more quinces, ripe"}"#);
    remember_sent(&request.build().unwrap());
    assert!(find(b"seven more quinces, ripe").is_some());
}
