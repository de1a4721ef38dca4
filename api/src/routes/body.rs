//! Reading a request's body, as its endpoint accepts it. Whatever its kind, a body becomes a JSON value, which the endpoint's
//! request type reads. A kind that does not (raw bytes) is read by a function of its own here, beside [`read`].

use std::{convert::Infallible, pin::Pin};

use bytes::{Bytes, BytesMut};
use common::{
    Object, Problem,
    endpoint::{AcceptedBody, BodyKind},
    json::{self, Exact},
    problem::{FieldError, FieldErrors},
    rows::RowFormat,
};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use super::error::Refusal;
use crate::domain::{intake::Told, work};

/// A body on its way in.
pub(crate) type Incoming = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>;

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Body {
    /// What it says.
    pub value: Exact,
    /// It is a form: its values are texts, and a name that was sent several times has a list of them.
    pub is_form: bool,
}

/// Reads a body, strictly. `None` where none came: no bytes, which are no JSON either, and no form, which may be without members.
pub(crate) async fn read(
    headers: &HeaderMap,
    incoming: &mut Incoming,
    accepted: AcceptedBody,
) -> Result<Option<Body>, Refusal> {
    let limit = accepted.max_bytes;
    let too_large = || Problem::too_large(format!("The body may take {limit} bytes. Send less at once."));
    if told_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(too_large().into());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = incoming.next().await {
        let Ok(chunk) = chunk else { return Err(Problem::invalid("The body ended early. Send it again.").into()) };
        // The rest is read by the server and held by nobody.
        if body.len() + chunk.len() > limit {
            return Err(too_large().into());
        }
        body.extend_from_slice(&chunk);
    }
    // Nothing is unpacked, so what it holds takes no more than it did on the way.
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|coding| !is_identity(coding)) {
        let detail = "Bodies are read as they are, not compressed. Send it without Content-Encoding.";
        return Err(Problem::unsupported_media_type(detail).into());
    }
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let json = |value| Body { value, is_form: false };
    let kind = kind(sent).filter(|kind| accepted.kinds.contains(kind));
    // Nothing is nothing, whatever it is said to be. A form without members is one, though.
    if body.is_empty() && kind != Some(BodyKind::Form) {
        return Ok(None);
    }
    match kind {
        Some(BodyKind::Json) => {
            // As it is read, once it was checked, as it is stored, and in what is committed.
            work::hold(4 * work::parsed_size(&body))?;
            json::parse(&body).map(json).map(Some).map_err(|error| Problem::malformed(error.to_string()).into())
        }
        Some(BodyKind::Form) => {
            work::hold(4 * body.len())?;
            form(&body).map(Some)
        }
        Some(BodyKind::Multipart) => {
            work::hold(4 * body.len())?;
            multipart(sent, body.freeze()).await.map(Some)
        }
        Some(BodyKind::Rows) | None => {
            let shown = common::text::single_line(sent);
            Err(Problem::unsupported_media_type(format!("Unsupported media type \"{shown}\" in request.")).into())
        }
    }
}

/// How long a body is, where its head says so.
pub(super) fn told_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The media types of files of rows: what they are is looked for in them, since programs call them by many names.
const ROWS: [(&str, Option<RowFormat>); 9] = [
    ("text/csv", None),
    ("text/tab-separated-values", Some(RowFormat::Tsv)),
    ("application/json", None),
    ("application/x-ndjson", Some(RowFormat::JsonLines)),
    ("application/ndjson", Some(RowFormat::JsonLines)),
    ("application/jsonl", Some(RowFormat::JsonLines)),
    ("application/csv", None),
    ("application/vnd.ms-excel", None),
    ("", None),
];

/// Whether a body can be a file of rows, by what its headers say.
pub(super) fn check_upload(headers: &HeaderMap) -> Result<(), Refusal> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = media_type(sent).to_ascii_lowercase();
    if kind.contains("spreadsheetml") || kind.contains("opendocument") {
        let detail = "A workbook is not read here. In the spreadsheet program choose Save as, CSV UTF-8, and send that as text/csv.";
        return Err(Problem::unsupported_media_type(detail).into());
    }
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|coding| !is_identity(coding)) {
        let detail = "Files are read as they are, not compressed. Send it without Content-Encoding.";
        return Err(Problem::unsupported_media_type(detail).into());
    }
    if ROWS.iter().any(|(known, _)| *known == kind) {
        return Ok(());
    }
    let shown = common::text::single_line(sent);
    let detail = format!(
        "Unsupported media type \"{shown}\" in request. Send a file as text/csv, text/tab-separated-values, application/json or application/x-ndjson."
    );
    Err(Problem::unsupported_media_type(detail).into())
}

