//! What `boot.js` asked the server while the app was on its way. Each answer is taken once, by the request that would have asked for it.

use common::{import::once::REPLAYED, undo::OPERATION_HEADER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use js_sys::{Map, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The headers of an answer that clients look at.
pub(crate) fn headers(value_of: impl Fn(&str) -> Option<String>) -> HeaderMap {
    let names = [header::ETAG, HeaderName::from_static(OPERATION_HEADER), HeaderName::from_static(REPLAYED)];
    let value = |name: &HeaderName| HeaderValue::from_str(&value_of(name.as_str())?).ok();
    names.into_iter().filter_map(|name| Some((name.clone(), value(&name)?))).collect()
}

/// The answer to a request that was asked early: `None` where it was not, and the inner `None` where no answer came. That request is not sent again
/// by itself, since the server may have heard it.
pub(crate) async fn answer(method: &Method, path: &str) -> Option<Option<Answer>> {
    let asked: Promise = take(&format!("{method} {path}"))?.dyn_into().ok()?;
    Some(read(&JsFuture::from(asked).await.ok()?))
}

/// When the session was asked for, in milliseconds on the browser's clock: its token's time runs from then.
pub(crate) fn asked_at() -> Option<f64> {
    take("at")?.as_f64()
}

fn take(key: &str) -> Option<JsValue> {
    let map: Map = Reflect::get(&js_sys::global(), &"cofferEarly".into()).ok()?.dyn_into().ok()?;
    let key = key.into();
    let found = map.get(&key);
    map.delete(&key).then_some(found)
}

fn read(answer: &JsValue) -> Option<Answer> {
    let get = |name: &str| Reflect::get(answer, &name.into()).ok();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // three digits, or 0 where no answer came
    let status = get("status")?.as_f64()? as u16;
    Some(Answer {
        status: StatusCode::from_u16(status).ok()?,
        headers: headers(|name| get(name)?.as_string()),
        body: get("body")?.dyn_into::<Uint8Array>().ok()?.to_vec(),
    })
}
