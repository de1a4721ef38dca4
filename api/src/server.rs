//! The accept loop: a service (warp's, in practice) behind limits, deadlines and a drain. This module and its children are the only ones
//! that name hyper and tower; routes and domain know nothing of connections. What a request and its answer get on their way
//! is `exchange`'s, what one connection may do is `connection`'s. Signals and the command line are the caller's.

mod accept;
mod activity;
mod body;
mod connection;
mod exchange;
mod forwarded;
mod headers;
mod listener;
mod notes;
mod places;
mod refusal;
mod seldom;
mod stream;
mod tls;
mod unreadable;

use std::{
    convert::Infallible,
    error::Error as StdError,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use base::{Clock, Entropy, IdSource};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Body;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto,
};
use thiserror::Error;
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tower::Service;

use crate::metrics;
use listener::Accepted;
use places::{Place, Places};

pub use body::RequestBody;
pub use exchange::{Connection, RequestId};
#[doc(hidden)] // for `fuzz/`
pub use forwarded::client as claimed_client;
pub use forwarded::{TrustedProxy, TrustedProxyError};
pub use listener::{InvalidListenAddress, ListenAddress, Listener};
pub use notes::Notes;
pub use tls::{Tls, TlsError};

/// Room for a request's head. Above the 64 KiB that a head may have, so that an address that is too long is told from headers that are too many.
const HEAD_BUFFER: usize = 128 * 1024;
/// All header lines of one request together.
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// Header lines of one request.
const MAX_HEADERS: usize = 100;
/// After the signal to stop, connections that stay open between requests get this long to send one more and be told
/// `Connection: close`. Closing them at once would reset the ones whose next request is on its way.
const LINGER: Duration = Duration::from_millis(250);

/// [`ServerOptions::max_connections`], unless the operator says otherwise.
pub const DEFAULT_MAX_CONNECTIONS: u32 = 4096;
/// [`ServerOptions::max_per_address`], unless the operator says otherwise.
pub const DEFAULT_MAX_PER_ADDRESS: u32 = 128;

/// What the loop allows. [`Default`] is meant for the open internet.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where to listen. [`Server::addresses`] tells which ports were taken where any would do.
    pub listen: Vec<ListenAddress>,
    /// The permissions of socket files.
    pub socket_mode: u32,
    /// TLS on all addresses that are no Unix sockets.
    pub tls: Option<Tls>,
    /// Connections in all, or fewer where the limit on open files leaves no room for them. When they are taken, new ones wait in the kernel, and those that stay open without need are closed early.
    pub max_connections: usize,
    /// Connections from one address (one /64 network for IPv6). Further ones are closed at once. Loopback and trusted proxies are
    /// exempt: a proxy speaks for many.
    pub max_per_address: usize,
    /// Whose word about clients behind them is taken.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// From accepting a connection, or from the first byte of a later request, to the end of the request's head.
    pub header_timeout: Duration,
    /// From the head of a request to the end of its body.
    pub body_timeout: Duration,
    /// From the head of a request to the head of its answer.
    pub handler_timeout: Duration,
    /// How long a client may take no byte of its answer.
    pub write_timeout: Duration,
    /// How long a connection may stay open between two requests.
    pub idle_timeout: Duration,
    /// The most bytes a request's body may have, whatever a route allows.
    pub max_body: u64,
    /// The most bytes that the bodies of all requests under way may have together: what clients can make the server hold in memory.
    pub max_bodies: u64,
    /// The most bytes that heads on their way in may have together. When they are more, those that are no larger than usual still pass.
    pub max_heads: u64,
    /// After the signal to stop: how long requests that run may go on.
    pub grace: Duration,
    /// Makes the request ids.
    pub ids: IdSource,
    /// Where requests and connections are counted.
    pub metrics: Arc<metrics::Http>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::Tcp(([127, 0, 0, 1], 8000).into())],
            socket_mode: 0o660,
            tls: None,
            max_connections: DEFAULT_MAX_CONNECTIONS as usize,
            max_per_address: DEFAULT_MAX_PER_ADDRESS as usize,
            trusted_proxies: Vec::new(),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            handler_timeout: Duration::from_mins(1),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            max_body: 10 * 1024 * 1024,
            max_bodies: 128 * 1024 * 1024,
            max_heads: 32 * 1024 * 1024,
            grace: Duration::from_secs(30),
            // Names, not secrets: a generator of our own spares every request a system call.
            ids: IdSource::new(Clock::system(), Entropy::seeded(u64::from_ne_bytes(Entropy::system().bytes()))),
            metrics: Arc::default(),
        }
    }
}

