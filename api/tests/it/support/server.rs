//! The real binary, up over a data directory: of the test's own, so that it can outlive the server, or a fresh one
//! ([`Coffer`](super::Coffer)). It logs at its most talkative unless a test says otherwise, and when it ends, neither its log nor
//! anything it stored may show a secret ([`leaks`]).

use std::{
    env,
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use reqwest::{ClientBuilder, redirect};
use serde_json::json;

use super::{ADMIN, Client, PASSWORD, leaks};

/// A server that is up. It is killed with the value.
pub(crate) struct Server {
    /// `http://127.0.0.1:<port>`, `https://…` where it has a certificate
    pub base: String,
    pub child: Child,
    data: PathBuf,
    log: PathBuf,
    /// Held open: a server whose stdout is closed has nobody to greet.
    greeting: BufReader<ChildStdout>,
}

/// Everything but sled's own account of its pages: forty megabytes for a thousand records, in which keys and values are lists of numbers, where no
/// text could be found.
const TALKATIVE: &str = "trace,sled=info";

/// The command that starts a server on a port of its own.
pub(crate) fn serve(data: &Path, args: &[&str]) -> Command {
    let mut command = super::command();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    use_engine(&mut command, data);
    command
}

/// A signing key for several servers: random bytes, which only their owner may read.
pub(crate) fn write_signing_key(path: &Path) {
    let mut bytes = [0; 32];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    File::options().create(true).truncate(true).write(true).mode(0o600).open(path).unwrap().write_all(&bytes).unwrap();
}

/// Has a command keep its store in a schema of the database that `E2E_ENGINE_URL` names, if it does: `cargo xtask test --engine postgres`. Each
/// data directory has a schema of its own.
fn use_engine(command: &mut Command, data: &Path) {
    let Ok(url) = env::var("E2E_ENGINE_URL") else { return };
    let mut name = DefaultHasher::new();
    data.hash(&mut name);
    let key = env::temp_dir().join("coffer-tests-signing.key");
    if !key.exists() {
        // Several tests may do so at once; each takes what is there in the end.
        let new = key.with_extension(std::process::id().to_string());
        write_signing_key(&new);
        let _ = fs::hard_link(&new, &key);
        fs::remove_file(new).unwrap();
    }
    command.env("COFFER_DATABASE_URL", url).env("COFFER_DATABASE_SCHEMA", format!("data_{:x}", name.finish()));
    command.env("COFFER_DATABASE_CREATE", "true").env("COFFER_SIGNING_KEY_FILE", key);
}

/// The same for a test whose subject is not the password: in a build for the end-to-end tests, hashing costs next to nothing.
pub(crate) fn serve_with_cheap_passwords(data: &Path, args: &[&str]) -> Command {
    let mut command = serve(data, args);
    command.env("E2E_CHEAP_PASSWORDS", "1");
    command
}

/// What every client of the tests has: each answer is seen as it is, and no certificates of this machine are read, which takes longer than a
/// request.
pub(crate) fn http_client() -> ClientBuilder {
    reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().tls_certs_only([])
}

/// `coffer <arguments> --data <data>`, to its end.
pub(crate) fn coffer(arguments: &[&str], data: &Path) -> Output {
    let mut command = super::command();
    command.args(arguments).arg("--data").arg(data);
    use_engine(&mut command, data);
    command.output().unwrap()
}

/// What a command says, its exit code first.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
    format!("{code}: {}{}", text(&output.stdout), text(&output.stderr))
}

/// SIGTERM.
pub(crate) fn terminate(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// The store of a data directory.
pub(crate) fn store_dir(data: &Path) -> PathBuf {
    data.join("store")
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub(crate) fn start(data: &Path, args: &[&str]) -> Self {
        Self::spawn(data, &mut serve(data, args))
    }

    /// As [`start`](Self::start), by a command of the test's own, whose last arguments are the server's.
    pub(crate) fn spawn(data: &Path, command: &mut Command) -> Self {
        let log = data.with_extension("log");
        if !command.get_args().any(|argument| argument == "--log-level") {
            command.args(["--log-level", TALKATIVE]);
        }
        let mut child = command.stderr(File::options().create(true).append(true).open(&log).unwrap()).spawn().unwrap();
        let greeting = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { base: String::new(), child, data: data.to_owned(), log, greeting };
        server.base = server.greeted("listens on ");
        server
    }

    /// The code that makes the first admin, which a server over a new store prints.
    pub(crate) fn setup_code(&mut self) -> String {
        let code = self.greeted("/setup?code=");
        leaks::remember(&code);
        code
    }

    /// Makes the first admin and signs them in.
    pub(crate) async fn set_up(&mut self) -> Client {
        let body = json!({"code": self.setup_code(), "username": ADMIN, "password": PASSWORD});
        self.stranger().post("/api/setup/", &body).await.is(201);
        self.sign_in(ADMIN).await
    }

    /// `127.0.0.1:<port>`
    pub(crate) fn authority(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// Somebody without a token, who keeps no connection open: a server that is asked to end waits for two seconds for what may still come on one.
    pub(crate) fn stranger(&self) -> Client {
        let http = http_client().pool_max_idle_per_host(0).build().unwrap();
        Client { http, base: self.base.clone(), access: None, id: String::new() }
    }

    /// A new session of a user with [`PASSWORD`].
    pub(crate) async fn sign_in(&self, username: &str) -> Client {
        self.stranger().signed_in(username).await
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) {
        terminate(&self.child);
        self.ended();
    }

    /// Waits until it has ended, as it should.
    pub(crate) fn ended(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the server ended with {status}: {}", self.log());
    }

    /// What it, and the servers over the same directory before it, wrote to stderr until now.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The rest of the first line of the greeting that has `mark`.
    pub(crate) fn greeted(&mut self, mark: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.greeting.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the server ended before it said \"{mark}\": {}", self.log());
            if let Some((_, rest)) = line.split_once(mark) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A test that fails already has enough to say.
        if !std::thread::panicking() {
            leaks::assert_none(&self.log);
            leaks::assert_none(&self.data);
            assert!(!self.log().contains("$argon2"), "a password's hash is in the log");
        }
    }
}
