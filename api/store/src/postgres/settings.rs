//! Where the database is, and as whom it is used: the URL, in the words of PostgreSQL's own library.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

/// The port of PostgreSQL where the URL has none.
const PORT: u16 = 5432;

/// Whether a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// It is not: a socket, or this machine.
    Off,
    /// TLS, with the server's certificate and name verified against these roots; those of the system where none are named.
    Verified(Option<PathBuf>),
}

/// The address of a database, with its user. `Debug` shows no password.
#[derive(Clone)]
pub struct DatabaseUrl {
    config: Config,
    pub(super) encryption: Encryption,
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseUrl").field("at", &self.place()).finish_non_exhaustive()
    }
}

/// What is wrong with the URL of a database. It never tells the URL, in which there may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DatabaseUrlError(String);

impl std::str::FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        let fault = |what: &str| DatabaseUrlError(what.to_owned());
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(fault("begin it with postgres://, such as postgres://coffer@db.example:5432/coffer"));
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        // Two parameters that the library below does not know, or knows otherwise.
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => mode = Some(value),
                "sslrootcert" => roots = Some(value),
                _ => others.push(parameter),
            }
        }
        let address = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
        let config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            DatabaseUrlError(format!("it is no URL of a database: {cause}"))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(fault("it names no host; a socket is ?host=/run/postgresql"));
        }
        if config.get_user().is_none_or(str::is_empty) {
            return Err(fault("it names no user, such as postgres://coffer@db.example/coffer"));
        }
        let encryption = match mode.as_deref() {
            None if is_here(&config) => Encryption::Off,
            Some("disable") => Encryption::Off,
            None | Some("verify-full") => {
                Encryption::Verified(roots.filter(|roots| roots != "system").map(PathBuf::from))
            }
            Some(other) => {
                let told = "sslmode is verify-full or disable: encryption without a verified server keeps nobody out who is in between";
                return Err(DatabaseUrlError(format!("{told} (it says {other})")));
            }
        };
        Ok(DatabaseUrl { config, encryption })
    }
}

impl DatabaseUrl {
    /// Whether a password is in it.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(mut self, password: impl AsRef<[u8]>) -> DatabaseUrl {
        self.config.password(password);
        self
    }

    /// Hosts, ports and database, for messages.
    pub fn place(&self) -> String {
        let hosts: Vec<_> = self.hosts().iter().map(|(host, port)| format!("{}:{port}", host.name())).collect();
        format!("{}/{}", hosts.join(","), self.config.get_dbname().or(self.config.get_user()).unwrap_or_default())
    }

    /// The hosts, each with its port, in the order in which they are tried.
    fn hosts(&self) -> Vec<(HostAddress, u16)> {
        let (names, addresses, ports) = (self.config.get_hosts(), self.config.get_hostaddrs(), self.config.get_ports());
        let count = names.len().max(addresses.len());
        let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(PORT);
        let place = |n: usize| HostAddress { name: names.get(n).cloned(), address: addresses.get(n).copied() };
        (0..count).map(|n| (place(n), port(n))).collect()
    }

    /// One configuration for each host, so that each has its own deadline.
    pub(super) fn configs(&self) -> Vec<Config> {
        self.hosts().into_iter().map(|(place, port)| self.single(place, port)).collect()
    }

    fn single(&self, place: HostAddress, port: u16) -> Config {
        let mut config = Config::new();
        match place.name {
            Some(Host::Tcp(name)) => config.host(name),
            Some(Host::Unix(path)) => config.host_path(path),
            None => &mut config,
        };
        if let Some(address) = place.address {
            config.hostaddr(address);
        }
        if let Some(user) = self.config.get_user() {
            config.user(user);
        }
        if let Some(password) = self.config.get_password() {
            config.password(password);
        }
        if let Some(name) = self.config.get_dbname() {
            config.dbname(name);
        }
        if let Some(options) = self.config.get_options() {
            config.options(options);
        }
        config
            .port(port)
            .application_name(self.config.get_application_name().unwrap_or("coffer"))
            .channel_binding(self.config.get_channel_binding())
            .ssl_mode(if self.encryption == Encryption::Off { SslMode::Disable } else { SslMode::Require })
            // A standby takes no commits, and may be behind.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(Duration::from_secs(15));
        config
    }
}

#[derive(Clone)]
struct HostAddress {
    name: Option<Host>,
    address: Option<IpAddr>,
}

impl HostAddress {
    fn name(&self) -> String {
        match (&self.name, self.address) {
            (Some(Host::Tcp(name)), _) => name.clone(),
            (Some(Host::Unix(path)), _) => path.display().to_string(),
            (None, Some(address)) => address.to_string(),
            (None, None) => String::new(),
        }
    }
}

/// Whether every host is a socket or this machine.
fn is_here(config: &Config) -> bool {
    let is_loopback =
        |name: &str| name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let names = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => is_loopback(name),
        Host::Unix(_) => true,
    });
    names && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> DatabaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn tls_is_verified_unless_the_database_is_here() {
        for here in [
            "postgres://coffer@localhost/coffer",
            "postgresql://coffer@127.0.0.1:5433/coffer",
            "postgres://coffer@/coffer?host=/run/postgresql",
            "postgres://coffer@[::1]/coffer",
        ] {
            assert_eq!(read(here).encryption, Encryption::Off, "{here}");
        }
        for (there, roots) in [
            ("postgres://coffer@db.example/coffer", None),
            ("postgres://coffer@localhost,db.example/coffer", None),
            ("postgres://coffer@db.example/coffer?sslmode=verify-full&sslrootcert=system", None),
            ("postgres://coffer@db.example/coffer?sslrootcert=/etc/ca%20of%20ours.pem", Some("/etc/ca of ours.pem")),
        ] {
            assert_eq!(read(there).encryption, Encryption::Verified(roots.map(PathBuf::from)), "{there}");
        }
        assert_eq!(read("postgres://coffer@db.example/coffer?sslmode=disable").encryption, Encryption::Off);
        for mode in ["require", "prefer", "allow", "verify-ca", "maybe"] {
            let refused = format!("postgres://coffer@db.example/coffer?sslmode={mode}").parse::<DatabaseUrl>();
            assert!(refused.unwrap_err().to_string().contains(mode));
        }
    }

    #[test]
    fn the_password_is_in_no_output() {
        let url = read("postgres://coffer:hunter2@a.example:5433,b.example:5434/box?connect_timeout=3");
        assert!(url.has_password() && !read("postgres://coffer@a.example/box").has_password());
        assert!(read("postgres://coffer@a.example/box").with_password("hunter2").has_password());
        assert_eq!(url.place(), "a.example:5433,b.example:5434/box");
        assert!(!format!("{url:?}").contains("hunter2"));
        assert_eq!(url.configs().len(), 2);
        for wrong in [
            "postgres://coffer:hunter2@a.example/box?sslmode=require",
            "postgres://coffer:hunter2@a.example/box?unknown=1",
            "postgres://coffer:hunter2@a.example:nonsense/box",
            "coffer:hunter2@a.example/box",
            "mysql://coffer:hunter2@a.example/box",
            "postgres://:hunter2@a.example/box",
            "postgres://coffer:hunter2@/box",
        ] {
            let told = wrong.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
