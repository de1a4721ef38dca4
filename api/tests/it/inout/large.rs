//! Imports that one commit does not hold: checked whole, written in pieces as one operation, taken back where they cannot be finished, and gone on
//! with after a kill.

use std::{fmt::Write as _, time::Duration};

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::Killed;
use crate::support::{Answer, Client, Coffer};

fn rows(count: usize) -> String {
    let mut text = "code,title,price,day,maker\n".to_owned();
    for n in 0..count {
        writeln!(
            text,
            "c{n},\"The title, number {n}\",{}.{:02},2026-01-{:02},maker {}",
            n % 90,
            n % 100,
            1 + n % 28,
            n % 7
        )
        .unwrap();
    }
    text
}

fn fields() -> Value {
    json!([{"name": "code", "type": "text", "unique": true}, {"name": "title", "type": "text"}, {"name": "price", "type": "decimal", "places": 2},
        {"name": "day", "type": "date"}, {"name": "maker", "type": "text"}])
}

async fn send(client: &Client, body: String) -> Answer {
    let request = client.request(Method::POST, "/api/records/goods/import/").header(CONTENT_TYPE, "text/csv");
    Answer::of(request.body(body)).await
}

async fn keyed(client: &Client, body: String) -> Answer {
    let request = client.request(Method::POST, "/api/records/goods/import/").header(CONTENT_TYPE, "text/csv");
    Answer::of(request.header("idempotency-key", "the file").body(body)).await
}

