//! TLS to the database, by rustls, with the server verified.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::OpenError;

/// What shakes hands with servers that these roots vouch for; the system's where no file is named.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let refused = |what: String| OpenError::Database {
        what,
        advice: "name a file with the certificates of its authority by sslrootcert in the URL".to_owned(),
    };
    let mut store = RootCertStore::empty();
    match roots {
        Some(file) => {
            let unreadable =
                |error: &dyn std::fmt::Display| refused(format!("{} cannot be used: {error}", file.display()));
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                store.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(refused("there are no certificates that its server could be verified by".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
