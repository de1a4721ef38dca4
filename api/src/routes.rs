//! The HTTP face: warp hands a request over, one table finds its endpoint, and the endpoint's type says how it is read. A
//! path is found first, then the method, then the caller, then the body, so no fault is taken for another.

mod backup;
mod body;
mod browser;
mod changes;
mod collections;
mod error;
mod input;
mod log;
mod metrics;
mod operations;
mod paging;
mod rate_limit;
mod records;
mod reply;
mod root;
mod sessions;
mod tokens;
mod users;

use std::{borrow::Cow, convert::Infallible, pin::Pin, sync::Arc};

use bytes::Buf;
use common::Endpoint;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, Method};
use logging::Log;
use percent_encoding::percent_decode_str;
use server::metrics::{Http, Route};
use server::request::{Connection, Notes, RequestId};
use time::OffsetDateTime;
use warp::{Filter, Reply as _};

use crate::{
    assets::Assets,
    domain::{App, Result},
    limits::Limits,
};
pub use input::Input;
use input::Raw;
pub use metrics::open_filter as open_metrics;
use reply::Body;
pub use reply::Reply;

/// What routes need to know beside the application.
#[derive(Clone, Default)]
pub struct Options {
    /// Cookies without `Secure`, for plain HTTP away from this machine. A stranger on the way can then read them.
    pub insecure_cookie: bool,
    /// The log, whose level can be changed.
    pub log: Log,
    /// How often callers may ask.
    pub limits: Limits,
    /// What the accept loop counts, to be shown.
    pub metrics: Arc<Http>,
    /// Tells when the server's TLS certificate ends, where it has one.
    pub certificate_end: Option<CertificateEnd>,
}

/// When the TLS certificate that new connections get ends; `None` where that cannot be read.
pub type CertificateEnd = Arc<dyn Fn() -> Option<OffsetDateTime> + Send + Sync>;

type Response = http::Response<Body>;
type Handling = Pin<Box<dyn Future<Output = Response> + Send>>;
type Handler = Box<dyn Fn(Context, Raw) -> Handling + Send + Sync>;

/// What every handler gets.
#[derive(Clone)]
pub struct Context {
    /// The application.
    pub app: App,
    /// How this server answers.
    pub options: Arc<Options>,
}

/// A path and what may be done to it.
struct Resource {
    /// `None` for a parameter.
    segments: Vec<Option<&'static str>>,
    route: Route,
    methods: Vec<(Method, Handler)>,
}

/// Every route of the API.
struct Table {
    context: Context,
    assets: Assets,
    policies: Arc<rate_limit::Policies>,
    /// Those with more literal segments first.
    resources: Vec<Resource>,
}

/// The whole server as one filter.
pub fn filter(
    app: App,
    assets: Assets,
    options: Options,
) -> impl Filter<Extract = (warp::reply::Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let table = Arc::new(Table::new(Context { app, options: Arc::new(options) }, assets));
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
        .recover(|_| async { Ok::<_, Infallible>(error::internal(None)) })
        .unify()
        .map(to_warp)
}

fn to_warp(response: Response) -> warp::reply::Response {
    response.map(|body| match body {
        Body::Whole(bytes) => bytes.into(),
        Body::Pieces(pieces) => warp::reply::stream(pieces).into_response().into_body(),
    })
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
    body: impl Stream<Item = std::result::Result<impl Buf, warp::Error>> + Send + 'static,
) -> Response {
    let body = body.map_ok(|mut chunk| chunk.copy_to_bytes(chunk.remaining())).boxed();
    let notes = notes.unwrap_or_default();
    let raw = Raw { segments: Vec::new(), query, headers, connection, request_id, notes, body };
    table.dispatch(&method, path.as_str(), raw).await
}

impl Table {
    fn new(context: Context, assets: Assets) -> Self {
        let policies = Arc::new(rate_limit::policies(&context.options.limits));
        let mut table = Self { context, assets, policies, resources: Vec::new() };
        root::register(&mut table);
        tokens::register(&mut table);
        browser::register(&mut table);
        sessions::register(&mut table);
        users::register(&mut table);
        collections::register(&mut table);
        records::register(&mut table);
        changes::register(&mut table);
        operations::register(&mut table);
        backup::register(&mut table);
        log::register(&mut table);
        metrics::register(&mut table);
        table
    }

