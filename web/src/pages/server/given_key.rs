//! Checks a token against a key that somebody gave, by the browser's own cryptography. Neither leaves the page.

use common::inspection::{GivenKey, Inspection, Signed};
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{client::now, words::server as words};

/// What the token says, and whether it is signed by the key. The error says why that cannot be told.
pub(super) async fn check(token: &str, key: &str) -> Result<Inspection, String> {
    let signed = Signed::read(token)?;
    let kid = signed.header.get("kid").and_then(|kid| kid.as_str());
    let key = GivenKey::read(key, kid)?;
    signed.takes(&key)?;
    let window = web_sys::window().ok_or(words::NO_CRYPTOGRAPHY)?;
    let subtle = Reflect::get(&window, &"crypto".into()).and_then(|crypto| Reflect::get(&crypto, &"subtle".into()));
    // Browsers have it where the page came by TLS, or from this machine.
    let subtle = subtle.ok().filter(JsValue::is_object).ok_or(words::NO_CRYPTOGRAPHY)?;
    let is_signed = verify(&subtle, &signed, &key).await.map_err(|_| words::UNUSABLE_KEY)?;
    Ok(signed.told(is_signed, i64::try_from(now() / 1000).unwrap_or(i64::MAX)))
}

async fn verify(subtle: &JsValue, signed: &Signed, key: &GivenKey) -> Result<bool, JsValue> {
    let algorithm = algorithm(signed.algorithm)?;
    let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
    let (format, data) = match key {
        GivenKey::Secret(secret) => ("raw", bytes(secret)),
        GivenKey::Public(der) => ("spki", bytes(der)),
        GivenKey::Jwk(jwk) => ("jwk", JSON::parse(&serde_json::to_string(jwk).unwrap_or_default())?),
    };
    let usages = Array::of1(&"verify".into());
    let import = Array::of5(&format.into(), &data, &algorithm, &false.into(), &usages);
    let key = ask(subtle, "importKey", &import).await?;
    let (signature, message) = (bytes(&signed.signature), bytes(signed.message.as_bytes()));
    let is_signed = ask(subtle, "verify", &Array::of4(&algorithm, &key, &signature, &message)).await?;
    Ok(is_signed.is_truthy())
}

async fn ask(subtle: &JsValue, method: &str, arguments: &Array) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(subtle, &method.into())?.dyn_into()?;
    JsFuture::from(method.apply(subtle, arguments)?.dyn_into::<Promise>()?).await
}

/// What the browser calls it. Members that one of the two calls does not know are passed over.
fn algorithm(word: &str) -> Result<JsValue, JsValue> {
    let (family, size) = word.split_at(2);
    let name = match family {
        "HS" => "HMAC",
        "RS" => "RSASSA-PKCS1-v1_5",
        "PS" => "RSA-PSS",
        "ES" => "ECDSA",
        _ => "Ed25519",
    };
    let object = Object::new();
    let mut members = vec![("name", JsValue::from(name))];
    if let Ok(bits) = size.parse::<u32>() {
        members.push(("hash", format!("SHA-{bits}").into()));
        members.push(("namedCurve", format!("P-{bits}").into()));
        members.push(("saltLength", (bits / 8).into()));
    }
    for (member, value) in members {
        Reflect::set(&object, &member.into(), &value)?;
    }
    Ok(object.into())
}
