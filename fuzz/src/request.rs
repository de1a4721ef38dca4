//! Requests, to the whole service less the connections: routes, sign-in, access rules, records, the store.

use std::{net::IpAddr, sync::LazyLock};

use auth::{
    keys::KeyRing,
    password::{Hasher, HasherSettings, PasswordHash, Peppers},
    token::{TokenSettings, TokenType},
};
use base::{Clock, Entropy};
use bytes::Bytes;
use coffer::{
    assets::Assets,
    domain::{App, Parts, check, collections, journal::Actor, keyspace, records, sessions::StoredSession, users},
    limits::{self, Limits},
    routes,
};
use common::{
    access::Caller, clean::Manner, collection::Definition, endpoints::users::NewUser, id::SessionId, json,
    name::CollectionName, reader::Body, record::OneOrMany,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use server::{problem::Representation, request::Connection};
use store::{Options, Store};
use tower::ServiceExt;

use crate::{runtime, split_at};

const NOW: i64 = 1_800_000_000;
/// Stands in a record that only admins may see.
const SECRET: &str = "a-locked-box-within-the-box";
/// Requests in one input at most.
const MAX_REQUESTS: usize = 6;

/// What is made once, since making it takes a while.
struct Made {
    runtime: tokio::runtime::Runtime,
    clock: Clock,
    ring: KeyRing,
    hasher: Hasher,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (clock, _) = Clock::held(NOW);
    let entropy = Entropy::seeded(1);
    Made {
        ring: KeyRing::open(folder.path(), &clock, &entropy).expect("a ring can be made"),
        hasher: Hasher::new(HasherSettings::default(), Peppers::default(), entropy).expect("the defaults are allowed"),
        runtime: runtime(),
        clock,
    }
});

