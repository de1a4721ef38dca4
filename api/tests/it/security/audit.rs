//! What the server remembers and says of all this: the journal names who, whence and when; no secret is in it, in the log at
//! its most talkative, or in an error.

use common::change::Subject;
use reqwest::Method;
use serde_json::{Value, json};

use super::{NEW_PASSWORD, browser::over_http_2, from_page, journal, refresh, secret_file, tokens, try_obtain, user};
use crate::support::{
    ADMIN, Answer, Client, Coffer, PASSWORD,
    server::{Server, terminate},
};

#[tokio::test]
async fn every_matter_of_signing_in_is_in_the_journal_with_who_whence_and_when() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rotation", "strict"]).await;
    let (ulla, pair) = user(&admin, "ulla").await;
    let address = format!("/api/users/{}/", ulla.id);
    let sessions_of_ulla = format!("/api/sessions/?user={}", ulla.id);
    let wrong = "not the password at all";
    let start = journal(&admin).await.last().unwrap().revision;

    for _ in 0..32 {
        try_obtain(&admin, "ulla", wrong).await;
    }
    try_obtain(&admin, "typed-a-password-as-the-name", wrong).await.refused(401);
    tokens(&refresh(&admin, Some(&pair.refresh)).await);
    refresh(&admin, Some(&pair.refresh)).await.refused(401);
    admin.patch(&address, &json!({"is_admin": true, "roles": ["cook"]})).await.is(200);
    admin.patch(&address, &json!({"password": NEW_PASSWORD})).await.is(200);
    admin.patch(&address, &json!({"is_active": false})).await.is(200);
    let change = json!({"current_password": wrong, "new_password": NEW_PASSWORD});
    admin.post("/api/users/me/password/", &change).await.refused(400);
    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    admin.post("/api/users/me/password/", &change).await.is(204);
    let own = tokens(&try_obtain(&admin, ADMIN, NEW_PASSWORD).await);
    admin.post("/api/token/blacklist/", &json!({"refresh": own.refresh})).await.is(200);
    tokens(&try_obtain(&admin, ADMIN, NEW_PASSWORD).await);
    admin.delete("/api/sessions/").await.is(204);
    admin.delete(&sessions_of_ulla).await.is(204);
    admin.delete(&address).await.is(204);

    let noted = admin.get(&format!("/api/changes/?after={start}")).await;
    let noted: common::change::Changes = serde_json::from_value(noted.is(200)).unwrap();
    let own_id = admin.id.as_str();
    let told: Vec<(Subject, &str, Option<String>)> = noted
        .results
        .iter()
        .map(|change| (change.subject, change.action.as_str(), change.by.map(|by| by.to_string())))
        .collect();
    let by_admin = |subject, action| (subject, action, Some(own_id.to_owned()));
    let mut due = vec![(Subject::User, "sign_in_refused", None); 30];
    due.extend([
        (Subject::User, "sign_in_locked", None),
        (Subject::User, "sign_in_refused", None),
        (Subject::Session, "replay", None),
        by_admin(Subject::User, "update"),
        by_admin(Subject::User, "password"),
        by_admin(Subject::User, "update"),
        by_admin(Subject::User, "password_refused"),
        by_admin(Subject::User, "password"),
        by_admin(Subject::Session, "sign_in"),
        by_admin(Subject::Session, "sign_out"),
        by_admin(Subject::Session, "sign_in"),
        by_admin(Subject::Session, "end"),
        by_admin(Subject::User, "delete"),
    ]);
    assert_eq!(told, due);
    for change in &noted.results {
        assert_eq!(change.address, "127.0.0.1", "{change:?}");
        assert!(change.at.ends_with('Z') && change.at.len() >= 20, "{change:?}");
        let about_ulla = ["sign_in_refused", "sign_in_locked", "update", "delete"].contains(&change.action.as_str());
        assert!(!about_ulla || [ulla.id.as_str(), ""].contains(&change.id.as_str()), "{change:?}");
    }
    let roles = noted.results.iter().find(|change| change.action.as_str() == "update").unwrap();
    assert_eq!((&roles.before["is_admin"], &roles.after["is_admin"]), (&json!(false), &json!(true)));
    assert_eq!((&roles.before["roles"], &roles.after["roles"]), (&json!([]), &json!(["cook"])));
}

/// What must never be seen, and everything that was answered.
struct Script {
    client: Client,
    secrets: Vec<String>,
    refusals: String,
}

impl Script {
    /// A token is known by each of its parts but the header, which is the same for all.
    fn keep_token(&mut self, token: &str) {
        let token = token.rsplit_once('=').map_or(token, |(_, value)| value);
        self.secrets.extend(token.split('.').skip(1).map(str::to_owned));
    }

