//! Where the pieces of an answer go that is made while it is sent.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::error::Result;

/// Takes the pieces, no faster than the client does.
#[derive(Debug, Clone)]
pub struct Sink(mpsc::Sender<Result<Bytes>>);

/// Nobody takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverClosed;

impl Sink {
    /// One, and what is taken from it; so many pieces may wait.
    pub fn new(ahead: usize) -> (Self, mpsc::Receiver<Result<Bytes>>) {
        let (pieces, taken) = mpsc::channel(ahead);
        (Self(pieces), taken)
    }

    /// Hands on the next piece, or why there is none.
    pub async fn send(&self, piece: Result<Bytes>) -> std::result::Result<(), ReceiverClosed> {
        self.0.send(piece).await.map_err(|_| ReceiverClosed)
    }
}
