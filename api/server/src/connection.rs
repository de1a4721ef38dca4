//! One connection from accept to close: hyper serves it, and this watches over its deadlines and tells it of the drain.

use std::{
    convert::Infallible,
    error::Error as StdError,
    pin::pin,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::watch,
    time::{Duration, MissedTickBehavior, interval},
};
use tower::Service;

use super::{
    activity::{Activity, ClosePressure, Overdue},
    answer,
    drain::Phase,
    io::Io,
    listener::Accepted,
    peer::Peer,
    request_body::RequestBody,
    sending::Sending,
    state::ServerState,
    stream::Watched,
    tls_stream::TlsOrPlain,
};

/// How often a connection is looked at while it has the time for one head: it is closed at most a quarter late.
const LOOKS_PER_HEAD: u32 = 4;
/// An interval cannot be zero.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
/// How often it is looked at while the server stops.
const CLOSING_LOOK: Duration = Duration::from_millis(100);

/// Where memory is short, a client has so much less time to take its answer.
const SHORT_PATIENCE: u32 = 3;

/// Serves until the client leaves, something is overdue, or the server stops.
pub(super) async fn serve<S, B>(
    accepted: Accepted,
    is_proxy: bool,
    shared: Arc<ServerState>,
    service: S,
    mut phase: watch::Receiver<Phase>,
) where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let activity = Arc::new(Activity::new());
    let (remote, local) = (accepted.address(), accepted.local_address());
    let (stream, is_tls): (Box<dyn Io>, bool) = match (accepted, &shared.options.tls) {
        (Accepted::Tcp(stream, _), tls) => {
            // Answers are written whole; waiting for more to fill a packet only delays them. It fails where the client has left already.
            let _ = stream.set_nodelay(true);
            match tls {
                Some(tls) => (Box::new(TlsOrPlain::new(stream, tls.clone(), activity.clone())), true),
                None => (Box::new(stream), false),
            }
        }
        (Accepted::Unix(stream), _) => (Box::new(stream), false),
    };
    let peer = Arc::new(Peer {
        shared: shared.clone(),
        activity: activity.clone(),
        sending: Sending::new(&shared.options.memory),
        remote,
        remote_text: remote.to_string(),
        local,
        is_proxy,
        is_tls,
        said: Mutex::default(),
        _connected: shared.options.metrics.connected(),
    });
    let stream = TokioIo::new(Watched::new(stream, peer.clone()));
    let watched = peer.clone();
    // In a box that goes with the head of the answer: an answer may last, and what made it is large.
    let service =
        service_fn(move |request: Request<Incoming>| Box::pin(answer::answer(peer.clone(), service.clone(), request)));
    let mut connection = pin!(shared.http.serve_connection(stream, service));

    let mut look = interval((shared.options.header_timeout / LOOKS_PER_HEAD).max(SHORTEST_LOOK));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut leaving = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%remote, %error, "connection broke off");
                }
                return;
            }
            changed = phase.changed() => if changed.is_err() { return },
            _ = look.tick() => {}
        }
        let now = *phase.borrow_and_update();
        if now == Phase::Over {
            return;
        }
        if now == Phase::Closing && look.period() > CLOSING_LOOK {
            look = interval(CLOSING_LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let hurry = match now {
            Phase::Crowded => ClosePressure::Crowded,
            Phase::Closing => ClosePressure::Closing,
            Phase::Open | Phase::Over => ClosePressure::None,
        };
        let overdue = activity.overdue(&shared.options, hurry);
        let overdue = overdue.or_else(|| watched.sending.end_stalled(patience(&shared)).then_some(Overdue::Write));
        match overdue {
            // It had its chance to leave in good order at an earlier look.
            Some(_) if leaving => return,
            Some(what @ (Overdue::Head | Overdue::Write)) => {
                tracing::debug!(%remote, ?what, "connection closed: too slow");
                return;
            }
            Some(Overdue::Idle) => {}
            None if now == Phase::Closing => {}
            None => continue,
        }
        if !leaving {
            leaving = true;
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// How long a client may leave an answer alone: less where others need the memory.
fn patience(shared: &ServerState) -> Duration {
    let usual = shared.options.write_timeout;
    if shared.options.memory.is_short() { usual / SHORT_PATIENCE } else { usual }
}
