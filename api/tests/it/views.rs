//! Saved views: whose they are, who sees them, and what becomes of them when what they name changes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Answer, Client, Coffer,
    server::{Server, coffer, said},
    text,
};

/// A collection that everybody may list, one that nobody may, and two users.
async fn cupboard() -> (Coffer, Client, Client, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}]);
    admin.collection("snacks", fields.clone()).await;
    let access = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["nobody"], "delete": ["nobody"]});
    admin.post("/api/collections/", &json!({"name": "secrets", "fields": fields, "access": access})).await.is(201);
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    (coffer, admin, ulla, otto)
}

fn dear() -> Value {
    json!({
        "name": "Dear", "collection": "snacks", "filter": "price >= 3 and title ~ \"corn\"", "search": "pop", "ordering": "-price,title",
        "columns": [{"name": "price", "width": 12}, {"name": "title"}], "plot": "price",
    })
}

#[tokio::test]
async fn a_view_is_its_keepers_until_it_is_shared() {
    let (coffer, admin, ulla, otto) = cupboard().await;
    coffer.stranger().get("/api/views/").await.refused(401);
    let made = ulla.post("/api/views/", &dear()).await;
    let view = made.is(201);
    let at = format!("/api/views/{}/", text(&view, "id"));
    assert!(made.header("location").ends_with(&at));
    for (member, value) in dear().as_object().unwrap() {
        assert_eq!(&view[member], value, "{member}");
    }
    assert_eq!((&view["owner"], &view["shared"], &view["notes"]), (&json!(ulla.id), &json!(false), &json!([])));
    assert_eq!(ulla.get("/api/views/").await.is(200)["results"], json!([view]));
    assert_eq!(ulla.get("/api/views/?collection=snacks").await.is(200)["count"], 1);
    assert_eq!(ulla.get("/api/views/?collection=nothing").await.is(200)["count"], 0);
    assert_eq!(otto.get("/api/views/?collection=snacks").await.is(200)["count"], 0);
    otto.get(&at).await.refused(404);
    otto.patch(&at, &json!({"name": "Mine"})).await.refused(404);
    otto.delete(&at).await.refused(404);

    ulla.patch(&at, &json!({"shared": true})).await.is(200);
    assert_eq!(otto.get("/api/views/?collection=snacks").await.is(200)["results"][0]["name"], "Dear");
    assert_eq!(otto.get("/api/views/").await.is(200)["count"], 0, "it is not otto's");
    let read = otto.get(&at).await;
    read.is(200);
    otto.patch(&at, &json!({"name": "Mine"})).await.refused(403);
    otto.put(&at, &dear()).await.refused(403);
    otto.delete(&at).await.refused(403);
    // What was read can be sent back, by its keeper and by admins; not over another's change.
    let body = read.is(200);
    assert_eq!(ulla.put(&at, &body).await.is(200)["shared"], true);
    let stale = ulla.request(Method::PATCH, &at).header("if-match", read.header("etag"));
    Answer::of(stale.header("content-type", "application/json").body("{\"name\": \"x\"}")).await.refused(412);
    assert_eq!(admin.patch(&at, &json!({"name": "Dearer"})).await.is(200)["owner"], json!(ulla.id));
    ulla.patch(&at, &json!({"shared": false})).await.is(200);
    otto.get(&at).await.refused(404);
    ulla.delete(&at).await.is(204);
    ulla.delete(&at).await.refused(404);
    assert_eq!(ulla.get("/api/views/").await.is(200)["count"], 0);
}

#[tokio::test]
async fn every_fault_of_a_view_is_told_at_its_member() {
    let (_coffer, _admin, ulla, _otto) = cupboard().await;
    for (member, value) in [
        ("collection", json!("nothing")),
        ("collection", json!("secrets")),
        ("filter", json!("colour = 3")),
        ("filter", json!("price = x")),
        ("filter", json!("price >")),
        ("ordering", json!("-colour")),
        ("columns", json!([{"name": "colour"}])),
        ("plot", json!("colour")),
        ("name", json!("")),
    ] {
        let mut view = dear();
        view[member] = value.clone();
        let refused = ulla.post("/api/views/", &view).await.refused(400);
        assert_eq!(refused.errors.0.keys().collect::<Vec<_>>(), [member], "{member} {value}");
    }
}

#[tokio::test]
async fn a_view_of_what_may_not_be_listed_is_not_there() {
    let (_coffer, admin, ulla, otto) = cupboard().await;
    let mut view = dear();
    view["shared"] = json!(true);
    let at = format!("/api/views/{}/", text(&ulla.post("/api/views/", &view).await.is(201), "id"));
    view["collection"] = json!("secrets");
    let hidden = format!("/api/views/{}/", text(&admin.post("/api/views/", &view).await.is(201), "id"));
    otto.get(&hidden).await.refused(404);
    assert_eq!(otto.get("/api/views/?collection=secrets").await.is(200)["count"], 0);
    admin.patch("/api/collections/snacks/", &json!({"access": {"list": ["role:cook"]}})).await.is(200);
    for client in [&ulla, &otto] {
        client.get(&at).await.refused(404);
        client.patch(&at, &json!({"name": "x"})).await.refused(404);
        client.delete(&at).await.refused(404);
        assert_eq!(client.get("/api/views/").await.is(200)["count"], 0);
        assert_eq!(client.get("/api/views/?collection=snacks").await.is(200)["count"], 0);
    }
    admin.patch(&format!("/api/users/{}/", ulla.id), &json!({"roles": ["cook"]})).await.is(200);
    assert_eq!(ulla.get(&at).await.is(200)["name"], "Dear");
    otto.get(&at).await.refused(404);
}

