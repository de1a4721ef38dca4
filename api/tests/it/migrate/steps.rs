//! Steps over HTTP: forward, back and forward again, whole or not at all.

use serde_json::{Value, json};

use std::time::Instant;

use super::{bytes, people, records, settled, steps};
use crate::support::{Client, Coffer};

const PATH: &str = "/api/migrations/";

async fn apply(admin: &Client, name: &str, steps: Value) -> Value {
    let body = json!({"collection": "people", "name": name, "steps": steps});
    let answer = admin.post(PATH, &body).await;
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
    settled(admin, &answer.is(answer.status)).await
}

async fn revert(admin: &Client, name: &str) -> Value {
    let answer = admin.post(&format!("{PATH}people/{name}/revert/"), &Value::Null).await;
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
    settled(admin, &answer.is(answer.status)).await
}

/// Why it failed, at once or later.
async fn failed(admin: &Client, path: &str, body: &Value) -> String {
    let answer = admin.post(path, body).await;
    if answer.status != 202 {
        return answer.refused(409).detail;
    }
    settled(admin, &answer.is(202)).await["error"].as_str().unwrap().to_owned()
}

async fn states(admin: &Client) -> Vec<(String, String)> {
    let page = admin.get(PATH).await.is(200);
    let text = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
    page["results"].as_array().unwrap().iter().map(|one| (text(one, "name"), text(one, "state"))).collect()
}

#[tokio::test]
async fn each_kind_of_step_goes_forward_back_and_forward_to_the_byte() {
    let (_coffer, admin) = people(records(1200)).await;
    let before = bytes(&admin, "people").await;
    let began = Instant::now();
    apply(&admin, "0001_names", steps()).await;
    println!("forward: {:.1?}", began.elapsed());
    assert_eq!(states(&admin).await, [("0001_names".to_owned(), "applied".to_owned())]);
    let after = bytes(&admin, "people").await;
    assert!(
        after.contains(
            "\"label\":\"Ada31 van Lovelace\",\"age\":31,\"kind\":\"b\",\"first\":\"Ada31\",\"last\":\"van Lovelace\""
        ),
        "{}",
        &after[..400]
    );
    assert!(after.contains("\"label\":\"Ada30 van Lovelace\",\"age\":30,\"kind\":\"b\""), "set where it says");
    let began = Instant::now();
    revert(&admin, "0001_names").await;
    println!("back: {:.1?}", began.elapsed());
    assert_eq!(states(&admin).await, []);
    assert_eq!(bytes(&admin, "people").await, before);
    let page = admin.get("/api/records/people/?page_size=50").await.text();
    assert_eq!(page.matches("\"revision\"").count(), 50, "{page}");
    apply(&admin, "0001_names", steps()).await;
    assert_eq!(bytes(&admin, "people").await, after);
    revert(&admin, "0001_names").await;
    assert_eq!(bytes(&admin, "people").await, before);
}

#[tokio::test]
async fn a_step_that_fails_takes_back_those_before_it() {
    let (_coffer, admin) = people(30).await;
    let before = bytes(&admin, "people").await;
    for (last, told) in [
        (json!({"update": "people", "set": {"age": 200}}), "Step 3 of 3"),
        (
            json!({"change": "people", "alter": {"first": {"type": "integer", "convert": "number"}}}),
            "30 records do not fit",
        ),
        (json!({"create": "people"}), "exists already"),
    ] {
        let steps = json!([
            {"change": "people", "alter": {"age": {"type": "integer", "max": 150, "convert": "number"}}},
            {"update": "people", "split": [{"field": "full_name", "into": ["first", "last"]}]},
            last
        ]);
        let body = json!({"collection": "people", "name": "0001_names", "steps": steps});
        let refused = failed(&admin, PATH, &body).await;
        assert!(refused.contains(told) && refused.contains("Nothing of people/0001_names stays."), "{refused}");
        assert_eq!(bytes(&admin, "people").await, before, "{last}");
        assert_eq!(states(&admin).await, []);
    }
}

