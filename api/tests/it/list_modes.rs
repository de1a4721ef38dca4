//! The ways through a list: numbered pages, limit and offset, cursors; and that each of them comes by every row once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, Coffer, path, text};

mod cursors;
mod writers;

const ROWS: &str = "/api/records/rows/";

async fn with_rows(count: usize) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    let fields = json!([
        {"name": "n", "type": "integer", "indexed": true, "nullable": true},
        {"name": "t", "type": "text"},
        {"name": "d", "type": "decimal", "nullable": true},
        {"name": "k", "type": "text", "indexed": true, "max_length": 9},
    ]);
    admin.collection("rows", fields).await;
    let rows: Vec<Value> = (0..count).map(row).collect();
    for rows in rows.chunks(500) {
        admin.post(ROWS, &Value::from(rows)).await.is(201);
    }
    (coffer, admin)
}

/// Values with many that are equal, some null, and no order in which they come.
fn row(number: usize) -> Value {
    let n = if number.is_multiple_of(11) { Value::Null } else { json!(number * 7919 % 10) };
    let d = if number.is_multiple_of(13) { Value::Null } else { json!(format!("{}.5", number % 4)) };
    let text = ["a", "B", "c", "ä"][number % 4];
    json!({"n": n, "t": text, "d": d, "k": if number.is_multiple_of(2) { "x" } else { "y" }})
}

fn ids(page: &Value) -> Vec<String> {
    page["results"].as_array().unwrap().iter().map(|row| text(row, "id")).collect()
}

/// The path of a link, or none.
fn link(admin: &Client, page: &Value, name: &str) -> Option<String> {
    page[name].as_str().map(|link| link.strip_prefix(&admin.base).unwrap().to_owned())
}

/// All ids from `path` on by one of its links.
async fn walk(admin: &Client, path: String, name: &str) -> Vec<Vec<String>> {
    let (mut next, mut pages) = (Some(path), Vec::new());
    while let Some(path) = next {
        let page = admin.get(&path).await.is(200);
        pages.push(ids(&page));
        next = link(admin, &page, name);
        assert!(pages.len() < 200, "there is no end of {path}");
    }
    pages
}

const QUERIES: [&str; 14] = [
    "",
    "ordering=-id",
    "ordering=created_at",
    "ordering=n",
    "ordering=-n",
    "ordering=-n,t",
    "ordering=d,-t",
    "ordering=-d",
    "k=x",
    "k=x&ordering=-created_at",
    "t__ne=a",
    "t__ne=a&ordering=-t,n",
    "search=ä",
    "n__isnull=false&k=y&ordering=-n",
];

#[tokio::test]
async fn every_way_through_a_list_comes_by_every_row_once_and_in_its_order() {
    let (_coffer, admin) = with_rows(75).await;
    for query in QUERIES {
        let whole = admin.get(&format!("{ROWS}?page_size=1000&{query}")).await.is(200);
        let all = ids(&whole);
        assert_eq!(whole["count"], all.len(), "{query}");
        let by_page = walk(&admin, format!("{ROWS}?page_size=7&{query}"), "next").await;
        assert_eq!(by_page.concat(), all, "{query}");
        let by_offset = walk(&admin, format!("{ROWS}?limit=7&{query}"), "next").await;
        assert_eq!(by_offset, by_page, "{query}");
        let by_cursor = walk(&admin, format!("{ROWS}?cursor=&page_size=7&{query}"), "next").await;
        assert_eq!(by_cursor, by_page, "{query}");
        let uncounted = walk(&admin, format!("{ROWS}?count=false&page_size=7&{query}"), "next").await;
        assert_eq!(uncounted, by_page, "{query}");

        let last = admin.get(&format!("{ROWS}?page=last&page_size=7&{query}")).await.is(200);
        assert_eq!((&ids(&last), &last["next"]), (by_page.last().unwrap(), &Value::Null), "{query}");
        let mut back = walk(&admin, format!("{ROWS}?page=last&page_size=7&{query}"), "previous").await;
        back.reverse();
        assert_eq!(back, by_page, "{query}");
    }
}

