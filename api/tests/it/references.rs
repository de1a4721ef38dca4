//! Reference fields: what they may point at, and what becomes of them when their target goes and comes back.

mod many;

use serde_json::{Value, json};

use crate::support::{Client, Coffer, path, text};

const NO_ID: &str = "01920000-0000-7000-8000-000000000001";

/// Makers, and snacks that refer to them.
async fn with_makers(on_delete: &str) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let maker =
        json!({"name": "maker", "type": "reference", "collection": "makers", "on_delete": on_delete, "nullable": true});
    admin.collection("snacks", json!([{"name": "title", "type": "text", "unique": true}, maker])).await;
    (coffer, admin)
}

async fn count(client: &Client, collection: &str) -> u64 {
    let kept = client.get(&format!("/api/collections/{collection}/")).await.is(200)["count"].as_u64().unwrap();
    let listed = client.get(&format!("/api/records/{collection}/")).await.is(200)["count"].as_u64().unwrap();
    let counted =
        client.get(&format!("/api/records/{collection}/?id__isnull=false")).await.is(200)["count"].as_u64().unwrap();
    assert_eq!((kept, listed), (counted, counted), "counts of {collection} drifted");
    kept
}

#[tokio::test]
async fn a_reference_points_at_a_record_that_the_caller_can_see() {
    let (coffer, admin) = with_makers("restrict").await;
    let rules = json!({"access": {"list": ["owner"], "view": ["owner"]}});
    admin.patch("/api/collections/makers/", &rules).await.is(200);
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let hers = ulla.record("makers", json!({"name": "Hers"})).await;
    let snack = ulla.record("snacks", json!({"title": "Popcorn", "maker": hers["id"]})).await;
    let ids = [NO_ID.to_owned(), text(&snack, "id"), admin.id.clone()];
    for id in &ids {
        let message = format!("maker: Invalid pk \"{id}\" - object does not exist.");
        assert_eq!(
            ulla.post("/api/records/snacks/", &json!({"maker": id})).await.faults(),
            std::slice::from_ref(&message)
        );
        assert_eq!(ulla.patch(&path("snacks", &snack), &json!({"maker": id})).await.faults(), [message]);
    }
    let message = format!("maker: Invalid pk \"{}\" - object does not exist.", text(&hers, "id"));
    let foreign = json!({"title": "Crisps", "maker": hers["id"]});
    assert_eq!(
        otto.post("/api/records/snacks/", &foreign).await.faults(),
        [message],
        "what otto cannot see is not there for him"
    );
    admin.post("/api/records/snacks/", &foreign).await.is(201);
}

#[tokio::test]
async fn restrict_holds_the_target_back_until_the_last_reference_is_gone() {
    let (_coffer, admin) = with_makers("restrict").await;
    let maker = admin.record("makers", json!({"name": "Ada"})).await;
    let other = admin.record("makers", json!({"name": "Ben"})).await;
    let rows: Vec<Value> = (0..300).map(|n| json!({"title": format!("Snack {n}"), "maker": maker["id"]})).collect();
    let snacks = admin.post("/api/records/snacks/", &json!(rows)).await.is(201);
    let refused = admin.delete(&path("makers", &maker)).await.refused(409);
    assert_eq!(refused.code, "restricted");
    assert_eq!(refused.detail, "300 records of \"snacks\" still refer to this through \"maker\".");
    assert_eq!(refused.errors.messages("maker").collect::<Vec<_>>(), [refused.detail.as_str()]);
    let snacks = snacks.as_array().unwrap();
    for snack in &snacks[2..] {
        admin.delete(&path("snacks", snack)).await.is(204);
    }
    admin.patch(&path("snacks", &snacks[0]), &json!({"maker": null})).await.is(200);
    let refused = admin.delete(&path("makers", &maker)).await.refused(409);
    assert_eq!(refused.detail, "1 record of \"snacks\" still refers to this through \"maker\".");
    admin.patch(&path("snacks", &snacks[1]), &json!({"maker": other["id"]})).await.is(200);
    admin.delete(&path("makers", &maker)).await.is(204);
    admin.delete(&path("makers", &other)).await.refused(409);
    assert_eq!((count(&admin, "makers").await, count(&admin, "snacks").await), (1, 2));
}

