//! Streams that break off, anywhere, and go on: nothing is lost, nothing comes twice, all is in order.

use std::collections::BTreeMap;

use common::event::{
    EventId,
    parser::{Parser, Read},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Reader, furnished_and, reader::Event};
use crate::{
    random::{Random, seed},
    support::{Client, path, server::Server, text},
};

#[tokio::test]
async fn cut_at_every_byte_it_goes_on_where_it_was() {
    let (_coffer, admin) = furnished_and(&["--rate-limit", "off"]).await;
    let mut live = Reader::open(&admin, "collection=snacks").await;
    let open = live.next().await;
    let since = open.last;
    let rows: Vec<_> = ["bücher", "nuts", "corn"].map(|title| json!({"title": title, "price": 1})).to_vec();
    let made = admin.post("/api/records/snacks/", &json!(rows)).await.is(201);
    admin.patch(&path("snacks", &made[0]), &json!({"price": 7})).await.is(200);
    admin.delete(&path("snacks", &made[1])).await.is(204);
    let last = admin.record("snacks", json!({"title": "the last"})).await;
    let mut whole = Vec::new();
    while whole.last().is_none_or(|event: &Event| event.value["record"] != last) {
        whole.push(live.next().await);
    }
    assert_eq!(whole.len(), 6);

    let mut bytes = Vec::new();
    let mut again = admin
        .request(Method::GET, "/api/events/?collection=snacks")
        .header("last-event-id", since.unwrap().to_string())
        .send()
        .await
        .unwrap();
    while count(&bytes) < whole.len() + 1 {
        bytes.extend(again.chunk().await.unwrap().unwrap());
    }
    for cut in 0..=bytes.len() {
        let (mut parser, mut seen, mut at) = (Parser::default(), Vec::new(), since);
        for read in parser.push(&bytes[..cut]).unwrap() {
            take(read, &mut seen, &mut at);
        }
        let mut rest = Reader::open_after(&admin, "collection=snacks", at).await;
        assert_eq!(rest.next().await.name, "open");
        while seen.len() < whole.len() {
            seen.push(rest.next().await);
        }
        assert_eq!(seen, whole, "cut after {cut} of {} bytes", bytes.len());
    }
}

fn count(bytes: &[u8]) -> usize {
    Parser::default().push(bytes).unwrap().iter().filter(|read| matches!(read, Read::Event(_))).count()
}

fn take(read: Read, seen: &mut Vec<Event>, at: &mut Option<EventId>) {
    match read {
        Read::Event(event) => {
            *at = event.id.or(*at);
            if event.name != "open" {
                let value = serde_json::from_str(&event.text).unwrap();
                seen.push(Event { name: event.name, last: event.id, value });
            }
        }
        Read::Heartbeat(id) => *at = id.or(*at),
        Read::Retry(_) => {}
    }
}

/// A subscriber: who, what is asked for, what came so far.
struct Follower {
    user: &'static str,
    query: &'static str,
    seen: Vec<Event>,
    at: Option<EventId>,
}

/// Which records a follower must be told of: by owner, and by price.
fn follows(follower: &Follower, users: &BTreeMap<&str, Client>, collection: &str, record: &Value) -> bool {
    let is_own = record["owner"] == users[follower.user].id.as_str();
    let in_sight = match collection {
        "snacks" => true,
        "notes" => is_own || follower.user == "ada",
        _ => follower.user == "tina" || follower.user == "ada",
    };
    let is_asked = follower.query.is_empty() || follower.query.contains(&format!("collection={collection}"));
    let price = record["price"].as_i64();
    let matches = match follower.query.split_once("filter=") {
        None => true,
        Some((_, "price+%3D+3")) => price == Some(3),
        Some((_, "price+%3E+4+or+price+is+null")) => price.is_none_or(|price| price > 4),
        Some((_, other)) => panic!("{other}"),
    };
    in_sight && is_asked && matches
}

/// What a follower must have been told, by the journal.
fn expected(follower: &Follower, users: &BTreeMap<&str, Client>, journal: &[Value]) -> Vec<(String, String, Value)> {
    let mut expected = Vec::new();
    for change in journal.iter().filter(|change| change["subject"] == "record") {
        let collection = change["collection"].as_str().unwrap();
        let follows = |record: &Value| !record.is_null() && follows(follower, users, collection, record);
        let (before, after) = (&change["before"], &change["after"]);
        let (was, is) = (follows(before), follows(after));
        let action = change["action"].as_str().unwrap();
        let (name, record) = match (was, is) {
            (_, true) => (if action == "restore" { "create" } else { action }, after.clone()),
            (true, false) if action == "delete" => ("delete", before.clone()),
            (true, false) => ("gone", Value::Null),
            (false, false) => continue,
        };
        expected.push((name.to_owned(), text(change, "id"), record));
    }
    expected
}

