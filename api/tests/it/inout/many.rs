//! Changing and deleting all that a filter finds: all or none, said beforehand, and one operation.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

const LIST: &str = "/api/records/snacks/";

async fn snacks() -> (Coffer, Client, Vec<Value>) {
    let (coffer, admin) = Coffer::with_admin().await;
    let fields = json!([
        {"name": "title", "type": "text", "unique": true}, {"name": "kind", "type": "text"},
        {"name": "stock", "type": "integer", "min": 0, "nullable": true},
    ]);
    admin.collection("snacks", fields).await;
    let row = |n: usize| json!({"title": format!("t{n}"), "kind": if n < 6 { "sweet" } else { "salty" }, "stock": n});
    let made = admin.post(LIST, &(0..10).map(row).collect::<Value>()).await.is(201);
    (coffer, admin, made.as_array().unwrap().clone())
}

async fn patch(client: &Client, query: &str, body: Value) -> Answer {
    client.patch(&format!("{LIST}?{query}"), &body).await
}

async fn kinds(client: &Client) -> Vec<Value> {
    client.column(&format!("{LIST}?page_size=100"), "kind").await
}

#[tokio::test]
async fn all_that_a_filter_finds_are_changed_in_one_operation_that_can_be_undone() {
    let (_coffer, admin, _) = snacks().await;
    let before = kinds(&admin).await;
    let dry = patch(&admin, "kind=sweet&max=6&dry_run=true", json!({"kind": "gone"})).await;
    let told = json!([{"subject": "record", "collection": "snacks", "action": "update", "count": 6}]);
    assert_eq!(dry.is(200), json!({"count": 6, "counts": told, "dry_run": true}));
    assert_eq!((kinds(&admin).await, dry.header("operation")), (before.clone(), ""));
    let done = patch(&admin, "kind=sweet&max=6", json!({"kind": "gone"})).await;
    assert_eq!(done.is(200), json!({"count": 6, "counts": told, "dry_run": false}));
    assert_eq!(admin.column(&format!("{LIST}?kind=gone&page_size=100"), "id").await.len(), 6);
    // Somebody who has it already is left alone.
    assert_eq!(patch(&admin, "kind=gone&max=6", json!({"kind": "gone"})).await.is(200)["counts"], json!([]));
    admin.post(&format!("/api/changes/{}/revert/", done.header("operation")), &json!({})).await.is(200);
    assert_eq!(kinds(&admin).await, before);

    let deleted = admin.delete(&format!("{LIST}?stock__gte=8&max=2")).await;
    assert_eq!(deleted.is(200)["count"], 2);
    assert_eq!(kinds(&admin).await.len(), 8);
    admin.post(&format!("/api/changes/{}/revert/", deleted.header("operation")), &json!({})).await.is(200);
    assert_eq!(kinds(&admin).await, before);
    assert_eq!(admin.delete(&format!("{LIST}?all=true&max=10&dry_run=true")).await.is(200)["count"], 10);
    assert_eq!(admin.delete(&format!("{LIST}?all=true&max=10")).await.is(200)["count"], 10);
    assert!(kinds(&admin).await.is_empty());
    assert_eq!(
        admin.delete(&format!("{LIST}?all=true&max=10")).await.is(200),
        json!({"count": 0, "counts": [], "dry_run": false})
    );
}

