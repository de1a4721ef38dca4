//! `left_join`: the API's answer is the left join of the two maps, for every kind of key and whatever rows are there.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::support::{Client, Coffer, text};

async fn two_maps(indexed: bool, left: &BTreeMap<&str, &str>, right: &BTreeMap<&str, &str>) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    let word = json!({"name": "word", "type": "text", "multiline": true, "unique": indexed, "indexed": indexed});
    for (name, value, map) in [("synonyms", "synonym", left), ("antonyms", "antonym", right)] {
        admin.collection(name, json!([word, {"name": value, "type": "text"}])).await;
        let rows: Vec<Value> = map.iter().map(|(key, other)| json!({"word": key, value: other})).collect();
        admin.post(&format!("/api/records/{name}/"), &json!(rows)).await.is(201);
    }
    (coffer, admin)
}

fn words() -> (BTreeMap<&'static str, &'static str>, BTreeMap<&'static str, &'static str>) {
    let left = [
        ("fond", "enamored"),
        ("wrath", "anger"),
        ("diligent", "employed"),
        ("", "nothing"),
        (" fond ", "padded"),
        ("Fond", "capital"),
        ("naïve", "simple"),
        ("سلام", "peace"),
        ("../etc", "path"),
        ("a,b=c:d&e", "signs"),
    ];
    let right = [
        ("fond", "averse"),
        ("wrath", "delight"),
        ("guide", "follow"),
        ("", "something"),
        (" fond ", "bare"),
        ("naïve", "wary"),
        ("سلام", "war"),
        ("../etc", "file"),
        ("a,b=c:d&e", "letters"),
    ];
    (left.into(), right.into())
}

#[tokio::test]
async fn the_answer_is_the_left_join_of_the_two_maps() {
    let (left, right) = words();
    for indexed in [true, false] {
        let (_coffer, admin) = two_maps(indexed, &left, &right).await;
        let lookup: HashMap<&str, &str> = right.iter().map(|(key, value)| (*key, *value)).collect();
        let expected: Vec<(String, String, Option<String>)> = common::left_join(left.clone(), &lookup)
            .map(|(key, value, matching)| (key.to_owned(), value.to_owned(), matching.map(|m| (*m).to_owned())))
            .collect();
        let page = admin.get("/api/records/synonyms/?left_join=antonyms:word=word&page_size=200").await.is(200);
        assert_eq!(page["count"], left.len());
        let joined: Vec<(String, String, Option<String>)> = page["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let matching = row["antonyms"].as_array().map(|rows| {
                    assert_eq!(rows.len(), 1);
                    assert_eq!(rows[0]["word"], row["word"]);
                    text(&rows[0], "antonym")
                });
                (text(row, "word"), text(row, "synonym"), matching)
            })
            .collect();
        assert_eq!(joined, expected, "indexed: {indexed}");
    }
}

#[tokio::test]
async fn every_matching_row_stands_in_a_list_and_none_is_null() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let [ada, ben] =
        [admin.record("makers", json!({"name": "Ada"})).await, admin.record("makers", json!({"name": "Ben"})).await];
    let fields = json!([{"name": "title", "type": "text"}, {"name": "maker", "type": "reference", "collection": "makers", "on_delete": "cascade"}]);
    admin.collection("snacks", fields).await;
    for title in ["Popcorn", "Crisps"] {
        admin.record("snacks", json!({"title": title, "maker": ada["id"]})).await;
    }
    admin.record("snacks", json!({"title": "Found"})).await;

    let makers = admin.column("/api/records/makers/?left_join=snacks:id=maker", "snacks").await;
    let titles: Vec<String> = makers[0].as_array().unwrap().iter().map(|row| text(row, "title")).collect();
    assert_eq!((titles.as_slice(), &makers[1]), (&["Popcorn".to_owned(), "Crisps".to_owned()][..], &Value::Null));
    let snacks = admin.column("/api/records/snacks/?left_join=makers:maker=id", "makers").await;
    assert_eq!(
        snacks,
        [json!([ada]), json!([ada]), Value::Null],
        "null matches nothing; the row is all of the other record"
    );
    let back = admin.get("/api/records/makers/?left_join=snacks:id=maker&fields=name&name=Ben").await.is(200);
    assert_eq!(back["results"], json!([{"name": ben["name"], "snacks": null}]));
    let both = admin
        .get("/api/records/snacks/?left_join=makers:maker=id&left_join=snacks:title=title&title=Found")
        .await
        .is(200);
    assert_eq!(both["results"][0]["makers"], Value::Null);
    assert_eq!(both["results"][0]["snacks"][0]["title"], "Found");
}

