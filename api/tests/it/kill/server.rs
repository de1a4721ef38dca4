//! The real server over a data directory that outlives it, and the other commands over the same directory.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Output, Stdio},
};

use serde_json::json;

use crate::support::{ADMIN, Client, PASSWORD};

/// A server that is up. It is killed with the value.
pub struct Server {
    pub base: String,
    pub child: Child,
    greeting: BufReader<ChildStdout>,
}

/// Starts a server and does not wait for it.
pub fn spawn(data: &Path) -> Child {
    crate::support::command()
        .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--data"])
        .arg(data)
        // The tests' own, which it would warn about.
        .env_remove("COFFER_KILL_ROUNDS")
        .env_remove("COFFER_SEED")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// `coffer <arguments> --data <data>`, to its end, with a line for its stdin.
pub fn coffer(arguments: &[&str], data: &Path) -> Output {
    crate::support::command().args(arguments).arg("--data").arg(data).output().unwrap()
}

/// What a command says, its exit code first.
pub fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
    format!("{code}: {}{}", text(&output.stdout), text(&output.stderr))
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub fn start(data: &Path) -> Self {
        let mut child = spawn(data);
        let mut greeting = BufReader::new(child.stdout.take().unwrap());
        let base = after(&mut greeting, "listens on ").expect("the server says where it listens");
        Self { base, child, greeting }
    }

    /// Makes the first admin, who then can sign in.
    pub async fn set_up(&mut self) -> Client {
        let code = after(&mut self.greeting, "/setup?code=").expect("a new server says its set-up code");
        let body = json!({"code": code, "username": ADMIN, "password": PASSWORD});
        self.stranger().post("/api/setup/", &body).await.is(201);
        self.sign_in(ADMIN).await
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Client {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Client { http, base: self.base.clone(), access: None, id: String::new() }
    }

    /// A new session of a user with the password of all.
    pub async fn sign_in(&self, username: &str) -> Client {
        let stranger = self.stranger();
        let pair = stranger.post("/api/token/", &json!({"username": username, "password": PASSWORD})).await.is(200);
        Client { access: pair["access"].as_str().map(str::to_owned), ..stranger }
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) {
        terminate(&self.child);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// SIGTERM.
pub fn terminate(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// The rest of the first line that has `mark`.
fn after(lines: &mut impl std::io::BufRead, mark: &str) -> Option<String> {
    let mut lines = lines.lines().map_while(Result::ok);
    lines.find_map(|line| line.find(mark).map(|at| line[at + mark.len()..].trim().to_owned()))
}

/// The store of a data directory.
pub fn store_dir(data: &Path) -> PathBuf {
    data.join("store")
}
