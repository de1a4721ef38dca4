//! The planner against a list without indexes: random definitions, records and queries; rows, order, count and every way through the pages
//! are the same. A seed is printed where they are not; `PLANNER_SEED` and `PLANNER_QUERIES` try others.

use std::{collections::BTreeSet, env};

use serde_json::{Value, json};

use crate::support::{Client, Coffer};

mod far_order;
mod model;
mod naive;

/// Queries of one round.
const QUERIES: usize = 60;
/// Records: more than a bucket of the store's counts, so that counts tell ranges apart.
const RECORDS: usize = 700;

/// Numbers that look random and come again with the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Records that others refer to.
const MAKERS: usize = 12;

/// A field's name, type and lookups.
const FIELDS: [(&str, &str); 7] = [
    ("n", "integer"),
    ("d", "decimal"),
    ("t", "text"),
    ("b", "boolean"),
    ("day", "date"),
    ("at", "datetime"),
    ("k", "choice"),
];

fn value(random: &mut Random, kind: &str) -> String {
    match kind {
        "integer" => (i64::try_from(random.below(40)).unwrap() - 5).to_string(),
        "decimal" => format!("{}.{}", random.below(12), random.pick(&["0", "5", "50", "25"])),
        "text" => {
            let long = "ä".repeat(120);
            let texts = ["", "a", "ab", "abc", "b", "B", "ä", "a\u{308}", "zz top", &long];
            let text = (*random.pick(&texts)).to_owned();
            if random.chance(20) { format!("{text}{}", random.pick(&["a", "b", "ä"])) } else { text }
        }
        "boolean" => random.pick(&["true", "false"]).to_string(),
        "date" => format!("{}-{:02}-{:02}", 2020 + random.below(5), 1 + random.below(12), 1 + random.below(28)),
        "datetime" => format!("{}T{:02}:00:00Z", value(random, "date"), random.below(24)),
        _ => random.pick(&["sweet", "salty", "sour"]).to_string(),
    }
}

fn record(random: &mut Random, number: usize, makers: &[Value]) -> Value {
    let mut record = json!({"number": number, "u": null, "m": null});
    if !random.chance(12) {
        record["u"] = json!(format!("{}{number}", random.pick(&["ab", "AB"])));
        record["m"] = random.pick(makers).clone();
    }
    for (name, kind) in FIELDS {
        let text = value(random, kind);
        let is_null = random.chance(12);
        record[name] = match kind {
            _ if is_null => Value::Null,
            "integer" => json!(text.parse::<i64>().unwrap()),
            "boolean" => json!(text == "true"),
            _ => json!(text),
        };
    }
    record
}

/// One condition on a unique text, or on what a record refers to.
fn special(random: &mut Random) -> (String, String) {
    let unique = |random: &mut Random| format!("{}{}", random.pick(&["ab", "AB", "Ab"]), random.below(RECORDS));
    let maker = |random: &mut Random| format!("m{}", random.below(MAKERS + 1));
    let (name, written) = match random.below(8) {
        0 => ("u", unique(random)),
        1 => ("u__iexact", unique(random)),
        2 => ("u__in", (0..4).map(|_| unique(random)).collect::<Vec<_>>().join(",")),
        3 => ("u__isnull", random.pick(&["true", "false"]).to_string()),
        4 => ("m__name", maker(random)),
        5 => ("m__name__in", (0..3).map(|_| maker(random)).collect::<Vec<_>>().join(",")),
        6 => ("m__rank__gt", random.below(5).to_string()),
        _ => ("m__isnull", random.pick(&["true", "false"]).to_string()),
    };
    (name.to_owned(), written)
}

