//! T9, T16, T20 to T22: keys of the process, and tokens as they travel. Forged tokens are tried in `src/auth/token/tests.rs`
//! and by the conformance cases.

use super::{furnish, is_good, obtain, secret_file, user};
use crate::support::{
    ADMIN, Answer, Client, Coffer,
    server::{Server, serve},
};

#[test]
fn t9_a_server_does_not_start_with_a_key_that_can_be_guessed() {
    let dir = tempfile::tempdir().unwrap();
    for (name, key) in [
        ("empty", &b""[..]),
        ("short", b"5fZq8vT0rXw2mB5zK9cN3yH7dF1gL4s"),
        ("one-byte", &[b'k'; 64]),
        ("well-known", b"your-256-bit-secret-your-256-bit-secret"),
        ("counting", b"0123456789abcdef0123456789abcdef"),
    ] {
        let file = secret_file(dir.path(), name, key);
        let refused =
            serve(&dir.path().join("data"), &["--signing-key-file", file.to_str().unwrap()]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(file.to_str().unwrap()), "{name}: the file is named: {said}");
        assert!(key.is_empty() || !said.contains(std::str::from_utf8(key).unwrap()), "{name}: {said}");
    }
}

#[tokio::test]
async fn t16_a_token_that_ended_stays_dead_however_it_is_written() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (_, pair) = user(&admin, "ulla").await;
    let spent = pair.refresh;
    let stranger = coffer.stranger();
    stranger.post("/api/token/blacklist/", &serde_json::json!({"refresh": spent})).await.is(200);
    for token in [&pair.access, &spent] {
        let (head, signature) = token.rsplit_once('.').unwrap();
        let last = signature.chars().last().unwrap();
        // The last character of 32 bytes in base64 has two bits that decoders may ignore.
        let neighbour = char::from(last as u8 ^ 1);
        for other in [
            token.clone(),
            format!("{token}="),
            format!("{token}=="),
            format!("{token}."),
            format!("{head}.{}{neighbour}", &signature[..signature.len() - 1]),
            format!("{head}.{}", signature.replace('-', "+").replace('_', "/")),
            format!("{head}.{}", signature.to_ascii_lowercase()),
            format!("{}.{signature}", head.replace('.', ".\u{200b}")),
        ] {
            stranger.post("/api/token/verify/", &serde_json::json!({"token": other})).await.refused(401);
            stranger.post("/api/token/refresh/", &serde_json::json!({"refresh": other})).await.refused(401);
            assert!(!other.is_ascii() || !is_good(&stranger, &other).await, "{other}");
        }
    }
}

#[tokio::test]
async fn t20_the_old_key_verifies_until_it_is_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let old = secret_file(dir.path(), "old", b"6Jq0vT8rXw2mB5zK9cN3yH7dF1gL4sPa-an-old-key-of-ours\n");
    let new = secret_file(dir.path(), "new", b"tR4wE8qL1zXc7vBn0mKj5hGf2dSa9pOi-a-new-key-of-ours\n");
    let data = dir.path().join("data");
    let [old, new] = [old.to_str().unwrap(), new.to_str().unwrap()];

    let mut server = Server::start(&data, &["--signing-key-file", old]);
    let admin = furnish(&server.stranger(), &server.setup_code()).await;
    let by_old = admin.access.unwrap();
    server.stop();

    let server = Server::start(&data, &["--signing-key-file", new, "--signing-key-file", old]);
    assert!(is_good(&server.stranger(), &by_old).await);
    let by_new = obtain(&server.stranger(), ADMIN).await.access;
    assert_ne!(by_old.split('.').next(), by_new.split('.').next(), "another key has another name in the header");
    server.stop();

    let server = Server::start(&data, &["--signing-key-file", new]);
    assert!(is_good(&server.stranger(), &by_new).await);
    assert!(!is_good(&server.stranger(), &by_old).await);
}

#[tokio::test]
async fn t21_a_challenge_says_what_is_wrong_with_the_credentials() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (ulla, pair) = user(&admin, "ulla").await;
    let (otto, _) = user(&admin, "otto").await;
    admin.delete(&format!("/api/sessions/?user={}", otto.id)).await.is(204);
    let with = |access: &str| Client { access: Some(access.to_owned()), ..coffer.stranger() };
    let challenge = async |client: &Client, path: &str, status: u16| {
        let answer = client.get(path).await;
        answer.refused(status);
        answer.header("www-authenticate").to_owned()
    };
    let realm = "Bearer realm=\"api\"";
    assert_eq!(challenge(&coffer.stranger(), "/api/users/me/", 401).await, realm);
    let invalid = format!("{realm}, error=\"invalid_token\"");
    for bad in ["nonsense", &pair.refresh, otto.access.as_deref().unwrap()] {
        assert_eq!(challenge(&with(bad), "/api/users/me/", 401).await, invalid);
    }
    let weak = challenge(&ulla, "/api/users/", 403).await;
    assert_eq!(weak, format!("{realm}, error=\"insufficient_scope\""));
    let twice = admin.request(reqwest::Method::GET, "/api/users/me/").header("authorization", "Bearer x");
    let twice = Answer::of(twice).await;
    assert_eq!(twice.refused(400).code, "invalid_request");
    assert_eq!(twice.header("www-authenticate"), format!("{realm}, error=\"invalid_request\""));
}

#[tokio::test]
async fn t22_a_token_in_the_address_is_not_looked_at() {
    let (coffer, admin) = Coffer::with_admin().await;
    let access = admin.access.unwrap();
    for name in ["access_token", "token", "access", "authorization"] {
        for path in ["/api/users/me/", "/api/collections/", "/api/sessions/"] {
            coffer.stranger().get(&format!("{path}?{name}={access}")).await.refused(401);
        }
    }
    let (stranger, form) = (coffer.stranger(), "application/x-www-form-urlencoded");
    let body = format!("access_token={access}");
    stranger.raw(reqwest::Method::POST, "/api/collections/", form, body).await.refused(401);
}
