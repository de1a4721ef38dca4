//! P1, P4 to P7, P11, P13: which passwords there are and what an answer tells about them.

use auth::password::{Cost, HasherSettings};

use coffer::domain::users;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    NEW_PASSWORD,
    held::{Held, Settings},
    is_good, obtain, page_session, try_obtain, user,
};
use crate::support::{
    ADMIN, Answer, Coffer, PASSWORD,
    server::{Server, coffer, said},
};

async fn stored_hash(held: &Held) -> String {
    users::by_name(&held.app.core().store, ADMIN).await.unwrap().unwrap().1.password_hash
}

#[tokio::test]
async fn p1_a_sign_in_stores_a_stronger_hash_where_the_parameters_rose() {
    let (held, _) = Held::with_admin(Settings::default()).await;
    let before = stored_hash(&held).await;
    assert!(before.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{before}");
    let cost = Cost { memory_kib: 24 * 1024, ..Cost::default() };
    let hasher = HasherSettings { cost, ..HasherSettings::default() };
    let risen = Held::start(Settings { hasher, store: held.app.core().store.clone(), ..Settings::default() });
    try_obtain(&risen.stranger(), ADMIN, "not the password at all").await.refused(401);
    assert_eq!(stored_hash(&risen).await, before);
    obtain(&risen.stranger(), ADMIN).await;
    let after = stored_hash(&risen).await;
    assert!(after.starts_with("$argon2id$v=19$m=24576,t=2,p=1$"), "{after}");
    obtain(&risen.stranger(), ADMIN).await;
    assert_eq!(stored_hash(&risen).await, after, "once is enough");
}

#[tokio::test]
async fn p4_long_and_unusual_passwords_are_taken_whole() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let stem = "q7w2 e9r4 t1y6 ".repeat(5);
    let of_72_bytes = &stem[..72];
    let longest: String = (0..1024).map(|n| char::from(b'!' + u8::try_from(n * n % 89 + n % 5).unwrap())).collect();
    for (n, password) in [
        &stem[..64],
        of_72_bytes,
        "🦀🐙🦊🐸🦉🐝🦋🐢🐬🦔🐿🦚🦜🐊🦓",
        "  seven  quinces  in  a  row  ",
        "grüße an alle quitten dieser welt",
        "GRÜSSE AN ALLE QUITTEN DIESER WELT",
        &longest,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("user{n}");
        let body = json!({"username": name, "password": password});
        admin.post("/api/users/", &body).await.is(201);
        try_obtain(&admin, &name, password).await.is(200);
        for other in [format!("{password}y"), password[..password.len() - 4].to_owned()] {
            try_obtain(&admin, &name, &other).await.refused(401);
        }
    }
}

#[tokio::test]
async fn p4_a_password_that_is_too_long_is_refused_before_it_is_hashed() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let huge = "x9 ".repeat(5_000);
    let made = admin.post("/api/users/", &json!({"username": "ulla", "password": huge})).await;
    assert_eq!(made.faults(), ["password: This password is too long. Use at most 1024 bytes."]);
    let change = json!({"current_password": PASSWORD, "new_password": huge});
    let faults = admin.post("/api/users/me/password/", &change).await.faults();
    assert_eq!(faults, ["new_password: This password is too long. Use at most 1024 bytes."]);
    // At sign-in it is a wrong password like any other, of known and unknown users alike.
    for name in [ADMIN, "nobody"] {
        assert_eq!(try_obtain(&admin, name, &huge).await.refused(401).code, "no_active_account");
    }
}

#[tokio::test]
async fn p5_common_passwords_and_words_of_the_context_are_refused_with_the_reason() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for (password, code) in [
        ("password", "password_too_short"),
        ("123456789012345", "password_too_common"),
        ("PasswordPassword", "password_too_common"),
        ("qwertyuiopasdfghjkl", "password_too_common"),
        ("ursula.quince.1", "password_too_similar"),
        ("Ursula.Quince2026", "password_too_similar"),
        ("coffer coffer coffer", "password_too_similar"),
    ] {
        let body = json!({"username": "ursula.quince", "password": password});
        let problem = admin.post("/api/users/", &body).await.refused(400);
        let faults = &problem.errors.0["password"];
        assert!(faults.iter().any(|fault| fault.code == code), "{password}: {faults:?}");
    }
}

/// What of an answer may tell something: all but its own id and the time.
fn telling(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    // How many tries are left is the same for all, one less each time.
    let own = ["x-request-id", "date", "ratelimit"];
    let headers = answer.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["request_id"] = Value::Null;
    (answer.status, headers, body)
}

