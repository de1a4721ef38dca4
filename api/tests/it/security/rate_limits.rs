//! How often callers may ask: every route's class, whose allowance it takes from, and what a refused caller is told. The
//! allowances themselves are tested beside the code in `src/limits/`.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::json;

use super::{
    from_page,
    held::{Held, Settings},
    obtain, page_session, refresh, tokens, try_obtain, user,
};
use crate::support::{ADMIN, Answer, Client, PASSWORD, server::Server};

/// A server with these limits. Setting up takes two of the address' credentials and nothing else.
async fn limited(limits: &str) -> (Held, Client) {
    Held::with_admin(Settings { limits: limits.parse().unwrap(), ..Settings::default() }).await
}

fn left(answer: &Answer) -> &str {
    answer.header("ratelimit")
}

#[tokio::test]
async fn of_requests_at_once_exactly_as_many_as_are_allowed_get_through_and_the_rest_learn_when_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--rate-limit", "reads=25/d"]);
    let admin = server.set_up().await;
    let used = 25 - left_number(&admin.get("/api/users/me/").await);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let admin = admin.clone();
            tokio::spawn(async move { admin.get("/api/collections/").await })
        })
        .collect();
    let (mut seen, mut refused) = (BTreeMap::new(), None);
    for call in calls {
        let answer = call.await.unwrap();
        *seen.entry(answer.status).or_insert(0) += 1;
        refused = Some(answer).filter(|answer| answer.status == 429).or(refused);
    }
    assert_eq!(seen, BTreeMap::from([(200, 25 - used), (429, 75 + used)]));
    let refused = refused.unwrap();
    let problem = refused.problem();
    assert_eq!((problem.status, problem.code.as_ref()), (429, "rate_limited"));
    assert_eq!(problem.extra["violated-policies"], json!(["reads"]));
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=24 * 60 * 60 / 25).contains(&seconds), "{seconds}");
    assert!(problem.detail.contains(&format!("{seconds} seconds")), "{}", problem.detail);
    assert_eq!(refused.header("ratelimit-policy"), "\"reads\";q=25;w=86400");
    assert!(left(&refused).starts_with("\"reads\";r=0;t="), "{}", left(&refused));

    // Others go on: another user, nobody in particular, other kinds of requests, and what is free.
    admin.collection("snacks", json!([])).await;
    for path in ["/healthz", "/readyz"] {
        for _ in 0..30 {
            assert_ne!(admin.get(path).await.status, 429, "{path}");
        }
    }
    admin.post("/api/users/", &json!({"username": "ulla", "password": PASSWORD})).await.is(201);
    server.sign_in("ulla").await.get("/api/users/me/").await.is(200);
    server.stranger().get("/api/").await.is(200);
}

#[tokio::test]
async fn what_comes_to_no_endpoint_or_must_not_is_a_read_of_its_address() {
    let (held, admin) = limited("reads=10/d,credentials=20/m").await;
    let stranger = held.stranger();
    let mut expected = left_number(&stranger.get("/api/").await);
    for (method, path, status) in [
        (Method::GET, "/api/nothing/", 404),
        (Method::GET, "/no-such-file.js", 404),
        (Method::DELETE, "/api/users/", 401),
        (Method::POST, "/api/session/", 403),
        (Method::POST, "/api/session/refresh/", 403),
    ] {
        // Whoever asks: there is no endpoint that would look at a token.
        for client in [&stranger, &admin].into_iter().take(if path == "/api/nothing/" { 2 } else { 1 }) {
            expected -= 1;
            let refused = Answer::of(client.request(method.clone(), path)).await;
            assert_eq!((refused.status, left_number(&refused)), (status, expected), "{method} {path}");
            assert_eq!(refused.header("ratelimit-policy"), "\"reads\";q=10;w=86400", "{method} {path}");
        }
    }
    while expected > 0 {
        expected -= 1;
        stranger.get("/api/nothing/").await.refused(404);
    }
    for (method, path) in
        [(Method::GET, "/api/nothing/"), (Method::PUT, "/api/token/"), (Method::POST, "/api/session/")]
    {
        let refused = Answer::of(stranger.request(method, path)).await;
        assert!(refused.refused(429).code == "rate_limited" && !refused.header("retry-after").is_empty(), "{path}");
    }
    stranger.get("/healthz").await.is(200);
}

