//! The rules of static files, one test each, on a small app in memory.

use http::HeaderName;

use super::{
    policy::{OPENER_POLICY, PERMISSIONS_POLICY},
    *,
};

const HASHED: &str = "app-4e3f90d58a14e994.js";

fn assets() -> Assets {
    let asset = |name: &str, hash: &str, brotli, gzip| {
        (name.to_owned(), Asset::new(name, hash, Bytes::from_static(b"0123456789"), brotli, gzip))
    };
    let [brotli, gzip] = [b"brotli", b"gzip--"].map(|bytes| Some(Bytes::from_static(bytes)));
    let files = HashMap::from([
        asset("index.html", "aa", brotli.clone(), gzip.clone()),
        asset(HASHED, "bb", brotli, gzip),
        asset("a file.png", "cc", None, None),
        asset("about.html", "dd", None, None),
        asset("guide/index.html", "ee", None, None),
    ]);
    Assets::new(files, Policy::Ours)
}

fn send(method: &Method, path: &str, headers: &[(HeaderName, &'static str)]) -> Option<Response<Bytes>> {
    let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    assets().respond(method, path, &headers, "0192")
}

/// As a browser goes to an address.
fn visit(path: &str) -> Option<Response<Bytes>> {
    send(&Method::GET, path, &[(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")])
}

fn get(path: &str, headers: &[(HeaderName, &'static str)]) -> Response<Bytes> {
    send(&Method::GET, path, headers).unwrap()
}

fn hashed() -> String {
    format!("/{HASHED}")
}

#[test]
fn the_page_is_served_at_the_root_and_for_addresses_inside_the_app() {
    // Names of people and of hosts have points, and are no files.
    let named = ["/users/john.doe", "/user/a@b.org", "/packages/2.0"];
    for path in ["/", "/index.html", "/collections", "/records/snacks/0192-ab/", "/apiary"].into_iter().chain(named) {
        let response = visit(path).unwrap();
        assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"0123456789"[..]), "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        let varies = if ["/", "/index.html"].contains(&path) { "Accept-Encoding" } else { "Accept-Encoding, Accept" };
        assert_eq!(response.headers()[header::VARY], varies, "{path}");
    }
}

#[test]
fn b8_an_address_inside_the_app_is_a_page_for_who_asks_for_one_and_nothing_for_others() {
    for path in ["/collections", "/snacks/", "/setup"] {
        for accept in ["*/*", "application/json", "application/json, text/plain, */*"] {
            assert!(send(&Method::GET, path, &[(header::ACCEPT, accept)]).is_none(), "{path} {accept}");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            assert!(send(&method, path, &[(header::ACCEPT, "text/html")]).is_none(), "{method} {path}");
        }
    }
    // A file is one for everybody.
    for path in ["/", "/index.html", "/a%20file.png"] {
        assert_eq!(get(path, &[(header::ACCEPT, "application/json")]).status(), StatusCode::OK, "{path}");
        assert_eq!(send(&Method::POST, path, &[]).unwrap().status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[test]
fn a_page_of_a_site_is_found_without_its_ending() {
    for path in ["/about", "/about/", "/about.html", "/guide", "/guide/", "/guide/index.html"] {
        let response = get(path, &[]);
        assert!(["\"dd\"", "\"ee\""].contains(&response.headers()[header::ETAG].to_str().unwrap()), "{path}");
    }
}

#[test]
fn the_pages_of_a_folder_are_held_to_what_its_operator_says() {
    let of = |policy: Policy| {
        let assets = Assets { policy, ..assets() };
        assets.respond(&Method::GET, "/", &HeaderMap::new(), "0192").unwrap()
    };
    for (policy, sent) in
        [(Policy::Off, None), (Policy::from_text("default-src 'self'").unwrap(), Some("default-src 'self'"))]
    {
        let page = of(policy);
        assert_eq!(page.headers().get(header::CONTENT_SECURITY_POLICY).map(|policy| policy.to_str().unwrap()), sent);
        assert!(!page.headers().contains_key(OPENER_POLICY) && !page.headers().contains_key(PERMISSIONS_POLICY));
        assert!(page.extensions().get::<server::headers::OwnPolicies>().is_some());
    }
}

#[test]
fn b8_missing_files_and_the_apis_paths_are_never_answered_with_the_page() {
    for path in [
        "/missing.js",
        "/a/b/missing.wasm",
        "/.env",
        "/api",
        "/api/",
        "/api/nope",
        "/%61pi/nope",
        "//api",
        "//api/",
        "/API/",
        "/Api/nope",
        "/api//records",
        "///api",
        "/aPi%2Frecords",
        "//",
        "//collections",
        "/collections//new",
        "/%2Fapi",
    ] {
        assert!(visit(path).is_none(), "{path}");
    }
}

#[test]
fn d6_nothing_outside_the_table_can_be_reached() {
    for path in [
        "/../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%5c..%5cetc%5cpasswd",
        "/a/..\\..\\etc",
        "/C:/windows/win",
        "/C:%5cwindows",
        "/page%00",
        "/page%0a",
        "/index.html%00.js",
        "/%ff",
        "*",
        "",
    ] {
        assert!(visit(path).is_none(), "{path}");
    }
}

#[test]
fn a_path_is_percent_decoded_once() {
    assert_eq!(get("/a%20file.png", &[]).headers()[header::CONTENT_TYPE], "image/png");
    assert!(send(&Method::GET, "/a%2520file.png", &[]).is_none());
}

#[test]
fn b7_hashed_names_are_kept_for_ever_and_the_page_is_asked_for_each_time() {
    assert_eq!(get(&hashed(), &[]).headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(get("/", &[]).headers()[header::CACHE_CONTROL], "no-cache");
    assert_eq!(get("/a%20file.png", &[]).headers()[header::CACHE_CONTROL], "no-cache");
}

#[test]
fn b5_the_page_carries_its_policies_and_files_do_not() {
    let page = visit("/login").unwrap();
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    assert_eq!(page.headers()[OPENER_POLICY], "same-origin");
    assert!(page.headers().contains_key(PERMISSIONS_POLICY));
    assert!(!get(&hashed(), &[]).headers().contains_key(header::CONTENT_SECURITY_POLICY));
}

#[test]
fn each_encoding_is_sent_with_its_name_and_a_tag_of_its_own() {
    for (accept, body, name, etag) in [
        ("br, gzip", &b"brotli"[..], Some("br"), "\"bb-br\""),
        ("gzip", b"gzip--", Some("gzip"), "\"bb-gz\""),
        ("gzip;q=0", b"0123456789", None, "\"bb\""),
    ] {
        let response = get(&hashed(), &[(header::ACCEPT_ENCODING, accept)]);
        assert_eq!(&response.body()[..], body, "{accept}");
        assert_eq!(
            response.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes),
            name.map(str::as_bytes)
        );
        assert_eq!(response.headers()[header::ETAG], etag);
        assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
    }
}

#[test]
fn a_file_in_one_form_only_does_not_vary() {
    let response = get("/a%20file.png", &[(header::ACCEPT_ENCODING, "br, gzip")]);
    assert_eq!(&response.body()[..], b"0123456789");
    assert!(!response.headers().contains_key(header::VARY));
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
}

#[test]
fn a_client_that_has_the_file_is_told_so_without_a_body() {
    let accept = (header::ACCEPT_ENCODING, "br");
    let response = get(&hashed(), &[accept.clone(), (header::IF_NONE_MATCH, "\"x\", W/\"bb-br\"")]);
    assert_eq!((response.status(), response.body().len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(response.headers()[header::ETAG], "\"bb-br\"");
    assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
    assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert_eq!(get(&hashed(), &[(header::IF_NONE_MATCH, "*")]).status(), StatusCode::NOT_MODIFIED);
    let other = get(&hashed(), &[accept, (header::IF_NONE_MATCH, "\"bb-gz\"")]);
    assert_eq!(other.status(), StatusCode::OK, "another encoding's tag is another file's");
}

#[test]
fn head_answers_what_get_would_without_the_bytes() {
    for accept in ["br", "identity"] {
        let headers = [(header::ACCEPT_ENCODING, accept)];
        let (get, head) = (get(&hashed(), &headers), send(&Method::HEAD, &hashed(), &headers).unwrap());
        assert_eq!(head.status(), StatusCode::OK);
        assert!(head.body().is_empty());
        assert_eq!(head.headers()[header::CONTENT_LENGTH], get.body().len().to_string().as_str());
        assert!(get.headers().iter().all(|(name, value)| head.headers()[name] == value));
    }
}

#[test]
fn head_of_a_file_that_the_client_has_says_nothing_about_its_length() {
    let head = send(&Method::HEAD, &hashed(), &[(header::IF_NONE_MATCH, "*")]).unwrap();
    assert_eq!(head.status(), StatusCode::NOT_MODIFIED);
    assert!(!head.headers().contains_key(header::CONTENT_LENGTH));
}

#[test]
fn a_range_is_of_the_file_itself_whatever_encodings_are_accepted() {
    let response = get(&hashed(), &[(header::ACCEPT_ENCODING, "br"), (header::RANGE, "bytes=2-4")]);
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::PARTIAL_CONTENT, &b"234"[..]));
    assert_eq!(response.headers()[header::CONTENT_RANGE], "bytes 2-4/10");
    assert_eq!(response.headers()[header::ETAG], "\"bb\"");
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
}

#[test]
fn if_range_with_another_tag_gets_the_whole_file() {
    let range = (header::RANGE, "bytes=2-4");
    assert_eq!(get(&hashed(), &[range.clone(), (header::IF_RANGE, "\"bb\"")]).status(), StatusCode::PARTIAL_CONTENT);
    for tag in ["\"bb-br\"", "\"old\"", "Sun, 22 Nov 2026 15:00:00 GMT"] {
        let response = get(&hashed(), &[range.clone(), (header::IF_RANGE, tag)]);
        assert_eq!((response.status(), response.body().len()), (StatusCode::OK, 10), "{tag}");
    }
}

#[test]
fn a_range_past_the_end_is_a_416_problem() {
    let response = get(&hashed(), &[(header::RANGE, "bytes=10-")]);
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(response.headers()[header::CONTENT_RANGE], "bytes */10");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
}

#[test]
fn several_ranges_and_ranges_of_a_head_are_ignored() {
    assert_eq!(get(&hashed(), &[(header::RANGE, "bytes=0-1,3-4")]).status(), StatusCode::OK);
    assert_eq!(send(&Method::HEAD, &hashed(), &[(header::RANGE, "bytes=0-1")]).unwrap().status(), StatusCode::OK);
}

#[test]
fn b3_files_can_only_be_read() {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let response = send(&method, &hashed(), &[]).unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(response.headers()[header::ALLOW], "GET, HEAD, OPTIONS");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let accept = (header::ACCEPT, "application/problem+json");
        let response = send(&method, &hashed(), &[accept]).unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(serde_json::from_slice::<Problem>(response.body()).unwrap().request_id, "0192");
        assert!(send(&method, "/missing.js", &[]).is_none(), "{method}");
    }
    let options = send(&Method::OPTIONS, "/", &[]).unwrap();
    assert_eq!((options.status(), &options.headers()[header::ALLOW]), (StatusCode::NO_CONTENT, &METHODS));
}

#[test]
fn without_a_web_app_a_page_says_how_to_build_it() {
    let nothing = Assets::default();
    let response = nothing.respond(&Method::GET, "/", &HeaderMap::new(), "0192").unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let page = std::str::from_utf8(response.body()).unwrap();
    assert!(page.contains("cargo xtask run"));
    assert!(
        !page.contains("<style") && !page.contains("<script") && !page.contains("style="),
        "its own policy forbids them"
    );
    assert!(nothing.respond(&Method::GET, "/api/", &HeaderMap::new(), "0192").is_none());
    assert!(nothing.respond(&Method::GET, "/app.js", &HeaderMap::new(), "0192").is_none());
}

#[test]
fn an_embedded_app_is_whole_or_not_there() {
    let embedded = Assets::embedded();
    assert_eq!(embedded.is_empty(), !embedded.files.contains_key(PAGE));
}