/// All that the journal has, as an admin reads it.
async fn journal(admin: &Client) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), "/api/changes/".to_owned());
    loop {
        let page = admin.get(&next).await.is(200);
        all.extend(page["results"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(more) => more[more.find("/api/").unwrap()..].clone_into(&mut next),
            None => return all,
        }
    }
}

/// Reads for a while, and breaks off; or up to a record.
async fn read(follower: &mut Follower, client: &Client, events: usize, end: Option<&Value>) {
    let mut reader = Reader::open_after(client, follower.query, follower.at).await;
    let mut left = events;
    while left > 0 {
        let Some(event) = reader.next_or_end().await else { return };
        follower.at = reader.last;
        match event.name.as_str() {
            "open" | "close" => {}
            _ => {
                left -= 1;
                let is_end = end.is_some() && end == Some(&event.value["revision"]);
                follower.seen.push(event);
                if is_end {
                    return;
                }
            }
        }
    }
}

/// Changes records at random, as different users, until `count` changes were tried.
async fn write(
    users: &BTreeMap<&'static str, Client>,
    random: &mut Random,
    known: &mut Vec<(String, Value)>,
    count: usize,
) {
    let names: Vec<_> = users.keys().copied().collect();
    for _ in 0..count {
        let client = &users[names[random.below(names.len())]];
        let collection = ["snacks", "notes", "tastings"][random.below(3)];
        let price = [json!(3), json!(4), json!(9), Value::Null][random.below(4)].clone();
        match random.below(10) {
            0..=3 => {
                let rows: Vec<_> =
                    (0..=random.below(3)).map(|n| json!({"title": format!("row {n}"), "price": price})).collect();
                let made = client.post(&format!("/api/records/{collection}/"), &json!(rows)).await;
                if made.status == 201 {
                    let rows = made.is(201);
                    known.extend(rows.as_array().unwrap().iter().map(|row| (collection.to_owned(), row.clone())));
                }
            }
            4..=6 if !known.is_empty() => {
                let (collection, record) = &known[random.below(known.len())];
                client.patch(&path(collection, record), &json!({"price": price})).await;
            }
            7 if !known.is_empty() => {
                let (collection, record) = &known[random.below(known.len())];
                let owner = &users[names[random.below(names.len())]].id;
                users["ada"].patch(&path(collection, record), &json!({"owner": owner})).await;
            }
            8 if !known.is_empty() => {
                let (collection, record) = &known[random.below(known.len())];
                client.delete(&path(collection, record)).await;
            }
            _ if !known.is_empty() => {
                let (collection, record) = &known[random.below(known.len())];
                let address = format!("{}history/{}/restore/", path(collection, record), record["revision"]);
                users["ada"].post(&address, &json!({})).await;
            }
            _ => {}
        }
    }
}

const OPTIONS: &[&str] = &["--rate-limit", "off"];

