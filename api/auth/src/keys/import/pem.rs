//! PEM (RFC 7468): the one key in it, and nothing beside it.

use zeroize::Zeroizing;

use super::{ImportedKey, Why, structures};

/// What every block begins with; OpenSSH's older files have spaces, and fewer hyphens.
const BEGIN: &str = "-----BEGIN ";
const BEGIN_SSH2: &str = "---- BEGIN ";

/// Whether a text has a block of PEM, or what looks like one.
pub(super) fn is_pem(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with(BEGIN) || line.trim_start().starts_with(BEGIN_SSH2))
        || text.contains("-----BEGIN ")
}

/// The key in it.
pub(super) fn read(text: &str) -> Result<ImportedKey, Why> {
    if let Some(why) = text.split(BEGIN).skip(1).find_map(refused_label) {
        return Err(why);
    }
    if text.contains(BEGIN_SSH2) {
        return Err("is an SSH key in a form of its own; write it anew with: ssh-keygen -e -m PKCS8 -f FILE".into());
    }
    let blocks = pem::parse_many(text).map_err(|_| BROKEN)?;
    if blocks.len() != text.matches(BEGIN).count() {
        return Err(BROKEN.into());
    }
    // What openssl writes before a key on a curve says nothing that the key does not say.
    let mut keys = blocks.into_iter().filter(|block| block.tag() != "EC PARAMETERS");
    let (Some(block), None) = (keys.next(), keys.next()) else {
        return Err("has several keys, or none; give each a file of its own".into());
    };
    if block.headers().get("Proc-Type").is_some_and(|kind| kind.contains("ENCRYPTED")) {
        return Err(structures::ENCRYPTED.into());
    }
    let (label, content) = (block.tag().to_owned(), Zeroizing::new(block.into_contents()));
    let structure = structures::structure(&content).ok_or(BROKEN)?;
    let fits = matches!(
        (label.as_str(), structure),
        ("PRIVATE KEY", structures::Structure::PrivateKey)
            | ("RSA PRIVATE KEY", structures::Structure::RsaPrivateKey)
            | ("EC PRIVATE KEY", structures::Structure::EcPrivateKey)
            | ("PUBLIC KEY", structures::Structure::PublicKey)
            | ("RSA PUBLIC KEY", structures::Structure::RsaPublicKey)
    );
    if fits {
        structures::key(structure, &content)
    } else {
        Err("is PEM whose label and content are of two kinds".into())
    }
}

const BROKEN: &str = "is PEM that is not whole; copy the file again, from its first hyphen to its last";

/// Why what follows `-----BEGIN ` is no key that is taken, by its label alone.
fn refused_label(rest: &str) -> Option<Why> {
    let (label, _) = rest.split_once("-----")?;
    Some(match label {
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PARAMETERS" => {
            return None;
        }
        "ENCRYPTED PRIVATE KEY" => structures::ENCRYPTED.into(),
        "OPENSSH PRIVATE KEY" => {
            "is a private key of OpenSSH; write a copy of it anew with: ssh-keygen -p -m PKCS8 -N '' -f COPY".into()
        }
        "DSA PRIVATE KEY" => "is a DSA key, and no token is signed with one; use RSA, P-256 or Ed25519".into(),
        label if label.starts_with("PGP ") => {
            "is of PGP, and no key that signs tokens; use RSA, P-256 or Ed25519".into()
        }
        label if label.contains("CERTIFICATE") || label.ends_with("CRL") => structures::CERTIFICATE.into(),
        _ => format!("is PEM of a kind that is no key here ({})", common::text::single_line(label)).into(),
    })
}
