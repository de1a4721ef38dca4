//! Who an account is: names and e-mail addresses, the lock that all of them share, devices that are known, and what tokens say of their
//! user.

use std::time::Duration;

use auth::throttle::ThrottleSettings;
use coffer::domain::access_claims::AccessClaim;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    from_page,
    held::{Held, Settings},
    is_good, journal, obtain, page_session, refresh, tokens, try_obtain, user,
};
use crate::support::{
    ADMIN, Answer, Client, Coffer, PASSWORD, claim,
    server::{Server, coffer, said},
};

mod locks;

const WRONG: &str = "not the password at all";

async fn sign_in_with(client: &Client, body: Value) -> Answer {
    client.post("/api/token/", &body).await
}

#[tokio::test]
async fn p7_an_address_finds_its_user_and_is_nobody_elses_address_or_name() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ulla = coffer.user(&admin, "ulla", json!({"email": "Ulla@Example.org"})).await;
    assert_eq!(ulla.get("/api/users/me/").await.is(200)["email"], "Ulla@Example.org", "kept as it was typed");
    let stranger = coffer.stranger();
    for body in [
        json!({"email": "ulla@example.org", "password": PASSWORD}),
        json!({"username": "ULLA@EXAMPLE.ORG", "password": PASSWORD}),
        json!({"email": "ulla", "password": PASSWORD}),
        json!({"username": "", "email": "ulla@example.org", "password": PASSWORD}),
    ] {
        let pair = tokens(&sign_in_with(&stranger, body).await);
        assert_eq!(claim(&pair.access, "user_id"), ulla.id.as_str());
    }
    let refused = sign_in_with(&stranger, json!({"email": "x@example.org", "password": PASSWORD})).await;
    assert_eq!(refused.refused(401).code, "no_active_account");
    let nothing = sign_in_with(&stranger, json!({"email": "", "password": PASSWORD})).await;
    assert_eq!(nothing.is(400)["username"], json!(["This field is required."]));

    // Neither another's address nor another's name, however it is written.
    let otto = coffer.user(&admin, "otto", json!({})).await;
    coffer.user(&admin, "ina@example.org", json!({})).await;
    let me = "/api/users/me/";
    for (body, field) in [
        (json!({"email": "ulla@EXAMPLE.org"}), "email"),
        (json!({"email": "INA@example.org"}), "email"),
        (json!({"username": "ulla@example.org"}), "username"),
        (json!({"username": "ULLA"}), "username"),
    ] {
        let taken = otto.patch(me, &body).await.refused(409);
        assert!(taken.errors.0.contains_key(field), "{body}: {taken:?}");
        let new = json!({"username": "new", "password": PASSWORD, "email": "new@example.org"});
        let mut new = new.as_object().unwrap().clone();
        new.extend(body.as_object().unwrap().clone());
        assert!(admin.post("/api/users/", &Value::Object(new)).await.refused(409).errors.0.contains_key(field));
    }
    assert_eq!(otto.get(me).await.is(200)["email"], "");

    // One's own name may be one's own address, in both orders, and what is given up is free.
    ulla.patch(me, &json!({"username": "ulla@example.org"})).await.is(200);
    otto.patch(me, &json!({"username": "ulla"})).await.is(200);
    ulla.patch(me, &json!({"username": "u", "email": "other@example.org"})).await.is(200);
    otto.patch(me, &json!({"email": "ulla@example.org"})).await.is(200);
    otto.patch(me, &json!({"username": "ulla@example.org", "email": null})).await.is(200);
    otto.patch(me, &json!({"email": "ulla@example.org"})).await.is(200);
    admin.delete(&format!("/api/users/{}/", otto.id)).await.is(204);
    ulla.patch(me, &json!({"email": "ulla@example.org"})).await.is(200);
    for bad in ["ulla", "a@", "@b.c", "a b@c.de"] {
        assert!(ulla.patch(me, &json!({"email": bad})).await.refused(400).errors.0.contains_key("email"), "{bad}");
    }
    let found = admin.get("/api/users/?email=ulla@example.org").await.is(200);
    assert_eq!(found["count"], 1);
    // The drop of the server checks that every name and address is where it belongs.
}