/// Bound sockets that are not served yet: their ports are known before the first connection.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    options: ServerOptions,
}

/// The end of a drain that ran out of time.
#[derive(Debug, Error)]
#[error("{0} connections still had work to do when the time to finish was over")]
pub struct Unfinished(pub usize);

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: ListenAddress,
    source: io::Error,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    options: ServerOptions,
    http: auto::Builder<TokioExecutor>,
    /// Answers say `Connection: close`.
    draining: AtomicBool,
    /// Bytes of the bodies of all requests under way.
    body_bytes: AtomicU64,
    /// Bytes of all heads on their way in.
    head_bytes: AtomicU64,
}

/// What connections are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Go on.
    Open,
    /// All places are taken: leave if you do nothing.
    Crowded,
    /// Finish what runs, then leave.
    Closing,
    /// Leave now.
    Over,
}

impl Server {
    /// Binds all addresses.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(options: ServerOptions) -> Result<Self, BindError> {
        let bind = |address: &ListenAddress| {
            let bound = Listener::bind(address, options.socket_mode);
            bound.map_err(|source| BindError { address: address.clone(), source })
        };
        let listeners = options.listen.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Self::over(listeners, options))
    }

    /// A server over sockets that are there already, whatever the options say about addresses.
    pub fn over(listeners: Vec<Listener>, mut options: ServerOptions) -> Self {
        options.max_connections = places::within_open_files(options.max_connections);
        Self { listeners, options }
    }

    /// The addresses, with the ports that were really taken.
    pub fn addresses(&self) -> io::Result<Vec<ListenAddress>> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Serves until `shutdown` ends, then accepts what is queued, finishes what runs, and ends, at the latest after
    /// [`ServerOptions::grace`]; what runs still then is dropped, and [`Unfinished`] says how much it was.
    pub async fn run<S, B>(self, service: S, shutdown: impl Future<Output = ()>) -> Result<(), Unfinished>
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let Self { listeners, options } = self;
        let places = Places::new(options.max_connections, options.max_per_address);
        let shared = Arc::new(Shared {
            http: builder(),
            draining: AtomicBool::new(false),
            body_bytes: AtomicU64::new(0),
            head_bytes: AtomicU64::new(0),
            options,
        });
        let phase = watch::Sender::new(Phase::Open);
        let serve = |accepted: Accepted, place: Place| {
            let is_proxy = accepted.is_trusted(&shared.options.trusted_proxies);
            // A place that its address does not get closes the connection here.
            let Some(place) = place.of(accepted.address(), is_proxy) else { return };
            let (shared, service, phase) = (shared.clone(), service.clone(), phase.subscribe());
            tokio::spawn(async move {
                connection::serve(accepted, is_proxy, shared, service, phase).await;
                drop(place);
            });
        };

        accept::until(shutdown, &listeners, &places, &phase, &serve).await;

        shared.draining.store(true, Ordering::Relaxed);
        accept::queued(listeners, &places, &serve);

        let grace = shared.options.grace;
        let deadline = Instant::now() + grace;
        if timeout(LINGER.min(grace), phase.closed()).await.is_ok() {
            return Ok(());
        }
        phase.send_replace(Phase::Closing);
        if timeout_at(deadline, phase.closed()).await.is_ok() {
            return Ok(());
        }
        let unfinished = phase.receiver_count();
        phase.send_replace(Phase::Over);
        phase.closed().await;
        if unfinished == 0 { Ok(()) } else { Err(Unfinished(unfinished)) }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // `connection` watches over heads and pauses itself: that costs no timer per request, tells the two apart, and holds for the first byte too.
    builder.http1().header_read_timeout(None).max_headers(MAX_HEADERS).max_buf_size(HEAD_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(128)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        .max_header_list_size(MAX_HEADER_LIST);
    builder
}
