//! What is written: faults in the words that clients know, values as they are kept, arrays, unique values.

use super::*;

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
        ("r", json!(true), "Incorrect type. Expected pk value, received bool."),
        ("r", json!(7), "Invalid pk \"7\" - object does not exist."),
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
