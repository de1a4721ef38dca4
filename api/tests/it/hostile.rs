//! Records that nobody here chose: scripts of the world, names that look like paths and code, and JSON at its edges.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Coffer, path};

const ROWS: &str = "/api/records/rows/";

/// Texts that have broken software before.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "../../etc/passwd",
        "..\\..\\windows",
        "C:\\CON",
        "/",
        ".",
        "..",
        "a/b?c=d#e&f%2f",
        "%00",
        "%",
        "~root",
        "Robert'); DROP TABLE rows;--",
        "' OR 1=1",
        "$where",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "__proto__",
        "constructor",
        "null",
        "undefined",
        "NaN",
        "true",
        "0",
        "-0",
        "1e309",
        "عربى ومزيد",
        "שלום",
        "\u{202e}gpj.exe",
        "\u{200b}",
        "\u{feff}bom",
        "日本語テキスト",
        "ไทย",
        "हिन्दी",
        "😀👩‍👩‍👧‍👦🏳️‍🌈",
        "é",
        "İstanbul",
        "ß",
        "ﬃ",
        "\u{1}\u{1b}]52;c;x\u{7}",
        "line\nbreak\r\nand\ttab",
        "\u{2028}\u{2029}",
        "\u{fffd}",
        "\u{ffff}",
        "\u{10ffff}",
        " leading and trailing ",
        "\"quoted\"",
        "back\\slash",
        "comma,comma",
        "plus+plus",
        "semi;colon",
        "a\u{300}\u{301}\u{302}\u{303}",
    ]
    .map(str::to_owned)
    .into();
    texts.push("长".repeat(255));
    texts
}

async fn with_rows(fields: Value) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("rows", fields).await;
    (coffer, admin)
}

/// A request body that is not made by a JSON library.
async fn raw(client: &Client, body: impl Into<reqwest::Body>) -> u16 {
    client.raw(Method::POST, ROWS, "application/json", body).await.status
}

#[tokio::test]
async fn d3_every_text_is_kept_and_found_as_it_is() {
    let (_coffer, admin) = with_rows(json!([
        {"name": "key", "type": "text", "unique": true, "indexed": true, "multiline": true},
        {"name": "value", "type": "text", "multiline": true},
    ]))
    .await;
    let rows: Vec<Value> = texts().iter().map(|text| json!({"key": text, "value": text})).collect();
    let made = admin.post(ROWS, &json!(rows)).await.is(201);
    for (text, record) in texts().iter().zip(made.as_array().unwrap()) {
        assert_eq!((record["key"].as_str(), record["value"].as_str()), (Some(text.as_str()), Some(text.as_str())));
        assert_eq!(admin.get(&path("rows", record)).await.is(200), *record);
        for name in ["key", "value", "key__exact", "value__startswith", "value__in"] {
            // Spaces at the ends of a filter's value are not meant; within a list, quotation marks keep them.
            if name != "value__in" && common::text::trim(text) != text {
                continue;
            }
            let value = if name == "value__in" { common::query::join_values([text.as_str()]) } else { text.clone() };
            let query: String = form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish();
            let found = admin.column(&format!("{ROWS}?page_size=200&{query}"), "id").await;
            assert!(found.contains(&record["id"]), "{name}={text:?} finds {found:?}");
            assert!(name == "value__startswith" || found.len() == 1, "{name}={text:?} finds {found:?}");
        }
        admin.post(ROWS, &json!({"key": text})).await.refused(409);
    }
    let mut sorted = texts();
    // By the form in which they are compared.
    sorted.sort_by_key(|text| base::fold::nfc(text).into_owned());
    for name in ["key", "value"] {
        assert_eq!(admin.column(&format!("{ROWS}?page_size=200&ordering={name}"), name).await, sorted, "{name}");
    }
}

