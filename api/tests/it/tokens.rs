//! `/api/token/` as a program uses it. What each kind of bad token gets is `conformance`'s.

use std::time::{SystemTime, UNIX_EPOCH};

use common::{
    Call,
    endpoints::{sessions, tokens},
};
use serde_json::json;

use crate::support::{ADMIN, Coffer, PASSWORD, claim, text};

fn credentials(username: &str, password: &str) -> tokens::Credentials {
    tokens::Credentials { username: username.to_owned(), password: password.to_owned() }
}

#[tokio::test]
async fn tokens_are_obtained_refreshed_and_ended() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let program = coffer.stranger();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let asked = now();
    let first = program.send(Call::<tokens::Obtain>::new((), credentials(ADMIN, PASSWORD))).await.unwrap().body;
    let answered = now();
    // A token says itself how long it lives.
    let [begins, ends] = ["iat", "exp"].map(|name| claim(&first.access, name).as_u64().unwrap());
    assert_eq!(ends - begins, 300);
    assert!((asked..=answered).contains(&begins), "{begins}");
    let refresh = |token: &str| {
        program.send(Call::<tokens::Refresh>::new((), tokens::RefreshToken { refresh: token.to_owned() }))
    };
    let second = refresh(&first.refresh).await.unwrap().body;
    assert_ne!(first.access, second.access);
    for token in [&first.access, &second.access, &second.refresh] {
        program.send(Call::<tokens::Verify>::new((), tokens::AnyToken { token: token.clone() })).await.unwrap();
    }
    let members: Vec<String> = {
        let body = json!({"refresh": first.refresh});
        let answer = program.post("/api/token/refresh/", &body).await.is(200);
        answer.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(members, ["access", "refresh"], "nothing else, as SimpleJWT's");
    let blacklist = tokens::RefreshToken { refresh: second.refresh.clone() };
    program.send(Call::<tokens::Blacklist>::new((), blacklist)).await.unwrap();
    let replayed = refresh(&second.refresh).await.err().unwrap();
    assert_eq!(replayed.status(), 401);
    for token in [first.access, second.access] {
        let dead = program.send(Call::<tokens::Verify>::new((), tokens::AnyToken { token })).await.unwrap_err();
        assert_eq!(dead.status(), 401);
    }
}

#[tokio::test]
async fn in_strict_rotation_a_second_use_ends_the_session_and_no_other() {
    let (coffer, other) = Coffer::with_admin_and(&["--rotation", "strict"]).await;
    let program = coffer.stranger();
    let body = json!({"username": ADMIN, "password": PASSWORD});
    let first = program.post("/api/token/", &body).await.is(200);
    let old = json!({"refresh": first["refresh"]});
    let second = program.post("/api/token/refresh/", &old).await.is(200);
    let refused = program.post("/api/token/refresh/", &old).await.refused(401);
    assert_eq!((refused.code.as_ref(), refused.detail.as_str()), ("token_not_valid", "Token is blacklisted"));
    for token in [&second["access"], &second["refresh"], &first["access"]] {
        program.post("/api/token/verify/", &json!({"token": token})).await.refused(401);
    }
    other.send(Call::<sessions::List>::new((), ())).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_fails_tells_nothing_about_the_account() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ina = coffer.user(&admin, "ina", json!({})).await;
    admin.patch(&format!("/api/users/{}/", ina.id), &json!({"is_active": false})).await.is(200);
    let mut told = Vec::new();
    for (username, password) in [(ADMIN, "not the password"), ("nobody", PASSWORD), ("ina", PASSWORD), ("ina", "x")] {
        let body = json!({"username": username, "password": password});
        let mut problem = coffer.stranger().post("/api/token/", &body).await.refused(401);
        assert_eq!(problem.detail, "No active account found with the given credentials");
        problem.request_id.clear();
        told.push(problem);
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
}

#[tokio::test]
async fn forms_and_unknown_members_are_taken_and_faults_stand_under_their_fields() {
    let (coffer, _admin) = Coffer::with_admin().await;
    let program = coffer.stranger();
    let form = format!("username={ADMIN}&password={}&remember=1", PASSWORD.replace(' ', "+"));
    let kind = "application/x-www-form-urlencoded; charset=UTF-8";
    let pair = program.raw(reqwest::Method::POST, "/api/token/", kind, form).await.is(200);
    let token = format!("token={}", text(&pair, "access"));
    program.raw(reqwest::Method::POST, "/api/token/verify/", kind, token).await.is(200);
    let more = json!({"username": ADMIN, "password": PASSWORD, "client": "cron"});
    program.post("/api/token/", &more).await.is(200);

    let refused = program.post("/api/token/", &json!({"username": ""})).await.is(400);
    assert_eq!(refused["username"], json!(["This field may not be blank."]));
    assert_eq!(refused["password"], json!(["This field is required."]));
    assert_eq!(refused["errors"]["password"][0]["code"], "required");
}

#[tokio::test]
async fn guessing_is_slowed_down_for_one_name_only() {
    let (coffer, admin) = Coffer::with_admin().await;
    coffer.user(&admin, "ulla", json!({})).await;
    let program = coffer.stranger();
    let mut locked = None;
    for n in 0..60 {
        let body = json!({"username": "ulla", "password": format!("guess {n}")});
        let answer = program.post("/api/token/", &body).await;
        if answer.status == 429 {
            locked = Some(answer);
            break;
        }
        answer.refused(401);
    }
    let locked = locked.expect("60 wrong guesses at one name meet a lock");
    assert_eq!(locked.problem().code, "throttled");
    assert!(locked.header("retry-after").parse::<u32>().unwrap() >= 1);
    let right = json!({"username": "ULLA", "password": PASSWORD});
    assert_eq!(program.post("/api/token/", &right).await.status, 429, "another spelling is the same name");
    coffer.sign_in(ADMIN).await;
}
