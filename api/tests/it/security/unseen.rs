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
    // Who sees them all guesses nothing, and others go on.
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
