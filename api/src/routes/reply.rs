//! Successful answers.

use std::{io, pin::Pin};

use bytes::Bytes;
use common::id::Revision;
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::Response;
use crate::domain::{Result, records::Sent};

/// Room for the headers of an answer, those too that the server adds at its end.
const HEADERS: usize = 12;

/// The body of an answer.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// Piece by piece, as the client takes them. An error breaks the connection off, so that the client sees that the end is
    /// missing.
    Pieces(Pieces),
}

/// A body that is made while it is sent.
pub type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + Sync>>;

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

/// A successful answer in the making. The endpoint's type gives the status, unless the handler says otherwise.
pub struct Reply {
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Body,
}

impl Reply {
    /// A body that is written as JSON.
    pub fn json(body: &impl Serialize) -> Result<Self> {
        Ok(Self::raw(Bytes::from(serde_json::to_vec(body)?)))
    }

    /// A body that is JSON already.
    pub fn raw(body: Bytes) -> Self {
        let mut headers = HeaderMap::with_capacity(HEADERS);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { status: None, headers, body: body.into() }
    }

    /// A text that is no JSON.
    pub fn text(body: Bytes, kind: HeaderValue) -> Self {
        let mut headers = HeaderMap::with_capacity(HEADERS);
        headers.insert(header::CONTENT_TYPE, kind);
        Self { status: None, headers, body: body.into() }
    }

    /// A file to be kept under `name`, made while it is sent.
    pub fn file(name: &str, pieces: Pieces) -> Self {
        let mut headers = HeaderMap::with_capacity(HEADERS);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let reply = Self { status: None, headers, body: Body::Pieces(pieces) };
        reply.header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
    }

    /// No body.
    pub fn empty() -> Self {
        Self { status: None, headers: HeaderMap::with_capacity(HEADERS), body: Bytes::new().into() }
    }

    /// A record with its entity tag.
    pub fn record(sent: Sent) -> Self {
        Self::raw(sent.json).etag(sent.revision)
    }

    /// 304: what the caller has is current.
    pub fn not_modified(revision: Revision) -> Self {
        Self { status: Some(StatusCode::NOT_MODIFIED), ..Self::empty() }.etag(revision)
    }

    /// With an entity tag; the answer may then be kept and asked for again.
    #[must_use]
    pub fn etag(mut self, revision: Revision) -> Self {
        if let Ok(etag) = HeaderValue::try_from(revision.etag()) {
            self.headers.insert(header::ETAG, etag);
        }
        self.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        self
    }

    /// With a header. A value that is no header value is left out.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// The answer, with `success` for its status.
    pub fn into_response(mut self, success: StatusCode) -> Response {
        self.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status.unwrap_or(success);
        *response.headers_mut() = self.headers;
        response
    }
}

/// The answer to `OPTIONS` where an endpoint has no metadata of its own.
pub fn options(path: &str, allow: &str) -> Response {
    let body =
        json!({"name": path, "description": "", "renders": ["application/json"], "parses": ["application/json"]});
    let mut reply = Reply::raw(Bytes::from(body.to_string())).header(header::ALLOW, allow);
    reply.status = Some(StatusCode::OK);
    reply.into_response(StatusCode::OK)
}
