//! T11 to T13: what a use does to a refresh token, in each mode of `--rotation`, and the story of one that was stolen. Times are tried
//! with a held clock, addresses through a proxy that is trusted.

use std::time::Duration;

use coffer::domain::rotation::{GRACE, Rotation};
use common::endpoints::tokens::Tokens;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    held::{Held, Settings},
    is_good, journal, obtain, refresh, tokens, user,
};
use crate::support::{
    ADMIN, Answer, Client, PASSWORD, claim,
    server::{Server, coffer, said},
};

mod theft;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);
/// A second before the grace is over.
const ALMOST: Duration = Duration::from_secs(GRACE.as_secs() - 1);

/// A server with this rotation, an admin, and a new session of theirs.
async fn begin(rotation: Rotation) -> (Held, Client, Tokens) {
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let (held, admin) = Held::with_admin(Settings { rotation, trusted_proxies, ..Settings::default() }).await;
    let pair = obtain(&admin, ADMIN).await;
    (held, admin, pair)
}

/// A use of a refresh token from an address.
async fn refresh_from(client: &Client, address: &str, token: &str) -> Answer {
    let body = json!({"refresh": token}).to_string();
    let request = client.request(Method::POST, "/api/token/refresh/").header("content-type", "application/json");
    Answer::of(request.header("x-forwarded-for", address).body(body)).await
}

async fn use_(client: &Client, token: &str) -> Tokens {
    tokens(&refresh(client, Some(token)).await)
}

async fn verifies(client: &Client, token: &str) -> bool {
    client.post("/api/token/verify/", &json!({"token": token})).await.status == 200
}

/// What makes a refresh token the one that it is.
fn identity(token: &str) -> [Value; 5] {
    ["jti", "iat", "exp", "sid", "user_id"].map(|name| claim(token, name))
}

/// Who used the same token as others, by the list of sessions.
async fn shared_by(client: &Client, pair: &Tokens) -> Value {
    let rows = client.get("/api/sessions/").await.is(200)["results"].as_array().unwrap().clone();
    let sid = claim(&pair.access, "sid");
    rows.into_iter().find(|row| row["id"] == sid).unwrap()["shared_by"].clone()
}

#[tokio::test]
async fn t11_every_use_gives_one_and_the_same_successor_until_that_is_used() {
    let (held, admin, first) = begin(Rotation::default()).await;
    let second = use_(&admin, &first.refresh).await;
    assert_ne!(identity(&second.refresh), identity(&first.refresh));
    for _ in 0..5 {
        held.hand.advance(10 * MINUTE);
        let again = use_(&admin, &first.refresh).await;
        assert_eq!(identity(&again.refresh), identity(&second.refresh));
        assert!(is_good(&admin, &again.access).await, "each use gives an access token that is good");
    }
    // It is used: from now on it is the one that counts, and the first is good for ten seconds more.
    let third = use_(&admin, &second.refresh).await;
    held.hand.advance(ALMOST);
    assert_eq!(identity(&use_(&admin, &first.refresh).await.refresh), identity(&second.refresh));
    assert_eq!(identity(&use_(&admin, &second.refresh).await.refresh), identity(&third.refresh), "one chain");
    for token in [&first.refresh, &second.refresh, &third.refresh] {
        assert!(verifies(&admin, token).await);
    }
    held.hand.advance(SECOND);
    assert!(!verifies(&admin, &first.refresh).await);
    assert!(verifies(&admin, &second.refresh).await, "asking about a token is no use of it");
    use_(&admin, &third.refresh).await;
}

#[tokio::test]
async fn t11_a_token_is_good_for_the_grace_however_fast_the_chain_goes_on() {
    let (held, admin, first) = begin(Rotation::default()).await;
    let mut chain = vec![first];
    for _ in 0..6 {
        chain.push(use_(&admin, &chain.last().unwrap().refresh).await);
    }
    held.hand.advance(ALMOST);
    for pair in chain.windows(2) {
        assert_eq!(identity(&use_(&admin, &pair[0].refresh).await.refresh), identity(&pair[1].refresh));
    }
    held.hand.advance(SECOND);
    refresh(&admin, Some(&chain[0].refresh)).await.refused(401);
    refresh(&admin, Some(&chain[6].refresh)).await.refused(401);
}