#[tokio::test]
async fn p7_of_many_who_want_one_address_at_once_one_gets_it() {
    let (coffer, admin) = Coffer::with_admin().await;
    let mut wanting = Vec::new();
    for number in 0..8 {
        wanting.push(coffer.user(&admin, &format!("user-{number}"), json!({})).await);
    }
    let tries = wanting.into_iter().enumerate().map(|(number, user)| {
        // Half of them want it as a name.
        let body = if number % 2 == 0 { json!({"email": "a@b.org"}) } else { json!({"username": "a@b.org"}) };
        tokio::spawn(async move { user.patch("/api/users/me/", &body).await.status })
    });
    let mut statuses = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn t19_claims_of_ones_own_are_for_the_client_and_give_no_power() {
    let access_claims = vec![AccessClaim::Username, AccessClaim::Email, AccessClaim::Roles];
    let (_held, admin) = Held::with_admin(Settings { access_claims, ..Settings::default() }).await;
    let own = json!({"tenant": "north", "https://example.org/level": [1, 2]});
    let body = json!({
        "username": "ulla", "password": PASSWORD, "email": "ulla@example.org", "roles": ["cook"], "claims": own,
    });
    let made = admin.post("/api/users/", &body).await.is(201);
    assert_eq!(made["claims"], own);
    let pair = obtain(&admin, "ulla").await;
    let next = tokens(&refresh(&admin, Some(&pair.refresh)).await);
    for access in [&pair.access, &next.access] {
        let said =
            ["username", "email", "roles", "tenant", "https://example.org/level"].map(|name| claim(access, name));
        assert_eq!(said, [json!("ulla"), json!("ulla@example.org"), json!(["cook"]), json!("north"), json!([1, 2])]);
        assert!(is_good(&admin, access).await);
    }
    assert_eq!(claim(&pair.refresh, "username"), Value::Null, "a refresh token is for the server");

    // Only admins set them, and never a name that a token has already.
    let ulla = Client { access: Some(pair.access), ..admin.clone() };
    ulla.patch("/api/users/me/", &json!({"claims": {"tenant": "south"}})).await.refused(400);
    let address = format!("/api/users/{}/", made["id"].as_str().unwrap());
    for (claims, code) in [
        (json!({"sub": "x"}), "invalid"),
        (json!({"is_admin": true}), "invalid"),
        (json!({"exp": 9_999_999_999_u64}), "invalid"),
        (json!([]), "invalid"),
        (json!({"a": "x".repeat(3000)}), "max_bytes"),
    ] {
        let refused = admin.patch(&address, &json!({"claims": claims})).await.refused(400);
        assert_eq!(refused.errors.0["claims"][0].code, code, "{claims}");
    }
    // What a token says of roles is not asked: they are looked up.
    admin.patch(&address, &json!({"roles": [], "claims": {}})).await.is(200);
    let later = tokens(&refresh(&admin, Some(&next.refresh)).await);
    assert_eq!([claim(&later.access, "roles"), claim(&later.access, "tenant")], [json!([]), Value::Null]);
}

#[tokio::test]
async fn t5_tokens_say_nothing_of_their_user_unless_it_is_asked_for() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let pair = obtain(&admin, ADMIN).await;
    for name in ["username", "email", "roles", "is_admin"] {
        assert_eq!(claim(&pair.access, name), Value::Null, "{name}");
    }
    let (_coffer, admin) = Coffer::with_admin_and(&["--access-claims", "username,is_admin"]).await;
    let pair = obtain(&admin, ADMIN).await;
    assert_eq!([claim(&pair.access, "username"), claim(&pair.access, "is_admin")], [json!(ADMIN), json!(true)]);
}

#[tokio::test]
async fn n7_a_user_holds_a_bounded_number_of_sessions() {
    let (held, admin) = Held::with_admin(Settings { max_sessions: 4, ..Settings::default() }).await;
    let minute = || held.hand.advance(Duration::from_mins(1));
    let mut pairs = vec![obtain(&admin, ADMIN).await];
    for _ in 0..2 {
        minute();
        pairs.push(obtain(&admin, ADMIN).await);
    }
    // The first of these is used, so the second is the one that was used least lately; the admin's own comes before both.
    minute();
    let kept = tokens(&refresh(&admin, Some(&pairs[0].refresh)).await);
    let fourth = obtain(&admin, ADMIN).await;
    assert!(!is_good(&admin, admin.access.as_deref().unwrap()).await);
    minute();
    let fifth = obtain(&admin, ADMIN).await;
    for (pair, lives) in [(&kept, true), (&pairs[1], false), (&pairs[2], true), (&fourth, true), (&fifth, true)] {
        assert_eq!(is_good(&admin, &pair.access).await, lives);
    }
    // Those that have ended go first.
    minute();
    admin.post("/api/token/blacklist/", &json!({"refresh": fifth.refresh})).await.is(200);
    obtain(&admin, ADMIN).await;
    assert!(is_good(&admin, &pairs[2].access).await && is_good(&admin, &kept.access).await);
    let left =
        held.app.core().store.scan(store::Scan::prefix(&coffer::domain::keyspace::all_user_sessions())).await.unwrap();
    assert_eq!(left.len(), 4);
    let (_, cookie) = page_session(&admin).await;
    assert!(cookie.starts_with("__Host-coffer="));
}

