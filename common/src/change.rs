//! The journal's entries: who changed what, when, before and after.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

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

impl Subject {
    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Collection => "collection",
            Self::User => "user",
            Self::Session => "session",
            Self::Server => "server",
            Self::Operation => "operation",
            Self::Path => "path",
        }
    }
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
    /// The newest first.
    pub is_backward: bool,
    /// Only changes earlier than this one, the newest first.
    pub before: Option<Revision>,
    /// Only changes of this kind.
    pub action: Option<Verb>,
    /// Only changes of things of this kind.
    pub subject: Option<Subject>,
    /// Only changes by this user.
    pub by: Option<UserId>,
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
                "before" => match value.parse() {
                    Ok(revision) => query.before = Some(revision),
                    Err(_) => errors.push(name, invalid("This is not a revision.")),
                },
                "newest_first" => match value.as_str() {
                    "true" => query.is_backward = true,
                    "false" => query.is_backward = false,
                    _ => errors.push(name, invalid("Say true or false.")),
                },
                "action" => match word(&value) {
                    Some(verb) if verb != Verb::Other => query.action = Some(verb),
                    _ => {
                        errors
                            .push(name, invalid("There is no such action. One is create, update, delete or restore."));
                    }
                },
                "subject" => match word(&value) {
                    Some(subject) => query.subject = Some(subject),
                    None => {
                        errors.push(name, invalid("Say record, collection, user, session, server, operation or path."));
                    }
                },
                "by" => match value.parse() {
                    Ok(user) => query.by = Some(user),
                    Err(_) => errors.push(name, invalid("This is not the id of a user.")),
                },
                _ => errors.push(name, unknown_parameter()),
            }
        }
        query.is_backward |= query.before.is_some();
        if query.is_backward && query.after.is_some() {
            errors.push("after", invalid("The newest come first, so say before which change: before=."));
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let before = self.before.map(|before| ("before".to_owned(), before.to_string()));
        let backward =
            (self.is_backward && self.before.is_none()).then(|| ("newest_first".to_owned(), "true".to_owned()));
        let action = self.action.map(|action| ("action".to_owned(), action.as_str().to_owned()));
        let subject = self.subject.map(|subject| ("subject".to_owned(), subject.as_str().to_owned()));
        let by = self.by.map(|by| ("by".to_owned(), by.to_string()));
        let more = before.into_iter().chain(backward).chain(action).chain(subject).chain(by);
        let after = self.after.map(|after| ("after".to_owned(), after.to_string()));
        let place = self.place.map(|place| ("place".to_owned(), place.to_string()));
        let collection = self.collection.as_ref().map(|name| ("collection".to_owned(), name.to_string()));
        let size = self.page_size.map(|size| ("page_size".to_owned(), size.to_string()));
        after.into_iter().chain(place).chain(collection).chain(size).chain(more).collect()
    }
}

/// Reads a word as it is sent.
fn word<T: DeserializeOwned>(value: &str) -> Option<T> {
    serde_json::from_value(value.into()).ok()
}

/// Reads how many changes an answer is to have at most.
pub(crate) fn page_size(value: &str) -> Result<usize, FieldError> {
    let size = value.parse().ok().filter(|size| (1..=MAX_CHANGES).contains(size));
    size.ok_or_else(|| invalid(format!("This is a number from 1 to {MAX_CHANGES}.")))
}

/// The parameters of a collection's trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrashQuery {
    /// Only deletions earlier than this one.
    pub before: Option<Revision>,
    /// Also deletions of commit `before` that come in front of this place.
    pub place: Option<u32>,
    /// So many at most.
    pub page_size: Option<usize>,
}

impl Query for TrashQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (own, others): (Pairs, Pairs) =
            pairs.into_iter().partition(|(name, _)| matches!(name.as_str(), "before" | "place" | "page_size"));
        let query = ChangeQuery::from_pairs(own);
        let mut errors = FieldErrors::new();
        for (name, _) in others {
            errors.push(name, unknown_parameter());
        }
        let ChangeQuery { before, place, page_size, .. } = query?;
        errors.or(Self { before, place, page_size })
    }

    fn to_pairs(&self) -> Pairs {
        ChangeQuery::from(*self).to_pairs().into_iter().filter(|(name, _)| name != "newest_first").collect()
    }
}

impl From<TrashQuery> for ChangeQuery {
    fn from(TrashQuery { before, place, page_size }: TrashQuery) -> Self {
        Self { before, place, page_size, is_backward: true, ..Self::default() }
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
        for raw in ["newest_first=true&action=delete&subject=record", "place=3&before=9", "page_size=7&before=9"] {
            assert_eq!(encode(&ChangeQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        for raw in ["", "page_size=7&before=9"] {
            assert_eq!(encode(&TrashQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        assert!(TrashQuery::from_pairs(decode("action=create")).is_err());
        for bad in [
            "after=x",
            "after=-1",
            "collection=a/b",
            "before=x",
            "after=1&before=3",
            "action=other",
            "subject=x",
            "by=ada",
        ] {
            assert!(ChangeQuery::from_pairs(decode(bad)).is_err(), "{bad}");
        }
        assert!(HistoryQuery::from_pairs(decode("before=x")).is_err());
    }
}
