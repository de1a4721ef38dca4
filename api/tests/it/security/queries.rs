//! N7: no query reads, holds or sends without bound.

use std::time::Duration;

use coffer::domain::{
    deadline::Reading,
    turns::{Admission, At, TurnOf, Turns},
};
use common::change::Changes;
use serde_json::{Value, json};

use super::held::{Held, Settings};
use crate::support::{Client, Coffer};

fn no_time() -> Settings {
    Settings { reading: Reading { time: Duration::ZERO, ..Reading::default() }, ..Settings::default() }
}

/// A collection with an indexed field and one without.
async fn fill(admin: &Client, count: usize) {
    let fields = json!([{"name": "kind", "type": "text", "indexed": true}, {"name": "title", "type": "text"}]);
    admin.collection("rows", fields).await;
    let rows: Vec<Value> = (0..count).map(|n| json!({"kind": "a", "title": format!("title {n}")})).collect();
    admin.post("/api/records/rows/", &json!(rows)).await.is(201);
}

#[tokio::test]
async fn n7_a_query_that_reads_too_long_is_a_503_problem_that_says_what_to_do() {
    let (_held, admin) = Held::with_admin(no_time()).await;
    fill(&admin, 100).await;
    for query in
        ["title=x", "title__contains=x", "search=x", "ordering=title", "kind=a&title=x", "left_join=rows:title=title"]
    {
        is_too_slow(&admin, query).await;
    }
    // What is read off an index, page by page, needs no time that grows.
    for query in ["", "kind=a", "ordering=-kind", "page=5", "ordering=-id"] {
        assert_eq!(admin.get(&format!("/api/records/rows/?{query}")).await.is(200)["count"], 100, "{query}");
    }
}

async fn is_too_slow(client: &Client, query: &str) {
    let answer = client.request(reqwest::Method::GET, &format!("/api/records/rows/?{query}")).send().await.unwrap();
    assert_eq!(answer.status(), 503, "{query}");
    assert_eq!(answer.headers()["retry-after"], "60");
    let problem: common::Problem = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!((problem.status, problem.code.as_ref()), (503, "query_too_slow"), "{query}");
    assert!(problem.detail.contains("Narrow it"), "{}", problem.detail);
}

#[tokio::test]
async fn n7_long_reads_take_turns_and_short_ones_do_not_wait() {
    let reading = Reading { wait: Duration::from_millis(200), turns: Turns::new(1), ..Reading::default() };
    let turns = reading.turns.clone();
    let (_held, admin) = Held::with_admin(Settings { reading, ..Settings::default() }).await;
    fill(&admin, 50).await;
    // Nobody else has a turn as long as this one goes on.
    let Ok(Admission::Now(turn)) = turns.line_up(TurnOf::Server, At::Arrival) else { panic!("nobody reads") };
    assert_eq!(admin.get("/api/records/rows/?title=x").await.is(200)["count"], 0, "short");
    let rows: Vec<Value> = (0..1000).map(|n| json!({"kind": "a", "title": format!("more {n}")})).collect();
    admin.post("/api/records/rows/", &json!(rows)).await.is(201);
    let answer = admin.request(reqwest::Method::GET, "/api/records/rows/?title=x").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()), (503, &b"1"[..]));
    assert_eq!(admin.get("/api/records/rows/?page=3").await.is(200)["count"], 1050);
    drop(turn);
    assert_eq!(admin.get("/api/records/rows/?title=more+3").await.is(200)["count"], 1);
    assert!(matches!(turns.line_up(TurnOf::Server, At::Arrival), Ok(Admission::Now(_))), "it was given back");
}

#[tokio::test]
async fn n7_the_journal_goes_on_where_the_time_was_over() {
    let (held, admin) = Held::with_admin(no_time()).await;
    fill(&admin, 150).await;
    admin.record("rows", json!({"kind": "b"})).await;
    let (mut next, mut seen, mut pages) = (Some("/api/changes/?collection=rows".to_owned()), Vec::new(), 0);
    while let Some(path) = next {
        let page: Changes = serde_json::from_value(admin.get(&path).await.is(200)).unwrap();
        seen.extend(page.results);
        next = page.next.map(|next| next.strip_prefix(&admin.base).unwrap().to_owned());
        pages += 1;
    }
    assert!(pages > 2, "each read one commit");
    assert_eq!(seen.len(), 151);
    assert!(seen.is_sorted_by(|a, b| a.revision <= b.revision));
    drop(held);
}

