//! What an endpoint says of itself beside its path and types: who may call it, what a call costs and whom, which bodies it
//! takes, and in which dialect it tells faults. The server acts on these alone; nothing compares a path.

use crate::access::Action;

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token is needed; one that is sent is not looked at.
    Anyone,
    /// The same, under whatever host it is asked for: supervisors and load balancers know an address and no name.
    Supervisor,
    /// The body brings what proves the caller: a password, a refresh token, the set-up code.
    Proof,
    /// The body brings a password, and the answer sets a cookie: for a page of this server only.
    BrowserSignIn,
    /// The session cookie of a browser, sent by a page of this server.
    Cookie,
    /// The collection's access rules decide; a token is needed unless they say `anyone`. The actions that they have to allow before anything
    /// else of the request is looked at; without one of them the collection does not have the method. None where the handler asks.
    Rules(&'static [Action]),
    /// An access token.
    SignedIn,
    /// An access token, or a ticket in the query that one was traded for.
    SignedInOrTicket,
    /// An access token of an admin.
    Admin,
    /// The same, or nobody's where the operator lets people sign up.
    SignUp,
}

impl Access {
    /// The word in tables: is a token needed?
    pub const fn token(self) -> &'static str {
        match self {
            Self::Anyone | Self::Supervisor | Self::Proof | Self::BrowserSignIn => "no",
            Self::Cookie => "cookie",
            Self::Rules(_) => "rules",
            Self::SignedIn => "yes",
            Self::SignedInOrTicket => "yes, or a ticket",
            Self::Admin => "admin",
            Self::SignUp => "admin, or where people may sign up anyone",
        }
    }

    /// An access token is looked at where one is sent.
    pub const fn takes_token(self) -> bool {
        matches!(self, Self::Rules(_) | Self::SignedIn | Self::SignedInOrTicket | Self::Admin | Self::SignUp)
    }

    /// Only the web app of this server may call it: the request must come from the same origin and bring [`BROWSER_HEADER`].
    pub const fn is_browsers(self) -> bool {
        matches!(self, Self::BrowserSignIn | Self::Cookie)
    }

    /// The caller is proved by a password, a code or a refresh token, in the body or in a cookie.
    pub const fn takes_credentials(self) -> bool {
        matches!(self, Self::Proof | Self::BrowserSignIn | Self::Cookie)
    }
}

/// The header in which a program keeps what shows that a user has signed in from it before: `POST /api/token/` answers with it, and takes it
/// the next time. Then strangers' wrong guesses at the name do not keep the user out.
pub const DEVICE_HEADER: &str = "coffer-device";

/// The server's own API answers behind this too, where nothing can be published before it.
pub const OWN_PREFIX: &str = "/_coffer";

/// Whether an address that begins with this part is the own API's, however it is spelled; nothing else is ever there.
pub fn is_of_the_api(first: &str) -> bool {
    ["api", OWN_PREFIX.trim_start_matches('/')].iter().any(|own| first.eq_ignore_ascii_case(own))
}

/// What follows `/api/` in a path; `None` elsewhere.
pub fn behind_api(path: &str) -> Option<&str> {
    if path == "/api" { Some("") } else { path.strip_prefix("/api/") }
}

/// The address of the own API that stands behind [`OWN_PREFIX`]; `None` for any other address.
pub fn behind_own_prefix(path: &str) -> Option<&str> {
    path.strip_prefix(OWN_PREFIX).filter(|rest| behind_api(rest).is_some())
}

/// The address at which a client asks for an own path, so that nothing published is in the way.
pub fn own_address(path: &str) -> std::borrow::Cow<'_, str> {
    if path.starts_with("/api/") { format!("{OWN_PREFIX}{path}").into() } else { path.into() }
}

/// Browsers must send this header (with the value `1`) where [`Access::is_browsers`], so that no foreign page can.
pub const BROWSER_HEADER: &str = "x-coffer";

/// Which allowance a request is taken from, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// None: supervisors ask often, and nobody else has a reason to.
    Free,
    /// It changes nothing.
    Reads(ChargedTo),
    /// It changes something.
    Writes(ChargedTo),
    /// It costs a password's hash, or is worth guessing.
    Credentials(ChargedTo),
    /// It reads a token that the caller brings, for people to look at.
    Inspections(ChargedTo),
}

/// Whose allowance a request is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargedTo {
    /// The address that the request comes from.
    Address,
    /// The user of the access token; the address where no good one came.
    User,
    /// The session of the refresh token, in the body's `refresh` or in the cookie. To name a session proves more than a guess
    /// could, so the request then counts as a write. Where no good token came, the address is charged: were it charged
    /// always, strangers at the same address could keep others from refreshing and from signing out. What is refused counts apart.
    Session,
}

/// A way to write a request's body. A kind that is added (raw bytes) is a variant here, a constant of
/// [`AcceptedBody`], and a reader in the server's `routes/body.rs`; until then it is answered with 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// `application/json`
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`: texts, no files.
    Multipart,
    /// A file of rows, as CSV, TSV or JSON. It is read while it comes.
    Rows,
}

/// Which bodies a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedBody {
    /// How it may be written. Empty: a body is neither read nor refused.
    pub kinds: &'static [BodyKind],
    /// Bytes at most.
    pub max_bytes: usize,
}

impl AcceptedBody {
    /// None.
    pub const NOTHING: Self = Self { kinds: &[], max_bytes: 0 };
    /// JSON with names, passwords, tokens, up to 256 KiB: strangers send it, so what is held of it has to be little.
    pub const SMALL_JSON: Self = Self { kinds: &[BodyKind::Json], max_bytes: 256 * 1024 };
    /// The same, or a form.
    pub const SMALL_JSON_OR_FORM: Self = Self { kinds: JSON_OR_FORM, max_bytes: 256 * 1024 };
    /// JSON, less than 1 MiB.
    pub const JSON: Self = Self { kinds: &[BodyKind::Json], max_bytes: 1024 * 1024 - 1 };
    /// JSON or a form, less than 1 MiB.
    pub const JSON_OR_FORM: Self = Self { kinds: JSON_OR_FORM, max_bytes: 1024 * 1024 - 1 };
    /// JSON that may hold many records, up to 10 MiB, or a form.
    pub const LARGE_JSON_OR_FORM: Self = Self { kinds: JSON_OR_FORM, max_bytes: 10 * 1024 * 1024 };

    /// JSON that may hold many records, up to 10 MiB.
    pub const LARGE_JSON: Self = Self { kinds: &[BodyKind::Json], max_bytes: 10 * 1024 * 1024 };
    /// A file of rows, as large as the server has room for on its disk.
    pub const ROWS: Self = Self { kinds: &[BodyKind::Rows], max_bytes: 1024 * 1024 * 1024 };

    /// The body is read while it comes: its deadline is for silence, not for length.
    pub const fn is_upload(self) -> bool {
        matches!(self.kinds, [BodyKind::Rows])
    }

    /// There is no body.
    pub const fn is_nothing(self) -> bool {
        self.kinds.is_empty()
    }
}

const JSON_OR_FORM: &[BodyKind] = &[BodyKind::Json, BodyKind::Form, BodyKind::Multipart];

/// Whose clients can read an endpoint's faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Django REST Framework's.
    Drf,
    /// `SimpleJWT`'s: a 400 has a list of messages under each field's name too.
    SimpleJwt,
}
