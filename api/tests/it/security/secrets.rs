//! Where secrets are while a server runs, and what may become of the first key: the rows L2 to L5, with the real binary.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread, time::Duration};

use serde_json::{Value, json};

use super::{is_good, obtain, try_obtain};
use crate::{
    random::{Random, seed},
    support::{
        ADMIN, PASSWORD, secret_file,
        server::{Server, coffer, said, serve},
    },
};

/// Everything below a directory, itself included.
fn below(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![dir.to_owned()];
    let mut at = 0;
    while at < found.len() {
        if found[at].is_dir() {
            found.extend(fs::read_dir(&found[at]).unwrap().map(|entry| entry.unwrap().path()));
        }
        at += 1;
    }
    found
}

#[tokio::test]
async fn l2_what_is_typed_writes_no_line_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &[]);
    let admin = server.set_up().await;
    for name in ["a\nroot login ok", "a\r\nroot login ok", "a\u{2028}root login ok", "a\u{85}root login ok\x1b[2J"] {
        try_obtain(&admin, name, PASSWORD).await.refused(401);
        let body = json!({"username": name, "password": PASSWORD});
        admin.post("/api/users/", &body).await.refused(400);
    }
    admin.get("/api/records/a%0Aroot%20login%20ok/").await.refused(404);
    admin.get("/api/users/me/?x=a%0Aroot%20login%20ok").await.refused(400);
    let log = server.log();
    assert!(!log.contains("root login ok"), "what was typed is in the log: {log}");
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "a control character is in the log");
    assert!(log.lines().all(|line| line.starts_with("20")), "each line begins with its time: {log}");
}

#[test]
fn l3_a_start_that_is_killed_at_any_moment_leaves_no_key_or_a_whole_one_for_good() {
    let mut random = Random::new(seed("first key"));
    for round in 0..25 {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let ring = data.join("keys/ring.json");
        let mut starting = serve(&data, &[]).spawn().unwrap();
        // Mostly while it makes its files; sometimes when it is up.
        let longest = if random.one_in(4) { 400_000 } else { 60_000 };
        thread::sleep(Duration::from_micros(random.below(longest) as u64));
        starting.kill().unwrap();
        starting.wait().unwrap();
        let before = fs::read(&ring).ok();
        if let Some(text) = &before {
            assert_eq!(fs::metadata(&ring).unwrap().permissions().mode() & 0o777, 0o600, "round {round}");
            let ring: Value = serde_json::from_slice(text).expect("a ring that is there is whole");
            assert_eq!(ring["keys"].as_array().map(Vec::len), Some(1), "round {round}");
        }
        let server = Server::start(&data, &[]);
        let after = fs::read(&ring).unwrap();
        assert!(before.is_none_or(|before| before == after), "round {round}: another key took the first one's place");
        drop(server);
        assert!(said(&coffer(&["keys", "list"], &data)).starts_with("0: "), "round {round}");
    }
}

#[tokio::test]
async fn l3_a_token_from_before_a_kill_is_good_after_it() {
    for _ in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let mut server = Server::start(&data, &[]);
        let admin = server.set_up().await;
        let access = admin.access.clone().unwrap();
        drop(server);
        let server = Server::start(&data, &[]);
        assert!(is_good(&server.stranger(), &access).await, "the key that signed it is gone");
    }
}

#[tokio::test]
async fn l4_nobody_else_can_read_what_a_server_and_its_commands_write() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    // As open as a shell can have it.
    let mut command = std::process::Command::new("sh");
    let serve = serve(&data, &[]);
    command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    let mut server = Server::spawn(&data, &mut command);
    server.set_up().await;
    let backup = dir.path().join("box.backup");
    server.stop();
    let path = backup.to_str().unwrap();
    let backing = said(&coffer(&["backup", path], &data));
    assert!(backing.starts_with("0: "), "{backing}");
    assert!(below(&data).iter().any(|path| path.ends_with("store/sled/db")), "the engine's own files are among them");
    for path in below(&data).into_iter().chain([backup]) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

#[tokio::test]
async fn l5_no_secret_is_in_the_command_line_the_environment_or_the_help() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let secrets = ["foxes-41-garden-shed-9-night-velvet-teapot", "seven ravens over the frozen harbour wall"];
    let key = secret_file(dir.path(), "signing.key", secrets[0].as_bytes());
    let pepper = secret_file(dir.path(), "pepper", secrets[1].as_bytes());
    let args = ["--signing-key-file", key.to_str().unwrap(), "--pepper-file", pepper.to_str().unwrap()];
    let mut server = Server::start(&data, &args);
    let code = server.setup_code();
    let body = json!({"code": code, "username": ADMIN, "password": PASSWORD});
    server.stranger().post("/api/setup/", &body).await.is(201);
    let tokens = obtain(&server.stranger(), ADMIN).await;
    let process = format!("/proc/{}", server.child.id());
    let seen = |file: &str| fs::read(format!("{process}/{file}")).unwrap();
    let help = coffer(&["serve", "--help"], &data).stdout;
    for text in [seen("cmdline"), seen("environ"), help] {
        let text = String::from_utf8_lossy(&text);
        for secret in secrets.iter().copied().chain([&*code, PASSWORD, &tokens.access]) {
            assert!(!text.contains(secret), "a secret can be seen");
        }
    }
}
