//! `/api/records/{collection}/` and one record: what is taken, what is refused with which words, and what an entity tag is for.

use common::{
    Call,
    endpoint::EndpointInfo,
    endpoints::records,
    id::Revision,
    record::{OneOrMany, Record},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, schema::Judge, text};

const SNACKS: &str = "/api/records/snacks/";

async fn with_snacks(fields: Value) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", fields).await;
    (coffer, admin)
}

fn title_and_price() -> Value {
    json!([{"name": "title", "type": "text", "required": true, "unique": true}, {"name": "price", "type": "integer", "default": 1}])
}

/// A request with one more header and perhaps a body.
async fn with_header(
    client: &Client,
    method: Method,
    path: &str,
    (name, value): (&str, &str),
    body: Option<Value>,
) -> Answer {
    let mut request = client.request(method, path).header(name, value);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Answer::of(request).await
}

#[tokio::test]
async fn a_record_lives_from_post_to_delete() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let collection: common::name::CollectionName = "snacks".parse().unwrap();
    let mut body = Record::default();
    body.set("title", "Popcorn");
    let made = admin.send(Call::<records::Create>::new((collection.clone(),), OneOrMany::One(body))).await.unwrap();
    let OneOrMany::One(record) = made.body else { panic!("one makes one") };
    let id = record.id().unwrap();
    assert_eq!(
        (record.get("price"), record.revision(), record.owner()),
        (Some(&json!(1)), made.etag, Some(admin.id.parse().unwrap()))
    );
    let members: Vec<&String> = record.as_object().keys().collect();
    assert_eq!(members, ["id", "title", "price", "owner", "created_at", "updated_at", "revision"]);

    let seen = admin.send(Call::<records::Get>::new((collection.clone(), id), ())).await.unwrap();
    assert_eq!((&seen.body, seen.etag), (&record, made.etag));
    let mut patch = Record::default();
    patch.set("price", 5);
    let changed = admin.send(Call::<records::Update>::new((collection.clone(), id), patch)).await.unwrap();
    assert_eq!((changed.body.get("title"), changed.body.get("price")), (Some(&json!("Popcorn")), Some(&json!(5))));
    assert!(changed.etag > made.etag && changed.body.get("updated_at") != record.get("updated_at"));
    assert_eq!(changed.body.get("created_at"), record.get("created_at"));

    let mut whole = Record::default();
    whole.set("title", "Crisps");
    let replaced = admin.send(Call::<records::Replace>::new((collection.clone(), id), whole)).await.unwrap();
    assert_eq!(replaced.body.get("price"), Some(&json!(1)), "PUT resets what it leaves out");
    admin.send(Call::<records::Delete>::new((collection.clone(), id), ())).await.unwrap();
    let gone = admin.send(Call::<records::Get>::new((collection, id), ())).await.unwrap_err();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn location_and_entity_tag_belong_to_the_new_record() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let answer = admin.post(SNACKS, &json!({"title": "Popcorn"})).await;
    let record = answer.is(201);
    assert_eq!(answer.header("location"), format!("{}{}", admin.base, path("snacks", &record)));
    assert_eq!(answer.header("etag"), format!("\"{}\"", record["revision"]));
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    // The record under that address is the same to the byte.
    assert_eq!(admin.get(&path("snacks", &record)).await.body, answer.body);
}

#[tokio::test]
async fn what_is_current_is_not_sent_again() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let (address, tag) = (path("snacks", &record), format!("\"{}\"", record["revision"]));
    for known in [tag.clone(), format!("\"1\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        let answer = with_header(&admin, Method::GET, &address, ("if-none-match", &known), None).await;
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, tag.as_str()), "{known}");
    }
    for other in ["\"1\"", "1", "", "garbage"] {
        assert_eq!(
            with_header(&admin, Method::GET, &address, ("if-none-match", other), None).await.status,
            200,
            "{other}"
        );
    }
    admin.patch(&address, &json!({"price": 2})).await.is(200);
    with_header(&admin, Method::GET, &address, ("if-none-match", &tag), None).await.is(200);
}

