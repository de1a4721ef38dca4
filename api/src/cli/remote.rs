//! Asking a running server over HTTP: which certificates are believed, and what is said when no answer comes.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use reqwest::{Certificate, ClientBuilder, Url, redirect};

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

/// Reads the URL of a server. The library's own words speak of URLs, and not of what is missing.
pub(super) fn parse_server(text: &str) -> Result<Url, String> {
    const SUCH_AS: &str = "such as http://127.0.0.1:8000 or https://coffer.example.org";
    let has_scheme = ["http://", "https://"].iter().any(|scheme| text.to_ascii_lowercase().starts_with(scheme));
    if !has_scheme {
        return Err(format!("begin with http:// or https://, {SUCH_AS}"));
    }
    let url = text.parse::<Url>().map_err(|_| format!("this is not the URL of a server; write one {SUCH_AS}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("leave name and password out of the URL, {SUCH_AS}; they are asked for"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("end with the host or its port, {SUCH_AS}; the command knows the paths"));
    }
    Ok(url)
}

/// The certificates in a PEM file.
pub(super) fn certificates(file: &Path) -> Result<Vec<Certificate>> {
    let pem = base::file::read(file, 1024 * 1024).context("cannot read")?.bytes;
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
