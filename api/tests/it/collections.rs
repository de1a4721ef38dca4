//! `/api/collections/`: definitions, and what changing one does to the records under it.

use common::{Call, collection::Definition, endpoints::collections, id::Revision, reader::Body as _};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

/// One field of every type, with every limit that there is.
fn every_type() -> Value {
    json!([
        {"name": "title", "type": "text", "required": true, "min_length": 2, "max_length": 20, "pattern": "[A-Z].*", "help": "Begins with a capital."},
        {"name": "notes", "type": "text", "multiline": true},
        {"name": "stock", "type": "integer", "min": 0, "max": 100, "default": 7, "indexed": true},
        {"name": "price", "type": "decimal", "min": "0", "max": "99.99", "places": 2},
        {"name": "sweet", "type": "boolean"},
        {"name": "best_before", "type": "date", "nullable": true},
        {"name": "baked_at", "type": "datetime"},
        {"name": "maker", "type": "email"},
        {"name": "home", "type": "url"},
        {"name": "kind", "type": "choice", "choices": ["cake", "nut"]},
        {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
        {"name": "like", "type": "reference", "collection": "snacks", "on_delete": "set_null", "nullable": true},
        {"name": "more", "type": "json", "max_bytes": 50},
    ])
}

async fn define(admin: &Client, name: &str, fields: Value) -> Answer {
    admin.patch(&format!("/api/collections/{name}/"), &json!({"fields": fields})).await
}

#[tokio::test]
async fn a_collection_of_every_type_reads_back_and_can_be_sent_back() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let body = json!({"name": "snacks", "description": "What we nibble.", "fields": every_type()});
    let definition = Definition::from_json(body.clone()).unwrap();
    let made = admin.send(Call::<collections::Create>::new((), definition)).await.unwrap();
    assert_eq!(made.etag, Some(made.body.revision));
    assert_eq!((made.body.name.as_str(), made.body.count), ("snacks", Some(0)));
    let seen = admin.send(Call::<collections::Get>::new((made.body.name.clone(),), ())).await.unwrap().body;
    assert_eq!(seen, made.body);
    assert_eq!(seen.fields.len(), 13);
    assert!(seen.field("baked_at").unwrap().nullable, "an optional field without an empty value may be null");

    let raw = admin.get("/api/collections/snacks/").await.is(200);
    for (sent, stored) in body["fields"].as_array().unwrap().iter().zip(raw["fields"].as_array().unwrap()) {
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&stored[name], value, "{stored}");
        }
    }
    admin.put("/api/collections/snacks/", &raw).await.is(200);
    let again = admin.post("/api/collections/", &body).await.refused(409);
    assert_eq!(again.errors.messages("name").next(), Some("A collection of this name exists already."));
}

#[tokio::test]
async fn d4_a_definition_has_an_entity_tag_and_preconditions_like_a_record() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([])).await;
    let address = "/api/collections/snacks/";
    let tag = || async { admin.get(address).await.header("etag").to_owned() };
    let send = async |method: &str, name: &str, tag: &str| {
        let request = admin.request(method.parse().unwrap(), address).header(name, tag);
        let body = json!({"name": "snacks", "description": format!("{method} {tag}")}).to_string();
        Answer::of(request.header("content-type", "application/json").body(body)).await
    };
    let seen = admin.get(address).await;
    let first = format!("\"{}\"", seen.is(200)["revision"]);
    assert_eq!((seen.header("etag"), seen.header("cache-control")), (first.as_str(), "no-store"));
    for known in [first.clone(), format!("\"1\", W/{first}"), "*".to_owned()] {
        let answer = send("GET", "if-none-match", &known).await;
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, first.as_str()), "{known}");
    }
    send("GET", "if-none-match", "\"1\"").await.is(200);
    for method in ["PATCH", "PUT", "DELETE"] {
        let current = tag().await;
        for other in ["\"99\"".to_owned(), format!("W/{current}"), "garbage".to_owned(), String::new()] {
            assert_eq!(send(method, "if-match", &other).await.refused(412).code, "stale", "{method} {other}");
        }
        for there in ["*".to_owned(), current.clone(), format!("\"1\", W/{current}")] {
            send(method, "if-none-match", &there).await.refused(412);
        }
        assert_eq!(tag().await, current);
        let several = format!("\"99\", {current}");
        let status = if method == "DELETE" { 204 } else { 200 };
        assert_eq!(send(method, "if-match", &several).await.status, status, "{method} {several}");
    }
    admin.get(address).await.refused(404);
}

