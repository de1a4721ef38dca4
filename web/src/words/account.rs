//! Sentences about passwords, sessions and users.

pub(crate) use common::words::server::{INVITED, NO_INVITATIONS};
pub(crate) use common::words::{
    NEVER, NO_SESSIONS, NOT_ADMIN_USERS as NO_ADMIN, PASSWORD_CHANGED, SESSIONS_ENDED, THIS_SESSION as THIS_ONE,
    usage_of, user_deleted, user_made, user_saved,
};
use common::{
    text::single_line,
    user::{Usage, User},
};

pub(crate) const USERS_TITLE: &str = "Users";
pub(crate) const USER: &str = "User";
pub(crate) const NEW_USER: &str = "New user";
pub(crate) const CREATE: &str = "Create user";
pub(crate) const SAVE: &str = "Save user";
pub(crate) const DANGER: &str = "Delete this user";
pub(crate) const DANGER_CONFIRM: &str = "Type the user's name to confirm";

pub(crate) const INVITATIONS: &str = "Invitations";
pub(crate) const INVITATIONS_LEAD: &str =
    "Whoever opens an invitation's link can make a user of their own, once, within seven days. Times are in UTC.";
pub(crate) const INVITE: &str = "Make a link";
pub(crate) const INVITED_OFF: &str = "It counts where the server runs with --sign-up invite.";
pub(crate) const MADE: &str = "Made";
pub(crate) const GOOD_UNTIL: &str = "Good until";
pub(crate) const ROLES: &str = "Roles";
pub(crate) const TAKE_BACK: &str = "Take back";
pub(crate) const TAKEN_BACK: &str = "The invitation was taken back.";
pub(crate) const SIGN_UP: &str = "Sign up";
pub(crate) const NO_INVITATION: &str = "Where one signs up by invitation, open the link that you were sent.";
pub(crate) const AWAITS: &str = "You are signed up. You can sign in once an admin has let you in.";

pub(crate) const SESSIONS_TITLE: &str = "Sessions";
pub(crate) const EXPLAIN_TOKEN: &str = "Explain a token";
pub(crate) const SESSIONS_LEAD: &str = "Where you are signed in. Times are in UTC.";
pub(crate) const SESSIONS_OF_LEAD: &str = "Times are in UTC.";
pub(crate) const SHARED: &str = "shared token";
pub(crate) const END: &str = "End";
pub(crate) const END_TITLE: &str = "End this session";
pub(crate) const END_OTHERS: &str = "End all others";
pub(crate) const END_ALL: &str = "End all";
pub(crate) const ASK_THIS_ONE: &str = "This is the session that you are in. To end it is to sign out.";
pub(crate) const ASK_ONE: &str = "Whoever is signed in there will have to sign in again.";
pub(crate) const ASK_OTHERS: &str = "All your sessions but this one will end.";

pub(crate) const PASSWORD_TITLE: &str = "Change password";
pub(crate) const PASSWORD: &str = "Password";
pub(crate) const PASSWORD_SUBMIT: &str = "Change password";

pub(crate) fn sessions_of(user: &User) -> String {
    format!("Sessions of {}", user.username)
}

pub(crate) fn end_from(program: &str, address: &str) -> String {
    single_line(&format!("End the session of {program}, {address}")).into_owned()
}

pub(crate) fn ask_all(user: &User) -> String {
    format!("All sessions of {} will end.", user.username)
}

pub(crate) fn danger(is_own: bool) -> &'static str {
    if is_own {
        "This is you: you will be signed out, and cannot come back. Your records stay. This cannot be undone."
    } else {
        "All their sessions end; their records stay. This cannot be undone."
    }
}

pub(crate) fn own_usage(usage: &Usage) -> String {
    format!("You own {usage}.")
}
