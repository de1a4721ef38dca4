//! B2 and B4: what a page of another origin can make a browser do.

use super::*;

#[tokio::test]
async fn b2_a_cookie_is_taken_from_our_own_page_only() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let (access, cookie) = page_session(&page).await;
    let own = coffer.base.clone();
    let host = own.strip_prefix("http://").unwrap();
    let other_port = "http://127.0.0.1:1";
    let suffix = format!("{own}.evil.example");
    let user_info = format!("http://{host}@evil.example");
    let json = "application/json";
    let refused: &[&[(&str, &str)]] = &[
        &[],
        &[("content-type", json)],
        &[("content-type", json), ("origin", &own), ("sec-fetch-site", "same-origin")],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded"), ("origin", "http://evil.example")],
        &[("content-type", "multipart/form-data; boundary=x"), ("origin", "http://evil.example")],
        &[("x-coffer", "1"), ("origin", "http://evil.example")],
        &[("x-coffer", "1"), ("origin", other_port)],
        &[("x-coffer", "1"), ("origin", &suffix)],
        &[("x-coffer", "1"), ("origin", &user_info)],
        &[("x-coffer", "1"), ("origin", "null")],
        &[("x-coffer", "1"), ("origin", "")],
        &[("x-coffer", "1"), ("sec-fetch-site", "cross-site")],
        &[("x-coffer", "1"), ("sec-fetch-site", "same-site")],
        &[("x-coffer", "1"), ("sec-fetch-site", "none")],
        &[("x-coffer", "1"), ("origin", &own), ("sec-fetch-site", "cross-site")],
        &[("x-coffer", "0")],
        &[("x-coffer", "")],
        &[("x-coffer", "1, 1")],
    ];
    let credentials = json!({"username": ADMIN, "password": PASSWORD}).to_string();
    for (method, path) in
        [(Method::POST, "/api/session/refresh/"), (Method::DELETE, "/api/session/"), (Method::POST, "/api/session/")]
    {
        for headers in refused {
            let mut request = page.request(method.clone(), path).header("cookie", &cookie).body(credentials.clone());
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let answer = Answer::of(request).await;
            assert_eq!(answer.refused(403).code, "cross_site", "{method} {path} {headers:?}");
            assert_eq!(answer.header("set-cookie"), "");
        }
    }
    // With the header but no JSON, credentials are not read.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = page.request(Method::POST, "/api/session/").header("x-coffer", "1").header("content-type", kind);
        Answer::of(request.body(credentials.clone())).await.refused(415);
    }
    let request = page.request(Method::POST, "/api/session/").header("x-coffer", "1");
    Answer::of(request.body(credentials.clone())).await.refused(415);
    // None of these did anything.
    assert!(is_good(&page, &access).await);
    let request = page.request(Method::POST, "/api/session/refresh/").header("x-coffer", "1").header("origin", own);
    Answer::of(request.header("cookie", cookie)).await.is(200);
}

#[tokio::test]
async fn b2_http_2_has_no_host_header_and_is_judged_alike() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let (_, cookie) = page_session(&page).await;
    let authority = coffer.base.strip_prefix("http://").unwrap();
    let call = async |origin: &str| {
        let head = [
            (":method", "POST"),
            (":path", "/api/session/refresh/"),
            ("x-coffer", "1"),
            ("cookie", cookie.as_str()),
            ("origin", origin),
        ];
        over_http_2(authority, &head).await
    };
    for foreign in ["http://evil.example", "http://127.0.0.1", "null"] {
        assert!(call(foreign).await.contains("\"cross_site\""), "{foreign}");
    }
    let answer = call(&coffer.base).await;
    assert!(answer.contains("\"access\""), "{answer}");
    let root = over_http_2(authority, &[(":method", "GET"), (":path", "/api/")]).await;
    assert!(root.contains(&format!("\"http://{authority}/api/users/\"")), "{root}");
}

#[tokio::test]
async fn b2_behind_a_trusted_proxy_the_page_is_judged_by_the_address_that_the_browser_knows() {
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let (_held, admin) = Held::with_admin(Settings { trusted_proxies, ..Settings::default() }).await;
    let (_, cookie) = page_session(&admin).await;
    let call = async |origin: &str| {
        let request = admin.request(Method::POST, "/api/session/refresh/").header("x-coffer", "1");
        let request = request.header("cookie", &cookie).header("origin", origin);
        Answer::of(request.header("x-forwarded-proto", "https").header("x-forwarded-host", "box.example")).await
    };
    for foreign in ["http://box.example", "https://evil.example", &admin.base] {
        assert_eq!(call(foreign).await.refused(403).code, "cross_site", "{foreign}");
    }
    let answer = call("https://box.example").await;
    answer.is(200);
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test]
async fn b4_no_other_origin_may_read_anything() {
    let (coffer, admin) = Coffer::with_admin().await;
    let own = coffer.base.clone();
    let origins = [
        "null",
        "http://evil.example",
        "https://evil.example:8000",
        "http://localhost",
        "http://localhost:3000",
        "http://127.0.0.1",
        &format!("{own}.evil.example"),
        &format!("{own}0"),
        &own.replace("http", "https"),
        "file://",
        "chrome-extension://abcdefgh",
        &own,
    ];
    for origin in origins {
        for (method, path) in [
            (Method::GET, "/api/"),
            (Method::GET, "/api/users/me/"),
            (Method::OPTIONS, "/api/users/"),
            (Method::OPTIONS, "/api/session/refresh/"),
            (Method::POST, "/api/token/"),
            (Method::GET, "/api/nothing/"),
        ] {
            let request = admin.request(method.clone(), path).header("origin", origin);
            let request = request.header("access-control-request-method", "POST");
            let answer = Answer::of(request.header("access-control-request-headers", "authorization,x-coffer")).await;
            let cors: Vec<_> =
                answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).collect();
            assert!(cors.is_empty(), "{method} {path} for {origin}: {cors:?}");
        }
    }
}
