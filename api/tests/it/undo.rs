//! Undoing what a request did: all of it comes back, or nothing; under the rules of who asks.

mod dry_run;
mod large;
mod model;
mod versions;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

/// The operation that an answer says its request was.
pub(crate) fn operation(answer: &Answer) -> String {
    let id = answer.header("operation").to_owned();
    assert!(!id.is_empty(), "{} names no operation: {}", answer.status, answer.text());
    id
}

/// Undoes an operation.
async fn revert(client: &Client, operation: &str, query: &str) -> Answer {
    client.post(&format!("/api/changes/{operation}/revert/{query}"), &json!({})).await
}

async fn delete(client: &Client, path: &str) -> String {
    let answer = client.delete(path).await;
    let operation = operation(&answer);
    answer.is(204);
    operation
}

fn reference(name: &str, collection: &str, on_delete: &str) -> Value {
    json!({"name": name, "type": "reference", "collection": collection, "on_delete": on_delete, "nullable": true})
}

/// Orders, the lines of each, which go with it, and notes, which stay.
async fn with_orders() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("orders", json!([{"name": "number", "type": "text", "unique": true}])).await;
    let product = json!({"name": "product", "type": "text", "unique": true, "nullable": true});
    admin.collection("lines", json!([product, reference("order", "orders", "cascade")])).await;
    admin
        .collection("notes", json!([{"name": "text", "type": "text"}, reference("order", "orders", "set_null")]))
        .await;
    (coffer, admin)
}

/// Everything in a collection, but for when it was written.
async fn all(client: &Client, collection: &str) -> Vec<Value> {
    let path = format!("/api/records/{collection}/?page_size=1000&ordering=id");
    let mut records = client.get(&path).await.is(200)["results"].as_array().unwrap().clone();
    for record in &mut records {
        let record = record.as_object_mut().unwrap();
        record.remove("revision");
        record.remove("updated_at");
    }
    records
}

fn counts(answer: &Value) -> Vec<(String, String, u64)> {
    let count = |it: &Value| (text(it, "collection"), text(it, "action"), it["count"].as_u64().unwrap());
    answer["counts"].as_array().unwrap().iter().map(count).collect()
}

fn counted(collection: &str, action: &str, count: u64) -> (String, String, u64) {
    (collection.to_owned(), action.to_owned(), count)
}

#[tokio::test]
async fn an_order_with_500_lines_comes_back_whole() {
    let (_coffer, admin) = with_orders().await;
    let order = admin.record("orders", json!({"number": "A-1"})).await;
    let lines: Vec<_> = (0..500).map(|n| json!({"product": format!("Product {n}"), "order": order["id"]})).collect();
    admin.post("/api/records/lines/", &json!(lines)).await.is(201);
    for n in 0..3 {
        admin.record("notes", json!({"text": format!("Note {n}"), "order": order["id"]})).await;
    }
    let before = [all(&admin, "orders").await, all(&admin, "lines").await, all(&admin, "notes").await];

    let told = admin.delete(&format!("{}?dry_run=true", path("orders", &order))).await;
    assert!(told.header("operation").is_empty());
    let told = told.is(200);
    assert_eq!(told["count"], 504);
    let due = [counted("orders", "delete", 1), counted("lines", "delete", 500), counted("notes", "update", 3)];
    assert_eq!(counts(&told), due);
    assert_eq!(all(&admin, "lines").await.len(), 500, "nothing was deleted yet");

    let operation = delete(&admin, &path("orders", &order)).await;
    assert!(all(&admin, "lines").await.is_empty());
    let did = admin.get(&format!("/api/changes/{operation}/")).await.is(200);
    assert_eq!((&did["count"], counts(&did)), (&json!(504), due.to_vec()));
    assert_eq!((did["results"].as_array().unwrap().len(), &did["by"]), (200, &json!(admin.id)));
    let mut seen = 200;
    let mut next = did["next"].clone();
    while let Some(address) = next.as_str() {
        let more = admin.get(address.strip_prefix(&admin.base).unwrap()).await.is(200);
        seen += more["results"].as_array().unwrap().len();
        next = more["next"].clone();
    }
    assert_eq!(seen, 504);

    let undone = revert(&admin, &operation, "").await;
    let redo = self::operation(&undone);
    let undone = undone.is(200);
    assert_eq!((&undone["count"], &undone["operation"], &undone["state"]), (&json!(504), &json!(redo), &json!("done")));
    assert_eq!([all(&admin, "orders").await, all(&admin, "lines").await, all(&admin, "notes").await], before);

    // Undoing the undoing does it again, and undoing that brings it back.
    let undo = revert(&admin, &redo, "").await;
    let again = self::operation(&undo);
    undo.is(200);
    assert!(all(&admin, "lines").await.is_empty() && all(&admin, "orders").await.is_empty());
    assert!(all(&admin, "notes").await.iter().all(|note| note["order"].is_null()));
    let whole = admin.get(&format!("/api/changes/{again}/")).await.is(200);
    assert_eq!(whole["reverts"], json!(redo));
    revert(&admin, &again, "").await.is(200);
    assert_eq!([all(&admin, "orders").await, all(&admin, "lines").await, all(&admin, "notes").await], before);
}

