//! What holds for every endpoint of `common::ENDPOINTS`: each is called as it should be, and with every fault that a request
//! can have. A new endpoint fails here until somebody says how it is called (`fitting`).

mod fitting;

use common::{
    Access, ENDPOINTS,
    answer::AnswerKind,
    endpoint::{BodyKind, ChargedTo, Cost, Dialect, EndpointInfo},
    endpoints::{collections, log, metrics, operations, paths, setup, users, views},
};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) use self::fitting::{filled, fitting, is, is_any};
use crate::support::{Answer, Client, Coffer, PASSWORD, schema::Judge, text};

/// A well-formed id of nothing.
const NO_ID: &str = "01920000-0000-7000-8000-000000000001";

/// The endpoint's path with parameters that fit, whether or not there is such a thing.
fn any_path(info: &EndpointInfo) -> String {
    filled(
        info,
        &[
            ("collection", "snacks"),
            ("id", NO_ID),
            ("revision", "1"),
            ("operation", NO_ID),
            ("field", "title"),
            ("name", "0001_initial"),
        ],
    )
}

fn ignores_unknown_members(info: &EndpointInfo) -> bool {
    info.errors == Dialect::SimpleJwt || info.access == Access::BrowserSignIn
}

/// A request as the web app sends it, where the endpoint is for the web app only.
async fn call(client: &Client, info: &EndpointInfo, path: &str, body: Option<(&str, &str)>) -> Answer {
    let mut request = client.request(info.method.clone(), path);
    if info.access.is_browsers() {
        request = request.header("x-coffer", "1");
    }
    if let Some((kind, body)) = body {
        request = request.body(body.to_owned());
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
    }
    Answer::of(request).await
}

async fn with_snacks() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    (coffer, admin)
}

#[tokio::test]
async fn d1_every_endpoint_asks_for_the_token_that_it_says() {
    let (coffer, admin) = with_snacks().await;
    let user = coffer.user(&admin, "ulla", json!({})).await;
    let forged = Client { access: Some("e30.e30.e30".to_owned()), ..coffer.stranger() };
    for info in ENDPOINTS {
        let path = any_path(info);
        let without = call(&coffer.stranger(), info, &path, None).await;
        let with_bad = call(&forged, info, &path, None).await;
        let with_users = call(&user, info, &path, None).await;
        match info.access {
            Access::SignedIn | Access::SignedInOrTicket | Access::Admin | Access::Rules(_) | Access::SignUp => {
                without.refused(401);
                assert_eq!(without.header("www-authenticate"), "Bearer realm=\"api\"", "{info:?}");
                with_bad.refused(401);
                assert_eq!(
                    with_bad.header("www-authenticate"),
                    "Bearer realm=\"api\", error=\"invalid_token\"",
                    "{info:?}"
                );
                assert_eq!(with_bad.problem().code, "token_not_valid", "{info:?}");
                assert_eq!(
                    with_users.status == 403,
                    matches!(info.access, Access::Admin | Access::SignUp),
                    "{info:?}: {}",
                    with_users.text()
                );
                assert_ne!(with_users.status, 401, "{info:?}");
            }
            Access::Anyone | Access::Supervisor => {
                for answer in [without, with_bad, with_users] {
                    answer.is(info.success.as_u16());
                }
            }
            // What proves the caller is missing from the body; a token, good or bad, is not looked at.
            Access::Proof | Access::BrowserSignIn => {
                for answer in [without, with_bad, with_users] {
                    assert!(!answer.faults().is_empty(), "{info:?}");
                }
            }
            Access::Cookie if info.method == Method::DELETE => {
                without.is(204);
                with_bad.is(204);
            }
            Access::Cookie => {
                without.refused(401);
                with_bad.refused(401);
            }
        }
    }
}

