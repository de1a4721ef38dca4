//! D7: what a user may own. Every test ends with `coffer check`, which counts anew.

use std::path::Path;

use common::{Problem, user::Usage};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Client, PASSWORD, path,
    server::{Server, coffer, said},
    text,
};

/// A server with quotas, its admin, and a user who is none.
struct Limited {
    dir: TempDir,
    server: Server,
    admin: Client,
    bo: Client,
}

impl Limited {
    async fn with(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Server::start(&dir.path().join("data"), args);
        let admin = server.set_up().await;
        admin.collection("notes", json!([{"name": "text", "type": "text", "multiline": true}])).await;
        admin.post("/api/users/", &json!({"username": "bo", "password": PASSWORD})).await.is(201);
        let bo = server.sign_in("bo").await;
        Self { dir, server, admin, bo }
    }

    fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Ends the server; what it leaves fits together.
    fn checked(self) -> TempDir {
        let data = self.data();
        self.server.stop();
        assert_sound(&data);
        self.dir
    }
}

fn assert_sound(data: &Path) {
    let checked = said(&coffer(&["check"], data));
    assert!(checked.starts_with("0: Everything fits together"), "{checked}");
}

async fn usage(client: &Client) -> Usage {
    let me = client.get("/api/users/me/").await.is(200);
    serde_json::from_value(me["usage"].clone()).unwrap()
}

/// The bytes that records count for: their JSON without what the server stamps anew with each change.
fn weight(record: &Value) -> u64 {
    let mut stored = record.clone();
    stored.as_object_mut().unwrap().remove("revision");
    (stored.to_string().len() - text(record, "updated_at").len()) as u64
}

fn many(count: usize) -> Value {
    (0..count).map(|n| json!({"text": format!("note {n:04}")})).collect()
}

#[track_caller]
fn over_quota(problem: &Problem, quota: &str) {
    assert_eq!((problem.kind.as_ref(), problem.code.as_ref()), ("/problems/quota-exceeded", "quota_exceeded"));
    assert_eq!(problem.extra.get("quota"), Some(&json!(quota)), "{problem:?}");
}

#[tokio::test]
async fn d7_records_stop_at_the_quota_and_go_on_when_some_are_deleted() {
    let it = Limited::with(&["--quota-records", "3"]).await;
    let first = it.bo.record("notes", json!({"text": "a"})).await;
    it.bo.post("/api/records/notes/", &many(2)).await.is(201);
    let refused = it.bo.post("/api/records/notes/", &json!({"text": "b"})).await;
    let problem = refused.refused(403);
    over_quota(&problem, "records");
    assert_eq!((problem.extra["used"].clone(), problem.extra["limit"].clone()), (json!(3), json!(3)));
    assert_eq!(
        problem.detail,
        "You own 3 of the 3 records that you may, so there is no room for 1 more record. Delete some that you no longer need, or ask whoever runs this server for more."
    );
    assert_eq!(usage(&it.bo).await.to_string().split(", ").next(), Some("3 of 3 records"));
    // Changing and deleting go on, and undoing a deletion needs room as well.
    it.bo.patch(&path("notes", &first), &json!({"text": "longer than before"})).await.is(200);
    it.bo.delete(&path("notes", &first)).await.is(204);
    it.bo.record("notes", json!({"text": "b"})).await;
    let back = format!("{}history/{}/restore/", path("notes", &first), first["revision"]);
    over_quota(&it.bo.post(&back, &json!({})).await.refused(403), "records");
    let rows = it.bo.get("/api/records/notes/").await.is(200);
    it.bo.delete(&path("notes", &rows["results"][0])).await.is(204);
    it.bo.post(&back, &json!({})).await.is(200);
    assert_eq!(usage(&it.bo).await.records, 3);
    it.checked();
}

