//! `/api/setup/`: the first admin, once, ever.

use serde_json::{Value, json};

use super::endpoint;
use crate::{
    name::Username,
    problem::FieldErrors,
    reader::{Body, Reader},
    user::User,
};

endpoint! {
    /// Make the first admin with the one-time code that the server printed.
    Create: POST "/api/setup/",
    access Proof, cost Credentials(Address), errors Drf,
    body SetUp as SMALL_JSON,
    answer User as CREATED
}

/// The one-time code and the first admin's credentials.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct SetUp {
    /// As printed by the server when it started on an empty store.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub code: String,
    /// The first admin's name.
    pub username: Username,
    /// The first admin's password.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub password: String,
}

impl Body for SetUp {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let (code, username, password) = (reader.text("code"), reader.parsed("username"), reader.text("password"));
        let errors = reader.finish();
        match (code, username, password) {
            (Some(code), Some(username), Some(password)) => errors.or(Self { code, username, password }),
            _ => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!({"code": self.code, "username": self.username, "password": self.password})
    }
}
