//! Conditions that a request brings: what is not looked at is refused, and nothing is done.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

async fn asked(client: &Client, method: Method, address: &str, header: (&str, &str), body: &Value) -> Answer {
    let request = client.request(method, address).header(header.0, header.1);
    Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
}

#[tokio::test]
async fn a_condition_that_would_not_be_looked_at_is_refused_by_its_name() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let snack = admin.record("snacks", json!({"title": "Nuts"})).await;
    let made = admin.post("/api/records/snacks/", &json!({"title": "Corn"})).await;
    let revert = format!("/api/changes/{}/revert/", made.header("operation"));
    let items = json!({"items": [{"action": "create", "collection": "snacks", "record": {"title": "Tea"}}]});
    let (list, title) = ("/api/records/snacks/", json!({"title": "Tea"}));
    for (method, address, body, instead) in [
        (Method::PATCH, "/api/records/snacks/?all=true&max=5", &title, "batch"),
        (Method::DELETE, "/api/records/snacks/?all=true&max=5", &Value::Null, "batch"),
        (Method::POST, "/api/batch/", &items, "`if_match`"),
        (Method::POST, list, &title, "Leave it out"),
        (Method::POST, "/api/records/snacks/import/", &json!([title]), "Leave it out"),
        (Method::POST, "/api/collections/", &json!({"name": "words"}), "Leave it out"),
        (Method::PATCH, "/api/users/me/", &json!({"first_name": "Ada"}), "Leave it out"),
        (Method::POST, &revert, &json!({}), "Leave it out"),
    ] {
        for (name, value) in
            [("If-Match", "\"1\""), ("If-None-Match", "*"), ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT")]
        {
            let refused = asked(&admin, method.clone(), address, (name, value), body).await.refused(400);
            assert_eq!(refused.code, "precondition_not_supported", "{method} {address}");
            assert!(refused.detail.starts_with(name) && refused.detail.contains(instead), "{refused:?}");
        }
    }
    // Where there is one revision it is looked at, and what is asked otherwise is refused too.
    let at = path("snacks", &snack);
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        asked(&admin, method.clone(), &at, ("if-match", "\"1\""), &title).await.refused(412);
        let since = ("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT");
        let refused = asked(&admin, method, &at, since, &title).await.refused(400);
        assert!(refused.detail.contains("If-Match"), "{refused:?}");
    }
    assert_eq!(admin.column(list, "title").await, ["Nuts", "Corn"]);
    assert_eq!(admin.get("/api/collections/").await.is(200)["count"], 1);
    // Reading is not changing.
    asked(&admin, Method::GET, list, ("if-match", "\"1\""), &Value::Null).await.is(200);
}
