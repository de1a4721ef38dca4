//! The real binary with options of the test's own, and what it writes to stderr.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread::JoinHandle,
};

use reqwest::redirect;

use crate::support::Client;

/// A server that is up. It dies with the value.
pub struct Process {
    /// Empty where there is an admin already.
    pub setup_code: String,
    base: String,
    server: Child,
    log: Option<JoinHandle<String>>,
    /// Held open: a server whose stdout is closed has nobody to greet.
    _greeting: BufReader<ChildStdout>,
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = crate::support::command();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.join("data")).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A file that only its owner reads.
pub fn secret_file(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

impl Process {
    /// Starts a server on the store in `dir`; `is_new` says whether it will print a set-up code.
    pub fn start(dir: &Path, args: &[&str], is_new: bool) -> Self {
        let mut server = command(dir, args).spawn().unwrap();
        let mut stderr = server.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = Vec::new();
            stderr.read_to_end(&mut log).unwrap();
            String::from_utf8(log).unwrap()
        });
        let mut greeting = BufReader::new(server.stdout.take().unwrap());
        let mut after = |mark: &str| loop {
            let mut line = String::new();
            assert_ne!(greeting.read_line(&mut line).unwrap(), 0, "the server ended before it said \"{mark}\"");
            if let Some((_, rest)) = line.split_once(mark) {
                return rest.trim().to_owned();
            }
        };
        let base = format!("http://{}", after("listens on http://"));
        let setup_code = if is_new { after("/setup?code=") } else { String::new() };
        Self { setup_code, base, server, log: Some(log), _greeting: greeting }
    }

    /// What a server that must not start says.
    pub fn refused(dir: &Path, args: &[&str]) -> Output {
        command(dir, args).output().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// `127.0.0.1:<port>`
    pub fn authority(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Client {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Client { http, base: self.base.clone(), access: None, id: String::new() }
    }

    /// Ends the server and gives its log.
    pub fn stop(mut self) -> String {
        self.server.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
