//! What a handler tells the server of the request that it answers, for the log and the metrics. It is told along the way and not
//! with the answer, so that it is known too where there never is one: the client left, the time ran out, the handler panicked.

use std::sync::{Arc, OnceLock};

use common::user::User;

use crate::metrics::Route;

/// Notes on one request: an extension of it. Clones are the same notes; what is noted first stays.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    route: OnceLock<Route>,
    user: OnceLock<Arc<User>>,
}

impl Notes {
    /// The address belongs to this route.
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
