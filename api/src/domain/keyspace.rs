//! Where everything is kept: every key of the store is made here, and nowhere else.

use std::ops::Bound;

use base::fold::{fold, nfc};
use common::{
    field::{Field, FieldType, Unique},
    id::{OperationId, PathId, RecordId, SessionId, UserId, ViewId},
    migration::MigrationId,
    name::CollectionName,
    validate::parse_decimal,
};
use serde_json::Value;
use store::{Element, Key, Scan, Version};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::numbers::{CollectionNumber, IndexNumber, OwnerNumber};

/// The space of users.
pub const USERS: &str = "p";

/// The space of sessions.
pub const SESSIONS: &str = "s";

/// The space of definitions.
pub const COLLECTIONS: &str = "d";

/// The space of published paths.
pub const PATHS: &str = "h";

/// The space of migrations that were applied.
pub const MIGRATIONS: &str = "g";

/// The space of work in the background.
pub const OPERATIONS: &str = "w";

/// The space of saved views.
pub const VIEWS: &str = "v";

/// Every space, and the word for it: in backups, and where people are told of a key. What is elsewhere is not Coffer's, and
/// `coffer check` says so.
pub const SPACES: [(&str, &str); 27] = [
    ("K", "idempotency_keys"),
    ("N", "last_records"),
    ("a", "operation_changes"),
    ("b", "referrers"),
    ("c", "counts"),
    (COLLECTIONS, "collections"),
    ("e", "emails"),
    ("f", "aliases"),
    (MIGRATIONS, "migrations"),
    (PATHS, "paths"),
    ("i", "index"),
    ("j", "changes"),
    ("k", "usernames"),
    ("m", "meta"),
    ("n", "numbers"),
    ("o", "owners"),
    (USERS, "users"),
    ("q", "usage"),
    ("r", "records"),
    (SESSIONS, "sessions"),
    ("t", "gone"),
    ("u", "unique"),
    (VIEWS, "views"),
    (OPERATIONS, "operations"),
    ("x", "spent"),
    ("y", "user_sessions"),
    ("z", "invitations"),
];

/// The spaces that are divided by collection: see [`collection_of`]. What is in them belongs to one that is there; only
/// tombstones outlive theirs, for the journal.
pub const BY_COLLECTION: [&str; 5] = ["b", "c", "i", "r", "u"];

/// The collection of a key in a space that is divided by collection.
pub fn collection_of(key: &Key) -> Option<CollectionNumber> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.int().ok().and_then(|number| u32::try_from(number).ok()).map(CollectionNumber)
}

/// The collection and the id of a record, by its key.
pub fn record_of(key: &Key) -> Option<(CollectionNumber, RecordId)> {
    let is_record = key.as_bytes().starts_with(all_records().as_bytes());
    Some((collection_of(key)?, last_id(key)?)).filter(|_| is_record)
}

/// A key as people are told of it: the word for its space, and its elements.
pub fn shown(key: &Key) -> String {
    let text = format!("{key:?}");
    let (space, rest) = text.split_once('/').unwrap_or((&text, ""));
    let word = SPACES.iter().find(|(known, _)| *known == space).map_or(space, |(_, word)| *word);
    if rest.is_empty() { word.to_owned() } else { format!("{word}/{rest}") }
}

/// A key in another space, with the same elements.
pub fn in_space(key: &Key, space: &'static str) -> Key {
    let mut elements = key.elements();
    let _ = elements.space();
    elements.flatten().fold(Key::space(space), |key, element| key.element(&element))
}

/// A migration that was applied.
pub fn migration(id: &MigrationId) -> Key {
    migrations().text(id.collection.as_str()).text(id.name.as_str())
}

/// All of them.
pub fn migrations() -> Key {
    Key::space(MIGRATIONS)
}

/// A single value, by its name.
pub fn single(name: &str) -> Key {
    Key::space("m").text(name)
}

