//! Fields that get another name, come and go.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

/// A collection with a title, a price and a kind, and a record in it.
async fn snacks(admin: &Client) -> Value {
    admin
        .collection(
            "snacks",
            json!([
                {"name": "title", "type": "text", "required": true, "unique": true, "indexed": true},
                {"name": "price", "type": "integer", "indexed": true},
                {"name": "kind", "type": "choice", "choices": ["sweet", "salty"]},
            ]),
        )
        .await;
    admin.record("snacks", json!({"title": "Popcorn", "price": 3, "kind": "salty"})).await
}

async fn fields(admin: &Client) -> Vec<Value> {
    admin.get("/api/collections/snacks/").await.is(200)["fields"].as_array().unwrap().clone()
}

async fn tag(admin: &Client, address: &str) -> String {
    admin.get(address).await.header("etag").to_owned()
}

#[tokio::test]
async fn a_field_under_another_name_keeps_its_values_its_index_and_its_old_name() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    let address = path("snacks", &record);
    let before = tag(&admin, &address).await;
    let mut all = fields(&admin).await;
    let ids: Vec<Value> = all.iter().map(|field| field["id"].clone()).collect();
    assert!(ids.iter().all(Value::is_string));
    all[0]["name"] = json!("name");
    let changed = admin.patch("/api/collections/snacks/", &json!({"fields": all})).await.is(200);
    assert_eq!((&changed["fields"][0]["id"], &changed["fields"][0]["aliases"]), (&ids[0], &json!(["title"])));

    let read = admin.get(&address).await;
    let now = read.header("etag").to_owned();
    let read = read.is(200);
    assert_eq!((&read["name"], &read["title"], &read["price"]), (&json!("Popcorn"), &Value::Null, &json!(3)));
    for member in ["revision", "updated_at", "created_at", "owner"] {
        assert_eq!(read[member], record[member], "{member}");
    }
    assert_ne!(before, now, "it looks otherwise");
    let request = admin.request(reqwest::Method::GET, &address).header("if-none-match", &before);
    Answer::of(request).await.is(200);
    let request = admin.request(reqwest::Method::GET, &address).header("if-none-match", &now);
    assert_eq!(Answer::of(request).await.status, 304);

    // The old name works in queries and in bodies, the new one too.
    for query in
        ["name=Popcorn", "title=Popcorn", "title__startswith=Pop&ordering=-title", "fields=id,title&title__ne=x"]
    {
        let found = admin.get(&format!("/api/records/snacks/?{query}")).await.is(200);
        assert_eq!(found["count"], 1, "{query}");
    }
    let row = admin.get("/api/records/snacks/?fields=title").await.is(200);
    assert_eq!(row["results"], json!([{"title": "Popcorn"}]));
    let written = admin.patch(&address, &json!({"title": "Crisps", "revision": record["revision"]})).await.is(200);
    assert_eq!(written["name"], "Crisps");
    assert_eq!(admin.column("/api/records/snacks/?name=Crisps", "name").await, ["Crisps"]);
    let other = admin.record("snacks", json!({"title": "Nuts"})).await;
    assert_eq!(other["name"], "Nuts");
    let refused = admin.post("/api/records/snacks/", &json!({"title": ""})).await.refused(400);
    assert!(refused.errors.0.contains_key("title"), "{refused:?}");
    admin.post("/api/records/snacks/", &json!({"title": "Crisps"})).await.refused(409);
    // One who read it under its name of today, and writes it under the other.
    let mut both = admin.get(&address).await.is(200);
    both["title"] = json!("Chips");
    assert_eq!(admin.put(&address, &both).await.is(200)["name"], "Chips");
    admin.put(&address, &json!({"name": "a", "title": "b"})).await.refused(400);

    // Its history has it all under one name.
    let history = admin.get(&format!("{address}history/")).await.is(200);
    let names: Vec<&Value> =
        history["results"].as_array().unwrap().iter().map(|change| &change["after"]["name"]).collect();
    assert_eq!(names, ["Chips", "Crisps", "Popcorn"]);
    let back = format!("{address}history/{}/restore/", record["revision"]);
    assert_eq!(admin.post(&back, &json!({})).await.is(200)["name"], "Popcorn");

    // Until it is dropped.
    let field = json!({"aliases": []});
    admin.patch("/api/collections/snacks/fields/name/", &field).await.is(200);
    admin.get("/api/records/snacks/?title=Popcorn").await.refused(400);
    admin.patch(&address, &json!({"title": "x"})).await.refused(400);
}

