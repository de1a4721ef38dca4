//! Taking connections: fairly from all listeners, within the connection limits, and patiently while the system has no room. What is served on
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
    connection_limits::{ConnectionLimits, ConnectionPermit},
    drain::Phase,
    listener::{Accepted, Listener},
    rate_limited_log::RateLimitedLog,
};

/// The pause after an accept that failed for want of something (file descriptors, memory) that other connections will give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts until `shutdown` ends.
pub(super) async fn until(
    shutdown: impl Future<Output = ()>,
    listeners: &[Listener],
    limits: &ConnectionLimits,
    phase: &watch::Sender<Phase>,
    serve: &impl Fn(Accepted, ConnectionPermit),
) {
    let mut shutdown = pin!(shutdown);
    let (crowded_log, failing_log) = (RateLimitedLog::default(), RateLimitedLog::default());
    let mut turn = 0;
    loop {
        let permit = if let Some(permit) = limits.try_take() {
            permit
        } else {
            if crowded_log.allows() {
                tracing::warn!("all connections that the server may have are taken; new ones wait");
            }
            phase.send_replace(Phase::Crowded);
            let permit = tokio::select! {
                () = &mut shutdown => return,
                permit = limits.take() => permit,
            };
            phase.send_replace(Phase::Open);
            permit
        };
        // No listener can keep the others waiting.
        turn = (turn + 1) % listeners.len();
        let accepted = tokio::select! {
            () = &mut shutdown => return,
            accepted = poll_fn(|cx| poll_accept(listeners, turn, cx)) => accepted,
        };
        match accepted {
            Ok(accepted) => serve(accepted, permit),
            Err(error) if is_broken_already(&error) => {}
            Err(error) => {
                if failing_log.allows() {
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
pub(super) fn queued(listeners: Vec<Listener>, limits: &ConnectionLimits, serve: &impl Fn(Accepted, ConnectionPermit)) {
    for listener in listeners.into_iter().filter(|listener| !listener.is_inherited()) {
        let mut queue = match listener.into_queue() {
            Ok(queue) => queue,
            Err(error) => {
                tracing::error!(%error, "cannot accept what is queued");
                continue;
            }
        };
        while let Some(permit) = limits.try_take()
            && let Some(accepted) = queue.next()
        {
            match accepted {
                Ok(accepted) => serve(accepted, permit),
                Err(error) if is_broken_already(&error) => {}
                Err(_) => break,
            }
        }
    }
}

/// The one connection that was to be accepted broke before; the next may be fine.
fn is_broken_already(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
