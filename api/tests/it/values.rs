//! Values over HTTP as clients of Django REST Framework send them: in JSON, in forms, in filters. What each field takes is tested beside the
//! code (`common::validate`); here, that every way in does.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

mod forms;

const THINGS: &str = "/api/records/things/";
const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=b";

/// A collection with a field of every type, none of them required but the title.
async fn things(client: &Client) {
    let fields = json!([
        {"name": "title", "type": "text", "required": true},
        {"name": "note", "type": "text", "multiline": true},
        {"name": "count", "type": "integer", "nullable": true},
        {"name": "price", "type": "decimal", "places": 2, "nullable": true},
        {"name": "exact", "type": "decimal", "nullable": true},
        {"name": "good", "type": "boolean"},
        {"name": "day", "type": "date", "nullable": true},
        {"name": "at", "type": "datetime", "nullable": true, "indexed": true},
        {"name": "mail", "type": "email"},
        {"name": "link", "type": "url"},
        {"name": "size", "type": "choice", "choices": ["s", "m", "a,b", "1"], "nullable": true},
        {"name": "tags", "type": "choice", "choices": ["a", "b", "c"], "many": true},
        {"name": "other", "type": "reference", "collection": "things", "nullable": true},
        {"name": "more", "type": "json", "nullable": true}
    ]);
    client.collection("things", fields).await;
}

