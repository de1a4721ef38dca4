//! Backups: one that is taken while others write is a prefix of history; a restored store is what it was, and goes on with
//! versions that nobody has seen; and a file that is not whole is refused with everything left as it is.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use coffer::domain::{backup, journal::Back, keyspace, record};
use common::id::RecordId;
use flate2::bufread::GzDecoder;
use serde_json::{Value, json};
use store::{Key, Options, Scan, Store, Version};

use crate::{
    files::copy_dir,
    kill::{
        assert_sound, furnish, work,
        writer::{Versions, Writer},
    },
    random::{Random, seed},
    support::{
        ADMIN, Client, PASSWORD, path,
        server::{Server, coffer, said, store_dir},
    },
};

/// `coffer backup <file>` of a running server.
fn from_server(server: &str, user: &str, file: &Path) -> Output {
    let mut command = crate::support::command();
    command.arg("backup").arg(file).args(["--server", server, "--user", user, "--password-stdin"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    child.wait_with_output().unwrap()
}

fn restore(file: &Path, data: &Path) -> String {
    said(&coffer(&["restore", file.to_str().unwrap()], data))
}

/// Everything in a store: key, version and value.
async fn everything(data: &Path) -> Vec<(Key, Version, Bytes)> {
    let store = Store::open(Options::sled(store_dir(data))).unwrap();
    let all = Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
    store.scan(all).await.unwrap().into_iter().map(|(key, entry)| (key, entry.version, entry.value)).collect()
}

/// A server with some records, stopped.
async fn furnished() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &[]);
    let admin = server.set_up().await;
    admin.collection("words", json!([{"name": "word", "type": "text", "unique": true}])).await;
    for word in ["one", "two", "three"] {
        admin.record("words", json!({"word": word})).await;
    }
    server.stop();
    dir
}

/// All records, as the journal says they were after the commit `version`: from what they are now, back to then.
async fn replayed(data: &Path, version: Version) -> BTreeMap<RecordId, Value> {
    let store = Store::open(Options::sled(store_dir(data))).unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let mut records = BTreeMap::new();
    for prefix in [keyspace::all_records(), keyspace::all_tombstones()] {
        for (key, entry) in snapshot.scan(Scan::prefix(&prefix)).await.unwrap() {
            let (collection, id) = (keyspace::collection_of(&key).unwrap(), keyspace::last_id(&key).unwrap());
            let mut state = record::decode(id, &entry.value).ok();
            let mut back = Back::new(&snapshot, None, collection, id).await.unwrap();
            while back.next_version().is_some_and(|next| next > version) {
                state = back.step().await.unwrap().expect("the journal is whole").before;
            }
            records.extend(state.map(|record| (id, json!(record))));
        }
    }
    records
}

