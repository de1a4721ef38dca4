//! Changes that records have to be looked at for: in the background, under writers, with an end that is seen.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Client, Coffer, path,
    server::{Server, coffer, said},
    text,
};

/// A collection `rows` of so many records: `n` from 0, and its half as text.
async fn rows(admin: &Client, count: usize) -> Vec<Value> {
    admin.collection("rows", json!([{"name": "n", "type": "integer"}, {"name": "half", "type": "text"}])).await;
    let mut made = Vec::new();
    let all: Vec<Value> = (0..count).map(|n| json!({"n": n, "half": (n / 2).to_string()})).collect();
    for chunk in all.chunks(1000) {
        made.extend(admin.post("/api/records/rows/", &json!(chunk)).await.is(201).as_array().unwrap().clone());
    }
    made
}

/// Changes a field, and does not wait for it.
async fn begin(admin: &Client, field: &str, query: &str, body: &Value) -> Answer {
    let address = format!("/api/collections/rows/fields/{field}/{query}");
    let request = admin.request(Method::PATCH, &address).header("prefer", "respond-async");
    Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
}

/// An operation that is over.
async fn over(admin: &Client, location: &str) -> Value {
    let address = location.strip_prefix(&admin.base).unwrap_or(location);
    loop {
        let seen = admin.get(address).await.is(200);
        if ["done", "failed", "stopped"].contains(&text(&seen, "state").as_str()) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_change_that_takes_its_time_says_where_it_is_seen_and_is_true_at_its_end() {
    let (coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, 3000).await;
    let begun = begin(&admin, "n", "", &json!({"indexed": true, "type": "text"})).await;
    let operation = begun.is(202);
    assert_eq!((text(&operation, "kind"), &operation["of"]), ("redefine".to_owned(), &json!(3000)));
    let location = begun.header("location").to_owned();
    // It is the one before until then, with its revision; and another change waits.
    let definition = admin.get("/api/collections/rows/").await.is(200);
    if definition["fields"][0]["type"] == "integer" {
        let second = admin.patch("/api/collections/rows/", &json!({"description": "d"})).await;
        let refused = second.refused(409);
        if refused.code == "change_under_way" {
            assert_eq!(second.header("location"), location);
        }
    }
    let done = over(&admin, &location).await;
    assert_eq!((&done["state"], &done["misfits"]["count"]), (&json!("done"), &json!(0)), "{done}");
    let read = admin.get(&path("rows", &made[7])).await;
    assert_eq!(read.is(200)["n"], "7");
    for member in ["revision", "updated_at"] {
        assert_eq!(read.is(200)[member], made[7][member]);
    }
    assert_eq!(admin.column("/api/records/rows/?n=2999", "half").await, ["1499"]);
    assert_eq!(admin.get("/api/records/rows/?ordering=-n&page_size=1").await.is(200)["results"][0]["n"], "999");
    // It was written anew, and nobody was told of any record.
    let last = &made[2999]["revision"];
    let changes = admin.get(&format!("/api/changes/?collection=rows&after={last}")).await.is(200);
    assert_eq!(changes["results"], json!([]));
    let history = admin.get(&format!("{}history/", path("rows", &made[7]))).await.is(200);
    assert_eq!(history["results"].as_array().unwrap().len(), 1);
    assert_eq!(history["results"][0]["after"]["n"], 7, "as it was written");
    drop(coffer);
}

#[tokio::test]
async fn what_does_not_fit_is_counted_and_nothing_is_changed() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, 1000).await;
    let refused = admin.patch("/api/collections/rows/fields/half/", &json!({"unique": true})).await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("records_do_not_fit", &json!(500)));
    let begun = begin(&admin, "half", "", &json!({"unique": true})).await;
    begun.is(202);
    let failed = over(&admin, begun.header("location")).await;
    assert_eq!((&failed["state"], &failed["misfits"]["count"]), (&json!("failed"), &json!(500)));
    assert_eq!(failed["misfits"]["examples"][0]["field"], "half");
    assert_eq!(failed["misfits"]["examples"][0]["id"], made[1]["id"]);
    let told = admin.patch("/api/collections/rows/fields/half/?dry_run=true", &json!({"unique": true})).await.is(200);
    assert_eq!((&told["records"], &told["misfits"]["count"]), (&json!(1000), &json!(500)), "{told}");
    assert_eq!(admin.get("/api/collections/rows/").await.is(200)["fields"][1]["unique"], false);
    // It can be tried again, and what was left of it is in nobody's way.
    for half in made.chunks(2) {
        admin.delete(&path("rows", &half[1])).await.is(204);
    }
    admin.patch("/api/collections/rows/fields/half/", &json!({"unique": true})).await.is(200);
    admin.post("/api/records/rows/", &json!({"half": "3"})).await.refused(409);
}

