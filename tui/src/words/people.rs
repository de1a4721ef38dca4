//! Sentences about users, passwords and sessions.

pub use common::words::{
    NEVER, NO_SESSIONS, NOT_ADMIN_COLLECTIONS as NOT_ADMIN, NOT_ADMIN_USERS, PASSWORD_CHANGED, SESSIONS_ENDED,
    THIS_SESSION as THIS_ONE, usage_of, user_deleted, user_made, user_saved,
};
use common::{collection::Collection, user::User};

/// The list of users, in the path at the top.
pub const USERS: &str = "users";
/// A session of which one and the same token was used from several addresses.
pub const SHARED: &str = "shared";

/// There are no users that one may see.
pub const NO_USERS: &str = "There are no users.";
/// A user was not deleted; the form says why.
pub const NOT_DELETED: &str = "Not deleted. Esc goes back.";

/// The owner of the listed sessions, in the path at the top.
pub fn sessions_of(user: Option<&User>) -> String {
    match user {
        Some(user) => format!("{} › sessions", user.username),
        None => "sessions".to_owned(),
    }
}

/// Deleting a user, in the path at the top.
pub const DELETING: &str = "delete";
/// Changing the own password, in the path at the top.
pub const PASSWORD: &str = "password";

/// The session that asks is to be ended; asked a second time.
pub const ASK_THIS_ONE: &str = "This is the session that you are in. Press d again to sign out, any other key to stay.";
/// A session is to be ended; asked a second time.
pub const ASK_ONE: &str = "Press d again to end this session, any other key to keep it.";
/// All other sessions of one's own are to be ended; asked a second time.
pub const ASK_OTHERS: &str = "Press a again to end all your sessions but this one, any other key to keep them.";

/// All sessions of somebody else are to be ended; asked a second time.
pub fn ask_all(user: &User) -> String {
    format!("Press a again to end all sessions of {}, any other key to keep them.", user.username)
}

/// What deleting a user means, and what to do.
pub fn delete_user(user: &User) -> String {
    format!("Deleting {0} cannot be undone. Type {0} and press Ctrl-S to delete, or Esc to go back.", user.username)
}

/// What was typed is not the name of what is to be deleted.
pub fn not_the_name(name: &str) -> String {
    format!("This is not {name}.")
}

/// Above the form that deletes a collection.
pub fn delete_collection(collection: &Collection) -> String {
    let records =
        collection.count.map_or_else(String::new, |count| format!(" and its {}", common::text::count(count, "record")));
    format!(
        "This deletes the collection {0}{records}. Type {0} and press Ctrl-S to delete, or Esc to go back.",
        collection.name
    )
}

/// A collection was deleted.
pub fn collection_deleted(collection: &Collection) -> String {
    format!("Deleted the collection {}.{}", collection.name, super::way_back(true))
}
