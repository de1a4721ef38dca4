//! Imports under whose hands something changes, and files of no rows.

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::large::{end, wide};
use crate::support::{Answer, Client, Coffer};

async fn send(client: &Client, query: &str, kind: &str, file: String) -> Answer {
    let request = client.request(Method::POST, &format!("/api/records/goods/import/{query}"));
    Answer::of(request.header(CONTENT_TYPE, kind).body(file)).await
}

async fn goods(admin: &Client) {
    let fields = json!([{"name": "code", "type": "text", "unique": true}, {"name": "title", "type": "text"}]);
    admin.collection("goods", fields).await;
}

async fn begin(client: &Client) -> String {
    let body = send(client, "", "text/csv", wide(95)).await.is(202);
    body["operation"].as_str().unwrap().to_owned()
}

/// Does something while an import goes on, and gives how the import ended. Where that was done already, it is tried again.
async fn meanwhile(admin: &Client, client: &Client, path: &str, change: Option<Value>) -> Value {
    for _ in 0..20 {
        let operation = begin(client).await;
        let changed = match &change {
            Some(change) => admin.patch(path, change).await,
            None => admin.delete(path).await,
        };
        assert!([200, 202, 204].contains(&changed.status), "{}", changed.text());
        let ended = end(client, &operation).await;
        if ended["state"] != "done" || change.as_ref().is_some_and(|change| change.get("name").is_some()) {
            return ended;
        }
        if change.is_none() {
            goods(admin).await;
        } else {
            admin.patch(path, &json!({"access": {"create": ["signed_in"]}})).await.is(200);
            admin.delete("/api/records/goods/?all=true&max=1000").await.is(200);
        }
    }
    panic!("no import took as long as a request");
}

#[tokio::test]
async fn an_import_says_what_took_the_ground_from_under_it() {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    goods(&admin).await;
    let gone = meanwhile(&admin, &bob, "/api/collections/goods/", None).await;
    let error = gone["error"].as_str().unwrap();
    assert_eq!(gone["state"], "failed");
    assert!(error.starts_with("The collection \"goods\" was deleted meanwhile, and "), "{error}");
    assert!(error.contains("written"), "{error}");
    goods(&admin).await;
    let nobody = json!({"access": {"create": ["nobody"]}});
    let refused = meanwhile(&admin, &bob, "/api/collections/goods/", Some(nobody)).await;
    let error = refused["error"].as_str().unwrap();
    assert!(
        refused["state"] == "failed" && error.contains("records of \"goods\"") && error.contains("written"),
        "{error}"
    );
    assert_eq!(admin.get("/api/records/goods/").await.is(200)["count"], 0);
    // Another name is no other collection.
    admin.patch("/api/collections/goods/", &json!({"access": {"create": ["signed_in"]}})).await.is(200);
    let renamed = meanwhile(&admin, &bob, "/api/collections/goods/", Some(json!({"name": "wares"}))).await;
    assert_eq!((&renamed["state"], &renamed["import"]["created"]), (&json!("done"), &json!(95)), "{renamed}");
    assert_eq!(admin.get("/api/records/wares/").await.is(200)["count"], 95);
}

#[tokio::test]
async fn an_export_of_no_records_comes_in_again() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    goods(&admin).await;
    for (format, kind) in [
        ("csv", "text/csv"),
        ("tsv", "text/tab-separated-values"),
        ("json", "application/json"),
        ("ndjson", "application/x-ndjson"),
        ("ndjson", ""),
    ] {
        let file = admin.get(&format!("/api/records/goods/export/?format={format}")).await;
        file.is(200);
        for query in ["", "?dry_run=true", "?key=code&on_conflict=update", "?on_error=skip", "?map=Wort=title"] {
            if query.contains("map") && file.text().contains("title") {
                continue;
            }
            let done = send(&admin, query, kind, file.text()).await.is(200);
            assert_eq!((&done["rows"], &done["state"]), (&json!(0), &json!("done")), "{format} {query}: {done}");
        }
    }
    // What says that it is a table has headings.
    let refused = send(&admin, "?format=csv", "text/csv", String::new()).await.refused(400);
    assert!(refused.errors.in_words().contains("The file is empty."), "{refused:?}");
}
