//! One request and its answer, from the request's head to the last byte of the answer: its id, its time, what became of it, and its
//! line in the access log.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, StatusCode, Version};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    forwarded,
    origins::CrossOrigin,
    peer::Peer,
    request::{Connection, Notes, RequestId},
};
use crate::{
    metrics::{Failed, Outcome},
    problem::Representation,
};

/// An exchange under way. Dropping it ends it and logs it: there is no way out that is not noted.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) peer: Arc<Peer>,
    pub(super) id: RequestId,
    pub(super) connection: Connection,
    pub(super) notes: Notes,
    /// What the answer says to a page of another origin.
    pub(super) cross_origin: CrossOrigin,
    pub(super) version: Version,
    pub(super) started: Instant,
    /// How the client is told that something is wrong.
    pub(super) errors: Representation,
    /// None until there is an answer.
    pub(super) status: Option<StatusCode>,
    method: Method,
    sent: u64,
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
        let options = &peer.shared.options;
        let cross_origin = options.origins.decide(request.headers(), || (options.is_own_pages)(request.uri().path()));
        let exchange = Self {
            id: RequestId::new(peer.shared.options.ids.next_id()),
            peer,
            connection,
            method: request.method().clone(),
            notes: Notes::default(),
            cross_origin,
            errors: Representation::of(request.headers()),
            version,
            started: Instant::now(),
            status: None,
            sent: 0,
        };
        (exchange, host)
    }

    /// Counts bytes of the answer's body.
    pub(super) fn count(&mut self, bytes: usize) {
        self.sent += bytes as u64;
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
        let metrics = &self.peer.shared.options.metrics;
        metrics.end(outcome);
        if let Some(status) = self.status.filter(StatusCode::is_server_error) {
            let (id, method, user) = (self.id, self.method.clone(), user.cloned());
            metrics.remember(Failed { id, method, route, status, time, user });
        }
        // The route's template and never the URL: an id may tell too much, a query or a path of nothing may hold a token. The client's IP
        // address is in the line.
        tracing::info!(
            target: logging::ACCESS,
            // Explicitly, since the last byte is sent by the connection's task, which works on no request.
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
