//! The accept loop: a service (warp's, in practice) behind limits, deadlines and a drain. This crate is the only one that names hyper,
//! tower and rustls; it knows no routes, and routes know of it [`request`], [`metrics`], [`problem`], [`headers`] and [`origins`] alone. Signals and the command
//! line are the caller's.
//!
//! - `accept`, `listener`, `connection_limits`: taking connections, and from whom how many
//! - `connection`, `activity`, `stream`, `tls_stream`: what one connection may do, and for how long
//! - `exchange`, `answer`, `request_body`, `sending`, `multiplexed`, `headers`, `refusal`, `unreadable`: one request and its answer
//! - [`request`]: what handlers are told of a request, and tell the server
//! - [`problem`], [`metrics`]: how a problem document is answered, and what is counted
//! - `forwarded`: what proxies say of their clients
//! - `target`, `hosts`: which names the server answers to; [`origins`]: which pages may read answers
//! - `drain`: how the server stops

mod accept;
mod activity;
mod answer;
mod calm;
mod connection;
mod connection_limits;
mod drain;
mod exchange;
mod forwarded;
pub mod headers;
mod hosts;
mod io;
mod listener;
pub mod metrics;
mod multiplexed;
mod options;
pub mod origins;
mod peer;
pub mod problem;
mod rate_limited_log;
mod refusal;
pub mod request;
mod request_body;
mod sending;
mod state;
mod stream;
mod target;
mod tls;
mod tls_stream;
mod unreadable;

use std::{
    convert::Infallible,
    error::Error as StdError,
    io::Error as IoError,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Body;
use thiserror::Error;
use tokio::sync::watch;
use tower::Service;

use connection_limits::{ConnectionLimits, ConnectionPermit};
use drain::Phase;
use listener::Accepted;
use state::ServerState;

pub use drain::Unfinished;
#[doc(hidden)] // for `fuzz/`
pub use forwarded::client as claimed_client;
pub use forwarded::{TrustedProxy, TrustedProxyError};
pub use hosts::{AllowedHost, AllowedHostError, AllowedHosts};
pub use listener::{InvalidListenAddress, ListenAddress, Listener};
pub use options::{DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_PER_ADDRESS, ServerOptions};
pub use origins::{AllowedOrigin, AllowedOriginError, AllowedOrigins};
pub use request_body::{BodyError, RequestBody};
pub use tls::{Tls, TlsError};

/// Bound sockets that are not served yet: their ports are known before the first connection.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    options: ServerOptions,
}

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: ListenAddress,
    source: IoError,
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
        options.max_connections = connection_limits::within_open_files(options.max_connections);
        Self { listeners, options }
    }

    /// The addresses, with the ports that were really taken.
    pub fn addresses(&self) -> Result<Vec<ListenAddress>, IoError> {
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
        let limits = ConnectionLimits::new(options.max_connections, options.max_per_address);
        let listening = listeners.iter().filter_map(|listener| match listener.address() {
            Ok(ListenAddress::Tcp(address)) => Some(address.ip().to_canonical()),
            _ => None,
        });
        let listening = listening.collect();
        let shared = Arc::new(ServerState::new(options, listening));
        let phase = watch::Sender::new(Phase::Open);
        let serve = |accepted: Accepted, permit: ConnectionPermit| {
            let is_proxy = accepted.is_trusted(&shared.options.trusted_proxies);
            // A connection that is one too many for its address is closed here.
            let Some(permit) = permit.count_for(accepted.address(), is_proxy) else { return };
            let (shared, service, phase) = (shared.clone(), service.clone(), phase.subscribe());
            tokio::spawn(async move {
                connection::serve(accepted, is_proxy, shared, service, phase).await;
                drop(permit);
            });
        };

        accept::until(shutdown, &listeners, &limits, &phase, &serve).await;

        shared.draining.store(true, Ordering::Relaxed);
        accept::queued(listeners, &limits, &serve);
        drain::drain(phase, shared.options.grace).await
    }
}
