//! Fields that were gone and come back: what the records have that were made meanwhile, and those that were put back.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

const FIELDS: &str = "/api/collections/rows/fields/";
const RECORDS: &str = "/api/records/rows/";

async fn revert(admin: &Client, answer: &Answer) -> Answer {
    let reverted = admin.post(&format!("/api/changes/{}/revert/", answer.header("operation")), &json!({})).await;
    reverted.is(200);
    reverted
}

/// The field `a` comes, goes, and is back, by undoing that it went or by being sent again; two records were made meanwhile.
async fn back(admin: &Client, mut of: Value, by_id: bool) -> Vec<Value> {
    of["name"] = json!("a");
    admin.delete("/api/collections/rows/").await;
    admin.collection("rows", json!([{"name": "t", "type": "text"}])).await;
    let added = admin.post(FIELDS, &of).await.is(200);
    let dropped = admin.delete(&format!("{FIELDS}a/")).await;
    dropped.is(200);
    let mut made = Vec::new();
    for n in 0..2 {
        made.push(admin.record("rows", json!({"t": n.to_string()})).await);
    }
    if by_id {
        admin.patch("/api/collections/rows/", &json!({"fields": added["fields"]})).await.is(200);
    } else {
        revert(admin, &dropped).await;
    }
    made
}

async fn values(admin: &Client) -> Vec<Value> {
    admin.column(&format!("{RECORDS}?ordering=t"), "a").await
}

fn types() -> [(Value, Value); 15] {
    [
        (json!({"type": "text"}), json!("")),
        (json!({"type": "text", "indexed": true, "max_length": 100}), json!("")),
        (json!({"type": "text", "default": "d", "indexed": true, "max_length": 100}), json!("d")),
        (json!({"type": "text", "multiline": true, "nullable": true}), json!(null)),
        (json!({"type": "email"}), json!("")),
        (json!({"type": "url", "indexed": true}), json!("")),
        (json!({"type": "boolean", "default": true, "indexed": true}), json!(true)),
        (json!({"type": "integer", "default": 5, "indexed": true}), json!(5)),
        (json!({"type": "integer", "indexed": true}), json!(null)),
        (json!({"type": "decimal", "places": 2, "default": "1"}), json!("1.00")),
        (json!({"type": "date", "indexed": true}), json!(null)),
        (json!({"type": "datetime", "default": "2024-02-29T00:00:00+02:00"}), json!("2024-02-28T22:00:00Z")),
        (json!({"type": "choice", "choices": ["x", "y"], "many": true}), json!([])),
        (json!({"type": "reference", "collection": "others", "many": true}), json!([])),
        (json!({"type": "json", "nullable": true, "default": {"k": [1.50]}}), json!({"k": [1.50]})),
    ]
}

#[tokio::test]
async fn what_a_record_has_in_a_field_that_was_gone_is_decided_when_it_comes_back() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("others", json!([{"name": "n", "type": "text"}])).await;
    for (n, (of, value)) in types().into_iter().enumerate() {
        let other = match of["type"].as_str().unwrap() {
            "text" | "email" | "url" => json!("a@b.example"),
            "boolean" => json!(false),
            "integer" => json!(7),
            "decimal" => json!("7"),
            "date" => json!("2000-01-01"),
            "datetime" => json!("2000-01-01T00:00:00Z"),
            _ => json!(null),
        };
        let mut changes = vec![json!({"nullable": true}), json!({"default": null}), json!({"help": "h"})];
        if !other.is_null() && of["type"] != "url" {
            changes.push(json!({"default": other}));
        }
        for change in changes {
            let made = back(&admin, of.clone(), n % 2 == 0).await;
            let expected = vec![value.clone(), value.clone()];
            assert_eq!(values(&admin).await, expected, "{of}");
            let answer = admin.patch(&format!("{FIELDS}a/"), &change).await;
            if change.get("help").is_none() && answer.status == 400 {
                continue;
            }
            answer.is(200);
            assert_eq!(values(&admin).await, expected, "{of} {change}");
            // Any change that has records written anew.
            admin.patch(&format!("{FIELDS}t/"), &json!({"name": "u"})).await.is(200);
            let seen = admin.column(RECORDS, "a").await;
            assert_eq!(seen, expected, "{of} {change}, then another field was renamed");
            admin.patch(&path("rows", &made[0]), &json!({"u": "z"})).await.is(200);
            assert_eq!(admin.column(RECORDS, "a").await, expected, "{of} {change}");
            if of.get("indexed").is_some() {
                let nulls = admin.get(&format!("{RECORDS}?a__isnull=true")).await.is(200)["count"].clone();
                assert_eq!(nulls, if value.is_null() { 2 } else { 0 }, "{of} {change}");
            }
            revert(&admin, &answer).await;
            assert_eq!(admin.column(RECORDS, "a").await, expected, "{of} {change}, undone");
        }
    }
}

