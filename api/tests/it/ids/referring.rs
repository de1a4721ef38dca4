//! References to records that have numbers, and the many places where two collections have the same numbers.

use serde_json::{Value, json};

use super::counted;
use crate::support::{Client, Coffer};

fn reference(name: &str, to: &str, on_delete: &str) -> Value {
    json!({"name": name, "type": "reference", "collection": to, "on_delete": on_delete, "nullable": true})
}

/// Makers, snacks of them, labels of snacks and notes on them: all with the numbers from 1 on.
async fn shop() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    counted(&admin, "makers", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let maker = reference("maker", "makers", "cascade");
    counted(&admin, "snacks", json!([{"name": "title", "type": "text"}, maker])).await;
    counted(&admin, "labels", json!([{"name": "text", "type": "text"}, reference("snack", "snacks", "cascade")])).await;
    counted(&admin, "notes", json!([{"name": "text", "type": "text"}, reference("snack", "snacks", "set_null")])).await;
    for n in 1..=3 {
        assert_eq!(admin.record("makers", json!({"name": format!("m{n}")})).await["id"], n);
    }
    for n in 1..=4 {
        let made = admin.record("snacks", json!({"title": format!("s{n}"), "maker": (n - 1) / 2 + 1})).await;
        assert_eq!((&made["id"], &made["maker"]), (&json!(n), &json!((n - 1) / 2 + 1)));
    }
    for n in 1..=4 {
        admin.record("labels", json!({"text": format!("l{n}"), "snack": n})).await;
        admin.record("notes", json!({"text": format!("n{n}"), "snack": n.to_string()})).await;
    }
    (coffer, admin)
}

async fn column(admin: &Client, query: &str, member: &str) -> Value {
    Value::Array(admin.column(&format!("/api/records/{query}"), member).await)
}

#[tokio::test]
async fn references_are_numbers_and_lead_both_ways() {
    let (_coffer, admin) = shop().await;
    assert_eq!(column(&admin, "notes/", "snack").await, json!([1, 2, 3, 4]), "a text with digits is one too");
    for missing in [json!(99), json!("99"), json!("01"), json!("x"), json!("01920000-0000-7000-8000-000000000001")] {
        let shown = missing.as_str().map_or_else(|| missing.to_string(), str::to_owned);
        let refused = admin.post("/api/records/snacks/", &json!({"title": "x", "maker": missing})).await;
        assert_eq!(refused.faults(), [format!("maker: Invalid pk \"{shown}\" - object does not exist.")]);
    }
    let refused = admin.post("/api/records/snacks/", &json!({"title": "x", "maker": true})).await;
    assert_eq!(refused.faults(), ["maker: Incorrect type. Expected pk value, received bool."]);
    assert_eq!(column(&admin, "snacks/?maker=1", "id").await, json!([1, 2]));
    assert_eq!(column(&admin, "snacks/?maker__in=2,3", "id").await, json!([3, 4]));
    assert_eq!(column(&admin, "snacks/?maker__name=m2", "id").await, json!([3, 4]));
    assert_eq!(column(&admin, "snacks/?maker__id__gt=1", "id").await, json!([3, 4]));
    assert_eq!(column(&admin, "labels/?snack__maker__name=m1&ordering=-id", "id").await, json!([2, 1]));
    assert_eq!(column(&admin, "snacks/?ordering=-maker,id", "id").await, json!([3, 4, 1, 2]));
    assert_eq!(column(&admin, "snacks/?filter=maker%20%3D%202", "id").await, json!([3, 4]));
    let expanded = admin.get("/api/records/labels/4/?expand=snack.maker").await.is(200);
    assert_eq!(expanded["snack"]["maker"]["name"], "m2", "{expanded}");
    let back = admin.get("/api/records/makers/1/?expand=snacks_via_maker").await.is(200);
    assert_eq!(back["snacks_via_maker"].as_array().unwrap().len(), 2, "{back}");
    let joined = admin.get("/api/records/makers/?left_join=snacks:id=maker").await.is(200);
    assert_eq!(joined["results"][1]["snacks"][0]["id"], 3, "{joined}");
    assert_eq!(joined["results"][2]["snacks"], Value::Null);
    let groups = admin.get("/api/records/snacks/aggregate/?group_by=maker").await.is(200);
    assert_eq!((&groups["results"][0]["maker"], &groups["names"]["maker.2"]), (&json!(1), &json!("m2")), "{groups}");
    // A file names what it refers to by number or by name.
    let rows = "title,maker\na,2\nb,m3\n";
    admin.raw(reqwest::Method::POST, "/api/records/snacks/import/", "text/csv", rows).await.is(200);
    assert_eq!(column(&admin, "snacks/?id__gt=4", "maker").await, json!([2, 3]));
    let described = admin.get("/api/schema/").await.is(200);
    let snacks = &described["components"]["schemas"]["RecordsSnacks"]["properties"];
    assert_eq!((&snacks["id"]["type"], &snacks["maker"]["type"]), (&json!("integer"), &json!(["integer", "null"])));
}