/// `r` of the answer.
fn left_number(answer: &Answer) -> u32 {
    let (_, rest) = left(answer).split_once(";r=").unwrap();
    rest.split(';').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn each_kind_of_request_takes_from_its_own_allowance_and_says_what_is_left() {
    let (held, admin) = limited("reads=100/10s,writes=50/5s,credentials=40/m").await;
    let read = admin.get("/api/users/").await;
    assert_eq!((read.header("ratelimit-policy"), left(&read)), ("\"reads\";q=100;w=10", "\"reads\";r=99;t=1"));
    let write = admin.post("/api/collections/", &json!({"name": "snacks"})).await;
    assert_eq!((write.header("ratelimit-policy"), left(&write)), ("\"writes\";q=50;w=5", "\"writes\";r=49;t=1"));
    // What is wrong with a request does not make it free.
    assert_eq!(left(&admin.get("/api/users/?zzz=1").await), "\"reads\";r=98;t=1");
    assert_eq!(left(&admin.post("/api/collections/", &json!({"name": ""})).await), "\"writes\";r=48;t=1");
    held.hand.advance(Duration::from_secs(1));
    assert_eq!(left(&admin.get("/api/users/").await), "\"reads\";r=99;t=1");
    // Nobody in particular is an address, also with a token that is none.
    let stranger = held.stranger();
    assert_eq!(left_number(&stranger.get("/api/").await), 99);
    let forged = Client { access: Some("e30.e30.e30".to_owned()), ..held.stranger() };
    let refused = forged.get("/api/users/").await;
    assert_eq!((refused.refused(401).status, left_number(&refused)), (401, 98));
    let verified = stranger.post("/api/token/verify/", &json!({"token": "x"})).await;
    assert_eq!(left(&verified), "\"reads\";r=97;t=1");
    // Free is free of headers too.
    assert_eq!(left(&admin.get("/healthz").await), "");
    // A new password is the user's own matter.
    let change = json!({"current_password": "not the password at all", "new_password": "three owls on the old roof"});
    let change = admin.post("/api/users/me/password/", &change).await;
    assert_eq!(left_number(&change), 39);
}

#[tokio::test]
async fn p9_credentials_are_tried_at_the_pace_of_the_address_and_open_sessions_do_not_suffer() {
    let (held, admin) = limited("writes=6/m,credentials=6/m,unknown_tokens=3/m").await;
    let stranger = held.stranger();
    // Two are used up by the set-up and the admin's sign-in.
    let mine = obtain(&stranger, ADMIN).await;
    let (_, cookie) = page_session(&stranger).await;
    for _ in 0..3 {
        // Tokens that are none cost nobody a sign-in.
        refresh(&stranger, Some("e30.e30.e30")).await.refused(401);
    }
    for _ in 0..2 {
        try_obtain(&stranger, "nobody", PASSWORD).await.refused(401);
    }
    for _ in 0..3 {
        let limited = try_obtain(&stranger, ADMIN, PASSWORD).await;
        assert_eq!((limited.refused(429).code.as_ref(), limited.header("retry-after")), ("rate_limited", "10"));
        stranger.post("/api/setup/", &json!({"code": "x"})).await.refused(429);
        refresh(&stranger, Some("e30.e30.e30")).await.refused(429);
        refresh(&stranger, None).await.refused(429);
        let raw = stranger.raw(Method::POST, "/api/token/refresh/", "application/json", "{bad").await;
        raw.refused(429);
        from_page(&stranger, Method::POST, "/api/session/refresh/", "", None).await.refused(429);
    }
    // A session at the same IP address goes on.
    let mine = tokens(&refresh(&stranger, Some(&mine.refresh)).await);
    from_page(&stranger, Method::POST, "/api/session/refresh/", &cookie, None).await.is(200);
    admin.get("/api/users/me/").await.is(200);
    // A session that refreshes without end is held back as a writer is, and nobody else with it.
    let mut last = mine.refresh;
    for number in (0..5).rev() {
        let answer = refresh(&stranger, Some(&last)).await;
        assert_eq!(left(&answer), format!("\"writes\";r={number};t={}", 60 - 10 * number));
        last = tokens(&answer).refresh;
    }
    refresh(&stranger, Some(&last)).await.refused(429);
    admin.get("/api/users/me/").await.is(200);
    held.hand.advance(Duration::from_secs(10));
    stranger.post("/api/token/blacklist/", &json!({"refresh": last})).await.is(200);
    obtain(&stranger, ADMIN).await;
    try_obtain(&stranger, ADMIN, PASSWORD).await.refused(429);
}

#[tokio::test]
async fn p9_a_client_that_refreshes_without_end_what_is_refused_is_slowed_down_and_nobody_beside_it() {
    let (held, admin) = limited("refusals=5/m,unknown_tokens=5/m,credentials=30/m").await;
    let stranger = held.stranger();
    let (ended, mine) = (obtain(&stranger, ADMIN).await, obtain(&stranger, ADMIN).await);
    stranger.post("/api/token/blacklist/", &json!({"refresh": ended.refresh})).await.is(200);
    for path in ["/api/token/refresh/", "/api/token/blacklist/"] {
        for number in (0..5).rev() {
            let refused = stranger.post(path, &json!({"refresh": ended.refresh})).await;
            assert_eq!(refused.refused(401).code, "token_not_valid");
            assert_eq!(left(&refused), format!("\"refusals\";r={number};t={}", 60 - 12 * number));
        }
        let slowed = stranger.post(path, &json!({"refresh": ended.refresh})).await;
        assert_eq!((slowed.refused(429).code.as_ref(), slowed.header("retry-after")), ("rate_limited", "12"));
        // Another session at the same address is let in, and so is whoever signs in; a token of nobody has an allowance of its own.
        refresh(&stranger, Some(&mine.refresh)).await.is(200);
        obtain(&stranger, ADMIN).await;
        held.hand.advance(Duration::from_mins(1));
    }
    for _ in 0..5 {
        refresh(&stranger, Some("e30.e30.e30")).await.refused(401);
    }
    refresh(&stranger, Some("e30.e30.e30")).await.refused(429);
    refresh(&stranger, Some(&mine.refresh)).await.is(200);
    obtain(&stranger, ADMIN).await;
    admin.get("/api/users/me/").await.is(200);
    // In the browser it is the same.
    let (_, cookie) = page_session(&stranger).await;
    from_page(&stranger, Method::DELETE, "/api/session/", &cookie, None).await.is(204);
    for _ in 0..5 {
        from_page(&stranger, Method::POST, "/api/session/refresh/", &cookie, None).await.refused(401);
    }
    from_page(&stranger, Method::POST, "/api/session/refresh/", &cookie, None).await.refused(429);
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_an_allowance_each_and_claims_of_others_count_for_nothing() {
    let ask = async |client: &Client, claimed: &str| {
        Answer::of(client.request(Method::GET, "/api/").header("x-forwarded-for", claimed)).await.status
    };
    for (trusted_proxies, second) in [(vec!["127.0.0.1".parse().unwrap()], 200), (Vec::new(), 429)] {
        let limits = "reads=3/m".parse().unwrap();
        let held = Held::start(Settings { trusted_proxies, limits, ..Settings::default() });
        let stranger = held.stranger();
        for _ in 0..3 {
            assert_eq!(ask(&stranger, "203.0.113.1").await, 200);
        }
        assert_eq!(ask(&stranger, "203.0.113.1").await, 429);
        assert_eq!(ask(&stranger, "203.0.113.2").await, second);
    }
}

#[tokio::test]
async fn by_default_a_busy_page_and_a_loading_script_are_never_held_back() {
    let (_held, admin) = limited(&coffer::limits::Settings::default().to_string()).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    // The held clock gives nothing back: this is less than what may come at once.
    let (ulla, _) = user(&admin, "ulla").await;
    for _ in 0..300 {
        ulla.get("/api/records/snacks/").await.is(200);
        ulla.post("/api/records/snacks/", &json!({"title": "Popcorn"})).await.is(201);
    }
    assert!(left_number(&ulla.get("/api/records/snacks/").await) > 900_000);
}

#[test]
fn a_limit_that_cannot_be_read_is_refused_with_how_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    for limit in ["reads=fast", "reads=0/s", "all=1/s"] {
        let output =
            crate::support::server::serve(&dir.path().join("data"), &["--rate-limit", limit]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
}
