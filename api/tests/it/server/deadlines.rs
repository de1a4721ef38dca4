//! Connections that are cut off, and when. Where the test waits for a deadline, the clock is held: it jumps ahead as soon as all are waiting.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::*;

/// The latest that something is noticed after its deadline.
const LATE: f64 = 1.3;

fn options() -> ServerOptions {
    ServerOptions {
        header_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_mins(1),
        ..ServerOptions::default()
    }
}

/// How long the server keeps a connection on which only `bytes` were sent.
async fn kept(bytes: &str) -> f64 {
    let server = start(options());
    let mut client = Client::connect(server.address).await;
    client.send(bytes).await;
    let started = Instant::now();
    let _ = client.0.read_to_end(&mut Vec::new()).await;
    started.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn n1_a_head_that_is_never_finished_is_cut() {
    for bytes in ["", "G", "GET / HTTP/1.1\r\nHost:", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let seconds = kept(bytes).await;
        assert!((10.0..10.0 * LATE + 1.0).contains(&seconds), "{bytes:?}: {seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn n1_a_head_that_dribbles_is_cut_although_bytes_come() {
    let server = start(options());
    let mut client = Client::connect(server.address).await;
    let started = Instant::now();
    for byte in get("/").bytes().cycle() {
        if client.0.write_all(&[byte]).await.is_err() {
            break;
        }
        // Never a whole head.
        if byte == b'\n' {
            let _ = client.0.write_all(b"X").await;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    assert!((10.0..20.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn n1_a_connection_between_requests_may_rest_longer_and_not_for_ever() {
    let server = start(options());
    let mut client = Client::connect(server.address).await;
    client.send(get("/")).await;
    client.answer().await;
    sleep(Duration::from_secs(40)).await;
    client.send(get("/")).await;
    assert_eq!(client.answer().await.body, "hello");
    let started = Instant::now();
    assert_eq!(client.rest().await, "");
    let seconds = started.elapsed().as_secs_f64();
    assert!((55.0..60.0 * LATE).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn n2_a_body_that_dribbles_is_a_408_problem() {
    let server = start(ServerOptions { body_timeout: Duration::from_secs(20), ..options() });
    let mut client = Client::connect(server.address).await;
    let started = Instant::now();
    client
        .send("POST /body HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\nContent-Length: 100\r\n\r\n")
        .await;
    for _ in 0..15 {
        client.send("x").await;
        sleep(Duration::from_secs(1)).await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.problem().code, "timeout");
    assert_eq!(answer.status(), 408);
    assert!(started.elapsed().as_secs() >= 20);
}

#[tokio::test(start_paused = true)]
async fn n7_a_handler_that_never_answers_is_a_503_problem_with_retry_after() {
    let server = start(options());
    let answer = ask(server.address, get("/slow")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.problem().code, "unavailable");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test(start_paused = true)]
async fn n1_a_client_that_takes_no_bytes_is_cut() {
    let server = start(ServerOptions { write_timeout: Duration::from_secs(30), ..options() });
    let mut client = Client::connect(server.address).await;
    client.send(get("/big")).await;
    sleep(Duration::from_mins(1)).await;
    let mut bytes = Vec::new();
    let _ = client.0.read_to_end(&mut bytes).await;
    assert!(bytes.len() < BIG, "only what the sockets had buffered");
}

#[tokio::test]
async fn n1_half_open_connections_do_not_starve_a_healthy_client() {
    let server = start(ServerOptions::default());
    let mut half_open = Vec::new();
    for number in 0..500 {
        let mut client = Client::connect(server.address).await;
        if number % 2 == 0 {
            client.send("GET / HTTP/1.1\r\nHos").await;
        }
        half_open.push(client);
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let started = Instant::now();
        assert_eq!(ask(server.address, get("/")).await.body, "hello");
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[tokio::test(start_paused = true)]
async fn n1_when_all_places_are_taken_those_who_do_nothing_make_room() {
    let server = start(ServerOptions { max_connections: 3, idle_timeout: Duration::from_hours(1), ..options() });
    let mut idle = Client::connect(server.address).await;
    idle.send(get("/")).await;
    idle.answer().await;
    let mut silent = Client::connect(server.address).await;
    let mut busy = Client::connect(server.address).await;
    busy.send(get("/slow")).await;
    server.gate.entered.notified().await;

    let answer =
        timeout(Duration::from_secs(8), ask(server.address, get("/"))).await.expect("before any ordinary deadline");
    assert_eq!(answer.body, "hello");
    assert_eq!(idle.rest().await + &silent.rest().await, "", "closed");
    server.gate.open.notify_one();
    assert_eq!(busy.answer().await.body, "done");
}