#[tokio::test]
async fn limit_and_offset_answer_as_django_rest_framework_does() {
    let (_coffer, admin) = with_rows(10).await;
    let page = admin.get(&format!("{ROWS}?limit=4&offset=2&ordering=-id")).await.is(200);
    assert_eq!((&page["count"], ids(&page).len()), (&json!(10), 4));
    assert_eq!(link(&admin, &page, "next").unwrap(), format!("{ROWS}?limit=4&ordering=-id&offset=6"));
    assert_eq!(link(&admin, &page, "previous").unwrap(), format!("{ROWS}?limit=4&ordering=-id"));
    let far = admin.get(&format!("{ROWS}?limit=4&offset=99")).await.is(200);
    assert_eq!((ids(&far).len(), &far["next"], &far["count"]), (0, &Value::Null, &json!(10)));
    // Links say the limit that counts.
    for (asked, limit) in [
        ("limit=0", 20),
        ("limit=-1", 20),
        ("limit=x", 20),
        ("offset=0", 20),
        ("limit=3&limit=4", 4),
        ("limit=2000", 1000),
    ] {
        let page = admin.get(&format!("{ROWS}?{asked}&offset=9&n__gte=0")).await.is(200);
        let before = if limit > 9 { String::new() } else { format!("&offset={}", 9 - limit) };
        let previous = link(&admin, &page, "previous").unwrap();
        assert!(previous.contains(&format!("limit={limit}")) && previous.ends_with(&before), "{asked}: {previous}");
        assert_eq!(previous.matches("limit=").count(), 1, "{asked}: {previous}");
    }
    let only = admin.get(&format!("{ROWS}?offset=9")).await.is(200);
    assert_eq!(ids(&only).len(), 1);
    assert_eq!(ids(&admin.get(&format!("{ROWS}?limit=99999")).await.is(200)).len(), 10);
    for query in ["count=maybe", "count=7", "fields=id&fields=n"] {
        let place = query.split('=').next().unwrap();
        assert!(admin.get(&format!("{ROWS}?{query}")).await.refused(400).errors.0.contains_key(place), "{query}");
    }
    for list in ["/api/users/", "/api/sessions/", "/api/operations/"] {
        let page = admin.get(&format!("{list}?limit=1&offset=0")).await.is(200);
        assert!(page["results"].as_array().unwrap().len() <= 1, "{list}");
        admin.get(&format!("{list}?page=last")).await.is(200);
    }
    let uncounted = admin.get(&format!("{ROWS}?count=false&t=a")).await.is(200);
    assert!(uncounted.get("count").is_none(), "{uncounted}");
    admin.get(&format!("{ROWS}?count=false&t=a&page=7")).await.refused(404);
}

#[tokio::test]
async fn a_field_called_as_a_parameter_is_asked_for_by_exact() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([{"name": "count", "type": "integer"}, {"name": "limit", "type": "integer"}, {"name": "cursor", "type": "text"}]);
    admin.collection("odd", fields).await;
    admin
        .post(
            "/api/records/odd/",
            &json!([{"count": 1, "limit": 5, "cursor": "a"}, {"count": 2, "limit": 6, "cursor": "b"}]),
        )
        .await
        .is(201);
    for query in ["count__exact=2", "limit__exact=6", "cursor__exact=b", "count__gt=1"] {
        assert_eq!(admin.column(&format!("/api/records/odd/?{query}"), "count").await, [2], "{query}");
    }
}

