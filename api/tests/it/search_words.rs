//! Searches by the index of words: what has all words, in many scripts, the best fits first; kept with every change, made in the background.

mod highlights;
mod packed;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, Coffer, path};

const WORDS: [&str; 16] = [
    "gold",
    "golden",
    "silver",
    "stone",
    "river",
    "rivers",
    "mountain",
    "moon",
    "moonlight",
    "sun",
    "sea",
    "seal",
    "tree",
    "trees",
    "wolf",
    "wolves",
];

/// A text of some words, as the number says.
fn words_of(n: usize) -> Vec<&'static str> {
    (0..3 + n % 5).map(|i| WORDS[(n * 7 + i * i * 3 + n / 16) % WORDS.len()]).collect()
}

async fn posts(admin: &Client, searchable: bool, count: usize) {
    let fields = json!([
        {"name": "number", "type": "integer"}, {"name": "title", "type": "text", "searchable": searchable}, {"name": "note", "type": "text"},
        {"name": "kind", "type": "text", "indexed": true},
    ]);
    let access = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"]});
    admin.post("/api/collections/", &json!({"name": "posts", "fields": fields, "access": access})).await.is(201);
    let kinds = ["a", "b"];
    let record =
        |n: usize| json!({"number": n, "title": words_of(n).join(", "), "note": "hidden", "kind": kinds[n % 2]});
    let records: Vec<Value> = (0..count).map(record).collect();
    for chunk in records.chunks(1000) {
        admin.post("/api/records/posts/", &json!(chunk)).await.is(201);
    }
}

async fn list(client: &Client, query: &str) -> Value {
    client.get(&format!("/api/records/posts/?page_size=1000&explain=true&{query}")).await.is(200)
}

fn numbers(page: &Value) -> Vec<usize> {
    let numbers = page["results"].as_array().unwrap().iter().map(|row| row["number"].as_u64().unwrap());
    numbers.map(|number| usize::try_from(number).unwrap()).collect()
}

#[tokio::test]
async fn a_search_finds_what_has_words_that_begin_so_by_their_index() {
    let (coffer, admin) = Coffer::with_admin().await;
    posts(&admin, true, 800).await;
    for (search, more) in [
        ("gold", ""),
        ("golden river", ""),
        ("moon", "&kind=a"),
        ("moonlight wolves tree", ""),
        ("SEA", "&filter=number+%3E+100+and+number+%3C+500"),
        ("st ri", "&number__lt=300"),
        ("nothing", ""),
        ("moon nothing", ""),
        ("hidden", ""),
    ] {
        let wanted: BTreeSet<usize> = (0..800)
            .filter(|n| {
                let has = |word: &str| words_of(*n).iter().any(|known| known.starts_with(&word.to_lowercase()));
                let more = match more {
                    "&kind=a" => n % 2 == 0,
                    "&number__lt=300" => *n < 300,
                    "" => true,
                    _ => *n > 100 && *n < 500,
                };
                more && search.split(' ').all(has)
            })
            .collect();
        let query = format!("search={}{more}", search.replace(' ', "+"));
        let page = list(&admin, &query).await;
        let found = numbers(&page);
        assert_eq!(
            (found.iter().copied().collect::<BTreeSet<_>>(), &page["count"]),
            (wanted.clone(), &json!(found.len())),
            "{query}"
        );
        if more.is_empty() {
            assert_eq!(
                (&page["explain"]["indexes"], &page["explain"]["tests_each_record_for"]),
                (&json!([["title"]]), &json!([])),
                "{query}: {}",
                page["explain"]
            );
            assert_eq!(page["explain"]["records_tested"], 0, "{query}: {}", page["explain"]);
        }
        // In the order of an index, which goes on from the words.
        let by_kind = numbers(&list(&admin, &format!("{query}&ordering=kind,number")).await);
        let by_index = numbers(&list(&admin, &format!("{query}&ordering=kind&fields=number")).await);
        assert_eq!(by_index.iter().collect::<BTreeSet<_>>(), by_kind.iter().collect(), "{query}");
        assert!(by_index.is_sorted_by_key(|n| n % 2), "{query}");
        // In an order of one's own, by cursor, in lines and counted.
        let ordered = numbers(&list(&admin, &format!("{query}&ordering=-number")).await);
        assert!(ordered.is_sorted_by(|a, b| a > b) && ordered.len() == wanted.len(), "{query}");
        let mut by_cursor = Vec::new();
        let mut next = Some(format!("/api/records/posts/?cursor=&page_size=7&{query}"));
        while let Some(address) = next {
            let page = admin.get(address.strip_prefix(&admin.base).unwrap_or(&address)).await.is(200);
            by_cursor.extend(numbers(&page));
            next = page["next"].as_str().map(str::to_owned);
        }
        assert_eq!(by_cursor, wanted.iter().copied().collect::<Vec<_>>(), "{query}");
        let counted = admin.get(&format!("/api/records/posts/aggregate/?{query}")).await.is(200);
        assert_eq!(counted["results"][0]["count"], wanted.len(), "{query}");
        // Page by page the ranking is one.
        let mut paged = Vec::new();
        for number in 1..=found.len().div_ceil(50).max(1) {
            paged.extend(numbers(
                &admin.get(&format!("/api/records/posts/?page_size=50&page={number}&{query}")).await.is(200),
            ));
        }
        assert_eq!(paged, found, "{query}");
    }
    // Somebody who lists their own finds theirs alone.
    let bob = coffer.user(&admin, "bob", json!({})).await;
    bob.record("posts", json!({"number": 9000, "title": "Golden moon"})).await;
    assert_eq!(numbers(&list(&bob, "search=gold").await), [9000]);
}

