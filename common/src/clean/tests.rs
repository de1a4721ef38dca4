//! Which members a body may have, by whom and how it was sent.

use serde_json::{Value, json};

use super::*;

fn snacks() -> Collection {
    serde_json::from_value(json!({
        "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "", "created_at": "", "updated_at": "", "revision": 1,
        "fields": [
            {"name": "title", "type": "text", "required": true},
            {"name": "price", "type": "integer", "default": 1},
            {"name": "note", "type": "text"}
        ],
        "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
    }))
    .unwrap()
}

/// A field of each kind that forms treat in a way of its own.
fn shelf() -> Collection {
    let fields = json!([
        {"name": "title", "type": "text", "required": true},
        {"name": "good", "type": "boolean", "default": true},
        {"name": "maybe", "type": "boolean", "nullable": true},
        {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
        {"name": "size", "type": "choice", "choices": ["s", "m"], "default": "m"},
        {"name": "price", "type": "decimal", "nullable": true},
        {"name": "count", "type": "integer", "default": 7},
        {"name": "more", "type": "json", "nullable": true}
    ]);
    Collection { fields: serde_json::from_value(fields).unwrap(), ..snacks() }
}

fn record(value: Value) -> Record {
    serde_json::from_value(value).unwrap()
}

const ADA: &str = "01920000-0000-7000-8000-0000000000aa";
const BOB: &str = "01920000-0000-7000-8000-0000000000bb";

fn caller(id: &str, is_admin: bool) -> Caller {
    Caller::User { id: id.parse().unwrap(), is_admin, roles: Vec::new() }
}

/// A body that Ada, who is no admin, sends as JSON.
fn by_ada(body: Value, write: Write<'_>) -> Result<Cleaned, FieldErrors> {
    clean(&snacks(), record(body), write, Manner::json(&caller(ADA, false)))
}

fn form(body: Value, write: Write<'_>) -> Result<Value, Vec<String>> {
    let manner = Manner { is_form: true, ..Manner::json(&Caller::Anonymous) };
    clean(&shelf(), record(body), write, manner)
        .map(|cleaned| json!(cleaned.values))
        .map_err(|errors| errors.0.into_keys().collect())
}

#[test]
fn a_new_record_takes_initial_values_and_refuses_what_it_does_not_know() {
    let cleaned = by_ada(json!({"title": "Popcorn"}), Write::Create).unwrap();
    assert_eq!(json!(cleaned.values), json!({"title": "Popcorn", "price": 1, "note": ""}));
    let errors = by_ada(json!({"price": null, "zzz": 1}), Write::Create).unwrap_err();
    assert_eq!(errors.0.keys().collect::<Vec<_>>(), ["price", "title", "zzz"]);
    let manner = Manner { ignores_unknown: true, ..Manner::json(&Caller::Anonymous) };
    let cleaned = clean(&snacks(), record(json!({"title": "a", "zzz": 1})), Write::Create, manner).unwrap();
    assert_eq!(cleaned.values.get("zzz"), None);
}

#[test]
fn what_the_server_owns_is_not_looked_at_in_a_new_record() {
    for value in [json!(null), json!("x"), json!(3), json!({}), json!("2024-01-01")] {
        let body = json!({"title": "a", "id": value, "created_at": value, "updated_at": value, "revision": value});
        assert!(by_ada(body, Write::Create).is_ok(), "{value}");
    }
}

#[test]
fn a_changed_record_keeps_its_id_and_its_times() {
    let stored = record(json!({"id": BOB, "title": "Popcorn", "price": 3, "note": "n", "owner": ADA, "revision": 9}));
    let patched =
        by_ada(json!({"id": BOB.to_uppercase(), "updated_at": "x", "price": 4}), Write::Patch(&stored)).unwrap();
    assert_eq!(json!(patched.values), json!({"title": "Popcorn", "price": 4, "note": "n"}));
    let replaced = by_ada(json!({"title": "Chips", "id": BOB.replace('-', "")}), Write::Replace(&stored)).unwrap();
    assert_eq!(json!(replaced.values), json!({"title": "Chips", "price": 3, "note": "n"}));
    let errors = by_ada(json!({"note": "m"}), Write::Replace(&stored)).unwrap_err();
    assert_eq!(errors.0.keys().collect::<Vec<_>>(), ["title"]);
    for wrong in [json!(ADA), json!("x"), json!(3)] {
        let errors = by_ada(json!({"id": wrong}), Write::Patch(&stored)).unwrap_err();
        assert_eq!(errors.0.keys().collect::<Vec<_>>(), ["id"], "{wrong}");
    }
}

#[test]
fn a_revision_is_read_as_a_number_or_a_text() {
    let read = |value: Value| sent_revision(&record(json!({"revision": value})));
    for value in [json!(9), json!("9"), json!(9.0)] {
        assert_eq!(read(value), Ok(Some(Revision(9))));
    }
    assert_eq!(read(json!(null)), Ok(None));
    assert_eq!(sent_revision(&Record::default()), Ok(None));
    for wrong in [json!("x"), json!(-1), json!(1.5), json!([]), json!(true)] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn an_owner_is_oneself_or_who_it_was_unless_an_admin_says_so() {
    let (ada, bob) = (caller(ADA, false), caller(BOB, false));
    let admin = caller(BOB, true);
    let stored = |owner: Value| record(json!({"id": BOB, "title": "a", "owner": owner}));
    let sent = |caller: &Caller, owner: Value, stored: Option<&Record>| {
        let write = stored.map_or(Write::Create, Write::Patch);
        let body = record(json!({"title": "a", "owner": owner}));
        clean(&snacks(), body, write, Manner::json(caller)).map(|cleaned| cleaned.owner.map(|owner| owner.to_string()))
    };
    let is = |owner: &str| Ok(Some(owner.to_owned()));
    assert_eq!(sent(&ada, json!(ADA), None), is(ADA));
    assert_eq!(sent(&ada, json!(null), None), Ok(None));
    assert_eq!(sent(&Caller::Anonymous, json!(null), None), Ok(None));
    assert_eq!(sent(&admin, json!(ADA.to_uppercase()), None), is(ADA));
    assert!(sent(&ada, json!(BOB), None).is_err());
    assert!(sent(&Caller::Anonymous, json!(ADA), None).is_err());
    let hers = stored(json!(ADA));
    assert_eq!(sent(&ada, json!(ADA), Some(&hers)), is(ADA));
    assert_eq!(sent(&bob, json!(ADA), Some(&hers)), is(ADA));
    assert_eq!(sent(&bob, json!(null), Some(&hers)), Ok(None));
    assert!(sent(&bob, json!(BOB), Some(&hers)).is_err(), "nobody takes a record from its owner");
    assert!(sent(&ada, json!(BOB), Some(&hers)).is_err());
    assert!(sent(&ada, json!(ADA), Some(&stored(json!(null)))).is_err());
    assert_eq!(sent(&admin, json!(BOB), Some(&hers)), is(BOB));
    for wrong in [json!(3), json!("ada"), json!([])] {
        assert!(sent(&admin, wrong.clone(), None).is_err(), "{wrong}");
    }
}

#[test]
fn a_form_is_read_as_a_browser_sends_it() {
    let body = json!({"title": " Chips ", "good": "on", "maybe": "false", "tags": ["b", "a"], "size": "s", "price": "1.5", "count": "3", "more": "{\"a\": 1.10}"});
    let all = json!({"title": "Chips", "good": true, "maybe": false, "tags": ["b", "a"], "size": "s", "price": "1.5", "count": 3, "more": {"a": 1.1}});
    assert_eq!(form(body, Write::Create).unwrap(), all);
    // Nothing but the title was filled in, and no box is checked.
    let empty = json!({"title": "a", "size": "", "price": "", "count": "", "more": ""});
    let initial = json!({"title": "a", "good": false, "maybe": null, "tags": [], "size": "m", "price": null, "count": 7, "more": null});
    assert_eq!(form(empty, Write::Create).unwrap(), initial);
    assert_eq!(form(json!({"title": "a", "tags": "a"}), Write::Create).unwrap()["tags"], json!(["a"]));
    assert_eq!(form(json!({"title": "a", "tags": ["", "a"]}), Write::Create).unwrap()["tags"], json!(["a"]));
    assert_eq!(form(json!({"title": "a", "good": ["false", "true"]}), Write::Create).unwrap()["good"], true);
    assert_eq!(
        form(json!({"title": ["a", "b"], "more": "{", "tags": "x"}), Write::Create),
        Err(vec!["more".into(), "tags".into(), "title".into()])
    );
}

#[test]
fn a_form_that_patches_says_nothing_of_what_is_not_in_it() {
    let stored = record(
        json!({"title": "a", "good": true, "maybe": true, "tags": ["a"], "size": "s", "price": "1", "count": 2, "more": [1]}),
    );
    let patched = form(json!({"title": "b"}), Write::Patch(&stored)).unwrap();
    assert_eq!(
        patched,
        json!({"title": "b", "good": true, "maybe": true, "tags": ["a"], "size": "s", "price": "1", "count": 2, "more": [1]})
    );
    // In a form that is a whole record, a box that is missing is not checked; the other inputs may be missing.
    assert_eq!(
        form(json!({"title": "b", "price": ""}), Write::Replace(&stored)).unwrap(),
        json!({"title": "b", "good": false, "maybe": null, "tags": [], "size": "s", "price": null, "count": 2, "more": [1]})
    );
}

#[test]
fn json_keeps_its_digits_and_other_types_their_value() {
    let body: Record = serde_json::from_str(
        r#"{"title": 1.10, "price": 3.50, "more": {"id": 12345678901234567890123, "x": 1.10}, "count": 1e3}"#,
    )
    .unwrap();
    let cleaned = clean(&shelf(), body, Write::Create, Manner::json(&Caller::Anonymous)).unwrap();
    assert_eq!(
        serde_json::to_string(&cleaned.values).unwrap(),
        r#"{"title":"1.10","good":true,"maybe":null,"tags":[],"size":"m","price":"3.5","count":1000,"more":{"id":12345678901234567890123,"x":1.10}}"#
    );
    // And they stay through a patch of something else.
    let patched =
        clean(&shelf(), record(json!({"title": "b"})), Write::Patch(&cleaned.values), Manner::json(&Caller::Anonymous))
            .unwrap();
    assert!(patched.values.is_same(&cleaned.values, "more"));
}

#[test]
fn what_is_put_back_keeps_its_spaces() {
    let body = || record(json!({"title": " a "}));
    let title = |manner| clean(&snacks(), body(), Write::Create, manner).unwrap().values.get("title").cloned();
    assert_eq!(title(Manner::json(&Caller::Anonymous)), Some(json!("a")));
    assert_eq!(title(Manner::stored(&Caller::Anonymous)), Some(json!(" a ")));
}
