//! The real binary as a service: Unix sockets, the sockets and notices of systemd, and how it stops and starts again under load.

mod floods;
mod signals;
mod stopping;
mod systemd;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::json;

use crate::support::{
    ADMIN, Answer, Client, PASSWORD, command,
    server::{Server, http_client, said},
};

/// Somebody at the other end of a Unix socket.
fn over(socket: &Path) -> Client {
    let http = http_client().unix_socket(socket).build().unwrap();
    Client { http, base: "http://box.example".to_owned(), access: None, id: String::new() }
}

#[tokio::test]
async fn several_addresses_and_a_unix_socket_are_served_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("coffer.sock");
    let unix = format!("unix:{}", socket.display());
    let mut server = Server::start(&dir.path().join("data"), &["--listen", "127.0.0.1:0", "--listen", &unix]);
    let second = server.greeted("listens on ");
    assert_eq!(server.greeted("listens on "), unix);
    let admin = server.set_up().await;

    let both = Client { base: second, ..server.stranger() };
    both.get("/api/").await.is(200);
    let here = Client { base: "http://localhost".to_owned(), ..over(&socket) };
    here.get("/api/").await.is(200);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    let health = || said(&command().args(["health", "--listen", &unix]).output().unwrap());
    assert_eq!(health(), "0: ");

    // Nobody said that who comes through the socket may speak for others.
    let body = json!({"username": ADMIN, "password": PASSWORD}).to_string();
    let request = here.request(reqwest::Method::POST, "/api/token/").header("content-type", "application/json");
    Answer::of(request.header("x-forwarded-for", "203.0.113.9").body(body)).await.is(200);
    let sessions = admin.get("/api/sessions/").await.is(200);
    assert!(sessions["results"].as_array().unwrap().iter().all(|session| session["address"] == "127.0.0.1"));

    server.stop();
    assert!(!socket.exists());
    assert!(health().starts_with("1: coffer: no server answers on unix:"), "{}", health());
}

#[tokio::test]
async fn p9_a_proxy_behind_a_unix_socket_can_be_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("coffer.sock");
    let unix = format!("unix:{}", socket.display());
    let mut server = Server::start(&dir.path().join("data"), &["--listen", &unix, "--trusted-proxy", "unix"]);
    let admin = server.set_up().await;
    let body = json!({"username": ADMIN, "password": PASSWORD}).to_string();
    for client in [over(&socket), server.stranger()] {
        let request = client.request(reqwest::Method::POST, "/api/token/").header("content-type", "application/json");
        Answer::of(request.header("x-forwarded-for", "203.0.113.9").body(body.clone())).await.is(200);
    }
    let sessions = admin.get("/api/sessions/").await.is(200);
    let mut addresses: Vec<_> =
        sessions["results"].as_array().unwrap().iter().map(|one| one["address"].clone()).collect();
    addresses.sort_by_key(ToString::to_string);
    assert_eq!(addresses, ["127.0.0.1", "127.0.0.1", "203.0.113.9"], "of the socket only");
}
