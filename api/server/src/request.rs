//! What the server tells handlers of a request, as extensions of it, and what handlers tell the server. Routes read this module and
//! know nothing of the loop; the loop writes it and knows nothing of routes.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use common::user::User;

use crate::metrics::Route;

pub use logging::RequestId;

/// The client of a request, and how it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The client's address: the connection's, or what a trusted proxy says of its own client. An IPv4-mapped address is given as IPv4.
    pub client: IpAddr,
    /// Nobody on the way can read along: TLS, here or up to a trusted proxy.
    pub is_secure: bool,
}

/// What a handler's answer holds until it is sent, in bytes: an extension of answers that are made while they are sent, of what is held
/// already. The server charges it to the connection, as it does the bytes of an answer that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holds(pub u64);

/// What a handler tells of the request that it answers, for the log and the metrics. It is told along the way and not with the answer,
/// so that it is known too where there never is one: the client left, the time ran out, the handler panicked. Clones are the same
/// notes; what is noted first stays.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    route: OnceLock<Route>,
    user: OnceLock<Arc<User>>,
}

impl Notes {
    /// The URL belongs to this route.
    pub fn route(&self, route: Route) {
        let _ = self.0.route.set(route);
    }

    /// This user asks.
    pub fn user(&self, user: &Arc<User>) {
        let _ = self.0.user.set(Arc::clone(user));
    }

    /// Where nobody said, none.
    pub(super) fn noted_route(&self) -> Route {
        self.0.route.get().copied().unwrap_or(Route::NONE)
    }

    pub(super) fn noted_user(&self) -> Option<&Arc<User>> {
        self.0.user.get()
    }
}
