//! T14, T15, T17 to T19: what becomes of a session; T11 to T13 are in [`rotation`](super::rotation). Times are tried with a held clock.

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
    is_good, obtain, page_session, refresh, tokens, try_obtain, user,
};
use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, claim};

/// Whether either token of a pair is good for anything.
async fn lives(client: &Client, pair: &Tokens) -> [bool; 2] {
    let token = json!({"token": pair.refresh});
    [is_good(client, &pair.access).await, client.post("/api/token/verify/", &token).await.status == 200]
}

async fn count(held: &Held, space: &'static str) -> usize {
    let (space, _) = keyspace::SPACES.iter().find(|(_, word)| *word == space).unwrap();
    let key = store::Key::space(space);
    held.app.core().store.scan(Scan::prefix(&key)).await.unwrap().len()
}

#[tokio::test]
async fn t14_signing_out_ends_both_tokens_at_once() {
    let (coffer, admin) = Coffer::with_admin().await;
    let stranger = coffer.stranger();
    let pair = obtain(&stranger, ADMIN).await;
    stranger.post("/api/token/blacklist/", &json!({"refresh": pair.refresh})).await.is(200);
    assert_eq!(lives(&stranger, &pair).await, [false, false]);
    refresh(&stranger, Some(&pair.refresh)).await.refused(401);

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
    held.hand.advance(Duration::from_secs(299));
    assert_eq!(lives(&admin, &pair).await, [true, true]);
    held.hand.advance(Duration::from_secs(1));
    assert_eq!(lives(&admin, &pair).await, [false, true], "access tokens live five minutes");
    held.hand.advance(Duration::from_secs(24 * 3600 - 301));
    let second = tokens(&refresh(&admin, Some(&pair.refresh)).await);
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
