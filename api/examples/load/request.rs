//! Requests that are alike but for what each connection fills in.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use super::Request;

/// What a connection puts into its next request.
#[derive(Default)]
pub(crate) struct Values<'a> {
    pub(crate) connection: usize,
    pub(crate) picks: &'a [String],
    pub(crate) chain: String,
    pub(crate) number: u64,
    pub(crate) random: u64,
}

impl Values<'_> {
    pub(crate) fn new(connection: usize) -> Result<Self> {
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
        // Microseconds go on faster than one connection sends requests, so no run gives out a number of another.
        Ok(Self {
            number: now * 1000 + connection as u64,
            random: now ^ (connection as u64) << 32 | 1,
            ..Self::default()
        })
    }

    pub(crate) fn next(&mut self) {
        self.number += 1000;
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
    }

    fn pick(&self) -> &str {
        let count = self.picks.len().max(1) as u64;
        self.picks.get(usize::try_from((self.random >> 11) % count).unwrap_or_default()).map_or("", String::as_str)
    }

    pub(crate) fn random_share(&mut self) -> f64 {
        self.next();
        f64::from(u16::try_from(self.random >> 48).unwrap_or_default()) / 65536.0
    }
}

/// A request cut at its places to fill in.
pub(crate) struct Template {
    head: Vec<Part>,
    body: Vec<Part>,
}

enum Part {
    Text(Vec<u8>),
    Pick,
    Chain,
    Number,
    Connection,
}

impl Template {
    pub(crate) fn new(request: &Request) -> Result<Self> {
        let Request { address, method, path, headers, body } = request;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
        for line in headers {
            ensure!(!line.contains(['\r', '\n']), "a header is one line");
            head.extend([line, "\r\n"]);
        }
        Ok(Self { head: cut(&head), body: cut(body) })
    }

    pub(crate) fn fill(&self, values: &Values<'_>, bytes: &mut Vec<u8>) {
        bytes.clear();
        for part in &self.head {
            part.put(values, bytes);
        }
        if self.body.is_empty() {
            bytes.extend_from_slice(b"\r\n");
            return;
        }
        let mut body = Vec::with_capacity(512);
        for part in &self.body {
            part.put(values, &mut body);
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(&body);
    }
}

fn cut(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let places = [
            ("{pick}", Part::Pick),
            ("{chain}", Part::Chain),
            ("{n}", Part::Number),
            ("{connection}", Part::Connection),
        ];
        let next =
            places.into_iter().filter_map(|(name, part)| Some((rest.find(name)?, name, part))).min_by_key(|n| n.0);
        let Some((at, name, part)) = next else {
            parts.push(Part::Text(rest.into()));
            break;
        };
        parts.extend([Part::Text(rest[..at].into()), part]);
        rest = &rest[at + name.len()..];
    }
    parts
}

impl Part {
    fn put(&self, values: &Values<'_>, bytes: &mut Vec<u8>) {
        match self {
            Self::Text(text) => bytes.extend_from_slice(text),
            Self::Pick => bytes.extend_from_slice(values.pick().as_bytes()),
            Self::Chain => bytes.extend_from_slice(values.chain.as_bytes()),
            Self::Number => bytes.extend_from_slice(values.number.to_string().as_bytes()),
            Self::Connection => bytes.extend_from_slice(values.connection.to_string().as_bytes()),
        }
    }
}
