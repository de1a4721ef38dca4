//! How the server stops without losing a request.
//!
//! 1. The signal comes. From now on every answer says `Connection: close`, and the listeners' queues are emptied: a connection that the
//!    kernel has accepted already would be reset with the listener. Sockets that systemd holds stay as they are.
//! 2. For a short time ([`LINGER`]) nothing else happens. A connection that is kept open between two requests may have its next request
//!    on the way; it is served, and its answer tells the client to go elsewhere.
//! 3. [`Phase::Closing`]: a connection on which nothing runs is closed, the others close with the answer that they work on.
//! 4. [`Phase::Over`], when the grace period ends: what still runs is dropped.
//!
//! The wait group is the channel that the phase is told through: every connection holds one of its receivers until it has ended, so the
//! drain is over when the sender sees no receiver any more. The deadline counts from the signal, so that the short pause of step 2 is a
//! part of the grace period.

use std::time::Duration;

use thiserror::Error;
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

/// After the signal to stop, connections that stay open between requests get this long to send one more and be told
/// `Connection: close`. Closing them at once would reset the ones whose next request is on its way.
const LINGER: Duration = Duration::from_millis(250);

/// What connections are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Go on.
    Open,
    /// The connection limit is reached: leave if you do nothing.
    Crowded,
    /// Finish what runs, then leave.
    Closing,
    /// Leave now.
    Over,
}

/// The end of a drain that ran out of time.
#[derive(Debug, Error)]
#[error("{0} connections still had work to do when the time to finish was over")]
pub struct Unfinished(pub usize);

/// Tells connections to leave, and waits for them.
pub(super) async fn drain(phase: watch::Sender<Phase>, grace: Duration) -> Result<(), Unfinished> {
    let deadline = Instant::now() + grace;
    if timeout(LINGER.min(grace), phase.closed()).await.is_ok() {
        return Ok(());
    }
    phase.send_replace(Phase::Closing);
    if timeout_at(deadline, phase.closed()).await.is_ok() {
        return Ok(());
    }
    let unfinished = phase.receiver_count();
    phase.send_replace(Phase::Over);
    phase.closed().await;
    if unfinished == 0 { Ok(()) } else { Err(Unfinished(unfinished)) }
}