/// Answers of more than 8 MiB are not held.
#[tokio::test]
async fn rows_that_do_not_fit_into_an_answer_come_in_smaller_parts() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin
        .collection(
            "large",
            json!([{"name": "n", "type": "integer"}, {"name": "t", "type": "json", "max_bytes": 300_000}]),
        )
        .await;
    let long = "x".repeat(200_000);
    for chunk in 0..2 {
        let rows: Vec<Value> = (0..40).map(|n| json!({"n": chunk * 40 + n, "t": long})).collect();
        admin.post("/api/records/large/", &rows.into()).await.is(201);
    }
    let list = "/api/records/large/";
    for query in ["", "&ordering=-n", "&n__gte=0"] {
        let refused = admin.get(&format!("{list}?page_size=75{query}")).await;
        let problem = refused.refused(400);
        let fitting: u64 =
            problem.detail.split("page_size=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        assert!((30..45).contains(&fitting), "{problem:?}");
        let page = admin.get(&format!("{list}?page_size={fitting}{query}")).await;
        assert!(page.body.len() <= 8 * 1024 * 1024 + 100_000);
        page.is(200);
        for way in ["limit=75", "cursor=&page_size=75"] {
            let mut next = Some(format!("{list}?{way}{query}"));
            let mut seen = Vec::new();
            while let Some(at) = next {
                let answer = admin.get(&at).await;
                assert!(answer.body.len() <= 8 * 1024 * 1024 + 100_000, "{}", answer.body.len());
                let page = answer.is(200);
                seen.extend(page["results"].as_array().unwrap().iter().map(|row| row["n"].as_i64().unwrap()));
                next = link(&admin, &page, "next");
            }
            let mut wanted: Vec<i64> = (0..80).collect();
            if query.contains("ordering") {
                wanted.reverse();
            }
            assert_eq!(seen, wanted, "{way}{query}");
        }
    }
}

#[tokio::test]
async fn a_list_that_did_not_change_is_304() {
    let (coffer, admin) = with_rows(5).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let list = format!("{ROWS}?ordering=-id&fields=id,n");
    let first = admin.get(&list).await;
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\"") && first.header("cache-control") == "private, no-cache", "{:?}", first.headers);
    let again = async |client: &Client, tag: &str| {
        crate::support::Answer::of(client.request(reqwest::Method::GET, &list).header("if-none-match", tag)).await
    };
    for tag in [etag.as_str(), etag.strip_prefix("W/").unwrap(), "*", &format!("\"x\", {etag}")] {
        let answer = again(&admin, tag).await;
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, etag.as_str()), "{tag}");
    }
    again(&admin, "\"x\"").await.is(200);
    again(&otto, &etag).await.is(304);
    let record = admin.record("rows", row(3)).await;
    let changed = again(&admin, &etag).await;
    changed.is(200);
    assert_ne!(changed.header("etag"), etag);
    admin.delete(&path("rows", &record)).await.is(204);
    again(&admin, &etag).await.is(304);
}

#[tokio::test]
async fn the_root_of_the_records_names_the_collections_that_the_caller_may_list() {
    let (coffer, admin) = with_rows(0).await;
    let rules = |list: &str| json!({"list": [list], "view": ["signed_in"]});
    admin
        .post(
            "/api/collections/",
            &json!({"name": "hidden", "fields": [{"name": "t", "type": "text"}], "access": rules("nobody")}),
        )
        .await
        .is(201);
    coffer.stranger().get("/api/records/").await.refused(401);
    admin
        .post(
            "/api/collections/",
            &json!({"name": "open", "fields": [{"name": "t", "type": "text"}], "access": rules("anyone")}),
        )
        .await
        .is(201);
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let link = |name: &str| json!(format!("{}/api/records/{name}/", coffer.base));
    assert_eq!(coffer.stranger().get("/api/records/").await.is(200), json!({"open": link("open")}));
    assert_eq!(otto.get("/api/records/").await.is(200), json!({"open": link("open"), "rows": link("rows")}));
    assert_eq!(
        admin.get("/api/records").await.is(200),
        json!({"hidden": link("hidden"), "open": link("open"), "rows": link("rows")})
    );
}