/// What is packed in a backup, but for its manifest.
fn unpacked(file: &Path) -> Vec<u8> {
    let file = fs::read(file).unwrap();
    let mut contents = Vec::new();
    GzDecoder::new(&file[16..]).read_to_end(&mut contents).unwrap();
    let manifest = contents.windows(11).rposition(|bytes| bytes == b"{\"format\":2").unwrap();
    contents.truncate(manifest);
    contents
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_a_prefix_of_history() {
    let mut random = Random::new(seed("backup"));
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    furnish(&admin).await;
    let versions = Arc::new(Versions::default());
    let mut writers = Vec::new();
    for n in 0..8 {
        let name = format!("writer{n}");
        admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await.is(201);
        writers.push(Writer::new(name, random.next(), Arc::clone(&versions)));
    }
    let base = server.base.clone();
    let mut taken = Vec::new();
    work(writers, &base, async {
        for n in 0..3 {
            let file = dir.path().join(format!("{n}.backup"));
            tokio::time::sleep(Duration::from_millis(random.below(400) as u64)).await;
            let before = versions.last();
            let (server, target) = (base.clone(), file.clone());
            let made = tokio::task::spawn_blocking(move || from_server(&server, ADMIN, &target)).await.unwrap();
            assert!(made.status.success(), "{}", said(&made));
            taken.push((file, before));
        }
        drop(server);
    })
    .await;
    for (n, (file, before)) in taken.into_iter().enumerate() {
        let manifest = backup::verify(&file, &mut |_| ()).unwrap();
        assert!(manifest.version.get() >= before, "what was acknowledged before is in it");
        let restored = dir.path().join(format!("restored{n}"));
        let said = restore(&file, &restored);
        assert!(said.starts_with("0: Everything fits together"), "{said}");
        let expected = replayed(&data, manifest.version).await;
        assert!(!expected.is_empty(), "the writers got somewhere");
        let records =
            everything(&restored).await.into_iter().filter(|(key, ..)| key.starts_with(&keyspace::all_records()));
        let found: BTreeMap<RecordId, Value> = records
            .map(|(key, _, value)| (keyspace::last_id(&key).unwrap(), value))
            .map(|(id, value)| (id, json!(record::decode(id, &value).unwrap())))
            .collect();
        assert!(found == expected, "the backup is not what was there after {}", manifest.version);
    }
}

#[tokio::test]
async fn a_restored_store_is_what_it_was_and_passes_over_versions() {
    let dir = furnished().await;
    let data = dir.path().join("data");
    let file = dir.path().join("box.backup");
    let made = said(&coffer(&["backup", file.to_str().unwrap()], &data));
    assert!(made.starts_with("0: ") && made.contains("3 records"), "{made}");
    let before = everything(&data).await;
    let restored = dir.path().join("new/restored");
    let said = restore(&file, &restored);
    assert!(said.contains("Restored 3 records"), "{said}");
    let sessions = [keyspace::sessions(), keyspace::all_user_sessions(), keyspace::spent_tokens()];
    let is_session = |key: &Key| sessions.iter().any(|space| key.starts_with(space));
    assert!(before.iter().any(|(key, ..)| is_session(key)), "somebody was signed in");
    let after = everything(&restored).await;
    assert!(!after.iter().any(|(key, ..)| is_session(key)));
    let again = dir.path().join("again.backup");
    assert!(coffer(&["backup", again.to_str().unwrap()], &restored).status.success());
    assert!(unpacked(&again) == unpacked(&file), "everything is as it was, its version too");

    // The store that was backed up goes on, and is lost then.
    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    let lost = admin.record("words", json!({"word": "four"})).await;
    server.stop();
    let server = Server::start(&restored, &[]);
    let stale = admin.http.get(format!("{}/api/users/me/", server.base)).bearer_auth(admin.access.unwrap());
    assert_eq!(stale.send().await.unwrap().status(), 401, "no session outlives a restore");
    let admin = server.sign_in(ADMIN).await;
    let made = admin.record("words", json!({"word": "four"})).await;
    assert!(made["revision"].as_u64() > lost["revision"].as_u64(), "{made} comes after {lost}");
    let page = admin.get("/api/records/words/?word=two").await.is(200);
    let two = &page["results"][0];
    let history = admin.get(&format!("{}history/", path("words", two))).await.is(200);
    assert_eq!(history["results"][0]["revision"], two["revision"], "its history goes on");
    server.stop();
    assert_sound(&restored);
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_refused_before_anything_is_written() {
    let mut random = Random::new(seed("damaged backup"));
    let dir = furnished().await;
    let good = dir.path().join("good");
    assert!(coffer(&["backup", good.to_str().unwrap()], &dir.path().join("data")).status.success());
    let good = fs::read(good).unwrap();
    let mut bad: Vec<(String, Vec<u8>)> = vec![
        ("nothing".to_owned(), Vec::new()),
        ("foreign".to_owned(), b"PK\x03\x04 something else\n".repeat(9)),
        ("only its first line".to_owned(), b"coffer backup 1\n".to_vec()),
        ("newer".to_owned(), [b"coffer backup 3\n", &good[16..]].concat()),
        ("no number".to_owned(), [b"coffer backup x\n", &good[16..]].concat()),
        ("longer".to_owned(), [&good[..], b"\0"].concat()),
        ("twice".to_owned(), good.repeat(2)),
    ];
    for _ in 0..40 {
        let at = random.below(good.len());
        bad.push((format!("cut at {at}"), good[..at].to_vec()));
        let mut flipped = good.clone();
        flipped[at] ^= 1 << random.below(8);
        bad.push((format!("a bit flipped at {at} of {}", good.len()), flipped));
    }
    let file = dir.path().join("bad");
    let new = dir.path().join("new");
    for (what, bytes) in bad {
        fs::write(&file, bytes).unwrap();
        let error = backup::verify(&file, &mut |_| ()).expect_err(&what);
        assert!(!error.to_string().contains('\n'), "{what}: {error}");
    }
    let said = restore(&file, &new);
    assert!(said.starts_with("1: coffer: ") && said.contains("was not restored"), "{said}");
    assert!(!new.exists(), "nothing was written");
}

#[tokio::test]
async fn live_data_is_never_restored_over() {
    let dir = furnished().await;
    let data = dir.path().join("data");
    let file = dir.path().join("box.backup");
    assert!(coffer(&["backup", file.to_str().unwrap()], &data).status.success());
    let before = everything(&data).await;
    let said = restore(&file, &data);
    assert!(said.starts_with("1: coffer: ") && said.contains("is not empty"), "{said}");
    assert!(everything(&data).await == before);
    // What an interrupted restore left is no live data.
    let new = dir.path().join("new");
    copy_dir(&store_dir(&data), &new.join("store.restoring"));
    let said = restore(&file, &new);
    assert!(said.starts_with("0: "), "{said}");
    assert!(!new.join("store.restoring").exists());
}

#[tokio::test]
async fn who_takes_a_backup_is_told_what_is_in_the_way() {
    let dir = furnished().await;
    let data = dir.path().join("data");
    let file = dir.path().join("box.backup");
    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    admin.post("/api/users/", &json!({"username": "ulla", "password": PASSWORD})).await.is(201);
    let users = said(&from_server(&server.base, "ulla", &file));
    assert!(users.starts_with("1: ") && users.contains("403"), "{users}");
    let nobodys = said(&from_server(&server.base, "nobody", &file));
    assert!(nobodys.starts_with("1: coffer: ") && nobodys.contains("No active account found"), "{nobodys}");
    let plain = said(&from_server("http://box.example", ADMIN, &file));
    assert!(plain.starts_with("1: ") && plain.contains("https"), "{plain}");
    assert!(!file.exists() && !dir.path().join("box.backup.part").exists(), "no file that is none");
    let made = said(&from_server(&server.base, ADMIN, &file));
    assert!(made.starts_with("0: "), "{made}");
    let sessions = admin.get("/api/sessions/").await.is(200);
    assert_eq!(sessions["count"], 2, "the backup's session has ended; the furnishing one and this go on");
}

/// Each file was made once, by [`furnished`] and the program of its time, and is never made anew.
#[tokio::test]
async fn every_format_that_ever_was_can_be_restored() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/backup/format_1.backup");
    let said = restore(&file, &data);
    assert!(said.contains("Restored 3 records"), "{said}");
    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    let words = admin.column("/api/records/words/", "word").await;
    assert_eq!(words, ["one", "two", "three"]);
}

/// A record, and its history.
async fn told(admin: &Client, record: &Value) -> [Value; 2] {
    let address = path("words", record);
    [admin.get(&address).await.is(200), admin.get(&format!("{address}history/")).await.is(200)]
}

/// What was written under another definition is as it was then: a day, and no moment at midnight.
#[tokio::test]
async fn a_definition_that_went_back_is_restored_with_values_and_histories() {
    let dir = tempfile::tempdir().unwrap();
    let (data, restored, file) = (dir.path().join("data"), dir.path().join("restored"), dir.path().join("a.backup"));
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("words", json!([{"name": "at", "type": "datetime"}, {"name": "note", "type": "text"}])).await;
    let word = admin.record("words", json!({"at": "2024-02-29T12:30:00Z"})).await;
    let day = json!({"type": "date", "convert": "date"});
    let retyped = admin.patch("/api/collections/words/fields/at/", &day).await;
    retyped.is(200);
    admin.patch(&path("words", &word), &json!({"note": "x"})).await.is(200);
    admin.post(&format!("/api/changes/{}/revert/", retyped.header("operation")), &json!({})).await.is(200);
    let before = told(&admin, &word).await;
    assert_eq!((&before[0]["at"], &before[1]["results"][0]["after"]["at"]), (&word["at"], &json!("2024-02-29")));
    server.stop();
    let taken = said(&coffer(&["backup", file.to_str().unwrap()], &data));
    assert!(taken.starts_with("0: "), "{taken}");
    assert!(restore(&file, &restored).starts_with("0: "));
    let server = Server::start(&restored, &[]);
    assert_eq!(told(&server.sign_in(ADMIN).await, &word).await, before);
    server.stop();
    assert_sound(&restored);
}
