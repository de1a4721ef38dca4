//! Migrations: steps over HTTP, files by the command, and what is left where either is killed.

mod branches;
mod files;
mod import_drf;
mod killed;
mod steps;
mod together;

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{ADMIN, Client, Coffer, PASSWORD, command, server::said};

/// `coffer migrate <arguments> --dir <dir>` against a server, as its admin.
fn migrate(base: &str, dir: &Path, arguments: &[&str]) -> Output {
    let mut child = command()
        .arg("migrate")
        .args(arguments)
        .arg("--dir")
        .arg(dir)
        .args(["--server", base, "--user", ADMIN, "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
    child.wait_with_output().unwrap()
}

/// What it says, where it has to end well.
#[track_caller]
fn migrated(base: &str, dir: &Path, arguments: &[&str]) -> String {
    let said = said(&migrate(base, dir, arguments));
    assert!(said.starts_with("0: "), "migrate {arguments:?}: {said}");
    said[3..].to_owned()
}

/// What it says, where it has to end with 1.
#[track_caller]
fn refused(base: &str, dir: &Path, arguments: &[&str]) -> String {
    let said = said(&migrate(base, dir, arguments));
    assert!(said.starts_with("1: "), "migrate {arguments:?}: {said}");
    said[3..].to_owned()
}

/// How many records a story has: `MIGRATE_RECORDS` makes it a long one.
fn records(usual: usize) -> usize {
    std::env::var("MIGRATE_RECORDS").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A server with people whose names are one text.
async fn people(count: usize) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    fill(&admin, count).await;
    (coffer, admin)
}

async fn fill(admin: &Client, count: usize) {
    let fields = json!([
        {"name": "full_name", "type": "text", "required": true},
        {"name": "age", "type": "text"},
        {"name": "kind", "type": "choice", "choices": ["a", "b"]},
        {"name": "first", "type": "text"},
        {"name": "last", "type": "text"},
    ]);
    admin.collection("people", fields).await;
    let person = |i: usize| {
        let kind = if i.is_multiple_of(3) { "a" } else { "b" };
        json!({"full_name": format!("Ada{i} van Lovelace"), "age": format!("{:03}", i % 90), "kind": kind})
    };
    for chunk in (0..count).collect::<Vec<_>>().chunks(1000) {
        let rows: Value = chunk.iter().map(|i| person(*i)).collect();
        admin.post("/api/records/people/", &rows).await.is(201);
    }
}

/// Retype, split, rename and set: each kind of step once.
fn steps() -> Value {
    json!([
        {"change": "people", "alter": {"age": {"type": "integer", "convert": "number"}}},
        {"update": "people", "split": [{"field": "full_name", "into": ["first", "last"]}]},
        {"change": "people", "rename": {"full_name": "label"}},
        {"update": "people", "where": "kind = \"a\" and age >= 30", "set": {"kind": "b"}},
    ])
}

/// The fields of all records as they are sent, to the byte.
async fn bytes(client: &Client, collection: &str) -> String {
    let definition = client.get(&format!("/api/collections/{collection}/")).await.is(200);
    let fields = definition["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap());
    let fields = fields.chain(["id", "owner", "created_at"]).collect::<Vec<_>>().join(",");
    let path = format!("/api/records/{collection}/export/?format=ndjson&ordering=id&fields={fields}");
    let answer = client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// Waits for work that was begun, and gives how it ended.
async fn settled(client: &Client, answer: &Value) -> Value {
    let Some(id) = answer.get("kind").and_then(|_| answer["id"].as_str()) else { return answer.clone() };
    loop {
        let operation = client.get(&format!("/api/operations/{id}/")).await.is(200);
        if operation["ended_at"] != Value::Null {
            return operation;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
