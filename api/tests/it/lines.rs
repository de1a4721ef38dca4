//! Lists in lines: all rows, in their order, under the caller's rules, and what is wrong before the first of them as an error.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer};

async fn lines(client: &Client, query: &str) -> Vec<Value> {
    let answer = ask(client, query).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"), "{query}");
    assert!(answer.header("vary").split(", ").any(|name| name == "Accept"), "{}", answer.header("vary"));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn ask(client: &Client, query: &str) -> Answer {
    let request = client.request(Method::GET, &format!("/api/records/snacks/?{query}"));
    Answer::of(request.header("accept", "application/json;q=0.5, application/x-ndjson")).await
}

#[tokio::test]
async fn a_list_in_lines_has_all_rows_that_pages_have_in_their_order() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let fields = json!([
        {"name": "number", "type": "integer", "indexed": true}, {"name": "title", "type": "text"}, {"name": "size", "type": "integer"},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true}, {"name": "data", "type": "json", "nullable": true},
    ]);
    let access = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"]});
    admin.post("/api/collections/", &json!({"name": "snacks", "fields": fields, "access": access})).await.is(201);
    assert!(lines(&admin, "").await.is_empty());
    let maker = admin.record("makers", json!({"name": "Golden"})).await;
    for part in 0..3 {
        let record = |i: usize| {
            let n = part * 900 + i;
            json!({"number": n, "size": n % 17, "title": "x".repeat(n % 90), "maker": (!n.is_multiple_of(4)).then(|| maker["id"].clone()), "data": {"n": n}})
        };
        admin.post("/api/records/snacks/", &json!((0..900).map(record).collect::<Vec<_>>())).await.is(201);
    }
    for query in [
        "",
        "ordering=-number",
        "number__gte=100&ordering=size,-number",
        "size=3",
        "search=xxx&ordering=-title",
        "fields=number,title&ordering=number",
        "fields=number,data,id&size=4",
        "number__lt=300&expand=maker&fields=maker,number",
        "filter=size+%3D+3+or+number+%3C+5",
        "number__lt=0",
    ] {
        let mut paged = Vec::new();
        let mut next = Some(format!("/api/records/snacks/?page_size=1000&{query}"));
        while let Some(address) = next {
            let page = admin.get(address.strip_prefix(&admin.base).unwrap_or(&address)).await.is(200);
            paged.extend(page["results"].as_array().unwrap().clone());
            next = page["next"].as_str().map(str::to_owned);
        }
        assert_eq!(lines(&admin, query).await, paged, "{query}");
    }
    // Under the caller's rules.
    let bob = coffer.user(&admin, "bob", json!({})).await;
    bob.record("snacks", json!({"number": -1})).await;
    let own = lines(&bob, "fields=number").await;
    assert_eq!(own, [json!({"number": -1})]);
    // What is wrong is told as ever, and what asks for a part has no place.
    for (query, parameter) in [
        ("zzz=1", "zzz"),
        ("page=2", "page"),
        ("limit=3", "limit"),
        ("cursor=", "cursor"),
        ("facets=size", "facets"),
        ("explain=true", "explain"),
        ("filter=size+%3C", "filter"),
    ] {
        let refused = ask(&admin, query).await.refused(400);
        assert!(refused.errors.0.contains_key(parameter), "{query}: {refused:?}");
    }
    let stranger = coffer.stranger();
    ask(&stranger, "").await.refused(401);
    // Somebody who would as soon have one text gets that.
    let request = admin
        .request(Method::GET, "/api/records/snacks/")
        .header("accept", "application/json, application/x-ndjson;q=0.9");
    assert!(Answer::of(request).await.is(200)["results"].is_array());
}