#[tokio::test]
async fn d7_bytes_stop_at_the_quota_and_changes_that_do_not_grow_go_on() {
    let it = Limited::with(&["--quota-bytes", "2kB"]).await;
    let record = it.bo.record("notes", json!({"text": "x".repeat(1000)})).await;
    assert_eq!(usage(&it.bo).await.bytes, weight(&record), "what is counted is what is sent");
    let problem = it.bo.post("/api/records/notes/", &json!({"text": "y".repeat(1000)})).await.refused(403);
    over_quota(&problem, "bytes");
    assert!(problem.detail.starts_with("Your records take 1."), "{}", problem.detail);
    let address = path("notes", &record);
    over_quota(&it.bo.patch(&address, &json!({"text": "z".repeat(3000)})).await.refused(403), "bytes");
    assert_eq!(it.bo.get(&address).await.is(200), record, "nothing was changed");
    // To the last byte, and no further.
    let room = 2000 - usize::try_from(weight(&record)).unwrap();
    it.bo.patch(&address, &json!({"text": "x".repeat(1000 + room)})).await.is(200);
    assert_eq!(usage(&it.bo).await.bytes, 2000);
    over_quota(&it.bo.patch(&address, &json!({"text": "x".repeat(1001 + room)})).await.refused(403), "bytes");
    for n in 0..30 {
        // The moment of the change has more digits at one time than at another; that is no growth.
        let text = char::from(b'a' + n % 26).to_string().repeat(1000 + room);
        it.bo.patch(&address, &json!({"text": text})).await.is(200);
    }
    assert_eq!(usage(&it.bo).await.bytes, 2000);
    it.checked();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d7_of_many_writers_at_the_edge_exactly_those_get_in_that_there_is_room_for() {
    let it = Limited::with(&["--quota-records", "100"]).await;
    let sessions: Vec<Client> = futures_util::future::join_all((0..4).map(|_| it.server.sign_in("bo"))).await;
    let writers = (0..64_usize).map(|n| {
        let client = sessions[n % 4].clone();
        tokio::spawn(async move {
            let mut made = 0;
            for _ in 0..5 {
                match client.post("/api/records/notes/", &json!({"text": format!("by {n}")})).await {
                    answer if answer.status == 201 => made += 1,
                    answer => over_quota(&answer.refused(403), "records"),
                }
            }
            made
        })
    });
    let made: u64 = futures_util::future::join_all(writers).await.into_iter().map(|made| made.unwrap()).sum();
    assert_eq!(made, 100);
    assert_eq!(usage(&it.bo).await.records, 100);
    assert_eq!(it.admin.get("/api/records/notes/").await.is(200)["count"], 100);
    it.checked();
}

#[tokio::test]
async fn d7_a_batch_that_crosses_the_edge_leaves_nothing() {
    let it = Limited::with(&["--quota-records", "1500"]).await;
    it.bo.post("/api/records/notes/", &many(1000)).await.is(201);
    let problem = it.bo.post("/api/records/notes/", &many(1000)).await.refused(403);
    over_quota(&problem, "records");
    assert_eq!(problem.extra["used"], 1000);
    assert_eq!(it.bo.get("/api/records/notes/").await.is(200)["count"], 1000);
    assert_eq!(usage(&it.bo).await.records, 1000);
    it.bo.post("/api/records/notes/", &many(500)).await.is(201);
    it.checked();
}

#[tokio::test]
async fn d7_admins_are_held_up_by_no_quota_and_what_they_own_is_counted() {
    let it = Limited::with(&["--quota-records", "1", "--quota-bytes", "300B"]).await;
    it.admin.post("/api/records/notes/", &many(20)).await.is(201);
    let usage = usage(&it.admin).await;
    assert_eq!((usage.records, usage.max_records, usage.max_bytes), (20, None, None));
    // Nor where it is somebody else's record that grows: then that owner is over, and may still shrink it.
    let record = it.bo.record("notes", json!({"text": "a"})).await;
    it.admin.patch(&path("notes", &record), &json!({"text": "a".repeat(500)})).await.is(200);
    over_quota(&it.bo.patch(&path("notes", &record), &json!({"text": "a".repeat(501)})).await.refused(403), "bytes");
    it.bo.patch(&path("notes", &record), &json!({"text": "a".repeat(400)})).await.is(200);
    let shown = it.admin.get(&format!("/api/users/{}/", it.bo.id)).await.is(200);
    assert_eq!((&shown["usage"]["records"], &shown["usage"]["max_bytes"]), (&json!(1), &json!(300)));
    let all = it.admin.column("/api/users/", "usage").await;
    assert_eq!(all.iter().map(|usage| &usage["records"]).collect::<Vec<_>>(), [&json!(20), &json!(1)]);
    // What is sent back whole may have it.
    it.bo.patch("/api/users/me/", &it.bo.get("/api/users/me/").await.is(200)).await.is(200);
    it.admin.patch(&format!("/api/users/{}/", it.bo.id), &shown).await.is(200);
    it.checked();
}

#[tokio::test]
async fn d7_what_others_have_is_not_told_to_who_changes_their_records() {
    let it = Limited::with(&["--quota-bytes", "400B"]).await;
    let access = json!({"update": ["signed_in"], "create": ["anyone"], "list": ["anyone"]});
    it.admin.patch("/api/collections/notes/", &json!({"access": access})).await.is(200);
    let record = it.bo.record("notes", json!({"text": "a"})).await;
    it.admin.post("/api/users/", &json!({"username": "cy", "password": PASSWORD})).await.is(201);
    let cy = it.server.sign_in("cy").await;
    let problem = cy.patch(&path("notes", &record), &json!({"text": "a".repeat(400)})).await.refused(403);
    assert_eq!(problem.code, "quota_exceeded");
    assert!(problem.extra.is_empty() && !problem.detail.contains(|c: char| c.is_ascii_digit()), "{problem:?}");
    // What nobody owns counts together, for strangers too.
    let stranger = it.server.stranger();
    stranger.record("notes", json!({"text": "a"})).await;
    let problem = stranger.post("/api/records/notes/", &json!({"text": "a".repeat(300)})).await.refused(403);
    assert_eq!(problem.code, "quota_exceeded");
    assert!(problem.detail.contains("nobody owns") && problem.extra.is_empty(), "{problem:?}");
    it.bo.post("/api/records/notes/", &json!({"text": "mine"})).await.is(201);
    it.checked();
}

#[tokio::test]
async fn d7_everything_that_changes_records_keeps_the_count() {
    let it = Limited::with(&["--quota-records", "100"]).await;
    let fields = json!([{"name": "of", "type": "reference", "collection": "notes", "on_delete": "cascade", "nullable": true},
                        {"name": "by", "type": "reference", "collection": "notes", "on_delete": "set_null", "nullable": true}]);
    it.admin.collection("uses", fields).await;
    let note = it.bo.record("notes", json!({"text": "a"})).await;
    let other = it.bo.record("notes", json!({"text": "b"})).await;
    it.admin.record("uses", json!({"of": note["id"]})).await;
    it.bo.record("uses", json!({"of": other["id"], "by": note["id"]})).await;
    it.bo.put(&path("notes", &other), &json!({"text": "b, rewritten"})).await.is(200);
    it.bo.patch(&path("notes", &other), &json!({"text": "b, rewritten"})).await.is(200);
    it.bo.delete(&path("notes", &note)).await.is(204);
    assert_eq!((usage(&it.bo).await.records, usage(&it.admin).await.records), (2, 0));
    // A definition that rewrites the records under it: they count for what they did, until somebody changes them.
    let (kept, before) = (it.bo.get(&path("notes", &other)).await.is(200), usage(&it.bo).await.bytes);
    let fields = json!([{"name": "text", "type": "text"}, {"name": "more", "type": "text", "default": "as before"}]);
    it.admin.patch("/api/collections/notes/", &json!({"fields": fields})).await.is(200);
    let uses = it.bo.get("/api/records/uses/").await.is(200);
    assert_eq!(usage(&it.bo).await.bytes, before);
    assert_eq!(before, weight(&kept) + weight(&uses["results"][0]));
    it.admin.delete("/api/collections/uses/").await.is(204);
    assert_eq!(usage(&it.bo).await.bytes, weight(&kept));
    let changed = it.bo.patch(&path("notes", &other), &json!({"text": "c"})).await.is(200);
    assert_eq!((changed["more"].as_str(), usage(&it.bo).await.bytes), (Some("as before"), weight(&changed)));
    // The user goes, and the records stay.
    it.admin.delete(&format!("/api/users/{}/", it.bo.id)).await.is(204);
    let backup = it.dir.path().join("box.backup");
    let dir = it.checked();
    let data = dir.path().join("data");
    let made = said(&coffer(&["backup", backup.to_str().unwrap()], &data));
    assert!(made.starts_with("0: "), "{made}");
    let restored = dir.path().join("restored");
    let said = said(&coffer(&["restore", backup.to_str().unwrap()], &restored));
    assert!(said.starts_with("0: "), "{said}");
    assert_sound(&restored);
}

#[tokio::test]
async fn d7_a_quota_that_was_lowered_lets_shrink_and_delete() {
    let it = Limited::with(&[]).await;
    it.bo.post("/api/records/notes/", &many(50)).await.is(201);
    let (data, defaults) = (it.data(), usage(&it.bo).await);
    assert_eq!((defaults.max_records, defaults.max_bytes), (Some(1_000_000), Some(1_000_000_000)));
    let dir = it.checked();
    let server = Server::start(&data, &["--quota-records", "10", "--quota-bytes", "1kB"]);
    let bo = server.sign_in("bo").await;
    let rows = bo.get("/api/records/notes/").await.is(200);
    bo.patch(&path("notes", &rows["results"][0]), &json!({"text": "n"})).await.is(200);
    bo.delete(&path("notes", &rows["results"][1])).await.is(204);
    over_quota(&bo.post("/api/records/notes/", &json!({"text": ""})).await.refused(403), "records");
    assert_eq!(usage(&bo).await.records, 49);
    server.stop();
    let server = Server::start(&data, &["--quota-records", "off", "--quota-bytes", "off"]);
    let bo = server.sign_in("bo").await;
    bo.record("notes", json!({"text": "more"})).await;
    assert_eq!(usage(&bo).await.max_records, None);
    server.stop();
    assert_sound(&data);
    drop(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d7_a_server_has_a_thousand_collections_at_most() {
    let it = Limited::with(&[]).await;
    let tasks = (0..8).map(|part| {
        let admin = it.admin.clone();
        tokio::spawn(async move {
            let mut made = 0;
            for n in 0..126 {
                let body = json!({"name": format!("c{part}_{n}"), "fields": []});
                match admin.post("/api/collections/", &body).await {
                    answer if answer.status == 201 => made += 1,
                    answer => over_quota(&answer.refused(403), "collections"),
                }
            }
            made
        })
    });
    let made: u64 = futures_util::future::join_all(tasks).await.into_iter().map(|made| made.unwrap()).sum();
    assert_eq!(made, 999, "one was there");
    it.admin.delete("/api/collections/notes/").await.is(204);
    it.admin.collection("last", json!([])).await;
    let problem = it.admin.post("/api/collections/", &json!({"name": "more", "fields": []})).await.refused(403);
    assert!(problem.detail.contains("1000 collections"), "{}", problem.detail);
    it.checked();
}
