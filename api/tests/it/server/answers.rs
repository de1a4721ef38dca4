//! What the loop itself answers, and what it adds to every answer.

use futures_util::future::select_all;

use server::AllowedOrigins;

use super::*;

#[tokio::test]
async fn every_request_has_an_id_of_ours_that_handler_and_client_both_see() {
    let server = start(ServerOptions::default());
    let mut client = Client::connect(server.address).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        client.send("GET /id HTTP/1.1\r\nHost: a\r\nX-Request-Id: forged\r\n\r\n").await;
        let answer = client.answer().await;
        let (id, whom) = answer.body.split_once(' ').unwrap();
        assert_eq!(answer.header("x-request-id"), Some(id));
        assert_eq!(whom, "127.0.0.1 plain");
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);
        ids.push(id.to_owned());
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[tokio::test]
async fn b6_errors_and_refusals_have_the_security_headers_too() {
    let server = start(ServerOptions::default());
    for (request, status) in [
        (get("/"), 200),
        (get("/nope"), 404),
        (get("/panic"), 500),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n".into(), 405),
    ] {
        let answer = ask(server.address, request).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("server"), None);
    }
}

#[tokio::test]
async fn n8_a_panic_is_a_500_problem_and_the_process_and_the_connection_live() {
    let server = start(ServerOptions::default());
    let mut client = Client::connect(server.address).await;
    client.send(get("/panic")).await;
    let answer = client.answer().await;
    assert_eq!(answer.status(), 500);
    assert!(!answer.problem().detail.contains("on purpose"));
    client.send(get("/")).await;
    assert_eq!(client.answer().await.body, "hello");
}

