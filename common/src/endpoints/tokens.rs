//! `/api/token/`: `SimpleJWT`'s endpoints, for programs. Unknown members of their bodies are ignored, as there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::endpoint;
use crate::{
    answer::{Empty, JsonAnswer},
    problem::FieldErrors,
    reader::{Body, Reader},
};

endpoint! {
    /// Sign in with name and password; get an access and a refresh token.
    Obtain: POST "/api/token/",
    access Proof, cost Credentials(Address), errors SimpleJwt,
    body Credentials as JSON_OR_FORM,
    answer Tokens as OK
}

endpoint! {
    /// Trade a refresh token for new tokens; the old one is good until the new one is used.
    Refresh: POST "/api/token/refresh/",
    access Proof, cost Credentials(Session), errors SimpleJwt,
    body RefreshToken as JSON_OR_FORM,
    answer Tokens as OK
}

endpoint! {
    /// Ask whether a token would be accepted right now.
    Verify: POST "/api/token/verify/",
    access Proof, cost Reads(Address), errors SimpleJwt,
    body AnyToken as JSON_OR_FORM,
    answer Empty as OK
}

endpoint! {
    /// End a refresh token's session, its access tokens included.
    Blacklist: POST "/api/token/blacklist/",
    access Proof, cost Credentials(Session), errors SimpleJwt,
    body RefreshToken as JSON_OR_FORM,
    answer Empty as OK
}

endpoint! {
    /// The public keys that tokens are signed with (JWK set; empty for HS256).
    Keys: GET "/api/token/keys/",
    access Anyone, cost Reads(Address), errors SimpleJwt,
    body () as NOTHING,
    answer KeySet as OK
}

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credentials {
    /// Without the spaces around it.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub username: String,
    /// As it was typed: nothing is trimmed.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub password: String,
}

impl Body for Credentials {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let (username, password) = (reader.text("username"), reader.text("password"));
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

macro_rules! token_body {
    ($(#[$doc:meta])* $name:ident, $member:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {
            /// The token's text.
            #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
            pub $member: String,
        }

        impl Body for $name {
            fn from_json(value: Value) -> Result<Self, FieldErrors> {
                let mut reader = Reader::new(value)?;
                let $member = reader.text(stringify!($member));
                let errors = reader.finish_lenient();
                match $member {
                    Some($member) => errors.or(Self { $member }),
                    None => Err(errors),
                }
            }

            fn to_json(&self) -> Value {
                json!({stringify!($member): self.$member})
            }
        }
    };
}

token_body!(/// A refresh token.
    RefreshToken, refresh);
token_body!(/// An access or a refresh token.
    AnyToken, token);

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
