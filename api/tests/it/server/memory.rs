//! Answers that clients do not take (`docs/security.md`, M1).

use std::time::Duration;

use base::MemoryBudget;

use super::{
    http2::{HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, frames_until},
    *,
};

/// `GET /big`, in HPACK without a table.
fn request(stream: u32) -> Vec<u8> {
    let path = [&[0x04, 4][..], b"/big"].concat();
    frame(HEADERS, 0x5, stream, &[&[0x82][..], &path, &[0x86, 0x41, 1, b'a']].concat())
}

/// A connection whose client takes no byte of any body.
async fn closed_window(server: &Running) -> Client {
    let mut client = Client::connect(server.address).await;
    client.send(PREFACE).await;
    let initial_window_size = [0, 4, 0, 0, 0, 0];
    client.send(frame(SETTINGS, 0, 0, &initial_window_size)).await;
    client
}

#[tokio::test]
async fn m1_answers_that_nobody_takes_are_held_up_to_a_share_and_then_given_up() {
    let memory = MemoryBudget::new(5 * BIG as u64);
    let write_timeout = Duration::from_millis(300);
    let header_timeout = Duration::from_millis(400);
    let options = ServerOptions { memory: memory.clone(), write_timeout, header_timeout, ..ServerOptions::default() };
    let server = start(options);
    let mut client = closed_window(&server).await;
    let asked: Vec<u8> = (0..20).flat_map(|n| request(2 * n + 1)).collect();
    client.send(asked).await;
    // The client is told by the reset of each, and never by a body that looks complete.
    let (mut heads, mut resets) = (0, 0);
    while resets < 20 {
        let kinds = frames_until(&mut client.0, RST_STREAM).await;
        heads += kinds.iter().map(|kind| usize::from(*kind == HEADERS)).sum::<usize>();
        assert_eq!(kinds.last(), Some(&RST_STREAM));
        resets += 1;
    }
    assert_eq!(heads, 20, "each was answered");
    assert!((BIG as u64..2 * BIG as u64).contains(&memory.peak()), "one fits into a share: {}", memory.peak());
    while memory.held() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(server.address, get("/")).await.body, "hello");
}

#[tokio::test]
async fn m1_what_does_not_fit_into_memory_is_503_and_usual_answers_still_fit() {
    let server = start(ServerOptions { memory: MemoryBudget::new(4_000_000), ..ServerOptions::default() });
    let answer = ask(server.address, get("/big")).await;
    assert_eq!(
        (answer.status(), answer.header("retry-after"), answer.problem().code.as_ref()),
        (503, Some("1"), "no_memory")
    );
    assert_eq!(ask(server.address, get("/")).await.body, "hello");
}

#[tokio::test]
async fn m1_a_large_answer_is_charged_until_it_is_written() {
    let memory = MemoryBudget::new(10 * BIG as u64);
    let server = start(ServerOptions { memory: memory.clone(), ..ServerOptions::default() });
    let mut client = Client::connect(server.address).await;
    client.send(get("/big")).await;
    let head = client.head().await;
    assert_eq!(head.header("content-length"), Some(BIG.to_string().as_str()));
    assert_eq!(memory.held(), BIG as u64, "the socket does not buffer all of it");
    let mut body = vec![0; BIG];
    client.0.read_exact(&mut body).await.unwrap();
    assert!(body.iter().all(|byte| *byte == b'x'));
    while memory.held() > 0 {
        tokio::task::yield_now().await;
    }
}
