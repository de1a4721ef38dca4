//! `Idempotency-Key`: on requests that write for a user, and bring and are answered with no secret. What is the same request is told by its method,
//! address and body.

use std::{
    any::TypeId,
    panic,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    task::{Context as Poll_, Poll},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use common::{
    Endpoint, Problem,
    access::Caller,
    endpoint::{ChargedTo, Cost, path_and_query},
    endpoints,
    id::{OperationId, UserId},
    import::once,
    query::RecordQuery,
    undo::OPERATION_HEADER,
};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use logging::in_current_request;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    base_url::BaseUrl,
    body::Incoming,
    context::Context,
    error::{Refusal, complete_location},
    input::Input,
    response::{Body, Response},
};
use crate::domain::{
    idempotency::{self, Answer, Begun, Claim, StoredAnswer},
    operations, records,
};

/// The header that brings the key.
const KEY: HeaderName = HeaderName::from_static(once::KEY);
/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static(once::REPLAYED);

/// The headers of an answer that are kept with it.
static KEPT: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::ETAG, header::LOCATION, HeaderName::from_static(OPERATION_HEADER)];

/// Whether requests of an endpoint can have a key.
pub(super) fn is_taken<E: Endpoint>() -> bool {
    matches!(E::COST, Cost::Writes(ChargedTo::User)) && !E::IS_SECRET
}

/// Whether a request has one.
pub(super) fn has_key<E: Endpoint>(headers: &HeaderMap) -> bool {
    is_taken::<E>() && headers.contains_key(KEY)
}

/// Goes on also where the client does not wait any more: it may come again, and is to have the answer then.
pub(super) async fn to_its_end<F>(handling: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    match tokio::spawn(in_current_request(handling)).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panicked) => panic::resume_unwind(panicked),
            // The server ends, and nobody is answered any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The digest of a request in the making.
#[derive(Clone)]
pub(super) struct Asked(Arc<Mutex<Read>>);

/// What was read of it.
struct Read {
    digest: Sha256,
    /// The first byte of the body that says something.
    first: Option<u8>,
}

/// Has a request with a key digested while it is read. `None` where it has none.
pub(super) fn begin<E: Endpoint>(
    headers: &HeaderMap,
    segments: &[String],
    query: &str,
    body: &mut Incoming,
) -> Option<Asked> {
    if !has_key::<E>(headers) {
        return None;
    }
    let mut digest = Sha256::new();
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let method = E::METHOD;
    let parts = [method.as_str(), E::PATH, query].map(str::as_bytes).into_iter().chain([kind]);
    for part in parts.chain(segments.iter().map(String::as_bytes)) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        digest.update(headers.get(name).map_or(&b"-"[..], HeaderValue::as_bytes));
    }
    let asked = Asked(Arc::new(Mutex::new(Read { digest, first: None })));
    let whole = std::mem::replace(body, Box::pin(futures_util::stream::empty()));
    *body = Box::pin(Digested { body: whole, asked: asked.clone() });
    Some(asked)
}

impl Asked {
    fn update(&self, piece: &[u8]) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.digest.update(piece);
        read.first = read.first.or_else(|| piece.iter().copied().find(|byte| !byte.is_ascii_whitespace()));
    }

    /// The digest of all that has come so far.
    pub(super) fn so_far(&self) -> String {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        URL_SAFE_NO_PAD.encode(read.digest.clone().finalize())
    }

    /// Whether it brings one thing, and not an array of some.
    fn is_of_one(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first != Some(b'[')
    }
}

struct Digested {
    body: Incoming,
    asked: Asked,
}

impl Stream for Digested {
    type Item = Result<Bytes, warp::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Poll_<'_>) -> Poll<Option<Self::Item>> {
        let next = self.body.as_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(piece))) = &next {
            self.asked.update(piece);
        }
        next
    }
}

/// A key that came, whose it is, and of what.
pub(super) struct Taking {
    user: UserId,
    key: String,
    asked: Asked,
}

/// What becomes of a request with a key.
pub(super) enum Turn {
    /// It is done, and its answer kept.
    Do(Arc<Claim>),
    /// It was done before, or another was.
    Again(StoredAnswer),
}

/// The key of a request whose caller is known. Without one, or for nobody in particular, it is a request as any other.
pub(super) fn key_of<E: Endpoint>(input: &Input<E>, asked: Option<&Asked>) -> Result<Option<Taking>, Refusal> {
    let (Some(asked), Caller::User { id, .. }) = (asked, &input.caller) else { return Ok(None) };
    let mut keys = input.headers.get_all(KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(Problem::invalid("Send one Idempotency-Key, not several.").into());
    };
    let key = key.to_str().unwrap_or_default().to_owned();
    Ok(Some(Taking { user: *id, key, asked: asked.clone() }))
}