#[tokio::test]
async fn d4_a_stale_revision_changes_nothing() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let address = path("snacks", &record);
    let old = Revision(record["revision"].as_u64().unwrap());
    let body = json!({"title": "Popcorn", "price": 2, "revision": old.0});
    let new = Revision(admin.patch(&address, &body).await.is(200)["revision"].as_u64().unwrap());
    let change = || Some(json!({"title": "Crisps"}));
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        for tag in [old.etag(), format!("W/{}", new.etag()), new.0.to_string(), "garbage".to_owned(), String::new()] {
            let body = if method == Method::DELETE { None } else { change() };
            let refused = with_header(&admin, method.clone(), &address, ("if-match", &tag), body).await;
            assert_eq!(refused.refused(412).code, "stale", "{method} {tag}");
        }
    }
    for method in [Method::PATCH, Method::PUT] {
        let stale = json!({"title": "Crisps", "revision": old.0});
        admin.json(method.clone(), &address, &stale).await.refused(412);
        let odd = json!({"title": "Crisps", "revision": "one"});
        assert_eq!(admin.json(method, &address, &odd).await.faults(), ["revision: A valid integer is required."]);
        // Both are asked for: a good body does not make a stale header good.
        let body = Some(json!({"title": "Crisps", "revision": new.0}));
        with_header(&admin, Method::PATCH, &address, ("if-match", &old.etag()), body).await.refused(412);
    }
    // A create never changes a record that is there.
    for tag in ["*", &new.etag(), &format!("\"1\", W/{}", new.etag())] {
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let body = if method == Method::DELETE { None } else { change() };
            with_header(&admin, method, &address, ("if-none-match", tag), body).await.refused(412);
        }
    }
    let not_text = admin.request(Method::DELETE, &address).header("if-match", &b"\xff"[..]);
    Answer::of(not_text).await.refused(412);
    assert_eq!(admin.get(&address).await.is(200)["revision"], new.0);
    let several = format!("{}, {}", old.etag(), new.etag());
    with_header(&admin, Method::PATCH, &address, ("if-match", &several), change()).await.is(200);
    with_header(&admin, Method::PUT, &address, ("if-match", "*"), change()).await.is(200);
    let last = admin.get(&address).await.header("etag").to_owned();
    with_header(&admin, Method::DELETE, &address, ("if-match", &last), None).await.is(204);
    with_header(&admin, Method::DELETE, &address, ("if-match", "*"), None).await.refused(404);
}

#[tokio::test]
async fn a_write_that_changes_nothing_keeps_the_revision() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn", "price": 3})).await;
    let address = path("snacks", &record);
    // Everything that was read may be sent back as it is.
    assert_eq!(admin.put(&address, &record).await.is(200), record);
    assert_eq!(admin.patch(&address, &record).await.is(200), record);
    assert_eq!(admin.patch(&address, &json!({})).await.is(200), record);
}

#[tokio::test]
async fn d2_members_of_the_server_cannot_be_set() {
    let (coffer, admin) = with_snacks(title_and_price()).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let record = ulla.record("snacks", json!({"title": "Popcorn"})).await;
    let at = path("snacks", &record);
    for (name, value) in [
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("updated_at", json!("2020-01-01T00:00:00Z")),
        ("owner", Value::Null),
        ("owner", json!(ulla.id)),
    ] {
        let body = json!({"title": "Popcorn", name: value});
        assert_eq!(ulla.put(&at, &body).await.is(200), record, "{body}");
        assert_eq!(ulla.patch(&at, &body).await.is(200), record, "{body}");
    }
    for (name, value) in [("id", json!("01920000-0000-7000-8000-000000000001")), ("owner", json!(admin.id))] {
        let body = json!({"title": "Popcorn", name: value});
        assert_eq!(ulla.put(&at, &body).await.faults().len(), 1, "{body}");
        assert_eq!(ulla.patch(&at, &body).await.faults().len(), 1, "{body}");
    }
    let id = json!("01920000-0000-7000-8000-000000000001");
    let made = ulla.record("snacks", json!({"title": "x", "revision": 1, "id": id, "created_at": null})).await;
    assert!(made["id"] != id && made["revision"] != 1 && made["created_at"].is_string());
    assert_eq!(admin.get(&at).await.is(200), record);
}

