//! Records whose indexes are much larger than they are: words to search for, and references to many.

use serde_json::{Value, json};

use super::peaks::memory;
use crate::support::{
    Client,
    server::{Server, serve},
};

/// Rows of 60 words each, none of which two rows share: 60 entries of an index for each row, where a number's index has one.
fn rows(count: usize) -> Vec<Value> {
    let words = |n: usize| (0..60).map(|word| format!("w{n}x{word}")).collect::<Vec<_>>().join(" ");
    (0..count).map(|n| json!({"title": format!("row {n}"), "text": words(n)})).collect()
}

async fn counted(admin: &Client, collection: &str, query: &str) -> Value {
    admin.get(&format!("/api/records/{collection}/?page_size=1&{query}")).await.is(200)["count"].clone()
}

/// Waits for what an answer left to the background, and gives how it ended.
async fn ended(admin: &Client, operation: &str) -> Value {
    loop {
        let state = admin.get(&format!("/api/operations/{operation}/")).await.is(200)["state"].clone();
        if !["running", "waiting"].contains(&state.as_str().unwrap()) {
            return state;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn m1_what_writes_more_entries_than_a_commit_may_is_refused_or_goes_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::spawn(&data, &mut serve(&data, &["--memory", "256MB", "--rate-limit", "off"]));
    let admin = server.set_up().await;
    let fields = json!([
        {"name": "title", "type": "text", "unique": true},
        {"name": "text", "type": "text", "max_length": 10_000, "searchable": true},
    ]);
    admin.collection("texts", fields).await;
    let rows = rows(1000);

    // All or nothing is asked for, so it is refused before anything is written.
    let refused = admin.post("/api/records/texts/", &json!(rows)).await.refused(413);
    assert_eq!(refused.code, "too_many_entries");
    assert!(refused.detail.contains("Send fewer records at a time, or import them as a file"), "{}", refused.detail);
    assert_eq!(counted(&admin, "texts", "").await, 0);

    // The advice works, both parts of it.
    for part in rows[..400].chunks(200) {
        admin.post("/api/records/texts/", &json!(part)).await.is(201);
    }
    let lines = rows.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let address = "/api/records/texts/import/?key=title&on_conflict=update";
    let imported = admin.raw(reqwest::Method::POST, address, "application/x-ndjson", lines).await;
    assert!([200, 202].contains(&imported.status), "{}", imported.text());
    let operation = serde_json::from_slice::<Value>(&imported.body).unwrap()["operation"].clone();
    assert_eq!(ended(&admin, operation.as_str().unwrap()).await, "done");
    assert_eq!(counted(&admin, "texts", "").await, 1000);
    assert_eq!(counted(&admin, "texts", "search=w999x59").await, 1);

    // An index of it is made and dropped, the collection goes and comes back.
    for searchable in [false, true] {
        let answer = admin.patch("/api/collections/texts/fields/text/", &json!({"searchable": searchable})).await;
        if answer.status == 202 {
            let operation: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(ended(&admin, operation["id"].as_str().unwrap()).await, "done");
        } else {
            answer.is(200);
        }
    }
    let gone = admin.delete("/api/collections/texts/").await;
    assert!([202, 204].contains(&gone.status), "{}", gone.text());
    let operation = gone.header("operation").to_owned();
    let back = loop {
        let back = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
        // What was deleted is still being removed.
        if back.status != 409 {
            break back;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert!([200, 202].contains(&back.status), "{}", back.text());
    while counted(&admin, "texts", "").await != 1000 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let peak = memory(&server, "VmHWM:");
    assert!(peak < 512_000_000, "{peak}");
    server.stop();
}
