//! `/api/token/`: `SimpleJWT`'s endpoints, for programs. Unknown members of their bodies are ignored, as there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::endpoint;
use crate::{
    answer::{Empty, JsonAnswer},
    inspection::Inspection,
    problem::FieldErrors,
    reader::{Body, Reader, said_by},
};

/// What a body calls whoever signs in.
const USER: [&str; 2] = ["username", "email"];
/// What a body calls a refresh token.
const REFRESH: [&str; 2] = ["refresh", "refresh_token"];

endpoint! {
    /// Sign in with name and password; get an access and a refresh token.
    Obtain: POST "/api/token/",
    access Proof, cost Credentials(Address), errors SimpleJwt,
    body Credentials as SMALL_JSON_OR_FORM,
    answer Tokens as OK
}

endpoint! {
    /// Trade a refresh token for new tokens; the old one is good until the new one is used.
    Refresh: POST "/api/token/refresh/",
    access Proof, cost Credentials(Session), errors SimpleJwt,
    body RefreshToken as SMALL_JSON_OR_FORM,
    answer Tokens as OK
}

endpoint! {
    /// Ask whether a token would be accepted right now.
    Verify: POST "/api/token/verify/",
    access Proof, cost Reads(Address), errors SimpleJwt,
    body AnyToken as SMALL_JSON_OR_FORM,
    answer Empty as OK
}

endpoint! {
    /// End a refresh token's session, its access tokens included.
    Blacklist: POST "/api/token/blacklist/",
    access Proof, cost Credentials(Session), errors SimpleJwt,
    body RefreshToken as SMALL_JSON_OR_FORM,
    answer Empty as OK
}

endpoint! {
    /// The public keys that tokens are signed with (JWK set; empty for HS256).
    Keys: GET "/api/token/keys/",
    access Anyone, cost Reads(Address), errors SimpleJwt,
    body () as NOTHING,
    answer KeySet as OK
}

endpoint! {
    /// Read a token: its parts, whether a key of this server signed it, and what is wrong with it. Nothing of it is kept or logged.
    Inspect: POST "/api/token/inspect/",
    access SignedIn, cost Inspections(User), errors Drf,
    body InspectedToken as SMALL_JSON,
    answer Inspection as OK
}

/// A name and a password. The name may come as `email` too, as some clients call what people type there.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::also_named(USER)))]
pub struct Credentials {
    /// The user's name or e-mail address, without the spaces around it.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub username: String,
    /// As it was typed: nothing is trimmed.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub password: String,
}

impl Body for Credentials {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let named = reader.named(&USER);
        let (username, password) = (reader.text(named), reader.text("password"));
        let errors = reader.finish_lenient();
        match (username, password) {
            (Some(username), Some(password)) => errors.or(Self { username: username.trim().to_owned(), password }),
            _ => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!({"username": self.username, "password": self.password})
    }
}

/// A refresh token.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::also_named(REFRESH)))]
pub struct RefreshToken {
    /// The token's text.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub refresh: String,
}

impl RefreshToken {
    /// The member in which a body has its token: `refresh`, or what other libraries call it.
    pub fn member(value: &Value) -> &'static str {
        value.as_object().map_or(REFRESH[0], |members| said_by(members, &REFRESH))
    }
}

impl Body for RefreshToken {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        one_text(value, &REFRESH).map(|refresh| Self { refresh })
    }

    fn to_json(&self) -> Value {
        json!({"refresh": self.refresh})
    }
}

/// An access or a refresh token.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AnyToken {
    /// The token's text.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub token: String,
}

impl Body for AnyToken {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        one_text(value, &["token"]).map(|token| Self { token })
    }

    fn to_json(&self) -> Value {
        json!({"token": self.token})
    }
}

/// A token of any kind, good or bad, to be read for people.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct InspectedToken {
    /// The token's text; spaces around it do not count.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub token: String,
}

impl Body for InspectedToken {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let token = reader.text("token");
        let errors = reader.finish();
        match token {
            Some(token) => errors.or(Self { token }),
            None => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!({"token": self.token})
    }
}

/// The one member that counts of a body, by one of its names.
fn one_text(value: Value, names: &[&'static str]) -> Result<String, FieldErrors> {
    let mut reader = Reader::new(value)?;
    let text = reader.text(reader.named(names));
    let errors = reader.finish_lenient();
    match text {
        Some(text) => errors.or(text),
        None => Err(errors),
    }
}

/// New tokens, as `SimpleJWT` answers with them. How long the access token lives is in its claims: `exp` less `iat`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tokens {
    /// Goes into `Authorization: Bearer …`.
    pub access: String,
    /// Trades for the next tokens.
    pub refresh: String,
}

impl JsonAnswer for Tokens {}

/// A JWK set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeySet {
    /// The public keys.
    pub keys: Vec<Value>,
}

impl JsonAnswer for KeySet {}
