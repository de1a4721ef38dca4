//! Members, lists, errors and what may be written, in the shapes that front ends expect.

use serde_json::{Value, json};

use super::{blog, publish};
use crate::support::text;

const MEMBERS: &str = r#"["id", "title", {"pub_date": "created_at"}, {"author": "owner.username"}, {"content": "body"},
    {"category": {"pk": "category.id", "name": "category.title"}}, {"category_slug": "category.slug"}]"#;

fn members() -> Value {
    serde_json::from_str(MEMBERS).unwrap()
}

#[tokio::test]
async fn members_are_renamed_nested_and_flattened_on_the_way_out_and_in() {
    let (coffer, admin) = blog().await;
    publish(&admin, json!({"path": "/api/posts/", "collection": "posts", "members": members(), "list": "array"})).await;
    let sweets = text(&admin.record("categories", json!({"title": "Sweets", "slug": "sweets"})).await, "id");
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let made = ulla
        .post("/api/posts/", &json!({"title": "One", "content": "c", "category_slug": "sweets", "author": "otto"}))
        .await
        .is(201);
    let due = json!({"id": made["id"], "title": "One", "pub_date": made["pub_date"], "author": "ulla", "content": "c",
        "category": {"pk": sweets, "name": "Sweets"}, "category_slug": "sweets"});
    assert_eq!(made, due);
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "title", "pub_date", "author", "content", "category", "category_slug"]);
    let at = format!("/api/posts/{}/", text(&made, "id"));
    assert_eq!(coffer.stranger().get(&at).await.is(200), due);
    assert_eq!(coffer.stranger().get("/api/posts/").await.is(200), json!([due]));
    // A reference is written by its id, alone or in an object, and by null.
    for (category, name) in
        [(json!(null), Value::Null), (json!(sweets), json!("Sweets")), (json!({"pk": sweets}), json!("Sweets"))]
    {
        let changed = ulla.patch(&at, &json!({"category": category})).await.is(200);
        assert_eq!(changed["category"].get("name").cloned().unwrap_or_default(), name, "{category}");
    }
    // PUT leaves what the path does not have as it is, and asks for what has to be there.
    admin.patch(&format!("/api/records/posts/{}/", text(&made, "id")), &json!({"secret": "s"})).await.is(200);
    let refused = ulla.put(&at, &json!({"content": "d"})).await.refused(400);
    assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["title"]);
    ulla.put(&at, &json!({"title": "Two"})).await.is(200);
    let stored = admin.get(&format!("/api/records/posts/{}/", text(&made, "id"))).await.is(200);
    assert_eq!((&stored["title"], &stored["secret"]), (&json!("Two"), &json!("s")));
}

#[tokio::test]
async fn filters_orderings_and_faults_go_by_published_names() {
    let (coffer, admin) = blog().await;
    publish(&admin, json!({"path": "/api/posts/", "collection": "posts", "members": members(), "unknown": "refuse"}))
        .await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let sweets = text(&admin.record("categories", json!({"title": "Sweets", "slug": "sweets"})).await, "id");
    for (client, title, category) in
        [(&ulla, "b", json!(sweets)), (&admin, "a", json!(null)), (&ulla, "c", json!(null))]
    {
        client.post("/api/posts/", &json!({"title": title, "category": category, "content": title})).await.is(201);
    }
    let titles = async |query: &str| ulla.column(&format!("/api/posts/?{query}"), "title").await;
    for (query, due) in [
        ("ordering=-title", json!(["c", "b", "a"])),
        ("ordering=author,-pub_date", json!(["a", "c", "b"])),
        ("author=ulla&ordering=title", json!(["b", "c"])),
        ("content__in=a,c&ordering=content", json!(["a", "c"])),
        ("category__name=Sweets", json!(["b"])),
        ("category_slug=sweets", json!(["b"])),
        ("category__isnull=true&ordering=title", json!(["a", "c"])),
        ("pub_date__gte=2020-01-01&ordering=title", json!(["a", "b", "c"])),
        ("filter=content+%3D+%22a%22+or+author+%3D+%22nobody%22", json!(["a"])),
    ] {
        assert_eq!(json!(titles(query).await), due, "{query}");
    }
    let by_id = format!("category={sweets}");
    assert_eq!(json!(titles(&by_id).await), json!(["b"]));
    let some = ulla.get("/api/posts/?fields=title,author&ordering=title&page_size=1").await.is(200);
    assert_eq!(some["results"], json!([{"title": "a", "author": "ada"}]));
    // Names that are not published are none, the record's own neither.
    for (query, name) in [
        ("secret=x", "secret"),
        ("created_at__gte=2020-01-01", "created_at__gte"),
        ("pub_date__gte=never", "pub_date__gte"),
        ("ordering=created_at", "ordering"),
        ("fields=secret", "fields"),
        ("filter=secret+%3D+1", "filter"),
        ("expand=category", "expand"),
    ] {
        let refused = ulla.get(&format!("/api/posts/?{query}")).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [name], "{query}");
        assert!(!refused.detail.contains("created_at__") || name.starts_with("created_at"), "{refused:?}");
    }
    for (body, name) in [
        (json!({"title": "x", "content": 3.5, "secret": "x"}), "secret"),
        (json!({"title": "x", "created_at": "2020-01-01"}), "created_at"),
        (json!({"title": "x", "category": "nothing"}), "category"),
        (json!({"title": "x", "category_slug": "nothing"}), "category"),
        (json!({"content": "x"}), "title"),
        (json!({"title": "x", "content": []}), "content"),
    ] {
        let refused = ulla.post("/api/posts/", &body).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [name], "{body}");
    }
    let refused = ulla.post("/api/posts/", &json!([{"title": "x"}, {"title": "y", "content": []}])).await.refused(400);
    assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["1.content"]);
}

