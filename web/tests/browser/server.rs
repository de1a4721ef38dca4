//! A real server on a port of its own, and what it shares with the browser's driver: processes that end with the value that
//! began them, also when a test fails.

use std::{
    env,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long anything may take. Nothing waits this long unless something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A path that `cargo xtask test` gives.
pub(crate) fn given(variable: &str) -> PathBuf {
    env::var_os(variable).map_or_else(|| panic!("{variable}: run through cargo xtask test"), PathBuf::from)
}

/// A process with all that it starts.
pub(crate) struct Group(Child);

impl Group {
    /// Starts it.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn();
        Self(child.unwrap())
    }

    /// Hands over its lines as they come, and goes on reading so that it is never blocked.
    pub(crate) fn lines(&mut self) -> Receiver<String> {
        let output = std::io::BufReader::new(self.0.stdout.take().unwrap());
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in std::io::BufRead::lines(output).map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        receiver
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

/// The first line for which `find` has something.
pub(crate) fn wait_for_line<T>(lines: &Receiver<String>, find: impl Fn(&str) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let line = lines.recv_timeout(end - Instant::now()).expect("the process said nothing of the kind");
        if let Some(found) = find(&line) {
            return found;
        }
    }
}

/// The server.
pub(crate) struct Server {
    process: Option<Group>,
    data: TempDir,
    /// `http://127.0.0.1:…`
    pub address: String,
    /// What was printed beside it: the set-up link, or the demo admin's password.
    pub said: String,
}

impl Server {
    /// On an empty store; it prints the set-up link.
    pub(crate) fn empty() -> Self {
        Self::with(&[])
    }

    /// The same, with these options.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::begin(options, |line| line.contains("/setup?code=").then(|| line.trim().to_owned()))
    }

    /// On the demo's store; it prints the demo admin's password.
    pub(crate) fn demo() -> Self {
        Self::begin(&["--demo"], |line| line.split_once("password: ").map(|(_, word)| word.to_owned()))
    }

    /// The same with the app in one file, as trunk builds it.
    pub(crate) fn demo_in_one_file() -> Self {
        let folder = given("E2E_DIST_ONE_FILE");
        let options = ["--demo", "--web-dir", folder.to_str().unwrap()];
        Self::begin(&options, |line| line.split_once("password: ").map(|(_, word)| word.to_owned()))
    }

    fn begin(options: &[&str], find: impl Fn(&str) -> Option<String>) -> Self {
        let data = TempDir::new().unwrap();
        let (process, lines) = serve(&data, "127.0.0.1:0", options);
        let (mut address, mut said) = (None, None);
        while address.is_none() || said.is_none() {
            let line = wait_for_line(&lines, |line| Some(line.to_owned()));
            address = address.or_else(|| line.strip_prefix("Coffer listens on ").map(str::to_owned));
            said = said.or_else(|| find(&line));
        }
        Self { process: Some(process), data, address: address.unwrap(), said: said.unwrap() }
    }

    /// Stops without a word, as in a power cut.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Starts again at the same address, on what was stored.
    pub(crate) fn start_again(&mut self) {
        let (process, lines) = serve(&self.data, self.address.trim_start_matches("http://"), &[]);
        self.process = Some(process);
        wait_for_line(&lines, |line| line.starts_with("Coffer listens on ").then_some(()));
    }
}

fn serve(data: &TempDir, listen: &str, options: &[&str]) -> (Group, Receiver<String>) {
    let mut command = Command::new(given("E2E_BIN"));
    command.arg("serve").arg("--data").arg(data.path().join("data")).args(["--listen", listen]);
    if !options.contains(&"--web-dir") {
        command.arg("--web-dir").arg(given("E2E_DIST"));
    }
    command.args(["--web-csp", "app"]).args(options);
    let mut process = Group::spawn(command.env("E2E_CHEAP_PASSWORDS", "1"));
    let lines = process.lines();
    (process, lines)
}
