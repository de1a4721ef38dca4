//! The bodies that pass through the server: the request's, with its byte limit and deadline, and the answer's, counted on its way out.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep_until};

use super::exchange::Exchange;

/// The body of a request: ends with an error where it is longer or later than the server allows. The server then answers 413 or
/// 408 itself, whatever the handler makes of the error.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    /// Bytes that may still come.
    left: u64,
    deadline: Instant,
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
    /// The connection broke, or the bytes were no valid message.
    #[error("the body could not be read")]
    Broken(#[source] hyper::Error),
}

/// Tells the exchange what became of the request's body. A request without one has none, and costs no allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict(Option<Arc<AtomicU8>>);

const TOO_LARGE: u8 = 1;
const TOO_LATE: u8 = 2;

impl Verdict {
    /// What the server itself has to say about the body.
    pub(super) fn get(&self) -> Option<BodyError> {
        match self.0.as_ref()?.load(Ordering::Relaxed) {
            TOO_LARGE => Some(BodyError::TooLarge),
            TOO_LATE => Some(BodyError::TooLate),
            _ => None,
        }
    }

    fn set(&self, verdict: u8) {
        if let Some(cell) = &self.0 {
            cell.store(verdict, Ordering::Relaxed);
        }
    }
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, limit: u64, deadline: Instant) -> Self {
        let verdict = Verdict((!incoming.is_end_stream()).then(Arc::default));
        Self { incoming, left: limit, deadline, alarm: None, verdict }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = this.left.checked_sub(bytes) else {
                    this.verdict.set(TOO_LARGE);
                    return Poll::Ready(Some(Err(BodyError::TooLarge)));
                };
                this.left = left;
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
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// The body of an answer. The exchange ends when it is dropped: sent whole, or given up.
pub(super) struct AnswerBody<B> {
    content: Content<B>,
    exchange: Exchange,
}

pub(super) enum Content<B> {
    /// What the service answers.
    Service(B),
    /// What the server answers itself.
    Own(Option<Bytes>),
}

impl<B> AnswerBody<B> {
    pub(super) fn new(content: Content<B>, exchange: Exchange) -> Self {
        Self { content, exchange }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Service(body) => Pin::new(body).poll_frame(cx),
            Content::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
        };
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            this.exchange.count(frame.data_ref().map_or(0, Bytes::len));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Service(body) => body.is_end_stream(),
            Content::Own(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Service(body) => body.size_hint(),
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
        }
    }
}
