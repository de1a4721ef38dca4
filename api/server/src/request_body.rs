//! The body of a request, with its byte limit and its deadline.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use base::Charge;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use thiserror::Error;
use tokio::{
    runtime::Handle,
    time::{Duration, Instant, Sleep, sleep_until, timeout_at},
};

use super::state::ServerState;

/// The body of a request: ends with an error where it is longer or later than the server allows, or all bodies together are more
/// than it holds. The server then answers 413, 408 or 503 itself, whatever the handler makes of the error.
#[derive(Debug)]
pub struct RequestBody {
    /// Taken when the body is dropped before its end.
    incoming: Option<Incoming>,
    /// Bytes that may still come.
    left: u64,
    deadline: Instant,
    /// It is taken as it comes: no byte of it may be later than this after the one before, and it may be of any length.
    silence: Option<Duration>,
    /// Made when a read has to wait, so that a body that is there at once costs no timer.
    alarm: Option<Pin<Box<Sleep>>>,
    verdict: Verdict,
}

/// What can be wrong with a body as a whole.
#[derive(Debug, Error)]
pub enum BodyError {
    /// More bytes than [`super::ServerOptions::max_body`].
    #[error("the body is larger than the server takes")]
    TooLarge,
    /// Not complete within [`super::ServerOptions::body_timeout`].
    #[error("the body did not arrive in time")]
    TooLate,
    /// All bodies that are being handled are more than [`super::ServerOptions::max_bodies`], or there is no memory for more.
    #[error("the server holds as many bodies as it can")]
    TooMany,
    /// The connection broke, or the bytes were no valid message.
    #[error("the body could not be read")]
    Broken(#[source] hyper::Error),
}

/// Tells the exchange what became of the request's body. A request without one has none, and costs no allocation.
#[derive(Debug, Clone)]
pub(super) struct Verdict(Option<Arc<Reading>>);

/// A body under way, from its first byte to the end of its handling.
#[derive(Debug)]
struct Reading {
    shared: Arc<ServerState>,
    verdict: AtomicU8,
    /// When the last bytes came of one that is taken as it comes.
    heard: Mutex<Option<Instant>>,
    /// Its part of [`ServerState::body_bytes`].
    held: Mutex<Charge>,
}

/// Bytes that are read and dropped of a file that its handler refused.
const REST: u64 = 10 * 1024 * 1024;

const TOO_LARGE: u8 = 1;
const TOO_LATE: u8 = 2;
const TOO_MANY: u8 = 3;

impl Verdict {
    /// What the server itself has to say about the body.
    pub(super) fn get(&self) -> Option<BodyError> {
        match self.0.as_ref()?.verdict.load(Ordering::Relaxed) {
            TOO_LARGE => Some(BodyError::TooLarge),
            TOO_LATE => Some(BodyError::TooLate),
            TOO_MANY => Some(BodyError::TooMany),
            _ => None,
        }
    }

    /// When the last bytes came of a body that is taken as it comes; `None` of any other.
    pub(super) fn heard(&self) -> Option<Instant> {
        *self.0.as_ref()?.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, now: Instant) {
        if let Some(reading) = &self.0 {
            *reading.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }

    fn set(&self, verdict: u8) {
        if let Some(reading) = &self.0 {
            reading.verdict.store(verdict, Ordering::Relaxed);
        }
    }

    /// Counts bytes that came in; whether there is still room for them.
    fn hold(&self, bytes: u64) -> bool {
        let Some(reading) = &self.0 else { return true };
        let is_charged = reading.held.lock().unwrap_or_else(PoisonError::into_inner).grow(bytes).is_ok();
        if !is_charged {
            return false;
        }
        let all = reading.shared.body_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        all <= reading.shared.options.max_bodies
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.shared.body_bytes.fetch_sub(held.bytes(), Ordering::Relaxed);
    }
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, shared: &Arc<ServerState>, deadline: Instant, is_upload: bool) -> Self {
        let reading = (!incoming.is_end_stream()).then(|| {
            let held = Mutex::new(shared.options.memory.nothing());
            Arc::new(Reading { shared: shared.clone(), verdict: AtomicU8::new(0), heard: Mutex::default(), held })
        });
        Self {
            incoming: Some(incoming),
            left: if is_upload { u64::MAX } else { shared.options.max_body },
            deadline,
            silence: is_upload.then_some(shared.options.body_timeout),
            alarm: None,
            verdict: Verdict(reading),
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }
}

/// A client that is answered before its body is read, such as with a 401, is still sending: the connection would be reset, and the
/// client's next request on it with that. So the rest is read, within the same limits, and dropped.
impl Drop for RequestBody {
    fn drop(&mut self) {
        let unread = self.incoming.take().filter(|incoming| !incoming.is_end_stream() && self.verdict.get().is_none());
        let (Some(incoming), Ok(runtime)) = (unread, Handle::try_current()) else { return };
        let left = if self.silence.is_some() { REST } else { self.left };
        let mut rest = Limited::new(incoming, usize::try_from(left).unwrap_or(usize::MAX));
        let deadline = self.deadline;
        runtime.spawn(timeout_at(deadline, async move { while let Some(Ok(_)) = rest.frame().await {} }));
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(incoming) = this.incoming.as_mut() else { return Poll::Ready(None) };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = this.left.checked_sub(bytes) else {
                    this.verdict.set(TOO_LARGE);
                    return Poll::Ready(Some(Err(BodyError::TooLarge)));
                };
                this.left = left;
                if let Some(silence) = this.silence {
                    // Its handler keeps it elsewhere.
                    let now = Instant::now();
                    this.deadline = now + silence;
                    this.alarm = None;
                    this.verdict.hear(now);
                    return Poll::Ready(Some(Ok(frame)));
                }
                if !this.verdict.hold(bytes) {
                    this.verdict.set(TOO_MANY);
                    return Poll::Ready(Some(Err(BodyError::TooMany)));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Broken(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(this.deadline)));
                if alarm.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.verdict.set(TOO_LATE);
                Poll::Ready(Some(Err(BodyError::TooLate)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