/// One condition as a parameter.
fn parameter(random: &mut Random) -> (String, String) {
    if random.chance(20) {
        return special(random);
    }
    let (name, kind) = *random.pick(&FIELDS);
    let dates = ["year", "month", "day", "date"];
    let lookups: &[&str] = match kind {
        "text" => {
            &["", "ne", "gt", "gte", "lt", "lte", "in", "range", "isnull", "startswith", "contains", "istartswith"]
        }
        "date" | "datetime" => &["", "ne", "gt", "gte", "lt", "lte", "in", "range", "isnull", "part", "part"],
        "boolean" => &["", "ne", "in", "isnull"],
        "choice" => &["", "ne", "in", "isnull", "startswith"],
        _ => &["", "ne", "gt", "gte", "lt", "lte", "in", "range", "isnull"],
    };
    let lookup = *random.pick(lookups);
    let written = match lookup {
        "isnull" => random.pick(&["true", "false"]).to_string(),
        "in" => (0..=random.below(4)).map(|_| value(random, kind)).collect::<Vec<_>>().join(","),
        "range" => format!("{},{}", value(random, kind), value(random, kind)),
        "startswith" | "contains" | "istartswith" => random.pick(&["a", "ab", "s", "ä", "zz"]).to_string(),
        "part" => {
            let part = *random.pick(&dates[..if kind == "date" { 3 } else { 4 }]);
            let (value, suffix) = match part {
                "year" => ((2019 + random.below(7)).to_string(), *random.pick(&["", "__gt", "__lte", "__ne"])),
                "date" => (value(random, "date"), *random.pick(&["", "__gte", "__lt"])),
                _ => ((1 + random.below(12)).to_string(), ""),
            };
            return (format!("{name}__{part}{suffix}"), value);
        }
        _ => value(random, kind),
    };
    let suffix = if lookup.is_empty() { "exact" } else { lookup };
    (format!("{name}__{suffix}"), written)
}

/// A condition in the language of `filter=`.
fn condition(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 1 } else { 4 }) {
        1 => format!("({} and {})", condition(random, depth - 1), condition(random, depth - 1)),
        2 => format!("({} or {})", condition(random, depth - 1), condition(random, depth - 1)),
        3 => format!("not {}", condition(random, depth - 1)),
        _ => {
            let (name, kind) = *random.pick(&FIELDS);
            let quoted = |text: String| format!("\"{text}\"");
            let sign = match kind {
                "boolean" | "choice" => *random.pick(&["=", "!=", "in", "null"]),
                "text" => *random.pick(&["=", "!=", "<", ">=", "in", "null", "empty", "~", "startswith"]),
                _ => *random.pick(&["=", "!=", "<", "<=", ">", ">=", "in", "null"]),
            };
            match sign {
                "null" | "empty" => format!("{name} is {}{sign}", random.pick(&["", "not "])),
                "in" => {
                    let values: Vec<String> = (0..=random.below(3)).map(|_| quoted(value(random, kind))).collect();
                    format!("{name} in ({})", values.join(", "))
                }
                sign => format!("{name} {sign} {}", quoted(value(random, kind))),
            }
        }
    }
}

fn query(random: &mut Random) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for _ in 0..random.below(4) {
        let pair = parameter(random);
        if pairs.iter().all(|(name, _)| *name != pair.0) {
            pairs.push(pair);
        }
    }
    if random.chance(50) {
        pairs.truncate(random.below(2));
        pairs.push(("filter".to_owned(), condition(random, 3)));
    }
    let mut ordering = Vec::new();
    for _ in 0..random.below(3) {
        let names = ["n", "d", "t", "b", "day", "at", "k", "id", "created_at", "u", "m__name", "n", "day"];
        let sign = if random.chance(50) { "-" } else { "" };
        ordering.push(format!("{sign}{}", random.pick(&names)));
    }
    if !ordering.is_empty() {
        pairs.push(("ordering".to_owned(), ordering.join(",")));
    }
    pairs
}

/// The numbers of the rows of a page.
fn numbers(page: &Value) -> Vec<i64> {
    page["results"].as_array().unwrap().iter().map(|row| row["number"].as_i64().unwrap()).collect()
}

async fn list(client: &Client, collection: &str, pairs: &[(String, String)], more: &[(&str, &str)]) -> Value {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let pairs: Vec<_> = pairs.iter().cloned().chain(more).collect();
    client.get(&format!("/api/records/{collection}/?{}", common::query::encode(&pairs))).await.is(200)
}