#[tokio::test]
async fn faults_are_told_in_the_words_that_clients_know() {
    let fields = json!([
        {"name": "t", "type": "text", "required": true, "min_length": 2, "max_length": 4, "pattern": "[a-z]+"},
        {"name": "i", "type": "integer", "min": 1, "max": 9, "default": 1},
        {"name": "d", "type": "decimal", "places": 2, "min": "0.5", "max": "9.5", "default": "1"},
        {"name": "b", "type": "boolean"},
        {"name": "day", "type": "date"},
        {"name": "at", "type": "datetime"},
        {"name": "mail", "type": "email"},
        {"name": "link", "type": "url"},
        {"name": "c", "type": "choice", "choices": ["x", "y"]},
        {"name": "cs", "type": "choice", "choices": ["x", "y"], "many": true, "required": true},
        {"name": "r", "type": "reference", "collection": "snacks"},
        {"name": "j", "type": "json", "max_bytes": 9},
    ]);
    let (_coffer, admin) = with_snacks(fields).await;
    let number = "A valid integer is required.";
    let date = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
    let datetime =
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    for (name, value, message) in [
        ("t", json!(null), "This field may not be null."),
        ("t", json!(""), "This field may not be blank."),
        ("t", json!("  \t"), "This field may not be blank."),
        ("t", json!(true), "Not a valid string."),
        ("t", json!([]), "Not a valid string."),
        ("t", json!("a"), "Ensure this field has at least 2 characters."),
        ("t", json!("abcde"), "Ensure this field has no more than 4 characters."),
        ("t", json!("ab1"), "This value does not match the required pattern."),
        ("t", json!("a\u{0}b"), "Null characters are not allowed."),
        ("i", json!(0), "Ensure this value is greater than or equal to 1."),
        ("i", json!(10), "Ensure this value is less than or equal to 9."),
        ("i", json!("x"), number),
        ("i", json!(1.5), number),
        ("i", json!(true), number),
        ("i", json!(null), "This field may not be null."),
        ("d", json!("0.49"), "Ensure this value is greater than or equal to 0.5."),
        ("d", json!("9.51"), "Ensure this value is less than or equal to 9.5."),
        ("d", json!("1.001"), "Ensure that there are no more than 2 decimal places."),
        ("d", json!("1e2"), "Ensure this value is less than or equal to 9.5."),
        ("d", json!("NaN"), "A valid number is required."),
        ("d", json!("12345678901234567890123456789"), "Ensure that there are no more than 28 digits in total."),
        ("b", json!("maybe"), "Must be a valid boolean."),
        ("b", json!(2), "Must be a valid boolean."),
        ("day", json!("2023-02-29"), date),
        ("day", json!(20_240_101), date),
        ("at", json!("2024-01-01T25:00:00Z"), datetime),
        ("at", json!("yesterday"), datetime),
        ("mail", json!("ada@local"), "Enter a valid email address."),
        ("link", json!("javascript:alert(1)"), "Enter a valid URL."),
        ("link", json!("//x"), "Enter a valid URL."),
        ("c", json!("z"), "\"z\" is not a valid choice."),
        ("c", json!(3), "\"3\" is not a valid choice."),
        ("cs", json!([]), "This selection may not be empty."),
        ("cs", json!("x"), "Expected a list of items but got type \"str\"."),
        ("cs", json!(["x", "z"]), "\"z\" is not a valid choice."),
        ("r", json!(7), "Incorrect type. Expected pk value, received int."),
        ("r", json!("7"), "Invalid pk \"7\" - object does not exist."),
        ("j", json!({"a": "b", "c": 1}), "Ensure this value takes no more than 9 bytes as JSON."),
        ("zzz", json!(1), "There is no field of this name."),
    ] {
        let mut body = json!({"t": "ab", "cs": ["x"]});
        body[name] = value.clone();
        let answer = admin.post(SNACKS, &body).await;
        assert_eq!(answer.faults(), [format!("{name}: {message}")], "{value}");
        let problem = answer.problem();
        assert_eq!((problem.code.as_ref(), problem.detail), ("invalid", format!("{name}: {message}")));
    }
    let faults = admin.post(SNACKS, &json!({"i": "x", "b": 3})).await.faults();
    assert_eq!(
        faults,
        [
            "b: Must be a valid boolean.",
            "cs: This field is required.",
            "i: A valid integer is required.",
            "t: This field is required.",
        ]
    );
    assert_eq!(admin.get(SNACKS).await.is(200)["count"], 0);
}

