//! P7: no new name can be taken for another user's, wherever names are made; who has such a name keeps it.

use auth::password::Password;
use coffer::domain::{journal::Actor, users};
use common::{access::Caller, endpoints::users::NewUser};
use serde_json::json;

use super::held::{Held, Settings};
use crate::support::{
    Coffer, PASSWORD,
    server::{Server, coffer, said},
};

const MIXED: &str = "rоot1";

#[tokio::test]
async fn p7_a_name_that_mixes_scripts_or_looks_like_anothers_is_refused_wherever_it_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let mut server = Server::start(&parent.path().join("data"), &[]);
    let code = server.setup_code();
    let body = |name: &str| json!({"code": code, "username": name, "password": PASSWORD});
    let message = "username: Write this name in one script. It mixes several, whose letters can look alike.";
    assert_eq!(server.stranger().post("/api/setup/", &body(MIXED)).await.faults(), [message]);
    server.stranger().post("/api/setup/", &body("root1")).await.is(201);
    let admin = server.sign_in("root1").await;
    let make = |name: &str| json!({"username": name, "password": PASSWORD});
    assert_eq!(admin.post("/api/users/", &make(MIXED)).await.faults(), [message]);
    for alike in ["rootl", "ROOTI", "ｒｏｏｔｌ"] {
        assert_eq!(admin.post("/api/users/", &make(alike)).await.refused(409).code, "look_alike", "{alike}");
    }
    let refused = admin.post("/api/users/", &make("rootl")).await.refused(409);
    assert_eq!(refused.code, "look_alike");
    assert_eq!(
        refused.errors.messages("username").next(),
        Some("This name looks like that of another user. Choose a different one.")
    );
    for good in ["हिन्दी", "дарья", "日本語abc", "zoë@example.org"] {
        admin.post("/api/users/", &make(good)).await.is(201);
        server.sign_in(good).await;
    }
    let zoe = server.sign_in("zoë@example.org").await;
    for name in ["rootl", MIXED] {
        let refused = zoe.patch("/api/users/me/", &json!({"username": name})).await;
        assert!([400, 409].contains(&refused.status), "{}", refused.text());
    }
    zoe.patch("/api/users/me/", &json!({"username": "zoe"})).await.is(200);
    zoe.patch("/api/users/me/", &json!({"username": "Zoe"})).await.is(200);
    server.stop();
}

#[test]
fn p7_the_command_line_refuses_such_names_too() {
    let data = tempfile::tempdir().unwrap();
    let add = |name: &str| {
        let mut command = crate::support::command();
        command.args(["user", "add", name, "--password-stdin", "--data"]).arg(data.path().join("data"));
        let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        child = child.stderr(std::process::Stdio::piped());
        let mut child = child.spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{PASSWORD}\n").as_bytes()).unwrap();
        said(&child.wait_with_output().unwrap())
    };
    assert!(add("root1").starts_with("0: "));
    assert!(add(MIXED).contains("one script"), "{}", add(MIXED));
    assert!(add("rootl").contains("looks like that of another user"), "{}", add("rootl"));
    assert!(said(&coffer(&["user", "list"], &data.path().join("data"))).contains("root1"));
}

#[tokio::test]
async fn p7_who_has_such_a_name_from_before_keeps_it() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let (app, core) = (&held.app, held.app.core());
    for name in [MIXED, "root1"] {
        let hash = app.auth().hasher.hash(Password::new(PASSWORD).unwrap()).await.unwrap();
        let new = NewUser::new(name.parse().unwrap(), String::new());
        let (_, batch) = users::stage_create(core, Actor::local(&Caller::Anonymous), new, None, &hash).await.unwrap();
        core.store.commit(batch).await.unwrap();
    }
    for name in [MIXED, "root1"] {
        let user = held.stranger().signed_in(name).await;
        let at = format!("/api/users/{}/", user.id);
        admin.patch(&at, &json!({"roles": ["editor"]})).await.is(200);
        admin.patch(&at, &json!({"username": name, "is_active": true})).await.is(200);
    }
    let (_coffer, admin) = Coffer::with_admin().await;
    // Of two at once one gets in.
    let make = |name: &'static str| {
        let admin = admin.clone();
        async move { admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await.status }
    };
    let (a, b) = tokio::join!(make("user1"), make("userl"));
    assert_eq!(a.min(b), 201);
    assert_eq!(a.max(b), 409);
}
