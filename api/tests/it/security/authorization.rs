//! D1 and D2 over every endpoint of `common::ENDPOINTS`: who may not is told nothing, and what the server owns nobody sets.
//! A new endpoint fails here until somebody says which rule it asks.

use std::collections::BTreeMap;

use common::{
    Access, ENDPOINTS,
    access::Action,
    endpoint::{Dialect, EndpointInfo},
    endpoints::{changes, collections, records, schema, sessions, setup, users},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    contract::{filled, fitting, is_any},
    support::{Answer, Client, Coffer, path, text},
};

const NO_ID: &str = "01920000-0000-7000-8000-000000000001";

async fn define(admin: &Client, name: &str, access: Value) {
    let fields = json!([{"name": "title", "type": "text"}]);
    let body = json!({"name": name, "fields": fields, "access": access});
    admin.post("/api/collections/", &body).await.is(201);
}

/// Rules under which `action`, and viewing where it needs that, is `rule`'s and everything else nobody's.
fn only(action: Action, rule: &str) -> Value {
    let opened = opened(action);
    Action::ALL
        .iter()
        .map(|a| (a.name().to_owned(), json!([if opened.contains(a) { rule } else { "nobody" }])))
        .collect()
}

/// What is changed or deleted has to be seen.
fn opened(action: Action) -> &'static [Action] {
    match action {
        Action::List => &[Action::List],
        Action::View => &[Action::View],
        Action::Create => &[Action::Create],
        Action::Update => &[Action::Update, Action::View],
        Action::Delete => &[Action::Delete, Action::View],
    }
}

/// The parameters of an endpoint's path; what is needed of them differs from endpoint to endpoint.
struct Place<'a> {
    collection: &'a str,
    record: &'a str,
    revision: &'a str,
    user: &'a str,
    session: &'a str,
}

impl Place<'_> {
    fn path(&self, info: &EndpointInfo) -> String {
        let id = if is_any!(info, users::Get, users::Update, users::Delete) {
            self.user
        } else if is_any!(info, sessions::End) {
            self.session
        } else {
            self.record
        };
        filled(info, &[("collection", self.collection), ("id", id), ("revision", self.revision)])
    }
}

async fn call(client: &Client, info: &EndpointInfo, path: &str, body: Option<&Value>) -> Answer {
    let mut request = client.request(info.method.clone(), path).header("x-coffer", "1");
    if let Some(body) = body.filter(|_| info.method != Method::GET && info.method != Method::DELETE) {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Answer::of(request).await
}

/// An answer as two callers can compare it.
fn comparable(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    // Which headers there are, but for what an allowance says of itself.
    let headers = answer.headers.keys().map(ToString::to_string).filter(|name| !name.starts_with("ratelimit"));
    (answer.status, body, headers.collect())
}

#[tokio::test]
async fn d1_on_every_endpoint_what_is_foreign_is_answered_like_what_is_absent() {
    let (coffer, admin) = Coffer::with_admin().await;
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    define(&admin, "notes", own).await;
    define(&admin, "vault", only(Action::List, "nobody")).await;
    let zenobia = coffer.user(&admin, "zenobia", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({"roles": ["reader"]})).await;
    let note = zenobia.record("notes", json!({"title": "a secret"})).await;
    let kept = admin.record("vault", json!({"title": "a secret"})).await;
    let sessions = zenobia.get("/api/sessions/").await.is(200);
    let session = text(&sessions["results"][0], "id");
    let before = (admin.get("/api/records/notes/").await.is(200), admin.get("/api/records/vault/").await.is(200));
    let users = admin.get("/api/users/").await.is(200);
    let absent = |collection| Place { collection, record: NO_ID, revision: "1", user: NO_ID, session: NO_ID };
    for (there, absent, rights) in
        [(("notes", &note), absent("notes"), true), (("vault", &kept), absent("nowhere"), false)]
    {
        let (collection, record) = there;
        let revision = record["revision"].to_string();
        let (id, user) = (text(record, "id"), zenobia.id.clone());
        let there = Place { collection, record: &id, revision: &revision, user: &user, session: &session };
        for info in ENDPOINTS.iter().filter(|info| info.path.contains('{')) {
            let about_record = matches!(info.access, Access::Rules(_)) && info.path.contains("{id}");
            let about_collection = info.path.contains("{collection}") && !about_record;
            if rights && about_collection {
                // Otto has rights of his own in this collection.
                continue;
            }
            for body in [json!({"title": "mine"}), json!({"zzz": 1})] {
                for (name, client) in [("nobody", coffer.stranger()), ("another user", otto.clone())] {
                    let foreign = call(&client, info, &there.path(info), Some(&body)).await;
                    let missing = call(&client, info, &absent.path(info), Some(&body)).await;
                    assert_eq!(comparable(&foreign), comparable(&missing), "{name} {info:?} {body}");
                    // What is described is what all records have in common, for who may look into the collection.
                    let described = foreign.status == 200 && is_any!(info, records::DescribeOne);
                    let refused = [400, 401, 403, 404].contains(&foreign.status);
                    assert!(refused || described, "{name} {info:?}: {}", foreign.text());
                    assert!(!foreign.text().contains("secret"), "{name} {info:?}");
                }
            }
        }
    }
    let after = (admin.get("/api/records/notes/").await.is(200), admin.get("/api/records/vault/").await.is(200));
    assert_eq!(before, after, "none of it did anything");
    assert_eq!(admin.get("/api/users/").await.is(200), users);
    zenobia.get("/api/users/me/").await.is(200);
    // And what names no one thing shows nothing of it either.
    for info in ENDPOINTS.iter().filter(|info| info.method == Method::GET && !info.path.contains('{')) {
        for client in [coffer.stranger(), otto.clone()] {
            let answer = call(&client, info, info.path, None).await;
            // How tokens are asked for is described in a word that is a collection's name here.
            let is_described = is_any!(info, schema::Get);
            for told in ["secret", "vault", note["id"].as_str().unwrap(), zenobia.id.as_str(), "zenobia"] {
                let text = answer.text().replace(if is_described { "No secret is ever in it" } else { "" }, "");
                assert!(!text.contains(told), "{info:?} tells {told}: {text}");
            }
        }
    }
}

/// The rules that an endpoint of records asks; several are alternatives.
fn actions(info: &EndpointInfo) -> &'static [Action] {
    if is_any!(info, records::List, records::Aggregate, records::Export, records::Trash) {
        &[Action::List]
    } else if is_any!(info, records::Describe, records::DescribeOne) {
        &[Action::List, Action::View, Action::Create]
    } else if is_any!(info, records::Create) {
        &[Action::Create]
    } else if is_any!(info, records::Get, records::History) {
        &[Action::View]
    } else if is_any!(info, records::Replace, records::Update, records::Restore) {
        &[Action::Update]
    } else if is_any!(info, records::Delete) {
        &[Action::Delete]
    } else {
        panic!("say which rule {info:?} asks")
    }
}

