//! `/api/setup/` and what `/api/` says about it: the first admin, once, ever.

use common::{Call, endpoints::root};
use serde_json::json;

use crate::support::{ADMIN, Coffer, PASSWORD, server::Server, text};

#[tokio::test]
async fn set_up_works_once_and_is_announced() {
    let coffer = Coffer::start();
    let stranger = coffer.stranger();
    let root = stranger.send(Call::<root::Get>::new((), ())).await.unwrap().body;
    assert_eq!((root.name.as_str(), root.setup_required), ("Coffer", true));
    assert_eq!(root.min_password_length, 15);
    assert_eq!(root.links["collections"], format!("{}/api/collections/", coffer.base));
    let mut body = json!({"code": coffer.setup_code, "username": ADMIN, "password": PASSWORD});
    let made = stranger.post("/api/setup/", &body).await;
    let user = made.is(201);
    assert_eq!(
        (text(&user, "username"), &user["is_admin"], &user["is_active"]),
        (ADMIN.to_owned(), &json!(true), &json!(true))
    );
    assert!(!made.text().contains("password"));
    assert!(!stranger.send(Call::<root::Get>::new((), ())).await.unwrap().body.setup_required);
    body["username"] = json!("eve");
    assert_eq!(stranger.post("/api/setup/", &body).await.refused(409).code, "conflict");
    body["code"] = json!("wrong");
    stranger.post("/api/setup/", &body).await.refused(409);
    coffer.sign_in(ADMIN).await;
}

#[tokio::test]
async fn only_the_code_opens_set_up_and_a_weak_password_spends_nothing() {
    let coffer = Coffer::start();
    let stranger = coffer.stranger();
    let good = json!({"code": coffer.setup_code, "username": ADMIN, "password": PASSWORD});
    let with = |member: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    for code in ["", "x", &coffer.setup_code[1..], &coffer.setup_code.to_uppercase()] {
        let faults = stranger.post("/api/setup/", &with("code", json!(code))).await.faults();
        assert!(faults.len() == 1 && faults[0].starts_with("code: "), "{code} {faults:?}");
    }
    for password in ["short", "123456789012345", "ada ada ada ada ada", "passwordpassword", ""] {
        let faults = stranger.post("/api/setup/", &with("password", json!(password))).await.faults();
        assert!(faults.iter().all(|fault| fault.starts_with("password: ")), "{password} {faults:?}");
    }
    for username in ["", "a b", "a\nroot login ok", "\u{202e}ada", "ada\u{200b}"] {
        let faults = stranger.post("/api/setup/", &with("username", json!(username))).await.faults();
        assert!(faults.iter().all(|fault| fault.starts_with("username: ")), "{username:?} {faults:?}");
    }
    assert_eq!(
        stranger.post("/api/setup/", &json!({"code": 1, "is_admin": true})).await.faults(),
        [
            "code: Not a valid string.",
            "is_admin: There is no field of this name.",
            "password: This field is required.",
            "username: This field is required.",
        ]
    );
    stranger.post("/api/setup/", &good).await.is(201);
}

#[tokio::test]
async fn the_root_says_the_least_length_that_the_server_takes() {
    let parent = tempfile::tempdir().unwrap();
    let mut server = Server::start(&parent.path().join("data"), &["--min-password-length", "9"]);
    let code = server.setup_code();
    let stranger = server.stranger();
    let least = stranger.get("/api/").await.is(200)["min_password_length"].as_u64().unwrap();
    assert_eq!(least, 9);
    let password = |length: usize| "zk4wq8vmxr"[..length].to_owned();
    let body = |length: usize| json!({"code": code, "username": ADMIN, "password": password(length)});
    assert_eq!(stranger.post("/api/setup/", &body(8)).await.faults().len(), 1);
    stranger.post("/api/setup/", &body(9)).await.is(201);
    server.stop();
}
