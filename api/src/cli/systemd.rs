//! What systemd is told while the server runs (`sd_notify`). Without systemd nothing happens. Sockets that it hands over are the server's.

use std::time::Duration;

use sd_notify::NotifyState;

/// Whether a service manager wants to hear of us.
pub(super) fn manages() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Requests are served, from now on or again.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The server is finishing what runs.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Settings are being read again; [`ready`] follows.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd cannot be told of the reload"),
    }
}

/// Says over and over that the server's tasks still get their turn, if systemd asks for that.
pub(super) async fn watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut next = tokio::time::interval((limit / 2).max(Duration::from_millis(1)));
    loop {
        next.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told how the server is");
    }
}
