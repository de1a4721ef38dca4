//! SIGHUP, and children that nobody waits for.

use std::{fs, os::unix::process::CommandExt as _, process::Command};

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::support::server::serve;

fn hang_up(server: &Server) {
    kill_process(Pid::from_child(&server.child), Signal::HUP).unwrap();
}

#[tokio::test]
async fn the_end_of_a_terminal_ends_the_server_in_good_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &[]);
    server.set_up().await;
    hang_up(&server);
    server.ended();
}

#[tokio::test]
async fn a_server_that_is_to_outlive_its_terminal_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("nohup");
    let server = serve(&dir.path().join("data"), &[]);
    command
        .arg(server.get_program())
        .args(server.get_args())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped());
    let mut server = Server::spawn(&dir.path().join("data"), &mut command);
    let admin = server.set_up().await;
    hang_up(&server);
    for _ in 0..20 {
        admin.get("/api/users/me/").await.is(200);
    }
    server.stop();
}

#[tokio::test]
async fn children_that_nobody_waits_for_are_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(&dir.path().join("data"), &[]);
    // What a shell has started and then left to the program that took its place.
    let mut command = Command::new("sh");
    command.args(["-c", "true & sleep 0.2 & exec \"$0\" \"$@\""]).arg(server.get_program()).args(server.get_args());
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).process_group(0);
    let mut server = Server::spawn(&dir.path().join("data"), &mut command);
    let admin = server.set_up().await;
    let id = server.child.id();
    let children = || fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    while !children().is_empty() {
        admin.get("/api/").await.is(200);
    }
    server.stop();
}
