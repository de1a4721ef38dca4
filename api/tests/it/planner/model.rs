//! The planner against [`naive`](super::naive): random definitions (indexes over one field and several, unique ones, words, references to one and
//! to several), random records and queries in both syntaxes; rows, order, count, pages in every way, facets and aggregates are the same, with all
//! indexes and without each of them. `MODEL_SEED` and `MODEL_QUERIES` try others.

use std::{collections::BTreeMap, env};

use serde_json::{Value, json};

use super::{
    Random, list,
    naive::{self, Condition, World},
    numbers, walked,
};
use crate::support::{Client, Coffer};

const ROWS: usize = 500;
const QUERIES: usize = 40;

/// What is asked.
struct Question {
    condition: Option<Condition>,
    search: String,
    ordering: Vec<(&'static str, bool)>,
    pairs: Vec<(String, String)>,
}

fn question(random: &mut Random, world: &World) -> Question {
    let mut all: Vec<Condition> = Vec::new();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for _ in 0..random.below(4) {
        let one = naive::one(random, world);
        if let Some(pair) = one.parameter().filter(|pair| pairs.iter().all(|(name, _)| *name != pair.0)) {
            pairs.push(pair);
            all.push(one);
        }
    }
    if random.chance(50) {
        let tree = naive::condition(random, world, 3);
        pairs.push(("filter".to_owned(), tree.written()));
        all.push(tree);
    }
    if all.len() > 2 && random.chance(70) {
        pairs.truncate(1);
        all.truncate(1);
    }
    let mut search = String::new();
    if random.chance(30) {
        let sought = ["gold", "riv", "sea moon", "ST", "Über", "moonlight gold", "är", "xyz", "gold sea st"];
        (*random.pick(&sought)).clone_into(&mut search);
        pairs.push(("search".to_owned(), search.clone()));
    }
    let names = ["n", "d", "t", "b", "day", "k", "id", "u", "m.name", "m.c.code", "m.rank", "created_at", "m.c.size"];
    let mut ordering: Vec<(&'static str, bool)> = Vec::new();
    for _ in 0..random.below(3) {
        let name = *random.pick(&names);
        if ordering.iter().all(|(known, _)| *known != name) {
            ordering.push((name, random.chance(50)));
        }
    }
    if !ordering.is_empty() {
        let signed =
            |(name, falls): &(&str, bool)| format!("{}{}", if *falls { "-" } else { "" }, name.replace('.', "__"));
        pairs.push(("ordering".to_owned(), ordering.iter().map(signed).collect::<Vec<_>>().join(",")));
    }
    Question { condition: (!all.is_empty()).then_some(Condition::All(all)), search, ordering, pairs }
}

/// Asks in every way, and compares.
async fn ask(random: &mut Random, client: &Client, world: &World, question: &Question) {
    let Question { condition, search, ordering, pairs } = question;
    let mut rows = world.matching(condition.as_ref(), search);
    world.sort(&mut rows, ordering);
    let mut wanted: Vec<i64> = rows.iter().map(|row| row["number"].as_i64().unwrap()).collect();
    let whole = list(client, "rows", pairs, &[("page_size", "1000"), ("facets", "k,m"), ("explain", "true")]).await;
    let what = format!("{pairs:?} {}", whole["explain"]);
    assert_eq!(whole["count"], wanted.len(), "{what}");
    // The best fits come first, and only pages keep that.
    let is_ranked = !search.is_empty() && ordering.is_empty();
    let by_creation = wanted.clone();
    if is_ranked {
        let mut found = numbers(&whole);
        wanted.clone_from(&found);
        found.sort_unstable();
        let mut sorted = by_creation.clone();
        sorted.sort_unstable();
        assert_eq!(found, sorted, "{what}");
    } else {
        assert_eq!(numbers(&whole), wanted, "{what}");
    }
    let size = (wanted.len() / 3).max(7).to_string();
    let reversed = |rows: &[i64]| rows.iter().rev().copied().collect::<Vec<_>>();
    for (way, link, wanted) in [
        (vec![("page_size", size.as_str())], "next", wanted.clone()),
        (vec![("page_size", size.as_str()), ("count", "false")], "next", wanted.clone()),
        (vec![("limit", size.as_str())], "next", wanted.clone()),
        (vec![("page_size", size.as_str()), ("page", "last")], "previous", reversed(&wanted)),
        (vec![("page_size", size.as_str()), ("cursor", "")], "next", by_creation.clone()),
    ] {
        assert_eq!(walked(client, "rows", pairs, &way, link).await, wanted, "{what} {way:?}");
    }
    // To the end by cursor, and back from there.
    let mut page = list(client, "rows", pairs, &[("page_size", &size), ("cursor", "")]).await;
    let mut last = numbers(&page);
    while let Some(next) = page["next"].as_str() {
        page = client.get(next.strip_prefix(&client.base).unwrap()).await.is(200);
        last = numbers(&page);
    }
    let mut back = Vec::new();
    while let Some(previous) = page["previous"].as_str() {
        page = client.get(previous.strip_prefix(&client.base).unwrap()).await.is(200);
        back = [numbers(&page), back].concat();
    }
    assert_eq!([back, last].concat(), by_creation, "{what} back by cursor");
    facets(&rows, &whole["facets"], &what);
    aggregates(random, client, world, &rows, pairs, &what).await;
}

fn counted<'a>(rows: impl Iterator<Item = &'a Value>, name: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row[name].to_string()).or_default() += 1;
    }
    counts
}

