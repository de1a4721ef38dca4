//! Asking a server whether it is ready: by its address, or one of this very machine by the address or socket that it listens on.

use std::{path::PathBuf, time::Duration};

use common::{Call, CallError, endpoints::health::Ready};
use http::StatusCode;

use crate::{client::certificates, reason::reason};

/// How to reach it.
#[derive(Debug, Clone)]
pub enum Way {
    /// At this address, with these certificates in PEM form believed beside the machine's.
    Address(String, Option<Vec<u8>>),
    /// At this address of this machine. Where it serves HTTPS, with this certificate: it is for the server's name out there, and this is its
    /// address in here. Nothing else is believed but the further ones.
    Here(String, Option<Vec<u8>>, Option<Vec<u8>>),
    /// At this socket.
    Socket(PathBuf),
}

/// Asks; gives the status and the body of the answer.
pub async fn ask(way: Way, patience: Duration) -> Result<(StatusCode, Vec<u8>), CallError> {
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(patience);
    let base = match way {
        Way::Address(address, trusted) => {
            if let Some(pem) = trusted {
                builder = builder.tls_certs_merge(certificates(&pem)?);
            }
            address
        }
        Way::Here(address, certificate, trusted) => {
            let mut believed = Vec::new();
            for pem in certificate.iter().chain(&trusted) {
                believed.extend(certificates(pem)?);
            }
            let is_https = certificate.is_some();
            builder = builder.no_proxy().tls_certs_only(believed).tls_danger_accept_invalid_hostnames(is_https);
            address
        }
        Way::Socket(path) => {
            builder = builder.no_proxy().tls_certs_only([]).unix_socket(path);
            "http://localhost".to_owned()
        }
    };
    let unreachable = |error: reqwest::Error| CallError::Unreachable(reason(&error));
    let path = Call::<Ready>::new((), ()).path_and_query();
    let client = builder.build().map_err(unreachable)?;
    let response = client.get(format!("{}{path}", base.trim_end_matches('/'))).send().await.map_err(unreachable)?;
    let status = response.status();
    Ok((status, response.bytes().await.map_err(unreachable)?.to_vec()))
}
