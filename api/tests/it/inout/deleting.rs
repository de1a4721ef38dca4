//! What a batch deletes is judged by what its other items leave, whichever order they stand in.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

/// Makers, and goods that refer to them in each of the ways: one reference that holds back, one that goes along, one that lets go, and a list.
async fn goods() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let to_maker = |name: &str, on_delete: &str| json!({"name": name, "type": "reference", "collection": "makers", "nullable": true, "on_delete": on_delete});
    let fields = json!([
        {"name": "title", "type": "text", "unique": true},
        to_maker("held", "restrict"), to_maker("along", "cascade"), to_maker("loose", "set_null"),
        {"name": "many", "type": "reference", "collection": "makers", "many": true, "on_delete": "set_null"},
    ]);
    admin.collection("goods", fields).await;
    let fields = json!([{"name": "good", "type": "reference", "collection": "goods", "on_delete": "cascade"}]);
    admin.collection("parts", fields).await;
    (coffer, admin)
}

async fn run(client: &Client, items: &[&Value]) -> Answer {
    client.post("/api/batch/", &json!({"items": items})).await
}

fn create(collection: &str, record: &Value) -> Value {
    json!({"action": "create", "collection": collection, "record": record})
}

fn update(good: &Value, record: &Value) -> Value {
    json!({"action": "update", "collection": "goods", "id": good["id"], "record": record})
}

fn delete(collection: &str, record: &Value) -> Value {
    json!({"action": "delete", "collection": collection, "id": record["id"]})
}

async fn maker(client: &Client) -> Value {
    client.record("makers", json!({"name": "x"})).await
}

#[tokio::test]
async fn what_moves_away_from_a_record_does_not_hold_it_back() {
    let (_coffer, admin) = goods().await;
    let kept = maker(&admin).await;
    for (n, field) in ["held", "along", "loose"].into_iter().enumerate() {
        for (m, to) in [kept["id"].clone(), Value::Null].into_iter().enumerate() {
            for is_first in [true, false] {
                let gone = maker(&admin).await;
                let title = format!("{n}{m}{is_first}");
                let good = admin.record("goods", json!({"title": title, field: gone["id"]})).await;
                let (moves, deletes) = (update(&good, &json!({field: to})), delete("makers", &gone));
                let items = if is_first { [&moves, &deletes] } else { [&deletes, &moves] };
                run(&admin, &items).await.is(200);
                assert_eq!(admin.get(&path("goods", &good)).await.is(200)[field], to, "{field}");
                assert_eq!(admin.get(&path("makers", &gone)).await.status, 404);
            }
        }
    }
    // The same in a list, and where the one that refers is deleted itself.
    let gone = maker(&admin).await;
    let good = json!({"title": "list", "many": [gone["id"], kept["id"]], "held": gone["id"]});
    let good = admin.record("goods", good).await;
    let moves = update(&good, &json!({"many": [kept["id"]], "held": null}));
    run(&admin, &[&moves, &delete("makers", &gone)]).await.is(200);
    assert_eq!(admin.get(&path("goods", &good)).await.is(200)["many"], json!([kept["id"]]));
    for is_first in [true, false] {
        let gone = maker(&admin).await;
        let good = admin.record("goods", json!({"title": format!("both {is_first}"), "held": gone["id"]})).await;
        let (good, gone) = (delete("goods", &good), delete("makers", &gone));
        run(&admin, &if is_first { [&good, &gone] } else { [&gone, &good] }).await.is(200);
    }
}