#[tokio::test]
async fn a_write_that_does_not_fit_goes_in_and_ends_the_change_unless_it_is_held_back() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, 3000).await;
    for hold in [true, false] {
        let query = if hold { "?hold=true" } else { "" };
        let begun = begin(&admin, "n", query, &json!({"max": 5000})).await;
        begun.is(202);
        let written = admin.post("/api/records/rows/", &json!({"n": 9999})).await;
        let ended = over(&admin, begun.header("location")).await;
        match (hold, written.status) {
            // The change was in force before the write came, or held it back.
            (true, 409) | (_, 400) => assert_eq!(ended["state"], "done", "{ended}"),
            (false, 201) => {
                assert_eq!((&ended["state"], &ended["misfits"]["count"]), (&json!("failed"), &json!(1)), "{ended}");
                let id = &written.is(201)["id"];
                assert_eq!(&ended["misfits"]["examples"][0]["id"], id, "it is named");
            }
            (_, status) => panic!("{hold} {status} {}", written.text()),
        }
        admin.patch("/api/collections/rows/fields/n/", &json!({"max": null})).await.is(200);
    }
}

#[tokio::test]
async fn a_change_is_stopped_as_if_it_was_never_asked_for() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, 3000).await;
    let before = admin.get("/api/collections/rows/").await;
    let begun = begin(&admin, "half", "", &json!({"indexed": true, "max_length": 50})).await;
    begun.is(202);
    let location = begun.header("location").strip_prefix(&admin.base).unwrap().to_owned();
    admin.delete(&location).await.is(204);
    let state = text(&admin.get(&location).await.is(200), "state");
    if state == "stopped" {
        let after = admin.get("/api/collections/rows/").await;
        assert_eq!((after.is(200), after.header("etag")), (before.is(200), before.header("etag")));
    }
    admin.patch("/api/collections/rows/fields/half/", &json!({"indexed": true})).await;
    admin.record("rows", json!({"n": 1, "half": "x"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_under_a_change_and_everything_fits_together_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let maker = admin.record("makers", json!({"name": "Ada"})).await;
    let made = rows(&admin, 2000).await;
    let maker_id = text(&maker, "id");
    admin
        .post("/api/collections/rows/fields/", &json!({"name": "maker", "type": "text", "nullable": true}))
        .await
        .is(200);
    for record in &made[..40] {
        admin.patch(&path("rows", record), &json!({"maker": maker_id})).await.is(200);
    }
    let begun = begin(
        &admin,
        "maker",
        "",
        &json!({"type": "reference", "collection": "makers", "on_delete": "set_null", "nullable": true}),
    )
    .await;
    begun.is(202);
    for (i, record) in made.iter().enumerate().take(120) {
        let address = path("rows", record);
        match i % 3 {
            0 => drop(admin.patch(&address, &json!({"maker": maker_id, "n": i})).await.is(200)),
            1 => drop(admin.delete(&address).await.is(204)),
            _ => drop(admin.patch(&address, &json!({"maker": null})).await.is(200)),
        }
        admin.record("rows", json!({"n": i, "half": format!("new {i}"), "maker": maker_id})).await;
    }
    assert_eq!(over(&admin, begun.header("location")).await["state"], "done");
    let refers = admin.get(&format!("/api/records/rows/?maker={maker_id}")).await.is(200);
    assert_eq!(refers["count"], 160);
    // Another index and another way about are in nobody's way either.
    begin(&admin, "half", "", &json!({"indexed": true, "unique": false})).await;
    server.stop();
    let checked = coffer(&["check"], &data);
    assert!(checked.status.success(), "{}", said(&checked));
    let server = Server::start(&data, &[]);
    let admin = server.sign_in(crate::support::ADMIN).await;
    loop {
        let definition = admin.get("/api/collections/rows/").await.is(200);
        if definition["fields"][1]["indexed"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    admin.delete(&path("makers", &maker)).await.is(204);
    assert_eq!(admin.get("/api/records/rows/?maker__isnull=false").await.is(200)["count"], 0);
    let dropped = admin.delete("/api/collections/rows/fields/maker/").await;
    assert!([200, 202].contains(&dropped.status));
    server.stop();
    let checked = coffer(&["check"], &data);
    assert!(checked.status.success(), "{}", said(&checked));
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_does_nothing() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, 20).await;
    let before = admin.get("/api/collections/rows/").await.is(200);
    let only = json!({"fields": [{"name": "n", "type": "integer"}]});
    let told = admin.patch("/api/collections/rows/?dry_run=true", &only).await.is(200);
    assert_eq!((&told["records"], &told["changed"], &told["dropped"]), (&json!(20), &json!(20), &json!({"half": 20})));
    assert!(
        told["gone"][0].as_str().unwrap().contains("“half”") || told["gone"][0].as_str().unwrap().contains("\"half\"")
    );
    let add = json!({"name": "stock", "type": "integer", "required": true});
    let told = admin.post("/api/collections/rows/fields/?dry_run=true", &add).await.is(200);
    assert_eq!((&told["misfits"]["count"], &told["misfits"]["examples"][0]["field"]), (&json!(20), &json!("stock")));
    let told = admin.patch("/api/collections/rows/fields/n/?dry_run=true", &json!({"max": 9})).await.is(200);
    assert_eq!((&told["misfits"]["count"], &told["changed"]), (&json!(10), &json!(0)));
    admin.patch("/api/collections/rows/fields/n/?dry_run=maybe", &json!({"max": 9})).await.refused(400);
    assert_eq!(admin.get("/api/collections/rows/").await.is(200), before);
}

#[tokio::test]
async fn rewriting_that_was_paused_goes_on_and_another_order_of_fields_needs_none() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, 3000).await;
    let begun = begin(&admin, "n", "", &json!({"type": "text"})).await;
    begun.is(202);
    let location = begun.header("location").strip_prefix(&admin.base).unwrap().to_owned();
    while admin.get("/api/collections/rows/").await.is(200)["fields"][0]["type"] != "text" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    admin.delete(&location).await.is(204);
    let paused = admin.get(&location).await.is(200);
    assert!(["paused", "done"].contains(&text(&paused, "state").as_str()), "{paused}");
    assert_eq!(admin.column("/api/records/rows/?half=1", "n").await, ["2", "3"], "it is true all the same");
    admin.post(&format!("{location}resume/"), &json!({})).await.is(202);
    assert_eq!(over(&admin, &location).await["state"], "done");
    // What is over is over.
    let stopped = admin.post("/api/operations/01920000-0000-7000-8000-000000000001/resume/", &json!({})).await;
    stopped.refused(404);

    let before = admin.get("/api/operations/").await.is(200)["count"].clone();
    let mut fields = admin.get("/api/collections/rows/").await.is(200)["fields"].as_array().unwrap().clone();
    fields.reverse();
    admin.patch("/api/collections/rows/", &json!({"fields": fields})).await.is(200);
    assert_eq!(admin.get("/api/operations/").await.is(200)["count"], before);
    let read = admin.get("/api/records/rows/?page_size=1").await;
    assert!(read.text().find("\"half\"") < read.text().find("\"n\""), "{}", read.text());
}

/// Has an undo skip what does not go back, and does not wait for it.
async fn undo_skipping(admin: &Client, operation: &str) -> Answer {
    let address = format!("/api/changes/{operation}/revert/?changed=skip");
    Answer::of(admin.request(Method::POST, &address).header("prefer", "respond-async")).await
}

#[tokio::test]
async fn an_undo_in_the_background_leaves_fields_as_they_are_that_do_not_go_back_where_it_skips_them() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, 200).await;
    let mut fields = admin.get("/api/collections/rows/").await.is(200)["fields"].clone();
    fields[0] = json!({"id": fields[0]["id"], "name": "number", "type": "text", "indexed": true});
    fields[1] = json!({"id": fields[1]["id"], "name": "half", "type": "integer", "indexed": true});
    let changed = admin.patch("/api/collections/rows/", &json!({"fields": fields, "description": "d"})).await;
    changed.is(200);
    // No number, in more records than are told as examples; and a number that a text can be again.
    for record in &made[..7] {
        admin.patch(&path("rows", record), &json!({"number": "x", "half": 8})).await.is(200);
    }
    let undone = undo_skipping(&admin, changed.header("operation")).await;
    let operation = over(&admin, undone.header("location")).await;
    assert_eq!((undone.status, &operation["state"], &operation["misfits"]["count"]), (202, &json!("done"), &json!(0)));
    assert_eq!(operation["error"], "1 field had been written to, and stayed as they are.");
    let definition = admin.get("/api/collections/rows/").await.is(200);
    assert_eq!(definition["description"], "");
    let of = |at: usize, member: &str| definition["fields"][at][member].clone();
    assert_eq!((of(0, "name"), of(0, "type"), of(0, "indexed")), (json!("number"), json!("text"), json!(true)));
    assert_eq!((of(1, "name"), of(1, "type"), of(1, "indexed")), (json!("half"), json!("text"), json!(false)));
    let read = admin.get(&path("rows", &made[0])).await.is(200);
    assert_eq!((&read["number"], &read["half"]), (&json!("x"), &json!("8")));
    let read = admin.get(&path("rows", &made[9])).await.is(200);
    assert_eq!((&read["number"], &read["half"]), (&json!("9"), &json!("4")));
    assert_eq!(admin.column("/api/records/rows/?number=x&page_size=100", "half").await, ["8"; 7]);
    // Waited for, the same is done and counted: the field, and the indexes of both.
    let address = format!("/api/changes/{}/revert/?changed=skip", changed.header("operation"));
    assert_eq!(admin.post(&address, &json!({})).await.is(200)["skipped"], 2);
}

#[tokio::test]
async fn a_write_that_does_not_go_back_meanwhile_leaves_its_field_where_such_are_skipped() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, 3000).await;
    let changed = begin(&admin, "n", "", &json!({"type": "text", "help": "h"})).await;
    over(&admin, changed.header("location")).await;
    let undone = undo_skipping(&admin, changed.header("operation")).await;
    let written = admin.patch(&path("rows", &made[2999]), &json!({"n": "x"})).await;
    let operation = over(&admin, undone.header("location")).await;
    assert_eq!(operation["state"], "done", "{operation}");
    let field = admin.get("/api/collections/rows/").await.is(200)["fields"][0].clone();
    // It came before the undo took effect, or after.
    let kind = if written.status == 200 { "text" } else { "integer" };
    assert_eq!(field["type"], kind, "{} {}", written.status, written.text());
    let value = if written.status == 200 { json!("7") } else { json!(7) };
    assert_eq!(admin.get(&path("rows", &made[7])).await.is(200)["n"], value);
}