    fn keep(&mut self, answer: &Answer) {
        if answer.status >= 400 {
            self.refusals.push_str(&answer.text());
        }
        for name in ["access", "refresh"] {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if let Some(token) = body[name].as_str() {
                self.keep_token(token);
            }
        }
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let answer = self.client.post(path, body).await;
        self.keep(&answer);
        answer
    }

    /// Signs in, refreshes, replays, changes passwords and does everything wrong once.
    async fn run(&mut self, server: &mut Server) {
        let [first, second, wrong] =
            ["canary-one grows quinces", "canary-two grows quinces", "canary-bad grows quinces"].map(str::to_owned);
        let typed = "canary-typed-as-a-name".to_owned();
        let code = server.setup_code();
        self.secrets.extend([first.clone(), second.clone(), wrong.clone(), typed.clone(), code.clone()]);
        let setup = json!({"code": code, "username": ADMIN, "password": first});
        self.post("/api/setup/", &json!({"code": typed, "username": ADMIN, "password": first})).await.refused(400);
        self.post("/api/setup/", &setup).await.is(201);
        self.post("/api/setup/", &setup).await.refused(409);
        for (name, password) in [(ADMIN, &wrong), (&typed, &first), ("a\nroot login ok", &wrong)] {
            self.post("/api/token/", &json!({"username": name, "password": password})).await.refused(401);
        }
        self.post("/api/token/", &json!({"username": [typed], "password": {"a": wrong}})).await.refused(400);
        let pair = tokens(&self.post("/api/token/", &json!({"username": ADMIN, "password": first})).await);
        self.client.access = Some(pair.access.clone());
        self.post("/api/token/verify/", &json!({"token": pair.access})).await.is(200);
        self.post("/api/token/refresh/", &json!({"refresh": pair.refresh})).await.is(200);
        let cut = &pair.access[..pair.access.len() - 4];
        self.post("/api/token/verify/", &json!({"token": cut})).await.refused(401);
        self.post("/api/users/me/password/", &json!({"current_password": wrong, "new_password": second}))
            .await
            .refused(400);
        self.post("/api/users/me/password/", &json!({"current_password": first, "new_password": second})).await.is(204);
        let short = json!({"username": "ulla", "password": "canary-short"});
        self.secrets.push("canary-short".to_owned());
        self.post("/api/users/", &short).await.refused(400);
        self.post("/api/users/", &json!({"username": "ulla", "password": second})).await.is(201);

        // The web app's session, over HTTP/1.1 and HTTP/2.
        let credentials = json!({"username": "ulla", "password": second});
        let page = from_page(&self.client, Method::POST, "/api/session/", "", Some(credentials)).await;
        self.keep(&page);
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        self.keep_token(&cookie);
        let bearer = format!("Bearer {}", pair.access);
        let head = [(":method", "GET"), (":path", "/api/users/me/?x=canary-query"), ("authorization", &bearer)];
        self.refusals.push_str(&over_http_2(server.authority(), &head).await);
        let head = [
            (":method", "POST"),
            (":path", "/api/session/refresh/"),
            ("x-coffer", "1"),
            ("cookie", &cookie),
            ("origin", "http://evil.example"),
        ];
        self.refusals.push_str(&over_http_2(server.authority(), &head).await);
        let out = from_page(&self.client, Method::POST, "/api/session/refresh/", &cookie, None).await;
        self.keep(&out);
        let new = out.header("set-cookie").split(';').next().unwrap().to_owned();
        self.keep_token(&new);
        let replayed = from_page(&self.client, Method::POST, "/api/session/refresh/", &cookie, None).await;
        self.keep(&replayed);
        from_page(&self.client, Method::DELETE, "/api/session/", &new, None).await.is(204);

        // What is in the address, in odd headers and in bodies that cannot be read.
        self.secrets.extend(["canary-query", "canary-header", "canary-body", "canary-form"].map(str::to_owned));
        let odd = self.client.http.get(format!("{}/api/users/me/?password=canary-query", self.client.base));
        let odd = Answer::of(odd.header("authorization", "Bearer canary-header canary-header")).await;
        self.keep(&odd);
        for (kind, body) in [
            ("application/json", "{\"password\": \"canary-body"),
            ("application/json", "{\"password\": \"canary-body\", \"password\": \"canary-body\"}"),
            ("application/x-www-form-urlencoded", "username=ada&password=canary-form"),
            ("text/plain", "canary-body"),
        ] {
            let answer = self.client.raw(Method::POST, "/api/token/", kind, body).await;
            self.keep(&answer);
        }
        let fields = json!([{"name": "title", "type": "text"}]);
        self.post("/api/collections/", &json!({"name": "snacks", "fields": fields})).await.is(201);
        self.post("/api/records/snacks/", &json!({"title": "record-canary"})).await.is(201);
        self.client.get("/api/records/snacks/?search=canary-query").await.is(200);
        self.client.get("/a%0Aroot login ok/%1b%5b2Jx.js").await.refused(404);
        let again = tokens(&self.post("/api/token/", &json!({"username": ADMIN, "password": second})).await);
        self.post("/api/token/blacklist/", &json!({"refresh": again.refresh})).await.is(200);
    }
}

