//! Certificates of the tests' own, each self-signed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::CertificateParams;

use super::secret_file;

/// A certificate and its key in two files. Each is another one.
pub(crate) struct KeyPair {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The certificate in PEM form.
    pub pem: String,
}

impl KeyPair {
    /// A new pair in `dir` for `localhost` and `127.0.0.1`, in the place of the one that may be there.
    pub(crate) fn new(dir: &Path) -> Self {
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        Self::with(dir, &CertificateParams::new(names).unwrap())
    }

    /// A new pair as it is wanted.
    pub(crate) fn with(dir: &Path, params: &CertificateParams) -> Self {
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&signing_key).unwrap();
        let certificate = dir.join("certificate.pem");
        let pem = made.pem();
        fs::write(&certificate, &pem).unwrap();
        let key = secret_file(dir, "key.pem", signing_key.serialize_pem().as_bytes());
        Self { certificate, key, pem }
    }
}