#[tokio::test]
async fn what_is_no_id_is_told_by_what_the_ids_of_that_collection_are() {
    let (coffer, admin) = shop().await;
    let many = json!({"name": "of", "type": "reference", "collection": "snacks", "many": true});
    counted(&admin, "boxes", json!([many])).await;
    admin.collection("years", json!([{"name": "year", "type": "text", "unique": true}])).await;
    let fields = json!([{"name": "title", "type": "text"}, reference("year", "years", "restrict")]);
    admin.collection("films", fields).await;
    let (number, uuid) = ("A valid integer is required.", "Must be a valid UUID.");
    for (query, parameter, told) in [
        ("snacks/?maker=abc", "maker", number),
        ("snacks/?maker__in=1,abc", "maker__in", number),
        ("snacks/?maker__ne=x", "maker__ne", number),
        ("snacks/?maker__gt=x", "maker__gt", number),
        ("snacks/?maker_id=x", "maker_id", number),
        ("snacks/?maker__id=abc", "maker__id", number),
        ("snacks/?id=abc", "id", number),
        ("snacks/?pk=abc", "pk", number),
        ("snacks/?id__in=1,abc", "id__in", number),
        ("snacks/?owner=abc", "owner", uuid),
        ("snacks/?maker__owner=abc", "maker__owner", uuid),
        ("snacks/?maker__bad=1", "maker__bad", "There is no query parameter of this name here."),
        ("boxes/?of=1,2", "of", number),
        ("boxes/?of__in=1,x", "of__in", number),
        ("boxes/?of__maker=x", "of__maker", number),
        ("films/?year=abc", "year", uuid),
        ("films/?year__in=1,abc", "year__in", uuid),
        ("films/?id=abc", "id", uuid),
        ("films/?year__id__in=x", "year__id__in", uuid),
        ("films/export/?year=abc", "year", uuid),
        ("snacks/aggregate/?count=*&maker=abc", "maker", number),
    ] {
        let refused = admin.get(&format!("/api/records/{query}")).await.faults();
        assert_eq!(refused, [format!("{parameter}: {told}")], "{query}");
    }
    let words = admin.get("/api/records/snacks/?filter=maker%20%3D%20%22x%22%20or%20owner%20%3D%20%22y%22").await;
    let faults = words.faults();
    assert!(faults.len() == 2 && faults[0].contains(number) && faults[1].contains(uuid), "{faults:?}");
    let refused = admin.patch("/api/records/snacks/?maker=abc&max=9", &json!({"title": "x"})).await;
    assert_eq!(refused.faults(), [format!("maker: {number}")]);
    let refused = admin.delete("/api/records/films/?year=abc&max=9").await;
    assert_eq!(refused.faults(), [format!("year: {uuid}")]);
    // A number that no record has finds none, however it is written; one that a record has finds it.
    for none in ["0", "-1", "99", "1.5", "99999999999999999999", "01920000-0000-7000-8000-000000000001"] {
        assert_eq!(column(&admin, &format!("snacks/?maker={none}"), "id").await, json!([]), "{none}");
        assert_eq!(column(&admin, &format!("snacks/?maker__in={none},2"), "id").await, json!([3, 4]), "{none}");
    }
    for two in ["2", "02", "2.0", "%202", "+2"] {
        assert_eq!(column(&admin, &format!("snacks/?maker={two}"), "id").await, json!([3, 4]), "{two}");
    }
    assert_eq!(column(&admin, "films/?year=7", "id").await, json!([]));
    // An id in a path is there or is not; in bodies, batches and files it is told as one that is not there.
    admin.get("/api/records/snacks/abc/").await.refused(404);
    admin.get("/api/records/films/abc/").await.refused(404);
    let missing = "maker: Invalid pk \"abc\" - object does not exist.";
    assert_eq!(admin.post("/api/records/snacks/", &json!({"maker": "abc"})).await.faults(), [missing]);
    let items = json!({"items": [{"action": "create", "collection": "snacks", "record": {"maker": "abc"}}]});
    let batch = admin.post("/api/batch/", &items).await.refused(400);
    assert!(format!("{batch:?}").contains("object does not exist"), "{batch:?}");
    let items = json!({"items": [{"action": "delete", "collection": "snacks", "id": "abc"}]});
    let batch = admin.post("/api/batch/", &items).await.refused(400);
    assert!(format!("{batch:?}").contains("id"), "{batch:?}");
    let id = admin.post("/api/records/snacks/", &json!({"id": "abc", "title": "x"})).await.faults();
    assert_eq!(id, ["id: The ids of this collection are numbers from 1 on."]);
    // What a hidden collection's ids are is told to nobody else.
    let bea = coffer.user(&admin, "bea", json!({})).await;
    let hidden = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["nobody"], "delete": ["nobody"]});
    admin.patch("/api/collections/makers/", &json!({"access": hidden})).await.is(200);
    let open = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["nobody"], "update": ["nobody"], "delete": ["nobody"]});
    admin.patch("/api/collections/snacks/", &json!({"access": open})).await.is(200);
    assert_eq!(bea.get("/api/records/snacks/?maker=abc").await.faults(), ["maker: Must be a valid id."]);
}

