//! The server under test and a client of it: the real binary on a port of its own over an empty data directory, called
//! through `common`'s endpoints, or by hand for what no client of ours would send. Every answer, whatever the test is about,
//! is checked for what all answers promise: a request id, a problem document where it is a refusal, and never a 5xx.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{
    Call, CallError, Endpoint, Problem, Reply,
    endpoints::{tokens, users},
    user::User,
};
use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::server::Server;

pub(crate) mod certificate;
pub(crate) mod leaks;
pub(crate) mod schema;
pub(crate) mod server;

/// The first admin of every test.
pub(crate) const ADMIN: &str = "ada";
/// Everyone's password.
pub(crate) const PASSWORD: &str = "grows seven quinces a year";

/// A server that is up over a directory of its own. It is killed with the value, and what it leaves behind must fit together: every
/// index entry, unique value, count and reference.
pub(crate) struct Coffer {
    /// `http://127.0.0.1:<port>`
    pub base: String,
    /// Makes the first admin.
    pub setup_code: String,
    /// Gone when the value is being dropped.
    server: Option<Server>,
    data: TempDir,
}

impl Coffer {
    /// Starts a server on an empty store. It has no admin yet.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with further arguments of the server's.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let data_dir = data.path().join("data");
        let mut server = Server::spawn(&data_dir, &mut server::serve_with_cheap_passwords(&data_dir, options));
        Self { base: server.base.clone(), setup_code: server.setup_code(), server: Some(server), data }
    }

    /// A server whose first admin is there, and that admin.
    pub(crate) async fn with_admin() -> (Self, Client) {
        Self::with_admin_and(&[]).await
    }

    /// The same with further arguments of the server's.
    pub(crate) async fn with_admin_and(options: &[&str]) -> (Self, Client) {
        let coffer = Self::start_with(options);
        let body = json!({"code": coffer.setup_code, "username": ADMIN, "password": PASSWORD});
        coffer.stranger().post("/api/setup/", &body).await.is(201);
        let admin = coffer.sign_in(ADMIN).await;
        (coffer, admin)
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it is there until the drop")
    }

    /// Somebody without a token.
    pub(crate) fn stranger(&self) -> Client {
        // It is killed, not asked to end, so connections may stay open as they do with other clients.
        let http = server::http_client().build().unwrap();
        Client { http, ..self.server().stranger() }
    }

    /// A new session of a user with [`PASSWORD`].
    pub(crate) async fn sign_in(&self, username: &str) -> Client {
        self.stranger().signed_in(username).await
    }

    /// Makes a user, with further members of the body, and signs them in.
    pub(crate) async fn user(&self, admin: &Client, username: &str, more: Value) -> Client {
        let mut body = json!({"username": username, "password": PASSWORD});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let made = admin.post("/api/users/", &body).await.is(201);
        let user: User = serde_json::from_value(made).unwrap();
        assert_eq!(user.username.as_str(), username);
        self.sign_in(username).await
    }
}

impl Drop for Coffer {
    fn drop(&mut self) {
        drop(self.server.take());
        // A test that fails already has enough to say.
        if !std::thread::panicking() {
            let checked = server::said(&server::coffer(&["check"], &self.data.path().join("data")));
            assert!(checked.starts_with("0: "), "{checked}");
        }
    }
}

/// The real binary. What is set where the tests run is not meant for it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COFFER_")) {
        command.env_remove(name);
    }
    command
}

/// Somebody who calls the server, with or without an access token.
#[derive(Clone)]
pub(crate) struct Client {
    pub http: reqwest::Client,
    /// `http://127.0.0.1:<port>`
    pub base: String,
    pub access: Option<String>,
    /// The user's id; empty for a stranger.
    pub id: String,
}

impl Client {
    /// Calls an endpoint the way both clients do.
    pub(crate) async fn send<E: Endpoint>(&self, call: Call<E>) -> Result<Reply<E::Response>, CallError> {
        let (parts, body) = call.to_request().into_parts();
        let path = parts.uri.path_and_query().unwrap().as_str();
        let answer = Answer::of(self.request(parts.method, path).headers(parts.headers).body(body)).await;
        call.read(answer.status.try_into().unwrap(), &answer.headers, &answer.body)
    }

    /// The same client in a new session of a user with [`PASSWORD`].
    pub(crate) async fn signed_in(self, username: &str) -> Self {
        let credentials = tokens::Credentials { username: username.to_owned(), password: PASSWORD.to_owned() };
        let pair = self.send(Call::<tokens::Obtain>::new((), credentials)).await.unwrap().body;
        let client = Self { access: Some(pair.access), ..self };
        let me = client.send(Call::<users::Me>::new((), ())).await.unwrap().body;
        Self { id: me.id.to_string(), ..client }
    }

