//! Addresses of the API as pages: a browser that goes to one gets Coffer's app, which shows what is there. Everybody else gets JSON as ever.

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Answer, Client, Coffer};

const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
const SAFARI: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A server with an app of which only the page matters here: Coffer's own, or another's.
async fn with_app(page: &str) -> (TempDir, Coffer, Client) {
    let app = tempfile::tempdir().unwrap();
    std::fs::write(app.path().join("index.html"), format!("<!doctype html>{page}")).unwrap();
    std::fs::write(app.path().join("about.html"), "<!doctype html><title>about").unwrap();
    let options = ["--web-dir", app.path().to_str().unwrap(), "--web-csp", "app"];
    let (coffer, admin) = Coffer::with_admin_and(&options).await;
    let open = json!({"list": ["anyone"], "view": ["anyone"]});
    for (name, access) in [("posts", open), ("hidden", json!({}))] {
        let fields = json!([{"name": "title", "type": "text"}, {"name": "format", "type": "text"}]);
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
    }
    for (path, collection) in
        [("/api/v1/posts/", "posts"), ("/posts/", "posts"), ("/about/", "posts"), ("/api/v1/hidden/", "hidden")]
    {
        admin.post("/api/paths/", &json!({"path": path, "collection": collection, "list": "array"})).await.is(201);
    }
    (app, coffer, admin)
}

