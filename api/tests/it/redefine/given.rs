//! Values that a change of a definition gives to records: as they would be sent, and in the form that the field gives them.

use serde_json::{Value, json};

use crate::support::Coffer;

const FIELD: &str = "/api/collections/rows/fields/a/";

#[tokio::test]
async fn a_default_of_a_conversion_is_put_into_the_form_of_the_field_or_refused() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let decimal = json!({"type": "decimal", "places": 2});
    let (text, kept) = (json!({"type": "text"}), Value::Null);
    for (to, default, expected) in [
        (&decimal, json!("1"), json!("1.00")),
        (&decimal, json!(1), json!("1.00")),
        (&decimal, json!("1e2"), json!("100.00")),
        (&decimal, json!("0001"), json!("1.00")),
        (&decimal, json!("1.555"), kept.clone()),
        (&json!({"type": "decimal", "places": 2, "min": "5"}), json!("1"), kept.clone()),
        (&json!({"type": "integer"}), json!("3"), json!(3)),
        (&json!({"type": "integer"}), json!(3.0), json!(3)),
        (&json!({"type": "integer"}), json!("q"), kept.clone()),
        (&json!({"type": "boolean"}), json!("on"), json!(true)),
        (&json!({"type": "datetime"}), json!("2024-02-29T00:00:00+02:00"), json!("2024-02-28T22:00:00Z")),
        (&json!({"type": "date"}), json!("2024-02-30"), kept.clone()),
        (&json!({"type": "email"}), json!("  a@b.example "), json!("a@b.example")),
        (&json!({"type": "choice", "choices": ["x", "y"], "many": true}), json!(["y", "y"]), json!(["y"])),
        (&json!({"type": "choice", "choices": ["x", "y"], "many": true}), json!("y"), kept.clone()),
        (&json!({"type": "choice", "choices": ["x", "y"]}), json!("z"), kept.clone()),
    ] {
        admin.delete("/api/collections/rows/").await;
        admin.collection("rows", json!([{"name": "a", "type": "text", "max_length": 200}])).await;
        admin.record("rows", json!({"a": "qq qq"})).await;
        for convert in [json!({"default": default}), json!(["trim", {"default": default}])] {
            let mut change = to.clone();
            change["convert"] = convert;
            for query in ["?dry_run=true", ""] {
                let changed = admin.patch(&format!("{FIELD}{query}"), &change).await;
                if expected.is_null() {
                    let refused = changed.refused(400);
                    assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["convert"], "{change}");
                } else {
                    changed.is(200);
                }
            }
            let now = if expected.is_null() { json!("qq qq") } else { expected.clone() };
            assert_eq!(admin.column("/api/records/rows/", "a").await, std::slice::from_ref(&now), "{change}");
            if !expected.is_null() {
                break;
            }
        }
    }
    // Texts, where there was nothing: the same form as in a field's own default, and in "value".
    for body in [
        json!({"convert": {"default": "  q  "}}),
        json!({"value": "  q  "}),
        json!({"default": "  q  ", "value": "q "}),
    ] {
        admin.delete("/api/collections/rows/").await;
        admin.collection("rows", json!([{"name": "a", "type": "integer", "nullable": true}])).await;
        admin.record("rows", json!({"a": null})).await;
        let mut change = text.clone();
        change["nullable"] = json!(false);
        change.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        admin.patch(FIELD, &change).await.is(200);
        assert_eq!(admin.column("/api/records/rows/", "a").await, ["q"], "{change}");
    }
}
