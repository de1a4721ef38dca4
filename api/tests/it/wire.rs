//! HTTP conventions that are the same on every route: credentials, media types, and headers that must not have any effect.
//! Broken requests and connections are `server`'s.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Client, Coffer, PASSWORD, path};

const ME: &str = "/api/users/me/";

/// A request with these headers and no other credentials.
async fn with_headers(coffer: &Coffer, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = coffer.stranger().request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn the_bearer_scheme_is_read_as_its_rfc_says() {
    let (coffer, admin) = Coffer::with_admin().await;
    let token = admin.access.as_deref().unwrap();
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer ", " bearer"] {
        with_headers(&coffer, Method::GET, ME, &[("authorization", &format!("{scheme} {token}"))]).await.is(200);
    }
    for (value, code) in [
        ("Bearer".to_owned(), "bad_authorization_header"),
        (format!("Bearer {token} {token}"), "bad_authorization_header"),
        (format!("Bearer {token},"), "token_not_valid"),
        (format!("Bearer \"{token}\""), "token_not_valid"),
        (format!("Bearer {}", &token[..token.len() - 4]), "token_not_valid"),
        (format!("Bearer {token}{}", "x".repeat(10_000)), "token_not_valid"),
    ] {
        let refused = with_headers(&coffer, Method::GET, ME, &[("authorization", &value)]).await;
        assert_eq!(refused.refused(401).code, code, "{value}");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
        assert!(!refused.text().contains(&token[..20]), "a token is never told again");
    }
    for value in [format!("Basic {token}"), token.to_owned(), "Digest x=\"y\"".to_owned()] {
        let refused = with_headers(&coffer, Method::GET, ME, &[("authorization", &value)]).await;
        assert_eq!(refused.refused(401).code, "not_authenticated", "{value}");
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"api\"");
    }
    let good = format!("Bearer {token}");
    for pair in [[good.as_str(), good.as_str()], [good.as_str(), "Bearer x"], ["Basic x", good.as_str()]] {
        let headers = pair.map(|value| ("authorization", value));
        assert_eq!(with_headers(&coffer, Method::GET, ME, &headers).await.refused(400).code, "invalid_request");
    }
}

#[tokio::test]
async fn a_token_counts_in_its_header_only() {
    let (coffer, admin) = Coffer::with_admin().await;
    let token = admin.access.as_deref().unwrap();
    for parameter in ["access_token", "token", "authorization", "Authorization"] {
        coffer.stranger().get(&format!("{ME}?{parameter}={token}")).await.refused(401);
    }
    let cookie = format!("__Host-coffer={token}; coffer={token}; access={token}; Authorization=Bearer {token}");
    with_headers(&coffer, Method::GET, ME, &[("cookie", &cookie)]).await.refused(401);
    with_headers(
        &coffer,
        Method::GET,
        ME,
        &[("x-access-token", token), ("proxy-authorization", &format!("Bearer {token}"))],
    )
    .await
    .refused(401);
}

#[tokio::test]
async fn a_bad_token_does_not_keep_anyone_from_getting_a_good_one() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let client = Client { access: Some("stale".to_owned()), ..coffer.stranger() };
    client.post("/api/token/", &json!({"username": "ada", "password": PASSWORD})).await.is(200);
    client.get("/api/").await.is(200);
    client.get("/healthz").await.is(200);
}

#[tokio::test]
async fn headers_that_other_servers_obey_do_nothing_here() {
    let (coffer, admin) = Coffer::with_admin().await;
    let good = format!("Bearer {}", admin.access.as_deref().unwrap());
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let answer = with_headers(&coffer, Method::POST, ME, &[("authorization", &good), (name, "GET")]).await;
        answer.refused(405);
    }
    for (name, value) in [
        ("x-original-url", "/api/users/"),
        ("x-rewrite-url", "/api/users/"),
        ("x-forwarded-user", "ada"),
        ("x-remote-user", "ada"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        with_headers(&coffer, Method::GET, ME, &[(name, value)]).await.refused(401);
    }
}

