//! The web app's files, from memory: which file a path means, and the answer that HTTP wants for it. Compression happened
//! before (in `build.rs`, or when a folder is read); no request touches the file system, so nothing can be reached that is
//! not in the table. The API's own paths are not served here.

mod accept;
mod asset;
mod content;
pub(crate) mod encoding;
mod etag;
mod folder;
mod policy;
mod range;

use std::{borrow::Cow, collections::HashMap, io, path::Path};

use bytes::Bytes;
use common::{Problem, endpoint::is_of_the_api};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use server::headers::vary;

use asset::{Asset, PAGE, answer, refuse};
pub use policy::{Policy, PolicySource};

/// Stands in for a web app that was not built.
const NO_APP: &str = include_str!("assets/no_app.html");

/// What the page of Coffer's own app says, wherever it is served from.
const OWN_APP: &[u8] = b"<meta name=\"application-name\" content=\"Coffer\">";

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// All files that are served.
#[derive(Debug, Default)]
pub struct Assets {
    /// By their names (`index.html`, `snippets/a/b.js`).
    files: HashMap<String, Asset>,
    policy: Policy,
    /// The page is Coffer's own app, which shows addresses of the API to people.
    shows_api: bool,
}

/// What a path means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning<'a> {
    /// A file of this name.
    File(Cow<'a, str>),
    /// An address inside the app, for which a browser gets the app's page.
    Address,
    /// Neither.
    Nothing,
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
        Self::new(EMBEDDED.iter().map(asset).collect(), Policy::Ours)
    }

    /// The files of `folder`, read now and served as they are now, with `policy`. Fails where it holds no `index.html`.
    pub fn from_dir(folder: &Path, policy: Policy) -> io::Result<Self> {
        Ok(Self::new(folder::read(folder)?, policy))
    }

    fn new(files: HashMap<String, Asset>, policy: Policy) -> Self {
        let shows_api = files.get(PAGE).is_some_and(|page| page.contains(OWN_APP));
        Self { files, policy, shows_api }
    }

    /// Whether there is a web app at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The answer for `path` (as the request line has it, still percent-encoded), or `None` where there is nothing to serve: an unknown file,
    /// anything under `/api`, and an address inside the app for who asks for no page. Refusals name `request_id`.
    pub fn respond(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        request_id: &str,
    ) -> Option<Response<Bytes>> {
        let (name, is_address) = match self.meaning(path) {
            Meaning::File(name) => (name, false),
            Meaning::Address if is_read(method) && accept::is_page_wanted(headers) => (Cow::Borrowed(PAGE), true),
            Meaning::Address | Meaning::Nothing => return None,
        };
        if *method == Method::OPTIONS {
            return Some(answer(StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)], Bytes::new()));
        }
        if !is_read(method) {
            let problem = Problem::method_not_allowed("Files can only be read. Use GET or HEAD.");
            return Some(refuse(problem, (header::ALLOW, METHODS), headers, request_id));
        }
        Some(self.file(self.files.get(name.as_ref()), is_address, method, headers, request_id))
    }

    /// Whether addresses of the API have a page: the app is Coffer's own, which shows what is there.
    pub fn shows_api(&self) -> bool {
        self.shows_api
    }

    /// The app's page in place of JSON, for a browser that goes to an address of the API. A program that says who it is wants none.
    pub fn api_page(&self, method: &Method, headers: &HeaderMap, request_id: &str) -> Option<Response<Bytes>> {
        let is_wanted = self.shows_api
            && is_read(method)
            && accept::is_page_wanted(headers)
            && !headers.contains_key(header::AUTHORIZATION);
        is_wanted.then(|| self.file(self.files.get(PAGE), true, method, headers, request_id))
    }

    /// A file, or what stands for it. `is_address`: it is the answer to those alone who want a page.
    fn file(
        &self,
        asset: Option<&Asset>,
        is_address: bool,
        method: &Method,
        headers: &HeaderMap,
        request_id: &str,
    ) -> Response<Bytes> {
        let is_head = *method == Method::HEAD;
        let mut response = asset.map_or_else(no_app, |asset| asset.respond(is_head, headers, request_id));
        if is_address {
            vary(response.headers_mut(), "Accept");
        }
        self.policy.put_on(&mut response);
        // The length that GET would answer with, without the bytes. An answer that never has a body says nothing about one.
        if is_head && response.status() != StatusCode::NOT_MODIFIED {
            let length = HeaderValue::from(response.body().len());
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
            *response.body_mut() = Bytes::new();
        }
        response
    }

    /// What `path` means: a file, the page of a folder as makers of sites write it (`about.html` or `about/index.html` for `/about`), or an address.
    fn meaning<'a>(&self, path: &'a str) -> Meaning<'a> {
        let Some(path) = path.strip_prefix('/').and_then(|path| percent_decode_str(path).decode_utf8().ok()) else {
            return Meaning::Nothing;
        };
        if path.is_empty() {
            return Meaning::File(Cow::Borrowed(PAGE));
        }
        if self.files.contains_key(path.as_ref()) {
            return Meaning::File(path);
        }
        let bare = path.strip_suffix('/').unwrap_or(&path);
        let pages = [format!("{bare}/{PAGE}"), format!("{bare}.html")];
        if let Some(page) = pages.into_iter().find(|page| self.files.contains_key(page)) {
            return Meaning::File(Cow::Owned(page));
        }
        // What is no file may be an address inside the app. The API's errors are the API's, however its path is spelled; a name with the
        // extension of a file is one that is missing; and nobody types addresses that climb, hide, or have a part that is empty.
        let mut parts = bare.split('/');
        let is_api = parts.clone().find(|part| !part.is_empty()).is_none_or(is_of_the_api);
        let is_file = path.rsplit('/').next().is_some_and(content::is_of_site);
        let is_odd = path.contains(['\\', ':'])
            || path.contains(char::is_control)
            || parts.any(|part| part.is_empty() || part.starts_with('.'));
        if is_api || is_file || is_odd { Meaning::Nothing } else { Meaning::Address }
    }
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

/// The page in place of the app. 503, so that nothing that watches takes it for the app.
fn no_app() -> Response<Bytes> {
    answer(
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, content::HTML), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        Bytes::from_static(NO_APP.as_bytes()),
    )
}

#[cfg(test)]
mod tests;
