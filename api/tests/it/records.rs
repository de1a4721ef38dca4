//! `/api/records/{collection}/` and one record: what is taken, what is refused with which words, and what an entity tag is for.

use common::{
    Call,
    endpoint::EndpointInfo,
    endpoints::records,
    id::Revision,
    record::{OneOrMany, Record},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, schema::Judge, text};

mod values;

const SNACKS: &str = "/api/records/snacks/";

async fn with_snacks(fields: Value) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", fields).await;
    (coffer, admin)
}

fn title_and_price() -> Value {
    json!([{"name": "title", "type": "text", "required": true, "unique": true}, {"name": "price", "type": "integer", "default": 1}])
}

/// A request with one more header and perhaps a body.
async fn with_header(
    client: &Client,
    method: Method,
    path: &str,
    (name, value): (&str, &str),
    body: Option<Value>,
) -> Answer {
    let mut request = client.request(method, path).header(name, value);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Answer::of(request).await
}

#[tokio::test]
async fn a_record_lives_from_post_to_delete() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let collection: common::name::CollectionName = "snacks".parse().unwrap();
    let mut body = Record::default();
    body.set("title", "Popcorn");
    let made = admin.send(Call::<records::Create>::new((collection.clone(),), OneOrMany::One(body))).await.unwrap();
    let OneOrMany::One(record) = made.body else { panic!("one makes one") };
    let id = record.id().unwrap();
    assert_eq!(
        (record.get("price"), record.revision(), record.owner()),
        (Some(&json!(1)), made.etag, Some(admin.id.parse().unwrap()))
    );
    let members: Vec<&String> = record.as_object().keys().collect();
    assert_eq!(members, ["id", "title", "price", "owner", "created_at", "updated_at", "revision"]);

    let seen = admin.send(Call::<records::Get>::new((collection.clone(), id), ())).await.unwrap();
    assert_eq!((&seen.body, seen.etag), (&record, made.etag));
    let mut patch = Record::default();
    patch.set("price", 5);
    let changed = admin.send(Call::<records::Update>::new((collection.clone(), id), patch)).await.unwrap();
    assert_eq!((changed.body.get("title"), changed.body.get("price")), (Some(&json!("Popcorn")), Some(&json!(5))));
    assert!(changed.etag > made.etag && changed.body.get("updated_at") != record.get("updated_at"));
    assert_eq!(changed.body.get("created_at"), record.get("created_at"));

    let mut whole = Record::default();
    whole.set("title", "Crisps");
    let replaced = admin.send(Call::<records::Replace>::new((collection.clone(), id), whole)).await.unwrap();
    assert_eq!(replaced.body.get("price"), Some(&json!(5)), "PUT keeps what it leaves out");
    admin.send(Call::<records::Delete>::new((collection.clone(), id), ())).await.unwrap();
    let gone = admin.send(Call::<records::Get>::new((collection, id), ())).await.unwrap_err();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn location_and_entity_tag_belong_to_the_new_record() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let answer = admin.post(SNACKS, &json!({"title": "Popcorn"})).await;
    let record = answer.is(201);
    assert_eq!(answer.header("location"), format!("{}{}", admin.base, path("snacks", &record)));
    assert_eq!(answer.header("etag"), format!("\"{}\"", record["revision"]));
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    // The record under that address is the same to the byte.
    assert_eq!(admin.get(&path("snacks", &record)).await.body, answer.body);
}

#[tokio::test]
async fn what_is_current_is_not_sent_again() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let (address, tag) = (path("snacks", &record), format!("\"{}\"", record["revision"]));
    for known in [tag.clone(), format!("\"1\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        let answer = with_header(&admin, Method::GET, &address, ("if-none-match", &known), None).await;
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, tag.as_str()), "{known}");
    }
    for other in ["\"1\"", "1", "", "garbage"] {
        assert_eq!(
            with_header(&admin, Method::GET, &address, ("if-none-match", other), None).await.status,
            200,
            "{other}"
        );
    }
    admin.patch(&address, &json!({"price": 2})).await.is(200);
    with_header(&admin, Method::GET, &address, ("if-none-match", &tag), None).await.is(200);
}

