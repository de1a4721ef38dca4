//! The server is killed at random moments under load: what it acknowledged is there afterwards, what it did not is there whole
//! or not at all, and what was spent or ended stays dead.
//!
//! Sixteen writers work over HTTP, each on records of its own, and note what they are about to do and what was answered; an
//! operator adds an index under them and takes it away. The server is killed while it works, while it drains, and while it
//! starts. `COFFER_KILL_ROUNDS` sets the number of rounds; `COFFER_SEED` repeats a run's random choices.

mod model;
mod operator;
pub(crate) mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use coffer::domain::{keyspace, record};
use common::record::Record;
use serde_json::{Value, json};
use store::{Batch, Key, Options, Scan, Store};
use tokio::time::sleep;

use crate::{
    files::copy_dir,
    random::{Random, seed},
    support::{
        ADMIN, Client, PASSWORD,
        server::{Server, coffer, said, serve, store_dir, terminate},
    },
};
use operator::Operator;
use writer::{Versions, Writer};

const WRITERS: usize = 16;

/// The writers' collections: everyone sees and changes their own records only.
pub(crate) async fn furnish(admin: &Client) {
    let access = json!({
        "list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"],
    });
    let collections = [
        ("notes", operator::fields(false)),
        ("books", json!([{"name": "title", "type": "text", "indexed": true}])),
        (
            "transfers",
            json!([
                {"name": "book", "type": "reference", "collection": "books", "on_delete": "cascade", "required": true},
                {"name": "amount", "type": "integer", "required": true},
            ]),
        ),
    ];
    for (name, fields) in collections {
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
    }
}

/// Lets all writers work until `end` has come over the server.
pub(crate) async fn work(writers: Vec<Writer>, base: &str, end: impl Future<Output = ()>) -> Vec<Writer> {
    let working: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            let base = base.to_owned();
            tokio::spawn(async move {
                writer.work(&base).await;
                writer
            })
        })
        .collect();
    end.await;
    let mut back = Vec::new();
    for writer in working {
        back.push(writer.await.expect("the writer found nothing wrong"));
    }
    back
}

/// Compares what every writer was promised with what is there; gives the number of answers that held.
async fn compare(writers: Vec<Writer>, base: &str) -> (Vec<Writer>, u64) {
    let comparing: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            let base = base.to_owned();
            tokio::spawn(async move {
                let held = writer.compare(&base).await;
                (writer, held)
            })
        })
        .collect();
    let (mut back, mut total) = (Vec::new(), 0);
    for writer in comparing {
        let (writer, held) = writer.await.expect("the writer found what it was promised");
        back.push(writer);
        total += held;
    }
    (back, total)
}

/// The writers are faster than callers are meant to be.
const UNLIMITED: &[&str] = &["--rate-limit", "off", "--refresh-grace", "0s"];

