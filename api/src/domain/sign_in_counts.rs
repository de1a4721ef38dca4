//! How many sign-ins there were.

use std::sync::atomic::AtomicU64;

/// How many sign-ins there were since the server started.
#[derive(Debug, Default)]
pub struct SignInCounts {
    /// A session began.
    pub good: AtomicU64,
    /// The name or the password was wrong.
    pub bad: AtomicU64,
    /// They were not looked at, since there had been too many wrong ones.
    pub locked: AtomicU64,
}