/// What a request with a user's key did, and was answered. `name` is the key's digest.
pub fn idempotency_key(user: UserId, name: &[u8]) -> Key {
    idempotency_keys_of(user).bytes(name)
}

/// Where it stands that an operation was taken back: among the keys, of a user whom there is not.
pub fn taken_back(operation: OperationId) -> Key {
    idempotency_keys_of(UserId::from_uuid(Uuid::nil())).bytes(operation.uuid().as_bytes())
}

/// All keys of a user.
pub fn idempotency_keys_of(user: UserId) -> Key {
    idempotency_keys().uuid(user.uuid())
}

/// All keys of all users.
pub fn idempotency_keys() -> Key {
    Key::space("K")
}

/// A collection's definition.
pub fn collection(name: &CollectionName) -> Key {
    collections().text(name.as_str())
}

/// The number of the collection that had a name before, and still answers to it.
pub fn collection_alias(name: &CollectionName) -> Key {
    collection_aliases().text(name.as_str())
}

/// All former names of collections.
pub fn collection_aliases() -> Key {
    Key::space("f")
}

/// All definitions.
pub fn collections() -> Key {
    Key::space(COLLECTIONS)
}

/// A record: see `record`.
pub fn record(collection: CollectionNumber, id: RecordId) -> Key {
    with_id(records(collection), id)
}

/// The records of all collections.
pub fn all_records() -> Key {
    Key::space("r")
}

/// All records of a collection, in the order of creation.
pub fn records(collection: CollectionNumber) -> Key {
    all_records().int(i64::from(collection.0))
}

/// The id of the record that has a unique value: its bytes. Behind it may stand what [`unique_waiting`] says.
pub fn unique(collection: CollectionNumber, rule: IndexNumber, field: &Field, value: &Value) -> Key {
    let key = uniques(collection).int(i64::from(rule.0));
    match value {
        Value::String(text) if field.unique == Unique::IgnoreCase => key.long_text(&fold(text)),
        value => element(key, field, value),
    }
}

/// The id of one more record that has a unique value: an earlier version told the two apart. The value is given to it when the other
/// record gives it up.
pub fn unique_waiting(unique: &Key, id: RecordId) -> Key {
    with_id(unique.clone(), id)
}

/// All unique values of a collection.
pub fn uniques(collection: CollectionNumber) -> Key {
    Key::space("u").int(i64::from(collection.0))
}

/// An index entry. Its value is empty; the record's id is its last element.
pub fn index_entry(
    collection: CollectionNumber,
    index: IndexNumber,
    field: &Field,
    value: &Value,
    id: RecordId,
) -> Key {
    with_id(index_value(collection, index, field, value), id)
}

/// All index entries of one value.
pub fn index_value(collection: CollectionNumber, number: IndexNumber, field: &Field, value: &Value) -> Key {
    element(index(collection, number), field, value)
}

/// All entries of one index, in the order of their values.
pub fn index(collection: CollectionNumber, number: IndexNumber) -> Key {
    indexes(collection).int(i64::from(number.0))
}

/// All index entries of a collection.
pub fn indexes(collection: CollectionNumber) -> Key {
    Key::space("i").int(i64::from(collection.0))
}

/// The record that an entry of an index of references refers to.
pub fn indexed_id(key: &Key) -> Option<RecordId> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.int().ok()?;
    elements.int().ok()?;
    record_id(&elements.element().ok()?)
}

/// The index of an entry: of values, or of unique ones.
pub fn index_of(key: &Key) -> Option<IndexNumber> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.int().ok()?;
    elements.int().ok().and_then(|number| u32::try_from(number).ok()).map(IndexNumber)
}

/// All unique values of one rule.
pub fn rule(collection: CollectionNumber, number: IndexNumber) -> Key {
    uniques(collection).int(i64::from(number.0))
}

/// Adds a record's id: a UUID, or the number that it is.
pub fn with_id(key: Key, id: RecordId) -> Key {
    match id.number() {
        Some(number) => key.int(number),
        None => key.uuid(id.bits()),
    }
}