#[tokio::test]
async fn location_names_the_new_collection() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let answer = admin.post("/api/collections/", &json!({"name": "snacks"})).await;
    answer.is(201);
    assert_eq!(answer.header("location"), format!("{}/api/collections/snacks/", admin.base));
}

#[tokio::test]
async fn definitions_that_make_no_sense_are_refused_by_their_place() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let body = json!({"name": "Snacks", "fields": [
        {"name": "a", "type": "texts"},
        {"name": "b", "type": "reference", "collection": "nowhere"},
        {"name": "__proto__", "type": "text"},
        {"name": "constructor", "type": "text", "max_length": -1},
        {"name": "created_at", "type": "text"},
        {"name": "e", "type": "integer", "max_length": 3},
        {"name": "e", "type": "text"},
        "f",
    ], "access": {"list": ["everybody"], "share": []}});
    let faults = admin.post("/api/collections/", &body).await.faults();
    let places: Vec<&str> = faults.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    for place in [
        "access.list",
        "access.share",
        "fields.0.type",
        "fields.2.name",
        "fields.3.max_length",
        "fields.4.name",
        "fields.5.max_length",
        "name",
    ] {
        assert!(places.contains(&place), "{place} is missing in {faults:?}");
    }
    assert!(faults.iter().any(|fault| fault.starts_with("fields.7")), "{faults:?}");
    let twice = json!({"name": "snacks", "fields": [{"name": "e", "type": "text"}, {"name": "e", "type": "integer"}]});
    assert!(admin.post("/api/collections/", &twice).await.faults()[0].starts_with("fields.1"));
    let dangling = json!({"name": "snacks", "fields": [{"name": "b", "type": "reference", "collection": "nowhere"}]});
    assert_eq!(
        admin.post("/api/collections/", &dangling).await.faults(),
        ["fields.0.collection: There is no collection \"nowhere\"."]
    );
    for name in
        ["", ".", "..", "a/b", "a\u{0}", "CON", "__sled__default", "ünder", "عربى", "9a", "a b", "a-b", &"a".repeat(64)]
    {
        admin.post("/api/collections/", &json!({"name": name})).await.refused(400);
    }
    assert_eq!(admin.get("/api/collections/").await.is(200)["count"], 0);
}

#[tokio::test]
async fn d4_a_change_needs_the_revision_that_was_read_where_one_is_named() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let first = admin.collection("snacks", json!([])).await;
    let first = Revision(first["revision"].as_u64().unwrap());
    let address = "/api/collections/snacks/";
    let second = admin.patch(address, &json!({"description": "a", "revision": first.0})).await;
    let second = Revision(second.is(200)["revision"].as_u64().unwrap());
    assert!(second > first);
    for method in ["PATCH", "PUT"] {
        let body = json!({"name": "snacks", "description": "b", "revision": first.0});
        admin.json(method.parse().unwrap(), address, &body).await.refused(412);
        let body = json!({"name": "snacks", "description": "b"});
        let request = admin.request(method.parse().unwrap(), address).header("if-match", first.etag());
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await.refused(412);
    }
    Answer::of(admin.request(reqwest::Method::DELETE, address).header("if-match", first.etag())).await.refused(412);
    assert_eq!(admin.get(address).await.is(200)["description"], "a");
    Answer::of(admin.request(reqwest::Method::DELETE, address).header("if-match", second.etag())).await.is(204);
    admin.get(address).await.refused(404);
}

