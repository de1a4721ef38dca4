//! Sentences about passwords, sign-ins and users; the terminal client says the same ones.

use common::{
    text::single_line,
    user::{Usage, User},
};

pub const USERS_TITLE: &str = "Users";
pub const USER: &str = "User";
pub const NEW_USER: &str = "New user";
pub const CREATE: &str = "Create user";
pub const SAVE: &str = "Save user";
pub const NEVER: &str = "never";
pub const NO_ADMIN: &str = "Only admins manage users. Ask one.";
pub const DANGER: &str = "Delete this user";
pub const DANGER_CONFIRM: &str = "Type the user's name to confirm";

pub const SESSIONS_TITLE: &str = "Sign-ins";
pub const SESSIONS_LEAD: &str = "Where you are signed in. Times are in UTC.";
pub const SESSIONS_OF_LEAD: &str = "Times are in UTC.";
pub const THIS_ONE: &str = "this one";
pub const NO_SESSIONS: &str = "Nobody is signed in here.";
pub const SESSIONS_ENDED: &str = "Ended. Whoever was signed in there has to sign in again.";
pub const END: &str = "End";
pub const END_TITLE: &str = "End this session";
pub const END_OTHERS: &str = "End all others";
pub const END_ALL: &str = "End all";
pub const ASK_THIS_ONE: &str = "This is the session that you are in. To end it is to sign out.";
pub const ASK_ONE: &str = "Whoever is signed in there will have to sign in again.";
pub const ASK_OTHERS: &str = "All your sessions but this one will end.";

pub const PASSWORD_TITLE: &str = "Change password";
pub const PASSWORD: &str = "Password";
pub const PASSWORD_SUBMIT: &str = "Change password";
pub const PASSWORD_CHANGED: &str = "Your password is changed, and your other sessions have ended.";

pub fn sessions_of(user: &User) -> String {
    format!("Sign-ins of {}", user.username)
}

pub fn end_from(program: &str, address: &str) -> String {
    single_line(&format!("End the session of {program}, {address}")).into_owned()
}

pub fn ask_all(user: &User) -> String {
    format!("All sessions of {} will end.", user.username)
}

pub fn danger(is_own: bool) -> &'static str {
    if is_own {
        "This is you: you will be signed out, and cannot come back. Your records stay. This cannot be undone."
    } else {
        "All their sessions end; their records stay. This cannot be undone."
    }
}

pub fn own_usage(usage: &Usage) -> String {
    format!("You own {usage}.")
}

pub fn usage_of(usage: &Usage) -> String {
    format!("Owns {usage}.")
}

pub fn user_made(user: &User) -> String {
    format!("Made the user {}.", user.username)
}

pub fn user_saved(user: &User, sessions_ended: bool) -> String {
    let next = if sessions_ended { " Their sessions have ended." } else { "" };
    format!("Saved the user {}.{next}", user.username)
}

pub fn user_deleted(user: &User) -> String {
    format!("Deleted the user {}.", user.username)
}