/// A service on an empty store, for one input.
struct Scene {
    app: App,
    /// The tokens of an admin and of a user without rights.
    tokens: [(&'static str, String); 2],
    /// A record that everybody may see.
    record: String,
}

/// Whatever is asked, in any order: no answer is a fault of the server's, every refusal is a problem document, what only admins may see is shown to
/// admins, nobody without a token gets into the API, and afterwards everything in the store fits together.
///
/// Requests are parted by a line `---`. Each is a line with method and path, headers, an empty line and the body. `as: admin` and `as: ada` stand
/// for their tokens, `{id}` for the id of a record that is there. A body is JSON where no content type says otherwise.
pub fn request(bytes: &[u8]) {
    MADE.runtime.block_on(async {
        let scene = Scene::new().await;
        let mut rest = String::from_utf8_lossy(bytes).replace("{id}", &scene.record).into_bytes();
        for _ in 0..MAX_REQUESTS {
            let (one, others) = split_at(&rest, b"\n---\n");
            if let Some((request, who)) = scene.read(&one) {
                scene.ask(request, who).await;
            }
            if others.is_empty() {
                break;
            }
            rest = others;
        }
        let report = check::check(&scene.app.core().store, &mut |_| {}).await.expect("memory can be read");
        assert!(report.is_sound(), "the store does not fit together: {:?}", report.findings);
    });
}

impl Scene {
    async fn new() -> Self {
        let (clock, entropy) = (MADE.clock.clone(), Entropy::seeded(2));
        let store = Store::open(Options::memory()).expect("a store in memory opens");
        let parts = Parts::new(store, clock, entropy, &MADE.ring, TokenSettings::default(), MADE.hasher.clone());
        let app = App::new(parts.expect("the key signs and verifies"));
        let (admin, admins) = sign_in(&app, "grace", true).await;
        let (_, adas) = sign_in(&app, "ada", false).await;
        let mut record = String::new();
        for (definition, body) in [
            (
                json!({"name": "words", "fields": [
                    {"name": "word", "type": "text", "max_length": 255, "required": true, "unique": true, "indexed": true},
                    {"name": "count", "type": "integer", "indexed": true, "nullable": true},
                    {"name": "price", "type": "decimal", "nullable": true},
                    {"name": "at", "type": "datetime", "nullable": true},
                    {"name": "like", "type": "reference", "collection": "words", "on_delete": "cascade", "nullable": true},
                    {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
                    {"name": "more", "type": "json", "nullable": true},
                ], "access": {"list": ["anyone"], "view": ["anyone"], "create": ["signed_in"], "update": ["signed_in"], "delete": ["owner"]}}),
                json!([{"word": "box"}, {"word": "lid", "count": 3, "price": "1.50"}]),
            ),
            (
                json!({"name": "locked", "fields": [{"name": "text", "type": "text"}],
                    "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}}),
                json!([{"text": SECRET}]),
            ),
        ] {
            let definition = Definition::from_json(definition).expect("the definition is one");
            let name: CollectionName = definition.name.clone();
            collections::create(app.core(), &admin, definition).await.expect("the collection is new");
            let body = OneOrMany::from_json(body).expect("these are records");
            let made = records::create(app.core(), Actor::local(&admin), &name, body, Manner::json(&admin))
                .await
                .expect("the records fit");
            if record.is_empty() {
                record = made[0].id.to_string();
            }
        }
        Self { app, tokens: [("admin", admins), ("ada", adas)], record }
    }

    /// A request, and who sends it as far as we vouch for it.
    fn read(&self, bytes: &[u8]) -> Option<(Request<Full<Bytes>>, Option<&'static str>)> {
        let (head, body) = split_at(bytes, b"\n\n");
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = std::str::from_utf8(lines.next()?).ok()?;
        let (method, path) = line.split_once(' ')?;
        let mut request = Request::new(Full::new(Bytes::from(body.clone())));
        *request.method_mut() = method.parse::<Method>().ok()?;
        *request.uri_mut() = path.parse::<Uri>().ok().filter(|uri| uri.path().starts_with('/'))?;
        request.extensions_mut().insert(Connection { client: IpAddr::from([203, 0, 113, 9]), is_secure: true });
        let headers = request.headers_mut();
        let mut who = None;
        for line in lines {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name == b"as" {
                let known = self.tokens.iter().find(|(known, _)| known.as_bytes() == value);
                if let Some((known, token)) = known {
                    who = Some(*known);
                    headers.append(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).ok()?);
                }
            } else if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
        }
        if !body.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Some((request, who))
    }

    async fn ask(&self, request: Request<Full<Bytes>>, who: Option<&'static str>) {
        let told = format!("{} {} by {who:?}", request.method(), request.uri());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let options = routes::Options {
            limits: Limits::new(limits::Settings::off(), self.app.core().clock.clone()),
            ..routes::Options::default()
        };
        let headers = request.headers().clone();
        let service = warp::service(routes::filter(self.app.clone(), Assets::default(), options));
        let answer = service.oneshot(request).await.expect("the service does not fail");
        let (status, kind) = (answer.status(), media_type(&answer));
        // Without a built web app its addresses answer 503, and events go on for ever.
        if (status == StatusCode::SERVICE_UNAVAILABLE && !path.starts_with("/api/")) || kind == "text/event-stream" {
            return;
        }
        assert!(!status.is_server_error(), "{told}: {status}");
        let body = answer.into_body().collect().await.expect("an answer has an end").to_bytes();
        if who != Some("admin") {
            let secret = SECRET.as_bytes();
            assert!(!body.windows(secret.len()).any(|part| part == secret), "{told}: sees what only admins may see");
        }
        if who.is_none() && status.is_success() {
            let is_open = ["/api/users/", "/api/sessions/", "/api/changes/", "/api/backup/", "/api/records/locked/"];
            assert!(
                method == Method::OPTIONS || !is_open.iter().any(|closed| path.starts_with(closed)),
                "{told}: {status}"
            );
        }
        if status.is_client_error() && method != Method::HEAD {
            let problem = json::parse_value(&body).unwrap_or_else(|error| panic!("{told}: {error}"));
            let wants_problem = Representation::of(&headers) == Representation::Problem;
            assert_eq!(kind == "application/problem+json", wants_problem, "{told}: {status}");
            assert!(!wants_problem || problem["status"].as_u64() == Some(status.as_u16().into()), "{told}");
        }
        if kind == "application/json" && method != Method::HEAD {
            let value: Result<Value, _> = serde_json::from_slice(&body);
            assert!(value.is_ok(), "{told}: {}", String::from_utf8_lossy(&body));
        }
    }
}

fn media_type<B>(answer: &Response<B>) -> String {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().to_owned()
}

/// A user who is signed in, without the cost of a password.
async fn sign_in(app: &App, username: &str, is_admin: bool) -> (Caller, String) {
    let new = NewUser { is_admin, ..NewUser::new(username.parse().expect("a name"), String::new()) };
    let hash = PasswordHash::from_stored("none".to_owned());
    let (user, mut batch) =
        users::stage_create(app.core(), Actor::local(&Caller::Anonymous), new, None, &hash).await.expect("a user fits");
    let session = SessionId::from_uuid(app.core().ids.next_id());
    let (access, claims) = app.auth().issuer.issue(TokenType::Access, user.id, session, None);
    let stored = StoredSession {
        user: user.id,
        created_at: app.core().timestamp(),
        last_used: app.core().timestamp(),
        expires_at: NOW + 3600,
        idle_until: NOW + 3600,
        refresh: claims.id,
        successor: None,
        used_from: Vec::new(),
        shared_by: Vec::new(),
        ended: None,
        address: String::new(),
        user_agent: String::new(),
    };
    let stored = serde_json::to_vec(&stored).expect("a session can be written");
    batch.put(keyspace::session(session), stored).put(keyspace::user_session(user.id, session), Vec::new());
    app.core().store.commit(batch).await.expect("the user is new");
    let caller = Caller::User { id: user.id, is_admin, roles: Vec::new() };
    (caller, access.into_string())
}