#[tokio::test]
async fn a_hundred_columns_of_anything_are_carried() {
    let texts = texts();
    let fields: Vec<Value> = (0..100)
        .map(|n| json!({"name": format!("f{n}"), "type": "text", "multiline": true, "help": texts[n % texts.len()]}))
        .collect();
    let (_coffer, admin) = with_rows(json!(fields)).await;
    let mut row = json!({});
    for n in 0..100 {
        row[format!("f{n}")] = json!(texts[(n * 7) % texts.len()]);
    }
    let record = admin.record("rows", row.clone()).await;
    for (name, value) in row.as_object().unwrap() {
        assert_eq!(&record[name], value);
    }
    let fields: Vec<String> = (0..100).map(|n| format!("f{n}")).collect();
    let page =
        admin.get(&format!("{ROWS}?fields={}&ordering={}", fields.join(","), fields[..32].join(","))).await.is(200);
    assert_eq!(page["results"][0], row);
}

#[tokio::test]
async fn d2_names_of_members_are_only_names() {
    let (_coffer, admin) =
        with_rows(json!([{"name": "constructor", "type": "text"}, {"name": "j", "type": "json"}])).await;
    let odd = json!({"__proto__": {"is_admin": true}, "constructor": {"prototype": 1}, "": 0, "a.b": 1, "$where": "1", "\u{202e}": null});
    let record = admin.record("rows", json!({"constructor": "x", "j": odd})).await;
    assert_eq!((&record["constructor"], &record["j"]), (&json!("x"), &odd));
    for name in ["__proto__", "", "toString", "J", "j ", "j\u{0}", "\u{202e}", "is_admin"] {
        let refused = admin.post(ROWS, &json!({name: {}})).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [name]);
    }
    assert_eq!(admin.get("/api/users/me/").await.is(200)["is_admin"], true);
}

