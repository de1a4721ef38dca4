//! Errors as clients of Django REST Framework read them, which have never heard of problem documents. The bodies are those that Django REST
//! Framework 3.18 gives to the same requests, but for `code` beside `detail`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

const SNACKS: &str = "/api/records/snacks/";

async fn send(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    let request = client.plain(method, path).header("content-type", "application/json");
    Answer::of(request.body(body.to_string())).await
}

async fn snacks(admin: &Client) {
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true, "max_length": 20},
        {"name": "price", "type": "integer", "nullable": true},
        {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
        {"name": "status", "type": "text"},
        {"name": "detail", "type": "json", "nullable": true},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
    ]);
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    admin.collection("snacks", fields).await;
}

#[tokio::test]
async fn faults_stand_under_their_fields_and_nothing_else_does() {
    let (_coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    for (body, told) in [
        (
            json!({"price": "x"}),
            json!({"title": ["This field is required."], "price": ["A valid integer is required."]}),
        ),
        (json!({"title": null}), json!({"title": ["This field may not be null."]})),
        (json!({"title": ""}), json!({"title": ["This field may not be blank."]})),
        (json!({"title": "x".repeat(21)}), json!({"title": ["Ensure this field has no more than 20 characters."]})),
        (json!({"title": "t", "tags": ["z"]}), json!({"tags": ["\"z\" is not a valid choice."]})),
        (json!({"title": "t", "tags": 3}), json!({"tags": ["Expected a list of items but got type \"int\"."]})),
        (json!({"title": "t", "status": [], "detail": {}}), json!({"status": ["Not a valid string."]})),
        (
            json!({"title": "t", "maker": "01920000-0000-7000-8000-000000000001"}),
            json!({"maker": ["Invalid pk \"01920000-0000-7000-8000-000000000001\" - object does not exist."]}),
        ),
        (json!(3), json!({"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]})),
    ] {
        let refused = send(&admin, Method::POST, SNACKS, &body).await;
        assert_eq!(refused.is(400), told, "{body}");
    }
    send(&admin, Method::POST, SNACKS, &json!({"title": "Popcorn"})).await.is(201);
    let taken = send(&admin, Method::POST, SNACKS, &json!({"title": "Popcorn"})).await;
    assert_eq!(taken.is(409), json!({"title": ["This field must be unique."]}));
}

#[tokio::test]
async fn nested_definitions_have_nested_faults() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let body = json!({"name": "c", "fields": [{"name": "a", "type": "text"}, {"name": "B", "type": "zzz"}], "access": {"list": ["zzz zzz"]}});
    let refused = send(&admin, Method::POST, "/api/collections/", &body).await.is(400);
    assert_eq!(refused["fields"][0], json!({}));
    assert!(refused["fields"][1]["name"][0].is_string() && refused["fields"][1]["type"][0].is_string(), "{refused}");
    assert!(refused["access"]["list"][0].is_string(), "{refused}");
}

#[tokio::test]
async fn an_array_has_an_object_for_each_row_up_to_the_hundredth_fault() {
    let (_coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    let rows = json!([{"title": "a"}, {"title": "b", "price": "x"}, 7, {"title": "c"}]);
    let refused = send(&admin, Method::POST, SNACKS, &rows).await;
    assert_eq!(
        refused.is(400),
        json!([{}, {}, {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}, {}])
    );
    let rows = json!([{"title": "a"}, {"title": "b", "price": "x"}, {"title": "c"}]);
    let refused = send(&admin, Method::POST, SNACKS, &rows).await;
    assert_eq!(refused.is(400), json!([{}, {"price": ["A valid integer is required."]}, {}]));
    assert_eq!(refused.header("errors-omitted"), "");

    // Every other row has a fault.
    let rows: Vec<Value> = (0..1000)
        .map(|n| json!({"title": format!("t{n}"), "price": if n % 2 == 0 { json!(n) } else { json!("x") }}))
        .collect();
    let refused = send(&admin, Method::POST, SNACKS, &rows.into()).await;
    let list = refused.is(400);
    assert_eq!(
        (list.as_array().unwrap().len(), &list[198], list[199].as_object().unwrap().len()),
        (200, &json!({}), 1)
    );
    assert_eq!(refused.header("errors-omitted"), "400");
    send(&admin, Method::POST, SNACKS, &json!([{"title": "dup"}])).await.is(201);
    let refused = send(&admin, Method::POST, SNACKS, &json!([{"title": "new"}, {"title": "dup"}])).await;
    assert_eq!(refused.is(409), json!([{}, {"title": ["This field must be unique."]}]));
    let many = json!(vec![json!({}); 1001]);
    let refused = send(&admin, Method::POST, SNACKS, &many).await.is(400);
    assert!(refused["non_field_errors"][0].as_str().unwrap().contains("1000"), "{refused}");
}

#[tokio::test]
async fn unknown_members_of_many_rows_make_a_short_answer() {
    let (_coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    let row: Value = (0..498).map(|n| (format!("m{n}"), json!(0))).collect::<serde_json::Map<_, _>>().into();
    let rows = Value::from(vec![row; 900]);
    let refused = send(&admin, Method::POST, SNACKS, &rows).await;
    assert_eq!(refused.is(400).as_array().unwrap().len(), 1);
    // The 498 of each row, and its title that is missing.
    assert_eq!(refused.header("errors-omitted"), (900 * 499 - 100).to_string());
    let answer = admin.json(Method::POST, SNACKS, &rows).await;
    let problem = answer.refused(400);
    assert_eq!(problem.extra["errors_omitted"], 900 * 499 - 100);
    assert!(answer.body.len() < 20_000, "{}", answer.body.len());
}

#[tokio::test]
async fn what_is_about_no_field_has_detail_and_code() {
    let (coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    let maker = admin.record("makers", json!({"name": "M"})).await;
    admin.record("snacks", json!({"title": "Halva", "maker": maker["id"]})).await;
    let (record, maker) = (path("snacks", &record), path("makers", &maker));
    let request = |client: &Client, method: Method, path: &str| client.plain(method, path);
    let json = "application/json";
    for (request, status, code) in [
        (request(&coffer.stranger(), Method::GET, SNACKS), 401, "not_authenticated"),
        (request(&coffer.stranger(), Method::GET, SNACKS).bearer_auth("x"), 401, "token_not_valid"),
        (request(&otto, Method::GET, "/api/users/"), 403, "permission_denied"),
        (request(&admin, Method::GET, "/api/nothing/"), 404, "not_found"),
        (request(&admin, Method::GET, "/api/records/nothing/"), 404, "not_found"),
        (request(&admin, Method::GET, &format!("{SNACKS}7/")), 404, "not_found"),
        (request(&admin, Method::GET, &format!("{SNACKS}?page=2")), 404, "invalid_page"),
        (request(&admin, Method::GET, &format!("{SNACKS}?page=0")), 404, "invalid_page"),
        (request(&admin, Method::GET, &format!("{SNACKS}?page=zzz")), 404, "invalid_page"),
        (request(&admin, Method::PUT, SNACKS), 405, "method_not_allowed"),
        (request(&admin, Method::DELETE, &maker), 409, "restricted"),
        (
            request(&admin, Method::PATCH, &record).header("if-match", "\"1\"").header("content-type", json).body("{}"),
            412,
            "stale",
        ),
        (
            request(&admin, Method::PATCH, &record).header("content-type", json).body(vec![b' '; 2_000_000]),
            413,
            "too_large",
        ),
        (
            request(&admin, Method::POST, SNACKS).header("content-type", "text/csv").body("a"),
            415,
            "unsupported_media_type",
        ),
        (request(&admin, Method::POST, SNACKS).header("content-type", json).body("{bad"), 400, "parse_error"),
    ] {
        let refused = Answer::of(request).await;
        let body = refused.is(status);
        assert_eq!(body["code"], code, "{body}");
        assert!(body["detail"].as_str().unwrap().ends_with('.') || status == 400 || status == 401, "{body}");
        assert!(body["title"].is_null() && body["status"].is_null() && body["errors"].is_null(), "{body}");
    }
    let page = Answer::of(admin.plain(Method::GET, &format!("{SNACKS}?page=2"))).await.is(404);
    assert_eq!(page["detail"], "Invalid page.");
    assert_eq!(admin.get(&format!("{SNACKS}?page=2")).await.refused(404).detail, "Invalid page.");
}

#[tokio::test]
async fn token_routes_answer_as_simplejwt_does() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let stranger = coffer.stranger();
    let told = async |path: &str, body: Value| send(&stranger, Method::POST, path, &body).await;
    let wrong = told("/api/token/", json!({"username": "ada", "password": "wrong"})).await.is(401);
    assert_eq!(wrong["detail"], "No active account found with the given credentials");
    let missing = told("/api/token/", json!({"username": ""})).await.is(400);
    assert_eq!(missing, json!({"username": ["This field may not be blank."], "password": ["This field is required."]}));
    let invalid = told("/api/token/refresh/", json!({"refresh": "x"})).await.is(401);
    assert_eq!(invalid, json!({"detail": "Token is invalid", "code": "token_not_valid"}));
    assert_eq!(told("/api/token/refresh/", json!({})).await.is(400), json!({"refresh": ["This field is required."]}));
    let bad = Answer::of(stranger.plain(Method::GET, "/api/users/me/").bearer_auth("x")).await.is(401);
    assert_eq!(
        bad,
        json!({"detail": "Given token not valid for any token type", "code": "token_not_valid",
            "messages": [{"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid"}]})
    );
    // A parameter that is called as a member of problem documents stands in none of them twice.
    for name in ["type", "title", "status", "detail", "code", "errors", "request_id"] {
        coffer.stranger().post(&format!("/api/token/?{name}=1"), &json!({})).await.refused(400);
    }
}

#[tokio::test]
async fn the_size_of_a_page_is_cut_to_a_thousand() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("words", json!([{"name": "n", "type": "integer"}])).await;
    for _ in 0..2 {
        let rows: Vec<Value> = (0..600).map(|n| json!({"n": n})).collect();
        admin.post("/api/records/words/", &rows.into()).await.is(201);
    }
    for (query, rows) in [
        ("", 20),
        ("?page_size=1000", 1000),
        ("?page_size=99999999999999999999999", 1000),
        ("?page_size=5000&page=2", 200),
        ("?page_size=", 20),
        ("?page=", 20),
        ("?page_size=zzz", 20),
        ("?page_size=-1&page=%202", 20),
    ] {
        let page = admin.get(&format!("/api/records/words/{query}")).await.is(200);
        assert_eq!((page["results"].as_array().unwrap().len(), &page["count"]), (rows, &json!(1200)), "{query}");
    }
}
