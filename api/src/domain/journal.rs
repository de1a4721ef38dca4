//! The journal: entries are appended to the batch that makes the change, so one is there exactly when the other is. They
//! are made here, and read in [`read`]; what they hold is in [`common::change`].

mod back;
mod entry;
pub mod of_operation;
pub mod read;
mod remove;
mod scope;
pub mod summary;
mod trimmed;

use std::net::IpAddr;

use common::{
    access::Caller,
    change::{Change, Subject, Verb},
    id::{OperationId, Revision},
    json::Exact,
};
use store::Batch;

use super::{core::Core, error::Result};

pub use back::Back;
pub use entry::{Action, Entry, Link, RecordChange, Values, owner_at_deletion, parse, tombstone, tombstone_value};
pub use remove::{Fate, Freed, Removal, make_room};
pub use scope::{Written, count_operation, count_part, in_operation, operation, written};
pub use trimmed::{note_trimmed, trimmed};

/// The caller of something that concerns sign-in, and their IP address.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// From where; `None` for who has the machine itself.
    pub address: Option<IpAddr>,
}

impl<'a> Actor<'a> {
    /// Somebody at the server's own command line.
    pub fn local(caller: &'a Caller) -> Self {
        Self { caller, address: None }
    }

    /// Somebody at an address.
    pub fn at(caller: &'a Caller, address: IpAddr) -> Self {
        Self { caller, address: Some(address) }
    }

    /// An entry about what they do, now.
    pub fn entry(self, core: &Core, subject: Subject, id: &impl ToString, action: Verb) -> Change {
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        entry(core, self.caller, subject, id, action).from(&address)
    }
}

/// An entry about a change by `caller`, now.
pub fn entry(core: &Core, caller: &Caller, subject: Subject, id: &impl ToString, action: Verb) -> Change {
    Change {
        revision: Revision::default(),
        at: core.timestamp(),
        by: caller.user_id(),
        subject,
        id: id.to_string(),
        collection: None,
        collection_id: None,
        action,
        before: Exact::default(),
        after: Exact::default(),
        previous: None,
        is_partial: false,
        operation: None,
        address: String::new(),
    }
}

/// An entry as bytes for [`store::Batch::append`]; those of records are [`RecordChange`]s.
pub fn bytes(change: &Change) -> Vec<u8> {
    bytes_of(operation(), change)
}

/// The same for one that was a part of `operation`.
pub fn bytes_of(operation: Option<OperationId>, change: &Change) -> Vec<u8> {
    entry::other(operation, change)
}

/// Appends an entry about what is no change of the store.
pub async fn note(core: &Core, change: &Change) -> Result<()> {
    let mut batch = Batch::with(|batch| batch.append(bytes(change)));
    let is_counted = count_operation(&mut batch);
    core.store.commit(batch).await?;
    if is_counted {
        written();
    }
    Ok(())
}
