//! Batches: several collections in one commit, all or none.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

async fn shop() -> (Coffer, Client, Value) {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let fields = json!([{"name": "title", "type": "text", "unique": true}, {"name": "stock", "type": "integer", "min": 0, "nullable": true}]);
    admin.collection("snacks", fields).await;
    admin.collection("orders", json!([{"name": "who", "type": "text", "required": true}])).await;
    let fields = json!([
        {"name": "order", "type": "reference", "collection": "orders", "on_delete": "cascade"},
        {"name": "snack", "type": "reference", "collection": "snacks"}, {"name": "count", "type": "integer", "nullable": true},
    ]);
    admin.collection("lines", fields).await;
    let snack = admin.record("snacks", json!({"title": "Nuts", "stock": 3})).await;
    (coffer, admin, snack)
}

async fn run(client: &Client, items: Value) -> Answer {
    client.post("/api/batch/", &json!({"items": items})).await
}

async fn total(client: &Client, collection: &str) -> Value {
    client.get(&format!("/api/records/{collection}/")).await.is(200)["count"].clone()
}

fn sale(snack: &Value) -> Value {
    json!([
        {"action": "create", "collection": "orders", "record": {"who": "bob"}, "as": "order"},
        {"action": "create", "collection": "lines", "record": {"order": {"$ref": "order"}, "snack": snack["id"], "count": 1}},
        {"action": "update", "collection": "snacks", "id": snack["id"], "record": {"stock": {"$add": -1}}},
    ])
}

#[tokio::test]
async fn items_of_several_collections_are_one_commit_and_one_operation() {
    let (_coffer, admin, snack) = shop().await;
    let sold = run(&admin, sale(&snack)).await;
    let items = sold.is(200)["items"].clone();
    assert_eq!(items[1]["record"]["order"], items[0]["id"]);
    assert_eq!(items[2]["record"]["stock"], 2);
    assert_eq!(items[0]["record"]["revision"], items[2]["record"]["revision"]);
    assert_eq!(admin.get(&path("orders", &items[0]["record"])).await.is(200), items[0]["record"]);
    admin.post(&format!("/api/changes/{}/revert/", sold.header("operation")), &json!({})).await.is(200);
    assert_eq!((total(&admin, "orders").await, total(&admin, "lines").await), (json!(0), json!(0)));
    assert_eq!(admin.get(&path("snacks", &snack)).await.is(200)["stock"], 3);
    let mixed = json!([
        {"action": "upsert", "collection": "snacks", "key": "title", "record": {"title": "Nuts", "stock": 9}},
        {"action": "upsert", "collection": "snacks", "key": "title", "record": {"title": "Corn"}},
    ]);
    let items = run(&admin, mixed).await.is(200)["items"].clone();
    assert_eq!(
        (&items[0]["action"], &items[0]["id"], &items[1]["action"]),
        (&json!("update"), &snack["id"], &json!("create"))
    );
    let gone = run(&admin, json!([{"action": "delete", "collection": "snacks", "id": snack["id"]}])).await.is(200);
    assert_eq!(gone["items"][0]["record"], Value::Null);
    assert_eq!(run(&admin, json!([])).await.is(200), json!({"items": []}));
}

