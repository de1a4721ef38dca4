//! `Idempotency-Key`: what comes twice is done once, and answered as before.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::Killed;
use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD};

async fn keyed(client: &Client, method: Method, path: &str, key: &str, body: &Value) -> Answer {
    let request = client.request(method, path).header("idempotency-key", key);
    Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn create(client: &Client, key: &str, title: &str) -> Answer {
    keyed(client, Method::POST, "/api/records/snacks/", key, &json!({"title": title})).await
}

async fn count(client: &Client) -> Value {
    client.get("/api/records/snacks/").await.is(200)["count"].clone()
}

#[tokio::test]
async fn the_same_request_twice_is_done_once_and_answered_as_before() {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin
        .collection(
            "snacks",
            json!([{"name": "title", "type": "text"}, {"name": "stock", "type": "integer", "nullable": true}]),
        )
        .await;
    let first = create(&admin, "a", "Nuts").await;
    let again = create(&admin, "a", "Nuts").await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    for name in ["etag", "location", "operation", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    let metrics = admin.get("/metrics").await.text();
    for line in ["coffer_idempotency_keys 1", "coffer_idempotency_replayed_total 1", "coffer_import_file_bytes 0"] {
        assert!(metrics.lines().any(|told| told == line), "{line}: {metrics}");
    }
    assert_eq!(create(&admin, "a", "Other").await.refused(422).code, "idempotency_key_reused");
    keyed(&admin, Method::POST, "/api/batch/", "a", &json!({"items": []})).await.refused(422);
    assert_eq!(count(&admin).await, 1);
    // It is this user's, and what failed can be tried again.
    let bob = coffer.user(&admin, "bob", json!({})).await;
    create(&bob, "a", "Bobs").await.is(201);
    keyed(&admin, Method::POST, "/api/records/snacks/", "b", &json!({"stock": "x"})).await.refused(400);
    create(&admin, "b", "Mended").await.is(201);
    let at = crate::support::path("snacks", &first.is(201));
    for _ in 0..3 {
        let added = keyed(&admin, Method::PATCH, &at, "c", &json!({"stock": {"$add": 1}})).await;
        assert!(added.status == 400, "there is no number yet");
    }
    admin.patch(&at, &json!({"stock": 1})).await.is(200);
    for _ in 0..3 {
        assert_eq!(keyed(&admin, Method::PATCH, &at, "c", &json!({"stock": {"$add": 1}})).await.is(200)["stock"], 2);
    }
    for _ in 0..2 {
        keyed(&admin, Method::DELETE, &at, "d", &Value::Null).await.is(204);
        keyed(&admin, Method::POST, "/api/collections/", "e", &json!({"name": "words"})).await.is(201);
    }
    for bad in ["", &"x".repeat(256), "ä"] {
        let request = admin.request(Method::POST, "/api/records/snacks/").header("idempotency-key", bad.as_bytes());
        Answer::of(request.header("content-type", "application/json").body("{}")).await.refused(400);
    }
}

#[tokio::test]
async fn of_several_at_once_one_is_done() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    for round in 0..10 {
        let key = format!("k{round}");
        let answers = join_all((0..12).map(|_| create(&admin, &key, "Nuts"))).await;
        for answer in &answers {
            assert!(matches!(answer.status, 201 | 409), "{}", answer.text());
            if answer.status == 409 {
                assert_eq!(answer.problem().code, "idempotency_key_in_use");
            }
        }
        assert_eq!(count(&admin).await, round + 1);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_waited_for_is_there_for_who_asks_again() {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let (address, token) = (coffer.base.strip_prefix("http://").unwrap(), admin.access.clone().unwrap());
    let sent = |path: &str, kind: &str, key: usize, body: &str| {
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}");
        format!("{head}\r\nidempotency-key: k{key}\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let mut done = 0;
    for round in 0..20 {
        // Whoever hangs up at once, or a moment later, left a request that may be done.
        let mut line = TcpStream::connect(address).await.unwrap();
        let body = json!({"title": "Nuts"}).to_string();
        line.write_all(sent("/api/records/snacks/", "application/json", round, &body).as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_micros(400 * round as u64)).await;
        drop(line);
        let again = loop {
            let answer = create(&admin, &format!("k{round}"), "Nuts").await;
            if answer.status != 409 {
                break answer;
            }
        };
        done += 1;
        assert_eq!(again.is(201)["title"], "Nuts");
        assert_eq!(count(&admin).await, done);
    }
}

#[tokio::test]
async fn no_password_and_no_token_is_kept() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let user = json!({"username": "ulla", "password": PASSWORD});
    keyed(&admin, Method::POST, "/api/users/", "a", &user).await.is(201);
    keyed(&admin, Method::POST, "/api/users/", "a", &user).await.refused(409);
    let sign_in = json!({"username": ADMIN, "password": PASSWORD});
    let first = keyed(&admin, Method::POST, "/api/token/", "a", &sign_in).await.is(200);
    assert_ne!(keyed(&admin, Method::POST, "/api/token/", "a", &sign_in).await.is(200), first);
}

#[tokio::test]
async fn a_key_is_known_after_a_kill() {
    let (mut server, admin) = Killed::new().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let first = create(&admin, "a", "Nuts").await.is(201);
    let admin = server.again().await;
    let again = create(&admin, "a", "Nuts").await;
    // The answer, or, where that was lost, that it was done.
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(again.text().contains(first["id"].as_str().unwrap()) || again.status == 200, "{}", again.text());
    assert_eq!(count(&admin).await, 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_made_again_with_the_status_of_then() {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin
        .collection(
            "snacks",
            json!([{"name": "title", "type": "text"}, {"name": "data", "type": "json", "nullable": true}]),
        )
        .await;
    let (at, nuts) = ("/api/records/snacks/", json!({"title": "Nuts"}));
    let post = async |key: &str, body: &Value| keyed(&admin, Method::POST, at, key, body).await;
    let first = post("a", &nuts).await;
    let made = first.is(201);
    let several = json!([nuts]);
    post("b", &several).await.is(201);
    let hidden = post("c", &nuts).await.is(201);
    let path = crate::support::path("snacks", &made);
    // All answers that are kept are forgotten, as they are when the server ends before they are.
    let forget = async |name: &str| {
        let user = coffer.user(&admin, name, json!({})).await;
        let id = user.get("/api/users/me/").await.is(200)["id"].clone();
        let begun = admin.post("/api/changes/erase/", &json!({"user": {"id": id}})).await.is(202);
        super::large::end(&admin, begun["id"].as_str().unwrap()).await;
    };
    forget("ada2").await;
    let again = post("a", &nuts).await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (201, &first.body, "true"));
    for name in ["etag", "location", "operation", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    // Of several nobody says that they are one.
    let told = post("b", &several).await.is(201);
    assert!(told["detail"].is_string() && told.get("id").is_none(), "{told}");
    let change = json!({"title": "Corn"});
    let changed = keyed(&admin, Method::PATCH, &path, "d", &change).await;
    changed.is(200);
    let gone = crate::support::path("snacks", &hidden);
    keyed(&admin, Method::DELETE, &gone, "e", &Value::Null).await.is(204);
    forget("bea").await;
    let again = keyed(&admin, Method::PATCH, &path, "d", &change).await;
    assert_eq!((again.status, &again.body, again.header("etag")), (200, &changed.body, changed.header("etag")));
    let again = keyed(&admin, Method::DELETE, &gone, "e", &Value::Null).await;
    assert_eq!((again.status, again.body.len()), (204, 0));
    // What was changed or deleted since: which record it was is told, and its status.
    for (key, record) in [("a", &made), ("c", &hidden)] {
        let told = post(key, &nuts).await.is(201);
        assert_eq!((&told["id"], told.get("title")), (&record["id"], None), "{told}");
        assert!(told["operation"].is_string());
    }
    assert_eq!(count(&admin).await, 2);
    // Whoever may not see it any more is not shown it, and what was erased is not named.
    let ann = coffer.user(&admin, "ann", json!({})).await;
    keyed(&ann, Method::POST, at, "a", &nuts).await.is(201);
    forget("cleo").await;
    let nobody = json!({"list": ["nobody"], "view": ["nobody"], "create": ["signed_in"]});
    admin.patch("/api/collections/snacks/", &json!({"access": nobody})).await.is(200);
    assert!(keyed(&ann, Method::POST, at, "a", &nuts).await.is(201).get("title").is_none());
    let what = json!({"record": {"collection": "snacks", "id": hidden["id"]}});
    let begun = admin.post("/api/changes/erase/", &what).await.is(202);
    super::large::end(&admin, begun["id"].as_str().unwrap()).await;
    assert!(!post("c", &nuts).await.text().contains(hidden["id"].as_str().unwrap()));
}

#[tokio::test]
async fn what_was_taken_back_can_be_sent_again_under_its_key() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let revert = async |operation: &str| {
        let reverted = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
        reverted.is(200);
        reverted.header("operation").to_owned()
    };
    let at = "/api/records/snacks/";
    let batch = json!({"items": [{"action": "create", "collection": "snacks", "record": {"title": "Nuts"}}]});
    let many: Value = (0..1000).map(|n| json!({"title": n.to_string()})).collect();
    for (key, address, body, makes) in [
        ("import", "/api/records/snacks/import/", &json!([{"title": "Nuts"}, {"title": "Corn"}]), 2),
        ("create", at, &json!({"title": "Nuts"}), 1),
        ("array", at, &many, 1000),
        ("batch", "/api/batch/", &batch, 1),
    ] {
        let send = async || keyed(&admin, Method::POST, address, key, body).await;
        let is_replay = |answer: &Answer| answer.header("idempotency-replayed") == "true";
        let first = send().await;
        assert!(!is_replay(&first) && is_replay(&send().await), "{key}");
        let back = revert(first.header("operation")).await;
        assert_eq!(count(&admin).await, 0, "{key}");
        let second = send().await;
        assert!(!is_replay(&second), "{key}");
        assert_eq!((second.status, count(&admin).await), (first.status, json!(makes)), "{key}");
        assert!(is_replay(&send().await), "{key}");
        // What is there again, since its undoing was undone, is not done a second time.
        let back_again = revert(second.header("operation")).await;
        revert(&back_again).await;
        assert!(is_replay(&send().await), "{key}");
        assert_eq!(count(&admin).await, makes, "{key}");
        admin.delete(&format!("{at}?all=true&max=2000")).await.is(200);
        // It was deleted, and not taken back.
        assert!(is_replay(&send().await), "{key}");
        assert_ne!(back, "");
    }
    // A collection, and what of an import stayed.
    let words = json!({"name": "words", "fields": [{"name": "title", "type": "text"}]});
    let make = async || keyed(&admin, Method::POST, "/api/collections/", "words", &words).await;
    let first = make().await;
    first.is(201);
    revert(first.header("operation")).await;
    make().await.is(201);
    admin.get("/api/collections/words/").await.is(200);
    let rows = json!([{"title": "Nuts"}, {"title": "Corn"}]);
    let import = async || keyed(&admin, Method::POST, "/api/records/snacks/import/", "part", &rows).await;
    let first = import().await;
    let nuts = admin.get("/api/records/snacks/?title=Nuts").await.is(200)["results"][0].clone();
    admin.patch(&crate::support::path("snacks", &nuts), &json!({"title": "Peanuts"})).await.is(200);
    let skip = format!("/api/changes/{}/revert/?changed=skip", first.header("operation"));
    admin.post(&skip, &json!({})).await.is(200);
    assert_eq!(import().await.header("idempotency-replayed"), "true");
    assert_eq!(count(&admin).await, 1);
}