#[tokio::test]
async fn p6_an_unknown_name_a_wrong_password_and_a_disabled_user_get_one_answer() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let (ulla, _) = user(&admin, "ulla").await;
    user(&admin, "otto").await;
    admin.patch(&format!("/api/users/{}/", ulla.id), &json!({"is_active": false})).await.is(200);
    let long = "n".repeat(15_000);
    for path in ["/api/token/", "/api/session/"] {
        let mut answers = Vec::new();
        for (name, password) in [
            ("nobody", PASSWORD),
            ("otto", "not the password at all"),
            ("ulla", PASSWORD),
            ("ulla", "not the password at all"),
            ("a\nroot login ok", PASSWORD),
            (&long, PASSWORD),
        ] {
            let body = json!({"username": name, "password": password});
            let request = admin.request(Method::POST, path).header("x-coffer", "1");
            let request = request.header("content-type", "application/json").body(body.to_string());
            answers.push(telling(&Answer::of(request).await));
        }
        assert_eq!(answers[0].0, 401);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    }
}

#[tokio::test]
async fn p7_a_name_has_one_owner_however_it_is_written_and_however_long_it_grows() {
    let (_coffer, admin) = Coffer::with_admin().await;
    // One character that is eighteen in the form in which names are compared.
    let long = "\u{fdfa}".repeat(150);
    user(&admin, &long).await;
    user(&admin, "ursula").await;
    for name in ["URSULA", "ｕｒｓｕｌａ", "ur\u{17f}ula", "ursula ", " ursula", "ursula\n", &long] {
        admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await.refused(409);
        obtain(&admin, name).await;
    }
    for name in ["ursu\u{200b}la", "ursula\u{202e}", "ursula\0"] {
        admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await.refused(400);
        assert_ne!(try_obtain(&admin, name, PASSWORD).await.status, 200, "{name:?}");
    }
}

#[tokio::test]
async fn p7_nobody_learns_from_outside_which_names_are_taken() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (ulla, _) = user(&admin, "ulla").await;
    let make = async |client: &crate::support::Client, name: &str| {
        telling(&client.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await)
    };
    let stranger = coffer.stranger();
    assert_eq!(make(&stranger, "ulla").await, make(&stranger, "nobody").await);
    assert_eq!(make(&ulla, ADMIN).await, make(&ulla, "nobody").await);
    assert_eq!((make(&stranger, "ulla").await.0, make(&ulla, ADMIN).await.0), (401, 403));
}

#[tokio::test]
async fn p11_a_change_needs_the_current_password_and_wrong_ones_count() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let (ulla, pair) = user(&admin, "ulla").await;
    let change = |current: &str| json!({"current_password": current, "new_password": NEW_PASSWORD});
    let mut refused = 0;
    let locked = loop {
        let answer = ulla.post("/api/users/me/password/", &change("not the password at all")).await;
        if answer.status != 400 {
            break answer;
        }
        assert_eq!(answer.faults(), ["current_password: This is not your current password."]);
        refused += 1;
    };
    assert_eq!((locked.refused(429).code.as_ref(), refused), ("throttled", 31));
    try_obtain(&admin, "ulla", PASSWORD).await.refused(429);
    assert!(is_good(&admin, &pair.access).await, "the session that was open goes on");
    obtain(&admin, ADMIN).await;
    let noted = super::journal(&admin).await;
    let noted =
        noted.iter().filter(|change| change.action.as_str() == "password_refused" && change.id == ulla.id).count();
    assert_eq!(noted, refused);
}

#[tokio::test]
async fn p13_names_and_passwords_are_texts() {
    let (_coffer, admin) = Coffer::with_admin().await;
    page_session(&admin).await;
    for path in ["/api/token/", "/api/session/", "/api/users/", "/api/setup/"] {
        for odd in [json!(null), json!(7), json!(true), json!([PASSWORD]), json!({"$ne": null}), json!({"$gt": ""})] {
            for body in [
                json!({"code": "x", "username": odd, "password": PASSWORD}),
                json!({"code": "x", "username": ADMIN, "password": odd}),
                json!([{"username": ADMIN, "password": PASSWORD}]),
            ] {
                let request = admin.request(Method::POST, path).header("x-coffer", "1");
                let request = request.header("content-type", "application/json").body(body.to_string());
                let faults = Answer::of(request).await.faults();
                assert!(!faults.is_empty(), "{path} {body}");
            }
        }
    }
}

#[tokio::test]
async fn p5_a_server_and_its_commands_heed_a_password_list() {
    let parent = tempfile::tempdir().unwrap();
    let list = parent.path().join("leaked.txt");
    std::fs::write(&list, "grenadine otter fjord\n").unwrap();
    let list = list.to_str().unwrap();
    let mut server = Server::start(&parent.path().join("data"), &["--password-list", list]);
    let code = server.setup_code();
    let body = |password: &str| json!({"code": code, "username": ADMIN, "password": password});
    let faults = server.stranger().post("/api/setup/", &body("Grenadine-Otter-Fjord")).await.faults();
    assert_eq!(faults, ["password: This password is too common: it is in a list of passwords that are known."]);
    server.stranger().post("/api/setup/", &body(PASSWORD)).await.is(201);
    server.stop();
    let missing = coffer(&["serve", "--password-list", "/nowhere/list"], &parent.path().join("other"));
    assert!(said(&missing).contains("--password-list: /nowhere/list"), "{}", said(&missing));
}
