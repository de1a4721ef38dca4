//! Which server is asked, and which certificates are believed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use coffer_client::profile::{self, Target};

/// Whom to believe beside those whom this machine trusts.
#[derive(Debug, Args)]
pub(super) struct Trust {
    /// Believe the certificates in this PEM file too, such as one that a server signed for itself.
    #[arg(long, env = "COFFER_CA_CERT", value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
}

impl Trust {
    /// The file's text; that of `target`'s profile where none was named.
    pub(super) fn certificates(&self, target: Option<&Target>) -> Result<Option<Vec<u8>>> {
        let file = self.ca_cert.as_ref().or_else(|| target?.ca_cert.as_ref());
        file.map(|file| certificates(file)).transpose()
    }
}

/// Reads the URL of a server, or the name of a profile. The command knows the paths behind a server.
pub(super) fn parse_server(text: &str) -> Result<Target, String> {
    const SUCH_AS: &str = "such as http://127.0.0.1:8000 or https://coffer.example.org";
    let target = profile::resolve(text).map_err(|error| match error {
        profile::ProfileError::Address(error) => match error {
            coffer_client::server::InvalidServer::Scheme => format!("begin with http:// or https://, {SUCH_AS}"),
            error => format!("{error}, {SUCH_AS}"),
        },
        error => error.to_string(),
    })?;
    if target.server.ends_in_api() {
        return Err(format!("end with the host or its port, {SUCH_AS}; the command knows the paths"));
    }
    Ok(target)
}

/// A PEM file's text.
pub(super) fn certificates(file: &Path) -> Result<Vec<u8>> {
    Ok(base::file::read(file, 1024 * 1024).context("cannot read")?.bytes)
}
