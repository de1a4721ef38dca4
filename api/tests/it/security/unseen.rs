//! D1: what a caller may not see comes back by no way round: not by a change, not through a reference, a definition, or a unique value.

use common::change::Verb;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    held::{Held, Settings},
    journal, user,
};
use crate::support::{Answer, Client, Coffer, path, text};

const NO_ID: &str = "01920000-0000-7000-8000-000000000001";

/// An answer without what every answer has of its own.
fn comparable(answer: &Answer) -> (u16, String, Vec<String>) {
    let id = answer.header("x-request-id").to_owned();
    let headers = answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap().replace(&id, "")));
    (answer.status, answer.text().replace(&id, ""), headers.filter(|line| !line.starts_with("ratelimit")).collect())
}

async fn define(admin: &Client, name: &str, fields: Value, access: Value) {
    admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
}

fn title() -> Value {
    json!([{"name": "title", "type": "text"}])
}

#[tokio::test]
async fn d1_who_may_change_or_delete_and_not_view_gets_the_answer_of_an_absent_record() {
    let (coffer, admin) = Coffer::with_admin().await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    for (n, (list, view)) in
        [("nobody", "nobody"), ("signed_in", "nobody"), ("nobody", "owner"), ("owner", "owner")].into_iter().enumerate()
    {
        let name = format!("notes{n}");
        let access =
            json!({"list": [list], "view": [view], "create": ["anyone"], "update": ["anyone"], "delete": ["anyone"]});
        define(&admin, &name, title(), access).await;
        let hidden = admin.record(&name, json!({"title": "a secret"})).await;
        admin.patch(&path(&name, &hidden), &json!({"title": "another secret"})).await.is(200);
        let (old, id) = (&hidden["revision"], text(&hidden, "id"));
        let now = admin.get(&path(&name, &hidden)).await.is(200);
        for client in [&otto, &coffer.stranger()] {
            for (method, rest, body) in [
                (Method::PATCH, "", Some(json!({}))),
                (Method::PATCH, "", Some(json!({"title": "mine"}))),
                (Method::PATCH, "", Some(json!({"zzz": 1}))),
                (Method::PATCH, "", Some(json!({"revision": 1}))),
                (Method::PUT, "", Some(json!({"title": "mine"}))),
                (Method::DELETE, "", None),
                (Method::GET, "", None),
                (Method::GET, "history/", None),
                (Method::POST, &*format!("history/{old}/restore/"), None),
                (Method::POST, "history/1/restore/", None),
            ] {
                let ask = async |id: &str| {
                    let at = format!("/api/records/{name}/{id}/{rest}");
                    match &body {
                        Some(body) => client.json(method.clone(), &at, body).await,
                        None => Answer::of(client.request(method.clone(), &at).header("if-match", "\"1\"")).await,
                    }
                };
                let (there, absent) = (ask(&id).await, ask(NO_ID).await);
                assert_eq!(comparable(&there), comparable(&absent), "{name} {method} {rest} {body:?}");
                // 405: a change needs the rule of viewing too, and here nobody may view.
                assert!([401, 403, 404, 405].contains(&there.status), "{name} {method} {rest}: {}", there.text());
            }
        }
        assert_eq!(admin.get(&path(&name, &hidden)).await.is(200), now, "nothing was changed");
    }
}

