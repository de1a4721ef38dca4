//! How much of a collection's history is kept: what its definition says, and what the quota of who makes versions has room for.

use std::time::Duration;

use coffer::domain::journal::{self, Entry, RecordChange};
use common::change::Change;
use serde_json::{Value, json};
use store::{Batch, Options, Store, journal as blocks};

use crate::support::{
    ADMIN, Client, Coffer, path,
    server::{Server, store_dir},
};

async fn history(client: &Client, collection: &str, record: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = format!("{}history/", path(collection, record));
    loop {
        let page = client.get(&next).await.is(200);
        found.extend(page["results"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(address) => next = address.strip_prefix(&client.base).unwrap().to_owned(),
            None => return found,
        }
    }
}

#[tokio::test]
async fn a_definition_says_how_much_is_kept() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    assert_eq!(made["history"], json!({"versions": 1000, "age": "365d"}));
    for history in [json!("all"), json!("none"), json!({"versions": 3}), json!({"age": "90d"})] {
        let changed = admin.patch("/api/collections/snacks/", &json!({"history": history})).await.is(200);
        assert_eq!(changed["history"], history);
        let again = admin.put("/api/collections/snacks/", &json!({"name": "snacks", "fields": made["fields"]})).await;
        assert_eq!(again.is(200)["history"], history, "who does not know of it changes nothing");
        let told = admin.json(reqwest::Method::OPTIONS, "/api/records/snacks/", &json!({})).await.is(200);
        assert_eq!(told["history"], history);
    }
    for (history, field) in [(json!("some"), "history"), (json!({"versions": 0}), "history.versions")] {
        let refused = admin.patch("/api/collections/snacks/", &json!({"history": history})).await.refused(400);
        assert!(refused.errors.0.contains_key(field), "{refused:?}");
    }
}

#[tokio::test]
async fn who_changes_one_record_for_ever_keeps_its_latest_versions() {
    let (coffer, admin) = Coffer::with_admin_and(&["--quota-bytes", "30kB"]).await;
    admin.collection("notes", json!([{"name": "text", "type": "text"}])).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let note = ulla.record("notes", json!({"text": "x".repeat(1000)})).await;
    let text = |n: u32| format!("{n:04}{}", "y".repeat(996));
    for n in 0..150 {
        ulla.patch(&path("notes", &note), &json!({"text": text(n)})).await.is(200);
    }
    let usage = ulla.get("/api/users/me/").await.is(200)["usage"].clone();
    let kept = usage["history_bytes"].as_u64().unwrap();
    assert!((5_000..=30_000).contains(&kept), "{usage}");
    let versions = history(&ulla, "notes", &note).await;
    assert!((10..40).contains(&versions.len()), "{}", versions.len());
    for (version, n) in versions.iter().zip((0..150).rev()) {
        assert_eq!(version["after"]["text"], text(n), "the latest are there, without a gap");
    }
    // The quota of the records themselves is another one: what is shortened, or longer, goes in as before.
    ulla.patch(&path("notes", &note), &json!({"text": "short"})).await.is(200);
    ulla.patch(&path("notes", &note), &json!({"text": "z".repeat(2000)})).await.is(200);
    let last = history(&ulla, "notes", &note).await[0].clone();
    let undone = ulla.post(&format!("/api/changes/{}/revert/", last["operation"].as_str().unwrap()), &json!({})).await;
    undone.is(200);
    assert_eq!(ulla.get(&path("notes", &note)).await.is(200)["text"], "short");
    // Trimming gives the room back.
    let other = admin.patch(&path("notes", &note), &json!({"text": "by an admin"})).await;
    other.is(200);
}

#[tokio::test]
async fn who_makes_and_deletes_for_ever_fills_nothing() {
    let (coffer, admin) = Coffer::with_admin_and(&["--quota-bytes", "30kB"]).await;
    admin.collection("notes", json!([{"name": "text", "type": "text"}])).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let mut operations = Vec::new();
    for _ in 0..60 {
        let note = ulla.record("notes", json!({"text": "x".repeat(1000)})).await;
        let deleted = ulla.delete(&path("notes", &note)).await;
        operations.push(deleted.header("operation").to_owned());
        deleted.is(204);
    }
    let usage = ulla.get("/api/users/me/").await.is(200)["usage"].clone();
    assert!((20_000..=30_000).contains(&usage["history_bytes"].as_u64().unwrap()), "{usage}");
    let revert = |operation: &str| format!("/api/changes/{operation}/revert/");
    ulla.post(&revert(&operations[0]), &json!({})).await.is(200);
    // What there was no room for is told, and not that something came back.
    let gone = ulla.post(&revert(operations.last().unwrap()), &json!({})).await.refused(410);
    assert_eq!(gone.code, "gone");
}

