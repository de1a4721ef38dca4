//! The callers of recent requests: sessions that went on with their active users, as they were read. What was read is
//! kept for as long as nothing is written to any session or user, since until then it would be read again word for word.

use std::sync::Arc;

use common::{id::SessionId, user::User};
use quick_cache::sync::Cache;
use store::Version;

use super::sessions::StoredSession;

/// How many sessions are kept, each of about a kilobyte with its user.
const MAX_SESSIONS: usize = 1024;

/// Sessions that went on with their active users, as read lately.
pub struct Callers(Cache<SessionId, Seen>);

impl Default for Callers {
    fn default() -> Self {
        Self(Cache::new(MAX_SESSIONS))
    }
}

/// The last change of any user and of any session: while these two stay, so do all users and sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AsOf(pub [Version; 2]);

/// A session and its user, as they were read.
#[derive(Clone)]
pub(super) struct Seen {
    /// The last changes at that time.
    pub as_of: AsOf,
    /// The session.
    pub session: Arc<StoredSession>,
    /// Its user.
    pub user: Arc<User>,
}

impl Callers {
    /// What was read of a session, if no user or session was written to since.
    pub(super) fn get(&self, id: SessionId, as_of: AsOf) -> Option<Seen> {
        self.0.get(&id).filter(|seen| seen.as_of == as_of)
    }

    /// Keeps what was read.
    pub(super) fn put(&self, id: SessionId, seen: Seen) {
        self.0.insert(id, seen);
    }
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
        let callers = Callers::default();
        let id = SessionId::from_uuid(uuid::Uuid::from_u128(1));
        callers.put(id, seen);
        assert!(callers.get(id, as_of(7, 5)).is_some());
        assert!(callers.get(id, as_of(8, 5)).is_none(), "a user was changed since");
        assert!(callers.get(id, as_of(7, 8)).is_none(), "a session was changed since");
    }
}
