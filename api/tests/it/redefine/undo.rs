//! Changes of definitions are operations, and can be undone.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

const ADDRESS: &str = "/api/collections/snacks/";

async fn snacks(admin: &Client) -> Vec<Value> {
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true},
        {"name": "price", "type": "integer", "indexed": true, "nullable": true},
        {"name": "note", "type": "text"},
    ]);
    admin.collection("snacks", fields).await;
    let mut made = Vec::new();
    for (n, title) in ["Popcorn", " Nuts ", "Crisps"].into_iter().enumerate() {
        made.push(admin.record("snacks", json!({"title": title.trim(), "price": n, "note": title})).await);
    }
    made
}

/// Undoes what an answer did. The work that is left is waited for.
async fn revert(admin: &Client, answer: &Answer) -> Answer {
    let operation = answer.header("operation");
    let reverted = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
    if reverted.status == 202 {
        over(admin, &text(&reverted.is(202), "operation")).await;
    }
    reverted
}

async fn over(admin: &Client, operation: &str) {
    while !["done", "failed"]
        .contains(&text(&admin.get(&format!("/api/operations/{operation}/")).await.is(200), "state").as_str())
    {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn fields(admin: &Client) -> Value {
    let mut fields = admin.get(ADDRESS).await.is(200)["fields"].clone();
    for field in fields.as_array_mut().unwrap() {
        field.as_object_mut().unwrap().remove("aliases");
    }
    fields
}

async fn values(admin: &Client, made: &[Value], field: &str) -> Vec<Value> {
    let mut values = Vec::new();
    for record in made {
        values.push(admin.get(&path("snacks", record)).await.is(200)[field].clone());
    }
    values
}

#[tokio::test]
async fn a_dropped_field_comes_back_with_its_values_also_in_records_that_were_changed_since() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let before = fields(&admin).await;
    let dropped = admin.delete("/api/collections/snacks/fields/note/").await;
    dropped.is(200);
    admin.patch(&path("snacks", &made[1]), &json!({"price": 77})).await.is(200);
    admin.patch(&path("snacks", &made[1]), &json!({"price": 78})).await.is(200);
    let back = revert(&admin, &dropped).await;
    assert!([200, 202].contains(&back.status), "{}", back.text());
    assert_eq!(fields(&admin).await, before);
    assert_eq!(values(&admin, &made, "note").await, ["Popcorn", "Nuts", "Crisps"]);
    assert_eq!(admin.get(&path("snacks", &made[0])).await.is(200)["revision"], made[0]["revision"]);
    // Doing it again, and undoing that.
    let again = revert(&admin, &back).await;
    assert!(fields(&admin).await.as_array().unwrap().len() == 2, "{}", again.text());
    revert(&admin, &again).await;
    assert_eq!(values(&admin, &made, "note").await, ["Popcorn", "Nuts", "Crisps"]);
}

/// Trims the journal until nothing is left of what came before.
async fn trim_all(admin: &Client, record: &Value) {
    let history = format!("{}history/", path("snacks", record));
    while admin.get(&history).await.is(200)["results"].as_array().unwrap().iter().any(|one| one["action"] == "create") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let begun = admin.post("/api/changes/trim/", &json!({"older_than": "1s"})).await;
        over(admin, &text(&begun.is(202), "id")).await;
    }
}

#[tokio::test]
async fn values_come_back_in_records_that_were_made_before_all_that_the_journal_has() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let fields_of = "/api/collections/snacks/fields/";
    let added = json!({"name": "stars", "type": "decimal", "places": 1, "nullable": true, "value": "4.5"});
    admin.post(fields_of, &added).await.is(200);
    admin.patch(&path("snacks", &made[0]), &json!({"price": 5})).await.is(200);
    trim_all(&admin, made.last().unwrap()).await;
    trim_all(&admin, &made[0]).await;
    for (change, field) in
        [(None, "stars"), (None, "note"), (Some(json!({"type": "integer", "convert": "round"})), "stars")]
    {
        let address = format!("{fields_of}{field}/");
        let before = values(&admin, &made, field).await;
        let changed = match &change {
            None => admin.delete(&address).await,
            Some(change) => admin.patch(&address, change).await,
        };
        changed.is(200);
        for (n, record) in made.iter().enumerate() {
            admin.patch(&path("snacks", record), &json!({"price": n + 70})).await.is(200);
        }
        revert(&admin, &changed).await;
        assert_eq!(values(&admin, &made, field).await, before, "{field} after {change:?}");
    }
}

