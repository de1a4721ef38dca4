//! The OpenAPI document: what it names is there, for whom it is, and answers fit it.

use std::collections::BTreeSet;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use crate::{
    published::{blog, publish},
    support::{Client, Coffer, text},
};

/// What is wrong with a value by a schema of the document.
fn faults(document: &Value, schema: &str, value: &Value) -> Option<String> {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    let root = json!({"$ref": format!("#/components/schemas/{schema}"), "components": document["components"]});
    compiler.add_resource("https://box.example/openapi", root).unwrap();
    let index = compiler.compile("https://box.example/openapi", &mut schemas).unwrap();
    schemas.validate(value, index).err().map(|error| format!("{error:#}"))
}

/// All that is referred to is there, and no schema is a bare `true`, which generators of clients stumble over.
fn check_references(document: &Value, at: &Value) {
    match at {
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(reference) = value.as_str().filter(|_| name == "$ref") {
                    assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                let schemas = value.as_object().filter(|_| name == "properties");
                assert!(schemas.is_none_or(|schemas| schemas.values().all(|schema| *schema != json!(true))), "{at}");
                assert!(name != "items" || *value != json!(true), "{at}");
                check_references(document, value);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}

#[tokio::test]
async fn collections_and_published_paths_are_in_it_as_the_caller_may_see_them() {
    let (coffer, admin) = blog().await;
    publish(
        &admin,
        json!({"path": "/api/v1/posts/", "collection": "posts", "list": "array", "members": ["id", "title", {"author": "owner.username"},
            {"pub_date": "created_at"}, {"category": {"id": "category.id", "name": "category.title"}}, {"slug_of": "category.slug"}]}),
    )
    .await;
    publish(&admin, json!({"path": "/auth/jwt/create/", "alias": "/api/token/"})).await;
    admin
        .patch(
            "/api/collections/comments/",
            &json!({"access": {"list": ["nobody"], "view": ["nobody"], "create": ["nobody"],
        "update": ["nobody"], "delete": ["nobody"]}}),
        )
        .await
        .is(200);
    let document = admin.get("/api/schema/").await.is(200);
    check_references(&document, &document);
    let paths: BTreeSet<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/api/records/posts/",
        "/api/records/posts/{id}/",
        "/api/v1/posts/",
        "/api/v1/posts/{id}/",
        "/auth/jwt/create/",
        "/api/users/",
        "/api/token/",
    ] {
        assert!(paths.contains(&path.to_owned()), "{path}: {paths:?}");
    }
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(ids.insert(text(operation, "operationId")), "{operation}");
        }
    }
    let category = admin.record("categories", json!({"title": "Sweets", "slug": "sweets"})).await;
    let own = admin.record("posts", json!({"title": "One"})).await;
    assert_eq!(faults(&document, "RecordsPosts", &own), None);
    for body in [json!({"title": "Two"}), json!({"title": "Three", "category": category["id"]})] {
        assert_eq!(faults(&document, "ApiV1PostsWrite", &body), None);
        let made = admin.post("/api/v1/posts/", &body).await.is(201);
        assert_eq!(faults(&document, "ApiV1Posts", &made), None, "{made}");
    }
    assert!(faults(&document, "ApiV1PostsWrite", &json!({})).is_some());
    assert!(faults(&document, "ApiV1Posts", &json!({"title": 3})).is_some());
    // Others see what they may use.
    coffer.stranger().get("/api/schema/").await.refused(401);
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let document = ulla.get("/api/schema/").await.is(200);
    check_references(&document, &document);
    assert!(document["paths"].get("/api/records/comments/").is_none());
    assert!(document["paths"].get("/api/backup/").is_none());
    assert!(document["paths"]["/api/v1/posts/"].get("get").is_some());
}

#[tokio::test]
async fn a_collection_that_is_not_there_for_the_caller_is_in_no_document_of_theirs() {
    let (coffer, admin) = Coffer::with_admin().await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    // Somebody who may neither list, view nor create may not change or delete either, whatever the rules say.
    let access = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["signed_in"], "delete": ["anyone"]});
    let body = json!({"name": "vaults", "fields": [{"name": "combination", "type": "text"}], "access": access});
    admin.post("/api/collections/", &body).await.is(201);
    let known = async |client: &Client| client.get("/api/schema/").await.is(200).to_string().contains("ombination");
    assert!(known(&admin).await);
    assert!(!known(&otto).await);
}