async fn with_own_app() -> (TempDir, Coffer, Client) {
    with_app(r#"<meta name="application-name" content="Coffer"><title>Coffer</title>"#).await
}

async fn ask(client: &Client, method: Method, path: &str, accept: Option<&str>) -> Answer {
    let request = client.plain(method, path);
    Answer::of(match accept {
        Some(accept) => request.header("accept", accept),
        None => request,
    })
    .await
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type") == "text/html; charset=utf-8"
}

#[tokio::test]
async fn a_browser_gets_the_page_of_an_address_and_a_program_gets_json() {
    let (_app, coffer, admin) = with_own_app().await;
    let stranger = coffer.stranger();
    let record = admin.record("posts", json!({"title": "First"})).await;
    let id = record["id"].as_str().unwrap();
    let one = format!("/api/v1/posts/{id}/");
    for path in [
        "/api/",
        "/api",
        "/api/records/posts/",
        "/api/records/posts",
        "/api/v1/posts/",
        &one,
        "/api/records/posts/?page=1&title=x",
    ] {
        for accept in [FIREFOX, CHROME, SAFARI, "text/html"] {
            let page = ask(&stranger, Method::GET, path, Some(accept)).await;
            assert_eq!((page.status, is_page(&page)), (200, true), "{path} {accept}");
            assert!(page.text().contains("<title>Coffer"), "{path}");
            assert!(page.header("vary").contains("Accept"), "{path}: {}", page.header("vary"));
            assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            assert_eq!(page.header("cache-control"), "no-cache");
        }
        // curl and HTTPie, fetch, axios, PowerShell and Java.
        for accept in [
            None,
            Some("*/*"),
            Some("application/json, */*;q=0.5"),
            Some("application/json, text/plain, */*"),
            Some("application/json, text/html;q=0.1"),
            Some("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        ] {
            let answer = ask(&stranger, Method::GET, path, accept).await;
            assert_eq!(answer.header("content-type"), "application/json", "{path} {accept:?}");
            assert!(answer.header("vary").contains("Accept"), "{path} {accept:?}: {}", answer.header("vary"));
        }
    }
    // Somebody who says by a token who it is, is a program.
    let answer = Answer::of(admin.request(Method::GET, "/api/users/me/").header("accept", CHROME)).await;
    assert_eq!(answer.is(200)["username"], "ada");
}

#[tokio::test]
async fn b8_what_nobody_may_know_of_and_what_is_not_there_look_alike() {
    let (_app, coffer, _admin) = with_own_app().await;
    let stranger = coffer.stranger();
    let seen =
        |page: &Answer| (page.status, page.text(), page.header("vary").to_owned(), page.header("etag").to_owned());
    let nothing = ask(&stranger, Method::GET, "/api/v1/nothing/", Some(CHROME)).await;
    for path in ["/api/v1/hidden/", "/api/records/hidden/", "/api/records/nothing/", "/api/users/", "/api/v1/posts/"] {
        assert_eq!(seen(&ask(&stranger, Method::GET, path, Some(CHROME)).await), seen(&nothing), "{path}");
    }
    for path in ["/api/v1/nothing/", "/api/records/nothing/"] {
        let answer = ask(&stranger, Method::GET, path, None).await;
        assert!([401, 404].contains(&answer.status), "{path}");
        assert!(answer.header("vary").contains("Accept"), "{path}");
    }
}

#[tokio::test]
async fn files_and_what_writes_and_format_json_have_no_page() {
    let (_app, coffer, _admin) = with_own_app().await;
    let stranger = coffer.stranger();
    for path in [
        "/api/records/posts/?format=json",
        "/api/records/posts/?page=1&format=json",
        "/api/v1/posts/?format=json",
        "/_coffer/api/",
        "/_coffer/api/records/posts/",
        "/healthz",
        "/API/",
        "//api/",
    ] {
        let answer = ask(&stranger, Method::GET, path, Some(CHROME)).await;
        assert_ne!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    for path in ["/api/records/posts/export/?format=csv", "/api/backup/", "/api/events/"] {
        assert!(!is_page(&ask(&stranger, Method::GET, path, Some(CHROME)).await), "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        for path in ["/api/records/posts/", "/api/v1/posts/", "/api/token/"] {
            assert!(!is_page(&ask(&stranger, method.clone(), path, Some(CHROME)).await), "{method} {path}");
        }
    }
    // Filters that are called so are filters still.
    assert!(is_page(&ask(&stranger, Method::GET, "/api/records/posts/?format=csv", Some(CHROME)).await));
}

#[tokio::test]
async fn each_of_the_two_is_kept_and_asked_for_again_by_its_own_tag() {
    let (_app, coffer, admin) = with_own_app().await;
    let stranger = coffer.stranger();
    let record = admin.record("posts", json!({"title": "First"})).await;
    let path = crate::support::path("posts", &record);
    let again = async |accept: &str, etag: &str| {
        Answer::of(stranger.plain(Method::GET, &path).header("accept", accept).header("if-none-match", etag)).await
    };
    let (page, json) =
        (ask(&stranger, Method::GET, &path, Some(CHROME)).await, ask(&stranger, Method::GET, &path, None).await);
    let (of_page, of_json) = (page.header("etag"), json.header("etag"));
    assert!(!of_page.is_empty() && !of_json.is_empty() && of_page != of_json);
    assert_eq!(json.header("cache-control"), "private, no-cache");
    for (accept, etag, status) in
        [(CHROME, of_page, 304), ("*/*", of_json, 304), (CHROME, of_json, 200), ("*/*", of_page, 200)]
    {
        let answer = again(accept, etag).await;
        assert_eq!(answer.status, status, "{accept} {etag}");
        assert!(answer.header("vary").contains("Accept"), "{accept} {etag}");
    }
    // HEAD tells what GET would send.
    for accept in [Some(CHROME), None] {
        let (get, head) =
            (ask(&stranger, Method::GET, &path, accept).await, ask(&stranger, Method::HEAD, &path, accept).await);
        for name in ["content-type", "etag", "vary", "content-length", "cache-control"] {
            assert_eq!(get.header(name), head.header(name), "{accept:?} {name}");
        }
        assert!(head.text().is_empty(), "{accept:?}");
    }
}

#[tokio::test]
async fn outside_of_the_api_a_file_goes_first_then_the_page_then_the_path() {
    let (_app, coffer, _admin) = with_own_app().await;
    let stranger = coffer.stranger();
    assert!(ask(&stranger, Method::GET, "/about/", Some(CHROME)).await.text().contains("<title>about"));
    assert!(ask(&stranger, Method::GET, "/posts/", Some(CHROME)).await.text().contains("<title>Coffer"));
    for accept in [None, Some("application/json")] {
        let answer = ask(&stranger, Method::GET, "/posts/", accept).await;
        assert!(answer.header("vary").contains("Accept"), "{}", answer.header("vary"));
        assert_eq!(answer.is(200), json!([]));
    }
}

#[tokio::test]
async fn where_the_app_is_anothers_or_none_every_answer_is_json() {
    for (_app, coffer, _admin) in [with_app("<title>Another</title>").await] {
        for path in ["/api/", "/api/records/posts/", "/api/v1/posts/"] {
            let answer = ask(&coffer.stranger(), Method::GET, path, Some(CHROME)).await;
            assert_eq!(answer.header("content-type"), "application/json", "{path}");
        }
        assert!(ask(&coffer.stranger(), Method::GET, "/x/", Some(CHROME)).await.text().contains("Another"));
    }
    let (coffer, _admin) = Coffer::with_admin().await;
    let answer = ask(&coffer.stranger(), Method::GET, "/api/", Some(CHROME)).await;
    assert_eq!(answer.header("content-type"), "application/json");
}
