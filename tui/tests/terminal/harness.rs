//! A server, and clients in pseudo-terminals. Whoever waits, waits for what is on the screen, with a deadline.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    num::NonZeroU16,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use coffer_client::Client;
use common::{
    Call,
    collection::Definition,
    endpoints::{collections, setup, tokens::Credentials},
    reader::Body,
};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::Value;
use tempfile::TempDir;

/// The first admin.
pub(crate) const ADMIN: &str = "ada";
/// The first admin's password.
pub(crate) const PASSWORD: &str = "seven otters mend a kite";
/// The longest that anything is waited for.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server on a store of its own. It ends with this value.
pub(crate) struct Server {
    process: process::Child,
    /// Its address.
    pub url: String,
    /// The one-time code.
    pub code: String,
    _data: TempDir,
}

impl Server {
    /// Starts the built server on a free port.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with further arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let binary = env::var_os("E2E_BIN").expect("E2E_BIN names the built server; cargo xtask test sets it");
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path().join("data"))
            .args(arguments)
            .env("E2E_CHEAP_PASSWORDS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut after = |mark: &str| {
            let line = lines.by_ref().map(Result::unwrap).find(|line| line.contains(mark)).expect(mark);
            line[line.find(mark).unwrap() + mark.len()..].trim().to_owned()
        };
        let url = format!("http://{}", after("listens on http://"));
        let code = after("/setup?code=");
        Self { process, url, code, _data: data }
    }

    /// A client without a terminal, signed in as the admin, who is made first if need be.
    pub(crate) async fn admin(&self) -> Client {
        let client = Client::new(self.url.parse().unwrap(), None, None).unwrap();
        let body = serde_json::json!({"code": self.code, "username": ADMIN, "password": PASSWORD});
        let set_up = setup::SetUp::from_json(body).unwrap();
        // Where a terminal has done it already the code is spent, and signing in is what counts.
        drop(client.send(&Call::<setup::Create>::new((), set_up)).await);
        client.sign_in(Credentials { username: ADMIN.into(), password: PASSWORD.into() }).await.unwrap();
        client
    }
}

/// Defines a collection.
pub(crate) async fn define(client: &Client, definition: Value) {
    let definition = Definition::from_json(definition).unwrap();
    client.send(&Call::<collections::Create>::new((), definition)).await.unwrap();
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a terminal has received, and who waits for more.
#[derive(Default)]
struct Shown {
    parser: Mutex<Option<vt100::Parser>>,
    changed: Condvar,
    /// Bytes that came.
    bytes: AtomicUsize,
    /// Drawings that came to their end.
    drawings: AtomicUsize,
    /// What came last was the end of a drawing.
    is_whole: AtomicBool,
    /// Nothing is taken any more.
    is_stalled: AtomicBool,
}

/// What ends a drawing.
const END: &[u8] = b"\x1b[?2026l";

/// A client in a terminal. It ends with this value.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    shown: Arc<Shown>,
    modes_before: String,
}

impl Terminal {
    /// Starts the built client.
    pub(crate) fn client(server: &Server, state: &Path) -> Self {
        Self::client_with(server, state, &[])
    }

    /// The same with further arguments. Settings are those in the folder for state.
    pub(crate) fn client_with(server: &Server, state: &Path, arguments: &[&str]) -> Self {
        Self::client_at(&server.url, state, arguments)
    }

