//! What is held is charged, and given back: by what `/metrics` says of it.

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    Client, path,
    server::{Server, serve},
};

/// What a gauge says.
async fn gauge(admin: &Client, name: &str) -> u64 {
    let text = admin.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}

/// Waits until what requests held was given back.
async fn given_back(admin: &Client, before: u64) {
    while gauge(admin, "coffer_memory_held_bytes").await > before + 1_000_000 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// An answer that may be 503.
async fn answer_of(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn ask(admin: &Client, address: &str) -> (u16, String) {
    answer_of(admin.request(Method::GET, address)).await
}

async fn small_server(dir: &tempfile::TempDir) -> (Server, Client) {
    server_with(dir, "64MB").await
}

async fn server_with(dir: &tempfile::TempDir, memory: &str) -> (Server, Client) {
    let data = dir.path().join("data");
    let mut server = Server::spawn(&data, &mut serve(&data, &["--memory", memory, "--rate-limit", "off"]));
    let admin = server.set_up().await;
    (server, admin)
}

/// A record that refers to several hundred, of 40 MB together: more than the server may hold.
async fn hub(admin: &Client) -> Value {
    let text = json!({"name": "text", "type": "text", "max_length": 100_000});
    admin.collection("parts", json!([text, {"name": "n", "type": "integer"}])).await;
    admin
        .collection("hubs", json!([{"name": "parts", "type": "reference", "collection": "parts", "many": true}]))
        .await;
    let mut parts = Vec::new();
    // Few at a time: there is not much room.
    for part in 0..80 {
        let rows: Vec<Value> = (0..5).map(|n| json!({"text": "x".repeat(100_000), "n": part * 5 + n})).collect();
        let made = admin.post("/api/records/parts/", &json!(rows)).await.is(201);
        parts.extend(made.as_array().unwrap().iter().map(|part| part["id"].clone()));
    }
    admin.record("hubs", json!({"parts": parts})).await
}

#[tokio::test]
async fn m1_what_lists_of_references_lead_to_is_charged_and_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let (server, admin) = small_server(&dir).await;
    let hub = hub(&admin).await;
    let before = gauge(&admin, "coffer_memory_held_bytes").await;
    let (status, told) = ask(&admin, "/api/records/hubs/?parts__text__contains=zz").await;
    assert!(status == 503 && told.contains("no_memory"), "{status} {told}");
    given_back(&admin, before).await;
    // Of what is not asked for nothing is held.
    let found = admin.get("/api/records/hubs/?parts__n=399").await.is(200);
    assert_eq!(found["count"], 1);
    for address in ["/api/records/hubs/?expand=parts".to_owned(), format!("{}?expand=parts", path("hubs", &hub))] {
        let refused = admin.get(&address).await.refused(400);
        assert_eq!(refused.errors.0["expand"][0].code, "too_much", "{address}");
        let many = join_all((0..20).map(|_| ask(&admin, &address))).await;
        assert!(many.iter().all(|(status, _)| [400, 503].contains(status)), "{many:?}");
        given_back(&admin, before).await;
    }
    let (peak, most) =
        (gauge(&admin, "coffer_memory_peak_bytes").await, gauge(&admin, "coffer_memory_budget_bytes").await);
    assert!(peak <= most, "{peak} of {most}");
    server.stop();
}

#[tokio::test]
async fn m1_steps_of_a_history_are_charged_and_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let (server, admin) = small_server(&dir).await;
    let text = json!({"name": "text", "type": "text", "max_length": 100_000});
    admin.collection("large", json!([text])).await;
    let record = admin.record("large", json!({"text": "x".repeat(100_000)})).await;
    for n in 0..20 {
        admin.patch(&path("large", &record), &json!({"text": format!("{n}{}", "y".repeat(99_000))})).await.is(200);
    }
    let before = gauge(&admin, "coffer_memory_held_bytes").await;
    let address = format!("{}history/", path("large", &record));
    let many = join_all((0..60).map(|_| ask(&admin, &address))).await;
    let told = |status: u16| many.iter().filter(|answer| answer.0 == status).count();
    assert_eq!(told(200) + told(503), 60);
    assert!(told(200) > 0, "4 MB each");
    given_back(&admin, before).await;
    server.stop();
}

#[tokio::test]
async fn m1_what_strangers_send_is_small() {
    let dir = tempfile::tempdir().unwrap();
    let (server, admin) = small_server(&dir).await;
    let stranger = server.stranger();
    let large = json!({"username": "nobody", "password": "x".repeat(1_000_000), "refresh": "x", "token": "x"});
    for address in ["/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/", "/api/setup/"]
    {
        let peak = gauge(&admin, "coffer_memory_peak_bytes").await;
        for answer in join_all((0..20).map(|_| stranger.post(address, &large))).await {
            answer.refused(413);
        }
        let now = gauge(&admin, "coffer_memory_peak_bytes").await;
        assert!(now < peak + 4_000_000, "{address}: {peak} and then {now}");
    }
    // A body of unknown length is not kept beyond that either, and the connection goes on.
    let mut stream = TcpStream::connect(server.authority()).await.unwrap();
    let head = format!("Host: {}\r\nContent-Type: application/json\r\n", server.authority());
    let piece = format!("2710\r\n{}\r\n", " ".repeat(10_000)).repeat(100);
    let whole = format!("POST /api/token/ HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n{piece}0\r\n\r\n");
    stream.write_all(whole.as_bytes()).await.unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"HTTP/1.1 413");
    server.stop();
}

#[tokio::test]
async fn m1_a_row_of_a_file_has_a_size() {
    let dir = tempfile::tempdir().unwrap();
    let (server, admin) = server_with(&dir, "192MB").await;
    admin.collection("rows", json!([{"name": "text", "type": "text"}])).await;
    let text = "x".repeat(3 * 1024 * 1024);
    let files = [
        ("application/x-ndjson", json!({"text": text}).to_string()),
        ("application/json", json!([{"text": text}]).to_string()),
        ("text/csv", format!("text\n{text}\n")),
    ];
    for (kind, file) in files {
        for address in ["/api/records/rows/import/", "/api/guess/"] {
            let refused = admin.raw(Method::POST, address, kind, file.clone()).await;
            assert!(refused.status == 400 && refused.text().contains("is larger than 2 MiB"), "{}", refused.text());
        }
    }
    // Many that are not too large: what there is no memory for is told so, and nothing stays.
    let before = gauge(&admin, "coffer_memory_held_bytes").await;
    let file = format!("{}\n", json!({"text": "x".repeat(1_000_000)})).repeat(3);
    let address = "/api/records/rows/import/?dry_run=true";
    let send = || {
        let request = admin.request(Method::POST, address).header("content-type", "application/x-ndjson");
        answer_of(request.body(file.clone()))
    };
    let many = join_all((0..12).map(|_| send())).await;
    assert!(many.iter().all(|(status, _)| [200, 503].contains(status)), "{many:?}");
    assert!(many.iter().any(|(status, _)| *status == 200), "{many:?}");
    given_back(&admin, before).await;
    server.stop();
}