/// The id that an element is.
fn record_id(element: &Element) -> Option<RecordId> {
    match element {
        Element::Uuid(id) => Some(RecordId::from_uuid(*id)),
        Element::Int(number) => RecordId::from_number(*number),
        _ => None,
    }
}

/// The last number that was reserved for records of a collection; it is there once there was one. It outlives the collection.
pub fn last_record(collection: CollectionNumber) -> Key {
    last_records().int(i64::from(collection.0))
}

/// The last numbers of all collections that count their records.
pub fn last_records() -> Key {
    Key::space("N")
}

/// All records of one owner, in a collection that has an index of owners.
pub fn owned(collection: CollectionNumber, number: IndexNumber, owner: Option<OwnerNumber>) -> Key {
    with_owner(index(collection, number), owner)
}

/// Adds an owner; null for none.
pub fn with_owner(key: Key, owner: Option<OwnerNumber>) -> Key {
    match owner {
        Some(owner) => key.int(i64::from(owner.0)),
        None => key.null(),
    }
}

/// The number of an owner. It outlives the user.
pub fn owner(user: UserId) -> Key {
    owners().uuid(user.uuid())
}

/// The numbers of all owners.
pub fn owners() -> Key {
    Key::space("o")
}

/// The last number that was given to an owner.
pub fn last_owner() -> Key {
    Key::space("m").text("last_owner")
}

/// The collection of a number: its id and name. It outlives the collection.
pub fn numbered(collection: CollectionNumber) -> Key {
    numbers().int(i64::from(collection.0))
}

/// The collections of all numbers.
pub fn numbers() -> Key {
    Key::space("n")
}

/// The last number that was given to a collection.
pub fn last_collection() -> Key {
    Key::space("m").text("last_collection")
}

/// How many records a collection has.
pub fn count(collection: CollectionNumber) -> Key {
    Key::space("c").int(i64::from(collection.0))
}

/// How many records of a collection one owner has.
pub fn owned_count(collection: CollectionNumber, owner: Option<OwnerNumber>) -> Key {
    with_owner(count(collection), owner)
}

/// What one owner has in all collections: records, and their bytes.
pub fn usage(owner: Option<OwnerNumber>) -> Key {
    with_owner(usages(), owner)
}

/// Whose usage a key is; `None` if it is none.
pub fn usage_owner(key: &Key) -> Option<Option<OwnerNumber>> {
    let mut elements = key.elements();
    match (elements.space(), elements.element()) {
        (Ok("q"), Ok(Element::Int(number))) => u32::try_from(number).ok().map(|number| Some(OwnerNumber(number))),
        (Ok("q"), Ok(Element::Null)) => Some(None),
        _ => None,
    }
}

/// How many collections there are.
pub fn collection_count() -> Key {
    Key::space("m").text("collections")
}

/// All that is counted against quotas.
pub fn usages() -> Key {
    Key::space("q")
}

/// How many references point at a record.
pub fn referrers(collection: CollectionNumber, id: RecordId) -> Key {
    with_id(all_referrers(collection), id)
}

/// The reference counts of all records of a collection.
pub fn all_referrers(collection: CollectionNumber) -> Key {
    Key::space("b").int(i64::from(collection.0))
}

/// The tombstone of a record that was deleted. The value is the place of the deletion's entry in the journal, and the record's owner; its version
/// is the deletion's.
pub fn tombstone(collection: CollectionNumber, id: RecordId) -> Key {
    with_id(tombstones(collection), id)
}

/// The tombstones of a collection's records.
pub fn tombstones(collection: CollectionNumber) -> Key {
    all_tombstones().int(i64::from(collection.0))
}

/// All tombstones, by collection.
pub fn all_tombstones() -> Key {
    Key::space("t")
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
    Key::space("k")
}

