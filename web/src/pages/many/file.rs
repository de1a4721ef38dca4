//! Files as the browser has them.

use common::{Call, endpoints::operations, id::OperationId, import::once::FileKey};
use js_sys::Uint8Array;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, TextDecoder};
use yew::Callback;

use crate::{
    client::{Client, media_type},
    toast::ToastEvent,
    ui::download::save,
};

/// Bytes of a file that are read at once.
const PIECE: u32 = 1 << 20;

/// The key under which a file is sent: the same for the same where the same is asked, so that it goes in once however often it is sent. `after` is when
/// it was imported before, where it is to go in once more.
pub(super) async fn key(file: &Blob, asked: &str, after: Option<&str>) -> Option<String> {
    let mut key = FileKey::new(&format!("{asked} {}", media_type(file)), after);
    let mut at = 0.0;
    while at < file.size() {
        let piece = file.slice_with_f64_and_f64(at, at + f64::from(PIECE)).ok()?;
        key.update(&bytes(&piece).await?.to_vec());
        at += f64::from(PIECE);
    }
    Some(key.finish())
}

/// The beginning of a file.
pub(super) fn head(file: &Blob, bytes: u32) -> Option<Blob> {
    file.slice_with_f64_and_f64(0.0, f64::from(bytes)).ok()
}

/// A file's bytes.
pub(super) async fn bytes(file: &Blob) -> Option<Uint8Array> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&buffer))
}

/// Its text in an encoding that the web knows. What is cut off at the end is left out.
pub(super) fn text(bytes: &Uint8Array, encoding: &str) -> Option<String> {
    let decoder = TextDecoder::new_with_label(encoding).or_else(|_| TextDecoder::new()).ok()?;
    decoder.decode_with_u8_array(&bytes.to_vec()).ok()
}

/// Fetches the rows that an import left out.
pub(super) fn fetch_rejected(client: &Client, toasts: &Callback<ToastEvent>, operation: OperationId, name: &str) {
    let (client, toasts, name) = (client.clone(), toasts.clone(), name.to_owned());
    spawn_local(async move {
        match client.download(&Call::<operations::Rejected>::new((operation,), ())).await {
            Ok(blob) => save(&blob, &name),
            Err(error) => toasts.emit(ToastEvent::Failed(error.to_string())),
        }
    });
}