#[tokio::test]
async fn t11_a_client_that_keeps_its_first_token_goes_on_until_it_expires() {
    for rotation in [Rotation::default(), Rotation::Off] {
        let (held, admin, first) = begin(rotation).await;
        for use_number in 1..48 {
            held.hand.advance(HOUR / 2);
            let next = use_(&admin, &first.refresh).await;
            assert!(is_good(&admin, &next.access).await, "{rotation:?}, use {use_number}");
            if rotation == Rotation::Off {
                assert_eq!(next.refresh, first.refresh, "the same token, still valid");
            }
        }
        held.hand.advance(HOUR / 2);
        assert_eq!(refresh(&admin, Some(&first.refresh)).await.refused(401).detail, "Token is expired");
    }
}

#[tokio::test]
async fn t11_each_use_gives_a_new_pair_until_the_session_is_over() {
    for rotation in [Rotation::default(), Rotation::Strict] {
        let session_lifetime = 60 * HOUR;
        let (held, admin) = Held::with_admin(Settings { rotation, session_lifetime, ..Settings::default() }).await;
        let began = held.app.core().clock.unix_seconds();
        let mut pair = obtain(&admin, ADMIN).await;
        for number in 1..=5 {
            held.hand.advance(11 * HOUR);
            let next = use_(&admin, &pair.refresh).await;
            assert_ne!(next.refresh, pair.refresh, "use {number}");
            let end = claim(&next.refresh, "exp").as_i64().unwrap();
            let unused = held.app.core().clock.unix_seconds() + 24 * 3600;
            let cap = began + i64::try_from(session_lifetime.as_secs()).unwrap();
            assert_eq!(end, unused.min(cap), "use {number}");
            pair = next;
        }
        held.hand.advance(5 * HOUR);
        assert_eq!(refresh(&admin, Some(&pair.refresh)).await.refused(401).code, "token_not_valid");
    }
}

#[tokio::test]
async fn t11_without_rotation_the_token_stays_and_its_use_is_noted() {
    let (held, admin, pair) = begin(Rotation::Off).await;
    for _ in 0..3 {
        held.hand.advance(HOUR);
        assert_eq!(use_(&admin, &pair.refresh).await.refresh, pair.refresh);
    }
    let access = use_(&admin, &pair.refresh).await.access;
    let client = Client { access: Some(access), ..admin };
    let session = client.get("/api/sessions/").await.is(200)["results"][0].clone();
    assert_eq!(session["last_used"], held.app.core().timestamp());
}

const OWNER: &str = "192.0.2.10";
const THIEF: &str = "198.51.100.66";

#[tokio::test]
async fn t13_of_many_uses_at_once_all_get_one_successor() {
    let (_held, admin, _) = begin(Rotation::default()).await;
    for _ in 0..5 {
        let first = obtain(&admin, ADMIN).await;
        let mut known: Vec<String> = Vec::new();
        // The second round is of the successor, with the token before it among them.
        for round in 0..2 {
            let uses = (0..50).map(|number| {
                let token = if round == 0 || number % 5 == 0 { first.refresh.clone() } else { known[0].clone() };
                let client = Client { http: reqwest::Client::builder().no_proxy().build().unwrap(), ..admin.clone() };
                tokio::spawn(async move { (token.clone(), use_(&client, &token).await.refresh) })
            });
            let mut answers = Vec::new();
            for use_ in uses.collect::<Vec<_>>() {
                answers.push(use_.await.unwrap());
            }
            let of = |token: &str| {
                let mut ids: Vec<_> =
                    answers.iter().filter(|(used, _)| used == token).map(|(_, next)| identity(next)).collect();
                ids.dedup();
                assert_eq!(ids.len(), 1, "one successor");
                ids.remove(0)
            };
            let second = of(&first.refresh);
            if round == 0 {
                known.push(answers[0].1.clone());
            } else {
                assert_eq!(second, identity(&known[0]), "and it stays the same");
                assert_ne!(of(&known[0]), second);
            }
        }
    }
}

#[tokio::test]
async fn t13_in_strict_rotation_one_of_many_uses_at_once_wins() {
    let (_held, admin, _) = begin(Rotation::Strict).await;
    for _ in 0..10 {
        let pair = obtain(&admin, ADMIN).await;
        let uses = (0..50).map(|_| {
            let (client, token) = (admin.clone(), pair.refresh.clone());
            tokio::spawn(async move { refresh(&client, Some(&token)).await.status })
        });
        let mut statuses = Vec::new();
        for use_ in uses.collect::<Vec<_>>() {
            statuses.push(use_.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1], statuses[49]), (200, 401, 401), "{statuses:?}");
    }
}