#[tokio::test]
async fn a_field_is_renamed_without_ids_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    let rest = json!([{"name": "price", "type": "integer", "indexed": true}, {"name": "kind", "type": "choice", "choices": ["sweet", "salty"]}]);
    let named = |name: &str, from: &str| {
        let mut all = rest.as_array().unwrap().clone();
        all.insert(0, json!({"name": name, "type": "text", "required": true, "unique": true, "indexed": true, "renamed_from": from}));
        json!({"fields": all})
    };
    // Sent twice, it is done once.
    for _ in 0..2 {
        admin.patch("/api/collections/snacks/", &named("label", "title")).await.is(200);
    }
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["label"], "Popcorn");
    let refused = admin.patch("/api/collections/snacks/", &named("x", "nothing")).await.refused(400);
    assert!(refused.errors.0.contains_key("fields.0.renamed_from"));
    admin.patch("/api/collections/snacks/fields/label/", &json!({"name": "heading"})).await.is(200);
    // An earlier name leads there as well.
    admin.patch("/api/collections/snacks/fields/title/", &json!({"help": "What it is."})).await.is(200);
    let read = admin.get(&path("snacks", &record)).await.is(200);
    assert_eq!((&read["heading"], &read["revision"]), (&json!("Popcorn"), &record["revision"]));
    admin.patch("/api/collections/snacks/fields/nothing/", &json!({"help": "x"})).await.refused(404);
    let faults = admin.patch("/api/collections/snacks/fields/title/", &json!({"name": "price"})).await.faults();
    assert_eq!(faults, ["name: Another field has this name already."]);
    let faults = admin.patch("/api/collections/snacks/fields/title/", &json!({"max_length": -1})).await.faults();
    assert!(faults[0].starts_with("max_length"), "{faults:?}");
}

#[tokio::test]
async fn indexes_over_several_fields_follow_one_that_is_renamed_and_go_with_one_that_is_dropped() {
    let (_coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    let indexes = json!([{"fields": ["kind", "-price"]}, {"fields": ["title", "kind"], "unique": true}]);
    admin.patch("/api/collections/snacks/", &json!({"indexes": indexes})).await.is(200);
    let field = |name: &str| format!("/api/collections/snacks/fields/{name}/");
    let changed = admin.patch(&field("price"), &json!({"name": "cost"})).await.is(200);
    assert_eq!(changed["indexes"][0]["fields"], json!(["kind", "-cost"]));
    let told = admin.delete(&format!("{}?dry_run=true", field("cost"))).await.is(200);
    assert_eq!(told["dropped"], json!({"cost": 1}));
    let dropped = admin.delete(&field("cost")).await;
    assert_eq!(dropped.is(200)["indexes"], json!([{"fields": ["title", "kind"], "unique": true}]));
    let undo = format!("/api/changes/{}/revert/", dropped.header("operation"));
    admin.post(&undo, &json!({})).await.is(200);
    let found = admin.get("/api/records/snacks/?kind=salty&ordering=-cost&explain=true").await.is(200);
    assert_eq!((&found["results"][0]["cost"], &found["explain"]["sorts"]), (&json!(3), &json!(false)), "{found}");
}

#[tokio::test]
async fn two_fields_change_names() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "a", "type": "text"}, {"name": "b", "type": "text"}])).await;
    let record = admin.record("snacks", json!({"a": "1", "b": "2"})).await;
    let mut all = fields(&admin).await;
    (all[0]["name"], all[1]["name"]) = (json!("b"), json!("a"));
    admin.patch("/api/collections/snacks/", &json!({"fields": all})).await.is(200);
    let read = admin.get(&path("snacks", &record)).await.is(200);
    assert_eq!((&read["a"], &read["b"]), (&json!("2"), &json!("1")));
    assert!(fields(&admin).await.iter().all(|field| field["aliases"].is_null()));
}

