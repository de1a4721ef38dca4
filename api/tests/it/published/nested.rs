//! Paths within paths, records told by a slug, and verbs in paths.

use reqwest::Method;
use serde_json::json;

use super::{blog, publish};
use crate::support::{Answer, Coffer, text};

#[tokio::test]
async fn a_path_within_another_has_the_records_of_its_parent_alone() {
    let (coffer, admin) = blog().await;
    publish(
        &admin,
        json!({"path": "/api/v1/posts/{post}/comments/", "collection": "comments", "where": {"post": "{post}"},
            "members": ["id", "text", {"author": "owner.username"}], "list": "array"}),
    )
    .await;
    let one = text(&admin.record("posts", json!({"title": "One"})).await, "id");
    let two = text(&admin.record("posts", json!({"title": "Two"})).await, "id");
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let made = ulla.post(&format!("/api/v1/posts/{one}/comments/"), &json!({"text": "hi"})).await;
    let id = text(&made.is(201), "id");
    assert!(made.header("location").ends_with(&format!("/api/v1/posts/{one}/comments/{id}/")));
    assert_eq!(admin.get(&format!("/api/records/comments/{id}/")).await.is(200)["post"], one);
    let listed = coffer.stranger().get(&format!("/api/v1/posts/{one}/comments/")).await.is(200);
    assert_eq!(listed, json!([{"id": id, "text": "hi", "author": "ulla"}]));
    assert_eq!(ulla.get(&format!("/api/v1/posts/{two}/comments/")).await.is(200), json!([]));
    // One of another parent is not there, and neither is anything of a parent that there is not.
    ulla.get(&format!("/api/v1/posts/{two}/comments/{id}/")).await.refused(404);
    ulla.patch(&format!("/api/v1/posts/{two}/comments/{id}/"), &json!({"text": "x"})).await.refused(404);
    ulla.delete(&format!("/api/v1/posts/{two}/comments/{id}/")).await.refused(404);
    for parent in ["01920000-0000-7000-8000-000000000001", "nothing", "7"] {
        ulla.get(&format!("/api/v1/posts/{parent}/comments/")).await.refused(404);
        ulla.post(&format!("/api/v1/posts/{parent}/comments/"), &json!({"text": "x"})).await.refused(404);
        ulla.get(&format!("/api/v1/posts/{parent}/comments/{id}/")).await.refused(404);
    }
    // A parent in the body does not move it.
    let at = format!("/api/v1/posts/{one}/comments/{id}/");
    ulla.put(&at, &json!({"text": "y"})).await.is(200);
    assert_eq!(admin.get(&format!("/api/records/comments/{id}/")).await.is(200)["post"], one);
    // A parent that the caller may not view is none.
    admin.patch("/api/collections/posts/", &json!({"access": {"list": ["nobody"], "view": ["nobody"]}})).await.is(200);
    ulla.get(&format!("/api/v1/posts/{one}/comments/")).await.refused(404);
    admin.get(&format!("/api/v1/posts/{one}/comments/")).await.is(200);
    // Somebody who may not list at all is told so first.
    admin.patch("/api/collections/comments/", &json!({"access": {"list": ["signed_in"]}})).await.is(200);
    coffer.stranger().get(&format!("/api/v1/posts/{one}/comments/")).await.refused(401);
}

