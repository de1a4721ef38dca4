//! Access rules over every route: who gets in, and that what a caller may not see is for them exactly what is not there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path, text};

const NO_ID: &str = "01920000-0000-7000-8000-000000000001";

/// An answer as two callers can compare it.
fn comparable(answer: &Answer) -> (u16, Value) {
    let mut body = if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() };
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    (answer.status, body)
}

async fn define(admin: &Client, name: &str, access: Value) {
    let body = json!({"name": name, "fields": [{"name": "title", "type": "text"}], "access": access});
    admin.post("/api/collections/", &body).await.is(201);
}

/// Every route about one record, with a body where it takes one.
fn record_routes(collection: &str, id: &str, revision: &Value) -> Vec<(Method, String, Option<Value>)> {
    let record = format!("/api/records/{collection}/{id}/");
    vec![
        (Method::GET, record.clone(), None),
        (Method::PUT, record.clone(), Some(json!({"title": "mine"}))),
        (Method::PATCH, record.clone(), Some(json!({"title": "mine"}))),
        (Method::PATCH, record.clone(), Some(json!({"zzz": 1}))),
        (Method::DELETE, record.clone(), None),
        (Method::GET, format!("{record}history/"), None),
        (Method::POST, format!("{record}history/{revision}/restore/"), None),
    ]
}

async fn call(client: &Client, method: &Method, path: &str, body: Option<&Value>) -> Answer {
    match body {
        Some(body) => client.json(method.clone(), path, body).await,
        None => Answer::of(client.request(method.clone(), path)).await,
    }
}

