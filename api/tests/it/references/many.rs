//! References to many: lists of ids, each checked, asked from both ends, and true after what they lead to is gone.

use serde_json::{Value, json};

use crate::support::{Client, Coffer, id};

/// Tags and posts with many of them, with ids of one kind or the other; and the ids of the tags `a`, `b` and `c`.
async fn blog(ids: &str, on_delete: Option<&str>) -> (Coffer, Client, Vec<Value>) {
    let (coffer, admin) = Coffer::with_admin().await;
    let name =
        json!([{"name": "name", "type": "text", "unique": true}, {"name": "weight", "type": "integer", "default": 1}]);
    admin.post("/api/collections/", &json!({"name": "tags", "ids": ids, "fields": name})).await.is(201);
    let mut tags = json!({"name": "tags", "type": "reference", "collection": "tags", "many": true});
    if let Some(on_delete) = on_delete {
        tags["on_delete"] = on_delete.into();
    }
    let fields = json!([{"name": "title", "type": "text"}, {"name": "n", "type": "integer", "indexed": true}, tags]);
    let made = admin.post("/api/collections/", &json!({"name": "posts", "ids": ids, "fields": fields})).await.is(201);
    let expected = on_delete.unwrap_or("set_null");
    assert_eq!(
        (&made["fields"][2]["many"], &made["fields"][2]["on_delete"]),
        (&json!(true), &json!(expected)),
        "{made}"
    );
    let mut tags = Vec::new();
    for name in ["a", "b", "c"] {
        tags.push(admin.record("tags", json!({"name": name})).await["id"].clone());
    }
    (coffer, admin, tags)
}

async fn titles(admin: &Client, query: &str) -> Vec<String> {
    let titles = admin.column(&format!("/api/records/posts/?page_size=1000&{query}"), "title").await;
    titles.iter().map(|title| title.as_str().unwrap().to_owned()).collect()
}

async fn post(admin: &Client, title: &str, tags: &[&Value]) -> Value {
    admin.record("posts", json!({"title": title, "n": title.len(), "tags": tags})).await
}

