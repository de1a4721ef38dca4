//! One connection, as the requests that come over it see it.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use http::{HeaderMap, HeaderValue, header};

use super::{activity::Activity, options::HEAD_BUFFER, sending::Sending, state::ServerState};
use crate::metrics::Connected;

/// Heads up to this size pass when all together are too many.
const USUAL_HEAD: u64 = 8 * 1024;
/// Heads that cannot be read have more bytes than this, or more lines than fit into it.
const NOTED_FROM: usize = 1024;

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
    /// What a long head said so far, of what matters where nobody can read all of it.
    pub(super) said: Mutex<HeaderMap>,
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

    /// Notes that it sent frames for nothing, and is ended.
    pub(super) fn note_flood(&self) {
        self.shared.options.metrics.flooded();
        if self.shared.floods.allows() {
            tracing::warn!(address = %self.remote, "a connection was ended: over HTTP/2 it sent frames much faster than its requests need");
        }
    }

    /// Notes where a head comes from and what it accepts, for the answer to one that is too large to be read. Usual heads are smaller than
    /// those, and are not looked at.
    pub(super) fn note_head(&self, read: &[u8]) {
        if read.len() < NOTED_FROM {
            return;
        }
        for line in read.split(|byte| *byte == b'\n').skip(1) {
            for name in [header::ORIGIN, header::ACCEPT] {
                if let Some((said, value)) = line.split_at_checked(name.as_str().len())
                    && said.eq_ignore_ascii_case(name.as_str().as_bytes())
                    && let Some(value) = value.strip_prefix(b":")
                    && let Ok(value) = HeaderValue::from_bytes(value.trim_ascii())
                {
                    self.said().append(name, value);
                }
            }
        }
    }

    /// What [`Self::note_head`] found.
    pub(super) fn said(&self) -> MutexGuard<'_, HeaderMap> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head is complete, or will never be.
    pub(super) fn release_head(&self) {
        let held = self.activity.head_bytes.swap(0, Ordering::Relaxed);
        if held >= NOTED_FROM as u64 {
            self.said().clear();
        }
        self.shared.head_bytes.fetch_sub(held, Ordering::Relaxed);
    }
}
