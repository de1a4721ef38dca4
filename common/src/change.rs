//! The journal's entries: who changed what, when, before and after.

use serde::{Deserialize, Serialize};

use crate::{
    answer::JsonAnswer,
    id::{CollectionId, OperationId, Revision, UserId},
    json::Exact,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::{Pairs, Query, unknown_parameter},
    reader::invalid,
};

/// The kind of thing that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Work in the background.
    Operation,
    /// A published path.
    Path,
}

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verb {
    /// A thing was made.
    Create,
    /// A thing was changed.
    Update,
    /// A thing was deleted.
    Delete,
    /// A record's earlier version was put back.
    Restore,
    /// A user signed in.
    SignIn,
    /// A sign-in was refused.
    SignInRefused,
    /// A sign-in was refused, and the next ones have to wait.
    SignInLocked,
    /// A session was ended by its user's signing out.
    SignOut,
    /// A session was ended because a spent refresh token was used.
    Replay,
    /// A session was ended by its user from elsewhere, by an admin, or with a new password.
    End,
    /// A password was set.
    Password,
    /// A user did not know the current password.
    PasswordRefused,
    /// A caller tried unique values of records that they may not see, and has to wait.
    ValuesGuessed,
    /// The lock that wrong guesses had put on a user was taken away.
    Unlock,
    /// Work in the background was started.
    Start,
    /// Work in the background was stopped.
    Stop,
    /// An operation was undone.
    Revert,
    /// A verb that this program does not know.
    #[serde(other)]
    Other,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Restore,
        Self::SignIn,
        Self::SignInRefused,
        Self::SignInLocked,
        Self::SignOut,
        Self::Replay,
        Self::End,
        Self::Password,
        Self::PasswordRefused,
        Self::ValuesGuessed,
        Self::Unlock,
        Self::Start,
        Self::Stop,
        Self::Revert,
        Self::Other,
    ];

    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::SignIn => "sign_in",
            Self::SignInRefused => "sign_in_refused",
            Self::SignInLocked => "sign_in_locked",
            Self::SignOut => "sign_out",
            Self::Replay => "replay",
            Self::End => "end",
            Self::Password => "password",
            Self::PasswordRefused => "password_refused",
            Self::ValuesGuessed => "values_guessed",
            Self::Unlock => "unlock",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Revert => "revert",
            Self::Other => "other",
        }
    }
}

/// One change. No secret is ever in it: no password, hash, token or code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// The commit that made it.
    #[serde(default)]
    pub revision: Revision,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// The user who made the change; null where nobody was signed in, or for the command line.
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
    /// The kind of change.
    pub action: Verb,
    /// The thing before; null where it was not there.
    #[serde(default, skip_serializing_if = "is_null")]
    pub before: Exact,
    /// The thing after; null where it was deleted.
    #[serde(default, skip_serializing_if = "is_null")]
    pub after: Exact,
    /// The record was changed so often since that only what the change was about is told, as it was before.
    #[serde(default, rename = "partial", skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
    /// The change before this one of the same record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Revision>,
    /// What it was a part of: everything that one request did has one id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// Where the request came from, for what concerns signing in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
}

fn is_null(value: &Exact) -> bool {
    value.is_null()
}

impl Change {
    /// With the thing before and after.
    #[must_use]
    pub fn values(mut self, before: impl Into<Exact>, after: impl Into<Exact>) -> Self {
        (self.before, self.after) = (before.into(), after.into());
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Also the changes of commit `after` that come behind this place: where one commit is more than an answer may have.
    pub place: Option<u32>,
    /// Only changes of this collection's records.
    pub collection: Option<CollectionName>,
    /// So many at most.
    pub page_size: Option<usize>,
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
                "place" => match value.parse() {
                    Ok(place) => query.place = Some(place),
                    Err(_) => errors.push(name, invalid("This is not a place.")),
                },
                "collection" => match value.parse() {
                    Ok(collection) => query.collection = Some(collection),
                    Err(_) => errors.push(name, invalid("This is not the name of a collection.")),
                },
                "page_size" => match page_size(&value) {
                    Ok(size) => query.page_size = Some(size),
                    Err(error) => errors.push(name, error),
                },
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let after = self.after.map(|after| ("after".to_owned(), after.to_string()));
        let place = self.place.map(|place| ("place".to_owned(), place.to_string()));
        let collection = self.collection.as_ref().map(|name| ("collection".to_owned(), name.to_string()));
        let size = self.page_size.map(|size| ("page_size".to_owned(), size.to_string()));
        after.into_iter().chain(place).chain(collection).chain(size).collect()
    }
}

/// Reads how many changes an answer is to have at most.
pub(crate) fn page_size(value: &str) -> Result<usize, FieldError> {
    let size = value.parse().ok().filter(|size| (1..=MAX_CHANGES).contains(size));
    size.ok_or_else(|| invalid(format!("This is a number from 1 to {MAX_CHANGES}.")))
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
    fn verbs_are_written_as_they_are_sent() {
        for verb in Verb::ALL {
            assert_eq!(serde_json::to_value(verb).unwrap(), verb.as_str());
            assert_eq!(serde_json::from_value::<Verb>(verb.as_str().into()).unwrap(), verb);
        }
        assert_eq!(serde_json::from_value::<Verb>("compress".into()).unwrap(), Verb::Other);
    }

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