#[tokio::test]
async fn d4_a_stale_revision_changes_nothing() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let address = path("snacks", &record);
    let old = Revision(record["revision"].as_u64().unwrap());
    let body = json!({"title": "Popcorn", "price": 2, "revision": old.0});
    let new = Revision(admin.patch(&address, &body).await.is(200)["revision"].as_u64().unwrap());
    let change = || Some(json!({"title": "Crisps"}));
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        for tag in [old.etag(), format!("W/{}", new.etag()), new.0.to_string(), "garbage".to_owned(), String::new()] {
            let body = if method == Method::DELETE { None } else { change() };
            let refused = with_header(&admin, method.clone(), &address, ("if-match", &tag), body).await;
            assert_eq!(refused.refused(412).code, "stale", "{method} {tag}");
        }
    }
    for method in [Method::PATCH, Method::PUT] {
        let stale = json!({"title": "Crisps", "revision": old.0});
        admin.json(method.clone(), &address, &stale).await.refused(412);
        let odd = json!({"title": "Crisps", "revision": "one"});
        assert_eq!(admin.json(method, &address, &odd).await.faults(), ["revision: A valid integer is required."]);
        // Both are asked for: a good body does not make a stale header good.
        let body = Some(json!({"title": "Crisps", "revision": new.0}));
        with_header(&admin, Method::PATCH, &address, ("if-match", &old.etag()), body).await.refused(412);
    }
    // A create never changes a record that is there.
    for tag in ["*", &new.etag(), &format!("\"1\", W/{}", new.etag())] {
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let body = if method == Method::DELETE { None } else { change() };
            with_header(&admin, method, &address, ("if-none-match", tag), body).await.refused(412);
        }
    }
    let not_text = admin.request(Method::DELETE, &address).header("if-match", &b"\xff"[..]);
    Answer::of(not_text).await.refused(412);
    assert_eq!(admin.get(&address).await.is(200)["revision"], new.0);
    let several = format!("{}, {}", old.etag(), new.etag());
    with_header(&admin, Method::PATCH, &address, ("if-match", &several), change()).await.is(200);
    with_header(&admin, Method::PUT, &address, ("if-match", "*"), change()).await.is(200);
    let last = admin.get(&address).await.header("etag").to_owned();
    with_header(&admin, Method::DELETE, &address, ("if-match", &last), None).await.is(204);
    with_header(&admin, Method::DELETE, &address, ("if-match", "*"), None).await.refused(404);
}

#[tokio::test]
async fn a_write_that_changes_nothing_keeps_the_revision() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let record = admin.record("snacks", json!({"title": "Popcorn", "price": 3})).await;
    let address = path("snacks", &record);
    // Everything that was read may be sent back as it is.
    assert_eq!(admin.put(&address, &record).await.is(200), record);
    assert_eq!(admin.patch(&address, &record).await.is(200), record);
    assert_eq!(admin.patch(&address, &json!({})).await.is(200), record);
}

#[tokio::test]
async fn d2_members_of_the_server_cannot_be_set() {
    let (coffer, admin) = with_snacks(title_and_price()).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let record = ulla.record("snacks", json!({"title": "Popcorn"})).await;
    let at = path("snacks", &record);
    for (name, value) in [
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("updated_at", json!("2020-01-01T00:00:00Z")),
        ("owner", Value::Null),
        ("owner", json!(ulla.id)),
    ] {
        let body = json!({"title": "Popcorn", name: value});
        assert_eq!(ulla.put(&at, &body).await.is(200), record, "{body}");
        assert_eq!(ulla.patch(&at, &body).await.is(200), record, "{body}");
    }
    for (name, value) in [("id", json!("01920000-0000-7000-8000-000000000001")), ("owner", json!(admin.id))] {
        let body = json!({"title": "Popcorn", name: value});
        assert_eq!(ulla.put(&at, &body).await.faults().len(), 1, "{body}");
        assert_eq!(ulla.patch(&at, &body).await.faults().len(), 1, "{body}");
    }
    let id = json!("01920000-0000-7000-8000-000000000001");
    let made = ulla.record("snacks", json!({"title": "x", "revision": 1, "id": id, "created_at": null})).await;
    assert!(made["id"] != id && made["revision"] != 1 && made["created_at"].is_string());
    assert_eq!(admin.get(&at).await.is(200), record);
}

