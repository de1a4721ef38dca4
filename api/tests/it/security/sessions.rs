//! T11 to T15, T17 to T19: what becomes of a session. Times are tried with a held clock.

use std::time::Duration;

use coffer::domain::{keyspace, operations::Runner};
use common::{
    endpoints::tokens::Tokens,
    id::{SessionId, UserId},
};
use reqwest::Method;
use serde_json::{Value, json};
use store::{Batch, Scan};

use super::{
    NEW_PASSWORD, from_page,
    held::{Held, Settings},
    is_good, journal, obtain, page_session, refresh, tokens, try_obtain, user,
};
use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, claim};

const HOUR: Duration = Duration::from_hours(1);

/// Whether either token of a pair is good for anything.
async fn lives(client: &Client, pair: &Tokens) -> [bool; 2] {
    let token = json!({"token": pair.refresh});
    [is_good(client, &pair.access).await, client.post("/api/token/verify/", &token).await.status == 200]
}

async fn count(held: &Held, space: &'static str) -> usize {
    let key = store::Key::space(space);
    held.app.core().store.scan(Scan::prefix(&key)).await.unwrap().len()
}

#[tokio::test]
async fn t11_each_use_gives_a_new_pair_until_the_session_is_over() {
    let lifetime = 60 * HOUR;
    let (held, admin) = Held::with_admin(Settings { session_lifetime: lifetime, ..Settings::default() }).await;
    let began = held.app.core().clock.unix_seconds();
    let mut pair = obtain(&admin, ADMIN).await;
    for use_ in 1..=5 {
        held.hand.advance(11 * HOUR);
        let next = tokens(&refresh(&admin, pair.refresh.as_deref()).await);
        assert_ne!(next.refresh, pair.refresh, "use {use_}");
        let end = claim(next.refresh.as_deref().unwrap(), "exp").as_i64().unwrap();
        let unused = held.app.core().clock.unix_seconds() + 24 * 3600;
        assert_eq!(end, unused.min(began + i64::try_from(lifetime.as_secs()).unwrap()), "use {use_}");
        pair = next;
    }
    held.hand.advance(5 * HOUR);
    assert_eq!(refresh(&admin, pair.refresh.as_deref()).await.refused(401).code, "token_not_valid");
}

#[tokio::test]
async fn t11_without_rotation_the_token_stays_and_its_use_is_noted() {
    let (held, admin) = Held::with_admin(Settings { rotation: false, ..Settings::default() }).await;
    let pair = obtain(&admin, ADMIN).await;
    for _ in 0..3 {
        held.hand.advance(HOUR);
        assert_eq!(tokens(&refresh(&admin, pair.refresh.as_deref()).await).refresh, None);
    }
    let access = tokens(&refresh(&admin, pair.refresh.as_deref()).await).access;
    let client = Client { access: Some(access), ..admin };
    let session = client.get("/api/sessions/").await.is(200)["results"][0].clone();
    assert_eq!(session["last_used"], held.app.core().timestamp());
}

#[tokio::test]
async fn t12_a_replay_ends_its_session_with_its_access_token_and_no_other() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (_, first) = user(&admin, "ulla").await;
    let other = obtain(&admin, "ulla").await;
    let second = tokens(&refresh(&admin, first.refresh.as_deref()).await);
    assert_eq!(lives(&admin, &second).await, [true, true]);
    let refused = refresh(&coffer.stranger(), first.refresh.as_deref()).await;
    assert_eq!(refused.refused(401).detail, "Token is blacklisted");
    assert_eq!(lives(&admin, &first).await, [false, false]);
    assert_eq!(lives(&admin, &second).await, [false, false]);
    refresh(&admin, second.refresh.as_deref()).await.refused(401);
    assert_eq!(lives(&admin, &other).await, [true, true]);
    let noted = journal(&admin).await;
    let replays: Vec<_> = noted.iter().filter(|change| change.action.as_str() == "replay").collect();
    assert_eq!(replays.len(), 1);
    assert_eq!(replays[0].id, claim(&first.access, "sid"));
    assert_eq!((replays[0].by, replays[0].address.as_str()), (None, "127.0.0.1"));
}

