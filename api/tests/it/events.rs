//! Live events: what is told to whom, in which order, and that nothing of it is lost or told twice.

mod cuts;
mod ends;
mod reader;
mod sight;

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Client, Coffer, path, text};
use reader::Reader;

/// Everybody sees everything; a note has an owner whose it is alone.
async fn furnished() -> (Coffer, Client) {
    furnished_and(&[]).await
}

async fn furnished_and(options: &[&str]) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin_and(options).await;
    admin
        .collection(
            "snacks",
            json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer", "nullable": true}]),
        )
        .await;
    let access = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    let notes = json!({"name": "notes", "fields": [{"name": "title", "type": "text"}], "access": access});
    admin.post("/api/collections/", &notes).await.is(201);
    (coffer, admin)
}

#[tokio::test]
async fn what_is_made_changed_and_deleted_is_told_with_the_record_in_order() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let mut reader = Reader::open(&ulla, "collection=snacks").await;
    assert_eq!(reader.header("content-type"), "text/event-stream");
    assert_eq!(reader.header("x-accel-buffering"), "no");
    let open = reader.next().await;
    assert_eq!(open.name, "open");

    let made = admin.record("snacks", json!({"title": "Popcorn", "price": 3})).await;
    let address = path("snacks", &made);
    let changed = admin.patch(&address, &json!({"price": 4})).await;
    let operation = changed.header("operation").to_owned();
    let changed = changed.is(200);
    admin.record("notes", json!({"title": "not asked for"})).await;
    admin.delete(&address).await.is(204);

    let create = reader.next().await;
    assert_eq!((create.name.as_str(), &create.value["record"]), ("create", &made));
    assert_eq!(create.id(), format!("{}.0", made["revision"]));
    assert_eq!(create.value["by"], admin.id.as_str());
    assert_eq!(create.value["collection"], "snacks");
    let update = reader.next().await;
    assert_eq!((update.name.as_str(), &update.value["record"]), ("update", &changed));
    assert_eq!(update.value["operation"], operation.as_str());
    let delete = reader.next().await;
    assert_eq!((delete.name.as_str(), &delete.value["record"]), ("delete", &changed), "as it was");
    assert_eq!(delete.value["id"], made["id"]);

    let restored = admin.post(&format!("{address}history/{}/restore/", changed["revision"]), &json!({})).await.is(200);
    let back = reader.next().await;
    assert_eq!((back.name.as_str(), &back.value["record"]), ("create", &restored));
}

#[tokio::test]
async fn numbers_of_records_are_told_as_numbers() {
    let (_coffer, admin) = Coffer::with_admin().await;
    crate::ids::counted(&admin, "posts", json!([{"name": "title", "type": "text"}])).await;
    admin.record("posts", json!({"title": "first"})).await;
    let mut reader = Reader::open(&admin, "collection=posts&snapshot=true").await;
    assert_eq!(reader.next().await.name, "open");
    assert_eq!(reader.next().await.value["record"]["id"], 1);
    admin.record("posts", json!({"title": "second"})).await;
    loop {
        let event = reader.next().await;
        if event.name == "create" {
            assert_eq!((&event.value["id"], &event.value["record"]["id"]), (&json!(2), &json!(2)));
            break;
        }
    }
}

#[tokio::test]
async fn one_commit_of_many_records_has_a_place_for_each() {
    let (_coffer, admin) = furnished().await;
    let mut reader = Reader::open(&admin, "collection=snacks").await;
    reader.next().await;
    let many: Vec<_> = (0..700).map(|n| json!({"title": format!("snack {n}")})).collect();
    let made = admin.post("/api/records/snacks/", &json!(many)).await.is(201);
    for (n, record) in made.as_array().unwrap().iter().enumerate() {
        let event = reader.next().await;
        assert_eq!(&event.value["record"], record);
        assert_eq!(event.id(), format!("{}.{n}", record["revision"]));
    }
}

