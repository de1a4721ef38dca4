//! B1 to B10: what a browser is given and what is taken from one. That the app runs under its policy without one violation is
//! tried in a real browser (`web/tests/browser`).

use std::fs;

use common::ENDPOINTS;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    from_page, furnish,
    held::{Held, Settings},
    is_good, journal, page_session,
};
use crate::{
    invariants::sources::files,
    support::{ADMIN, Answer, Client, Coffer, PASSWORD, server::Server},
};

mod cross_site;

/// A server with a web app of three files.
async fn with_app() -> (tempfile::TempDir, Server, Client) {
    let dir = tempfile::tempdir().unwrap();
    let web = dir.path().join("web");
    fs::create_dir(&web).unwrap();
    fs::write(web.join("index.html"), "<!doctype html><title>Coffer</title>").unwrap();
    fs::write(web.join("app-0123456789abcdef.js"), "start()").unwrap();
    fs::write(web.join("app-0123456789abcdef_bg.wasm"), b"\0asm").unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--web-dir", web.to_str().unwrap(), "--web-csp", "app"]);
    let admin = furnish(&server.stranger(), &server.setup_code()).await;
    (dir, server, admin)
}

/// Like [`Answer::of`], for answers that may be no JSON.
async fn get(client: &Client, path: &str) -> Answer {
    Answer::of(client.request(Method::GET, path)).await
}

/// As a browser goes to an address.
async fn visit(client: &Client, path: &str) -> Answer {
    let html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    Answer::of(client.request(Method::GET, path).header("accept", html)).await
}

#[tokio::test]
async fn b1_the_refresh_token_is_in_a_host_cookie_and_in_no_body() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let credentials = json!({"username": ADMIN, "password": PASSWORD});
    let signed_in = from_page(&page, Method::POST, "/api/session/", "", Some(credentials)).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let refreshed = from_page(&page, Method::POST, "/api/session/refresh/", &cookie, None).await;
    for answer in [signed_in, refreshed] {
        let set = answer.header("set-cookie");
        let mut attributes: Vec<&str> = set.split("; ").skip(1).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Strict", "Secure"]);
        assert!(set.len() < 4096, "{}", set.len());
        let value = set.strip_prefix("__Host-coffer=").unwrap().split(';').next().unwrap();
        let members = answer.is(200);
        let members: Vec<&str> = members.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["access", "expires_in", "user"]);
        assert!(!value.is_empty() && !answer.text().contains(value));
    }
}

/// One request over HTTP/2, frame by frame, since the client of the other tests speaks HTTP/1.1. Gives the answer's body.
pub(crate) async fn over_http_2(authority: &str, head: &[(&str, &str)]) -> String {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    };
    let mut headers = Vec::new();
    for (name, value) in [(":scheme", "http"), (":authority", authority)].iter().chain(head) {
        // A literal with a literal name, not kept, not compressed; lengths below 127 are one byte.
        headers.push(0);
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend(name.as_bytes());
        if value.len() < 127 {
            headers.push(u8::try_from(value.len()).unwrap());
        } else {
            let (low, high) = ((value.len() - 127) % 128 + 128, (value.len() - 127) / 128);
            headers.extend([127, u8::try_from(low).unwrap(), u8::try_from(high).unwrap()]);
        }
        headers.extend(value.as_bytes());
    }
    let mut socket = TcpStream::connect(authority).await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let (settings, head, end) = (4, 1, 0x5);
    socket.write_all(&frame(settings, 0, 0, &[])).await.unwrap();
    socket.write_all(&frame(head, end, 1, &headers)).await.unwrap();
    let mut body = Vec::new();
    loop {
        let mut start = [0; 9];
        socket.read_exact(&mut start).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, start[0], start[1], start[2]]) as usize];
        socket.read_exact(&mut payload).await.unwrap();
        let (kind, ends) = (start[3], start[4] & 1 == 1);
        if kind == 0 {
            body.extend(payload);
        }
        if ends && (kind == 0 || kind == 1) {
            return String::from_utf8(body).unwrap();
        }
    }
}

#[tokio::test]
async fn b3_reading_changes_nothing_and_odd_methods_are_refused() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (access, cookie) = page_session(&admin).await;
    let before = journal(&admin).await;
    for info in ENDPOINTS {
        let path = info.path.replace("{collection}", "snacks").replace("{id}", &admin.id).replace("{revision}", "1");
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let mut request = admin.request(method, &path).header("x-coffer", "1").header("cookie", &cookie);
            for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
                request = request.header(header, "DELETE");
            }
            let answer = Answer::of(request).await;
            assert!([200, 404, 405].contains(&answer.status), "{path}: {}", answer.text());
            assert_eq!(answer.header("set-cookie"), "", "{path}");
            assert_eq!(answer.status == 405, !answer.header("allow").is_empty() && answer.status != 200, "{path}");
        }
        let delete = Answer::of(admin.request(Method::GET, &format!("{path}?_method=DELETE"))).await;
        assert_ne!(delete.status, 204, "{path}");
    }
    assert_eq!(journal(&admin).await, before);
    assert!(is_good(&admin, &access).await);
    for line in ["TRACE /api/users/me/ HTTP/1.1", "TRACE / HTTP/1.1", "CONNECT 127.0.0.1:22 HTTP/1.1"] {
        let mut socket = TcpStream::connect(coffer.base.strip_prefix("http://").unwrap()).await.unwrap();
        let request = format!("{line}\r\nHost: a\r\nX-Canary: canary\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{line}: {answer}");
        assert!(answer.to_lowercase().contains("\r\nallow: ") && !answer.contains("canary"), "{line}: {answer}");
    }
}

