//! Reads a token for people: also one that is refused, so that they see why. Nothing is let in by what is read here.

use common::Object;
use serde_json::Value;

use super::{Claims, MAX_TOKEN_BYTES, TokenError, TokenType, Verifier, claims, object};

/// What could be read of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// The first segment, where it is an object.
    pub header: Option<Object>,
    /// The second segment, where it is one.
    pub payload: Option<Object>,
    /// The id of the key that the header names.
    pub kid: Option<String>,
    /// That key is one of ours that verifies, and the signature is its.
    pub is_signed: bool,
    /// Its claims, or what is wrong with it; of a device's token too.
    pub claims: Result<Claims, TokenError>,
}

impl Verifier {
    /// Reads a token, whatever is wrong with it.
    pub fn inspect(&self, token: &str) -> Inspected {
        let token = token.trim();
        // What is too long is not looked at.
        let shown = if token.len() > MAX_TOKEN_BYTES { "" } else { token };
        let mut segments = shown.split('.');
        let [header, payload] = [segments.next(), segments.next()].map(|segment| object(segment?).ok());
        let signed = self.signed_payload(token);
        let now = self.clock.unix_seconds();
        let check = |kind| claims::check(signed.as_ref().map_err(|error| *error)?, kind, now, &self.settings);
        let checked = check(None).or_else(|error| match error {
            TokenError::WrongType => check(Some(TokenType::Device)),
            other => Err(other),
        });
        let kid = header.as_ref().and_then(|header| header.get("kid")).and_then(Value::as_str).map(str::to_owned);
        Inspected { kid, is_signed: signed.is_ok(), claims: checked.map(|good| good.claims), header, payload }
    }
}
