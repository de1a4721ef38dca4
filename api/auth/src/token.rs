//! Signs tokens ([`Issuer`]) and checks them ([`Verifier`]): compact JWS with a key of the ring, nothing else.
//! What a payload must say is in `claims`; keys come from [`super::keys`]; whether a session still lives is decided elsewhere.
//! No other file names `jsonwebtoken`.

mod claims;
mod error;
mod inspect;
mod settings;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Once},
};

use base::{Clock, IdSource};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use common::{
    Object,
    id::{SessionId, UserId},
};
use jsonwebtoken::{
    Algorithm as JwsAlgorithm, DecodingKey, EncodingKey, Header, crypto,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use quick_cache::sync::Cache;
use serde_json::Value;
use zeroize::Zeroizing;

pub use claims::Claims;
use claims::Good;
pub use error::{TokenError, UnusableKey};
pub use inspect::Inspected;
pub use settings::{TokenSettings, TokenType};

use super::keys::{Algorithm, KeyRing, SigningKey};

/// A longer token is refused unread.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A signed token. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedToken(String);

impl SignedToken {
    /// The token as it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken(..)")
    }
}

/// Issues tokens with the ring's signing key.
#[derive(Clone)]
pub struct Issuer {
    header: Header,
    key: EncodingKey,
    settings: TokenSettings,
    clock: Clock,
    ids: IdSource,
}

impl Issuer {
    /// An issuer that signs with the ring's active key.
    pub fn new(ring: &KeyRing, settings: TokenSettings, clock: Clock, ids: IdSource) -> Result<Self, UnusableKey> {
        install_crypto();
        let key = ring.signing();
        let mut header = Header::new(jws_algorithm(key.algorithm()));
        header.kid = Some(key.kid().to_owned());
        let issuer = Self { header, key: encoding_key(key)?, settings, clock, ids };
        // A key that cannot sign is found at the start, not at the first sign-in.
        crypto::sign(b"", &issuer.key, issuer.header.alg).map_err(|_| unusable(key))?;
        Ok(issuer)
    }

    /// A new token for this user in this session. `not_after` (seconds since 1970) is the end of the session: no token
    /// outlives it.
    ///
    /// # Panics
    /// Where the signing key fails, which [`Self::new`] has ruled out.
    pub fn issue(
        &self,
        kind: TokenType,
        user: UserId,
        session: SessionId,
        not_after: Option<i64>,
    ) -> (SignedToken, Claims) {
        let claims = self.claims(kind, user, session, not_after);
        (self.sign(&claims, &Object::new()), claims)
    }

    /// What a new token says that is still to be signed.
    pub fn claims(&self, kind: TokenType, user: UserId, session: SessionId, not_after: Option<i64>) -> Claims {
        let issued_at = self.clock.unix_seconds();
        let expires_at = issued_at.saturating_add(self.settings.lifetime(kind));
        Claims {
            token_type: kind,
            expires_at: not_after.map_or(expires_at, |end| end.min(expires_at)),
            issued_at,
            id: self.ids.next_id(),
            user,
            session,
        }
    }

    /// The token of these claims, and of `more` that are for its reader alone. Signed again it is the same token: its id and its times
    /// stay, and only they count.
    ///
    /// # Panics
    /// Where the signing key fails, which [`Self::new`] has ruled out.
    pub fn sign(&self, claims: &Claims, more: &Object) -> SignedToken {
        let text = jsonwebtoken::encode(&self.header, &claims.payload(&self.settings, more), &self.key)
            .expect("a key that has signed before signs again");
        SignedToken(text)
    }
}

/// How many tokens are kept, each of about half a kilobyte.
const MAX_SEEN: usize = 1024;

/// Checks tokens against every key of the ring that still verifies.
#[derive(Clone)]
pub struct Verifier {
    keys: HashMap<String, VerifyingKey>,
    public_keys: Value,
    settings: TokenSettings,
    clock: Clock,
    /// Access tokens whose signature and claims were found right: who comes again with the same one pays for no cryptography.
    /// What time changes about a token is checked each time.
    seen: Arc<Cache<String, Good>>,
}

