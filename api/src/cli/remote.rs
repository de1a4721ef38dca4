//! Asking a running server over HTTP: which certificates are believed, and what is said when no answer comes.

use std::{error::Error, fs, path::PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use reqwest::{Certificate, ClientBuilder, redirect};

/// Whom to believe beside those whom this machine trusts.
#[derive(Debug, Args)]
pub(super) struct Trust {
    /// Believe the certificates in this PEM file too, such as one that a server signed for itself.
    #[arg(long, env = "COFFER_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
}

impl Trust {
    /// A client that verifies certificates and follows no one elsewhere.
    pub(super) fn client(&self) -> Result<ClientBuilder> {
        let mut client = reqwest::Client::builder().redirect(redirect::Policy::none());
        if let Some(file) = &self.ca_cert {
            client = client.tls_certs_merge(certificates(file)?);
        }
        Ok(client)
    }
}

/// The certificates in a PEM file.
pub(super) fn certificates(file: &PathBuf) -> Result<Vec<Certificate>> {
    let pem = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() {
        return Err(anyhow!("{} has no certificate in PEM form (-----BEGIN CERTIFICATE)", file.display()));
    }
    Ok(found)
}

/// Why `server` gave no answer.
pub(super) fn unanswered(server: &str, error: reqwest::Error) -> anyhow::Error {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
        if let Some(words) = common::certificate::explain(&cause.to_string()) {
            return anyhow!("{server} is not to be trusted: {words}");
        }
    }
    // The innermost says what happened; those around it say only that something did.
    anyhow!("no server answers on {server} ({cause})")
}
