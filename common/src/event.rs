//! Live events: what `GET /api/events/` takes and sends. [`parser`] reads the stream (server-sent events, WHATWG HTML §9.2),
//! [`news`] gathers what a screen shows of it, and [`follow`] says how to follow on when it breaks off.

pub mod follow;
pub mod news;
pub mod parser;

use std::{fmt, str::FromStr};

#[cfg(feature = "schema")]
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    answer::{Answer, AnswerKind, JsonAnswer, Streamed},
    condition::{self, Condition},
    id::{InvalidId, OperationId, RecordId, Revision, UserId},
    json::Exact,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::{Pairs, Query, unknown_parameter},
    reader::invalid,
};

/// Collections that one stream names at most.
pub const MAX_COLLECTIONS: usize = 64;

/// Seconds that a ticket is good for.
pub const TICKET_SECONDS: u64 = 30;

/// Seconds between two signs of life of a stream on which nothing happens.
pub const HEARTBEAT_SECONDS: u64 = 15;

/// Seconds after which the first of them is due, which proves that more than the beginning of a stream comes through.
pub const FIRST_HEARTBEAT_SECONDS: u64 = 2;

/// A place in the journal: after an entry of a commit, or after all of the commit. It is the `id` of an event, and goes back as
/// `Last-Event-ID` or `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId {
    /// The commit.
    pub revision: Revision,
    /// The entry's place in it, from 0; [`u32::MAX`] after all of them.
    pub place: u32,
}

impl EventId {
    /// After all of a commit.
    pub const fn after(revision: Revision) -> Self {
        Self { revision, place: u32::MAX }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            u32::MAX => self.revision.fmt(f),
            place => write!(f, "{}.{place}", self.revision),
        }
    }
}

impl FromStr for EventId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let Some((revision, place)) = text.split_once('.') else { return Ok(Self::after(text.parse()?)) };
        if place.is_empty() || !place.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidId);
        }
        Ok(Self { revision: revision.parse()?, place: place.parse().map_err(|_| InvalidId)? })
    }
}

impl TryFrom<String> for EventId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        id.to_string()
    }
}

/// What an event says, as its `event:` line has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The stream is open; `since` is where it begins.
    Open,
    /// A record as it is: of the snapshot that a stream begins with.
    Record,
    /// The snapshot is complete.
    Live,
    /// A record was made, or put back.
    Create,
    /// A record was changed.
    Update,
    /// A record was deleted.
    Delete,
    /// A record is out of the caller's sight, or does not match the filter any more.
    Gone,
    /// The rules, or the caller's roles, are others: what is held has to be read again.
    Reset,
    /// A definition was made, changed or deleted.
    Definition,
    /// The stream ends, and why.
    Close,
    /// A kind that this program does not know.
    Other,
}

impl EventKind {
    /// All that are sent.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Record,
        Self::Live,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Gone,
        Self::Reset,
        Self::Definition,
        Self::Close,
    ];

    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Record => "record",
            Self::Live => "live",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Gone => "gone",
            Self::Reset => "reset",
            Self::Definition => "definition",
            Self::Close => "close",
            Self::Other => "other",
        }
    }

    /// Of an `event:` line.
    pub fn of(text: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or(Self::Other)
    }
}

/// The `data:` of an event. Which members there are depends on its kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventData {
    /// The collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionName>,
    /// What it was called before, where a definition's change gave it another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<CollectionName>,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RecordId>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// When: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// What it was a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The record as it is after the change; as it was, where it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Exact>,
    /// What was done to a definition: `create`, `update`, `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Why: of a reset `rules`, `roles`, `history`; of a close `session`, `slow`, `stopping`, `filter`, `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where to go on, or to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<EventId>,
}

/// The parameters of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventQuery {
    /// The collections; none for all that the caller may view.
    pub collections: Vec<CollectionName>,
    /// What records must be, in every one of the collections.
    pub filter: Option<Condition>,
    /// Only what comes after this.
    pub since: Option<EventId>,
    /// The records as they are come first.
    pub snapshot: bool,
    /// In place of an access token: what [`crate::endpoints::events::Ticket`] gave.
    pub ticket: Option<String>,
}

