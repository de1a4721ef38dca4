//! Certificates of the tests' own, each self-signed for `localhost` and `127.0.0.1`.

use std::{fs, path::PathBuf};

use super::secret_file;

/// A certificate and its key in two files. Each is another one.
pub struct KeyPair {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The certificate in PEM form.
    pub pem: String,
}

impl KeyPair {
    /// A new pair in `dir`, in the place of the one that may be there.
    pub fn new(dir: &std::path::Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = dir.join("certificate.pem");
        let pem = made.cert.pem();
        fs::write(&certificate, &pem).unwrap();
        let key = secret_file(dir, "key.pem", made.signing_key.serialize_pem().as_bytes());
        Self { certificate, key, pem }
    }
}
