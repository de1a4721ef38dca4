//! DER (X.690): which of the structures that are found in key files a file is. Only as much is read as tells them apart; the keys themselves are read by the
//! library that signs with them.

use super::{ImportedKey, PublicKey, Why, private};

pub(super) const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
const CONTEXT_0: u8 = 0xa0;

/// Object identifiers, encoded.
pub(super) mod oid {
    pub(crate) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    pub(crate) const RSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    pub(crate) const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
    pub(crate) const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
    pub(crate) const ED25519: &[u8] = b"\x2b\x65\x70";
}

/// One element: its tag and its content.
type Element<'a> = (u8, &'a [u8]);

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

/// The algorithm in a PKCS#8 private key or a public key (RFC 5280 §4.1.1.2): its identifier and what follows it.
pub(super) fn algorithm(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let ((SEQUENCE, content), _) = element(der)? else { return None };
    let elements = elements(content)?;
    let (_, algorithm) = elements.into_iter().find(|(tag, _)| *tag == SEQUENCE)?;
    let ((OBJECT_IDENTIFIER, identifier), parameters) = element(algorithm)? else { return None };
    Some((identifier, parameters))
}

/// The curve that the parameters behind [`oid::EC`] name.
pub(super) fn curve(parameters: &[u8]) -> Option<&[u8]> {
    match element(parameters)? {
        ((OBJECT_IDENTIFIER, curve), []) => Some(curve),
        _ => None,
    }
}

/// The bits of a public key (RFC 5280 §4.1.2.7).
pub(super) fn public_bits(spki: &[u8]) -> Option<&[u8]> {
    let ((SEQUENCE, content), []) = element(spki)? else { return None };
    match elements(content)?[..] {
        [_, (BIT_STRING, [0, bits @ ..])] => Some(bits),
        _ => None,
    }
}

/// The two primes of an RSA key in PKCS#8 (RFC 8017, appendix A.1.2).
pub(super) fn primes(pkcs8: &[u8]) -> Option<[&[u8]; 2]> {
    let ((SEQUENCE, content), []) = element(pkcs8)? else { return None };
    let (_, key) = elements(content)?.into_iter().find(|(tag, _)| *tag == OCTET_STRING)?;
    let ((SEQUENCE, content), _) = element(key)? else { return None };
    let numbers = elements(content)?;
    Some([numbers.get(4)?.1, numbers.get(5)?.1])
}

/// The elements that `bytes` are made of, wholly.
fn elements(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (element, rest) = element(bytes)?;
        found.push(element);
        bytes = rest;
    }
    Some(found)
}

/// The first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Up to 64 KiB is read of a file.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(((tag, content), rest))
}
