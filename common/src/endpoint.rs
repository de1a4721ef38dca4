//! What an endpoint is. How one is called is [`call`]'s.

mod call;

use std::{fmt, str::FromStr};

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::call::{Call, CallError, Reply};
use crate::{query::Query, reader::Body};

/// One endpoint: the only place where its method, path, access and bodies are written.
pub trait Endpoint {
    /// The HTTP method.
    const METHOD: Method;
    /// The canonical path, with parameters in braces: `/api/records/{collection}/{id}/`.
    const PATH: &'static str;
    /// Who may call it.
    const ACCESS: Access;
    /// The status of success.
    const SUCCESS: StatusCode;
    /// What it does, in a few words.
    const SUMMARY: &'static str;
    /// The path's parameters.
    type Params: Params;
    /// The query string.
    type Query: Query;
    /// The body that is sent; `()` for none.
    type Request: Body;
    /// The body that is answered; [`Empty`] for none.
    type Response: Serialize + DeserializeOwned;
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token is needed; one that is sent is not looked at.
    Anyone,
    /// The body brings what proves the caller: a password, a refresh token, the set-up code.
    Proof,
    /// The session cookie of a browser.
    Cookie,
    /// The collection's access rules decide; a token is needed unless they say `anyone`.
    Rules,
    /// An access token.
    SignedIn,
    /// An access token of an admin.
    Admin,
}

impl Access {
    /// The word in tables: is a token needed?
    pub const fn token(self) -> &'static str {
        match self {
            Self::Anyone | Self::Proof => "no",
            Self::Cookie => "cookie",
            Self::Rules => "by the collection's rules",
            Self::SignedIn => "yes",
            Self::Admin => "yes, an admin's",
        }
    }
}

/// What [`crate::ENDPOINTS`] tells of an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointInfo {
    /// [`Endpoint::METHOD`].
    pub method: Method,
    /// [`Endpoint::PATH`].
    pub path: &'static str,
    /// [`Endpoint::ACCESS`].
    pub access: Access,
    /// [`Endpoint::SUCCESS`].
    pub success: StatusCode,
    /// [`Endpoint::SUMMARY`].
    pub summary: &'static str,
}

impl EndpointInfo {
    /// What there is to tell of `E`.
    pub const fn of<E: Endpoint>() -> Self {
        Self { method: E::METHOD, path: E::PATH, access: E::ACCESS, success: E::SUCCESS, summary: E::SUMMARY }
    }
}

/// The parameters in a path, in order.
pub trait Params: Sized {
    /// Reads decoded segments; `None` means that no such thing can exist (404).
    fn from_segments(segments: &[String]) -> Option<Self>;
    /// Writes the segments, not yet encoded.
    fn to_segments(&self) -> Vec<String>;
}

impl Params for () {
    fn from_segments(segments: &[String]) -> Option<Self> {
        segments.is_empty().then_some(())
    }

    fn to_segments(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<A: FromStr + fmt::Display> Params for (A,) {
    fn from_segments(segments: &[String]) -> Option<Self> {
        let [a] = segments else { return None };
        Some((a.parse().ok()?,))
    }

    fn to_segments(&self) -> Vec<String> {
        vec![self.0.to_string()]
    }
}

impl<A: FromStr + fmt::Display, B: FromStr + fmt::Display> Params for (A, B) {
    fn from_segments(segments: &[String]) -> Option<Self> {
        let [a, b] = segments else { return None };
        Some((a.parse().ok()?, b.parse().ok()?))
    }

    fn to_segments(&self) -> Vec<String> {
        vec![self.0.to_string(), self.1.to_string()]
    }
}

impl<A: FromStr + fmt::Display, B: FromStr + fmt::Display, C: FromStr + fmt::Display> Params for (A, B, C) {
    fn from_segments(segments: &[String]) -> Option<Self> {
        let [a, b, c] = segments else { return None };
        Some((a.parse().ok()?, b.parse().ok()?, c.parse().ok()?))
    }

    fn to_segments(&self) -> Vec<String> {
        vec![self.0.to_string(), self.1.to_string(), self.2.to_string()]
    }
}

/// No body, or one without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}
