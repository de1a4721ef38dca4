//! The token inspector: it says of any token what is in it and what is wrong with it, and lets nobody in by that.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    held::{Held, Settings},
    obtain, refresh, tokens, user,
};
use crate::support::{Client, server::Server};

async fn inspect(client: &Client, token: &str) -> Value {
    client.post("/api/token/inspect/", &json!({"token": token})).await.is(200)
}

#[tokio::test]
async fn t23_a_token_is_explained_with_what_is_wrong_with_it() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let (_, pair) = user(&admin, "ulla").await;
    let good = inspect(&admin, &format!(" {}\n", pair.access)).await;
    assert_eq!(
        (&good["is_good"], &good["is_signed"], &good["header"]["alg"]),
        (&json!(true), &json!(true), &json!("HS256"))
    );
    assert_eq!((&good["payload"]["token_type"], &good["key"]["state"]), (&json!("access"), &json!("active")));
    assert_eq!(good["key"]["kid"], good["header"]["kid"]);
    assert_eq!(good["said"], "It is an access token, and would be let in now: 5 min left.");

    let refreshed = inspect(&admin, &pair.refresh).await;
    assert!(refreshed["said"].as_str().unwrap().starts_with("It is a refresh token, and would be traded now: 24 h"));

    let changed = format!("{}A", &pair.access[..pair.access.len() - 1]);
    let (signed, signature) = pair.access.rsplit_once('.').unwrap();
    let foreign = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im90aGVyIn0.eyJleHAiOjF9.AAAA";
    for (token, signed, said) in [
        (changed.as_str(), false, "signature"),
        (foreign, false, "No key of this server signed it"),
        ("nonsense", false, "It is no token"),
        (&format!("{signed}.{signature}.x"), false, "It is no token"),
        (&format!("{signed}=.{signature}"), false, "signature"),
        (&"x".repeat(9000), false, "It is refused: longer than 8 KiB."),
    ] {
        let found = inspect(&admin, token).await;
        assert_eq!((&found["is_good"], &found["is_signed"]), (&json!(false), &json!(signed)), "{found}");
        assert!(found["said"].as_str().unwrap().contains(said), "{said}: {found}");
    }

    // What was good and is not any more says why.
    let (_, other) = user(&admin, "otto").await;
    tokens(&refresh(&admin, Some(&other.refresh)).await);
    admin.post("/api/token/blacklist/", &json!({"refresh": other.refresh})).await;
    let ended = obtain(&admin, "ulla").await;
    admin.post("/api/token/blacklist/", &json!({"refresh": ended.refresh})).await.is(200);
    let found = inspect(&admin, &ended.access).await;
    assert_eq!((&found["is_good"], &found["is_signed"]), (&json!(false), &json!(true)));
    assert!(found["said"].as_str().unwrap().contains("its session has ended"), "{found}");
    held.hand.advance(Duration::from_secs(301));
    let admin = Client { access: Some(obtain(&admin, crate::support::ADMIN).await.access), ..admin };
    let found = inspect(&admin, &pair.access).await;
    assert_eq!(found["said"], "It expired 1 s ago: trade the refresh token for a new one, or sign in.");
}

#[tokio::test]
async fn t23_inspecting_is_for_who_is_signed_in_has_an_allowance_of_its_own_and_leaves_no_trace() {
    let (_held, admin) =
        Held::with_admin(Settings { limits: "inspections=3/m".parse().unwrap(), ..Settings::default() }).await;
    let (ulla, pair) = user(&admin, "ulla").await;
    for _ in 0..3 {
        inspect(&ulla, &pair.access).await;
    }
    let refused = ulla.post("/api/token/inspect/", &json!({"token": "x"})).await.refused(429);
    assert_eq!(refused.extra["violated-policies"], json!(["inspections"]));
    ulla.get("/api/users/me/").await.is(200);
    inspect(&admin, &pair.access).await;

    // The server's end looks for every secret in its log; the tail of the log is looked at here.
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--log-level", "trace"]);
    let admin = server.set_up().await;
    let (ulla, pair) = user(&admin, "ulla").await;
    let answer = ulla.post("/api/token/inspect/", &json!({"token": pair.refresh})).await;
    answer.is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let lines = admin.get("/api/log/lines/").await.is(200).to_string();
    assert!(lines.contains("/api/token/inspect/"), "{lines}");
    for part in pair.refresh.split('.').chain(pair.access.split('.')) {
        assert!(!lines.contains(part), "{part} in {lines}");
    }
}

#[tokio::test]
async fn t23_keys_are_told_to_admins_without_what_is_secret_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAxxqMtU9eD2vK";
    let file = crate::support::secret_file(dir.path(), "secret", secret.as_bytes());
    let mut server = Server::start(&dir.path().join("data"), &["--signing-key-file", file.to_str().unwrap()]);
    let admin = server.set_up().await;
    let (ulla, _) = user(&admin, "ulla").await;
    ulla.get("/api/keys/").await.refused(403);
    let keys = admin.get("/api/keys/").await.is(200);
    let key = &keys["results"][0];
    assert_eq!(
        (&key["algorithm"], &key["state"], &keys["are_given"]),
        (&json!("HS256"), &json!("active"), &json!(true))
    );
    assert!(!keys.to_string().contains(&secret[..12]), "{keys}");
    let mut members: Vec<&String> = key.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["algorithm", "created_at", "is_public", "kid", "state"]);
}
