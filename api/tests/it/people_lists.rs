//! `GET /api/users/` and `GET /api/sessions/`: pages, orderings, filters and search, as lists of records have them.

use std::{collections::BTreeSet, iter};

use serde_json::{Value, json};

use crate::support::{ADMIN, Client, Coffer, PASSWORD, text};

const USERS: &str = "/api/users/";

async fn names(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{USERS}?{query}")).await.is(200);
    list["results"].as_array().unwrap().iter().map(|user| text(user, "username")).collect()
}

/// An admin, and so many users beside: every third disabled, every fourth a cook.
async fn with_users(count: usize) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    for number in 0..count {
        // Made backwards and in both cases, so that no two orders are the same.
        let name = format!("{}ser-{:02}", if number % 2 == 0 { 'u' } else { 'U' }, count - number);
        let roles = if number % 4 == 0 { json!(["cook"]) } else { json!([]) };
        let body = json!({"username": name, "password": PASSWORD, "roles": roles, "is_active": number % 3 != 0});
        admin.post(USERS, &body).await.is(201);
    }
    (coffer, admin)
}

#[tokio::test]
async fn users_come_in_pages_that_lead_to_each_other_and_show_everyone_once() {
    let (_coffer, admin) = with_users(24).await;
    let first = admin.get(USERS).await.is(200);
    assert_eq!((&first["count"], first["results"].as_array().unwrap().len()), (&json!(25), 20));
    for query in ["", "ordering=username&", "ordering=-created_at&", "search=e&ordering=last_login&", "is_admin=false&"]
    {
        let mut next = Some(format!("{USERS}?{query}page_size=7"));
        let mut seen = BTreeSet::new();
        let mut last = Value::Null;
        while let Some(path) = next {
            last = admin.get(&path).await.is(200);
            for user in last["results"].as_array().unwrap() {
                assert!(seen.insert(text(user, "id")), "{query}: {user} stands twice");
            }
            next = last["next"].as_str().map(|link| link.strip_prefix(&admin.base).unwrap().to_owned());
        }
        assert_eq!(json!(seen.len()), last["count"], "{query}");
        let previous = last["previous"].as_str().unwrap();
        assert!(previous.contains("page_size=7") && previous.contains("page=3"), "{previous}");
    }
}

#[tokio::test]
async fn users_are_ordered_searched_and_filtered() {
    let (_coffer, admin) = with_users(6).await;
    let made = [ADMIN, "user-06", "User-05", "user-04", "User-03", "user-02", "User-01"];
    assert_eq!(names(&admin, "").await, made);
    assert_eq!(names(&admin, "ordering=created_at").await, made);
    let backward: Vec<_> = made.iter().rev().copied().collect();
    assert_eq!(names(&admin, "ordering=-created_at").await, backward);
    assert_eq!(names(&admin, "ordering=-id").await, backward);
    // Names are told apart by their folded form, and ordered by it.
    let by_name = [ADMIN, "User-01", "user-02", "User-03", "user-04", "User-05", "user-06"];
    assert_eq!(names(&admin, "ordering=username").await, by_name);
    assert_eq!(names(&admin, "ordering=-username&page_size=2&page=2").await, ["user-04", "User-03"]);
    assert_eq!(names(&admin, "ordering=-last_login").await[0], ADMIN, "who never signed in has no moment");
    assert_eq!(names(&admin, "ordering=is_active,-created_at").await[..2], ["User-03", "user-06"]);

    assert_eq!(names(&admin, "search=SER-03").await, ["User-03"]);
    assert_eq!(names(&admin, "search=user+cook").await, ["user-06", "user-02"]);
    assert!(names(&admin, "search=true").await.is_empty(), "words are looked for in texts");
    assert!(names(&admin, "search=argon2").await.is_empty(), "a password's hash is not searched");
    assert_eq!(names(&admin, "roles=cook&is_active=true").await, ["user-02"]);
    assert_eq!(names(&admin, "is_admin=true").await, [ADMIN]);
    assert_eq!(names(&admin, "last_login__isnull=false").await, [ADMIN]);
    assert_eq!(names(&admin, "username__istartswith=USER&ordering=username&page_size=1").await, ["User-01"]);
}

#[tokio::test]
async fn what_a_list_of_people_does_not_have_is_refused_by_name() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for list in [USERS, "/api/sessions/"] {
        for (query, place) in [
            ("created_at__isnull=maybe", "created_at__isnull"),
            ("ordering=password_hash", "ordering"),
            ("ordering=updated_at", "ordering"),
            ("password_hash__startswith=%24argon2id", "password_hash__startswith"),
            ("refresh=01920000-0000-7000-8000-000000000001", "refresh"),
            ("owner__isnull=true", "owner__isnull"),
            ("fields=id", "fields"),
            ("left_join=users:id=id", "left_join"),
        ] {
            let problem = admin.get(&format!("{list}?{query}")).await.refused(400);
            assert!(problem.errors.0.contains_key(place), "{list}?{query}: {problem:?}");
        }
        for query in ["page=2", "page=2&search=a", "page=18446744073709551615", "page=0", "page=x&ordering=-id"] {
            assert_eq!(admin.get(&format!("{list}?{query}")).await.refused(404).detail, "Invalid page.", "{query}");
        }
    }
    admin.delete("/api/sessions/?page=1").await.refused(400);
}

#[tokio::test]
async fn sessions_come_in_pages_newest_first_and_can_be_searched() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let body = json!({"username": "ulla", "password": PASSWORD});
    for number in 0..11 {
        let request =
            ulla.request(reqwest::Method::POST, "/api/token/").header("user-agent", format!("Robot/{number}"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let list = |client: &Client, query: String| {
        let client = client.clone();
        async move { client.get(&format!("/api/sessions/?{query}")).await.is(200) }
    };
    let programs = |list: &Value| -> Vec<String> {
        list["results"].as_array().unwrap().iter().map(|session| text(session, "user_agent")).collect()
    };
    let second = list(&ulla, "page_size=4&page=2".into()).await;
    assert_eq!(second["count"], 12);
    assert_eq!(programs(&second), ["Robot/6", "Robot/5", "Robot/4", "Robot/3"]);
    let found = list(&ulla, "search=robot/1&ordering=created_at".into()).await;
    assert_eq!(programs(&found), ["Robot/1", "Robot/10"]);
    assert_eq!(list(&ulla, "address=192.0.2.1".into()).await["count"], 0);

    // An admin's look at somebody else's keeps to that one, on every page.
    let whose = format!("user={}&page_size=5", ulla.id);
    let mut seen = 0;
    for page in iter::successors(Some(1), |page| (*page < 3).then_some(page + 1)) {
        let found = list(&admin, format!("{whose}&page={page}")).await;
        for session in found["results"].as_array().unwrap() {
            assert_eq!((text(session, "user"), &session["current"]), (ulla.id.clone(), &json!(false)));
            seen += 1;
        }
        assert_eq!(found["next"].is_string(), page < 3);
    }
    assert_eq!(seen, 12);

    ulla.delete("/api/sessions/").await.is(204);
    assert_eq!(list(&ulla, String::new()).await["count"], 1, "what has ended is not counted");
}
