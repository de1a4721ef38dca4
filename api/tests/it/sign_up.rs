//! Signing up: who may, as what, and what answers tell of who is there already.

use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, text};

async fn sign_up(client: &Client, name: &str, more: Value) -> Answer {
    let mut body = json!({"username": name, "password": PASSWORD});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post("/api/users/", &body).await
}

#[tokio::test]
async fn nobody_signs_up_unless_the_operator_lets_them() {
    let coffer = Coffer::start();
    sign_up(&coffer.stranger(), "ulla", json!({})).await.refused(401);
}

#[tokio::test]
async fn everybody_signs_up_where_it_is_open_and_gets_the_roles_that_were_chosen() {
    let (coffer, admin) = Coffer::with_admin_and(&["--sign-up", "open", "--sign-up-role", "reader"]).await;
    let stranger = coffer.stranger();
    let made = sign_up(&stranger, "ulla", json!({"password2": PASSWORD, "email": "ulla@example.org"})).await.is(201);
    assert_eq!(
        (&made["roles"], &made["is_admin"], &made["is_active"]),
        (&json!(["reader"]), &json!(false), &json!(true))
    );
    let ulla = coffer.sign_in("ulla").await;
    assert_eq!(ulla.get("/api/users/me/").await.is(200)["email"], "ulla@example.org");
    // Somebody who is signed in makes no users, unless they are an admin.
    sign_up(&ulla, "otto", json!({})).await.refused(403);
    sign_up(&admin, "otto", json!({"roles": ["cook"]})).await.is(201);
    for (more, member) in [
        (json!({"roles": ["cook"]}), "roles"),
        (json!({"is_admin": true}), "is_admin"),
        (json!({"is_active": false}), "is_active"),
        (json!({"claims": {"a": 1}}), "claims"),
        (json!({"password2": "another one that is long"}), "password2"),
        (json!({"password": "short"}), "password"),
        (json!({"email": "nothing"}), "email"),
    ] {
        let refused = sign_up(&stranger, "new", more.clone()).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [member], "{more}");
    }
    let taken = sign_up(&stranger, "ulla", json!({})).await.refused(400);
    assert_eq!(taken.errors.messages("username").next(), Some("A user with that username already exists."));
    // Its own allowance, by address.
    let mut last = 201;
    for n in 0..20 {
        last = sign_up(&stranger, &format!("n{n}"), json!({})).await.status;
    }
    assert_eq!(last, 429);
    sign_up(&admin, "paula", json!({})).await.is(201);
}

#[tokio::test]
async fn an_address_is_asked_for_where_it_is_needed_and_front_ends_find_it_elsewhere() {
    let (coffer, admin) = Coffer::with_admin_and(&["--sign-up", "open", "--sign-up-email", "required"]).await;
    for (path, alias, members) in [
        ("/api/register/", "/api/users/", json!(["id", "username", "email"])),
        ("/auth/jwt/create/", "/api/token/", json!([])),
        ("/auth/login/", "/api/token/", json!([{"token": "access"}])),
        ("/auth/users/me/", "/api/users/me/", json!(["id", {"name": "username"}, {"is_staff": "is_admin"}])),
    ] {
        admin.post("/api/paths/", &json!({"path": path, "alias": alias, "members": members})).await.is(201);
    }
    let stranger = coffer.stranger();
    let new = json!({"username": "ulla", "password": PASSWORD});
    let refused = stranger.post("/api/register/", &new).await.refused(400);
    assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), ["email"]);
    let new = json!({"username": "ulla", "password": PASSWORD, "email": "ulla@example.org"});
    let made = stranger.post("/api/register/", &new).await.is(201);
    assert_eq!(made, json!({"id": made["id"], "username": "ulla", "email": "ulla@example.org"}));
    let credentials = json!({"username": "ulla", "password": PASSWORD});
    let pair = stranger.post("/auth/jwt/create/", &credentials).await.is(200);
    let names: Vec<&String> = pair.as_object().unwrap().keys().collect();
    assert_eq!(names, ["access", "refresh"]);
    let token = stranger.post("/auth/login/", &credentials).await.is(200);
    let ulla = Client { access: Some(text(&token, "token")), ..stranger.clone() };
    let me = ulla.get("/auth/users/me/").await.is(200);
    assert_eq!(me, json!({"id": made["id"], "name": "ulla", "is_staff": false}));
    // Written by the names that it has there.
    assert_eq!(ulla.patch("/auth/users/me/", &json!({"name": "ulla.too"})).await.is(200)["name"], "ulla.too");
    // As the route itself: wrong guesses, no token, another method.
    let wrong = stranger.post("/auth/jwt/create/", &json!({"username": "ulla", "password": "x"})).await;
    assert_eq!(wrong.refused(401).code, "no_active_account");
    stranger.get("/auth/users/me/").await.refused(401);
    ulla.delete("/auth/users/me/").await.refused(405);
}