#[tokio::test]
async fn d1_undoing_does_not_tell_whether_what_is_hidden_went_along() {
    let (coffer, admin) = Coffer::with_admin().await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let open: Value = json!({"list": ["anyone"], "view": ["anyone"], "create": ["anyone"], "update": ["anyone"], "delete": ["anyone"]});
    let closed = json!({"list": ["nobody"], "view": ["nobody"]});
    define(&admin, "notes", title(), open).await;
    define(&admin, "secrets", title(), closed).await;
    let refer = |name: &str, to: &str, on_delete: &str| json!({"name": name, "type": "reference", "collection": to, "on_delete": on_delete, "nullable": true});
    admin.post("/api/collections/notes/fields/", &refer("of", "secrets", "set_null")).await.is(200);
    admin.post("/api/collections/secrets/fields/", &refer("about", "notes", "cascade")).await.is(200);
    admin.post("/api/collections/secrets/fields/", &refer("other", "secrets", "set_null")).await.is(200);
    let secret = async |body: Value| text(&admin.record("secrets", body).await, "id");
    let stays = secret(json!({"title": "stays"})).await;
    let mut answers = Vec::new();
    for goes_along in [false, true, true] {
        let note = otto.record("notes", json!({"title": "mine"})).await;
        let about = if goes_along { json!(text(&note, "id")) } else { Value::Null };
        // Of the two that go along one refers to what stays.
        let other = if answers.len() == 2 { json!(stays) } else { Value::Null };
        let of = secret(json!({"title": "hidden", "about": about, "other": other})).await;
        admin.patch(&path("notes", &note), &json!({"of": of})).await.is(200);
        let deleted = otto.delete(&path("notes", &note)).await;
        assert_eq!(deleted.status, 204);
        let undo = format!("/api/changes/{}/revert/", deleted.header("operation"));
        for query in ["", "?changed=overwrite", "?changed=skip"] {
            let answer = otto.post(&format!("{undo}{query}"), &json!({})).await;
            let told = answer.text().replace(&text(&note, "id"), "ID").replace(deleted.header("operation"), "OP");
            let told = told.replace(answer.header("x-request-id"), "REQUEST");
            let own = answer.header("operation").to_owned();
            answers.push((
                goes_along,
                query,
                answer.status,
                if own.is_empty() { told } else { told.replace(&own, "OWN") },
            ));
        }
        // Somebody who sees all has it back as it was.
        if answers.last().unwrap().2 == 200 {
            admin.post(&undo, &json!({})).await.is(200);
            assert_eq!(admin.get(&path("notes", &note)).await.is(200)["of"], of);
        }
    }
    for (n, (_, query, status, told)) in answers.iter().enumerate().skip(3) {
        let (_, _, first_status, first) = &answers[n % 3];
        assert_eq!((status, told), (first_status, first), "{query}");
    }
    assert!(answers[0].3.contains("missing_reference"), "{answers:?}");
}