#[tokio::test]
async fn what_was_changed_since_is_told_and_can_be_skipped_or_overwritten() {
    let (_coffer, admin) = with_orders().await;
    let many: Vec<_> = (0..4).map(|n| json!({"product": format!("{n}")})).collect();
    let made = admin.post("/api/records/lines/", &json!(many)).await;
    let operation = operation(&made);
    let made = made.is(201);
    admin.patch(&path("lines", &made[1]), &json!({"product": "other"})).await.is(200);
    admin.delete(&path("lines", &made[2])).await.is(204);

    let refused = revert(&admin, &operation, "").await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("changed_since", &json!(2)));
    let reasons: Vec<_> = refused.extra["examples"].as_array().unwrap().iter().map(|it| text(it, "reason")).collect();
    assert_eq!(reasons, ["changed", "deleted"]);
    assert_eq!(all(&admin, "lines").await.len(), 3, "nothing was undone");

    let skipped = revert(&admin, &operation, "?changed=skip").await.is(200);
    assert_eq!((&skipped["count"], &skipped["skipped"]), (&json!(2), &json!(2)));
    assert_eq!(admin.column("/api/records/lines/", "product").await, ["other"]);
    let rest = revert(&admin, &operation, "?changed=overwrite").await.is(200);
    assert_eq!(counts(&rest), [counted("lines", "delete", 1)]);
    assert!(all(&admin, "lines").await.is_empty());
    revert(&admin, &operation, "?changed=maybe").await.refused(400);
}

#[tokio::test]
async fn several_changes_are_undone_one_after_another() {
    let (_coffer, admin) = with_orders().await;
    let line = admin.record("lines", json!({"product": "one"})).await;
    let place = path("lines", &line);
    let mut operations = Vec::new();
    for product in ["two", "three", "four"] {
        operations.push(operation(&admin.patch(&place, &json!({"product": product})).await));
    }
    operations.push(delete(&admin, &place).await);
    for (operation, product) in operations.iter().rev().zip(["four", "three", "two", "one"]) {
        revert(&admin, operation, "").await.is(200);
        assert_eq!(admin.get(&place).await.is(200)["product"], product);
    }
    let twice = revert(&admin, &operations[0], "").await.refused(409);
    assert_eq!(twice.code, "changed_since");
    // What changes nothing is no operation, and neither is signing in.
    let same = admin.patch(&place, &json!({"product": "one"})).await;
    assert!(same.header("operation").is_empty());
    same.is(200);
}

#[tokio::test]
async fn what_would_break_something_else_is_refused() {
    let (_coffer, admin) = with_orders().await;
    let made = admin.post("/api/records/orders/", &json!({"number": "A-1"})).await;
    let creation = operation(&made);
    let order = made.is(201);
    let line = admin.record("lines", json!({"product": "x", "order": order["id"]})).await;
    // A line hangs on the order that would go.
    let refused = revert(&admin, &creation, "").await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "referred");
    let refused = revert(&admin, &creation, "?changed=overwrite").await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "referred");

    // The order that the line belongs to is gone for good, and its product is another's.
    let gone = delete(&admin, &path("lines", &line)).await;
    let order_gone = delete(&admin, &path("orders", &order)).await;
    let refused = revert(&admin, &gone, "").await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "missing_reference");
    revert(&admin, &order_gone, "").await.is(200);
    let other = admin.record("lines", json!({"product": "x"})).await;
    let refused = revert(&admin, &gone, "").await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "taken");
    admin.delete(&path("lines", &other)).await.is(204);
    revert(&admin, &gone, "").await.is(200);
}

