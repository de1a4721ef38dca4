//! Users and sessions, as they are sent.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Object,
    id::{SessionId, UserId},
    name::{RoleName, Username},
    problem::FieldErrors,
    reader::unchanged,
};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Names the user for ever.
    pub id: UserId,
    /// What the user signs in with.
    pub username: Username,
    /// Roles that access rules may name.
    pub roles: Vec<RoleName>,
    /// May do everything.
    pub is_admin: bool,
    /// May sign in.
    pub is_active: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC; null before the first time.
    pub last_login: Option<String>,
}

impl User {
    /// Members that a body brought back and cannot change must be what they are.
    pub fn check_sent_back(&self, sent_back: &Object) -> Result<(), FieldErrors> {
        unchanged(sent_back, &json!(self))
    }
}

/// One sign-in and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Names the session; it stands in its tokens as `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC: the last time that it got new tokens.
    pub last_used: String,
    /// RFC 3339, UTC: after this it ends by itself.
    pub expires_at: String,
    /// Where the sign-in came from.
    pub address: String,
    /// What the client called itself.
    pub user_agent: String,
    /// The session that asks.
    #[serde(default)]
    pub current: bool,
}
