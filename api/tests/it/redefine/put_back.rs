//! Records that are put back after their definition changed: when that is undone, they have what was put back.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

const FIELDS: &str = "/api/collections/rows/fields/";
const A: &str = "/api/collections/rows/fields/a/";

async fn revert(admin: &Client, answer: &Answer) -> Answer {
    let reverted = admin.post(&format!("/api/changes/{}/revert/", answer.header("operation")), &json!({})).await;
    reverted.is(200);
    reverted
}

/// Puts the version of a record back that it had first.
async fn restore(admin: &Client, first: &Value) -> Answer {
    let address = format!("{}history/{}/restore/", path("rows", first), first["revision"]);
    let restored = admin.post(&address, &json!({})).await;
    restored.is(200);
    restored
}

async fn rows(admin: &Client) {
    admin.delete("/api/collections/rows/").await;
    admin.collection("rows", json!([{"name": "t", "type": "text"}, {"name": "a", "type": "text"}])).await;
}

async fn a(admin: &Client, record: &Value) -> Value {
    admin.get(&path("rows", record)).await.is(200)["a"].clone()
}

/// A record that had "x" and then "y" in it.
async fn two_versions(admin: &Client) -> (Value, Answer) {
    let first = admin.record("rows", json!({"t": "1", "a": "x"})).await;
    let changed = admin.patch(&path("rows", &first), &json!({"a": "y"})).await;
    changed.is(200);
    (first, changed)
}

/// No "x" and no "y" is a number: all of them become the same one.
async fn convert(admin: &Client) -> Answer {
    let converted = admin.patch(A, &json!({"type": "integer", "convert": [{"default": 5}]})).await;
    converted.is(200);
    converted
}

#[tokio::test]
async fn an_earlier_version_that_was_put_back_has_its_own_value_when_a_conversion_is_undone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin).await;
    let mut records = Vec::new();
    for _ in 0..7 {
        records.push(two_versions(&admin).await);
    }
    let deleted = admin.delete(&path("rows", &records[3].0)).await;
    admin.delete(&path("rows", &records[4].0)).await.is(204);
    let converted = convert(&admin).await;

    restore(&admin, &records[0].0).await;
    restore(&admin, &records[1].0).await;
    admin.patch(&path("rows", &records[1].0), &json!({"t": "2"})).await.is(200);
    // What was put back is deleted, and comes back.
    restore(&admin, &records[2].0).await;
    let again = admin.delete(&path("rows", &records[2].0)).await;
    revert(&admin, &again).await;
    revert(&admin, &deleted).await;
    restore(&admin, &records[4].0).await;
    // The change of its value is undone instead.
    revert(&admin, &records[5].1).await;
    // It gets a value of its own, and that is undone.
    restore(&admin, &records[6].0).await;
    let changed = admin.patch(&path("rows", &records[6].0), &json!({"a": 7})).await;
    revert(&admin, &changed).await;
    for (record, _) in &records {
        assert_eq!(a(&admin, record).await, 5);
    }

    let undone = revert(&admin, &converted).await;
    for (n, expected) in ["x", "x", "x", "y", "x", "x", "x"].into_iter().enumerate() {
        assert_eq!(a(&admin, &records[n].0).await, expected, "{n}");
    }
    // The conversion is done again, undone again, and the collection is deleted between.
    let redone = revert(&admin, &undone).await;
    assert_eq!(a(&admin, &records[0].0).await, 5);
    let gone = admin.delete("/api/collections/rows/").await;
    revert(&admin, &gone).await;
    revert(&admin, &redone).await;
    for (n, expected) in ["x", "x", "x", "y", "x", "x", "x"].into_iter().enumerate() {
        assert_eq!(a(&admin, &records[n].0).await, expected, "{n}");
    }
}