#[derive(Clone)]
struct VerifyingKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier {
    /// A verifier for the ring's keys.
    pub fn new(ring: &KeyRing, settings: TokenSettings, clock: Clock) -> Result<Self, UnusableKey> {
        install_crypto();
        let mut keys = HashMap::new();
        let mut public = JwkSet { keys: Vec::new() };
        for key in ring.verifying() {
            let algorithm = key.algorithm();
            let decoding = if algorithm == Algorithm::Hs256 {
                DecodingKey::from_secret(key.material())
            } else {
                let jwk = public_jwk(key)?;
                let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| unusable(key))?;
                public.keys.push(jwk);
                decoding
            };
            keys.insert(key.kid().to_owned(), VerifyingKey { algorithm, key: decoding });
        }
        let public_keys = serde_json::to_value(public).map_err(|_| unusable(ring.signing()))?;
        Ok(Self { keys, public_keys, settings, clock, seen: Arc::new(Cache::new(MAX_SEEN)) })
    }

    /// The claims of `token`, if it is one of ours, of this type, and valid now.
    pub fn verify(&self, token: &str, kind: TokenType) -> Result<Claims, TokenError> {
        let now = self.clock.unix_seconds();
        if kind == TokenType::Access
            && let Some(good) = self.seen.get(token)
        {
            return good.at(now);
        }
        let good = claims::check(&self.signed_payload(token)?, Some(kind), now, &self.settings)?;
        // A refresh token comes once in minutes.
        if kind == TokenType::Access {
            self.seen.insert(token.to_owned(), good);
        }
        Ok(good.claims)
    }

    /// The same for an access or a refresh token.
    pub fn verify_any(&self, token: &str) -> Result<Claims, TokenError> {
        let now = self.clock.unix_seconds();
        claims::check(&self.signed_payload(token)?, None, now, &self.settings).map(|good| good.claims)
    }

    /// The public keys as a JWK set (RFC 7517 §5). Secret keys are not in it, so it is empty where all are HS256.
    pub fn public_keys(&self) -> &Value {
        &self.public_keys
    }

    /// The payload, read only after the signature has been found right (T10).
    fn signed_payload(&self, token: &str) -> Result<Object, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid("longer than 8 KiB"));
        }
        let mut segments = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(TokenError::Invalid("not three segments"));
        };
        let key = self.key_for(&object(header)?)?;
        let message = &token.as_bytes()[..header.len() + 1 + payload.len()];
        key.check(signature, message)?;
        object(payload)
    }

    /// The header chooses among our keys by exact name; the key, not the header, says which algorithm is used. Members
    /// beyond `alg`, `typ` and `kid` ask for an extension that we do not have.
    fn key_for(&self, header: &Object) -> Result<&VerifyingKey, TokenError> {
        if header.keys().any(|name| !matches!(name.as_str(), "alg" | "typ" | "kid")) {
            return Err(TokenError::Invalid("a header member other than alg, typ and kid"));
        }
        if !header.get("typ").and_then(Value::as_str).is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) {
            return Err(TokenError::Invalid("typ is not JWT"));
        }
        let kid = header.get("kid").and_then(Value::as_str).ok_or(TokenError::Invalid("kid is not a text"))?;
        let key = self.keys.get(kid).ok_or(TokenError::Invalid("kid names no key"))?;
        if header.get("alg").and_then(Value::as_str) != Some(key.algorithm.as_str()) {
            return Err(TokenError::Invalid("alg is not the key's own"));
        }
        Ok(key)
    }
}

impl VerifyingKey {
    fn check(&self, signature: &str, message: &[u8]) -> Result<(), TokenError> {
        // Decoding alone tells whether the text is canonical: the engine refuses padding and stray bits.
        URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| TokenError::Invalid("the signature is not canonical base64url"))?;
        match crypto::verify(signature, message, &self.key, jws_algorithm(self.algorithm)) {
            Ok(true) => Ok(()),
            _ => Err(TokenError::Invalid("the signature does not match")),
        }
    }
}

fn object(segment: &str) -> Result<Object, TokenError> {
    let bytes =
        URL_SAFE_NO_PAD.decode(segment).map_err(|_| TokenError::Invalid("a segment is not canonical base64url"))?;
    match common::json::parse_value(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(TokenError::Invalid("a segment is not one strict JSON object")),
    }
}

/// Names the cryptography in code: were its feature missing, this would not compile (the library itself would panic at the
/// first token).
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that it is installed already.
        let _ = crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    });
}

fn encoding_key(key: &SigningKey) -> Result<EncodingKey, UnusableKey> {
    match key.algorithm() {
        Algorithm::Hs256 => Ok(EncodingKey::from_secret(key.material())),
        Algorithm::EdDsa => Ok(EncodingKey::from_ed_der(key.material())),
        Algorithm::Es256 => Ok(EncodingKey::from_ec_der(key.material())),
        Algorithm::Rs256 => {
            // As DER the library wants PKCS#1 here, and it finds that within PKCS#8 only where it comes as PEM.
            let body = Zeroizing::new(STANDARD.encode(key.material()));
            let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body));
            EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| unusable(key))
        }
    }
}

fn public_jwk(key: &SigningKey) -> Result<Jwk, UnusableKey> {
    let mut jwk = if key.is_public() {
        let mut jwk: Jwk = serde_json::from_slice(key.material()).map_err(|_| unusable(key))?;
        jwk.common.key_algorithm = Some(jws_algorithm(key.algorithm()).into());
        jwk
    } else {
        Jwk::from_encoding_key(&encoding_key(key)?, jws_algorithm(key.algorithm())).map_err(|_| unusable(key))?
    };
    jwk.common.key_id = Some(key.kid().to_owned());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(jwk)
}

const fn jws_algorithm(algorithm: Algorithm) -> JwsAlgorithm {
    match algorithm {
        Algorithm::Hs256 => JwsAlgorithm::HS256,
        Algorithm::EdDsa => JwsAlgorithm::EdDSA,
        Algorithm::Es256 => JwsAlgorithm::ES256,
        Algorithm::Rs256 => JwsAlgorithm::RS256,
    }
}

fn unusable(key: &SigningKey) -> UnusableKey {
    UnusableKey { kid: key.kid().to_owned(), algorithm: key.algorithm() }
}

#[cfg(test)]
mod tests;
