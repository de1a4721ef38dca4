//! Answers on their way out: what they hold is charged, to the budget and to their connection, and how fast the client takes each is
//! noted, since HTTP/2 lets a client leave an answer alone while its connection is busy.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use base::{Charge, MemoryBudget, OutOfMemory};
use futures_util::future::AbortHandle;
use tokio::time::{Duration, Instant};

/// A connection's answers may take this part of the budget.
const SHARE_OF_CONNECTION: u64 = 4;
/// How fast a client has to take an answer once it had time to begin: bytes in a second.
const SLOWEST: u64 = 1024;

/// The answers of one connection that are not wholly handed over.
#[derive(Debug)]
pub(super) struct Sending {
    share: MemoryBudget,
    answers: Mutex<Vec<Arc<Progress>>>,
}

/// How far an answer is.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    /// HTTP/2: a client can leave it alone and take others, and it can end alone. Where there is one answer at a time, its connection is watched
    /// instead, which knows better what the client took.
    alone: Option<AbortHandle>,
    /// Milliseconds after it began at which the client took something last.
    taken: AtomicU64,
    sent: AtomicU64,
    /// What is to be sent next is not there yet; the client is not to blame.
    unmade: AtomicBool,
    /// Milliseconds after it began at which that was so last, and for how many it was so before in all.
    unmade_since: AtomicU64,
    unmade_for: AtomicU64,
}

impl Sending {
    /// Of the connection's share of `budget`.
    pub(super) fn new(budget: &MemoryBudget) -> Self {
        Self { share: budget.part(budget.limit() / SHARE_OF_CONNECTION), answers: Mutex::default() }
    }

    /// Charges what an answer holds.
    pub(super) fn hold(&self, bytes: u64) -> Result<Charge, OutOfMemory> {
        self.share.charge(bytes)
    }

    /// An answer begins. What ends it without its connection is there over HTTP/2.
    pub(super) fn begin(&self, alone: Option<AbortHandle>) -> Arc<Progress> {
        let progress = Arc::new(Progress {
            began: Instant::now(),
            alone,
            taken: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            unmade: AtomicBool::new(false),
            unmade_since: AtomicU64::new(0),
            unmade_for: AtomicU64::new(0),
        });
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&progress));
        progress
    }

    /// An answer is sent, or never will be.
    pub(super) fn end(&self, ended: &Arc<Progress>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = answers.iter().position(|progress| Arc::ptr_eq(progress, ended)) {
            answers.swap_remove(place);
        }
    }

    /// Ends answers that the client takes too slowly; whether one of them ends with its connection only.
    ///
    /// An answer that is left alone can keep the window of the whole connection, and so hold up others. Half of those that are overdue end at a
    /// time, the longest ones, and the others have until the next look.
    pub(super) fn end_stalled(&self, patience: Duration) -> bool {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stalled: Vec<_> = answers.iter().filter(|progress| progress.is_stalled(patience)).collect();
        stalled.sort_by_key(|progress| progress.began + Duration::from_millis(progress.taken.load(Relaxed)));
        for progress in stalled.iter().take(stalled.len().div_ceil(2)) {
            let Some(alone) = &progress.alone else { return true };
            alone.abort();
        }
        false
    }
}

impl Progress {
    /// The client took so many bytes.
    pub(super) fn took(&self, bytes: usize) {
        let now = self.now();
        self.sent.fetch_add(bytes as u64, Relaxed);
        if self.unmade.swap(false, Relaxed) {
            let waited = now.saturating_sub(self.unmade_since.load(Relaxed));
            self.unmade_for.fetch_add(waited, Relaxed);
        }
        self.taken.store(now, Relaxed);
    }

    /// The client would take more, and there is none yet.
    pub(super) fn waits(&self) {
        if !self.unmade.load(Relaxed) {
            self.unmade_since.store(self.now(), Relaxed);
            self.unmade.store(true, Relaxed);
        }
    }

