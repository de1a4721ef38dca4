//! `/api/session/`: a browser's own session, its refresh token in a cookie that scripts cannot read; and
//! `/api/sessions/`: who is signed in where.

use serde::{Deserialize, Serialize};

use super::{endpoint, tokens::Credentials};
use crate::{
    endpoint::Empty,
    id::SessionId,
    page::Page,
    people::SessionsQuery,
    query::SessionQuery,
    user::{Session, User},
};

/// Browsers must send this header (with the value `1`) to `/api/session/`, so that no foreign page can call it.
pub const BROWSER_HEADER: &str = "x-coffer";

endpoint! {
    /// Sign in from the web app; the refresh token goes into a cookie.
    SignIn: POST "/api/session/", Proof, OK, request Credentials => BrowserSession
}

endpoint! {
    /// Get a new access token for the web app; the cookie is rotated.
    Refresh: POST "/api/session/refresh/", Cookie, OK => BrowserSession
}

endpoint! {
    /// Sign out of the web app.
    SignOut: DELETE "/api/session/", Cookie, NO_CONTENT => Empty
}

endpoint! {
    /// A page of your sessions, newest first; an admin's for anyone with `?user=`.
    List: GET "/api/sessions/", SignedIn, OK, query SessionsQuery => Page<Session>
}

endpoint! {
    /// End one session.
    End: DELETE "/api/sessions/{id}/", SignedIn, NO_CONTENT, params (SessionId,) => Empty
}

endpoint! {
    /// End all your other sessions; an admin's call with `?user=` ends all of that user's.
    EndOthers: DELETE "/api/sessions/", SignedIn, NO_CONTENT, query SessionQuery => Empty
}

/// What the web app holds, in memory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserSession {
    /// Goes into `Authorization: Bearer …`.
    pub access: String,
    /// The access token's life in seconds.
    pub expires_in: u64,
    /// Who is signed in.
    pub user: User,
}
