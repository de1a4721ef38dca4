//! `--metrics-listen`: a listener that shows `/metrics` and nothing else, and asks for no token. It ends with the server.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use server::{ListenAddress, Server, ServerOptions};

use crate::{domain::App, routes};

/// A bound socket.
pub(super) struct Listener(Server);

impl Listener {
    /// Takes the address.
    pub(super) fn bind(listen: SocketAddr) -> Result<Self> {
        // Requests to this listener are not counted in the numbers that it shows.
        let options = ServerOptions {
            listen: vec![ListenAddress::Tcp(listen)],
            max_connections: 64,
            max_body: 0,
            ..ServerOptions::default()
        };
        Ok(Self(Server::bind(options).context("cannot show metrics")?))
    }

    /// The address, with the port that was really taken.
    pub(super) fn address(&self) -> Result<ListenAddress> {
        self.0.addresses()?.pop().context("nothing is listened on")
    }

    /// Serves until `end` is true.
    pub(super) fn serve(self, app: App, options: routes::Options, mut end: tokio::sync::watch::Receiver<bool>) {
        let service = warp::service(routes::open_metrics(app, options));
        tokio::spawn(self.0.run(service, async move {
            let _ = end.wait_for(|end| *end).await;
        }));
    }
}