#[tokio::test]
async fn by_invitation_one_signs_up_once_and_strangers_learn_nothing() {
    let (coffer, admin) = Coffer::with_admin_and(&["--sign-up", "invite", "--sign-up-role", "reader"]).await;
    let stranger = coffer.stranger();
    // Whether a name is there makes no difference without one.
    let [there, not_there] =
        [ADMIN, "nobody"].map(|name| (name, sign_up(&stranger, name, json!({"invitation": "eHg"}))));
    let (there, not_there) = (there.1.await.refused(400), not_there.1.await.refused(400));
    assert_eq!((&there.errors, &there.detail), (&not_there.errors, &not_there.detail));
    sign_up(&stranger, "ulla", json!({})).await.refused(400);
    stranger.post("/api/invitations/", &json!({})).await.refused(401);
    let invitation = admin.post("/api/invitations/", &json!({"roles": ["cook"]})).await.is(201);
    let with = json!({"invitation": invitation["invitation"]});
    let taken = sign_up(&stranger, ADMIN, with.clone()).await.refused(400);
    assert!(!taken.detail.contains("exists"), "{taken:?}");
    // Asking of one name after the other ends, whatever it costs: with this invitation alone.
    let other = admin.post("/api/invitations/", &json!({})).await.is(201)["invitation"].clone();
    let mut last = 400;
    for _ in 0..11 {
        last = sign_up(&stranger, ADMIN, json!({"invitation": other})).await.status;
    }
    assert_eq!(last, 400);
    let locked = sign_up(&stranger, "somebody-new", json!({"invitation": other})).await.refused(429);
    assert_eq!(locked.code, "throttled");
    let journal = admin.get("/api/changes/").await.is(200);
    assert!(journal["results"].as_array().unwrap().iter().any(|change| change["action"] == "values_guessed"));
    let made = sign_up(&stranger, "ulla", with.clone()).await.is(201);
    assert_eq!(made["roles"], json!(["cook", "reader"]));
    let again = sign_up(&stranger, "otto", with).await.refused(400);
    assert_eq!(again.errors.0.keys().collect::<Vec<_>>(), ["invitation"]);
}

#[tokio::test]
async fn an_admin_sees_the_invitations_that_are_open_and_takes_one_back() {
    let (coffer, admin) = Coffer::with_admin_and(&["--sign-up", "invite"]).await;
    let stranger = coffer.stranger();
    let mut made = Vec::new();
    for roles in [json!([]), json!(["cook"]), json!(["cook", "reader"])] {
        made.push(admin.post("/api/invitations/", &json!({"roles": roles})).await.is(201));
    }
    let open = async || {
        let page = admin.get("/api/invitations/").await.is(200);
        assert_eq!(page["count"], page["results"].as_array().unwrap().len());
        page["results"].as_array().unwrap().clone()
    };
    let all = open().await;
    assert_eq!(
        all.iter().map(|one| &one["id"]).collect::<Vec<_>>(),
        made.iter().rev().map(|one| &one["id"]).collect::<Vec<_>>()
    );
    assert_eq!((&all[1]["roles"], &all[1]["expires_at"]), (&json!(["cook"]), &made[1]["expires_at"]));
    // What one signs up with was told once.
    assert!(all.iter().all(|one| one.get("invitation").is_none()), "{all:?}");
    // One that was taken back counts no more, nor does one that was used, and neither can be taken back again.
    let at = |n: usize| format!("/api/invitations/{}/", text(&made[n], "id"));
    admin.delete(&at(0)).await.is(204);
    let back = sign_up(&stranger, "ulla", json!({"invitation": made[0]["invitation"]})).await.refused(400);
    assert_eq!(back.errors.0.keys().collect::<Vec<_>>(), ["invitation"]);
    sign_up(&stranger, "ulla", json!({"invitation": made[1]["invitation"]})).await.is(201);
    assert_eq!(open().await.len(), 1);
    for n in [0, 1] {
        admin.delete(&at(n)).await.refused(404);
    }
    admin.delete("/api/invitations/01920000-0000-7000-8000-000000000001/").await.refused(404);
    // They are an admin's alone.
    let ulla = coffer.sign_in("ulla").await;
    for client in [&ulla, &stranger] {
        let status = if client.access.is_some() { 403 } else { 401 };
        client.get("/api/invitations/").await.refused(status);
        client.delete(&at(2)).await.refused(status);
    }
    sign_up(&stranger, "otto", json!({"invitation": made[2]["invitation"]})).await.is(201);
    assert!(open().await.is_empty());
}

#[tokio::test]
async fn of_many_who_use_one_invitation_at_once_one_is_let_in() {
    let (coffer, admin) = Coffer::with_admin_and(&["--sign-up", "invite"]).await;
    let invitation = admin.post("/api/invitations/", &json!({})).await.is(201)["invitation"].clone();
    let asked = (0..4).map(|n| {
        let (stranger, invitation) = (coffer.stranger(), invitation.clone());
        async move { sign_up(&stranger, &format!("guest{n}"), json!({"invitation": invitation})).await.status }
    });
    let mut statuses = futures_util::future::join_all(asked).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400, 400, 400]);
}

#[tokio::test]
async fn with_approval_nobody_learns_which_names_there_are() {
    let (coffer, admin) = Coffer::with_admin_and(&["--sign-up", "open", "--sign-up-approval"]).await;
    let stranger = coffer.stranger();
    let made = sign_up(&stranger, "ulla", json!({})).await.is(201);
    let taken = sign_up(&stranger, ADMIN, json!({})).await.is(201);
    let shape = |user: &Value| {
        let mut user = user.clone();
        for name in ["id", "username", "created_at"] {
            user[name] = json!("");
        }
        user
    };
    assert_eq!(shape(&made), shape(&taken));
    assert_eq!(admin.get("/api/users/").await.is(200)["count"], 2);
    let credentials = json!({"username": "ulla", "password": PASSWORD});
    stranger.post("/api/token/", &credentials).await.refused(401);
    admin.patch(&format!("/api/users/{}/", text(&made, "id")), &json!({"is_active": true})).await.is(200);
    stranger.post("/api/token/", &credentials).await.is(200);
}
