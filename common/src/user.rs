//! Users and sessions, as they are sent.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Object,
    answer::JsonAnswer,
    id::{SessionId, UserId},
    name::{RoleName, Username},
    problem::FieldErrors,
    reader::unchanged,
    text::{bytes, count, thousands},
};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct User {
    /// Names the user for ever.
    pub id: UserId,
    /// The name with which the user signs in.
    pub username: Username,
    /// An address with which the user may sign in too; empty for none.
    #[serde(default)]
    pub email: String,
    /// Roles that access rules may name.
    pub roles: Vec<RoleName>,
    /// May do everything.
    pub is_admin: bool,
    /// May sign in.
    pub is_active: bool,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// RFC 3339, UTC; null before the first time.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_login: Option<String>,
    /// What an admin has put into the user's access tokens beside the usual claims.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, serde_json::Value>"))]
    pub claims: Object,
    /// The number that the user had in the database that they came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// What the user has and may have. It is no part of what is stored, and left out where a user is only named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl JsonAnswer for User {}

/// How much a user has in all collections, and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// Records that the user owns.
    pub records: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes of earlier versions of records that the user changed or deleted. As many are kept as records may take.
    #[serde(default)]
    pub history_bytes: u64,
    /// Records at most; null for any number, as admins may.
    pub max_records: Option<u64>,
    /// Bytes at most; null for any number.
    pub max_bytes: Option<u64>,
}

impl fmt::Display for Usage {
    /// "1 204 of 10 000 records, 3.1 MB of 100 MB".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max_records {
            Some(max) => write!(f, "{} of {}", thousands(self.records), count(max, "record"))?,
            None => f.write_str(&count(self.records, "record"))?,
        }
        write!(f, ", {}", bytes(self.bytes))?;
        self.max_bytes.map_or(Ok(()), |max| write!(f, " of {}", bytes(max)))
    }
}

impl User {
    /// Members that a body brought back and cannot change must be what they are.
    pub fn check_sent_back(&self, sent_back: &Object) -> Result<(), FieldErrors> {
        let mut sent_back = sent_back.clone();
        // It changes with every record.
        sent_back.remove("usage");
        unchanged(&sent_back, &json!(self))
    }
}

impl Session {
    /// A warning where one and the same of its tokens was used from several addresses.
    pub fn warning(&self) -> Option<String> {
        let [others @ .., last] = self.shared_by.as_slice() else { return None };
        let others = others.join(", ");
        Some(format!("The same token was used from {others} and {last}. End this session if one of them is not you."))
    }
}

/// One sign-in and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Session {
    /// Names the session; it stands in its tokens as `sid`.
    pub id: SessionId,
    /// The user whose session it is.
    pub user: UserId,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// RFC 3339, UTC: the last time that it got new tokens.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_used: String,
    /// RFC 3339, UTC: after this it ends by itself.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub expires_at: String,
    /// Where the sign-in came from.
    pub address: String,
    /// The client's `User-Agent`.
    pub user_agent: String,
    /// The session that asks.
    #[serde(default)]
    pub current: bool,
    /// Addresses that used one and the same refresh token of the session; empty unless there were several. Somebody may have a copy.
    #[serde(default)]
    pub shared_by: Vec<String>,
}
