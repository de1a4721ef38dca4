//! What an earlier version told apart, and is one today: names of users that differ in case only, and unique values that differ in how an accent
//! was typed. Both stay, a check names them, no new pair is made, and what one gives up is the other's.

use std::path::Path;

use coffer::domain::{keyspace, schema::StoredDefinition, stage::unique_value};
use reqwest::Method;
use serde_json::{Value, json};
use store::{Batch, Key, Options, Scan, Store};

use crate::support::{
    Answer, Client, Coffer, PASSWORD, path,
    server::{Server, coffer, said, store_dir},
    text,
};

fn open(data: &Path) -> Store {
    Store::open(Options::sled(store_dir(data))).unwrap()
}

fn check(data: &Path) -> String {
    said(&coffer(&["check"], data))
}

/// Puts another text in the place of one in a stored value.
fn replaced(value: &[u8], old: &str, new: &str) -> Vec<u8> {
    let at = value.windows(old.len()).position(|part| part == old.as_bytes()).unwrap();
    [&value[..at], new.as_bytes(), &value[at + old.len()..]].concat()
}

/// Gives a user a name as an earlier version stored it: under its lower case.
async fn rename(store: &Store, id: &str, old: &str, new: &str) {
    let user = keyspace::user(id.parse().unwrap());
    let value = store.get(&user).await.unwrap().unwrap().value;
    let mut batch = Batch::new();
    batch
        .put(user, replaced(&value, &format!("\"username\":\"{old}\""), &format!("\"username\":\"{new}\"")))
        .delete(keyspace::username(old))
        .put(keyspace::username(&new.to_lowercase()), id.to_owned());
    store.commit(batch).await.unwrap();
}

#[tokio::test]
async fn two_users_whose_names_are_one_today_both_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    let make = async |admin: &Client, name: &str| {
        admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await
    };
    let mut ids = Vec::new();
    for name in ["strasse", "bea", "cleo"] {
        ids.push(text(&make(&admin, name).await.is(201), "id"));
    }
    server.stop();
    {
        let store = open(&data);
        rename(&store, &ids[1], "bea", "straße").await;
        rename(&store, &ids[2], "cleo", "ΚΏΣΤΑΣ").await;
    }
    let pair = format!("the users {} and {} have names that are one without case", ids[1], ids[0]);
    let findings = check(&data);
    assert!(findings.contains(&pair) && findings.matches("change one").count() == 1, "{findings}");

    let server = Server::start(&data, &[]);
    let who = async |name: &str| server.sign_in(name).await.id;
    for (name, user) in
        [("strasse", 0), ("STRASSE", 0), ("straße", 1), ("ΚΏΣΤΑΣ", 2), ("κώστασ", 2), ("κώστας", 2), ("Κώστας", 2)]
    {
        assert_eq!(who(name).await, ids[user], "{name}");
    }
    let admin = server.sign_in("ada").await;
    for name in ["STRAẞE", "straße", "Strasse", "κώΣτας"] {
        make(&admin, name).await.refused(409);
    }
    let listed = admin.column("/api/users/?ordering=username&page_size=100", "username").await;
    assert_eq!(listed.len(), 4, "each is listed once: {listed:?}");
    // A change that leaves the name alone is none of it.
    let of = |user: usize| format!("/api/users/{}/", ids[user]);
    admin.patch(&of(1), &json!({"email": "second@example.org"})).await.is(200);
    admin.patch(&of(1), &json!({"username": "STRASSE"})).await.refused(409);
    admin.patch(&of(1), &json!({"username": "bea"})).await.is(200);
    assert_eq!((who("bea").await, who("straße").await), (ids[1].clone(), ids[0].clone()));
    make(&admin, "straße").await.refused(409);
    admin.delete(&of(0)).await.is(204);
    make(&admin, "straße").await.is(201);
    server.stop();
    let findings = check(&data);
    assert!(findings.starts_with("0: "), "{findings}");
}

