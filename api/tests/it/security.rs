//! The requirements of `docs/security.md`, each by its name (T tokens, P passwords and guessing, B browsers, N limits, D data),
//! against the real server, except those that a subject of its own has tests for. What needs neither HTTP nor the store is
//! tested beside the code.

mod accounts;
mod audit;
mod authorization;
mod browser;
mod held;
mod inspection;
mod interference;
#[cfg(feature = "e2e")]
mod keys;
mod limits;
mod look_alikes;
mod names;
mod origins;
mod passwords;
mod peppers;
mod queries;
mod quotas;
mod rate_limits;
mod rotation;
mod secrets;
mod sessions;
mod tokens;
mod unseen;

use std::{collections::BTreeSet, fs};

use common::endpoints::tokens::Tokens;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    invariants::sources::{files, root},
    support::{ADMIN, Answer, Client, PASSWORD, secret_file},
};

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

#[test]
fn the_checklist_and_the_tests_agree() {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let is_name = |text: &&str| text.len() > 18 && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    let listed: BTreeSet<&str> = page.split('`').filter(is_name).collect();
    let folders = ["api", "common/src", "fuzz/tests", "tui/client/src", "tui/src", "web/tests", "xtask/src"];
    let files = folders.map(|folder| files(folder, "rs")).concat();
    let functions: BTreeSet<&str> = files
        .iter()
        .flat_map(|(_, text)| text.split("fn ").skip(1))
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap())
        .collect();
    let missing: Vec<_> = listed.difference(&functions).collect();
    assert!(missing.is_empty(), "docs/security.md names tests that are not there: {missing:?}");
    // t12_…, p8_…, b2_…
    let is_row = |name: &&str| {
        let (row, rest) = name.split_once('_').unwrap_or((name, ""));
        let number = row.strip_prefix(['t', 'p', 'b', 'n', 'm', 'd', 'l']).unwrap_or_default();
        !rest.is_empty() && !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    let unlisted: Vec<_> = functions.difference(&listed).filter(|name| is_row(name)).collect();
    assert!(unlisted.is_empty(), "docs/security.md does not list {unlisted:?}");
    for (kind, count) in [('T', 23), ('P', 13), ('B', 10), ('N', 10), ('M', 2), ('D', 6), ('L', 9)] {
        for row in 1..=count {
            assert!(page.contains(&format!("\n| {kind}{row} |")), "{kind}{row} is not in docs/security.md");
        }
    }
}