#[tokio::test]
async fn d1_what_holds_a_deletion_back_is_named_to_who_may_see_it() {
    let (coffer, admin) = Coffer::with_admin().await;
    let own = json!({"list": ["owner"], "view": ["owner"]});
    let all = json!({"list": ["signed_in"], "view": ["signed_in"], "delete": ["signed_in"]});
    let about = json!([{"name": "about", "type": "reference", "collection": "people", "on_delete": "restrict"}]);
    define(&admin, "people", title(), all).await;
    define(&admin, "investigations", about.clone(), own).await;
    define(&admin, "cases", about, json!({"list": ["nobody"], "view": ["nobody"]})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let person = otto.record("people", json!({"title": "Otto"})).await;
    for name in ["investigations", "investigations", "cases"] {
        admin.record(name, json!({"about": person["id"]})).await;
    }
    let refused = otto.delete(&path("people", &person)).await;
    let problem = refused.refused(409);
    assert_eq!(problem.code, "restricted");
    assert_eq!(problem.detail, "Something that you may not see still refers to this.");
    for told in ["investigations", "cases", "about", "2", "3"] {
        assert!(!problem.detail.contains(told) && !problem.errors.0.contains_key(told), "{}", refused.text());
    }
    let his = otto.record("investigations", json!({"about": person["id"]})).await;
    let problem = otto.delete(&path("people", &person)).await.refused(409);
    assert_eq!(problem.detail, "1 record of \"investigations\" still refers to this through \"about\".", "his own");
    let problem = admin.delete(&path("people", &person)).await.refused(409);
    assert!(
        problem.detail.starts_with("1 record of \"cases\"") || problem.detail.starts_with("3 records"),
        "{problem:?}"
    );
    admin.delete(&path("investigations", &his)).await.is(204);
}

#[tokio::test]
async fn d1_a_definition_does_not_name_collections_that_are_not_there_for_the_caller() {
    let (coffer, admin) = Coffer::with_admin().await;
    let about = json!([
        {"name": "case", "type": "reference", "collection": "secretcases", "nullable": true},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true}]);
    define(&admin, "secretcases", title(), json!({"list": ["nobody"], "view": ["nobody"]})).await;
    define(&admin, "makers", title(), json!({})).await;
    let rules = json!({"list": ["anyone"], "view": ["anyone"], "create": ["anyone"]});
    define(&admin, "snacks", about, rules).await;
    let case = admin.record("secretcases", json!({"title": "x"})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    for (who, client, makers) in [("otto", &otto, true), ("nobody", &coffer.stranger(), false)] {
        let mut answers = vec![Answer::of(client.request(Method::OPTIONS, "/api/records/snacks/")).await];
        if makers {
            answers.push(client.get("/api/collections/").await);
            answers.push(client.get("/api/collections/snacks/").await);
        }
        for at in ["makers", "secretcases"] {
            answers.push(client.get(&format!("/api/records/snacks/?left_join={at}:maker=nothing")).await);
        }
        for id in [text(&case, "id"), NO_ID.to_owned()] {
            let refused = client.post("/api/records/snacks/", &json!({"case": id})).await;
            assert_eq!(refused.faults(), [format!("case: Invalid pk \"{id}\" - object does not exist.")], "{who}");
        }
        for answer in &answers[..answers.len() - 1] {
            assert!(!answer.text().contains("secretcases"), "{who}: {}", answer.text());
        }
        assert_eq!(answers[0].text().contains("makers"), makers, "{who}: {}", answers[0].text());
    }
    let field = otto.get("/api/collections/snacks/").await.is(200)["fields"][0].clone();
    assert_eq!((&field["type"], field.get("collection")), (&json!("reference"), None));
    assert!(admin.get("/api/collections/snacks/").await.text().contains("secretcases"));
}

/// A collection whose unique values nobody else sees, with some that are taken.
#[tokio::test]
async fn d1_a_collection_that_is_not_there_has_no_fields_in_exports_and_imports() {
    let (coffer, admin) = Coffer::with_admin().await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    define(
        &admin,
        "vault",
        json!([{"name": "code", "type": "text", "unique": true}, {"name": "salary", "type": "integer"}]),
        json!({"list": ["nobody"], "view": ["nobody"]}),
    )
    .await;
    let refer = |name: &str, many: bool| json!({"name": name, "type": "reference", "collection": "vault", "many": many, "nullable": !many, "on_delete": "set_null"});
    let anyone = json!({"list": ["anyone"], "view": ["anyone"], "create": ["anyone"], "update": ["anyone"], "delete": ["anyone"]});
    define(&admin, "notes", json!([title()[0], refer("of", false), refer("all", true)]), anyone).await;
    let secret = admin.record("vault", json!({"code": "S1", "salary": 9})).await["id"].clone();
    admin.record("notes", json!({"title": "a", "of": secret, "all": [secret]})).await;
    for client in [&otto, &coffer.stranger()] {
        for format in ["csv", "tsv", "json", "ndjson"] {
            let told = client.get(&format!("/api/records/notes/export/?format={format}&expand=of,all")).await.text();
            assert!(!told.contains("code") && !told.contains("salary") && !told.contains("S1"), "{told}");
        }
        let told = client.get("/api/records/notes/export/?format=csv&expand=of,all&fields=title,of,all").await.text();
        assert_eq!(told, "title,of,all\na,,[]\n");
        let import = async |heading: &str, value: &str| {
            let request = client.request(Method::POST, "/api/records/notes/import/?dry_run=true");
            let file = format!("title,{heading}\nb,{value}\n");
            let answer = Answer::of(request.header("content-type", "text/csv").body(file)).await;
            let told = answer.text().replace(answer.header("x-request-id"), "REQUEST").replace(heading, "HEADING");
            assert!(!told.contains("vault"), "{told}");
            let at = told.find("started_at").unwrap_or_default();
            (answer.status, format!("{}{}", &told[..at], &told[at + 40..]).replace(value, "VALUE"))
        };
        let absent = import("of.nothing", "S2").await;
        for (heading, value) in [("of.code", "S1"), ("of.code", "S2"), ("of.salary", "9"), ("of.title", "S1")] {
            assert_eq!(import(heading, value).await, absent, "{heading} {value}");
        }
        assert_eq!(import("of", "S1").await, import("of", "S2").await);
    }
}

async fn with_taken() -> (Held, Client, Client) {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let fields = json!([
        {"name": "email", "type": "text", "unique": true}, {"name": "code", "type": "text", "unique": true, "nullable": true}]);
    let access = json!({"list": ["nobody"], "view": ["owner"], "create": ["anyone"], "update": ["owner"]});
    define(&admin, "members", fields, access).await;
    let rows: Vec<Value> = (0..40).map(|n| json!({"email": format!("taken{n}"), "code": format!("c{n}")})).collect();
    admin.post("/api/records/members/", &json!(rows)).await.is(201);
    let (otto, _) = user(&admin, "otto").await;
    (held, admin, otto)
}

#[tokio::test]
async fn d1_that_a_value_is_taken_is_all_that_is_told_of_a_record_that_the_caller_may_not_see() {
    let (held, _admin, otto) = with_taken().await;
    let own = otto.record("members", json!({"email": "otto"})).await;
    let array: Vec<Value> = (0..999).map(|n| json!({"email": format!("taken{n}")})).collect();
    let several = json!([{"email": "free"}, {"email": "taken3", "code": "c9"}]);
    for client in [&otto, &held.stranger()] {
        let mut told = Vec::new();
        for body in [json!({"email": "taken1"}), json!({"email": "free", "code": "c1"}), several.clone(), json!(array)]
        {
            let refused = client.post("/api/records/members/", &body).await;
            let problem = refused.refused(409);
            assert_eq!((problem.code.as_ref(), problem.errors.0.len()), ("unique", 0), "{}", refused.text());
            told.push((problem.detail, problem.title, problem.kind));
        }
        assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "one answer for all: {told:?}");
    }
    otto.patch(&path("members", &own), &json!({"code": "c5"})).await.refused(409);
    // What the caller sees, and what they sent twice, is named as ever.
    let twice = otto.post("/api/records/members/", &json!([{"email": "otto"}, {"email": "taken4"}])).await.refused(409);
    assert_eq!(twice.errors.0.keys().collect::<Vec<_>>(), ["0.email"]);
    let twice = otto.post("/api/records/members/", &json!([{"email": "a"}, {"email": "a"}])).await.refused(409);
    assert_eq!(twice.errors.0.keys().collect::<Vec<_>>(), ["1.email"]);
}

