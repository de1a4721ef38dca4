//! B4: pages of other origins, with the real server. That a browser heeds it is tried in one (`web/tests/browser`).

use common::ENDPOINTS;
use reqwest::Method;
use serde_json::json;

use super::furnish;
use crate::support::{
    Answer, Client,
    server::{Server, terminate},
};

const APP: &str = "http://app.example:3000";

async fn with_options(options: &[&str]) -> (tempfile::TempDir, Server, Client) {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), options);
    let admin = furnish(&server.stranger(), &server.setup_code()).await;
    (dir, server, admin)
}

/// Everything that the server has to say, to its end.
fn whole_log(server: &mut Server) -> String {
    terminate(&server.child);
    server.child.wait().unwrap();
    server.log()
}

async fn from(client: &Client, origin: &str, method: Method, path: &str) -> Answer {
    Answer::of(client.request(method, path).header("origin", origin)).await
}

async fn asks_first(client: &Client, origin: &str, path: &str) -> Answer {
    let request = client.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    Answer::of(request.header("access-control-request-headers", "authorization,content-type,if-match")).await
}

#[tokio::test]
async fn b4_a_page_of_an_origin_that_is_named_may_read_every_answer_errors_too() {
    let (_dir, server, admin) =
        with_options(&["--cors-origin", "https://other.example", "--cors-origin", "http://APP.example:3000/"]).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let stranger = server.stranger();
    for (client, method, path, status) in [
        (&admin, Method::GET, "/api/", 200),
        (&admin, Method::GET, "/api/records/snacks/", 200),
        (&stranger, Method::GET, "/api/records/snacks/", 401),
        (&admin, Method::GET, "/api/records/nothing/", 404),
        (&admin, Method::GET, "/api/nothing/", 404),
        (&admin, Method::PUT, "/api/records/snacks/", 405),
        (&admin, Method::POST, "/api/token/", 400),
        (&admin, Method::OPTIONS, "/api/records/snacks/", 200),
    ] {
        let answer = from(client, APP, method.clone(), path).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), APP, "{method} {path}");
        assert!(answer.header("vary").split(", ").any(|name| name == "Origin"), "{method} {path}");
        let exposed: Vec<&str> = answer.header("access-control-expose-headers").split(", ").collect();
        for name in ["ETag", "Location", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"] {
            assert!(exposed.contains(&name), "{name} of {method} {path}");
        }
    }
    // What a shared cache has kept for one origin is no answer to another.
    for origin in ["http://evil.example", "null", "http://app.example", "https://app.example:3000"] {
        let answer = from(&admin, origin, Method::GET, "/api/").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        assert!(answer.header("vary").contains("Origin"), "{origin}");
    }
    let silent = admin.get("/api/").await;
    assert_eq!((silent.header("access-control-allow-origin"), silent.header("vary")), ("", "Origin"));
}

#[tokio::test]
async fn b4_the_first_question_of_a_browser_is_answered_to_who_is_not_signed_in_and_counts_for_nothing() {
    let (_dir, server, _) = with_options(&["--cors-origin", APP, "--rate-limit", "reads=3/1h,writes=3/1h"]).await;
    let stranger = server.stranger();
    for _ in 0..20 {
        for path in ["/api/records/snacks/", "/api/users/me/", "/api/token/", "/api/nothing/"] {
            let answer = asks_first(&stranger, APP, path).await;
            assert_eq!((answer.status, answer.text().as_str()), (204, ""), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), APP);
            assert!(answer.header("access-control-allow-methods").contains("PATCH"));
            assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type,if-match");
            assert_eq!(answer.header("access-control-max-age"), "7200");
            assert_eq!(answer.header("ratelimit"), "");
        }
    }
    for _ in 0..3 {
        from(&stranger, APP, Method::GET, "/api/").await.is(200);
    }
    let refused = from(&stranger, APP, Method::GET, "/api/").await;
    refused.refused(429);
    assert_eq!(refused.header("access-control-allow-origin"), APP, "the page has to see when to come back");
}

#[tokio::test]
async fn b4_what_reads_a_cookie_is_for_our_own_pages_whatever_is_allowed() {
    for origin in [APP, "*"] {
        let (_dir, _server, admin) = with_options(&["--cors-origin", origin]).await;
        let browsers = ENDPOINTS.iter().filter(|endpoint| endpoint.access.is_browsers());
        let paths = browsers.flat_map(|endpoint| [endpoint.path, endpoint.path.trim_end_matches('/')]);
        let paths: Vec<&str> = paths.collect();
        assert!(paths.len() >= 6);
        for path in paths {
            let asked = asks_first(&admin, APP, path).await;
            let came = from(&admin, APP, Method::POST, path).await;
            for answer in [asked, came] {
                let told = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
                assert_eq!(told, None, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn b4_a_star_lets_every_page_in_without_what_browsers_keep_and_warns() {
    let (_dir, mut server, admin) = with_options(&["--cors-origin", "*"]).await;
    for origin in ["null", "http://a.example"] {
        let answer = from(&admin, origin, Method::GET, "/api/").await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let log = whole_log(&mut server);
    let told: Vec<&str> = log.lines().filter(|line| line.contains("--cors-origin")).collect();
    assert!(told.len() == 1 && told[0].contains("WARN"), "{told:?}");
}

#[tokio::test]
async fn b4_an_origin_that_is_refused_is_one_line_in_the_log_that_names_the_option() {
    let (_dir, mut server, admin) = with_options(&[]).await;
    for origin in ["http://localhost:3000", "http://localhost:3000", &admin.base.clone()] {
        asks_first(&admin, origin, "/api/").await;
        from(&admin, origin, Method::GET, "/api/").await;
    }
    let log = whole_log(&mut server);
    let told: Vec<&str> = log.lines().filter(|line| line.contains("--cors-origin")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("http://localhost:3000"), "{told:?}");
}

#[tokio::test]
async fn n10_a_host_that_is_refused_is_one_line_in_the_log_that_names_the_option() {
    let (_dir, mut server, admin) = with_options(&["--metrics-listen", "127.0.0.1:0"]).await;
    for _ in 0..3 {
        let answer = Answer::of(admin.request(Method::GET, "/api/").header("host", "coffer.example")).await;
        assert_eq!(answer.refused(421).code, "misdirected");
    }
    for path in ["/healthz", "/readyz/"] {
        Answer::of(admin.request(Method::GET, path).header("host", "10.0.0.7:8000")).await.is(200);
    }
    let log = whole_log(&mut server);
    let told: Vec<&str> = log.lines().filter(|line| line.contains("--allowed-host")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("coffer.example"), "{told:?}");
}
