//! What one connection is doing, in a few atomics, so that its deadlines cost no timer per request: every part that sees
//! something happen notes it here, and `connection` looks now and then whether something is overdue. Nothing here closes anything.

use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use tokio::time::{Duration, Instant};

use super::options::ServerOptions;

/// How long a connection that does nothing may stay while others wait for a connection.
const CROWDED_IDLE: Duration = Duration::from_secs(1);

/// How long a head may be on its way while the server stops, and how long a connection may then do nothing else.
const CLOSING_HEAD: Duration = Duration::from_secs(1);
const CLOSING_IDLE: Duration = Duration::from_secs(3);

/// Who waits for the connection to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosePressure {
    /// Nobody.
    None,
    /// Others who want to connect.
    Crowded,
    /// The server, which stops.
    Closing,
}

/// Notes of what a connection does and since when.
#[derive(Debug)]
pub(super) struct Activity {
    accepted: Instant,
    /// Requests whose answer is not wholly handed over yet.
    running: AtomicUsize,
    /// Requests so far were more than none.
    asked: AtomicBool,
    /// HTTP/2, where bytes arrive that belong to no request.
    multiplexed: AtomicBool,
    /// All bytes of the answers so far are out.
    between: AtomicBool,
    /// Plain HTTP where TLS is spoken.
    plain: AtomicBool,
    quiet: Stamp,
    head: Stamp,
    /// Bytes of a head that is not complete.
    pub(super) head_bytes: AtomicU64,
    blocked: Stamp,
}

/// What a connection took too long for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Sending the head of a request.
    Head,
    /// Taking its answer.
    Write,
    /// Sending another request.
    Idle,
}

/// Milliseconds after the connection was accepted, plus one; 0 for never.
#[derive(Debug, Default)]
struct Stamp(AtomicU64);

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            accepted: Instant::now(),
            running: AtomicUsize::new(0),
            asked: AtomicBool::new(false),
            multiplexed: AtomicBool::new(false),
            between: AtomicBool::new(true),
            plain: AtomicBool::new(false),
            quiet: Stamp(AtomicU64::new(1)),
            head: Stamp::default(),
            head_bytes: AtomicU64::new(0),
            blocked: Stamp::default(),
        }
    }

    /// A request's head is read.
    pub(super) fn begin(&self, multiplexed: bool) {
        self.running.fetch_add(1, AcqRel);
        self.head.clear();
        self.between.store(false, Relaxed);
        if !self.asked.load(Relaxed) {
            self.multiplexed.store(multiplexed, Relaxed);
            self.asked.store(true, Release);
        }
    }

    /// A request's answer is handed over, or will never be.
    pub(super) fn end(&self) {
        self.quiet.set(self.now());
        self.running.fetch_sub(1, AcqRel);
    }

    /// Everything that was handed over to be written is written.
    pub(super) fn flushed(&self) {
        if self.running.load(Acquire) == 0 {
            self.between.store(true, Relaxed);
        }
    }

    /// Whether bytes that are to be written now belong to no answer of ours. It is asked by the task that writes and serves alike.
    pub(super) fn is_between(&self) -> bool {
        self.between.load(Relaxed)
    }

    /// The client speaks plain HTTP where TLS is spoken.
    pub(super) fn set_plain(&self) {
        self.plain.store(true, Release);
    }

    /// Whether it does.
    pub(super) fn is_plain(&self) -> bool {
        self.plain.load(Acquire)
    }

    /// Bytes came in. Whether they belong to a head.
    pub(super) fn received(&self) -> bool {
        let is_head = self.running.load(Acquire) == 0 && !self.multiplexed.load(Relaxed);
        if is_head && self.head.is_never() {
            self.head.set(self.now());
        }
        is_head
    }

    /// The client takes no bytes at the moment.
    pub(super) fn blocked(&self) {
        if self.blocked.is_never() {
            self.blocked.set(self.now());
        }
    }

    /// The client took some.
    pub(super) fn sent(&self) {
        if !self.blocked.is_never() {
            self.blocked.clear();
            self.quiet.set(self.now());
        }
    }

    /// What the connection takes too long for.
    pub(super) fn overdue(&self, options: &ServerOptions, hurry: ClosePressure) -> Option<Overdue> {
        let now = self.now();
        if let Some(since) = self.blocked.since(now) {
            return (since >= options.write_timeout).then_some(Overdue::Write);
        }
        if self.running.load(Acquire) > 0 {
            return None;
        }
        let for_head = match hurry {
            // Nothing is lost: a request without a whole head is none yet.
            ClosePressure::Closing => options.header_timeout.min(CLOSING_HEAD),
            ClosePressure::None | ClosePressure::Crowded => options.header_timeout,
        };
        if self.head.since(now).is_some_and(|since| since >= for_head) {
            return Some(Overdue::Head);
        }
        let (pause, overdue) = if self.asked.load(Acquire) {
            (options.idle_timeout, Overdue::Idle)
        } else {
            (options.header_timeout, Overdue::Head)
        };
        let pause = match hurry {
            ClosePressure::None => pause,
            ClosePressure::Crowded => pause.min(CROWDED_IDLE),
            ClosePressure::Closing => pause.min(CLOSING_IDLE),
        };
        self.quiet.since(now).is_some_and(|since| since >= pause).then_some(overdue)
    }

    fn now(&self) -> Duration {
        self.accepted.elapsed()
    }
}

