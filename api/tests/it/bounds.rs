//! What one request may make the server hold (`docs/security.md`, M1 and M2), at its edges.

mod entries;
mod held;
mod kinds;
mod peaks;

use serde_json::{Value, json};

use crate::support::{Client, Coffer, path, server::Server};

/// A collection of large records, and one of them.
async fn large(admin: &Client) -> Value {
    admin
        .collection(
            "large",
            json!([{"name": "text", "type": "text", "max_length": 100_000}, {"name": "n", "type": "integer"}]),
        )
        .await;
    admin.record("large", json!({"text": "x".repeat(100_000)})).await
}

async fn pages(client: &Client, first: &str) -> Vec<Vec<Value>> {
    let (mut next, mut pages) = (first.to_owned(), Vec::new());
    loop {
        let answer = client.get(&next).await;
        assert!(answer.body.len() < 17 * 1024 * 1024, "{} bytes", answer.body.len());
        let page = answer.is(200);
        pages.push(page["results"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(link) => link.strip_prefix(&client.base).unwrap().clone_into(&mut next),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn m1_a_history_of_large_versions_comes_in_bounded_parts() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = large(&admin).await;
    for n in 0..60 {
        let text = format!("{}{n}", "y".repeat(99_000));
        admin.patch(&path("large", &record), &json!({"text": text})).await.is(200);
    }
    let pages = pages(&admin, &format!("{}history/", path("large", &record))).await;
    assert!(pages.len() > 1, "12 MB");
    let revisions: Vec<_> = pages.concat().iter().map(|change| change["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions.len(), 61);
    assert!(revisions.is_sorted_by(|a, b| a > b), "each once, the latest first");
}

#[tokio::test]
async fn m1_the_journal_comes_in_bounded_parts_within_one_commit_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = large(&admin).await;
    let many: Vec<Value> = (0..95).map(|n| json!({"text": "z".repeat(99_000), "n": n})).collect();
    let made = admin.post("/api/records/large/", &json!(many)).await.is(201);
    let pages = pages(&admin, &format!("/api/changes/?collection=large&after={}", record["revision"])).await;
    assert!(pages.len() > 1, "9.5 MB of one commit");
    let told: Vec<_> = pages.concat().iter().map(|change| change["after"]["id"].clone()).collect();
    let made: Vec<_> = made.as_array().unwrap().iter().map(|record| record["id"].clone()).collect();
    assert_eq!(told, made, "each once, in order");
    for bad in ["place=-1", "place=x"] {
        admin.get(&format!("/api/changes/?after=1&{bad}")).await.refused(400);
    }
}

#[tokio::test]
async fn m1_a_deletion_that_touches_much_goes_in_pieces() {
    let (coffer, admin) = Coffer::with_admin().await;
    let anyone = json!(["anyone"]);
    for (name, on_delete, list) in [("cascades", "cascade", "anyone"), ("empties", "set_null", "owner")] {
        let target = format!("{name}_of");
        let rules = json!({"list": anyone, "view": anyone, "create": ["signed_in"], "update": ["owner"], "delete": ["signed_in"]});
        let body = json!({"name": target, "fields": [{"name": "n", "type": "integer"}], "access": rules});
        admin.post("/api/collections/", &body).await.is(201);
        let fields = json!([
            {"name": "of", "type": "reference", "collection": target, "on_delete": on_delete, "nullable": true},
            {"name": "text", "type": "text"},
        ]);
        let rules =
            json!({"list": [list], "view": [list], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": rules})).await.is(201);
        let kept = admin.record(&target, json!({"n": 1})).await;
        let many: Vec<Value> = (0..95).map(|_| json!({"of": kept["id"], "text": "x".repeat(95_000)})).collect();
        admin.post(&format!("/api/records/{name}/"), &json!(many)).await.is(201);
        let user = coffer.user(&admin, &format!("user_{name}"), json!({})).await;
        // More than one commit takes: it is done all the same, whoever may see what goes with it.
        let answer = user.delete(&path(&target, &kept)).await;
        assert!([202, 204].contains(&answer.status), "{}", answer.text());
        // The record itself goes last.
        while admin.get(&path(&target, &kept)).await.status != 404 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let left = if on_delete == "cascade" { 0 } else { 95 };
        let count = async |query: &str| {
            admin.get(&format!("/api/records/{name}/?page_size=1&{query}")).await.is(200)["count"].clone()
        };
        while count("of__isnull=false").await != 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(count("").await, left);
    }
}

#[tokio::test]
async fn m2_patterns_of_one_request_do_not_take_long() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let field = json!({"name": "text", "type": "text", "max_length": 10_000, "pattern": "([a-z]?[a-y]?[a-x]?){60}!"});
    admin.collection("evil", json!([field])).await;
    let many: Vec<Value> = (0..900).map(|_| json!({"text": "a".repeat(10_000)})).collect();
    let refused = admin.post("/api/records/evil/", &json!(many)).await.refused(400);
    let codes: Vec<_> = refused.errors.0.values().flatten().map(|error| error.code.as_ref()).collect();
    assert!(codes.contains(&"too_much") && codes.contains(&"invalid"), "{codes:?}");
    admin.record("evil", json!({"text": "abc!"})).await;
}

#[tokio::test]
async fn m1_a_large_page_is_the_same_in_whatever_way_it_is_asked_for() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = large(&admin).await;
    let many: Vec<Value> = (0..30).map(|n| json!({"text": format!("{n}{}", "w".repeat(90_000)), "n": n})).collect();
    admin.post("/api/records/large/", &json!(many)).await.is(201);
    let whole = admin.get("/api/records/large/?page_size=200").await.is(200);
    let rows = whole["results"].as_array().unwrap().clone();
    assert_eq!((rows.len(), &whole["count"], &rows[0]), (31, &json!(31), &record));
    let mut one_by_one = pages(&admin, "/api/records/large/?page_size=1").await.concat();
    assert_eq!(one_by_one, rows);
    // Cut to members, in another order, by cursor, and backward.
    let cut = admin.get("/api/records/large/?fields=n,text&limit=200").await.is(200)["results"].clone();
    for (cut, row) in cut.as_array().unwrap().iter().zip(&rows) {
        assert_eq!((&cut["n"], &cut["text"], cut.get("id")), (&row["n"], &row["text"], None));
    }
    let by_cursor = pages(&admin, "/api/records/large/?cursor=&page_size=20").await.concat();
    assert_eq!(by_cursor, rows);
    let last = admin.get("/api/records/large/?cursor=&page_size=20").await.is(200);
    let next = last["next"].as_str().unwrap().strip_prefix(&admin.base).unwrap().to_owned();
    let back =
        admin.get(&next).await.is(200)["previous"].as_str().unwrap().strip_prefix(&admin.base).unwrap().to_owned();
    assert_eq!(admin.get(&back).await.is(200)["results"], json!(rows[..20]));
    one_by_one.reverse();
    let descending = admin.get("/api/records/large/?ordering=-created_at&limit=200").await.is(200);
    assert_eq!(descending["results"], json!(one_by_one));
    // Under another shape.
    let published =
        json!({"path": "/api/v1/large/", "collection": "large", "list": "array", "members": ["id", {"body": "text"}]});
    admin.post("/api/paths/", &published).await.is(201);
    let shown = admin.get("/api/v1/large/").await.is(200);
    let expected: Vec<Value> = rows.iter().map(|row| json!({"id": row["id"], "body": row["text"]})).collect();
    assert_eq!(shown, json!(expected));
}

#[tokio::test]
async fn m1_groups_with_large_texts_are_bounded() {
    let (_coffer, admin) = Coffer::with_admin().await;
    large(&admin).await;
    let many: Vec<Value> = (0..95).map(|n| json!({"text": "w".repeat(99_000), "n": n})).collect();
    admin.post("/api/records/large/", &json!(many)).await.is(201);
    let refused = admin.get("/api/records/large/aggregate/?group_by=n&max=text").await.refused(400);
    let error = &refused.errors.0["limit"][0];
    assert_eq!(error.code, "too_much");
    assert!(error.message.contains("limit="), "{}", error.message);
    let groups = admin.get("/api/records/large/aggregate/?group_by=n&max=text&limit=50").await.is(200);
    assert_eq!((groups["results"].as_array().unwrap().len(), &groups["count"]), (50, &json!(96)));
}

#[tokio::test]
async fn m2_combinations_of_choices_are_bounded() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let choices: Vec<String> = (0..60).map(|n| format!("c{n}")).collect();
    let fields: Vec<Value> =
        (0..4).map(|n| json!({"name": format!("of{n}"), "type": "choice", "choices": choices, "many": true})).collect();
    admin.collection("many", json!(fields)).await;
    let all: serde_json::Map<String, Value> = (0..4).map(|n| (format!("of{n}"), json!(choices))).collect();
    admin.record("many", json!(all)).await;
    // Thirteen million.
    let refused = admin.get("/api/records/many/aggregate/?group_by=of0,of1,of2,of3").await.refused(400);
    assert_eq!(refused.errors.0["group_by"][0].code, "too_much");
    let groups = admin.get("/api/records/many/aggregate/?group_by=of0,of1").await.is(200);
    assert_eq!(groups["count"], 3600);
}

#[tokio::test]
async fn m1_an_operation_of_many_bytes_is_undone_in_pieces() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("target", json!([{"name": "n", "type": "integer"}])).await;
    let of = json!({"name": "of", "type": "reference", "collection": "target", "on_delete": "cascade"});
    admin.collection("refers", json!([of, {"name": "text", "type": "text", "max_length": 100_000}])).await;
    let kept = admin.record("target", json!({"n": 1})).await;
    for _ in 0..3 {
        let many: Vec<Value> = (0..60).map(|_| json!({"of": kept["id"], "text": "x".repeat(95_000)})).collect();
        admin.post("/api/records/refers/", &json!(many)).await.is(201);
    }
    let answer = admin.delete(&path("target", &kept)).await;
    // It takes more than one commit, and may be over before it is answered.
    assert!([202, 204].contains(&answer.status), "{}", answer.text());
    let begun = admin.get("/api/operations/").await.is(200)["results"][0].clone();
    assert_eq!(begun["kind"], "delete_record");
    let operation = begun["id"].as_str().unwrap();
    let is_over = async |path: &str| {
        while ["running", "waiting", "stopping"].contains(&admin.get(path).await.is(200)["state"].as_str().unwrap()) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    is_over(&format!("/api/operations/{operation}/")).await;
    let undone = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
    assert_eq!(undone.status, 202, "{}", undone.text());
    is_over(undone.header("location").strip_prefix(&admin.base).unwrap()).await;
    admin.get(&path("target", &kept)).await.is(200);
    assert_eq!(admin.get("/api/records/refers/?page_size=1").await.is(200)["count"], 180);
}

/// The engine's tables of measurements alone were 20 MB of it.
#[tokio::test]
async fn m1_an_empty_store_takes_little_memory() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    server.stranger().get("/api/").await.is(200);
    let held = peaks::memory(&server, "RssAnon:");
    assert!(held < 16 * 1024 * 1024, "{held} bytes");
}