#[tokio::test]
async fn l1_l2_no_secret_is_in_the_log_at_trace_level_in_the_journal_or_in_an_error() {
    const KEY: &str = "canary-key-Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pA";
    for format in ["text", "json"] {
        let dir = tempfile::tempdir().unwrap();
        let key = secret_file(dir.path(), "key", KEY.as_bytes());
        let key = key.to_str().unwrap();
        let args = ["--log", format, "--log-level", "trace", "--signing-key-file", key];
        let mut server = Server::start(&dir.path().join("data"), &args);
        let mut script = Script { client: server.stranger(), secrets: vec![KEY.to_owned()], refusals: String::new() };
        script.run(&mut server).await;
        let journal = script.client.get("/api/changes/").await;
        let journal = journal.is(200).to_string();
        let log = server.log();
        assert!(log.lines().count() > 50, "the log tells of every request");
        script.secrets.push("$argon2".to_owned());
        for secret in &script.secrets {
            for (place, text) in [("log", &log), ("journal", &journal), ("refusals", &script.refusals)] {
                assert!(!text.contains(secret.as_str()), "{secret} is in the {place}: {:?}", around(text, secret));
            }
        }
        assert!(!log.contains("record-canary"), "{:?}", around(&log, "record-canary"));
        assert!(journal.contains("record-canary"), "the journal does have records");
        assert!(!log.contains('\u{1b}') && !log.lines().any(|line| line.trim_start().starts_with("root login")));
        if format == "json" {
            for line in log.lines() {
                serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            }
        }
    }
}

#[tokio::test]
async fn l2_every_request_has_one_line_with_who_whence_and_what_and_the_last_one_is_written_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--log", "json"]);
    let admin = server.set_up().await;
    let user = admin.get("/api/users/me/").await;
    admin.get("/api/records/snacks/01920000-0000-7000-8000-000000000001/?search=popcorn").await.refused(404);
    server.stranger().get("/api/users/me/").await.refused(401);
    server.stranger().get("/a%0Aroot login ok.js").await.refused(404);
    server.stranger().get("/no-such-file.js").await.refused(404);
    let last = admin.get("/healthz").await;
    terminate(&server.child);
    assert!(server.child.wait().unwrap().success());
    let log = server.log();

    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |answer: &Answer| {
        let id = answer.header("x-request-id");
        let lines: Vec<&Value> =
            lines.iter().filter(|line| line["target"] == "coffer::access" && line["request_id"] == id).collect();
        assert_eq!(lines.len(), 1, "{log}");
        lines[0].clone()
    };
    let me = line(&user);
    let expected = json!({
        "level": "INFO", "method": "GET", "route": "/api/users/me/", "status": 200, "user": admin.id, "name": ADMIN,
        "client": "127.0.0.1", "bytes": user.body.len()
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&me[name], value, "{name} in {me}");
    }
    assert!(me["ms"].as_f64().unwrap() > 0.0 && me["timestamp"].as_str().unwrap().ends_with('Z'), "{me}");
    let routes: Vec<&str> = lines.iter().filter_map(|line| line["route"].as_str()).collect();
    assert!(routes.contains(&"/api/records/{collection}/{id}/"), "{routes:?}");
    assert_eq!(routes.iter().filter(|route| **route == "none").count(), 2, "{routes:?}");
    assert!(!log.contains("popcorn") && !log.contains("root login") && !log.contains("no-such-file"), "{log}");
    assert_eq!(line(&last)["route"], "/healthz");
    let stopping = |line: &Value| line["message"].as_str().is_some_and(|message| message.starts_with("stopping"));
    assert!(lines.iter().any(stopping), "{log}");
}

/// A secret with its neighbourhood, to see who let it out.
fn around<'a>(text: &'a str, secret: &str) -> &'a str {
    let at = text.find(secret).unwrap_or_default();
    &text[text.floor_char_boundary(at.saturating_sub(300))..text.ceil_char_boundary((at + 200).min(text.len()))]
}