#[tokio::test]
async fn b5_b6_b7_pages_files_and_answers_carry_their_rules() {
    let (_dir, server, admin) = with_app().await;
    let page = visit(&admin, "/collections/snacks").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-cache");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert!(page.header("permissions-policy").contains("camera=()"));
    let policy: Vec<&str> = page.header("content-security-policy").split("; ").collect();
    for rule in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(&rule), "{rule} is not in {policy:?}");
    }
    assert!(!policy.iter().any(|rule| rule.contains("unsafe-inline") || rule.contains("'unsafe-eval'")), "{policy:?}");

    for (file, kind) in [
        ("/app-0123456789abcdef.js", "text/javascript; charset=utf-8"),
        ("/app-0123456789abcdef_bg.wasm", "application/wasm"),
    ] {
        let file = get(&admin, file).await;
        assert_eq!(file.header("content-type"), kind);
        assert!(file.header("cache-control").contains("immutable"), "{}", file.header("cache-control"));
    }
    let (stranger, nothing) = (server.stranger(), "default-src 'none'; frame-ancestors 'none'");
    let answers = [
        admin.get("/api/users/me/").await,
        admin.get("/api/users/").await,
        stranger.get("/healthz").await,
        stranger.get("/api/users/").await,
        stranger.get("/api/nothing/").await,
        stranger.get("/nothing.js").await,
        stranger.post("/api/token/", &json!({})).await,
        stranger.raw(Method::POST, "/api/token/", "text/plain", "x").await,
        stranger.delete("/api/token/").await,
    ];
    for answer in &answers {
        assert_eq!(answer.header("content-security-policy"), nothing, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.text());
    }
    for answer in answers.iter().chain([&page]) {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        for banner in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(banner), "");
        }
        // Only over TLS does it mean anything, and it would lock plain neighbours on this host out.
        assert_eq!(answer.header("strict-transport-security"), "");
    }
}

#[tokio::test]
async fn b8_what_is_not_there_is_never_answered_with_the_app() {
    let (_dir, server, _admin) = with_app().await;
    let stranger = server.stranger();
    for path in [
        "/api/nothing/",
        "/api/nothing",
        "/api/users/me/x",
        "/api/../api/nothing",
        "/api",
        "/app-ffffffffffffffff.js",
        "/favicon.ico",
        "/.env",
        "/.git/config",
        "/a/b/c.wasm",
        "/..%2f..%2fetc%2fpasswd",
        "//api",
        "/API/",
        "//api/users/",
        "/Api/users/me/",
    ] {
        let answer = visit(&stranger, path).await;
        assert!(!answer.text().contains("<!doctype"), "{path}");
        if path != "/api" {
            answer.refused(404);
        }
    }
    assert!(visit(&stranger, "/users").await.text().contains("<!doctype"));
    // Programs that look for an API elsewhere are told that there is none.
    for (method, path) in [
        (Method::GET, "/snacks/"),
        (Method::POST, "/snacks/"),
        (Method::PUT, "/snacks/1/"),
        (Method::DELETE, "/v1/snacks"),
    ] {
        let answer = Answer::of(stranger.request(method.clone(), path).header("accept", "application/json, */*")).await;
        answer.refused(404);
        assert!(answer.header("vary").contains("Accept"), "{method} {path}");
    }
    let answer = stranger.post("/index.html", &json!({})).await;
    answer.refused(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn b5_a_front_end_of_ones_own_is_held_to_its_own_policy_and_to_none_of_ours() {
    for (csp, sent) in
        [(None, ""), (Some("default-src 'self'\n  https://cdn.example"), "default-src 'self' https://cdn.example")]
    {
        let dir = tempfile::tempdir().unwrap();
        let web = dir.path().join("web");
        fs::create_dir(&web).unwrap();
        fs::write(web.join("index.html"), "<!doctype html><script>inline()</script>").unwrap();
        fs::write(web.join("worker.js"), "work()").unwrap();
        let mut options = vec!["--web-dir".to_owned(), web.display().to_string()];
        if let Some(csp) = csp {
            fs::write(dir.path().join("csp"), csp).unwrap();
            options.extend(["--web-csp".to_owned(), dir.path().join("csp").display().to_string()]);
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let server = Server::start(&dir.path().join("data"), &options);
        let stranger = server.stranger();
        for path in ["/", "/worker.js", "/any/address"] {
            let answer = visit(&stranger, path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-security-policy"), sent, "{path}");
            for ours in
                ["cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy", "referrer-policy"]
            {
                assert_eq!(answer.header(ours), "", "{ours} of {path}");
            }
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        let nothing = stranger.get("/api/nothing/").await;
        assert_eq!(nothing.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    }
}

#[tokio::test]
async fn b9_signing_out_takes_the_cookie_and_the_browsers_cache_away() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let page = coffer.stranger();
    let (access, cookie) = page_session(&page).await;
    let out = from_page(&page, Method::DELETE, "/api/session/", &cookie, None).await;
    out.is(204);
    let set = out.header("set-cookie");
    assert!(set.starts_with("__Host-coffer=; ") && set.contains("; Max-Age=0;") && set.contains("; Secure"), "{set}");
    assert_eq!(out.header("clear-site-data"), "\"cache\"");
    assert!(!is_good(&page, &access).await);
}

#[test]
fn b10_the_web_app_takes_no_text_for_markup() {
    let files = files("web/src", "rs");
    assert!(files.len() > 10);
    for (path, text) in files {
        for way in
            ["from_html_unchecked", "VRaw", "set_inner_html", "set_outer_html", "insert_adjacent_html", "innerHTML"]
        {
            assert!(!text.contains(way), "{path} has {way}");
        }
    }
}