#[tokio::test]
async fn nothing_is_dropped_by_leaving_it_out() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    admin.record("snacks", json!({"title": "Nuts", "price": 4})).await;
    let address = "/api/collections/snacks/";
    let one = json!({"fields": [{"name": "title", "type": "text", "required": true, "unique": true, "indexed": true}]});
    for method in ["PATCH", "PUT"] {
        let mut body = one.clone();
        body["name"] = json!("snacks");
        let refused = admin.json(method.parse().unwrap(), address, &body).await.refused(409);
        assert_eq!((refused.code.as_ref(), &refused.extra["records"]), ("would_drop", &json!({"price": 2, "kind": 1})));
        assert!(refused.detail.contains("?drop=price,kind"), "{}", refused.detail);
    }
    admin.patch(&format!("{address}?drop=price"), &one).await.refused(409);
    let faults = admin.patch(&format!("{address}?drop=price,kind,title"), &one).await.faults();
    assert!(faults[0].contains("stays"), "{faults:?}");
    let faults = admin.patch(&format!("{address}?drop=nothing"), &one).await.faults();
    assert!(faults[0].starts_with("drop"), "{faults:?}");
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["price"], 3);
    admin.patch(&format!("{address}?drop=price,kind"), &one).await.is(200);
    let read = admin.get(&path("snacks", &record)).await.is(200);
    assert_eq!(read.as_object().unwrap().len(), 6, "{read}");
    admin.get("/api/records/snacks/?price=3").await.refused(400);

    // One that nothing holds goes without a word, and one by its own address with one.
    admin.post(&format!("{address}fields/"), &json!({"name": "note", "type": "text"})).await.is(200);
    admin.patch(address, &one).await.is(200);
    admin.post(&format!("{address}fields/"), &json!({"name": "size", "type": "integer", "value": 7})).await.is(200);
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["size"], 7);
    admin.delete(&format!("{address}fields/size/")).await.is(200);
    admin.delete(&format!("{address}fields/size/")).await.refused(404);
    assert_eq!(fields(&admin).await.len(), 1);
    admin.post(&format!("{address}fields/"), &json!({"name": "title", "type": "text"})).await.refused(400);
}

#[tokio::test]
async fn a_dropped_field_comes_back_by_its_id_with_its_values() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    let all = fields(&admin).await;
    admin.delete("/api/collections/snacks/fields/price/").await.is(200);
    let untouched = admin.get(&path("snacks", &record)).await.is(200);
    assert!(untouched.get("price").is_none());
    // Its history says what it was.
    let history = admin.get(&format!("{}history/", path("snacks", &record))).await.is(200);
    assert_eq!(history["results"][0]["after"]["price"], 3);
    admin.patch("/api/collections/snacks/", &json!({"fields": all})).await.is(200);
    let read = admin.get(&path("snacks", &record)).await.is(200);
    assert_eq!((&read["price"], &read["revision"]), (&json!(3), &record["revision"]));
    assert_eq!(admin.column("/api/records/snacks/?price=3", "title").await, ["Popcorn"]);
}

#[tokio::test]
async fn a_required_field_asks_for_a_value_for_the_records_that_exist() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    let add = "/api/collections/snacks/fields/";
    let refused = admin.post(add, &json!({"name": "stock", "type": "integer", "required": true})).await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("records_do_not_fit", &json!(1)));
    assert!(refused.errors.messages("stock").next().unwrap().contains("value the records that exist get"));
    let wrong = admin.post(add, &json!({"name": "stock", "type": "integer", "required": true, "value": "x"})).await;
    assert!(wrong.faults()[0].starts_with("value: "), "{:?}", wrong.faults());
    admin
        .post(add, &json!({"name": "stock", "type": "integer", "required": true, "value": 5, "indexed": true}))
        .await
        .is(200);
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["stock"], 5);
    assert_eq!(admin.column("/api/records/snacks/?stock=5", "title").await, ["Popcorn"]);
    admin.post("/api/records/snacks/", &json!({"title": "Nuts"})).await.refused(400);
}

