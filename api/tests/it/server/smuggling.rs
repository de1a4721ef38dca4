//! Requests whose end can be read in two ways (`docs/security.md`, N4): refused and closed, or read in the one way that RFC 9112 names. Never two answers.

use super::*;

/// What a smuggler hides behind the first request.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

async fn exchange(server: &Running, head: &str, body: &str) -> String {
    let mut client = Client::connect(server.address).await;
    client.send(format!("POST /body HTTP/1.1\r\n{head}\r\n{body}")).await;
    client.0.shutdown().await.unwrap();
    client.rest().await
}

#[tokio::test]
async fn n4_chunks_come_before_a_length_and_nothing_comes_after_both() {
    let server = start(ServerOptions::default());
    for head in [
        "Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n",
    ] {
        let answer = exchange(&server, head, &format!("5\r\nhello\r\n0\r\n\r\n{HIDDEN}")).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
        assert!(answer.contains("connection: close") && answer.ends_with("\r\n\r\n5"), "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn n4_lengths_that_can_be_read_in_two_ways_are_refused_and_the_connection_closed() {
    let server = start(ServerOptions::default());
    for head in [
        "Host: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n",
        "Host: a\r\nContent-Length: 0, 5\r\n",
        "Host: a\r\nTransfer-Encoding: chunked, identity\r\n",
        "Host: a\r\nTransfer-Encoding: identity\r\n",
        "Host: a\r\nTransfer-Encoding: xchunked\r\n",
        "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n",
        "Host: a\r\nTransfer-Encoding: chunked, chunked\r\n",
        "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nTransfer-Encoding : chunked\r\n",
        "Host: a\r\nContent-Length : 5\r\n",
        "Host: a\r\nContent-Length: +5\r\n",
        "Host: a\r\nContent-Length: 0x5\r\n",
        "Host: a\r\nContent-Length: -1\r\n",
        "Host: a\r\nX: y\r\n Content-Length: 5\r\n",
        "Host: a\r\n\tTransfer-Encoding: chunked\r\n",
    ] {
        let answer = exchange(&server, head, &format!("0\r\n\r\n{HIDDEN}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
        assert!(answer.contains("content-type: application/"), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn what_an_address_does_not_hold_as_it_is_is_told_with_its_code() {
    let server = start(ServerOptions::default());
    for bare in ["\"a,b\"", "a>3", "a<3", "a b"] {
        let answer = ask(server.address, &format!("GET /?x={bare} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(answer.status(), 400, "{bare}");
        assert!(answer.body.contains("%22") && answer.body.contains("%3E"), "{bare}: {}", answer.body);
    }
}

#[tokio::test]
async fn n4_exactly_one_host() {
    let server = start(ServerOptions::default());
    for head in [
        "Content-Length: 0\r\n",
        "Host: a\r\nHost: b\r\nContent-Length: 0\r\n",
        "Host: a b<script>/\r\n",
        "Host: a/b\r\n",
        "Host: user@a\r\n",
        "Host: a\"b\r\n",
        "Host: \u{e9}\r\n",
    ] {
        let answer = exchange(&server, head, "").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
        assert!(answer.contains("connection: close"), "{head:?}: {answer}");
    }
    for host in ["a", "a.b:8000", "[::1]:8000", "xn--e1afmkfd", "%C3%A9", "a_b"] {
        let answer = ask(server.address, &format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(answer.status(), 200, "{host}");
    }
    for head in ["GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\nHost:\r\n"] {
        assert_eq!(ask(server.address, &format!("{head}\r\n")).await.status(), 400, "{head}: links need a host");
    }
}

#[tokio::test]
async fn n4_a_broken_chunk_ends_the_connection() {
    let server = start(ServerOptions::default());
    for body in [
        "5 5\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\n",
        "-1\r\n\r\n",
        "g\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
    ] {
        let answer = exchange(&server, "Host: a\r\nTransfer-Encoding: chunked\r\n", &format!("{body}{HIDDEN}")).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{body:?}: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 200 "), "{body:?}: {answer}");
    }
}
