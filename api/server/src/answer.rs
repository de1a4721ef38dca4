//! How a request is answered: keeps from the service what it must not see, survives its panics, holds it to its deadline, completes the
//! headers, and counts the answer's body on its way out. Connections and routes are not its concern.

use std::{
    convert::Infallible,
    error::Error as StdError,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use base::{Charge, OutOfMemory};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout_at;
use tower::{Service, ServiceExt as _};

use super::{
    exchange::Exchange, headers, multiplexed, origins, peer::Peer, refusal::Refusal, request::Holds,
    request_body::RequestBody, sending::Progress, target,
};
use crate::problem;

/// An answer is handed over in pieces of so many bytes.
const PIECE: usize = 32 * 1024;
/// The handler of a file has so many times as long as others, from its last byte on.
const UPLOAD: u32 = 10;

/// Answers `request`. Every line that is logged meanwhile has the request's id.
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
    Ok(exchange.id.scope(handle(exchange, host, service, request)).await)
}

async fn handle<S, B>(
    exchange: Exchange,
    host: Option<HeaderValue>,
    service: S,
    request: Request<Incoming>,
) -> Response<AnswerBody<B>>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let options = &exchange.peer.shared.options;
    let host = target::host(&request, host);
    if exchange.peer.activity.is_plain() {
        let refusal =
            Refusal::plain(host.as_ref().filter(|host| target::is_own(host, &exchange.peer, request.headers())));
        return refuse(exchange, refusal);
    }
    if let Some(refusal) =
        Refusal::of(&request, options).or_else(|| target::refusal(&request, host.as_ref(), &exchange))
    {
        return refuse(exchange, refusal);
    }
    target::tell_foreign_origin(&request, host.as_ref(), &exchange);
    if exchange.cross_origin.is_allowed() && origins::is_preflight(&request) {
        let mut response = Response::new(Content::Own(None));
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.headers_mut() = origins::preflight(request.headers());
        return complete(exchange, response, false);
    }

    let is_upload = (options.is_upload)(request.method(), request.uri().path());
    let mut request = request
        .map(|body| RequestBody::new(body, &exchange.peer.shared, exchange.started + options.body_timeout, is_upload));
    // Services need to look in one place.
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
    request.extensions_mut().insert(exchange.connection);
    request.extensions_mut().insert(exchange.id);
    request.extensions_mut().insert(exchange.notes.clone());
    let verdict = request.body().verdict();
    // Also the call itself is inside, not only the future that it gives: filters run in both.
    let mut handling = pin!(AssertUnwindSafe(async move { service.oneshot(request).await }).catch_unwind());
    // A file of a gigabyte is looked at when all of it has come.
    let patience = options.handler_timeout * if is_upload { UPLOAD } else { 1 };
    // Most handlers answer at the first poll, and need no timer.
    let handled = match poll_fn(|cx| Poll::Ready(handling.as_mut().poll(cx))).await {
        Poll::Ready(handled) => Ok(handled),
        Poll::Pending => loop {
            // What comes by and by is not late as long as it comes.
            let until = verdict.heard().map_or(exchange.started + options.handler_timeout, |heard| heard + patience);
            match timeout_at(until, handling.as_mut()).await {
                Err(_) if verdict.heard().is_some_and(|heard| heard + patience > until) => {}
                handled => break handled,
            }
        },
    };

    if let Some(error) = verdict.get() {
        let refusal = Refusal::body(&error, options);
        return refuse(exchange, refusal);
    }
    match handled {
        Ok(Ok(Ok(response))) => {
            let Ok(held) = hold(&exchange.peer, &response) else { return refuse(exchange, Refusal::no_memory()) };
            complete(exchange, response.map(|body| Content::Service(body, held)), false)
        }
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked");
            refuse(exchange, Refusal::panicked())
        }
        Err(_elapsed) => {
            tracing::error!("a handler did not answer in time");
            refuse(exchange, Refusal::too_slow())
        }
    }
}

