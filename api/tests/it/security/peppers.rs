//! P3: the real server with a pepper, with another one, and without the one that it needs.

use std::path::Path;

use crate::{
    security::{furnish, secret_file, try_obtain},
    support::{
        ADMIN, PASSWORD, leaks,
        server::{Server, coffer, said, serve},
    },
};

const OLD: &str = "6Jq0vT8rXw2mB5zK9cN3yH7dF1gL4sPa-old-pepper";
const NEW: &str = "tR4wE8qL1zXc7vBn0mKj5hGf2dSa9pOi-new-pepper";

/// Files with both.
fn files(dir: &Path) -> [String; 2] {
    [("old", OLD), ("new", NEW)].map(|(name, secret)| {
        leaks::remember(secret);
        secret_file(dir, name, secret.as_bytes()).to_str().unwrap().to_owned()
    })
}

/// What a server that does not start says.
#[track_caller]
fn refused(data: &Path, args: &[&str]) -> String {
    let said = said(&serve(data, args).output().unwrap());
    assert!(said.starts_with("1: "), "{said}");
    assert!(!said.contains(OLD) && !said.contains(NEW), "{said}");
    said
}

/// `coffer user <arguments>` with the password on stdin.
fn user(arguments: &str, data: &Path) -> String {
    use std::io::Write as _;
    let mut command = crate::support::command();
    command.arg("user").args(arguments.split(' ')).arg("--password-stdin").arg("--data").arg(data);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    said(&child.wait_with_output().unwrap())
}

#[tokio::test]
async fn p3_without_the_pepper_of_a_hash_the_start_is_refused_and_a_sign_in_moves_to_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let [old, new] = &files(dir.path());
    let data = dir.path().join("data");

    // A store from before there was a pepper takes one.
    let mut server = Server::start(&data, &[]);
    furnish(&server.stranger(), &server.setup_code()).await;
    server.stop();
    let server = Server::start(&data, &["--pepper-file", old]);
    try_obtain(&server.stranger(), ADMIN, "not the password at all").await.refused(401);
    try_obtain(&server.stranger(), ADMIN, PASSWORD).await.is(200);
    server.stop();
    let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
    assert_eq!(log.matches("with the new pepper when they sign in next").count(), 1, "{log}");

    for args in [&[][..], &["--pepper-file", new]] {
        let said = refused(&data, args);
        assert!(said.contains("1 user cannot sign in (ada is the first)"), "{said}");
        assert!(said.contains("--pepper-file") && said.contains("coffer user password"), "{said}");
    }

    let server = Server::start(&data, &["--pepper-file", new, "--pepper-file", old]);
    try_obtain(&server.stranger(), ADMIN, PASSWORD).await.is(200);
    server.stop();
    let server = Server::start(&data, &["--pepper-file", new]);
    try_obtain(&server.stranger(), ADMIN, PASSWORD).await.is(200);
    server.stop();
}

#[tokio::test]
async fn p3_who_lost_the_pepper_gets_in_with_new_passwords() {
    let dir = tempfile::tempdir().unwrap();
    let [old, _] = &files(dir.path());
    let data = dir.path().join("data");
    let made = user(&format!("add {ADMIN} --admin --pepper-file {old}"), &data);
    assert!(made.starts_with("0: "), "{made}");

    let without = user("add otto", &data);
    assert!(without.starts_with("1: ") && without.contains("ada is the first"), "{without}");
    let listed = said(&coffer(&["user", "list"], &data));
    assert!(listed.starts_with("0: ") && listed.contains(ADMIN), "{listed}");
    assert!(said(&coffer(&["check"], &data)).starts_with("0: "), "nothing is wrong with the store");
    refused(&data, &[]);

    let reset = user(&format!("password {ADMIN}"), &data);
    assert!(reset.starts_with("0: "), "{reset}");
    let server = Server::start(&data, &[]);
    try_obtain(&server.stranger(), ADMIN, PASSWORD).await.is(200);
    server.stop();
}

#[test]
fn p3_a_restored_store_asks_for_the_pepper_of_its_backup() {
    let dir = tempfile::tempdir().unwrap();
    let [old, _] = &files(dir.path());
    let (data, restored, file) = (dir.path().join("data"), dir.path().join("restored"), dir.path().join("box.backup"));
    user(&format!("add {ADMIN} --admin --pepper-file {old}"), &data);
    let made = said(&coffer(&["backup", file.to_str().unwrap()], &data));
    assert!(made.starts_with("0: "), "{made}");
    leaks::assert_none(&file);
    let told = said(&coffer(&["restore", file.to_str().unwrap()], &restored));
    assert!(told.starts_with("0: ") && told.contains("--pepper-file"), "{told}");
    refused(&restored, &[]);
    Server::start(&restored, &["--pepper-file", old]).stop();
}

#[test]
fn p3_a_server_does_not_start_with_a_pepper_that_can_be_guessed_or_lies_beside_the_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (folder, name, pepper, reason) in [
        (dir.path(), "empty", "", "has 0 bytes"),
        (dir.path(), "short", &OLD[..31], "has 31 bytes"),
        (dir.path(), "well-known", "0123456789abcdef0123456789abcdef", "well-known"),
        (&data, "inside", OLD, "move it elsewhere"),
    ] {
        let file = secret_file(folder, name, pepper.as_bytes());
        let said = refused(&data, &["--pepper-file", file.to_str().unwrap()]);
        assert!(said.contains(reason) && said.contains(name), "{said}");
    }
}
