//! Answers compressed for who asks. This machine itself is asked none, so a proxy on it stands for the clients here.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, Client, PASSWORD, server::Server};

async fn ask(client: &Client, path: &str, accept: &str, from: &str) -> Answer {
    let request = client.request(Method::GET, path).header("accept-encoding", accept);
    Answer::of(request.header("x-forwarded-for", from)).await
}

fn decoded(answer: &Answer) -> Vec<u8> {
    let mut decoded = Vec::new();
    match answer.header("content-encoding") {
        "gzip" => drop(GzDecoder::new(&answer.body[..]).read_to_end(&mut decoded).unwrap()),
        "br" => brotli::BrotliDecompress(&mut &answer.body[..], &mut decoded).unwrap(),
        "" => decoded.clone_from(&answer.body),
        other => panic!("{other}"),
    }
    decoded
}

#[tokio::test]
async fn answers_are_compressed_for_who_asks_and_never_those_with_tokens_or_to_this_machine() {
    const ELSEWHERE: &str = "203.0.113.9";
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--trusted-proxy", "127.0.0.1"]);
    let admin = server.set_up().await;
    admin
        .collection(
            "snacks",
            json!([{"name": "title", "type": "text"}, {"name": "note", "type": "text", "multiline": true}]),
        )
        .await;
    let rows: Vec<Value> =
        (0..200).map(|n| json!({"title": format!("Snack {n}"), "note": "crisp and salty ".repeat(4)})).collect();
    admin.post("/api/records/snacks/", &Value::from(rows)).await.is(201);

    let list = "/api/records/snacks/?page_size=200";
    let plain = ask(&admin, list, "identity", ELSEWHERE).await;
    assert_eq!(plain.header("content-encoding"), "");
    for (accept, encoding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("br;q=0, gzip", "gzip"),
        ("", ""),
        ("deflate", ""),
    ] {
        let answer = ask(&admin, list, accept, ELSEWHERE).await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accept}");
        assert_eq!(decoded(&answer), plain.body, "{accept}");
        assert!(answer.header("vary").contains("Accept-Encoding"), "{accept}");
        assert!(
            encoding.is_empty() || answer.body.len() * 8 < plain.body.len(),
            "{accept}: {} of {}",
            answer.body.len(),
            plain.body.len()
        );
    }
    // Small answers, and this machine.
    for (path, from) in [("/api/records/snacks/?page_size=1", ELSEWHERE), (list, "127.0.0.1"), (list, "::1")] {
        assert_eq!(ask(&admin, path, "gzip, br", from).await.header("content-encoding"), "", "{path} {from}");
    }
    // This machine may be the end of a tunnel, and says so.
    let tunnelled = ask(&admin, list, "gzip, identity;q=0", "127.0.0.1").await;
    assert_eq!((tunnelled.header("content-encoding"), decoded(&tunnelled)), ("gzip", plain.body.clone()));
    // Entity tags are of the record, whatever it is packed in, so that they go on being good for If-Match.
    let long = json!({"title": "long", "note": "crumbs ".repeat(400)});
    let record = admin.post("/api/records/snacks/", &long).await;
    let path = crate::support::path("snacks", &record.is(201));
    let packed = ask(&admin, &path, "gzip", ELSEWHERE).await;
    assert_eq!((packed.header("content-encoding"), packed.header("etag")), ("gzip", record.header("etag")));
    let again =
        admin.request(Method::GET, &path).header("accept-encoding", "gzip").header("x-forwarded-for", ELSEWHERE);
    Answer::of(again.header("if-none-match", packed.header("etag"))).await.is(304);
    // Secrets beside what a stranger sends.
    for _ in 0..12 {
        server.stranger().post("/api/token/", &json!({"username": ADMIN, "password": PASSWORD})).await.is(200);
    }
    let sessions = ask(&admin, "/api/sessions/", "gzip, br", ELSEWHERE).await;
    assert!(sessions.body.len() > 1400 && sessions.header("content-encoding").is_empty(), "{}", sessions.text());
}
