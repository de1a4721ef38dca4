//! The structures of DER that are found in key files: which of them a file is, and the key in it.

use super::{
    ImportedKey, PublicKey, Why,
    der::{BIT_STRING, CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element, elements},
    private,
};

/// The structures that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Structure {
    /// PKCS#8, RFC 5208.
    PrivateKey,
    /// PKCS#1, RFC 8017.
    RsaPrivateKey,
    /// SEC 1, RFC 5915.
    EcPrivateKey,
    /// RFC 5280 §4.1.2.7.
    PublicKey,
    /// PKCS#1.
    RsaPublicKey,
    /// PKCS#8, RFC 5208 §6.
    EncryptedPrivateKey,
    /// A certificate, a request for one, or a list of those that are revoked.
    Certificate,
    Pkcs12,
    Pkcs7,
    DsaPrivateKey,
    /// Well formed, and none of these.
    Unknown,
}

/// The key in a file, `None` where it is no DER.
pub(super) fn read(bytes: &[u8]) -> Result<Option<ImportedKey>, Why> {
    // A newline may have been put behind it.
    let found = structure(bytes).map(|found| (found, bytes)).or_else(|| {
        let bytes = bytes.strip_suffix(b"\n")?;
        Some((structure(bytes)?, bytes))
    });
    match found {
        None => Ok(None),
        // A secret that is text can look like some structure, and like none of the known ones.
        Some((Structure::Unknown, bytes)) if bytes.is_ascii() => Ok(None),
        Some((structure, bytes)) => key(structure, bytes).map(Some),
    }
}

/// The key in a structure.
pub(super) fn key(structure: Structure, der: &[u8]) -> Result<ImportedKey, Why> {
    match structure {
        Structure::PrivateKey => private::from_pkcs8(der),
        Structure::RsaPrivateKey => private::from_pkcs1(der),
        Structure::EcPrivateKey => private::from_sec1(der),
        Structure::PublicKey => PublicKey::from_spki(der).map(ImportedKey::Public),
        Structure::RsaPublicKey => PublicKey::from_pkcs1(der).map(ImportedKey::Public),
        Structure::EncryptedPrivateKey => Err(ENCRYPTED.into()),
        Structure::Certificate => Err(CERTIFICATE.into()),
        Structure::Pkcs12 => Err(PKCS12.into()),
        Structure::Pkcs7 => Err(PKCS7.into()),
        Structure::DsaPrivateKey => {
            Err("is a DSA key, and no token is signed with one; use RSA, P-256 or Ed25519".into())
        }
        Structure::Unknown => Err("is DER, and no key of a kind that signs tokens; use RSA, P-256 or Ed25519".into()),
    }
}

pub(super) const ENCRYPTED: &str = "is an encrypted private key, and there is no way to give its password; decrypt it with: openssl pkey -in FILE -out NEW";
pub(super) const CERTIFICATE: &str = "is a certificate or a request for one, and no key; the public key in it comes out with: \
                                      openssl x509 -pubkey -noout -in FILE";
const PKCS12: &str = "is a PKCS#12 container; the key in it comes out with: openssl pkcs12 -in FILE -nocerts -nodes";
const PKCS7: &str = "is a PKCS#7 container of certificates, and no key";

/// What `bytes` are, `None` if they are not one whole structure.
pub(super) fn structure(bytes: &[u8]) -> Option<Structure> {
    let ((SEQUENCE, content), []) = element(bytes)? else { return None };
    let elements = elements(content)?;
    let tags: Vec<u8> = elements.iter().map(|(tag, _)| *tag).collect();
    Some(match (&tags[..], &elements[..]) {
        ([INTEGER, SEQUENCE, OCTET_STRING, ..], _) => Structure::PrivateKey,
        ([INTEGER, OCTET_STRING, ..], _) => Structure::EcPrivateKey,
        ([INTEGER, INTEGER], _) => Structure::RsaPublicKey,
        (tags, _) if tags.len() == 6 && tags.iter().all(|tag| *tag == INTEGER) => Structure::DsaPrivateKey,
        (tags, _) if tags.len() >= 9 && tags[..9].iter().all(|tag| *tag == INTEGER) => Structure::RsaPrivateKey,
        ([SEQUENCE, BIT_STRING], _) => Structure::PublicKey,
        ([SEQUENCE, OCTET_STRING], _) => Structure::EncryptedPrivateKey,
        ([SEQUENCE, SEQUENCE, BIT_STRING], _) => Structure::Certificate,
        ([INTEGER, SEQUENCE, ..], [(_, [3]), ..]) => Structure::Pkcs12,
        ([OBJECT_IDENTIFIER, CONTEXT_0], _) => Structure::Pkcs7,
        _ => Structure::Unknown,
    })
}