#[tokio::test]
async fn nothing_is_done_to_more_than_was_said_or_without_a_condition() {
    let (_coffer, admin, _) = snacks().await;
    let before = kinds(&admin).await;
    for (query, place) in [
        ("max=10", "non_field_errors"),
        ("kind=sweet", "max"),
        ("kind=&max=10", "kind"),
        ("kind=sweet&stock=&max=10", "stock"),
        ("knid=sweet&max=10", "knid"),
        ("kind=sweet&mx=10&max=10", "mx"),
        ("title__in=,&max=10", "title__in"),
        ("all=true&kind=sweet&max=10", "non_field_errors"),
        ("all=yes&max=10", "all"),
        ("stock__isnull=any&max=10", "stock__isnull"),
        ("filter=&max=10", "filter"),
        ("search=%2C&max=10", "search"),
    ] {
        for lenient in [false, true] {
            for dry in ["", "&dry_run=true"] {
                let address = format!("{LIST}?{query}{dry}");
                let asked = |method: Method| {
                    let request = admin.request(method, &address);
                    if lenient { request.header("prefer", "handling=lenient") } else { request }
                };
                let deleted = Answer::of(asked(Method::DELETE)).await.refused(400);
                assert!(deleted.errors.0.contains_key(place), "{query}: {deleted:?}");
                let request = asked(Method::PATCH).header("content-type", "application/json").body("{\"kind\":\"x\"}");
                let patched = Answer::of(request).await.refused(400);
                assert!(patched.errors.0.contains_key(place), "{query}: {patched:?}");
            }
        }
    }
    patch(&admin, "kind=sweet&max=5", json!({"kind": "x"})).await.refused(409);
    admin.delete(&format!("{LIST}?kind=sweet&max=5")).await.refused(409);
    // One that does not fit keeps all as they are.
    patch(&admin, "kind=sweet&max=6", json!({"stock": {"$add": -1}})).await.refused(400);
    patch(&admin, "kind=sweet&max=6", json!({"title": "same"})).await.refused(409);
    patch(&admin, "kind=nothing&max=6", json!({"zzz": 1})).await.refused(400);
    patch(&admin, "kind=nothing&max=6", json!({"stock": "x"})).await.refused(400);
    patch(&admin, "kind=sweet&max=6", json!({"id": "01920000-0000-7000-8000-000000000001"})).await.refused(400);
    assert_eq!(kinds(&admin).await, before);
    let added = patch(&admin, "kind=sweet&max=6", json!({"stock": {"$add": 2}})).await.is(200);
    assert_eq!(added["counts"][0]["count"], 6);
    let stock = admin.column(&format!("{LIST}?page_size=100&ordering=title"), "stock").await;
    assert_eq!(stock, [2, 3, 4, 5, 6, 7, 6, 7, 8, 9].map(Value::from));
}

#[tokio::test]
async fn what_is_not_the_callers_to_change_keeps_all_as_they_are() {
    let (coffer, admin, made) = snacks().await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    bob.record("snacks", json!({"title": "bobs", "kind": "sweet"})).await;
    patch(&bob, "kind=sweet&max=100", json!({"kind": "x"})).await.refused(403);
    bob.delete(&format!("{LIST}?kind=sweet&max=100")).await.refused(403);
    assert_eq!(patch(&bob, &format!("owner={}&max=100", bob.id), json!({"kind": "x"})).await.is(200)["count"], 1);
    // Of who lists their own records only these are found.
    admin
        .patch(
            "/api/collections/snacks/",
            &json!({"access": {"list": ["owner"], "view": ["owner"], "update": ["owner"], "delete": ["owner"]}}),
        )
        .await
        .is(200);
    assert_eq!(bob.delete(&format!("{LIST}?all=true&max=1")).await.is(200)["count"], 1);
    assert_eq!(admin.get(&path("snacks", &made[0])).await.is(200)["kind"], "sweet");
    coffer.stranger().delete(&format!("{LIST}?all=true&max=1")).await.refused(401);
}

#[tokio::test]
async fn what_refers_to_deleted_records_goes_along_or_keeps_them() {
    let (_coffer, admin, made) = snacks().await;
    for (name, on_delete) in [("orders", "cascade"), ("notes", "restrict")] {
        let field = json!([{"name": "snack", "type": "reference", "collection": "snacks", "on_delete": on_delete}]);
        admin.collection(name, field).await;
    }
    for snack in &made[..3] {
        admin.record("orders", json!({"snack": snack["id"]})).await;
    }
    let note = admin.record("notes", json!({"snack": made[9]["id"]})).await;
    admin.delete(&format!("{LIST}?all=true&max=10")).await.refused(409);
    admin.delete(&path("notes", &note)).await.is(204);
    let done = admin.delete(&format!("{LIST}?all=true&max=10")).await;
    let counts = done.is(200)["counts"].clone();
    assert!(counts.as_array().unwrap().iter().any(|it| it["collection"] == "orders" && it["count"] == 3), "{counts}");
    admin.post(&format!("/api/changes/{}/revert/", done.header("operation")), &json!({})).await.is(200);
    assert_eq!(admin.column("/api/records/orders/", "snack").await.len(), 3);
    assert!(!text(&made[0], "id").is_empty());
}
