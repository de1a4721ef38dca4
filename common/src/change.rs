//! The journal's entries: who changed what, when, before and after.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    answer::JsonAnswer,
    id::{CollectionId, Revision, UserId},
    name::CollectionName,
    problem::FieldErrors,
    query::{Pairs, Query, unknown_parameter},
    reader::invalid,
};

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
    /// The server itself, as it runs.
    Server,
}

/// One change. No secret is ever in it: no password, hash, token or code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The commit that made it.
    #[serde(default)]
    pub revision: Revision,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who did it; null for nobody signed in, or the command line.
    pub by: Option<UserId>,
    /// Of which kind the thing is.
    pub subject: Subject,
    /// Which one: an id, a collection's name, or a part of the server.
    pub id: String,
    /// The collection of a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionName>,
    /// The same, should another collection have that name by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_id: Option<CollectionId>,
    /// What was done: `create`, `update`, `delete`, `restore`, `sign_in`,
    /// `sign_in_refused`, `sign_in_locked`, `sign_out`, `replay`, `end`, `password`, `password_refused`.
    pub action: String,
    /// The thing before; null where it was not there.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The thing after; null where it is gone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// The change before this one of the same record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Revision>,
    /// Where the request came from, for what concerns signing in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
}

impl Change {
    /// With the thing before and after.
    #[must_use]
    pub fn values(mut self, before: Value, after: Value) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    /// With where the request came from.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }
}

/// A stretch of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The absolute address of what comes after; null where there is no more yet.
    pub next: Option<String>,
    /// The changes.
    pub results: Vec<Change>,
}

impl JsonAnswer for Changes {}

/// Changes in one answer at most.
pub const MAX_CHANGES: usize = 200;

/// The parameters of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeQuery {
    /// Only changes later than this one.
    pub after: Option<Revision>,
    /// Only changes of this collection's records.
    pub collection: Option<CollectionName>,
}

impl Query for ChangeQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match name.as_str() {
                "after" => match value.parse() {
                    Ok(revision) => query.after = Some(revision),
                    Err(_) => errors.push(name, invalid("This is not a revision.")),
                },
                "collection" => match value.parse() {
                    Ok(collection) => query.collection = Some(collection),
                    Err(_) => errors.push(name, invalid("This is not the name of a collection.")),
                },
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let after = self.after.map(|after| ("after".to_owned(), after.to_string()));
        let collection = self.collection.as_ref().map(|name| ("collection".to_owned(), name.to_string()));
        after.into_iter().chain(collection).collect()
    }
}

/// The parameters of a record's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoryQuery {
    /// Only versions earlier than this one.
    pub before: Option<Revision>,
}

impl Query for HistoryQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match (name.as_str(), value.parse()) {
                ("before", Ok(revision)) => query.before = Some(revision),
                ("before", Err(_)) => errors.push(name, invalid("This is not a revision.")),
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        self.before.map(|before| ("before".to_owned(), before.to_string())).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn the_queries_read_back_as_they_were_written() {
        let raw = "after=7&collection=snacks";
        assert_eq!(encode(&ChangeQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        for bad in ["after=x", "after=-1", "collection=a/b", "before=1"] {
            assert!(ChangeQuery::from_pairs(decode(bad)).is_err(), "{bad}");
        }
        assert!(HistoryQuery::from_pairs(decode("before=x")).is_err());
    }
}
