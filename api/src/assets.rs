//! The web app's files, from memory: which file a path means, and the answer that HTTP wants for it. Compression happened
//! before (in `build.rs`, or when a folder is read); no request touches the file system, so nothing can be reached that is
//! not in the table. The API's own paths are not served here.

mod content;
mod encoding;
mod etag;
mod folder;
mod range;

use std::{borrow::Cow, collections::HashMap, io, path::Path};

use bytes::Bytes;
use common::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use server::problem::{self, Representation};

use content::{Caching, IMMUTABLE};
use encoding::Encoding;
use range::Range;

/// The app's page: what a browser gets for every address of the app.
const PAGE: &str = "index.html";
/// Stands in for a web app that was not built.
const NO_APP: &str = include_str!("assets/no_app.html");

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// `docs/security.md`, B5. `wasm-unsafe-eval` is what compiling WebAssembly is called.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'self'; object-src 'none'; form-action 'self'; frame-ancestors 'none'",
);
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const NO_PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), \
     midi=(), payment=(), serial=(), usb=()",
);
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// All files that are served, by their names (`index.html`, `snippets/a/b.js`).
#[derive(Debug, Default)]
pub struct Assets(HashMap<String, Asset>);

/// One file in every form that it is served in.
#[derive(Debug)]
struct Asset {
    content_type: HeaderValue,
    caching: Caching,
    identity: Form,
    brotli: Option<Form>,
    gzip: Option<Form>,
}

/// The file in one encoding.
#[derive(Debug)]
struct Form {
    bytes: Bytes,
    /// Differs between the encodings: they are different bytes.
    etag: HeaderValue,
}

/// A row of the table that `build.rs` writes.
struct Embedded {
    name: &'static str,
    hash: &'static str,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Assets {
    /// The web app that was built into this binary; in development builds, none.
    pub fn embedded() -> Self {
        let asset = |file: &Embedded| {
            let [brotli, gzip] = [file.brotli, file.gzip].map(|bytes| bytes.map(Bytes::from_static));
            let asset = Asset::new(file.name, file.hash, Bytes::from_static(file.identity), brotli, gzip);
            (file.name.to_owned(), asset)
        };
        Self(EMBEDDED.iter().map(asset).collect())
    }

    /// The files of `folder`, read now and served as they are now. Fails where it holds no `index.html`.
    pub fn from_dir(folder: &Path) -> io::Result<Self> {
        folder::read(folder).map(Self)
    }

    /// Whether there is a web app at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer for `path` (as the request line has it, still percent-encoded), or `None` where there is nothing to serve:
    /// an unknown file, an address that is no file's and no page's, anything under `/api`. Refusals name `request_id`.
    pub fn respond(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        request_id: &str,
    ) -> Option<Response<Bytes>> {
        let name = self.name(path)?;
        if *method == Method::OPTIONS {
            return Some(answer(StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)], Bytes::new()));
        }
        let is_head = *method == Method::HEAD;
        if !is_head && *method != Method::GET {
            let problem = Problem::method_not_allowed("Files can only be read. Use GET or HEAD.");
            return Some(refuse(problem, (header::ALLOW, METHODS), headers, request_id));
        }
        let mut response =
            self.0.get(name.as_ref()).map_or_else(no_app, |asset| asset.respond(is_head, headers, request_id));
        // The length that GET would answer with, without the bytes. An answer that never has a body says nothing about one.
        if is_head && response.status() != StatusCode::NOT_MODIFIED {
            let length = HeaderValue::from(response.body().len());
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
            *response.body_mut() = Bytes::new();
        }
        Some(response)
    }

    /// The name of the file that `path` means; the page's for an address inside the app.
    fn name<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        let path = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
        if self.0.contains_key(path.as_ref()) {
            return Some(path);
        }
        // What is no file may be an address inside the app. The API's errors are the API's, a name with an extension is a file
        // that is missing, and nobody types addresses that climb or hide.
        let is_api = path == "api" || path.starts_with("api/");
        let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
        let is_odd = path.contains(['\\', ':'])
            || path.contains(char::is_control)
            || path.split('/').any(|part| part.starts_with('.'));
        (!is_api && !is_file && !is_odd).then_some(Cow::Borrowed(PAGE))
    }
}

impl Asset {
    fn new(name: &str, hash: &str, identity: Bytes, brotli: Option<Bytes>, gzip: Option<Bytes>) -> Self {
        let form = |bytes, encoding: Encoding| Form { bytes, etag: etag::of(hash, encoding) };
        Self {
            content_type: content::content_type(name),
            caching: content::caching(name),
            identity: form(identity, Encoding::Identity),
            brotli: brotli.map(|bytes| form(bytes, Encoding::Brotli)),
            gzip: gzip.map(|bytes| form(bytes, Encoding::Gzip)),
        }
    }

    fn form(&self, encoding: Encoding) -> Option<&Form> {
        match encoding {
            Encoding::Identity => Some(&self.identity),
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
        }
    }

    fn respond(&self, is_head: bool, request: &HeaderMap, request_id: &str) -> Response<Bytes> {
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
        if self.content_type == content::HTML {
            protect_page(headers);
        }
        response
    }
}

/// What a browser must hold to when it shows a page of ours.
fn protect_page(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, NO_PERMISSIONS);
}

/// The page in place of the app. 503, so that nothing that watches takes it for the app.
fn no_app() -> Response<Bytes> {
    let mut response = answer(
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, content::HTML), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        Bytes::from_static(NO_APP.as_bytes()),
    );
    protect_page(response.headers_mut());
    response
}

fn refuse(
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

fn answer<const N: usize>(status: StatusCode, headers: [(HeaderName, HeaderValue); N], body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

#[cfg(test)]
mod tests;