#[tokio::test]
async fn t13_of_many_uses_at_once_one_wins() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for _ in 0..10 {
        let pair = obtain(&admin, ADMIN).await;
        let uses = (0..50).map(|_| {
            let (client, token) = (admin.clone(), pair.refresh.clone());
            tokio::spawn(async move { refresh(&client, token.as_deref()).await.status })
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
async fn t14_signing_out_ends_both_tokens_at_once() {
    let (coffer, admin) = Coffer::with_admin().await;
    let stranger = coffer.stranger();
    let pair = obtain(&stranger, ADMIN).await;
    stranger.post("/api/token/blacklist/", &json!({"refresh": pair.refresh})).await.is(200);
    assert_eq!(lives(&stranger, &pair).await, [false, false]);
    refresh(&stranger, pair.refresh.as_deref()).await.refused(401);

    let pair = obtain(&stranger, ADMIN).await;
    let own = Client { access: Some(pair.access.clone()), ..stranger.clone() };
    let sid = claim(&pair.access, "sid");
    own.delete(&format!("/api/sessions/{}/", sid.as_str().unwrap())).await.is(204);
    assert_eq!(lives(&stranger, &pair).await, [false, false]);

    // Another tab may have traded the cookie in a moment before: who signs out means the session.
    let (first, cookie) = page_session(&stranger).await;
    let answer = from_page(&stranger, Method::POST, "/api/session/refresh/", &cookie, None).await;
    let second = answer.is(200)["access"].as_str().unwrap().to_owned();
    from_page(&stranger, Method::DELETE, "/api/session/", &cookie, None).await.is(204);
    assert!(!is_good(&stranger, &first).await && !is_good(&stranger, &second).await);
    assert!(is_good(&stranger, admin.access.as_deref().unwrap()).await, "other sessions go on");
}

#[tokio::test]
async fn t15_a_new_password_ends_the_sessions_that_the_old_one_began() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let (laptop, on_laptop) = user(&admin, "ulla").await;
    let on_phone = obtain(&admin, "ulla").await;
    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    laptop.post("/api/users/me/password/", &change).await.is(204);
    assert_eq!(lives(&admin, &on_laptop).await, [true, true], "where it was changed the session stays");
    assert_eq!(lives(&admin, &on_phone).await, [false, false]);

    let on_phone = tokens(&try_obtain(&admin, "ulla", NEW_PASSWORD).await);
    let address = format!("/api/users/{}/", laptop.id);
    admin.patch(&address, &json!({"password": PASSWORD})).await.is(200);
    assert_eq!(lives(&admin, &on_laptop).await, [false, false], "an admin's ends them all");
    assert_eq!(lives(&admin, &on_phone).await, [false, false]);
}

#[tokio::test]
async fn t15_disabling_or_deleting_a_user_ends_all_their_sessions() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let (ulla, first) = user(&admin, "ulla").await;
    let second = obtain(&admin, "ulla").await;
    let address = format!("/api/users/{}/", ulla.id);
    admin.patch(&address, &json!({"is_active": false})).await.is(200);
    assert_eq!([lives(&admin, &first).await, lives(&admin, &second).await], [[false; 2]; 2]);
    admin.patch(&address, &json!({"is_active": true})).await.is(200);
    assert_eq!(lives(&admin, &second).await, [false; 2], "they ended for good");
    let third = obtain(&admin, "ulla").await;
    admin.delete(&address).await.is(204);
    assert_eq!(lives(&admin, &third).await, [false; 2]);
    // The next user of this name is another one.
    let (_, other) = user(&admin, "ulla").await;
    assert_eq!([lives(&admin, &third).await, lives(&admin, &other).await], [[false; 2], [true; 2]]);
}

#[tokio::test]
async fn t17_sessions_are_listed_and_ended_by_their_owner_and_by_admins() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (ulla, _) = user(&admin, "ulla").await;
    let credentials = json!({"username": "ulla", "password": PASSWORD});
    let sign_in = coffer.stranger().request(Method::POST, "/api/token/").header("user-agent", "Phone/7");
    let sign_in = sign_in.header("content-type", "application/json").body(credentials.to_string());
    let phone = tokens(&Answer::of(sign_in).await);
    let sids = async |client: &Client, query: &str| {
        let page = client.get(&format!("/api/sessions/{query}")).await.is(200);
        page["results"].as_array().unwrap().clone()
    };
    let listed = sids(&ulla, "").await;
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["current"], &listed[1]["current"]), (&json!(false), &json!(true)));
    assert_eq!((&listed[0]["address"], &listed[0]["user_agent"]), (&json!("127.0.0.1"), &json!("Phone/7")));
    ulla.delete("/api/sessions/").await.is(204);
    assert_eq!(lives(&admin, &phone).await, [false, false]);
    assert_eq!(sids(&ulla, "").await.len(), 1);
    let (otto, _) = user(&admin, "otto").await;
    let sid = listed[1]["id"].as_str().unwrap();
    assert_eq!(otto.delete(&format!("/api/sessions/{sid}/")).await.status, 404);
    admin.delete(&format!("/api/sessions/{sid}/")).await.is(204);
    ulla.get("/api/users/me/").await.refused(401);
}

