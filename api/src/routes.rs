//! The HTTP face: warp hands a request over, one table finds its endpoint, and the endpoint's type says how it is read. A
//! path is found first, then the method, then the caller, then the body, so no fault is taken for another.

mod address;
mod auth_scheme;
mod authorization;
mod backup;
mod base_url;
mod batch;
mod body;
mod browser;
mod changes;
mod collections;
mod compress;
mod conditional;
mod context;
mod cookie;
mod cursor;
mod error;
mod events;
mod guess;
mod idempotency;
mod input;
mod leniency;
mod log;
mod metrics;
mod migrations;
mod operations;
mod paging;
mod paths;
mod published;
mod rate_limit;
mod records;
mod reply;
mod response;
mod root;
mod samples;
mod schema;
mod sessions;
mod settings;
mod storage;
mod streaming;
mod table;
mod tokens;
mod users;
mod views;

use std::{convert::Infallible, sync::Arc};

use bytes::Buf;
use common::{Access, ENDPOINTS, endpoint::behind_own_prefix};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, Method};
use warp::Filter;

use crate::{assets::Assets, domain::App};
use address::split;
pub use auth_scheme::{AuthScheme, AuthSchemes};
use context::Context;
pub use context::{CertificateEnd, Options};
use input::Raw;
pub use leniency::Unknown;
pub use metrics::open_filter as open_metrics;
use response::{Response, to_warp};
pub use samples::{Samples, measure};
use server::request::{Connection, Notes, RequestId};
use table::Table;

/// The whole server as one filter.
pub fn filter(
    app: App,
    assets: Assets,
    options: Options,
) -> impl Filter<Extract = (warp::reply::Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let table = Arc::new(table(Context { app, options: Arc::new(options) }, assets));
    warp::any()
        .map(move || Arc::clone(&table))
        .and(warp::method())
        .and(warp::path::full())
        .and(warp::query::raw().or(warp::any().map(String::new)).unify())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Connection>())
        .and(warp::ext::optional::<RequestId>())
        .and(warp::ext::optional::<Notes>())
        .and(warp::body::stream())
        .then(answer)
        .recover(|_| async { Ok::<_, Infallible>(error::internal()) })
        .unify()
        .map(to_warp)
}

/// Whether the endpoint at `path` is asked by supervisors, under whatever host.
pub fn is_any_hosts(path: &str) -> bool {
    is_of(path, |access| access == Access::Supervisor)
}

/// Whether an endpoint at `path` is for pages of this server alone.
pub fn is_own_pages(path: &str) -> bool {
    is_of(path, Access::is_browsers)
}

fn is_of(path: &str, callers: impl Fn(Access) -> bool) -> bool {
    let path = behind_own_prefix(path).unwrap_or(path);
    ENDPOINTS.iter().filter(|endpoint| callers(endpoint.access)).any(|endpoint| split(endpoint.path).eq(split(path)))
}

/// Whether a request is for an endpoint that takes a file as it comes.
pub fn is_upload(method: &Method, path: &str) -> bool {
    let path = behind_own_prefix(path).unwrap_or(path);
    let is_it = |template: &str| {
        let (mut known, mut parts) = (split(template), split(path));
        loop {
            match (known.next(), parts.next()) {
                (None, None) => return true,
                (Some(known), Some(part)) if known == part || known.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    ENDPOINTS.iter().any(|endpoint| endpoint.body.is_upload() && endpoint.method == *method && is_it(endpoint.path))
}

fn table(context: Context, assets: Assets) -> Table {
    let mut table = Table::new(context, assets);
    root::register(&mut table);
    // What has to do with tokens and sessions is never compressed.
    table.compresses = false;
    tokens::register(&mut table);
    browser::register(&mut table);
    sessions::register(&mut table);
    // What compresses waits for more, and events wait for nothing.
    events::register(&mut table);
    table.compresses = true;
    users::register(&mut table);
    views::register(&mut table);
    collections::register(&mut table);
    records::register(&mut table);
    batch::register(&mut table);
    guess::register(&mut table);
    paths::register(&mut table);
    schema::register(&mut table);
    published::register(&mut table);
    changes::register(&mut table);
    operations::register(&mut table);
    backup::register(&mut table);
    storage::register(&mut table);
    log::register(&mut table);
    settings::register(&mut table);
    migrations::register(&mut table);
    metrics::register(&mut table);
    table
}

#[allow(clippy::too_many_arguments)] // One for each thing that warp extracts.
async fn answer(
    table: Arc<Table>,
    method: Method,
    path: warp::path::FullPath,
    query: String,
    headers: HeaderMap,
    connection: Option<Connection>,
    request_id: Option<RequestId>,
    notes: Option<Notes>,
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + 'static,
) -> Response {
    let body = body.map_ok(|mut chunk| chunk.copy_to_bytes(chunk.remaining())).boxed();
    let notes = notes.unwrap_or_default();
    let (prefix, published, is_head) = ("", None, method == Method::HEAD);
    let segments = Vec::new();
    let raw = Raw { segments, query, headers, connection, request_id, notes, body, prefix, published, is_head };
    table.dispatch(&method, path.as_str(), raw).await
}
