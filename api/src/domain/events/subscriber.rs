//! One subscriber: who it is, and the frames that wait until its client takes them. Nobody waits for a client: one that lets too much gather is
//! let go, and told where to go on.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use common::{
    access::Caller,
    event::{EventData, EventId, EventKind, FIRST_HEARTBEAT_SECONDS},
    id::{SessionId, UserId},
};

use super::{
    frame::{self, Frame},
    scope::Wanted,
};

/// Frames that may wait for one client, and their bytes. One frame is let in whatever its size.
const MAX_WAITING: usize = 1024;
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// Frames that are handed over together are one piece of about so many bytes.
const PIECE: usize = 32 * 1024;

/// Milliseconds after which a client that was let go should come back, and after which one of a server that stops.
const RETRY_SLOW: u64 = 3_000;
const RETRY_STOPPING: u64 = 2_000;

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The session ended, or its user may not sign in any more.
    Session,
    /// The client takes less than happens.
    Slow,
    /// The server stops.
    Stopping,
    /// The filter does not fit the definition any more.
    Filter,
    /// By the rules or roles of now a collection that was asked for may not be followed.
    Rules,
    /// The server cannot go on with this stream.
    Failed,
}

impl Reason {
    /// As it is sent.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Slow => "slow",
            Self::Stopping => "stopping",
            Self::Filter => "filter",
            Self::Rules => "rules",
            Self::Failed => "failed",
        }
    }
}

/// A subscriber.
pub(super) struct Subscriber {
    /// Among all.
    pub number: u64,
    /// Whose.
    pub user: UserId,
    /// The session that it lives with.
    pub session: SessionId,
    /// What it asked for.
    pub wanted: Wanted,
    caller: Mutex<Caller>,
    queue: Mutex<Queue>,
}

struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// So many of the frames may be taken.
    ready: usize,
    /// Frames up to here were told otherwise.
    from: EventId,
    /// Up to here the client has taken all.
    taken: EventId,
    end: Option<Reason>,
    is_over: bool,
    waker: Option<Waker>,
    /// Seconds until the first sign of life; `None` after it.
    before_first_beat: Option<u64>,
}

impl Subscriber {
    /// Of a session, with nothing told yet.
    pub(super) fn new(
        number: u64,
        session: SessionId,
        user: UserId,
        caller: Caller,
        wanted: Wanted,
        from: EventId,
    ) -> Arc<Self> {
        let queue = Queue {
            frames: VecDeque::new(),
            bytes: 0,
            ready: 0,
            from,
            taken: from,
            end: None,
            is_over: false,
            waker: None,
            before_first_beat: Some(FIRST_HEARTBEAT_SECONDS + 1),
        };
        Arc::new(Self { number, user, session, wanted, caller: Mutex::new(caller), queue: Mutex::new(queue) })
    }

    /// As whom it is served.
    pub(super) fn caller(&self) -> Caller {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is served as this caller from now on.
    pub(super) fn set_caller(&self, caller: Caller) {
        *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = caller;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything up to here was told otherwise.
    pub(super) fn begin_after(&self, from: EventId) {
        let mut queue = self.queue();
        queue.from = queue.from.max(from);
        queue.taken = queue.taken.max(from);
    }

    /// Adds a frame, to be taken once it is released. `false` where the client has to be let go, or has been.
    pub(super) fn push(&self, frame: Frame) -> bool {
        let mut queue = self.queue();
        if queue.end.is_some() {
            return false;
        }
        if frame.id <= queue.from {
            return true;
        }
        let size = frame.bytes.len();
        let is_full = queue.frames.len() >= MAX_WAITING || queue.bytes + size > MAX_WAITING_BYTES;
        if is_full && !queue.frames.is_empty() {
            drop(queue);
            self.end(Reason::Slow);
            return false;
        }
        queue.bytes += size;
        queue.frames.push_back(frame);
        true
    }

    /// Whether its first sign of life is due; asked once a second.
    pub(super) fn needs_first_beat(&self) -> bool {
        let mut queue = self.queue();
        let Some(seconds) = &mut queue.before_first_beat else { return false };
        *seconds = seconds.saturating_sub(1);
        *seconds == 0
    }

    /// A sign of life where nothing waits. It moves the reader on to `id`, or says again where the reader is.
    pub(super) fn beat(&self, id: EventId) {
        let mut queue = self.queue();
        if queue.end.is_some() || !queue.frames.is_empty() {
            return;
        }
        let id = id.max(queue.from).max(queue.taken);
        let frame = Frame { id, bytes: frame::heartbeat(id) };
        queue.bytes += frame.bytes.len();
        queue.frames.push_back(frame);
        queue.before_first_beat = None;
        drop(queue);
        self.release();
    }

    /// Lets the client take what waits.
    pub(super) fn release(&self) {
        let mut queue = self.queue();
        queue.ready = queue.frames.len();
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether it ends.
    pub(super) fn is_ending(&self) -> bool {
        self.queue().end.is_some()
    }

    /// Ends the stream: after what waits, or in its place where that is too much.
    pub(super) fn end(&self, reason: Reason) {
        let mut queue = self.queue();
        if queue.end.is_none() {
            queue.end = Some(reason);
            if reason == Reason::Slow {
                queue.frames.clear();
                queue.bytes = 0;
            }
        }
        drop(queue);
        self.release();
    }

    /// The next piece for the client; `None` at the end.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut queue = self.queue();
        if queue.is_over {
            return Poll::Ready(None);
        }
        if let Some(first) = queue.take_one() {
            if queue.ready == 0 || first.len() >= PIECE {
                return Poll::Ready(Some(first));
            }
            let mut piece = Vec::from(first);
            while piece.len() < PIECE
                && let Some(next) = queue.take_one()
            {
                piece.extend_from_slice(&next);
            }
            return Poll::Ready(Some(piece.into()));
        }
        if let (true, Some(reason)) = (queue.frames.is_empty(), queue.end) {
            queue.is_over = true;
            return Poll::Ready(Some(close(reason, queue.taken)));
        }
        queue.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Queue {
    fn take_one(&mut self) -> Option<Bytes> {
        if self.ready == 0 {
            return None;
        }
        let Frame { id, bytes } = self.frames.pop_front()?;
        (self.ready, self.bytes, self.taken) = (self.ready - 1, self.bytes - bytes.len(), self.taken.max(id));
        Some(bytes)
    }
}

/// The last event of a stream.
fn close(reason: Reason, taken: EventId) -> Bytes {
    let retry = match reason {
        Reason::Slow | Reason::Failed => frame::retry(RETRY_SLOW),
        // Not all at once.
        Reason::Stopping => frame::retry(RETRY_STOPPING + taken.revision.0 % 7 * 300),
        Reason::Session | Reason::Filter | Reason::Rules => String::new(),
    };
    let data = EventData { reason: Some(reason.as_str().to_owned()), since: Some(taken), ..EventData::default() };
    let close = frame::of(Some(taken), EventKind::Close, &data);
    [retry.as_bytes(), &close].concat().into()
}
