//! Writes as Django REST Framework makes them: what a body leaves out, what it says twice, and what is told of its faults.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, server::Server};

const ITEMS: &str = "/api/records/items/";
const FORM: &str = "application/x-www-form-urlencoded";

async fn items(admin: &Client) {
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true, "max_length": 9},
        {"name": "body", "type": "text", "multiline": true},
        {"name": "qty", "type": "integer", "default": 7},
        {"name": "ok", "type": "boolean"},
        {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
        {"name": "code", "type": "text", "unique": true, "nullable": true},
        {"name": "of", "type": "reference", "collection": "items", "nullable": true},
    ]);
    admin.collection("items", fields).await;
}

async fn kept(admin: &Client) -> Value {
    let body = json!({"title": "t", "body": "keep", "qty": 5, "ok": true, "tags": ["a"], "code": "c"});
    admin.post(ITEMS, &body).await.is(201)
}

#[tokio::test]
async fn put_keeps_optional_fields_that_are_not_in_the_body() {
    let (_coffer, admin) = Coffer::with_admin().await;
    items(&admin).await;
    let made = kept(&admin).await;
    let at = path("items", &made);
    let part = "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nt3\r\n--x--\r\n";
    for (kind, body, title, boxes) in [
        ("application/json", r#"{"title": "t1"}"#, "t1", true),
        (FORM, "title=t2", "t2", false),
        ("multipart/form-data; boundary=x", part, "t3", false),
    ] {
        let put = admin.raw(Method::PUT, &at, kind, body).await.is(200);
        assert_eq!(
            (&put["title"], &put["body"], &put["qty"], &put["code"]),
            (&json!(title), &json!("keep"), &json!(5), &json!("c"))
        );
        // A box that is not checked is in no form.
        let (ok, tags) = if boxes { (json!(true), json!(["a"])) } else { (json!(false), json!([])) };
        assert_eq!((&put["ok"], &put["tags"]), (&ok, &tags), "{kind}");
    }
    // What is encoded is not what it says.
    let part = "--x\r\nContent-Disposition: form-data; name=\"title\"\r\nContent-Transfer-Encoding: base64\r\n\r\ndDQ=\r\n--x--\r\n";
    let refused = admin.raw(Method::PUT, &at, "multipart/form-data; boundary=x", part).await.refused(400);
    assert!(format!("{refused:?}").contains("Content-Transfer-Encoding"), "{refused:?}");
    // Defaults are for records that are made, and required fields are asked for.
    assert_eq!(admin.post(ITEMS, &json!({"title": "n"})).await.is(201)["qty"], 7);
    assert_eq!(admin.put(&at, &json!({"qty": 1})).await.faults(), ["title: This field is required."]);
}

/// A page's own form sends the name of the button that was pressed, and what a framework put into it. A program that sends a form is told of names that nothing has.
#[tokio::test]
async fn what_a_form_of_a_page_has_besides_is_ignored() {
    let (_coffer, admin) = Coffer::with_admin().await;
    items(&admin).await;
    let part = |title: &str| {
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        part("title", title) + &part("go", "Send") + &part("csrfmiddlewaretoken", "abc") + "--x--\r\n"
    };
    let plain = |title: &str| format!("title={title}&go=Send&csrfmiddlewaretoken=abc");
    let page = "text/html,application/xhtml+xml,*/*;q=0.8";
    let multipart = "multipart/form-data; boundary=x";
    for (n, (kind, headers, status)) in [
        (FORM, &[("accept", page), ("sec-fetch-mode", "navigate")][..], 201),
        (multipart, &[("accept", page), ("sec-fetch-mode", "navigate")], 201),
        (FORM, &[("accept", page)], 201),
        (FORM, &[("accept", page), ("sec-fetch-mode", "cors")], 400),
        (FORM, &[("accept", "application/json")], 400),
        (FORM, &[("accept", page), ("prefer", "handling=strict")], 400),
        ("application/json", &[("accept", page), ("sec-fetch-mode", "navigate")], 400),
    ]
    .into_iter()
    .enumerate()
    {
        let title = format!("t{n}");
        let body = match kind {
            FORM => plain(&title),
            "application/json" => json!({"title": title, "go": "Send"}).to_string(),
            _ => part(&title),
        };
        let mut sent = admin.request(Method::POST, ITEMS).header("content-type", kind).body(body);
        for (name, value) in headers {
            sent = sent.header(*name, *value);
        }
        let answer = Answer::of(sent).await;
        assert_eq!(answer.status, status, "{kind} {headers:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_whole_record_may_be_sent_twice_where_unknown_members_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--unknown-members", "ignore"]);
    let admin = server.set_up().await;
    items(&admin).await;
    let made = kept(&admin).await;
    let at = path("items", &made);
    for (title, status) in [("one", 200), ("two", 200)] {
        let mut again = made.clone();
        again["title"] = json!(title);
        assert_eq!(admin.put(&at, &again).await.status, status);
        assert_eq!(admin.patch(&at, &again).await.is(200)["title"], title);
    }
    // What a request says of itself goes before; If-Match counts whatever is ignored.
    let sent = admin.request(Method::PATCH, &at).header("content-type", "application/json").body(made.to_string());
    Answer::of(sent.header("prefer", "handling=strict")).await.refused(412);
    let sent = admin.request(Method::PATCH, &at).header("content-type", "application/json").body(made.to_string());
    Answer::of(sent.header("if-match", format!("\"{}\"", made["revision"]))).await.refused(412);

    let (_coffer, admin) = Coffer::with_admin().await;
    items(&admin).await;
    let made = kept(&admin).await;
    let at = path("items", &made);
    admin.patch(&at, &json!({"title": "other"})).await.is(200);
    assert_eq!(admin.put(&at, &made).await.refused(412).code, "stale");
    let lenient = admin
        .request(Method::PUT, &at)
        .header("content-type", "application/json")
        .body(made.to_string())
        .header("prefer", "handling=lenient");
    assert_eq!(Answer::of(lenient).await.is(200)["title"], "t");
}

#[tokio::test]
async fn a_taken_value_and_a_missing_reference_are_told_with_the_other_faults() {
    let (_coffer, admin) = Coffer::with_admin().await;
    items(&admin).await;
    let made = kept(&admin).await;
    let none = "01920000-0000-7000-8000-000000000000";
    let body = json!({"title": "t", "code": "c", "qty": "many", "of": none});
    let told = [
        "code: This field must be unique.".to_owned(),
        format!("of: Invalid pk \"{none}\" - object does not exist."),
        "qty: A valid integer is required.".to_owned(),
        "title: This field must be unique.".to_owned(),
    ];
    let answer = admin.post(ITEMS, &body).await;
    assert_eq!((answer.status, answer.faults()), (400, told.to_vec()));
    let row = admin.post(ITEMS, &json!([{"title": "fine"}, body])).await.faults();
    assert_eq!(row, told.iter().map(|fault| format!("1.{fault}")).collect::<Vec<_>>());
    // A record's own values are its own.
    let faults = admin.patch(&path("items", &made), &json!({"title": "t", "qty": "many"})).await.faults();
    assert_eq!(faults, ["qty: A valid integer is required."]);
    let other = admin.post(ITEMS, &json!({"title": "other"})).await.is(201);
    let faults = admin.put(&path("items", &other), &json!({"title": "t", "qty": "many"})).await.faults();
    assert_eq!(faults, ["qty: A valid integer is required.", "title: This field must be unique."]);
    // Alone it is a conflict, as ever.
    admin.post(ITEMS, &json!({"title": "t"})).await.refused(409);
}

#[tokio::test]
async fn a_body_that_is_missing_changes_nothing_and_makes_nothing() {
    let (_coffer, admin) = Coffer::with_admin().await;
    items(&admin).await;
    admin.collection("notes", json!([{"name": "t", "type": "text"}])).await;
    let made = kept(&admin).await;
    let at = path("items", &made);
    assert_eq!(Answer::of(admin.request(Method::PATCH, &at)).await.is(200), made);
    assert_eq!(Answer::of(admin.request(Method::PUT, &at)).await.faults(), ["title: This field is required."]);
    assert_eq!(Answer::of(admin.request(Method::POST, ITEMS)).await.faults(), ["title: This field is required."]);
    let nothing = Answer::of(admin.request(Method::POST, "/api/records/notes/")).await.faults();
    assert!(nothing[0].starts_with("non_field_errors: The request has no body."), "{nothing:?}");
    admin.post("/api/records/notes/", &json!({})).await.is(201);
    // Nothing is nothing, whatever it is said to be; something has to be what is read here.
    for kind in [
        "text/plain",
        "text/json",
        "application/xml",
        "multipart/form-data",
        "*/*",
        "application/json; charset=utf-16",
        "é",
    ] {
        let send = async |method: Method, path: &str, body: &'static str| {
            let request = admin.request(method, path).header("content-type", kind.as_bytes());
            Answer::of(request.body(body)).await
        };
        assert_eq!(send(Method::PATCH, &at, "").await.is(200), made, "{kind}");
        assert_eq!(send(Method::PUT, &at, "").await.faults(), ["title: This field is required."], "{kind}");
        assert_eq!(send(Method::POST, ITEMS, "").await.faults(), ["title: This field is required."], "{kind}");
        assert_eq!(send(Method::POST, "/api/records/notes/", "").await.faults(), nothing, "{kind}");
        send(Method::POST, "/api/token/", "").await.refused(400);
        let status = send(Method::PATCH, &at, " ").await.status;
        assert!([400, 415].contains(&status), "{kind}: {status}");
    }
    // A form without inputs is no more than that, unless there are boxes: it says that none is checked.
    admin.collection("boxes", json!([{"name": "done", "type": "boolean", "default": true}])).await;
    admin.collection("lists", json!([{"name": "k", "type": "choice", "many": true, "choices": ["a"]}])).await;
    let parts = "--x--\r\n";
    for (kind, body) in [("application/x-www-form-urlencoded", ""), ("multipart/form-data; boundary=x", parts)] {
        let send = async |path: &str, body: &'static str| {
            let request = admin.request(Method::POST, path).header("content-type", kind);
            Answer::of(request.body(body)).await
        };
        assert_eq!(send("/api/records/notes/", body).await.faults(), nothing, "{kind}");
        assert_eq!(send(ITEMS, body).await.faults(), ["title: This field is required."]);
        assert_eq!(send("/api/records/boxes/", body).await.is(201)["done"], false);
        assert_eq!(send("/api/records/lists/", body).await.is(201)["k"], json!([]));
    }
    assert_eq!(admin.get("/api/records/notes/").await.is(200)["count"], 1);
}

