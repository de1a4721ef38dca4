//! What an endpoint is, and the sans-IO half of a client: writing a request and reading its answer. Each client adds only
//! the few lines that send bytes.

use std::{fmt, str::FromStr};

use http::{HeaderMap, Method, Request, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

use crate::{
    id::Revision,
    problem::Problem,
    query::{Query, encode},
    reader::Body,
};

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

/// A path segment keeps unreserved characters (RFC 3986 §2.3) only.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One call of an endpoint, ready to be written.
#[derive(Debug, Clone)]
pub struct Call<E: Endpoint> {
    params: E::Params,
    query: E::Query,
    body: E::Request,
    if_match: Option<Revision>,
}

impl<E: Endpoint> Call<E> {
    /// A call with these path parameters and this body, and no query.
    pub fn new(params: E::Params, body: E::Request) -> Self {
        Self { params, query: E::Query::default(), body, if_match: None }
    }

    /// With a query string.
    #[must_use]
    pub fn query(mut self, query: E::Query) -> Self {
        self.query = query;
        self
    }

    /// Only if the record still has this revision; otherwise the answer is 412.
    #[must_use]
    pub fn if_match(mut self, revision: Option<Revision>) -> Self {
        self.if_match = revision;
        self
    }

    /// The path and query, as in `/api/records/snacks/?page=2`.
    pub fn path_and_query(&self) -> String {
        fill_in(E::PATH, self.params.to_segments(), &self.query.to_pairs())
    }

    /// The request, with a path for its address. The client adds the server and its token.
    pub fn to_request(&self) -> Request<Vec<u8>> {
        let body = E::Request::EXPECTED.then(|| self.body.to_json());
        write(E::METHOD, &self.path_and_query(), body.as_ref(), self.if_match)
    }

    /// Reads the answer to this call.
    pub fn read(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Reply<E::Response>, CallError> {
        let (body, etag) = open(status, headers, body)?;
        match serde_json::from_slice(body) {
            Ok(body) => Ok(Reply { body, etag }),
            Err(_) => Err(CallError::Unreadable(status)),
        }
    }
}

// What follows is the same for all endpoints, and in the web app, where size counts, there once.

fn fill_in(path: &str, segments: Vec<String>, pairs: &[(String, String)]) -> String {
    let mut segments = segments.into_iter();
    let mut filled = String::new();
    for part in path.split_inclusive('/') {
        if part.starts_with('{') {
            let value = segments.next().unwrap_or_default();
            filled.extend(utf8_percent_encode(&value, SEGMENT));
            filled.push('/');
        } else {
            filled.push_str(part);
        }
    }
    if !pairs.is_empty() {
        filled.push('?');
        filled.push_str(&encode(pairs));
    }
    filled
}

fn write(method: Method, path_and_query: &str, body: Option<&Value>, if_match: Option<Revision>) -> Request<Vec<u8>> {
    let mut request = Request::new(body.map(|body| body.to_string().into_bytes()).unwrap_or_default());
    *request.method_mut() = method;
    if let Ok(uri) = path_and_query.parse() {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json, application/problem+json"));
    if body.is_some() {
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    if let Some(Ok(etag)) = if_match.map(|revision| revision.etag().parse()) {
        headers.insert(header::IF_MATCH, etag);
    }
    request
}

/// The body of a success, and its revision.
fn open<'a>(
    status: StatusCode,
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<(&'a [u8], Option<Revision>), CallError> {
    if !status.is_success() {
        return Err(serde_json::from_slice::<Problem>(body)
            .map_or(CallError::Unreadable(status), |problem| CallError::Problem(Box::new(problem))));
    }
    let body = if body.is_empty() { b"{}" } else { body };
    let etag = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).and_then(Revision::from_etag);
    Ok((body, etag))
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<T> {
    /// The body.
    pub body: T,
    /// The revision in `ETag`, where there is one.
    pub etag: Option<Revision>,
}

/// Why a call did not succeed. `Display` is the sentence to show.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The server said no, and why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Something answered that is not Coffer, or a Coffer of another version.
    #[error("The server's answer ({0}) could not be read. Is this the address of a Coffer server of the same version?")]
    Unreadable(StatusCode),
    /// Nothing answered.
    #[error("The server could not be reached ({0}). Check that it runs and that the address is right, then try again.")]
    Unreachable(String),
}

impl CallError {
    /// The problem document, where one came.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The status of the problem document; 0 where none came.
    pub fn status(&self) -> u16 {
        self.problem().map_or(0, |problem| problem.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::records;

    #[test]
    fn a_call_writes_its_request() {
        let id = "01920000-0000-7000-8000-000000000001".parse().unwrap();
        let call = Call::<records::Delete>::new(("snacks".parse().unwrap(), id), ()).if_match(Some(Revision(7)));
        let request = call.to_request();
        assert_eq!(request.method(), Method::DELETE);
        assert_eq!(request.uri(), "/api/records/snacks/01920000-0000-7000-8000-000000000001/");
        assert_eq!(request.headers()[header::IF_MATCH], "\"7\"");
        assert!(request.body().is_empty());
    }

    #[test]
    fn an_answer_of_somebody_else_is_told_apart() {
        let call = Call::<records::Delete>::new(
            ("a".parse().unwrap(), "01920000-0000-7000-8000-000000000001".parse().unwrap()),
            (),
        );
        let error = call.read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>").unwrap_err();
        assert_eq!(error, CallError::Unreadable(StatusCode::BAD_GATEWAY));
        assert!(call.read(StatusCode::NO_CONTENT, &HeaderMap::new(), b"").is_ok());
    }
}
