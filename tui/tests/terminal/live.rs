//! What others change comes by itself, and what keeps it back is told.

use std::time::{Duration, Instant};

use coffer_client::Client;
use common::{Call, endpoints::records, record::OneOrMany};
use serde_json::json;

use super::{
    ENTER,
    harness::{Server, Terminal, define},
    proxy::{Keeps, Proxy},
    record, sign_in, snacks,
};

const KEPT_BACK: &str = "Changes come late or not at all: a proxy on the way seems to keep them back.";

async fn make(client: &Client, title: &str) {
    let snack = record(&json!({"title": title, "price": "1"}));
    let call = Call::<records::Create>::new(("snacks".parse().unwrap(),), OneOrMany::One(snack));
    client.send(&call).await.unwrap();
}

async fn is_told_and_rows_come_all_the_same(keeps: Keeps) {
    let server = Server::start();
    let admin = server.admin().await;
    define(&admin, snacks()).await;
    make(&admin, "Popcorn").await;
    let (proxy, state) = (Proxy::before(&server.url, keeps), tempfile::tempdir().unwrap());
    let mut terminal = Terminal::client_at(&proxy.url, state.path(), &[]);
    sign_in(&mut terminal);
    terminal.press(ENTER);
    terminal.wait("Popcorn");
    let screen = terminal.wait(KEPT_BACK);
    assert!(screen.contains("Popcorn") && !screen.contains("out of reach"), "{screen}");
    make(&admin, "Crisps").await;
    let screen = terminal.wait("Crisps");
    assert!(screen.contains(KEPT_BACK), "{screen}");
    proxy.open();
    terminal.wait_gone(KEPT_BACK);
    make(&admin, "Nuts").await;
    terminal.wait("Nuts");
}

#[tokio::test]
async fn a_proxy_that_keeps_the_stream_back_is_noticed() {
    is_told_and_rows_come_all_the_same(Keeps::Everything).await;
}

#[tokio::test]
async fn a_proxy_that_passes_on_the_head_of_the_stream_only_is_noticed_too() {
    is_told_and_rows_come_all_the_same(Keeps::Body).await;
}

#[tokio::test]
async fn a_proxy_that_passes_on_the_beginning_of_the_stream_only_is_noticed_too() {
    is_told_and_rows_come_all_the_same(Keeps::Rest).await;
}

#[tokio::test]
async fn counts_beside_a_table_follow_and_nothing_is_drawn_more_than_twice_a_second() {
    let server = Server::start();
    let admin = server.admin().await;
    define(&admin, snacks()).await;
    make(&admin, "Popcorn").await;
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.resize(140, 24);
    terminal.press(ENTER);
    // A machine that is fast enough makes more than a thousand, which are told in groups of three digits.
    let counts = |screen: &vt100::Screen, count: usize| {
        screen.rows(0, 26).filter_map(|line| line.strip_prefix(" snacks").map(str::to_owned)).any(|line| {
            let digits: String = line.chars().filter(char::is_ascii_digit).collect();
            digits == count.to_string()
        })
    };
    terminal.wait_until("one beside the table", |screen| counts(screen, 1) && screen.contents().contains("1–1 of 1"));
    make(&admin, "Crisps").await;
    terminal.wait_until("two beside the table", |screen| counts(screen, 2) && screen.contents().contains("1–2 of 2"));
    let (begun, before, mut made) = (Instant::now(), terminal.drawings(), 2);
    while begun.elapsed() < Duration::from_secs(3) {
        make(&admin, &format!("Snack {made}")).await;
        made += 1;
    }
    let drawn = terminal.drawings() - before;
    // One for what came just before, and one that had begun.
    let most = 2 * begun.elapsed().as_millis() / 1000 + 2;
    assert!(drawn as u128 <= most, "{drawn} drawings of {made} changes, and not {most}");
    terminal.wait_until("all beside the table", |screen| counts(screen, made));
}
