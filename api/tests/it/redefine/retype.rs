//! A change of a field's type can be undone after records were written: what was not changed in the field is as it was, what was changed and
//! fits is carried back, and only what would be lost holds the undoing back.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

const ADDRESS: &str = "/api/collections/rows/";
const FIELD: &str = "/api/collections/rows/fields/f/";

/// A collection with a field, and a record for each value.
async fn rows(admin: &Client, field: Value, given: &[Value]) -> Vec<Value> {
    let mut field = field;
    field["name"] = json!("f");
    admin.collection("rows", json!([field, {"name": "other", "type": "text"}])).await;
    let mut made = Vec::new();
    for value in given {
        made.push(admin.record("rows", json!({"f": value})).await);
    }
    made
}

async fn values(admin: &Client, made: &[Value]) -> Vec<Value> {
    let mut values = Vec::new();
    for record in made {
        values.push(admin.get(&path("rows", record)).await.is(200)["f"].clone());
    }
    values
}

fn undo(changed: &Answer, how: &str) -> String {
    format!("/api/changes/{}/revert/{how}", changed.header("operation"))
}

async fn revert(admin: &Client, changed: &Answer) -> Answer {
    let reverted = admin.post(&undo(changed, ""), &json!({})).await;
    assert_eq!(reverted.status, 200, "{}", reverted.text());
    reverted
}

/// What no change of a definition changes of a record.
async fn frame(admin: &Client, record: &Value) -> Value {
    let now = admin.get(&path("rows", record)).await.is(200);
    let history = admin.get(&format!("{}history/", path("rows", record))).await.is(200);
    json!([now["revision"], now["updated_at"], history["results"].as_array().unwrap().len()])
}

#[tokio::test]
async fn what_loses_nothing_goes_back_also_after_records_were_written() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([])).await;
    let maker = admin.record("makers", json!({})).await["id"].clone();
    let one = json!({"type": "reference", "collection": "makers", "nullable": true});
    let choice = |many: bool| json!({"type": "choice", "choices": ["a", "b"], "many": many});
    for (from, to, given, written, back) in [
        (
            json!({"type": "date"}),
            json!({"type": "datetime"}),
            json!("2024-02-29"),
            json!("2024-03-01T00:00:00Z"),
            json!("2024-03-01"),
        ),
        (
            json!({"type": "date"}),
            json!({"type": "text"}),
            json!("2024-02-29"),
            json!("2024-03-01"),
            json!("2024-03-01"),
        ),
        (
            json!({"type": "datetime"}),
            json!({"type": "text"}),
            json!("2024-02-29T12:00:00Z"),
            json!("2024-03-01T00:00:00Z"),
            json!("2024-03-01T00:00:00Z"),
        ),
        (json!({"type": "integer"}), json!({"type": "text"}), json!(3), json!("12"), json!(12)),
        (json!({"type": "integer"}), json!({"type": "decimal", "places": 2}), json!(3), json!("5.00"), json!(5)),
        (json!({"type": "integer"}), json!({"type": "json"}), json!(3), json!(5), json!(5)),
        (json!({"type": "decimal", "places": 2}), json!({"type": "text"}), json!("1.50"), json!("7.25"), json!("7.25")),
        (json!({"type": "boolean"}), json!({"type": "text"}), json!(true), json!("false"), json!(false)),
        (json!({"type": "boolean"}), json!({"type": "integer"}), json!(true), json!(0), json!(false)),
        (json!({"type": "text"}), json!({"type": "json"}), json!("a"), json!("b"), json!("b")),
        (json!({"type": "text"}), json!({"type": "integer"}), json!("3"), json!(7), json!("7")),
        (
            json!({"type": "text"}),
            json!({"type": "date"}),
            json!("2024-02-29"),
            json!("2024-03-01"),
            json!("2024-03-01"),
        ),
        (
            json!({"type": "email"}),
            json!({"type": "text"}),
            json!("a@example.org"),
            json!("b@example.org"),
            json!("b@example.org"),
        ),
        (choice(false), choice(true), json!("a"), json!(["b"]), json!("b")),
        (choice(true), json!({"type": "json"}), json!(["a", "b"]), json!(["b"]), json!(["b"])),
        (choice(false), json!({"type": "text"}), json!("a"), json!("b"), json!("b")),
        (
            one.clone(),
            json!({"type": "reference", "collection": "makers", "many": true, "nullable": null}),
            maker.clone(),
            json!([]),
            json!(null),
        ),
    ] {
        let made = rows(&admin, from.clone(), &vec![given.clone(); 3]).await;
        let untouched = frame(&admin, &made[2]).await;
        let retyped = admin.patch(FIELD, &to).await;
        retyped.is(200);
        // Another field is written, and this one.
        admin.patch(&path("rows", &made[0]), &json!({"other": "x"})).await.is(200);
        admin.patch(&path("rows", &made[1]), &json!({"f": written})).await.is(200);
        let touched = frame(&admin, &made[0]).await;
        revert(&admin, &retyped).await;
        assert_eq!(values(&admin, &made).await, [given.clone(), back, given.clone()], "{from} to {to}");
        assert_eq!(frame(&admin, &made[0]).await, touched);
        assert_eq!(frame(&admin, &made[2]).await, untouched);
        admin.delete(ADDRESS).await.is(204);
    }
}