#[tokio::test]
async fn steps_that_say_nothing_are_refused_by_name() {
    let (_coffer, admin) = people(1).await;
    for (step, fault) in [
        (
            json!({}),
            "steps.0.step: A step has one of these members: create, change, delete, update, delete_records, publish, republish, unpublish.",
        ),
        (
            json!({"create": "x", "update": "x"}),
            "steps.0.step: A step has one of these members: create, change, delete, update, delete_records, publish, republish, unpublish.",
        ),
        (
            json!({"change": "people"}),
            "steps.0.change: This changes nothing: say what is added, altered, renamed or dropped.",
        ),
        (json!({"change": "people", "zzz": 1, "drop": ["age"]}), "steps.0.zzz: There is no field of this name."),
        (
            json!({"change": "people", "alter": {"age": {"id": "x"}}}),
            "steps.0.alter.age.id: This belongs to one server, and is in no file.",
        ),
        (
            json!({"update": "people", "where": "", "set": {"age": "1"}}),
            "steps.0.where: This is a condition, such as: kind = \"sweet\". Leave it out for all records.",
        ),
        (
            json!({"update": "people", "set": {"age": "1"}, "split": [{"field": "age", "into": ["first"]}]}),
            "steps.0.split.0.into: Name two fields or more.",
        ),
        (
            json!({"update": "People", "set": {"age": "1"}}),
            "steps.0.update: Use a to z, 0 to 9 and _, beginning with a letter, at most 63 characters.",
        ),
    ] {
        let body = json!({"collection": "people", "name": "0001_x", "steps": [step]});
        assert_eq!(admin.post(PATH, &body).await.faults(), [fault], "{step}");
    }
    for (steps, told) in [
        (json!([{"update": "people", "where": "nothing = 3", "set": {"age": "1"}}]), "where"),
        (json!([{"update": "people", "set": {"zzz": 1}}]), "set.zzz"),
        (json!([{"change": "people", "drop": ["zzz"]}]), "There is no field \"zzz\"."),
        (json!([{"change": "nothing", "drop": ["zzz"]}]), "There is no collection \"nothing\"."),
        (json!([{"delete_records": "people", "where": "zzz = 1"}]), "where"),
    ] {
        let body = json!({"collection": "people", "name": "0001_x", "steps": steps});
        let refused = failed(&admin, PATH, &body).await;
        assert!(refused.contains(told), "{steps}: {refused}");
    }
    let body = json!({"collection": "people", "name": "0002_x", "after": ["people/0001_x"]});
    assert_eq!(
        admin.post(PATH, &body).await.faults(),
        ["after: This stands on people/0001_x, which is not applied. Apply that first."]
    );
}

#[tokio::test]
async fn a_dry_run_tells_numbers_and_changes_nothing() {
    let (_coffer, admin) = people(40).await;
    let before = bytes(&admin, "people").await;
    let steps = json!([
        {"update": "people", "where": "kind = \"a\"", "set": {"kind": "b"}},
        {"change": "people", "drop": ["age"]},
        {"create": "makers", "fields": []},
    ]);
    let body = json!({"collection": "people", "name": "0001_x", "steps": steps});
    let plan = admin.post(&format!("{PATH}?dry_run=true"), &body).await.is(200);
    assert_eq!(plan["steps"][0]["dry_run"]["changed"], 14);
    assert_eq!(plan["steps"][1]["dry_run"], Value::Null, "the step before it changes the same collection");
    assert_eq!(plan["steps"][2]["dry_run"]["records"], 0);
    assert_eq!(bytes(&admin, "people").await, before);
    assert_eq!(states(&admin).await, []);
}