#[tokio::test]
async fn d1_guesses_at_values_that_the_caller_may_not_see_are_counted_and_in_the_journal() {
    let (held, admin, otto) = with_taken().await;
    let guess = async |client: &Client, n: usize| {
        client.post("/api/records/members/", &json!({"email": format!("taken{n}")})).await
    };
    otto.record("members", json!({"email": "mine"})).await;
    for n in 0..11 {
        guess(&otto, n).await.refused(409);
        // What is free costs nothing and forgives nothing.
        if n < 10 {
            otto.record("members", json!({"email": format!("free{n}")})).await;
        }
    }
    let locked = guess(&otto, 11).await;
    assert_eq!(locked.refused(429).code, "throttled");
    assert_eq!(locked.header("retry-after"), "5");
    // Whether it is taken or free.
    otto.post("/api/records/members/", &json!({"email": "free too"})).await.refused(429);
    // Somebody who sees them all guesses nothing, and others go on.
    guess(&admin, 1).await.refused(409);
    guess(&held.stranger(), 1).await.refused(409);
    held.hand.advance(std::time::Duration::from_secs(6));
    otto.record("members", json!({"email": "free too"})).await;
    guess(&otto, 12).await.refused(409);
    assert_eq!(guess(&otto, 13).await.header("retry-after"), "10");
    let noted: Vec<_> =
        journal(&admin).await.into_iter().filter(|change| change.action == Verb::ValuesGuessed).collect();
    assert_eq!(noted.len(), 2);
    assert_eq!((noted[0].id.as_str(), noted[0].by.unwrap().to_string()), ("members", otto.id.clone()));
    assert_eq!(noted[0].address, "127.0.0.1");
}