#[tokio::test]
async fn t18_tokens_end_on_the_second_and_sessions_with_their_last_token() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let pair = obtain(&admin, ADMIN).await;
    assert_eq!((pair.token_type.as_str(), pair.expires_in), ("Bearer", 300));
    held.hand.advance(Duration::from_secs(299));
    assert_eq!(lives(&admin, &pair).await, [true, true]);
    held.hand.advance(Duration::from_secs(1));
    assert_eq!(lives(&admin, &pair).await, [false, true], "access tokens live five minutes");
    held.hand.advance(Duration::from_secs(24 * 3600 - 301));
    let second = tokens(&refresh(&admin, pair.refresh.as_deref()).await);
    let client = Client { access: Some(second.access.clone()), ..admin.clone() };
    let listed = client.get("/api/sessions/").await.is(200);
    assert_eq!(listed["count"], 1 + 1, "the admin's first session has a second left");
    held.hand.advance(Duration::from_secs(1));
    let listed = client.get("/api/sessions/").await.is(200);
    assert_eq!(listed["count"], 1, "it was not used for a day");
    held.hand.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(lives(&admin, &second).await, [false, false], "refresh tokens live a day");
    Runner::new(held.app.core()).sweep().await.unwrap();
    for space in ["sessions", "user_sessions", "spent"] {
        assert_eq!(count(&held, space).await, 0, "{space}");
    }
}

#[tokio::test]
async fn t18_expired_sessions_are_swept_a_few_at_a_time_and_the_others_stay() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let pair = obtain(&admin, ADMIN).await;
    let user: UserId = admin.id.parse().unwrap();
    let sid: SessionId = claim(&pair.access, "sid").as_str().unwrap().parse().unwrap();
    let stored = held.app.core().store.get(&keyspace::session(sid)).await.unwrap().unwrap();
    let mut old: Value = serde_json::from_slice(&stored.value).unwrap();
    old["idle_until"] = json!(held.app.core().clock.unix_seconds());
    let mut batch = Batch::new();
    for _ in 0..450 {
        let id = SessionId::from_uuid(held.app.core().ids.next_id());
        batch
            .put(keyspace::session(id), old.to_string())
            .put(keyspace::user_session(user, id), Vec::new())
            .put(keyspace::spent(id, held.app.core().ids.next_id()), Vec::new());
    }
    held.app.core().store.commit(batch).await.unwrap();
    let pieces = Runner::new(held.app.core()).sweep().await.unwrap();
    assert!(pieces > 3, "two hundred at most in one go, in {pieces}");
    assert_eq!(count(&held, "operations").await, 0, "nothing is left of the work itself");
    for space in ["sessions", "user_sessions"] {
        assert_eq!(count(&held, space).await, 2, "{space}: the two that are alive");
    }
    assert_eq!(count(&held, "spent").await, 0);
    assert_eq!(lives(&admin, &pair).await, [true, true]);
}

#[tokio::test]
async fn t19_power_that_is_taken_is_gone_with_the_next_request() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (otto, pair) = user(&admin, "otto").await;
    let address = format!("/api/users/{}/", otto.id);
    otto.get("/api/users/").await.refused(403);
    admin.patch(&address, &json!({"is_admin": true})).await.is(200);
    otto.get("/api/users/").await.is(200);
    admin.patch(&address, &json!({"is_admin": false})).await.is(200);
    otto.get("/api/users/").await.refused(403);
    otto.post("/api/collections/", &json!({"name": "things"})).await.refused(403);
    assert_eq!(lives(&coffer.stranger(), &pair).await, [true, true], "the session itself stays");
}