#[tokio::test]
async fn faults_point_at_items_and_nothing_is_done() {
    let (coffer, admin, snack) = shop().await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let create =
        |collection: &str, record: Value| json!({"action": "create", "collection": collection, "record": record});
    let update =
        |record: Value| json!({"action": "update", "collection": "snacks", "id": snack["id"], "record": record});
    let good = create("orders", json!({"who": "x"}));
    for (item, place, status) in [
        (create("orders", json!({})), "1.who", 400),
        (create("snacks", json!({"title": "Nuts"})), "1.title", 409),
        (create("nothing", json!({})), "1.non_field_errors", 400),
        (create("lines", json!({"order": {"$ref": "none"}, "snack": snack["id"]})), "1.order", 400),
        (create("lines", json!({"order": {"$ref": 0}, "snack": {"$ref": 0}})), "1.snack", 400),
        (update(json!({"stock": {"$add": -4}})), "1.stock", 400),
        (
            json!({"action": "update", "collection": "snacks", "id": snack["id"], "if_match": 1, "record": {"stock": 1}}),
            "1.non_field_errors",
            400,
        ),
        (
            json!({"action": "delete", "collection": "snacks", "id": "01920000-0000-7000-8000-000000000001"}),
            "1.non_field_errors",
            400,
        ),
        (json!({"action": "upsert", "collection": "snacks", "key": "stock", "record": {"stock": 1}}), "1.key", 400),
        (json!({"action": "create", "collection": "snacks"}), "1.record", 400),
    ] {
        let refused = run(&admin, json!([good, item])).await.refused(status);
        assert!(refused.errors.0.contains_key(place), "{item}: {refused:?}");
        assert_eq!(total(&admin, "orders").await, 0, "{item}");
    }
    let delete = json!({"action": "delete", "collection": "snacks", "id": snack["id"]});
    run(
        &admin,
        json!([
            create("orders", json!({"who": "x"})),
            create("lines", json!({"order": {"$ref": 0}, "snack": snack["id"]})),
            delete
        ]),
    )
    .await
    .refused(409);
    // A collection that nobody but admins may know of is as good as none, whatever is asked of its fields.
    let nobodys = json!({"list": [], "view": [], "create": [], "update": [], "delete": []});
    let fields = json!([{"name": "code", "type": "text", "unique": true, "required": true}]);
    admin.post("/api/collections/", &json!({"name": "hidden", "fields": fields, "access": nobodys})).await.is(201);
    for (key, record) in
        [("nope", json!({"t": 1})), ("code", json!({})), ("code", json!({"code": "a"})), ("code", json!({"code": 7}))]
    {
        let asked = |name: &str| json!([{"action": "upsert", "collection": name, "key": key, "record": record}]);
        let [there, absent] =
            [run(&bob, asked("hidden")).await.refused(400), run(&bob, asked("absent")).await.refused(400)];
        assert_eq!((there.errors, there.detail), (absent.errors, absent.detail), "{key}");
    }
    let denied = run(&bob, json!([update(json!({"stock": 1}))])).await.refused(400);
    assert_eq!(denied.errors.0["0.non_field_errors"][0].code, "permission_denied");
    let many = vec![good; 1001];
    run(&admin, json!(many)).await.refused(400);
    assert_eq!(run(&coffer.stranger(), json!([])).await.status, 401);
    assert_eq!(total(&admin, "orders").await, 0);
}

#[tokio::test]
async fn of_many_sales_at_once_no_more_are_made_than_there_are_items() {
    let (_coffer, admin, snack) = shop().await;
    let sales = join_all((0..60).map(|_| run(&admin, sale(&snack)))).await;
    let done = sales.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 3, "{:?}", sales.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert_eq!((total(&admin, "orders").await, total(&admin, "lines").await), (json!(3), json!(3)));
    assert_eq!(admin.get(&path("snacks", &snack)).await.is(200)["stock"], 0);
}

async fn titles(client: &Client) -> Vec<Value> {
    client.column("/api/records/snacks/?ordering=created_at&page_size=100", "title").await
}