/// Subscribers with different rights and filters read, break off and go on while others write and the server is killed. What they saw is what the journal
/// says, in its order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_subscribers_saw_is_what_the_journal_says_whatever_is_killed() {
    let mut random = Random::new(seed("events"));
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, OPTIONS);
    let admin = server.set_up().await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer", "nullable": true, "required": false}]);
    let of = |view: Value| json!({"list": view, "view": view, "create": ["signed_in"], "update": ["signed_in"], "delete": ["signed_in"]});
    for (name, view) in
        [("snacks", json!(["signed_in"])), ("notes", json!(["owner"])), ("tastings", json!(["role:taster"]))]
    {
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": of(view)})).await.is(201);
    }
    for (name, roles) in [("ulla", json!([])), ("otto", json!([])), ("tina", json!(["taster"]))] {
        let body = json!({"username": name, "password": crate::support::PASSWORD, "roles": roles});
        admin.post("/api/users/", &body).await.is(201);
    }
    let start =
        admin.get("/api/changes/").await.is(200)["results"].as_array().unwrap().last().unwrap()["revision"].to_string();
    let queries = [
        "",
        "collection=snacks",
        "collection=snacks&collection=notes&filter=price+%3D+3",
        "collection=notes&filter=price+%3E+4+or+price+is+null",
    ];
    let mut followers: Vec<Follower> = ["ada", "ulla", "otto", "tina"]
        .into_iter()
        .flat_map(|user| queries.map(|query| Follower { user, query, seen: Vec::new(), at: start.parse().ok() }))
        .collect();
    let mut known = Vec::new();
    let sign_in = async |server: &Server| {
        let mut users = BTreeMap::new();
        for name in ["ada", "ulla", "otto", "tina"] {
            users.insert(name, server.sign_in(name).await);
        }
        users
    };
    let mut users = sign_in(&server).await;
    for round in 0..6 {
        let reading: Vec<_> = followers
            .drain(..)
            .map(|mut follower| {
                let (client, events) = (users[follower.user].clone(), 1 + random.below(40));
                tokio::spawn(async move {
                    // Cut off where it stands when the server is killed.
                    let _ = tokio::time::timeout(
                        std::time::Duration::from_secs(2),
                        read(&mut follower, &client, events, None),
                    )
                    .await;
                    follower
                })
            })
            .collect();
        write(&users, &mut random, &mut known, 60).await;
        for reading in reading {
            followers.push(reading.await.unwrap());
        }
        if round % 2 == 1 {
            drop(server);
            server = Server::start(&data, OPTIONS);
            users = sign_in(&server).await;
        }
    }
    // One more of each collection and owner, so that everybody's end can be seen; then all read to it.
    let journal = journal(&users["ada"]).await;
    for follower in &mut followers {
        let expected = expected(follower, &users, &journal);
        let missing = expected.len() - follower.seen.len().min(expected.len());
        let client = users[follower.user].clone();
        read(follower, &client, missing, None).await;
        let seen: Vec<_> = follower
            .seen
            .iter()
            .map(|event| (event.name.clone(), text(&event.value, "id"), event.value["record"].clone()))
            .collect();
        assert_eq!(seen.len(), expected.len(), "{} {}", follower.user, follower.query);
        for (n, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
            assert_eq!(seen, expected, "{} {} event {n}", follower.user, follower.query);
        }
        let ids: Vec<_> = follower.seen.iter().map(|event| event.last).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{} {}", follower.user, follower.query);
    }
    assert!(followers.iter().map(|follower| follower.seen.len()).sum::<usize>() > 500, "much was told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_a_byte_a_second_is_let_go_and_keeps_nobody_waiting() {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpSocket,
        time::{Duration, sleep},
    };
    let (coffer, admin) = furnished_and(&["--rate-limit", "off"]).await;
    let (host, access) = (coffer.base.trim_start_matches("http://").to_owned(), admin.access.clone().unwrap());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let mut slow = socket.connect(host.parse().unwrap()).await.unwrap();
    let head = format!(
        "GET /api/events/?collection=snacks HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {access}\r\nconnection: close\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut fast = Reader::open(&admin, "collection=snacks").await;
    fast.next().await;
    let drop_by_drop = tokio::spawn(async move {
        let (mut got, mut byte) = (Vec::new(), [0]);
        for _ in 0..5 {
            slow.read_exact(&mut byte).await.unwrap();
            got.push(byte[0]);
            sleep(Duration::from_millis(200)).await;
        }
        (slow, got)
    });
    let long = "x".repeat(60_000);
    let mut last = json!(null);
    for n in 0..160 {
        let made = admin.record("snacks", json!({"title": format!("{n} {long}")})).await;
        assert_eq!(fast.next().await.value["record"]["id"], made["id"]);
        last = made;
    }
    let metrics = admin.get("/metrics").await.text();
    assert!(metrics.contains("coffer_event_streams_let_go_total 1"), "{metrics}");
    // What is left comes in good order: whole events, and where to go on.
    let (mut slow, mut got) = drop_by_drop.await.unwrap();
    let _ = tokio::time::timeout(Duration::from_mins(1), slow.read_to_end(&mut got)).await.unwrap();
    let text = String::from_utf8(got).unwrap();
    let close = text.rfind("event: close").map(|at| text[at..].to_owned()).unwrap();
    assert!(close.contains("\"reason\":\"slow\""), "{close}");
    let since: EventId = close.split("\"since\":\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    let mut rest = Reader::open_after(&admin, "collection=snacks", Some(since)).await;
    rest.next().await;
    while rest.next().await.value["record"]["id"] != last["id"] {}
}
