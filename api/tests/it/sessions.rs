//! `/api/sessions/`: who is signed in where, and the end of it.

use common::{Call, endpoints::sessions, people::SessionsQuery, user::Session};
use serde_json::json;

use crate::support::{Client, Coffer};

async fn list(client: &Client, user: Option<&Client>) -> Vec<Session> {
    let query = SessionsQuery { user: user.map(|user| user.id.parse().unwrap()), ..SessionsQuery::default() };
    client.send(Call::<sessions::List>::new((), ()).query(query)).await.unwrap().body.results
}

async fn is_signed_in(client: &Client) -> bool {
    client.get("/api/users/me/").await.status == 200
}

async fn end(client: &Client, session: &Session) -> u16 {
    client.delete(&format!("/api/sessions/{}/", session.id)).await.status
}

#[tokio::test]
async fn sessions_are_listed_and_ended_at_once() {
    let (coffer, admin) = Coffer::with_admin().await;
    let phone = coffer.user(&admin, "ulla", json!({})).await;
    let laptop = coffer.sign_in("ulla").await;
    let desk = coffer.sign_in("ulla").await;
    let listed = list(&laptop, None).await;
    assert_eq!(listed.iter().map(|session| session.current).collect::<Vec<_>>(), [false, true, false], "newest first");
    assert!(listed.iter().all(|session| session.user.to_string() == laptop.id && session.address == "127.0.0.1"));
    assert!(listed.windows(2).all(|pair| pair[0].id > pair[1].id));

    assert_eq!(end(&laptop, &listed[2]).await, 204);
    assert!(!is_signed_in(&phone).await);
    assert_eq!(end(&laptop, &listed[2]).await, 404, "it has ended already");
    assert_eq!(list(&laptop, None).await.len(), 2);

    laptop.delete("/api/sessions/").await.is(204);
    assert!(is_signed_in(&laptop).await);
    assert!(!is_signed_in(&desk).await);
    assert_eq!(list(&laptop, None).await.len(), 1);
}

#[tokio::test]
async fn nobody_but_an_admin_sees_or_ends_anothers_sessions() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let ullas = list(&ulla, None).await.remove(0);
    assert_eq!(end(&otto, &ullas).await, 404);
    otto.get(&format!("/api/sessions/?user={}", ulla.id)).await.refused(403);
    otto.delete(&format!("/api/sessions/?user={}", ulla.id)).await.refused(403);
    // The answer about a user who is not there is the same: it tells nothing.
    otto.get("/api/sessions/?user=01920000-0000-7000-8000-000000000001").await.refused(403);
    assert!(is_signed_in(&ulla).await);

    assert_eq!(list(&admin, Some(&ulla)).await[0].id, ullas.id);
    assert!(!list(&admin, Some(&ulla)).await[0].current);
    assert_eq!(end(&admin, &ullas).await, 204);
    assert!(!is_signed_in(&ulla).await);
    let again = coffer.sign_in("ulla").await;
    admin.delete(&format!("/api/sessions/?user={}", ulla.id)).await.is(204);
    assert!(!is_signed_in(&again).await);
    assert!(is_signed_in(&admin).await && is_signed_in(&otto).await);

    admin.get("/api/sessions/?user=01920000-0000-7000-8000-000000000001").await.refused(404);
    assert_eq!(admin.get("/api/sessions/?user=ulla").await.faults(), ["user: This is not the id of a user."]);
}
