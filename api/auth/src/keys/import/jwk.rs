//! JWK and JWK sets (RFC 7517, 7518 §6, 8037).

use aws_lc_rs::{
    rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Object, json};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Imported, ImportedKey, PublicKey, Why, foreign, private};

/// Letters of a key's id: it stands in the head of every token.
const MAX_KID: usize = 128;
const BROKEN: &str = "is a JWK that does not fit together";
const NO_JWK: &str = "is JSON, and no JWK or set of JWKs";

/// The keys in a text; `None` where it is no JSON that could hold one.
pub(super) fn read(text: &str) -> Result<Option<Vec<Imported>>, Why> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return Ok(None);
    }
    let Ok(json) = json::parse_value(text.as_bytes()) else {
        // A secret may begin with a brace, and a JWK that is cut off must not pass for one.
        return if text.contains("\"kty\"") { Err("is a JWK that is not whole".into()) } else { Ok(None) };
    };
    let Value::Object(object) = json else { return Err(NO_JWK.into()) };
    let keys = match (object.get("keys"), object.contains_key("kty")) {
        (Some(Value::Array(keys)), false) if !keys.is_empty() => {
            let keys = keys.iter().map(|key| key.as_object().ok_or(Why::from(NO_JWK)).and_then(jwk));
            keys.collect::<Result<Vec<_>, _>>()?
        }
        (None, true) => vec![jwk(&object)?],
        _ => return Err(NO_JWK.into()),
    };
    Ok(Some(keys))
}

fn jwk(jwk: &Object) -> Result<Imported, Why> {
    let kid = match jwk.get("kid") {
        None => None,
        Some(Value::String(kid))
            if (1..=MAX_KID).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Some(kid.clone())
        }
        Some(_) => {
            return Err(format!("has a kid that is no text of at most {MAX_KID} visible ASCII characters").into());
        }
    };
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return Err("is a JWK whose use is not to sign".into());
    }
    let is_private = jwk.contains_key("d");
    let key = match (text(jwk, "kty")?, text(jwk, "crv").unwrap_or_default()) {
        ("oct", _) => {
            let secret = bytes(jwk, "k")?;
            if foreign::recognize(&secret).is_some() {
                return Err(
                    "is a JWK of a secret, and what it has for one is no secret: a key, a certificate or a document"
                        .into(),
                );
            }
            ImportedKey::Secret(secret)
        }
        ("RSA", _) if is_private => rsa(jwk)?,
        ("RSA", _) => ImportedKey::Public(PublicKey::from_components(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?),
        ("EC", "P-256") => {
            let point = Zeroizing::new([&[4][..], &bytes(jwk, "x")?, &bytes(jwk, "y")?].concat());
            if is_private {
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &bytes(jwk, "d")?,
                    &point,
                );
                private::ec(&pair.map_err(|_| BROKEN)?)?
            } else {
                ImportedKey::Public(PublicKey::from_point(&point)?)
            }
        }
        ("OKP", "Ed25519") => {
            let point = bytes(jwk, "x")?;
            if is_private {
                let seed = bytes(jwk, "d")?;
                // The library takes the first of more bytes.
                let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &point);
                private::ed(&pair.ok().filter(|_| seed.len() == 32).ok_or(BROKEN)?)?
            } else {
                ImportedKey::Public(PublicKey::from_ed25519(&point)?)
            }
        }
        _ => return Err("is a JWK of a kind or curve that signs no tokens here; use oct, RSA, P-256 or Ed25519".into()),
    };
    let algorithm = match &key {
        ImportedKey::Secret(_) => "HS256",
        ImportedKey::Private { algorithm, .. } => algorithm.as_str(),
        ImportedKey::Public(public) => public.algorithm().as_str(),
    };
    // RFC 9864 calls it by its curve.
    let is_fitting = |alg: &Value| alg == algorithm || algorithm == "EdDSA" && alg == "Ed25519";
    if jwk.get("alg").is_some_and(|alg| !is_fitting(alg)) {
        return Err(format!("is a JWK for another algorithm; its kind is taken for {algorithm}").into());
    }
    Ok(Imported { key, kid })
}

/// A private RSA key with all that makes it fast to sign with.
fn rsa(jwk: &Object) -> Result<ImportedKey, Why> {
    if jwk.contains_key("oth") {
        return Err("is an RSA key of more than two primes, and no library here signs with one".into());
    }
    if ["p", "q", "dp", "dq", "qi"].iter().any(|name| !jwk.contains_key(*name)) {
        return Err("is a private RSA key without its primes; make a JWK that has p, q, dp, dq and qi".into());
    }
    let component = |name| bytes(jwk, name);
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: component("n")?, e: component("e")? },
        d: component("d")?,
        p: component("p")?,
        q: component("q")?,
        dP: component("dp")?,
        dQ: component("dq")?,
        qInv: component("qi")?,
    };
    private::rsa(&RsaKeyPair::from_components(&components).map_err(|_| BROKEN)?)
}

fn text<'a>(jwk: &'a Object, name: &str) -> Result<&'a str, Why> {
    jwk.get(name).and_then(Value::as_str).ok_or_else(|| format!("is a JWK without its member {name}").into())
}

/// A member's bytes (RFC 7515 §2: base64url without padding; some programs pad it).
fn bytes(jwk: &Object, name: &str) -> Result<Zeroizing<Vec<u8>>, Why> {
    let text = text(jwk, name)?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok().filter(|bytes| !bytes.is_empty());
    bytes.map(Zeroizing::new).ok_or_else(|| format!("is a JWK whose member {name} is no base64url").into())
}
