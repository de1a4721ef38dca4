//! Private keys, checked by the library that will sign with them and written as PKCS#8 (RFC 5208), the one form in which they are kept.

use aws_lc_rs::{
    encoding::{AsBigEndian as _, AsDer as _, Curve25519SeedBin, EcPrivateKeyBin},
    rsa::KeyPair as RsaKeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use zeroize::Zeroizing;

use super::{
    Algorithm, ImportedKey, PublicKey, Why,
    der::{self, oid},
    guessable,
};

const BROKEN: &str = "is a private key that does not fit together";
const NOT_P256: &str =
    "is a private key on another curve than P-256, or one that does not fit together; ES256 signs with P-256 alone";
const NOT_RSA: &str =
    "is an RSA key of a length that is not taken (2,048 to 8,192 bits are), or one that does not fit together";

/// A key in PKCS#8.
pub(super) fn from_pkcs8(der: &[u8]) -> Result<ImportedKey, Why> {
    match der::algorithm(der).ok_or(BROKEN)?.0 {
        oid::RSA => rsa(&RsaKeyPair::from_pkcs8(der).map_err(|_| NOT_RSA)?),
        oid::EC => ec(&EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| NOT_P256)?),
        oid::ED25519 => ed(&Ed25519KeyPair::from_pkcs8(der).map_err(|_| BROKEN)?),
        oid::RSA_PSS => {
            Err("is an RSA key for PSS alone, and RS256 is not PSS; make one with: openssl genrsa -out FILE 3072"
                .into())
        }
        _ => Err("is a private key of a kind that signs no tokens; use RSA, P-256 or Ed25519".into()),
    }
}

/// An RSA key in PKCS#1.
pub(super) fn from_pkcs1(der: &[u8]) -> Result<ImportedKey, Why> {
    rsa(&RsaKeyPair::from_der(der).map_err(|_| NOT_RSA)?)
}

/// A key on a curve as SEC 1 has it.
pub(super) fn from_sec1(der: &[u8]) -> Result<ImportedKey, Why> {
    ec(&EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| NOT_P256)?)
}

/// An RSA key.
pub(super) fn rsa(pair: &RsaKeyPair) -> Result<ImportedKey, Why> {
    let pkcs8 = pair.as_der().map_err(|_| BROKEN)?;
    let public = PublicKey::of_known_primes(pair.public_key().as_ref())?;
    let [p, q] = der::primes(pkcs8.as_ref()).ok_or(BROKEN)?;
    guessable::primes(p, q)?;
    Ok(private(Algorithm::Rs256, pkcs8.as_ref(), public))
}

/// A key on P-256.
pub(super) fn ec(pair: &EcdsaKeyPair) -> Result<ImportedKey, Why> {
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| BROKEN)?;
    let public = PublicKey::from_point(pair.public_key().as_ref())?;
    let number: EcPrivateKeyBin = pair.private_key().as_be_bytes().map_err(|_| BROKEN)?;
    guessable::scalar(number.as_ref())?;
    Ok(private(Algorithm::Es256, pkcs8.as_ref(), public))
}

/// A key on Curve25519 that signs.
pub(super) fn ed(pair: &Ed25519KeyPair) -> Result<ImportedKey, Why> {
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| BROKEN)?;
    let public = PublicKey::from_ed25519(pair.public_key().as_ref())?;
    let seed: Curve25519SeedBin = pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| BROKEN)?;
    guessable::seed(seed.as_ref())?;
    Ok(private(Algorithm::EdDsa, pkcs8.as_ref(), public))
}

fn private(algorithm: Algorithm, pkcs8: &[u8], public: PublicKey) -> ImportedKey {
    ImportedKey::Private { algorithm, pkcs8: Zeroizing::new(pkcs8.to_vec()), public }
}
