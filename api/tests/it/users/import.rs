//! `coffer user import`: users of a Django project come with their passwords, groups and rights, all or none.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    Client, PASSWORD,
    server::{Server, coffer, said},
};

/// What their passwords are: the hashes were made by Django 5.2.8, at little cost.
const TYPED: &str = "käse und brot 7";
const PBKDF2: &str = "pbkdf2_sha256$20000$vWyJVMRCuKTsbqdvSmmHk8$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk=";
const BCRYPT: &str = "bcrypt_sha256$$2b$05$xPXUfv2A1VV3fbXRTKCrfeD..kHFdgwfdglH8RN2eD.HeNHCyXlTa";

fn user(pk: u32, name: &str, more: &Value) -> Value {
    let mut fields = json!({
        "password": PBKDF2, "last_login": null, "is_superuser": false, "username": name, "first_name": "", "last_name": "", "email": "",
        "is_staff": false, "is_active": true, "date_joined": "2024-02-03T04:05:06.789Z", "groups": [], "user_permissions": []
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"model": "auth.user", "pk": pk, "fields": fields})
}

fn write(file: &Path, objects: &[Value]) -> String {
    std::fs::write(file, json!(objects).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn users_of_a_django_project_sign_in_with_the_passwords_that_they_have() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let group =
        |pk: u32, name: &str| json!({"model": "auth.group", "pk": pk, "fields": {"name": name, "permissions": []}});
    let own_model =
        json!({"model": "people.member", "pk": 9, "fields": {"email": "zoe@example.org", "password": BCRYPT}});
    let file = write(
        &dir.path().join("users.json"),
        &[
            group(1, "Kitchen Staff"),
            group(2, "Zwölf!"),
            user(1, "ada", &json!({"is_superuser": true, "email": "ada@example.org"})),
            user(2, "bob", &json!({"groups": [1, 2], "password": BCRYPT})),
            user(3, "carl", &json!({"is_active": false})),
            user(4, "dora", &json!({"password": "!VPEKMQB1aPrpTrxAjUZN2EVA4XT1pBo5ixYkySvu"})),
            own_model,
            json!({"model": "sessions.session", "pk": "x", "fields": {"session_data": "…"}}),
        ],
    );
    let would = said(&coffer(&["user", "import", &file, "--dry-run"], &data));
    assert!(would.starts_with("0: 5 users would come in"), "{would}");
    let came = said(&coffer(&["user", "import", &file], &data));
    assert!(came.starts_with("0: 5 users came in") && came.contains("\"Zwölf!\" was left out"), "{came}");
    let again = said(&coffer(&["user", "import", &file], &data));
    assert!(again.contains("0 users came in") && again.contains("5 were there already"), "{again}");

    let server = Server::start(&data, &[]);
    let sign_in = async |name: &str, password: &str| {
        server.stranger().post("/api/token/", &json!({"username": name, "password": password})).await
    };
    // The second time against a hash of one's own kind.
    for _ in 0..2 {
        for name in ["ada", "bob", "zoe@example.org"] {
            sign_in(name, TYPED).await.is(200);
            sign_in(name, "käse und brot 8").await.is(401);
        }
    }
    for name in ["carl", "dora"] {
        sign_in(name, TYPED).await.is(401);
    }
    sign_in("dora", "").await.is(400);
    let token = sign_in("ada", TYPED).await.is(200)["access"].as_str().unwrap().to_owned();
    let ada = Client { access: Some(token), ..server.stranger() };
    let all = ada.get("/api/users/?ordering=username").await.is(200);
    let told: Vec<Value> = all["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| json!([user["username"], user["email"], user["is_admin"], user["is_active"], user["roles"]]))
        .collect();
    let expected = json!([
        ["ada", "ada@example.org", true, true, []],
        ["bob", "", false, true, ["kitchen_staff"]],
        ["carl", "", false, false, []],
        ["dora", "", false, true, []],
        ["zoe@example.org", "zoe@example.org", false, true, []]
    ]);
    assert_eq!(json!(told), expected);
    // Their numbers came along, for clients that look for them in place of an id; who is made here has none.
    let numbers: Vec<&Value> = all["results"].as_array().unwrap().iter().map(|user| &user["number"]).collect();
    assert_eq!(json!(numbers), json!([1, 2, 3, 4, 9]));
    let me = json!({"path": "/api/user/", "alias": "/api/users/me/", "members": [{"pk": "number"}, "username"]});
    ada.post("/api/paths/", &me).await.is(201);
    assert_eq!(ada.get("/api/user/").await.is(200), json!({"pk": 1, "username": "ada"}));
    let eve = ada.post("/api/users/", &json!({"username": "eve", "password": PASSWORD})).await.is(201);
    assert!(eve.get("number").is_none(), "{eve}");
    let eve = server.sign_in("eve").await;
    assert_eq!(eve.get("/api/user/").await.is(200), json!({"pk": null, "username": "eve"}));
    // It may come back, and is not changed.
    let own = ada.get("/api/users/me/").await.is(200);
    ada.patch("/api/users/me/", &json!({"username": "ada", "number": own["number"]})).await.is(200);
    ada.patch("/api/users/me/", &json!({"number": 7})).await.refused(400);
    server.stop();
    let backup = dir.path().join("b.coffer");
    let backed = said(&coffer(&["backup", backup.to_str().unwrap()], &data));
    assert!(backed.starts_with("0: "), "{backed}");
    assert!(said(&coffer(&["check"], &data)).starts_with("0: "));
}

#[test]
fn of_users_of_whom_one_cannot_come_in_none_does() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let path = dir.path().join("users.json");
    let refused = |objects: &[Value]| said(&coffer(&["user", "import", &write(&path, objects)], &data));
    let good = user(1, "ada", &json!({}));
    for (bad, message) in [
        (
            user(2, "bob", &json!({"password": "md5$x$5f4dcc3b5aa765d61d8327deb882cf99"})),
            "bob: password: this is no hash",
        ),
        (
            user(
                2,
                "bob",
                &json!({"password": "pbkdf2_sha256$4000000000$s$GrdJ/Aoaq8N5FiSQbOYaamdTa6a9jYlUKpsbmwwS7Uk="}),
            ),
            "takes more time",
        ),
        (user(2, "b b", &json!({})), "b b: username: Enter a valid username"),
        (user(2, "rоot1", &json!({})), "one script"),
        (user(2, "bob", &json!({"email": "nonsense"})), "bob: email: "),
        (user(2, "ADA", &json!({})), "ada stands in the file more than once"),
        (user(2, "bob", &json!({"email": "ada"})), "bob: email: "),
        (user(2, "bob", &json!({"groups": [7]})), "7 is not in the file"),
        (user(1, "bob", &json!({})), "bob: The number 1 (pk) is another user's already."),
    ] {
        let told = refused(&[good.clone(), bad]);
        assert!(told.starts_with("1: ") && told.contains("nothing was brought in") && told.contains(message), "{told}");
    }
    for (text, message) in
        [("", "dumpdata"), ("{}", "dumpdata"), ("[]", "has no users"), ("[{\"model\": 3}]", "dumpdata")]
    {
        std::fs::write(&path, text).unwrap();
        let told = said(&coffer(&["user", "import", path.to_str().unwrap()], &data));
        assert!(told.starts_with("1: ") && told.contains(message), "{told}");
    }
    let told = said(&coffer(&["user", "import", "/nowhere/users.json"], &data));
    assert!(told.contains("could not read /nowhere/users.json"), "{told}");
    assert!(said(&coffer(&["user", "list"], &data)).starts_with("0: "));
    assert!(!said(&coffer(&["user", "list"], &data)).contains("ada"));
}
