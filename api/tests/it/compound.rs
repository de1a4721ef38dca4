//! Indexes over several fields: defined, made in the background, unique together, read in both directions.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Coffer};

#[tokio::test]
async fn an_index_over_several_fields_is_defined_shown_kept_and_used() {
    let (coffer, admin) = Coffer::with_admin().await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let fields = json!([
        {"name": "number", "type": "integer"}, {"name": "kind", "type": "text"}, {"name": "price", "type": "integer", "nullable": true},
        {"name": "slug", "type": "text"}, {"name": "data", "type": "json", "nullable": true},
    ]);
    let definition = |indexes: Value| json!({"name": "snacks", "fields": fields, "indexes": indexes});
    for (indexes, told) in [
        (json!([{"fields": ["kind", "zzz"]}]), "indexes.0.fields: There is no field \"zzz\"."),
        (json!([{"fields": ["kind", "-kind"]}]), "indexes.0.fields: \"kind\" stands twice."),
        (
            json!([{"fields": ["kind", "data"]}]),
            "indexes.0.fields: Values of \"data\" are too large to be in an index.",
        ),
        (json!([{"fields": []}]), "indexes.0.fields: An index has 1 to 4 fields."),
        (
            json!([{"fields": ["slug"], "unique": true}]),
            "indexes.0.fields: For one field, say \"unique\" in the field.",
        ),
        (json!([{"fields": ["slug"], "zzz": true}]), "indexes.0.zzz"),
    ] {
        let refused = admin.post("/api/collections/", &definition(indexes)).await;
        assert!(refused.faults()[0].starts_with(told), "{:?}", refused.faults());
    }
    let indexes =
        json!([{"fields": ["kind", "-price"], "unique": false}, {"fields": ["owner", "slug"], "unique": true}]);
    let made = admin.post("/api/collections/", &definition(indexes.clone())).await.is(201);
    assert_eq!(made["indexes"], indexes);
    let options = admin.json(Method::OPTIONS, "/api/records/snacks/", &json!(null)).await.is(200);
    assert_eq!(options["indexes"], indexes);
    let record = |number: usize| json!({"number": number, "kind": if number.is_multiple_of(3) { "salty" } else { "sweet" }, "price": (!number.is_multiple_of(7)).then_some(number % 50), "slug": format!("s{number}")});
    let records: Vec<Value> = (0..600).map(record).collect();
    admin.post("/api/records/snacks/", &json!(records)).await.is(201);

    let explained = admin.get("/api/records/snacks/?kind=sweet&ordering=-price&explain=true").await.is(200);
    let explain = &explained["explain"];
    assert_eq!(
        (&explain["indexes"], &explain["sorts"], &explain["records_tested"]),
        (&json!([["kind", "-price"]]), &json!(false), &json!(0)),
        "{explain}"
    );
    assert!(explain["keys_read"].as_u64().unwrap() < 30, "{explain}");
    let prices: Vec<_> = explained["results"].as_array().unwrap().iter().map(|row| row["price"].as_i64()).collect();
    assert!(prices.is_sorted_by(|a, b| a >= b), "null comes last where the largest comes first: {prices:?}");
    let last = admin.get("/api/records/snacks/?kind=sweet&ordering=-price&page=last").await.is(200);
    assert_eq!(last["results"].as_array().unwrap().last().unwrap()["price"], Value::Null);
    let open = admin.get("/api/records/snacks/?number__gt=3&ordering=slug&explain=true").await.is(200);
    assert_eq!(open["explain"]["would_help"], json!(["slug"]), "{}", open["explain"]);

    // One owner has a slug once; another may have it too. Null is not asked about, and each error says what.
    let told = "The fields owner, slug must make a unique set.";
    let twice = admin.post("/api/records/snacks/", &json!({"slug": "s1"})).await.refused(409);
    assert_eq!(
        (&*twice.errors.0["non_field_errors"][0].message, &*twice.errors.0["non_field_errors"][0].code),
        (told, "unique")
    );
    let twice = admin.post("/api/records/snacks/", &json!([{"slug": "x"}, {"slug": "x"}])).await.refused(409);
    assert_eq!(twice.errors.0["1.non_field_errors"][0].message, told);
    bob.post("/api/records/snacks/", &json!({"slug": "s1"})).await.is(201);

    // What nobody speaks of stays, also under a new name; what is gone frees what it held.
    let renamed = admin.patch("/api/collections/snacks/", &json!({"description": "New"})).await.is(200);
    assert_eq!(renamed["indexes"], indexes);
    let without =
        admin.patch("/api/collections/snacks/", &json!({"indexes": [{"fields": ["-price", "kind"]}]})).await.is(200);
    assert_eq!(without["indexes"], json!([{"fields": ["-price", "kind"], "unique": false}]));
    admin.post("/api/records/snacks/", &json!({"slug": "s1"})).await.is(201);
    let again = json!({"indexes": [{"fields": ["owner", "slug"], "unique": true}]});
    let refused = admin.patch("/api/collections/snacks/", &again).await.refused(409);
    assert_eq!(refused.errors.0["non_field_errors"][0].message, told);
    let dry = admin.patch("/api/collections/snacks/?dry_run=true", &again).await.is(200);
    assert_eq!(dry["misfits"]["count"], 1, "{dry}");
    assert_eq!(dry["misfits"]["examples"][0]["field"], "non_field_errors", "{dry}");

    // Made in the background, without case; it follows its fields' new names; and the check knows all of it.
    let folded = json!({"indexes": [{"fields": ["number", "slug"], "unique": "ignore_case"}, {"fields": ["kind", "-price", "updated_at"]}]});
    let request = admin.request(Method::PATCH, "/api/collections/snacks/").header("prefer", "respond-async");
    let begun = Answer::of(request.header("content-type", "application/json").body(folded.to_string())).await.is(202);
    let operation = format!("/api/operations/{}/", begun["id"].as_str().unwrap());
    let record = |slug: &str| json!({"number": 7000, "kind": "sour", "price": 3, "slug": slug});
    admin.post("/api/records/snacks/", &record("Straße")).await.is(201);
    while admin.get(&operation).await.is(200)["state"] != "done" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let twice = admin.post("/api/records/snacks/", &record("STRASSE")).await.refused(409);
    assert_eq!(twice.errors.0["non_field_errors"][0].message, "The fields number, slug must make a unique set.");
    let fields = admin.get("/api/collections/snacks/").await.is(200)["fields"].as_array().unwrap().clone();
    admin.patch("/api/collections/snacks/fields/kind/", &json!({"name": "sort"})).await.is(200);
    let after = admin.get("/api/collections/snacks/").await.is(200);
    assert_eq!(fields.len(), after["fields"].as_array().unwrap().len());
    assert_eq!(after["indexes"][1]["fields"], json!(["sort", "-price", "updated_at"]), "{after}");
    let explained = admin.get("/api/records/snacks/?sort=sweet&ordering=-price,updated_at&explain=true").await.is(200);
    assert_eq!(explained["explain"]["indexes"], json!([["sort", "-price", "updated_at"]]), "{explained}");
    assert_eq!(explained["explain"]["records_tested"], 0, "{explained}");
}
