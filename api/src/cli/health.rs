//! `coffer health`: for container health checks, where there is no other HTTP client.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use common::Problem;
use reqwest::{ClientBuilder, Url};
use server::ListenAddress;

use super::{
    listen::{Addresses, reachable},
    open::block_on,
    remote::{Trust, certificates, parse_server, unanswered},
};
/// Asks a server.
#[derive(Debug, Args)]
pub(super) struct Health {
    #[command(flatten)]
    addresses: Addresses,
    /// The certificate that the server of this machine serves HTTPS with. Nothing else is believed, except --ca-cert.
    #[arg(long, env = "COFFER_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Ask the server at this address instead, such as <https://coffer.example.org>.
    #[arg(long, value_name = "URL", value_parser = parse_server)]
    server: Option<Url>,
    #[command(flatten)]
    trust: Trust,
}

impl Health {
    /// Succeeds where the server says that it is ready.
    pub(super) fn run(self) -> Result<()> {
        let (client, server) = match &self.server {
            Some(server) => (self.trust.client()?, server.to_string()),
            None => self.this_machine()?,
        };
        let client = client.timeout(Duration::from_secs(3)).build()?;
        let url = server.parse::<Url>().and_then(|server| server.join("readyz"))?;
        let name = if self.server.is_some() { server } else { self.addresses.listen[0].to_string() };
        block_on(async {
            let answer = client.get(url).send().await.map_err(|error| unanswered(&name, error))?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            // It says why, and what to do.
            match serde_json::from_slice::<Problem>(&answer.bytes().await?) {
                Ok(problem) => bail!("the server on {name} is not ready: {}", problem.detail),
                Err(_) => bail!("the server on {name} is not ready: it answers {status}"),
            }
        })
    }

    /// A client for the first address that the server listens on, and the address that goes with it.
    fn this_machine(&self) -> Result<(ClientBuilder, String)> {
        let client = self.trust.client()?.no_proxy();
        let address = match self.addresses.listen.first().context("--listen is empty")? {
            ListenAddress::Unix(path) => {
                return Ok((client.tls_certs_only([]).unix_socket(path.as_path()), "http://localhost/".to_owned()));
            }
            ListenAddress::Tcp(address) => reachable(*address),
        };
        let Some(file) = &self.tls_cert else { return Ok((client.tls_certs_only([]), format!("http://{address}/"))) };
        // The certificate is for the server's name out there, and this is its address in here.
        let client = client.tls_certs_only(certificates(file)?).tls_danger_accept_invalid_hostnames(true);
        Ok((client, format!("https://{address}/")))
    }
}
