//! Compressing an answer while it is made: as much as there is goes on when the rest has to be waited for, so that a client never waits
//! for what the server has already.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::write::GzEncoder;
use futures_util::Stream;

use super::levels::{GZIP_LEVEL, brotli_parameters};
use crate::{assets::encoding::Encoding, routes::response::Pieces};

/// Bytes of compressed output that are sent at once, about.
const PIECE: usize = 16 * 1024;

/// The pieces of an answer, compressed.
pub(super) struct Compressed {
    pieces: Pieces,
    /// Until the last byte. In a lock, since an encoder is nobody's but the task's that sends.
    encoder: Mutex<Option<Encoder>>,
    /// Something was written since the last flush.
    is_pending: bool,
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
}

impl Encoder {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => &mut **encoder,
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
        }
    }
}

impl Compressed {
    /// In an encoding that is not the identity.
    pub(super) fn new(encoding: Encoding, pieces: Pieces) -> Self {
        let encoder = match encoding {
            Encoding::Brotli => {
                Encoder::Brotli(Box::new(CompressorWriter::with_params(Vec::new(), 4096, &brotli_parameters(0))))
            }
            Encoding::Gzip | Encoding::Identity => Encoder::Gzip(GzEncoder::new(Vec::new(), GZIP_LEVEL)),
        };
        Self { pieces, encoder: Mutex::new(Some(encoder)), is_pending: false }
    }
}

impl Stream for Compressed {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Self { pieces, encoder, is_pending } = self.get_mut();
        let place = encoder.get_mut().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(encoder) = place.as_mut() else { return Poll::Ready(None) };
            match pieces.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(piece))) => {
                    encoder.writer().write_all(&piece)?;
                    *is_pending = true;
                    if encoder.output().len() >= PIECE {
                        return Poll::Ready(Some(Ok(std::mem::take(encoder.output()).into())));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    *place = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    let rest = place.take().map_or_else(|| Ok(Vec::new()), Encoder::finish)?;
                    return Poll::Ready((!rest.is_empty()).then(|| Ok(rest.into())));
                }
                Poll::Pending => {
                    if std::mem::take(is_pending) {
                        encoder.writer().flush()?;
                    }
                    let output = std::mem::take(encoder.output());
                    return if output.is_empty() { Poll::Pending } else { Poll::Ready(Some(Ok(output.into()))) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use futures_util::{StreamExt as _, future, stream};
    use tokio::sync::mpsc;

    use super::*;

    fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match encoding {
            Encoding::Gzip => GzDecoder::new(bytes).read_to_end(&mut out).unwrap(),
            _ => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out).unwrap(),
        };
        out
    }

    #[tokio::test]
    async fn what_is_there_is_sent_before_the_rest_is_made() {
        for encoding in [Encoding::Gzip, Encoding::Brotli] {
            let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(4);
            let pieces: Pieces = Box::pin(stream::poll_fn(move |context| receiver.poll_recv(context)));
            let mut compressed = Compressed::new(encoding, pieces);
            let mut whole = Vec::new();
            for _ in 0..3 {
                sender.send(Ok(Bytes::from_static(b"{\"a\":1}\n"))).await.unwrap();
                // It does not wait for more.
                whole.extend(compressed.next().await.unwrap().unwrap());
                assert!(future::poll_immediate(compressed.next()).await.is_none());
            }
            drop(sender);
            while let Some(piece) = compressed.next().await {
                whole.extend(piece.unwrap());
            }
            assert_eq!(decoded(encoding, &whole), b"{\"a\":1}\n".repeat(3));
        }
    }

    #[tokio::test]
    async fn a_long_answer_comes_in_pieces_and_a_broken_one_breaks_off() {
        for encoding in [Encoding::Gzip, Encoding::Brotli] {
            let text: Vec<Bytes> =
                (0..20_000_u64).map(|n| format!("{}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into()).collect();
            let pieces: Pieces = Box::pin(stream::iter(text.clone().into_iter().map(Ok)));
            let sent: Vec<_> = Compressed::new(encoding, pieces).map(Result::unwrap).collect().await;
            assert!(sent.len() > 3, "{}", sent.len());
            assert_eq!(decoded(encoding, &sent.concat()), text.concat());
            let broken: Pieces = Box::pin(stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("gone"))]));
            let sent: Vec<_> = Compressed::new(encoding, broken).collect().await;
            assert!(sent.last().unwrap().is_err());
        }
    }
}
