//! A connection's bytes, decrypted. The handshake happens in the first read, so that whoever watches over reads watches over it too. A
//! client that speaks plain HTTP is let through as it is, and noted: it is owed an answer that it can read.

use std::{
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{Accept, server::TlsStream};

use super::{activity::Activity, io::Io, tls::Tls};

/// The first byte of every TLS connection: a record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// A stream that is TLS as soon as the handshake is done, or plain HTTP where the client speaks that.
pub(super) struct TlsOrPlain {
    state: State,
    tls: Tls,
    activity: Arc<Activity>,
}

enum State {
    /// Nothing was read yet.
    New(TcpStream),
    Handshake(Box<Accept<TcpStream>>),
    Open(Box<TlsStream<TcpStream>>),
    /// The client does not know that this is TLS.
    Plain(TcpStream),
    /// The handshake failed.
    Broken,
}

impl TlsOrPlain {
    pub(super) fn new(stream: TcpStream, tls: Tls, activity: Arc<Activity>) -> Self {
        Self { state: State::New(stream), tls, activity }
    }

    /// Goes on with the handshake; gives the stream that bytes can pass through.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Io>>> {
        loop {
            match &mut self.state {
                State::New(stream) => {
                    let mut first = [0];
                    let seen = ready!(stream.poll_peek(cx, &mut ReadBuf::new(&mut first)))?;
                    let State::New(stream) = mem::replace(&mut self.state, State::Broken) else { continue };
                    self.state = if seen == 1 && first[0] == HANDSHAKE {
                        State::Handshake(Box::new(self.tls.acceptor().accept(stream)))
                    } else {
                        self.activity.set_plain();
                        State::Plain(stream)
                    };
                }
                State::Handshake(handshake) => {
                    let opened = ready!(Pin::new(handshake.as_mut()).poll(cx));
                    self.state = State::Broken;
                    self.state = State::Open(Box::new(opened?));
                }
                State::Open(_) | State::Plain(_) => break,
                State::Broken => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
        Poll::Ready(self.open().ok_or(io::ErrorKind::NotConnected.into()))
    }

    /// The stream, if the handshake is done.
    fn open(&mut self) -> Option<Pin<&mut dyn Io>> {
        match &mut self.state {
            State::Open(stream) => Some(Pin::new(stream.as_mut())),
            State::Plain(stream) => Some(Pin::new(stream)),
            State::New(_) | State::Handshake(_) | State::Broken => None,
        }
    }
}

impl AsyncRead for TlsOrPlain {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsOrPlain {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open().map_or(Poll::Ready(Ok(())), |stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open().map_or(Poll::Ready(Ok(())), |stream| stream.poll_shutdown(cx))
    }
}
