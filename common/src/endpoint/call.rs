//! The sans-IO half of a client: writing a request and reading its answer. Each client adds only the few lines that send
//! bytes.

use http::{HeaderMap, Method, Request, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{contract::Endpoint, params::Params, rules::BROWSER_HEADER};
use crate::{
    answer::Answer,
    call_error::CallError,
    id::{OperationId, Revision},
    import::once::REPLAYED,
    problem::Problem,
    query::{Query, encode},
    reader::Body,
    undo::OPERATION_HEADER,
};

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
        path_and_query::<E>(&self.params, &self.query)
    }

    /// The request, with a path for its address. The client adds the server and its token.
    pub fn to_request(&self) -> Request<Vec<u8>> {
        let body = (!E::BODY.is_nothing()).then(|| self.body.to_bytes());
        write(E::METHOD, &self.path_and_query(), body, self.if_match, E::ACCESS.is_browsers())
    }

    /// Reads the answer to this call.
    pub fn read(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Reply<E::Response>, CallError> {
        let (body, etag) = open(status, headers, body)?;
        let operation = headers.get(OPERATION_HEADER).and_then(|id| id.to_str().ok()?.parse().ok());
        match E::Response::from_bytes(body) {
            Ok(body) => Ok(Reply { body, etag, operation, is_again: headers.contains_key(REPLAYED) }),
            Err(_) => Err(CallError::Unreadable(status)),
        }
    }
}

/// An endpoint's path and query, for a call or a link: `/api/records/snacks/?page=2`.
pub fn path_and_query<E: Endpoint>(params: &E::Params, query: &E::Query) -> String {
    fill_in(E::PATH, params.to_segments(), &query.to_pairs())
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

fn write(
    method: Method,
    path_and_query: &str,
    body: Option<Vec<u8>>,
    if_match: Option<Revision>,
    is_browsers: bool,
) -> Request<Vec<u8>> {
    let is_json = body.is_some();
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = method;
    if let Ok(uri) = path_and_query.parse() {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json, application/problem+json"));
    if is_json {
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    if is_browsers {
        headers.insert(BROWSER_HEADER, header::HeaderValue::from_static("1"));
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
    /// The operation that the request was, where it wrote anything.
    pub operation: Option<OperationId>,
    /// It is the answer to an earlier request of the same key: nothing was done now.
    pub is_again: bool,
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