#[tokio::test]
async fn cascade_takes_all_that_hangs_on_the_record() {
    let (_coffer, admin) = with_makers("cascade").await;
    let bite = |on_delete: &str| json!([{"name": "snack", "type": "reference", "collection": "snacks", "on_delete": on_delete, "nullable": true}]);
    admin.collection("bites", bite("cascade")).await;
    let ada = admin.record("makers", json!({"name": "Ada"})).await;
    let ben = admin.record("makers", json!({"name": "Ben"})).await;
    for (title, maker) in [("Popcorn", &ada), ("Crisps", &ada), ("Nuts", &ben)] {
        let snack = admin.record("snacks", json!({"title": title, "maker": maker["id"]})).await;
        admin.post("/api/records/bites/", &json!(vec![json!({"snack": snack["id"]}); 3])).await.is(201);
    }
    // One record that holds back, two steps away, holds back everything.
    admin.collection("crumbs", bite("restrict")).await;
    let popcorn = admin.get("/api/records/snacks/?title=Popcorn").await.is(200)["results"][0].clone();
    let crumb = admin.record("crumbs", json!({"snack": popcorn["id"]})).await;
    admin.delete(&path("makers", &ada)).await.refused(409);
    assert_eq!((count(&admin, "makers").await, count(&admin, "snacks").await, count(&admin, "bites").await), (2, 3, 9));

    admin.delete(&path("crumbs", &crumb)).await.is(204);
    admin.delete(&path("makers", &ada)).await.is(204);
    assert_eq!((count(&admin, "makers").await, count(&admin, "snacks").await, count(&admin, "bites").await), (1, 1, 3));
    admin.get(&path("snacks", &popcorn)).await.refused(404);
    // Unique values of what went are free again.
    admin.record("snacks", json!({"title": "Popcorn"})).await;
}

#[tokio::test]
async fn set_null_lets_go_and_changes_nothing_else() {
    let (_coffer, admin) = with_makers("set_null").await;
    let ada = admin.record("makers", json!({"name": "Ada"})).await;
    let snack = admin.record("snacks", json!({"title": "Popcorn", "maker": ada["id"]})).await;
    admin.delete(&path("makers", &ada)).await.is(204);
    let left = admin.get(&path("snacks", &snack)).await.is(200);
    assert_eq!((&left["maker"], &left["title"], &left["owner"]), (&Value::Null, &snack["title"], &snack["owner"]));
    assert!(left["revision"].as_u64() > snack["revision"].as_u64(), "whoever has the old version is told");
    admin.patch(&path("snacks", &snack), &json!({"title": "x", "revision": snack["revision"]})).await.refused(412);
    assert_eq!(admin.column("/api/records/snacks/?maker__isnull=true", "id").await, [snack["id"].clone()]);
    assert!(admin.column(&format!("/api/records/snacks/?maker={}", text(&ada, "id")), "id").await.is_empty());
}

