//! What all connections share: the options, hyper's settings, and how many bytes they hold together.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU64},
    time::Duration,
};

use hyper_util::{rt::TokioTimer, server::conn::auto};

use super::{
    multiplexed::Tasks,
    options::{HEAD_BUFFER, MAX_HEADER_LIST, MAX_HEADERS, ServerOptions},
    rate_limited_log::{PerText, RateLimitedLog},
};

/// How much of all bodies together, and of each, a client may send over HTTP/2 before anybody has read it.
const CONNECTION_WINDOW: u32 = 512 * 1024;
const STREAM_WINDOW: u32 = 256 * 1024;
/// How much of each answer waits in HTTP/2's own buffers.
const STREAM_SEND_BUFFER: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) options: ServerOptions,
    /// The addresses that are listened on, canonical.
    pub(super) listening: Vec<IpAddr>,
    /// What is told of hosts and of origins that are refused.
    pub(super) foreign_hosts: PerText,
    pub(super) foreign_origins: PerText,
    /// What is told of clients that send frames for nothing.
    pub(super) floods: RateLimitedLog,
    pub(super) http: auto::Builder<Tasks>,
    /// Answers say `Connection: close`.
    pub(super) draining: AtomicBool,
    /// Bytes of the bodies of all requests under way.
    pub(super) body_bytes: AtomicU64,
    /// Bytes of all heads on their way in.
    pub(super) head_bytes: AtomicU64,
}

impl ServerState {
    pub(super) fn new(options: ServerOptions, listening: Vec<IpAddr>) -> Self {
        Self {
            options,
            listening,
            foreign_hosts: PerText::default(),
            foreign_origins: PerText::default(),
            floods: RateLimitedLog::default(),
            http: builder(),
            draining: AtomicBool::new(false),
            body_bytes: AtomicU64::new(0),
            head_bytes: AtomicU64::new(0),
        }
    }
}

fn builder() -> auto::Builder<Tasks> {
    let mut builder = auto::Builder::new(Tasks);
    // `connection` watches over heads and pauses itself: that costs no timer per request, tells the two apart, and holds for the first byte too.
    builder.http1().header_read_timeout(None).max_headers(MAX_HEADERS).max_buf_size(HEAD_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(128)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_stream_window_size(STREAM_WINDOW)
        .max_send_buf_size(STREAM_SEND_BUFFER)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        .max_header_list_size(MAX_HEADER_LIST);
    builder
}
