//! Where connections come from: addresses, sockets in the file system, and sockets that whoever started us had opened already
//! (systemd's socket activation). What happens on a connection is not decided here.

use std::{
    fmt, fs, io, iter,
    net::{self, IpAddr, Ipv4Addr, SocketAddr},
    os::unix::{
        self,
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    str::FromStr,
    task::{Context, Poll},
};

use listenfd::ListenFd;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

use super::forwarded::{self, TrustedProxy};

/// How many connections may wait in the kernel to be accepted.
const BACKLOG: u32 = 1024;

/// Where a server can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// An address of this machine. Port 0 takes a free one.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// The text is neither an address with a port nor `unix:` with a path.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("use an address and a port such as 127.0.0.1:8000 or [::1]:8000, or unix: and a path")]
pub struct InvalidListenAddress;

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        match text.strip_prefix("unix:") {
            Some("") => Err(InvalidListenAddress),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| InvalidListenAddress),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A socket that takes connections, not served yet.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    /// Others have it too and go on listening when we are gone.
    is_inherited: bool,
    /// To be taken away at the end.
    file: Option<SocketFile>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

enum StdSocket {
    Tcp(net::TcpListener),
    Unix(unix::net::UnixListener),
}

/// A new connection.
pub(super) enum Accepted {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Accepted {
    /// The address at the other end, canonical; this machine's own for Unix sockets.
    pub(super) fn address(&self) -> IpAddr {
        match self {
            Self::Tcp(_, address) => *address,
            Self::Unix(_) => Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// The address at this end, canonical; none for Unix sockets.
    pub(super) fn local_address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(stream, _) => stream.local_addr().ok().map(|address| address.ip().to_canonical()),
            Self::Unix(_) => None,
        }
    }

    /// Whether its word about clients is taken.
    pub(super) fn is_trusted(&self, trusted: &[TrustedProxy]) -> bool {
        match self {
            Self::Tcp(_, address) => forwarded::is_trusted(trusted, *address),
            Self::Unix(_) => trusted.contains(&TrustedProxy::Unix),
        }
    }
}

impl Listener {
    /// Binds an address. A socket file gets `mode`; one that a dead server left is replaced, one that is served is not.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(address: &ListenAddress, mode: u32) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => {
                let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
                // So that a restart need not wait for the last connections' ports.
                socket.set_reuseaddr(true)?;
                socket.bind(*address)?;
                Ok(Self { socket: Socket::Tcp(socket.listen(BACKLOG)?), is_inherited: false, file: None })
            }
            ListenAddress::Unix(path) => {
                remove_stale(path)?;
                let listener = UnixListener::bind(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
                let file = SocketFile::of(path)?;
                Ok(Self { socket: Socket::Unix(listener), is_inherited: false, file: Some(file) })
            }
        }
    }

    /// The sockets that whoever started us handed over (`LISTEN_FDS`, `LISTEN_PID`); none where there are none. To be called once, before
    /// anything else opens files.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn inherited() -> io::Result<Vec<Self>> {
        let mut sockets = ListenFd::from_env();
        let count = sockets.len();
        let inherit = |at| {
            // A socket of another kind is an error, and stays open.
            let socket = if let Ok(Some(listener)) = sockets.take_unix_listener(at) {
                listener.set_nonblocking(true)?;
                Socket::Unix(UnixListener::from_std(listener)?)
            } else {
                let listener = sockets.take_tcp_listener(at)?.ok_or(io::ErrorKind::NotFound)?;
                listener.set_nonblocking(true)?;
                Socket::Tcp(TcpListener::from_std(listener)?)
            };
            Ok(Self { socket, is_inherited: true, file: None })
        };
        (0..count).map(inherit).collect()
    }

    /// The address, with the port that was really taken.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Socket::Unix(listener) => {
                let address = listener.local_addr()?;
                Ok(ListenAddress::Unix(address.as_pathname().unwrap_or(Path::new("(no name)")).to_owned()))
            }
        }
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match &self.socket {
            Socket::Tcp(listener) => {
                listener.poll_accept(cx).map_ok(|(stream, remote)| Accepted::Tcp(stream, remote.ip().to_canonical()))
            }
            Socket::Unix(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| Accepted::Unix(stream)),
        }
    }

    /// The connections that wait in the kernel now.
    pub(super) fn into_queue(self) -> io::Result<impl Iterator<Item = io::Result<Accepted>>> {
        // tokio asks the kernel only for what it was told of, and may not have been told yet.
        let socket = match self.socket {
            Socket::Tcp(listener) => StdSocket::Tcp(listener.into_std()?),
            Socket::Unix(listener) => StdSocket::Unix(listener.into_std()?),
        };
        let file = self.file;
        Ok(iter::from_fn(move || {
            // It stays until the last is taken.
            let _file = &file;
            match socket.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                accepted => Some(accepted),
            }
        }))
    }

    /// Whether connections that are queued here now will be served by somebody else.
    pub(super) fn is_inherited(&self) -> bool {
        self.is_inherited
    }
}

impl StdSocket {
    fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, remote) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Tcp(TcpStream::from_std(stream)?, remote.ip().to_canonical()))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Unix(UnixStream::from_std(stream)?))
            }
        }
    }
}

/// Makes room for a socket file, unless a server lives behind the one that is there.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
    }
}

/// A socket file of ours. Dropping takes it away, unless somebody put another one in its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: Self::identity(path)? })
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if Self::identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_with_a_port_or_a_path() {
        assert_eq!("127.0.0.1:0".parse(), Ok(ListenAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))));
        assert_eq!("unix:/run/coffer.sock".parse(), Ok(ListenAddress::Unix("/run/coffer.sock".into())));
        for text in ["127.0.0.1:8000", "[::1]:8000", "unix:/run/coffer.sock"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        for bad in ["", "8000", "localhost:8000", "127.0.0.1", "unix:", "/run/coffer.sock"] {
            assert_eq!(bad.parse::<ListenAddress>(), Err(InvalidListenAddress), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_dead_servers_socket_is_replaced_and_a_living_ones_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let address = ListenAddress::Unix(path.clone());
        drop(unix::net::UnixListener::bind(&path).unwrap());

        let listener = Listener::bind(&address, 0o660).unwrap();
        assert_eq!(listener.address().unwrap(), address);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert_eq!(Listener::bind(&address, 0o660).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists(), "a server takes its own socket away");

        let listener = Listener::bind(&address, 0o600).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        drop(listener);
        assert_eq!(Listener::bind(&address, 0o660).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
    }
}