#[tokio::test]
async fn what_was_lost_by_converting_comes_back_and_no_record_is_changed_for_it() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for (from, to, given) in [
        (json!({"type": "datetime"}), json!({"type": "date", "convert": "date"}), json!("2024-02-29T12:30:00Z")),
        (json!({"type": "text", "multiline": true}), json!({"convert": ["trim", "lower"]}), json!("Some WORDS ")),
        (
            json!({"type": "text"}),
            json!({"type": "integer", "nullable": true, "convert": ["number", "null"]}),
            json!("dear"),
        ),
        (
            json!({"type": "decimal", "places": 2}),
            json!({"type": "integer", "indexed": true, "convert": "round"}),
            json!("1.50"),
        ),
        (
            json!({"type": "choice", "choices": ["a", "b"], "many": true}),
            json!({"many": false, "convert": "first"}),
            json!(["b", "a"]),
        ),
        (json!({"type": "json"}), json!({"type": "text", "unique": true, "convert": "text"}), json!({"a": [1.50]})),
    ] {
        let given = vec![given];
        let made = rows(&admin, from.clone(), &given).await;
        let converted = admin.patch(FIELD, &to).await;
        converted.is(200);
        let lossy = values(&admin, &made).await;
        assert_ne!(lossy, given);
        for other in ["x", "y"] {
            admin.patch(&path("rows", &made[0]), &json!({"other": other})).await.is(200);
        }
        let touched = frame(&admin, &made[0]).await;
        let undone = revert(&admin, &converted).await;
        assert_eq!(values(&admin, &made).await, given, "{from} to {to}");
        assert_eq!(frame(&admin, &made[0]).await, touched, "{from} to {to}");
        // What it was meanwhile stays in its history.
        let history = admin.get(&format!("{}history/", path("rows", &made[0]))).await.is(200);
        assert_eq!(
            (&history["results"][0]["after"]["f"], &history["results"][2]["after"]["f"]),
            (&lossy[0], &given[0])
        );
        // There and back again, with a write of another field between.
        let again = revert(&admin, &undone).await;
        assert_eq!(values(&admin, &made).await, lossy);
        admin.patch(&path("rows", &made[0]), &json!({"other": "z"})).await.is(200);
        revert(&admin, &again).await;
        assert_eq!(values(&admin, &made).await, given);
        admin.delete(ADDRESS).await.is(204);
    }
}

