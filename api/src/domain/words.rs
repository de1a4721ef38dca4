//! What is stored, in words: keys with ids and names instead of numbers, values as JSON. So backups have it, and so it was stored
//! before format 3. What is derived (indexes, unique values, counts) is in earlier stores, and in no backup of today.

use std::collections::BTreeMap;

use common::{
    change::Change,
    collection::Collection,
    id::{OperationId, UserId},
    name::FieldName,
    record::Record,
};
use serde::{Deserialize, Deserializer, Serialize};
use store::{Key, Version};
use uuid::Uuid;

use super::{schema::with_rest, steps::Step};

/// The space of the journal: under a version and a place, an entry.
pub const CHANGES: &str = "changes";
/// The space of definitions, by name.
pub const COLLECTIONS: &str = "collections";
/// The space of e-mail addresses, and the id of whose each is.
pub const EMAILS: &str = "emails";
/// The space of tombstones, by collection and record.
pub const GONE: &str = "gone";
/// The space of invitations.
pub const INVITATIONS: &str = "invitations";
/// The space of the last numbers that were reserved for records, by collection.
pub const LAST_RECORDS: &str = "last_records";
/// The space of single values, by name.
pub const META: &str = "meta";
/// The space of migrations that were applied.
pub const MIGRATIONS: &str = "migrations";
/// The space of published paths.
pub const PATHS: &str = "paths";
/// The space of records, by collection and record.
pub const RECORDS: &str = "records";
/// The space of names, and the id of whose each is.
pub const USERNAMES: &str = "usernames";
/// The space of users.
pub const USERS: &str = "users";
/// The space of saved views.
pub const VIEWS: &str = "views";

/// Values that are counted or given anew, and in no backup.
pub const DERIVED: [&str; 3] = ["collections", "last_collection", "last_owner"];

/// A definition.
#[derive(Debug, Clone, Serialize)]
pub struct Definition {
    /// What is sent.
    #[serde(flatten)]
    pub collection: Collection,
    /// Its own version, by which the journal names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<u32>,
    /// The ids of its fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_ids: BTreeMap<FieldName, Uuid>,
    /// How what its records look like changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            definition: Option<u32>,
            #[serde(default)]
            field_ids: BTreeMap<FieldName, Uuid>,
            #[serde(default)]
            steps: Vec<Step>,
        }
        let (collection, Rest { definition, field_ids, steps }) = with_rest(deserializer)?;
        Ok(Self { collection, definition, field_ids, steps })
    }
}

/// An entry of the journal: as it is sent, with more members behind. What of a record was otherwise before is in it, and not what is
/// after, where there is `rest`.
#[derive(Debug, Clone)]
pub struct Entry {
    /// As it is sent.
    pub change: Change,
    /// The members behind.
    pub more: More,
}

/// What an entry has beside what is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct More {
    /// What it was a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The rest of a record's entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
}

impl Entry {
    /// Reads one. Both parts are read from the whole text: taken apart by serde, numbers would lose digits.
    pub fn from_slice(json: &[u8]) -> serde_json::Result<Self> {
        Ok(Self { change: serde_json::from_slice(json)?, more: serde_json::from_slice(json)? })
    }

    /// Writes it.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let (mut json, more) = (serde_json::to_vec(&self.change)?, serde_json::to_vec(&self.more)?);
        if self.more != More::default() {
            json.pop();
            json.push(b',');
            json.extend_from_slice(&more[1..]);
        }
        Ok(json)
    }
}

/// What a record's entry has beside what is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    /// The members that were not there before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// The owner before.
    pub owner_before: Option<UserId>,
    /// The owner after.
    pub owner_after: Option<UserId>,
    /// The version of the definition.
    pub definition: u32,
    /// The place of the entry before, in its commit.
    pub previous_place: Option<u32>,
    /// It followed from another change of the operation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_consequence: bool,
    /// The version of the definition that the record was written under before this change carried it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<u32>,
    /// What it was then, as far as it was otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Record>,
}

/// A member of a record that no field can have: the version of the definition that it is written in, where that is not the last one.
pub const WRITTEN: &str = "$definition";

/// The key of an entry of the journal.
pub fn change(version: Version, place: u32) -> Key {
    let number = i64::try_from(version.get()).unwrap_or(i64::MAX);
    Key::space(CHANGES).long_int(number).long_int(i64::from(place))
}