impl Query for EventQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        let twice = |errors: &mut FieldErrors, name: &str, is_there: bool| {
            if is_there {
                errors.push(name, invalid("This parameter stands twice."));
            }
        };
        for (name, value) in pairs {
            match name.as_str() {
                "collection" => match value.parse() {
                    Ok(collection) if query.collections.contains(&collection) => {}
                    Ok(collection) => query.collections.push(collection),
                    Err(_) => errors.push(name, invalid("This is not the name of a collection.")),
                },
                "filter" if value.trim().is_empty() => {}
                "filter" => {
                    twice(&mut errors, &name, query.filter.is_some());
                    match condition::parse(&value) {
                        Ok(condition) => query.filter = Some(condition),
                        Err(error) => errors.push(name, invalid(error.to_string())),
                    }
                }
                "since" => {
                    twice(&mut errors, &name, query.since.is_some());
                    match value.parse() {
                        Ok(since) => query.since = Some(since),
                        Err(_) => errors.push(name, invalid("This is not the id of an event.")),
                    }
                }
                "snapshot" => match value.as_str() {
                    "true" | "True" | "1" => query.snapshot = true,
                    "false" | "False" | "0" | "" => {}
                    _ => errors.push(name, invalid("Must be a valid boolean.")),
                },
                "ticket" => query.ticket = Some(value),
                _ => errors.push(name, unknown_parameter()),
            }
        }
        if query.collections.len() > MAX_COLLECTIONS {
            let message =
                format!("A stream follows {MAX_COLLECTIONS} named collections at most; without a name it follows all.");
            errors.push("collection", FieldError::new("too_many", message));
        }
        if query.filter.is_some() && query.collections.is_empty() {
            errors.push("filter", invalid("Say with collection= which collections this is about."));
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs: Pairs =
            self.collections.iter().map(|name| ("collection".to_owned(), name.to_string())).collect();
        let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
        if let Some(filter) = &self.filter {
            push("filter", filter.to_string());
        }
        if let Some(since) = &self.since {
            push("since", since.to_string());
        }
        if self.snapshot {
            push("snapshot", "true".to_owned());
        }
        if let Some(ticket) = &self.ticket {
            push("ticket", ticket.clone());
        }
        pairs
    }
}

/// What opens one stream in place of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ticket {
    /// For `?ticket=`.
    pub ticket: String,
    /// Seconds until it is good for nothing.
    pub expires_in: u64,
}

impl JsonAnswer for Ticket {}

/// A stream of events. Clients take it from their transport as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStream {}

impl Answer for EventStream {
    const KIND: AnswerKind = AnswerKind::Events;
    const MEDIA_TYPE: &'static str = "text/event-stream";

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        match *self {}
    }

    fn from_bytes(_: &[u8]) -> serde_json::Result<Self> {
        Err(serde_json::Error::custom("a stream is not read as a whole"))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        Some(json_schema!({"contentMediaType": Self::MEDIA_TYPE}))
    }
}

impl Streamed for EventStream {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn ids_are_in_the_order_of_the_journal_and_read_back() {
        let ids = ["7", "8.0", "8.1", "8.10", "8", "9.0"].map(|text| {
            let id: EventId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            id
        });
        assert!(ids.is_sorted());
        for bad in
            ["", ".", "7.", ".7", "7.x", "7.-1", "-7", "7.1.2", "7.4294967296", "+7", "7.+1", "99999999999999999999"]
        {
            assert_eq!(bad.parse::<EventId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn kinds_are_known_by_their_words() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::of(kind.as_str()), kind);
        }
        assert_eq!(EventKind::of("compressed"), EventKind::Other);
    }

    #[test]
    fn the_query_reads_back_and_refuses_by_name() {
        let raw = "collection=snacks&collection=words&filter=price+%3C+3&since=8.1&snapshot=true";
        assert_eq!(encode(&EventQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        let many = (0..65).map(|n| format!("collection=c{n}")).collect::<Vec<_>>().join("&");
        for (bad, name) in [
            ("collection=a/b", "collection"),
            (many.as_str(), "collection"),
            ("filter=price+%3C+3", "filter"),
            ("collection=a&filter=(", "filter"),
            ("since=x", "since"),
            ("since=1&since=2", "since"),
            ("snapshot=maybe", "snapshot"),
            ("page=2", "page"),
        ] {
            let errors = EventQuery::from_pairs(decode(bad)).unwrap_err();
            assert!(errors.0.contains_key(name), "{bad}: {errors:?}");
        }
    }
}
