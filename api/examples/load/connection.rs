//! One connection of the load generator.

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection, and the last answer on it.
pub(crate) struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
    head: usize,
    pub(crate) length: usize,
}

impl Line {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(64 * 1024), head: 0, length: 0 })
    }

    /// Sends a request and reads its answer whole. Gives the status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        (self.head, self.length) = (0, 0);
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server closed the connection in the middle");
            }
            if self.head == 0 {
                self.read_head()?;
            }
            if self.head > 0 && self.answer.len() >= self.length {
                break;
            }
        }
        let status = self.answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        status.and_then(|digits| digits.parse().ok()).context("the answer is no HTTP")
    }

    /// Finds where the head ends and, from its `Content-Length`, where the answer does.
    fn read_head(&mut self) -> Result<()> {
        let (mut at, mut length) = (0, 0);
        while let Some(end) = self.answer[at..].iter().position(|byte| *byte == b'\n') {
            let line = &self.answer[at..at + end];
            at += end + 1;
            match line.split_at_checked(15) {
                Some((name, value)) if name.eq_ignore_ascii_case(b"content-length:") => {
                    length = std::str::from_utf8(value)?.trim().parse()?;
                }
                Some((b"HTTP/1.1 204 No" | b"HTTP/1.1 304 No", _)) => length = 0,
                Some((name, _)) if name.eq_ignore_ascii_case(b"transfer-encodi") => bail!("chunks are not read here"),
                _ if line == b"\r" => {
                    (self.head, self.length) = (at, at + length);
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.answer.get(self.head..).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer).chars().take(600).collect()
    }
}
