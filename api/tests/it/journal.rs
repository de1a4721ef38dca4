//! `coffer journal trim`: histories end where the journal was cut, and nothing else changes.

use coffer::domain::journal::{self, Entry, RecordChange};
use common::change::Change;
use serde_json::json;
use store::{Batch, Options, Store, journal as blocks};

use crate::{
    kill::assert_sound,
    support::{
        ADMIN, path,
        server::{Server, coffer, said, store_dir},
    },
};

#[tokio::test]
async fn histories_end_where_the_journal_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("words", json!([{"name": "word", "type": "text"}])).await;
    admin.patch("/api/collections/words/", &json!({"history": "all"})).await.is(200);
    let gone = admin.record("words", json!({"word": "gone"})).await;
    admin.delete(&path("words", &gone)).await.is(204);
    let kept = admin.record("words", json!({"word": "one"})).await;
    let first = admin.patch(&path("words", &kept), &json!({"word": "two"})).await.is(200);
    // More than one commit's worth.
    for _ in 0..2 {
        let many: Vec<_> = (0..600).map(|n| json!({"word": format!("{n}")})).collect();
        admin.post("/api/records/words/", &json!(many)).await.is(201);
    }
    server.stop();

    // All of that was long ago.
    let store = Store::open(Options::sled(store_dir(&data))).unwrap();
    let mut batch = Batch::new();
    for (key, entry) in store.scan(blocks::blocks()).await.unwrap() {
        let mut entries = blocks::unpack(&entry.value).unwrap();
        for entry in &mut entries {
            let old = match journal::parse(&entry.bytes).unwrap() {
                Entry::Record(change, values) => {
                    RecordChange { at: 2 * 1_577_836_800_000_000, ..change }.with(&values).unwrap()
                }
                Entry::Other(change, operation) => {
                    journal::bytes_of(operation, &Change { at: "2020-01-01T00:00:00Z".to_owned(), ..*change })
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
    let second = admin.patch(&path("words", &kept), &json!({"word": "three"})).await.is(200);
    server.stop();

    let trimmed = said(&coffer(&["journal", "trim", "--older-than", "90d"], &data));
    assert!(trimmed.contains("\nForgot 1\u{202f}20"), "{trimmed}");
    assert_sound(&data);
    let again = said(&coffer(&["journal", "trim", "--older-than", "90d"], &data));
    assert!(again.contains("\nForgot 0 changes"), "{again}");

    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    let now = admin.get(&path("words", &kept)).await.is(200);
    assert_eq!(now["revision"], second["revision"], "records are as they were");
    assert_eq!(admin.get("/api/records/words/").await.is(200)["count"], 1201);
    let history = admin.get(&format!("{}history/", path("words", &kept))).await.is(200);
    let revisions: Vec<_> = history["results"].as_array().unwrap().iter().map(|change| &change["revision"]).collect();
    assert_eq!(revisions, [&second["revision"]]);
    let back = format!("{}history/{}/restore/", path("words", &kept), first["revision"]);
    admin.post(&back, &json!({})).await.refused(404);
    admin.get(&format!("{}history/", path("words", &gone))).await.refused(404);
    let changes = admin.get("/api/changes/").await.is(200);
    assert_eq!(changes["results"][0]["action"], "sign_in", "{changes}");
    server.stop();
}
