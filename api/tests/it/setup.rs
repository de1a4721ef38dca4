//! `/api/setup/` and what `/api/` says about it: the first admin, once, ever.

use common::{Call, endpoints::root};
use serde_json::json;

use crate::support::{ADMIN, Coffer, PASSWORD, text};

#[tokio::test]
async fn set_up_works_once_and_is_announced() {
    let coffer = Coffer::start();
    let stranger = coffer.stranger();
    let root = stranger.send(Call::<root::Get>::new((), ())).await.unwrap().body;
    assert_eq!((root.name.as_str(), root.setup_required), ("Coffer", true));
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
