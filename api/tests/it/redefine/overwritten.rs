//! Undoing a change of a definition where something was written since that does not go back.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

const FIELDS: &str = "/api/collections/rows/fields/";

async fn revert(admin: &Client, answer: &Answer, changed: &str) -> Answer {
    let query = if changed.is_empty() { String::new() } else { format!("?changed={changed}") };
    admin.post(&format!("/api/changes/{}/revert/{query}", answer.header("operation")), &json!({})).await
}

async fn field(admin: &Client, name: &str) -> Value {
    let collection = admin.get("/api/collections/rows/").await.is(200);
    let fields = collection["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).cloned().unwrap_or_default()
}

/// A collection of one field, and a record in it.
async fn rows(admin: &Client, mut of: Value, value: &Value) -> Value {
    of["name"] = json!("f");
    admin.delete("/api/collections/rows/").await;
    admin.collection("rows", json!([of, {"name": "n", "type": "integer"}])).await;
    admin.record("rows", json!({"f": value, "n": 1})).await
}

#[tokio::test]
async fn what_a_tighter_limit_does_not_take_becomes_what_it_was_before() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for (was, value, change, written) in [
        (json!({"type": "choice", "choices": ["a", "b"]}), json!("a"), json!({"choices": ["a", "b", "c"]}), json!("c")),
        (json!({"type": "text", "max_length": 3}), json!("abc"), json!({"max_length": 9}), json!("abcdef")),
        (json!({"type": "text", "required": true}), json!("abc"), json!({"required": false}), json!("")),
        (json!({"type": "integer", "max": 5}), json!(4), json!({"max": null}), json!(50)),
        (json!({"type": "decimal", "min": "1"}), json!("1.5"), json!({"min": "0"}), json!("0.5")),
        (json!({"type": "integer", "required": true}), json!(7), json!({"required": false}), json!(null)),
        (
            json!({"type": "json", "max_bytes": 10}),
            json!({"a": 1}),
            json!({"max_bytes": 100}),
            json!(["a", "b", "c", "d"]),
        ),
    ] {
        let made = rows(&admin, was.clone(), &value).await;
        let at = path("rows", &made);
        let before = field(&admin, "f").await;
        let changed = admin.patch(&format!("{FIELDS}f/"), &change).await;
        changed.is(200);
        let read = admin.get(&at).await;
        assert_eq!(read.header("etag"), format!("\"{}\"", made["revision"]), "{was}: records look as they did");
        admin.patch(&at, &json!({"n": 2})).await.is(200);
        admin.patch(&at, &json!({"f": written})).await.is(200);
        admin.patch(&at, &json!({"n": 3})).await.is(200);
        let other = admin.record("rows", json!({"f": value, "n": 4})).await;

        let refused = revert(&admin, &changed, "").await.refused(409);
        assert_eq!(refused.code, "changed_since", "{was}");
        let skipped = revert(&admin, &changed, "skip").await.is(200);
        assert_eq!(skipped["skipped"], 1, "{was}");
        assert_eq!(admin.get(&at).await.is(200)["f"], written, "{was}");
        let overwritten = revert(&admin, &changed, "overwrite").await;
        overwritten.is(200);
        assert_eq!(field(&admin, "f").await, before, "{was}");
        let read = admin.get(&at).await.is(200);
        assert_eq!((&read["f"], &read["n"]), (&value, &json!(3)), "{was}");
        assert_eq!(admin.get(&path("rows", &other)).await.is(200)["f"], value, "{was}");

        // Done again, it is as it was written.
        revert(&admin, &overwritten, "").await.is(200);
        assert_eq!(admin.get(&at).await.is(200)["f"], written, "{was}");
    }
}

/// A record that was made since has nothing before.
#[tokio::test]
async fn what_was_nothing_before_becomes_null_or_is_told() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, json!({"type": "integer", "max": 5}), &json!(1)).await;
    let changed = admin.patch(&format!("{FIELDS}f/"), &json!({"max": null})).await;
    let made = admin.record("rows", json!({"f": 50, "n": 2})).await;
    revert(&admin, &changed, "overwrite").await.is(200);
    assert_eq!(admin.get(&path("rows", &made)).await.is(200)["f"], json!(null));

    rows(&admin, json!({"type": "integer", "max": 5, "required": true}), &json!(1)).await;
    let changed = admin.patch(&format!("{FIELDS}f/"), &json!({"max": null})).await;
    let made = admin.record("rows", json!({"f": 50, "n": 2})).await;
    let refused = revert(&admin, &changed, "overwrite").await;
    assert!(refused.text().contains("changed=skip") && refused.text().contains("f: "), "{}", refused.text());
    refused.refused(409);
    assert_eq!(admin.get(&path("rows", &made)).await.is(200)["f"], 50);
    admin.patch(&path("rows", &made), &json!({"f": 3})).await.is(200);
    revert(&admin, &changed, "overwrite").await.is(200);
}

/// What is not unique any more may stand twice, and nobody can say which of the two goes.
#[tokio::test]
async fn two_of_a_value_that_was_unique_are_told() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, json!({"type": "text", "unique": true}), &json!("a")).await;
    let changed = admin.patch(&format!("{FIELDS}f/"), &json!({"unique": false})).await;
    let made = admin.record("rows", json!({"f": "a", "n": 2})).await;
    for how in ["", "overwrite"] {
        let refused = revert(&admin, &changed, how).await;
        assert!(refused.text().contains("changed=skip"), "{}", refused.text());
        refused.refused(409);
    }
    assert_eq!(revert(&admin, &changed, "skip").await.is(200)["skipped"], 1);
    admin.patch(&path("rows", &made), &json!({"f": "b"})).await.is(200);
    revert(&admin, &changed, "").await.is(200);
    assert_eq!(field(&admin, "f").await["unique"], true);
}

#[tokio::test]
async fn an_added_field_that_was_written_to_stays_where_that_is_to_be_skipped() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, json!({"type": "text"}), &json!("a")).await;
    let changed = admin
        .patch(
            "/api/collections/rows/",
            &json!({"description": "More", "fields": [
                {"name": "f", "type": "text"}, {"name": "n", "type": "integer"},
                {"name": "written", "type": "text"}, {"name": "empty", "type": "text"},
            ]}),
        )
        .await;
    changed.is(200);
    admin.patch(&path("rows", &made), &json!({"written": "w"})).await.is(200);
    revert(&admin, &changed, "").await.refused(409);
    let skipped = revert(&admin, &changed, "skip").await.is(200);
    assert_eq!(skipped["skipped"], 1, "{skipped}");
    let after = admin.get("/api/collections/rows/").await.is(200);
    let names: Vec<_> = after["fields"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
    assert_eq!(names, ["f", "n", "written"], "the other goes");
    assert_eq!(after["description"], "");
    assert_eq!(admin.get(&path("rows", &made)).await.is(200)["written"], "w");
}

/// That a field takes more says nothing of what records look like; that fields stand in another order does.
#[tokio::test]
async fn records_show_another_order_also_where_a_limit_is_loosened_with_it() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, json!({"type": "integer", "max": 5}), &json!(1)).await;
    let fields = json!([{"name": "n", "type": "integer"}, {"name": "f", "type": "integer", "max": 9}]);
    admin.patch("/api/collections/rows/", &json!({"fields": fields})).await.is(200);
    let read = admin.get(&path("rows", &made)).await;
    let at = |name: &str| read.text().find(&format!("\"{name}\":")).unwrap();
    assert!(at("n") < at("f"), "{}", read.text());
}
