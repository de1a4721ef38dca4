//! Clients written for SimpleJWT, unchanged: real packages, run by node (`xtask/clients`). Here each lives through two expiries;
//! `cargo xtask clients` has them live through ten.

use std::{env, path::PathBuf, process::Command};

use crate::support::{ADMIN, PASSWORD, server::Server};

/// Seconds that an access token lives here.
const LIFETIME: &str = "2";

/// What became of these flows, or of all where none is named: a line for each.
async fn run(options: &[&str], flows: &[&str]) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let options = [&["--access-lifetime", "2s", "--rate-limit", "off"], options].concat();
    let mut server = Server::start(&dir.path().join("data"), &options);
    server.set_up().await;
    let clients = PathBuf::from(env::var_os("E2E_CLIENTS").expect("run through cargo xtask test"));
    let expiries = env::var("E2E_EXPIRIES").unwrap_or("2".to_owned());
    let mut node = Command::new("node");
    node.arg(clients.join("tokens.mjs")).args([&server.base, ADMIN, PASSWORD, LIFETIME, &expiries]).args(flows);
    let output = tokio::task::spawn_blocking(move || node.output().expect("node is on PATH")).await.unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    println!("{options:?}:\n{said}");
    (output.status.success(), said)
}

#[tokio::test]
async fn every_way_to_refresh_lives_on_with_the_default_settings() {
    let (alive, said) = run(&[], &[]).await;
    assert!(alive, "{said}");
    assert_eq!(said.matches(": alive after ").count(), 5, "{said}");
}

/// A shorter grace than the time between two expiries: it covers for nothing.
#[tokio::test]
async fn every_way_to_refresh_lives_on_with_a_grace_that_is_over_before_the_next_expiry() {
    let (alive, said) = run(&["--refresh-grace", "1s"], &[]).await;
    assert!(alive, "{said}");
}

#[tokio::test]
async fn without_rotation_every_way_to_refresh_lives_on() {
    let (alive, said) = run(&["--rotation", "off"], &[]).await;
    assert!(alive, "{said}");
}

/// What strict rotation costs, and that the flows above can die.
#[tokio::test]
async fn in_strict_rotation_uses_at_once_and_lost_answers_end_the_session() {
    let (alive, said) = run(&["--rotation", "strict"], &["interceptor-keeps-the-first", "lost-answer"]).await;
    assert!(!alive);
    assert_eq!(said.matches(": dead: ").count(), 2, "{said}");
}
