//! What the loop allows, and what it starts from.

use std::{sync::Arc, time::Duration};

use base::{Clock, Entropy, IdSource, MemoryBudget};
use http::Method;

use super::{forwarded::TrustedProxy, hosts::AllowedHosts, listener::ListenAddress, origins::AllowedOrigins, tls::Tls};
use crate::metrics;

/// Room for a request's head. Above the 64 KiB that a head may have, so that a URL that is too long is told from headers that are too many.
pub(super) const HEAD_BUFFER: usize = 128 * 1024;
/// All header lines of one request together.
pub(super) const MAX_HEADER_LIST: u32 = 64 * 1024;
/// Header lines of one request.
pub(super) const MAX_HEADERS: usize = 100;

/// [`ServerOptions::max_connections`], unless the operator says otherwise.
pub const DEFAULT_MAX_CONNECTIONS: u32 = 4096;
/// [`ServerOptions::max_per_address`], unless the operator says otherwise.
pub const DEFAULT_MAX_PER_ADDRESS: u32 = 128;

/// What the loop allows. [`Default`] is meant for the open internet.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where to listen. [`Server::addresses`](super::Server::addresses) tells which ports were taken where any would do.
    pub listen: Vec<ListenAddress>,
    /// The permissions of socket files.
    pub socket_mode: u32,
    /// TLS on all addresses that are no Unix sockets.
    pub tls: Option<Tls>,
    /// Connections in all, or fewer where the limit on open files leaves no room for them. Beyond that new ones wait in the kernel, and those that stay open without need are closed early.
    pub max_connections: usize,
    /// Connections from one address (one /64 network for IPv6). Further ones are closed at once. Loopback and trusted proxies are
    /// exempt: a proxy speaks for many.
    pub max_per_address: usize,
    /// Whose word about clients behind them is taken.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// Which hosts are answered to.
    pub hosts: AllowedHosts,
    /// Which paths are answered whatever host is asked for: supervisors ask by whatever address they have.
    pub is_any_hosts: fn(&str) -> bool,
    /// Pages of which other origins may read answers.
    pub origins: AllowedOrigins,
    /// Which paths are for pages of this server alone, whatever origins are allowed: those that read a cookie.
    pub is_own_pages: fn(&str) -> bool,
    /// Which requests bring a file that their handler takes as it comes: it may be of any length, and its deadline is for silence.
    pub is_upload: fn(&Method, &str) -> bool,
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
    /// What heads, bodies and answers are charged to.
    pub memory: MemoryBudget,
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
            // What it is called, only whoever runs it knows.
            hosts: AllowedHosts::Any,
            is_any_hosts: |_| false,
            origins: AllowedOrigins::default(),
            is_own_pages: |_| false,
            is_upload: |_, _| false,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            handler_timeout: Duration::from_mins(1),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            max_body: 10 * 1024 * 1024,
            max_bodies: 128 * 1024 * 1024,
            memory: MemoryBudget::unlimited(),
            max_heads: 32 * 1024 * 1024,
            grace: Duration::from_secs(30),
            // Names, not secrets: a generator of our own spares every request a system call.
            ids: IdSource::new(Clock::system(), Entropy::seeded(u64::from_ne_bytes(Entropy::system().bytes()))),
            metrics: Arc::default(),
        }
    }
}