    /// A request by hand, with the token where there is one. It asks for problem documents, which tests read.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.plain(method, path).header(ACCEPT, "application/json, application/problem+json")
    }

    /// A request as other people's clients send it, which have never heard of problem documents.
    pub(crate) fn plain(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.access {
            Some(access) => request.bearer_auth(access),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.raw(method, path, "application/json", body.to_string()).await
    }

    pub(crate) async fn raw(&self, method: Method, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.request(method, path).header(CONTENT_TYPE, kind).body(body)).await
    }

    /// Makes a collection with the rules that are the default.
    pub(crate) async fn collection(&self, name: &str, fields: Value) -> Value {
        self.post("/api/collections/", &json!({"name": name, "fields": fields})).await.is(201)
    }

    /// Makes one record.
    pub(crate) async fn record(&self, collection: &str, body: Value) -> Value {
        self.post(&format!("/api/records/{collection}/"), &body).await.is(201)
    }

    /// One member of every row of a list, which fits on one page.
    pub(crate) async fn column(&self, path: &str, member: &str) -> Vec<Value> {
        let page = self.get(path).await.is(200);
        let rows = page["results"].as_array().unwrap();
        assert_eq!(page["next"], Value::Null, "{path} has more than one page");
        assert_eq!(page["count"], rows.len(), "{path}");
        rows.iter().map(|row| row[member].clone()).collect()
    }
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// Sends a request and checks what holds for every answer.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        leaks::remember_sent(&request);
        let what = format!("{} {}", request.method(), request.url());
        let head = request.method() == Method::HEAD;
        let accepts =
            request.headers().get_all(ACCEPT).iter().any(|accept| accept.as_bytes().ends_with(b"/problem+json"));
        let mut response = client.execute(request).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let is_endless = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_endless {
            response.chunk().await.unwrap().unwrap_or_default().to_vec()
        } else {
            response.bytes().await.unwrap().to_vec()
        };
        let answer = Self { status, headers, body };
        assert!(status < 500, "{what} was answered with {status} {}", answer.text());
        assert!(!answer.header("x-request-id").is_empty(), "{what} has no request id");
        if status >= 400 && !head {
            if accepts {
                answer.problem();
            } else {
                answer.drf();
            }
            assert_eq!(leaks::find(&answer.body), None, "{what} was refused with a secret");
        }
        answer
    }

    /// The problem document, with all that every one of them has.
    pub(crate) fn problem(&self) -> Problem {
        let problem: Problem = serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error} in {:?}", self.status, self.text()));
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(problem.status, self.status);
        assert!(problem.kind.starts_with("/problems/"), "{problem:?}");
        assert!(!problem.title.is_empty() && !problem.detail.is_empty() && !problem.code.is_empty(), "{problem:?}");
        assert_eq!(problem.request_id, self.header("x-request-id"));
        let challenge = self.header("www-authenticate");
        match self.status {
            401 => assert!(challenge.contains(" realm=\"api\""), "{problem:?} {challenge}"),
            // RFC 6750 §3.1: the token is good, and not enough.
            403 if !challenge.is_empty() => assert!(challenge.ends_with("error=\"insufficient_scope\""), "{challenge}"),
            400 if problem.code == "invalid_request" => assert!(challenge.ends_with("error=\"invalid_request\"")),
            _ => assert_eq!(challenge, "", "{problem:?}"),
        }
        problem
    }

    /// What a client of Django REST Framework reads.
    pub(crate) fn drf(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(self.header("vary").starts_with("Accept"), "{:?}", self.headers);
        let body = serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()));
        assert!(matches!(body, Value::Object(_) | Value::Array(_)), "{body}");
        body
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body of an answer that must have this status; null where there is none, or one that is no JSON.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() || !self.header("content-type").ends_with("json") {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    /// The problem of an answer that must have this status.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> Problem {
        assert_eq!(self.status, status, "{}", self.text());
        self.problem()
    }

    /// The messages of a 400 as `field: message`, in order.
    #[track_caller]
    pub(crate) fn faults(&self) -> Vec<String> {
        let problem = self.refused(400);
        let faults = problem.errors.0.iter();
        faults
            .flat_map(|(field, errors)| errors.iter().map(move |error| format!("{field}: {}", error.message)))
            .collect()
    }
}

/// A text member.
#[track_caller]
pub(crate) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no text \"{member}\" in {value}")).to_owned()
}

/// A record's id as a text, whichever it is.
#[track_caller]
pub(crate) fn id(record: &Value) -> String {
    record["id"].as_i64().map_or_else(|| text(record, "id"), |number| number.to_string())
}

/// A claim of a token, as it is signed.
pub(crate) fn claim(token: &str, name: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()[name].clone()
}

/// A record's address.
#[track_caller]
pub(crate) fn path(collection: &str, record: &Value) -> String {
    format!("/api/records/{collection}/{}/", id(record))
}

/// A file that only its owner reads.
pub(crate) fn secret_file(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}
