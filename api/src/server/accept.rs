//! Taking connections: fairly from all listeners, while there are places, and patiently while the system has no room. What is served on
//! them is not decided here.

use std::{
    future::poll_fn,
    io,
    pin::pin,
    task::{Context, Poll},
};

use tokio::{
    sync::watch,
    time::{Duration, sleep},
};

use super::{
    Phase,
    listener::{Accepted, Listener},
    places::{Place, Places},
    seldom::Seldom,
};

/// The pause after an accept that failed for want of something (file descriptors, memory) that other connections will give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts until `shutdown` ends.
pub(super) async fn until(
    shutdown: impl Future<Output = ()>,
    listeners: &[Listener],
    places: &Places,
    phase: &watch::Sender<Phase>,
    serve: &impl Fn(Accepted, Place),
) {
    let mut shutdown = pin!(shutdown);
    let (crowded, failing) = (Seldom::default(), Seldom::default());
    let mut turn = 0;
    loop {
        let place = if let Some(place) = places.try_take() {
            place
        } else {
            if crowded.is_due() {
                tracing::warn!("all connections that the server may have are taken; new ones wait");
            }
            phase.send_replace(Phase::Crowded);
            let place = tokio::select! {
                () = &mut shutdown => return,
                place = places.take() => place,
            };
            phase.send_replace(Phase::Open);
            place
        };
        // No listener can keep the others waiting.
        turn = (turn + 1) % listeners.len();
        let accepted = tokio::select! {
            () = &mut shutdown => return,
            accepted = poll_fn(|cx| poll_accept(listeners, turn, cx)) => accepted,
        };
        match accepted {
            Ok(accepted) => serve(accepted, place),
            Err(error) if gone_already(&error) => {}
            Err(error) => {
                if failing.is_due() {
                    tracing::error!(%error, "cannot accept connections; trying again");
                }
                tokio::select! {
                    () = &mut shutdown => return,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}

/// A connection from the first listener that has one, beginning with that whose turn it is.
fn poll_accept(listeners: &[Listener], turn: usize, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
    for listener in listeners[turn..].iter().chain(&listeners[..turn]) {
        if let Poll::Ready(accepted) = listener.poll_accept(cx) {
            return Poll::Ready(accepted);
        }
    }
    Poll::Pending
}

/// Accepts what the kernel has queued, which would be reset with the listeners. What others listen for too is left to them.
pub(super) fn queued(listeners: Vec<Listener>, places: &Places, serve: &impl Fn(Accepted, Place)) {
    for listener in listeners.into_iter().filter(|listener| !listener.is_inherited()) {
        let mut queue = match listener.into_queue() {
            Ok(queue) => queue,
            Err(error) => {
                tracing::error!(%error, "cannot accept what is queued");
                continue;
            }
        };
        while let Some(place) = places.try_take()
            && let Some(accepted) = queue.next()
        {
            match accepted {
                Ok(accepted) => serve(accepted, place),
                Err(error) if gone_already(&error) => {}
                Err(_) => break,
            }
        }
    }
}

/// The one connection that was to be accepted broke before; the next may be fine.
fn gone_already(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