#[tokio::test]
async fn a_rename_an_added_field_and_rules_go_back() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let before = fields(&admin).await;
    let renamed = admin.patch("/api/collections/snacks/fields/title/", &json!({"name": "name"})).await;
    renamed.is(200);
    revert(&admin, &renamed).await.is(200);
    assert_eq!(fields(&admin).await, before);
    // Somebody who uses the other name already can go on.
    assert_eq!(admin.column("/api/records/snacks/?name=Nuts", "title").await, ["Nuts"]);

    let added = admin
        .post(
            "/api/collections/snacks/fields/",
            &json!({"name": "stock", "type": "integer", "value": 5, "required": true}),
        )
        .await;
    added.is(200);
    let other = admin.patch(ADDRESS, &json!({"description": "Sweet", "access": {"list": ["anyone"]}})).await;
    other.is(200);
    revert(&admin, &added).await.is(200);
    assert_eq!(fields(&admin).await, before);
    let now = admin.get(ADDRESS).await.is(200);
    assert_eq!((&now["description"], &now["access"]["list"]), (&json!("Sweet"), &json!(["anyone"])));
    revert(&admin, &other).await.is(200);
    let now = admin.get(ADDRESS).await.is(200);
    assert_eq!((&now["description"], &now["access"]["list"]), (&json!(""), &json!(["signed_in"])));
    assert_eq!(values(&admin, &made, "price").await, [0, 1, 2]);
}

/// Two fields of one name would hide each other's values, and no check passes over such a store.
#[tokio::test]
async fn no_field_comes_back_under_a_name_that_another_has_by_now() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let field = |name: &str| format!("{ADDRESS}fields/{name}/");
    let text_field = |name: &str| json!({"name": name, "type": "text"});
    let dropped = admin.delete(&field("note")).await;
    dropped.is(200);
    admin.post(&format!("{ADDRESS}fields/"), &text_field("note")).await.is(200);
    admin.patch(&path("snacks", &made[0]), &json!({"note": "new"})).await.is(200);
    let renamed = admin.patch(&field("title"), &json!({"name": "name"})).await;
    renamed.is(200);
    let other = admin.patch(&field("note"), &json!({"name": "title"})).await;
    other.is(200);
    for (operation, name) in [(&renamed, "title"), (&other, "note")] {
        if name == "note" {
            admin.post(&format!("{ADDRESS}fields/"), &text_field("note")).await.is(200);
        }
        let before = fields(&admin).await;
        for mode in ["", "?changed=overwrite"] {
            let address = format!("/api/changes/{}/revert/{mode}", operation.header("operation"));
            let refused = admin.post(&address, &json!({})).await;
            assert_eq!(refused.status, 409, "{}", refused.text());
            assert!(refused.text().contains(&format!("is called \\\"{name}\\\" by now")), "{}", refused.text());
        }
        let skipped = admin
            .post(&format!("/api/changes/{}/revert/?changed=skip", operation.header("operation")), &json!({}))
            .await;
        assert_eq!(skipped.is(200)["skipped"], 1);
        assert_eq!(fields(&admin).await, before);
    }
    let refused = admin.post(&format!("/api/changes/{}/revert/", dropped.header("operation")), &json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    // Where the name is free again, it goes back.
    admin.patch(&field("note"), &json!({"name": "remark"})).await.is(200);
    admin.patch(&field("title"), &json!({"name": "label"})).await.is(200);
    let back = revert(&admin, &renamed).await;
    assert!([200, 202].contains(&back.status), "{}", back.text());
    assert_eq!(values(&admin, &made, "title").await, ["Popcorn", "Nuts", "Crisps"]);
    assert_eq!(values(&admin, &made, "label").await, ["new", "", ""]);
}