    /// Milliseconds since it began.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_stalled(&self, patience: Duration) -> bool {
        if self.unmade.load(Relaxed) {
            return false;
        }
        let elapsed = Duration::from_millis(self.now());
        let idle = elapsed.saturating_sub(Duration::from_millis(self.taken.load(Relaxed)));
        let fair = patience + Duration::from_millis(self.sent.load(Relaxed) * 1000 / SLOWEST);
        let by_client = elapsed.saturating_sub(Duration::from_millis(self.unmade_for.load(Relaxed)));
        self.alone.is_some() && idle >= patience || by_client >= fair
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn m1_one_connection_holds_its_share_and_others_still_get_theirs() {
        let budget = MemoryBudget::new(1_000_000);
        let (one, other) = (Sending::new(&budget), Sending::new(&budget));
        let held: Vec<_> = (0..5).map_while(|_| one.hold(100_000).ok()).collect();
        assert_eq!(held.len(), 2, "a quarter");
        assert!(other.hold(100_000).is_ok());
        drop(held);
        assert_eq!(budget.held(), 0);
    }

    /// An answer over HTTP/2, and whether it was ended.
    fn alone(sending: &Sending) -> (Arc<Progress>, impl Fn() -> bool) {
        let (end, _) = AbortHandle::new_pair();
        let progress = sending.begin(Some(end.clone()));
        (progress, move || end.is_aborted())
    }

    #[tokio::test(start_paused = true)]
    async fn m1_an_answer_that_nobody_takes_is_given_up_and_one_that_is_being_made_is_not() {
        let sending = Sending::new(&MemoryBudget::unlimited());
        let ((_left, left_has_ended), (made, made_has_ended)) = (alone(&sending), alone(&sending));
        made.waits();
        advance(Duration::from_secs(29)).await;
        assert!(!sending.end_stalled(PATIENCE) && !left_has_ended());
        advance(Duration::from_secs(1)).await;
        assert!(!sending.end_stalled(PATIENCE), "the connection stays");
        assert_eq!((left_has_ended(), made_has_ended()), (true, false), "the other one waits for the server");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_wait_for_the_window_that_another_one_keeps_have_a_moment_when_it_is_gone() {
        let sending = Sending::new(&MemoryBudget::unlimited());
        let (keeps, keeps_has_ended) = alone(&sending);
        let (waits, waits_has_ended) = alone(&sending);
        advance(Duration::from_millis(1)).await;
        waits.took(1);
        advance(PATIENCE).await;
        sending.end_stalled(PATIENCE);
        assert_eq!((keeps_has_ended(), waits_has_ended()), (true, false));
        sending.end(&keeps);
        sending.end_stalled(PATIENCE);
        assert!(waits_has_ended(), "it was not the other one");
    }

    #[tokio::test(start_paused = true)]
    async fn m1_an_answer_that_is_taken_byte_by_byte_is_given_up_and_one_over_a_slow_line_is_not() {
        let sending = Sending::new(&MemoryBudget::unlimited());
        let ((dropwise, dropwise_has_ended), (slowly, slowly_has_ended)) = (alone(&sending), alone(&sending));
        for _ in 0..4 {
            advance(Duration::from_secs(10)).await;
            dropwise.took(10);
            slowly.took(40_000);
        }
        assert!(!sending.end_stalled(PATIENCE));
        assert_eq!((dropwise_has_ended(), slowly_has_ended()), (true, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_on_which_nothing_happens_for_long_is_not_too_slow_when_something_does() {
        let sending = Sending::new(&MemoryBudget::unlimited());
        let events = sending.begin(None);
        events.waits();
        advance(Duration::from_hours(1)).await;
        events.waits();
        events.took(100);
        assert!(!sending.end_stalled(PATIENCE), "the client had nothing to take");
        advance(Duration::from_secs(31)).await;
        assert!(sending.end_stalled(PATIENCE), "and now it leaves something alone");
    }
}
