//! The journal: who changed what, when, from where, before and after. Entries are appended to the batch that makes the
//! change, so one is there exactly when the other is. No secret ever goes in: no password, hash, token or code.

use common::{
    access::Caller,
    id::{RecordId, Revision, UserId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{App, Result};
use crate::store::{Scan, Version, journal};

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A record of a collection.
    Record,
    /// A collection's definition.
    Collection,
    /// A user.
    User,
    /// A session.
    Session,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// RFC 3339, UTC.
    pub at: String,
    /// Who did it; null for nobody signed in, or the command line.
    pub by: Option<UserId>,
    /// Of which kind the thing is.
    pub subject: Subject,
    /// Which one: an id, or a collection's name.
    pub id: String,
    /// The collection's id, for records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// What was done: `create`, `update`, `delete`, `sign_in`, `replay` …
    pub action: String,
    /// The thing before; null where it was not there.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The thing after; null where it is gone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// Where the request came from, for what concerns signing in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
}

impl Change {
    /// A change by `caller`, now.
    pub fn new(app: &App, caller: &Caller, subject: Subject, id: &impl ToString, action: &str) -> Self {
        Self {
            at: app.timestamp(),
            by: caller.user_id(),
            subject,
            id: id.to_string(),
            collection: None,
            action: action.to_owned(),
            before: Value::Null,
            after: Value::Null,
            address: String::new(),
        }
    }

    /// With the thing before and after.
    #[must_use]
    pub fn values(mut self, before: Value, after: Value) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    /// With where it came from.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// As bytes for [`crate::store::Batch::append`].
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts and JSON values always writes.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What became of a record in the commit of this revision, if that commit touched it.
pub async fn of_record(app: &App, id: RecordId, revision: Revision) -> Result<Option<Change>> {
    let Some(before) = revision.0.checked_sub(1) else { return Ok(None) };
    let scan = Scan::range(
        std::ops::Bound::Included(journal::key(Version::new(revision.0), 0)),
        std::ops::Bound::Excluded(journal::key(Version::new(before + 2), 0)),
    );
    let wanted = id.to_string();
    for (_, entry) in app.store.scan(scan).await? {
        let change: Change = serde_json::from_slice(&entry.value)?;
        if change.subject == Subject::Record && change.id == wanted {
            return Ok(Some(change));
        }
    }
    Ok(None)
}