#[tokio::test]
async fn what_was_put_back_goes_back_through_all_conversions() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin).await;
    let (first, _) = two_versions(&admin).await;
    let (other, _) = two_versions(&admin).await;
    let mut changes = vec![convert(&admin).await];
    for change in [
        json!({"name": "b"}),
        json!({"type": "choice", "choices": ["p", "q"], "convert": [{"default": "p"}]}),
        json!({"rename": {"p": "q", "q": "p"}}),
    ] {
        let name = if changes.len() > 1 { "b" } else { "a" };
        let answer = admin.patch(&format!("{FIELDS}{name}/"), &change).await;
        answer.is(200);
        changes.push(answer);
    }
    restore(&admin, &first).await;
    for answer in changes.iter().rev() {
        revert(&admin, answer).await;
        let (one, two) = (admin.get(&path("rows", &first)).await, admin.get(&path("rows", &other)).await);
        let values = |answer: Value| [answer["a"].clone(), answer["b"].clone()];
        let (one, two) = (values(one.is(200)), values(two.is(200)));
        assert!(one == two || (one[0] == "x" && two[0] == "y"), "{one:?} {two:?}");
    }
    assert_eq!((a(&admin, &first).await, a(&admin, &other).await), (json!("x"), json!("y")));
}

#[tokio::test]
async fn what_a_field_was_that_went_twice_is_found_behind_what_was_done_while_it_was_gone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for by_id in [false, true] {
        for collection_goes in [true, false] {
            rows(&admin).await;
            let of = json!({"name": "a", "type": "text", "default": "new"});
            admin.patch(A, &of).await.is(200);
            let fields = admin.get("/api/collections/rows/").await.is(200)["fields"].clone();
            let mut records = Vec::new();
            for _ in 0..4 {
                records.push(admin.record("rows", json!({"t": "1", "a": "x"})).await);
            }
            let (changed, twice, deleted, left) = (&records[0], &records[1], &records[2], &records[3]);
            let mut is_first = true;
            let mut made = Value::Null;
            for _ in 0..3 {
                let dropped = admin.delete(&format!("{A}?drop=a")).await;
                dropped.is(200);
                if is_first {
                    admin.patch(&path("rows", changed), &json!({"t": "2"})).await.is(200);
                    admin.patch(&path("rows", twice), &json!({"t": "2"})).await.is(200);
                    made = admin.record("rows", json!({"t": "made"})).await;
                    let gone = admin.delete(&path("rows", deleted)).await;
                    revert(&admin, &gone).await;
                    is_first = false;
                } else {
                    admin.patch(&path("rows", twice), &json!({"t": "3"})).await.is(200);
                }
                if collection_goes {
                    let gone = admin.delete("/api/collections/rows/").await;
                    revert(&admin, &gone).await;
                } else {
                    for record in [changed, &made] {
                        let gone = admin.delete(&path("rows", record)).await;
                        revert(&admin, &gone).await;
                    }
                }
                if by_id {
                    admin.patch("/api/collections/rows/", &json!({"fields": fields})).await.is(200);
                } else {
                    revert(&admin, &dropped).await;
                }
                for record in [changed, twice, deleted, left] {
                    assert_eq!(a(&admin, record).await, "x", "{by_id} {collection_goes}");
                }
                assert_eq!(a(&admin, &made).await, "new", "{by_id} {collection_goes}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_put_back_has_nothing_of_an_erased_field() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin).await;
    let (first, _) = two_versions(&admin).await;
    let (other, _) = two_versions(&admin).await;
    let converted = convert(&admin).await;
    restore(&admin, &first).await;
    restore(&admin, &other).await;
    let deleted = admin.delete(&path("rows", &other)).await;
    let begun = admin.post("/api/changes/erase/", &json!({"field": {"collection": "rows", "name": "a"}})).await;
    let address = format!("/api/operations/{}/", begun.is(202)["id"].as_str().unwrap());
    while admin.get(&address).await.is(200)["state"] != "done" {
        tokio::task::yield_now().await;
    }
    revert(&admin, &deleted).await;
    let undone = admin.post(&format!("/api/changes/{}/revert/", converted.header("operation")), &json!({})).await;
    assert!(undone.status == 200 || undone.status == 409 || undone.status == 410, "{}", undone.text());
    for record in [&first, &other] {
        let now = admin.get(&path("rows", record)).await;
        assert!(!["x", "y"].iter().any(|value| now.is(200)["a"] == *value), "{}", now.text());
    }
}
