//! Numbers that records bring: from an admin, a file, a backup, the journal. None is given twice, whatever ends the server.

use serde_json::{Value, json};

use super::{counted, ids, make, title};
use crate::support::{
    ADMIN, Coffer,
    server::{Server, coffer, said},
};

#[tokio::test]
async fn an_admins_numbers_stay_and_the_next_ones_are_greater() {
    let (coffer, admin) = Coffer::with_admin().await;
    let access = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    let definition = json!({"name": "posts", "ids": "integer", "fields": title(), "access": access});
    admin.post("/api/collections/", &definition).await.is(201);
    assert_eq!(make(&admin, "posts", 2).await, [1, 2]);
    assert_eq!(admin.record("posts", json!({"id": 500, "title": "old"})).await["id"], 500);
    assert_eq!(admin.record("posts", json!({"id": "40", "title": "older"})).await["id"], 40);
    assert_eq!(make(&admin, "posts", 2).await, [501, 502]);
    let rows = json!([{"id": 900, "title": "a"}, {"title": "b"}, {"id": 3, "title": "c"}]);
    let made = admin.post("/api/records/posts/", &rows).await.is(201);
    let made: Vec<i64> = made.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!((made[0], made[2]), (900, 3));
    assert_eq!(make(&admin, "posts", 1).await, [901]);
    // One that is there, one twice, and what is no number.
    let taken = admin.post("/api/records/posts/", &json!({"id": 500, "title": "x"})).await.refused(409);
    assert_eq!(taken.errors.0["id"][0].code, "unique");
    let twice = json!([{"id": 950, "title": "a"}, {"id": 950, "title": "b"}]);
    admin.post("/api/records/posts/", &twice).await.refused(409);
    for bad in
        [json!(0), json!(-3), json!("007"), json!(1.5), json!("01920000-0000-7000-8000-000000000001"), json!(true)]
    {
        let refused = admin.post("/api/records/posts/", &json!({"id": bad, "title": "x"})).await;
        assert_eq!(refused.faults(), ["id: The ids of this collection are numbers from 1 on."], "{bad}");
    }
    // Of others it is read-only, as in Django REST Framework.
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    assert_eq!(ulla.record("posts", json!({"id": 5000, "title": "mine"})).await["id"], 902);
    for empty in [Value::Null, json!("")] {
        assert!(admin.record("posts", json!({"id": empty, "title": "x"})).await["id"].as_i64() > Some(902));
    }
    let item = json!({"items": [{"action": "create", "collection": "posts", "record": {"id": 2000, "title": "b"}},
        {"action": "update", "collection": "posts", "id": 3, "record": {"title": "changed"}},
        {"action": "delete", "collection": "posts", "id": "40"}]});
    let did = admin.post("/api/batch/", &item).await.is(200);
    assert_eq!((&did["items"][0]["id"], &did["items"][2]["id"]), (&json!(2000), &json!(40)), "{did}");
    assert_eq!(make(&admin, "posts", 1).await, [2001]);
    // A number that a deleted record had can be brought again; it is not given by itself.
    admin.record("posts", json!({"id": 40, "title": "again"})).await;
    admin.record("posts", json!({"id": i64::MAX, "title": "last"})).await;
    let told = admin.post("/api/records/posts/", &json!({"title": "x"})).await.refused(409);
    assert!(told.detail.starts_with("The last number"), "{told:?}");
}

#[tokio::test]
async fn no_number_is_given_twice_after_a_kill_a_stop_or_a_restore() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    counted(&admin, "posts", title()).await;
    let mut last = *make(&admin, "posts", 3).await.last().unwrap();
    for is_killed in [true, false, true] {
        admin_delete(&server, last).await;
        if is_killed {
            drop(server);
        } else {
            server.stop();
        }
        server = Server::start(&data, &[]);
        let admin = server.sign_in(ADMIN).await;
        let next = make(&admin, "posts", 1).await[0];
        assert!(next > last, "{next} comes after {last}");
        last = next;
    }
    let admin = server.sign_in(ADMIN).await;
    // The largest was brought, and is gone.
    admin.record("posts", json!({"id": 10_000, "title": "old"})).await;
    let operation = admin.delete("/api/records/posts/10000/").await.header("operation").to_owned();
    server.stop();
    let file = dir.path().join("box.backup");
    assert!(said(&coffer(&["backup", file.to_str().unwrap()], &data)).starts_with("0: "));
    let restored = dir.path().join("restored");
    let told = said(&coffer(&["restore", file.to_str().unwrap()], &restored));
    assert!(told.starts_with("0: Everything fits together"), "{told}");
    for data in [&data, &restored] {
        let server = Server::start(data, &[]);
        let admin = server.sign_in(ADMIN).await;
        assert_eq!(admin.get("/api/records/posts/1/").await.is(200)["title"], "t0");
        assert!(make(&admin, "posts", 1).await[0] > 10_000);
        admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await.is(200);
        assert_eq!(admin.get("/api/records/posts/10000/").await.is(200)["title"], "old");
        let history = admin.get("/api/records/posts/10000/history/").await.is(200);
        assert_eq!(history["results"].as_array().unwrap().len(), 3, "{history}");
        server.stop();
        let checked = said(&coffer(&["check"], data));
        assert!(checked.starts_with("0: "), "{checked}");
    }
}

