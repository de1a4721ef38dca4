//! What is asked of a running server by who has the machine: one line over a Unix socket in the data directory, which only the server's
//! own user and root may use, and one line back, or a backup. It asks for no password: whoever can use it can read the store.

mod backup;

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::{
            fs::{FileTypeExt as _, PermissionsExt as _},
            net::UnixStream as StdStream,
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use common::{access::Caller, name::Username};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader as AsyncBufReader},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::timeout,
};

pub(super) use self::backup::receive as receive_backup;
use crate::domain::{App, journal::Actor, users};

/// The socket's name in the data directory.
const NAME: &str = "control.sock";
/// Bytes of the longest line.
const MAX_LINE: u64 = 4096;
/// How long either side waits for the other's line.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that are open at once.
const MAX_OPEN: usize = 32;
/// Bytes of the longest path that a socket's address holds on any system (`sun_path`).
const MAX_PATH: usize = 100;
/// What an answer begins with.
const DONE: &str = "done ";

/// The socket's path; where it is longer than a socket's address can be, by way of the open folder.
fn address(path: &Path, folder: &File) -> PathBuf {
    if path.as_os_str().len() <= MAX_PATH || !cfg!(target_os = "linux") {
        return path.to_owned();
    }
    PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()))
}

/// The socket, which goes with the value.
struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// Listens in the data directory from now on. A server without the socket serves as well.
pub(super) fn listen(data: &Path, app: &App) {
    match Control::bind(data) {
        Ok(control) => drop(tokio::spawn(control.serve(app.clone()))),
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "there is no control socket in the data directory, so coffer user unlock and coffer backup do not reach this server"
            );
        }
    }
}

/// What stands under the socket's name, where that is no socket.
fn other_than_socket(path: &Path) -> Option<&'static str> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    match kind {
        // A link is this directory's own entry: replacing it leaves alone what it leads to.
        kind if kind.is_socket() || kind.is_symlink() => None,
        kind if kind.is_dir() => Some("a directory"),
        kind if kind.is_file() => Some("a file"),
        _ => Some("no socket"),
    }
}

fn in_its_place(path: &Path, other: &str) -> String {
    format!(
        "{} is {other}, and the server's control socket has to be there; move it away and start the server anew",
        path.display()
    )
}

impl Control {
    /// Binds the socket. One that an earlier server left behind is replaced: the store's lock says that no other is there. What somebody put in its
    /// place stays.
    fn bind(data: &Path) -> Result<Self> {
        let (path, folder) = (data.join(NAME), File::open(data)?);
        if let Some(other) = other_than_socket(&path) {
            bail!(in_its_place(&path, other));
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", path.display()));
            }
            _ => {}
        }
        let listener = UnixListener::bind(address(&path, &folder))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers for ever. Where there are many who say nothing, the first of them makes room.
    async fn serve(self, app: App) {
        let mut open: VecDeque<JoinHandle<()>> = VecDeque::new();
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    open.retain(|answering| !answering.is_finished());
                    if open.len() >= MAX_OPEN
                        && let Some(oldest) = open.pop_front()
                    {
                        oldest.abort();
                    }
                    let app = app.clone();
                    open.push_back(tokio::spawn(async move {
                        let _ = answer(stream, &app).await;
                    }));
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket could not take a connection");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, app: &App) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != rustix::process::geteuid().as_raw() && peer != 0 {
        tracing::warn!(uid = peer, "somebody else than the server's own user was refused at the control socket");
        return Ok(());
    }
    let mut line = String::new();
    let (reading, mut writing) = stream.split();
    timeout(PATIENCE, AsyncBufReader::new(reading.take(MAX_LINE)).read_line(&mut line)).await??;
    let line = line.trim_end_matches('\n');
    let said = match line.split_once(' ').unwrap_or((line, "")) {
        ("unlock", name) => unlock(app, name).await,
        ("backup", "") => match backup::send(app, &mut writing).await? {
            None => return Ok(()),
            Some(refused) => Err(refused),
        },
        _ => Err("this server does not know the command; it may be of another version than the program".to_owned()),
    };
    let said = said.map_or_else(|error| format!("failed {error}\n"), |done| format!("{DONE}{done}\n"));
    timeout(PATIENCE, writing.write_all(said.as_bytes())).await?
}

async fn unlock(app: &App, name: &str) -> Result<String, String> {
    let found = users::by_name_or_email(&app.core().store, name).await.map_err(|error| error.to_string())?;
    let Some((_, stored)) = found else {
        return Err("there is no user of this name; coffer user list shows all".to_owned());
    };
    let by = Actor::local(&Caller::Anonymous);
    users::unlock(app, by, stored.user.id).await.map_err(|error| error.to_string())?;
    Ok(format!("{} can try to sign in again.", stored.user.username))
}

/// Asks the server that runs over `data` to forget the wrong guesses at a user's password.
pub(super) fn ask_to_unlock(data: &Path, name: &Username) -> Result<String> {
    let Some(stream) = connect(data)? else {
        bail!("no server runs over {}; locks are forgotten when it ends, so there is nothing to unlock", data.display())
    };
    ask(&mut BufReader::new(stream), &format!("unlock {name}"))
}

/// A connection to the server that runs over `data`, if one does.
fn connect(data: &Path) -> Result<Option<StdStream>> {
    let path = data.join(NAME);
    let folder = File::open(data).with_context(|| format!("cannot open {}", data.display()))?;
    if let Some(other) = other_than_socket(&path) {
        bail!(in_its_place(&path, other));
    }
    let stream = match StdStream::connect(address(&path, &folder)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        stream => stream.with_context(|| format!("cannot use {}", path.display()))?,
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(Some(stream))
}

/// Sends a line, and gives what the server says was done.
fn ask(stream: &mut BufReader<StdStream>, line: &str) -> Result<String> {
    writeln!(stream.get_mut(), "{line}")?;
    let mut line = String::new();
    stream.by_ref().take(MAX_LINE).read_line(&mut line).context("the server did not answer")?;
    match line.trim_end().split_once(' ') {
        Some(("done", said)) => Ok(said.to_owned()),
        Some(("failed", said)) => bail!("{said}"),
        _ => bail!("the server did not answer; it answers its own user and root alone"),
    }
}