#[tokio::test]
async fn records_and_parents_are_told_by_a_unique_field() {
    let (coffer, admin) = blog().await;
    publish(&admin, json!({"path": "/api/posts/", "collection": "posts", "lookup": "slug"})).await;
    publish(
        &admin,
        json!({"path": "/api/categories/{slug}/posts/", "collection": "posts", "where": {"category.slug": "{slug}"},
            "lookup": "slug", "list": "array"}),
    )
    .await;
    publish(
        &admin,
        json!({"path": "/api/people/{name}/posts/", "collection": "posts", "where": {"owner.username": "{name}"},
            "list": "array", "actions": ["list"]}),
    )
    .await;
    let made = admin.post("/api/posts/", &json!({"title": "One", "slug": "one-1"})).await;
    made.is(201);
    assert!(made.header("location").ends_with("/api/posts/one-1/"), "{}", made.header("location"));
    assert_eq!(coffer.stranger().get("/api/posts/one-1/").await.is(200)["title"], "One");
    coffer.stranger().get("/api/posts/two/").await.refused(404);
    admin.record("categories", json!({"title": "Sweets", "slug": "sweets"})).await;
    admin.post("/api/categories/sweets/posts/", &json!({"title": "Two", "slug": "two"})).await.is(201);
    let listed = admin.get("/api/categories/sweets/posts/").await.is(200);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    admin.patch("/api/categories/sweets/posts/two/", &json!({"title": "2"})).await.is(200);
    admin.get("/api/categories/sweets/posts/one-1/").await.refused(404);
    admin.get("/api/categories/sours/posts/").await.refused(404);
    assert_eq!(admin.get("/api/people/ada/posts/").await.is(200).as_array().unwrap().len(), 2);
    // Who there is, no address tells: nobody has no more there than somebody without records.
    assert_eq!(admin.get("/api/people/nobody/posts/").await.is(200), json!([]));
    admin.delete("/api/posts/two/").await.is(204);
    // What records are found by stays unique as long as a path says so.
    let refused = admin.patch("/api/collections/posts/fields/slug/", &json!({"unique": false})).await.refused(409);
    assert!(refused.detail.contains("/api/posts/"), "{}", refused.detail);
}

#[tokio::test]
async fn a_value_of_ones_own_holds_for_all_records_of_a_path() {
    let (coffer, admin) = blog().await;
    publish(&admin, json!({"path": "/api/hot/", "collection": "posts", "where": {"likes": 100}, "list": "array"}))
        .await;
    let hot = admin.post("/api/hot/", &json!({"title": "Hot"})).await.is(201);
    assert_eq!(hot["likes"], 100);
    let cold = admin.record("posts", json!({"title": "Cold", "likes": 1})).await;
    assert_eq!(coffer.stranger().get("/api/hot/").await.is(200).as_array().unwrap().len(), 1);
    coffer.stranger().get(&format!("/api/hot/{}/", text(&cold, "id"))).await.refused(404);
}

#[tokio::test]
async fn verbs_stand_in_paths_and_several_paths_lead_to_one_collection() {
    let (coffer, admin) = blog().await;
    for path in [
        json!({"path": "/notes/", "collection": "posts", "actions": ["list"], "list": "array"}),
        json!({"path": "/notes/", "collection": "posts", "actions": ["create"]}),
        json!({"path": "/notes/create/", "collection": "posts", "actions": ["create"]}),
        json!({"path": "/notes/{pk}/", "collection": "posts", "actions": ["view"]}),
        json!({"path": "/notes/delete/{id}/", "collection": "posts", "actions": ["delete"]}),
        json!({"path": "/notes/remove/{id}/", "collection": "posts", "actions": ["delete"], "method": "POST"}),
        json!({"path": "/notes/update/{id}/", "collection": "posts", "actions": ["update"], "method": "POST"}),
    ] {
        publish(&admin, path).await;
    }
    let stranger = coffer.stranger();
    let id = text(&admin.post("/notes/create/", &json!({"title": "One", "body": "b"})).await.is(201), "id");
    admin.post("/notes/", &json!({"title": "Two"})).await.is(201);
    assert_eq!(stranger.get("/notes/").await.is(200).as_array().unwrap().len(), 2);
    assert_eq!(stranger.get(&format!("/notes/{id}/")).await.is(200)["title"], "One");
    let changed = admin.post(&format!("/notes/update/{id}/"), &json!({"title": "1"})).await.is(200);
    assert_eq!((&changed["title"], &changed["body"]), (&json!("1"), &json!("b")));
    admin.get(&format!("/notes/delete/{id}/")).await.refused(405);
    stranger.delete(&format!("/notes/delete/{id}/")).await.refused(401);
    admin.delete(&format!("/notes/delete/{id}/")).await.is(204);
    let two = text(&stranger.get("/notes/").await.is(200)[0], "id");
    admin.post(&format!("/notes/remove/{two}/"), &json!({})).await.is(204);
    let options = Answer::of(admin.request(Method::OPTIONS, "/notes/")).await;
    assert_eq!(options.header("allow"), "GET, POST, HEAD, OPTIONS");
    // What reads changes nothing.
    let path = json!({"path": "/notes/x/{id}/", "collection": "posts", "actions": ["delete"], "method": "GET"});
    admin.post("/api/paths/", &path).await.refused(400);
}