#[tokio::test]
async fn collections_paths_indexes_and_rules_come_and_go() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let steps = json!([
        {"create": "makers", "fields": [{"name": "name", "type": "text", "unique": true}], "access": {"list": ["anyone"]}},
        {"create": "snacks", "fields": [{"name": "title", "type": "text", "indexed": true}, {"name": "maker", "type": "reference", "collection": "makers"}],
         "indexes": [{"fields": ["maker", "-title"]}]},
        {"publish": "/v1/snacks/", "collection": "snacks", "members": ["id", "title"]},
        {"change": "snacks", "rename": {"title": "label"}, "access": {"create": ["nobody"]}, "drop_indexes": [{"fields": ["maker", "-label"]}]},
        {"republish": "/v1/snacks/", "collection": "snacks", "members": ["id", {"name": "label"}], "list": "array"},
        {"change": "makers", "name": "firms"},
    ]);
    let body = json!({"collection": "snacks", "name": "0001_initial", "steps": steps});
    let answer = admin.post(PATH, &body).await;
    settled(&admin, &answer.is(answer.status)).await;
    assert_eq!(states(&admin).await, [("0001_initial".to_owned(), "applied".to_owned())]);
    let snacks = admin.get("/api/collections/snacks/").await.is(200);
    assert_eq!(snacks["fields"][1]["collection"], "firms");
    assert_eq!(snacks["access"]["create"], json!(["nobody"]));
    assert_eq!(snacks.get("indexes"), None);
    admin.record("snacks", json!({"label": "Nuts"})).await;
    let listed = admin.get("/v1/snacks/").await.is(200);
    assert_eq!(listed[0]["name"], "Nuts");
    // Somebody wrote since, so the collection does not go by itself.
    let revert = format!("{PATH}snacks/0001_initial/revert/");
    let refused = failed(&admin, &revert, &Value::Null).await;
    assert!(refused.contains("written since"), "{refused}");
    assert_eq!(admin.get("/v1/snacks/").await.is(200), listed, "all of it is as it was");
    let answer = admin.post(&format!("{revert}?changed=overwrite"), &Value::Null).await;
    settled(&admin, &answer.is(answer.status)).await;
    admin.get("/v1/snacks/").await.is(404);
    assert_eq!(admin.get("/api/collections/").await.is(200)["count"], 0);
    assert_eq!(states(&admin).await, []);
}

#[tokio::test]
async fn what_was_dropped_and_deleted_comes_back() {
    let (_coffer, admin) = people(1500).await;
    let before = bytes(&admin, "people").await;
    let steps = json!([{"change": "people", "drop": ["age", "kind"]}, {"delete_records": "people", "where": "full_name < \"Ada5\""}]);
    apply(&admin, "0001_drop", steps).await;
    let after = bytes(&admin, "people").await;
    assert!(after.lines().count() < 1000 && !after.contains("age"), "{}", after.lines().count());
    revert(&admin, "0001_drop").await;
    assert_eq!(bytes(&admin, "people").await, before);
    apply(&admin, "0002_delete", json!([{"delete": "people"}])).await;
    admin.get("/api/collections/people/").await.is(404);
    revert(&admin, "0002_delete").await;
    assert_eq!(bytes(&admin, "people").await, before);
}

#[tokio::test]
async fn only_admins_migrate_and_what_was_applied_stays_what_it_was() {
    let (coffer, admin) = people(3).await;
    let user = coffer.user(&admin, "bob", json!({})).await;
    let body = json!({"collection": "people", "name": "0001_x", "steps": [{"change": "people", "drop": ["age"]}]});
    user.post(PATH, &body).await.refused(403);
    user.get(PATH).await.refused(403);
    coffer.stranger().post(PATH, &body).await.refused(401);
    admin.post(PATH, &body).await.is(200);
    admin.post(PATH, &body).await.is(200);
    let other = json!({"collection": "people", "name": "0001_x", "steps": [{"change": "people", "drop": ["kind"]}]});
    assert!(admin.post(PATH, &other).await.refused(409).detail.contains("the file says something else now"));
    let on_it = json!({"collection": "people", "name": "0002_y", "after": ["people/0001_x"], "steps": []});
    admin.post(PATH, &on_it).await.is(200);
    let refused = admin.post(&format!("{PATH}people/0001_x/revert/"), &Value::Null).await.refused(409).detail;
    assert_eq!(refused, "people/0002_y stands on people/0001_x. Take that back first.");
    admin.post(&format!("{PATH}people/0003_z/revert/"), &Value::Null).await.refused(404);
}
