//! A connection's bytes, watched: notes in [`Activity`] when some come in, and when the client stops taking them; and closed so that
//! the client can read the last answer. Other limits are not set here.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Duration, Sleep, sleep},
};

use super::{calm::FrameMeter, peer::Peer, unreadable};

/// After our last byte, how long and how much of what the client still sends is read and dropped. To close on unread bytes resets the
/// connection, and the client loses the answer that tells it why (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// A stream whose reads and writes are noted.
pub(super) struct Watched<T> {
    inner: T,
    peer: Arc<Peer>,
    /// What is still to be written in the place of what was.
    instead: Bytes,
    lingering: Option<Lingering>,
    frames: FrameMeter,
}

/// Our side is closed; the client's is not yet.
struct Lingering {
    until: Pin<Box<Sleep>>,
    left: usize,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, peer: Arc<Peer>) -> Self {
        Self { inner, peer, instead: Bytes::new(), lingering: None, frames: FrameMeter::new() }
    }

    fn note<R>(&self, written: Poll<R>) -> Poll<R> {
        match written {
            Poll::Pending => self.peer.activity.blocked(),
            Poll::Ready(_) => self.peer.activity.sent(),
        }
        written
    }

    /// Counts what went out.
    fn count(&mut self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = written {
            self.frames.sent(*count);
        }
    }
}

impl<T: AsyncWrite + Unpin> Watched<T> {
    /// Whether `written` is taken, and something else sent in its place.
    fn is_replaced(&mut self, written: &[u8]) -> bool {
        let instead = if self.peer.activity.is_between() { unreadable::instead_of(written, &self.peer) } else { None };
        let is_replaced = instead.is_some();
        self.instead = instead.unwrap_or_default();
        is_replaced
    }

    fn poll_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.instead.is_empty() {
            let written = Pin::new(&mut self.inner).poll_write(cx, &self.instead);
            let count = ready!(self.note(written))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.instead.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        self.peer.release_head();
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let count = buf.filled().len() - before;
        let is_head = count > 0 && self.peer.activity.received();
        if is_head {
            self.peer.note_head(&buf.filled()[before..]);
        }
        if is_head && !self.peer.hold_head(count) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::OutOfMemory, "all heads together are too large")));
        }
        if count > 0 && !self.frames.is_calm(&buf.filled()[before..]) {
            self.peer.note_flood();
            return Poll::Ready(Err(io::Error::other("too many frames that ask for nothing")));
        }
        read
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(cx))?;
        if self.is_replaced(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.count(&written);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(cx))?;
        // Such an answer is in one piece.
        if let [buf] = bufs
            && self.is_replaced(buf)
        {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.count(&written);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(cx))?;
        // TLS takes bytes that the client does not take yet.
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.peer.activity.flushed();
        }
        self.note(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_instead(cx))?;
        let lingering = match &mut this.lingering {
            Some(lingering) => lingering,
            none => {
                ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
                none.insert(Lingering { until: Box::pin(sleep(LINGER)), left: LINGER_BYTES })
            }
        };
        let mut dropped = [MaybeUninit::uninit(); 8 * 1024];
        while lingering.until.as_mut().poll(cx).is_pending() {
            let mut dropped = ReadBuf::uninit(&mut dropped);
            // An error here is the end as well: the answer is out, and nobody is left to tell.
            if ready!(Pin::new(&mut this.inner).poll_read(cx, &mut dropped)).is_err() {
                break;
            }
            let count = dropped.filled().len();
            lingering.left = lingering.left.saturating_sub(count);
            if count == 0 || lingering.left == 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
