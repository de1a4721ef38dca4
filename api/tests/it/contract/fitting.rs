//! How each endpoint is called so that it does what it is for.

use common::endpoint::EndpointInfo;
use serde_json::{Value, json};

use crate::support::{Client, Coffer, PASSWORD, path, text};

/// How an endpoint is called so that it does what it is for, and by whom.
pub(crate) async fn fitting(
    coffer: &Coffer,
    admin: &Client,
    info: &EndpointInfo,
    n: usize,
) -> (Client, String, Option<Value>) {
    let name = format!("things{n}");
    let snack = async || admin.record("snacks", json!({"title": "Crisps"})).await;
    let (mut client, mut target, mut body) = (admin.clone(), info.path.replace("{collection}", "snacks"), None);
    match (info.method.as_str(), info.path) {
        ("GET", "/api/" | "/api/token/keys/" | "/healthz" | "/readyz") | ("DELETE", "/api/session/") => {
            client = coffer.stranger();
        }
        ("POST", "/api/token/" | "/api/session/") => {
            client = coffer.stranger();
            body = Some(json!({"username": "ada", "password": PASSWORD}));
        }
        ("POST", "/api/token/refresh/" | "/api/token/blacklist/" | "/api/token/verify/") => {
            client = coffer.stranger();
            let pair = client.post("/api/token/", &json!({"username": "ada", "password": PASSWORD})).await.is(200);
            body = Some(json!({"refresh": pair["refresh"], "token": pair["access"]}));
        }
        ("POST", "/api/session/refresh/")
        | ("GET" | "DELETE", "/api/sessions/")
        | (
            "GET",
            "/api/users/" | "/api/users/me/" | "/api/collections/" | "/api/changes/" | "/api/operations/"
            | "/api/backup/" | "/api/log/" | "/metrics",
        )
        | ("GET" | "OPTIONS", "/api/records/{collection}/") => {}
        ("DELETE", "/api/sessions/{id}/") => {
            let other = coffer.sign_in("ada").await;
            let sessions = other.get("/api/sessions/").await.is(200);
            let current = sessions["results"].as_array().unwrap().iter().find(|session| session["current"] == true);
            target = format!("/api/sessions/{}/", text(current.unwrap(), "id"));
        }
        ("PATCH", "/api/users/me/") => {
            client = coffer.user(admin, &name, json!({})).await;
            body = Some(json!({"username": format!("{name}.too")}));
        }
        ("POST", "/api/users/me/password/") => {
            client = coffer.user(admin, &name, json!({})).await;
            body = Some(json!({"current_password": PASSWORD, "new_password": "three owls on the old roof"}));
        }
        ("POST", "/api/changes/trim/") => body = Some(json!({"older_than": "90d"})),
        ("GET" | "DELETE", "/api/operations/{id}/") => {
            let begun = admin.post("/api/changes/trim/", &json!({"older_than": "90d"})).await.is(202);
            target = format!("/api/operations/{}/", text(&begun, "id"));
        }
        ("PUT", "/api/log/") => body = Some(json!({"level": "debug"})),
        ("POST", "/api/users/") => body = Some(json!({"username": name, "password": PASSWORD})),
        (method, "/api/users/{id}/") => {
            target = format!("/api/users/{}/", coffer.user(admin, &name, json!({})).await.id);
            body = (method == "PATCH").then(|| json!({"roles": ["editor"]}));
        }
        ("POST", "/api/collections/") => body = Some(json!({"name": name})),
        (method, "/api/collections/{collection}/") => {
            admin.collection(&name, json!([])).await;
            target = format!("/api/collections/{name}/");
            body = match method {
                "PUT" => Some(json!({"name": name, "description": "Things."})),
                "PATCH" => Some(json!({"description": "Things."})),
                _ => None,
            };
        }
        ("POST", "/api/records/{collection}/") => body = Some(json!({"title": "Popcorn"})),
        (method, "/api/records/{collection}/{id}/") => {
            target = path("snacks", &snack().await);
            body = ["PUT", "PATCH"].contains(&method).then(|| json!({"title": "Chips"}));
        }
        ("GET", "/api/records/{collection}/{id}/history/") => {
            target = format!("{}history/", path("snacks", &snack().await));
        }
        ("POST", "/api/records/{collection}/{id}/history/{revision}/restore/") => {
            let record = snack().await;
            admin.delete(&path("snacks", &record)).await.is(204);
            target = format!("{}history/{}/restore/", path("snacks", &record), record["revision"]);
        }
        _ => panic!("say how {info:?} is called"),
    }
    (client, target, body)
}
