//! A collection of some thousand records is gone at once, and its bytes later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Client, Coffer, path,
    server::{Server, coffer, said},
    text,
};

/// A collection `rows` of so many records, each of which refers to `target`.
async fn rows(admin: &Client, count: usize, target: &Value) -> Vec<Value> {
    let fields = json!([
        {"name": "n", "type": "integer", "unique": true},
        {"name": "word", "type": "text", "indexed": true},
        {"name": "to", "type": "reference", "collection": "targets", "on_delete": "restrict"},
        {"name": "next", "type": "reference", "collection": "rows", "on_delete": "cascade", "nullable": true},
    ]);
    admin.collection("rows", fields).await;
    let mut made: Vec<Value> = Vec::new();
    for start in (0..count).step_by(500) {
        let next = made.last().map(|last| last["id"].clone());
        let all: Vec<Value> = (start..count.min(start + 500))
            .map(|n| json!({"n": n, "word": format!("w{}", n % 7), "to": target["id"], "next": next}))
            .collect();
        made.extend(admin.post("/api/records/rows/", &json!(all)).await.is(201).as_array().unwrap().clone());
    }
    made
}

async fn over(admin: &Client, operation: &str) -> Value {
    loop {
        let seen = admin.get(&format!("/api/operations/{operation}/")).await.is(200);
        if ["done", "failed", "stopped"].contains(&text(&seen, "state").as_str()) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_collection_is_gone_at_once_for_everybody_and_later_from_the_disk() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("targets", json!([{"name": "name", "type": "text"}])).await;
    let target = admin.record("targets", json!({"name": "t"})).await;
    let made = rows(&admin, 1700, &target).await;
    let before = admin.get("/api/users/me/").await.is(200)["usage"].clone();
    assert_eq!(before["records"], 1701);
    admin.delete(&path("targets", &target)).await.refused(409);

    // It is told beforehand what would go.
    let told = admin.delete("/api/collections/rows/?dry_run=true").await.is(200);
    let counts = json!([
        {"subject": "collection", "action": "delete", "count": 1},
        {"subject": "record", "collection": "rows", "action": "delete", "count": 1700}
    ]);
    assert_eq!((&told["count"], &told["counts"]), (&json!(1701), &counts));
    admin.delete("/api/collections/targets/?dry_run=true").await.refused(409);
    admin.delete("/api/collections/nothing/?dry_run=true").await.refused(404);
    assert_eq!(admin.get("/api/collections/rows/").await.is(200)["count"], 1700);

    let deleted = admin.delete("/api/collections/rows/").await;
    assert!([202, 204].contains(&deleted.status), "{}", deleted.text());
    let operation = deleted.header("operation").to_owned();
    if deleted.status == 202 {
        assert_eq!(text(&deleted.is(202), "kind"), "delete_collection");
        assert!(deleted.header("location").ends_with(&format!("/api/operations/{operation}/")));
    }
    let usage = admin.get("/api/users/me/").await.is(200)["usage"].clone();
    assert_eq!(usage["records"], 1, "{usage}");
    admin.get("/api/collections/rows/").await.refused(404);
    admin.get(&path("rows", &made[1699])).await.refused(404);
    assert_eq!(admin.column("/api/collections/", "name").await, ["targets"]);
    admin.delete(&path("targets", &target)).await.is(204);
    // Another collection may have the name.
    admin.collection("rows", json!([{"name": "n", "type": "integer", "unique": true}])).await;
    admin.record("rows", json!({"n": 5})).await;

    assert_eq!(over(&admin, &operation).await["state"], "done");
    let told = admin.get(&format!("/api/changes/{operation}/")).await.is(200);
    assert_eq!(told["count"], 1701, "{}", told["counts"]);
    assert_eq!(admin.get("/api/users/me/").await.is(200)["usage"]["records"], 1);
    assert_eq!(admin.column("/api/records/rows/", "n").await, [5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_goes_on_with_a_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let mut admin = server.set_up().await;
    admin.collection("targets", json!([{"name": "name", "type": "text"}])).await;
    let target = admin.record("targets", json!({"name": "t"})).await;
    rows(&admin, 1500, &target).await;
    let deletion = tokio::spawn({
        let admin = admin.clone();
        async move {
            admin
                .http
                .delete(format!("{}/api/collections/rows/", admin.base))
                .bearer_auth(admin.access.unwrap())
                .send()
                .await
        }
    });
    // As soon as it is gone, in the middle of it.
    while admin.get("/api/collections/rows/").await.status == 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut checked = 0;
    loop {
        drop(server);
        let said = said(&coffer(&["check"], &data));
        assert!(said.starts_with("0: "), "{said}");
        checked += 1;
        server = Server::start(&data, &[]);
        admin = server.sign_in(crate::support::ADMIN).await;
        assert_eq!(admin.get("/api/collections/rows/").await.status, 404);
        let operations = admin.get("/api/operations/").await.is(200);
        let state = &operations["results"][0]["state"];
        if *state == "done" || checked == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let operations = admin.get("/api/operations/").await.is(200);
    let operation = text(&operations["results"][0], "id");
    assert_eq!(over(&admin, &operation).await["state"], "done");
    admin.delete(&path("targets", &target)).await.is(204);
    drop(server);
    let said = said(&coffer(&["check"], &data));
    assert!(said.starts_with("0: 0 records") || said.contains("0 records"), "{said}");
    let _ = deletion.await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_goes_on_with_what_hangs_on_a_record_and_brings_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let mut admin = server.set_up().await;
    admin.collection("orders", json!([{"name": "number", "type": "integer"}])).await;
    let order = json!({"name": "order", "type": "reference", "collection": "orders", "on_delete": "cascade"});
    admin.collection("lines", json!([order, {"name": "text", "type": "text", "indexed": false}])).await;
    let order = admin.record("orders", json!({"number": 1})).await;
    // More bytes than one commit takes.
    let text_of = |n: usize| format!("{n} {}", "é".repeat(90_000));
    for n in 0..50 {
        admin.record("lines", json!({"order": order["id"], "text": text_of(n)})).await;
    }
    let count = async |admin: &Client| admin.get("/api/records/lines/?fields=id").await.is(200)["count"].clone();
    let would = admin.delete(&format!("{}?dry_run=true", path("orders", &order))).await.is(200);
    assert_eq!(would["count"], 51);
    let deletion = tokio::spawn({
        let (admin, address) = (admin.clone(), path("orders", &order));
        async move { admin.request(reqwest::Method::DELETE, &address).send().await }
    });
    while count(&admin).await == 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(server);
    drop(deletion.await);
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: "), "{checked}");
    server = Server::start(&data, &[]);
    admin = server.sign_in(crate::support::ADMIN).await;
    let operations = admin.get("/api/operations/").await.is(200);
    let operation = text(&operations["results"][0], "id");
    assert_eq!(over(&admin, &operation).await["state"], "done");
    assert_eq!(count(&admin).await, 0);
    admin.get(&path("orders", &order)).await.refused(404);
    let back = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
    assert!([200, 202].contains(&back.status), "{}", back.text());
    if back.status == 202 {
        assert_eq!(over(&admin, &text(&back.is(202), "operation")).await["state"], "done");
    }
    assert_eq!(count(&admin).await, 50);
    let last = admin.get("/api/records/lines/?ordering=-created_at&page_size=1").await.is(200);
    assert_eq!(last["results"][0]["text"], text_of(49));
    drop(server);
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: "), "{checked}");
}
