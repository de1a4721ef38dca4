//! A session as it is stored, and the refresh tokens of it.

use std::net::IpAddr;

use auth::token::{Claims, TokenType};
use common::{
    change::Verb,
    id::{SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    core::Core,
    error::{AuthError, Result},
};

/// Characters of a moment up to its seconds: 2026-01-01T00:00:00.
const SECONDS: usize = 19;

/// A session as stored. One that ended is kept until its tokens would have expired, so that they are told apart from
/// forged ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSession {
    /// Whose it is.
    pub user: UserId,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC: the last time that it got new tokens.
    pub last_used: String,
    /// Seconds since 1970: no token outlives this.
    pub expires_at: i64,
    /// Seconds since 1970: when the last of the tokens given out so far expires. Unused until then, the session is over.
    #[serde(default)]
    pub idle_until: i64,
    /// The newest refresh token that was used, or that the sign-in gave.
    pub refresh: Uuid,
    /// What its uses are answered with: the next token, which nobody has used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<StoredToken>,
    /// The addresses that its newest token was used from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_from: Vec<IpAddr>,
    /// The addresses that one and the same of its tokens was used from, where there were several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_by: Vec<IpAddr>,
    /// Why it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Verb>,
    /// Where the sign-in came from.
    pub address: String,
    /// What the client called itself.
    pub user_agent: String,
}

impl StoredSession {
    /// Whether it is good for something at `now`, in seconds since 1970, for a token of `user`.
    pub fn check(&self, user: UserId, now: i64) -> Result<()> {
        if self.user != user {
            return Err(AuthError::NO_SESSION.into());
        }
        if self.is_over(now) {
            return Err(AuthError::Ended.into());
        }
        Ok(())
    }

    /// Notes that it got new tokens, and that the access token among them ends at `until`.
    pub(in crate::domain) fn note_tokens(&mut self, core: &Core, until: i64) {
        self.idle_until = self.idle_until.max(until);
        let now = core.timestamp();
        // To the second: of many uses at once, as of tabs that are opened together, one writes.
        if !self.last_used.get(..SECONDS).is_some_and(|second| now.starts_with(second)) {
            self.last_used = now;
        }
    }

    pub(super) fn is_over(&self, now: i64) -> bool {
        self.ended.is_some() || self.expires_at <= now || self.idle_until <= now
    }
}

/// A refresh token as far as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredToken {
    /// `jti`.
    pub id: Uuid,
    /// `iat`: seconds since 1970.
    pub issued_at: i64,
    /// `exp`: seconds since 1970.
    pub expires_at: i64,
}

impl StoredToken {
    pub(in crate::domain) fn of(claims: &Claims) -> Self {
        Self { id: claims.id, issued_at: claims.issued_at, expires_at: claims.expires_at }
    }

    /// What the token says, to be signed.
    pub(in crate::domain) fn claims(self, session: SessionId, stored: &StoredSession) -> Claims {
        Claims {
            token_type: TokenType::Refresh,
            expires_at: self.expires_at,
            issued_at: self.issued_at,
            id: self.id,
            user: stored.user,
            session,
        }
    }
}