#[tokio::test]
async fn n9_every_endpoint_refuses_what_it_cannot_read() {
    let (_coffer, admin) = with_snacks().await;
    // Members depend on the record's collection, so the record is looked for first and must be there.
    let record = text(&admin.record("snacks", json!({"title": "Popcorn"})).await, "id");
    for info in ENDPOINTS {
        let path = any_path(info).replace(NO_ID, &record);
        let unknown = call(&admin, info, &format!("{path}?zzz=1"), None).await;
        assert_eq!(unknown.refused(400).errors.messages("zzz").count(), 1, "{info:?}");
        // A file of rows is looked at when it is whole: see `inout`.
        if info.body.is_nothing() || info.body.is_upload() {
            continue;
        }
        let form = "application/x-www-form-urlencoded";
        if !info.body.kinds.contains(&BodyKind::Form) {
            call(&admin, info, &path, Some((form, "a=1"))).await.refused(415);
            call(&admin, info, &path, Some(("multipart/form-data; boundary=x", "--x--"))).await.refused(415);
        }
        for (kind, body) in [
            ("text/plain", "{}"),
            ("", "{}"),
            ("application/xml", "<a/>"),
            ("application/json; charset=latin-1", "{}"),
            ("application/octet-stream", "{}"),
        ] {
            let refused = call(&admin, info, &path, Some((kind, body))).await.refused(415);
            assert_eq!(refused.code, "unsupported_media_type", "{info:?} {kind}");
        }
        let twice = r#"{"a":1,"a":2}"#;
        for bad in ["{bad", "[1,]", "NaN", twice, r#"{"a":1e400}"#, r#""\ud800""#, "{} {}", "\u{feff}{}"] {
            let refused = call(&admin, info, &path, Some(("application/json", bad))).await.refused(400);
            assert_eq!(refused.code, "parse_error", "{info:?} {bad}");
        }
        let number = call(&admin, info, &path, Some(("application/json; charset=UTF-8", "3"))).await;
        let message = "non_field_errors: Invalid data. Expected a dictionary, but got int.";
        assert_eq!(number.faults(), [message], "{info:?}");
        if !ignores_unknown_members(info) {
            let unknown = call(&admin, info, &path, Some(("application/json", r#"{"zzz":1}"#))).await;
            assert!(unknown.refused(400).errors.0.contains_key("zzz"), "{info:?}");
        }
    }
}

#[tokio::test]
async fn n9_no_endpoint_takes_a_larger_body_than_it_says() {
    let (_coffer, admin) = with_snacks().await;
    for info in ENDPOINTS.iter().filter(|info| !info.body.is_nothing() && !info.body.is_upload()) {
        for (more, status) in [(0, 400), (1, 413)] {
            let mut body = "!".to_owned();
            body.extend(std::iter::repeat_n(' ', info.body.max_bytes - 1 + more));
            let answer = call(&admin, info, &any_path(info), Some(("application/json", &body))).await;
            // The server as a whole takes no more than the largest of them; its own refusal is the same.
            assert_eq!(answer.status, status, "{info:?} {more}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn n9_every_path_refuses_other_methods_and_says_which_it_has() {
    let (coffer, admin) = with_snacks().await;
    for info in ENDPOINTS {
        let path = any_path(info);
        let mut allowed: Vec<&str> =
            ENDPOINTS.iter().filter(|other| other.path == info.path).map(|other| other.method.as_str()).collect();
        allowed.extend(if allowed.contains(&"GET") { &["HEAD", "OPTIONS"][..] } else { &["OPTIONS"][..] });
        allowed.sort_unstable();
        allowed.dedup();
        let said = |answer: &Answer| {
            let mut methods: Vec<String> = answer.header("allow").split(", ").map(str::to_owned).collect();
            methods.sort_unstable();
            methods
        };
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "X-ODD"] {
            if allowed.contains(&method) {
                continue;
            }
            let send = async |client: &Client| {
                Answer::of(client.request(method.parse().unwrap(), &path).header("x-coffer", "1")).await
            };
            let answer = send(&admin).await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
            assert_eq!(said(&answer), allowed, "{method} {path}");
            // Who has to sign in is told so first.
            let others = || ENDPOINTS.iter().filter(|other| other.path == info.path);
            let wanted = match others().all(|other| other.access.takes_token()) {
                true if others().any(|other| matches!(other.access, Access::Rules(_))) => [401, 405],
                true => [401, 401],
                false => [405, 405],
            };
            let answer = send(&coffer.stranger()).await;
            assert!(wanted.contains(&answer.status), "{method} {path}: {}", answer.text());
        }
        let options = Answer::of(admin.request(Method::OPTIONS, &path)).await;
        options.is(200);
        assert_eq!(said(&options), allowed, "OPTIONS {path}");
    }
}

#[tokio::test]
async fn an_address_without_its_last_slash_is_the_same() {
    let (coffer, admin) = with_snacks().await;
    for info in ENDPOINTS {
        let path = any_path(info);
        let other = if let Some(path) = path.strip_suffix('/') { path.to_owned() } else { format!("{path}/") };
        for client in [&admin, &coffer.stranger()] {
            // Deletions and the like stay without effect: they are asked for with a parameter that nobody knows.
            let query = if info.method == Method::GET { "" } else { "?zzz=1" };
            let mut answers = [
                call(client, info, &format!("{path}{query}"), None).await,
                call(client, info, &format!("{other}{query}"), None).await,
            ];
            for answer in &mut answers {
                assert!(answer.header("location").is_empty(), "{info:?} redirects");
                let counts = answer.status < 400 && is_any!(info, metrics::Recent, log::Lines);
                if counts || !answer.header("content-type").ends_with("json") {
                    // A backup says when it was made, and the metrics count.
                    answer.body.clear();
                }
                if answer.status >= 400 {
                    let mut problem = answer.problem();
                    problem.request_id.clear();
                    answer.body = serde_json::to_vec(&problem).unwrap();
                }
            }
            let [one, two] = answers;
            assert_eq!((one.status, one.text()), (two.status, two.text()), "{info:?}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (_coffer, admin) = with_snacks().await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let operation = done(&admin).await;
    let path = admin.post("/api/paths/", &json!({"path": "/api/a/", "collection": "snacks"})).await.is(201);
    let view = admin.post("/api/views/", &json!({"name": "Sweet", "collection": "snacks"})).await.is(201);
    let rows = json!([{"title": "Nuts"}, {"nothing": 1}]);
    let import = admin.post("/api/records/snacks/import/?on_error=skip", &rows).await.is(200);
    for info in ENDPOINTS.iter().filter(|info| info.method == Method::GET) {
        let id = match info.access {
            Access::Rules(_) => text(&record, "id"),
            _ if is::<operations::Get>(info) => text(&operation, "id"),
            _ if is::<paths::Get>(info) => text(&path, "id"),
            _ if is::<views::Get>(info) => text(&view, "id"),
            _ if is::<operations::Rejected>(info) => text(&import, "operation"),
            _ => admin.id.clone(),
        };
        let path = filled(info, &[("collection", "snacks"), ("id", &id), ("operation", &text(&operation, "id"))]);
        let get = admin.get(&path).await;
        get.is(200);
        let head = Answer::of(admin.request(Method::HEAD, &path)).await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            if name == "content-length"
                && (info.answer == AnswerKind::Text || is_any!(info, metrics::Recent, log::Lines))
            {
                // The metrics have counted the first of the two.
                continue;
            }
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    let missing = Answer::of(admin.request(Method::HEAD, &format!("/api/records/snacks/{NO_ID}/"))).await;
    assert_eq!((missing.status, missing.body.len()), (404, 0));
}

/// An operation that is over, so that it does not change any more.
async fn done(admin: &Client) -> Value {
    let begun = admin.post("/api/changes/trim/", &json!({"older_than": "90d"})).await.is(202);
    let address = format!("/api/operations/{}/", text(&begun, "id"));
    loop {
        let operation = admin.get(&address).await.is(200);
        if operation["state"] == "done" {
            return operation;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn every_endpoint_succeeds_with_the_status_that_it_says() {
    let coffer = Coffer::start();
    let setup = EndpointInfo::of::<setup::Create>();
    let body = json!({"code": coffer.setup_code, "username": "ada", "password": PASSWORD});
    coffer.stranger().post(setup.path, &body).await.is(setup.success.as_u16());
    let admin = coffer.sign_in("ada").await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let mut cookie = String::new();
    for (n, info) in ENDPOINTS.iter().enumerate().filter(|(_, info)| !is::<setup::Create>(info)) {
        // Some of them end the admin's sessions.
        let admin = coffer.sign_in("ada").await;
        let (client, path, body) = fitting(&coffer, &admin, info, n).await;
        let mut request = client.request(info.method.clone(), &path).header("x-coffer", "1").header("cookie", &cookie);
        if let Some(body) = &body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, info.success.as_u16(), "{info:?} with {body:?}: {}", answer.text());
        if info.answer == AnswerKind::Nothing {
            assert!(answer.body.is_empty(), "{info:?}");
        } else {
            assert_eq!(answer.header("content-type"), info.media_type, "{info:?}");
        }
        if info.answer == AnswerKind::Json {
            let value: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(Judge::of_response(info).unwrap().faults(&value), None, "{info:?} answers {value}");
        }
        if let (Some(body), Some(judge)) = (&body, Judge::of_request(info)) {
            assert_eq!(judge.faults(body), None, "{info:?} reads {body}");
        }
        // A collection's tag is its definition's, and the count in the answer changes without it.
        // The names in a path and in a view are those of today.
        let counts = is_any!(info, collections::Get, paths::Get, views::Get);
        let cached = if answer.header("etag").is_empty() || counts { "no-store" } else { "private, no-cache" };
        assert_eq!(answer.header("cache-control"), cached, "{info:?}");
        if info.access.is_browsers() {
            answer.header("set-cookie").split(';').next().unwrap().clone_into(&mut cookie);
        }
    }
}

#[tokio::test]
async fn format_json_is_accepted_everywhere() {
    let (_coffer, admin) = with_snacks().await;
    for info in ENDPOINTS
        .iter()
        .filter(|info| info.method == Method::GET && !info.path.contains("{id}") && !info.path.contains("{operation}"))
    {
        admin.get(&format!("{}?format=json", any_path(info))).await.is(200);
    }
    admin.get("/api/users/me/?format=xml").await.refused(400);
}

#[tokio::test]
async fn what_is_no_address_is_not_found() {
    let (_coffer, admin) = with_snacks().await;
    for path in [
        "/api/nothing/",
        "/api/users/me/nothing/",
        "/api//",
        "/api/records//",
        "/api/collections/snacks/nothing/",
        "/api/records/snacks/1/",
        "/api/records/Snacks/",
        "/api/records/snacks%2F..%2Fsnacks/",
        "/api/records/%00/",
        "/api/records/%ff/",
        "/api/collections/%E2%80%AEsnacks/",
        "/api/users/01920000-0000-7000-8000-00000000000A/",
    ] {
        let refused = admin.get(path).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.text());
    }
}

/// Whatever a user writes is done once under a key, and answered as before; another request under the key is refused. What brings or is answered with a
/// secret leaves the key unread.
#[tokio::test]
async fn every_write_under_a_key_is_done_once() {
    let (coffer, _) = with_snacks().await;
    for (n, info) in ENDPOINTS.iter().enumerate() {
        if !matches!(info.cost, Cost::Writes(ChargedTo::User)) {
            continue;
        }
        let is_secret = is_any!(info, users::Create, users::Invite, users::Update);
        let admin = coffer.sign_in("ada").await;
        let (client, path, body) = fitting(&coffer, &admin, info, n).await;
        let send = |revision: Option<&str>| {
            let mut request = client.request(info.method.clone(), &path).header("idempotency-key", format!("key {n}"));
            if let Some(body) = &body {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            if let Some(revision) = revision {
                request = request.header("if-match", revision);
            }
            Answer::of(request)
        };
        let first = send(None).await;
        assert_eq!(first.status, info.success.as_u16(), "{info:?}: {}", first.text());
        let again = send(None).await;
        assert_eq!(again.header("idempotency-replayed") == "true", !is_secret, "{info:?}: {}", again.text());
        if is_secret {
            continue;
        }
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{info:?}");
        assert_eq!(again.header("operation"), first.header("operation"), "{info:?}");
        // Or what it asks for is not looked at there.
        let other = send(Some("\"1\"")).await.problem();
        assert!(
            ["idempotency_key_reused", "precondition_not_supported"].contains(&&*other.code),
            "{info:?}: {other:?}"
        );
    }
}