/// What headers say of a file of rows.
pub(super) fn told(headers: &HeaderMap) -> Told {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = media_type(sent).to_ascii_lowercase();
    let format = ROWS.iter().find(|(known, _)| *known == kind).and_then(|(_, format)| *format);
    let has_more = !kind.is_empty() && format != Some(RowFormat::JsonLines);
    Told { format, charset: charset(sent), has_more }
}

fn charset(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let parameter = parameter.trim().to_ascii_lowercase();
        parameter.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned())
    })
}

/// Whether a `Content-Encoding` says that nothing was done to the body.
fn is_identity(codings: &HeaderValue) -> bool {
    let codings = String::from_utf8_lossy(codings.as_bytes()).to_ascii_lowercase();
    codings.split(',').all(|coding| matches!(coding.trim(), "" | "identity"))
}

/// A form as an object of texts.
fn form(body: &[u8]) -> Result<Body, Refusal> {
    check_utf8(body, "form")?;
    let mut members = Object::new();
    for (name, value) in form_urlencoded::parse(body) {
        add(&mut members, &name, &value)?;
    }
    Ok(Body { value: Value::Object(members).into(), is_form: true })
}

/// A form in parts (RFC 7578) as an object of texts. A file is refused by its name; an input for one that nobody filled in is sent as one
/// without name or content, and says nothing.
async fn multipart(content_type: &str, body: Bytes) -> Result<Body, Refusal> {
    let malformed = |what: &str| Refusal::from(Problem::malformed(format!("Multipart form parse error - {what}")));
    let boundary = multer::parse_boundary(content_type).map_err(|_| malformed("there is no boundary"))?;
    let whole = futures_util::stream::iter([Ok::<_, Infallible>(body)]);
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut members = Object::new();
    while let Some(part) = parts.next_field().await.map_err(|_| malformed("the parts cannot be told apart"))? {
        let name = part.name().ok_or_else(|| malformed("a part has no name"))?.to_owned();
        // As old mail programs did (RFC 7578 §4.7): nobody who sends forms does, and what is so encoded is not what it says.
        let is_plain = |how: &HeaderValue| {
            ["7bit", "8bit", "binary"].iter().any(|plain| how.as_bytes().eq_ignore_ascii_case(plain.as_bytes()))
        };
        if !part.headers().get("content-transfer-encoding").is_none_or(is_plain) {
            return Err(malformed("a part has a Content-Transfer-Encoding; send it as it is"));
        }
        let file = part.file_name().map(str::to_owned);
        let content = part.bytes().await.map_err(|_| malformed("a part does not end"))?;
        match file {
            Some(file) if file.is_empty() && content.is_empty() => {}
            Some(_) => {
                let error = FieldError::new("invalid", "Files are not kept here. Send a text, or leave it out.");
                return Err(Problem::validation(FieldErrors::of(name, error)).into());
            }
            None => {
                let text = std::str::from_utf8(&content).map_err(|_| malformed("a text is not UTF-8"))?;
                add(&mut members, &name, text)?;
            }
        }
    }
    Ok(Body { value: Value::Object(members).into(), is_form: true })
}

/// Adds what a form says under a name. One that stands in it several times has a list.
fn add(members: &mut Object, name: &str, text: &str) -> Result<(), Refusal> {
    match members.get_mut(name) {
        None => {
            members.insert(name.to_owned(), text.into());
        }
        Some(Value::Array(texts)) => texts.push(text.into()),
        Some(first) => *first = Value::Array(vec![first.take(), text.into()]),
    }
    if members.len() > json::MAX_MEMBERS {
        return Err(Problem::malformed(format!("The form has more than {} names.", json::MAX_MEMBERS)).into());
    }
    Ok(())
}

/// What a `Content-Type` says that the body is. `None` for what no endpoint takes, a text in another encoding than UTF-8 included.
fn kind(content_type: &str) -> Option<BodyKind> {
    let kind = match media_type(content_type).to_ascii_lowercase().as_str() {
        "application/json" => BodyKind::Json,
        "application/x-www-form-urlencoded" => BodyKind::Form,
        "multipart/form-data" => BodyKind::Multipart,
        _ => return None,
    };
    charset(content_type).is_none_or(|charset| charset == "utf-8" || charset == "utf8").then_some(kind)
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