#[tokio::test]
async fn b3_connect_and_trace_never_reach_warp() {
    let server = start(ServerOptions::default());
    for request in [
        "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
        "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n",
    ] {
        let mut client = Client::connect(server.address).await;
        client.send(request).await;
        let answer = client.rest().await;
        // hyper itself refuses the second, as the RFC has it.
        assert!(answer.starts_with("HTTP/1.1 405 ") || answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
        assert!(!answer.contains("secret"));
    }
    let refused = ask(server.address, "TRACE / HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\n\r\n").await;
    assert_eq!(refused.problem().code, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("get, head, post, put, patch, delete, options"));
}

#[tokio::test]
async fn a_request_line_without_a_path_never_reaches_warp() {
    let server = start(ServerOptions::default());
    let answer = ask(server.address, "GET example.org HTTP/1.1\r\nHost: example.org\r\n\r\n").await;
    assert_eq!(answer.status(), 400);
    let answer = ask(server.address, "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n").await;
    assert_eq!(answer.body, "hello", "proxies send whole addresses");
}

#[tokio::test]
async fn n3_an_address_that_is_too_long_is_414() {
    let server = start(ServerOptions::default());
    let fits = ask(server.address, get(&format!("/{}", "a".repeat(8 * 1024)))).await;
    assert_eq!(fits.status(), 404);
    let answer = ask(server.address, get(&format!("/{}", "a".repeat(66 * 1024)))).await;
    assert_eq!((answer.status(), answer.problem().status), (414, 414));
}

#[tokio::test]
async fn n3_a_method_that_is_too_long_is_a_405_that_does_not_repeat_it() {
    let server = start(ServerOptions::default());
    let name = "A".repeat(20_000);
    let answer =
        ask(server.address, format!("{name} / HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\n\r\n")).await;
    assert_eq!((answer.status(), answer.problem().status), (405, 405));
    assert!(!answer.body.contains("AAAA"));
}

#[tokio::test]
async fn n3_headers_that_are_too_many_or_too_large_are_431() {
    let server = start(ServerOptions::default());
    let lines = |count: usize, size: usize| -> String {
        let lines: Vec<String> = (0..count).map(|number| format!("X-{number}: {}\r\n", "a".repeat(size))).collect();
        format!("GET / HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\n{}\r\n", lines.concat())
    };
    assert_eq!(ask(server.address, lines(98, 10)).await.status(), 200);
    let answer = ask(server.address, lines(101, 10)).await;
    assert_eq!((answer.status(), answer.problem().status), (431, 431));
    assert_eq!(ask(server.address, lines(1, 60 * 1024)).await.status(), 200);
    let answer = ask(server.address, lines(1, 70 * 1024)).await;
    assert_eq!((answer.status(), answer.problem().status), (431, 431));
    assert_eq!(ask(server.address, lines(90, 10 * 1024)).await.status(), 431);
}

#[tokio::test]
async fn pages_of_other_origins_may_read_why_a_head_is_too_large() {
    let origins = ["https://one.example", "https://two.example"].map(|origin| origin.parse().unwrap());
    let server = start(ServerOptions { origins: AllowedOrigins::new(origins.to_vec()), ..ServerOptions::default() });
    let from = |origin: &str| format!("Host: a\r\norigin: {origin}\r\nAccept: */*\r\n");
    let long = |origin: &str| format!("GET /{} HTTP/1.1\r\n{}\r\n", "a".repeat(66 * 1024), from(origin));
    let large = |origin: &str| format!("GET / HTTP/1.1\r\n{}X: {}\r\n\r\n", from(origin), "a".repeat(70 * 1024));
    let lines: Vec<String> = (0..101).map(|number| format!("X-{number}: {}\r\n", "a".repeat(10))).collect();
    let lines = lines.concat();
    let many = |origin: &str| format!("GET / HTTP/1.1\r\n{}{lines}\r\n", from(origin));
    for (status, head) in [(414, &long as &dyn Fn(&str) -> String), (431, &large), (431, &many)] {
        let answer = ask(server.address, head("https://two.example")).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://two.example"), "{status}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "a wildcard names no problem document");
        let answer = ask(server.address, head("https://three.example")).await;
        assert_eq!((answer.status(), answer.header("access-control-allow-origin")), (status, None));
    }
}

#[tokio::test]
async fn n3_heads_together_cannot_take_more_memory_than_allowed_and_give_it_back() {
    let server = start(ServerOptions { max_heads: 200_000, ..ServerOptions::default() });
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(60_000));
    let mut half = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(server.address).await;
        // The one that is too much may be cut while it is still sending.
        let _ = client.0.write_all(large.as_bytes()).await;
        half.push(client);
    }
    let mut ends = half.iter_mut().map(|client| Box::pin(client.0.read_u8())).collect::<Vec<_>>();
    let (cut, ..) = select_all(&mut ends).await;
    assert!(cut.is_err(), "without an answer");
    assert_eq!(ask(server.address, get("/")).await.body, "hello", "usual heads still pass");
    drop(ends);
    drop(half);
    // As soon as the server has seen them go.
    let whole = format!("{large}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let mut client = Client::connect(server.address).await;
        let _ = client.0.write_all(whole.as_bytes()).await;
        answer.clear();
        let _ = client.0.read_to_end(&mut answer).await;
    }
}

