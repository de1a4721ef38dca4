//! How long one request may go on reading, and how many may at once. Whoever walks through more than it can know beforehand pauses here
//! after each page of what they read: others get the thread, and a request whose time is over, or whose client has left, reads no further.
//! Long reads take turns, first come first served, so that many at once hold little memory and end one after another in
//! time, instead of all too late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use base::Clock;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::error::{Error, Result};

/// Pauses before a read counts as long: about a thousand records.
const SHORT: usize = 16;

/// What reading is allowed.
#[derive(Debug, Clone)]
pub struct Reading {
    /// How long one request may read.
    pub time: Duration,
    /// One for each long read that may go on.
    pub turns: Arc<Semaphore>,
}

impl Default for Reading {
    /// 20 seconds: well below the time in which a request must be answered at all, so that there is time to say why it is not.
    /// As many at once as there are processors.
    fn default() -> Self {
        let turns = thread::available_parallelism().map_or(2, usize::from);
        Self { time: Duration::from_secs(20), turns: Arc::new(Semaphore::new(turns)) }
    }
}

/// The moment at which a request stops reading.
#[derive(Debug)]
pub struct Deadline {
    clock: Clock,
    at: Duration,
    pauses: AtomicUsize,
    turns: Arc<Semaphore>,
    /// Given back with the deadline.
    turn: OnceCell<OwnedSemaphorePermit>,
}

impl Deadline {
    /// From now on.
    pub fn new(clock: &Clock, reading: &Reading) -> Self {
        Self {
            clock: clock.clone(),
            at: clock.elapsed().saturating_add(reading.time),
            pauses: AtomicUsize::new(0),
            turns: Arc::clone(&reading.turns),
            turn: OnceCell::new(),
        }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.clock.elapsed() >= self.at
    }

    /// Lets others have the thread, and waits for a turn where this is a long read, however late it is: for what has to be finished,
    /// since it would take as long the next time.
    pub async fn give_way(&self) -> Result<()> {
        tokio::task::yield_now().await;
        if self.pauses.fetch_add(1, Ordering::Relaxed) >= SHORT {
            let turn = self.turn.get_or_try_init(|| Arc::clone(&self.turns).acquire_owned());
            turn.await.map_err(|_| Error::Stopped)?;
        }
        Ok(())
    }

    /// Lets others have the thread, and waits for a turn where this is a long read; an error where the time is over.
    pub async fn pause(&self) -> Result<()> {
        // A client that has left is noticed meanwhile, and all of this is dropped.
        tokio::task::yield_now().await;
        if self.pauses.fetch_add(1, Ordering::Relaxed) >= SHORT && !self.turn.initialized() {
            let turn = self.turn.get_or_try_init(|| Arc::clone(&self.turns).acquire_owned());
            let left = self.at.saturating_sub(self.clock.elapsed());
            tokio::time::timeout(left, turn).await.map_err(|_| Error::TooSlow)?.map_err(|_| Error::Stopped)?;
        }
        if self.is_over() { Err(Error::TooSlow) } else { Ok(()) }
    }
}