#[tokio::test]
async fn no_other_origin_is_let_in() {
    let (coffer, admin) = Coffer::with_admin().await;
    let good = format!("Bearer {}", admin.access.as_deref().unwrap());
    let preflight = [
        ("origin", "http://evil.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    for answer in [
        with_headers(&coffer, Method::OPTIONS, ME, &preflight).await,
        with_headers(&coffer, Method::GET, ME, &[("authorization", &good), ("origin", "http://evil.example")]).await,
    ] {
        answer.is(200);
        assert!(
            answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")),
            "{:?}",
            answer.headers
        );
    }
}

#[tokio::test]
async fn answers_are_json_whatever_is_accepted_and_are_kept_nowhere() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let record = admin.record("snacks", json!({"title": "<script>alert(1)</script>"})).await;
    let good = format!("Bearer {}", admin.access.as_deref().unwrap());
    for accept in ["text/html", "*/*", "application/xml;q=1", "garbage", ""] {
        for (path, cache) in [(ME, "no-store"), (path("snacks", &record).as_str(), "private, no-cache")] {
            let answer =
                with_headers(&coffer, Method::GET, path, &[("authorization", &good), ("accept", accept)]).await;
            answer.is(200);
            assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", cache));
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        let nothing = coffer.stranger().plain(Method::GET, "/api/nothing/").header("accept", accept);
        assert_eq!(Answer::of(nothing).await.is(404)["code"], "not_found", "{accept}");
    }
}

#[tokio::test]
async fn a_request_id_is_the_servers_own() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let one = with_headers(&coffer, Method::GET, "/api/", &[("x-request-id", "forged\u{a0}id")]).await;
    let two = with_headers(&coffer, Method::GET, "/api/", &[("x-request-id", "forged")]).await;
    assert!(!one.header("x-request-id").contains("forged") && !two.header("x-request-id").contains("forged"));
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn a_body_where_none_belongs_is_no_harm() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let request = admin.request(Method::GET, ME).header("content-type", "application/json").body("{bad");
    Answer::of(request).await.is(200);
    let request = admin.request(Method::DELETE, "/api/sessions/").body("x".repeat(100_000));
    Answer::of(request).await.is(204);
    admin.get(ME).await.is(200);
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_leaves_the_connection_good() {
    let (coffer, admin) = Coffer::with_admin().await;
    let forged = Client { access: Some("stale".to_owned()), ..admin.clone() };
    for (client, method, path, status) in [
        (&forged, Method::POST, "/api/records/snacks/", 401),
        (&admin, Method::POST, "/api/nothing/", 404),
        (&admin, Method::POST, ME, 405),
        (&admin, Method::PATCH, "/api/users/me/", 413),
        (&coffer.stranger(), Method::POST, "/api/collections/", 401),
    ] {
        for _ in 0..5 {
            let answer = client.raw(method.clone(), path, "application/json", vec![b' '; 3_000_000]).await;
            assert_eq!(answer.status, status, "{method} {path}");
            // The same client, and so the same connection.
            client.get("/api/").await.is(200);
        }
    }
}

#[tokio::test]
async fn n6_compressed_bodies_are_not_unpacked() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &vec![b' '; 50_000_000]).unwrap();
    let request = admin.request(Method::POST, "/api/collections/").header("content-type", "application/json");
    let answer = Answer::of(request.header("content-encoding", "gzip").body(bomb.finish().unwrap())).await;
    answer.refused(415);
}

#[tokio::test]
async fn n6_a_query_string_and_a_form_are_text_and_say_a_thing_once() {
    let (coffer, admin) = Coffer::with_admin().await;
    for query in ["page=%ff", "%ff=1", "search=%c0%af", "search=%ed%a0%80"] {
        assert_eq!(admin.get(&format!("/api/collections/?{query}")).await.refused(400).code, "parse_error", "{query}");
    }
    let stranger = coffer.stranger();
    let form = async |body: &str| {
        stranger.raw(Method::POST, "/api/token/", "application/x-www-form-urlencoded", body.to_owned()).await
    };
    assert_eq!(form("username=ada&password=%ff").await.refused(400).code, "parse_error");
    for body in ["username=ada&username=ada&password=x", "username=ada&password=x&%70assword=x"] {
        assert_eq!(form(body).await.faults().len(), 1, "{body}");
    }
    form("username=ada&password=grows+seven+quinces+a%20year").await.is(200);
}