/// Asks both addresses with every method, bad parameters and bodies of every kind, and wants one answer.
async fn are_alike(clients: &[&Client], there: &str, absent: &str) {
    for client in clients {
        for method in ["GET", "HEAD", "PATCH", "PUT", "DELETE", "POST", "OPTIONS", "PROPFIND"] {
            for query in ["", "?foo=1", "?explain=true", "?dry_run=true", "?fields=nope", "?expand=zz"] {
                for (kind, body) in
                    [("application/json", "{}"), ("application/json", "{"), ("text/plain", "x"), ("", "")]
                {
                    let ask = async |path: &str| {
                        let method = Method::from_bytes(method.as_bytes()).unwrap();
                        let mut request = client.request(method, &format!("{path}{query}"));
                        if !kind.is_empty() {
                            request = request.header("content-type", kind).body(body);
                        }
                        comparable(&Answer::of(request).await)
                    };
                    let (one, other) = (ask(there).await, ask(absent).await);
                    assert_eq!(one.0, other.0, "{method} {there}{query} {kind} {body}: {one:?} {other:?}");
                    assert_eq!(one, other, "{method} {there}{query} {kind} {body}");
                }
            }
        }
    }
}

#[tokio::test]
async fn d1_a_published_path_tells_hidden_records_and_absent_ones_alike() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ben = coffer.user(&admin, "ben", json!({})).await;
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    let code = json!([{"name": "code", "type": "text", "unique": true}]);
    define(&admin, "vault", code, own).await;
    for path in [
        json!({"path": "/v2/vault/", "collection": "vault", "lookup": "code"}),
        json!({"path": "/v2/del/{code}/", "collection": "vault", "lookup": "code", "method": "DELETE", "actions": ["delete"]}),
        json!({"path": "/v2/plain/", "collection": "vault"}),
    ] {
        admin.post("/api/paths/", &path).await.is(201);
    }
    let id = text(&admin.record("vault", json!({"code": "topsecret"})).await, "id");
    let clients = [&ben, &coffer.stranger()];
    are_alike(&clients, "/v2/vault/topsecret/", "/v2/vault/nothere/").await;
    are_alike(&clients, "/v2/del/topsecret/", "/v2/del/nothere/").await;
    are_alike(&clients, &format!("/v2/plain/{id}/"), &format!("/v2/plain/{NO_ID}/")).await;
    admin.get("/v2/vault/topsecret/").await.is(200);
    let mine = ben.record("vault", json!({"code": "mine"})).await;
    assert_eq!(ben.get("/v2/vault/mine/").await.is(200), mine, "what is one's own is there");
    // The body is judged before what is not there is told.
    ben.get("/v2/vault/nothere/?foo=1").await.is(400);
}

