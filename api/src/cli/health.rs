//! `coffer health`: for container health checks, where there is no other HTTP client.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;

/// Asks a server.
#[derive(Debug, Args)]
pub struct Health {
    /// The server's address.
    #[arg(long, env = "COFFER_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDR")]
    listen: String,
}

impl Health {
    /// Succeeds where the server says that it is ready.
    pub fn run(self) -> Result<()> {
        let timeout = Duration::from_secs(3);
        // A server that listens on all addresses is asked on this machine's own.
        let listen = self.listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
        let address = listen.to_socket_addrs()?.next().with_context(|| format!("{listen} is no address"))?;
        let mut stream =
            TcpStream::connect_timeout(&address, timeout).with_context(|| format!("no server answers on {listen}"))?;
        stream.set_read_timeout(Some(timeout))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).with_context(|| format!("the server on {listen} does not answer"))?;
        if &status[9..] != b"200" {
            bail!("the server on {listen} is not ready");
        }
        Ok(())
    }
}