#[tokio::test]
async fn only_what_would_be_lost_holds_an_undoing_back() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let given = json!("2024-02-29");
    let made = rows(&admin, json!({"type": "date", "nullable": true}), &vec![given.clone(); 3]).await;
    let retyped = admin.patch(FIELD, &json!({"type": "datetime"})).await;
    retyped.is(200);
    admin.patch(&path("rows", &made[0]), &json!({"f": "2024-03-01T10:00:00Z"})).await.is(200);
    admin.patch(&path("rows", &made[1]), &json!({"f": "2024-03-01T00:00:00Z"})).await.is(200);
    let refused = admin.post(&undo(&retyped, ""), &json!({})).await.refused(409);
    assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("changed_since", &json!(1)));
    assert_eq!(refused.extra["examples"][0]["id"], made[0]["id"]);
    // Left as it is, the field keeps its type.
    let skipped = admin.post(&undo(&retyped, "?changed=skip"), &json!({})).await.is(200);
    assert_eq!(skipped["skipped"], 1, "{skipped}");
    assert_eq!(admin.get(ADDRESS).await.is(200)["fields"][0]["type"], "datetime");
    assert_eq!(values(&admin, &made).await[0], "2024-03-01T10:00:00Z");
    // What goes back is what there was before; what fits is kept.
    admin.post(&undo(&retyped, "?changed=overwrite"), &json!({})).await.is(200);
    assert_eq!(values(&admin, &made).await, [given.clone(), json!("2024-03-01"), given]);
}

#[tokio::test]
async fn conversions_are_not_undone_in_the_order_in_which_they_were_done() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let given = vec![json!("  Some WORDS ")];
    let made = rows(&admin, json!({"type": "text", "multiline": true}), &given).await;
    for is_written in [false, true] {
        let first = admin.patch(FIELD, &json!({"convert": "lower"})).await;
        let second = admin.patch(FIELD, &json!({"convert": "trim"})).await;
        assert_eq!(values(&admin, &made).await, ["some words"]);
        if is_written {
            admin.patch(&path("rows", &made[0]), &json!({"other": "x"})).await.is(200);
        }
        let refused = admin.post(&undo(&first, ""), &json!({})).await.refused(409);
        assert_eq!((refused.code.as_ref(), &refused.extra["count"]), ("changed_since", &json!(1)));
        assert_eq!(refused.extra["examples"][0]["reason"], "changed");
        assert_eq!(admin.post(&undo(&first, "?changed=skip"), &json!({})).await.is(200)["skipped"], 1);
        assert_eq!(values(&admin, &made).await, ["some words"]);
        revert(&admin, &second).await;
        assert_eq!(values(&admin, &made).await, ["  some words "]);
        revert(&admin, &first).await;
        assert_eq!(values(&admin, &made).await, given, "{is_written}");
    }
    // What was dropped since would come back as the change left it.
    let first = admin.patch(FIELD, &json!({"convert": "lower"})).await;
    let dropped = admin.delete(FIELD).await;
    assert_eq!(admin.post(&undo(&first, ""), &json!({})).await.refused(409).code, "changed_since");
    revert(&admin, &dropped).await;
    revert(&admin, &first).await;
    assert_eq!(values(&admin, &made).await, given);
}

/// A record is put back under another definition, and then that goes back too.
#[tokio::test]
async fn what_was_put_back_after_a_conversion_goes_back_with_it() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let given = json!("Some WORDS");
    let made = rows(&admin, json!({"type": "text"}), &vec![given.clone(); 2]).await;
    let changed = admin.patch(&path("rows", &made[0]), &json!({"f": "else"})).await;
    let deleted = admin.delete(&path("rows", &made[1])).await;
    let lower = admin.patch(FIELD, &json!({"convert": "lower"})).await;
    for done in [&changed, &deleted] {
        revert(&admin, done).await;
    }
    assert_eq!(values(&admin, &made).await, ["some words", "some words"]);
    revert(&admin, &lower).await;
    assert_eq!(values(&admin, &made).await, [given.clone(), given]);
    // What does not fit any more is not put back as nothing.
    let changed = admin.patch(&path("rows", &made[0]), &json!({"f": "7"})).await;
    admin.delete(&path("rows", &made[1])).await.is(204);
    admin.patch(FIELD, &json!({"type": "integer", "nullable": true})).await.is(200);
    let refused = admin.post(&undo(&changed, ""), &json!({})).await.refused(409);
    assert_eq!(refused.extra["examples"][0]["reason"], "does_not_fit");
    let restored = format!("{}history/{}/restore/", path("rows", &made[0]), made[0]["revision"]);
    let restored = admin.post(&restored, &json!({})).await;
    assert_eq!((restored.header("not-restored"), &restored.is(200)["f"]), ("f", &json!(7)));
}

