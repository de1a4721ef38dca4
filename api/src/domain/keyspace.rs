//! Where everything is kept: every key of the store is made here, and nowhere else.

use std::ops::Bound;

use base::fold::nfc;
use common::{
    field::{Field, FieldType},
    id::{CollectionId, OperationId, RecordId, SessionId, UserId},
    name::CollectionName,
    validate::parse_decimal,
};
use serde_json::Value;
use store::{Element, Key, Scan};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// The name under which every record is indexed by its owner.
pub const OWNER_INDEX: &str = "owner";

/// The space of users.
pub const USERS: &str = "users";

/// The space of sessions.
pub const SESSIONS: &str = "sessions";

/// The space of definitions.
pub const COLLECTIONS: &str = "collections";

/// The space of work in the background.
pub const OPERATIONS: &str = "operations";

/// Every space. What is elsewhere is not Coffer's, and `coffer check` says so.
pub const SPACES: [&str; 17] = [
    "changes",
    COLLECTIONS,
    "counts",
    "emails",
    "gone",
    "index",
    "meta",
    OPERATIONS,
    "records",
    "referrers",
    SESSIONS,
    "spent",
    "unique",
    "usage",
    "user_sessions",
    "usernames",
    USERS,
];

/// The spaces that are divided by collection: see [`collection_of`].
pub const BY_COLLECTION: [&str; 6] = ["counts", "gone", "index", "records", "referrers", "unique"];

/// The collection of a key in a space that is divided by collection.
pub fn collection_of(key: &Key) -> Option<CollectionId> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.uuid().ok().map(CollectionId::from_uuid)
}

/// A collection's definition.
pub fn collection(name: &CollectionName) -> Key {
    collections().text(name.as_str())
}

/// All definitions.
pub fn collections() -> Key {
    Key::space(COLLECTIONS)
}

/// A record, as JSON without its revision.
pub fn record(collection: CollectionId, id: RecordId) -> Key {
    records(collection).uuid(id.uuid())
}

/// The records of all collections.
pub fn all_records() -> Key {
    Key::space("records")
}

/// All records of a collection, in the order of creation.
pub fn records(collection: CollectionId) -> Key {
    all_records().uuid(collection.uuid())
}

/// The id of the record that has a unique value.
pub fn unique(collection: CollectionId, field: &Field, value: &Value) -> Key {
    element(uniques(collection).text(field.name.as_str()), field, value)
}

/// All unique values of a collection.
pub fn uniques(collection: CollectionId) -> Key {
    Key::space("unique").uuid(collection.uuid())
}

/// An index entry. Its value is empty; the record's id is its last element.
pub fn index_entry(collection: CollectionId, field: &Field, value: &Value, id: RecordId) -> Key {
    index_value(collection, field, value).uuid(id.uuid())
}

/// All index entries of one value.
pub fn index_value(collection: CollectionId, field: &Field, value: &Value) -> Key {
    element(index(collection, field.name.as_str()), field, value)
}

/// All index entries of one field, in the order of their values.
pub fn index(collection: CollectionId, field: &str) -> Key {
    indexes(collection).text(field)
}

/// All index entries of a collection.
pub fn indexes(collection: CollectionId) -> Key {
    Key::space("index").uuid(collection.uuid())
}

/// All records of one owner.
pub fn owned(collection: CollectionId, owner: Option<UserId>) -> Key {
    let key = index(collection, OWNER_INDEX);
    match owner {
        Some(owner) => key.uuid(owner.uuid()),
        None => key.null(),
    }
}

/// How many records a collection has.
pub fn count(collection: CollectionId) -> Key {
    Key::space("counts").uuid(collection.uuid())
}

/// How many records of a collection one owner has.
pub fn owned_count(collection: CollectionId, owner: Option<UserId>) -> Key {
    match owner {
        Some(owner) => count(collection).uuid(owner.uuid()),
        None => count(collection).null(),
    }
}

/// What one owner has in all collections: records, and their bytes.
pub fn usage(owner: Option<UserId>) -> Key {
    match owner {
        Some(owner) => usages().uuid(owner.uuid()),
        None => usages().null(),
    }
}

/// Whose usage a key is; `None` if it is none.
pub fn usage_owner(key: &Key) -> Option<Option<UserId>> {
    let mut elements = key.elements();
    match (elements.space(), elements.element()) {
        (Ok("usage"), Ok(Element::Uuid(id))) => Some(Some(UserId::from_uuid(id))),
        (Ok("usage"), Ok(Element::Null)) => Some(None),
        _ => None,
    }
}

/// How many collections there are.
pub fn collection_count() -> Key {
    Key::space("meta").text("collections")
}

/// All that is counted against quotas.
pub fn usages() -> Key {
    Key::space("usage")
}

/// How many references point at a record.
pub fn referrers(collection: CollectionId, id: RecordId) -> Key {
    all_referrers(collection).uuid(id.uuid())
}

/// The reference counts of all records of a collection.
pub fn all_referrers(collection: CollectionId) -> Key {
    Key::space("referrers").uuid(collection.uuid())
}