/// Takes a key up.
pub(super) async fn take(context: &Context, taking: Taking) -> Result<Turn, Refusal> {
    let Taking { user, key, asked } = taking;
    let core = context.app.core();
    let (kept, claim) = match idempotency::begin(core, user, &key, Arc::new(move || asked.so_far())).await? {
        Begun::First(claim) => return Ok(Turn::Do(claim)),
        Begun::Again(kept, claim) => (kept, claim),
    };
    // What was taken back is as what was refused.
    if let Some(operation) = kept.operation()
        && (operations::is_import_of_nothing(core, operation).await?
            || idempotency::is_taken_back(core, operation).await?)
    {
        return Ok(Turn::Do(claim));
    }
    core.idempotency.replayed.fetch_add(1, Relaxed);
    Ok(Turn::Again(kept))
}

/// The answer that was given before, if this is the same request. `rest` is what has still to come of it.
pub(super) async fn answer<E: Endpoint + 'static>(
    context: &Context,
    caller: &Caller,
    base: &BaseUrl,
    kept: StoredAnswer,
    asked: &Asked,
    mut rest: Option<Incoming>,
) -> Result<Response, Refusal> {
    if let Some(rest) = &mut rest {
        while let Some(Ok(_)) = rest.next().await {}
    }
    if !kept.is_of(&asked.so_far()) {
        let detail = "This Idempotency-Key was used for another request. Take a new one for this.";
        return Err(Problem::unprocessable(detail).with_code("idempotency_key_reused").into());
    }
    let operation = kept.operation();
    let mut response = if let Some(answer) = kept.answer {
        again(answer)
    } else {
        let mut response = again(lost::<E>(context, caller, &kept, asked).await?);
        complete_location(&mut response, base);
        response
    };
    if let Some(Ok(operation)) = operation.map(|id| HeaderValue::try_from(id.to_string())) {
        response.headers_mut().entry(OPERATION_HEADER).or_insert(operation);
    }
    Ok(response)
}

/// In place of an answer that was lost when the server ended, or too large to be kept: an import tells how it stands, what wrote one record gives that
/// record if it is still as it was, and anything else tells that it was done. The status is the one of then.
async fn lost<E: Endpoint + 'static>(
    context: &Context,
    caller: &Caller,
    kept: &StoredAnswer,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let (core, operation) = (context.app.core(), kept.operation());
    let mut headers = vec![(header::CONTENT_TYPE.to_string(), "application/json".to_owned())];
    let import = match operation {
        Some(id) => operations::import_as_it_is(core, id).await?,
        None => None,
    };
    if let (Some(import), Some(id)) = (import, operation) {
        if import.state.is_over() {
            return Ok(Answer { status: 200, headers, body: json!(import).to_string() });
        }
        headers.push((header::LOCATION.to_string(), path_and_query::<endpoints::operations::Get>(&(id,), &())));
        return Ok(Answer { status: 202, headers, body: json!(import).to_string() });
    }
    let status = E::SUCCESS.as_u16();
    if E::SUCCESS == StatusCode::NO_CONTENT {
        return Ok(Answer { status, headers: Vec::new(), body: String::new() });
    }
    let record = kept.record().filter(|_| gives_a_record::<E>() && asked.is_of_one());
    let Some((collection, id, revision)) = record else {
        let body = json!({"detail": DONE_BEFORE, "operation": operation});
        return Ok(Answer { status, headers, body: body.to_string() });
    };
    let Some((name, sent)) = records::get_unchanged(core, caller, collection, id, revision).await? else {
        let body = json!({"detail": DONE_BEFORE, "operation": operation, "id": id.to_value()});
        return Ok(Answer { status, headers, body: body.to_string() });
    };
    headers.push((header::ETAG.to_string(), sent.etag()));
    if E::SUCCESS == StatusCode::CREATED {
        let query = RecordQuery::default();
        headers.push((header::LOCATION.to_string(), path_and_query::<endpoints::records::Get>(&(name, id), &query)));
    }
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&sent.json).into_owned() })
}

/// What is told where the answer of then cannot be given again.
const DONE_BEFORE: &str = "This was done before. Its answer was lost, or too large to be kept, and what was written was changed since, or is more than one record; the operation tells what was done.";

/// Whether what an endpoint answers is the record that it wrote.
fn gives_a_record<E: 'static>() -> bool {
    use endpoints::records::{Create, Replace, Update};
    [TypeId::of::<Create>(), TypeId::of::<Replace>(), TypeId::of::<Update>()].contains(&TypeId::of::<E>())
}

/// The answer that was given before.
fn again(answer: Answer) -> Response {
    let Answer { status, headers, body } = answer;
    let mut response = Response::new(Bytes::from(body).into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Keeps the answer to a request that went well. What cannot be kept was done all the same.
pub(super) async fn keep(context: &Context, claim: &Claim, operation: Option<OperationId>, response: &Response) {
    let Body::Whole(bytes) = response.body() else { return };
    let headers = KEPT.iter().filter_map(|name| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    let answer = Answer {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(bytes).into_owned(),
    };
    if let Err(error) = claim.finish(context.app.core(), operation, answer).await {
        tracing::warn!(reason = error.with_causes(), "an answer could not be kept for a second try");
    }
}
