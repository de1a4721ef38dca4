//! How long one request may go on reading. Whoever walks through more than it can know beforehand pauses here after each
//! stretch: others get the thread, and a request whose time is over, or whose client has left, reads no further.

use std::time::Duration;

use super::{App, Error, Result};
use crate::auth::clock::Clock;

/// Well below the time in which a request must be answered at all, so that there is time to say why it is not.
pub const QUERY_TIME: Duration = Duration::from_secs(20);

/// The moment at which a request stops reading.
#[derive(Debug)]
pub struct Deadline {
    clock: Clock,
    at: Duration,
}

impl Deadline {
    /// From now on.
    pub fn of(app: &App) -> Self {
        Self { clock: app.clock.clone(), at: app.clock.elapsed().saturating_add(app.query_time) }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.clock.elapsed() >= self.at
    }

    /// Lets others have the thread; an error where the time is over.
    pub async fn pause(&self) -> Result<()> {
        // A client that has left is noticed meanwhile, and all of this is dropped.
        tokio::task::yield_now().await;
        if self.is_over() { Err(Error::TooSlow) } else { Ok(()) }
    }
}