#[tokio::test]
async fn a_record_with_several_references_gets_what_each_says() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("people", json!([{"name": "name", "type": "text"}])).await;
    let reference = |name: &str, on_delete: &str| json!({"name": name, "type": "reference", "collection": "people", "on_delete": on_delete, "nullable": true});
    admin
        .collection(
            "notes",
            json!([reference("author", "cascade"), reference("editor", "set_null"), reference("reader", "set_null")]),
        )
        .await;
    let [ada, ben] =
        [admin.record("people", json!({"name": "Ada"})).await, admin.record("people", json!({"name": "Ben"})).await];
    let (ada_id, ben_id) = (&ada["id"], &ben["id"]);
    let goes = admin.record("notes", json!({"author": ada_id, "editor": ada_id, "reader": ada_id})).await;
    let stays = admin.record("notes", json!({"author": ben_id, "editor": ada_id, "reader": ada_id})).await;
    admin.delete(&path("people", &ada)).await.is(204);
    admin.get(&path("notes", &goes)).await.refused(404);
    let stays = admin.get(&path("notes", &stays)).await.is(200);
    assert_eq!((&stays["author"], &stays["editor"], &stays["reader"]), (ben_id, &Value::Null, &Value::Null));
    admin.delete(&path("people", &ben)).await.is(204);
    assert_eq!((count(&admin, "people").await, count(&admin, "notes").await), (0, 0));
}

#[tokio::test]
async fn records_that_refer_to_themselves_and_in_circles_can_go() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for on_delete in ["restrict", "cascade", "set_null"] {
        let fields = json!([{"name": "next", "type": "reference", "collection": on_delete, "on_delete": on_delete, "nullable": true}]);
        admin.collection(on_delete, fields).await;
        let one = admin.record(on_delete, json!({})).await;
        admin.patch(&path(on_delete, &one), &json!({"next": one["id"]})).await.is(200);
        admin.delete(&path(on_delete, &one)).await.is(204);
        let one = admin.record(on_delete, json!({})).await;
        let two = admin.record(on_delete, json!({"next": one["id"]})).await;
        admin.patch(&path(on_delete, &one), &json!({"next": two["id"]})).await.is(200);
        let deleted = admin.delete(&path(on_delete, &one)).await;
        match on_delete {
            "restrict" => assert_eq!(deleted.refused(409).code, "restricted"),
            _ => assert_eq!(deleted.is(204), Value::Null),
        }
        let left = [("restrict", 2), ("cascade", 0), ("set_null", 1)].into_iter().find(|(name, _)| *name == on_delete);
        assert_eq!(count(&admin, on_delete).await, left.unwrap().1, "{on_delete}");
        // A collection that refers to itself alone goes with all of its records.
        admin.delete(&format!("/api/collections/{on_delete}/")).await.is(204);
    }
}

#[tokio::test]
async fn what_was_deleted_comes_back_without_a_target_that_is_gone() {
    let (_coffer, admin) = with_makers("cascade").await;
    let ada = admin.record("makers", json!({"name": "Ada"})).await;
    let snack = admin.record("snacks", json!({"title": "Popcorn", "maker": ada["id"]})).await;
    let restore = async |collection: &str, record: &Value| {
        admin.post(&format!("{}history/{}/restore/", path(collection, record), record["revision"]), &json!({})).await
    };
    admin.delete(&path("makers", &ada)).await.is(204);
    let restored = restore("snacks", &snack).await;
    assert_eq!((restored.header("not-restored"), &restored.is(200)["maker"]), ("maker", &Value::Null));
    admin.delete(&path("snacks", &snack)).await.is(204);
    restore("makers", &ada).await.is(200);
    assert_eq!(count(&admin, "snacks").await, 0, "only what is asked for comes back");
    restore("snacks", &snack).await.is(200);
    assert_eq!((count(&admin, "makers").await, count(&admin, "snacks").await), (1, 1));
    // The references that came back count like any other.
    admin.delete(&path("makers", &ada)).await.is(204);
    assert_eq!((count(&admin, "makers").await, count(&admin, "snacks").await), (0, 0));
}

#[tokio::test]
async fn a_collection_that_is_referred_to_stays() {
    let (_coffer, admin) = with_makers("set_null").await;
    let refused = admin.delete("/api/collections/makers/").await.refused(409);
    assert!(refused.detail.contains("\"maker\"") && refused.detail.contains("\"snacks\""), "{}", refused.detail);
    admin.delete("/api/collections/snacks/").await.is(204);
    admin.delete("/api/collections/makers/").await.is(204);
}