#[tokio::test]
async fn a_deleted_collection_takes_its_records_with_it() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([{"name": "title", "type": "text", "unique": true, "indexed": true}]);
    admin.collection("snacks", fields.clone()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    admin.delete("/api/collections/snacks/").await.is(204);
    admin.get(&path("snacks", &record)).await.refused(404);
    admin.get("/api/records/snacks/").await.refused(404);
    admin.delete("/api/collections/snacks/").await.refused(404);

    admin.collection("snacks", fields).await;
    assert_eq!(admin.get("/api/collections/snacks/").await.is(200)["count"], 0);
    assert!(admin.column("/api/records/snacks/", "title").await.is_empty());
    admin.get(&path("snacks", &record)).await.refused(404);
    admin
        .post(&format!("{}history/{}/restore/", path("snacks", &record), record["revision"]), &json!({}))
        .await
        .refused(404);
    admin.record("snacks", json!({"title": "Popcorn"})).await;
    assert_eq!(admin.column("/api/records/snacks/?title=Popcorn", "title").await.len(), 1);
}

#[tokio::test]
async fn records_are_carried_over_to_a_new_definition() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}])).await;
    let popcorn = admin.record("snacks", json!({"title": "Popcorn", "price": 3})).await;
    admin.record("snacks", json!({"title": "Crisps"})).await;
    let fields = json!([
        {"name": "price", "type": "decimal", "places": 2},
        {"name": "title", "type": "text", "unique": true, "indexed": true},
        {"name": "stock", "type": "integer", "default": 5, "required": true},
        {"name": "baked_at", "type": "datetime"},
    ]);
    define(&admin, "snacks", fields).await.is(200);
    let carried = admin.get(&path("snacks", &popcorn)).await.is(200);
    assert_eq!(
        (&carried["price"], &carried["title"], &carried["stock"], &carried["baked_at"]),
        (&json!("3.00"), &json!("Popcorn"), &json!(5), &Value::Null)
    );
    for member in ["id", "owner", "created_at"] {
        assert_eq!(carried[member], popcorn[member]);
    }
    assert_eq!((&carried["revision"], &carried["updated_at"]), (&popcorn["revision"], &popcorn["updated_at"]));
    assert_eq!(admin.column("/api/records/snacks/?title=Crisps", "price").await, [Value::Null]);
    assert_eq!(admin.column("/api/records/snacks/?ordering=-title", "title").await, ["Popcorn", "Crisps"]);
    admin.post("/api/records/snacks/", &json!({"title": "Popcorn"})).await.refused(409);

    let drop = "/api/collections/snacks/?drop=price,stock";
    admin.patch(drop, &json!({"fields": [{"name": "title", "type": "text"}]})).await.is(200);
    let bare = admin.get(&path("snacks", &popcorn)).await.is(200);
    assert_eq!(bare.as_object().unwrap().len(), 6, "{bare}");
    admin.record("snacks", json!({"title": "Popcorn"})).await;
    assert_eq!(admin.get("/api/collections/snacks/").await.is(200)["count"], 3);
}

#[tokio::test]
async fn d2_what_the_server_owns_of_a_definition_comes_back_unchanged_or_not_at_all() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let address = "/api/collections/snacks/";
    let mut read = admin.get(address).await.is(200);
    // A record more changes the count, and nothing of the definition.
    admin.record("snacks", json!({"title": "Popcorn"})).await;
    read["description"] = json!("To eat");
    let mut read = admin.put(address, &read).await.is(200);
    for (member, other) in [
        ("id", json!("01920000-0000-7000-8000-000000000001")),
        ("created_at", json!("2024-01-01T00:00:00Z")),
        ("updated_at", Value::Null),
    ] {
        let refused = admin.patch(address, &json!({member: other})).await.refused(400);
        assert_eq!(refused.errors.0[member][0].code, "read_only");
        let before = std::mem::replace(&mut read[member], other.clone());
        let refused = admin.put(address, &read).await.refused(400);
        assert!(refused.errors.0.contains_key(member));
        read[member] = before;
        let refused = admin.post("/api/collections/", &json!({"name": "other", member: other})).await;
        assert_eq!(refused.status, 400, "{member}");
    }
    admin.patch(address, &read).await.is(200);
}

