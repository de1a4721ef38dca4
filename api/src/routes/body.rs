//! Reading a request's body, as its endpoint accepts it. Whatever its kind, a body becomes a JSON value, which the endpoint's
//! request type reads. A kind that does not (raw bytes) or not in one piece (multipart) is read by a function of its own here,
//! beside [`read`].

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use common::{
    Object, Problem,
    endpoint::{AcceptedBody, BodyKind},
    json,
};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use super::error::Refusal;

/// A body on its way in.
pub(crate) type Incoming = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>;

/// Reads a body, strictly. `None` where none came: no bytes, which are no JSON either, and no form, which may be without members.
pub(crate) async fn read(
    headers: &HeaderMap,
    incoming: &mut Incoming,
    accepted: AcceptedBody,
) -> Result<Option<Value>, Refusal> {
    let limit = accepted.max_bytes;
    let mut body = BytesMut::new();
    let mut length = 0;
    while let Some(chunk) = incoming.next().await {
        let Ok(chunk) = chunk else { return Err(Problem::invalid("The body ended early. Send it again.").into()) };
        length += chunk.len();
        if length <= limit {
            body.extend_from_slice(&chunk);
        }
    }
    // The rest was read too, as far as the server lets it come: a client that is answered while it still sends may lose the
    // answer, and the next request on that connection with it.
    if length > limit {
        return Err(Problem::too_large(format!("The body may take {limit} bytes. Send less at once.")).into());
    }
    // Nothing is unpacked, so what it holds takes no more than it did on the way.
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|coding| !is_identity(coding)) {
        let detail = "Bodies are read as they are, not compressed. Send it without Content-Encoding.";
        return Err(Problem::unsupported_media_type(detail).into());
    }
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if body.is_empty() && media_type(sent).is_empty() {
        return Ok(None);
    }
    match kind(sent).filter(|kind| accepted.kinds.contains(kind)) {
        Some(BodyKind::Json) if body.is_empty() => Ok(None),
        Some(BodyKind::Json) => {
            json::parse(&body).map(Some).map_err(|error| Problem::malformed(error.to_string()).into())
        }
        Some(BodyKind::Form) => form(&body).map(Some),
        None => {
            let shown = common::text::single_line(sent);
            Err(Problem::unsupported_media_type(format!("Unsupported media type \"{shown}\" in request.")).into())
        }
    }
}

/// Whether a `Content-Encoding` says that nothing was done to the body.
fn is_identity(codings: &HeaderValue) -> bool {
    let codings = String::from_utf8_lossy(codings.as_bytes()).to_ascii_lowercase();
    codings.split(',').all(|coding| matches!(coding.trim(), "" | "identity"))
}

/// A form as an object of texts.
fn form(body: &[u8]) -> Result<Value, Refusal> {
    check_utf8(body, "form")?;
    let mut members = Object::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        if members.insert(name, Value::String(value)).is_some() {
            return Err(Problem::malformed("A name stands twice in the form.").into());
        }
    }
    Ok(Value::Object(members))
}

/// What a `Content-Type` says that the body is. `None` for what no endpoint takes, a text in another encoding than UTF-8 included.
fn kind(content_type: &str) -> Option<BodyKind> {
    let kind = match media_type(content_type).to_ascii_lowercase().as_str() {
        "application/json" => BodyKind::Json,
        "application/x-www-form-urlencoded" => BodyKind::Form,
        _ => return None,
    };
    let charset = content_type.split(';').skip(1).find_map(|parameter| {
        let parameter = parameter.trim().to_ascii_lowercase();
        parameter.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned())
    });
    charset.is_none_or(|charset| charset == "utf-8" || charset == "utf8").then_some(kind)
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether what a query string or a form says, once decoded, is text. Its reader would put another character in place of what is
/// not, and so make one password or filter of many.
pub(crate) fn check_utf8(encoded: &[u8], what: &str) -> Result<(), Refusal> {
    match percent_encoding::percent_decode(encoded).decode_utf8() {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::malformed(format!("The {what} is not UTF-8.")).into()),
    }
}
