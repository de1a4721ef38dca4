//! Sentences that both clients say word for word.

use crate::{
    text::single_line,
    user::{Usage, User},
};

/// The session has ended, and nothing typed waits for a new one.
pub const SESSION_ENDED: &str =
    "Your session has ended: you were signed out elsewhere, or away for too long. Sign in again to go on.";
/// Only admins see the users.
pub const NOT_ADMIN_USERS: &str = "Only admins manage users. Ask one.";
/// Only admins change collections.
pub const NOT_ADMIN_COLLECTIONS: &str = "Only admins define collections. Ask one.";
/// No sign-in yet.
pub const NEVER: &str = "never";
/// The session that asks.
pub const THIS_SESSION: &str = "this one";
/// There are no sessions.
pub const NO_SESSIONS: &str = "Nobody is signed in here.";
/// Sessions were ended.
pub const SESSIONS_ENDED: &str = "Ended. Whoever was signed in there has to sign in again.";
/// The own password was changed.
pub const PASSWORD_CHANGED: &str = "Your password is changed, and your other sessions have ended.";
/// The key for it.
pub const CHANGE_PASSWORD: &str = "Change your password";

/// What a user has and may have.
pub fn usage_of(usage: &Usage) -> String {
    format!("Owns {usage}.")
}

/// A user was made.
pub fn user_made(name: &str) -> String {
    format!("Made the user {}.", single_line(name))
}

/// A user was changed.
pub fn user_saved(name: &str, sessions_ended: bool) -> String {
    let next = if sessions_ended { " Their sessions have ended." } else { "" };
    format!("Saved the user {}.{next}", single_line(name))
}

/// A user was deleted.
pub fn user_deleted(user: &User) -> String {
    format!("Deleted the user {}.", user.username)
}