fn facets(rows: &[&Value], facets: &Value, what: &str) {
    for name in ["k", "m"] {
        let told = facets[name].as_array().unwrap().iter().filter(|value| value["count"] != 0);
        let told: BTreeMap<String, u64> =
            told.map(|value| (value["value"].to_string(), value["count"].as_u64().unwrap())).collect();
        assert_eq!(told, counted(rows.iter().copied(), name), "{what} facet {name}");
    }
}

async fn aggregates(
    random: &mut Random,
    client: &Client,
    world: &World,
    rows: &[&Value],
    pairs: &[(String, String)],
    what: &str,
) {
    let group = *random.pick(&["n", "t", "b", "day", "k", "m", "m.name", "m.c.code"]);
    let mut asked: Vec<_> = pairs.iter().filter(|(name, _)| name != "ordering").cloned().collect();
    let has_sum = random.chance(50);
    let measures: &[(&str, &str)] = if has_sum { &[("count", "*"), ("sum", "n")] } else { &[("count", "*")] };
    asked.extend(measures.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    asked.push(("group_by".to_owned(), group.to_owned()));
    asked.push(("limit".to_owned(), "1000".to_owned()));
    let told = client.get(&format!("/api/records/rows/aggregate/?{}", common::query::encode(&asked))).await.is(200);
    let mut wanted: BTreeMap<String, (u64, Option<i64>)> = BTreeMap::new();
    for row in rows {
        let value = world.values(row, group).into_iter().next().unwrap_or(Value::Null);
        let group = wanted.entry(value.to_string()).or_default();
        group.0 += 1;
        if let Some(number) = row["n"].as_i64() {
            group.1 = Some(group.1.unwrap_or(0) + number);
        }
    }
    let told: BTreeMap<String, (u64, Option<i64>)> = told["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let sum = if has_sum { row["n__sum"].as_i64() } else { None };
            (row[group.replace('.', "__")].to_string(), (row["count"].as_u64().unwrap(), sum))
        })
        .collect();
    if !has_sum {
        for group in wanted.values_mut() {
            group.1 = None;
        }
    }
    assert_eq!(told, wanted, "{what} grouped by {group}");
}