#[tokio::test]
async fn d1_a_foreign_record_is_an_absent_record() {
    let (coffer, admin) = Coffer::with_admin().await;
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    define(&admin, "notes", own).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let hers = ulla.record("notes", json!({"title": "a secret"})).await;
    let gone = ulla.record("notes", json!({"title": "a deleted secret"})).await;
    ulla.delete(&path("notes", &gone)).await.is(204);
    let his = otto.record("notes", json!({"title": "mine"})).await;
    for foreign in [&hers, &gone] {
        let there = record_routes("notes", &text(foreign, "id"), &foreign["revision"]);
        let absent = record_routes("notes", NO_ID, &foreign["revision"]);
        for ((method, path, body), (_, absent, _)) in there.iter().zip(&absent) {
            let foreign = call(&otto, method, path, body.as_ref()).await;
            assert_eq!(foreign.status, 404, "{method} {path}");
            assert_eq!(
                comparable(&foreign),
                comparable(&call(&otto, method, absent, body.as_ref()).await),
                "{method} {path}"
            );
            assert!(!foreign.text().contains("secret"));
        }
    }
    assert_eq!(admin.get(&path("notes", &hers)).await.is(200), hers, "none of it did anything");
    for query in
        ["", "?title=a+secret", "?search=secret", "?ordering=title", "?ordering=-id", &format!("?owner={}", ulla.id)]
    {
        let titles = otto.column(&format!("/api/records/notes/{query}"), "title").await;
        assert!(titles.iter().all(|title| title == "mine"), "{query}");
    }
    assert_eq!(otto.column("/api/records/notes/", "id").await, [his["id"].clone()]);
    assert_eq!(admin.get("/api/records/notes/").await.is(200)["count"], 2);
    let counts: Vec<Value> = otto.get("/api/collections/").await.is(200)["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["count"].clone())
        .collect();
    assert_eq!(counts, [json!(1)], "the count is of what he can see");
    assert!(!otto.get("/api/changes/").await.text().contains("secret"));
    assert!(ulla.get("/api/changes/").await.text().contains("secret"));
}

#[tokio::test]
async fn d1_a_collection_that_a_caller_may_not_see_is_an_absent_collection() {
    let (coffer, admin) = Coffer::with_admin().await;
    let nobody = json!({"list": ["nobody"], "view": ["nobody"], "create": [], "update": ["role:editor"], "delete": []});
    define(&admin, "vault", nobody).await;
    let record = admin.record("vault", json!({"title": "a secret"})).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let mut routes = record_routes("vault", &text(&record, "id"), &record["revision"]);
    for (method, path, body) in [
        (Method::GET, "/api/collections/vault/", None),
        (Method::GET, "/api/records/vault/", None),
        (Method::GET, "/api/records/vault/?zzz=1", None),
        (Method::GET, "/api/records/vault/?title__like=1", None),
        (Method::OPTIONS, "/api/records/vault/", None),
        (Method::POST, "/api/records/vault/", Some(json!({"title": "x"}))),
        (Method::POST, "/api/records/vault/", Some(json!({"zzz": "x"}))),
        (Method::PATCH, "/api/collections/vault/", Some(json!({}))),
        (Method::DELETE, "/api/collections/vault/", None),
    ] {
        routes.push((method, path.to_owned(), body));
    }
    for client in [&ulla, &coffer.stranger()] {
        for (method, path, body) in &routes {
            let there = call(client, method, path, body.as_ref()).await;
            assert!([400, 401, 403, 404].contains(&there.status), "{method} {path}");
            let absent = call(client, method, &path.replace("vault", "nowhere"), body.as_ref()).await;
            assert_eq!(comparable(&there), comparable(&absent), "{method} {path}");
        }
        assert!(!client.get("/api/").await.text().contains("vault"));
    }
    assert_eq!(ulla.get("/api/collections/").await.is(200)["count"], 0);
    assert_eq!(admin.get("/api/collections/").await.is(200)["count"], 1);
}

/// The statuses that list, view, create, update and delete give to a caller.
async fn powers(client: &Client, record: &Value) -> [u16; 5] {
    let address = path("things", record);
    [
        client.get("/api/records/things/").await.status,
        client.get(&address).await.status,
        client.post("/api/records/things/", &json!({"title": "new"})).await.status,
        client.patch(&address, &json!({"title": text(record, "title")})).await.status,
        client.delete(&address).await.status,
    ]
}

#[tokio::test]
async fn d1_each_rule_lets_in_whom_it_names() {
    let (coffer, admin) = Coffer::with_admin().await;
    define(&admin, "things", json!({})).await;
    let owner = coffer.user(&admin, "ulla", json!({})).await;
    let editor = coffer.user(&admin, "otto", json!({"roles": ["editor"]})).await;
    let stranger = coffer.stranger();
    let yes = [200, 200, 201, 200, 204];
    let none = [404; 5];
    let nobody = [401; 5];
    // In the order: stranger, owner, another user with the role, admin.
    for (rule, expected) in [
        ("anyone", [yes, yes, yes, yes]),
        ("signed_in", [nobody, yes, yes, yes]),
        ("owner", [nobody, yes, [200, 404, 201, 404, 404], yes]),
        ("role:editor", [nobody, none, yes, yes]),
        ("role:cook", [nobody, none, none, yes]),
        ("nobody", [nobody, none, none, yes]),
    ] {
        let all = json!({"list": [rule], "view": [rule], "create": [rule], "update": [rule], "delete": [rule]});
        admin.patch("/api/collections/things/", &json!({"access": all})).await.is(200);
        for (client, expected) in [&stranger, &owner, &editor, &admin].into_iter().zip(expected) {
            let open = json!({"access": {"create": ["signed_in"]}});
            admin.patch("/api/collections/things/", &open).await.is(200);
            let record = owner.record("things", json!({"title": "hers"})).await;
            admin.patch("/api/collections/things/", &json!({"access": all})).await.is(200);
            assert_eq!(powers(client, &record).await, expected, "{rule}");
        }
    }
    // Several rules are alternatives; none at all is nobody.
    let some = json!({"list": ["role:editor", "owner"], "view": [], "create": [], "update": [], "delete": []});
    admin.patch("/api/collections/things/", &json!({"access": some})).await.is(200);
    let all = admin.get("/api/records/things/").await.is(200)["count"].as_u64().unwrap();
    assert_eq!(editor.get("/api/records/things/").await.is(200)["count"], all);
    let hers = owner.get("/api/records/things/").await.is(200)["count"].as_u64().unwrap();
    assert!(0 < hers && hers < all, "{hers} of {all}");
}

#[tokio::test]
async fn d1_who_may_look_and_not_touch_is_told_so() {
    let (coffer, admin) = Coffer::with_admin().await;
    define(&admin, "things", json!({"update": ["owner"], "delete": ["owner"], "create": ["role:editor"]})).await;
    let ulla = coffer.user(&admin, "ulla", json!({"roles": ["editor"]})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let record = ulla.record("things", json!({"title": "hers"})).await;
    assert_eq!(powers(&otto, &record).await, [200, 200, 403, 403, 403]);
    assert_eq!(otto.put(&path("things", &record), &json!({})).await.refused(403).code, "permission_denied");
    let restore = format!("{}history/{}/restore/", path("things", &record), record["revision"]);
    otto.post(&restore, &json!({})).await.refused(403);
    // A role counts from the next request on, and so does its end.
    let address = format!("/api/users/{}/", otto.id);
    admin.patch(&address, &json!({"roles": ["editor"]})).await.is(200);
    otto.record("things", json!({"title": "his"})).await;
    admin.patch(&address, &json!({"roles": []})).await.is(200);
    otto.post("/api/records/things/", &json!({})).await.refused(403);
}

#[tokio::test]
async fn a_record_without_an_owner_belongs_to_nobody() {
    let (coffer, admin) = Coffer::with_admin().await;
    let access =
        json!({"list": ["anyone"], "view": ["anyone"], "create": ["anyone"], "update": ["owner"], "delete": ["owner"]});
    define(&admin, "wall", access).await;
    let record = coffer.stranger().record("wall", json!({"title": "was here"})).await;
    assert_eq!(record["owner"], Value::Null);
    let stranger = coffer.stranger();
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    stranger.get(&path("wall", &record)).await.is(200);
    stranger.patch(&path("wall", &record), &json!({})).await.refused(401);
    ulla.patch(&path("wall", &record), &json!({})).await.refused(403);
    ulla.delete(&path("wall", &record)).await.refused(403);
    assert_eq!(stranger.column("/api/records/wall/?owner__isnull=true", "id").await, [record["id"].clone()]);
    // A bad token is not as good as none.
    let forged = Client { access: Some("e30.e30.e30".to_owned()), ..stranger };
    forged.get("/api/records/wall/").await.refused(401);
    admin.delete(&path("wall", &record)).await.is(204);
}

#[tokio::test]
async fn what_a_user_leaves_behind_stays_theirs() {
    let (coffer, admin) = Coffer::with_admin().await;
    define(&admin, "things", json!({"list": ["owner"]})).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let record = ulla.record("things", json!({"title": "hers"})).await;
    admin.delete(&format!("/api/users/{}/", ulla.id)).await.is(204);
    let again = coffer.user(&admin, "ulla", json!({})).await;
    assert!(again.column("/api/records/things/", "id").await.is_empty(), "the same name is another user");
    again.patch(&path("things", &record), &json!({"title": "mine"})).await.refused(403);
    assert_eq!(admin.get(&path("things", &record)).await.is(200)["owner"], ulla.id);
}

#[tokio::test]
async fn what_nobody_may_do_is_no_method_of_the_collection_for_who_may_look() {
    let (coffer, admin) = Coffer::with_admin().await;
    let access =
        json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["nobody"], "update": [], "delete": ["nobody"]});
    let fields = json!([{"name": "title", "type": "text"}]);
    admin.post("/api/collections/", &json!({"name": "facts", "fields": fields, "access": access})).await.is(201);
    let hidden = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["nobody"], "delete": ["nobody"]});
    admin.post("/api/collections/", &json!({"name": "hidden", "fields": fields, "access": hidden})).await.is(201);
    let unlisted = json!({"list": ["nobody"], "view": ["anyone"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    admin.post("/api/collections/", &json!({"name": "unlisted", "fields": fields, "access": unlisted})).await.is(201);
    // Admins may always.
    let fact = admin.record("facts", json!({"title": "Water is wet."})).await;
    let fact = path("facts", &fact);
    admin.patch(&fact, &json!({"title": "Water is wet"})).await.is(200);

    let (stranger, bea) = (coffer.stranger(), coffer.user(&admin, "bea", json!({})).await);
    let absent = "/api/records/facts/01920000-0000-7000-8000-000000000000/";
    for (method, path, allow) in [
        (Method::POST, "/api/records/facts/", "GET, OPTIONS, HEAD"),
        (Method::PUT, &fact, "GET, OPTIONS, HEAD"),
        (Method::PATCH, &fact, "GET, OPTIONS, HEAD"),
        (Method::DELETE, &fact, "GET, OPTIONS, HEAD"),
        // Whether a record is there makes no difference.
        (Method::DELETE, absent, "GET, OPTIONS, HEAD"),
        (Method::GET, "/api/records/unlisted/", "POST, OPTIONS"),
    ] {
        let body = json!({"title": "Water is dry"});
        let answer = bea.json(method.clone(), path, &body).await;
        let problem = answer.refused(405);
        assert_eq!((problem.code.as_ref(), answer.header("allow")), ("method_not_allowed", allow), "{method} {path}");
        assert_eq!(stranger.json(method.clone(), path, &body).await.status, 401);
        // Before anything else that may be wrong.
        for (query, content_type, sent) in [
            ("", "application/json", "{\"title\":"),
            ("", "text/plain", "title"),
            ("", "application/json", ""),
            ("", "application/json", "[1, 2]"),
            ("?page_size=0&zzz=1", "application/json", "{}"),
        ] {
            let answer = bea.raw(method.clone(), &format!("{path}{query}"), content_type, sent).await;
            answer.refused(405);
            assert_eq!(answer.header("allow"), allow, "{method} {path}{query} {sent}");
            stranger.raw(method.clone(), &format!("{path}{query}"), content_type, sent).await.refused(401);
        }
    }
    for (client, path, allow) in [
        (&bea, "/api/records/facts/", "GET, OPTIONS, HEAD"),
        (&bea, &*fact, "GET, OPTIONS, HEAD"),
        (&bea, absent, "GET, OPTIONS, HEAD"),
        (&bea, "/api/records/unlisted/", "POST, OPTIONS"),
        (&admin, "/api/records/facts/", "GET, POST, PATCH, DELETE, OPTIONS, HEAD"),
        (&admin, &*fact, "OPTIONS, GET, PUT, PATCH, DELETE, HEAD"),
    ] {
        let answer = Answer::of(client.request(Method::OPTIONS, path)).await;
        answer.is(200);
        let sorted = |allow: &str| {
            let mut methods: Vec<_> = allow.split(", ").map(str::to_owned).collect();
            methods.sort();
            methods
        };
        assert_eq!(sorted(answer.header("allow")), sorted(allow), "{path}");
    }
    // One record has what may be done to it alone.
    let described = async |client: &Client, path: &str| {
        let actions = Answer::of(client.request(Method::OPTIONS, path)).await.is(200)["actions"].take();
        actions.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(described(&admin, &fact).await, "PUT");
    assert_eq!([described(&admin, absent).await, described(&bea, &fact).await], ["", ""]);
    assert_eq!(described(&admin, "/api/records/facts/").await, "POST PUT");
    // What is another's may be looked at, and not changed: no form is offered for it.
    let theirs = path("unlisted", &admin.record("unlisted", json!({"title": "theirs"})).await);
    let own = path("unlisted", &bea.record("unlisted", json!({"title": "own"})).await);
    assert_eq!([described(&bea, &theirs).await, described(&bea, &own).await], ["", "PUT"]);
    Answer::of(bea.request(Method::OPTIONS, "/api/records/hidden/01920000-0000-7000-8000-000000000000/"))
        .await
        .refused(404);
    for (method, path) in [(Method::GET, "/api/records/hidden/"), (Method::POST, "/api/records/hidden/")] {
        bea.json(method.clone(), path, &json!({"title": "?"})).await.refused(404);
        bea.raw(method, path, "application/json", "{").await.refused(404);
    }
    // Somebody who may not, where others may, is forbidden as before.
    let record = admin.record("unlisted", json!({"title": "mine"})).await;
    bea.patch(&path("unlisted", &record), &json!({"title": "yours"})).await.refused(403);
    admin.delete(&fact).await.is(204);
}

#[tokio::test]
async fn allow_says_what_may_be_done_whatever_is_nobodys() {
    const NEEDED_OF_LIST: [(&str, &[usize]); 4] =
        [("GET", &[0]), ("POST", &[2]), ("PATCH", &[0, 3]), ("DELETE", &[0, 4])];
    const NEEDED_OF_ONE: [(&str, &[usize]); 4] =
        [("GET", &[1]), ("PUT", &[1, 3]), ("PATCH", &[1, 3]), ("DELETE", &[1, 4])];
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let bea = coffer.user(&admin, "bea", json!({})).await;
    let said = |answer: &Answer| {
        let mut methods: Vec<String> = answer.header("allow").split(", ").map(str::to_owned).collect();
        methods.sort();
        methods
    };
    let whole = |mut methods: Vec<&'static str>| {
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods
    };
    for nobodys in 0..32_u32 {
        let is_nobodys = |action: &usize| nobodys >> action & 1 == 1;
        let rule = |action: usize| json!([if is_nobodys(&action) { "nobody" } else { "signed_in" }]);
        let access = json!({"list": rule(0), "view": rule(1), "create": rule(2), "update": rule(3), "delete": rule(4)});
        let name = format!("c{nobodys}");
        let fields = json!([{"name": "title", "type": "text"}]);
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
        let published = json!({"path": format!("/api/p{nobodys}/"), "collection": name});
        admin.post("/api/paths/", &published).await.is(201);
        let one = path(&name, &admin.record(&name, json!({"title": "x"})).await);
        let list = format!("/api/records/{name}/");
        let may_look = !is_nobodys(&0) || !is_nobodys(&1);
        for (at, needed) in [(&list, NEEDED_OF_LIST), (&one, NEEDED_OF_ONE)] {
            let all = needed.map(|(method, _)| method).to_vec();
            let left = needed.iter().filter(|(_, actions)| !may_look || !actions.iter().any(&is_nobodys));
            let allowed = whole(left.map(|(method, _)| *method).collect());
            let ask = async |client: &Client, method: &str| {
                let request = client.request(method.parse().unwrap(), at).header("content-type", "application/json");
                Answer::of(request.body("[")).await
            };
            assert_eq!(said(&ask(&admin, "OPTIONS").await), whole(all.clone()), "{access} {at}");
            assert_eq!(said(&ask(&admin, "FOO").await), whole(all), "{access} {at}");
            if !may_look && is_nobodys(&2) {
                assert_eq!(
                    [ask(&bea, "OPTIONS").await.status, ask(&bea, "FOO").await.status],
                    [404, 404],
                    "{access} {at}"
                );
                continue;
            }
            assert_eq!(said(&ask(&bea, "OPTIONS").await), allowed, "{access} {at}");
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "FOO"] {
                let answer = ask(&bea, method).await;
                if allowed.contains(&method) {
                    assert_ne!(answer.status, 405, "{access} {method} {at}");
                } else {
                    assert_eq!(
                        (answer.status, said(&answer)),
                        (405, allowed.iter().map(ToString::to_string).collect()),
                        "{access} {method} {at}"
                    );
                }
            }
        }
        // A published path tells the same, and so does one of an action.
        if may_look {
            for at in [format!("/api/p{nobodys}/"), format!("{list}import/"), format!("{list}export/")] {
                let ask = async |method: &str| Answer::of(bea.request(method.parse().unwrap(), &at)).await;
                let (options, refused) = (ask("OPTIONS").await, ask("FOO").await);
                assert_eq!(refused.status, 405, "{at}");
                assert_eq!(said(&options), said(&refused), "{access} {at}");
                let needs = if at.ends_with("import/") { (2, "POST") } else { (0, "GET") };
                assert_eq!(said(&refused).contains(&needs.1.to_owned()), !is_nobodys(&needs.0), "{access} {at}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_makes_something_has_a_body() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("notes", json!([{"name": "title", "type": "text"}])).await;
    let note = path("notes", &admin.record("notes", json!({"title": "kept"})).await);
    for (method, path) in [(Method::POST, "/api/records/notes/"), (Method::PATCH, "/api/users/me/")] {
        let bare = Answer::of(admin.request(method.clone(), path)).await;
        assert_eq!(bare.faults().len(), 1, "{method} {path}");
        admin.raw(method, path, "application/json", "").await.refused(400);
    }
    assert_eq!(admin.get(&note).await.is(200)["title"], "kept");
    assert_eq!(admin.get("/api/records/notes/").await.is(200)["count"], 1);
    admin.post("/api/records/notes/", &json!({})).await.is(201);
    // What is missing says more.
    assert_eq!(Answer::of(admin.request(Method::POST, "/api/token/")).await.faults().len(), 2);
}