    /// Registers the handler of an endpoint. Its type says the rest.
    fn on<E, F, Fut>(&mut self, handler: F)
    where
        E: Endpoint + 'static,
        E::Params: Send,
        E::Query: Send,
        E::Request: Send,
        F: Fn(Context, Input<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply<E>>> + Send + 'static,
    {
        let policies = Arc::clone(&self.policies);
        let handler: Handler = Box::new(move |context, raw| {
            let (handler, policies) = (handler.clone(), Arc::clone(&policies));
            Box::pin(async move {
                let request_id = raw.request_id;
                let mut left = None;
                let outcome = match Input::<E>::read(&context, raw, &mut left).await {
                    Ok(input) => handler(context, input).await.map_err(Into::into),
                    Err(refusal) => Err(refusal),
                };
                let mut response = match outcome {
                    Ok(reply) => reply.into_response(),
                    Err(refusal) => refusal.into_response::<E>(request_id),
                };
                if let Some(left) = left {
                    rate_limit::tell(&left, &policies, response.headers_mut());
                }
                response
            })
        });
        let segments = split(E::PATH).map(|part| (!part.starts_with('{')).then_some(part)).collect::<Vec<_>>();
        if let Some(resource) = self.resources.iter_mut().find(|resource| resource.segments == segments) {
            resource.methods.push((E::METHOD, handler));
            return;
        }
        let resource = Resource { segments, route: Route::of(E::PATH), methods: vec![(E::METHOD, handler)] };
        // A literal segment goes before a parameter: /api/users/me/ is not a user's id.
        let place = self.resources.partition_point(|known| known.literals() >= resource.literals());
        self.resources.insert(place, resource);
    }

    async fn dispatch(&self, method: &Method, path: &str, mut raw: Raw) -> Response {
        let Some(resource) = self.find(path, &mut raw.segments) else { return self.elsewhere(method, path, &raw) };
        raw.notes.route(resource.route);
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        match resource.methods.iter().find(|(known, _)| known == wanted) {
            Some((_, handler)) => handler(self.context.clone(), raw).await,
            None if method == Method::OPTIONS => reply::options(path, &resource.allow()),
            None => error::method_not_allowed(method, &resource.allow(), raw.request_id),
        }
    }

    /// The resource of a path, with or without its last slash; the parameters go into `parameters`, decoded.
    fn find(&self, path: &str, parameters: &mut Vec<String>) -> Option<&Resource> {
        let parts: Vec<&str> = split(path).collect();
        let resource = self.resources.iter().find(|resource| {
            resource.segments.len() == parts.len()
                // The last segments tell resources apart, the first hardly do.
                && resource.segments.iter().zip(&parts).rev().all(|(known, part)| known.is_none_or(|known| known == *part))
        })?;
        for (known, part) in resource.segments.iter().zip(&parts) {
            if known.is_none() {
                let decoded = part.contains('%').then(|| percent_decode_str(part).decode_utf8());
                parameters.push(decoded.transpose().ok()?.map_or_else(|| (*part).to_owned(), Cow::into_owned));
            }
        }
        Some(resource)
    }

    /// What is no endpoint: the web app, or nothing.
    fn elsewhere(&self, method: &Method, path: &str, raw: &Raw) -> Response {
        let request_id = raw.request_id.as_ref().map_or("", RequestId::as_str);
        let file = self.assets.respond(method, path, &raw.headers, request_id);
        let Some(file) = file else { return error::not_found(raw.request_id) };
        raw.notes.route(Route::FILE);
        file.map(Body::Whole)
    }
}

impl Resource {
    /// How many of the segments are fixed.
    fn literals(&self) -> usize {
        self.segments.iter().flatten().count()
    }

    fn allow(&self) -> String {
        let mut methods: Vec<&str> = self.methods.iter().map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        if !methods.contains(&"OPTIONS") {
            methods.push("OPTIONS");
        }
        methods.join(", ")
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    inner.strip_suffix('/').unwrap_or(inner).split('/')
}
