//! D3 and D5: names, ids and parameters that something else would have made a path, code or work of.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

const ROWS: &str = "/api/records/rows/";

async fn with_rows(fields: Value) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("rows", fields).await;
    (coffer, admin)
}

/// Names that are none, and that something would have made a path, a key, code or a device of.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        " ",
        ".",
        "..",
        "../rows",
        "a/b",
        "a\\b",
        "a\0b",
        "\0",
        "rows\0",
        "rows\u{ff}",
        "\u{ff}",
        "'; DROP TABLE rows;--",
        "\" OR \"\"=\"",
        "$where",
        "$ne",
        "CON",
        "Rows",
        "rows ",
        " rows",
        "ｒows",
        "\u{202e}swor",
        "\u{200b}rows",
        "عربى",
        "__sled__default",
        "__proto__",
        "_rows",
        "1rows",
        "ro-ws",
        "rows%00",
        "%2e%2e",
        "{collection}",
        "rows\n",
        "rows\r\nX-Odd: 1",
        "-",
        "null\u{0}",
    ]
    .map(str::to_owned)
    .into();
    names.push("a".repeat(64));
    names.push("a".repeat(10 * 1024));
    names
}

#[tokio::test]
async fn d3_what_is_no_name_is_refused_wherever_a_name_or_an_id_stands() {
    let (_coffer, admin) = with_rows(json!([{"name": "t", "type": "text"}])).await;
    let record = admin.record("rows", json!({"t": "kept"})).await;
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    for name in names() {
        let what = name.chars().take(40).collect::<String>();
        if ["rows ", " rows", "rows\n"].contains(&name.as_str()) {
            // A name is trimmed where it is sent in a body.
            let taken = admin.post("/api/collections/", &json!({"name": name})).await.refused(409);
            assert_eq!(taken.errors.0.keys().collect::<Vec<_>>(), ["name"], "{what:?}");
            continue;
        }
        let refused = admin.post("/api/collections/", &json!({"name": name})).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["name"], "{what:?}");
        let field = json!({"fields": [{"name": name, "type": "text"}]});
        let refused = admin.patch("/api/collections/rows/", &field).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["fields.0.name"], "{what:?}");
        let target = json!({"fields": [{"name": "r", "type": "reference", "collection": name}]});
        admin.patch("/api/collections/rows/", &target).await.refused(400);
        admin
            .patch("/api/collections/rows/", &json!({"access": {"list": [format!("role:{name}")]}}))
            .await
            .refused(400);
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair(&name, "1").finish();
        admin.get(&format!("{ROWS}?{query}")).await.refused(400);
        for parameter in ["ordering", "fields", "left_join", "id", "owner"] {
            if name.trim().is_empty() && ["ordering", "fields"].contains(&parameter)
                || common::text::trim(&name).is_empty() && ["id", "owner"].contains(&parameter)
            {
                // None at all; and an empty value is no filter.
                continue;
            }
            let query: String = form_urlencoded::Serializer::new(String::new()).append_pair(parameter, &name).finish();
            let refused = admin.get(&format!("{ROWS}?{query}")).await;
            assert_eq!(refused.status, 400, "{parameter}={what:?}");
        }
        if ["", ".", ".."].contains(&name.as_str()) {
            // The client makes other paths of these.
            continue;
        }
        let name = encode(&name);
        for path in [
            format!("/api/collections/{name}/"),
            format!("/api/records/{name}/"),
            format!("/api/records/rows/{name}/"),
            format!("/api/records/{name}/{}/", record["id"].as_str().unwrap()),
            format!("{}history/{name}/restore/", path("rows", &record)),
        ] {
            let method = if path.ends_with("restore/") { Method::POST } else { Method::GET };
            let refused = Answer::of(admin.request(method, &path)).await;
            assert_eq!(refused.status, 404, "{what:?}");
        }
    }
    assert_eq!(admin.column(ROWS, "t").await, [json!("kept")]);
    assert_eq!(admin.get("/api/collections/").await.is(200)["count"], 1);
    // Of the longest names that there may be, one is no beginning of the other.
    let (one, two) = ("a".repeat(62), "a".repeat(63));
    for name in [&one, &two] {
        let fields =
            json!([{"name": one, "type": "text", "indexed": true}, {"name": two, "type": "text", "indexed": true}]);
        admin.collection(name, fields).await;
    }
    admin.record(&one, json!({&one: "x"})).await;
    assert_eq!(admin.get(&format!("/api/records/{two}/")).await.is(200)["count"], 0);
    assert_eq!(admin.get(&format!("/api/records/{one}/?{two}=x")).await.is(200)["count"], 0);
    assert_eq!(admin.get(&format!("/api/records/{one}/?{one}=x")).await.is(200)["count"], 1);
}

#[tokio::test]
async fn d5_a_pattern_never_runs_away_and_nobody_filters_or_orders_by_what_is_not_shown() {
    let (_coffer, admin) = with_rows(json!([{"name": "t", "type": "text"}])).await;
    admin.record("rows", json!({"t": format!("{}!", "a".repeat(50_000))})).await;
    for query in ["t__regex=(", "t__iregex=(%3F%3Da)", "t__search=x", "t__trigram=x", "t__year=1"] {
        admin.get(&format!("{ROWS}?{query}")).await.refused(400);
    }
    // What takes others as long as the universe is old is found out in one pass over the text.
    for query in ["t__regex=^(a%2B)%2B%24", "t__iregex=^(a|aa)*%24", "t__regex=^(a*)*b", "t__regex=(.*)(.*)(.*)x"] {
        assert_eq!(admin.get(&format!("{ROWS}?{query}")).await.is(200)["count"], 0, "{query}");
    }
    // A search looks for the characters as they are.
    for query in ["t__contains=(a%2B)%2B%24", "search=(a%2B)%2B%24", "t__contains=%25", "t__startswith=.*"] {
        assert_eq!(admin.get(&format!("{ROWS}?{query}")).await.is(200)["count"], 0, "{query}");
    }
    for hidden in ["password_hash", "password", "previous", "deleted", "owner__password_hash", "t__t", "_pk", "_id"] {
        for query in [
            format!("{hidden}=1"),
            format!("ordering={hidden}"),
            format!("ordering=-{hidden}"),
            format!("fields={hidden}"),
        ] {
            let refused = admin.get(&format!("{ROWS}?{query}")).await.refused(400);
            assert!(!refused.detail.contains("exist"), "{refused:?}");
        }
    }
    // An admin's pattern that would take too long is refused when it is made, and one that is let in is quick.
    let pattern = |pattern: &str| json!({"fields": [{"name": "t", "type": "text", "pattern": pattern}]});
    let faults = admin
        .post("/api/collections/", &json!({"name": "slow", "fields": pattern("(a{1,100}){1,100}")["fields"]}))
        .await
        .faults();
    let message = "This pattern repeats so much that it would take too long. Let it repeat less, or lower max_length.";
    assert_eq!(faults, [format!("fields.0.pattern: {message}")]);
    admin.post("/api/collections/", &json!({"name": "quick", "fields": pattern("(a+)+")["fields"]})).await.is(201);
    let evil = format!("{}!", "a".repeat(99_000));
    let faults = admin.post("/api/records/quick/", &json!({"t": evil})).await.faults();
    assert_eq!(faults, ["t: This value does not match the required pattern."]);
}