#[tokio::test]
async fn what_was_written_since_holds_an_added_field_unless_it_is_overwritten() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let added = admin
        .post("/api/collections/snacks/fields/", &json!({"name": "stock", "type": "integer", "nullable": true}))
        .await;
    added.is(200);
    admin.patch(&path("snacks", &made[0]), &json!({"stock": 9})).await.is(200);
    let address = format!("/api/changes/{}/revert/", added.header("operation"));
    let refused = admin.post(&address, &json!({})).await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("changed_since", &json!(1)));
    admin.post(&format!("{address}?changed=overwrite"), &json!({})).await.is(200);
    assert_eq!(fields(&admin).await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_retype_goes_back_to_the_very_values() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    admin.patch(&path("snacks", &made[1]), &json!({"note": "  Spaces  and CAPITALS"})).await.is(200);
    let note = values(&admin, &made, "note").await;
    // What is lost on the way stands in the records, and in the history of those that are changed meanwhile.
    let lower = admin.patch("/api/collections/snacks/fields/note/", &json!({"convert": ["trim", "lower"]})).await;
    lower.is(200);
    assert_eq!(values(&admin, &made, "note").await[1], "spaces  and capitals");
    admin.patch(&path("snacks", &made[1]), &json!({"price": 4})).await.is(200);
    admin.patch(&path("snacks", &made[2]), &json!({"note": "new"})).await.is(200);
    let back = revert(&admin, &lower).await;
    assert!([200, 202].contains(&back.status), "{}", back.text());
    let expected = [note[0].clone(), note[1].clone(), json!("new")];
    assert_eq!(values(&admin, &made, "note").await, expected);

    let retyped = admin.patch("/api/collections/snacks/fields/price/", &json!({"type": "text"})).await;
    retyped.is(200);
    assert_eq!(values(&admin, &made, "price").await, ["0", "4", "2"]);
    admin.patch(&path("snacks", &made[0]), &json!({"price": "12"})).await.is(200);
    revert(&admin, &retyped).await.is(200);
    assert_eq!(values(&admin, &made, "price").await, [12, 4, 2]);
    assert_eq!(admin.column("/api/records/snacks/?price=12", "title").await, ["Popcorn"]);

    // What does not fit any more holds it back.
    let retyped = admin.patch("/api/collections/snacks/fields/price/", &json!({"type": "text"})).await;
    retyped.is(200);
    admin.patch(&path("snacks", &made[0]), &json!({"price": "cheap"})).await.is(200);
    let address = format!("/api/changes/{}/revert/", retyped.header("operation"));
    let refused = admin.post(&address, &json!({})).await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("changed_since", &json!(1)));
    assert_eq!(refused.extra["examples"][0]["id"], made[0]["id"]);
    admin.post(&format!("{address}?changed=overwrite"), &json!({})).await.is(200);
    assert_eq!(values(&admin, &made, "price").await, [12, 4, 2]);
}

#[tokio::test]
async fn a_deleted_collection_comes_back_with_its_records_and_goes_again() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    admin.patch(&path("snacks", &made[0]), &json!({"price": 50})).await.is(200);
    let refers = json!([{"name": "snack", "type": "reference", "collection": "snacks", "on_delete": "restrict"}]);
    admin.collection("orders", refers).await;
    admin.delete(ADDRESS).await.refused(409);
    admin.delete("/api/collections/orders/").await.is(204);
    let before = admin.get(ADDRESS).await.is(200);
    let deleted = admin.delete(ADDRESS).await;
    deleted.is(204);
    admin.get(ADDRESS).await.refused(404);
    let back = revert(&admin, &deleted).await;
    assert!([200, 202].contains(&back.status), "{}", back.text());
    let after = admin.get(ADDRESS).await.is(200);
    assert_eq!((&after["fields"], &after["id"], &after["count"]), (&before["fields"], &before["id"], &json!(3)));
    assert_eq!(values(&admin, &made, "price").await, [50, 1, 2]);
    assert_eq!(admin.column("/api/records/snacks/?title=Nuts", "price").await, [1]);
    let history = admin.get(&format!("{}history/", path("snacks", &made[0]))).await.is(200);
    assert_eq!(history["results"].as_array().unwrap().len(), 4);
    // There and gone again, and back again.
    admin.record("snacks", json!({"title": "Later", "price": 7})).await;
    let gone = admin.delete(ADDRESS).await;
    gone.is(204);
    // What deleted it the last time is what can be undone, or what came since would be lost.
    let address = format!("/api/changes/{}/revert/?changed=overwrite", deleted.header("operation"));
    let refused = admin.post(&address, &json!({})).await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["examples"][0]["reason"]), ("changed_since", &json!("deleted")));
    admin.get(ADDRESS).await.refused(404);
    let back = revert(&admin, &gone).await;
    assert_eq!(admin.get(ADDRESS).await.is(200)["count"], 4);
    let later = admin.get("/api/records/snacks/?title=Later").await.is(200)["results"][0].clone();
    admin.delete(&path("snacks", &later)).await.is(204);
    let gone = revert(&admin, &back).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    admin.get(ADDRESS).await.refused(404);
    // Its name may be another's by now.
    let other = admin.post("/api/collections/", &json!({"name": "snacks", "fields": []})).await;
    other.is(201);
    let address = format!("/api/changes/{}/revert/", gone.header("operation"));
    admin.post(&address, &json!({})).await.refused(409);
    // A collection that was made goes, unless it has records that were made since.
    admin.record("snacks", json!({})).await;
    let made_it = format!("/api/changes/{}/revert/", other.header("operation"));
    assert_eq!(admin.post(&made_it, &json!({})).await.refused(409).code, "changed_since");
    admin.post(&format!("{made_it}?changed=overwrite"), &json!({})).await.is(200);
    assert!([200, 202].contains(&admin.post(&address, &json!({})).await.status));
    assert_eq!(values(&admin, &made, "price").await, [50, 1, 2]);
}

