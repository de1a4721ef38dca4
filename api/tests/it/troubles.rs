//! What docs/troubleshooting.md says happens, where no test of the part itself provokes it.

use std::{fs, io::Write as _, net::TcpListener, process::Stdio};

use crate::support::{
    ADMIN, command,
    server::{Server, coffer, said, serve},
};

const NEW_PASSWORD: &str = "eleven geese rent a barge";

#[test]
fn a_taken_port_and_a_taken_store_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let other = dir.path().join("other");
    let mut second = command();
    let refused = said(&second.args(["serve", "--listen", &address, "--data"]).arg(&other).output().unwrap());
    assert!(refused.starts_with("1: ") && refused.contains(&address) && refused.contains("in use"), "{refused}");
    assert!(!other.exists(), "nothing was written");

    let data = dir.path().join("data");
    let server = Server::start(&data, &[]);
    let refused = said(&serve(&data, &[]).output().unwrap());
    assert!(refused.starts_with("3: "), "{refused}");
    drop(server);
}

#[test]
fn a_store_of_a_later_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    Server::start(&data, &[]).stop();
    let format = data.join("store/format");
    let text = fs::read_to_string(&format).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let number: u32 = first.strip_prefix("coffer store ").unwrap().parse().unwrap();
    fs::write(&format, format!("coffer store {}\n{rest}", number + 1)).unwrap();
    let refused = said(&serve(&data, &[]).output().unwrap());
    assert!(refused.starts_with("4: ") && refused.contains("run a newer coffer"), "{refused}");
    // As the program of that version finds it.
    fs::write(&format, text).unwrap();
    Server::start(&data, &[]).stop();
}

#[tokio::test]
async fn a_forgotten_admin_password_is_replaced_while_the_server_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    server.set_up().await;
    let replace = || {
        let mut command = command();
        command.args(["user", "password", ADMIN, "--password-stdin", "--data"]).arg(&data);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        writeln!(child.stdin.take().unwrap(), "{NEW_PASSWORD}").unwrap();
        said(&child.wait_with_output().unwrap())
    };
    let refused = replace();
    assert!(refused.starts_with("3: "), "{refused}");
    server.stop();
    let replaced = replace();
    assert!(replaced.starts_with("0: "), "{replaced}");
    let server = Server::start(&data, &[]);
    let credentials = serde_json::json!({"username": ADMIN, "password": NEW_PASSWORD});
    server.stranger().post("/api/token/", &credentials).await.is(200);
}

#[test]
fn a_command_over_a_wrong_folder_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let refused = said(&coffer(&["check"], dir.path()));
    assert!(refused.starts_with("1: ") && refused.contains("name the data directory with --data"), "{refused}");
}
