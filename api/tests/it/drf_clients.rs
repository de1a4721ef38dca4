//! Clients that were written for Django REST Framework. Here their requests are sent as they send them; `cargo xtask drf-clients` runs the
//! clients themselves, which are named in `xtask/drf-clients`.

use std::{collections::BTreeMap, env, path::PathBuf, process::Command};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, PASSWORD, text};

const SNACKS: &str = "/api/records/snacks/";
const TUTORIAL: &str = include_str!("../../../xtask/drf-clients/tutorial.postman_collection.json");

/// What the clients ask for.
async fn shop() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text", "max_length": 20}])).await;
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true, "max_length": 20},
        {"name": "price", "type": "integer", "nullable": true},
        {"name": "cost", "type": "decimal", "places": 2, "nullable": true},
        {"name": "weight", "type": "json", "nullable": true},
        {"name": "fresh", "type": "boolean"},
        {"name": "day", "type": "date", "nullable": true},
        {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
    ]);
    admin.collection("snacks", fields).await;
    (coffer, admin)
}

/// Puts values in the place of `{{name}}`.
fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

/// The members of a form.
fn form(parts: &Value, values: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let part = |part: &Value| (text(part, "key"), filled(&text(part, "value"), values));
    parts.as_array().unwrap().iter().map(part).collect()
}

/// A request of the collection, as newman sends it.
fn request(http: &reqwest::Client, item: &Value, values: &BTreeMap<String, String>) -> RequestBuilder {
    let asked = &item["request"];
    let method: Method = asked["method"].as_str().unwrap().parse().unwrap();
    let mut request = http.request(method, filled(asked["url"].as_str().unwrap(), values)).header("accept", "*/*");
    for header in asked["header"].as_array().unwrap() {
        request = request.header(text(header, "key"), filled(&text(header, "value"), values));
    }
    match asked["body"]["mode"].as_str() {
        None => request,
        Some("raw") => request.body(filled(asked["body"]["raw"].as_str().unwrap(), values)),
        Some("urlencoded") => {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form(&asked["body"]["urlencoded"], values))
                .finish();
            request.header("content-type", "application/x-www-form-urlencoded").body(body)
        }
        Some("formdata") => {
            let part =
                |(name, value)| format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            let parts: String = form(&asked["body"]["formdata"], values).into_iter().map(part).collect();
            request.header("content-type", "multipart/form-data; boundary=edge").body(format!("{parts}--edge--\r\n"))
        }
        Some(mode) => panic!("{mode}"),
    }
}

#[tokio::test]
async fn a_tutorials_requests_are_answered_as_its_tests_want() {
    let (coffer, admin) = shop().await;
    let mut values =
        BTreeMap::from([("base".to_owned(), coffer.base.clone()), ("password".to_owned(), PASSWORD.to_owned())]);
    let collection: Value = serde_json::from_str(TUTORIAL).unwrap();
    let items = collection["item"].as_array().unwrap();
    assert_eq!(items.len(), 17);
    for item in items {
        let answer = Answer::of(request(&admin.http, item, &values)).await;
        let script: Vec<&str> =
            item["event"][0]["script"]["exec"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let status = script.iter().find_map(|line| line.trim().strip_prefix("pm.response.to.have.status(")).unwrap();
        let status: u16 = status.trim_end_matches(");").parse().unwrap();
        assert_eq!(answer.status, status, "{}: {}", item["name"], answer.text());
        for line in script {
            let Some(set) = line.trim().strip_prefix("pm.environment.set('") else { continue };
            let (name, _) = set.split_once('\'').unwrap();
            values.insert(name.to_owned(), text(&answer.is(status), name));
        }
    }
}

#[tokio::test]
async fn a_react_admin_front_end_gets_what_its_provider_expects() {
    let (_coffer, admin) = shop().await;
    let send = async |method: Method, path: &str, body: Value| {
        let request = admin.plain(method, path).header("accept", "application/json");
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    };
    let list = async |query: &str| {
        let page =
            Answer::of(admin.plain(Method::GET, &format!("{SNACKS}?{query}")).header("accept", "application/json"))
                .await;
        page.is(200)
    };
    let maker = text(&send(Method::POST, "/api/records/makers/", json!({"name": "Ann"})).await.is(201), "id");
    // Inputs that were emptied are empty texts, and numbers may be texts.
    let halva = json!({"title": "Halva", "price": "", "cost": "", "maker": maker, "day": "2026-01-31"});
    assert_eq!(send(Method::POST, SNACKS, halva).await.is(201)["price"], Value::Null);
    let olives = send(Method::POST, SNACKS, json!({"title": "Olives", "price": "7", "cost": "3.80"})).await.is(201);
    assert_eq!((&olives["price"], &olives["cost"]), (&json!(7), &json!("3.80")));
    let refused = send(Method::POST, SNACKS, json!({"price": "many"})).await.is(400);
    assert_eq!(refused, json!({"title": ["This field is required."], "price": ["A valid integer is required."]}));

    // The whole record comes back, with what the server owns.
    let mut changed = olives.clone();
    changed["price"] = json!("8");
    let path = format!("{SNACKS}{}/", text(&olives, "id"));
    assert_eq!(send(Method::PATCH, &path, changed).await.is(200)["price"], 8);
    for (query, count) in [
        ("ordering=id&page=1&page_size=10", 2),
        ("ordering=-title&page=1&page_size=1000", 2),
        ("ordering=id&page=1&page_size=10&search=oliv", 1),
        ("fresh=false&ordering=id&page=1&page_size=10", 2),
        ("ordering=id&page=1&page_size=10&price=", 2),
        ("maker__name__icontains=an&ordering=id&page=1&page_size=10", 1),
        (&format!("maker={maker}&ordering=id&page=1&page_size=10"), 1),
    ] {
        assert_eq!(list(query).await["count"], count, "{query}");
    }
    let past = admin.plain(Method::GET, &format!("{SNACKS}?ordering=id&page=9&page_size=10"));
    assert_eq!(Answer::of(past).await.is(404)["detail"], "Invalid page.");
}

/// Where the clients are installed; only `cargo xtask drf-clients` says it.
fn installed() -> Option<PathBuf> {
    env::var_os("E2E_DRF_CLIENTS").map(PathBuf::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_themselves_pass() {
    // Without them the two tests above send what they send.
    let Some(clients) = installed() else { return };
    let (coffer, admin) = shop().await;
    let mut provider = Command::new("node");
    provider.arg("provider.cjs").args([&coffer.base, PASSWORD]);
    assert!(provider.current_dir(&clients).status().unwrap().success(), "react-admin's provider");
    let mut rtk = Command::new("node");
    rtk.arg("rtk.mjs").args([&coffer.base, PASSWORD]);
    assert!(rtk.current_dir(&clients).status().unwrap().success(), "RTK Query");
    for record in admin.column(SNACKS, "id").await {
        admin.delete(&format!("{SNACKS}{}/", record.as_str().unwrap())).await.is(204);
    }
    let mut newman = Command::new("npx");
    newman.args(["newman", "run", "tutorial.postman_collection.json", "--bail", "failure"]);
    newman.args(["--env-var", &format!("base={}", coffer.base), "--env-var", &format!("password={PASSWORD}")]);
    assert!(newman.current_dir(&clients).status().unwrap().success(), "newman");
}
