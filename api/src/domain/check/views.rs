//! Saved views, and what they are found by.

use std::collections::BTreeSet;

use bytes::Bytes;
use store::Key;

use super::ledger::{CheckError, Ledger};
use crate::domain::{
    keyspace,
    views::{StoredView, id_of},
};

/// Checks that each can be read, and is found by its owner and its collection.
pub(super) async fn check(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let (mut found, mut due) = (BTreeSet::<Key>::new(), BTreeSet::<Key>::new());
    let mut pages = ledger.pages(&keyspace::views());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let Some(id) = id_of(&key) else {
                found.insert(key);
                continue;
            };
            match StoredView::read(&entry) {
                Ok(view) if view.id == id => due.extend(view.found_by()),
                _ => ledger.unreadable(&key, "the view"),
            }
        }
    }
    for key in found.difference(&due) {
        ledger.wrong(key, None, "no view is found by this").await?;
    }
    for key in due.difference(&found) {
        ledger.wrong(key, Some(Bytes::new()), "the view is not found by this").await?;
    }
    Ok(())
}