#[tokio::test]
async fn uniqueness_is_judged_by_what_is_there_after_the_commit() {
    let (_coffer, admin, nuts) = shop().await;
    let corn = admin.record("snacks", json!({"title": "Corn", "stock": 1})).await;
    let mais = admin.record("snacks", json!({"title": "Mais"})).await;
    let rename = |snack: &Value, title: &str| json!({"action": "update", "collection": "snacks", "id": snack["id"], "record": {"title": title}});
    // Two exchange their values; three hand them round.
    let swapped = run(&admin, json!([rename(&nuts, "Corn"), rename(&corn, "Nuts")])).await;
    swapped.is(200);
    assert_eq!(titles(&admin).await, ["Corn", "Nuts", "Mais"]);
    // Each still keeps others out.
    for title in ["Corn", "Nuts", "Mais"] {
        admin.post("/api/records/snacks/", &json!({"title": title})).await.refused(409);
        assert_eq!(admin.get(&format!("/api/records/snacks/?title={title}")).await.is(200)["count"], 1);
    }
    run(&admin, json!([rename(&nuts, "Nuts"), rename(&corn, "Mais"), rename(&mais, "Corn")])).await.is(200);
    assert_eq!(titles(&admin).await, ["Nuts", "Mais", "Corn"]);
    // Undone as one, in whichever order they stand.
    let swapped = run(&admin, json!([rename(&corn, "Nuts"), rename(&nuts, "Mais")])).await;
    swapped.is(200);
    admin.post(&format!("/api/changes/{}/revert/", swapped.header("operation")), &json!({})).await.is(200);
    assert_eq!(titles(&admin).await, ["Nuts", "Mais", "Corn"]);
    // What one gives up, or is deleted with, another takes, whichever comes first.
    let create = |title: &str| json!({"action": "create", "collection": "snacks", "record": {"title": title}});
    run(&admin, json!([create("Nuts"), rename(&nuts, "Tee")])).await.is(200);
    let delete = json!({"action": "delete", "collection": "snacks", "id": corn["id"]});
    run(&admin, json!([create("Mais"), delete])).await.is(200);
    assert_eq!(titles(&admin).await, ["Tee", "Corn", "Nuts", "Mais"]);
    // Of two that want one and the same, one is one too many: nothing is done.
    for items in [
        json!([rename(&nuts, "X"), rename(&mais, "X")]),
        json!([rename(&nuts, "Corn"), rename(&mais, "Nuts"), create("Corn")]),
        json!([create("Y"), rename(&mais, "Y")]),
        json!([rename(&nuts, "Corn")]),
    ] {
        let refused = run(&admin, items.clone()).await.refused(409);
        assert!(
            refused.errors.0.keys().any(|place| place.split_once('.').is_some_and(|(_, field)| field == "title")),
            "{items}: {refused:?}"
        );
    }
    assert_eq!(titles(&admin).await, ["Tee", "Corn", "Nuts", "Mais"]);
}

#[tokio::test]
async fn the_same_holds_for_values_that_are_unique_together_and_for_many_at_once() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([{"name": "hall", "type": "integer"}, {"name": "seat", "type": "integer"}, {"name": "number", "type": "integer", "unique": true}]);
    let indexes = json!([{"fields": ["hall", "seat"], "unique": true}]);
    admin.post("/api/collections/", &json!({"name": "seats", "fields": fields, "indexes": indexes})).await.is(201);
    let mut seats = Vec::new();
    for n in 1..=4 {
        seats.push(admin.record("seats", json!({"hall": 1, "seat": n, "number": n})).await);
    }
    let to = |at: usize, seat: u8| json!({"action": "update", "collection": "seats", "id": seats[at]["id"], "record": {"seat": seat}});
    run(&admin, json!([to(0, 2), to(1, 1)])).await.is(200);
    run(&admin, json!([to(0, 3), to(1, 3)])).await.refused(409);
    let all = async |field: &str| admin.column("/api/records/seats/?ordering=created_at", field).await;
    assert_eq!(all("seat").await, [2, 1, 3, 4]);
    // Each takes the next one's.
    let many = async |by: i64| {
        admin.patch("/api/records/seats/?all=true&max=4", &json!({"number": {"$add": by}, "seat": {"$add": by}})).await
    };
    many(1).await.is(200);
    assert_eq!(
        (all("number").await, all("seat").await),
        (vec![json!(2), json!(3), json!(4), json!(5)], vec![json!(3), json!(2), json!(4), json!(5)])
    );
    let back = many(-1).await;
    back.is(200);
    admin.post(&format!("/api/changes/{}/revert/", back.header("operation")), &json!({})).await.is(200);
    assert_eq!(all("number").await, [2, 3, 4, 5]);
    admin.patch("/api/records/seats/?number__gte=4&max=4", &json!({"number": {"$add": -1}})).await.refused(409);
    assert_eq!(all("number").await, [2, 3, 4, 5]);
}

