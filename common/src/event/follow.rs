//! A client's end of a stream: what came on it, where to go on after it broke off, and how long to wait before. No clock and no I/O.

use super::{
    EventId, EventKind, HEARTBEAT_SECONDS,
    news::{Gathered, News},
    parser::{NotEvents, Parser, Read},
};

/// Milliseconds in which the first event comes, which the server sends at once, and in which a heartbeat follows it, which the server sends within
/// [`FIRST_HEARTBEAT_SECONDS`](super::FIRST_HEARTBEAT_SECONDS): what keeps one of them back for so long keeps back everything.
pub const FIRST: u64 = 10_000;
/// Milliseconds after which a stream on which nothing comes is none any more.
pub const SILENCE: u64 = 3 * HEARTBEAT_SECONDS * 1000;
/// Milliseconds before a broken stream is asked for again, unless the server says how many.
const RETRY: u64 = 2000;
/// The same at most, after several failures.
const LONGEST: u64 = 15_000;

/// Whether what the server sends comes through. A proxy may keep back all of a stream, all but its beginning, or begin to do so after a while.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passing {
    /// Something came on this stream.
    is_heard: bool,
    /// So many heartbeats came on this stream.
    heartbeats: u32,
    /// So many came on the streams before it, where these fell silent; not more than [`LASTED`].
    lasted: Option<u32>,
}

/// Heartbeats after which a stream that falls silent has come through all the same: its connection broke.
const LASTED: u32 = 2;

impl Passing {
    /// Another stream is open.
    pub fn opened(&mut self) {
        (self.is_heard, self.heartbeats) = (false, 0);
    }

    /// Something came.
    pub fn heard(&mut self) {
        self.is_heard = true;
    }

    /// A heartbeat came.
    pub fn heartbeat(&mut self) {
        self.heartbeats = self.heartbeats.saturating_add(1);
        self.lasted = self.lasted.filter(|lasted| self.heartbeats <= *lasted);
    }

    /// For how many milliseconds there may be nothing on the stream.
    pub fn patience(&self) -> u64 {
        if self.heartbeats > 0 { SILENCE } else { FIRST }
    }

    /// Whether it is known that changes come: after streams that fell silent, one has to last for longer than they did.
    pub fn comes(&self) -> bool {
        self.is_heard && self.lasted.is_none()
    }

    /// There was nothing on the stream for as long as that may be. Says whether something keeps back what is sent: a connection may break unnoticed
    /// once, after its beginning came.
    pub fn fell_silent(&mut self) -> bool {
        let is_again = self.lasted.is_some();
        self.lasted = Some(self.lasted.unwrap_or(0).max(self.heartbeats).min(LASTED));
        is_again || self.heartbeats == 0
    }
}

/// Follows what others change, over as many streams as that takes.
#[derive(Debug, Clone)]
pub struct Follower {
    parser: Parser,
    gathered: Gathered,
    last: Option<EventId>,
    passing: Passing,
    retry: u64,
    failures: u32,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            parser: Parser::default(),
            gathered: Gathered::default(),
            last: None,
            passing: Passing::default(),
            retry: RETRY,
            failures: 0,
        }
    }
}

impl Follower {
    /// Where the next stream goes on; `None` for one that begins now.
    pub fn since(&self) -> Option<EventId> {
        self.last
    }

    /// Somebody else may follow from here on.
    pub fn forget(&mut self) {
        *self = Self { retry: self.retry, passing: self.passing, ..Self::default() };
    }

    /// A stream is open. What is shown was read before one that begins now, so it is read again.
    pub fn opened(&mut self) {
        self.parser = Parser::default();
        self.passing.opened();
        if self.last.is_none() {
            self.gathered.missed();
        }
    }

    /// Whether it is known that changes come.
    pub fn comes(&self) -> bool {
        self.passing.comes()
    }

    /// For how many milliseconds there may be nothing on the open stream.
    pub fn patience(&self) -> u64 {
        self.passing.patience()
    }

    /// There was nothing on it for so long; says whether something keeps back what is sent.
    pub fn fell_silent(&mut self) -> bool {
        self.passing.fell_silent()
    }

