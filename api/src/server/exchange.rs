//! One request and its answer: gives the request its id, keeps from the service what it must not see, survives its panics, holds it to
//! its deadline, completes the headers and writes the line in the access log. Connections and routes are not its concern.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    future::poll_fn,
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout_at};
use tower::{Service, ServiceExt};
use uuid::{Uuid, fmt::Hyphenated};

use super::{
    HEAD_BUFFER, Shared,
    activity::Activity,
    body::{AnswerBody, Content, RequestBody},
    forwarded, headers,
    notes::Notes,
    refusal::Refusal,
};
use crate::{
    log,
    metrics::{Connected, Outcome},
    problem,
};

/// Heads up to this size pass when all together are too many.
const USUAL_HEAD: u64 = 8 * 1024;

/// Who is at the other end, as handlers see it (an extension of the request).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The client's address: the connection's, or what a trusted proxy says of its own client. Never an IPv4 address in IPv6's clothes.
    pub client: IpAddr,
    /// Nobody on the way can read along: TLS, here or up to a trusted proxy.
    pub is_secure: bool,
}

/// The request's id (`UUIDv7`), as handlers see it (an extension of the request). It is always our own, never one that a client sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; Hyphenated::LENGTH]);

impl RequestId {
    fn new(id: Uuid) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The connection that a request came over.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) shared: Arc<Shared>,
    pub(super) activity: Arc<Activity>,
    /// In its canonical form.
    pub(super) remote: IpAddr,
    /// The same as text, for the log.
    pub(super) remote_text: String,
    /// Its word about clients is taken.
    pub(super) is_proxy: bool,
    /// TLS is spoken here.
    pub(super) is_tls: bool,
    /// Counts the connection as open.
    pub(super) _connected: Connected,
}

impl Peer {
    /// Counts bytes of a head on its way in; whether there is room for them.
    pub(super) fn hold_head(&self, bytes: usize) -> bool {
        let held = self.activity.head_bytes.load(Ordering::Relaxed);
        // hyper keeps no more; what comes beyond is the rest of a body that nobody wanted.
        let bytes = (bytes as u64).min((HEAD_BUFFER as u64).saturating_sub(held));
        self.activity.head_bytes.store(held + bytes, Ordering::Relaxed);
        let all = self.shared.head_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        held + bytes <= USUAL_HEAD || all <= self.shared.options.max_heads
    }

    /// The head is complete, or will never be.
    pub(super) fn release_head(&self) {
        let held = self.activity.head_bytes.swap(0, Ordering::Relaxed);
        self.shared.head_bytes.fetch_sub(held, Ordering::Relaxed);
    }
}

/// An exchange under way. Dropping it ends it and logs it: there is no way out that is not noted.
#[derive(Debug)]
pub(super) struct Exchange {
    peer: Arc<Peer>,
    id: RequestId,
    connection: Connection,
    method: Method,
    notes: Notes,
    version: Version,
    started: Instant,
    /// None until there is an answer.
    status: Option<StatusCode>,
    sent: u64,
}

/// Answers `request`.
pub(super) async fn answer<S, B>(
    peer: Arc<Peer>,
    service: S,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody<B>>, Infallible>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (exchange, host) = Exchange::begin(peer, &request);
    let options = &exchange.peer.shared.options;
    if exchange.peer.activity.is_plain() {
        return Ok(exchange.refuse(Refusal::plain(&request)));
    }
    if let Some(refusal) = Refusal::of(&request, options) {
        return Ok(exchange.refuse(refusal));
    }

    let mut request =
        request.map(|body| RequestBody::new(body, &exchange.peer.shared, exchange.started + options.body_timeout));
    // HTTP/2 says `:authority`, and an absolute address overrides `Host` (RFC 9112 §3.2.2): services need to look in one place.
    let authority = request.uri().authority().map(|authority| match authority.port() {
        Some(port) => format!("{}:{port}", authority.host()),
        None => authority.host().to_owned(),
    });
    if let Some(host) = host.or_else(|| HeaderValue::try_from(authority?).ok()) {
        request.headers_mut().insert(header::HOST, host);
    }
    request.extensions_mut().insert(exchange.connection);
    request.extensions_mut().insert(exchange.id);
    request.extensions_mut().insert(exchange.notes.clone());
    let verdict = request.body().verdict();
    // Also the call itself is inside, not only the future that it gives: filters run in both.
    let mut handling = pin!(AssertUnwindSafe(async move { service.oneshot(request).await }).catch_unwind());
    // Most handlers answer at the first poll, and need no timer.
    let handled = match poll_fn(|cx| Poll::Ready(handling.as_mut().poll(cx))).await {
        Poll::Ready(handled) => Ok(handled),
        Poll::Pending => timeout_at(exchange.started + options.handler_timeout, handling).await,
    };

    if let Some(error) = verdict.get() {
        let refusal = Refusal::body(&error, options);
        return Ok(exchange.refuse(refusal));
    }
    Ok(match handled {
        Ok(Ok(Ok(response))) => exchange.pass(response),
        Ok(Err(_panic)) => {
            tracing::error!(request_id = %exchange.id, "a handler panicked");
            exchange.refuse(Refusal::panicked())
        }
        Err(_elapsed) => {
            tracing::error!(request_id = %exchange.id, "a handler did not answer in time");
            exchange.refuse(Refusal::too_slow())
        }
    })
}