#[tokio::test]
async fn values_are_kept_exactly_and_in_one_form() {
    let fields = json!([
        {"name": "i", "type": "integer"}, {"name": "d", "type": "decimal"}, {"name": "m", "type": "decimal", "places": 2},
        {"name": "at", "type": "datetime"}, {"name": "j", "type": "json"}, {"name": "cs", "type": "choice", "choices": ["x", "y"], "many": true},
    ]);
    let (_coffer, admin) = with_snacks(fields).await;
    for (name, sent, kept) in [
        ("i", json!(9_007_199_254_740_992_i64), json!(9_007_199_254_740_992_i64)),
        ("i", json!(-9_007_199_254_740_992_i64), json!(-9_007_199_254_740_992_i64)),
        ("d", json!("0.1000"), json!("0.1")),
        ("d", json!("1234567890123456789012345678"), json!("1234567890123456789012345678")),
        ("d", json!("-0.000000000000000000000000001"), json!("-0.000000000000000000000000001")),
        ("d", json!(0.1), json!("0.1")),
        ("m", json!("3"), json!("3.00")),
        ("m", json!(2.5), json!("2.50")),
        ("at", json!("2024-01-01T01:00:00+01:00"), json!("2024-01-01T00:00:00Z")),
        ("at", json!("2024-01-01 00:00"), json!("2024-01-01T00:00:00Z")),
        ("at", json!("2024-01-01T00:00:00.120000Z"), json!("2024-01-01T00:00:00.120000Z")),
        ("j", json!({"b": [1, {"a": null}], "a": 1.25, "": "é"}), json!({"b": [1, {"a": null}], "a": 1.25, "": "é"})),
        ("cs", json!(["y", "x", "y"]), json!(["y", "x"])),
    ] {
        let record = admin.record("snacks", json!({name: sent})).await;
        assert_eq!(record[name], kept, "{sent}");
        assert_eq!(admin.get(&path("snacks", &record)).await.is(200)[name], kept, "{sent}");
    }
    let answer = admin.raw(Method::POST, SNACKS, "application/json", "{\"j\":1e400}").await;
    assert_eq!(answer.refused(400).code, "parse_error");
}

#[tokio::test]
async fn an_array_is_created_whole_or_not_at_all() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let rows = |n: usize, prefix: &str| (0..n).map(|n| json!({"title": format!("{prefix} {n}")})).collect::<Vec<_>>();
    let made = admin.post(SNACKS, &json!(rows(1000, "first"))).await;
    let made = made.is(201);
    assert_eq!(made.as_array().unwrap().len(), 1000);
    assert!(made.as_array().unwrap().iter().all(|record| record["revision"] == made[0]["revision"]), "one commit");
    let count = async || admin.get("/api/collections/snacks/").await.is(200)["count"].clone();
    assert_eq!(count().await, 1000);

    let refused = admin.post(SNACKS, &json!(rows(1001, "second"))).await.faults();
    assert_eq!(refused, ["non_field_errors: Ensure this list has no more than 1000 records; this one has 1001."]);
    let mut one_bad = rows(999, "third");
    one_bad.push(json!({"title": "x", "price": "cheap"}));
    one_bad[17] = json!({"zzz": 1});
    one_bad[18] = json!("no record");
    let refused = admin.post(SNACKS, &json!(one_bad)).await.faults();
    assert_eq!(refused, ["18.non_field_errors: Invalid data. Expected a dictionary, but got str."]);
    one_bad[18] = json!({"title": "y"});
    let refused = admin.post(SNACKS, &json!(one_bad)).await.faults();
    assert_eq!(
        refused,
        [
            "17.title: This field is required.",
            "17.zzz: There is no field of this name.",
            "999.price: A valid integer is required.",
        ]
    );
    let mut one_taken = rows(10, "fourth");
    one_taken[3] = json!({"title": "first 999"});
    let refused = admin.post(SNACKS, &json!(one_taken)).await.refused(409);
    assert_eq!(
        (refused.code.as_ref(), refused.errors.messages("3.title").next()),
        ("unique", Some("This field must be unique."))
    );
    let mut twins = rows(10, "fifth");
    twins[9] = twins[2].clone();
    let refused = admin.post(SNACKS, &json!(twins)).await.refused(409);
    assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["9.title"]);
    assert_eq!(count().await, 1000);
    for prefix in ["second", "third", "fourth", "fifth"] {
        assert!(admin.column(&format!("{SNACKS}?title__startswith={prefix}"), "id").await.is_empty());
    }
    assert_eq!(admin.post(SNACKS, &json!([])).await.is(201), json!([]));
    assert_eq!(count().await, 1000);
}

