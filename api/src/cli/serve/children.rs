//! Processes that end as children of the server, which starts none: what ran before it under its process id, and, as the first process of a container, whatever
//! lost its parent there. Nobody else waits for them, and without that they are never gone.

use std::io;

use rustix::process::{WaitOptions, waitpid};
use tokio::signal::unix::{SignalKind, signal};

/// Waits for each that ends. The signal is listened to from the call on.
pub(super) fn reap() -> io::Result<impl Future<Output = ()>> {
    let mut ended = signal(SignalKind::child())?;
    Ok(async move {
        loop {
            // One signal can stand for several, and some may have ended before.
            while matches!(waitpid(None, WaitOptions::NOHANG), Ok(Some(_))) {}
            if ended.recv().await.is_none() {
                return;
            }
        }
    })
}
