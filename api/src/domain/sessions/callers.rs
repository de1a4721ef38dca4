//! Who is behind an access token, found out anew for every request: sessions and users are looked at as they are now. What was read
//! is kept for as long as nothing is written to any session or user, since until then it would be read again word for word.

use std::{net::IpAddr, sync::Arc};

use common::{access::Caller, id::SessionId, user::User};

use super::{StoredSession, current, still_on};
use crate::{
    auth::token::TokenType,
    bounded::Bounded,
    domain::{App, Result, error::AuthError, journal::Actor, keyspace, users},
    store::Version,
};

/// How many sessions are kept, each of about a kilobyte with its user.
const MAX_KEPT: usize = 1024;

/// A request's caller, found good.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The session of the token.
    pub id: SessionId,
    /// The user, as stored right now.
    pub user: Arc<User>,
    /// The same as a caller.
    pub caller: Caller,
    /// Where the request came from.
    pub address: IpAddr,
}

impl Authenticated {
    /// The caller and where they are, for the journal.
    pub fn actor(&self) -> Actor<'_> {
        Actor::at(&self.caller, self.address)
    }
}

/// Sessions that went on with their active users, as read lately.
#[derive(Default)]
pub struct Kept(Bounded<SessionId, Seen, MAX_KEPT>);

/// The last change of any user and of any session: while these two stay, so do all users and sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AsOf([Version; 2]);

#[derive(Clone)]
struct Seen {
    as_of: AsOf,
    session: Arc<StoredSession>,
    user: Arc<User>,
}

impl Kept {
    fn get(&self, id: SessionId, as_of: AsOf) -> Option<Seen> {
        self.0.get(&id).filter(|seen| seen.as_of == as_of)
    }
}

/// The caller of an access token: signature and claims first, then user and session as they are right now.
pub async fn authenticate(app: &App, token: &str, address: IpAddr) -> Result<Authenticated> {
    let claims = app.verifier.verify(token, TokenType::Access)?;
    // Before the reading: what is read may be newer than this, and is then never taken for what it is not.
    let as_of = AsOf(app.store.last_changes([keyspace::USERS, keyspace::SESSIONS]));
    let user = if let Some(seen) = app.kept.get(claims.session, as_of) {
        // Nobody changed since, but time went on.
        still_on(app, &claims, &seen.session)?;
        seen.user
    } else {
        let (_, stored) = users::load(app, claims.user).await?.ok_or(AuthError::NoUser)?;
        if !stored.user.is_active {
            return Err(AuthError::Inactive.into());
        }
        let (_, session) = current(app, &claims).await?;
        let user = Arc::new(stored.user);
        app.kept.0.put(claims.session, Seen { as_of, session: Arc::new(session), user: Arc::clone(&user) });
        user
    };
    let caller = Caller::User { id: user.id, is_admin: user.is_admin, roles: user.roles.clone() };
    Ok(Authenticated { id: claims.session, user, caller, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_counts_until_a_user_or_a_session_changes() {
        let session: StoredSession = serde_json::from_value(serde_json::json!({
            "user": "0197c0de-0000-7000-8000-000000000001", "created_at": "", "last_used": "", "expires_at": 0,
            "refresh": "0197c0de-0000-7000-8000-000000000002", "address": "", "user_agent": "",
        }))
        .unwrap();
        let user: User = serde_json::from_value(serde_json::json!({
            "id": session.user, "username": "ada", "roles": [], "is_admin": true, "is_active": true, "created_at": "",
            "last_login": null,
        }))
        .unwrap();
        let as_of = |users, sessions| AsOf([Version::new(users), Version::new(sessions)]);
        let seen = Seen { as_of: as_of(7, 5), session: Arc::new(session), user: Arc::new(user) };
        let kept = Kept::default();
        let id = SessionId::from_uuid(uuid::Uuid::from_u128(1));
        kept.0.put(id, seen);
        assert!(kept.get(id, as_of(7, 5)).is_some());
        assert!(kept.get(id, as_of(8, 5)).is_none(), "a user was changed since");
        assert!(kept.get(id, as_of(7, 8)).is_none(), "a session was changed since");
    }
}