#[tokio::test]
async fn what_is_renamed_is_followed_and_what_is_gone_is_told() {
    let (_coffer, admin, ulla, _otto) = cupboard().await;
    let at = format!("/api/views/{}/", text(&ulla.post("/api/views/", &dear()).await.is(201), "id"));
    admin.patch("/api/collections/snacks/fields/price/", &json!({"name": "cost", "aliases": []})).await.is(200);
    admin.patch("/api/collections/snacks/", &json!({"name": "food", "aliases": []})).await.is(200);
    let view = ulla.get(&at).await.is(200);
    assert_eq!(view["collection"], "food");
    assert_eq!(view["filter"], "cost >= 3 and title ~ \"corn\"");
    assert_eq!((&view["ordering"], &view["plot"], &view["notes"]), (&json!("-cost,title"), &json!("cost"), &json!([])));
    assert_eq!(view["columns"], json!([{"name": "cost", "width": 12}, {"name": "title"}]));
    let query = "/api/records/food/?filter=cost%20%3E%3D%203&ordering=-cost";
    ulla.get(query).await.is(200);
    // Kept under a new name it still says what is gone, and follows when that is back.
    admin.delete("/api/collections/food/fields/cost/").await.is(200);
    let view = ulla.get(&at).await.is(200);
    assert_eq!(view["notes"], json!(["The field \"price\" is not there any more."]));
    // Another field takes the name: nothing of the view is about that.
    admin.patch("/api/collections/food/fields/title/", &json!({"name": "price", "aliases": []})).await.is(200);
    assert_eq!(ulla.get(&at).await.is(200)["filter"], "price_gone >= 3 and price ~ \"corn\"");
    admin.patch("/api/collections/food/fields/price/", &json!({"name": "title", "aliases": []})).await.is(200);
    let renamed = ulla.patch(&at, &json!({"name": "Old", "shared": true})).await.is(200);
    assert_eq!((&renamed["name"], &renamed["notes"]), (&json!("Old"), &view["notes"]));
    let refused = ulla.patch(&at, &json!({"ordering": "title"})).await.refused(400);
    assert!(refused.errors.0.contains_key("filter"), "{refused:?}");
    let mended = json!({"filter": "title ~ \"corn\"", "ordering": "title", "columns": [], "plot": null});
    assert_eq!(ulla.patch(&at, &mended).await.is(200)["notes"], json!([]));
}

#[tokio::test]
async fn views_go_with_their_collection_and_private_ones_with_their_keeper() {
    let (_coffer, admin, ulla, otto) = cupboard().await;
    let shared = json!({"name": "All", "collection": "snacks", "shared": true});
    let own = text(&ulla.post("/api/views/", &dear()).await.is(201), "id");
    let told = text(&ulla.post("/api/views/", &shared).await.is(201), "id");
    admin.delete(&format!("/api/users/{}/", ulla.id)).await.is(204);
    admin.get(&format!("/api/views/{own}/")).await.refused(404);
    assert_eq!(otto.get("/api/views/?collection=snacks").await.is(200)["results"][0]["id"], json!(told));
    otto.post("/api/views/", &dear()).await.is(201);
    admin.delete("/api/collections/snacks/").await.is(204);
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    admin.get(&format!("/api/views/{told}/")).await.refused(404);
    assert_eq!(otto.get("/api/views/").await.is(200)["count"], 0);
    assert_eq!(otto.get("/api/views/?collection=snacks").await.is(200)["count"], 0);
}

#[tokio::test]
async fn a_user_keeps_a_hundred_views_and_no_more_however_many_come_at_once() {
    let (_coffer, _admin, ulla, otto) = cupboard().await;
    let view = json!({"name": "One", "collection": "snacks"});
    for _ in 0..97 {
        ulla.post("/api/views/", &view).await.is(201);
    }
    let all = futures_util::future::join_all((0..6).map(|_| ulla.post("/api/views/", &view))).await;
    let mut statuses: Vec<u16> = all.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 400, 400, 400]);
    assert_eq!(ulla.get("/api/views/").await.is(200)["count"], 100);
    otto.post("/api/views/", &view).await.is(201);
}

#[tokio::test]
async fn a_backup_carries_views_and_a_check_finds_them_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (data, restored, file) = (dir.path().join("data"), dir.path().join("restored"), dir.path().join("box.backup"));
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("gone", json!([])).await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}]);
    admin.collection("snacks", fields).await;
    admin.delete("/api/collections/gone/").await.is(204);
    let at = format!("/api/views/{}/", text(&admin.post("/api/views/", &dear()).await.is(201), "id"));
    let before = admin.get(&at).await.is(200);
    server.stop();
    assert!(coffer(&["backup", file.to_str().unwrap()], &data).status.success());
    assert!(coffer(&["restore", file.to_str().unwrap()], &restored).status.success());
    for store in [&data, &restored] {
        let checked = coffer(&["check"], store);
        assert!(checked.status.success(), "{}", said(&checked));
    }
    let server = Server::start(&restored, &[]);
    let admin = server.sign_in(ADMIN).await;
    assert_eq!(admin.get(&at).await.is(200), before);
    admin.patch("/api/collections/snacks/fields/price/", &json!({"name": "cost", "aliases": []})).await.is(200);
    assert_eq!(admin.get("/api/views/?collection=snacks").await.is(200)["results"][0]["plot"], "cost");
    server.stop();
}
