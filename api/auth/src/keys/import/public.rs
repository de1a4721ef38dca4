//! Public keys: what verifies a signature and makes none. They are kept and told as JWK (RFC 7517), whose thumbprint (RFC 7638) is their id.

use aws_lc_rs::{
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Algorithm, Why,
    der::{self, oid},
    guessable,
};

/// What the numbers of keys begin with whose private halves stand in RFC 7515, 7517 and 8037 and on pages that explain tokens, and of the one whose private
/// number is 1; in base64url, a line each.
const WELL_KNOWN: &str = include_str!("well_known_keys.txt");

/// Bytes of an RSA modulus that are taken: the library signs with no others.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
const BROKEN: &str = "is a public key that cannot be read";
const NOT_P256: &str = "is a public key on another curve than P-256, or compressed; write it anew with: \
                        openssl pkey -pubin -in FILE -ec_conv_form uncompressed";

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::keys) enum PublicKey {
    /// Modulus and exponent, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point of P-256.
    Ec { x: [u8; 32], y: [u8; 32] },
    /// A point of Curve25519.
    Ed { x: [u8; 32] },
}

impl PublicKey {
    /// A key as X.509 writes it (RFC 5280 §4.1.2.7).
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, Why> {
        let (identifier, parameters) = der::algorithm(der).ok_or(BROKEN)?;
        match identifier {
            oid::RSA => Self::from_pkcs1(der),
            oid::EC if der::curve(parameters) == Some(oid::P256) => {
                Self::from_point(der::public_bits(der).ok_or(BROKEN)?)
            }
            oid::EC => Err(NOT_P256.into()),
            oid::ED25519 => Self::from_ed25519(der::public_bits(der).ok_or(BROKEN)?),
            _ => Err("is a public key of a kind that verifies no tokens; use RSA, P-256 or Ed25519".into()),
        }
    }

    /// An RSA key as PKCS#1 or X.509 writes it.
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, Why> {
        Self::of_known_primes(der)?.unless_prime()
    }

    /// The public half of an RSA key whose primes are known.
    pub(super) fn of_known_primes(der: &[u8]) -> Result<Self, Why> {
        let key = rsa::PublicKey::from_der(der).map_err(|_| BROKEN)?;
        let [n, e] = [key.modulus(), key.exponent()].map(|number| number.big_endian_without_leading_zero().to_vec());
        Self::checked_rsa(n, e)
    }

    fn checked_rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, Why> {
        if !RSA_BYTES.contains(&n.len()) {
            return Err("is an RSA key of a length that is not taken; 2,048 to 8,192 bits are".into());
        }
        guessable::modulus(&n, &e)?;
        Self::Rsa { n, e }.unless_known()
    }

    fn unless_prime(self) -> Result<Self, Why> {
        if let Self::Rsa { n, .. } = &self {
            guessable::prime(n)?;
        }
        Ok(self)
    }

    /// The key, if no document has its private half.
    fn unless_known(self) -> Result<Self, Why> {
        let number = URL_SAFE_NO_PAD.encode(match &self {
            Self::Rsa { n, .. } => n,
            Self::Ec { x, .. } | Self::Ed { x } => &x[..],
        });
        if WELL_KNOWN.lines().any(|known| number.starts_with(known)) {
            return Err("is the example of a document, and everybody has its private key".into());
        }
        Ok(self)
    }

    /// A point of P-256, not compressed (SEC 1 §2.3.3).
    pub(super) fn from_point(point: &[u8]) -> Result<Self, Why> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| NOT_P256)?;
        let Some((4, Some((x, y)))) = point.split_first().map(|(form, rest)| (*form, rest.split_at_checked(32))) else {
            return Err(NOT_P256.into());
        };
        Self::Ec { x: x.try_into().map_err(|_| NOT_P256)?, y: y.try_into().map_err(|_| NOT_P256)? }.unless_known()
    }

    /// A point of Curve25519 (RFC 8032 §5.1.5).
    pub(super) fn from_ed25519(point: &[u8]) -> Result<Self, Why> {
        let x: [u8; 32] = point.try_into().map_err(|_| BROKEN)?;
        ParsedPublicKey::new(&ED25519, x).map_err(|_| BROKEN)?;
        // 2^255 - 19 and more, written where a number below it belongs, or the sign of a number that has none.
        let is_beyond = x[31] & 0x7f == 0x7f && x[0] >= 0xed && x[1..31].iter().all(|byte| *byte == 0xff);
        if SMALL_ORDER.contains(&x) || is_beyond || x == ONE_SIGNED {
            return Err("is a point for which anyone can sign".into());
        }
        Self::Ed { x }.unless_known()
    }

    /// Modulus and exponent.
    pub(super) fn from_components(n: &[u8], e: &[u8]) -> Result<Self, Why> {
        let trimmed = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
        Self::checked_rsa(trimmed(n), trimmed(e))?.unless_prime()
    }

    /// How tokens are signed that it verifies.
    pub(in crate::keys) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ec { .. } => Algorithm::Es256,
            Self::Ed { .. } => Algorithm::EdDsa,
        }
    }

    /// The key as JWK, with the members that it is made of and no others, in the order of their names.
    pub(in crate::keys) fn to_jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { n, e } => json!({"e": text(e), "kty": "RSA", "n": text(n)}),
            Self::Ec { x, y } => json!({"crv": "P-256", "kty": "EC", "x": text(x), "y": text(y)}),
            Self::Ed { x } => json!({"crv": "Ed25519", "kty": "OKP", "x": text(x)}),
        }
    }

    /// RFC 7638: the same for a private key, its public one, and whatever form they came in.
    pub(in crate::keys) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.to_jwk().to_string()))
    }
}

/// The points of Curve25519 whose order divides eight, canonically encoded: every signature can be made to fit them.
const SMALL_ORDER: [[u8; 32]; 7] = {
    const fn point(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut point = [middle; 32];
        point[0] = first;
        point[31] = last;
        point
    }
    [
        point(0, 0, 0),
        point(0, 0, 0x80),
        point(1, 0, 0),
        point(0xec, 0xff, 0x7f),
        point(0xec, 0xff, 0xff),
        ORDER_8,
        ORDER_8_OTHER,
    ]
};
const ONE_SIGNED: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point[31] = 0x80;
    point
};
const ORDER_8: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53,
    0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];
const ORDER_8_OTHER: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac,
    0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];