#[tokio::test]
async fn p7_a_published_path_by_owner_does_not_tell_who_there_is() {
    let (coffer, admin) = Coffer::with_admin().await;
    let (ben, cleo) = (coffer.user(&admin, "ben", json!({})).await, coffer.user(&admin, "cleo", json!({})).await);
    let open = json!({"list": ["anyone"], "view": ["anyone"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    define(&admin, "kid", title(), open).await;
    for (path, conditions) in
        [("/v2/u/{name}/kid/", json!({"owner.username": "{name}"})), ("/v2/i/{user}/kid/", json!({"owner": "{user}"}))]
    {
        let path = json!({"path": path, "collection": "kid", "where": conditions});
        admin.post("/api/paths/", &path).await.is(201);
    }
    let stranger = coffer.stranger();
    for nobody in ["nobodyx", "Not%20A%20Name", "cleo2"] {
        for rest in ["", "01920000-0000-7000-8000-000000000001/", "x/"] {
            let (there, absent) = (format!("/v2/u/cleo/kid/{rest}"), format!("/v2/u/{nobody}/kid/{rest}"));
            are_alike(&[&ben, &stranger], &there, &absent).await;
        }
    }
    are_alike(&[&ben, &stranger], &format!("/v2/i/{}/kid/", cleo.id), &format!("/v2/i/{NO_ID}/kid/")).await;
    let empty = stranger.get("/v2/u/nobodyx/kid/").await.is(200);
    assert_eq!((&empty["count"], &empty["results"]), (&json!(0), &json!([])));
    cleo.post("/v2/u/cleo/kid/", &json!({"title": "hers"})).await.is(201);
    assert_eq!(stranger.get("/v2/u/cleo/kid/").await.is(200)["count"], 1);
    // An admin makes records of others, and learns that there is nobody of this name.
    admin.post("/v2/u/nobodyx/kid/", &json!({"title": "nobody's"})).await.is(400);
}

#[tokio::test]
async fn d1_the_published_path_of_a_collection_that_is_not_there_for_the_caller_is_not_there() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ben = coffer.user(&admin, "ben", json!({})).await;
    let nobodys = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["signed_in"], "delete": ["nobody"]});
    define(&admin, "secrets", title(), nobodys).await;
    define(&admin, "open", title(), json!({"list": ["signed_in"]})).await;
    for path in [
        json!({"path": "/v2/secrets/", "collection": "secrets"}),
        json!({"path": "/v2/shared/", "collection": "secrets", "method": "POST", "actions": ["create"]}),
        json!({"path": "/v2/shared/", "collection": "open", "method": "GET", "actions": ["list"]}),
    ] {
        admin.post("/api/paths/", &path).await.is(201);
    }
    let id = text(&admin.post("/v2/secrets/", &json!({"title": "a secret"})).await.is(201), "id");
    are_alike(&[&ben], "/v2/secrets/", "/v2/nothing/").await;
    are_alike(&[&ben], &format!("/v2/secrets/{id}/"), &format!("/v2/nothing/{id}/")).await;
    admin.get("/v2/secrets/").await.is(200);
    // Two paths at one address: the one that is there answers, and knows nothing of the other.
    ben.get("/v2/shared/").await.is(200);
    let refused = ben.post("/v2/shared/", &json!({"title": "x"})).await;
    refused.is(405);
    assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
    // Strangers are asked to sign in, with any method, and told nothing else.
    let stranger = coffer.stranger();
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = Answer::of(stranger.request(method, "/v2/secrets/?foo=1")).await;
        assert_eq!((answer.status, answer.header("allow")), (401, ""), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_dry_run_under_a_published_path_deletes_nothing() {
    let (_coffer, admin) = Coffer::with_admin().await;
    define(&admin, "notes", title(), json!({})).await;
    admin.post("/api/paths/", &json!({"path": "/v2/notes/", "collection": "notes"})).await.is(201);
    let id = text(&admin.record("notes", json!({"title": "kept"})).await, "id");
    let counts = admin.delete(&format!("/v2/notes/{id}/?dry_run=true")).await.is(200);
    assert_eq!(counts["count"], 1);
    admin.get(&format!("/v2/notes/{id}/")).await.is(200);
}

#[tokio::test]
async fn d1_what_a_deletion_takes_along_unseen_shows_neither_in_its_headers_nor_in_its_counts() {
    let (coffer, admin) = Coffer::with_admin().await;
    let ben = coffer.user(&admin, "ben", json!({})).await;
    let open = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    let nobodys = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": ["nobody"], "delete": ["nobody"]});
    let refers = json!([{"name": "title", "type": "text"}, {"name": "to", "type": "reference", "collection": "z_first", "on_delete": "cascade"}]);
    define(&admin, "z_first", title(), open.clone()).await;
    define(&admin, "a_seen", refers.clone(), open).await;
    define(&admin, "b_hidden", refers, nobodys).await;
    let mut told = Vec::new();
    for hidden in [0, 2, 120] {
        let id = text(&ben.record("z_first", json!({"title": "goes"})).await, "id");
        for _ in 0..3 {
            ben.record("a_seen", json!({"title": "goes along", "to": id})).await;
        }
        let rows: Vec<Value> = (0..20).map(|_| json!({"title": "x".repeat(80_000), "to": id})).collect();
        for n in 0..hidden / 20 + usize::from(hidden % 20 > 0) {
            admin.post("/api/records/b_hidden/", &json!(rows[..20.min(hidden - n * 20)])).await.is(201);
        }
        let at = format!("/api/records/z_first/{id}/");
        let dry = ben.delete(&format!("{at}?dry_run=true")).await.is(200);
        let deleted = ben.delete(&at).await;
        assert!([202, 204].contains(&deleted.status), "{}", deleted.text());
        let operation = deleted.header("operation").to_owned();
        assert_eq!(operation, deleted.header("x-request-id"), "{hidden}");
        ben.get(&format!("/api/changes/{operation}/")).await.is(200);
        told.push(dry);
    }
    assert!(told.iter().all(|dry| *dry == told[0]), "{told:#?}");
}