#[tokio::test]
async fn n7_the_terms_of_a_query_are_bounded() {
    let (_coffer, admin) = Coffer::with_admin().await;
    fill(&admin, 3).await;
    let many = |term: &str, count: usize, between: &str| vec![term; count].join(between);
    for (query, parameter) in [
        (format!("expand={}", many("x", 9, ",")), "expand"),
        (many("title=x", 33, "&"), "non_field_errors"),
        (many("title__ne=x", 5000, "&"), "non_field_errors"),
        (many("title", 33, ","), "ordering"),
        (many("title", 201, ","), "fields"),
        (format!("search={}", many("x", 33, "+")), "search"),
        (format!("title__in={}", many("x", 1001, ",")), "title__in"),
        (many("left_join=rows:id=id", 5, "&"), "left_join"),
    ] {
        let query = match parameter {
            "ordering" | "fields" => format!("{parameter}={query}"),
            _ => query,
        };
        let refused = admin.get(&format!("/api/records/rows/?{query}")).await.refused(400);
        assert!(refused.errors.0.contains_key(parameter), "{parameter}: {refused:?}");
    }
    admin.get("/api/records/rows/?cursor=forged").await.refused(404);
    for query in
        ["limit=1000000000", "offset=9223372036854775808", "limit=99999999999999999999", "page_size=1000000000"]
    {
        admin.get(&format!("/api/records/rows/?{query}")).await.is(200);
    }
    let fitting = format!("/api/records/rows/?title__in={}&search={}", many("x", 1000, ","), many("x", 32, "+"));
    assert_eq!(admin.get(&fitting).await.is(200)["count"], 0);
}

#[tokio::test]
async fn n7_a_join_has_to_fit_into_an_answer() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("rows", json!([{"name": "key", "type": "integer", "indexed": true}, {"name": "same", "type": "integer"}, {"name": "text", "type": "text"}])).await;
    let rows: Vec<Value> = (0..40).map(|_| json!({"key": 1, "same": 1, "text": "x".repeat(50_000)})).collect();
    admin.post("/api/records/rows/", &json!(rows)).await.is(201);
    for field in ["key", "same"] {
        let refused = admin.get(&format!("/api/records/rows/?page_size=40&left_join=rows:{field}={field}")).await;
        assert!(
            refused.faults()[0].starts_with("page_size: ") && refused.faults()[0].contains("page_size=2,"),
            "{refused:?}"
        );
        let fewer = admin.get(&format!("/api/records/rows/?limit=40&left_join=rows:{field}={field}")).await.is(200);
        assert_eq!(fewer["results"].as_array().unwrap().len(), 2);
        assert!(fewer["next"].as_str().unwrap().contains("offset=2"), "{}", fewer["next"]);
        let page = admin.get(&format!("/api/records/rows/?page_size=2&left_join=rows:{field}={field}")).await.is(200);
        assert_eq!(page["results"][1]["rows"].as_array().unwrap().len(), 40);
    }
}

#[tokio::test]
async fn what_is_ordered_by_creation_is_in_order_after_the_clock_went_back() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    admin.collection("rows", json!([{"name": "n", "type": "integer"}])).await;
    for n in 0..6 {
        held.hand.set(1_800_000_000 + [0, 60, 20, 30, 10, 90][n]);
        admin.record("rows", json!({"n": n})).await;
    }
    for ordering in ["", "created_at", "-created_at", "id"] {
        let rows = admin.column(&format!("/api/records/rows/?ordering={ordering}"), "created_at").await;
        let times: Vec<_> = rows.iter().map(|time| time.as_str().unwrap().to_owned()).collect();
        let sorted = if ordering.starts_with('-') { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() };
        assert!(sorted, "{ordering}: {times:?}");
    }
}