#[tokio::test]
async fn what_is_not_writable_is_left_alone_and_what_is_unknown_is_ignored_where_that_is_said() {
    let (_coffer, admin) = blog().await;
    let path = json!({"path": "/api/posts/", "collection": "posts", "members": ["id", "title", {"content": "body"}],
        "writable": ["title"], "unknown": "ignore"});
    publish(&admin, path).await;
    let made =
        admin.post("/api/posts/?zzz=1", &json!({"title": "x", "content": "c", "zzz": 1, "secret": "s"})).await.is(201);
    assert_eq!(made["content"], "");
    let stored = admin.get(&format!("/api/records/posts/{}/", text(&made, "id"))).await.is(200);
    assert_eq!((&stored["secret"], &stored["body"]), (&json!(""), &json!("")));
    assert_eq!(admin.get("/api/posts/?zzz=1&secret=x&ordering=zzz").await.is(200)["count"], 1);
    let options = admin.request(reqwest::Method::OPTIONS, "/api/posts/");
    let options = crate::support::Answer::of(options).await.is(200);
    assert_eq!(options["actions"]["POST"]["content"]["read_only"], true);
    assert_eq!(options["actions"]["POST"]["title"]["read_only"], false);
    // Of the record as it is, too.
    publish(&admin, json!({"path": "/api/plain/", "collection": "posts", "writable": ["title"]})).await;
    let made = admin.post("/api/plain/", &json!({"title": "y", "secret": "s"})).await.is(201);
    assert_eq!(made["secret"], "");
    admin.patch(&format!("/api/records/posts/{}/", text(&made, "id")), &json!({"secret": "s"})).await.is(200);
    let kept = admin.put(&format!("/api/plain/{}/", text(&made, "id")), &json!({"title": "z"})).await.is(200);
    assert_eq!((&kept["title"], &kept["secret"]), (&json!("z"), &json!("s")));
}

#[tokio::test]
async fn lists_have_the_shape_that_is_said_and_an_array_is_never_cut_in_silence() {
    let (coffer, admin) = blog().await;
    for (path, more) in [
        ("/api/array/", json!({"list": "array", "limit": 3})),
        ("/api/parts/", json!({"list": "limit-offset", "page_size": 2})),
        ("/api/cursors/", json!({"list": "cursor", "page_size": 2, "members": ["title"]})),
        ("/api/pages/", json!({"page_size": 2})),
    ] {
        let mut definition = json!({"path": path, "collection": "posts"});
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        publish(&admin, definition).await;
    }
    for title in ["a", "b", "c"] {
        admin.record("posts", json!({"title": title})).await;
    }
    let stranger = coffer.stranger();
    assert_eq!(stranger.get("/api/array/").await.is(200).as_array().unwrap().len(), 3);
    let parts = stranger.get("/api/parts/").await.is(200);
    assert_eq!((parts["count"].as_u64(), parts["results"].as_array().unwrap().len()), (Some(3), 2));
    assert!(text(&parts, "next").contains("/api/parts/?limit=2&offset=2"), "{parts}");
    let mut cursor = stranger.get("/api/cursors/").await.is(200);
    assert!(cursor.get("count").is_none());
    let mut seen = Vec::new();
    loop {
        seen.extend(cursor["results"].as_array().unwrap().clone());
        let Some(next) = cursor["next"].as_str().map(|next| next[next.find("/api/").unwrap()..].to_owned()) else {
            break;
        };
        cursor = stranger.get(&next).await.is(200);
    }
    assert_eq!(json!(seen), json!([{"title": "a"}, {"title": "b"}, {"title": "c"}]));
    assert_eq!(stranger.get("/api/pages/").await.is(200)["results"].as_array().unwrap().len(), 2);
    admin.record("posts", json!({"title": "d"})).await;
    let refused = stranger.get("/api/array/").await.refused(400);
    assert!(refused.detail.contains("more than 3 records"), "{refused:?}");
    // Somebody who asks for a part gets it, and so does who asks for few enough.
    assert_eq!(stranger.get("/api/array/?limit=2&offset=2").await.is(200).as_array().unwrap().len(), 2);
    assert_eq!(stranger.get("/api/array/?title__in=a,b").await.is(200).as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn errors_have_the_form_that_is_said_where_a_request_names_none() {
    let (coffer, admin) = blog().await;
    publish(&admin, json!({"path": "/api/a/", "collection": "posts", "errors": "problem"})).await;
    publish(&admin, json!({"path": "/api/b/", "collection": "posts", "errors": "drf"})).await;
    let kind = async |path: &str, accept: &str| {
        let request = coffer.stranger().plain(reqwest::Method::POST, path).header("accept", accept).body("{}");
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), 401);
        answer.headers()["content-type"].to_str().unwrap().to_owned()
    };
    assert_eq!(kind("/api/a/", "*/*").await, "application/problem+json");
    assert_eq!(kind("/api/b/", "*/*").await, "application/json");
    assert_eq!(kind("/api/a/", "application/json").await, "application/json");
    assert_eq!(kind("/api/b/", "application/problem+json").await, "application/problem+json");
}