impl Exchange {
    /// Notes a request, and the host that it is for where a trusted proxy names one.
    pub(super) fn begin<B>(peer: Arc<Peer>, request: &Request<B>) -> (Self, Option<HeaderValue>) {
        let version = request.version();
        peer.activity.begin(version >= Version::HTTP_2);
        peer.release_head();
        peer.shared.options.metrics.begin();
        let connection = Connection { client: peer.remote, is_secure: peer.is_tls && !peer.activity.is_plain() };
        let (connection, host) = if peer.is_proxy {
            forwarded::client(connection, request.headers(), &peer.shared.options.trusted_proxies)
        } else {
            (connection, None)
        };
        let exchange = Self {
            id: RequestId::new(peer.shared.options.ids.next_id()),
            peer,
            connection,
            method: request.method().clone(),
            notes: Notes::default(),
            version,
            started: Instant::now(),
            status: None,
            sent: 0,
        };
        (exchange, host)
    }

    pub(super) fn count(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The service's answer.
    fn pass<B>(self, response: Response<B>) -> Response<AnswerBody<B>> {
        self.complete(response.map(Content::Service), false)
    }

    /// An answer of the server's own.
    pub(super) fn refuse<B>(self, refusal: Refusal) -> Response<AnswerBody<B>> {
        let mut problem = refusal.problem;
        problem.request_id = self.id.to_string();
        let (status, headers, body) = problem::response_parts(&problem);
        let mut response = Response::new(Content::Own(Some(body)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.headers_mut().extend(refusal.header);
        self.complete(response, refusal.closes)
    }

    fn complete<B>(mut self, mut response: Response<Content<B>>, closes: bool) -> Response<AnswerBody<B>> {
        let closes = closes || self.peer.shared.draining.load(Ordering::Relaxed);
        // Hexadecimal digits and hyphens are always a header value.
        let id = HeaderValue::from_bytes(&self.id.0).unwrap_or(HeaderValue::from_static(""));
        headers::complete(response.headers_mut(), id, self.version, closes, self.connection.is_secure);
        self.status = Some(response.status());
        response.map(|content| AnswerBody::new(content, self))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.peer.activity.end();
        let (route, user, time) = (self.notes.noted_route(), self.notes.noted_user(), self.started.elapsed());
        let mut buffer = Uuid::encode_buffer();
        let user_id = user.map(|user| &*user.id.uuid().as_hyphenated().encode_lower(&mut buffer));
        let claimed;
        let client = if self.connection.client == self.peer.remote {
            &self.peer.remote_text
        } else {
            claimed = self.connection.client.to_string();
            &claimed
        };
        let outcome = Outcome { route, method: &self.method, status: self.status, time, bytes: self.sent };
        self.peer.shared.options.metrics.end(outcome);
        // The template and never the address: an id may tell too much, a query or a path of nothing may hold a token.
        tracing::info!(
            target: log::ACCESS,
            request_id = self.id.as_str(),
            method = self.method.as_str(),
            route = route.template(),
            // 499, as others write it: the client left before there was an answer.
            status = self.status.map_or(499, |status| status.as_u16()),
            user = user_id,
            name = user.map(|user| user.username.as_str()),
            client = client.as_str(),
            bytes = self.sent,
            // To the microsecond.
            ms = (time.as_secs_f64() * 1e6).round() / 1e3,
        );
    }
}