/// An answer of the server's own.
pub(super) fn refuse<B: Body>(exchange: Exchange, refusal: Refusal) -> Response<AnswerBody<B>> {
    let mut problem = refusal.problem;
    problem.request_id = exchange.id.to_string();
    let (status, headers, body) = problem::response_parts(&problem, exchange.errors);
    let mut response = Response::new(Content::Own(Some(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().extend(refusal.header);
    complete(exchange, response, refusal.closes)
}

fn complete<B: Body>(
    mut exchange: Exchange,
    mut response: Response<Content<B>>,
    closes: bool,
) -> Response<AnswerBody<B>> {
    let closes = closes || exchange.peer.shared.draining.load(Ordering::Relaxed);
    // Hexadecimal digits and hyphens are always a header value.
    let id = HeaderValue::from_str(exchange.id.as_str()).unwrap_or(HeaderValue::from_static(""));
    if response.extensions_mut().remove::<headers::OwnPolicies>().is_none() {
        headers::restrict(response.headers_mut());
    }
    headers::complete(response.headers_mut(), id, exchange.version, closes, exchange.connection.is_secure);
    exchange.cross_origin.complete(response.headers_mut());
    exchange.status = Some(response.status());
    response.map(|content| {
        let alone = multiplexed::current();
        // What HTTP/1 is still to write of a small answer, its connection watches over.
        let is_large = match &content {
            Content::Service(body, _) => body.size_hint().exact().is_none_or(|bytes| bytes > PIECE as u64),
            Content::Own(_) => false,
        };
        let is_watched = alone.is_some() || is_large;
        let progress = is_watched.then(|| exchange.peer.sending.begin(alone));
        AnswerBody { content, rest: Bytes::new(), progress, exchange }
    })
}

/// Charges what an answer holds from now on, as far as it is there.
fn hold<B: Body>(peer: &Peer, response: &Response<B>) -> Result<Charge, OutOfMemory> {
    let told = response.extensions().get::<Holds>().map(|Holds(bytes)| *bytes);
    peer.sending.hold(told.or(response.body().size_hint().exact()).unwrap_or(0))
}

/// The body of an answer. The exchange ends when it is dropped: sent whole, or given up.
pub(super) struct AnswerBody<B> {
    content: Content<B>,
    /// What the service gave and the client has not taken.
    rest: Bytes,
    progress: Option<Arc<Progress>>,
    exchange: Exchange,
}

enum Content<B> {
    /// What the service answers, and what it holds.
    Service(B, Charge),
    /// What the server answers itself.
    Own(Option<Bytes>),
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            let frame = match &mut this.content {
                // The connection's task asks, which works on no request; what makes the pieces may log.
                Content::Service(body, _) => this.exchange.id.sync_scope(|| Pin::new(body).poll_frame(cx)),
                Content::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            };
            let frame = match frame {
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Pending => {
                    if let Some(progress) = &this.progress {
                        progress.waits();
                    }
                    return Poll::Pending;
                }
                other @ Poll::Ready(_) => return other,
            };
            let bytes = match frame.into_data() {
                Ok(bytes) => bytes,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            };
            // hyper keeps a whole frame until the client took it, after this is dropped too.
            this.rest = match this.content.held_for(&bytes) {
                Some(held) => held.with_bytes(bytes),
                None => bytes,
            };
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        this.exchange.count(piece.len());
        if let Some(progress) = &this.progress {
            progress.took(piece.len());
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
            && match &self.content {
                Content::Service(body, _) => body.is_end_stream(),
                Content::Own(bytes) => bytes.is_none(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let mut hint = match &self.content {
            Content::Service(body, _) => body.size_hint(),
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
        };
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            self.exchange.peer.sending.end(progress);
        }
    }
}

impl<B> Content<B> {
    /// The part of what is held that goes with the next bytes.
    fn held_for(&mut self, bytes: &Bytes) -> Option<Charge> {
        match self {
            Self::Service(_, held) => Some(held.split(bytes.len() as u64)).filter(|part| part.bytes() > 0),
            Self::Own(_) => None,
        }
    }
}
