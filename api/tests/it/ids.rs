//! Collections that count their records: ids are numbers that rise, are given once, and stay with what an admin brings.

mod given;
mod referring;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, Coffer};

/// A collection whose records have numbers, with the rules that are the default.
pub(crate) async fn counted(admin: &Client, name: &str, fields: Value) -> Value {
    let definition = json!({"name": name, "ids": "integer", "fields": fields});
    let made = admin.post("/api/collections/", &definition).await.is(201);
    assert_eq!(made["ids"], "integer");
    made
}

fn title() -> Value {
    json!([{"name": "title", "type": "text"}, {"name": "kind", "type": "text", "indexed": true}])
}

/// Makes records, one after the other; gives their ids.
async fn make(client: &Client, collection: &str, many: usize) -> Vec<i64> {
    let mut ids = Vec::with_capacity(many);
    for n in 0..many {
        let kind = ["sweet", "salty"][n % 2];
        let made = client.record(collection, json!({"title": format!("t{n}"), "kind": kind})).await;
        ids.push(made["id"].as_i64().expect("a number"));
    }
    ids
}

async fn ids(client: &Client, query: &str) -> Vec<i64> {
    let page = client.get(&format!("/api/records/posts/?page_size=1000&{query}")).await.is(200);
    page["results"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn numbers_rise_and_are_written_in_one_way() {
    let (_coffer, admin) = Coffer::with_admin().await;
    counted(&admin, "posts", title()).await;
    let answer = admin.post("/api/records/posts/", &json!({"title": "first"})).await;
    let first = answer.is(201);
    assert_eq!(first["id"], 1);
    assert!(answer.header("location").ends_with("/api/records/posts/1/"), "{}", answer.header("location"));
    assert_eq!(admin.get("/api/records/posts/1/").await.body, answer.body);
    for other in ["01", "007", "+1", "1.0", "-1", "0", "2", "%D9%A1", "1e0", "01920000-0000-7000-8000-000000000001"] {
        for at in [format!("/api/records/posts/{other}/"), format!("/api/records/posts/{other}/history/")] {
            admin.get(&at).await.refused(404);
        }
        admin.patch(&format!("/api/records/posts/{other}/"), &json!({"title": "x"})).await.refused(404);
    }
    assert_eq!(make(&admin, "posts", 12).await, (2..14).collect::<Vec<_>>());
    let many: Vec<Value> = (0..40).map(|n| json!({"title": format!("m{n}")})).collect();
    let made = admin.post("/api/records/posts/", &json!(many)).await.is(201);
    let made: Vec<i64> = made.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert!(made.is_sorted() && made[0] > 13 && made.iter().collect::<BTreeSet<_>>().len() == 40, "{made:?}");
    // By number, and not by how numbers are written.
    let all = ids(&admin, "").await;
    assert!(all.is_sorted() && all.len() == 53, "{all:?}");
    assert!(ids(&admin, "ordering=-id").await.is_sorted_by(|a, b| a > b));
    assert_eq!(ids(&admin, "id__in=10,9,999&ordering=-id").await, [10, 9]);
    assert_eq!(ids(&admin, "id__gt=3&id__lte=6").await, [4, 5, 6]);
    assert_eq!(ids(&admin, "filter=id%20in%20(2,3)%20and%20kind%20%3D%20sweet").await, [2]);
    assert_eq!(ids(&admin, "kind=sweet&ordering=-kind,-id&id__lt=8").await, [6, 4, 2]);
    assert_eq!((ids(&admin, "pk=7").await, ids(&admin, "id=99999").await), (vec![7], vec![]));
    assert_eq!(ids(&admin, "id_min=12&id_max=13").await, [12, 13]);
    assert_eq!(admin.get("/api/records/posts/?id=x").await.faults(), ["id: A valid integer is required."]);
    // Page by page.
    let (mut page, mut walked) = (admin.get("/api/records/posts/?page_size=7&cursor=").await.is(200), Vec::new());
    loop {
        walked.extend(page["results"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        page = admin.get(next.strip_prefix(&admin.base).unwrap()).await.is(200);
    }
    assert_eq!(walked, all);
    let page = admin.get("/api/records/posts/?page_size=5&page=2&ordering=-kind").await.is(200);
    assert!(page["results"][0]["id"].is_i64(), "{page}");
    admin.patch("/api/records/posts/7/", &json!({"id": 7, "title": "same"})).await.is(200);
    admin.patch("/api/records/posts/7/", &json!({"id": 8})).await.refused(400);
}

#[tokio::test]
async fn those_who_create_at_once_get_different_numbers() {
    let (_coffer, admin) = Coffer::with_admin().await;
    counted(&admin, "posts", title()).await;
    let makers = (0..8).map(|_| {
        let admin = admin.clone();
        tokio::spawn(async move { make(&admin, "posts", 40).await })
    });
    let mut all = Vec::new();
    for maker in makers.collect::<Vec<_>>() {
        let made = maker.await.unwrap();
        assert!(made.is_sorted(), "{made:?}");
        all.extend(made);
    }
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 320);
    all.sort_unstable();
    assert_eq!(ids(&admin, "").await, all);
}

#[tokio::test]
async fn what_ids_are_is_chosen_while_there_are_no_records() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = admin.collection("posts", title()).await;
    assert_eq!(made.get("ids"), None, "UUIDs stay what nobody has to say");
    let refused = admin.patch("/api/collections/posts/", &json!({"ids": "serial"})).await;
    assert_eq!(refused.faults(), ["ids: Use uuid or integer."]);
    let uuid = admin.record("posts", json!({"title": "x"})).await["id"].clone();
    let full = admin.patch("/api/collections/posts/", &json!({"ids": "integer"})).await;
    assert!(full.faults()[0].starts_with("ids: The records that there are have their ids."), "{}", full.text());
    admin.patch("/api/collections/posts/?dry_run=true", &json!({"ids": "integer"})).await.refused(400);
    let deleted = admin.delete(&format!("/api/records/posts/{}/", uuid.as_str().unwrap())).await;
    let changed = admin.patch("/api/collections/posts/", &json!({"ids": "integer"})).await;
    assert_eq!(changed.is(200)["ids"], "integer");
    // What has another id cannot come back.
    let revert = |answer: &crate::support::Answer| format!("/api/changes/{}/revert/", answer.header("operation"));
    admin.post(&revert(&deleted), &json!({})).await.refused(409);
    assert_eq!(make(&admin, "posts", 2).await, [1, 2]);
    admin.put("/api/collections/posts/", &json!({"name": "posts", "fields": title()})).await.is(200);
    assert_eq!(make(&admin, "posts", 1).await, [3], "a PUT that says nothing of ids keeps them");
    admin.post(&revert(&changed), &json!({})).await.refused(400);
    admin.delete("/api/records/posts/?id__gt=0&max=10").await.is(200);
    admin.post(&revert(&changed), &json!({})).await.is(200);
    assert!(admin.record("posts", json!({"title": "x"})).await["id"].is_string());
}
