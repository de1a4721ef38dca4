//! `coffer import-drf`: from what drf-spectacular and `OPTIONS` say of a project to paths that its clients can use.

use std::{fs, path::Path};

use serde_json::json;

use super::migrated;
use crate::support::{Coffer, command, server::said};

/// What drf-spectacular 0.30 writes of a small project: three serializers with nested ones, a nested router, choices, a slug.
const SPECTACULAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/migrate/drf_spectacular.json");
/// What Django REST Framework 3.18 answers `OPTIONS /api/v1/snacks/` with there.
const OPTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/migrate/drf_options.json");

fn import(file: &str, dir: &Path, arguments: &[&str]) -> String {
    said(&command().args(["import-drf", file, "--dir"]).arg(dir).args(arguments).output().unwrap())
}

#[tokio::test]
async fn a_projects_document_becomes_collections_and_paths_that_its_clients_can_use() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("migrations");
    let told = import(SPECTACULAR, &dir, &[]);
    assert!(told.starts_with("0: ") && told.contains("snacks.weight"), "{told}");
    assert!(import(SPECTACULAR, &dir, &[]).contains("Nothing is to be made"));
    let (coffer, admin) = Coffer::with_admin().await;
    migrated(&coffer.base, &dir, &["apply"]);

    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let category = ulla.post("/api/v1/categories/", &json!({"title": "Sweets", "slug": "sweets"})).await.is(201);
    assert_eq!(category, json!({"id": 1, "title": "Sweets", "slug": "sweets"}));
    ulla.post("/api/v1/tags/", &json!({"name": "good"})).await.refused(405);
    admin.record("tags", json!({"name": "good"})).await;
    let sent = json!({"title": "Nougat", "price": "2.5", "category_id": 1, "tags": [1], "kind": "sweet", "rating": 3, "bestBefore": "2027-01-31",
        "weight": 0.25, "vegan": true});
    let made = ulla.post("/api/v1/snacks/", &sent).await.is(201);
    assert_eq!(made["category"], category);
    assert_eq!((&made["price"], &made["kind"], &made["weight"]), (&json!("2.50"), &json!("sweet"), &json!(0.25)));
    assert_eq!((&made["tags"], &made["bestBefore"], &made["reviews"]), (&json!([1]), &json!("2027-01-31"), &json!([])));
    assert!(made["created_at"].is_string() && made.get("revision").is_none(), "{made}");
    let review = ulla.post("/api/v1/snacks/1/reviews/", &json!({"text": "Good."})).await.is(201);
    assert_eq!((&review["text"], &review["author"]), (&json!("Good."), &json!("ulla")));

    // As the document says: a list in parts for everybody, a bare array by the slug, reviews for who is signed in.
    let stranger = coffer.stranger();
    let list = stranger.get("/api/v1/snacks/?limit=5").await.is(200);
    // Somebody who may not list the reviews gets the snacks all the same.
    assert_eq!((&list["count"], &list["results"][0]["reviews"]["text"]), (&json!(1), &json!(null)));
    let list = ulla.get("/api/v1/snacks/?limit=5").await.is(200);
    assert_eq!(list["results"][0]["reviews"][0]["text"], "Good.");
    stranger.get("/api/v1/snacks/1/").await.is(200);
    assert_eq!(stranger.get("/api/v1/categories/").await.is(200), json!([category]));
    stranger.get("/api/v1/categories/sweets/").await.is(200);
    stranger.get("/api/v1/snacks/1/reviews/").await.refused(401);
    ulla.post("/api/v1/snacks/", &json!({"title": "x"})).await.refused(400);
    ulla.post("/api/v1/snacks/", &json!({"title": "x", "price": "1", "category_id": 1, "rating": 4}))
        .await
        .refused(400);
    ulla.post("/api/v1/categories/", &json!({"title": "Other", "slug": "sweets"})).await.refused(409);
    let otto = coffer.user(&admin, "otto", json!({})).await;
    otto.patch("/api/v1/snacks/1/", &json!({"title": "Mine"})).await.refused(403);
    stranger.post("/api/auth/login/", &json!({"username": "ulla", "password": "wrong"})).await.refused(401);
}

#[tokio::test]
async fn an_answer_to_options_becomes_a_collection_and_a_path() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("migrations");
    assert!(import(OPTIONS, &dir, &[]).contains("--path"));
    let told = import(OPTIONS, &dir, &["--path", "/api/v1/snacks"]);
    assert!(told.starts_with("0: "), "{told}");
    let text = fs::read_to_string(dir.join("snacks/0001_initial_paths.toml")).unwrap();
    for part in [
        "create = \"snacks\"",
        "ids = \"integer\"",
        "name = \"best_before\"",
        "publish = \"/api/v1/snacks/\"",
        "{bestBefore = \"best_before\"}",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let (coffer, _) = Coffer::with_admin().await;
    migrated(&coffer.base, &dir, &["apply"]);
}

#[test]
fn what_is_no_document_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("schema");
    for (text, told) in [
        ("openapi: 3.0.3\npaths:\n", "--format openapi-json"),
        ("{\"openapi\": ", "no JSON"),
        ("{\"openapi\": \"3.0.3\", \"paths\": {}}", "has no paths"),
        ("{\"swagger\": \"2.0\", \"paths\": {\"/a/\": {}}}", "OpenAPI 2"),
        ("{\"openapi\": \"3.0.3\", \"paths\": {\"/a/\": {\"get\": {}}}}", "no path of this document"),
        ("{\"a\": 1}", "neither"),
        ("[]", "neither"),
    ] {
        fs::write(&file, text).unwrap();
        let said = import(file.to_str().unwrap(), &dir.path().join("m"), &[]);
        assert!(said.starts_with("1: ") && said.contains(told), "{text}: {said}");
    }
}