#[tokio::test]
async fn what_refers_to_a_record_is_null_for_who_may_not_list_it_and_the_record_is_shown() {
    let (coffer, admin) = Coffer::with_admin().await;
    let open = json!({"list": ["anyone"], "view": ["anyone"]});
    let hidden = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["nobody"], "delete": ["nobody"]});
    for (name, fields, access) in [
        ("makers", json!([{"name": "name", "type": "text"}]), &open),
        ("books", json!([{"name": "maker", "type": "reference", "collection": "makers"}]), &open),
        (
            "notes",
            json!([{"name": "text", "type": "text"}, {"name": "maker", "type": "reference", "collection": "makers"}]),
            &hidden,
        ),
    ] {
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
    }
    let maker = text(&admin.record("makers", json!({"name": "Acme"})).await, "id");
    let book = text(&admin.record("books", json!({"maker": maker})).await, "id");
    admin.record("notes", json!({"text": "late", "maker": maker})).await;
    let members = json!([{"maker": "maker.name"}, {"notes": "maker.notes_via_maker.text"}]);
    publish(&admin, json!({"path": "/v1/books/", "collection": "books", "list": "array", "members": members})).await;
    let stranger = coffer.stranger();
    let shown = json!({"maker": "Acme", "notes": null});
    assert_eq!(stranger.get("/v1/books/").await.is(200), json!([shown]));
    assert_eq!(stranger.get(&format!("/v1/books/{book}/")).await.is(200), shown);
    assert_eq!(admin.get("/v1/books/").await.is(200), json!([{"maker": "Acme", "notes": ["late"]}]));
    stranger.get("/api/records/makers/?expand=notes_via_maker").await.refused(400);
}

#[tokio::test]
async fn what_a_path_says_of_the_record_that_others_refer_to_tells_one_and_is_true_of_it() {
    let (coffer, admin) = blog().await;
    let sweets = text(&admin.record("categories", json!({"title": "Sweets", "slug": "sweets"})).await, "id");
    admin.record("posts", json!({"title": "One", "category": sweets})).await;
    let body = |condition| json!({"path": "/x/", "collection": "posts", "where": condition, "list": "array", "members": ["title"]});
    let refused = admin.post("/api/paths/", &body(json!({"category.title": "Sweets"}))).await.refused(400);
    assert!(refused.errors.0["where"][0].message.contains("unique"), "{refused:?}");
    for (condition, expected) in [
        (json!({"category.slug": "sweets"}), json!([{"title": "One"}])),
        (json!({"category": sweets}), json!([{"title": "One"}])),
        (json!({"category.slug": "sweets", "category.title": "Sweets"}), json!([{"title": "One"}])),
        (json!({"category.slug": "sweets", "category.title": "Sours"}), json!([])),
        (json!({"category.slug": "sours"}), json!([])),
    ] {
        let id = text(&publish(&admin, body(condition.clone())).await, "id");
        assert_eq!(coffer.stranger().get("/x/").await.is(200), expected, "{condition}");
        if condition.get("category.slug").is_some() {
            // By that field the record is found, so it stays unique.
            let change = json!({"unique": false});
            let refused = admin.patch("/api/collections/categories/fields/slug/", &change).await.refused(409);
            assert!(refused.detail.contains("/x/"), "{refused:?}");
        }
        admin.delete(&format!("/api/paths/{id}/")).await.is(204);
    }
}