/// An earlier version of a record is put back field by field, whatever is called like them now.
#[tokio::test]
async fn a_version_goes_back_into_its_own_fields() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let made = rows(&admin, json!({"type": "text"}), &[json!("old")]).await;
    admin.patch(&path("rows", &made[0]), &json!({"other": "x"})).await.is(200);
    admin.delete(FIELD).await.is(200);
    admin.post(&format!("{ADDRESS}fields/"), &json!({"name": "f", "type": "text"})).await.is(200);
    admin.patch(&path("rows", &made[0]), &json!({"f": "new"})).await.is(200);
    let address = format!("{}history/{}/restore/", path("rows", &made[0]), made[0]["revision"]);
    let restored = admin.post(&address, &json!({})).await;
    let now = restored.is(200);
    assert_eq!((restored.header("not-restored"), &now["f"], &now["other"]), ("f", &json!("new"), &json!("")));
    // Somebody who asks for the field gets it, under a name that is free.
    let restored = admin.post(&format!("{address}?fields=true"), &json!({})).await;
    let now = restored.is(200);
    assert_eq!((restored.header("not-restored"), &now["f"], &now["f_2"]), ("", &json!("new"), &json!("old")));
    // A field that another one got the name of has its own value.
    admin.patch(FIELD, &json!({"name": "g"})).await.is(200);
    admin.patch(&format!("{ADDRESS}fields/f_2/"), &json!({"name": "f"})).await.is(200);
    let now = admin.post(&address, &json!({})).await.is(200);
    assert_eq!((&now["f"], &now["g"]), (&json!("old"), &json!("new")));
}

#[tokio::test]
async fn numbers_of_a_field_are_read_in_one_way_or_not_at_all() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let decimal = |convert: Value| json!({"type": "decimal", "places": 3, "convert": convert});
    for (given, wanted) in [
        (vec!["1,234", "1.5"], Some(vec!["1234.000", "1.500"])),
        (vec!["1,234", "1,5"], Some(vec!["1.234", "1.500"])),
        (vec!["1.234", "7"], None),
        (vec!["1,5", "1.5"], None),
    ] {
        let given: Vec<Value> = given.into_iter().map(Value::from).collect();
        let made = rows(&admin, json!({"type": "text"}), &given).await;
        let told = admin.patch(&format!("{FIELD}?dry_run=true"), &decimal(json!("number"))).await.is(200);
        let changed = admin.patch(FIELD, &decimal(json!(["number", "null"]))).await;
        if let Some(wanted) = wanted {
            assert_eq!(told["misfits"]["count"], 0);
            changed.is(200);
            assert_eq!(values(&admin, &made).await, wanted);
        } else {
            assert!(told["misfits"]["count"].as_u64() >= Some(1), "{told}");
            let message = text(&told["misfits"]["examples"][0], "message");
            assert!(message.contains("{\"number\": \"comma\"}"), "{message}");
            assert_eq!(changed.refused(409).code, "records_do_not_fit");
            assert_eq!(values(&admin, &made).await, given);
        }
        admin.delete(ADDRESS).await.is(204);
    }
    let made = rows(&admin, json!({"type": "text"}), &[json!("1.234")]).await;
    admin.patch(FIELD, &decimal(json!({"number": "comma"}))).await.is(200);
    assert_eq!(values(&admin, &made).await, ["1234.000"]);
}

#[tokio::test]
async fn a_dry_run_counts_the_records_whose_content_changes() {
    let (_coffer, admin) = Coffer::with_admin().await;
    rows(&admin, json!({"type": "text", "multiline": true}), &[json!("a"), json!(" b"), json!("c")]).await;
    for (body, changed) in [
        (json!({"convert": "trim"}), 1),
        (json!({"type": "json"}), 0),
        (json!({"max_length": 9}), 0),
        (json!({"name": "g"}), 3),
        (json!({"type": "choice", "choices": ["a", " b", "c"], "many": true}), 3),
    ] {
        let told = admin.patch(&format!("{FIELD}?dry_run=true"), &body).await.is(200);
        assert_eq!((&told["changed"], &told["misfits"]["count"]), (&json!(changed), &json!(0)), "{body}");
    }
}