#[tokio::test]
async fn t14_signing_out_takes_every_token_that_refreshing_would() {
    for which in 0..3 {
        let (held, admin, first) = begin(Rotation::default()).await;
        let second = use_(&admin, &first.refresh).await;
        let third = use_(&admin, &second.refresh).await;
        let chain = [&first.refresh, &second.refresh, &third.refresh];
        admin.post("/api/token/blacklist/", &json!({"refresh": chain[which]})).await.is(200);
        for token in [&first.access, &second.access, &third.access].into_iter().chain(chain) {
            assert!(!verifies(&admin, token).await, "signed out with token {which}");
        }

        // One that it would not take ends nothing.
        let first = obtain(&admin, ADMIN).await;
        let second = use_(&admin, &first.refresh).await;
        let third = use_(&admin, &second.refresh).await;
        held.hand.advance(GRACE);
        admin.post("/api/token/blacklist/", &json!({"refresh": first.refresh})).await.refused(401);
        assert!(verifies(&admin, &third.refresh).await);
    }
}

/// A server over `data` with these arguments, which is killed with the value.
fn server(data: &std::path::Path, options: &[&str]) -> Server {
    Server::start(data, options)
}

#[tokio::test]
async fn t11_a_successor_survives_a_kill_and_its_text_is_stored_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut before = server(&data, &[]);
    before.set_up().await;
    let program = before.stranger();
    let first = obtain(&program, ADMIN).await;
    let second = use_(&program, &first.refresh).await;
    // Dropping it kills it, and looks through everything that it stored and logged for tokens.
    drop(before);
    let after = server(&data, &[]);
    let program = after.stranger();
    let again = use_(&program, &first.refresh).await;
    assert_eq!(identity(&again.refresh), identity(&second.refresh));
    let third = use_(&program, &second.refresh).await;
    drop(after);
    let last = server(&data, &[]);
    assert_eq!(identity(&use_(&last.stranger(), &second.refresh).await.refresh), identity(&third.refresh));
    drop(last);
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: "), "{checked}");
}

#[tokio::test]
async fn t11_the_mode_can_be_changed_with_sessions_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut adopted = server(&data, &[]);
    adopted.set_up().await;
    let [keeps, adopts] = [obtain(&adopted.stranger(), ADMIN).await, obtain(&adopted.stranger(), ADMIN).await];
    let given = use_(&adopted.stranger(), &keeps.refresh).await;
    let taken = use_(&adopted.stranger(), &adopts.refresh).await;
    drop(adopted);

    // Off: what was good stays good, and nothing new is given.
    let off = server(&data, &["--rotation", "off"]);
    assert_eq!(use_(&off.stranger(), &keeps.refresh).await.refresh, keeps.refresh);
    assert_eq!(use_(&off.stranger(), &taken.refresh).await.refresh, taken.refresh);
    let fixed = obtain(&off.stranger(), ADMIN).await;
    assert_eq!(use_(&off.stranger(), &fixed.refresh).await.refresh, fixed.refresh);
    drop(off);

    // Strict, by its old name: a successor that was given out is good for one use, and the token before it for none.
    let strict = server(&data, &["--rotation", "on"]);
    while !strict.log().contains("--rotation on is read as strict") {
        std::thread::sleep(Duration::from_millis(10));
    }
    let next = use_(&strict.stranger(), &taken.refresh).await;
    use_(&strict.stranger(), &next.refresh).await;
    refresh(&strict.stranger(), Some(&keeps.refresh)).await.refused(401);
    refresh(&strict.stranger(), Some(&given.refresh)).await.refused(401);
    let spent = obtain(&strict.stranger(), ADMIN).await;
    let good = use_(&strict.stranger(), &spent.refresh).await;
    drop(strict);

    // And back: what was spent stays spent.
    let adopted = server(&data, &[]);
    let stranger = adopted.stranger();
    let (one, other) = (use_(&stranger, &good.refresh).await, use_(&stranger, &good.refresh).await);
    assert_eq!(identity(&one.refresh), identity(&other.refresh));
    refresh(&stranger, Some(&spent.refresh)).await.refused(401);
    refresh(&stranger, Some(&one.refresh)).await.refused(401);
    let body = json!({"username": ADMIN, "password": PASSWORD});
    stranger.post("/api/token/", &body).await.is(200);
}