/// A form in parts: of each the name, that of a file if it is one, and the content.
fn multipart(parts: &[(&str, Option<&str>, &str)]) -> String {
    let part = |(name, file, content): &(&str, Option<&str>, &str)| {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--b--\r\n"
}

/// Sends a body as it is written.
async fn send(client: &Client, method: Method, path: &str, body: &str) -> Answer {
    client.raw(method, path, "application/json", body.to_owned()).await
}

#[tokio::test]
async fn numbers_are_taken_in_any_form_and_none_is_changed() {
    let (_coffer, admin) = Coffer::with_admin().await;
    things(&admin).await;
    let more = r#"{"v":12.917521550408111,"id":12345678901234567890123,"big":9007199254740993,"u":18446744073709551615,"x":[1.10,1e3,-0.0,0.10000000000000001]}"#;
    let body = format!(
        r#"{{"title":1.10,"count":1e3,"price":0.50,"exact":0.1000000000000000055,"more": {more} ,"note":12.917521550408111}}"#
    );
    let made = send(&admin, Method::POST, THINGS, &body).await;
    let record = made.is(201);
    for (name, value) in [
        ("title", json!("1.10")),
        ("count", json!(1000)),
        ("price", json!("0.50")),
        ("exact", json!("0.1000000000000000055")),
        ("note", json!("12.917521550408111")),
    ] {
        assert_eq!(record[name], value, "{name}");
    }
    let kept = format!(r#""more":{more}"#);
    assert!(made.text().contains(&kept), "{}", made.text());
    // It stays so wherever the record goes: read alone, in lists of every kind, through a change of something else, in the journal.
    let at = path("things", &record);
    let count = |at: &str, n: usize| format!("{at}?page_size={n}");
    for place in [
        at.clone(),
        count(THINGS, 1),
        format!("{THINGS}?fields=more"),
        format!("{THINGS}?title=1.10"),
        format!("{THINGS}?search=12.917521550408111"),
        format!("{THINGS}?left_join=things:id=other&title=1.10"),
        format!("{at}history/"),
        "/api/changes/?collection=things".to_owned(),
    ] {
        let seen = admin.get(&place).await;
        assert!(seen.is(200).is_object() && seen.text().contains(&kept), "{place}: {}", seen.text());
    }
    let changed = send(&admin, Method::PATCH, &at, r#"{"title":"other"}"#).await;
    assert!(changed.is(200).is_object() && changed.text().contains(&kept), "{}", changed.text());
    let revision = record["revision"].as_u64().unwrap();
    let restored = admin.post(&format!("{at}history/{revision}/restore/"), &json!({})).await;
    assert!(restored.is(200).is_object() && restored.text().contains(&kept), "{}", restored.text());
    let fields = admin.get("/api/collections/things/").await.is(200)["fields"].clone();
    let mut longer = fields.clone();
    longer[0]["help"] = json!("What it is called.");
    longer.as_array_mut().unwrap().push(json!({"name": "extra", "type": "text"}));
    admin.patch("/api/collections/things/", &json!({"fields": longer})).await.is(200);
    assert!(admin.get(&at).await.text().contains(&kept));
    // Only the digits differ, and that is a change.
    let other = more.replace("1.10", "1.1");
    let changed = send(&admin, Method::PATCH, &at, &format!(r#"{{"more":{other}}}"#)).await;
    assert!(changed.text().contains(&format!(r#""more":{other}"#)), "{}", changed.text());
}

#[tokio::test]
async fn integers_have_64_bits_as_numbers_and_as_texts() {
    let (_coffer, admin) = Coffer::with_admin().await;
    things(&admin).await;
    for (sent, kept) in [
        ("9223372036854775807", i64::MAX),
        ("\"9223372036854775807\"", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("9007199254740993.0", 9_007_199_254_740_993),
        ("\"3\"", 3),
        ("3.0", 3),
        ("1e3", 1000),
    ] {
        let record = send(&admin, Method::POST, THINGS, &format!(r#"{{"title":"n","count":{sent}}}"#)).await.is(201);
        assert_eq!(record["count"], kept, "{sent}");
        let found =
            admin.get(&format!("{THINGS}?count__exact={kept}&count__lte={kept}&count__gte={kept}")).await.is(200);
        assert!(found["count"].as_u64() >= Some(1), "{kept}");
    }
    let too_large = send(&admin, Method::POST, THINGS, r#"{"title":"n","count":9223372036854775808}"#).await;
    assert_eq!(too_large.faults(), ["count: Ensure this value is less than or equal to 9223372036854775807."]);
    let sent_as_text = send(&admin, Method::POST, THINGS, r#"{"title":"n","count":"9223372036854775808"}"#).await;
    assert_eq!(sent_as_text.faults(), too_large.faults());
    let ordered = admin.column(&format!("{THINGS}?ordering=-count&fields=count"), "count").await;
    assert_eq!((ordered.first(), ordered.last()), (Some(&json!(i64::MAX)), Some(&json!(i64::MIN))));
}

#[tokio::test]
async fn every_json_route_takes_ordinary_floats_and_refuses_what_it_would_round() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let definition = |max: &str| {
        format!(
            r#"{{"name":"c","fields":[{{"name":"d","type":"decimal","max":{max}}},{{"name":"j","type":"json","default":{{"v":{max}}}}}]}}"#
        )
    };
    let refused =
        send(&admin, Method::POST, "/api/collections/", &definition("0.1000000000000000055")).await.refused(400);
    assert!(format!("{refused:?}").contains("send fewer digits"), "{refused:?}");
    let made = send(&admin, Method::POST, "/api/collections/", &definition("12.917521550408111")).await.is(201);
    assert_eq!(made["fields"][0]["max"], "12.917521550408111");
    let record = admin.record("c", json!({})).await;
    assert_eq!(record["j"]["v"].to_string(), "12.917521550408111");
    // A member name means nothing, whatever it is. (To the library that this test would read the answer with, some do.)
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        let kept = format!(r#""j":{{"{name}":"1.10"}}"#);
        let made = send(&admin, Method::POST, "/api/records/c/", &format!("{{{kept}}}")).await;
        assert!(made.status == 201 && made.text().contains(&kept), "{}", made.text());
        for place in ["", "?fields=j", "?d__isnull=true"] {
            let seen = admin.get(&format!("/api/records/c/{place}")).await;
            assert!(seen.status == 200 && seen.text().contains(&kept), "{place}: {}", seen.text());
        }
        let at = path("c", &made.is(201));
        let changed = admin.patch(&at, &json!({"d": "1"})).await;
        assert!(changed.status == 200 && changed.text().contains(&kept), "{}", changed.text());
        assert!(admin.get(&format!("{at}history/")).await.text().contains(&kept));
        let fields = format!(
            r#"{{"fields":[{{"name":"d","type":"decimal"}},{{"name":"j","type":"json","default":{{"{name}":"x"}}}}]}}"#
        );
        assert_eq!(send(&admin, Method::PATCH, "/api/collections/c/", &fields).await.status, 200);
        let default = format!(r#""j":{{"{name}":"x"}}"#);
        assert!(send(&admin, Method::POST, "/api/records/c/", "{}").await.text().contains(&default));
    }
}

#[tokio::test]
async fn values_are_converted_where_nothing_is_lost() {
    let (_coffer, admin) = Coffer::with_admin().await;
    things(&admin).await;
    let first = admin.record("things", json!({"title": "first"})).await;
    let id = text(&first, "id");
    let sent = json!({
        "title": " Bob\u{a0}", "note": " kept \n", "count": "3", "price": ".5", "exact": "1E-7", "good": "on", "day": "2024-1-1",
        "at": "2024-01-01T12:00:00,1234567+02", "mail": " a@b.co ", "link": " http://a.co ", "size": 1, "tags": ["a", "a"],
        "other": id.to_uppercase().replace('-', ""), "more": "3"
    });
    let kept = json!({
        "title": "Bob", "note": " kept \n", "count": 3, "price": "0.50", "exact": "0.0000001", "good": true, "day": "2024-01-01",
        "at": "2024-01-01T10:00:00.123456Z", "mail": "a@b.co", "link": "http://a.co", "size": "1", "tags": ["a"],
        "other": id, "more": "3"
    });
    let made = admin.record("things", sent.clone()).await;
    let at = path("things", &made);
    for answer in [made, admin.put(&at, &sent).await.is(200), admin.patch(&at, &sent).await.is(200)] {
        for (name, value) in kept.as_object().unwrap() {
            assert_eq!(answer[name], *value, "{name}");
        }
    }
    let empty = json!({"title": "e", "count": "", "price": "", "exact": " ", "day": "", "at": "", "size": "", "other": "", "more": ""});
    let made = admin.record("things", empty).await;
    for name in ["count", "price", "exact", "day", "at", "size", "other"] {
        assert_eq!(made[name], Value::Null, "{name}");
    }
    assert_eq!(made["more"], "");
    let wrong = json!({"title": true, "count": "3.5", "price": "x", "good": "", "day": "24-1-1", "at": "noon", "size": "xl", "tags": "a", "other": 3});
    let faults = admin.post(THINGS, &wrong).await.faults();
    assert_eq!(faults.len(), 9, "{faults:#?}");
    // Ids in every spelling, in paths and filters too.
    for spelling in [id.to_uppercase(), id.replace('-', ""), id.to_uppercase().replace('-', "")] {
        assert_eq!(admin.get(&format!("{THINGS}{spelling}/")).await.is(200)["title"], "first", "{spelling}");
        assert_eq!(admin.column(&format!("{THINGS}?other={spelling}"), "title").await, ["Bob"]);
        assert_eq!(admin.column(&format!("{THINGS}?id__in={spelling}"), "title").await, ["first"]);
    }
    assert_eq!(admin.column(&format!("{THINGS}?at__gte=2024-01-01&at__lt=2024-01-02"), "title").await, ["Bob"]);
}

#[tokio::test]
async fn decimals_with_too_many_digits_are_refused_on_every_way_in() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let field = |places: u32| json!([{"name": "d", "type": "decimal", "places": places}]);
    admin.collection("wide", field(18)).await;
    admin.collection("money", field(2)).await;
    for (collection, value) in [
        ("wide", json!("12345678901234")),
        ("wide", json!(-12_345_678_901_234_i64)),
        ("money", json!("9".repeat(28))),
        ("money", json!("-9e27")),
    ] {
        let list = format!("/api/records/{collection}/");
        let whole = if collection == "wide" { 10 } else { 26 };
        let told = [format!("d: Ensure that there are no more than {whole} digits before the decimal point.")];
        assert_eq!(admin.post(&list, &json!({"d": value})).await.faults(), told, "{value}");
        let faults = admin.post(&list, &json!([{"d": "1"}, {"d": value}])).await.faults();
        assert_eq!(faults, [format!("1.{}", told[0])]);
        let record = admin.record(collection, json!({"d": "1"})).await;
        assert_eq!(admin.patch(&path(collection, &record), &json!({"d": value})).await.faults(), told);
        assert_eq!(admin.put(&path(collection, &record), &json!({"d": value})).await.faults(), told);
        let places = if collection == "wide" { 18 } else { 2 };
        let default =
            json!({"name": "x", "fields": [{"name": "d", "type": "decimal", "places": places, "default": value}]});
        assert_eq!(
            admin.post("/api/collections/", &default).await.faults()[0],
            format!("fields.0.default{}", &told[0][1..])
        );
    }
    let most = "9".repeat(26);
    let record = admin.record("money", json!({"d": most})).await;
    assert_eq!(record["d"], format!("{most}.00"));
    admin.put(&path("money", &record), &record).await.is(200);
    assert_eq!(admin.get("/api/records/money/?d__lt=0").await.is(200)["count"], 0);
}

#[tokio::test]
async fn filters_hold_commas_repeat_and_may_be_empty() {
    let (_coffer, admin) = Coffer::with_admin().await;
    things(&admin).await;
    for (title, size, tags) in [
        ("a,b", "s", json!(["a"])),
        ("a", "m", json!(["b"])),
        ("b", "a,b", json!(["a", "b"])),
        ("say \"hi\"", "1", json!([])),
    ] {
        admin.record("things", json!({"title": title, "size": size, "tags": tags, "mail": ""})).await;
    }
    let titles = async |query: &str| {
        let found = admin.column(&format!("{THINGS}?{query}"), "title").await;
        found.iter().map(|title| title.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("title__in=a%2Cb").await, ["a", "b"]);
    assert_eq!(titles("title__in=%22a%2Cb%22").await, ["a,b"]);
    assert_eq!(titles("title__in=%22a%2Cb%22%2Cb").await, ["a,b", "b"]);
    assert_eq!(titles("title__in=%22say%20%22%22hi%22%22%22").await, ["say \"hi\""]);
    assert_eq!(titles("title__range=%22a%2Ca%22,b").await, ["a,b", "b"]);
    assert_eq!(titles("size__in=%22a%2Cb%22").await, ["b"]);
    // Repeated: either, of which lists are made; neither; and once for bounds.
    assert_eq!(titles("title=a&title=b").await, ["a", "b"]);
    assert_eq!(titles("title__in=a&title__in=b").await, ["a", "b"]);
    assert_eq!(titles("title__icontains=SAY&title__icontains=B").await, ["a,b", "b", "say \"hi\""]);
    assert_eq!(titles("tags=a&tags=b").await, ["a,b", "a", "b"]);
    assert_eq!(titles("title__ne=a&title__ne=b").await, ["a,b", "say \"hi\""]);
    assert_eq!(titles("title=a&title=b&size=m").await, ["a"]);
    for bound in [
        "title__gt=a&title__gt=b",
        "count__lte=1&count__lte=1",
        "title__range=a,b&title__range=c,d",
        "count__isnull=true&count__isnull=true",
    ] {
        let faults = admin.get(&format!("{THINGS}?{bound}")).await.faults();
        assert!(faults[0].ends_with("This parameter stands twice."), "{bound}: {faults:?}");
    }
    // A range may begin at the empty text, and U+0000 is in none.
    assert_eq!(titles("title__range=,a").await, ["a"]);
    assert_eq!(titles("title__range=b,").await, [""; 0]);
    for query in ["title=%00", "title__contains=a%00", "search=%00", "search=a%00b"] {
        let faults = admin.get(&format!("{THINGS}?{query}")).await.faults();
        assert!(faults[0].ends_with(": Null characters are not allowed."), "{query}: {faults:?}");
    }
    for wrong in ["size=xl", "size__in=s,xl", "size__ne=xl", "tags=z"] {
        assert_eq!(admin.get(&format!("{THINGS}?{wrong}")).await.faults().len(), 1, "{wrong}");
    }
    // An input that nobody filled in asks for nothing.
    for empty in [
        "title=",
        "price=",
        "price__gte=&day=",
        "size=&tags=",
        "title__in=",
        "at__isnull=",
        "other=",
        "search=",
        "ordering=",
    ] {
        assert_eq!(titles(empty).await.len(), 4, "{empty}");
    }
    admin.get(&format!("{THINGS}?zzz=")).await.refused(400);
    assert_eq!(titles("mail__exact=").await.len(), 4);
    assert_eq!(titles("title__exact=").await.len(), 0);
    assert_eq!(titles("price__isnull=true").await.len(), 4);
    admin.get(&format!("{THINGS}?price__exact=")).await.refused(400);
    // Spaces around a filter's value are not meant, as in Django's forms.
    for spaced in ["title=%20a%20", "title__iexact=A%20", "title__in=b,%20a", "title__startswith=%09a"] {
        assert_eq!(titles(spaced).await, titles(&spaced.replace("%20", "").replace("%09", "")).await, "{spaced}");
    }
    // Quotation marks that are none are a part of the value.
    assert_eq!(titles("title__in=%22a").await.len(), 0);
}