    /// Takes bytes of the open stream.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), NotEvents> {
        self.passing.heard();
        for read in self.parser.push(bytes)? {
            match read {
                Read::Event(event) => {
                    self.failures = 0;
                    self.last = event.id.or(self.last);
                    match event.kind {
                        // Reading again what is shown takes less than reading all that was missed.
                        EventKind::Close if event.data.reason.as_deref() == Some("slow") => self.last = None,
                        EventKind::Open | EventKind::Close | EventKind::Other => {}
                        _ => self.gathered.note(&event),
                    }
                }
                Read::Heartbeat(id) => {
                    self.passing.heartbeat();
                    self.last = id.or(self.last);
                }
                Read::Retry(milliseconds) => self.retry = milliseconds,
            }
        }
        Ok(())
    }

    /// The stream ended, or could not be opened: there was no answer (`None`), or one with this status. Gives the milliseconds to wait before
    /// the next.
    pub fn ended(&mut self, status: Option<u16>) -> u64 {
        if status == Some(410) {
            // The history up to there is not kept any more.
            self.last = None;
            return 0;
        }
        let wait = self.retry.saturating_mul(1 << self.failures.min(16)).min(LONGEST.max(self.retry));
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// What is sent does not come, so nobody knows what changes: what is shown is read again now, and each time that this is so. Gives
    /// the milliseconds to wait before the next stream.
    pub fn kept_back(&mut self) -> u64 {
        self.gathered.missed();
        self.ended(None)
    }

    /// How many milliseconds after `now` there is something to be shown; `None` where there is nothing.
    pub fn due(&self, now: u64) -> Option<u64> {
        self.gathered.due(now)
    }

    /// Takes what there is to be shown.
    pub fn news(&mut self, now: u64) -> News {
        self.gathered.take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Follower {
        let mut follower = Follower::default();
        follower.opened();
        follower.take(text.as_bytes()).unwrap();
        follower
    }

    const OPEN: &str = "retry: 3000\nid: 7\nevent: open\ndata: {\"since\":\"7\"}\n\n";
    const UPDATE: &str =
        "id: 9.1\nevent: update\ndata: {\"collection\":\"words\",\"id\":\"01920000-0000-7000-8000-000000000001\"}\n\n";

    #[test]
    fn a_stream_that_breaks_off_goes_on_where_it_was() {
        let mut follower = opened(&format!("{OPEN}{UPDATE}id: 10.0\nevent: upd"));
        assert!(follower.news(0).is_reset, "what was shown before the first stream is read again");
        assert_eq!(follower.since(), "9.1".parse().ok(), "what came in part is asked for again");
        assert_eq!(follower.ended(None), 3000, "as the server says");
        follower.opened();
        follower.take(b"id: 10.0\nevent: open\ndata: {}\n\n").unwrap();
        assert_eq!(follower.due(10_000), None, "nothing was missed");
    }

    #[test]
    fn a_server_that_is_away_is_asked_less_and_less_often() {
        let mut follower = opened(OPEN);
        let waits: Vec<u64> = (0..5).map(|_| follower.ended(None)).collect();
        assert_eq!(waits, [3000, 6000, 12_000, 15_000, 15_000]);
        follower.take(OPEN.as_bytes()).unwrap();
        assert_eq!(follower.ended(Some(503)), 3000);
    }

    #[test]
    fn who_hears_nothing_reads_again_now_and_then_and_goes_on_where_it_was() {
        let mut follower = opened(OPEN);
        follower.news(0);
        assert_eq!((follower.comes(), follower.patience()), (true, FIRST));
        follower.ended(None);
        for _ in 0..3 {
            follower.opened();
            assert_eq!((follower.comes(), follower.patience()), (false, FIRST));
            assert!(follower.fell_silent());
            assert!(follower.kept_back() <= LONGEST);
            assert!(follower.news(20_000).is_reset);
        }
        assert_eq!(follower.since(), "7".parse().ok(), "nothing is lost when it comes through");
    }

    const HEARTBEAT: &[u8] = b":\nid: 8\n\n";

    /// A stream on which so many heartbeats come, and then nothing: whether that is taken for something that keeps back what is sent, and whether
    /// changes were known to come at its end.
    fn silent_after(follower: &mut Follower, heartbeats: u32) -> (bool, bool) {
        follower.opened();
        follower.take(OPEN.as_bytes()).unwrap();
        for _ in 0..heartbeats {
            follower.take(HEARTBEAT).unwrap();
        }
        assert_eq!(follower.patience(), if heartbeats > 0 { SILENCE } else { FIRST });
        let comes = follower.comes();
        (follower.fell_silent(), comes)
    }

    #[test]
    fn a_stream_of_which_only_the_beginning_comes_is_noticed_and_said_until_one_lasts() {
        let mut follower = Follower::default();
        assert_eq!(silent_after(&mut follower, 0), (true, true), "nothing is known of it at first");
        assert_eq!(silent_after(&mut follower, 0), (true, false), "another beginning proves nothing");
        follower.opened();
        follower.take(&[OPEN.as_bytes(), HEARTBEAT].concat()).unwrap();
        assert!(follower.comes());
    }

    #[test]
    fn a_proxy_that_begins_to_keep_streams_back_after_a_while_is_noticed_with_the_second() {
        let mut follower = Follower::default();
        assert_eq!(silent_after(&mut follower, 1), (false, true), "a connection may break unnoticed");
        assert_eq!(silent_after(&mut follower, 1), (true, false), "and not twice after a moment");
        assert_eq!(silent_after(&mut follower, 0), (true, false));
        assert_eq!(silent_after(&mut follower, 2), (false, true), "this one lasted");
        for _ in 0..3 {
            assert_eq!(silent_after(&mut follower, 40), (false, true), "a connection that breaks after ten minutes");
        }
    }

    #[test]
    fn who_cannot_go_on_begins_anew_and_reads_again() {
        for begins_anew in [
            (|follower: &mut Follower| assert_eq!(follower.ended(Some(410)), 0)) as fn(&mut Follower),
            |follower| follower.take(b"event: close\ndata: {\"reason\":\"slow\",\"since\":\"9.1\"}\n\n").unwrap(),
            Follower::forget,
        ] {
            let mut follower = opened(&format!("{OPEN}{UPDATE}"));
            follower.news(0);
            begins_anew(&mut follower);
            assert_eq!(follower.since(), None);
            follower.opened();
            assert!(follower.news(1000).is_reset);
        }
        let mut stopping = opened(&format!("{OPEN}event: close\ndata: {{\"reason\":\"stopping\"}}\n\n"));
        assert_eq!((stopping.since(), stopping.ended(None)), ("7".parse().ok(), 3000));
    }
}
