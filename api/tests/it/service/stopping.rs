//! SIGTERM, once and twice: what was acknowledged is there afterwards, who is under way is answered, and nobody holds the server up.

use std::{collections::BTreeSet, io, net::SocketAddr, sync::Arc};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};

use crate::support::{
    Client,
    server::{Server, coffer, said, terminate},
};

const WRITERS: usize = 64;

/// One answer: its status, and whether the server leaves after it. `None` where it left before.
async fn answer(stream: &mut TcpStream) -> io::Result<Option<(u16, bool)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && head.is_empty() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(Some((head[9..12].parse().unwrap(), header("connection") == Some("close"))))
}

/// Writes one record after the other until the server leaves; gives those that it acknowledged.
async fn write(address: SocketAddr, token: String, writer: usize, written: Arc<Notify>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut number = 0;
    // A client that can no longer connect was never accepted.
    while let Ok(mut stream) = TcpStream::connect(address).await {
        loop {
            number += 1;
            let word = format!("w{writer}-{number}");
            let body = json!({"word": word}).to_string();
            let request = format!(
                "POST /api/records/words/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            // The server may have left already, which reading tells.
            let _ = stream.write_all(request.as_bytes()).await;
            let Some((status, leaves)) = answer(&mut stream).await.expect("no connection is reset") else { break };
            assert_eq!(status, 201);
            acknowledged.push(word);
            written.notify_one();
            if leaves {
                assert_eq!(stream.read_to_end(&mut Vec::new()).await.expect("not reset after the last answer"), 0);
                break;
            }
        }
    }
    acknowledged
}

#[tokio::test]
async fn a_stop_amid_64_writers_loses_nothing_that_was_acknowledged_and_resets_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &["--grace", "30s", "--rate-limit", "off"]);
    let admin = server.set_up().await;
    let fields = json!([{"name": "word", "type": "text", "required": true, "unique": true}]);
    admin.collection("words", fields).await;
    let address = server.authority().parse().unwrap();
    let written = Arc::new(Notify::new());
    let token = admin.access.clone().unwrap();
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(address, token.clone(), writer, written.clone()))).collect();
    for _ in 0..10 * WRITERS {
        written.notified().await;
    }
    terminate(&server.child);
    let mut acknowledged = BTreeSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    server.ended();
    assert!(acknowledged.len() >= WRITERS, "{}", acknowledged.len());

    assert!(said(&coffer(&["check"], &data)).starts_with("0: "));
    let again = Server::start(&data, &[]);
    let admin = again.sign_in(crate::support::ADMIN).await;
    let stored = all_words(&admin).await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

async fn all_words(admin: &Client) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for page in 1.. {
        let answer = admin.get(&format!("/api/records/words/?page_size=200&page={page}")).await.is(200);
        let rows = answer["results"].as_array().unwrap();
        words.extend(rows.iter().map(|row| row["word"].as_str().unwrap().to_owned()));
        if answer["next"].is_null() {
            break;
        }
    }
    words
}

/// A server with a request under way whose body never ends, and which was told to stop.
async fn held_up(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.authority()).await.unwrap();
    stream
        .write_all(
            b"POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        )
        .await
        .unwrap();
    // What came after it was handled, so it was begun.
    server.stranger().get("/api/").await.is(200);
    terminate(&server.child);
    while !server.log().contains("stopping; a second signal ends it now") {
        tokio::task::yield_now().await;
    }
    stream
}

#[tokio::test]
async fn a_request_without_end_holds_a_stop_up_for_the_grace_period_and_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), &["--grace", "1s"]);
    let _stream = held_up(&server).await;
    let started = std::time::Instant::now();
    // With 0.
    server.ended();
    assert!(started.elapsed().as_secs() < 8, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_second_signal_ends_the_server_now() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--grace", "1h"]);
    let _stream = held_up(&server).await;
    assert!(server.child.try_wait().unwrap().is_none());
    terminate(&server.child);
    assert_eq!(server.child.wait().unwrap().code(), Some(1));
}
