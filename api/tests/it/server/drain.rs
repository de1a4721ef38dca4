//! How the server stops: nothing that it accepted is lost, and nobody can hold it up for ever.

use std::{future::ready, time::Duration};

use super::*;

#[tokio::test]
async fn a_drain_finishes_the_request_that_runs_and_tells_its_client_to_leave() {
    let server = start(ServerOptions::default());
    let mut client = Client::connect(server.address).await;
    client.send(get("/slow")).await;
    server.gate.entered.notified().await;
    server.stop.send(()).unwrap();
    // The listener is gone once the drain is on.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.ended.is_finished());
    server.gate.open.notify_one();
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, "done"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(client.rest().await, "");
    drop(client);
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_queued_when_the_signal_came_is_still_served() {
    let server = bind(ServerOptions::default());
    let address = address(&server);
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(address).await;
        client.send(get("/")).await;
        clients.push(client);
    }
    let service = warp::service(filter(Gate::default()));
    let ended = tokio::spawn(server.run(service, ready(())));
    for mut client in clients {
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.header("connection")), (200, Some("close")));
    }
    ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_a_drain() {
    let server = start(ServerOptions { grace: Duration::from_hours(1), ..ServerOptions::default() });
    let mut idle = Client::connect(server.address).await;
    idle.send(get("/")).await;
    idle.answer().await;
    let mut silent = Client::connect(server.address).await;
    silent.send("GET /").await;
    server.stop.send(()).unwrap();
    assert_eq!(idle.rest().await, "");
    drop(idle);
    drop(silent);
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_head_that_is_half_sent_holds_up_a_drain_for_a_moment_only() {
    let started = std::time::Instant::now();
    let server = start(ServerOptions { grace: Duration::from_hours(1), ..ServerOptions::default() });
    let mut clients = Vec::new();
    for half in ["GET / HTTP/1.1\r\nHost: a\r\n", "POST /body HTTP/1.1\r\nHo", "PRI * HTTP/2.0\r\n\r\nS"] {
        let mut client = Client::connect(server.address).await;
        client.send(half).await;
        clients.push(client);
    }
    // One that was served before.
    let mut second = Client::connect(server.address).await;
    second.send(get("/")).await;
    second.answer().await;
    second.send("GET / HTTP/1.1\r\n").await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_drain_ends_with_its_time_and_says_what_it_gave_up() {
    let server = start(ServerOptions { grace: Duration::from_millis(300), ..ServerOptions::default() });
    let mut client = Client::connect(server.address).await;
    client.send(get("/slow")).await;
    server.gate.entered.notified().await;
    server.stop.send(()).unwrap();
    let unfinished = server.ended.await.unwrap().unwrap_err();
    assert_eq!(unfinished.0, 1);
}
