//! Answers that are made while they are sent, in a task of their own: backups, and lists in lines. Each piece is made when the client has taken
//! those before, so what such an answer holds does not depend on how long it is.

use std::{io, net::IpAddr};

use base::Charge;
use bytes::Bytes;
use futures_util::stream;
use logging::in_current_request;

use super::{context::Context, response::Pieces};
use crate::domain::{Result, sink::Sink, work};

/// Pieces that wait for a client to take them.
const AHEAD: usize = 4;

/// Has `make` make an answer, which holds what is charged until its end. What is wrong before its first piece is an error; what goes wrong later
/// breaks the connection off, so that the client sees that the end is missing.
pub(super) async fn begin<F>(
    context: &Context,
    address: IpAddr,
    held: Charge,
    make: impl FnOnce(Sink) -> F,
) -> Result<Pieces>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (sink, mut taken) = Sink::new(AHEAD);
    let making = make(sink.clone());
    let memory = context.app.core().memory.clone();
    tokio::spawn(in_current_request(async move {
        if let Err(error) = work::in_request(address, &memory, making).await {
            // Nobody may be left to tell.
            let _ = sink.send(Err(error)).await;
        }
        drop(held);
    }));
    let first = taken.recv().await.transpose()?;
    let pieces = stream::unfold((first, taken), async |(first, mut taken)| {
        let piece = match first {
            Some(piece) => Ok(piece),
            None => taken.recv().await?,
        };
        Some((piece.map_err(|error| broken(&error)), (None::<Bytes>, taken)))
    });
    Ok(Box::pin(pieces))
}

/// An answer of pieces that are made one by one of what is held already.
pub(super) fn of_held(pieces: impl Iterator<Item = Result<Bytes>> + Send + Sync + 'static) -> Pieces {
    Box::pin(stream::iter(pieces.map(|piece| piece.map_err(|error| broken(&error)))))
}

fn broken(error: &crate::domain::Error) -> io::Error {
    tracing::error!(%error, "an answer cannot be finished");
    io::Error::other("the answer cannot be finished")
}