#[tokio::test]
async fn items_about_one_record_are_one_change_of_it() {
    let (_coffer, admin, nuts) = shop().await;
    let upsert = |title: &str, stock: Value| json!({"action": "upsert", "collection": "snacks", "key": "title", "record": {"title": title, "stock": stock}});
    // The second finds what the first makes, or what it has changed.
    let items = run(
        &admin,
        json!([
            upsert("Tea", json!(1)),
            upsert("Tea", json!(2)),
            upsert("Nuts", json!(7)),
            upsert("Nuts", json!({"$add": 1}))
        ]),
    )
    .await;
    let items = items.is(200)["items"].clone();
    let actions: Vec<&Value> = items.as_array().unwrap().iter().map(|item| &item["action"]).collect();
    assert_eq!(actions, ["create", "update", "update", "update"]);
    assert_eq!((&items[0]["id"], &items[1]["record"]["stock"]), (&items[1]["id"], &json!(2)));
    assert_eq!((&items[0]["record"], &items[3]["record"]["stock"]), (&items[1]["record"], &json!(8)));
    assert_eq!(total(&admin, "snacks").await, 2);
    // By what an earlier item is called, or its number.
    let refer = |action: &str, to: Value, record: Value| json!({"action": action, "collection": "snacks", "id": {"$ref": to}, "record": record});
    let made = run(&admin, json!([
        {"action": "create", "collection": "snacks", "record": {"title": "Rice", "stock": 1}, "as": "rice"},
        refer("update", json!("rice"), json!({"stock": {"$add": 4}})), refer("update", json!(0), json!({"title": "Brown rice"})),
        {"action": "create", "collection": "orders", "record": {"who": "ann"}, "as": "order"},
        {"action": "create", "collection": "lines", "record": {"order": {"$ref": "order"}, "snack": {"$ref": "rice"}}},
    ])).await.is(200);
    let rice = admin.get(&path("snacks", &made["items"][0]["record"])).await.is(200);
    assert_eq!((&rice["title"], &rice["stock"], &made["items"][0]["record"]), (&json!("Brown rice"), &json!(5), &rice));
    // A value that comes back is kept, and is nobody else's.
    let rename =
        |title: &str| json!({"action": "update", "collection": "snacks", "id": nuts["id"], "record": {"title": title}});
    run(&admin, json!([rename("X"), rename("Nuts")])).await.is(200);
    admin.post("/api/records/snacks/", &json!({"title": "Nuts"})).await.refused(409);
    admin.post("/api/records/snacks/", &json!({"title": "X"})).await.is(201);
    // What is made and deleted again was never there, and what is changed and deleted is gone.
    let gone = run(
        &admin,
        json!([
            {"action": "create", "collection": "snacks", "record": {"title": "Air"}, "as": "air"},
            {"action": "delete", "collection": "snacks", "id": {"$ref": "air"}},
            rename("Y"), {"action": "delete", "collection": "snacks", "id": {"$ref": "2"}}, upsert("Nuts", json!(1)),
        ]),
    )
    .await
    .is(200);
    assert_eq!(
        (&gone["items"][0]["record"], &gone["items"][2]["record"], &gone["items"][4]["action"]),
        (&Value::Null, &Value::Null, &json!("create"))
    );
    assert_eq!(admin.get(&path("snacks", &nuts)).await.status, 404);
    assert_eq!(admin.get("/api/records/snacks/?title__in=Air,Y").await.is(200)["count"], 0);
    assert_eq!(admin.get("/api/records/snacks/?title=Nuts").await.is(200)["count"], 1);
    let tea = admin.get("/api/records/snacks/?title=Tea").await.is(200)["results"][0].clone();
    let act = |action: &str, record: Value| {
        let mut item = json!({"action": action, "collection": "snacks", "id": tea["id"]});
        if action == "update" {
            item["record"] = record;
        }
        item
    };
    let order = json!({"action": "create", "collection": "orders", "record": {"who": "bob"}, "as": "order"});
    for (items, place) in [
        (json!([refer("update", json!("nobody"), json!({}))]), "0.id"),
        (json!([order, {"action": "delete", "collection": "snacks", "id": {"$ref": "order"}}]), "1.id"),
        (json!([{"action": "delete", "collection": "snacks", "id": {"$ref": {}}}]), "0.id"),
        (json!([act("delete", json!({})), act("update", json!({"stock": 1}))]), "1.id"),
        (json!([act("delete", json!({})), act("delete", json!({}))]), "1.id"),
        (json!([act("update", json!({"stock": 1})), act("update", json!({"stock": -1}))]), "1.stock"),
        (
            json!([{"action": "create", "collection": "snacks", "record": {"title": "Gas"}, "as": "gas"}, {"action": "delete", "collection": "snacks", "id": {"$ref": "gas"}},
            {"action": "create", "collection": "lines", "record": {"order": {"$ref": "x"}, "snack": {"$ref": "gas"}}}]),
            "2.snack",
        ),
    ] {
        let refused = run(&admin, items.clone()).await.refused(400);
        assert!(refused.errors.0.contains_key(place), "{items}: {refused:?}");
    }
    let stale = json!([act("update", json!({"stock": 9})), {"action": "update", "collection": "snacks", "id": tea["id"], "if_match": 1, "record": {"stock": 8}}]);
    assert_eq!(run(&admin, stale).await.refused(400).errors.0["1.non_field_errors"][0].code, "stale");
}