#[tokio::test]
async fn digits_are_a_name_where_ids_are_uuids() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("years", json!([{"name": "year", "type": "text", "unique": true}])).await;
    let year = admin.record("years", json!({"year": "2024"})).await;
    admin.collection("films", json!([{"name": "title", "type": "text"}, reference("year", "years", "restrict")])).await;
    admin.raw(reqwest::Method::POST, "/api/records/films/import/", "text/csv", "title,year\na,2024\n").await.is(200);
    assert_eq!(column(&admin, "films/", "year").await, json!([year["id"]]));
    assert_eq!(column(&admin, "films/?year=2024", "id").await, json!([]));
    admin.get("/api/records/films/7/").await.refused(404);
}

#[tokio::test]
async fn what_goes_with_a_record_is_told_from_others_of_the_same_number() {
    let (_coffer, admin) = shop().await;
    let told = admin.delete("/api/records/makers/1/?dry_run=true").await.is(200);
    assert_eq!(told["count"], 7, "{told}");
    let deleted = admin.delete("/api/records/makers/1/").await;
    deleted.is(204);
    for (collection, left) in [("makers", json!([2, 3])), ("snacks", json!([3, 4])), ("labels", json!([3, 4]))] {
        assert_eq!(column(&admin, &format!("{collection}/"), "id").await, left, "{collection}");
    }
    assert_eq!(column(&admin, "notes/", "snack").await, json!([null, null, 3, 4]));
    let operation = deleted.header("operation");
    admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await.is(200);
    assert_eq!(column(&admin, "notes/", "snack").await, json!([1, 2, 3, 4]));
    assert_eq!(column(&admin, "labels/", "snack").await, json!([1, 2, 3, 4]));
    // Many at once, and in a batch with changes of other records that have the same numbers.
    let batch = json!({"items": [
        {"action": "update", "collection": "makers", "id": 4 - 2, "record": {"name": "two"}},
        {"action": "create", "collection": "makers", "as": "new", "record": {"name": "m9"}},
        {"action": "create", "collection": "snacks", "record": {"title": "s9", "maker": {"$ref": "new"}}},
        {"action": "delete", "collection": "snacks", "id": 2},
    ]});
    let did = admin.post("/api/batch/", &batch).await.is(200);
    assert_eq!(did["items"][2]["record"]["maker"], did["items"][1]["id"], "{did}");
    assert_eq!(column(&admin, "labels/", "id").await, json!([1, 3, 4]));
    let met = json!({"items": [
        {"action": "update", "collection": "labels", "id": 1, "record": {"text": "x"}},
        {"action": "delete", "collection": "snacks", "id": 1},
    ]});
    // The label goes with the snack, also where it is changed in the same batch.
    admin.post("/api/batch/", &met).await.is(200);
    assert_eq!(column(&admin, "labels/", "id").await, json!([3, 4]));
    let many = admin.delete("/api/records/snacks/?maker=2&max=10").await.is(200);
    assert_eq!(many["count"], 2, "{many}");
    assert_eq!(column(&admin, "labels/", "id").await, json!([]));
    assert_eq!(column(&admin, "notes/", "snack").await, json!([null, null, null, null]));
    // A record that refers to itself, under a name that the collection had before.
    let folders = json!([{"name": "name", "type": "text"}]);
    counted(&admin, "folders", folders).await;
    admin.post("/api/collections/folders/fields/", &reference("parent", "folders", "cascade")).await.is(200);
    let own = admin.record("folders", json!({"name": "root"})).await["id"].clone();
    admin.patch(&format!("/api/records/folders/{own}/"), &json!({"parent": own})).await.is(200);
    admin.patch("/api/collections/folders/", &json!({"name": "drawers"})).await.is(200);
    admin.delete(&format!("/api/records/folders/{own}/")).await.is(204);
}