#[tokio::test]
async fn what_a_definition_does_not_keep_is_trimmed_when_it_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    let fields = json!([{"name": "text", "type": "text"}]);
    for (name, history) in [("few", json!({"versions": 2})), ("none", json!("none")), ("all", json!("all"))] {
        let definition = json!({"name": name, "fields": fields, "history": history});
        admin.post("/api/collections/", &definition).await.is(201);
    }
    let mut kept = Vec::new();
    let mut gone = Vec::new();
    for name in ["few", "none", "all"] {
        let record = admin.record(name, json!({"text": "0"})).await;
        for n in 1..=4 {
            admin.patch(&path(name, &record), &json!({"text": format!("{n}")})).await.is(200);
        }
        kept.push(record);
        let record = admin.record(name, json!({"text": "gone"})).await;
        admin.delete(&path(name, &record)).await.is(204);
        gone.push(record);
    }
    // Of collections that were deleted as much is kept as while they were there.
    let mut deletions = Vec::new();
    for (name, history) in [("left_few", json!({"versions": 2})), ("left_none", json!("none"))] {
        let definition = json!({"name": name, "fields": fields, "history": history});
        admin.post("/api/collections/", &definition).await.is(201);
        let record = admin.record(name, json!({"text": "0"})).await;
        for n in 1..=4 {
            admin.patch(&path(name, &record), &json!({"text": format!("{n}")})).await.is(200);
        }
        let deleted = admin.delete(&format!("/api/collections/{name}/")).await;
        deleted.is(204);
        deletions.push((deleted.header("operation").to_owned(), path(name, &record)));
    }
    server.stop();
    // All of that was two days ago.
    let store = Store::open(Options::sled(store_dir(&data))).unwrap();
    let mut batch = Batch::new();
    for (key, entry) in store.scan(blocks::blocks()).await.unwrap() {
        let mut entries = blocks::unpack(&entry.value).unwrap();
        for entry in &mut entries {
            let old = match journal::parse(&entry.bytes).unwrap() {
                Entry::Record(change, values) => {
                    let at = change.at - 2 * 2 * 86_400 * 1_000_000;
                    RecordChange { at, ..change }.with(&values).unwrap()
                }
                Entry::Other(change, operation) => {
                    journal::bytes_of(operation, &Change { at: "2026-01-01T00:00:00Z".to_owned(), ..*change })
                }
            };
            entry.bytes = old.into();
        }
        batch.put(key, blocks::pack(&entries));
    }
    store.commit(batch).await.unwrap();
    drop(store);

    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    // One that is made now stays, whatever a definition says.
    admin.patch(&path("none", &kept[1]), &json!({"text": "5"})).await.is(200);
    for _ in 0..200 {
        if history(&admin, "few", &kept[0]).await.len() == 2 && history(&admin, "none", &kept[1]).await.len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let [(few, record), (none, _)] = &deletions[..] else { panic!() };
    for _ in 0..200 {
        if admin.get(&format!("/api/changes/{none}/")).await.is(200)["count"] == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let texts = |versions: &[Value]| versions.iter().map(|it| it["after"]["text"].clone()).collect::<Vec<_>>();
    assert_eq!(texts(&history(&admin, "few", &kept[0]).await), ["4", "3"]);
    assert_eq!(texts(&history(&admin, "none", &kept[1]).await), ["5"]);
    assert_eq!(history(&admin, "all", &kept[2]).await.len(), 5);
    assert_eq!(history(&admin, "few", &gone[0]).await.len(), 2, "a deletion can be undone for as long as it is kept");
    admin.get(&format!("{}history/", path("none", &gone[1]))).await.refused(404);
    // The deletion itself is one of the versions, and what is not kept is told before anything comes back.
    admin.post(&format!("/api/changes/{none}/revert/"), &json!({})).await.refused(410);
    admin.get("/api/collections/left_none/").await.refused(404);
    admin.post(&format!("/api/changes/{few}/revert/"), &json!({})).await.is(200);
    let versions = admin.get(&format!("{record}history/")).await.is(200);
    let versions = versions["results"].as_array().unwrap();
    let actions: Vec<_> = versions.iter().map(|version| version["action"].as_str().unwrap()).collect();
    assert_eq!((actions, texts(versions)[0].clone()), (vec!["restore", "delete", "update"], json!("4")));
    server.stop();
    crate::kill::assert_sound(&data);
}