#[tokio::test]
async fn rules_hold_for_undoing_too() {
    let (coffer, admin) = with_orders().await;
    let rules = |list: &str, update: &str, delete: &str| json!({"access": {"list": [list], "view": [list], "create": ["signed_in"], "update": [update], "delete": [delete]}});
    admin.patch("/api/collections/orders/", &rules("signed_in", "owner", "owner")).await.is(200);
    admin.patch("/api/collections/lines/", &rules("role:clerk", "role:clerk", "role:clerk")).await.is(200);
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let order = ulla.record("orders", json!({"number": "A-1"})).await;
    let lines: Vec<_> = (0..3).map(|n| json!({"product": format!("{n}"), "order": order["id"]})).collect();
    let lines = admin.post("/api/records/lines/", &json!(lines)).await.is(201);
    let before = all(&admin, "lines").await;

    // She may not look at the lines: they go with the order, and come back with it, and are not told of.
    let told = ulla.delete(&format!("{}?dry_run=true", path("orders", &order))).await.is(200);
    assert_eq!(counts(&told), [counted("orders", "delete", 1)]);
    otto.delete(&format!("{}?dry_run=true", path("orders", &order))).await.refused(403);
    let operation = delete(&ulla, &path("orders", &order)).await;
    let did = ulla.get(&format!("/api/changes/{operation}/")).await.is(200);
    assert_eq!(counts(&did), [counted("orders", "delete", 1)]);
    revert(&otto, &operation, "").await.refused(403);
    revert(&coffer.stranger(), &operation, "").await.refused(401);
    assert!(all(&admin, "lines").await.is_empty());
    let undone = revert(&ulla, &operation, "").await.is(200);
    assert_eq!(counts(&undone), [counted("orders", "restore", 1)]);
    assert_eq!(all(&admin, "lines").await, before);

    // A line that she may not see was changed since: it stays, the others come back, and she is told nothing of it.
    let again = delete(&ulla, &path("orders", &order)).await;
    admin.record("lines", json!({"product": "1"})).await;
    let undone = revert(&ulla, &again, "").await.is(200);
    assert_eq!((counts(&undone), &undone["skipped"]), (vec![counted("orders", "restore", 1)], &json!(0)));
    assert_eq!(all(&admin, "lines").await.len(), 3);
    // And again: there is nothing left to do for her, whatever became of the lines.
    let refused = revert(&ulla, &again, "").await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "restored");
    let undone = revert(&ulla, &again, "?changed=overwrite").await.is(200);
    assert_eq!(counts(&undone), [counted("orders", "update", 1)]);

    // What is nothing for a caller is not there, as what never was.
    let secret = self::operation(&admin.patch(&path("lines", &lines[0]), &json!({"product": "new"})).await);
    for id in [&secret, "0197c0de-0000-4000-8000-000000000001"] {
        otto.get(&format!("/api/changes/{id}/")).await.refused(404);
        revert(&otto, id, "").await.refused(404);
    }
}