/// The id of the user who has an e-mail address, in its folded form.
pub fn email(folded: &str) -> Key {
    emails().long_text(folded)
}

/// All e-mail addresses of users.
pub fn emails() -> Key {
    Key::space("e")
}

/// How many active admins there are.
pub fn active_admins() -> Key {
    Key::space("m").text("active_admins")
}

/// How often a definition that refers to another collection was written.
pub fn referring_definitions() -> Key {
    Key::space("m").text("referring_definitions")
}

/// A counter: the last commit of which the journal no longer tells all.
pub fn trimmed() -> Key {
    Key::space("m").text("trimmed")
}

/// A code that makes the first admin on any server of a store, by its digest.
pub fn setup_code(digest: &[u8]) -> Key {
    setup_codes().bytes(digest)
}

/// All of them.
pub fn setup_codes() -> Key {
    Key::space("m").text("setup_code")
}

/// Set-up is done. Written once, with the first admin.
pub fn set_up() -> Key {
    Key::space("m").text("set_up")
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
    Key::space("y")
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
    Key::space("x")
}

/// An invitation.
pub fn invitation(id: Uuid) -> Key {
    invitations().uuid(id)
}

/// All invitations, in the order in which they were made.
pub fn invitations() -> Key {
    Key::space("z")
}

/// A published path.
pub fn path(id: PathId) -> Key {
    paths().uuid(id.uuid())
}

/// All published paths.
pub fn paths() -> Key {
    Key::space(PATHS)
}

/// A saved view.
pub fn view(id: ViewId) -> Key {
    views().uuid(id.uuid())
}

/// All saved views, and what they are found by.
pub fn views() -> Key {
    Key::space(VIEWS)
}

/// A view among those of its owner; the value is empty.
pub fn view_of(owner: UserId, id: ViewId) -> Key {
    views_of(owner).uuid(id.uuid())
}

/// All views of an owner.
pub fn views_of(owner: UserId) -> Key {
    views().null().uuid(owner.uuid())
}

/// A view among those of its collection; the value is empty.
pub fn view_in(collection: CollectionNumber, is_shared: bool, id: ViewId) -> Key {
    views_in(collection).bool(is_shared).uuid(id.uuid())
}

/// All views of a collection.
pub fn views_in(collection: CollectionNumber) -> Key {
    views().int(i64::from(collection.0))
}

/// How often a saved view was written.
pub fn view_changes() -> Key {
    Key::space("m").text("view_changes")
}

/// How often a published path was written.
pub fn path_changes() -> Key {
    Key::space("m").text("path_changes")
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

/// Where an operation's entries are in the journal: this key's version is the commit that appended them, and its value is how many
/// they were, in four bytes. An operation in pieces has a part with a number of its own for each; each but the first has one byte more.
pub fn operation_part(id: OperationId, part: Option<Version>) -> Key {
    let key = operation_changes().uuid(id.uuid());
    match part {
        Some(part) => key.int(i64::try_from(part.get()).unwrap_or(i64::MAX)),
        None => key,
    }
}

/// Where the entries of all operations are.
pub fn operation_changes() -> Key {
    Key::space("a")
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
        (FieldType::Reference { .. }, value @ (Value::String(_) | Value::Number(_))) => {
            match RecordId::from_value(value) {
                Some(id) => with_id(key, id),
                None => key.text(value.as_str().unwrap_or_default()),
            }
        }
        (_, Value::String(text)) => key.long_text(&nfc(text)),
        (_, Value::Null) => key.null(),
        (_, other) => key.long_text(&other.to_string()),
    }
}

/// The last element of an index entry's key: the record that it is about.
pub fn last_id(key: &Key) -> Option<RecordId> {
    let mut elements = key.elements();
    elements.space().ok()?;
    match elements.last().ok()? {
        // Where an index ends with a descending part, so are the ids under one value.
        Element::Descending(id) => record_id(&id),
        id => record_id(&id),
    }
}

#[cfg(test)]
mod tests;
