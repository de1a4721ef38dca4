//! One file, and its answers.

use bytes::Bytes;
use common::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use server::problem::{self, Representation};

use super::{
    content::{self, Caching, IMMUTABLE},
    encoding::{self, Encoding},
    etag,
    range::{self, Range},
};

/// The app's page: what a browser gets for every address of the app.
pub(super) const PAGE: &str = "index.html";

/// One file in every form that it is served in.
#[derive(Debug)]
pub(super) struct Asset {
    content_type: HeaderValue,
    caching: Caching,
    identity: Form,
    pub brotli: Option<Form>,
    pub gzip: Option<Form>,
}

/// The file in one encoding.
#[derive(Debug)]
pub(super) struct Form {
    pub bytes: Bytes,
    /// Differs between the encodings: they are different bytes.
    etag: HeaderValue,
}

impl Asset {
    pub(super) fn new(name: &str, hash: &str, identity: Bytes, brotli: Option<Bytes>, gzip: Option<Bytes>) -> Self {
        let form = |bytes, encoding: Encoding| Form { bytes, etag: etag::of(hash, encoding) };
        Self {
            content_type: content::content_type(name),
            caching: content::caching(name),
            identity: form(identity, Encoding::Identity),
            brotli: brotli.map(|bytes| form(bytes, Encoding::Brotli)),
            gzip: gzip.map(|bytes| form(bytes, Encoding::Gzip)),
        }
    }

    /// Whether the file says `text`.
    pub(super) fn contains(&self, text: &[u8]) -> bool {
        self.identity.bytes.windows(text.len()).any(|part| part == text)
    }

    fn form(&self, encoding: Encoding) -> Option<&Form> {
        match encoding {
            Encoding::Identity => Some(&self.identity),
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
        }
    }

    pub(super) fn respond(&self, is_head: bool, request: &HeaderMap, request_id: &str) -> Response<Bytes> {
        let encoding = encoding::choose(request, |encoding| self.form(encoding).is_some());
        let form = self.form(encoding).unwrap_or(&self.identity);
        if etag::none_match(request, &form.etag) == Some(false) {
            return self.answer(StatusCode::NOT_MODIFIED, form, Bytes::new());
        }
        // Ranges are of the file itself, whatever encoding else would be sent, and of the very bytes that the client has a part of.
        let identity = &self.identity;
        if !is_head && etag::if_range(request, &identity.etag) {
            match range::requested(request, identity.bytes.len()) {
                Some(Range::Part { first, last }) => {
                    let part = identity.bytes.slice(first..=last);
                    let mut response = self.answer(StatusCode::PARTIAL_CONTENT, identity, part);
                    response
                        .headers_mut()
                        .insert(header::CONTENT_RANGE, range::content_range(first, last, identity.bytes.len()));
                    return response;
                }
                Some(Range::Unsatisfiable) => {
                    let length = identity.bytes.len();
                    let mut problem =
                        Problem::invalid(format!("The file has {length} bytes; the range begins after its end."));
                    problem.status = StatusCode::RANGE_NOT_SATISFIABLE.as_u16();
                    return refuse(problem, (header::CONTENT_RANGE, range::unsatisfied(length)), request, request_id);
                }
                None => {}
            }
        }
        let mut response = self.answer(StatusCode::OK, form, form.bytes.clone());
        match encoding.name() {
            Some(name) => response.headers_mut().insert(header::CONTENT_ENCODING, name),
            None => response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        };
        response
    }

    /// An answer with the headers that every answer about this file has.
    fn answer(&self, status: StatusCode, form: &Form, body: Bytes) -> Response<Bytes> {
        let mut response = answer(status, [(header::ETAG, form.etag.clone())], body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        if self.brotli.is_some() || self.gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        match self.caching {
            Caching::Immutable => {
                headers.insert(header::CACHE_CONTROL, IMMUTABLE);
            }
            Caching::Revalidate => {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            }
        }
        response
    }
}

/// A refusal.
pub(super) fn refuse(
    mut problem: Problem,
    header: (HeaderName, HeaderValue),
    request: &HeaderMap,
    request_id: &str,
) -> Response<Bytes> {
    request_id.clone_into(&mut problem.request_id);
    let (status, headers, body) = problem::response_parts(&problem, Representation::of(request));
    let mut response = answer(status, [header], body);
    response.headers_mut().extend(headers);
    response
}

/// An answer with these headers.
pub(super) fn answer<const N: usize>(
    status: StatusCode,
    headers: [(HeaderName, HeaderValue); N],
    body: Bytes,
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}