#[tokio::test]
async fn a_version_is_put_back_from_the_history() {
    let (_coffer, admin) = with_snacks(title_and_price()).await;
    let first = admin.record("snacks", json!({"title": "Popcorn", "price": 3})).await;
    let address = path("snacks", &first);
    let second = admin.patch(&address, &json!({"title": "Crisps"})).await.is(200);
    let restore =
        async |revision: &Value| admin.post(&format!("{address}history/{revision}/restore/"), &json!({})).await;
    let back = restore(&first["revision"]).await;
    assert_eq!(text(&back.is(200), "title"), "Popcorn");
    assert_eq!(back.header("etag"), format!("\"{}\"", back.is(200)["revision"]));
    assert!(back.is(200)["revision"].as_u64() > second["revision"].as_u64());

    let conditional = async |revision: &Value, tag: String| {
        let address = format!("{address}history/{revision}/restore/");
        Answer::of(
            admin
                .request(Method::POST, &address)
                .header("if-match", tag)
                .header("content-type", "application/json")
                .body("{}"),
        )
        .await
    };
    conditional(&second["revision"], format!("\"{}\"", first["revision"])).await.refused(412);
    conditional(&second["revision"], format!("\"0\", \"{}\"", back.is(200)["revision"])).await.is(200);

    admin.delete(&address).await.is(204);
    conditional(&second["revision"], format!("\"{}\"", second["revision"])).await.refused(412);
    conditional(&second["revision"], "*".to_owned()).await.refused(412);
    let revived = restore(&second["revision"]).await.is(200);
    assert_eq!((text(&revived, "title"), &revived["price"]), ("Crisps".to_owned(), &json!(3)));
    for member in ["id", "owner", "created_at"] {
        assert_eq!(revived[member], first[member]);
    }
    assert_eq!(admin.get(&address).await.is(200), revived);
    assert_eq!(admin.get("/api/collections/snacks/").await.is(200)["count"], 1);
    assert_eq!(admin.column(&format!("{SNACKS}?title=Crisps"), "id").await, [first["id"].clone()]);

    // Its place has been taken meanwhile.
    admin.delete(&address).await.is(204);
    admin.record("snacks", json!({"title": "Crisps"})).await;
    restore(&second["revision"]).await.refused(409);
    admin.get(&address).await.refused(404);
    for none in ["1", "0", "99999999", "18446744073709551615"] {
        restore(&none.parse().unwrap()).await.refused(404);
    }
    for odd in ["-1", "x", "01x", "18446744073709551616"] {
        admin.post(&format!("{address}history/{odd}/restore/"), &json!({})).await.refused(404);
    }
}

#[tokio::test]
async fn options_tells_what_the_records_look_like() {
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true, "min_length": 1, "max_length": 9, "help": "As on the bag."},
        {"name": "best_before", "type": "date", "nullable": true},
        {"name": "price", "type": "decimal", "places": 2, "min": "0", "max": "9"},
        {"name": "kind", "type": "choice", "choices": ["nut"], "default": "nut"},
        {"name": "tags", "type": "choice", "choices": ["a"], "many": true},
        {"name": "stock", "type": "integer", "min": 0, "max": 3},
        {"name": "like", "type": "reference", "collection": "snacks", "on_delete": "cascade"},
    ]);
    let (coffer, admin) = with_snacks(fields).await;
    admin
        .patch("/api/collections/snacks/", &json!({"description": "Bags.", "access": {"create": ["nobody"]}}))
        .await
        .is(200);
    let answer = Answer::of(admin.request(Method::OPTIONS, SNACKS)).await;
    let metadata = answer.is(200);
    let judge = Judge::of_response(&EndpointInfo::of::<records::Describe>()).unwrap();
    assert_eq!(judge.faults(&metadata), None, "{metadata}");
    let mut other = metadata.clone();
    other["actions"]["POST"]["title"]["type"] = json!("text");
    assert!(judge.faults(&other).is_some(), "the schema says what there is");
    assert_eq!((text(&metadata, "name"), text(&metadata, "description")), ("Snacks".to_owned(), "Bags.".to_owned()));
    assert_eq!(
        (&metadata["renders"], &metadata["parses"]),
        (
            &json!(["application/json"]),
            &json!(["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
        )
    );
    let post = metadata["actions"]["POST"].as_object().unwrap();
    let names: Vec<&String> = post.keys().collect();
    assert_eq!(
        names,
        [
            "id",
            "title",
            "best_before",
            "price",
            "kind",
            "tags",
            "stock",
            "like",
            "owner",
            "created_at",
            "updated_at",
            "revision"
        ]
    );
    for (field, members) in [
        ("id", json!({"type": "string", "read_only": true, "required": false})),
        (
            "title",
            json!({"type": "string", "required": true, "read_only": false, "label": "Title", "min_length": 1, "max_length": 9, "unique": true, "help_text": "As on the bag."}),
        ),
        ("best_before", json!({"type": "date", "required": false, "allow_null": true, "label": "Best before"})),
        (
            "price",
            json!({"type": "decimal", "min_value": "0", "max_value": "9", "max_digits": 28, "decimal_places": 2}),
        ),
        ("kind", json!({"type": "choice", "default": "nut", "choices": [{"value": "nut", "display_name": "nut"}]})),
        ("tags", json!({"type": "multiple choice"})),
        ("stock", json!({"type": "integer", "min_value": 0, "max_value": 3})),
        ("like", json!({"type": "field", "collection": "snacks", "on_delete": "cascade"})),
    ] {
        for (member, value) in members.as_object().unwrap() {
            assert_eq!(&post[field][member], value, "{field}.{member} in {}", post[field]);
        }
    }
    assert!(metadata["actions"]["PUT"].is_object());
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let hers = Answer::of(ulla.request(Method::OPTIONS, SNACKS)).await.is(200);
    assert_eq!(
        hers["actions"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["PUT"],
        "she may create none, and change her own"
    );
    Answer::of(coffer.stranger().request(Method::OPTIONS, SNACKS)).await.refused(401);
}
