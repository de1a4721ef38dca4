//! `coffer health`: for container health checks, where there is no other HTTP client.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use coffer_client::{
    profile::Target,
    ready::{self, Way},
};
use common::{CallError, Problem};
use server::ListenAddress;

use super::{
    listen::{Addresses, reachable},
    open::block_on,
    remote::{Trust, certificates, parse_server},
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
    server: Option<Target>,
    #[command(flatten)]
    trust: Trust,
}

impl Health {
    /// Succeeds where the server says that it is ready.
    pub(super) fn run(self) -> Result<()> {
        let (way, name) = match &self.server {
            Some(target) => (
                Way::Address(target.server.to_string(), self.trust.certificates(Some(target))?),
                target.server.to_string(),
            ),
            None => (self.this_machine()?, self.addresses.listen[0].to_string()),
        };
        block_on(async {
            let answer = ready::ask(way, Duration::from_secs(3)).await;
            let (status, body) = answer.map_err(|error| unanswered(&name, &error))?;
            if status.is_success() {
                return Ok(());
            }
            // It says why, and what to do.
            match serde_json::from_slice::<Problem>(&body) {
                Ok(problem) => bail!("the server on {name} is not ready: {}", problem.detail),
                Err(_) => bail!("the server on {name} is not ready: it answers {status}"),
            }
        })
    }

    /// How to reach the first address that the server listens on.
    fn this_machine(&self) -> Result<Way> {
        let address = match self.addresses.listen.first().context("--listen is empty")? {
            ListenAddress::Unix(path) => return Ok(Way::Socket(path.clone())),
            ListenAddress::Tcp(address) => reachable(*address),
        };
        let trusted = self.trust.certificates(None)?;
        Ok(match &self.tls_cert {
            None => Way::Here(format!("http://{address}/"), None, trusted),
            Some(file) => Way::Here(format!("https://{address}/"), Some(certificates(file)?), trusted),
        })
    }
}

/// Why no answer came.
fn unanswered(name: &str, error: &CallError) -> anyhow::Error {
    match error {
        CallError::Unreachable(why) if common::certificate::is_about_trust(why) => {
            anyhow!("{name} is not to be trusted: {why}")
        }
        CallError::Unreachable(why) => {
            anyhow!("no server answers on {name} ({why}); start it, or name another with --server")
        }
        error => anyhow!("{name}: {error}"),
    }
}
