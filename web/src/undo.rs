//! The way back from what was done. Only later parts name it, so that a first visit does not wait for it.

use common::{Call, CallError, endpoints::changes, id::OperationId};
use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::{
    client::Client,
    toast::{ToastEvent, Undo, UndoBy},
    words,
};

/// Something was done to a record of this title, or to a collection, by this operation if the server said so.
pub(crate) fn done(text: String, operation: Option<OperationId>, title: String) -> ToastEvent {
    match operation {
        Some(operation) => ToastEvent::Done(text, Undo { operation, title, by: UndoBy(undo) }),
        None => ToastEvent::Said(text),
    }
}

fn undo(client: Client, operation: OperationId, title: String) -> LocalBoxFuture<'static, Result<String, CallError>> {
    let undo = async move {
        let reply = client.send(Call::<changes::Revert>::new((operation,), ())).await?;
        Ok(words::toast::undone(&title, &reply.body))
    };
    undo.boxed_local()
}