/// Undoing tells no more of what the caller may not see than the change itself would.
#[tokio::test]
async fn undoing_tells_nothing_of_what_is_hidden() {
    let (coffer, admin) = Coffer::with_admin().await;
    let rules = |view: &str| json!({"list": [view], "view": [view], "create": ["signed_in"], "update": [view], "delete": [view]});
    let name = json!({"name": "name", "type": "text", "unique": true, "nullable": true});
    for (collection, view, fields) in [
        ("secrets", "role:clerk", json!([name])),
        ("things", "owner", json!([name, reference("secret", "secrets", "restrict")])),
        ("followers", "role:clerk", json!([reference("thing", "things", "cascade")])),
        ("notes", "role:clerk", json!([reference("thing", "things", "set_null")])),
    ] {
        let definition = json!({"name": collection, "fields": fields, "access": rules(view)});
        admin.post("/api/collections/", &definition).await.is(201);
    }
    let ben = coffer.user(&admin, "ben", json!({})).await;

    // A unique value that somebody else has now, whom he may not see.
    let thing = ben.record("things", json!({"name": "v1"})).await;
    let changed = operation(&ben.patch(&path("things", &thing), &json!({"name": "v2"})).await);
    let taken = admin.record("things", json!({"name": "v1"})).await;
    for query in ["", "?changed=skip", "?changed=overwrite"] {
        let refused = revert(&ben, &changed, query).await.refused(409);
        assert!(!refused.extra.contains_key("examples"), "{query}: {refused:?}");
    }
    // Each counts as a guess, as with a change.
    for _ in 3..11 {
        revert(&ben, &changed, "").await.refused(409);
    }
    revert(&ben, &changed, "").await.refused(429);
    ben.patch(&path("things", &thing), &json!({"name": "v1"})).await.refused(429);
    // Somebody who sees the other is told.
    let refused = revert(&admin, &changed, "").await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "taken");
    admin.delete(&path("things", &taken)).await.is(204);
    revert(&admin, &changed, "").await.is(200);

    // What a reference leads to that he may not see is not there, whether or not it is.
    let secret = admin.record("secrets", json!({"name": "s"})).await;
    let thing = ben.record("things", json!({})).await;
    admin.patch(&path("things", &thing), &json!({"secret": secret["id"]})).await.is(200);
    let emptied = operation(&ben.patch(&path("things", &thing), &json!({"secret": null})).await);
    let there = revert(&ben, &emptied, "").await.refused(409);
    admin.delete(&path("secrets", &secret)).await.is(204);
    let gone = revert(&ben, &emptied, "").await.refused(409);
    assert_eq!(there.extra, gone.extra);

    // What he may not see goes with what he made, as with a deletion.
    let made = ben.post("/api/records/things/", &json!({})).await;
    let creation = operation(&made);
    let thing = made.is(201);
    admin.record("followers", json!({"thing": thing["id"]})).await;
    let note = admin.record("notes", json!({"thing": thing["id"]})).await;
    let undone = revert(&ben, &creation, "").await.is(200);
    assert_eq!(counts(&undone), [counted("things", "delete", 1)]);
    assert!(all(&admin, "followers").await.is_empty());
    assert_eq!(admin.get(&path("notes", &note)).await.is(200)["thing"], Value::Null);
    // And comes back with it, after which somebody else's collection goes.
    let again = revert(&ben, &text(&undone, "operation"), "").await.is(200);
    assert_eq!(counts(&again), [counted("things", "restore", 1)]);
    assert_eq!(
        (all(&admin, "followers").await.len(), admin.get(&path("notes", &note)).await.is(200)["thing"].clone()),
        (1, thing["id"].clone())
    );
    let deleted = delete(&ben, &path("things", &thing)).await;
    admin.delete("/api/collections/followers/").await.is(204);
    let undone = revert(&ben, &deleted, "").await.is(200);
    assert_eq!(counts(&undone), [counted("things", "restore", 1)]);
}

#[tokio::test]
async fn fields_that_are_gone_are_told() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let field = |name: &str| json!({"name": name, "type": "text"});
    admin.collection("snacks", json!([field("title"), field("maker")])).await;
    let snack = admin.record("snacks", json!({"title": "Popcorn", "maker": "Ada"})).await;
    let operation = delete(&admin, &path("snacks", &snack)).await;
    let changed = admin.patch("/api/collections/snacks/?drop=maker", &json!({"fields": [field("title")]})).await;
    if changed.status == 400 {
        admin.patch("/api/collections/snacks/", &json!({"fields": [field("title")]})).await.is(200);
    } else {
        changed.is(200);
    }
    let undone = revert(&admin, &operation, "").await.is(200);
    assert_eq!(undone["not_restored"], json!([{"collection": "snacks", "field": "maker", "count": 1}]));
    admin.delete(&path("snacks", &snack)).await.is(204);
    let restored =
        admin.post(&format!("{}history/{}/restore/", path("snacks", &snack), snack["revision"]), &json!({})).await;
    assert_eq!(restored.header("not-restored"), "maker");
    restored.is(200);
}

#[tokio::test]
async fn what_is_no_record_is_listed_and_said_not_to_be_revertible() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = admin.post("/api/collections/", &json!({"name": "snacks", "fields": []})).await;
    let id = operation(&made);
    made.is(201);
    let did = admin.get(&format!("/api/changes/{id}/")).await.is(200);
    assert_eq!((&did["counts"][0]["subject"], &did["counts"][0]["action"]), (&json!("collection"), &json!("create")));
    assert_eq!(did["results"][0]["operation"], json!(id));
    let listed = admin.get("/api/changes/").await.is(200);
    assert!(listed["results"].as_array().unwrap().iter().any(|change| change["operation"] == json!(id)));
}
