//! How streams end: with the session, with the server, with a client that is too slow; and what becomes of the rest when the journal is trimmed.

use serde_json::{Value, json};

use super::{Reader, furnished, furnished_and};
use crate::support::{
    ADMIN, PASSWORD,
    server::{Server, coffer, said},
    text,
};

#[tokio::test]
async fn a_session_that_ends_closes_its_streams_and_no_others() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let other = coffer.sign_in("ulla").await;
    let mut reader = Reader::open(&ulla, "collection=snacks").await;
    let mut others = Reader::open(&other, "collection=snacks").await;
    reader.next().await;
    others.next().await;
    let sessions = other.get("/api/sessions/").await.is(200);
    let foreign = sessions["results"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    other.delete(&format!("/api/sessions/{}/", text(foreign, "id"))).await.is(204);
    let close = reader.next().await;
    assert_eq!((close.name.as_str(), &close.value["reason"]), ("close", &json!("session")));
    assert_eq!(reader.next_or_end().await, None);
    let made = admin.record("snacks", json!({"title": "Popcorn"})).await;
    assert_eq!(others.next().await.value["record"], made);
}

/// A proxy ends what is silent for a minute, so a stream is not, on a store that nobody writes to as well.
#[tokio::test]
async fn a_stream_gives_signs_of_life_where_nothing_happens() {
    let (_coffer, admin) = furnished().await;
    let mut reader = Reader::open(&admin, "collection=snacks").await;
    let ready = reader.next().await;
    let place = reader.heartbeat().await;
    assert_eq!(place, ready.last);
}

#[tokio::test]
async fn a_new_password_and_a_disabled_user_end_streams() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let other = coffer.sign_in("ulla").await;
    let mut reader = Reader::open(&ulla, "collection=snacks").await;
    let mut others = Reader::open(&other, "collection=snacks").await;
    let body = json!({"current_password": PASSWORD, "new_password": "three owls on the old roof"});
    other.post("/api/users/me/password/", &body).await.is(204);
    assert_eq!(reader.until("close").await.last().unwrap().value["reason"], "session");
    admin.patch(&format!("/api/users/{}/", ulla.id), &json!({"is_active": false})).await.is(200);
    assert_eq!(others.until("close").await.last().unwrap().value["reason"], "session");
}

#[tokio::test]
async fn a_stopping_server_says_when_to_come_back_and_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let mut reader = Reader::open(&admin, "collection=snacks").await;
    reader.next().await;
    let before = admin.record("snacks", json!({"title": "before"})).await;
    assert_eq!(reader.next().await.value["record"], before);
    let stopping = std::time::Instant::now();
    server.stop();
    assert!(stopping.elapsed().as_secs() < 8, "it did not wait for the stream");
    let close = reader.next().await;
    assert_eq!((close.name.as_str(), &close.value["reason"]), ("close", &json!("stopping")));

    let server = Server::start(&data, &[]);
    let admin = server.sign_in("ada").await;
    let after = admin.record("snacks", json!({"title": "after"})).await;
    let mut reader = Reader::open_after(&admin, "collection=snacks", reader.last).await;
    reader.next().await;
    assert_eq!(reader.next().await.value["record"], after, "nothing lost, nothing twice");
}