/// All rows by one way of paging.
async fn walked(
    client: &Client,
    collection: &str,
    pairs: &[(String, String)],
    way: &[(&str, &str)],
    link: &str,
) -> Vec<i64> {
    let (mut page, mut all) = (list(client, collection, pairs, way).await, Vec::new());
    loop {
        let mut rows = numbers(&page);
        if link == "previous" {
            rows.reverse();
        }
        all.extend(rows);
        let Some(next) = page[link].as_str() else { return all };
        page = client.get(next.strip_prefix(&client.base).unwrap()).await.is(200);
    }
}

#[tokio::test]
async fn the_rows_are_those_of_a_list_without_indexes_in_its_order_and_page_by_page() {
    let number =
        |name: &str, otherwise: usize| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let seed = number("PLANNER_SEED", 0x9E37_79B9);
    println!("PLANNER_SEED={seed}");
    let mut random = Random(u64::try_from(seed).unwrap());
    for ids in ["uuid", "integer"] {
        compare(&mut random, ids, number("PLANNER_QUERIES", QUERIES) / 2).await;
    }
}

async fn compare(random: &mut Random, ids: &str, queries: usize) {
    let (_coffer, admin) = Coffer::with_admin().await;
    let mut fields = |indexes: bool| {
        let mut fields = vec![json!({"name": "number", "type": "integer"})];
        for (name, kind) in FIELDS {
            let mut field =
                json!({"name": name, "type": kind, "nullable": true, "indexed": indexes && random.chance(70)});
            if kind == "choice" {
                field["choices"] = json!(["sweet", "salty", "sour"]);
            }
            if kind == "text" {
                field["max_length"] = json!(255);
            }
            fields.push(field);
        }
        let unique = if indexes { json!("ignore_case") } else { json!(false) };
        fields.push(json!({"name": "u", "type": "text", "max_length": 50, "nullable": true, "unique": unique}));
        fields.push(json!({"name": "m", "type": "reference", "collection": "makers", "nullable": true}));
        Value::Array(fields)
    };
    let (indexed, plain) = (fields(true), fields(false));
    let mut compounds = Vec::new();
    for _ in 0..random.below(5) {
        let more = ["owner", "created_at", "m", "u"];
        let mut names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).chain(more).collect();
        let mut parts = Vec::new();
        for _ in 0..2 + random.below(3) {
            let name = names.remove(random.below(names.len()));
            parts.push(format!("{}{name}", if random.chance(50) { "-" } else { "" }));
        }
        compounds.push(json!({"fields": parts}));
    }
    let index = random.chance(60);
    let name = json!({"name": "name", "type": "text", "indexed": index});
    admin.collection("makers", json!([name, {"name": "rank", "type": "integer", "indexed": index}])).await;
    let makers: Vec<Value> = (0..MAKERS).map(|i| json!({"name": format!("m{i}"), "rank": i % 6})).collect();
    let makers = admin.post("/api/records/makers/", &json!(makers)).await.is(201);
    let makers: Vec<Value> = makers.as_array().unwrap().iter().map(|maker| maker["id"].clone()).collect();
    let definition = json!({"name": "indexed", "ids": ids, "fields": indexed, "indexes": compounds});
    println!("{definition}");
    admin.post("/api/collections/", &definition).await.is(201);
    let definition = json!({"name": "plain", "ids": ids, "fields": plain});
    admin.post("/api/collections/", &definition).await.is(201);
    let records: Vec<Value> = (0..RECORDS).map(|i| record(random, i, &makers)).collect();
    for collection in ["indexed", "plain"] {
        admin.post(&format!("/api/records/{collection}/"), &json!(records)).await.is(201);
    }
    for _ in 0..queries {
        let query = query(random);
        let whole = [("page_size", "1000")];
        let (plain, indexed) =
            (list(&admin, "plain", &query, &whole).await, list(&admin, "indexed", &query, &whole).await);
        let wanted = numbers(&plain);
        assert_eq!(numbers(&indexed), wanted, "{query:?}");
        assert_eq!(
            (&indexed["count"], wanted.iter().collect::<BTreeSet<_>>().len()),
            (&plain["count"], wanted.len()),
            "{query:?}"
        );
        let size = (wanted.len() / 3).max(7).to_string();
        let mut reversed = wanted.clone();
        reversed.reverse();
        for (way, link) in [
            (vec![("page_size", size.as_str())], "next"),
            (vec![("page_size", size.as_str()), ("count", "false")], "next"),
            (vec![("limit", size.as_str())], "next"),
            (vec![("page_size", size.as_str()), ("page", "last")], "previous"),
            (vec![("page_size", size.as_str()), ("cursor", "")], "next"),
        ] {
            let found = walked(&admin, "indexed", &query, &way, link).await;
            assert_eq!(&found, if link == "next" { &wanted } else { &reversed }, "{query:?} {way:?}");
        }
        if random.chance(25) && wanted.len() > 14 {
            // To the end by cursor, and back from there.
            let mut page = list(&admin, "indexed", &query, &[("page_size", &size), ("cursor", "")]).await;
            let mut last = numbers(&page);
            while let Some(next) = page["next"].as_str() {
                page = admin.get(next.strip_prefix(&admin.base).unwrap()).await.is(200);
                last = numbers(&page);
            }
            let mut back = Vec::new();
            while let Some(previous) = page["previous"].as_str() {
                page = admin.get(previous.strip_prefix(&admin.base).unwrap()).await.is(200);
                back = [numbers(&page), back].concat();
            }
            assert_eq!([back, last].concat(), wanted, "{query:?} back by cursor");
        }
    }
}