#[tokio::test]
async fn a_unique_value_is_free_again_when_its_record_lets_go_of_it() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let one = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let two = admin.record("snacks", json!({"title": "Crisps"})).await;
    let refused = admin.patch(&path("snacks", &two), &json!({"title": "Popcorn"})).await.refused(409);
    assert_eq!(refused.errors.messages("title").next(), Some("This field must be unique."));
    admin.patch(&path("snacks", &one), &json!({"title": "Nuts"})).await.is(200);
    admin.patch(&path("snacks", &two), &json!({"title": "Popcorn"})).await.is(200);
    admin.patch(&path("snacks", &one), &json!({"title": "Crisps"})).await.is(200);
    admin.delete(&path("snacks", &two)).await.is(204);
    admin.record("snacks", json!({"title": "Popcorn"})).await;
}

#[tokio::test]
async fn null_is_no_unique_value_and_forms_that_are_equal_are() {
    let fields = json!([{"name": "code", "type": "decimal", "unique": true}, {"name": "at", "type": "datetime", "unique": true}]);
    let (_coffer, admin) = with_snacks(fields).await;
    admin.record("snacks", json!({})).await;
    admin.record("snacks", json!({"code": null})).await;
    admin.record("snacks", json!({"code": "1.50", "at": "2024-01-01T01:00:00+01:00"})).await;
    admin.post(SNACKS, &json!({"code": "1.5"})).await.refused(409);
    admin.post(SNACKS, &json!({"at": "2024-01-01T00:00:00.000Z"})).await.refused(409);
}

#[tokio::test]
async fn a_version_is_put_back_from_the_history() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let first = admin.record("snacks", json!({"title": "Popcorn", "price": 3})).await;
    let address = path("snacks", &first);
    let second = admin.patch(&address, &json!({"title": "Crisps"})).await.is(200);
    let restore =
        async |revision: &Value| admin.post(&format!("{address}history/{revision}/restore/"), &json!({})).await;
    let back = restore(&first["revision"]).await;
    assert_eq!(text(&back.is(200), "title"), "Popcorn");
    assert_eq!(back.header("etag"), format!("\"{}\"", back.is(200)["revision"]));
    assert!(back.is(200)["revision"].as_u64() > second["revision"].as_u64());

    let conditional = async |revision: &Value, tag: String| {
        let address = format!("{address}history/{revision}/restore/");
        Answer::of(
            admin
                .request(Method::POST, &address)
                .header("if-match", tag)
                .header("content-type", "application/json")
                .body("{}"),
        )
        .await
    };
    conditional(&second["revision"], format!("\"{}\"", first["revision"])).await.refused(412);
    conditional(&second["revision"], format!("\"0\", \"{}\"", back.is(200)["revision"])).await.is(200);

    admin.delete(&address).await.is(204);
    conditional(&second["revision"], format!("\"{}\"", second["revision"])).await.refused(412);
    conditional(&second["revision"], "*".to_owned()).await.refused(412);
    let revived = restore(&second["revision"]).await.is(200);
    assert_eq!((text(&revived, "title"), &revived["price"]), ("Crisps".to_owned(), &json!(3)));
    for member in ["id", "owner", "created_at"] {
        assert_eq!(revived[member], first[member]);
    }
    assert_eq!(admin.get(&address).await.is(200), revived);
    assert_eq!(admin.get("/api/collections/snacks/").await.is(200)["count"], 1);
    assert_eq!(admin.column(&format!("{SNACKS}?title=Crisps"), "id").await, [first["id"].clone()]);

    // Its place has been taken meanwhile.
    admin.delete(&address).await.is(204);
    admin.record("snacks", json!({"title": "Crisps"})).await;
    restore(&second["revision"]).await.refused(409);
    admin.get(&address).await.refused(404);
    for none in ["1", "0", "99999999", "18446744073709551615"] {
        restore(&none.parse().unwrap()).await.refused(404);
    }
    for odd in ["-1", "x", "01x", "18446744073709551616"] {
        admin.post(&format!("{address}history/{odd}/restore/"), &json!({})).await.refused(404);
    }
}

