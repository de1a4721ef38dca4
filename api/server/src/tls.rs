//! TLS by rustls: the certificate and its key from PEM files, replaced while connections go on. Only this module and `tls_stream` name
//! rustls. Deadlines are the connection's: a handshake counts as part of the first request's head.

mod expiry;
mod names;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use base::file::{self, FileError};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use super::hosts::AllowedHost;

/// Bytes of a certificate's or a key's file at most.
const MAX_PEM_BYTES: u64 = 1024 * 1024;
/// What clients may speak inside, in our order.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate with its key, and where they came from. Clones share them.
#[derive(Debug, Clone)]
pub struct Tls {
    files: Arc<Files>,
    current: Arc<Current>,
    acceptor: Acceptor,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// The pair that new connections get.
#[derive(Debug)]
struct Current(RwLock<Pair>);

#[derive(Debug, Clone)]
struct Pair {
    certified: Arc<CertifiedKey>,
    /// Whose certificate it is.
    hosts: Arc<[AllowedHost]>,
}

#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

/// Certificate and key cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {0}")]
    File(#[from] FileError),
    /// A file has something else in it.
    #[error("{} has no {what} in PEM form (-----BEGIN …)", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Both can be read, and cannot be used.
    #[error("the key in {} cannot be used with the certificate in {}: {source}", key.display(), certificate.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The library has no safe defaults.
    #[error("TLS cannot be set up")]
    Library(#[from] rustls::Error),
}

impl Tls {
    /// Reads both files: the server's certificate first in its file, those that vouch for it after it.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let files = Files { certificate, key };
        let current = Arc::new(Current(RwLock::new(files.read()?)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { files: Arc::new(files), current, acceptor: Acceptor(Arc::new(config).into()) })
    }

    /// Reads both files again, for connections from now on. If they cannot be used, the pair stays that is there.
    pub fn reload(&self) -> Result<(), TlsError> {
        let pair = self.files.read()?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(())
    }

    /// The hosts in the certificate that new connections get; none where they cannot be read.
    pub fn hosts(&self) -> Arc<[AllowedHost]> {
        self.current.get().hosts
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.0.clone()
    }
}

impl Current {
    fn get(&self) -> Pair {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Files {
    fn read(&self) -> Result<Pair, TlsError> {
        let (certificate, key) = (&self.certificate, &self.key);
        let pem = file::read(certificate, MAX_PEM_BYTES)?.bytes;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
        if chain.is_empty() {
            return Err(TlsError::Pem { path: certificate.clone(), what: "certificate" });
        }
        let file::Named { bytes, metadata } = file::read(key, MAX_PEM_BYTES)?;
        let secret = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| TlsError::Pem { path: key.clone(), what: "private key" })?;
        if metadata.is_file() && metadata.permissions().mode() & 0o007 != 0 {
            tracing::warn!(file = %key.display(), "every user of this machine can read the TLS key; take the right away: chmod o= FILE");
        }
        let pair = CertifiedKey::from_der(chain, secret, &aws_lc_rs::default_provider())
            .map_err(|source| TlsError::Pair { certificate: certificate.clone(), key: key.clone(), source })?;
        let hosts = pair.cert.first().map(|first| names::hosts(first)).unwrap_or_default().into();
        Ok(Pair { certified: Arc::new(pair), hosts })
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get().certified)
    }
}