#[tokio::test]
async fn who_is_asked_for_comes_before_what_is_wrong() {
    let (coffer, admin) = Coffer::with_admin().await;
    items(&admin).await;
    let stranger = coffer.stranger();
    let at = path("items", &kept(&admin).await);
    for (client, method, path, status) in [
        (&stranger, Method::DELETE, ITEMS, 401),
        (&stranger, Method::POST, &*at, 401),
        (&stranger, Method::PUT, "/api/users/", 401),
        (&stranger, Method::PUT, "/api/records/nothing/", 401),
        (&admin, Method::DELETE, "/api/records/items/?max=1&zzz=1", 400),
        (&admin, Method::PUT, "/api/records/nothing/", 404),
        (&admin, Method::DELETE, "/api/records/nothing/", 404),
        (&admin, Method::POST, &*at, 405),
    ] {
        let answer = Answer::of(client.request(method.clone(), path)).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    let forged = stranger.request(Method::DELETE, ITEMS).header("authorization", "Bearer a.b.c");
    Answer::of(forged).await.refused(401);
}

#[tokio::test]
async fn the_challenge_names_the_scheme_that_was_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--auth-scheme", "Token,Bearer"]);
    server.set_up().await;
    let refused = server.stranger().get("/api/users/me/").await;
    assert!(refused.header("www-authenticate").starts_with("Token realm="), "{}", refused.header("www-authenticate"));
}

