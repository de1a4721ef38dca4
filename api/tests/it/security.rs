//! The requirements of `docs/security.md` that concern sign-in, each by its name (T tokens, P passwords and guessing, B
//! browsers), against the real server. What needs neither HTTP nor the store is tested beside the code in `src/auth/`.

mod audit;
mod browser;
mod held;
mod limits;
mod passwords;
mod process;
mod sessions;
mod tokens;

use common::endpoints::tokens::Tokens;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, Client, PASSWORD};

/// Another good password.
const NEW_PASSWORD: &str = "three owls on the old roof";

/// Makes the first admin and signs in as them.
async fn furnish(stranger: &Client, setup_code: &str) -> Client {
    let body = json!({"code": setup_code, "username": ADMIN, "password": PASSWORD});
    let id = stranger.post("/api/setup/", &body).await.is(201)["id"].as_str().unwrap().to_owned();
    let tokens = obtain(stranger, ADMIN).await;
    Client { access: Some(tokens.access), id, ..stranger.clone() }
}

/// Makes a user and signs in as them.
async fn user(admin: &Client, username: &str) -> (Client, Tokens) {
    let made = admin.post("/api/users/", &json!({"username": username, "password": PASSWORD})).await.is(201);
    let tokens = obtain(admin, username).await;
    let id = made["id"].as_str().unwrap().to_owned();
    (Client { access: Some(tokens.access.clone()), id, ..admin.clone() }, tokens)
}

/// A new session of a user with [`PASSWORD`].
async fn obtain(client: &Client, username: &str) -> Tokens {
    tokens(&try_obtain(client, username, PASSWORD).await)
}

async fn try_obtain(client: &Client, username: &str, password: &str) -> Answer {
    client.post("/api/token/", &json!({"username": username, "password": password})).await
}

async fn refresh(client: &Client, refresh: Option<&str>) -> Answer {
    client.post("/api/token/refresh/", &json!({"refresh": refresh})).await
}

#[track_caller]
fn tokens(answer: &Answer) -> Tokens {
    serde_json::from_value(answer.is(200)).unwrap()
}

/// Whether this access token opens the API.
async fn is_good(client: &Client, access: &str) -> bool {
    let client = Client { access: Some(access.to_owned()), ..client.clone() };
    client.get("/api/users/me/").await.status == 200
}

/// A call as the web app makes it.
async fn from_page(client: &Client, method: Method, path: &str, cookie: &str, body: Option<Value>) -> Answer {
    let mut request = client.request(method, path).header("x-coffer", "1").header("sec-fetch-site", "same-origin");
    if !cookie.is_empty() {
        request = request.header("cookie", cookie);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Answer::of(request).await
}

/// Signs the web app in: its access token and its cookie.
async fn page_session(client: &Client) -> (String, String) {
    let credentials = json!({"username": ADMIN, "password": PASSWORD});
    let answer = from_page(client, Method::POST, "/api/session/", "", Some(credentials)).await;
    let access = answer.is(200)["access"].as_str().unwrap().to_owned();
    (access, answer.header("set-cookie").split(';').next().unwrap().to_owned())
}

/// Everything in the journal, as the admin reads it.
async fn journal(admin: &Client) -> Vec<common::change::Change> {
    let page: common::change::Changes = serde_json::from_value(admin.get("/api/changes/").await.is(200)).unwrap();
    assert_eq!(page.next, None, "the journal of a test fits on one page");
    page.results
}
