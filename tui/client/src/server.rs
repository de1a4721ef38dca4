//! The server's address, parsed once. Paths are put behind it; nothing else is ever contacted.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use common::endpoint::is_of_the_api;
use http::Uri;
use thiserror::Error;

/// An http or https address, perhaps with a path in front of `/api/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    base: String,
    encrypted: bool,
    loopback: bool,
}

/// The text is not the address of a server.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum InvalidServer {
    /// No scheme, or another one.
    #[error("write it with http:// or https:// in front, as in http://127.0.0.1:8000")]
    Scheme,
    /// A password in an address ends up in places where it does not belong.
    #[error("leave name and password out; you will be asked for them")]
    Credentials,
    /// Anything else.
    #[error("it should look like http://127.0.0.1:8000")]
    Form,
}

impl FromStr for Server {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, InvalidServer> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let encrypted = lower.starts_with("https://");
        if !encrypted && !lower.starts_with("http://") {
            return Err(InvalidServer::Scheme);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidServer::Form)?;
        let authority = uri.authority().ok_or(InvalidServer::Form)?;
        if authority.as_str().contains('@') {
            return Err(InvalidServer::Credentials);
        }
        // A port that is no number of 16 bits is part of the text and of nothing else.
        let has_odd_port = authority.as_str() != authority.host() && authority.port_u16().is_none();
        if authority.host().is_empty() || has_odd_port || uri.query().is_some() || text.contains('#') {
            return Err(InvalidServer::Form);
        }
        let host = authority.host().to_ascii_lowercase();
        // A name may begin like an address of this machine: 127.0.0.1.example.
        let loopback = host == "localhost"
            || host == "[::1]"
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        let scheme = if encrypted { "https" } else { "http" };
        let path = uri.path().trim_end_matches('/');
        let base = format!("{scheme}://{}{path}", authority.as_str().to_ascii_lowercase());
        Ok(Self { base, encrypted, loopback })
    }
}

impl Server {
    /// The address of a path that begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// It was written with a path of the API behind the server's own.
    pub fn ends_in_api(&self) -> bool {
        self.base.split('/').skip(3).any(is_of_the_api)
    }

    /// TLS is spoken.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The server runs on this very machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_spelling() {
        let server: Server = " HTTP://LocalHost:8000/ ".parse().unwrap();
        assert_eq!(server.to_string(), "http://localhost:8000");
        assert_eq!(server.at("/api/"), "http://localhost:8000/api/");
        assert!(server.is_loopback() && !server.is_encrypted());
        assert!(!"http://127.0.0.1.example".parse::<Server>().unwrap().is_loopback());
        assert_eq!(
            "https://box.example/coffer/".parse::<Server>().unwrap().at("/api/"),
            "https://box.example/coffer/api/"
        );
    }

    #[test]
    fn what_is_no_server_is_refused_with_what_to_write() {
        assert_eq!("localhost:8000".parse::<Server>(), Err(InvalidServer::Scheme));
        assert_eq!("ftp://x".parse::<Server>(), Err(InvalidServer::Scheme));
        assert_eq!("http://ada:pw@x".parse::<Server>(), Err(InvalidServer::Credentials));
        for bad in ["http://", "http:// x", "http://x/?a=1", "http://x:99999"] {
            assert_eq!(bad.parse::<Server>(), Err(InvalidServer::Form), "{bad}");
        }
    }
}
