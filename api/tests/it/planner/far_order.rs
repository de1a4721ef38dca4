//! Orders by what a reference leads to: read from the far end by an index there, row by row the same as sorted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Random, list, numbers, walked};
use crate::support::{Client, Coffer};

const ROWS: usize = 1500;

fn ids(made: &Value) -> Vec<Value> {
    made.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
}

/// Books by authors, and these with publishers; many have none, and many authors one name.
async fn books(admin: &Client, indexed: bool, access: &Value) {
    let fields = json!([{"name": "country", "type": "text", "nullable": true, "indexed": indexed}]);
    admin.post("/api/collections/", &json!({"name": "publishers", "fields": fields, "access": access})).await.is(201);
    let fields = json!([
        {"name": "name", "type": "text", "nullable": true, "indexed": indexed},
        {"name": "number", "type": "integer", "unique": indexed, "required": true},
        {"name": "publisher", "type": "reference", "collection": "publishers", "nullable": true},
    ]);
    admin.post("/api/collections/", &json!({"name": "authors", "fields": fields, "access": access})).await.is(201);
    let fields = json!([
        {"name": "number", "type": "integer"}, {"name": "kind", "type": "text", "indexed": indexed},
        {"name": "author", "type": "reference", "collection": "authors", "nullable": true},
        {"name": "title", "type": "text", "searchable": indexed},
    ]);
    let access = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"]});
    admin.post("/api/collections/", &json!({"name": "books", "fields": fields, "access": access})).await.is(201);
    let mut random = Random(77);
    let publishers: Vec<Value> = ["IS", "DE", "IS", "FR"]
        .iter()
        .map(|code| json!({"country": code}))
        .chain([json!({"country": null})])
        .collect();
    let publishers = ids(&admin.post("/api/records/publishers/", &json!(publishers)).await.is(201));
    let authors: Vec<Value> = (0..200)
        .map(|i| {
            let publisher = if i % 7 == 0 { Value::Null } else { random.pick(&publishers).clone() };
            let name = if i % 20 == 3 { Value::Null } else { json!(format!("a{}", i % 90)) };
            json!({"name": name, "number": (i * 37) % 200, "publisher": publisher})
        })
        .collect();
    let authors = ids(&admin.post("/api/records/authors/", &json!(authors)).await.is(201));
    let books: Vec<Value> = (0..ROWS)
        .map(|i| {
            let author = if random.chance(10) { Value::Null } else { random.pick(&authors[..170]).clone() };
            let (kind, title) = (["x", "y", "z"][i % 3], if i % 50 == 0 { "gold" } else { "stone" });
            json!({"number": i, "kind": kind, "author": author, "title": title})
        })
        .collect();
    for books in books.chunks(1000) {
        admin.post("/api/records/books/", &json!(books)).await.is(201);
    }
}

