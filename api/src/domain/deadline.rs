//! How long one request may go on reading, and how many may at once. Whoever walks through more than it can know beforehand pauses here
//! before each page of what they read: others get the thread and the turn, and a request whose time is over, or whose client has left, reads no further.
//! A turn is held for a moment and then goes on to the next caller: see [`super::turns`].

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use base::Clock;
use tokio::time::timeout;

use super::{
    error::{Error, Result},
    turns::{Admission, At, Turn, TurnOf, Turns},
    work,
};

/// The first stretch is read without a turn, and then the end is seen: most requests read no more.
const FREE: usize = 2;
/// How long a turn is held while others wait.
const TURN: Duration = Duration::from_millis(10);

/// What reading is allowed.
#[derive(Debug, Clone)]
pub struct Reading {
    /// How long one request may read, its waits for a turn left out.
    pub time: Duration,
    /// How long it may wait for turns in all.
    pub wait: Duration,
    /// Its answer is made while it is taken: its turns come after those of the caller's other requests.
    pub is_long: bool,
    /// Who reads.
    pub turns: Turns,
}

impl Default for Reading {
    /// 20 seconds each: both together are below the time in which a request must be answered at all, so that there is time to say why it is
    /// not. As many at once as there are processors.
    fn default() -> Self {
        let turns = thread::available_parallelism().map_or(2, usize::from);
        Self { time: Duration::from_secs(20), wait: Duration::from_secs(20), is_long: false, turns: Turns::new(turns) }
    }
}

/// The moment at which a request stops reading.
#[derive(Debug)]
pub struct Deadline {
    clock: Clock,
    reading: Reading,
    turn_of: TurnOf,
    began: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Pauses so far.
    pauses: usize,
    /// There was a turn before.
    has_begun: bool,
    /// For turns.
    waited: Duration,
    /// The turn that is held, and since when.
    turn: Option<(Turn, Duration)>,
}

impl Deadline {
    /// From now on, for the running request.
    pub fn new(clock: &Clock, reading: &Reading) -> Self {
        Self {
            clock: clock.clone(),
            reading: reading.clone(),
            turn_of: work::turn_of(),
            began: clock.elapsed(),
            state: Mutex::default(),
        }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        let elapsed = self.clock.elapsed().saturating_sub(self.began);
        elapsed.saturating_sub(self.state().waited) >= self.reading.time
    }

    /// Lets others have the thread, and waits for a turn, however late it is: for what has to be finished, since it would take as long the
    /// next time.
    pub async fn give_way(&self) -> Result<()> {
        tokio::task::yield_now().await;
        self.take_turn().await
    }

    /// Lets others have the thread, and waits for a turn; an error where the time is over.
    pub async fn pause(&self) -> Result<()> {
        // A client that has left is noticed meanwhile, and all of this is dropped.
        tokio::task::yield_now().await;
        self.take_turn().await?;
        if self.is_over() { Err(Error::TooSlow) } else { Ok(()) }
    }

    /// Gives the turn back, before something else is waited for.
    pub fn give_back(&self) {
        self.state().turn = None;
    }

    async fn take_turn(&self) -> Result<()> {
        let now = self.clock.elapsed();
        let (over, goes_on) = {
            let mut state = self.state();
            state.pauses += 1;
            if state.pauses <= FREE {
                return Ok(());
            }
            match &state.turn {
                Some((_, since)) if now.saturating_sub(*since) < TURN || !self.reading.turns.is_wanted() => {
                    return Ok(());
                }
                _ => (state.turn.take(), std::mem::replace(&mut state.has_begun, true)),
            }
        };
        // One lines up again before the turn goes on, so as not to lose the place to who comes now.
        let at = match (goes_on, self.reading.is_long) {
            (false, _) => At::Arrival,
            (true, false) => At::Front,
            (true, true) => At::Back,
        };
        let place = self.reading.turns.line_up(self.turn_of, at).map_err(|_| Error::Busy)?;
        drop(over);
        let turn = match place {
            Admission::Now(turn) => turn,
            Admission::Later(turn) => {
                let left = self.reading.wait.saturating_sub(self.state().waited);
                let turn = timeout(left, turn).await.map_err(|_| Error::Busy)?;
                turn.map_err(|_| Error::Stopped)?
            }
        };
        let mut state = self.state();
        let since = self.clock.elapsed();
        state.waited += since.saturating_sub(now);
        state.turn = Some((turn, since));
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