#[tokio::test]
async fn paths_of_ones_own_events_and_history_have_the_numbers() {
    let (_coffer, admin) = shop().await;
    let paths = json!({"path": "/api/v1/makers/{maker}/snacks/", "collection": "snacks", "where": {"maker": "{maker}"},
        "list": "array", "members": ["id", "title", {"maker": "maker.name"}, {"maker_id": "maker"}]});
    admin.post("/api/paths/", &paths).await.is(201);
    let rows = admin.get("/api/v1/makers/2/snacks/").await.is(200);
    assert_eq!(
        rows,
        json!([{"id": 3, "title": "s3", "maker": "m2", "maker_id": 2}, {"id": 4, "title": "s4", "maker": "m2", "maker_id": 2}])
    );
    assert_eq!(admin.get("/api/v1/makers/2/snacks/4/").await.is(200)["title"], "s4");
    for missing in ["2/snacks/1/", "02/snacks/", "2/snacks/04/", "9/snacks/", "x/snacks/"] {
        admin.get(&format!("/api/v1/makers/{missing}")).await.refused(404);
    }
    let made = admin.post("/api/v1/makers/3/snacks/", &json!({"title": "new"})).await;
    assert_eq!(made.is(201)["maker_id"], 3);
    assert!(made.header("location").ends_with("/api/v1/makers/3/snacks/5/"), "{}", made.header("location"));
    let changed = admin.patch("/api/records/snacks/1/", &json!({"title": "one", "maker": 3})).await.is(200);
    let history = admin.get("/api/records/snacks/1/history/").await.is(200);
    assert_eq!(history["results"][1]["after"]["maker"], 1, "{history}");
    let first = history["results"][1]["revision"].as_u64().unwrap();
    let restored = admin.post(&format!("/api/records/snacks/1/history/{first}/restore/"), &json!({})).await.is(200);
    assert_eq!((&restored["maker"], &restored["title"]), (&json!(1), &json!("s1")));
    let journal = admin.get(&format!("/api/changes/?after={}", changed["revision"])).await.is(200);
    assert_eq!(journal["results"][0]["id"], "1", "{journal}");
    let erased = admin.post("/api/changes/erase/", &json!({"record": {"collection": "snacks", "id": 4}})).await;
    assert!((200..300).contains(&erased.status), "{}", erased.text());
    admin.get("/api/records/snacks/4/").await.refused(404);
}
