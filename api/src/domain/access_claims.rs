//! What access tokens say of their user beside what every token says: `--access-claims`, and the claims in the user's record. They are for
//! clients that show them. The server reads none of them back: what a user may do is looked up with each request.

use common::{Object, user::User};
use serde_json::{Value, json};

/// Bytes that roles may take in a token. A token with more would be refused for its length.
const MAX_ROLES_BYTES: usize = 2048;

/// A claim that the operator can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessClaim {
    /// The user's name.
    Username,
    /// The user's e-mail address; empty where there is none.
    Email,
    /// The user's roles.
    Roles,
    /// Whether the user may do everything.
    IsAdmin,
}

impl AccessClaim {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Username, Self::Email, Self::Roles, Self::IsAdmin];

    /// The claim's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::Roles => "roles",
            Self::IsAdmin => "is_admin",
        }
    }

    fn of(self, user: &User) -> Value {
        match self {
            Self::Username => json!(user.username),
            Self::Email => json!(user.email),
            Self::Roles => json!(user.roles),
            Self::IsAdmin => json!(user.is_admin),
        }
    }
}

/// What an access token of this user says beside the usual.
pub(super) fn of(added: &[AccessClaim], user: &User) -> Object {
    let mut claims = user.claims.clone();
    for claim in added {
        let value = claim.of(user);
        if *claim == AccessClaim::Roles && value.to_string().len() > MAX_ROLES_BYTES {
            tracing::warn!(user = %user.id, "the user's roles are too many for an access token; it goes without them");
            continue;
        }
        claims.insert(claim.name().to_owned(), value);
    }
    claims
}