#[tokio::test]
async fn a_nullable_field_never_gets_a_zero_in_silence() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "n", "type": "integer", "nullable": true}])).await;
    let record = admin.record("snacks", json!({"n": null})).await;
    let address = "/api/collections/snacks/fields/n/";
    for body in [json!({"nullable": false, "required": true}), json!({"nullable": false, "default": 0})] {
        let refused = admin.patch(address, &body).await.refused(409);
        assert_eq!(refused.errors.0["n"][0].code, "null", "{body}");
    }
    let body = json!({"nullable": false, "required": true, "value": 9});
    admin.patch(address, &body).await.is(200);
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["n"], 9);
}

/// Of a field that has nothing else for nothing, null is no value any more: there has to be one, or a default.
#[tokio::test]
async fn an_optional_field_may_be_null_no_more_from_then_on() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("boxes", json!([{"name": "t", "type": "text"}])).await;
    let a_box = text(&admin.record("boxes", json!({"t": "b"})).await, "id");
    for (i, (kind, value)) in [
        (json!({"type": "integer"}), json!(0)),
        (json!({"type": "decimal", "places": 2}), json!("0.00")),
        (json!({"type": "date"}), json!("2026-01-01")),
        (json!({"type": "datetime"}), json!("2026-01-01T00:00:00Z")),
        (json!({"type": "choice", "choices": ["a", "b"]}), json!("a")),
        (json!({"type": "reference", "collection": "boxes"}), json!(a_box)),
        (json!({"type": "json"}), json!({"a": 1})),
        (json!({"type": "text", "unique": true}), json!("only one")),
        // These have something for nothing: they stay optional.
        (json!({"type": "boolean", "nullable": true}), json!(true)),
        (json!({"type": "text", "nullable": true}), json!("t")),
        (json!({"type": "choice", "choices": ["a", "b"], "many": true, "nullable": true}), json!(["b"])),
    ]
    .into_iter()
    .enumerate()
    {
        let (name, mut field) = (format!("c{i}"), kind.clone());
        field["name"] = json!("f");
        admin.collection(&name, json!([field])).await;
        let record = admin.record(&name, json!({"f": null})).await;
        let address = format!("/api/collections/{name}/fields/f/");
        let before = admin.get(&format!("/api/collections/{name}/")).await.is(200);
        assert_eq!(before["fields"][0]["nullable"], true, "{kind}");
        let refused = admin.patch(&address, &json!({"nullable": false})).await.refused(409);
        assert_eq!(refused.errors.0["f"][0].code, "null", "{kind}");
        let after = admin.get(&format!("/api/collections/{name}/")).await.is(200);
        assert_eq!(after["revision"], before["revision"], "{kind}: nothing was done");

        let told = admin.patch(&format!("{address}?dry_run=true"), &json!({"nullable": false, "value": value})).await;
        assert_eq!(told.is(200)["changed"], 1, "{kind}");
        let changed = admin.patch(&address, &json!({"nullable": false, "value": value})).await.is(200);
        assert_eq!(changed["fields"][0]["nullable"], false, "{kind}");
        assert_eq!(admin.get(&path(&name, &record)).await.is(200)["f"], value, "{kind}");
        admin.patch(&path(&name, &record), &json!({"f": null})).await.refused(400);
        let has_nothing = changed["fields"][0]["required"] == false;
        assert_eq!(has_nothing, i >= 8, "{kind}");
        let made = admin.post(&format!("/api/records/{name}/"), &json!({})).await;
        if has_nothing {
            assert!(!made.is(201)["f"].is_null(), "{kind}");
        } else {
            assert!(made.faults()[0].starts_with("f: "), "{kind}");
            // Optional again, it may be null; or is what the default says.
            let again = admin.patch(&address, &json!({"required": false})).await.is(200);
            assert_eq!(again["fields"][0]["nullable"], true, "{kind}");
            let both = admin.patch(&address, &json!({"required": false, "nullable": false})).await;
            assert!(both.faults()[0].starts_with("nullable: "), "{kind}");
            let default = json!({"nullable": false, "default": value});
            let changed = admin.patch(&address, &default).await.is(200);
            assert_eq!(
                (&changed["fields"][0]["nullable"], &changed["fields"][0]["required"]),
                (&json!(false), &json!(false))
            );
            if field["unique"] != true {
                assert_eq!(
                    admin.post(&format!("/api/records/{name}/"), &json!({})).await.is(201)["f"],
                    value,
                    "{kind}"
                );
            }
            // Without its default, it may be null again.
            let changed = admin.patch(&address, &json!({"default": null})).await.is(200);
            assert_eq!(changed["fields"][0]["nullable"], true, "{kind}");
        }
    }
    // Where a reference becomes null, it may be; one that is optional is.
    let reference = json!({"name": "b", "type": "reference", "collection": "boxes", "on_delete": "set_null"});
    let made = admin.post("/api/collections/c0/fields/", &reference).await.is(200);
    assert_eq!(made["fields"][1]["nullable"], true);
    let faults = admin.patch("/api/collections/c0/fields/b/", &json!({"nullable": false})).await.faults();
    assert!(faults[0].starts_with("on_delete: "), "{faults:?}");
}