#[tokio::test]
async fn n8_a_head_that_cannot_be_read_is_answered_with_a_problem_document_too() {
    let server = start(ServerOptions::default());
    let mut ids = Vec::new();
    for bad in [
        "GET / HTTP/9.9\r\n\r\n",
        "GET / \r\n\r\n",
        "\u{1}\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        // First on its connection, after an answer, and together with the request that is answered.
        for before in [None, Some(false), Some(true)] {
            let mut client = Client::connect(server.address).await;
            if let Some(is_together) = before {
                let sent = if is_together { get("/") + bad } else { get("/") };
                client.send(sent).await;
                assert_eq!(client.answer().await.body, "hello");
            }
            if before != Some(true) {
                client.send(bad).await;
            }
            let answer = client.answer().await;
            assert_eq!((answer.status(), answer.header("connection")), (400, Some("close")), "{bad:?}");
            assert_eq!(answer.problem().code, "parse_error", "{bad:?}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert!(answer.header("date").is_some());
            assert_eq!(client.rest().await, "");
            ids.push(answer.problem().request_id);
        }
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[tokio::test]
async fn what_an_answer_says_is_never_taken_for_one_of_the_libraries_own() {
    let server = start(ServerOptions::default());
    let echoed = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let mut client = Client::connect(server.address).await;
    for _ in 0..3 {
        let length = echoed.len();
        client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{echoed}")).await;
        assert_eq!(client.answer().await.body, echoed);
    }
}

#[tokio::test]
async fn n2_a_body_that_says_it_is_too_large_is_refused_unread() {
    let server = start(ServerOptions { max_body: 1000, ..ServerOptions::default() });
    let mut client = Client::connect(server.address).await;
    client
        .send("POST /body HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\nContent-Length: 1000000\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert_eq!(answer.problem().code, "too_large");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn n2_a_body_of_unknown_length_is_cut_at_the_limit_and_the_client_can_read_why() {
    let server = start(ServerOptions { max_body: 100_000, ..ServerOptions::default() });
    let mut client = Client::connect(server.address).await;
    client
        .send(
            "POST /body HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .await;
    // Some of this is sent after the server has stopped listening to it.
    for _ in 0..40 {
        client.send(format!("2710\r\n{}\r\n", "x".repeat(10_000))).await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.status(), 413);
    answer.problem();
}

#[tokio::test]
async fn n2_bodies_together_cannot_take_more_memory_than_allowed_and_give_it_back() {
    let server = start(ServerOptions { max_bodies: 100_000, ..ServerOptions::default() });
    let head = "POST /body HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\nContent-Length: 80000\r\n\r\n";
    let mut first = Client::connect(server.address).await;
    first.send(format!("{head}{}", "x".repeat(79_999))).await;
    let mut second = Client::connect(server.address).await;
    second.send(format!("{head}{}", "x".repeat(79_999))).await;
    // Whichever is read first; the other is refused although neither is complete.
    let (refused, mut waiting) = tokio::select! {
        answer = first.answer() => (answer, second),
        answer = second.answer() => (answer, first),
    };
    assert_eq!((refused.status(), refused.header("retry-after")), (503, Some("1")));
    refused.problem();
    waiting.send("x").await;
    assert_eq!(waiting.answer().await.body, "80000");
    for _ in 0..3 {
        assert_eq!(
            ask(server.address, format!("{head}{}", "x".repeat(80_000))).await.body,
            "80000",
            "the room is free again"
        );
    }
}

#[tokio::test]
async fn n2_a_chunked_body_within_the_limit_is_read() {
    let server = start(ServerOptions { max_body: 10, ..ServerOptions::default() });
    let request = "POST /body HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
    assert_eq!(ask(server.address, request).await.body, "10");
}

#[tokio::test]
async fn static_files_without_a_body_announce_what_they_should_and_leave_the_connection_in_step() {
    let server = start(ServerOptions::default());
    let mut client = Client::connect(server.address).await;
    client.send(get("/files/")).await;
    let page = client.answer().await;
    assert_eq!((page.status(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let length = page.body.len().to_string();
    let etag = page.header("etag").unwrap();

    client.send("HEAD /files/ HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!((head.status(), head.header("content-length")), (200, Some(length.as_str())));

    client.send(format!("GET /files/ HTTP/1.1\r\nHost: a\r\nIf-None-Match: {etag}\r\n\r\n")).await;
    let unchanged = client.head().await;
    assert_eq!((unchanged.status(), unchanged.header("etag")), (304, Some(etag)));

    client.send("GET /files/ HTTP/1.1\r\nHost: a\r\nRange: bytes=0-8\r\nAccept-Encoding: br, gzip\r\n\r\n").await;
    let part = client.answer().await;
    assert_eq!((part.status(), part.body.as_str()), (206, &page.body[..9]));

    client.send("POST /files/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.answer().await.status(), 405);
}