#[tokio::test]
async fn what_still_refers_is_treated_as_its_field_says() {
    let (_coffer, admin) = goods().await;
    // It lets go, beside what is changed of it, and where nothing is.
    for record in [json!({"title": "b"}), json!({})] {
        let (gone, other) = (maker(&admin).await, maker(&admin).await);
        let good = json!({"title": "a", "loose": gone["id"], "many": [gone["id"], other["id"]]});
        let good = admin.record("goods", good).await;
        let changed = run(&admin, &[&delete("makers", &gone), &update(&good, &record)]).await;
        let told = changed.is(200)["items"][1]["record"].clone();
        assert_eq!((&told["loose"], &told["many"]), (&Value::Null, &json!([other["id"]])), "{record}");
        assert_eq!(admin.get(&path("goods", &good)).await.is(200), told);
        admin.post(&format!("/api/changes/{}/revert/", changed.header("operation")), &json!({})).await.is(200);
        let back = admin.get(&path("goods", &good)).await.is(200);
        assert_eq!((&back["title"], &back["loose"], &back["many"]), (&json!("a"), &gone["id"], &good["many"]));
        admin.delete(&path("goods", &good)).await.is(204);
    }
    // It goes along, with what goes along with it; what is unique of it can be another's.
    let gone = maker(&admin).await;
    let good = admin.record("goods", json!({"title": "a", "along": gone["id"]})).await;
    let part = admin.record("parts", json!({"good": good["id"]})).await;
    let again = create("goods", &json!({"title": "a"}));
    let items = run(&admin, &[&again, &update(&good, &json!({"title": "c"})), &delete("makers", &gone)]).await;
    assert_eq!(items.is(200)["items"][1]["record"], Value::Null);
    for (collection, record) in [("goods", &good), ("parts", &part)] {
        assert_eq!(admin.get(&path(collection, record)).await.status, 404);
    }
    assert_eq!(admin.get("/api/records/goods/?title=a").await.is(200)["count"], 1);
}

#[tokio::test]
async fn what_an_item_makes_goes_along_or_lets_go_with_what_a_later_one_deletes() {
    let (_coffer, admin) = goods().await;
    let gone = maker(&admin).await;
    let make = |field: &str, title: &str| create("goods", &json!({"title": title, field: gone["id"]}));
    // What a later one makes has nothing to refer to.
    for field in ["along", "loose", "held"] {
        let refused = run(&admin, &[&delete("makers", &gone), &make(field, "new")]).await.refused(400);
        assert!(refused.errors.0.contains_key(&format!("1.{field}")), "{refused:?}");
    }
    let after = run(&admin, &[&make("loose", "a"), &make("along", "b"), &delete("makers", &gone)]).await.is(200);
    assert_eq!((&after["items"][0]["record"]["loose"], &after["items"][1]["record"]), (&Value::Null, &Value::Null));
    assert_eq!(admin.column("/api/records/goods/", "title").await, ["a"]);
    // By what an item is called.
    let maker = json!({"action": "create", "collection": "makers", "record": {"name": "m"}, "as": "m"});
    let good = create("goods", &json!({"title": "of m", "loose": {"$ref": "m"}}));
    let gone = json!({"action": "delete", "collection": "makers", "id": {"$ref": "m"}});
    let items = run(&admin, &[&maker, &good, &gone]).await;
    assert_eq!(items.is(200)["items"][1]["record"]["loose"], Value::Null);
}

#[tokio::test]
async fn what_would_refer_to_nothing_is_refused_at_its_item() {
    let (_coffer, admin) = goods().await;
    let (gone, kept) = (maker(&admin).await, maker(&admin).await);
    let held = admin.record("goods", json!({"title": "held", "held": gone["id"]})).await;
    let along = admin.record("goods", json!({"title": "along", "along": kept["id"]})).await;
    let (other, no) = (create("makers", &json!({"name": "y"})), delete("makers", &gone));
    let renames = update(&held, &json!({"title": "z"}));
    let (make, no_more) = (create("goods", &json!({"title": "new", "held": kept["id"]})), delete("makers", &kept));
    let new_maker = json!({"action": "create", "collection": "makers", "record": {}, "as": "m"});
    let of_made = create("goods", &json!({"title": "of m", "held": {"$ref": "m"}}));
    let unmade = json!({"action": "delete", "collection": "makers", "id": {"$ref": "m"}});
    let (touches, moves) = (update(&along, &json!({"title": "z"})), update(&held, &json!({"held": kept["id"]})));
    for (items, status, place) in [
        // Nothing in the batch is about the record that refers.
        (vec![&other, &no], 409, "1.held"),
        // Something is, and leaves it there.
        (vec![&other, &renames, &no], 409, "1.held"),
        (vec![&no, &renames], 409, "1.held"),
        (vec![&make, &no_more], 409, "0.held"),
        (vec![&new_maker, &of_made, &unmade], 409, "1.held"),
        (vec![&no_more, &touches], 400, "1.id"),
        (vec![&no_more, &moves], 400, "1.held"),
    ] {
        let refused = run(&admin, &items).await.refused(status);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [place], "{items:?}: {refused:?}");
    }
    assert_eq!(admin.get("/api/records/makers/").await.is(200)["count"], 2);
    assert_eq!(admin.get(&path("goods", &held)).await.is(200), held);
    assert_eq!(admin.get(&path("goods", &along)).await.is(200), along);
}
