//! What a payload says, and the checks on it, in the order in which `SimpleJWT` makes them, because a token may be wrong in
//! several ways and the answer names one. Every claim is checked here, by type and by value; nothing is left to a library.

use common::{
    Object,
    id::{SessionId, UserId},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    error::TokenError,
    settings::{TokenSettings, TokenType},
};

/// How far `iat` and `nbf` may lie ahead: another node's clock, or our own put back by a moment. `exp` has no leeway.
const AHEAD_SECONDS: i64 = 2;

/// The claims of a token that was issued or found good. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// `token_type`.
    pub token_type: TokenType,
    /// `exp`: from this second on the token is dead.
    pub expires_at: i64,
    /// `iat`.
    pub issued_at: i64,
    /// `jti`: names this one token for ever.
    pub id: Uuid,
    /// `user_id`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
}

/// Claims that were found good once, as far as time can change that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    /// What they were found to say.
    pub(super) claims: Claims,
    /// The later one of `iat` and `nbf`.
    starts: i64,
}

impl Good {
    /// The claims, if they are good now too.
    pub(super) fn at(self, now: i64) -> Result<Claims, TokenError> {
        has_begun(self.starts, now)?;
        goes_on(self.claims.expires_at, now)?;
        Ok(self.claims)
    }
}

fn has_begun(start: i64, now: i64) -> Result<(), TokenError> {
    if start > now.saturating_add(AHEAD_SECONDS) {
        return Err(TokenError::Early { seconds: start - now });
    }
    Ok(())
}

fn goes_on(end: i64, now: i64) -> Result<(), TokenError> {
    if end <= now { Err(TokenError::Expired) } else { Ok(()) }
}

impl Claims {
    /// The claims as they are signed, with `more`, none of which takes the place of one of them.
    pub(super) fn payload(&self, settings: &TokenSettings, more: &Object) -> Value {
        let mut payload = more.clone();
        for (name, value) in [
            ("token_type", json!(self.token_type.as_str())),
            ("exp", json!(self.expires_at)),
            ("iat", json!(self.issued_at)),
            ("jti", json!(self.id.to_string())),
            ("user_id", json!(self.user.to_string())),
            ("sid", json!(self.session.to_string())),
            ("iss", json!(settings.issuer)),
            ("aud", json!(settings.audience)),
        ] {
            payload.insert(name.to_owned(), value);
        }
        Value::Object(payload)
    }
}

/// Reads a payload whose signature was right. `kind` is `None` where an access and a refresh token will do.
pub(super) fn check(
    payload: &Object,
    kind: Option<TokenType>,
    now: i64,
    settings: &TokenSettings,
) -> Result<Good, TokenError> {
    let issued_at = seconds(payload, "iat")?;
    let not_before = seconds(payload, "nbf")?;
    for start in [issued_at, not_before].into_iter().flatten() {
        has_begun(start, now)?;
    }
    let expires_at = seconds(payload, "exp")?;
    if let Some(end) = expires_at {
        goes_on(end, now)?;
    }
    for (name, ours) in [("iss", &settings.issuer), ("aud", &settings.audience)] {
        if payload.get(name).and_then(Value::as_str) != Some(ours) {
            return Err(TokenError::Invalid("iss or aud is not ours"));
        }
    }
    let expires_at = expires_at.ok_or(TokenError::NoExpiry)?;
    let id = payload.get("jti").ok_or(TokenError::NoId)?;

    let stated = payload.get("token_type").ok_or(TokenError::NoType)?;
    let token_type = stated.as_str().and_then(TokenType::from_claim).ok_or(TokenError::WrongType)?;
    // A device's token is never one that will do for any.
    if kind.map_or(token_type == TokenType::Device, |wanted| wanted != token_type) {
        return Err(TokenError::WrongType);
    }

    let issued_at = issued_at.ok_or(TokenError::Invalid("there is no iat"))?;
    if expires_at.saturating_sub(issued_at) > settings.lifetime(token_type) {
        return Err(TokenError::Invalid("it lives longer than tokens that were given out"));
    }
    let id = id.as_str().and_then(canonical_uuid).ok_or(TokenError::Invalid("jti is not an id of ours"))?;
    let session = payload.get("sid").and_then(Value::as_str).and_then(canonical_uuid).map(SessionId::from_uuid);
    let session = session.ok_or(TokenError::Invalid("sid is not an id of ours"))?;
    let user = payload.get("user_id").ok_or(TokenError::NoUser)?;
    let user = user.as_str().and_then(canonical_uuid).map(UserId::from_uuid);
    let user = user.ok_or(TokenError::Invalid("user_id is not an id of ours"))?;
    let claims = Claims { token_type, expires_at, issued_at, id, user, session };
    Ok(Good { claims, starts: not_before.map_or(issued_at, |time| time.max(issued_at)) })
}

/// A time claim in whole seconds: `None` where it is absent, refused where it is anything but an integer.
fn seconds(payload: &Object, name: &str) -> Result<Option<i64>, TokenError> {
    payload.get(name).map(|value| value.as_i64().ok_or(TokenError::Invalid("a time is not a whole number"))).transpose()
}

fn canonical_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|uuid| uuid.to_string() == text)
}
