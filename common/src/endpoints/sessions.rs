//! `/api/session/`: a browser's own session, its refresh token in a cookie that scripts cannot read; and
//! `/api/sessions/`: who is signed in where.

use serde::{Deserialize, Serialize};

use super::{endpoint, tokens::Credentials};
use crate::{
    answer::{JsonAnswer, NoContent},
    id::SessionId,
    page::Page,
    people::SessionsQuery,
    query::SessionQuery,
    user::{Session, User},
};

endpoint! {
    /// Sign in from the web app; the refresh token goes into a cookie.
    SignIn: POST "/api/session/",
    access BrowserSignIn, cost Credentials(Address), errors Drf,
    body Credentials as SMALL_JSON,
    answer BrowserSession as OK
}

endpoint! {
    /// Get a new access token for the web app; the cookie is rotated.
    Refresh: POST "/api/session/refresh/",
    access Cookie, cost Credentials(Session), errors Drf,
    body () as NOTHING,
    answer BrowserSession as OK
}

endpoint! {
    /// Sign out of the web app.
    SignOut: DELETE "/api/session/",
    access Cookie, cost Credentials(Session), errors Drf,
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// A page of your sessions, newest first; an admin's for anyone with `?user=`.
    List: GET "/api/sessions/",
    access SignedIn, cost Reads(User), errors Drf,
    query SessionsQuery,
    body () as NOTHING,
    answer Page<Session> as OK
}

endpoint! {
    /// End one session.
    End: DELETE "/api/sessions/{id}/",
    access SignedIn, cost Writes(User), errors Drf,
    params (SessionId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// End all your other sessions; an admin's call with `?user=` ends all of that user's.
    EndOthers: DELETE "/api/sessions/",
    access SignedIn, cost Writes(User), errors Drf,
    query SessionQuery,
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

/// What the web app holds, in memory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BrowserSession {
    /// Goes into `Authorization: Bearer …`.
    pub access: String,
    /// The access token's life in seconds.
    pub expires_in: u64,
    /// Who is signed in.
    pub user: User,
}

impl JsonAnswer for BrowserSession {}