#[tokio::test]
async fn options_tell_limits_and_bodies_as_django_rest_framework_does() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([{"name": "t", "type": "text"}, {"name": "d", "type": "decimal", "places": 2}, {"name": "j", "type": "json"}]);
    admin.collection("kinds", fields).await;
    let told = Answer::of(admin.request(Method::OPTIONS, "/api/records/kinds/")).await.is(200);
    assert_eq!(told["parses"], json!(["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]));
    let of_tokens = Answer::of(admin.request(Method::OPTIONS, "/api/token/")).await.is(200);
    assert_eq!(
        (&told["name"], &of_tokens["name"], of_tokens.get("actions")),
        (&json!("Kinds"), &json!("/api/token/"), None)
    );
    assert_eq!(of_tokens["parses"], told["parses"]);
    let post = &told["actions"]["POST"];
    assert_eq!((&post["t"]["max_length"], &post["d"]["max_digits"]), (&json!(100_000), &json!(28)));
    assert_eq!(
        (&post["j"]["type"], &post["owner"]["type"], &post["id"]["type"]),
        (&json!("field"), &json!("field"), &json!("string"))
    );
    let long = json!({"t": "x".repeat(100_001)});
    assert_eq!(
        admin.post("/api/records/kinds/", &long).await.faults(),
        ["t: Ensure this field has no more than 100000 characters."]
    );
}