pub(super) async fn end(client: &Client, operation: &str) -> Value {
    loop {
        let now = client.get(&format!("/api/operations/{operation}/")).await.is(200);
        if !["running", "waiting", "stopping"].contains(&now["state"].as_str().unwrap()) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

async fn count(client: &Client) -> u64 {
    client.get("/api/records/goods/?page_size=1").await.is(200)["count"].as_u64().unwrap()
}

#[tokio::test]
async fn a_large_file_goes_in_as_one_operation_that_can_be_undone() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("goods", fields()).await;
    let begun = send(&admin, rows(12_000)).await;
    assert!([200, 202].contains(&begun.status), "{}", begun.text());
    let body: Value = serde_json::from_slice(&begun.body).unwrap();
    let operation = body["operation"].as_str().unwrap();
    let done = end(&admin, operation).await;
    assert_eq!(
        (&done["state"], &done["import"]["created"], &done["done"]),
        (&json!("done"), &json!(12_000), &json!(12_000)),
        "{done}"
    );
    assert_eq!(count(&admin).await, 12_000);
    let summary = admin.get(&format!("/api/changes/{operation}/")).await.is(200);
    assert_eq!(summary["count"], 12_000);
    // One row that does not fit keeps all out, before anything is written.
    let problem = send(&admin, rows(12_000).replace("c7,", "d7,")).await.refused(400);
    assert!(problem.errors.0.contains_key("2.code"), "{problem:?}");
    let undone = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
    end(&admin, undone.is(202)["operation"].as_str().unwrap()).await;
    assert_eq!(count(&admin).await, 0);
}

#[tokio::test]
async fn what_stops_a_large_import_takes_it_back() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("goods", fields()).await;
    let begun = keyed(&admin, rows(15_000)).await;
    let body: Value = serde_json::from_slice(&begun.body).unwrap();
    let operation = body["operation"].as_str().unwrap().to_owned();
    admin.delete(&format!("/api/operations/{operation}/")).await.is(204);
    let now = admin.get(&format!("/api/operations/{operation}/")).await.is(200);
    assert!(["stopping", "stopped", "done"].contains(&now["state"].as_str().unwrap()), "{now}");
    let over = end(&admin, &operation).await;
    let left = if over["state"] == "done" { 15_000 } else { 0 };
    assert_eq!(count(&admin).await, left, "{over}");
    // What was taken back can be sent again under its key; what is in is not done twice.
    let again = keyed(&admin, rows(15_000)).await;
    assert_eq!(again.header("idempotency-replayed"), if left == 0 { "" } else { "true" });
    let body: Value = serde_json::from_slice(&again.body).unwrap();
    end(&admin, body["operation"].as_str().unwrap()).await;
    assert_eq!(keyed(&admin, rows(15_000)).await.header("idempotency-replayed"), "true");
    assert_eq!(count(&admin).await, 15_000);
    let undone = admin.post(&format!("/api/changes/{}/revert/", body["operation"].as_str().unwrap()), &json!({})).await;
    end(&admin, undone.is(202)["operation"].as_str().unwrap()).await;
    assert_eq!(keyed(&admin, rows(15_000)).await.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_large_import_loses_and_doubles_nothing() {
    let (mut server, admin) = Killed::new().await;
    admin.collection("goods", fields()).await;
    let begun = send(&admin, rows(15_000)).await;
    let body: Value = serde_json::from_slice(&begun.body).unwrap();
    let operation = body["operation"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let admin = server.again().await;
        let now = admin.get(&format!("/api/operations/{operation}/")).await.is(200);
        // What is written is what is noted.
        assert!(count(&admin).await >= now["import"]["created"].as_u64().unwrap());
    }
    let admin = server.again().await;
    let done = end(&admin, &operation).await;
    assert_eq!((&done["state"], &done["import"]["created"]), (&json!("done"), &json!(15_000)), "{done}");
    assert_eq!(count(&admin).await, 15_000);
    // The same file again finds what it made.
    let request = admin.request(Method::POST, "/api/records/goods/import/?key=code&on_conflict=update");
    let again = Answer::of(request.header(CONTENT_TYPE, "text/csv").body(rows(15_000))).await;
    let body: Value = serde_json::from_slice(&again.body).unwrap();
    let again = end(&admin, body["operation"].as_str().unwrap()).await;
    assert_eq!((&again["import"]["unchanged"], &again["import"]["created"]), (&json!(15_000), &json!(0)), "{again}");
    assert_eq!(count(&admin).await, 15_000);
}

/// Few rows of many bytes: 9 MiB.
pub(super) fn wide(count: usize) -> String {
    let text = "x".repeat(9 * 1024 * 1024 / count);
    (0..count).fold("code,title\n".to_owned(), |mut rows, n| {
        writeln!(rows, "c{n},{text}").unwrap();
        rows
    })
}

#[tokio::test]
async fn a_file_of_many_bytes_is_read_in_the_background() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin
        .collection(
            "goods",
            json!([{"name": "code", "type": "text", "unique": true}, {"name": "title", "type": "text"}]),
        )
        .await;
    let begun = send(&admin, wide(95)).await;
    let location = begun.header("location").to_owned();
    let body = begun.is(202);
    assert_eq!((&body["rows"], &body["read"]["columns"][0]["member"]), (&json!(0), &json!("code")), "{body}");
    let operation = body["operation"].as_str().unwrap();
    assert!(location.ends_with(&format!("/api/operations/{operation}/")), "{location}");
    let done = end(&admin, operation).await;
    let told = ["rows", "checked", "created"].map(|name| done["import"][name].as_u64().unwrap());
    assert_eq!((&done["state"], told, &done["of"]), (&json!("done"), [95, 95, 95], &json!(95)), "{done}");
    assert_eq!(count(&admin).await, 95);
    // Headings that are wrong are told at once; what is wrong further on, when it is met, and nothing of it comes in.
    assert!(send(&admin, wide(95).replace("code,", "wrong,")).await.refused(400).errors.0.contains_key("wrong"));
    for (bad, says) in [("c0,", "unique"), ("fresh,\"", "not closed"), ("fresh,a,b,", "more cells")] {
        let file = wide(95).replace("\nc", "\nd").replacen("\nd0,", &format!("\n{bad}"), 1);
        let body = send(&admin, file).await.is(202);
        let over = end(&admin, body["operation"].as_str().unwrap()).await;
        assert!(over["state"] == "failed" && over["error"].as_str().unwrap().contains(says), "{bad}: {over}");
        assert_eq!(count(&admin).await, 95);
    }
    // Rows that do not fit are left out, and the others come in.
    let request =
        admin.request(Method::POST, "/api/records/goods/import/?on_error=skip").header(CONTENT_TYPE, "text/csv");
    let body = Answer::of(request.body(wide(95).replace("\nc1", "\nd1"))).await.is(202);
    let done = end(&admin, body["operation"].as_str().unwrap()).await;
    assert_eq!((&done["import"]["created"], &done["import"]["rejected"]), (&json!(11), &json!(84)), "{done}");
}

#[tokio::test]
async fn a_kill_while_a_file_is_read_loses_nothing_and_what_is_over_leaves_nothing() {
    let (mut server, admin) = Killed::new().await;
    admin
        .collection(
            "goods",
            json!([{"name": "code", "type": "text", "unique": true}, {"name": "title", "type": "text"}]),
        )
        .await;
    let body = send(&admin, wide(95)).await.is(202);
    let operation = body["operation"].as_str().unwrap().to_owned();
    let admin = server.again().await;
    let done = end(&admin, &operation).await;
    assert_eq!((&done["state"], &done["import"]["created"]), (&json!("done"), &json!(95)), "{done}");
    let spool = server.data.join("spool");
    let kept = || std::fs::read_dir(&spool).map_or(0, Iterator::count);
    assert_eq!(kept(), 0);
    // One that is stopped before it wrote anything leaves nothing either.
    let body = send(&admin, wide(95).replace("\nc", "\nd")).await.is(202);
    let operation = body["operation"].as_str().unwrap();
    admin.delete(&format!("/api/operations/{operation}/")).await.is(204);
    end(&admin, operation).await;
    let mut left = kept();
    while left > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = kept();
    }
    // What a process left there that is over by then goes with the next start.
    let stray = spool.join("01920000-0000-7000-8000-000000000001.rows");
    std::fs::write(&stray, "rows").unwrap();
    drop(admin);
    server.again().await;
    while stray.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_was_changed_meanwhile_stays_and_is_counted_where_an_import_is_taken_back() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("goods", fields()).await;
    admin
        .record("goods", json!({"code": "c0", "title": "before", "price": 1, "day": "2026-01-01", "maker": "m"}))
        .await;
    let request = admin
        .request(Method::POST, "/api/records/goods/import/?key=code&on_conflict=update")
        .header(CONTENT_TYPE, "text/csv");
    let body: Value = serde_json::from_slice(&Answer::of(request.body(rows(14_000))).await.body).unwrap();
    let operation = body["operation"].as_str().unwrap().to_owned();
    let first = loop {
        let page = admin.get("/api/records/goods/?code=c0").await.is(200);
        if page["results"][0]["title"] != "before" {
            break page["results"][0].clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    admin.patch(&crate::support::path("goods", &first), &json!({"maker": "mine"})).await.is(200);
    admin.delete(&format!("/api/operations/{operation}/")).await.is(204);
    let over = end(&admin, &operation).await;
    if over["state"] == "done" {
        return;
    }
    assert_eq!(over["state"], "stopped", "{over}");
    let told = over["error"].as_str().unwrap();
    assert!(told.contains("taken back. 1 record had been changed"), "{told}");
    assert_eq!(count(&admin).await, 1);
}
