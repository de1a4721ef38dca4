//! Defining paths: who may, what is refused, and what becomes of them when what they name changes.

use serde_json::{Value, json};

use super::{blog, publish};
use crate::support::{
    Coffer,
    server::{Server, coffer, said},
    text,
};

#[tokio::test]
async fn only_admins_publish_and_every_fault_is_told() {
    let (coffer, admin) = blog().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let path = || json!({"path": "/api/posts/", "collection": "posts"});
    coffer.stranger().post("/api/paths/", &path()).await.refused(401);
    ulla.post("/api/paths/", &path()).await.refused(403);
    let made = admin.post("/api/paths/", &path()).await;
    let id = text(&made.is(201), "id");
    assert!(made.header("location").ends_with(&format!("/api/paths/{id}/")));
    assert_eq!(admin.get("/api/paths/").await.is(200)["count"], 1);
    for (member, value) in [
        ("path", json!("/api/posts/")),
        ("path", json!("/api/{a}/{b}/")),
        ("collection", json!("nothing")),
        ("collection", Value::Null),
        ("alias", json!("/api/token/")),
        ("where", json!({"nothing": "x"})),
        ("where", json!({"title": "{x}"})),
        ("where", json!({"category.nothing": "x"})),
        // These tell no record of the other collection, and lead too far.
        ("where", json!({"category.title": "x"})),
        ("where", json!({"category.owner.username": "x"})),
        ("lookup", json!("title")),
        ("lookup", json!("nothing")),
        ("members", json!(["nothing"])),
        ("members", json!([{"a": "title.x"}])),
        ("members", json!([{"a": "owner.password"}])),
        ("members", json!([{"a": "category.owner.roles"}])),
        ("writable", json!(["nothing"])),
        ("method", json!("POST")),
    ] {
        let mut body = json!({"path": "/api/x/", "collection": "posts"});
        body[member] = value.clone();
        let refused = admin.post("/api/paths/", &body).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [member], "{member} {value}");
    }
    let at = format!("/api/paths/{id}/");
    let read = admin.get(&at).await;
    let stale = read.header("etag").to_owned();
    let mut body = read.is(200);
    body["list"] = json!("array");
    // What was read can be sent back.
    assert_eq!(admin.put(&at, &body).await.is(200)["list"], "array");
    let request = admin.request(reqwest::Method::PATCH, &at).header("if-match", stale);
    let request = request.header("content-type", "application/json").body(r#"{"limit": 5}"#);
    crate::support::Answer::of(request).await.refused(412);
    assert_eq!(admin.patch(&at, &json!({"limit": 5})).await.is(200)["limit"], 5);
    assert_eq!(coffer.stranger().get("/api/posts/").await.is(200), json!([]));
    admin.delete(&at).await.is(204);
    coffer.stranger().get("/api/posts/").await.refused(404);
    admin.delete(&at).await.refused(404);
}

#[tokio::test]
async fn what_is_renamed_is_followed_and_what_would_go_is_told_first() {
    let (_coffer, admin) = blog().await;
    let members = json!([{"text": "text"}, {"headline": "post.title"}]);
    let path = publish(
        &admin,
        json!({"path": "/api/p/{post}/c/", "collection": "comments", "where": {"post": "{post}"}, "members": members}),
    )
    .await;
    let slugs = json!({"path": "/api/s/", "collection": "posts", "lookup": "slug", "writable": ["title"]});
    let slugs = publish(&admin, slugs).await;
    let post = text(&admin.record("posts", json!({"title": "One", "slug": "one"})).await, "id");
    admin.record("comments", json!({"text": "hi", "post": post})).await;
    let due = json!([{"text": "hi", "headline": "One"}]);
    let at = format!("/api/p/{post}/c/");
    assert_eq!(admin.get(&at).await.is(200)["results"], due);
    for (field, name) in [
        ("comments/fields/text", "words"),
        ("comments/fields/post", "article"),
        ("posts/fields/title", "head"),
        ("posts/fields/slug", "word"),
    ] {
        admin.patch(&format!("/api/collections/{field}/"), &json!({"name": name, "aliases": []})).await.is(200);
    }
    admin.patch("/api/collections/posts/", &json!({"name": "articles", "aliases": []})).await.is(200);
    admin.patch("/api/collections/comments/", &json!({"name": "remarks", "aliases": []})).await.is(200);
    assert_eq!(admin.get(&at).await.is(200)["results"], due);
    let made = admin.post(&at, &json!({"text": "again"})).await.is(201);
    assert_eq!(made, json!({"text": "again", "headline": "One"}));
    assert_eq!(admin.get("/api/s/one/").await.is(200)["head"], "One");
    let path_at = format!("/api/paths/{}/", text(&path, "id"));
    let now = admin.get(&path_at).await.is(200);
    assert_eq!(now["where"], json!({"article": "{post}"}));
    assert_eq!(now["members"], json!([{"text": "words"}, {"headline": "article.head"}]));
    assert_eq!((&now["collection"], &now["notes"]), (&json!("remarks"), &json!([])));
    let now = admin.get(&format!("/api/paths/{}/", text(&slugs, "id"))).await.is(200);
    assert_eq!((&now["lookup"], &now["writable"]), (&json!("word"), &json!(["head"])));
    // What a path names cannot go while it does.
    let refused = admin.delete("/api/collections/articles/fields/head/").await.refused(409);
    assert!(refused.detail.contains("/api/p/{post}/c/") && refused.detail.contains("/api/s/"), "{refused:?}");
    let told = admin.delete("/api/collections/articles/fields/head/?dry_run=true").await.is(200);
    assert!(told["gone"].to_string().contains("/api/s/"), "{told}");
    let refused = admin.delete("/api/collections/remarks/").await.refused(409);
    assert!(refused.detail.contains("/api/p/{post}/c/"), "{refused:?}");
    admin.delete("/api/collections/articles/fields/body/").await.is(200);
    admin.delete(&path_at).await.is(204);
    admin.delete("/api/collections/remarks/").await.is(204);
}