#[tokio::test]
async fn d1_every_endpoint_of_records_asks_the_rule_of_its_action_and_no_other() {
    let (coffer, admin) = Coffer::with_admin().await;
    define(&admin, "things", json!({})).await;
    let owner = coffer.user(&admin, "ulla", json!({})).await;
    let reader = coffer.user(&admin, "otto", json!({"roles": ["reader"]})).await;
    let nobody = coffer.stranger();
    let callers = [("nobody", &nobody), ("reader", &reader), ("owner", &owner), ("admin", &admin)];
    let set = async |access: Value| {
        admin.patch("/api/collections/things/", &json!({"access": access})).await.is(200);
    };
    for (rule, lets_in) in
        [("role:reader", vec!["reader", "admin"]), ("owner", vec!["owner", "admin"]), ("nobody", vec!["admin"])]
    {
        for action in Action::ALL {
            // What changes many at once asks for a query, and is looked at with that (`inout`).
            let of_many =
                |info: &EndpointInfo| is_any!(info, records::UpdateMany, records::DeleteMany, records::Import);
            let of_records = |info: &&EndpointInfo| info.path.starts_with("/api/records/{") && !of_many(info);
            for info in ENDPOINTS.iter().filter(of_records) {
                for (name, caller) in callers {
                    set(only(Action::Create, "signed_in")).await;
                    let record = owner.record("things", json!({"title": "hers"})).await;
                    set(only(action, rule)).await;
                    let (id, revision) = (text(&record, "id"), record["revision"].to_string());
                    let place = Place { collection: "things", record: &id, revision: &revision, user: "", session: "" };
                    let answer = call(caller, info, &place.path(info), Some(&json!({"title": "mine"}))).await;
                    let asked = actions(info).iter().any(|action_of| opened(action).contains(action_of));
                    // A signed-in user owns what they are about to create, and may list their own rows, even if there are none.
                    let of_no_record =
                        action == Action::Create || !info.path.contains("{id}") || is_any!(info, records::DescribeOne);
                    let is_in = name == "admin"
                        || asked && (lets_in.contains(&name) || rule == "owner" && of_no_record && name != "nobody");
                    let what =
                        format!("{action:?} is {rule}'s: {name} {} {}: {}", info.method, info.path, answer.text());
                    match (is_in, name) {
                        (true, _) => assert_eq!(answer.status, info.success.as_u16(), "{what}"),
                        (false, "nobody") => assert_eq!(answer.status, 401, "{what}"),
                        // Only who may see a collection or a record is told that they may not do more.
                        (false, _) => assert!([403, 404, 405].contains(&answer.status), "{what}"),
                    }
                    if !is_in && info.method != Method::GET {
                        assert_eq!(admin.get(&path("things", &record)).await.is(200), record, "{what}");
                    }
                }
            }
        }
    }
}