#[tokio::test]
async fn a_definition_that_records_do_not_fit_changes_nothing() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}])).await;
    let rows: Vec<Value> = (0..8).map(|n| json!({"title": format!("Snack number {}", n / 2), "price": n})).collect();
    let made = admin.post("/api/records/snacks/", &json!(rows)).await.is(201);
    let before = admin.get("/api/records/snacks/").await.is(200);
    let definition = admin.get("/api/collections/snacks/").await.is(200);
    let title = json!({"name": "title", "type": "text"});
    let price = json!({"name": "price", "type": "integer"});
    for (fields, field, count, message) in [
        (
            json!([title, price, {"name": "kind", "type": "text", "required": true}]),
            "kind",
            8,
            "Say which value the records that exist get: send it as \"value\" with the field, or give the field a default.",
        ),
        (
            json!([title, {"name": "price", "type": "integer", "max": 2}]),
            "price",
            5,
            "Ensure this value is less than or equal to 2.",
        ),
        (json!([{"name": "title", "type": "integer"}, price]), "title", 8, "A valid integer is required."),
        (
            json!([{"name": "title", "type": "text", "max_length": 5}, price]),
            "title",
            8,
            "Ensure this field has no more than 5 characters.",
        ),
        (json!([{"name": "title", "type": "text", "unique": true}, price]), "title", 4, "This field must be unique."),
        (
            json!([{"name": "title", "type": "choice", "choices": ["Snack number 0"]}, price]),
            "title",
            6,
            "\"Snack number 1\" is not a valid choice.",
        ),
    ] {
        let refused = define(&admin, "snacks", fields).await;
        let problem = refused.refused(409);
        assert_eq!(problem.code, "records_do_not_fit");
        assert_eq!(problem.extra["count"], count, "{field} {message}");
        assert!(problem.errors.messages(field).any(|told| told.starts_with(message)), "{problem:?}");
        let examples = problem.extra["examples"].as_array().unwrap();
        assert!(!examples.is_empty() && examples.len() <= 5);
        assert!(examples.iter().all(|id| made.as_array().unwrap().iter().any(|record| record["id"] == *id)));
        assert!(problem.detail.contains(&count.to_string()), "{}", problem.detail);
    }
    assert_eq!(admin.get("/api/records/snacks/").await.is(200), before);
    assert_eq!(admin.get("/api/collections/snacks/").await.is(200), definition);
}

#[tokio::test]
async fn a_field_can_become_a_reference_where_its_values_are_ids() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let maker = admin.record("makers", json!({"name": "Ada"})).await;
    admin.collection("snacks", json!([{"name": "maker", "type": "text", "nullable": true}])).await;
    let snack = admin.record("snacks", json!({"maker": maker["id"]})).await;
    let lost = admin.record("snacks", json!({"maker": "01920000-0000-7000-8000-000000000001"})).await;
    let reference = json!([{"name": "maker", "type": "reference", "collection": "makers", "nullable": true}]);
    let refused = define(&admin, "snacks", reference.clone()).await.refused(409);
    assert_eq!(refused.errors.0["maker"][0].code, "does_not_exist");
    admin.delete(&path("snacks", &lost)).await.is(204);
    define(&admin, "snacks", reference).await.is(200);
    // It is a reference in every way: it holds its target back.
    admin.delete(&path("makers", &maker)).await.refused(409);
    admin.delete("/api/collections/makers/").await.refused(409);
    define(&admin, "snacks", json!([{"name": "maker", "type": "text"}])).await.is(200);
    assert_eq!(text(&admin.get(&path("snacks", &snack)).await.is(200), "maker"), text(&maker, "id"));
    admin.delete(&path("makers", &maker)).await.is(204);
    admin.delete("/api/collections/makers/").await.is(204);
}
