//! The import into a collection that goes on in the background, kept by the browser for its user: who comes back without its address finds it, too.

use common::{
    id::{OperationId, UserId},
    name::CollectionName,
};

fn key(user: UserId, collection: &CollectionName) -> String {
    format!("coffer-import {user} {collection}")
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// Keeps one.
pub(super) fn keep(user: UserId, collection: &CollectionName, operation: OperationId) {
    if let Some(storage) = storage() {
        // Where there is no room for it, its address still has it.
        let _ = storage.set_item(&key(user, collection), &operation.to_string());
    }
}

/// The one that was kept last.
pub(super) fn kept(user: UserId, collection: &CollectionName) -> Option<OperationId> {
    storage()?.get_item(&key(user, collection)).ok()??.parse().ok()
}

/// It is over, and that was seen.
pub(super) fn forget(user: UserId, collection: &CollectionName) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(&key(user, collection));
    }
}