#[tokio::test]
async fn an_order_through_references_is_read_from_the_far_end_and_is_the_sorted_one() {
    let everyone = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"]});
    let ((_one, indexed), (_other, plain)) = (Coffer::with_admin().await, Coffer::with_admin().await);
    for (admin, is_indexed) in [(&indexed, true), (&plain, false)] {
        books(admin, is_indexed, &everyone).await;
    }
    for (query, is_read) in [
        ("ordering=author__name", true),
        ("ordering=-author__name", true),
        ("ordering=author__name,-id", true),
        ("ordering=-author__name,created_at", true),
        ("ordering=author__number", true),
        ("ordering=-author__number", true),
        ("ordering=author__publisher__country", true),
        ("ordering=-author__publisher__country", true),
        ("ordering=author__name,number", false),
        ("ordering=number,author__name", false),
        ("ordering=-author__name&kind=x", true),
        ("ordering=author__publisher__country&kind__in=x,y", true),
        ("ordering=author__name&kind=x&filter=number+%3E+100", false),
        ("ordering=author__name&title__icontains=gold", false),
        ("ordering=author__name&number__lt=0", false),
    ] {
        let pairs = common::query::decode(query);
        let whole = [("page_size", "1000"), ("explain", "true")];
        let wanted = walked(&plain, "books", &pairs, &whole, "next").await;
        let page = list(&indexed, "books", &pairs, &[("page_size", "10"), ("explain", "true")]).await;
        let explain = &page["explain"];
        assert_eq!(page["count"], wanted.len(), "{query}");
        assert_eq!(wanted.iter().collect::<BTreeSet<_>>().len(), wanted.len(), "{query}");
        let reads = explain["reads"].as_str().unwrap();
        assert_eq!(reads.starts_with("records in the order of author__"), is_read, "{query}: {explain}");
        if is_read {
            assert_eq!((&explain["indexes"], &explain["sorts"]), (&json!([["author"]]), &json!(false)), "{explain}");
            assert!(explain["together_with"][0][0].as_str().unwrap().starts_with("author__"), "{explain}");
            assert_eq!(explain["records_tested"], 0, "{query}: {explain}");
        }
        for (way, link) in [
            (vec![("page_size", "300")], "next"),
            (vec![("limit", "270"), ("count", "false")], "next"),
            (vec![("page_size", "120"), ("page", "last")], "previous"),
            (vec![("page_size", "210"), ("cursor", "")], "next"),
        ] {
            let mut found = walked(&indexed, "books", &pairs, &way, link).await;
            if link == "previous" {
                found.reverse();
            }
            assert_eq!(found, wanted, "{query} {way:?}");
        }
        // Back from the end by cursor, and in lines.
        let mut page = list(&indexed, "books", &pairs, &[("page_size", "170"), ("cursor", "")]).await;
        let mut last = numbers(&page);
        while let Some(next) = page["next"].as_str() {
            page = indexed.get(next.strip_prefix(&indexed.base).unwrap()).await.is(200);
            last = numbers(&page);
        }
        let mut back = last;
        while let Some(previous) = page["previous"].as_str() {
            page = indexed.get(previous.strip_prefix(&indexed.base).unwrap()).await.is(200);
            back = [numbers(&page), back].concat();
        }
        assert_eq!(back, wanted, "{query} back");
        let lines = indexed.plain(http::Method::GET, &format!("/api/records/books/?{query}"));
        let lines = lines.header("accept", "application/x-ndjson").send().await.unwrap().text().await.unwrap();
        let lines: Vec<i64> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["number"].as_i64().unwrap())
            .collect();
        assert_eq!(lines, wanted, "{query} in lines");
    }
    // A page reads about as many keys as it has rows; what would help is told where nothing does.
    let page = list(&indexed, "books", &common::query::decode("ordering=-author__number&explain=true"), &[]).await;
    assert!(page["explain"]["keys_read"].as_u64().unwrap() < 500, "{page}");
    let page = list(&plain, "books", &common::query::decode("ordering=-author__name&explain=true"), &[]).await;
    assert_eq!(page["explain"]["would_help"], json!(["author__name"]), "{page}");
    // By cursor nothing is counted, so that what no index knows is tested along the way.
    let pairs = common::query::decode("ordering=-author__name&filter=number+%3E+100&cursor=&explain=true");
    let page = list(&indexed, "books", &pairs, &[]).await;
    assert!(page["explain"]["records_tested"].as_u64().unwrap() < 200, "{page}");
    // The best fits are looked up along the order too.
    let pairs = common::query::decode("ordering=author__name&search=stone&explain=true");
    let found = list(&indexed, "books", &pairs, &[]).await;
    let wanted = list(&plain, "books", &pairs, &[]).await;
    assert_eq!(numbers(&found), numbers(&wanted));
    assert!(found["explain"]["reads"].as_str().unwrap().starts_with("records in the order of"), "{found}");
}

#[tokio::test]
async fn d1_an_order_through_records_that_are_not_the_callers_is_not_read_from_there() {
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"]});
    let (coffer, admin) = Coffer::with_admin().await;
    books(&admin, true, &own).await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let pairs = common::query::decode("ordering=-author__name&explain=true&page_size=1000");
    let page = list(&bob, "books", &pairs, &[]).await;
    // All authors are hidden from him, and so all books are equal.
    let mut numbers = numbers(&page);
    assert!(numbers.is_sorted_by(|a, b| a > b), "{:?}", &numbers[..20]);
    numbers.truncate(1);
    assert_eq!((numbers, &page["explain"]["sorts"]), (vec![i64::try_from(ROWS).unwrap() - 1], &json!(true)));
    assert_eq!(page["explain"]["would_help"], Value::Null, "{}", page["explain"]);
}
