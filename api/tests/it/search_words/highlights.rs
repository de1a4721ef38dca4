//! Where the words of a search stand: of each row and field, in characters; of what the caller sees alone.

use serde_json::{Value, json};

use crate::support::{Client, Coffer};

async fn asked(client: &Client, collection: &str, query: &[(&str, &str)]) -> Value {
    let pairs: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    client.get(&format!("/api/records/{collection}/?{}", common::query::encode(&pairs))).await.is(200)
}

#[tokio::test]
async fn where_the_words_of_a_search_stand_is_told_of_each_row() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = |searchable: bool| {
        json!([
            {"name": "title", "type": "text", "searchable": searchable}, {"name": "body", "type": "text", "searchable": searchable},
            {"name": "note", "type": "text"}, {"name": "n", "type": "integer", "indexed": true},
        ])
    };
    for (name, searchable) in [("words", true), ("texts", false)] {
        admin.collection(name, fields(searchable)).await;
        let records = json!([
            {"n": 1, "title": "Ein größer Gold", "body": "marigold", "note": "gold"},
            {"n": 2, "title": "cafe\u{301} 東京都", "body": "The GOLDEN ring, gold", "note": ""},
            {"n": 3, "title": "Nothing", "body": "golden", "note": "x"},
        ]);
        admin.post(&format!("/api/records/{name}/"), &records).await.is(201);
    }
    let in_words = json!([
        {"title": [[11, 15]]},
        {"body": [[4, 8], [17, 21]]},
        {"body": [[0, 4]]},
    ]);
    let in_texts = json!([
        {"title": [[11, 15]], "body": [[4, 8]], "note": [[0, 4]]},
        {"body": [[4, 8], [17, 21]]},
        {"body": [[0, 4]]},
    ]);
    for (collection, wanted) in [("words", &in_words), ("texts", &in_texts)] {
        let found = asked(&admin, collection, &[("search", "gold"), ("highlight", "true"), ("ordering", "n")]).await;
        assert_eq!(&found["highlights"], wanted, "{collection}");
        // One for each row, in their order, however they are paged.
        let last = [("search", "gold"), ("highlight", "1"), ("ordering", "-n"), ("page_size", "1"), ("cursor", "")];
        let mut page = asked(&admin, collection, &last).await;
        for row in [2, 1, 0] {
            assert_eq!(page["highlights"], json!([wanted[row]]), "{collection} {row}");
            let Some(next) = page["next"].as_str() else { break };
            page = admin.get(next.strip_prefix(&admin.base).unwrap()).await.is(200);
        }
        let back = [("search", "gold"), ("highlight", "true"), ("ordering", "n"), ("page_size", "2"), ("cursor", "")];
        let first = asked(&admin, collection, &back).await;
        let second = admin.get(first["next"].as_str().unwrap().strip_prefix(&admin.base).unwrap()).await.is(200);
        let again = admin.get(second["previous"].as_str().unwrap().strip_prefix(&admin.base).unwrap()).await.is(200);
        assert_eq!(again["highlights"], first["highlights"], "{collection} backwards");
        // Only of what is sent.
        let some = [("search", "gold"), ("highlight", "true"), ("ordering", "n"), ("fields", "n,title")];
        assert_eq!(asked(&admin, collection, &some).await["highlights"], json!([{"title": [[11, 15]]}, {}, {}]));
        let none = asked(&admin, collection, &[("highlight", "true")]).await;
        assert_eq!(none["highlights"], json!([{}, {}, {}]), "nothing was searched for");
        assert!(asked(&admin, collection, &[("search", "gold")]).await.get("highlights").is_none());
    }
    for (search, wanted) in [
        ("CAFÉ", json!([{"title": [[0, 5]]}])),
        ("東京都", json!([{"title": [[6, 9]]}])),
        ("größ", json!([{"title": [[4, 8]]}])),
    ] {
        let found = asked(&admin, "words", &[("search", search), ("highlight", "true")]).await;
        assert_eq!(found["highlights"], wanted, "{search}");
    }
    // Where rows are written while they are sent, and where a page is empty.
    let long: Vec<Value> = (0..40).map(|n| json!({"n": n, "title": format!("{} gold", "x".repeat(5000))})).collect();
    admin.post("/api/records/words/", &json!(long)).await.is(201);
    let found = asked(&admin, "words", &[("search", "gold xx"), ("highlight", "true"), ("page_size", "40")]).await;
    assert_eq!(found["highlights"].as_array().unwrap().len(), 40);
    assert_eq!(found["highlights"][7], json!({"title": [[0, 2], [5001, 5005]]}));
    let none = asked(&admin, "words", &[("search", "zzz"), ("highlight", "true")]).await;
    assert_eq!(none["highlights"], json!([]));
    for refused in ["highlight=maybe", "highlight=true&highlight=true"] {
        assert!(
            admin.get(&format!("/api/records/words/?{refused}")).await.refused(400).errors.0.contains_key("highlight")
        );
    }
    for other in [
        "/api/users/?highlight=true",
        "/api/records/words/aggregate/?highlight=true",
        "/api/records/words/export/?highlight=true",
    ] {
        assert!(admin.get(other).await.refused(400).errors.0.contains_key("highlight"), "{other}");
    }
    let described = admin.get("/api/schema/").await.is(200);
    let list = &described["paths"]["/api/records/words/"]["get"];
    assert!(list["parameters"].as_array().unwrap().iter().any(|known| known["name"] == "highlight"), "{list}");
}

#[tokio::test]
async fn accents_are_ignored_where_the_operator_says_so() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--search-accents", "ignore"]).await;
    admin.collection("words", json!([{"name": "title", "type": "text", "searchable": true}])).await;
    admin.record("words", json!({"title": "Nach Łódź, crème brûlée"})).await;
    let found = asked(&admin, "words", &[("search", "lodz BRULEE"), ("highlight", "true")]).await;
    assert_eq!(found["highlights"], json!([{"title": [[5, 9], [17, 23]]}]));
}
