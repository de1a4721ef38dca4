//! `coffer check`: silent about what the server wrote, however it came about; finds whatever does not fit; and repairs what
//! can be derived without touching anything else.

use std::path::Path;

use bytes::Bytes;
use coffer::domain::{
    keyspace,
    numbers::{CollectionNumber, IndexNumber, Keys, OwnerNumber},
    record,
    schema::StoredDefinition,
};
use common::id::{RecordId, SessionId, UserId};
use serde_json::{Value, json};
use store::{Batch, Key, Options, Scan, Store, Version, journal};
use tempfile::TempDir;

use crate::support::{
    Client, PASSWORD, path,
    server::{Server, coffer, said, store_dir},
    text,
};

/// A data directory with everything in it that the server can write, and no server.
async fn furnished() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &[]);
    let admin = server.set_up().await;
    furnish(&server, &admin).await;
    server.stop();
    dir
}

async fn furnish(server: &Server, admin: &Client) {
    let fields = json!([
        {"name": "word", "type": "text", "required": true, "unique": true, "searchable": true},
        {"name": "weight", "type": "decimal", "places": 2, "indexed": true},
        {"name": "parent", "type": "reference", "collection": "words", "nullable": true, "on_delete": "set_null"},
    ]);
    admin.collection("words", json!([])).await;
    let indexes = json!([{"fields": ["parent", "-weight"]}, {"fields": ["owner", "word"], "unique": "ignore_case"}]);
    let definition = json!({"name": "words", "fields": fields, "indexes": indexes});
    admin.put("/api/collections/words/", &definition).await.is(200);
    let fields = json!([{"name": "word", "type": "reference", "collection": "words", "on_delete": "cascade"}]);
    admin.collection("uses", fields).await;
    let first = admin.record("words", json!({"word": "root", "weight": "1.50"})).await;
    for word in ["stem", "leaf", "bud"] {
        let record = json!({"word": word, "weight": "2.25", "parent": first["id"]});
        let made = admin.record("words", record).await;
        admin.record("uses", json!({"word": made["id"]})).await;
        admin.record("uses", json!({"word": first["id"]})).await;
    }
    admin.patch(&path("words", &first), &json!({"weight": "-3"})).await.is(200);
    admin.delete(&path("words", &first)).await.is(204);
    let back = format!("{}history/{}/restore/", path("words", &first), first["revision"]);
    admin.post(&back, &json!({})).await.is(200);
    // A definition that gives up an index, and a collection that refers to itself and goes.
    let fields = json!([{"name": "of", "type": "reference", "collection": "gone"}]);
    admin.collection("gone", json!([])).await;
    admin.put("/api/collections/gone/", &json!({"name": "gone", "fields": fields})).await.is(200);
    let one = admin.record("gone", json!({})).await;
    admin.record("gone", json!({"of": one["id"]})).await;
    admin.delete("/api/collections/gone/").await.is(204);
    // One of whose records everyone lists their own.
    let rules = json!({"list": ["owner"]});
    let definition = json!({"name": "mine", "fields": [{"name": "text", "type": "text"}], "access": rules});
    admin.post("/api/collections/", &definition).await.is(201);
    admin.record("mine", json!({"text": "mine"})).await;
    // Users, and sessions in every state.
    let body = json!({"username": "Bo", "password": PASSWORD, "is_admin": true});
    let made = admin.post("/api/users/", &body).await.is(201);
    let user = format!("/api/users/{}/", text(&made, "id"));
    server.sign_in("bo").await;
    admin.patch(&user, &json!({"username": "bob", "is_admin": false})).await.is(200);
    let pair = admin.post("/api/token/", &json!({"username": "bob", "password": PASSWORD})).await.is(200);
    let pair = admin.post("/api/token/refresh/", &json!({"refresh": pair["refresh"]})).await.is(200);
    admin.post("/api/token/blacklist/", &json!({"refresh": pair["refresh"]})).await.is(200);
    let other = json!({"username": "eve", "password": PASSWORD});
    let other = admin.post("/api/users/", &other).await.is(201);
    server.sign_in("eve").await;
    admin.delete(&format!("/api/users/{}/", text(&other, "id"))).await.is(204);
}

fn open(data: &Path) -> Store {
    Store::open(Options::sled(store_dir(data))).unwrap()
}

async fn everything(store: &Store) -> Vec<(Key, Bytes)> {
    let all = Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
    store.scan(all).await.unwrap().into_iter().map(|(key, entry)| (key, entry.value)).collect()
}

/// What the definition of a collection says about its keys.
async fn keys(store: &Store, collection: &str) -> Keys {
    let entry = store.get(&keyspace::collection(&collection.parse().unwrap())).await.unwrap().unwrap();
    serde_json::from_slice::<StoredDefinition>(&entry.value).unwrap().keys
}

