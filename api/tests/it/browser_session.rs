//! `/api/session/`: the web app's sign-in, its refresh token in a cookie that no script reads and no foreign page can use.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, text};

/// A call as the web app makes it.
async fn call(client: &Client, method: Method, path: &str, cookie: &str, body: Option<Value>) -> Answer {
    let mut request = client.request(method, path).header("x-coffer", "1").header("sec-fetch-site", "same-origin");
    if !cookie.is_empty() {
        request = request.header("cookie", format!("theme=dark; {cookie}"));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Answer::of(request).await
}

fn credentials() -> Value {
    json!({"username": ADMIN, "password": PASSWORD})
}

/// Name and value of the cookie that was set.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn is_signed_in(client: &Client, access: &str) -> bool {
    let client = Client { access: Some(access.to_owned()), ..client.clone() };
    client.get("/api/users/me/").await.status == 200
}

#[tokio::test]
async fn the_refresh_token_is_in_a_cookie_that_scripts_cannot_read() {
    let (coffer, admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let answer = call(&page, Method::POST, "/api/session/", "", Some(credentials())).await;
    let body = answer.is(200);
    let mut members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access", "expires_in", "user"]);
    assert_eq!(text(&body["user"], "id"), admin.id);
    assert!(is_signed_in(&page, &text(&body, "access")).await);

    let set = answer.header("set-cookie");
    let mut parts: Vec<&str> = set.split("; ").skip(1).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Strict", "Secure"]);
    assert!(set.starts_with("__Host-coffer=ey"), "{set}");
    let secret = cookie(&answer);
    let secret = secret.split_once('=').unwrap().1;
    assert!(!answer.text().contains(secret));
}

#[tokio::test]
async fn in_strict_rotation_an_old_cookie_ends_the_session() {
    let (coffer, _admin) = Coffer::with_admin_and(&["--rotation", "strict"]).await;
    let page = coffer.stranger();
    let first = call(&page, Method::POST, "/api/session/", "", Some(credentials())).await;
    let second = call(&page, Method::POST, "/api/session/refresh/", &cookie(&first), None).await;
    let access = text(&second.is(200), "access");
    assert_ne!(cookie(&first), cookie(&second));
    assert!(is_signed_in(&page, &access).await);
    call(&page, Method::POST, "/api/session/refresh/", &cookie(&first), None).await.refused(401);
    call(&page, Method::POST, "/api/session/refresh/", &cookie(&second), None).await.refused(401);
    assert!(!is_signed_in(&page, &access).await);
}

/// Two tabs have one cookie, and a browser that lost an answer has the old one.
#[tokio::test]
async fn tabs_that_trade_one_cookie_get_the_same_next_one() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let first = call(&page, Method::POST, "/api/session/", "", Some(credentials())).await;
    let trade = async |cookie: &str| call(&page, Method::POST, "/api/session/refresh/", cookie, None).await;
    let old = cookie(&first);
    let tabs = tokio::join!(trade(&old), trade(&old));
    let second = cookie(&tabs.0);
    assert_eq!(second, cookie(&tabs.1));
    assert_ne!(second, cookie(&first));
    let third = trade(&second).await;
    assert_ne!(cookie(&third), second);
    assert_eq!(cookie(&trade(&cookie(&first)).await), second, "its successor was used a moment ago");
    for answer in [&tabs.0, &tabs.1, &third] {
        assert!(is_signed_in(&page, &text(&answer.is(200), "access")).await);
    }
}

#[tokio::test]
async fn without_rotation_the_cookie_stays() {
    let (coffer, _admin) = Coffer::with_admin_and(&["--rotation", "off"]).await;
    let page = coffer.stranger();
    let first = call(&page, Method::POST, "/api/session/", "", Some(credentials())).await;
    for _ in 0..3 {
        let again = call(&page, Method::POST, "/api/session/refresh/", &cookie(&first), None).await;
        assert!(is_signed_in(&page, &text(&again.is(200), "access")).await);
        assert_eq!(again.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let signed_in = call(&page, Method::POST, "/api/session/", "", Some(credentials())).await;
    let access = text(&signed_in.is(200), "access");
    for _ in 0..2 {
        // The second time there is nothing left to end, which is as good.
        let out = call(&page, Method::DELETE, "/api/session/", &cookie(&signed_in), None).await;
        out.is(204);
        assert!(out.header("set-cookie").starts_with("__Host-coffer=; "), "{}", out.header("set-cookie"));
        assert!(out.header("set-cookie").contains("Max-Age=0"));
    }
    assert!(!is_signed_in(&page, &access).await);
    call(&page, Method::POST, "/api/session/refresh/", &cookie(&signed_in), None).await.refused(401);
}

#[tokio::test]
async fn foreign_pages_are_refused() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let host = coffer.base.strip_prefix("http://").unwrap();
    let cookie = cookie(&call(&page, Method::POST, "/api/session/", "", Some(credentials())).await);
    let own = format!("http://{host}");
    let requests =
        [(Method::POST, "/api/session/refresh/"), (Method::DELETE, "/api/session/"), (Method::POST, "/api/session/")];
    for (method, path) in requests {
        for headers in [
            vec![],
            vec![("x-coffer", "0")],
            vec![("x-coffer", "1"), ("sec-fetch-site", "cross-site")],
            vec![("x-coffer", "1"), ("sec-fetch-site", "same-site")],
            vec![("x-coffer", "1"), ("origin", "http://evil.example")],
            vec![("x-coffer", "1"), ("origin", "null")],
            vec![("sec-fetch-site", "same-origin"), ("origin", own.as_str())],
        ] {
            let mut request = page.request(method.clone(), path).header("cookie", &cookie);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let refused =
                Answer::of(request.header("content-type", "application/json").body(credentials().to_string())).await;
            assert_eq!(refused.refused(403).code, "cross_site", "{method} {path} {headers:?}");
            assert_eq!(refused.header("set-cookie"), "");
        }
    }
    // None of these did anything: the cookie is as good as before.
    let request = page.request(Method::POST, "/api/session/refresh/").header("x-coffer", "1").header("origin", own);
    Answer::of(request.header("cookie", cookie)).await.is(200);
}

#[tokio::test]
async fn a_cookie_is_no_access_token() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let cookie = cookie(&call(&page, Method::POST, "/api/session/", "", Some(credentials())).await);
    call(&page, Method::GET, "/api/users/me/", &cookie, None).await.refused(401);
    call(&page, Method::GET, "/api/collections/", &cookie, None).await.refused(401);
}
