//! Successful answers. A [`Reply`] is its endpoint's: it is made of the endpoint's response and of nothing else. There are four
//! other ways in, for what must not be parsed or gathered first: [`Reply::stored_json`], [`Reply::json_pieces`], [`Reply::lines`] and [`Reply::stream`].
//! Where one method and path has answers of several types, each has an endpoint of its own, and [`Reply::instead`] makes one the other's.

use std::marker::PhantomData;

use bytes::{BufMut as _, Bytes, BytesMut};
use common::{
    Endpoint,
    access::Action,
    answer::{Answer, JsonAnswer, NoContent, Streamed},
    endpoint::BodyKind,
    id::Revision,
    record::OneOrMany,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use server::request::Holds;

use super::{
    error::AdminOnlyActions,
    response::{Body, Pieces, Response},
    streaming,
};
use crate::domain::{
    Result,
    records::{self, Results, Sent},
};

/// Room for the headers of an answer, those too that the server adds at its end.
const HEADERS: usize = 12;

/// The media type of JSON texts, one a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// A successful answer of `E` in the making. The endpoint's type gives the status and the content type.
pub(super) struct Reply<E: Endpoint> {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    /// What nobody but admins may do there, where the answer says what is allowed.
    nobodys: Option<AdminOnlyActions>,
    /// What it holds, where that is made to bytes while it is sent.
    held: Option<Holds>,
    endpoint: PhantomData<fn(E)>,
}

impl<E: Endpoint> Reply<E> {
    /// The endpoint's response.
    pub(super) fn new(response: &E::Response) -> Result<Self> {
        Ok(Self::with_body(Bytes::from(response.to_bytes()?).into()))
    }

    fn with_body(body: Body) -> Self {
        let mut headers = HeaderMap::with_capacity(HEADERS);
        let media_type = E::Response::MEDIA_TYPE;
        if !media_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        Self { status: E::SUCCESS, headers, body, nobodys: None, held: None, endpoint: PhantomData }
    }

    /// 304: what the caller has is current.
    pub(super) fn not_modified(revision: Revision) -> Self {
        Self::not_modified_bytes(&revision.etag())
    }

    /// 304: the caller has these bytes.
    pub(super) fn not_modified_bytes(etag: &str) -> Self {
        let mut reply = Self::with_body(Bytes::new().into());
        reply.headers.remove(header::CONTENT_TYPE);
        Self { status: StatusCode::NOT_MODIFIED, ..reply }.tagged(etag)
    }

    /// With the entity tag of its bytes; the answer may then be kept and asked for again.
    #[must_use]
    pub(super) fn tagged(mut self, etag: &str) -> Self {
        if let Ok(etag) = HeaderValue::from_str(etag) {
            self.headers.insert(header::ETAG, etag);
        }
        self.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        self
    }

    /// With an entity tag; the answer may then be kept and asked for again.
    #[must_use]
    pub(super) fn etag(self, revision: Revision) -> Self {
        self.tagged(&revision.etag())
    }

    /// Not to be kept, although it has an entity tag: something in it changes without the revision.
    #[must_use]
    pub(super) fn uncached(mut self) -> Self {
        self.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self
    }

    /// With `Allow`, from which the methods are left out that do one of these.
    #[must_use]
    pub(super) fn without(mut self, actions: Vec<Action>) -> Self {
        self.nobodys = Some(AdminOnlyActions(actions));
        self
    }

    /// With a header. A value that is no header value is left out.
    #[must_use]
    pub(super) fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// The same as the answer of another endpoint, which has its method and path: what is asked there decides which it is.
    pub(super) fn instead<T: Endpoint>(self) -> Reply<T> {
        let Self { status, headers, body, nobodys, held, .. } = self;
        Reply { status, headers, body, nobodys, held, endpoint: PhantomData }
    }

    /// 202: it was begun, and goes on in the background.
    #[must_use]
    pub(super) fn accepted(self) -> Self {
        Self { status: StatusCode::ACCEPTED, ..self }
    }

    /// The answer.
    pub(super) fn into_response(mut self) -> Response {
        self.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(nobodys) = self.nobodys {
            response.extensions_mut().insert(nobodys);
        }
        if let Some(held) = self.held {
            response.extensions_mut().insert(held);
        }
        response
    }
}

impl<E: Endpoint<Response = NoContent>> Reply<E> {
    /// No body.
    pub(super) fn no_content() -> Self {
        Self::with_body(Bytes::new().into())
    }
}

impl<E: Endpoint<Response: JsonAnswer>> Reply<E> {
    /// The endpoint's response as JSON bytes, from the store or put together from what is there. Nothing looks into `json`: the caller sees to it
    /// that it is one `E::Response`, and the contract test looks at what was sent.
    pub(super) fn stored_json(json: Bytes) -> Self {
        Self::with_body(json.into())
    }

    /// Items of the endpoint's response, one a line, made while they are sent.
    pub(super) fn lines(pieces: Pieces) -> Self {
        let mut reply = Self::with_body(Body::Pieces(pieces));
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        reply
    }

    /// JSON that was written before, around an array of rows. Many rows are written while they are sent.
    pub(super) fn with_results(before: Bytes, results: Results, after: Bytes) -> Self {
        match results {
            Results::Whole(results) => Self::stored_json([before, results, after].concat().into()),
            Results::Each(each) => {
                let held = each.bytes;
                Self::json_pieces(records::in_pieces(before, each.into_json(), after), held)
            }
        }
    }

    /// JSON in pieces that are made while they are sent, of what is held already: so many bytes.
    pub(super) fn json_pieces(
        pieces: impl Iterator<Item = Result<Bytes>> + Send + Sync + 'static,
        held: usize,
    ) -> Self {
        Self { held: Some(Holds(held as u64)), ..Self::with_body(Body::Pieces(streaming::of_held(pieces))) }
    }

    /// A record as it is stored, with its entity tag.
    pub(super) fn stored_record(sent: Sent) -> Self {
        let etag = sent.etag();
        Self::stored_json(sent.json).tagged(&etag)
    }
}

impl<E: Endpoint<Response = OneOrMany>> Reply<E> {
    /// Several records as they are stored.
    pub(super) fn stored_records(sent: &[Sent]) -> Self {
        let mut json = BytesMut::from(&b"["[..]);
        for (i, sent) in sent.iter().enumerate() {
            if i > 0 {
                json.put_u8(b',');
            }
            json.put_slice(&sent.json);
        }
        json.put_u8(b']');
        Self::stored_json(json.freeze())
    }
}

impl<E: Endpoint<Response: Streamed>> Reply<E> {
    /// The endpoint's response, made while it is sent.
    pub(super) fn stream(pieces: Pieces) -> Self {
        Self::with_body(Body::Pieces(pieces))
    }

    /// In another of the forms that the endpoint's response has.
    #[must_use]
    pub(super) fn written_as(mut self, media_type: &'static str) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        self
    }
}

/// The answer to `OPTIONS` where a path has no endpoint for it.
pub(crate) fn options(path: &str, allow: &str, bodies: &[BodyKind]) -> Response {
    let kinds = [
        (BodyKind::Json, "application/json"),
        (BodyKind::Form, "application/x-www-form-urlencoded"),
        (BodyKind::Multipart, "multipart/form-data"),
    ];
    // JSON is what a client may send where nothing is looked at, too.
    let parses: Vec<&str> = kinds
        .into_iter()
        .filter_map(|(kind, name)| (kind == BodyKind::Json || bodies.contains(&kind)).then_some(name))
        .collect();
    let body = json!({"name": path, "description": "", "renders": ["application/json"], "parses": parses});
    let mut response = Response::new(Bytes::from(body.to_string()).into());
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(allow) = HeaderValue::from_str(allow) {
        headers.insert(header::ALLOW, allow);
    }
    response
}