#[tokio::test]
async fn t10_a_token_that_names_another_user_is_answered_alike_before_and_after_its_session_was_used() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let (ulla, pair) = user(&admin, "ulla").await;
    let sid = claim(&pair.access, "sid").as_str().unwrap().parse().unwrap();
    let issuer = &held.app.auth().issuer;
    let told = async || {
        let mut answers = Vec::new();
        for user in [admin.id.as_str(), "01920000-0000-7000-8000-0000000000ff"] {
            let (forged, _) = issuer.issue(auth::token::TokenType::Access, user.parse().unwrap(), sid, None);
            let client = Client { access: Some(forged.into_string()), ..admin.clone() };
            let mut problem = client.get("/api/users/me/").await.refused(401);
            problem.request_id.clear();
            answers.push(problem);
        }
        answers
    };
    let before = told().await;
    ulla.get("/api/users/me/").await.is(200);
    assert_eq!(told().await, before, "the session is known now");
}

#[tokio::test]
async fn t22_the_scheme_is_bearer_or_jwt_and_one_or_more_spaces() {
    let (coffer, admin) = Coffer::with_admin().await;
    let token = admin.access.clone().unwrap();
    let ask = async |base: &Client, line: String| {
        let request = base.http.get(format!("{}/api/users/me/", base.base)).header("authorization", line);
        let request = request.header("accept", "application/problem+json");
        Answer::of(request).await
    };
    let stranger = coffer.stranger();
    for line in [format!("JWT {token}"), format!("jwt  {token}"), format!("Bearer   {token}")] {
        ask(&stranger, line).await.is(200);
    }
    for line in [format!("Bearer\t{token}"), format!("JWT \t{token}"), format!("Bearer {token} x"), "JWT".to_owned()] {
        assert_eq!(ask(&stranger, line.clone()).await.refused(401).code, "bad_authorization_header", "{line}");
    }
    assert_eq!(ask(&stranger, format!("Token {token}")).await.refused(401).code, "not_authenticated");
    let (coffer, admin) = Coffer::with_admin_and(&["--auth-scheme", "Token,Bearer"]).await;
    let token = admin.access.clone().unwrap();
    ask(&coffer.stranger(), format!("Token {token}")).await.is(200);
    ask(&coffer.stranger(), format!("JWT {token}")).await.refused(401);
}

#[tokio::test]
async fn t14_signing_out_takes_the_token_by_either_name() {
    let (coffer, admin) = Coffer::with_admin().await;
    let stranger = coffer.stranger();
    let pair = obtain(&admin, ADMIN).await;
    stranger.post("/api/token/blacklist/", &json!({"refresh_token": pair.refresh})).await.is(200);
    assert!(!is_good(&stranger, &pair.access).await);
    let pair = obtain(&admin, ADMIN).await;
    let form = format!("refresh=&refresh_token={}", pair.refresh);
    stranger.raw(Method::POST, "/api/token/blacklist/", "application/x-www-form-urlencoded", form).await.is(200);
    assert!(!is_good(&stranger, &pair.access).await);
    let missing = stranger.post("/api/token/blacklist/", &json!({"token": pair.refresh})).await.is(400);
    assert_eq!(missing["refresh"], json!(["This field is required."]));
}

#[tokio::test]
async fn t7_a_clock_that_was_put_back_is_told_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = crate::support::secret_file(dir.path(), "key", b"6Jq0vT8rXw2mB5zK9cN3yH7dF1gL4sPa-clock-test-run");
    let mut server = Server::start(&data, &["--signing-key-file", key.to_str().unwrap()]);
    let admin = server.set_up().await;
    // As a server would have signed it whose clock was half a minute ahead.
    let (clock, _hand) = base::Clock::held(base::Clock::system().unix_seconds() + 30);
    let ring = auth::keys::KeyRing::from_key_files(std::slice::from_ref(&key), &clock).unwrap();
    let ids = base::IdSource::new(clock.clone(), base::Entropy::system());
    let issuer = auth::token::Issuer::new(&ring, auth::token::TokenSettings::default(), clock, ids).unwrap();
    let sid = claim(admin.access.as_deref().unwrap(), "sid").as_str().unwrap().parse().unwrap();
    let (early, _) = issuer.issue(auth::token::TokenType::Access, admin.id.parse().unwrap(), sid, None);
    for _ in 0..3 {
        let client = Client { access: Some(early.as_str().to_owned()), ..server.stranger() };
        assert_eq!(client.get("/api/users/me/").await.refused(401).code, "token_not_valid");
    }
    // The log is written by a thread of its own.
    while !server.log().contains("this machine's clock is behind") {
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = server.log();
    assert_eq!(log.matches("this machine's clock is behind").count(), 1, "{log}");
    assert!(log.contains("seconds=30") || log.contains("seconds=29"), "{log}");
}