#[tokio::test]
async fn choices_are_renamed_in_the_records_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    let address = "/api/collections/snacks/fields/kind/";
    let changed = admin.patch(address, &json!({"rename": {"salty": "savoury"}})).await.is(200);
    assert_eq!(changed["fields"][2]["choices"], json!(["sweet", "savoury"]));
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["kind"], "savoury");
    admin.patch("/api/collections/snacks/fields/title/", &json!({"rename": {"a": "b"}})).await.refused(400);
    // Sent a second time it is done already; a choice that there is not is none, and two do not become one in silence.
    admin.patch(address, &json!({"rename": {"salty": "savoury"}})).await.is(200);
    let faults = admin.patch(address, &json!({"rename": {"bitter": "sour"}})).await.faults();
    assert_eq!(faults, ["rename: There is no choice \"bitter\"."]);
    let faults = admin.patch(address, &json!({"rename": {"savoury": "sweet"}})).await.faults();
    assert!(faults[0].starts_with("rename: \"sweet\" is another choice."), "{faults:?}");
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["kind"], "savoury");
    admin.patch(address, &json!({"rename": {"savoury": "sweet", "sweet": "savoury"}})).await.is(200);
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["kind"], "sweet");
    let one = json!({"choices": ["savoury"], "convert": {"map": {"sweet": "savoury"}}});
    admin.patch(address, &one).await.is(200);
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["kind"], "savoury");
    admin.patch(address, &json!({"choices": ["sweet", "savoury"]})).await.is(200);
    admin.patch(address, &json!({"choices": ["sweet"]})).await.refused(409);
    admin.patch(address, &json!({"many": true})).await.is(200);
    assert_eq!(admin.get(&path("snacks", &record)).await.is(200)["kind"], json!(["savoury"]));
}

#[tokio::test]
async fn values_are_converted_where_that_is_asked_for() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "price", "type": "text"}, {"name": "day", "type": "text"}])).await;
    let dear = admin.record("snacks", json!({"price": "1,234.50", "day": "3.4.2024"})).await;
    let odd = admin.record("snacks", json!({"price": "dear", "day": "soon"})).await;
    let address = "/api/collections/snacks/fields/price/";
    let refused = admin.patch(address, &json!({"type": "decimal", "places": 2})).await.refused(409);
    assert_eq!(refused.extra["count"], 2);
    let refused =
        admin.patch(address, &json!({"type": "decimal", "places": 2, "convert": "number"})).await.refused(409);
    assert_eq!((&refused.extra["count"], &refused.extra["examples"]), (&json!(1), &json!([odd["id"]])));
    // What stands in for what does not fit has to fit itself, whether or not a record needs it.
    for fallback in [json!({"default": "dear"}), json!({"default": "1.234"})] {
        let body = json!({"type": "decimal", "places": 2, "convert": ["number", fallback]});
        let faults = admin.patch(address, &body).await.faults();
        assert!(faults[0].starts_with("convert: "), "{faults:?}");
    }
    let convert = json!({"type": "decimal", "places": 2, "indexed": true, "convert": ["number", "null"]});
    admin.patch(address, &convert).await.is(200);
    let days = json!({"type": "date", "convert": [{"date": "DD.MM.YYYY"}, {"default": "2000-01-01"}]});
    admin.patch("/api/collections/snacks/fields/day/", &days).await.is(200);
    let read = admin.get(&path("snacks", &dear)).await.is(200);
    assert_eq!((&read["price"], &read["day"]), (&json!("1234.50"), &json!("2024-04-03")));
    let read = admin.get(&path("snacks", &odd)).await.is(200);
    assert_eq!((&read["price"], &read["day"]), (&Value::Null, &json!("2000-01-01")));
    assert_eq!(admin.column("/api/records/snacks/?price=1234.5", "day").await, ["2024-04-03"]);
    // The history keeps what was written.
    let history = admin.get(&format!("{}history/", path("snacks", &odd))).await.is(200);
    assert_eq!(history["results"][0]["after"]["price"], "dear");
    let written = admin.patch(&path("snacks", &odd), &json!({"price": "2"})).await.is(200);
    let history = admin.get(&format!("{}history/", path("snacks", &odd))).await.is(200);
    assert_eq!(history["results"][1]["after"]["price"], "dear");
    assert_eq!((&history["results"][0]["before"]["price"], &written["price"]), (&Value::Null, &json!("2.00")));
}

