//! Answers compressed for who asks for it, at levels that cost less time than they save on a network. To this machine itself nothing is saved, unless it
//! refuses what is not compressed, as one does that stands at the end of a tunnel or of a proxy; and what holds secrets stays as it is, since the length of what is compressed tells about its content where a stranger can put something beside it (BREACH).

mod levels;
mod streamed;

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderMap, StatusCode, header};
use server::{headers::vary, request::Connection};

use super::response::{Body, Response};
use crate::assets::encoding::{Encoding, choose, refuses_identity};
use levels::{GZIP_LEVEL, brotli_parameters};
use streamed::Compressed;

/// Bytes from which on it pays: what is smaller goes in one packet either way.
const MIN_BYTES: usize = 1400;
/// More than this is compressed where it holds up no other request.
const MAX_INLINE: usize = 64 * 1024;
/// How a client wants its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted(Encoding);

impl Wanted {
    /// By what it accepts, and whence it comes.
    pub(super) fn of(headers: &HeaderMap, connection: Option<&Connection>) -> Self {
        let is_here = connection.is_some_and(|connection| connection.client.is_loopback());
        Self(if is_here && !refuses_identity(headers) { Encoding::Identity } else { choose(headers, |_| true) })
    }

    /// The answer as it is wanted.
    pub(super) async fn apply(self, mut response: Response) -> Response {
        let is_whole = ![StatusCode::NOT_MODIFIED, StatusCode::PARTIAL_CONTENT].contains(&response.status());
        if !is_whole || response.headers().contains_key(header::CONTENT_ENCODING) {
            return response;
        }
        let bytes = match response.body() {
            Body::Whole(bytes) if bytes.len() < MIN_BYTES => return response,
            Body::Whole(bytes) => bytes.clone(),
            Body::Pieces(_) => return self.apply_to_pieces(response),
        };
        let length = bytes.len();
        vary(response.headers_mut(), "Accept-Encoding");
        let Some(name) = self.0.name() else { return response };
        let encode = move || encode(self.0, &bytes);
        let encoded = if length > MAX_INLINE {
            tokio::task::spawn_blocking(encode).await.unwrap_or_else(|error| Err(io::Error::other(error)))
        } else {
            encode()
        };
        // Into memory it does not fail; should it, the answer is good as it is.
        if let Ok(encoded) = encoded {
            response.headers_mut().insert(header::CONTENT_ENCODING, name);
            *response.body_mut() = Body::Whole(encoded);
        }
        response
    }
}

impl Wanted {
    /// The same of an answer that is made while it is sent. What is no text is left alone: a backup is compressed already.
    fn apply_to_pieces(self, mut response: Response) -> Response {
        let media_type =
            response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if !media_type.starts_with("text/") && !media_type.contains("json") {
            return response;
        }
        vary(response.headers_mut(), "Accept-Encoding");
        let Some(name) = self.0.name() else { return response };
        response.headers_mut().insert(header::CONTENT_ENCODING, name);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.map(|body| match body {
            Body::Pieces(pieces) => Body::Pieces(Box::pin(Compressed::new(self.0, pieces))),
            whole @ Body::Whole(_) => whole,
        })
    }
}

fn encode(encoding: Encoding, bytes: &[u8]) -> io::Result<Bytes> {
    let mut encoded = Vec::with_capacity(bytes.len() / 4);
    match encoding {
        Encoding::Brotli => {
            let parameters = brotli_parameters(bytes.len());
            brotli::BrotliCompress(&mut &bytes[..], &mut encoded, &parameters)?;
        }
        Encoding::Gzip => {
            let mut writer = GzEncoder::new(encoded, GZIP_LEVEL);
            writer.write_all(bytes)?;
            encoded = writer.finish()?;
        }
        Encoding::Identity => encoded.extend_from_slice(bytes),
    }
    Ok(encoded.into())
}