/// Some key below a prefix.
async fn some(store: &Store, prefix: &Key) -> (Key, Bytes) {
    let found = store.scan(Scan::prefix(prefix)).await.unwrap();
    let (key, entry) = found.into_iter().next_back().unwrap_or_else(|| panic!("nothing below {prefix:?}"));
    (key, entry.value)
}

fn id() -> uuid::Uuid {
    "01920000-0000-7000-8000-0000000000ab".parse().unwrap()
}

#[tokio::test]
async fn what_the_server_wrote_fits_together() {
    let dir = furnished().await;
    let checked = said(&coffer(&["check"], &dir.path().join("data")));
    assert!(checked.starts_with("0: Everything fits together: 8 records, "), "{checked}");
}

#[tokio::test]
async fn derived_entries_that_are_wrong_are_found_and_built_anew() {
    let dir = furnished().await;
    let data = dir.path().join("data");
    let store = open(&data);
    let before = everything(&store).await;
    let (mine, keys) = (keys(&store, "mine").await, keys(&store, "words").await);
    let words = keys.number;
    let index = |name: &str| {
        let field = keys.fields.iter().find(|field| field.name.as_str() == name).unwrap();
        keyspace::index(words, keys.indexes_of(field.number).values.unwrap())
    };
    let by_owner = keyspace::index(mine.number, mine.owner_index().unwrap());
    let admin = some(&store, &keyspace::users()).await.0;
    let admin = UserId::from_uuid(keyspace::last_id(&admin).unwrap().bits());
    let (nobody, owner, record) = (UserId::from_uuid(id()), OwnerNumber(99), RecordId::from_uuid(id()));
    let unique = some(&store, &keyspace::uniques(words)).await.0;
    let usage = some(&store, &keyspace::usages()).await.0;
    let wrongs = [
        ("an index entry is missing", some(&store, &index("weight")).await.0, None),
        ("the owner's index entry is missing", some(&store, &by_owner).await.0, None),
        ("an index entry has a value", some(&store, &index("parent")).await.0, Some("x".into())),
        ("an index entry of no record", index("weight").int(3).uuid(id()), Some(String::new())),
        ("an index of no field", keyspace::index(words, IndexNumber(99)).text("red").uuid(id()), Some(String::new())),
        ("a unique entry is missing", unique.clone(), None),
        ("a unique entry names nobody", unique.clone(), Some(record.to_string())),
        ("a unique entry is torn", unique, Some("torn".to_owned())),
        ("a unique entry of no record", keyspace::uniques(words).int(2).text("x"), Some(record.to_string())),
        ("a count is missing", keyspace::count(words), None),
        ("a count is wrong", keyspace::count(words), Some("\0\0\0\0\0\0\0\u{7}".to_owned())),
        ("a count is torn", keyspace::count(words), Some("\0".to_owned())),
        (
            "an owner has a count and no records",
            keyspace::owned_count(words, Some(owner)),
            Some("\0\0\0\0\0\0\0\u{1}".to_owned()),
        ),
        ("nobody has a count", keyspace::owned_count(words, None), Some("\0\0\0\0\0\0\0\u{1}".to_owned())),
        ("what an owner has is missing", usage.clone(), None),
        ("what an owner has is wrong", usage.clone(), Some("\0\0\0\0\0\0\0\u{7}".repeat(3))),
        ("what an owner has is half a number", usage.clone(), Some("\0\0\0\0\0\0\0\u{7}".to_owned())),
        ("an owner has something and no records", keyspace::usage(Some(owner)), Some("\0\0\0\0\0\0\0\u{1}".repeat(3))),
        ("the count of collections is missing", keyspace::collection_count(), None),
        ("a reference is not counted", some(&store, &keyspace::all_referrers(words)).await.0, None),
        (
            "a reference is counted and not there",
            keyspace::referrers(words, record),
            Some("\0\0\0\0\0\0\0\u{2}".to_owned()),
        ),
        ("something of no collection", keyspace::count(CollectionNumber(99)), Some("\0\0\0\0\0\0\0\0".to_owned())),
        ("a user's name is missing", some(&store, &keyspace::usernames()).await.0, None),
        ("a user's name is another's", some(&store, &keyspace::usernames()).await.0, Some(nobody.to_string())),
        ("a name of no user", keyspace::username("nobody"), Some(admin.to_string())),
        ("the admins are not counted", keyspace::active_admins(), None),
        ("a session is not its user's", some(&store, &keyspace::all_user_sessions()).await.0, None),
        (
            "a session of a user is not there",
            keyspace::user_session(admin, SessionId::from_uuid(id())),
            Some(String::new()),
        ),
        ("a spent token of no session", keyspace::spent(SessionId::from_uuid(id()), id()), Some(String::new())),
    ];
    drop(store);
    for (what, key, value) in wrongs {
        let store = open(&data);
        let batch = match value {
            Some(value) => Batch::with(|batch| batch.put(key.clone(), value)),
            None => Batch::with(|batch| batch.delete(key.clone())),
        };
        store.commit(batch).await.unwrap();
        drop(store);
        let found = said(&coffer(&["check"], &data));
        assert!(found.starts_with("4: "), "{what}: {found}");
        assert!(found.contains(&keyspace::shown(&key)), "{what} is told with its key: {found}");
        assert!(found.contains("run `coffer check --repair`"), "{what}: {found}");
        let repaired = said(&coffer(&["check", "--repair"], &data));
        assert!(repaired.starts_with("0: ") && repaired.contains("Everything fits together"), "{what}: {repaired}");
        // A count of nothing may be there or not.
        let zeros = [Bytes::from_static(&[0; 8]), Bytes::from_static(&[0; 24])];
        let mut after = everything(&open(&data)).await;
        after.retain(|entry| !zeros.contains(&entry.1) || before.contains(entry));
        assert!(after == before, "{what}: the repair restores what was there, and nothing else changes");
    }
}