#[tokio::test]
async fn records_that_were_made_while_a_field_was_gone_are_looked_at_like_all_others() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for by_id in [true, false] {
        for (of, change, code) in [
            (json!({"type": "text", "max_length": 50}), json!({"unique": true, "required": true}), "blank"),
            (json!({"type": "text", "default": "d", "max_length": 50}), json!({"unique": true}), "unique"),
            (json!({"type": "integer", "default": 5}), json!({"unique": true}), "unique"),
            (json!({"type": "text"}), json!({"required": true}), "blank"),
            (json!({"type": "integer"}), json!({"required": true, "nullable": false}), "null"),
        ] {
            back(&admin, of.clone(), by_id).await;
            let refused = admin.patch(&format!("{FIELDS}a/"), &change).await.refused(409);
            assert_eq!(refused.code, "records_do_not_fit", "{of} {change}");
            assert_eq!(refused.errors.0["a"][0].code, code, "{of} {change}");
        }
        // A field that needs a value comes back where it gets one.
        admin.delete("/api/collections/rows/").await;
        admin.collection("rows", json!([{"name": "t", "type": "text"}])).await;
        let a = json!({"name": "a", "type": "integer", "required": true});
        let added = admin.post(FIELDS, &a).await.is(200);
        admin.record("rows", json!({"t": "0", "a": 3})).await;
        let dropped = admin.delete(&format!("{FIELDS}a/?drop=a")).await;
        dropped.is(200);
        admin.record("rows", json!({"t": "1"})).await;
        let mut fields = added["fields"].clone();
        let refused = admin.patch("/api/collections/rows/", &json!({"fields": fields})).await.refused(409);
        assert_eq!(refused.code, "records_do_not_fit");
        if by_id {
            fields[1]["value"] = json!("4");
            admin.patch("/api/collections/rows/", &json!({"fields": fields})).await.is(200);
            assert_eq!(values(&admin).await, [3, 4]);
            // As another type, with the values that there are.
            admin.delete(&format!("{FIELDS}a/")).await.is(200);
            admin.record("rows", json!({"t": "2"})).await;
            fields[1] = json!({"id": fields[1]["id"], "name": "a", "type": "text", "required": true, "value": " w "});
            admin.patch("/api/collections/rows/", &json!({"fields": fields})).await.is(200);
            assert_eq!(values(&admin).await, ["3", "4", "w"]);
            admin.patch(&format!("{FIELDS}t/"), &json!({"name": "u"})).await.is(200);
            assert_eq!(admin.column(&format!("{RECORDS}?ordering=u"), "a").await, ["3", "4", "w"]);
        }
    }
}

#[tokio::test]
async fn records_from_before_a_field_and_those_that_were_changed_while_it_was_gone_have_what_they_had() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("rows", json!([{"name": "t", "type": "text"}])).await;
    let mut made = Vec::new();
    for n in 0..3 {
        made.push(admin.record("rows", json!({"t": n.to_string()})).await);
    }
    let a = json!({"name": "a", "type": "text", "max_length": 9, "indexed": true, "value": "old"});
    admin.post(FIELDS, &a).await.is(200);
    admin.patch(&path("rows", &made[1]), &json!({"a": "own"})).await.is(200);
    let first = admin.delete(&format!("{FIELDS}a/?drop=a")).await;
    first.is(200);
    admin.patch(&path("rows", &made[2]), &json!({"t": "2x"})).await.is(200);
    admin.record("rows", json!({"t": "3"})).await;
    revert(&admin, &first).await;
    assert_eq!(values(&admin).await, ["old", "own", "old", ""]);
    admin.patch(&format!("{FIELDS}a/"), &json!({"default": "new", "nullable": true})).await.is(200);
    admin.patch(&format!("{FIELDS}t/"), &json!({"name": "u"})).await.is(200);
    assert_eq!(admin.column(&format!("{RECORDS}?ordering=u"), "a").await, ["old", "own", "old", ""]);
    assert_eq!(admin.get(&format!("{RECORDS}?a__isnull=true")).await.is(200)["count"], 0);
}

#[tokio::test]
async fn a_record_that_was_undeleted_after_conversions_has_its_own_value_when_they_are_undone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let own = json!({"k": [true, 1.50]});
    admin.collection("rows", json!([{"name": "t", "type": "text"}, {"name": "a", "type": "json"}])).await;
    let mut made = Vec::new();
    for n in 0..4 {
        made.push(admin.record("rows", json!({"t": n.to_string(), "a": own})).await);
    }
    let mut deleted = Vec::new();
    for record in &made[1..] {
        deleted.push(admin.delete(&path("rows", record)).await);
    }
    let mut changes = Vec::new();
    for (n, change) in [
        json!({"type": "datetime", "convert": {"default": "2024-02-29T12:34:56+02:00"}}),
        json!({"type": "text", "convert": "date"}),
        json!({"name": "b"}),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = admin.patch(&format!("{FIELDS}a/"), &change).await;
        answer.is(200);
        changes.push(answer);
        // One is put back after each change.
        revert(&admin, &deleted[n]).await;
        let name = if n == 2 { "b" } else { "a" };
        let seen = admin.column(&format!("{RECORDS}?ordering=t"), name).await;
        assert!(seen.iter().all(|value| *value == seen[0]), "{change} {seen:?}");
    }
    for answer in changes.iter().rev() {
        revert(&admin, answer).await;
        let seen = values(&admin).await;
        assert!(seen.len() == 4 && seen.iter().all(|value| *value == seen[0]), "{seen:?}");
    }
    assert_eq!(values(&admin).await, [own.clone(), own.clone(), own.clone(), own]);
    assert_eq!(text(&admin.get(&path("rows", &made[3])).await.is(200), "t"), "3");
}
