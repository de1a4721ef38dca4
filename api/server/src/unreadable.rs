//! Heads of requests that hyper cannot read. It answers them itself, with a status and nothing more, and closes; on its way out that
//! answer is exchanged for a problem document, with a request id and a line in the log like every other refusal.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};

use super::{
    answer::{AnswerBody, refuse},
    exchange::Exchange,
    peer::Peer,
    refusal::Refusal,
};
use crate::problem::Representation;

/// Instead of a method that nobody could read.
const NO_METHOD: &[u8] = b"-";

/// What to send instead of `written`, if that is an answer of hyper's own. Only to be asked about bytes that belong to no answer of
/// ours ([`Activity::is_between`](super::activity::Activity::is_between)): all that HTTP/1 has to write then is that, and frames of
/// HTTP/2 do not begin so.
pub(super) fn instead_of(written: &[u8], peer: &Arc<Peer>) -> Option<Bytes> {
    let head = written.strip_prefix(b"HTTP/1.1 ")?;
    let status = StatusCode::from_bytes(head.get(..3)?).ok().filter(StatusCode::is_client_error)?;
    let head = std::str::from_utf8(head).ok()?;
    let date = head.lines().find(|line| line.starts_with("date: "));

    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(NO_METHOD).unwrap_or_default();
    *request.headers_mut() = std::mem::take(&mut *peer.said());
    let (mut exchange, _) = Exchange::begin(peer.clone(), &request);
    if !request.headers().contains_key(header::ACCEPT) {
        // What its client accepts is not known.
        exchange.errors = Representation::Problem;
    }
    let response: Response<AnswerBody<Empty<Bytes>>> = refuse(exchange, Refusal::unreadable(status));
    let (parts, mut body) = response.into_parts();
    // It is there at once.
    let body = body.frame().now_or_never()??.ok()?.into_data().ok()?;

    let mut answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    if let Some(date) = date {
        answer.extend(date.bytes().chain(*b"\r\n"));
    }
    for (name, value) in &parts.headers {
        answer.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(&body);
    Some(answer.into())
}