#[tokio::test]
async fn of_two_records_with_one_unique_value_either_may_give_it_up() {
    const COMPOSED: &str = "café";
    const DECOMPOSED: &str = "cafe\u{301}";
    for first_goes in [true, false] {
        for deletes in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let data = dir.path().join("data");
            let mut server = Server::start(&data, &[]);
            let admin = server.set_up().await;
            admin.collection("words", json!([{"name": "word", "type": "text", "unique": true}])).await;
            let mut records = Vec::new();
            for word in [COMPOSED, "others"] {
                records.push(admin.record("words", json!({"word": word})).await);
            }
            server.stop();
            {
                let store = open(&data);
                let ids: Vec<_> = records.iter().map(|record| text(record, "id").parse().unwrap()).collect();
                let definition = store.get(&keyspace::collection(&"words".parse().unwrap())).await.unwrap().unwrap();
                let number = serde_json::from_slice::<StoredDefinition>(&definition.value).unwrap().keys.number;
                let uniques: Vec<(Key, _)> = store.scan(Scan::prefix(&keyspace::uniques(number))).await.unwrap();
                let of = |id| uniques.iter().find(|(_, entry)| entry.value == unique_value(id)).unwrap().0.clone();
                let record = keyspace::record(number, ids[1]);
                let value = store.get(&record).await.unwrap().unwrap().value;
                let mut batch = Batch::new();
                batch
                    .put(record, replaced(&value, "others", DECOMPOSED))
                    .delete(of(ids[1]))
                    .put(keyspace::unique_waiting(&of(ids[0]), ids[1]), unique_value(ids[1]));
                store.commit(batch).await.unwrap();
            }
            let findings = check(&data);
            assert!(findings.contains("have the same value of word, which is unique"), "{findings}");

            let server = Server::start(&data, &[]);
            let admin = server.sign_in("ada").await;
            let goes = path("words", &records[usize::from(!first_goes)]);
            if deletes {
                admin.delete(&goes).await.is(204);
            } else {
                admin.patch(&goes, &json!({"word": "tea"})).await.is(200);
            }
            for word in [COMPOSED, DECOMPOSED] {
                admin.post("/api/records/words/", &json!({"word": word})).await.refused(409);
            }
            let stays = path("words", &records[usize::from(first_goes)]);
            // The same, written in another way, is its own.
            admin.patch(&stays, &json!({"word": COMPOSED})).await.is(200);
            admin.patch(&stays, &json!({"word": DECOMPOSED})).await.is(200);
            admin.patch(&stays, &json!({"word": "cup"})).await.is(200);
            admin.post("/api/records/words/", &json!({"word": COMPOSED})).await.is(201);
            server.stop();
            let findings = check(&data);
            assert!(findings.starts_with("0: "), "{first_goes} {deletes}: {findings}");
        }
    }
}

#[tokio::test]
async fn texts_are_unique_whatever_their_case_where_the_definition_says_so() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = |unique: Value| {
        json!([
            {"name": "name", "type": "text", "unique": unique, "nullable": true},
            {"name": "mail", "type": "email", "unique": unique, "nullable": true}])
    };
    let made = admin.collection("people", fields(json!("ignore_case"))).await;
    assert_eq!(
        (&made["fields"][0]["unique"], &made["fields"][1]["unique"]),
        (&json!("ignore_case"), &json!("ignore_case"))
    );
    assert_eq!(admin.get("/api/collections/people/").await.is(200)["fields"], made["fields"]);
    let described = Answer::of(admin.request(Method::OPTIONS, "/api/records/people/")).await.is(200);
    assert_eq!(described["actions"]["POST"]["name"]["unique"], true);

    let bob = admin.record("people", json!({"name": "Bob", "mail": "Bob@Example.org"})).await;
    for taken in [
        json!({"name": "BOB"}),
        json!({"name": "ｂｏｂ"}),
        json!({"mail": "bob@example.ORG"}),
        json!([{"name": "straße"}, {"name": "STRASSE"}]),
    ] {
        admin.post("/api/records/people/", &taken).await.refused(409);
    }
    // One's own may change its case.
    assert_eq!(admin.patch(&path("people", &bob), &json!({"name": "BOB"})).await.is(200)["name"], "BOB");
    admin.post("/api/records/people/", &json!({"name": "bob"})).await.refused(409);
    admin.post("/api/records/people/", &json!({"name": null})).await.is(201);
    admin.post("/api/records/people/", &json!({"name": null})).await.is(201);
    assert_eq!(admin.get("/api/records/people/?name=Bob").await.is(200)["count"], 0, "filters go by case as ever");

    let change =
        async |unique: Value| admin.patch("/api/collections/people/", &json!({"fields": fields(unique)})).await;
    change(json!(true)).await.is(200);
    let other = admin.record("people", json!({"name": "bob"})).await;
    change(json!("ignore_case")).await.refused(409);
    admin.delete(&path("people", &other)).await.is(204);
    change(json!("ignore_case")).await.is(200);
    admin.post("/api/records/people/", &json!({"name": "bob"})).await.refused(409);
    admin.patch(&path("people", &bob), &json!({"name": "Rob"})).await.is(200);
    admin.post("/api/records/people/", &json!({"name": "bob"})).await.is(201);

    for (kind, unique) in [("integer", json!("ignore_case")), ("text", json!("case")), ("text", json!(1))] {
        let wrong = json!({"name": "other", "fields": [{"name": "a", "type": kind, "unique": unique}]});
        let problem = admin.post("/api/collections/", &wrong).await.refused(400);
        assert!(problem.errors.0.contains_key("fields.0.unique"), "{kind} {unique}: {problem:?}");
    }
}