#[tokio::test]
async fn keys_of_every_type_match_by_value() {
    let fields = json!([
        {"name": "n", "type": "integer"}, {"name": "d", "type": "decimal"}, {"name": "m", "type": "decimal", "places": 2},
        {"name": "b", "type": "boolean", "nullable": true}, {"name": "day", "type": "date"}, {"name": "at", "type": "datetime"},
        {"name": "c", "type": "choice", "choices": ["x", "y"]},
    ]);
    let (_coffer, admin) = Coffer::with_admin().await;
    let mut indexed = fields.clone();
    for field in indexed.as_array_mut().unwrap() {
        field["indexed"] = json!(true);
    }
    admin.collection("plain", fields).await;
    admin.collection("fast", indexed).await;
    let row = json!({"n": 3, "d": "1.5", "m": "1.50", "b": true, "day": "2024-01-01", "at": "2024-01-01T00:00:00Z", "c": "x"});
    let empty = json!({"b": null});
    for name in ["plain", "fast"] {
        admin.post(&format!("/api/records/{name}/"), &json!([row, empty])).await.is(201);
    }
    for (left, right) in [("plain", "fast"), ("fast", "plain")] {
        for (field, theirs) in [
            ("n", "n"),
            ("d", "d"),
            ("m", "m"),
            ("b", "b"),
            ("day", "day"),
            ("at", "at"),
            ("c", "c"),
            ("d", "m"),
            ("m", "d"),
        ] {
            let joined = admin.column(&format!("/api/records/{left}/?left_join={right}:{field}={theirs}"), right).await;
            assert_eq!(joined[0].as_array().map(Vec::len), Some(1), "{left}.{field} = {right}.{theirs}");
            assert_eq!(joined[1], Value::Null, "{left}.{field} = {right}.{theirs}");
        }
    }
}

#[tokio::test]
async fn a_join_never_hides_a_member_of_the_row() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("title", json!([{"name": "key", "type": "text"}])).await;
    admin.collection("owner", json!([{"name": "key", "type": "text"}])).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    admin.record("snacks", json!({"title": "Popcorn"})).await;
    for name in ["title", "owner"] {
        let refused = admin.get(&format!("/api/records/snacks/?left_join={name}:title=key")).await.refused(400);
        assert!(refused.errors.0.contains_key("left_join"));
    }
    let twice = "/api/records/snacks/?left_join=title:title=key&left_join=title:title=id";
    assert!(admin.get(twice).await.refused(400).errors.0.contains_key("left_join"));
}

#[tokio::test]
async fn rows_that_the_caller_may_not_list_are_not_joined() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("words", json!([{"name": "word", "type": "text"}])).await;
    let access = json!({"list": ["owner"], "view": ["owner"]});
    let body =
        json!({"name": "notes", "fields": [{"name": "word", "type": "text", "indexed": true}], "access": access});
    admin.post("/api/collections/", &body).await.is(201);
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    for word in ["a", "b"] {
        admin.record("words", json!({"word": word})).await;
    }
    let note = ulla.record("notes", json!({"word": "a"})).await;
    otto.record("notes", json!({"word": "b"})).await;
    let join = "/api/records/words/?left_join=notes:word=word";
    assert_eq!(ulla.column(join, "notes").await, [json!([note]), Value::Null]);
    assert!(admin.column(join, "notes").await.iter().all(Value::is_array));

    admin.patch("/api/collections/notes/", &json!({"access": {"list": ["nobody"]}})).await.is(200);
    assert!([403, 404].contains(&ulla.get(join).await.status));
    ulla.get("/api/records/words/?left_join=nowhere:word=word").await.refused(404);
}