#[tokio::test]
async fn what_was_trimmed_is_not_passed_over_in_silence() {
    let (_coffer, admin) = furnished().await;
    let first = admin.record("snacks", json!({"title": "first"})).await;
    let since = first["revision"].to_string();
    admin.record("snacks", json!({"title": "second"})).await;
    let question = format!("/api/events/?collection=snacks&since={since}");
    let mut answer = admin.get(&question).await;
    assert_eq!(answer.status, 200, "everything is there");
    // What is younger than a second is never removed.
    while answer.status == 200 {
        let begun = admin.post("/api/changes/trim/", &json!({"older_than": "1s"})).await.is(202);
        let address = format!("/api/operations/{}/", text(&begun, "id"));
        while admin.get(&address).await.is(200)["state"] != "done" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        answer = admin.get(&question).await;
    }
    let problem = answer.refused(410);
    let begin = problem.extra["since"].as_str().unwrap().to_owned();
    let third = admin.record("snacks", json!({"title": "third"})).await;
    let mut reader = Reader::open(&admin, &format!("collection=snacks&since={begin}")).await;
    reader.next().await;
    assert_eq!(reader.next().await.value["record"], third);
    // A copy is made anew without being asked.
    let mut copy = Reader::open(&admin, &format!("collection=snacks&since={since}&snapshot=true")).await;
    let titles: Vec<_> = copy.until("live").await.iter().map(|event| event.value["record"]["title"].clone()).collect();
    assert_eq!(titles[1..4], ["first", "second", "third"]);
}

#[tokio::test]
async fn a_user_has_so_many_streams_and_an_address_too() {
    let (coffer, admin) = furnished_and(&["--event-streams-per-user", "2", "--event-streams-per-address", "3"]).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let first = Reader::open(&admin, "collection=snacks").await;
    let _second = Reader::open(&admin, "collection=snacks").await;
    let refused = admin.get("/api/events/").await;
    assert_eq!(refused.refused(429).code, "too_many_streams");
    assert_eq!(refused.header("retry-after"), "5");
    let _third = Reader::open(&ulla, "collection=snacks").await;
    ulla.get("/api/events/").await.refused(429);
    drop(first);
    // The server learns of it with the connection's end.
    for _ in 0..100 {
        if ulla.get("/api/events/").await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a stream that ended still counts");
}

#[tokio::test]
async fn a_store_that_was_restored_tells_whoever_knows_more_than_it() {
    let dir = tempfile::tempdir().unwrap();
    let (data, restored, file) = (dir.path().join("data"), dir.path().join("restored"), dir.path().join("box.backup"));
    let file = file.to_str().unwrap();
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let first = admin.record("snacks", json!({"title": "first"})).await;
    admin.record("snacks", json!({"title": "second"})).await;
    server.stop();
    said(&coffer(&["backup", file], &data));
    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    let lost = admin.record("snacks", json!({"title": "lost"})).await;
    server.stop();
    said(&coffer(&["restore", file], &restored));
    let server = Server::start(&restored, &[]);
    let admin = server.sign_in(ADMIN).await;
    let made = admin.record("snacks", json!({"title": "made after it was restored"})).await;

    let question = |since: &Value| format!("collection=snacks&since={since}");
    let mut reader = Reader::open(&admin, &question(&first["revision"])).await;
    reader.next().await;
    assert_eq!(reader.next().await.value["record"]["title"], "second", "what was backed up is told");
    assert_eq!(reader.next().await.value["record"], made);
    let later = json!(made["revision"].as_u64().unwrap() + 1_000_000);
    for beyond in [&lost["revision"], &later] {
        let problem = admin.get(&format!("/api/events/?{}", question(beyond))).await.refused(410);
        assert!(problem.extra["since"].as_str().unwrap().parse::<u64>().unwrap() >= made["revision"].as_u64().unwrap());
        let place = beyond.to_string().parse().unwrap();
        let mut copy = Reader::open_after(&admin, "collection=snacks&snapshot=true", Some(place)).await;
        let open = copy.next().await;
        assert_eq!((open.name.as_str(), open.value.get("since")), ("open", None), "the copy begins anew");
        let told = copy.until("live").await;
        let mut titles: Vec<_> = told.iter().filter_map(|event| event.value["record"]["title"].as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, ["first", "made after it was restored", "second"]);
    }
    let mut newest = Reader::open(&admin, &question(&made["revision"])).await;
    newest.next().await;
    let next = admin.record("snacks", json!({"title": "next"})).await;
    assert_eq!(newest.next().await.value["record"], next);
    server.stop();
}