#[tokio::test]
async fn what_holds_an_undoing_back_holds_its_dry_run_back() {
    let (_coffer, admin) = blog().await;
    let added = admin.post("/api/collections/posts/fields/", &json!({"name": "extra", "type": "text"})).await;
    added.is(200);
    let unique = admin.patch("/api/collections/posts/fields/title/", &json!({"unique": true})).await;
    unique.is(200);
    let renamed = admin.patch("/api/collections/comments/", &json!({"name": "remarks"})).await;
    renamed.is(200);
    admin.patch("/api/collections/remarks/", &json!({"aliases": []})).await.is(200);
    admin.collection("comments", json!([{"name": "n", "type": "text"}])).await;
    publish(&admin, json!({"path": "/p/", "collection": "posts", "lookup": "title", "members": ["id", "extra"]})).await;
    for (changed, what) in [(&added, "/p/"), (&unique, "/p/"), (&renamed, "name")] {
        for query in ["?dry_run=true", "", "?changed=overwrite&dry_run=true", "?changed=overwrite"] {
            let address = format!("/api/changes/{}/revert/{query}", changed.header("operation"));
            let refused = admin.post(&address, &json!({})).await;
            assert!([400, 409].contains(&refused.status), "{what} {query} {}", refused.text());
            assert!(refused.text().contains(what), "{query} {}", refused.text());
        }
    }
    // So does what would be refused without a dry run.
    let told = admin.patch("/api/collections/posts/fields/title/?dry_run=true", &json!({"unique": false})).await;
    assert!(told.refused(409).detail.contains("/p/"));
}

#[tokio::test]
async fn paths_are_in_backups_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), &[]);
    let admin = server.set_up().await;
    admin.collection("posts", json!([{"name": "title", "type": "text"}])).await;
    publish(&admin, json!({"path": "/posts/", "collection": "posts", "members": [{"head": "title"}], "list": "array"}))
        .await;
    admin.record("posts", json!({"title": "One"})).await;
    server.stop();
    let file = dir.path().join("x.backup");
    let output = coffer(&["backup", file.to_str().unwrap()], dir.path());
    assert!(output.status.success(), "{}", said(&output));
    let other = tempfile::tempdir().unwrap();
    let output = coffer(&["restore", file.to_str().unwrap()], other.path());
    assert!(output.status.success(), "{}", said(&output));
    for data in [dir.path(), other.path()] {
        let output = coffer(&["check"], data);
        assert!(output.status.success(), "{}", said(&output));
    }
    let server = Server::start(other.path(), &[]);
    let admin = server.sign_in(crate::support::ADMIN).await;
    assert_eq!(admin.get("/posts/").await.is(200), json!([{"head": "One"}]));
    // It goes on following what is renamed.
    admin.patch("/api/collections/posts/fields/title/", &json!({"name": "name", "aliases": []})).await.is(200);
    assert_eq!(admin.get("/posts/").await.is(200), json!([{"head": "One"}]));
    server.stop();
}

#[tokio::test]
async fn many_paths_are_refused_and_races_have_one_winner() {
    let (_coffer, admin): (Coffer, _) = blog().await;
    let tries = (0..8).map(|_| {
        let admin = admin.clone();
        tokio::spawn(async move {
            admin.post("/api/paths/", &json!({"path": "/api/posts/", "collection": "posts"})).await.status
        })
    });
    let mut made = 0;
    for task in tries.collect::<Vec<_>>() {
        made += u16::from(task.await.unwrap() == 201);
    }
    assert_eq!(made, 1);
    assert_eq!(admin.get("/api/paths/").await.is(200)["count"], 1);
}