#[tokio::test]
async fn n6_bytes_that_are_no_json_are_refused() {
    let (_coffer, admin) = with_rows(json!([{"name": "t", "type": "text"}, {"name": "j", "type": "json"}])).await;
    for bad in [
        &br#"{"t":"\ud800"}"#[..],
        br#"{"t":"\udc00\ud800"}"#,
        br#"{"j":{"\ud800":1}}"#,
        b"{\"t\":\"\xff\"}",
        b"{\"t\":\"\xed\xa0\x80\"}",
        b"\xff\xfe{\0}\0",
        b"{\"t\":\"a\nb\"}",
        b"{\"t\":\"\\x41\"}",
        b"{\"t\":'a'}",
        b"{t:1}",
        b"{\"t\":\"a\"}}",
        b"{\"t\":\"a\"",
        b"{\"t\":\"a\",\"t\":\"a\"}",
        b"{\"j\":{\"a\":1,\"\\u0061\":2}}",
        b"{\"j\":01}",
        b"{\"j\":1.}",
        b"{\"j\":.5}",
        b"{\"j\":+1}",
        b"{\"j\":-}",
        b"{\"j\":1e999}",
        b"{\"j\":Infinity}",
        b"{\"j\":/**/1}",
        b"{\"j\":tru}",
        b"\0",
        b" ",
    ] {
        let refused = admin.raw(Method::POST, ROWS, "application/json", bad.to_vec()).await;
        assert_eq!(refused.refused(400).code, "parse_error", "{}", String::from_utf8_lossy(bad));
    }
    assert_eq!(raw(&admin, r#"{"t":"a\u0000b"}"#).await, 400);
    assert_eq!(raw(&admin, r#"{"t":"\ud83d\ude00","j":"\/"}"#).await, 201);
    assert_eq!(admin.column(ROWS, "t").await, [json!("😀")]);
}

#[tokio::test]
async fn n6_depth_is_bounded_for_what_is_read_and_enough_for_what_is_kept() {
    let (_coffer, admin) = with_rows(json!([{"name": "j", "type": "json"}])).await;
    let nested = |depth: usize| format!("{{\"j\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(raw(&admin, nested(63)).await, 201);
    assert_eq!(raw(&admin, nested(64)).await, 400);
    assert_eq!(raw(&admin, nested(100_000)).await, 400);
    assert_eq!(raw(&admin, "[".repeat(900_000)).await, 400);
    assert_eq!(raw(&admin, format!("{{\"j\":{}", "{\"a\":".repeat(100_000))).await, 400);
    // The deepest can be read, listed, joined, changed and put back.
    let record = admin.get(ROWS).await.is(200)["results"][0].clone();
    assert_eq!(admin.put(&path("rows", &record), &record).await.is(200), record);
    assert_eq!(admin.column(&format!("{ROWS}?left_join=rows:id=id"), "rows").await, [json!([record])]);
    admin.delete(&path("rows", &record)).await.is(204);
    admin.post(&format!("{}history/{}/restore/", path("rows", &record), record["revision"]), &json!({})).await.is(200);
}

#[tokio::test]
async fn n6_what_is_too_large_is_refused_before_it_hurts() {
    let fields = json!([
        {"name": "a", "type": "text"}, {"name": "b", "type": "text"}, {"name": "c", "type": "text"}, {"name": "j", "type": "json"},
    ]);
    let (_coffer, admin) = with_rows(fields).await;
    let long = |n: usize| "x".repeat(n);
    let refused = admin.post(ROWS, &json!({"a": long(9_900_000)})).await;
    assert_eq!(refused.faults(), ["a: Ensure this field has no more than 100000 characters."]);
    let wide = "é".repeat(100_000);
    let refused = admin.post(ROWS, &json!({"a": wide, "b": wide, "c": wide})).await.refused(413);
    assert!(refused.detail.contains("262144"), "{}", refused.detail);
    admin.post(ROWS, &json!({"a": long(100_000), "b": long(100_000), "c": long(60_000)})).await.is(201);
    assert_eq!(
        raw(&admin, format!("{{{}}}", (0..100_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(","))).await,
        400
    );
    let faults = admin.post(ROWS, &json!({"j": vec![long(100); 700]})).await.faults();
    assert_eq!(faults, ["j: Ensure this value takes no more than 65536 bytes as JSON."]);
    let small = format!("{{\"description\":\"{}\"}}", long(1_100_000));
    admin.raw(Method::PATCH, "/api/collections/rows/", "application/json", small).await.refused(413);
    // Large and many is fine as long as it fits.
    let rows: Vec<Value> = (0..1000).map(|_| json!({"a": long(4000)})).collect();
    admin.post(ROWS, &json!(rows)).await.is(201);
    assert_eq!(admin.get("/api/collections/rows/").await.is(200)["count"], 1001);
}

#[tokio::test]
async fn values_of_unbounded_types_can_be_unique_and_indexed() {
    let long = "c".repeat(3000);
    let (_coffer, admin) = with_rows(json!([
        {"name": "link", "type": "url", "unique": true, "indexed": true, "nullable": true},
        {"name": "kind", "type": "choice", "choices": [long, "d"], "unique": true, "indexed": true, "nullable": true},
    ]))
    .await;
    let link = |end: &str| format!("https://example.org/{}{end}", "é/".repeat(670));
    let one = admin.record("rows", json!({"link": link("1")})).await;
    admin.record("rows", json!({"link": link("2")})).await;
    admin.post(ROWS, &json!({"link": link("1")})).await.refused(409);
    let three = admin.record("rows", json!({"kind": long})).await;
    admin.post(ROWS, &json!({"kind": long})).await.refused(409);
    let query = |name: &str, value: &str| {
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        format!("{ROWS}?{query}")
    };
    assert_eq!(admin.column(&query("link", &link("1")), "id").await, [one["id"].clone()]);
    assert_eq!(admin.column(&query("kind", &long), "id").await, [three["id"].clone()]);
}

#[tokio::test]
async fn user_names_of_any_script_sign_in() {
    let (coffer, admin) = Coffer::with_admin().await;
    for name in ["مريم", "מרים", "李雷", "ß", "İstanbul", "ﷺ", &"ﷺ".repeat(150)] {
        let user = coffer.user(&admin, name, json!({})).await;
        assert_eq!(user.get("/api/users/me/").await.is(200)["username"], name);
    }
}