#[tokio::test]
async fn options_tells_what_the_records_look_like() {
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true, "min_length": 1, "max_length": 9, "help": "As on the bag."},
        {"name": "best_before", "type": "date", "nullable": true},
        {"name": "price", "type": "decimal", "places": 2, "min": "0", "max": "9"},
        {"name": "kind", "type": "choice", "choices": ["nut"], "default": "nut"},
        {"name": "tags", "type": "choice", "choices": ["a"], "many": true},
        {"name": "stock", "type": "integer", "min": 0, "max": 3},
        {"name": "like", "type": "reference", "collection": "snacks", "on_delete": "cascade"},
    ]);
    let (coffer, admin) = with_snacks(fields).await;
    admin
        .patch("/api/collections/snacks/", &json!({"description": "Bags.", "access": {"create": ["nobody"]}}))
        .await
        .is(200);
    let answer = Answer::of(admin.request(Method::OPTIONS, SNACKS)).await;
    let metadata = answer.is(200);
    let judge = Judge::of_response(&EndpointInfo::of::<records::Describe>()).unwrap();
    assert_eq!(judge.faults(&metadata), None, "{metadata}");
    let mut other = metadata.clone();
    other["actions"]["POST"]["title"]["type"] = json!("text");
    assert!(judge.faults(&other).is_some(), "the schema says what there is");
    assert_eq!((text(&metadata, "name"), text(&metadata, "description")), ("Snacks".to_owned(), "Bags.".to_owned()));
    assert_eq!(
        (&metadata["renders"], &metadata["parses"]),
        (&json!(["application/json"]), &json!(["application/json"]))
    );
    let post = metadata["actions"]["POST"].as_object().unwrap();
    let names: Vec<&String> = post.keys().collect();
    assert_eq!(
        names,
        [
            "id",
            "title",
            "best_before",
            "price",
            "kind",
            "tags",
            "stock",
            "like",
            "owner",
            "created_at",
            "updated_at",
            "revision"
        ]
    );
    for (field, members) in [
        ("id", json!({"type": "string", "read_only": true, "required": false})),
        (
            "title",
            json!({"type": "string", "required": true, "read_only": false, "label": "Title", "min_length": 1, "max_length": 9, "unique": true, "help_text": "As on the bag."}),
        ),
        ("best_before", json!({"type": "date", "required": false, "allow_null": true, "label": "Best before"})),
        ("price", json!({"type": "decimal", "min_value": "0", "max_value": "9", "decimal_places": 2})),
        ("kind", json!({"type": "choice", "default": "nut", "choices": [{"value": "nut", "display_name": "nut"}]})),
        ("tags", json!({"type": "multiple choice"})),
        ("stock", json!({"type": "integer", "min_value": 0, "max_value": 3})),
        ("like", json!({"type": "field", "collection": "snacks", "on_delete": "cascade"})),
    ] {
        for (member, value) in members.as_object().unwrap() {
            assert_eq!(&post[field][member], value, "{field}.{member} in {}", post[field]);
        }
    }
    assert!(metadata["actions"]["PUT"].is_object());
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let hers = Answer::of(ulla.request(Method::OPTIONS, SNACKS)).await.is(200);
    assert_eq!(
        hers["actions"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["PUT"],
        "she may create none, and change her own"
    );
    Answer::of(coffer.stranger().request(Method::OPTIONS, SNACKS)).await.refused(401);
}
