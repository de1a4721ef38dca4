//! Published paths: addresses of one's own, with the shapes that front ends expect, under the rules of what they name.

mod define;
mod nested;
mod shapes;

use serde_json::{Value, json};

use crate::support::{Client, Coffer, text};

/// A blog: categories, posts and comments that everyone may read, and who is signed in may write.
pub(crate) async fn blog() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    let open = json!({"list": ["anyone"], "view": ["anyone"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    for (name, fields) in [
        (
            "categories",
            json!([{"name": "title", "type": "text", "required": true}, {"name": "slug", "type": "text", "unique": true}]),
        ),
        (
            "posts",
            json!([
                {"name": "title", "type": "text", "required": true, "max_length": 50},
                {"name": "slug", "type": "text", "unique": true, "nullable": true},
                {"name": "body", "type": "text", "multiline": true},
                {"name": "secret", "type": "text"},
                {"name": "category", "type": "reference", "collection": "categories", "nullable": true, "on_delete": "set_null"},
                {"name": "likes", "type": "integer", "nullable": true},
            ]),
        ),
        (
            "comments",
            json!([
                {"name": "text", "type": "text", "required": true},
                {"name": "post", "type": "reference", "collection": "posts", "required": true, "on_delete": "cascade"},
            ]),
        ),
    ] {
        let collection = json!({"name": name, "fields": fields, "access": open});
        admin.post("/api/collections/", &collection).await.is(201);
    }
    (coffer, admin)
}

/// Publishes a path.
pub(crate) async fn publish(admin: &Client, path: Value) -> Value {
    admin.post("/api/paths/", &path).await.is(201)
}

#[tokio::test]
async fn a_published_collection_is_listed_made_changed_and_deleted_there() {
    let (coffer, admin) = blog().await;
    publish(&admin, json!({"path": "/api/v1/posts/", "collection": "posts"})).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let made = ulla.post("/api/v1/posts/", &json!({"title": "One"})).await;
    let record = made.is(201);
    let id = text(&record, "id");
    assert!(made.header("location").ends_with(&format!("/api/v1/posts/{id}/")), "{}", made.header("location"));
    assert_eq!(record, ulla.get(&format!("/api/records/posts/{id}/")).await.is(200));
    let at = format!("/api/v1/posts/{id}/");
    let stranger = coffer.stranger();
    let got = stranger.get(&at).await;
    assert_eq!(got.is(200), record);
    assert_eq!(got.header("etag"), stranger.get(&format!("/api/records/posts/{id}/")).await.header("etag"));
    // Nobody may do more there than under the collection's own address.
    stranger.post("/api/v1/posts/", &json!({"title": "Two"})).await.refused(401);
    stranger.patch(&at, &json!({"title": "Two"})).await.refused(401);
    let otto = coffer.user(&admin, "otto", json!({})).await;
    otto.patch(&at, &json!({"title": "Two"})).await.refused(403);
    otto.delete(&at).await.refused(403);
    ulla.patch(&at, &json!({"title": "Two"})).await.is(200);
    assert_eq!(ulla.put(&at, &json!({"title": "Three"})).await.is(200)["title"], "Three");
    let options = ulla.request(reqwest::Method::OPTIONS, &at);
    let options = crate::support::Answer::of(options).await;
    assert_eq!(options.header("allow"), "GET, PUT, PATCH, DELETE, HEAD, OPTIONS");
    assert!(options.is(200)["actions"]["PUT"]["title"]["required"].as_bool().unwrap());
    for n in 0..25 {
        ulla.post("/api/v1/posts/", &json!({"title": format!("n{n:02}")})).await.is(201);
    }
    let page = stranger.get("/api/v1/posts/?ordering=title&title__startswith=n&page_size=10").await.is(200);
    assert_eq!(page["count"], 25);
    let next = text(&page, "next");
    assert!(next.contains("/api/v1/posts/?") && next.contains("page=2"), "{next}");
    let second = stranger.get(&next[next.find("/api/").unwrap()..]).await.is(200);
    assert!(text(&second, "previous").contains("/api/v1/posts/?"));
    assert_eq!(second["results"][0]["title"], "n10");
    ulla.delete(&at).await.is(204);
    stranger.get(&at).await.refused(404);
    stranger.get("/api/v1/posts/nothing/").await.refused(404);
    // Without its last slash it is the same.
    stranger.get("/api/v1/posts").await.is(200);
    // A method that it does not have.
    let answer = ulla.delete("/api/v1/posts/").await;
    answer.refused(405);
    assert_eq!(answer.header("allow"), "GET, POST, HEAD, OPTIONS");
}

#[tokio::test]
async fn a_path_goes_before_an_own_one_which_stays_under_its_second_address() {
    let (coffer, admin) = blog().await;
    let path = publish(&admin, json!({"path": "/api/users/", "collection": "posts", "list": "array"})).await;
    let note = path["notes"][0].as_str().unwrap();
    assert!(note.contains("/api/users/") && note.contains("/_coffer/api/users/"), "{note}");
    assert_eq!(coffer.stranger().get("/api/users/").await.is(200), json!([]));
    let own = admin.get("/_coffer/api/users/").await.is(200);
    assert_eq!(own["count"], 1);
    for path in ["/api/token/", "/api/session/", "/api/setup/", "/api/paths/x/", "/api/", "/_coffer/x/", "/healthz"] {
        let refused = admin.post("/api/paths/", &json!({"path": path, "collection": "posts"})).await.refused(400);
        assert!(refused.errors.0.contains_key("path"), "{path}: {refused:?}");
    }
    // A parameter does not lead to what stays the server's.
    publish(&admin, json!({"path": "/api/{slug}/", "collection": "posts", "lookup": "slug"})).await;
    admin.get("/api/paths/").await.is(200);
    // What is asked under the second address has its links there.
    let root = admin.get("/_coffer/api/").await.is(200);
    assert!(root.to_string().contains("/_coffer/api/"), "{root}");
}

#[tokio::test]
async fn outside_of_the_api_a_page_goes_before_a_path_for_who_wants_one() {
    let app = tempfile::tempdir().unwrap();
    std::fs::write(app.path().join("index.html"), "<!doctype html><title>app</title>").unwrap();
    std::fs::write(app.path().join("about.html"), "<!doctype html><title>about</title>").unwrap();
    let (coffer, admin) = Coffer::with_admin_and(&["--web-dir", app.path().to_str().unwrap()]).await;
    let open = json!({"list": ["anyone"], "view": ["anyone"]});
    admin.post("/api/collections/", &json!({"name": "posts", "fields": [], "access": open})).await.is(201);
    for path in ["/posts/", "/about/"] {
        publish(&admin, json!({"path": path, "collection": "posts", "list": "array"})).await;
    }
    let stranger = coffer.stranger();
    // A file that there is goes before a path.
    assert!(stranger.get("/about/").await.text().contains("<title>about"));
    let answer = stranger.get("/posts/").await;
    assert_eq!(answer.is(200), json!([]));
    assert!(answer.header("vary").to_lowercase().contains("accept"), "{}", answer.header("vary"));
    let page = stranger.plain(reqwest::Method::GET, "/posts/").header("accept", "text/html,*/*;q=0.8");
    let page = crate::support::Answer::of(page).await;
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
}