#[tokio::test]
async fn damage_to_what_people_stored_is_told_and_never_repaired() {
    let dir = furnished().await;
    let data = dir.path().join("data");
    let store = open(&data);
    let words = keys(&store, "words").await.number;
    let (record, value) = some(&store, &keyspace::records(words)).await;
    let parsed = record::decode(keyspace::last_id(&record).unwrap(), &value).unwrap();
    let change = |member: &str, to: Value| {
        let mut changed = parsed.clone();
        changed.set(member, to);
        record::encode(record::head(&value).unwrap(), &changed).unwrap().value
    };
    let users = some(&store, &keyspace::users()).await.0;
    let session = some(&store, &keyspace::sessions()).await.0;
    let (last, block) = some(&store, &Key::space(journal::SPACE)).await;
    let mut entries = journal::unpack(&block).unwrap();
    let twice = journal::pack(&[entries[0].clone(), entries[0].clone()]);
    let later = Version::new(store.snapshot().await.unwrap().version().get() + 7);
    entries[0].at.version = later;
    drop(store);
    let text = |text: &str| text.as_bytes().to_vec();
    let wrongs = [
        ("a record is no JSON", record.clone(), text("{")),
        ("a record refers to what is not there", record.clone(), change("parent", json!(id()))),
        ("two records have one unique value", record.clone(), change("word", json!("root"))),
        ("a record's owner has no number", record.clone(), change("owner", json!(id()))),
        ("a record of no collection", keyspace::record(CollectionNumber(99), RecordId::from_uuid(id())), text("{}")),
        ("a record is there and gone", keyspace::tombstone(words, keyspace::last_id(&record).unwrap()), text("")),
        ("a user is no JSON", users, text("[]")),
        ("a session is no JSON", session, text("")),
        ("a definition is no JSON", keyspace::collection(&"words".parse().unwrap()), text("null")),
        ("a collection's number is another's", keyspace::numbered(words), text("{}")),
        ("the last number is not the last", keyspace::last_collection(), vec![0; 8]),
        ("the journal has a torn block", last.clone(), text("{}")),
        ("the journal has an entry of another commit", last.clone(), journal::pack(&entries).to_vec()),
        ("the journal has an entry twice", last, twice.to_vec()),
        ("a key of nobody's", Key::space("strange").int(1), text("")),
    ];
    for (what, key, value) in wrongs {
        let copy = dir.path().join("copy");
        let _ = std::fs::remove_dir_all(&copy);
        crate::files::copy_dir(&data, &copy);
        let store = open(&copy);
        let entry = Bytes::from(value);
        store.commit(Batch::with(|batch| batch.put(key.clone(), entry.clone()))).await.unwrap();
        drop(store);
        let found = said(&coffer(&["check"], &copy));
        assert!(found.starts_with("4: "), "{what}: {found}");
        let unrepaired = said(&coffer(&["check", "--repair"], &copy));
        assert!(unrepaired.starts_with("4: "), "{what}: {unrepaired}");
        assert!(unrepaired.contains("restore a backup"), "{what}: {unrepaired}");
        let after = open(&copy).get(&key).await.unwrap().unwrap();
        assert_eq!(after.value, entry, "{what} is as it was found");
    }
}

#[test]
fn a_directory_without_a_store_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let said = said(&coffer(&["check"], dir.path()));
    assert!(said.starts_with("1: coffer: there is no store"), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