#[tokio::test]
async fn m1_what_happened_before_is_told_in_bounded_parts() {
    let (_coffer, admin) = furnished_and(&["--memory", "64MB"]).await;
    let fields = json!([{"name": "text", "type": "text", "max_length": 100_000}, {"name": "more", "type": "text", "max_length": 100_000}]);
    admin.collection("large", fields).await;
    let many: Vec<_> = (0..10).map(|_| json!({"text": "x".repeat(100_000), "more": "y".repeat(100_000)})).collect();
    let mut made = Vec::new();
    for _ in 0..20 {
        made.extend(admin.post("/api/records/large/", &json!(many)).await.is(201).as_array().unwrap().clone());
    }
    // Together they take more than all callers may hold.
    let mut reader = Reader::open(&admin, "collection=large&since=0").await;
    for record in made {
        let mut event = reader.next().await;
        while !["create", "close"].contains(&event.name.as_str()) {
            event = reader.next().await;
        }
        assert_eq!((event.name.as_str(), &event.value["record"]["id"]), ("create", &record["id"]), "{}", event.value);
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_and_the_rest_goes_on_from_there() {
    let (_coffer, admin) = furnished().await;
    let many: Vec<_> = (0..500).map(|n| json!({"title": format!("snack {n}"), "price": n % 10})).collect();
    admin.post("/api/records/snacks/", &json!(many)).await.is(201);
    let mut reader = Reader::open(&admin, "collection=snacks&filter=price+%3D+3&snapshot=true").await;
    assert_eq!(reader.next().await.value.get("since"), None, "there is no place to go on from yet");
    let mut titles = Vec::new();
    let live = loop {
        let event = reader.next().await;
        if event.name == "live" {
            break event;
        }
        assert_eq!((event.name.as_str(), event.last), ("record", None));
        assert_eq!(event.value["record"]["price"], 3);
        titles.push(text(&event.value["record"], "title"));
    };
    assert_eq!(titles, (0..50).map(|n| format!("snack {}", n * 10 + 3)).collect::<Vec<_>>());
    assert_eq!(live.value["since"], live.id());
    let made = admin.record("snacks", json!({"title": "one more", "price": 3})).await;
    assert_eq!(reader.next().await.value["record"], made);
}

#[tokio::test]
async fn bad_questions_are_refused_by_name() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let asked = async |client: &Client, query: &str| client.get(&format!("/api/events/?{query}")).await;
    asked(&ulla, "collection=nowhere").await.refused(404);
    for (query, fault) in [
        ("collection=snacks&filter=prize+%3D+3", "filter: "),
        ("collection=snacks&filter=price+%3D+x", "filter: "),
        ("filter=price+%3D+3", "filter: Say with collection="),
        ("collection=snacks&filter=owner.username+%3D+%22ada%22", "filter: \"owner__username\" is of another record"),
        ("since=soon", "since: "),
        ("snapshot=maybe", "snapshot: "),
    ] {
        let faults = asked(&ulla, query).await.faults();
        assert!(faults[0].starts_with(fault), "{query}: {faults:?}");
    }
    let header = ulla.request(Method::GET, "/api/events/").header("last-event-id", "soon");
    assert_eq!(Answer::of(header).await.faults(), ["since: Last-Event-ID is not the id of an event."]);
    // Of a time that this store has not come to.
    let problem = asked(&ulla, "since=999999999").await.refused(410);
    assert_eq!(problem.code, "trimmed");
    assert!(problem.extra["since"].as_str().unwrap().parse::<u64>().unwrap() < 1000);
    asked(&coffer.stranger(), "collection=snacks").await.refused(401);
}

#[tokio::test]
async fn a_ticket_opens_one_stream() {
    let (coffer, admin) = furnished().await;
    let issued = admin.post("/api/events/ticket/", &json!({})).await.is(200);
    assert_eq!(issued["expires_in"], 30);
    let query = format!("collection=snacks&ticket={}", text(&issued, "ticket"));
    // Somebody who asks for the head alone, or for what may be asked, uses nothing up.
    for method in [Method::HEAD, Method::OPTIONS, Method::HEAD] {
        let head = coffer.stranger().request(method, &format!("/api/events/?{query}"));
        Answer::of(head).await.is(200);
    }
    let head = coffer.stranger().request(Method::HEAD, "/api/events/?collection=snacks&ticket=x");
    assert_eq!(Answer::of(head).await.status, 401);
    let mut reader = Reader::open(&coffer.stranger(), &query).await;
    reader.next().await;
    let made = admin.record("snacks", json!({"title": "Popcorn"})).await;
    assert_eq!(reader.next().await.value["record"], made);
    coffer.stranger().get(&format!("/api/events/?{query}")).await.refused(401);
    coffer.stranger().get("/api/events/?ticket=x").await.refused(401);
    coffer.stranger().post("/api/events/ticket/", &json!({})).await.refused(401);
}