/// A definition with random indexes.
fn definition(random: &mut Random, ids: &str) -> Value {
    let mut fields = vec![json!({"name": "number", "type": "integer"})];
    for (name, kind) in
        [("n", "integer"), ("d", "decimal"), ("t", "text"), ("b", "boolean"), ("day", "date"), ("k", "choice")]
    {
        let mut field = json!({"name": name, "type": kind, "nullable": true, "indexed": random.chance(60)});
        match kind {
            "choice" => field["choices"] = json!(["sweet", "salty", "sour"]),
            "text" => field["max_length"] = json!(50),
            "decimal" => field["places"] = json!(2),
            _ => {}
        }
        fields.push(field);
    }
    let unique = random.pick(&[json!("ignore_case"), json!(true), json!(false)]).clone();
    fields.push(json!({"name": "u", "type": "text", "max_length": 50, "nullable": true, "unique": unique}));
    fields.push(json!({"name": "m", "type": "reference", "collection": "makers", "nullable": true}));
    fields.push(json!({"name": "ms", "type": "reference", "collection": "makers", "many": true}));
    fields.push(json!({"name": "w", "type": "text", "searchable": true}));
    fields.push(json!({"name": "v", "type": "text", "searchable": true}));
    let mut indexes = Vec::new();
    for _ in 0..random.below(5) {
        let mut names = vec!["n", "d", "t", "b", "day", "k", "u", "m", "created_at"];
        let mut parts = Vec::new();
        for _ in 0..2 + random.below(2) {
            let name = names.remove(random.below(names.len()));
            parts.push(format!("{}{name}", if random.chance(50) { "-" } else { "" }));
        }
        let is_unique = random.chance(25);
        if is_unique {
            parts.push("number".to_owned());
        }
        let unique = if is_unique { random.pick(&[json!(true), json!("ignore_case")]).clone() } else { json!(false) };
        indexes.push(json!({"fields": parts, "unique": unique}));
    }
    json!({"name": "rows", "ids": ids, "fields": fields, "indexes": indexes})
}

async fn made(client: &Client, collection: &str, records: &[Value]) -> Vec<Value> {
    client.post(&format!("/api/records/{collection}/"), &json!(records)).await.is(201).as_array().unwrap().clone()
}

async fn compare(random: &mut Random, ids: &str, queries: usize) {
    let (_coffer, admin) = Coffer::with_admin().await;
    let indexed = |random: &mut Random| random.chance(70);
    let fields = json!([
        {"name": "code", "type": "text", "max_length": 9, "nullable": true, "indexed": indexed(random)},
        {"name": "size", "type": "integer", "indexed": indexed(random)},
    ]);
    admin.collection("countries", fields).await;
    let fields = json!([
        {"name": "name", "type": "text", "max_length": 9, "nullable": true, "indexed": indexed(random)},
        {"name": "rank", "type": "integer", "indexed": indexed(random)},
        {"name": "c", "type": "reference", "collection": "countries", "nullable": true},
    ]);
    admin.collection("makers", fields).await;
    let countries: Vec<Value> = (0..naive::countries()).map(naive::country).collect();
    let countries = made(&admin, "countries", &countries).await;
    let makers = naive::makers(random, &countries);
    let makers = made(&admin, "makers", &makers).await;
    let mut definition = definition(random, ids);
    println!("{definition}");
    admin.post("/api/collections/", &definition).await.is(201);
    let rows: Vec<Value> = (0..ROWS).map(|number| naive::row(random, number, &makers)).collect();
    let rows = made(&admin, "rows", &rows).await;
    let world = World::new(&countries, makers, rows);
    for _ in 0..queries {
        let question = question(random, &world);
        ask(random, &admin, &world, &question).await;
    }
    // Without each index by itself. What is asked stays the same, and the answers do.
    let questions: Vec<Question> = (0..3).map(|_| question(random, &world)).collect();
    let all = definition["indexes"].as_array().unwrap().clone();
    for without in 0..all.len() {
        let mut rest = all.clone();
        println!("without {}", rest.remove(without));
        definition["indexes"] = rest.into();
        admin.patch("/api/collections/rows/", &json!({"indexes": definition["indexes"]})).await.is(200);
        for question in &questions {
            ask(random, &admin, &world, question).await;
        }
    }
    for field in definition["fields"].as_array().unwrap().iter().filter(|field| field["indexed"] == true) {
        println!("without {}", field["name"]);
        let address = format!("/api/collections/rows/fields/{}/", field["name"].as_str().unwrap());
        admin.patch(&address, &json!({"indexed": false})).await.is(200);
        for question in &questions {
            ask(random, &admin, &world, question).await;
        }
        admin.patch(&address, &json!({"indexed": true})).await.is(200);
    }
}

#[tokio::test]
async fn answers_are_those_of_a_naive_evaluator_with_and_without_each_index() {
    let number =
        |name: &str, otherwise: usize| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let seed = number("MODEL_SEED", 0x2545_F491);
    println!("MODEL_SEED={seed}");
    let mut random = Random(u64::try_from(seed).unwrap() | 1 << 40);
    for ids in ["uuid", "integer"] {
        compare(&mut random, ids, number("MODEL_QUERIES", QUERIES) / 2).await;
    }
}