/// An id as a query has it.
fn asked(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

#[tokio::test]
async fn lists_of_ids_are_checked_and_asked_from_both_ends() {
    for ids in ["uuid", "integer"] {
        let (_coffer, admin, tags) = blog(ids, None).await;
        let [a, b, c] = [&tags[0], &tags[1], &tags[2]];
        let made = admin.record("posts", json!({"title": "ba", "tags": [b, a, b]})).await;
        assert_eq!(made["tags"], json!([b, a]), "in the order that was sent, each once");
        post(&admin, "a", &[a]).await;
        post(&admin, "none", &[]).await;
        post(&admin, "abc", &[a, b, c]).await;
        assert_eq!(admin.record("posts", json!({"title": "left out"})).await["tags"], json!([]));
        for (value, told) in [
            (
                json!(a),
                format!(
                    "tags: Expected a list of items but got type \"{}\".",
                    if ids == "uuid" { "str" } else { "int" }
                ),
            ),
            (Value::Null, "tags: This field may not be null.".to_owned()),
            (json!([a, "x", 99]), "tags: Invalid pk \"x\" - object does not exist.".to_owned()),
            (json!([a, true]), "tags: Incorrect type. Expected pk value, received bool.".to_owned()),
        ] {
            let refused = admin.post("/api/records/posts/", &json!({"title": "x", "tags": value})).await;
            assert_eq!(refused.faults(), [told]);
        }
        let missing = json!([a, "01920000-0000-7000-8000-000000000001", 77]);
        assert_eq!(admin.post("/api/records/posts/", &json!({"title": "x", "tags": missing})).await.faults().len(), 2);
        // Conditions.
        let (qa, qb, qc) = (asked(a), asked(b), asked(c));
        for (query, wanted) in [
            (format!("tags={qa}"), vec!["ba", "a", "abc"]),
            (format!("tags={qc}"), vec!["abc"]),
            (format!("tags={qb}&ordering=-title"), vec!["ba", "abc"]),
            (format!("tags={qc}&tags={qb}"), vec!["ba", "abc"]),
            (format!("tags__in={qb},{qc}"), vec!["ba", "abc"]),
            (format!("tags__ne={qb}"), vec!["a", "none", "left out"]),
            ("tags__isnull=true".to_owned(), vec!["none", "left out"]),
            ("tags__isempty=false".to_owned(), vec!["ba", "a", "abc"]),
            ("tags__name=b".to_owned(), vec!["ba", "abc"]),
            ("tags__name__in=b,c".to_owned(), vec!["ba", "abc"]),
            ("tags__name__ne=a".to_owned(), vec!["none", "left out"]),
            ("tags__name__startswith=c".to_owned(), vec!["abc"]),
            ("tags__weight__gt=0&n__gte=2".to_owned(), vec!["abc"]),
            (format!("filter=tags = {qa} and tags = {qb}").replace(' ', "%20"), vec!["ba", "abc"]),
            ("filter=tags.name = a and tags.name = c".replace(' ', "%20"), vec!["abc"]),
            (format!("filter=tags = {qc} or title = a").replace(' ', "%20"), vec!["a", "abc"]),
            (format!("filter=not tags = {qa}").replace(' ', "%20"), vec!["none", "left out"]),
            (format!("tags={qa}&n=3"), vec!["abc"]),
        ] {
            assert_eq!(titles(&admin, &query).await, wanted, "{ids} {query}");
        }
        for (query, told) in [
            (format!("tags__gt={qa}"), "tags__gt: gt does not work on a list."),
            ("ordering=tags".to_owned(), "ordering: \"tags\" has no order."),
            ("ordering=tags__name".to_owned(), "ordering: \"tags__name\" has no order."),
        ] {
            assert_eq!(admin.get(&format!("/api/records/posts/?{query}")).await.faults(), [told]);
        }
        admin.get("/api/records/posts/aggregate/?group_by=tags").await.refused(400);
        // From both ends.
        let there = admin.get("/api/records/posts/?title=ba&expand=tags").await.is(200);
        let names: Vec<&Value> =
            there["results"][0]["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
        assert_eq!(names, ["b", "a"]);
        let back = admin.get(&format!("/api/records/tags/{qb}/?expand=posts_via_tags")).await.is(200);
        let back: Vec<&Value> = back["posts_via_tags"].as_array().unwrap().iter().map(|post| &post["title"]).collect();
        assert_eq!(back, ["ba", "abc"]);
        let changed = admin.patch(&format!("/api/records/posts/{}/", id(&made)), &json!({"tags": [c]})).await.is(200);
        assert_eq!(
            (&changed["tags"], titles(&admin, &format!("tags={qb}")).await),
            (&json!([c]), vec!["abc".to_owned()])
        );
    }
}

#[tokio::test]
async fn what_is_gone_is_in_no_list_or_holds_or_takes_along() {
    for ids in ["uuid", "integer"] {
        let (_coffer, admin, tags) = blog(ids, None).await;
        let [a, b, c] = [&tags[0], &tags[1], &tags[2]];
        for (title, tags) in [("ab", vec![a, b]), ("b", vec![b]), ("bca", vec![b, c, a])] {
            post(&admin, title, &tags).await;
        }
        let gone = admin.delete(&format!("/api/records/tags/{}/", asked(b))).await;
        gone.is(204);
        let lists = async || Value::Array(admin.column("/api/records/posts/", "tags").await);
        assert_eq!(lists().await, json!([[a], [], [c, a]]));
        admin.post(&format!("/api/changes/{}/revert/", gone.header("operation")), &json!({})).await.is(200);
        assert_eq!(lists().await, json!([[a, b], [b], [b, c, a]]));
        // Two at once out of one list.
        let both = json!({"items": [{"action": "delete", "collection": "tags", "id": a}, {"action": "delete", "collection": "tags", "id": c}]});
        admin.post("/api/batch/", &both).await.is(200);
        assert_eq!(lists().await, json!([[b], [b], [b]]));

        let (_coffer, admin, tags) = blog(ids, Some("restrict")).await;
        post(&admin, "x", &[&tags[0], &tags[1]]).await;
        let held = admin.delete(&format!("/api/records/tags/{}/", asked(&tags[1]))).await.refused(409);
        assert_eq!(held.code, "restricted");
        admin.delete(&format!("/api/records/tags/{}/", asked(&tags[2]))).await.is(204);

        let (_coffer, admin, tags) = blog(ids, Some("cascade")).await;
        post(&admin, "x", &[&tags[0], &tags[1]]).await;
        post(&admin, "y", &[&tags[2], &tags[2]]).await;
        admin.delete(&format!("/api/records/tags/{}/", asked(&tags[1]))).await.is(204);
        assert_eq!(titles(&admin, "").await, ["y"]);
    }
}

#[tokio::test]
async fn lists_come_from_files_batches_and_published_paths() {
    let (_coffer, admin, tags) = blog("integer", None).await;
    let file = "title,tags\none,a;c\ntwo,\nthree,\"[2,1]\"\n";
    admin.raw(reqwest::Method::POST, "/api/records/posts/import/", "text/csv", file).await.is(200);
    assert_eq!(Value::Array(admin.column("/api/records/posts/", "tags").await), json!([[1, 3], [], [2, 1]]));
    let bad = admin.raw(reqwest::Method::POST, "/api/records/posts/import/", "text/csv", "title,tags\nx,a;zzz\n").await;
    assert!(bad.text().contains("No record of \\\"tags\\\" is called \\\"zzz\\\"."), "{}", bad.text());
    let out = admin.get("/api/records/posts/export/?format=csv").await;
    assert!(out.text().contains("[1,3]"), "{}", out.text());
    let batch = json!({"items": [
        {"action": "create", "collection": "tags", "as": "new", "record": {"name": "d"}},
        {"action": "create", "collection": "posts", "record": {"title": "four", "tags": [{"$ref": "new"}, tags[0]]}},
        {"action": "create", "collection": "posts", "record": {"title": "bad", "tags": []}},
    ]});
    let did = admin.post("/api/batch/", &batch).await.is(200);
    assert_eq!(did["items"][1]["record"]["tags"], json!([4, 1]), "{did}");
    let unknown = json!({"items": [{"action": "create", "collection": "posts", "record": {"title": "x", "tags": [{"$ref": "nope"}]}}]});
    admin.post("/api/batch/", &unknown).await.refused(400);
    // As a serializer with slugs has it, and under each tag.
    let path = json!({"path": "/api/v1/posts/", "collection": "posts", "list": "array", "members": ["id", "title", {"tags": "tags.name"}, {"tag_ids": "tags"}, {"tag_list": {"id": "tags.id", "name": "tags.name"}}]});
    admin.post("/api/paths/", &path).await.is(201);
    let made = admin.post("/api/v1/posts/", &json!({"title": "five", "tags": ["c", "a"]})).await.is(201);
    assert_eq!((&made["tags"], &made["tag_ids"]), (&json!(["c", "a"]), &json!([3, 1])), "{made}");
    assert_eq!(made["tag_list"], json!([{"id": 3, "name": "c"}, {"id": 1, "name": "a"}]));
    let nested = json!({"path": "/api/v1/tags/{tag}/posts/", "collection": "posts", "where": {"tags": "{tag}"}, "list": "array"});
    admin.post("/api/paths/", &nested).await.is(201);
    let of_c = admin.get("/api/v1/tags/3/posts/").await.is(200);
    let of_c: Vec<&Value> = of_c.as_array().unwrap().iter().map(|post| &post["title"]).collect();
    assert_eq!(of_c, ["one", "five"]);
    let made = admin.post("/api/v1/tags/3/posts/", &json!({"title": "six", "tags": [2]})).await.is(201);
    assert_eq!(made["tags"], json!([3, 2]));
    admin.get(&format!("/api/v1/tags/3/posts/{}/", id(&made))).await.is(200);
    admin.get(&format!("/api/v1/tags/1/posts/{}/", id(&made))).await.refused(404);
    let described = admin.json(reqwest::Method::OPTIONS, "/api/records/posts/", &json!({})).await.is(200);
    assert_eq!(described["actions"]["POST"]["tags"]["many"], true, "{described}");
    let schema = admin.get("/api/schema/").await.is(200);
    let tags = &schema["components"]["schemas"]["RecordsPosts"]["properties"]["tags"];
    assert_eq!((&tags["type"], &tags["items"]["type"]), (&json!("array"), &json!("integer")));
}

#[tokio::test]
async fn a_reference_becomes_a_list_of_one_and_back_where_nothing_is_lost() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("tags", json!([{"name": "name", "type": "text"}])).await;
    let tag = |many: bool| json!({"name": "tag", "type": "reference", "collection": "tags", "many": many, "nullable": !many, "on_delete": "set_null"});
    admin.collection("posts", json!([{"name": "title", "type": "text"}, tag(false)])).await;
    let a = admin.record("tags", json!({"name": "a"})).await["id"].clone();
    let b = admin.record("tags", json!({"name": "b"})).await["id"].clone();
    for tag in [&a, &Value::Null, &a] {
        admin.record("posts", json!({"title": "x", "tag": tag})).await;
    }
    let fields = |many| json!({"fields": [{"name": "title", "type": "text"}, tag(many)]});
    admin.patch("/api/collections/posts/", &fields(true)).await.is(200);
    let lists = async || Value::Array(admin.column("/api/records/posts/", "tag").await);
    assert_eq!(lists().await, json!([[a], [], [a]]));
    assert_eq!(admin.column(&format!("/api/records/posts/?tag={}", asked(&a)), "title").await.len(), 2);
    let first = admin.get("/api/records/posts/").await.is(200)["results"][0].clone();
    let at = format!("/api/records/posts/{}/", id(&first));
    admin.patch(&at, &json!({"tag": [a, b]})).await.is(200);
    admin.patch("/api/collections/posts/", &fields(false)).await.refused(409);
    admin.patch(&at, &json!({"tag": [b]})).await.is(200);
    admin.patch("/api/collections/posts/", &fields(false)).await.is(200);
    assert_eq!(lists().await, json!([b, null, a]));
    admin.delete(&format!("/api/records/tags/{}/", asked(&a))).await.is(204);
    assert_eq!(lists().await, json!([b, null, null]));
}

/// Several ids, one repeated, and what stands at the other end: of each the index is read, and a post that has two of them comes once.
#[tokio::test]
async fn one_of_several_is_read_off_the_index() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("tags", json!([{"name": "name", "type": "text", "indexed": true}])).await;
    let tags = json!({"name": "tags", "type": "reference", "collection": "tags", "many": true});
    admin.collection("posts", json!([{"name": "n", "type": "integer"}, tags])).await;
    let named: Vec<Value> = (0..100).map(|n| json!({"name": format!("t{}", n / 2)})).collect();
    let made = admin.post("/api/records/tags/", &json!(named)).await.is(201);
    let tag = |n: usize| made[n]["id"].clone();
    let post = |n: usize| json!({"n": n, "tags": [tag(n % 100), tag((n + 1) % 100)]});
    let posts: Vec<Value> = (0..500).map(post).collect();
    admin.post("/api/records/posts/", &json!(posts)).await.is(201);
    let (a, b) = (asked(&tag(6)), asked(&tag(7)));
    for query in [
        format!("tags__in={a},{b}"),
        format!("tags={a}&tags={b}"),
        format!("filter=tags in ({a}, {b})"),
        format!("filter=tags = {a} or tags = {b}"),
        "tags__name=t3".to_owned(),
    ] {
        let query = query.replace(' ', "%20");
        let told =
            admin.get(&format!("/api/records/posts/?explain=true&page_size=100&ordering=n&{query}")).await.is(200);
        let found: Vec<u64> =
            told["results"].as_array().unwrap().iter().map(|row| row["n"].as_u64().unwrap()).collect();
        let expected: Vec<u64> = (0..500).filter(|n| matches!(n % 100, 5..=7)).collect();
        assert_eq!((&found, told["count"].as_u64()), (&expected, Some(15)), "{query}");
        let (indexes, read) = (&told["explain"]["indexes"], told["explain"]["keys_read"].as_u64().unwrap());
        assert!(*indexes == json!([["tags"]]) && read < 300, "{query}: {}", told["explain"]);
    }
}