pub(crate) fn assert_sound(data: &Path) {
    let checked = said(&coffer(&["check"], data));
    assert!(checked.starts_with("0: "), "{checked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_keeps_what_it_acknowledged() {
    let mut random = Random::new(seed("kill"));
    let rounds = std::env::var("COFFER_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(6);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, UNLIMITED);
    let admin = server.set_up().await;
    furnish(&admin).await;
    let versions = Arc::new(Versions::default());
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let name = format!("writer{n}");
        admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await.is(201);
        writers.push(Writer::new(name, random.next(), Arc::clone(&versions)));
    }
    let mut operator = Operator::default();
    let (mut total, mut starts) = (0, 0);
    for round in 0..rounds {
        let base = server.base.clone();
        let admin = server.sign_in(ADMIN).await;
        let operating = tokio::spawn(async move {
            operator.work(admin).await;
            operator
        });
        let life = Duration::from_millis(20 + random.below(1500) as u64);
        let drain = random.one_in(3).then(|| Duration::from_millis(random.below(300) as u64));
        writers = work(writers, &base, async {
            sleep(life).await;
            if let Some(drain) = drain {
                terminate(&server.child);
                sleep(drain).await;
            }
            drop(server);
        })
        .await;
        operator = operating.await.expect("the operator found nothing wrong");
        while random.one_in(3) {
            let mut starting = serve(&data, UNLIMITED).spawn().unwrap();
            sleep(Duration::from_millis(random.below(150) as u64)).await;
            starting.kill().unwrap();
            starting.wait().unwrap();
            starts += 1;
        }
        if random.one_in(3) {
            assert_sound(&data);
        }
        server = Server::start(&data, UNLIMITED);
        let held;
        total += operator.compare(&server.sign_in(ADMIN).await).await;
        (writers, held) = compare(writers, &server.base).await;
        total += held;
        eprintln!("round {round}, after {life:?}, draining for {drain:?}: {held} acknowledged");
    }
    server.stop();
    assert_sound(&data);
    eprintln!("kill: {rounds} rounds, {starts} starts killed, {total} acknowledged writes checked, 0 lost");
    assert!(total > 0, "the writers got somewhere");
}

/// Changes a stored value behind everyone's back, if it is of the right kind; null for one that is to go.
type Lie = fn(&mut Value) -> bool;

/// The comparison itself is tested: a store that breaks its word is found out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lie_would_be_noticed() {
    let mut random = Random::new(seed("lie"));
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, UNLIMITED);
    let admin = server.set_up().await;
    furnish(&admin).await;
    admin.post("/api/users/", &json!({"username": "writer", "password": PASSWORD})).await.is(201);
    let mut writers = vec![Writer::new("writer".to_owned(), random.next(), Arc::default())];
    while writers[0].model.ended.is_empty()
        || writers[0].model.notes.is_empty()
        || writers[0].model.books.values().all(|entries| *entries == 0)
    {
        let base = server.base.clone();
        writers = work(writers, &base, async {
            sleep(Duration::from_millis(500)).await;
            drop(server);
        })
        .await;
        server = Server::start(&data, UNLIMITED);
        writers = compare(writers, &server.base).await.0;
    }
    server.stop();

    let lies: [(&str, &str, Lie); 4] = [
        ("a record is lost", "r", |record| record["slot"].is_string() && std::mem::take(record) != Value::Null),
        ("a record is as it was before", "r", |record| {
            let amount = record["amount"].as_i64().filter(|_| record["slot"].is_string());
            amount.inspect(|amount| record["amount"] = json!(amount - 1)).is_some()
        }),
        ("half of a transfer is lost", "r", |record| {
            record["book"].is_string() && std::mem::take(record) != Value::Null
        }),
        ("a session that was signed out lives", "s", |session| {
            session["ended"] == "sign_out" && session.as_object_mut().unwrap().remove("ended").is_some()
        }),
    ];
    for (what, space, lie) in lies {
        let copy = dir.path().join("copy");
        let _ = std::fs::remove_dir_all(&copy);
        copy_dir(&data, &copy);
        let store = Store::open(Options::sled(store_dir(&copy))).unwrap();
        // Of sessions all, since not all that ended are looked at.
        let wanted = if space == "s" { usize::MAX } else { 1 };
        let mut told = 0;
        for (key, entry) in store.scan(Scan::prefix(&Key::space(space))).await.unwrap() {
            let id = keyspace::last_id(&key).filter(|_| space == "r");
            let mut value: Value = match id {
                Some(id) => json!(record::decode(id, &entry.value).unwrap()),
                None => serde_json::from_slice(&entry.value).unwrap(),
            };
            if told < wanted && lie(&mut value) {
                let batch = if value.is_null() {
                    Batch::with(|batch| batch.delete(key))
                } else {
                    let stored = match value {
                        Value::Object(members) if id.is_some() => {
                            let head = record::head(&entry.value).unwrap();
                            record::encode(head, &Record::from_object(members)).unwrap().value
                        }
                        value => value.to_string().into_bytes(),
                    };
                    Batch::with(|batch| batch.put(key, stored))
                };
                store.commit(batch).await.unwrap();
                told += 1;
            }
        }
        assert!(told > 0, "{what}: there was something to lie about");
        drop(store);
        let server = Server::start(&copy, UNLIMITED);
        let (mut writer, base) = (writers[0].clone(), server.base.clone());
        let compared = tokio::spawn(async move { writer.compare(&base).await }).await;
        assert!(compared.is_err_and(|error| error.is_panic()), "{what}, and nobody noticed");
    }
}