/// What others have set by putting it into a body, with a value that would matter.
fn members() -> BTreeMap<&'static str, Value> {
    [
        ("id", json!(NO_ID)),
        ("_id", json!(1)),
        ("owner", json!(NO_ID)),
        ("owner_id", json!(NO_ID)),
        ("user", json!(NO_ID)),
        ("user_id", json!(NO_ID)),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("updated_at", json!("2020-01-01T00:00:00Z")),
        ("last_login", json!("2020-01-01T00:00:00Z")),
        ("version", json!(1)),
        ("is_admin", json!(true)),
        ("is_staff", json!(true)),
        ("is_superuser", json!(true)),
        ("is_active", json!(false)),
        ("role", json!("admin")),
        ("roles", json!(["admin"])),
        ("permissions", json!(["*"])),
        ("password_hash", json!("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")),
        ("hash", json!("x")),
        ("sid", json!(NO_ID)),
        ("code", json!("x")),
        ("__proto__", json!({"is_admin": true})),
        ("constructor", json!({"prototype": {"is_admin": true}})),
        ("collection", json!("vault")),
        ("access", json!({"view": ["anyone"]})),
    ]
    .into()
}

/// What an endpoint's body is for, of these members.
fn takes(info: &EndpointInfo) -> &'static [&'static str] {
    if is_any!(info, users::Create, users::Update) {
        &["roles", "is_admin", "is_active", "email", "claims"]
    } else if is_any!(info, collections::Create, collections::Replace, collections::Update) {
        &["access"]
    } else if is_any!(info, changes::Erase) {
        &["user"]
    } else {
        &[]
    }
}

/// Whether a member of a record is left out of what was sent, as Django REST Framework does it.
fn is_read_only(info: &EndpointInfo, member: &str) -> bool {
    let of_new = info.method == Method::POST && ["id", "revision"].contains(&member);
    info.path.starts_with("/api/records/") && (of_new || ["created_at", "updated_at"].contains(&member))
}

#[tokio::test]
async fn d2_on_every_endpoint_what_the_server_owns_cannot_be_set() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let mut n = 0;
    for info in ENDPOINTS.iter().filter(|info| !is_any!(info, setup::Create)) {
        let lenient = info.errors == Dialect::SimpleJwt || info.access == Access::BrowserSignIn;
        for (member, value) in members() {
            n += 1;
            let (client, target, body) = fitting(&coffer, &admin, info, n).await;
            let Some(mut body) = body.filter(|body| body.is_object() && body.get(member).is_none()) else { break };
            if takes(info).contains(&member) {
                continue;
            }
            body[member] = value.clone();
            let users = admin.get("/api/users/").await.is(200);
            let answer = call(&client, info, &target, Some(&body)).await;
            if lenient {
                assert!(answer.status < 300, "{info:?} {member}: {}", answer.text());
                let mut now = admin.get("/api/users/").await.is(200);
                let (mut then, now) = (users, &mut now);
                for list in [&mut then, now] {
                    // A sign-in is noted.
                    list["results"]
                        .as_array_mut()
                        .unwrap()
                        .iter_mut()
                        .for_each(|user| user["last_login"] = Value::Null);
                }
                assert_eq!(&then, now, "{info:?} {member}");
            } else if is_read_only(info, member) {
                assert!(answer.status < 300, "{info:?} {member}: {}", answer.text());
                assert_ne!(answer.is(answer.status)[member], value, "{info:?} {member}");
            } else {
                let refused = answer.refused(400);
                assert!(refused.errors.0.contains_key(member), "{info:?} {member}: {refused:?}");
                assert_eq!(admin.get("/api/users/").await.is(200), users, "{info:?} {member}");
            }
            if info.access == Access::SignedIn {
                let me = client.get("/api/users/me/").await.is(200);
                assert_eq!(me["is_admin"], client.id == admin.id, "{info:?} {member}");
            }
        }
    }
    // What comes back from the journal or from an array is no way round.
    let refused = admin.post("/api/records/snacks/", &json!([{"title": "x"}, {"title": "y", "owner": NO_ID}])).await;
    assert!(refused.refused(400).errors.0.contains_key("1.owner"), "{}", refused.text());
    assert_eq!(admin.column("/api/records/snacks/?title=x", "id").await.len(), 0);
}