#[tokio::test]
async fn who_may_only_make_records_does_not_change_or_delete_them_in_the_same_batch() {
    let (coffer, admin, _) = shop().await;
    admin
        .patch("/api/collections/orders/", &json!({"access": {"update": ["nobody"], "delete": ["nobody"]}}))
        .await
        .is(200);
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let make = json!({"action": "create", "collection": "orders", "record": {"who": "bob"}, "as": "order"});
    for then in [
        json!({"action": "update", "collection": "orders", "id": {"$ref": "order"}, "record": {"who": "ann"}}),
        json!({"action": "delete", "collection": "orders", "id": {"$ref": "order"}}),
    ] {
        let refused = run(&bob, json!([make, then])).await.refused(400);
        assert_eq!(refused.errors.0["1.non_field_errors"][0].code, "permission_denied", "{then}");
    }
    run(&bob, json!([make])).await.is(200);
}

#[tokio::test]
async fn what_is_asked_of_an_item_that_changes_nothing_holds_where_the_batch_is_committed() {
    let (_coffer, admin, snack) = shop().await;
    let at = path("snacks", &snack);
    let mut revision = snack["revision"].clone();
    let mut passed = 0;
    for n in 0..40 {
        let guarded = json!([
            {"action": "update", "collection": "snacks", "id": snack["id"], "if_match": revision, "record": {}},
            {"action": "create", "collection": "orders", "record": {"who": "bob"}},
        ]);
        let body = json!({"stock": 10 + n});
        let (guards, changed) =
            tokio::join!(join_all((0..4).map(|_| run(&admin, guarded.clone()))), admin.patch(&at, &body));
        let changed = changed.is(200)["revision"].as_u64().unwrap();
        for guard in guards {
            if guard.status == 200 {
                let made = guard.is(200)["items"][1]["record"]["revision"].as_u64().unwrap();
                assert!(made < changed, "round {n}: made at {made}, and what it asks of was changed at {changed}");
                passed += 1;
            } else {
                assert_eq!(guard.refused(400).errors.0["0.non_field_errors"][0].code, "stale");
            }
        }
        revision = changed.into();
    }
    assert!(passed > 0, "none was as fast as the change");
}
