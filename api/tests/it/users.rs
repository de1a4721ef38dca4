//! `/api/users/`: own profile and password, and for admins everyone. The last active admin stays whatever is asked.

use common::{
    Call,
    endpoints::users::{self, NewUser, PasswordChange, ProfilePatch, UserPatch},
};
use serde_json::{Value, json};

use crate::support::{ADMIN, Client, Coffer, PASSWORD, text};

mod import;

fn address(user: &Client) -> String {
    format!("/api/users/{}/", user.id)
}

async fn is_signed_in(client: &Client) -> bool {
    client.get("/api/users/me/").await.status == 200
}

#[tokio::test]
async fn an_admin_makes_changes_and_deletes_users() {
    let (coffer, admin) = Coffer::with_admin().await;
    let new = NewUser {
        roles: vec!["editor".parse().unwrap(), "cook".parse().unwrap(), "editor".parse().unwrap()],
        ..NewUser::new("ulla".parse().unwrap(), PASSWORD.to_owned())
    };
    let made = admin.send(Call::<users::Create>::new((), new)).await.unwrap().body;
    assert_eq!(made.roles.iter().map(common::name::RoleName::as_str).collect::<Vec<_>>(), ["cook", "editor"]);
    assert_eq!(made.last_login, None);
    let ulla = coffer.sign_in("ulla").await;
    let seen = admin.send(Call::<users::Get>::new((made.id,), ())).await.unwrap().body;
    assert!(seen.last_login.is_some());
    let listed = admin.send(Call::<users::List>::new((), ())).await.unwrap().body;
    assert_eq!(listed.results.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), [ADMIN, "ulla"]);

    let patch = UserPatch { roles: Some(Vec::new()), ..UserPatch::default() };
    let changed = admin.send(Call::<users::Update>::new((made.id,), patch)).await.unwrap().body;
    assert!(changed.roles.is_empty() && changed.username == made.username && changed.is_active);
    assert!(is_signed_in(&ulla).await, "a change of roles ends no session");

    admin.send(Call::<users::Delete>::new((made.id,), ())).await.unwrap();
    assert!(!is_signed_in(&ulla).await);
    admin.get(&address(&ulla)).await.refused(404);
    admin.delete(&address(&ulla)).await.refused(404);
    let again = coffer.user(&admin, "ulla", json!({})).await;
    assert_ne!(again.id, ulla.id, "the name is free, the id is not");
}

#[tokio::test]
async fn location_names_the_new_user_and_no_answer_has_a_hash() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let answer = admin.post("/api/users/", &json!({"username": "ulla", "password": PASSWORD})).await;
    let id = text(&answer.is(201), "id");
    assert_eq!(answer.header("location"), format!("{}/api/users/{id}/", admin.base));
    for answer in [answer, admin.get("/api/users/").await, admin.get(&format!("/api/users/{id}/")).await] {
        assert!(!answer.text().contains("argon2") && !answer.text().contains("password"), "{}", answer.text());
    }
}

#[tokio::test]
async fn names_that_look_the_same_are_the_same() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ulla = coffer.user(&admin, "zoë", json!({})).await;
    for name in ["zoë", "ZOË", "zoe\u{308}", "ｚｏë", ADMIN, "ADA", "ａｄａ"] {
        let answer = admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await;
        let problem = if name == "zoe\u{308}" && answer.status == 400 { continue } else { answer.refused(409) };
        assert_eq!(
            problem.errors.messages("username").next(),
            Some("A user with that username already exists."),
            "{name}"
        );
    }
    admin.patch(&address(&ulla), &json!({"username": "Ada"})).await.refused(409);
    ulla.patch("/api/users/me/", &json!({"username": "ADA"})).await.refused(409);
    // One's own name may be written differently, and signs in either way.
    ulla.patch("/api/users/me/", &json!({"username": "ZOË"})).await.is(200);
    coffer.sign_in("zoë").await;
}

#[tokio::test]
async fn bad_users_are_refused_field_by_field() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let body = json!({"username": "a b", "password": null, "roles": ["Editor"], "is_admin": "yes", "id": 1});
    assert_eq!(
        admin.post("/api/users/", &body).await.faults(),
        [
            "id: There is no field of this name.",
            "is_admin: Must be a valid boolean.",
            "password: This field may not be null.",
            "roles: Use a to z, 0 to 9 and _, beginning with a letter, at most 63 characters.",
            "username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        ]
    );
    let long = json!({"username": "u".repeat(151), "password": "p".repeat(1025)});
    assert_eq!(
        admin.post("/api/users/", &long).await.faults(),
        ["username: Ensure this field has no more than 150 characters."]
    );
    let long = json!({"username": "u".repeat(150), "password": "p".repeat(1025)});
    assert_eq!(
        admin.post("/api/users/", &long).await.faults(),
        ["password: This password is too long. Use at most 1024 bytes."]
    );
    assert_eq!(admin.get("/api/users/").await.is(200)["count"], 1);
}