#[tokio::test]
async fn a_collection_under_another_name_still_answers_to_the_old_one() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let record = snacks(&admin).await;
    admin.collection("orders", json!([{"name": "snack", "type": "reference", "collection": "snacks"}])).await;
    let order = admin.record("orders", json!({"snack": record["id"]})).await;
    let changed = admin.patch("/api/collections/snacks/", &json!({"name": "treats"})).await.is(200);
    assert_eq!((&changed["name"], &changed["aliases"]), (&json!("treats"), &json!(["snacks"])));
    for name in ["treats", "snacks"] {
        assert_eq!(
            admin.get(&format!("/api/records/{name}/{}/", text(&record, "id"))).await.is(200)["title"],
            "Popcorn"
        );
        assert_eq!(admin.get(&format!("/api/collections/{name}/")).await.is(200)["name"], "treats");
        assert_eq!(
            admin.get(&format!("/api/changes/?collection={name}")).await.is(200)["results"].as_array().unwrap().len(),
            1,
            "{name}"
        );
    }
    assert_eq!(admin.get("/api/collections/orders/").await.is(200)["fields"][0]["collection"], "treats");
    assert_eq!(admin.column("/api/records/orders/?snack__title=Popcorn", "id").await, [order["id"].clone()]);
    admin.record("snacks", json!({"title": "Nuts"})).await;
    admin.delete(&path("snacks", &record)).await.refused(409);
    // The name is not free before it is dropped.
    admin.post("/api/collections/", &json!({"name": "snacks"})).await.refused(409);
    admin.patch("/api/collections/orders/", &json!({"name": "snacks"})).await.refused(409);
    admin.patch("/api/collections/orders/", &json!({"name": "treats"})).await.refused(409);
    // A former client sends the former name with what it read.
    admin
        .put("/api/collections/snacks/", &json!({"name": "snacks", "description": "d", "fields": changed["fields"]}))
        .await
        .is(200);
    assert_eq!(admin.get("/api/collections/snacks/").await.is(200)["name"], "treats");
    admin.patch("/api/collections/treats/", &json!({"aliases": []})).await.is(200);
    admin.get("/api/collections/snacks/").await.refused(404);
    admin.get("/api/records/snacks/").await.refused(404);
    admin.collection("snacks", json!([])).await;
}

#[tokio::test]
async fn who_asks_by_a_former_name_gets_the_member_under_that_alone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    admin.collection("rows", json!([{"name": "maker", "type": "reference", "collection": "makers"}])).await;
    let maker = admin.record("makers", json!({"name": "Oven"})).await;
    let row = admin.record("rows", json!({"maker": maker["id"]})).await;
    admin.patch("/api/collections/rows/fields/maker/", &json!({"name": "producer"})).await.is(200);
    let query = "?expand=maker&fields=maker";
    let list = admin.get(&format!("/api/records/rows/{query}")).await.is(200)["results"][0].clone();
    let one = admin.get(&format!("{}{query}", path("rows", &row))).await.is(200);
    for read in [list, one] {
        assert_eq!((read.as_object().unwrap().len(), &read["maker"]["name"]), (1, &json!("Oven")), "{read}");
    }
}
