//! One connection, as the requests that come over it see it.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

use super::{activity::Activity, options::HEAD_BUFFER, sending::Sending, state::ServerState};
use crate::metrics::Connected;

/// Heads up to this size pass when all together are too many.
const USUAL_HEAD: u64 = 8 * 1024;

/// The connection that a request came over.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) shared: Arc<ServerState>,
    pub(super) activity: Arc<Activity>,
    /// Its answers.
    pub(super) sending: Sending,
    /// In its canonical form.
    pub(super) remote: IpAddr,
    /// The same as text, for the log.
    pub(super) remote_text: String,
    /// The address here that it came to; none through a Unix socket.
    pub(super) local: Option<IpAddr>,
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
        let memory = &self.shared.options.memory;
        held + bytes <= USUAL_HEAD || (all <= self.shared.options.max_heads && memory.held() <= memory.limit())
    }

    /// The head is complete, or will never be.
    pub(super) fn release_head(&self) {
        let held = self.activity.head_bytes.swap(0, Ordering::Relaxed);
        self.shared.head_bytes.fetch_sub(held, Ordering::Relaxed);
    }
}