#[tokio::test]
async fn a_profile_is_ones_own_and_gives_no_power() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ulla = coffer.user(&admin, "ulla", json!({"roles": ["cook"]})).await;
    let patch = ProfilePatch { username: Some("ursula".parse().unwrap()), ..ProfilePatch::default() };
    let renamed = ulla.send(Call::<users::UpdateMe>::new((), patch)).await.unwrap().body;
    assert_eq!(renamed.username.as_str(), "ursula");
    assert!(is_signed_in(&ulla).await);
    for more in [
        json!({"is_admin": true}),
        json!({"roles": ["cook", "editor"]}),
        json!({"is_active": false}),
        json!({"password": "three owls on the old roof"}),
        json!({"password_hash": "x"}),
    ] {
        ulla.patch("/api/users/me/", &more).await.refused(400);
    }
    let me = ulla.get("/api/users/me/").await.is(200);
    assert_eq!((&me["is_admin"], &me["roles"]), (&json!(false), &json!(["cook"])));
    // What was read may be sent back.
    assert_eq!(ulla.patch("/api/users/me/", &me).await.is(200), me);
    assert_eq!(admin.patch(&address(&ulla), &me).await.is(200), me);
    for member in ["id", "created_at", "last_login"] {
        let changed = json!({member: admin.id});
        let fault = format!("{member}: This field is set by the server. Leave it out, or send it back unchanged.");
        assert_eq!(ulla.patch("/api/users/me/", &changed).await.faults(), [fault.as_str()]);
        assert_eq!(admin.patch(&address(&ulla), &changed).await.faults(), [fault.as_str()]);
    }
    for path in ["/api/users/", &address(&admin), &address(&ulla)] {
        ulla.get(path).await.refused(403);
    }
    ulla.patch(&address(&ulla), &json!({"is_admin": true})).await.refused(403);
    ulla.delete(&address(&admin)).await.refused(403);
}

#[tokio::test]
async fn power_that_is_taken_is_gone_with_the_next_request() {
    let (coffer, admin) = Coffer::with_admin().await;
    let second = coffer.user(&admin, "otto", json!({"is_admin": true})).await;
    second.get("/api/users/").await.is(200);
    admin.patch(&address(&second), &json!({"is_admin": false})).await.is(200);
    second.get("/api/users/").await.refused(403);
    second.get("/api/users/me/").await.is(200);
    admin.patch(&address(&second), &json!({"is_active": false})).await.is(200);
    let refused = second.get("/api/users/me/").await;
    assert_eq!(refused.refused(401).code, "user_inactive");
    let credentials = json!({"username": "otto", "password": PASSWORD});
    second.post("/api/token/", &credentials).await.refused(401);
    admin.patch(&address(&second), &json!({"is_active": true})).await.is(200);
    assert!(!is_signed_in(&second).await, "the session ended for good");
    coffer.sign_in("otto").await;
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let (coffer, admin) = Coffer::with_admin().await;
    let phone = coffer.user(&admin, "ulla", json!({})).await;
    let laptop = coffer.sign_in("ulla").await;
    let new = "three owls on the old roof";
    let change = |current: &str, new: &str| PasswordChange {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
    };
    let wrong = laptop.send(Call::<users::ChangePassword>::new((), change("not it", new))).await.unwrap_err();
    let problem = wrong.problem().unwrap();
    assert_eq!(problem.errors.0["current_password"][0].code, "password_incorrect");
    let weak = laptop.send(Call::<users::ChangePassword>::new((), change(PASSWORD, "short"))).await.unwrap_err();
    assert!(weak.problem().unwrap().errors.0.contains_key("new_password"));
    assert!(is_signed_in(&phone).await);

    laptop.send(Call::<users::ChangePassword>::new((), change(PASSWORD, new))).await.unwrap();
    assert!(is_signed_in(&laptop).await);
    assert!(!is_signed_in(&phone).await);
    laptop.post("/api/token/", &json!({"username": "ulla", "password": PASSWORD})).await.refused(401);

    admin.patch(&address(&laptop), &json!({"password": PASSWORD})).await.is(200);
    assert!(!is_signed_in(&laptop).await, "an admin's change ends them all");
    coffer.sign_in("ulla").await;
}

#[tokio::test]
async fn the_last_active_admin_stays() {
    let (coffer, admin) = Coffer::with_admin().await;
    let own = address(&admin);
    let stays = async || {
        for body in
            [json!({"is_admin": false}), json!({"is_active": false}), json!({"is_admin": false, "is_active": false})]
        {
            admin.patch(&own, &body).await.refused(409);
        }
        admin.delete(&own).await.refused(409);
        let me: Value = admin.get("/api/users/me/").await.is(200);
        assert_eq!((&me["is_admin"], &me["is_active"]), (&json!(true), &json!(true)));
    };
    stays().await;
    // An admin who is disabled, or a user who is none, is no second one.
    let otto = coffer.user(&admin, "otto", json!({"is_admin": true})).await;
    admin.patch(&address(&otto), &json!({"is_active": false})).await.is(200);
    coffer.user(&admin, "ulla", json!({})).await;
    stays().await;
    // With a second one the first may go.
    admin.patch(&address(&otto), &json!({"is_active": true})).await.is(200);
    let otto = coffer.sign_in("otto").await;
    otto.delete(&own).await.is(204);
    assert!(!is_signed_in(&admin).await);
    otto.delete(&address(&otto)).await.refused(409);
}
