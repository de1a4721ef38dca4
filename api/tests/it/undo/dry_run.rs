//! What an undoing would do is told beforehand, and nothing is done.

use serde_json::{Value, json};

use super::{counted, delete, operation, reference, with_orders};
use crate::support::{Answer, Client, Coffer, path};

/// How many of what; definitions have no collection.
fn counts(answer: &Value) -> Vec<(String, String, u64)> {
    let word = |it: &Value, member: &str| it[member].as_str().unwrap_or_default().to_owned();
    let count = |it: &Value| (word(it, "collection"), word(it, "action"), it["count"].as_u64().unwrap());
    answer["counts"].as_array().unwrap().iter().map(count).collect()
}

/// What undoing would do.
async fn would(admin: &Client, operation: &str, changed: &str) -> Answer {
    let changed = if changed.is_empty() { String::new() } else { format!("&changed={changed}") };
    admin.post(&format!("/api/changes/{operation}/revert/?dry_run=true{changed}"), &json!({})).await
}

/// The same, and then that it does so.
async fn would_and_does(admin: &Client, operation: &str, changed: &str) -> Value {
    let told = would(admin, operation, changed).await;
    assert_eq!(told.header("operation"), "", "nothing was done");
    let told = told.is(200);
    let query = if changed.is_empty() { String::new() } else { format!("?changed={changed}") };
    let done = admin.post(&format!("/api/changes/{operation}/revert/{query}"), &json!({})).await.is(200);
    for member in ["reverts", "skipped", "not_restored"] {
        assert_eq!(told[member], done[member], "{member}");
    }
    let of_definitions =
        |it: &Value| counts(it).iter().filter(|(collection, ..)| collection.is_empty()).cloned().collect::<Vec<_>>();
    if of_definitions(&done).is_empty() {
        assert_eq!(counts(&told), counts(&done));
        assert_eq!(told["count"], done["count"]);
    }
    told
}

#[tokio::test]
async fn what_undoing_would_do_to_records_is_told() {
    let (_coffer, admin) = with_orders().await;
    let order = admin.record("orders", json!({"number": "A-1"})).await;
    let lines: Vec<_> = (0..5).map(|n| json!({"product": format!("Product {n}"), "order": order["id"]})).collect();
    let made = admin.post("/api/records/lines/", &json!(lines)).await.is(201);
    admin.record("notes", json!({"text": "n", "order": order["id"]})).await;
    let deleted = delete(&admin, &path("orders", &order)).await;
    let told = would_and_does(&admin, &deleted, "").await;
    let mut told = counts(&told);
    told.sort();
    assert_eq!(told, [counted("lines", "restore", 5), counted("notes", "update", 1), counted("orders", "restore", 1)]);

    // What would be refused is, and says why.
    let changed = admin.patch(&path("lines", &made[0]), &json!({"product": "Other"})).await;
    let changed = operation(&changed);
    admin.patch(&path("lines", &made[0]), &json!({"product": "Another"})).await.is(200);
    let refused = would(&admin, &changed, "").await.refused(409);
    assert_eq!((&refused.extra["count"], &refused.extra["examples"][0]["id"]), (&json!(1), &made[0]["id"]));
    assert_eq!(would(&admin, &changed, "skip").await.is(200)["skipped"], 1);
    would_and_does(&admin, &changed, "overwrite").await;
    would(&admin, "01920000-0000-4000-8000-000000000002", "").await.refused(404);
}

#[tokio::test]
async fn what_undoing_would_do_to_definitions_is_told() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("words", json!([{"name": "t", "type": "text"}])).await;
    let made = admin.post("/api/records/words/", &json!([{"t": "1"}, {"t": "2"}, {"t": "3"}])).await.is(201);
    let converted = operation(&admin.patch("/api/collections/words/fields/t/", &json!({"type": "integer"})).await);
    let before = admin.get("/api/collections/words/").await.is(200);
    admin.patch(&path("words", &made[0]), &json!({"t": 7})).await.is(200);
    let told = would_and_does(&admin, &converted, "").await;
    assert_eq!(counts(&told), [counted("", "update", 1), counted("words", "update", 3)]);
    assert_ne!(admin.get("/api/collections/words/").await.is(200), before);
    let added = admin.post("/api/collections/words/fields/", &json!({"name": "u", "type": "text"})).await;
    admin.patch(&path("words", &made[0]), &json!({"u": "x"})).await.is(200);
    let added = operation(&added);
    assert_eq!(would(&admin, &added, "").await.refused(409).extra["examples"][0]["part"], "fields.u");
    assert_eq!(would(&admin, &added, "skip").await.is(200)["skipped"], 1);
    would_and_does(&admin, &added, "overwrite").await;

    let deleted = delete(&admin, "/api/collections/words/").await;
    let told = would_and_does(&admin, &deleted, "").await;
    assert_eq!(told["count"], 4);
    let made = operation(
        &admin
            .post("/api/collections/", &json!({"name": "other", "fields": [reference("w", "words", "set_null")]}))
            .await,
    );
    would_and_does(&admin, &made, "").await;
    admin.get("/api/collections/other/").await.refused(404);
}
