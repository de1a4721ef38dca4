//! Versions of records that can not be put back in all: the rest is, and what is not is said.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

/// Puts a version back.
async fn restore(admin: &Client, collection: &str, version: &Value) -> Answer {
    let address = format!("{}history/{}/restore/", path(collection, version), version["revision"]);
    admin.post(&address, &json!({})).await
}

#[tokio::test]
async fn a_version_comes_back_without_references_to_what_is_gone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let reference =
        |name: &str| json!({"name": name, "type": "reference", "collection": "makers", "on_delete": "set_null"});
    let many = json!({"name": "many", "type": "reference", "collection": "makers", "many": true});
    let fields = json!([{"name": "t", "type": "text"}, reference("one"), many]);
    admin.collection("words", fields).await;
    let (a, b) =
        (admin.record("makers", json!({"name": "a"})).await, admin.record("makers", json!({"name": "b"})).await);
    let first = json!({"t": "first", "one": a["id"], "many": [a["id"], b["id"]]});
    let version = admin.record("words", first.clone()).await;
    let deleted = admin.record("words", first).await;
    admin.delete(&path("words", &deleted)).await.is(204);
    admin.patch(&path("words", &version), &json!({"t": "second", "one": b["id"], "many": []})).await.is(200);
    let gone = admin.delete(&path("makers", &a)).await;

    // What is there now stays where there is one.
    let restored = restore(&admin, "words", &version).await;
    assert_eq!(restored.header("not-restored"), "one, many");
    let now = restored.is(200);
    assert_eq!((&now["t"], &now["one"], &now["many"]), (&json!("first"), &b["id"], &json!([b["id"]])));
    let restored = restore(&admin, "words", &deleted).await;
    assert_eq!(restored.header("not-restored"), "one, many");
    let now = restored.is(200);
    assert_eq!((&now["t"], &now["one"], &now["many"]), (&json!("first"), &Value::Null, &json!([b["id"]])));
    // With what it refers to, all of it comes back.
    admin
        .post(&format!("/api/changes/{}/revert/?changed=overwrite", gone.header("operation")), &json!({}))
        .await
        .is(200);
    let restored = restore(&admin, "words", &version).await;
    assert_eq!((restored.header("not-restored"), &restored.is(200)["one"]), ("", &a["id"]));
}

#[tokio::test]
async fn a_version_whose_reference_has_to_be_there_says_what_to_do() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let maker = json!({"name": "maker", "type": "reference", "collection": "makers", "required": true});
    admin.collection("words", json!([{"name": "t", "type": "text"}, maker])).await;
    let (a, b) =
        (admin.record("makers", json!({"name": "a"})).await, admin.record("makers", json!({"name": "b"})).await);
    let version = admin.record("words", json!({"t": "first", "maker": a["id"]})).await;
    admin.patch(&path("words", &version), &json!({"t": "second", "maker": b["id"]})).await.is(200);
    admin.delete(&path("makers", &a)).await.is(204);
    let restored = restore(&admin, "words", &version).await;
    assert_eq!(restored.header("not-restored"), "maker");
    let now = restored.is(200);
    assert_eq!((&now["t"], &now["maker"]), (&json!("first"), &b["id"]));
    admin.delete(&path("words", &version)).await.is(204);
    let refused = restore(&admin, "words", &version).await;
    assert!(refused.text().contains("\\\"maker\\\" has to refer to a record"), "{}", refused.text());
    refused.refused(409);
    admin.get(&path("words", &version)).await.refused(404);
}

#[tokio::test]
async fn a_value_that_a_conversion_made_null_is_told() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("words", json!([{"name": "t", "type": "text"}, {"name": "v", "type": "text"}])).await;
    let version = admin.record("words", json!({"t": "first", "v": "abc"})).await;
    let kept = admin.record("words", json!({"t": "kept", "v": "12"})).await;
    let deletion = admin.delete(&path("words", &kept)).await;
    let other = admin.record("words", json!({"t": "gone", "v": "abc"})).await;
    let deleted = admin.delete(&path("words", &other)).await;
    admin.patch(&path("words", &version), &json!({"t": "second"})).await.is(200);
    let body = json!({"type": "integer", "nullable": true, "convert": ["number", "null"]});
    admin.patch("/api/collections/words/fields/v/", &body).await.is(200);
    let restored = restore(&admin, "words", &version).await;
    assert_eq!((restored.header("not-restored"), &restored.is(200)["v"]), ("v", &Value::Null));
    admin.patch(&path("words", &version), &json!({"t": "third", "v": 7})).await.is(200);
    let restored = restore(&admin, "words", &version).await;
    assert_eq!(restored.header("not-restored"), "v");
    let now = restored.is(200);
    assert_eq!((&now["t"], &now["v"]), (&json!("first"), &json!(7)), "it stays as it is");
    // The same of what is undone.
    let undo = async |answer: &Answer| {
        admin.post(&format!("/api/changes/{}/revert/", answer.header("operation")), &json!({})).await.is(200)
    };
    assert_eq!(undo(&deletion).await["not_restored"], json!([]));
    let undone = undo(&deleted).await;
    assert_eq!(undone["not_restored"], json!([{"collection": "words", "field": "v", "count": 1}]));
    assert_eq!(admin.get(&path("words", &kept)).await.is(200)["v"], 12);
}