    /// The same at another address, of what is on the way to a server.
    pub(crate) fn client_at(url: &str, state: &Path, arguments: &[&str]) -> Self {
        let binary = env::var_os("E2E_TUI_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_coffer-tui").into());
        let mut command = CommandBuilder::new(binary);
        command.args(["--server", url]);
        command.args(arguments);
        command.env("COFFER_STATE_DIR", state);
        command.env("COFFER_CONFIG_DIR", state);
        command.env("EDITOR", state.join("editor"));
        command.env_remove("VISUAL");
        Self::run(command)
    }

    /// Starts a command in a terminal of 80 columns and 24 rows.
    pub(crate) fn run(mut command: CommandBuilder) -> Self {
        command.env("TERM", "xterm-256color");
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        let modes_before = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let shown = Arc::new(Shown::default());
        *shown.parser.lock().unwrap() = Some(parser(24, 80));
        let sink = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            let mut tail = Vec::new();
            while !sink.is_stalled.load(Ordering::SeqCst)
                && let Ok(count @ 1..) = reader.read(&mut bytes)
            {
                tail.extend_from_slice(&bytes[..count]);
                let ends = tail.windows(END.len()).filter(|window| *window == END).count();
                tail.drain(..tail.len().saturating_sub(END.len() - 1));
                sink.is_whole.store(bytes[..count].ends_with(END), Ordering::SeqCst);
                sink.bytes.fetch_add(count, Ordering::SeqCst);
                sink.drawings.fetch_add(ends, Ordering::SeqCst);
                if let Some(parser) = sink.parser.lock().unwrap().as_mut() {
                    parser.process(&bytes[..count]);
                }
                sink.changed.notify_all();
            }
        });
        Self { child, master: pair.master, writer, shown, modes_before }
    }

    /// Presses a key, and gives the bytes that came until what it changed was drawn.
    pub(crate) fn bytes_of(&mut self, keys: &str, is_shown: impl Fn(&vt100::Screen) -> bool) -> usize {
        let shown = Arc::clone(&self.shown);
        self.wait_until("a whole drawing", |_| shown.is_whole.load(Ordering::SeqCst));
        let (bytes, drawings) = (shown.bytes.load(Ordering::SeqCst), shown.drawings.load(Ordering::SeqCst));
        self.press(keys);
        self.wait_until(&format!("what {keys:?} draws"), |screen| {
            let is_drawn = shown.drawings.load(Ordering::SeqCst) > drawings && shown.is_whole.load(Ordering::SeqCst);
            is_drawn && is_shown(screen)
        });
        self.shown.bytes.load(Ordering::SeqCst) - bytes
    }

    /// How often it was drawn.
    pub(crate) fn drawings(&self) -> usize {
        self.shown.drawings.load(Ordering::SeqCst)
    }

    /// Takes nothing any more that the client writes.
    pub(crate) fn stall(&self) {
        self.shown.is_stalled.store(true, Ordering::SeqCst);
    }

    /// Waits until the client has ended, whatever became of the terminal. Gives the exit code.
    pub(crate) fn wait_for_exit(&mut self) -> u32 {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "the client does not end");
            thread::yield_now();
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Gives the window another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        if let Some(parser) = self.shown.parser.lock().unwrap().as_mut() {
            parser.screen_mut().set_size(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap());
        }
        self.master.resize(PtySize { rows, cols: columns, ..PtySize::default() }).unwrap();
    }

    /// Waits until the screen has this text.
    #[track_caller]
    pub(crate) fn wait(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contents().contains(text))
    }

    /// Waits until the screen does not have this text.
    #[track_caller]
    pub(crate) fn wait_gone(&self, text: &str) -> String {
        self.wait_until(&format!("no {text}"), |screen| !screen.contents().contains(text))
    }

    /// Waits until something holds for the screen.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) -> String {
        let parser = self.shown.parser.lock().unwrap();
        let waits = |parser: &mut Option<vt100::Parser>| parser.as_ref().is_some_and(|parser| !holds(parser.screen()));
        let (parser, timeout) = self.shown.changed.wait_timeout_while(parser, DEADLINE, waits).unwrap();
        let screen = parser.as_ref().unwrap().screen().contents();
        drop(parser);
        assert!(!timeout.timed_out(), "waited in vain for {what:?}; the screen is:\n{screen}");
        screen
    }

    /// The client's process.
    pub(crate) fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits until the client has ended, and checks that the terminal is as it was before. Gives the exit code.
    #[track_caller]
    pub(crate) fn wait_for_end(&mut self) -> u32 {
        let deadline = Instant::now() + DEADLINE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.exit_code();
            }
            assert!(Instant::now() < deadline, "the client does not end");
            thread::yield_now();
        };
        self.wait_until("the terminal restored", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
        assert_eq!(modes(self.master.as_ref()), self.modes_before, "the terminal's modes are not as they were");
        code
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn parser(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap(), 0)
}

/// How the terminal treats what is typed: whether it waits for lines, echoes, and makes signals.
fn modes(master: &dyn MasterPty) -> String {
    let termios = master.get_termios().unwrap();
    format!("{:?} {:?} {:?}", termios.input_flags, termios.output_flags, termios.local_flags)
}

/// The files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