#[tokio::test]
async fn changes_of_one_field_go_back_one_after_the_other_and_are_made_again() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let (first, mut name) = (fields(&admin).await, "note".to_owned());
    let mut done = Vec::new();
    for body in [
        json!({"name": "remark"}),
        json!({"max_length": 90}),
        json!({"indexed": true}),
        json!({"aliases": []}),
        json!({"name": "comment"}),
        json!({"help": "What is to be said of it."}),
    ] {
        let changed = admin.patch(&format!("/api/collections/snacks/fields/{name}/"), &body).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        name = body["name"].as_str().unwrap_or(&name).to_owned();
        done.push(changed);
    }
    let last = fields(&admin).await;
    let mut undone = Vec::new();
    for changed in done.iter().rev() {
        let back = revert(&admin, changed).await;
        assert_eq!(back.status, 200, "{}", back.text());
        undone.push(back);
    }
    assert_eq!(fields(&admin).await, first);
    assert_eq!(values(&admin, &made, "note").await, ["Popcorn", "Nuts", "Crisps"]);
    for back in undone.iter().rev() {
        let again = revert(&admin, back).await;
        assert_eq!(again.status, 200, "{}", again.text());
    }
    assert_eq!(fields(&admin).await, last);
    assert_eq!(values(&admin, &made, "comment").await, ["Popcorn", "Nuts", "Crisps"]);
}

#[tokio::test]
async fn a_dropped_name_leads_to_its_field_again_once_that_is_undone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    admin.patch("/api/collections/snacks/fields/note/", &json!({"name": "remark"})).await.is(200);
    let dropped = admin.patch("/api/collections/snacks/fields/remark/", &json!({"aliases": []})).await;
    admin.get("/api/records/snacks/?note=Nuts").await.refused(400);
    revert(&admin, &dropped).await.is(200);
    assert_eq!(admin.column("/api/records/snacks/?note=Nuts", "remark").await, ["Nuts"]);
    assert_eq!(values(&admin, &made, "remark").await, ["Popcorn", "Nuts", "Crisps"]);
}