/// The tombstone of a record that was deleted. The value is empty; its version is the deletion's.
pub fn tombstone(collection: CollectionId, id: RecordId) -> Key {
    tombstones(collection).uuid(id.uuid())
}

/// The tombstones of a collection's records.
pub fn tombstones(collection: CollectionId) -> Key {
    all_tombstones().uuid(collection.uuid())
}

/// All tombstones, by collection.
pub fn all_tombstones() -> Key {
    Key::space("gone")
}

/// A user.
pub fn user(id: UserId) -> Key {
    users().uuid(id.uuid())
}

/// All users, in the order of creation.
pub fn users() -> Key {
    Key::space(USERS)
}

/// The id of the user who has a name, in its folded form.
pub fn username(folded: &str) -> Key {
    usernames().long_text(folded)
}

/// All names that are taken.
pub fn usernames() -> Key {
    Key::space("usernames")
}

/// The id of the user who has an e-mail address, in its folded form.
pub fn email(folded: &str) -> Key {
    emails().long_text(folded)
}

/// All e-mail addresses of users.
pub fn emails() -> Key {
    Key::space("emails")
}

/// How many active admins there are.
pub fn active_admins() -> Key {
    Key::space("meta").text("active_admins")
}

/// How often a definition that refers to another collection was written.
pub fn referring_definitions() -> Key {
    Key::space("meta").text("referring_definitions")
}

/// Set-up is done. Written once, with the first admin.
pub fn set_up() -> Key {
    Key::space("meta").text("set_up")
}

/// A session.
pub fn session(id: SessionId) -> Key {
    sessions().uuid(id.uuid())
}

/// All sessions.
pub fn sessions() -> Key {
    Key::space(SESSIONS)
}

/// A session of a user; the value is empty.
pub fn user_session(user: UserId, session: SessionId) -> Key {
    user_sessions(user).uuid(session.uuid())
}

/// All sessions of a user.
pub fn user_sessions(user: UserId) -> Key {
    all_user_sessions().uuid(user.uuid())
}

/// All sessions, by user.
pub fn all_user_sessions() -> Key {
    Key::space("user_sessions")
}

/// A refresh token whose successor was used, with that successor; in strict rotation every token that was used.
pub fn spent(session: SessionId, token: Uuid) -> Key {
    all_spent(session).uuid(token)
}

/// All refresh tokens of a session that were used up.
pub fn all_spent(session: SessionId) -> Key {
    spent_tokens().uuid(session.uuid())
}

/// All refresh tokens that were used up, by session.
pub fn spent_tokens() -> Key {
    Key::space("spent")
}

/// An operation.
pub fn operation(id: OperationId) -> Key {
    operations().uuid(id.uuid())
}

/// The operation of a key; `None` for another key.
pub fn operation_id(key: &Key) -> Option<OperationId> {
    let mut elements = key.elements();
    if elements.space().ok()? != OPERATIONS {
        return None;
    }
    elements.uuid().ok().map(OperationId::from_uuid)
}

/// Work that recurs, while a process holds it.
pub fn recurring(name: &str) -> Key {
    operations().text(name)
}

/// The list of the operations that are not over.
pub fn unfinished_operations() -> Key {
    operations().text("unfinished")
}

/// All operations, in the order in which they began, and nothing else of that space.
pub fn every_operation() -> Scan {
    let id = |uuid| Bound::Included(operation(OperationId::from_uuid(uuid)));
    Scan::range(id(Uuid::nil()), id(Uuid::max()))
}

/// All work in the background.
pub fn operations() -> Key {
    Key::space(OPERATIONS)
}

/// Adds a value in the form that sorts as the field's values do. Values are in canonical form.
pub fn element(key: Key, field: &Field, value: &Value) -> Key {
    match (&field.kind, value) {
        (_, Value::Bool(value)) => key.bool(*value),
        (FieldType::Integer { .. }, Value::Number(number)) => match number.as_i64() {
            Some(number) => key.int(number),
            None => key.text(&number.to_string()),
        },
        (FieldType::Decimal { .. }, Value::String(text)) => match parse_decimal(text) {
            Some(number) => key.decimal(number.normalize()),
            None => key.text(text),
        },
        (FieldType::Datetime, Value::String(text)) => match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(moment) => key.int(i64::try_from(moment.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)),
            Err(_) => key.text(text),
        },
        (FieldType::Reference { .. }, Value::String(text)) => match Uuid::try_parse(text) {
            Ok(id) => key.uuid(id),
            Err(_) => key.text(text),
        },
        (_, Value::String(text)) => key.long_text(&nfc(text)),
        (_, Value::Null) => key.null(),
        (_, other) => key.long_text(&other.to_string()),
    }
}

/// The last element of an index entry's key: the record that it is about.
pub fn last_id(key: &Key) -> Option<RecordId> {
    let bytes = key.as_bytes();
    let id = bytes.len().checked_sub(16).and_then(|at| bytes.get(at..))?;
    Uuid::from_slice(id).ok().map(RecordId::from_uuid)
}

#[cfg(test)]
mod tests;