#[tokio::test]
async fn conditions_in_words_ask_for_what_lookups_ask_for() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let fields = json!([
        {"name": "number", "type": "integer"}, {"name": "kind", "type": "text", "indexed": true}, {"name": "price", "type": "decimal", "indexed": true, "nullable": true},
        {"name": "vegan", "type": "boolean"}, {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
        {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true}, {"name": "filter", "type": "text"},
    ]);
    admin.collection("snacks", fields).await;
    let maker = admin.post("/api/records/makers/", &json!({"name": "Golden"})).await.is(201)["id"].clone();
    let records = json!([
        {"number": 0, "kind": "sweet", "price": "5", "vegan": false, "maker": maker, "tags": ["a"], "filter": "x"},
        {"number": 1, "kind": "salty", "price": "2.5", "vegan": false, "maker": maker, "tags": []},
        {"number": 2, "kind": "sweet", "price": null, "vegan": true, "maker": null, "tags": ["b"]},
        {"number": 3, "kind": "", "price": "9", "vegan": true, "maker": maker, "tags": ["a", "b"]},
    ]);
    admin.post("/api/records/snacks/", &records).await.is(201);
    let found = async |query: &str| {
        let pair = query.split_once('=').unwrap();
        numbers(&list(&admin, "snacks", &[(pair.0.to_owned(), pair.1.to_owned())], &[]).await)
    };
    for (query, wanted) in [
        ("filter=(kind = \"sweet\" or price < 3) and not vegan and maker.name ~ \"gold\"", vec![0, 1]),
        ("filter=price != 5", vec![1, 3]),
        ("filter=not price = 5", vec![1, 2, 3]),
        ("price__ne=5", vec![1, 2, 3]),
        ("filter=not price < 5", vec![0, 2, 3]),
        ("filter=price is null or kind is empty", vec![2, 3]),
        ("kind__isempty=true", vec![3]),
        ("tags__isempty=true", vec![1]),
        ("filter=owner = me", vec![0, 1, 2, 3]),
        ("filter=owner != me", vec![]),
        ("filter=created_at < now() and created_at.year >= 2020", vec![0, 1, 2, 3]),
        ("filter=kind in (sweet, \"salty\") and price = 2.50", vec![1]),
        ("filter=kind = me", vec![]),
        ("filter__exact=x", vec![0]),
        ("filter=", vec![0, 1, 2, 3]),
    ] {
        assert_eq!(found(query).await, wanted, "{query}");
    }
    for (query, told) in [
        ("price <", "At character 8: Here a value is missing."),
        ("price = x", "At character 1: price: A valid number is required."),
        ("vegan and maker.zzz = 3", "At character 11: maker.zzz: There is no field of this name."),
        ("kind = a or zzz = 3", "At character 13: zzz: There is no field of this name."),
    ] {
        let query = common::query::encode(&[("filter".to_owned(), query.to_owned())]);
        let refused = admin.get(&format!("/api/records/snacks/?{query}")).await.refused(400);
        assert_eq!(refused.errors.0["filter"][0].message, told);
    }
}

