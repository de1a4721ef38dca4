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
    /// Where the next chunk begins, for an answer that comes in chunks (RFC 9112 §7.1).
    chunk: Option<usize>,
}

impl Line {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(64 * 1024), head: 0, length: 0, chunk: None })
    }

    /// Sends a request and reads its answer whole. Gives the status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        (self.head, self.length, self.chunk) = (0, 0, None);
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server closed the connection in the middle");
            }
            if self.head == 0 {
                self.read_head()?;
            }
            if self.head > 0 && self.is_whole()? {
                break;
            }
        }
        let status = self.answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        status.and_then(|digits| digits.parse().ok()).context("the answer is no HTTP")
    }

    /// Finds where the head ends and, from its `Content-Length`, where the answer does.
    fn read_head(&mut self) -> Result<()> {
        let (mut at, mut length, mut is_chunked) = (0, 0, false);
        while let Some(end) = self.answer[at..].iter().position(|byte| *byte == b'\n') {
            let line = &self.answer[at..at + end];
            at += end + 1;
            match line.split_at_checked(15) {
                Some((name, value)) if name.eq_ignore_ascii_case(b"content-length:") => {
                    length = std::str::from_utf8(value)?.trim().parse()?;
                }
                Some((b"HTTP/1.1 204 No" | b"HTTP/1.1 304 No", _)) => length = 0,
                Some((name, _)) if name.eq_ignore_ascii_case(b"transfer-encodi") => is_chunked = true,
                _ if line == b"\r" => {
                    (self.head, self.length) = (at, at + length);
                    self.chunk = is_chunked.then_some(at);
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the answer is there to its end. Of chunks the last is empty, with nothing behind it.
    fn is_whole(&mut self) -> Result<bool> {
        while let Some(at) = self.chunk {
            let Some((begin, size)) = chunk(&self.answer, at)? else { return Ok(false) };
            if self.answer.len() < begin + size + 2 {
                return Ok(false);
            }
            self.length = begin + size + 2;
            self.chunk = (size > 0).then_some(self.length);
        }
        Ok(self.answer.len() >= self.length)
    }

    /// What follows the head, without the marks of chunks.
    pub(crate) fn body(&self) -> Vec<u8> {
        let whole = self.answer.get(self.head..).unwrap_or_default();
        let head = self.answer.get(..self.head).unwrap_or_default().to_ascii_lowercase();
        if !head.windows(26).any(|line| line == b"transfer-encoding: chunked") {
            return whole.to_vec();
        }
        let (mut body, mut at) = (Vec::with_capacity(whole.len()), self.head);
        while let Ok(Some((begin, size))) = chunk(&self.answer, at)
            && size > 0
        {
            body.extend_from_slice(self.answer.get(begin..begin + size).unwrap_or_default());
            at = begin + size + 2;
        }
        body
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer).chars().take(600).collect()
    }
}

/// Where the bytes of the chunk begin that is announced at a place, and how many they are; nothing where its line is not there yet.
fn chunk(answer: &[u8], at: usize) -> Result<Option<(usize, usize)>> {
    let rest = answer.get(at..).unwrap_or_default();
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let line = std::str::from_utf8(&rest[..end])?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    let size = usize::from_str_radix(digits, 16).context("a chunk does not say how long it is")?;
    Ok(Some((at + end + 1, size)))
}