async fn admin_delete(server: &Server, id: i64) {
    let admin = server.sign_in(ADMIN).await;
    admin.delete(&format!("/api/records/posts/{id}/")).await.is(204);
}

#[tokio::test]
async fn a_large_file_brings_its_numbers_while_others_create() {
    let (_coffer, admin) = Coffer::with_admin().await;
    counted(&admin, "posts", title()).await;
    let rows: Vec<String> = (1..=11_000).map(|n| format!("{},r{n}\n", 100_000 + n * 2)).collect();
    let (file, maker) = (format!("id,title\n{}", rows.concat()), admin.clone());
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let ends = std::sync::Arc::clone(&is_over);
    let making = tokio::spawn(async move {
        let mut made = Vec::new();
        while !ends.load(std::sync::atomic::Ordering::Relaxed) {
            made.extend(make(&maker, "posts", 1).await);
        }
        made
    });
    let told = admin.raw(reqwest::Method::POST, "/api/records/posts/import/", "text/csv", file).await;
    assert!([200, 202].contains(&told.status), "{}", told.text());
    let operation = told.header("operation").to_owned();
    loop {
        let at = admin.get(&format!("/api/operations/{operation}/")).await.is(200);
        if at["state"] == "done" {
            break;
        }
        assert!(["running", "waiting", "stopping"].contains(&at["state"].as_str().unwrap()), "{at}");
        tokio::task::yield_now().await;
    }
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    let made = making.await.unwrap();
    let count = admin.get("/api/records/posts/?page_size=1").await.is(200)["count"].as_u64().unwrap();
    assert_eq!(count, 11_000 + made.len() as u64);
    assert_eq!(admin.get("/api/records/posts/108000/").await.is(200)["title"], "r4000");
}

#[tokio::test]
async fn a_file_keeps_its_numbers_and_one_that_is_only_tried_costs_none() {
    let (_coffer, admin) = Coffer::with_admin().await;
    counted(&admin, "posts", title()).await;
    assert_eq!(make(&admin, "posts", 1).await, [1]);
    let file = "id,title,kind,created_at\n12,twelve,sweet,2020-01-02T00:00:00Z\n7,seven,salty,2021-01-02T00:00:00Z\n";
    for _ in 0..2 {
        let tried = admin.raw(reqwest::Method::POST, "/api/records/posts/import/?dry_run=true", "text/csv", file).await;
        assert_eq!(tried.is(200)["created"], 2);
        let tried = admin
            .raw(reqwest::Method::POST, "/api/records/posts/import/?dry_run=true", "text/csv", "title\nx\ny\n")
            .await;
        assert_eq!(tried.is(200)["created"], 2);
    }
    assert_eq!(make(&admin, "posts", 1).await, [2]);
    admin.raw(reqwest::Method::POST, "/api/records/posts/import/", "text/csv", file).await.is(200);
    assert_eq!(ids(&admin, "").await, [1, 2, 7, 12]);
    assert_eq!(ids(&admin, "ordering=created_at").await, [12, 7, 1, 2], "by time, which is not that of the numbers");
    assert_eq!(ids(&admin, "ordering=-created_at&page_size=2").await[..2], [2, 1]);
    assert!(make(&admin, "posts", 1).await[0] > 12);
    let bad = admin.raw(reqwest::Method::POST, "/api/records/posts/import/", "text/csv", "id,title\n007,x\n").await;
    assert!(bad.text().contains("numbers from 1 on"), "{}", bad.text());
    // Out and in again, to another collection of the same shape.
    let out = admin.get("/api/records/posts/export/?format=csv").await;
    counted(&admin, "copies", title()).await;
    let copied = admin.raw(reqwest::Method::POST, "/api/records/copies/import/", "text/csv", out.body).await.is(200);
    assert_eq!(copied["created"], 5, "{copied}");
    assert_eq!(admin.get("/api/records/copies/12/").await.is(200)["title"], "twelve");
    // By id, rows find what is there.
    let again = "[{\"id\": 7, \"title\": \"VII\"}, {\"id\": \"8\", \"title\": \"VIII\"}]";
    let at = "/api/records/posts/import/?key=id&on_conflict=update";
    let told = admin.raw(reqwest::Method::POST, at, "application/json", again).await.is(200);
    assert_eq!((&told["created"], &told["updated"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!(admin.get("/api/records/posts/7/").await.is(200)["title"], "VII");
}
