//! What a connection's bytes come and go through: TCP, a Unix socket, TLS.

use tokio::io::{AsyncRead, AsyncWrite};

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