#[tokio::test]
async fn references_are_read_from_their_far_end_where_that_is_narrower() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("publishers", json!([{"name": "country", "type": "text", "indexed": true}])).await;
    admin.collection("authors", json!([{"name": "name", "type": "text"}, {"name": "publisher", "type": "reference", "collection": "publishers", "nullable": true}])).await;
    admin.collection("books", json!([{"name": "number", "type": "integer"}, {"name": "author", "type": "reference", "collection": "authors", "nullable": true}])).await;
    let ids = |made: &Value| made.as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let publishers: Vec<Value> = (0..40).map(|i| json!({"country": if i == 7 { "IS" } else { "DE" }})).collect();
    let publishers = ids(&admin.post("/api/records/publishers/", &json!(publishers)).await.is(201));
    let authors: Vec<Value> = (0..100).map(|i| json!({"name": format!("a{i}"), "publisher": if i % 5 == 0 { &Value::Null } else { &publishers[i % 40] }})).collect();
    let authors = ids(&admin.post("/api/records/authors/", &json!(authors)).await.is(201));
    let books: Vec<Value> = (0..900)
        .map(|i| json!({"number": i, "author": if i % 9 == 0 { &Value::Null } else { &authors[i % 100] }}))
        .collect();
    admin.post("/api/records/books/", &json!(books)).await.is(201);
    // Every 40th author from the seventh on is with the one in Iceland, less every fifth, who is with nobody.
    let wanted: Vec<i64> = (0..900).filter(|i| i % 9 != 0 && (i % 100) % 40 == 7 && (i % 100) % 5 != 0).collect();
    for (query, tested) in [
        ("author__publisher__country=IS", 0),
        ("filter=author.publisher.country%3DIS", 0),
        ("filter=author.publisher.country%3DIS+and+number>%3D0", wanted.len()),
    ] {
        let page = admin.get(&format!("/api/records/books/?page_size=1000&explain=true&{query}")).await.is(200);
        assert_eq!((numbers(&page), &page["count"]), (wanted.clone(), &json!(wanted.len())), "{query}");
        assert_eq!(page["explain"]["records_tested"], tested, "{}", page["explain"]);
        assert!(page["explain"]["keys_read"].as_u64().unwrap() < 200, "{}", page["explain"]);
    }
    let list = async |query: &str| {
        admin.get(&format!("/api/records/books/?page_size=1000&explain=true&{query}")).await.is(200)
    };
    let others = list("author__publisher__country__ne=IS").await;
    assert_eq!(others["count"], 900 - wanted.len());
    for query in ["author__publisher__country=XX", "author__name=a7&author__publisher__country=DE"] {
        let none = list(query).await;
        assert_eq!((numbers(&none), &none["count"]), (Vec::new(), &json!(0)), "{query}");
    }
    // In another order, page by page; and by one hop, where the far end has no index and where it is the id.
    let mut largest = wanted.clone();
    largest.reverse();
    let pairs = [("author__publisher__country", "IS"), ("ordering", "-number")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    for way in [&[("page_size", "4")][..], &[("page_size", "4"), ("cursor", "")], &[("limit", "4"), ("count", "false")]]
    {
        assert_eq!(walked(&admin, "books", &pairs, way, "next").await, largest, "{way:?}");
    }
    let by_name = list("author__name=a7").await;
    let by_id = list(&format!("author__id={}", authors[7].as_str().unwrap())).await;
    let of_seven: Vec<i64> = (0..900).filter(|i| i % 9 != 0 && i % 100 == 7).collect();
    assert_eq!((numbers(&by_name), numbers(&by_id)), (of_seven.clone(), of_seven));
}