#[tokio::test]
async fn the_best_fit_comes_first_in_every_script_and_changes_are_seen_at_once() {
    let (_coffer, admin) = Coffer::with_admin().await;
    posts(&admin, true, 0).await;
    let mut made = Vec::new();
    for (number, title) in [
        (1, "A golden ring in a long text about other things, of which there are many"),
        (2, "Gold, gold and gold"),
        (3, "The goldsmith"),
        (4, "Die Straße nach Łódź"),
        (5, "東京都の地図"),
        (6, "ПРИВЕТ мир"),
        (7, "cafe\u{301} au lait"),
    ] {
        made.push(admin.record("posts", json!({"number": number, "title": title})).await);
    }
    let found = async |search: &str| {
        let query = common::query::encode(&[("search".to_owned(), search.to_owned())]);
        numbers(&list(&admin, &query).await)
    };
    assert_eq!(found("gold").await[0], 2, "most often, and as a whole word");
    assert_eq!(found("gold").await.len(), 3);
    for (search, wanted) in [
        ("STRASSE", vec![4]),
        ("łódź", vec![4]),
        ("京都", vec![5]),
        ("都", vec![5]),
        ("東京都", vec![5]),
        ("京地", vec![]),
        ("привет", vec![6]),
        ("CAFÉ", vec![7]),
        ("cafe", vec![]),
        ("\"lait\"", vec![7]),
        ("ait", vec![]),
    ] {
        assert_eq!(found(search).await, wanted, "{search}");
    }
    admin.patch(&path("posts", &made[1]), &json!({"title": "Silver"})).await.is(200);
    admin.delete(&path("posts", &made[2])).await.is(204);
    assert_eq!((found("gold").await, found("silver").await), (vec![1], vec![2]));
    let refused =
        admin.post("/api/collections/x/fields/", &json!({"name": "n", "type": "integer", "searchable": true})).await;
    assert!([400, 404].contains(&refused.status));
    let refused = admin
        .post("/api/collections/posts/fields/", &json!({"name": "n", "type": "integer", "searchable": true}))
        .await;
    assert_eq!(refused.faults(), ["searchable: Only texts are searched by words."]);
}

#[tokio::test]
async fn an_index_of_words_is_made_over_records_that_are_there_and_dropped_again() {
    let (_coffer, admin) = Coffer::with_admin().await;
    posts(&admin, false, 1500).await;
    // Until then parts of words are looked for, in all texts.
    assert_eq!(list(&admin, "search=hidden").await["count"], 1500);
    admin.patch("/api/collections/posts/fields/title/", &json!({"searchable": true})).await.is(200);
    let page = list(&admin, "search=moonlight+wolf").await;
    assert_eq!(
        (&page["explain"]["indexes"], list(&admin, "search=hidden").await["count"].clone()),
        (&json!([["title"]]), json!(0))
    );
    let wanted = (0..1500).filter(|n| words_of(*n).contains(&"moonlight") && words_of(*n).contains(&"wolf")).count();
    assert_eq!(page["count"], wanted);
    // Under another name it stays what it is.
    admin.patch("/api/collections/posts/fields/title/", &json!({"name": "heading"})).await.is(200);
    let renamed = list(&admin, "search=moonlight+wolf").await;
    assert_eq!((&renamed["count"], &renamed["explain"]["indexes"]), (&json!(wanted), &json!([["heading"]])));
    admin.patch("/api/collections/posts/fields/heading/", &json!({"searchable": false})).await.is(200);
    assert_eq!(list(&admin, "search=hidden").await["count"], 1500);
}