impl Stamp {
    fn set(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1) + 1, Release);
    }

    fn clear(&self) {
        // Most of the time there is nothing to clear, and reading is cheaper than writing.
        if !self.is_never() {
            self.0.store(0, Release);
        }
    }

    fn is_never(&self) -> bool {
        self.0.load(Acquire) == 0
    }

    fn since(&self, now: Duration) -> Option<Duration> {
        match self.0.load(Acquire) {
            0 => None,
            stamp => Some(now.saturating_sub(Duration::from_millis(stamp - 1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn options() -> ServerOptions {
        ServerOptions {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            ..ServerOptions::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn n1_a_connection_that_says_nothing_is_overdue_with_its_first_head() {
        let activity = Activity::new();
        advance(Duration::from_millis(9_999)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::None), None);
        advance(Duration::from_millis(1)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::None), Some(Overdue::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn n1_further_bytes_do_not_extend_the_time_for_a_head() {
        let activity = Activity::new();
        activity.begin(false);
        activity.end();
        advance(Duration::from_mins(1)).await;
        for _ in 0..10 {
            activity.received();
            assert_eq!(activity.overdue(&options(), ClosePressure::None), None);
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(activity.overdue(&options(), ClosePressure::None), Some(Overdue::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn n1_a_pause_between_requests_may_be_longer_unless_others_wait() {
        let activity = Activity::new();
        activity.begin(false);
        activity.end();
        advance(Duration::from_secs(74)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::None), None);
        assert_eq!(activity.overdue(&options(), ClosePressure::Crowded), Some(Overdue::Idle));
        advance(Duration::from_secs(1)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::None), Some(Overdue::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_runs_is_never_idle() {
        let activity = Activity::new();
        activity.received();
        activity.begin(false);
        advance(Duration::from_hours(1)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::Crowded), None);
        activity.end();
        assert_eq!(
            activity.overdue(&options(), ClosePressure::Crowded),
            None,
            "the pause begins with the end of the answer"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn n1_a_client_that_takes_no_bytes_is_overdue_and_a_slow_one_is_not() {
        let activity = Activity::new();
        activity.begin(false);
        for _ in 0..10 {
            activity.blocked();
            advance(Duration::from_secs(29)).await;
            activity.blocked();
            assert_eq!(activity.overdue(&options(), ClosePressure::Crowded), None);
            activity.sent();
        }
        activity.blocked();
        advance(Duration::from_secs(30)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::None), Some(Overdue::Write));
    }

    #[tokio::test(start_paused = true)]
    async fn n1_a_head_on_its_way_does_not_hold_up_a_server_that_stops() {
        let activity = Activity::new();
        activity.received();
        assert_eq!(activity.overdue(&options(), ClosePressure::Closing), None);
        advance(CLOSING_HEAD).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::None), None);
        assert_eq!(activity.overdue(&options(), ClosePressure::Closing), Some(Overdue::Head));
        activity.begin(false);
        advance(Duration::from_mins(1)).await;
        assert_eq!(activity.overdue(&options(), ClosePressure::Closing), None, "a request that runs is finished");
    }
}