/// Whom a field of a collection is hidden from learns nothing of it: not what it is called, nor which values there are.
#[tokio::test]
async fn a_record_of_a_hidden_collection_is_told_as_one_that_there_is_not() {
    let (coffer, admin) = Coffer::with_admin().await;
    let open = json!({"list": ["anyone"], "view": ["anyone"], "create": ["signed_in"], "update": ["signed_in"]});
    let access =
        |rule: &str| json!({"list": [rule], "view": [rule], "create": [rule], "update": [rule], "delete": [rule]});
    let collection = async |name: &str, fields: serde_json::Value, access: &serde_json::Value| {
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
    };
    collection("suppliers", json!([{"name": "hiddencode", "type": "text", "unique": true}]), &access("nobody")).await;
    let one = json!({"name": "one", "type": "reference", "collection": "suppliers", "nullable": true});
    let many = json!({"name": "many", "type": "reference", "collection": "suppliers", "many": true});
    collection("orders", json!([one, many]), &open).await;
    let there = text(&admin.record("suppliers", json!({"hiddencode": "S1"})).await, "id");
    let members = json!(["id", {"by": "one.hiddencode"}, {"all": "many.hiddencode"}]);
    publish(&admin, json!({"path": "/v1/orders/", "collection": "orders", "members": members})).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let made = text(&ulla.post("/v1/orders/", &json!({})).await.is(201), "id");

    let told = async |caller: &crate::support::Client, body: serde_json::Value| {
        let created = caller.post("/v1/orders/", &body).await;
        let changed = caller.patch(&format!("/v1/orders/{made}/"), &body).await;
        assert_eq!((created.status, created.faults()), (400, changed.faults()), "{body}");
        created.text()
    };
    for (body, other) in [
        (json!({"by": "S1"}), json!({"by": "S2"})),
        (json!({"all": ["S1"]}), json!({"all": ["S2"]})),
        (json!({"by": "S1", "all": ["S1", "S1"]}), json!({"by": "S2", "all": ["S2", "S2"]})),
    ] {
        let (taken, absent) = (told(&ulla, body).await, told(&ulla, other).await);
        assert!(!taken.contains("hiddencode") && !taken.contains(&there), "{taken}");
        assert_eq!(taken.replace("S1", "S2").split("request_id").next(), absent.split("request_id").next());
        assert!(taken.contains("Invalid pk \\\"S1\\\" - object does not exist."), "{taken}");
    }
    for address in
        ["/v1/orders/?by=S1", "/v1/orders/?by__zzz=1", "/v1/orders/?ordering=by", "/api/schema/", "/api/collections/"]
    {
        let answer = ulla.get(address).await;
        assert!(!answer.text().contains("hiddencode"), "{address}: {}", answer.text());
    }
    let options = Answer::of(ulla.request(Method::OPTIONS, "/v1/orders/")).await;
    assert!(options.status == 200 && !options.text().contains("hiddencode"), "{}", options.text());
    // Somebody who may see the collection is told by which field, as in Django REST Framework.
    let seen = told(&admin, json!({"by": "S2"})).await;
    assert!(seen.contains("Object with hiddencode=S2 does not exist."), "{seen}");
    admin.patch("/api/collections/suppliers/", &json!({"access": access("signed_in")})).await.is(200);
    let seen = told(&ulla, json!({"by": "S2"})).await;
    assert!(seen.contains("Object with hiddencode=S2 does not exist."), "{seen}");
    ulla.patch(&format!("/v1/orders/{made}/"), &json!({"by": "S1"})).await.is(200);
}