#[tokio::test]
async fn a_definition_that_was_changed_since_goes_back_where_it_was_not() {
    let (_coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    let first = admin.patch("/api/collections/snacks/fields/note/", &json!({"max_length": 50, "help": "h"})).await;
    first.is(200);
    admin.patch("/api/collections/snacks/fields/note/", &json!({"max_length": 60})).await.is(200);
    let address = format!("/api/changes/{}/revert/", first.header("operation"));
    let refused = admin.post(&address, &json!({})).await.refused(409);
    assert_eq!(refused.extra["examples"][0]["part"], "fields.note");
    assert_eq!(admin.post(&format!("{address}?changed=skip"), &json!({})).await.is(200)["skipped"], 1);
    admin.post(&format!("{address}?changed=overwrite"), &json!({})).await.is(200);
    let note = fields(&admin).await[2].clone();
    assert!(note["max_length"].is_null() && note["help"] != "h", "{note}");
}

#[tokio::test]
async fn values_that_are_in_no_history_any_more_are_told_before_anything_is_undone() {
    let (coffer, admin) = Coffer::with_admin_and(&["--quota-bytes", "30KB"]).await;
    let ben = coffer.user(&admin, "ben", json!({})).await;
    let text_field = |name: &str| json!({"name": name, "type": "text", "nullable": name != "t"});
    let fields = json!([text_field("t"), text_field("x"), text_field("n")]);
    admin.post("/api/collections/", &json!({"name": "q", "history": "all", "fields": fields})).await.is(201);
    let made = ben.record("q", json!({"t": "a", "x": "what it was", "n": "as long as that"})).await;
    let dropped = admin.delete("/api/collections/q/fields/x/").await;
    let body = json!({"max_length": 3, "convert": "null"});
    let shortened = admin.patch("/api/collections/q/fields/n/", &body).await;
    for n in 0..60 {
        ben.patch(&path("q", &made), &json!({"t": n.to_string().repeat(1000)})).await.is(200);
    }
    for (changed, field) in [(&shortened, "n"), (&dropped, "x")] {
        changed.is(200);
        let address = format!("/api/changes/{}/revert/", changed.header("operation"));
        let told = admin.post(&address, &json!({})).await.refused(409);
        assert!(told.extra["examples"][0]["detail"].as_str().unwrap().contains("in no history any more"), "{told:?}");
        let now = admin.get("/api/collections/q/").await.is(200);
        assert!(now["fields"].as_array().unwrap().iter().all(|now| now["name"] != field || now["max_length"] == 3));
        let reverted = admin.post(&format!("{address}?changed=overwrite"), &json!({})).await;
        assert!([200, 202].contains(&reverted.status), "{}", reverted.text());
        if reverted.status == 202 {
            over(&admin, &text(&reverted.is(202), "operation")).await;
        }
        assert_eq!(admin.get(&path("q", &made)).await.is(200)["t"], "59".repeat(1000));
    }
}

#[tokio::test]
async fn what_an_operation_left_alone_of_a_field_stays_as_it_is() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let address = |name: &str| format!("/api/collections/snacks/fields/{name}/");
    let body = json!({"type": "text", "max_length": 90, "indexed": true, "help": "What is to be said of it."});
    for changed in ["", "?changed=skip", "?changed=overwrite"] {
        let renamed = admin.patch(&address("note"), &json!({"name": "remark"})).await;
        renamed.is(200);
        admin.patch(&address("remark"), &body).await.is(200);
        let address = format!("/api/changes/{}/revert/{changed}", renamed.header("operation"));
        assert_eq!(admin.post(&address, &json!({})).await.is(200)["skipped"], 0, "{changed}");
        let note = fields(&admin).await[2].clone();
        let kept = (&note["name"], &note["max_length"], &note["indexed"], &note["help"]);
        assert_eq!(kept, (&json!("note"), &json!(90), &json!(true), &body["help"]), "{changed}");
    }
    assert_eq!(values(&admin, &made, "note").await, ["Popcorn", "Nuts", "Crisps"]);
}

#[tokio::test]
async fn a_restored_version_brings_its_fields_back_where_an_admin_asks_for_them() {
    let (coffer, admin) = Coffer::with_admin().await;
    let made = snacks(&admin).await;
    let reader = coffer.user(&admin, "bob", json!({})).await;
    admin.delete("/api/collections/snacks/fields/note/").await.is(200);
    admin.patch(&path("snacks", &made[0]), &json!({"title": "Maize"})).await.is(200);
    let address = format!("{}history/{}/restore/", path("snacks", &made[0]), made[0]["revision"]);
    let restored = admin.post(&address, &json!({})).await;
    assert_eq!((restored.header("not-restored"), &restored.is(200)["title"]), ("note", &json!("Popcorn")));
    reader.post(&format!("{address}?fields=true"), &json!({})).await.refused(403);
    let restored = admin.post(&format!("{address}?fields=true"), &json!({})).await;
    assert_eq!((restored.header("not-restored"), &restored.is(200)["note"]), ("", &json!("Popcorn")));
    assert_eq!(values(&admin, &made, "note").await, ["Popcorn", "Nuts", "Crisps"]);
}
